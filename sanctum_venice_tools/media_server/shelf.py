"""Where the bytes of files lie: here, in a folder; or in a bucket (bucket.py)."""

import hashlib
import os
import secrets
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path
from typing import Any, BinaryIO, Protocol

from starlette.concurrency import run_in_threadpool

from sanctum_venice_tools.media_server.index import StoredFile

_DAY = 24 * 60 * 60

_TRIAL_BYTES = 512 << 10


class UploadError(Exception):
    """Bytes that came are not those that were declared; one line that says why."""


class Shelf(Protocol):
    """Where the bytes of files lie."""

    origin: str
    """Where browsers fetch files from, if that is not this server; else nothing."""

    def way_in(self, file: StoredFile) -> dict[str, Any]:
        """Where the bytes of a file go (`upload`), and what to say with them (`upload_headers`)."""

    def way_out(self, file: StoredFile, media_type: str, disposition: str) -> str:
        """Where bytes of a file can be fetched for a while; nothing, if this server gives them."""

    def check_room(self) -> None:
        """Raise OSError where no file could be kept, as far as that can be known."""

    def has(self, file: StoredFile) -> bool:
        """Whether the bytes of a file are there: all of them, and no others."""

    def is_gone(self, file: StoredFile) -> bool:
        """Whether the bytes of a whole file were taken away behind the server's back, for sure."""

    def read_start(self, file_id: str, count: int) -> bytes:
        """The first bytes of a file.

        Raises:
            FileNotFoundError: It is not there.
        """

    def remove(self, file_id: str) -> None:
        """Take a file away; that it is gone already is well."""

    def sweep(self) -> None:
        """Take away what is left of uploads that broke off, once it is a day old."""


class FolderShelf:
    """A folder of files, each under its id, whole or not there."""

    origin = ""

    def __init__(self, folder: Path) -> None:
        self._folder = folder / "files"
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)

    def way_in(self, file: StoredFile) -> dict[str, Any]:
        """This server itself."""
        return {"upload": f"/files/{file.id}/content"}

    def way_out(self, file: StoredFile, media_type: str, disposition: str) -> str:  # noqa: ARG002  # as Shelf has it
        """This server itself."""
        return ""

    def path(self, file_id: str) -> Path:
        """Where a file lies."""
        return self._folder / file_id

    async def put(
        self, file_id: str, pieces: AsyncIterator[bytes], length: int, sha256: str
    ) -> None:
        """Write a file as it comes; it is there when it is whole, and until then nothing is.

        Raises:
            UploadError: It is not the file that was declared.
            OSError: It can't be written.
        """
        part = self._folder / f".{secrets.token_hex(8)}.part"
        digest = hashlib.sha256()
        came = 0
        try:
            with part.open("xb") as file:
                async for piece in pieces:
                    came += len(piece)
                    if came > length:
                        raise UploadError(f"more than the {length:,} bytes that were declared came")
                    await run_in_threadpool(_write, file, digest, piece)
                if came < length or digest.hexdigest() != sha256:
                    raise UploadError(
                        f"of the {length:,} bytes that were declared, {came:,} came or are others"
                    )
                await run_in_threadpool(_put_in_place, file, self.path(file_id))
        finally:
            part.unlink(missing_ok=True)

    def check_room(self) -> None:
        """Raise OSError where no half a megabyte can be kept: it is really written, as tools do.

        Only that meets what stops a file: a full disk, but also a quota of the file system's.
        """
        with tempfile.TemporaryFile(dir=self._folder) as trial:
            trial.write(os.urandom(_TRIAL_BYTES))
            trial.flush()

    def has(self, file: StoredFile) -> bool:
        """Whether a file is there: what was put in place was counted and compared on its way."""
        path = self.path(file.id)
        return path.is_file() and path.stat().st_size == file.bytes

    def is_gone(self, file: StoredFile) -> bool:
        """Whether a file was taken out of the folder."""
        return not self.path(file.id).exists()

    def read_start(self, file_id: str, count: int) -> bytes:
        """The first bytes of a file."""
        with self.path(file_id).open("rb") as file:
            return file.read(count)

    def remove(self, file_id: str) -> None:
        """Take a file away; that it is gone already is well."""
        self.path(file_id).unlink(missing_ok=True)

    def sweep(self) -> None:
        """Take away the parts of uploads that broke off: those that are a day old."""
        a_day_ago = time.time() - _DAY
        for part in self._folder.glob(".*.part"):
            with suppress(OSError):
                if part.stat().st_mtime < a_day_ago:
                    part.unlink()


def _write(file: BinaryIO, digest: "hashlib._Hash", piece: bytes) -> None:
    """Write a piece, and count it in."""
    digest.update(piece)
    file.write(piece)


def _put_in_place(file: BinaryIO, path: Path) -> None:
    """Give a file that is whole its name, once all of it is on the disk."""
    file.flush()
    os.fsync(file.fileno())
    file.close()
    Path(file.name).replace(path)
    _sync_folder(path.parent)


def _sync_folder(folder: Path) -> None:
    """Write through to the disk which files a folder has."""
    with suppress(OSError):
        number = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(number)
        finally:
            os.close(number)
