"""Recordings that a caller hands in, under a name that tells their kind."""

from collections.abc import Collection

from sanctum_venice_tools.runtime.formats import _format_of, _media_type
from sanctum_venice_tools.runtime.intake import _read_upload
from sanctum_venice_tools.runtime.venice import VeniceError


def _read_recording(reference: str, kinds: Collection[str]) -> tuple[str, bytes, str]:
    """A recording of at most 25 MB, as a part of a form: name, content, type.

    Its first bytes tell whether it is of one of these kinds, whatever its name says; the name
    counts only where they tell nothing.
    """
    name, content = _read_upload(reference.strip(), most_mb=25)
    _, _, named = name.lower().rpartition(".")
    form = _format_of(content)
    endings = form.endings if form else (named,)

    taken = [ending for ending in endings if ending in kinds]
    if not taken:
        told = f"{reference[:60]!r} is no recording of these kinds: {', '.join(kinds)}"
        raise VeniceError(f"{told}. Give another.")
    ending = named if named in taken else taken[0]

    # Of a film, only the sound is wanted.
    media_type = _media_type(ending).replace("video/", "audio/")
    return f"recording.{ending}", content, media_type
