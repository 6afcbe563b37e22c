"""Media that a caller hands in: a public URL, a data URL, a stored file, or what was attached."""

import base64
import difflib
import time
import unicodedata
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

from sanctum_venice_tools.runtime.attached import _is_attached, _read_attached
from sanctum_venice_tools.runtime.formats import _format_of, _untaken
from sanctum_venice_tools.runtime.media import _media_place, _picture_size
from sanctum_venice_tools.runtime.media_server import _is_on_media_server
from sanctum_venice_tools.runtime.public import _open_public
from sanctum_venice_tools.runtime.publishing import _take_published
from sanctum_venice_tools.runtime.unpacking import _unpacked
from sanctum_venice_tools.runtime.venice import _DEADLINE, _MEGABYTE, VeniceError

# As long as the name may be that a file goes by.
_LONGEST_NAME = 100

# What is left of a call's time for Venice, when a file is fetched first.
_SECONDS_FOR_VENICE = 30


# Pictures that Venice takes, and that are not measured here.
_UNMEASURED = ("HEIC", "AVIF")


class _Picture(NamedTuple):
    """A picture as it is sent."""

    in_base64: str
    media_type: str
    width: int
    height: int


def _check_picture(reference: str, content: bytes, *, least: int, most: int) -> _Picture:
    """A picture to be sent, if it is whole, and has so many pixels."""
    try:
        kind, width, height = _picture_size(content)
    except ValueError:
        if _is_unmeasured(content):
            what = f"{reference[:60]!r} is HEIC or AVIF, which can't be measured here"
            raise VeniceError(f"{what}. Turn it into JPEG, and give that.") from None
        advice = _untaken(content, reference) or "Give another."
        what = f"{reference[:60]!r} is no whole PNG, JPEG or WebP picture"
        raise VeniceError(f"{what}. {advice}") from None

    pixels = width * height
    if not least <= pixels <= most:
        what = f"{reference[:60]!r} has {width}x{height} = {pixels:,} pixels"
        raise VeniceError(f"{what}; {least:,} to {most:,} are allowed. Give another.")
    encoded = base64.b64encode(content).decode()
    return _Picture(encoded, f"image/{kind}", width, height)


def _is_unmeasured(content: bytes) -> bool:
    """Whether a picture is of a kind that Venice takes, and that is not measured here."""
    form = _format_of(content[:100])
    return form is not None and form.name in _UNMEASURED


# --- what a reference stands for ---


def _is_web_url(reference: str) -> bool:
    """Whether a reference is a web address that is not the media server's: https://example.com/fox.png."""
    is_url = reference.lower().startswith(("http://", "https://"))
    return is_url and not _is_on_media_server(reference)


def _is_data_url(reference: str) -> bool:
    """Whether a reference is itself the file: data:image/png;base64,iVBORw0..."""
    return reference[:5].lower() == "data:"


def _read_media(reference: str, *, most_mb: int) -> bytes:
    """The content behind a URL, a data URL or a stored file's name, of at most so many MB."""
    if _is_web_url(reference):
        return _fetch(reference, most_mb)
    return _read_local(reference, most_mb=most_mb)


def _read_upload(reference: str, *, most_mb: int) -> tuple[str, bytes]:
    """A file to upload: the name that it goes by, and its content."""
    content = _read_media(reference, most_mb=most_mb)
    return _name_of(reference), content


def _name_of(reference: str) -> str:
    """The name that a file goes by; "file", if it has none."""
    if _is_data_url(reference):
        return "file"
    path = urlsplit(reference).path if _is_web_url(reference) else reference
    name = Path(path).name[-_LONGEST_NAME:]
    return name or "file"


def _read_local(reference: str, *, most_mb: int) -> bytes:
    """The content of a data URL, of what was attached, or of a stored file: at most so many MB."""
    try:
        if _is_attached(reference):
            content = _read_attached(reference)
        elif _is_data_url(reference):
            _, _, encoded = reference.partition(",")
            content = base64.b64decode(encoded, validate=True)
        else:
            return _read_stored(reference, most_mb)
    except (OSError, ValueError):
        fault = f"{reference[:60]!r} cannot be read, or is not valid base64"
        raise VeniceError(f"{fault}. Give another.") from None
    _check_length(reference, len(content), most_mb)
    return content


def _check_length(reference: str, length: int, most_mb: int) -> None:
    """Refuse what is empty, or has more than so many megabytes."""
    if not 0 < length <= most_mb * _MEGABYTE:
        raise VeniceError(
            f"{reference[:60]!r} is empty, or has more than {most_mb} MB. Give another."
        )


# --- stored files ---


def _read_stored(name: str, most_mb: int) -> bytes:
    """The content of a stored file.

    Its size is asked first: a film may be larger than the memory.
    """
    path = _stored_file(name)
    _check_length(name, path.stat().st_size, most_mb)
    with path.open("rb") as file:
        return file.read(most_mb * _MEGABYTE)


def _stored_file(name: str) -> Path:
    """A file of the media store by its name or path, or by its address on the media server.

    Nothing outside of the store is ever opened, and nothing hidden.
    """
    folder = _media_place().resolve()
    path = _path_inside(folder, name) or _path_inside(folder, _as_spelled(name, folder))
    if path:
        return _without_second_name(path)
    taken = _take_published(folder, name=Path(name).name)
    if taken:
        return taken
    near = ", ".join(_names_near(name, folder)) or "none"
    raise VeniceError(f"No stored file is called {name[:80]!r}. Near it: {near}. URLs work too.")


def _path_inside(folder: Path, name: str) -> Path | None:
    """The file of that name or path in a folder, if it is there, and nothing of it is hidden."""
    # It may be outside, too long, have a null character, or be a circle of links.
    with suppress(OSError, ValueError, RuntimeError):
        path = (folder / name).resolve()
        inside = path.relative_to(folder).parts
        is_hidden = any(part.startswith(".") for part in inside)
        if path.is_file() and not is_hidden:
            return path
    return None


def _as_spelled(name: str, folder: Path) -> str:
    """A name as a file of the folder spells it: Macs write an ö as an o and two dots."""
    wanted = unicodedata.normalize("NFC", str(folder / name))
    for entry in folder.iterdir():
        if unicodedata.normalize("NFC", str(entry)) == wanted:
            return entry.name
    return name


def _names_near(name: str, folder: Path) -> list[str]:
    """The names of stored files that are most like one."""
    files = [entry for entry in folder.iterdir() if entry.is_file()]
    names = sorted(file.name for file in files)
    shown = [name for name in names if not name.startswith(".")]
    wanted = Path(name).name[:200]
    return difflib.get_close_matches(wanted, shown, n=3, cutoff=0.5)


def _without_second_name(path: Path) -> Path:
    """A stored file, if it has no other name: a hard link may lead to a key of the operator's."""
    if path.stat().st_nlink > 1:
        why = "It has a second name on the disk (a hard link), perhaps outside of the media store"
        raise VeniceError(f"{path.name[:80]!r} is not opened. {why}: ask the operator for a copy.")
    return path


# --- files of the web ---


def _fetch(url: str, most_mb: int) -> bytes:
    """What lies at a public URL, if it comes in time and is not too large."""
    content = bytearray()
    with _open_public(url) as reply:
        for chunk in _unpacked(reply):
            content += chunk
            if time.monotonic() > _DEADLINE - _SECONDS_FOR_VENICE:
                raise VeniceError(f"{url[:80]!r} took too long. Try again, or give another.")
            if len(content) > most_mb * _MEGABYTE:
                raise VeniceError(f"{url[:80]!r} has more than {most_mb} MB. Give another.")
    return bytes(content)
