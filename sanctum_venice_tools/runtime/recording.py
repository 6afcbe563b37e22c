"""Recordings that a caller hands in, under a name that tells their kind."""

import re
from collections.abc import Collection

from sanctum_venice_tools.runtime.intake import _read_upload
from sanctum_venice_tools.runtime.venice import VeniceError

# The endings of the names of sound files, and how such a file begins.
_STARTS = {
    "wav wave": rb"RIFF....WAVE",
    "mp3": rb"ID3|\xff[\xe2\xe3\xf2\xf3\xfa\xfb]",
    "m4a mp4": rb"....ftyp",
    "flac": rb"fLaC",
    "ogg oga": rb"OggS",
    "webm": rb"\x1aE\xdf\xa3.{,60}webm",
    "aac": rb"\xff[\xf0\xf1\xf8\xf9]",
}


def _read_recording(reference: str, kinds: Collection[str]) -> tuple[str, bytes, str]:
    """A recording of one of these kinds, of at most 25 MB, as a part of a form: name, content, type.

    Its first bytes tell what it is, whatever its name says; the name counts only where they tell nothing.
    """
    name, content = _read_upload(reference, most_mb=25)
    ending = name.rpartition(".")[2].lower()
    known = [names.split() for names, start in _STARTS.items() if re.match(start, content, re.DOTALL)]
    endings = known[0] if known else [ending]
    for kind in sorted(endings, key=lambda one: one != ending):
        if kind in kinds:
            types = {"mp3": "mpeg", "wave": "wav", "m4a": "mp4", "oga": "ogg"}
            return f"recording.{kind}", content, f"audio/{types.get(kind, kind)}"
    raise VeniceError(f"{reference[:60]!r} is no recording of these kinds: {', '.join(kinds)}. Give another.")
