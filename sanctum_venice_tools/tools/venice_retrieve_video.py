"""Fetch a film."""

from sanctum_venice_tools.runtime.arguments import _read_as_meant
from sanctum_venice_tools.runtime.jobs import _retrieve
from sanctum_venice_tools.runtime.publishing import _published
from sanctum_venice_tools.runtime.venice import _answer

TOOLSET = "core"
COST = "free"


@_published
@_read_as_meant
def venice_retrieve_video(*, job: str, wait_seconds: int = 60) -> str:
    """Get the film of a job as a file. Free each time.

    Args:
        job: The whole job string.
        wait_seconds: How long to wait if it is not done, 0 to 100.

    Returns:
        JSON: file, url, type, bytes; or status, seconds_run, usual_seconds, next (when to ask
            again).
    """
    return _answer(**_retrieve("video", job, wait_seconds))
