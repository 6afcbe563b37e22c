"""The media store: a folder of the operator's into which tools write what Venice made."""

import base64
import hashlib
import os
import re
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from sanctum_venice_tools.runtime.venice import VeniceError


def _media_folder() -> Path:
    """The folder for files, tried out: what can't be kept should fail before it is paid."""
    folder = Path(os.environ.get("VENICE_MEDIA_DIR") or "venice_media").expanduser().absolute()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=folder).close()
    except OSError as error:
        raise VeniceError(f"Nothing was made: {error}. Ask the operator to check VENICE_MEDIA_DIR.") from None
    return folder


def _store(folder: Path, content: bytes | str, title: str, look: Any, *told: str) -> dict[str, Any]:
    """Write a file (a text is base64), whole or not at all; `look` names its kind, and the numbers `told` of it."""
    try:
        content = content if isinstance(content, bytes) else base64.b64decode(content + "==")
        kind, *numbers = look(content)
    except ValueError:
        raise VeniceError("Venice sent no whole file of this kind; it may be charged. Tell the person.") from None
    stem = re.sub(r"[^a-z0-9]+", "-", title[:40].lower()).strip("-") or "file"
    path = folder / f"{stem}-{hashlib.sha256(content).hexdigest()[:10]}.{kind}"
    _write(path, [content])
    return {"file": str(path), "type": f"image/{kind}", "bytes": len(content), **dict(zip(told, numbers, strict=True))}


def _write(path: Path, pieces: Iterable[bytes]) -> None:
    """Write a file, piece by piece, whole or not at all."""
    part = path.with_suffix(f".{os.getpid()}.part")
    try:
        with part.open("wb") as file:
            file.writelines(pieces)
        part.replace(path)
    except OSError as error:
        raise VeniceError(f"The file was made, but not kept: {error}. Tell the operator.") from None
    finally:
        part.unlink(missing_ok=True)


def _picture_size(data: bytes) -> tuple[str, int, int]:
    """Format, width and height of a whole picture, from its own bytes and nothing else."""
    if data.startswith(b"\x89PNG\r\n\x1a\n") and b"IEND\xaeB`\x82" in data:
        return "png", int.from_bytes(data[16:20]), int.from_bytes(data[20:24])
    webp = data[8:16] if len(data) > int.from_bytes(data[4:8], "little") + 6 else b""
    if webp == b"WEBPVP8X":
        return "webp", int.from_bytes(data[24:27], "little") + 1, int.from_bytes(data[27:30], "little") + 1
    if webp == b"WEBPVP8 ":
        return "webp", int.from_bytes(data[26:28], "little") & 0x3FFF, int.from_bytes(data[28:30], "little") & 0x3FFF
    if webp == b"WEBPVP8L":
        sides = int.from_bytes(data[21:25], "little")
        return "webp", (sides & 0x3FFF) + 1, (sides >> 14 & 0x3FFF) + 1
    # A JPEG is a chain of segments: FF, kind, two bytes of length. Kinds C0 to C3 hold height and width.
    place = 2 if data.startswith(b"\xff\xd8\xff") else len(data)
    while place + 9 <= len(data):
        if 0xC0 <= data[place + 1] <= 0xC3 and b"\xff\xd9" in data[place:]:
            return "jpeg", int.from_bytes(data[place + 7 : place + 9]), int.from_bytes(data[place + 5 : place + 7])
        place += 2 + int.from_bytes(data[place + 2 : place + 4])
    raise ValueError("no whole picture")
