"""The media store: a folder for what Venice made, from which a media server may get it."""

import base64
import hashlib
import io
import os
import re
import secrets
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, BinaryIO

from sanctum_venice_tools.runtime.formats import _format_of, _jpeg_size, _png_size, _webp_size
from sanctum_venice_tools.runtime.media_server import _check_media_server, _media_server
from sanctum_venice_tools.runtime.replies import _text_of
from sanctum_venice_tools.runtime.venice import VeniceError, _failed

_TRIAL_BYTES = 512 << 10
_DAY = 24 * 60 * 60


def _folder_setting() -> str:
    """The setting that names the folder: with a media server, the one of before."""
    is_folder = bool(os.environ.get("VENICE_MEDIA")) and not _media_server()
    return "VENICE_MEDIA" if is_folder else "VENICE_MEDIA_DIR"


def _media_path() -> Path:
    """Where the folder for files is, or will be."""
    named = os.environ.get(_folder_setting()) or "venice_media"
    try:
        return Path(named).expanduser().absolute()
    except (OSError, RuntimeError):  # ~ of nobody, or the folder that we are in is gone
        advice = f"Ask the operator to check {_folder_setting()}."
        raise VeniceError(f"Nothing was made: {named!r:.300} leads nowhere. {advice}") from None


def _media_place() -> Path:
    """The folder for files; if it is not there, it is made for its owner alone."""
    folder = _media_path()
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        advice = f"Ask the operator to check {_folder_setting()}."
        raise VeniceError(f"Nothing was made: {error}. {advice}") from None
    return folder


def _media_folder() -> Path:
    """The folder for files, with room for one: what can't be kept should fail before it is paid.

    A media server is asked whether it would take one.

    Half a megabyte is really written, for only that meets what stops a file: a full disk, but also
    a quota, which `os.statvfs` does not know. The bytes are random, for some file systems store
    zeros in no room at all.
    """
    if _media_server():
        _check_media_server()
    folder = _media_place()
    try:
        with tempfile.TemporaryFile(dir=folder) as trial:
            trial.write(os.urandom(_TRIAL_BYTES))
            trial.flush()
    except OSError as error:
        advice = f"Ask the operator to check {_folder_setting()}."
        raise VeniceError(f"Nothing was made: {error}. {advice}") from None
    return folder


def _store(folder: Path, content: bytes | str, title: str, look: Any, *told: str) -> dict[str, Any]:
    """Write a file, whole or not at all, and tell of it.

    Args:
        folder: Where to.
        content: What is in it; a text is base64.
        title: What its name begins with.
        look: Tells the ending of its name, and some numbers; ValueError, if it is not whole.
        told: What these numbers are called.
    """
    try:
        if isinstance(content, str):
            padding = "=="  # more than enough does no harm
            content = base64.b64decode(content + padding)
        ending, *numbers = look(content)
    except ValueError:
        told_of = "Venice sent no whole file of this kind; it may be charged"
        raise VeniceError(f"{told_of}. Tell the person.") from None

    stem = _stem_of(title[:40]) or "file"
    mark = hashlib.sha256(content).hexdigest()[:10]
    path = folder / f"{stem}-{mark}.{ending}"
    with _part_file(folder, advice="Tell the operator.") as part:
        part.write(content)
        _put_in_place(part, path)
    file = {"file": str(path), "type": f"image/{ending}", "bytes": len(content)}
    return {**file, **dict(zip(told, numbers, strict=True))}


def _store_text(folder: Path, text: str, title: str, kind: str) -> tuple[dict[str, Any], str]:
    """Write a text as a file of that kind, and tell of it; if it can't be kept, only tell why.

    That is no error: the text may be paid, and the caller has it to show.
    """
    try:
        file = _store(folder, text.encode(errors="replace"), title, lambda _: [kind])
    except VeniceError as error:
        return {}, str(error)[:300]
    return {**file, "type": "text/plain"}, ""


# What stands between the words of a title.
_NO_LETTERS = re.compile(r"[^a-z0-9]+")


def _stem_of(title: str) -> str:
    """A title in the letters and digits that a file's name may have anywhere."""
    return _NO_LETTERS.sub("-", title.lower()).strip("-")


def _store_pictures(
    folder: Path, pictures: list[Any], title: str
) -> tuple[list[dict[str, Any]], list[str]]:
    """Write those pictures (in base64) that came whole, and say what is wrong with each other one.

    It is an error, if none can be kept.
    """
    files = []
    faults = []
    for picture in pictures:
        encoded = _text_of(picture)
        try:
            file = _store(folder, encoded, title, _picture_size, "width", "height")
        except VeniceError as error:
            faults.append(str(error))
        else:
            files.append(file)
    if not files:
        raise VeniceError(faults[-1])
    return files, faults


def _store_job(place: Path, pieces: Iterable[bytes], ending_of: Callable[[BinaryIO], str]) -> Path:
    """Write what a job made, piece by piece, whole or not at all.

    Its content decides on the ending of its name.
    """
    advice = "Asking again is free, when the operator has made room."
    with _part_file(place.parent, advice=advice) as part:
        part.writelines(pieces)
        part.flush()
        part.seek(0)
        try:
            ending = ending_of(part)
        except ValueError:
            told = "Venice sent no whole sound or film"
            raise _failed(f"{told}. If it does so again, tell the person.", 0) from None
        path = place.with_suffix(f".{ending}")
        _put_in_place(part, path)
    return path


@contextmanager
def _part_file(folder: Path, *, advice: str) -> Iterator[BinaryIO]:
    """A new file, to be put in place when it is whole; else nothing of it stays.

    Its name is hidden, so that no tool takes it for a stored file, and random: several machines may
    share a folder. It is for those who may read and write the folder: by that the operator says who
    else may see what is made. The folder may have been removed while the file was made, and paid.
    """
    part = folder / f".{secrets.token_hex(8)}.part"
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        _sweep(folder)
        with part.open("x+b") as file:
            with suppress(OSError):  # CIFS and FUSE may refuse it: there the mount settles modes
                os.fchmod(file.fileno(), folder.stat().st_mode & 0o666)
            yield file
    except OSError as error:
        raise VeniceError(f"The file was made, but not kept: {error}. {advice}") from None
    finally:
        with suppress(OSError):  # it has its name by now, or the folder can't be got at
            part.unlink()


def _put_in_place(part: BinaryIO, path: Path) -> None:
    """Give a whole part file its name.

    A crash does no harm: its content is on the disk before that.
    """
    part.flush()
    os.fsync(part.fileno())
    Path(part.name).replace(path)
    _sync_folder(path.parent)


def _sync_folder(folder: Path) -> None:
    """Write through to the disk which files a folder has."""
    with suppress(OSError):  # not every file system can do this, and the files are there
        number = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(number)
        finally:
            os.close(number)


def _sweep(folder: Path) -> None:
    """Take away the part files of processes that were killed: those that are a day old."""
    a_day_ago = time.time() - _DAY
    for part in folder.glob(".*.part"):
        with suppress(OSError):  # another process may be faster
            if part.stat().st_mtime < a_day_ago:
                part.unlink()


_PICTURES = {"PNG": _png_size, "JPEG": _jpeg_size, "WebP": _webp_size}


def _picture_size(data: bytes) -> tuple[str, int, int]:
    """Format, width and height of a whole picture, from its own bytes and nothing else."""
    form = _format_of(data[:100])
    if not form or form.name not in _PICTURES:
        raise ValueError("This is no picture.")
    width, height = _PICTURES[form.name](io.BytesIO(data))
    if width == 0 or height == 0:
        raise ValueError("This picture has no size.")
    return form.endings[0], width, height
