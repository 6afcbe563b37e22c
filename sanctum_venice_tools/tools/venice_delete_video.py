"""Delete what Venice keeps of a job."""

from sanctum_venice_tools.runtime.arguments import _read_as_meant
from sanctum_venice_tools.runtime.jobs import _delete
from sanctum_venice_tools.runtime.venice import _answer

TOOLSET = "video"
COST = "free"


@_read_as_meant
def venice_delete_video(*, job: str, even_if_not_stored: bool = False) -> str:
    """Delete Venice's copy of a finished film, or of music; the stored file stays. For privacy; it can't be undone.

    Args:
        job: The whole job string, of a film or of music.
        even_if_not_stored: True deletes what was never retrieved too: it is lost then. Only when
            the person says so.

    Returns:
        JSON: deleted (true or false), copy (what became of Venice's), file (the stored one), next.
    """
    return _answer(**_delete(job, even_if_not_stored=even_if_not_stored))
