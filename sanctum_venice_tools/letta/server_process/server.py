"""The local Letta server as one process: PostgreSQL under it, the API on top, both ending together.

Letta is imported only after PostgreSQL is on its way, for it takes seconds to load.
"""

import argparse
import contextlib
import fcntl
import importlib
import os
import signal
import socket
import sys
import threading
import time
import traceback
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sanctum_venice_tools.letta.server_process.application import Loading, serve
from sanctum_venice_tools.letta.server_process.log_lines import (
    FAILURE_MARK,
    STEP_MARK,
    STOPPED_LINE,
    say,
)
from sanctum_venice_tools.letta.server_process.postgres import running_postgres, socket_folder

_CALLER_GONE_SECONDS = 15.0


def main() -> None:
    """Run until told to stop, then leave nothing behind."""
    options = _options()
    signal.signal(signal.SIGTERM, _leave)
    signal.signal(signal.SIGINT, _leave)
    status = 0
    try:
        _run(options)
    except SystemExit as leaving:
        status = int(leaving.code or 0)
    except BaseException as error:  # noqa: BLE001  # whatever it is, the log gets one line that names it
        traceback.print_exc()
        say(f"{FAILURE_MARK}{type(error).__name__}: {' '.join(str(error).split())}")
        status = 1
    _end_children()
    if status == 0:
        say(STOPPED_LINE)
    sys.stdout.flush()
    sys.stderr.flush()
    # A normal exit would wait for Letta's idle threads and take down 370 MB piece by piece.
    os._exit(status)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--home", type=Path, required=True, help="the folder that everything is kept in"
    )
    parser.add_argument(
        "--listen-fd", type=int, required=True, help="a socket that is bound already"
    )
    parser.add_argument(
        "--caller-fd", type=int, help="a pipe: the server ends when its other end closes"
    )
    parser.add_argument(
        "--allow-host", action="append", default=[], help="a further name that it may be called by"
    )
    return parser.parse_args()


def _leave(_signal: int, _frame: types.FrameType | None) -> None:
    # A second one must not cut PostgreSQL's end short.
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    raise SystemExit(0)


def _run(options: argparse.Namespace) -> None:
    listener = socket.socket(fileno=options.listen_fd)
    listener.set_inheritable(False)  # a tool that outlives the server must not keep the port
    if options.caller_fd is not None:
        os.set_inheritable(options.caller_fd, False)  # noqa: FBT003
        threading.Thread(target=_end_with_caller, args=(options.caller_fd,), daemon=True).start()
    with _only_server_in(options.home), socket_folder(options.home) as sockets:
        _point_to_database(sockets)
        loading = Loading()
        with running_postgres(options.home / "postgres", sockets):
            say(f"{STEP_MARK}Loading Letta")
            serve(loading.result(), listener, options.allow_host)


def _point_to_database(sockets: Path) -> None:
    """Tell Letta where its database is, before it is loaded.

    By itself Letta opens a new connection for every session, and with it goes a new process of
    PostgreSQL: 8 ms for each, more than all that is asked of it then. So its pool is switched on,
    which asks for TLS unless told that a socket of the file system has none.
    """
    address = f"postgresql://postgres:trusted@localhost/postgres?host={sockets}"
    os.environ["LETTA_PG_URI"] = f"{address}&sslmode=disable"
    os.environ["LETTA_DISABLE_SQLALCHEMY_POOLING"] = "false"


def _end_with_caller(pipe: int) -> None:
    """Stop when the caller is gone, however it went: the kernel closes its end of the pipe."""
    while os.read(pipe, 1):
        pass
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(_CALLER_GONE_SECONDS)  # nobody is left who could insist
    os.kill(os.getpid(), signal.SIGKILL)


@contextlib.contextmanager
def _only_server_in(home: Path) -> Iterator[None]:
    """Hold the home, so that two servers can never share one database folder."""
    with (home / "server.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise RuntimeError(f"another server process runs in {home}") from None
        yield


def _end_children() -> None:
    """End tools that are still running: nobody is left to hear their answer."""
    psutil: Any = importlib.import_module("psutil")
    for child in psutil.Process().children(recursive=True):
        with contextlib.suppress(psutil.NoSuchProcess):
            child.kill()
