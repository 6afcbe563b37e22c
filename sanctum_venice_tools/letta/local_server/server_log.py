"""The server's log: a new one for each start, and what it tells of the server."""

import contextlib
import os
import re
from collections.abc import Iterator
from pathlib import Path

from sanctum_venice_tools.letta.server_process.log_lines import (
    FAILURE_MARK,
    STEP_MARK,
    STOPPED_LINE,
)


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


def step_of(log: Path) -> str:
    """What the server process said last about where it is."""
    steps = [line for line in _lines(log) if line.startswith(STEP_MARK)]
    return steps[-1].removeprefix(STEP_MARK) if steps else "Starting Python"


def reason_of(log: Path) -> str:
    """The line of a log that most likely tells why something ended."""
    lines = [line.strip() for line in _lines(log) if line.strip()]
    if lines[-1:] == [STOPPED_LINE]:
        return "it was told to stop"
    failures = [line.removeprefix(FAILURE_MARK) for line in lines if line.startswith(FAILURE_MARK)]
    faults = [line for line in lines if re.search(r"error|fatal|failed", line, re.IGNORECASE)]
    return (failures or faults or lines or ["no reason was given"])[-1]


def _lines(log: Path) -> list[str]:
    try:
        return log.read_text(errors="replace").splitlines()
    except FileNotFoundError:
        return []
