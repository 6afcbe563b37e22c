"""Fetch music, a sound effect or speech."""

from sanctum_venice_tools.runtime.arguments import _read_as_meant
from sanctum_venice_tools.runtime.jobs import _retrieve
from sanctum_venice_tools.runtime.publishing import _published
from sanctum_venice_tools.runtime.venice import _answer

TOOLSET = "audio"
COST = "free"


@_published
@_read_as_meant
def venice_retrieve_music(*, job: str, wait_seconds: int = 60) -> str:
    """Get the music, sound effect or speech of a job from venice_queue_music, as a stored file. Free, also repeated.

    Args:
        job: The whole job string; from an earlier conversation too.
        wait_seconds: How long to wait for one that is not done, 0 to 100.

    Returns:
        JSON: file, type, bytes; or status "processing", seconds_run, usual_seconds, next (when to
            ask again).
    """
    return _answer(**_retrieve("audio", job, wait_seconds))
