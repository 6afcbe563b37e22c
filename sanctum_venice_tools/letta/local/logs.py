"""The log of a program that we started: a new one for each start, and why the program ended."""

import contextlib
import os
import re
from collections.abc import Iterator
from pathlib import Path


@contextlib.contextmanager
def rotated_log(path: Path) -> Iterator[int]:
    """A new log for a new start; the one before is kept."""
    if path.exists():
        path.replace(path.with_name(path.name + ".1"))
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND, 0o600)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def lines_of(log: Path) -> list[str]:
    """The lines of a log, none where there is none yet."""
    try:
        return log.read_text(errors="replace").splitlines()
    except FileNotFoundError:
        return []


def likely_reason(log: Path) -> str:
    """The line of a log that most likely tells why something ended."""
    lines = [line.strip() for line in lines_of(log) if line.strip()]
    faults = [line for line in lines if re.search(r"error|fatal|failed", line, re.IGNORECASE)]
    likely = faults or lines
    return likely[-1] if likely else "no reason was given"
