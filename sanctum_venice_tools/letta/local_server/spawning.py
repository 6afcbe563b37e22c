"""The server's process: what it inherits, where it listens, and by which names."""

import contextlib
import os
import re
import socket
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from sanctum_venice_tools.letta.local.errors import LocalProgramError
from sanctum_venice_tools.letta.local.logs import rotated_log
from sanctum_venice_tools.letta.local_server.state import (
    SERVER_PROCESS,
    State,
    encryption_key,
    write_state,
)
from sanctum_venice_tools.network import past_proxies

# What the server inherits from whoever starts it. Tools see the server's whole environment, so a
# key of the user's own, or a LETTA_* setting meant for another server, must not get there unless it
# is handed over.
_INHERITED = re.compile(
    r"PATH|LANG|LANGUAGE|LC_\w+|TZ|TMPDIR|LD_LIBRARY_PATH|SSL_CERT_(FILE|DIR)|REQUESTS_CA_BUNDLE"
    r"|(HTTP|HTTPS|ALL)_PROXY|(http|https|all)_proxy"
)

# Nothing about the user's work leaves the machine by itself.
_QUIET = {
    "DD_TRACE_ENABLED": "false",
    "DO_NOT_TRACK": "1",
    "LETTA_DISABLE_TRACING": "true",
    "OTEL_SDK_DISABLED": "true",
}


@dataclass
class _Spawned:
    """A server process of this very process, and the pipe by which it notices our end."""

    process: subprocess.Popen[bytes]
    lifeline: int | None

    def forget(self) -> None:
        """Let the system forget the process, and close our end of the pipe."""
        self.process.wait()
        if self.lifeline is not None:
            os.close(self.lifeline)


_spawned: dict[int, _Spawned] = {}


def spawn(
    home: Path,
    python: Path,
    *,
    port: int | None,
    environment: Mapping[str, str],
    allowed_hosts: Sequence[str],
    tied: bool,
) -> State:
    """Start the server process in a session of its own and write down at once what it is."""
    forget_ended()
    folders = _make_folders(home)
    own = {"LETTA_ENCRYPTION_KEY": encryption_key(home)}
    with (
        _bound_socket(port) as listener,
        rotated_log(home / "server.log") as log,
        _lifeline(tied=tied) as ends,
    ):
        bound_port: int = listener.getsockname()[1]
        command = [str(python), "-I", str(SERVER_PROCESS), "--home", str(home)]
        command += ["--listen-fd", str(listener.fileno())]
        for name in allowed_hosts:
            command += ["--allow-host", name]
        if ends:
            command += ["--caller-fd", str(ends.theirs)]
        process = subprocess.Popen(  # noqa: S603  # our own file, in an environment that we made
            command,
            # Letta reads a file named .env in its folder; the user's own is not for it.
            cwd=folders["HOME"],
            env=_server_environment(folders, {**own, **environment}),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            pass_fds=[listener.fileno(), *([ends.theirs] if ends else [])],
            start_new_session=True,
        )
    _spawned[process.pid] = _Spawned(process, ends.ours if ends else None)
    state = State(pid=process.pid, port=bound_port)
    write_state(home, state)
    return state


@dataclass(frozen=True)
class _Ends:
    """A pipe whose other end the server watches: the kernel closes ours with us, however we end."""

    theirs: int
    ours: int


@contextlib.contextmanager
def _lifeline(*, tied: bool) -> Iterator[_Ends | None]:
    """A pipe for a server that shall end with us; their end is closed here once they have it."""
    if not tied:
        yield None
        return
    ends = _Ends(*os.pipe())
    try:
        yield ends
    except BaseException:
        os.close(ends.ours)
        raise
    finally:
        os.close(ends.theirs)


def _make_folders(home: Path) -> dict[str, str]:
    """The folders of the server, by the variables that name them.

    They are for their owner alone.
    """
    folders = {
        "HOME": home / "home",
        "LETTA_DIR": home / "home" / ".letta",
        "TOOL_EXEC_DIR": home / "tools",
    }
    for folder in folders.values():
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(0o700)
    # PostgreSQL refuses to run as root, so that its user has to get through to the database.
    home.chmod(0o711 if os.geteuid() == 0 else 0o700)
    return {name: str(folder) for name, folder in folders.items()}


def _server_environment(
    folders: Mapping[str, str], additional: Mapping[str, str]
) -> dict[str, str]:
    inherited = {name: value for name, value in os.environ.items() if _INHERITED.fullmatch(name)}
    own = {**past_proxies(), **_QUIET, "PYTHONUNBUFFERED": "1"}
    return {**inherited, **own, **folders, **additional}


def _bound_socket(port: int | None) -> socket.socket:
    """Take the port here and hand it over, so that nobody else can take it in between."""
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(("127.0.0.1", port or 0))
    except (OSError, OverflowError) as error:
        listener.close()
        detail = getattr(error, "strerror", None) or error
        raise LocalProgramError(
            f"Port {port} of 127.0.0.1 cannot be used: {detail}; name another one"
        ) from error
    return listener


def forget_process(pid: int) -> None:
    """Take note of the end of a server, if this process started it."""
    spawned = _spawned.pop(pid, None)
    if spawned is not None:
        spawned.forget()


def forget_ended() -> None:
    """Take note of servers that ended without our doing.

    Until then the system keeps a trace of each.
    """
    for pid, spawned in list(_spawned.items()):
        if spawned.process.poll() is not None:
            _spawned.pop(pid).forget()
