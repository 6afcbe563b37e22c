"""Printing on any terminal, and on a full disk.

What a terminal's encoding lacks is written out, and ends no command.
"""

import codecs
import io
import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import click

# The exit status where what was to be printed could not be: it is that of a reply that is lost.
_UNPRINTED = 4


def print_on_any_terminal() -> None:
    r"""Have characters that an output's encoding lacks printed as their escapes of JSON: \u72d0.

    A reply that was paid for may hold any, and stays the same JSON.
    """
    codecs.register_error("json", _escape)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="json")


@contextmanager
def told_where_output_fails() -> Iterator[None]:
    """Where a full disk takes nothing that a command prints, end it with one line."""
    try:
        yield
    except OSError as error:
        # What failed may have been something else.
        if _can_print(""):
            raise
        told = f"the output can't be written ({error.strerror})"
        _can_print(f"Error: {told}; what was done before is done", err=True)
        sys.exit(_UNPRINTED)


def _can_print(line: str, *, err: bool = False) -> bool:
    """Print a line; where that fails, give the output up, or Python would try again at its end."""
    try:
        click.echo(line, err=err)
    except OSError:
        output = sys.stderr if err else sys.stdout
        os.dup2(os.open(os.devnull, os.O_WRONLY), output.fileno())
        return False
    return True


def _escape(error: UnicodeError) -> tuple[str, int]:
    """What stands in the place of characters that can't be encoded, and where to go on."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    return json.dumps(error.object[error.start : error.end])[1:-1], error.end
