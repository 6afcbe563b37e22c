"""The media store: a folder of the operator's into which tools write what Venice made."""

import base64
import hashlib
import os
import re
import struct
import tempfile
from pathlib import Path
from typing import Any

from sanctum_venice_tools.runtime.venice import VeniceError


def _media_folder() -> Path:
    """The folder for files, tried out: what can't be kept should fail before it is paid."""
    folder = Path(os.environ.get("VENICE_MEDIA_DIR") or "venice_media").expanduser().absolute()
    folder.mkdir(parents=True, exist_ok=True)
    tempfile.TemporaryFile(dir=folder).close()
    return folder


def _store_picture(folder: Path, encoded: str, title: str) -> dict[str, Any]:
    """Write a base64 picture, whole or not at all, under a name made of its title and its content."""
    content = base64.b64decode(encoded + "==")
    kind, width, height = _picture_size(content)
    stem = re.sub(r"[^a-z0-9]+", "-", title[:60].lower()).strip("-") or "picture"
    path = folder / f"{stem}-{hashlib.sha256(content).hexdigest()[:10]}.{kind}"
    part = path.with_suffix(f".{os.getpid()}.part")
    part.write_bytes(content)
    part.replace(path)
    return {"file": str(path), "type": f"image/{kind}", "bytes": len(content), "width": width, "height": height}


def _picture_size(content: bytes) -> tuple[str, int, int]:
    """Format, width and height of a picture, from its own bytes and nothing else."""
    if content.startswith(b"\x89PNG\r\n\x1a\n"):
        return "png", int.from_bytes(content[16:20]), int.from_bytes(content[20:24])
    if content[8:16] == b"WEBPVP8X":
        return "webp", int.from_bytes(content[24:27], "little") + 1, int.from_bytes(content[27:30], "little") + 1
    if content[8:16] == b"WEBPVP8 ":
        width, height = struct.unpack("<HH", content[26:30])
        return "webp", width & 0x3FFF, height & 0x3FFF
    if content[8:16] == b"WEBPVP8L":
        sides = int.from_bytes(content[21:25], "little")
        return "webp", (sides & 0x3FFF) + 1, (sides >> 14 & 0x3FFF) + 1
    # A JPEG is a chain of segments: FF, kind, two bytes of length. Kinds C0 to C3 hold height and width.
    place = 2 if content.startswith(b"\xff\xd8\xff") else len(content)
    while place + 9 <= len(content):
        if 0xC0 <= content[place + 1] <= 0xC3:
            height, width = struct.unpack(">HH", content[place + 5 : place + 9])
            return "jpeg", width, height
        place += 2 + int.from_bytes(content[place + 2 : place + 4])
    raise VeniceError("Venice sent something that is no picture; it may have been charged. Tell the person.")
