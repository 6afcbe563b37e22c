"""The media store: a file is in it whole or not at all, and a half one is nobody's to see."""

import hashlib
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest

from tests.conftest import kept_in, space_of
from tests.samples import FILM, whole_files
from tests.tools.test_venice_read_document import small_disk

Space = dict[str, Any]


@pytest.fixture
def space(texts: dict[str, str]) -> Space:
    """The globals of an emitted text that stores pictures and reads stored ones."""
    return space_of("venice_edit_image", texts)


@pytest.fixture
def jobs(texts: dict[str, str]) -> Space:
    """The globals of an emitted text that stores what jobs made."""
    return space_of("venice_retrieve_video", texts)


def store(space: Space, folder: Path, content: bytes) -> Path:
    """Store a picture; its file."""
    return Path(
        space["_store"](folder, content, "A fox", space["_picture_size"], "width", "height")["file"]
    )


def test_a_file_is_named_by_its_title_and_content(space: Space, media: Path) -> None:
    """The same picture is the same file."""
    content = whole_files()["png"]
    file = store(space, media, content)

    assert f"a-fox-{hashlib.sha256(content).hexdigest()[:10]}.png" == file.name
    assert file == store(space, media, content)
    assert content == file.read_bytes()


@pytest.mark.parametrize(
    ("folder", "file"), [(0o700, 0o600), (0o750, 0o640), (0o777, 0o666), (0o2770, 0o660)]
)
def test_a_file_is_as_open_as_its_folder(space: Space, media: Path, folder: int, file: int) -> None:
    """The operator decides by the folder's mode who else may see what is made."""
    media.chmod(folder)

    assert file == store(space, media, whole_files()["png"]).stat().st_mode & 0o7777


