"""What a person sees in a terminal: lines that others can't forge, and progress."""

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import click
from rich.console import Console
from rich.text import Text


def visible(text: str) -> str:
    r"""A text on one line, with whatever could steer the terminal written out.

    Names, refusals and replies come from others. An escape sequence in one could move the cursor or
    colour what we say, a line feed could make a line that looks like ours, and U+202E turns a line
    around. Each becomes its escape of JSON, such as \u001b, so that a line of JSON stays one of the
    same meaning.
    """
    return "".join(char if char.isprintable() else json.dumps(char)[1:-1] for char in text)


def show(*lines: str, err: bool = False, colour: str | None = None) -> None:
    """Print lines, each of them one line whatever is in it."""
    for line in lines:
        click.secho(visible(line), err=err, fg=colour)


class Progress:
    """Shows lines about what is going on.

    On a terminal, one that counts seconds ("... 4 s") changes in place.
    """

    def __init__(self, console: Console) -> None:
        self._console = console
        self._status = console.status("")

    def __call__(self, line: str) -> None:
        """Show a line."""
        text = Text(visible(line))
        if self._console.is_terminal and " ... " in line:
            self._status.update(text)
            self._status.start()
        else:
            self.end()
            self._console.print(text)

    def end(self) -> None:
        """Take away the line that counts."""
        self._status.stop()

    @contextmanager
    def counting(self, doing: str) -> Iterator[None]:
        """Say every second for how long something has been going on, until the block ends."""
        over = threading.Event()
        start = time.monotonic()

        def count() -> None:
            while not over.wait(1):
                self(f"{doing} ... {time.monotonic() - start:.0f} s")

        counter = threading.Thread(target=count, daemon=True)
        counter.start()
        try:
            yield
        finally:
            over.set()
            counter.join()
            self.end()
