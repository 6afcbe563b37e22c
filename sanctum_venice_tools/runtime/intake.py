"""Media that a caller hands in: a public URL, a data URL, or the name of a file in the media store."""

import base64
import difflib
import mimetypes
import re
import time
from pathlib import Path
from urllib.parse import urlsplit

from sanctum_venice_tools.runtime.formats import _untaken
from sanctum_venice_tools.runtime.media import _media_place, _picture_size
from sanctum_venice_tools.runtime.public import _open_public
from sanctum_venice_tools.runtime.unpacking import _unpacked
from sanctum_venice_tools.runtime.venice import _DEADLINE, VeniceError


def _check_picture(reference: str, content: bytes, *, least: int, most: int) -> tuple[str, int, int]:
    """A picture in base64, its width and its height, if it has so many pixels."""
    try:
        _, width, height = _picture_size(content)
    except ValueError:
        advice = _untaken(content[:100], reference) or "Give another."
        raise VeniceError(f"{reference[:60]!r} is no whole PNG, JPEG or WebP picture. {advice}") from None
    if not least <= width * height <= most:
        size = f"{width}x{height} = {width * height:,} pixels"
        raise VeniceError(f"{reference[:60]!r} has {size}; {least:,} to {most:,} are allowed. Give another.")
    return base64.b64encode(content).decode(), width, height


def _read_media(reference: str, *, most_mb: int) -> bytes:
    """The content behind a URL, a data URL or a stored file's name, of at most so many megabytes."""
    if re.match(r"(?i)https?://", reference):
        return _fetch(reference, most_mb)
    return _read_local(reference, most_mb=most_mb)


def _read_upload(reference: str, *, most_mb: int) -> tuple[str, bytes]:
    """A file to upload: the name that it goes by, and its content."""
    content = _read_media(reference, most_mb=most_mb)
    if reference[:5].lower() == "data:":
        kind = re.split("[:;,]", reference[:100])[1].lower()
        return f"file{mimetypes.guess_extension(kind, strict=False) or ''}", content
    path = urlsplit(reference).path if re.match(r"(?i)https?://", reference) else reference
    return Path(path).name[-100:] or "file", content


def _read_local(reference: str, *, most_mb: int) -> bytes:
    """The content of a data URL or a stored file, of at most so many megabytes."""
    try:
        if reference[:5].lower() == "data:":
            content = base64.b64decode(reference.partition(",")[2], validate=True)
            _check_length(reference, len(content), most_mb)
            return content
        return _read_stored(reference, most_mb)
    except (OSError, ValueError):
        raise VeniceError(f"{reference[:60]!r} cannot be read, or is not valid base64. Give another.") from None


def _read_stored(name: str, most_mb: int) -> bytes:
    """The content of a stored file. Its size is asked first: a film may have more than there is memory."""
    path = _stored_file(name)
    _check_length(name, path.stat().st_size, most_mb)
    with path.open("rb") as file:
        return file.read(most_mb << 20)


def _check_length(reference: str, length: int, most_mb: int) -> None:
    """Refuse what is empty, or has more than so many megabytes."""
    if not 0 < length <= most_mb << 20:
        raise VeniceError(f"{reference[:60]!r} is empty, or has more than {most_mb} MB. Give another.")


def _stored_file(name: str) -> Path:
    """A file of the media store by its name or path; nothing outside of it is ever opened, and nothing hidden."""
    folder = _media_place().resolve()
    try:
        path = (folder / name).resolve()
        inside = path.relative_to(folder).parts
        if path.is_file() and not any(part.startswith(".") for part in inside):
            return _without_second_name(path)
    except (OSError, ValueError, RuntimeError):  # outside, too long, a null character, a circle of links
        pass
    names = sorted(entry.name for entry in folder.iterdir() if entry.is_file() and not entry.name.startswith("."))
    near = difflib.get_close_matches(Path(name).name[:200], names, n=3, cutoff=0.5)
    raise VeniceError(f"No stored file is called {name[:80]!r}. Near it: {', '.join(near) or 'none'}. URLs work too.")


def _without_second_name(path: Path) -> Path:
    """A stored file, if it has no other name: a hard link may lead to a file of the operator's, such as a key."""
    if path.stat().st_nlink > 1:
        why = "It has a second name on the disk (a hard link), perhaps outside of the media store"
        raise VeniceError(f"{path.name[:80]!r} is not opened. {why}: ask the operator for a copy.")
    return path


def _fetch(url: str, most_mb: int) -> bytes:
    """What lies at a public URL, if it comes in time and is not too large."""
    content = bytearray()
    with _open_public(url) as reply:
        for chunk in _unpacked(reply):
            content += chunk
            if time.monotonic() > _DEADLINE - 30:
                raise VeniceError(f"{url[:80]!r} took too long. Try again, or give another.")
            if len(content) > most_mb << 20:
                raise VeniceError(f"{url[:80]!r} has more than {most_mb} MB. Give another.")
    return bytes(content)
