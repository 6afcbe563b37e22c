"""Processes that end in the middle of a write, or meet each other: the call again gives the whole file.

Each tool is its emitted text in a process of its own. What holds it still, or ends the disk, stands
in front of the text and takes the place of `os.fsync`, by which a part file is whole on the disk
before it gets its name.
"""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from sanctum_venice_tools.emulator.process import LocalVenice
from sanctum_venice_tools.letta.local_server.state import State, write_state
from tests.tools.conftest import balance

# At its first fsync, the process says where it is by a file of its own, and goes on when there is a
# file `go`.
HOLD = """
import os as _os, time as _time
def _hold(number):
    open(_os.path.join({place!r}, str(_os.getpid())), "w").close()
    while not _os.path.exists(_os.path.join({place!r}, "go")):
        _time.sleep(0.01)
_os.fsync = _hold
"""
FULL_DISK = """
import errno as _errno, os as _os
def _refuse(number):
    raise OSError(_errno.ENOSPC, "No space left on device")
_os.fsync = _refuse
"""
CALL = """
import json as _json
try:
    print(_json.dumps({{"reply": _json.loads({name}(**{arguments!r}))}}))
except VeniceError as error:
    print(_json.dumps({{"refusal": str(error)}}))
"""
DAY = 24 * 60 * 60

# One tool for each kind of write, and a call of it.
WRITES: dict[str, dict[str, Any]] = {
    "venice_generate_image": {"prompt": "A fox"},
    "venice_speak": {"text": "Hello, fox."},
    "venice_embed_texts": {"texts": ["a fox", "a hare"]},
    "venice_retrieve_video": {},
}


@pytest.fixture
def start(
    texts: dict[str, str], venice: LocalVenice, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., subprocess.Popen[str]]:
    """Start a call in a process, with something in front of the tool's text."""
    monkeypatch.setenv("VENICE_API_KEY", venice.key)
    monkeypatch.setenv("VENICE_BASE_URL", venice.base_url)

    def run(name: str, arguments: dict[str, Any], before: str = "") -> subprocess.Popen[str]:
        file = tmp_path / f"{name}-{len(before)}.py"
        file.write_text(before + texts[name] + CALL.format(name=name, arguments=arguments))
        return subprocess.Popen(
            [sys.executable, "-I", str(file)], stdout=subprocess.PIPE, text=True
        )

    return run


@pytest.fixture
def call(start: Callable[..., subprocess.Popen[str]]) -> Callable[..., Any]:
    """Call a tool in a process to its end; its reply or refusal."""

    def run(name: str, arguments: dict[str, Any], before: str = "") -> Any:
        with start(name, arguments, before) as process:
            return json.loads(process.communicate()[0].splitlines()[-1])

    return run


@pytest.fixture
def arguments_of(call: Callable[..., Any]) -> Callable[[str], dict[str, Any]]:
    """The arguments of a tool's call; a film is bought for the one that retrieves it."""

    def prepare(name: str) -> dict[str, Any]:
        if name != "venice_retrieve_video":
            return WRITES[name]
        bought = call("venice_queue_video", {"prompt": "A fox", "resolution": "480p"})
        return {"job": bought["reply"]["job"]}

    return prepare


@contextmanager
def held(place: Path, processes: list[subprocess.Popen[str]]) -> Iterator[None]:
    """Wait until all of these stand at their first fsync; none of them outlives the block."""
    try:
        end = time.monotonic() + 30
        while len(list(place.iterdir())) < len(processes):
            assert time.monotonic() < end, "they do not get so far"
            time.sleep(0.01)
        yield
    finally:
        for process in processes:
            process.kill()
            process.communicate()


def kill_at_first_fsync(place: Path, begin: Callable[[str], subprocess.Popen[str]]) -> None:
    """Begin a process with what holds it in front, and kill it where it stands."""
    place.mkdir()
    process = begin(HOLD.format(place=str(place)))
    with held(place, [process]):
        process.send_signal(signal.SIGKILL)
        process.wait()


def files_in(folder: Path) -> set[Path]:
    """All files that tools can be told of: those that are not hidden, and the private ones."""
    shown = [path for path in folder.rglob("*") if path.is_file() and path.name[0] != "."]
    return {path for path in shown if path.parent.name != ".models"}


def parts_in(folder: Path) -> list[Path]:
    """What a write leaves behind that did not come to its end."""
    return [path for path in folder.rglob(".*") if path.is_file()]


@pytest.mark.slow
@pytest.mark.parametrize("name", WRITES)
def test_a_killed_write_leaves_no_half_file(
    call: Callable[..., Any],
    start: Callable[..., subprocess.Popen[str]],
    arguments_of: Callable[[str], dict[str, Any]],
    tmp_path: Path,
    name: str,
) -> None:
    """Killed in the middle of a write, there is no file; the call again makes it; what was left goes after a day."""
    media = tmp_path / "media"
    arguments = arguments_of(name)
    kill_at_first_fsync(tmp_path / "place", lambda hold: start(name, arguments, hold))
    assert set() == files_in(media)
    (left,) = parts_in(media)

    file = Path(call(name, arguments)["reply"].get("file") or next(iter(files_in(media))))
    content = file.read_bytes()
    assert {file} == files_in(media)
    assert [left] == parts_in(media)

    os.utime(left, (time.time() - DAY - 60,) * 2)
    os.utime(file, (time.time() - DAY - 60,) * 2)
    file.unlink()
    call(name, arguments)
    assert [] == parts_in(media)
    assert content == file.read_bytes()


