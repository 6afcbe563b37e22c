"""What the server's log says at each step, for whoever started the server."""

# What the log says at each step; local_server.py looks for it to tell the user what goes on.
STEP_MARK = "== "
FAILURE_MARK = "== failed: "
STOPPED_LINE = "== Stopped as told"


def say(line: str) -> None:
    """Write a line to the log at once."""
    print(line, flush=True)  # noqa: T201  # standard output is the server's log
