"""What the server's log tells of the server."""

from pathlib import Path

from sanctum_venice_tools.letta.local.logs import likely_reason, lines_of
from sanctum_venice_tools.letta.server_process.log_lines import (
    FAILURE_MARK,
    STEP_MARK,
    STOPPED_LINE,
)


def step_of(log: Path) -> str:
    """What the server process said last about where it is."""
    steps = [line for line in lines_of(log) if line.startswith(STEP_MARK)]
    return steps[-1].removeprefix(STEP_MARK) if steps else "Starting Python"


def reason_of(log: Path) -> str:
    """Why the server ended, as far as the log tells."""
    lines = [line.strip() for line in lines_of(log) if line.strip()]
    if lines[-1:] == [STOPPED_LINE]:
        return "it was told to stop"
    failures = [line.removeprefix(FAILURE_MARK) for line in lines if line.startswith(FAILURE_MARK)]
    return failures[-1] if failures else likely_reason(log)
