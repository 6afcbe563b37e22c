"""What is kept of a server in its home: its process and port, and the key of its database."""

import fcntl
import json
import os
import secrets
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import psutil

# What the server's Python runs; by the end of this path its process is known again.
SERVER_PROCESS = Path(__file__).parents[1] / "server_process" / "__main__.py"


@dataclass(frozen=True)
class State:
    """What is remembered in `state.json`. The version is known once the server has answered."""

    pid: int
    port: int
    version: str | None = None


def read_state(home: Path) -> State | None:
    """What is known of the server of `home`, if it still runs."""
    try:
        state = State(**json.loads((home / "state.json").read_text()))
    except (OSError, ValueError, TypeError):
        return None
    return state if process_of(home, state.pid) is not None else None


def write_state(home: Path, state: State) -> None:
    """Remember a server of `home`."""
    _write_whole(home / "state.json", json.dumps(asdict(state)))


def forget(home: Path) -> None:
    """Remove the state of a server that is gone, but not of one that somebody started meanwhile.

    Nor as long as a server holds the home: without its state nobody could stop it.
    """
    if read_state(home) is None and not _is_held(home):
        (home / "state.json").unlink(missing_ok=True)


def process_of(home: Path, pid: int) -> psutil.Process | None:
    """The process with this id, if it is the server of `home`; ids are given out again."""
    try:
        process = psutil.Process(pid)
        command = _command_of(process)
    except (psutil.NoSuchProcess, psutil.AccessDenied):
        return None
    return process if _is_server(command) and str(home) in command else None


def _command_of(process: psutil.Process) -> Sequence[str]:
    """The command line of a process; one that has only just begun shows none yet."""
    for _ in range(20):
        command: list[str] = process.cmdline()
        if command:
            return command
        time.sleep(0.01)
    return process.cmdline()


def _is_server(command: Sequence[str]) -> bool:
    """Whether a command runs our server; another installation has the same file elsewhere."""
    file = SERVER_PROCESS.parts[-3:]
    return any(Path(word).parts[-3:] == file for word in command)


def _is_held(home: Path) -> bool:
    """Whether a server process runs in `home`, be it known or not."""
    try:
        with (home / "server.lock").open() as lock:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:  # no server was ever here
        return False
    return False


def encryption_key(home: Path) -> str:
    """The key with which this server encrypts agents' secrets in its database.

    It is made at the first start.

    Letta goes on reading what it stored in the clear before it had a key.
    """
    path = home / "encryption-key"
    if not path.exists():
        _write_whole(path, secrets.token_urlsafe(32))
    return path.read_text(encoding="ascii").strip()


def _write_whole(path: Path, text: str) -> None:
    """Write a file whole, readable by its owner alone.

    Whoever writes here holds the lock of the start, so that the part has one name; one that was
    left is written over.
    """
    part = path.with_suffix(".part")
    with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)
