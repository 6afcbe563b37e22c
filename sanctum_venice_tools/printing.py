"""Printing on any terminal: what its encoding lacks is written out, and ends no command."""

import codecs
import io
import json
import os
import sys


def print_on_any_terminal() -> None:
    r"""Have characters that an output's encoding lacks printed as their escapes of JSON: \u72d0.

    A reply that was paid for may hold any, and stays the same JSON.
    """
    codecs.register_error("json", _escape)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="json")


def output_fails() -> bool:
    """Whether nothing can be printed: asked where something failed, to tell what it was.

    Then the output is given up, or Python would try once more at its end.
    """
    try:
        sys.stdout.write("\n")
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return True
    return False


def _escape(error: UnicodeError) -> tuple[str, int]:
    """What stands in the place of characters that can't be encoded, and where to go on."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    return json.dumps(error.object[error.start : error.end])[1:-1], error.end