@pytest.mark.slow
@pytest.mark.parametrize("name", WRITES)
def test_a_full_disk_leaves_nothing(
    call: Callable[..., Any],
    arguments_of: Callable[[str], dict[str, Any]],
    tmp_path: Path,
    name: str,
) -> None:
    """A disk that is full at the last moment is told in one line, and leaves no part; with room, the call works."""
    media = tmp_path / "media"
    arguments = arguments_of(name)
    told = call(name, arguments, FULL_DISK)["refusal"]

    assert "No space left on device" in told
    assert [] == parts_in(media)
    assert set() == files_in(media)
    assert "reply" in call(name, arguments)


def test_a_film_whose_disk_was_full_is_not_bought_again(
    call: Callable[..., Any], arguments_of: Callable[[str], dict[str, Any]], venice: LocalVenice
) -> None:
    """The line has the job, by which the same film comes for nothing."""
    arguments = arguments_of("venice_retrieve_video")
    before = balance(venice)
    told = call("venice_retrieve_video", arguments, FULL_DISK)["refusal"]

    assert arguments["job"] in told
    assert Path(call("venice_retrieve_video", arguments)["reply"]["file"]).is_file()
    assert before == balance(venice)


@pytest.mark.slow
@pytest.mark.parametrize("name", WRITES)
def test_two_at_once_make_one_whole_file(
    start: Callable[..., subprocess.Popen[str]],
    arguments_of: Callable[[str], dict[str, Any]],
    tmp_path: Path,
    name: str,
) -> None:
    """Two processes that write the same file at the same moment both tell of it, and it is whole."""
    media, place = tmp_path / "media", tmp_path / "place"
    place.mkdir()
    arguments = arguments_of(name)
    processes = [start(name, arguments, HOLD.format(place=str(place))) for _ in range(2)]
    with held(place, processes):
        assert 2 == len(parts_in(media))
        (place / "go").touch()
        replies = [
            json.loads(process.communicate(timeout=60)[0].splitlines()[-1]) for process in processes
        ]

    assert all("reply" in reply for reply in replies), replies
    assert 1 == len(files_in(media))
    assert [] == parts_in(media)


KEY = {"description": "for a test"}


def test_a_key_that_was_made_is_not_lost(
    start: Callable[..., subprocess.Popen[str]], venice: LocalVenice, tmp_path: Path
) -> None:
    """Killed once the key is made, its private file has it."""
    kill_at_first_fsync(tmp_path / "place", lambda hold: start("venice_create_api_key", KEY, hold))

    (file,) = (tmp_path / "media" / ".private").iterdir()
    key = file.read_text().strip()
    limits = httpx.get(
        f"{venice.base_url}/api_keys/rate_limits", headers={"Authorization": f"Bearer {key}"}
    )
    assert 200 == limits.status_code


def test_a_file_that_got_no_key_goes_after_a_day(
    call: Callable[..., Any],
    start: Callable[..., subprocess.Popen[str]],
    venice: LocalVenice,
    tmp_path: Path,
) -> None:
    """Killed while Venice makes the key, an empty file stays, which the next call takes away when it is old."""
    private = tmp_path / "media" / ".private"
    venice.order_fault(fault="stall", path="/api_keys", method="POST", seconds=60)
    with start("venice_create_api_key", KEY) as process:
        while not private.is_dir() or not list(private.iterdir()):
            time.sleep(0.01)
        process.kill()
    venice.clear_faults()
    (empty,) = private.iterdir()
    assert b"" == empty.read_bytes()

    first = Path(call("venice_create_api_key", KEY)["reply"]["file"])
    assert {empty, first} == set(private.iterdir())
    for file in (empty, first):
        os.utime(file, (time.time() - DAY - 60,) * 2)
    second = Path(call("venice_create_api_key", KEY)["reply"]["file"])
    assert {first, second} == set(private.iterdir())


def test_a_killed_state_is_written_anew(tmp_path: Path) -> None:
    """The local Letta server's memory of its process is the old one or the new one, and nothing else is left."""
    home = tmp_path / "home"
    home.mkdir()
    write_state(home, State(pid=1, port=1))
    program = (
        "from pathlib import Path\n"
        "from sanctum_venice_tools.letta.local_server.state import State, encryption_key, write_state\n"
        f"write_state(Path({str(home)!r}), State(pid=2, port=2))\n"
    )
    kill_at_first_fsync(
        tmp_path / "place",
        lambda hold: subprocess.Popen(
            [sys.executable, "-c", hold + program], stdout=subprocess.PIPE, text=True
        ),
    )
    assert 1 == json.loads((home / "state.json").read_text())["pid"]

    write_state(home, State(pid=3, port=3))
    assert 3 == json.loads((home / "state.json").read_text())["pid"]
    assert ["state.json"] == [path.name for path in home.iterdir()]
