"""What a person sees while something takes its time."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.text import Text


class Progress:
    """Shows lines about what is going on; on a terminal, one that counts seconds ("... 4 s") changes in place."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._status = console.status("")

    def __call__(self, line: str) -> None:
        """Show a line."""
        if self._console.is_terminal and " ... " in line:
            self._status.update(Text(line))
            self._status.start()
        else:
            self.end()
            self._console.print(Text(line))

    def end(self) -> None:
        """Take away the line that counts."""
        self._status.stop()

    @contextmanager
    def counting(self, doing: str) -> Iterator[None]:
        """Say every second for how long something has been going on, for as long as the block runs."""
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