def test_a_file_is_kept_where_modes_can_not_be_set(
    space: Space, media: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Some file systems refuse that (CIFS, FUSE, a Windows disk): who sees a file there is settled by the mount."""
    monkeypatch.setattr(os, "fchmod", Mock(side_effect=PermissionError(1, "not permitted")))
    content = whole_files()["png"]

    assert content == store(space, media, content).read_bytes()


def test_a_file_is_kept_though_its_folder_was_removed(space: Space, media: Path) -> None:
    """Who clears the folder away while something paid is made loses what was there, and not what comes."""
    media.rmdir()
    content = whole_files()["png"]

    assert content == store(space, media, content).read_bytes()
    assert 0o700 == media.stat().st_mode & 0o777


def test_a_folder_is_made_for_its_owner_alone(
    space: Space, media: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where there is no media folder yet, the one that is made is closed to others."""
    monkeypatch.setenv("VENICE_MEDIA_DIR", str(media / "new"))

    assert 0o700 == space["_media_folder"]().stat().st_mode & 0o777


@pytest.mark.parametrize("named", ["~nobody-here/media", "media"])
def test_a_folder_that_leads_nowhere_is_refused(
    space: Space, named: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A home directory of nobody, or a folder within one that is gone, is told as any other that is unusable."""
    (tmp_path / "gone").mkdir()
    monkeypatch.chdir(tmp_path / "gone")
    (tmp_path / "gone").rmdir()
    monkeypatch.setenv("VENICE_MEDIA_DIR", named)

    with pytest.raises(space["VeniceError"], match=rf"^Nothing was made: .*{named}.* VENICE_MEDIA"):
        space["_media_folder"]()


def test_a_half_written_file_is_hidden_and_random(jobs: Space, media: Path) -> None:
    """While it comes, no tool sees it, and no two processes write to one."""
    seen = list[str]()

    def pieces() -> Iterator[bytes]:
        yield FILM[:50]
        seen.extend(path.name for path in kept_in(media))
        yield FILM[50:]

    for name in ("one", "two"):
        assert media / f"{name}.mp4" == jobs["_store_job"](
            media / name, pieces(), jobs["_recording_ending"]
        )
    parts = [name for name in seen if name.endswith(".part")]
    assert 2 == len(set(parts))
    assert all(name.startswith(".") and str(os.getpid()) not in name for name in parts)
    assert {"one.mp4", "two.mp4"} == {path.name for path in kept_in(media)}


def test_old_parts_are_swept(space: Space, media: Path) -> None:
    """What a killed process left goes when it is a day old; what is being written stays, and all else."""
    day, minute = 86_400, 60
    ages = {
        ".old.part": day + minute,
        ".new.part": day - minute,
        ".private": day + minute,
        "old.part": day + minute,
    }
    for name, age in ages.items():
        (media / name).touch()
        then = time.time() - age
        os.utime(media / name, (then, then))
    file = store(space, media, whole_files()["png"])

    assert {".new.part", ".private", "old.part", file.name} == {
        path.name for path in kept_in(media)
    }


def test_the_content_is_on_the_disk_before_the_name(
    space: Space, media: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a crash there is no file of that name, or a whole one: content, then name, then folder."""
    order = list[str]()
    sync, replace = os.fsync, Path.replace

    def note_sync(number: int) -> None:
        order.append("folder" if Path(f"/proc/self/fd/{number}").resolve() == media else "content")
        sync(number)

    def note_replace(path: Path, target: Path) -> Path:
        order.append("name")
        assert whole_files()["png"] == path.read_bytes()
        return replace(path, target)

    monkeypatch.setattr(os, "fsync", note_sync)
    monkeypatch.setattr(Path, "replace", note_replace)
    store(space, media, whole_files()["png"])

    assert ["content", "name", "folder"] == order


def test_a_file_that_does_not_fit_leaves_nothing(space: Space, jobs: Space, media: Path) -> None:
    """The error says that it was made, and for a job that asking again is free."""
    with small_disk(100):
        with pytest.raises(
            space["VeniceError"], match=r"^The file was made, but not kept: .* Tell the operator\.$"
        ):
            store(space, media, whole_files()["png"])
        with pytest.raises(
            jobs["VeniceError"], match="Asking again is free, when the operator has made room"
        ):
            jobs["_store_job"](media / "film", iter([FILM]), jobs["_recording_ending"])
    assert [] == kept_in(media)


def test_a_folder_that_became_a_file_has_the_usual_error(jobs: Space, media: Path) -> None:
    """The part file can't be taken away then, and the error still says why nothing was kept."""

    def pieces() -> Iterator[bytes]:
        yield FILM[:50]
        shutil.rmtree(media)
        media.touch()
        yield FILM[50:]

    with pytest.raises(jobs["VeniceError"], match=r"^The file was made, but not kept: .*free"):
        jobs["_store_job"](media / "film", pieces(), jobs["_recording_ending"])


def test_a_full_disk_is_met_before_anything_is_paid(space: Space, media: Path) -> None:
    """The folder is tried out with half a megabyte, of which nothing stays."""
    with (
        small_disk(400_000),
        pytest.raises(space["VeniceError"], match=r"^Nothing was made: .* VENICE_MEDIA_DIR\.$"),
    ):
        space["_media_folder"]()
    with small_disk(600_000):
        assert media == space["_media_folder"]()
    assert [] == kept_in(media)


def test_stored_files_can_be_read_from_a_full_disk(space: Space, media: Path) -> None:
    """To read needs no room."""
    (media / "fox.png").write_bytes(b"fox")
    with small_disk(100):
        assert b"fox" == space["_read_local"]("fox.png", most_mb=1)


# Not getrusage: its ru_maxrss counts what the process that forked this one had, too.
PROGRAM = """
import re
{text}
try:
    {call}
except VeniceError as error:
    print(error, file=sys.stderr)
print(re.search(r"VmHWM:\\s+(\\d+) kB", open("/proc/self/status").read())[1])
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("tool", "call"),
    [
        ("venice_chat", "_attach('film.mp4', 'file')"),
        ("venice_describe_image", "_attach('film.mp4', 'image_url')"),
        ("venice_edit_image", "_read_local('film.mp4', most_mb=25)"),
        ("venice_transcribe_audio", "_read_recording('film.mp4', ['mp4'])"),
        ("venice_queue_video", "_with_media('video_url', 'film.mp4')"),
        ("venice_queue_video", "_check_together({'reference_video_urls': ['film.mp4']})"),
    ],
)
def test_a_stored_film_is_measured_before_it_is_read(
    texts: dict[str, str], media: Path, tool: str, call: str
) -> None:
    """A film of 600 MB is refused for its size, in no more memory than a call that reads nothing."""
    with (media / "film.mp4").open("wb") as film:
        film.truncate(600_000_000)

    def run(asked: str) -> tuple[int, str]:
        ran = subprocess.run(
            [sys.executable, "-I", "-"],
            input=PROGRAM.format(text=texts[tool], call=asked),
            env={"PATH": os.environ["PATH"], "VENICE_MEDIA_DIR": str(media)},
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        )
        return int(ran.stdout), ran.stderr

    with_film, told = run(call)
    assert "MB" in told
    assert with_film - run("pass")[0] < 10_000  # kilobytes
