"""Read what is said in a video."""

import re

from sanctum_venice_tools.runtime.arguments import _read_as_meant
from sanctum_venice_tools.runtime.media import _media_folder
from sanctum_venice_tools.runtime.reading import _keep
from sanctum_venice_tools.runtime.replies import _object_of, _text_of
from sanctum_venice_tools.runtime.venice import VeniceError, _call

TOOLSET = "video"
COST = "cents"

_YOUTUBE = (
    r"(?i)(?:https?://)?(?:(?:[\w-]+\.)?youtube(?:-nocookie)?\.com/(?:watch\?(?:\S*&)?v=|(?:shorts|live|embed|v)/)"
    r"|youtu\.be/)([\w-]{11})(?:[?&#/]\S*)?"
)


@_read_as_meant
def venice_transcribe_video(*, url: str) -> str:
    """Get what is said in a YouTube video as text, a long one in parts.

    Costs cents; further parts are free, by venice_read_document. For sound files: venice_transcribe_audio.

    Args:
        url: The address of one video.

    Returns:
        JSON: text, part, parts, file (all of the text), language; next, when there is more.
    """
    found = re.fullmatch(_YOUTUBE, url.strip(), re.ASCII)
    if not found:
        raise VeniceError(
            f"{url[:80]!r} is no YouTube video. Give an address such as https://www.youtube.com/watch?v=dQw4w9WgXcQ."
        )
    folder = _media_folder()
    # Each way to write the address holds the same id; this one is the way that Venice documents.
    body = {"url": f"https://www.youtube.com/watch?v={found[1]}"}
    heard, _ = _call("POST", "/video/transcriptions", json=body)
    transcript, language = (_text_of(_object_of(heard).get(name)) for name in ("transcript", "lang"))
    return _keep(folder, transcript, f"youtube {found[1]}", "txt", language=language[:20])
