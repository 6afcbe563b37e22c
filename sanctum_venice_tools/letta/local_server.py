"""A Letta server on this machine: installed, started and stopped by one call each, kept in two folders.

The environment holds the server's own Python packages (0.9 GB; they must not mix with ours) and may be shared.
The home holds everything else: the database, Letta's files, the folder that tools run in, the log, and
`state.json`.
"""

import contextlib
import fcntl
import hashlib
import http.client
import json
import os
import re
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

import psutil

from sanctum_venice_tools.letta.server_process import FAILURE_MARK, STEP_MARK, STOPPED_LINE

DEFAULT_HOME = Path(os.environ.get("SANCTUM_LETTA_HOME") or ".local/letta").absolute()
ENVIRONMENT = Path(os.environ.get("SANCTUM_LETTA_ENVIRONMENT") or ".local/letta-environment").absolute()

Progress = Callable[[str], None]

_REQUIREMENTS = Path(__file__).with_name("server_requirements.txt")
_SERVER_PROCESS = Path(__file__).with_name("server_process.py")
_PYTHONS = ((3, 11), (3, 14))  # Letta 0.16.8 declares >=3.11,<3.14
_START_SECONDS = 180.0
_STOP_SECONDS = 30.0
_POLL_SECONDS = 0.1
_PROGRESS_SECONDS = 1.0
_HEALTH_TIMEOUT_SECONDS = 5.0

# What the server inherits from whoever starts it. Tools see the server's whole environment, so a key of the
# user's own, or a LETTA_* setting meant for another server, must not get there unless it is handed over.
_INHERITED = re.compile(
    r"PATH|LANG|LANGUAGE|LC_\w+|TZ|TMPDIR|LD_LIBRARY_PATH|SSL_CERT_(FILE|DIR)|REQUESTS_CA_BUNDLE"
    r"|(HTTP|HTTPS|ALL|NO)_PROXY|(http|https|all|no)_proxy"
)

# Nothing about the user's work leaves the machine by itself.
_QUIET = {
    "DD_TRACE_ENABLED": "false",
    "DO_NOT_TRACK": "1",
    "LETTA_DISABLE_TRACING": "true",
    "OTEL_SDK_DISABLED": "true",
}


class LocalServerError(Exception):
    """The local server cannot do what was asked; one line for the user, naming the log where there is one."""


@dataclass(frozen=True)
class LocalServer:
    """A running server."""

    base_url: str
    pid: int
    home: Path
    version: str


@dataclass(frozen=True)
class _State:
    """What is remembered in `state.json`. The version is known once the server has answered."""

    pid: int
    port: int
    version: str | None = None


@dataclass
class _Spawned:
    """A server process of this very process, and the pipe by which it notices our end."""

    process: subprocess.Popen[bytes]
    lifeline: int | None

    def forget(self) -> None:
        self.process.wait()
        if self.lifeline is not None:
            os.close(self.lifeline)


_spawned: dict[int, _Spawned] = {}


def start(
    home: Path = DEFAULT_HOME,
    *,
    port: int | None = None,
    environment: Mapping[str, str] | None = None,
    tied_to_caller: bool = False,
    progress: Progress = lambda _: None,
) -> LocalServer:
    """Make sure that the server of `home` runs, and return it once it answers.

    Args:
        home: Where its data is or will be.
        port: The port on 127.0.0.1; a free one when left out.
        environment: Further variables of the server process, such as OPENAI_API_KEY and OPENAI_BASE_URL.
        tied_to_caller: End the server when the calling process ends, however it ends.
        progress: Gets a line at least every two seconds while something is going on.

    Raises:
        LocalServerError: It could not be installed or started.
    """
    home = home.absolute()
    with _alone(home / "start.lock", "Waiting for another start of the same server", progress):
        state = _read_state(home)
        if state is not None and (server := _running(home, state)) is not None:
            progress(f"The Letta server is already running at {server.base_url}; stop it to change how it runs")
            return server
        if state is None:
            python = _install(progress)
            state = _spawn(home, python, port=port, environment=environment or {}, tied=tied_to_caller)
        return _wait_until_healthy(home, state, progress)


def stop(home: Path = DEFAULT_HOME, *, progress: Progress = lambda _: None) -> bool:
    """Stop the server of `home` and everything that it started.

    Returns:
        Whether there was one to stop.
    """
    home = home.absolute()
    state = _read_state(home)
    if state is not None:
        _end(state.pid, progress)
    _forget(home)
    _forget_ended()
    return state is not None


def status(home: Path = DEFAULT_HOME) -> LocalServer | None:
    """The server of `home` if it runs and has answered before."""
    home = home.absolute()
    state = _read_state(home)
    return None if state is None else _running(home, state)


# --- Installing


def _install(progress: Progress) -> Path:
    """Install the server's environment where it is missing or made from other pins; return its Python."""
    python = ENVIRONMENT / "bin" / "python"
    with _alone(ENVIRONMENT.with_name(ENVIRONMENT.name + ".lock"), "Waiting for another installation", progress):
        digest = _environment_digest()
        stamp = ENVIRONMENT / "installed-from"  # written last: without it the folder is not whole
        if python.exists() and stamp.exists() and stamp.read_text() == digest:
            return python
        _check_python(sys.version_info[:2])
        _remove_environment(progress)
        _install_packages(python, progress)
        stamp.write_text(digest)
    return python


def _check_python(version: tuple[int, int]) -> None:
    first, beyond = _PYTHONS
    if not first <= version < beyond:
        raise LocalServerError(
            f"The Letta server needs Python {first[0]}.{first[1]} to {beyond[0]}.{beyond[1] - 1}, and this is "
            f"{version[0]}.{version[1]}; make the environment of sanctum-venice with one of those"
        )


def _environment_digest() -> str:
    """Names what the environment is made from: the pins and the Python."""
    made_from = _REQUIREMENTS.read_bytes() + f"{sys.version_info[:2]}".encode()
    return hashlib.sha256(made_from).hexdigest()


def _remove_environment(progress: Progress) -> None:
    if not ENVIRONMENT.exists():
        return
    if not (ENVIRONMENT / "pyvenv.cfg").exists() and any(ENVIRONMENT.iterdir()):
        raise LocalServerError(f"{ENVIRONMENT} is not an environment of ours; name another folder or remove it")
    progress("Removing the earlier Letta environment ...")
    shutil.rmtree(ENVIRONMENT)


def _install_packages(python: Path, progress: Progress) -> None:
    import uv  # noqa: PLC0415  # only an installation needs it

    program = uv.find_uv_bin()
    count = sum("==" in line for line in _REQUIREMENTS.read_text().splitlines())
    log_path = ENVIRONMENT.with_name(ENVIRONMENT.name + ".log")
    packages = ["pip", "install", "--python", str(python), "--require-hashes", "-r", str(_REQUIREMENTS)]
    doing = f"Installing the Letta server ({count} packages)"
    ticker = _Ticker(progress)
    with log_path.open("w") as log:
        for arguments in (["venv", "--python", sys.executable, str(ENVIRONMENT)], packages):
            _run_watched([program, "--no-progress", *arguments], log, doing, ticker)


def _run_watched(command: list[str], log: TextIO, doing: str, ticker: "_Ticker") -> None:
    """Run a program to its end, saying every second that it still runs."""
    # uv heeds the user's settings (index, proxy, cache), but a package that it builds must not find other modules.
    surroundings = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    surroundings["UV_PYTHON_DOWNLOADS"] = "never"
    surroundings.setdefault("UV_SYSTEM_CERTS", "true")  # a company's own certificate authority is trusted, as by pip
    process = subprocess.Popen(  # noqa: S603  # uv, with arguments of our own
        command, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT, env=surroundings
    )
    try:
        while process.poll() is None:
            ticker.tick(doing)
            time.sleep(_POLL_SECONDS)
    finally:
        if process.poll() is None:
            process.terminate()
        process.wait()
    if process.returncode != 0:
        raise LocalServerError(f"{doing} failed: {_reason(Path(log.name))} (log: {log.name})")


# --- Starting


def _spawn(home: Path, python: Path, *, port: int | None, environment: Mapping[str, str], tied: bool) -> _State:
    """Start the server process in a session of its own and write down at once what it is."""
    _forget_ended()
    folders = _make_folders(home)
    with _bound_socket(port) as listener, _rotated_log(home / "server.log") as log:
        bound_port: int = listener.getsockname()[1]
        command = [str(python), "-I", str(_SERVER_PROCESS), "--home", str(home)]
        command += ["--listen-fd", str(listener.fileno())]
        descriptors = [listener.fileno()]
        lifeline = None
        if tied:
            end, lifeline = os.pipe()
            command += ["--caller-fd", str(end)]
            descriptors.append(end)
        try:
            process = subprocess.Popen(  # noqa: S603  # our own file, in an environment that we made
                command,
                cwd=folders["HOME"],  # Letta reads a file named .env in its folder; the user's own is not for it
                env=_server_environment(folders, {"LETTA_ENCRYPTION_KEY": _encryption_key(home), **environment}),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                pass_fds=descriptors,
                start_new_session=True,
            )
        finally:
            for descriptor in descriptors[1:]:
                os.close(descriptor)
    _spawned[process.pid] = _Spawned(process, lifeline)
    state = _State(pid=process.pid, port=bound_port)
    _write_state(home, state)
    return state


def _make_folders(home: Path) -> dict[str, str]:
    """The folders of the server, by the variable that tells it of them; they are for their owner alone."""
    folders = {"HOME": home / "home", "LETTA_DIR": home / "home" / ".letta", "TOOL_EXEC_DIR": home / "tools"}
    for folder in folders.values():
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(0o700)
    # PostgreSQL refuses to run as root, so that its user has to get through to the database.
    home.chmod(0o711 if os.geteuid() == 0 else 0o700)
    return {name: str(folder) for name, folder in folders.items()}


def _encryption_key(home: Path) -> str:
    """The key with which this server encrypts agents' secrets in its database; made at its first start.

    Letta goes on reading what it stored in the clear before it had a key.
    """
    path = home / "encryption-key"
    if not path.exists():
        _write_whole(path, secrets.token_urlsafe(32))
    return path.read_text(encoding="ascii").strip()


def _server_environment(folders: Mapping[str, str], additional: Mapping[str, str]) -> dict[str, str]:
    inherited = {name: value for name, value in os.environ.items() if _INHERITED.fullmatch(name)}
    for name in ("NO_PROXY", "no_proxy"):  # a local Venice is not to be reached through somebody's proxy
        inherited[name] = ",".join(filter(None, [inherited.get(name), "127.0.0.1", "localhost"]))
    return {**inherited, **_QUIET, "PYTHONUNBUFFERED": "1", **folders, **additional}


def _bound_socket(port: int | None) -> socket.socket:
    """Take the port here and hand it over, so that nobody else can take it in between."""
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(("127.0.0.1", port or 0))
    except (OSError, OverflowError) as error:
        listener.close()
        detail = getattr(error, "strerror", None) or error
        raise LocalServerError(f"Port {port} of 127.0.0.1 cannot be used: {detail}; name another one") from error
    return listener


@contextlib.contextmanager
def _rotated_log(path: Path) -> Iterator[int]:
    """A new log for a new start; the one before is kept."""
    if path.exists():
        path.replace(path.with_name(path.name + ".1"))
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND, 0o600)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _wait_until_healthy(home: Path, state: _State, progress: Progress) -> LocalServer:
    try:
        version = _first_health(home, state, progress)
    except BaseException:  # Ctrl-C too: no server may stay behind that nobody waited for
        _end(state.pid, progress)
        _forget(home)
        raise
    _write_state(home, _State(state.pid, state.port, version))
    return _server(home, state.pid, state.port, version)


def _first_health(home: Path, state: _State, progress: Progress) -> str:
    log = home / "server.log"
    ticker = _Ticker(progress)
    while ticker.seconds < _START_SECONDS:
        if (version := _health(state.port)) is not None:
            return version
        if _process(home, state.pid) is None:
            raise LocalServerError(f"The Letta server ended at its start: {_reason(log)} (log: {log})")
        ticker.tick(f"Starting the Letta server: {_step(log)}")
        time.sleep(_POLL_SECONDS)
    raise LocalServerError(f"The Letta server did not answer in {_START_SECONDS:.0f} s (log: {log})")


def _health(port: int) -> str | None:
    """The version that a healthy server at `port` reports. No proxy can be in between."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=_HEALTH_TIMEOUT_SECONDS)
    try:
        connection.request("GET", "/v1/health/")
        answer = connection.getresponse()
        return str(json.loads(answer.read())["version"]) if answer.status == http.client.OK else None
    except (OSError, http.client.HTTPException, ValueError, KeyError):
        return None
    finally:
        connection.close()


def _step(log: Path) -> str:
    """What the server process said last about where it is."""
    steps = [line for line in _lines(log) if line.startswith(STEP_MARK)]
    return steps[-1].removeprefix(STEP_MARK) if steps else "Starting Python"


def _reason(log: Path) -> str:
    """The line of a log that most likely tells why something ended."""
    lines = [line.strip() for line in _lines(log) if line.strip()]
    if lines[-1:] == [STOPPED_LINE]:
        return "it was told to stop"
    failures = [line.removeprefix(FAILURE_MARK) for line in lines if line.startswith(FAILURE_MARK)]
    faults = [line for line in lines if re.search(r"error|fatal|failed", line, re.IGNORECASE)]
    return (failures or faults or lines or ["no reason was given"])[-1]


def _lines(log: Path) -> list[str]:
    try:
        return log.read_text(errors="replace").splitlines()
    except FileNotFoundError:
        return []


# --- Stopping


def _end(pid: int, progress: Progress) -> None:
    """End exactly this process and what it started; by force only when it does not end by itself."""
    try:
        process = psutil.Process(pid)
        family = [process, *process.children(recursive=True)]
        process.terminate()
    except psutil.NoSuchProcess:
        family = []
    except psutil.AccessDenied as error:
        raise LocalServerError(f"The Letta server (process {pid}) belongs to another user, who can stop it") from error
    ticker = _Ticker(progress)
    while family and psutil.wait_procs(family[:1], timeout=_POLL_SECONDS)[1]:
        ticker.tick("Stopping the Letta server")
        if ticker.seconds > _STOP_SECONDS:
            break
    for survivor in psutil.wait_procs(family, timeout=_POLL_SECONDS)[1]:
        with contextlib.suppress(psutil.NoSuchProcess):
            survivor.kill()
    psutil.wait_procs(family, timeout=_STOP_SECONDS)
    if (spawned := _spawned.pop(pid, None)) is not None:
        spawned.forget()


def _forget_ended() -> None:
    """Take note of servers that ended without our doing: until then the system keeps a trace of each."""
    for pid, spawned in list(_spawned.items()):
        if spawned.process.poll() is not None:
            _spawned.pop(pid).forget()


# --- What is remembered


def _running(home: Path, state: _State) -> LocalServer | None:
    return None if state.version is None else _server(home, state.pid, state.port, state.version)


def _server(home: Path, pid: int, port: int, version: str) -> LocalServer:
    return LocalServer(base_url=f"http://127.0.0.1:{port}", pid=pid, home=home, version=version)


def _read_state(home: Path) -> _State | None:
    """What is known of the server of `home`, if it still runs."""
    try:
        state = _State(**json.loads((home / "state.json").read_text()))
    except (OSError, ValueError, TypeError):
        return None
    return state if _process(home, state.pid) is not None else None


def _forget(home: Path) -> None:
    """Remove the state of a server that is gone, but not that of one that somebody started meanwhile."""
    if _read_state(home) is None:
        (home / "state.json").unlink(missing_ok=True)


def _process(home: Path, pid: int) -> psutil.Process | None:
    """The process with this id, if it is the server of `home`; ids are given out again and again."""
    try:
        process = psutil.Process(pid)
        command = process.cmdline()
        for _ in range(20):
            if command:
                break
            time.sleep(0.01)  # a process that has only just begun shows no command line yet
            command = process.cmdline()
    except (psutil.NoSuchProcess, psutil.AccessDenied):
        return None
    return process if str(_SERVER_PROCESS) in command and str(home) in command else None


def _write_state(home: Path, state: _State) -> None:
    _write_whole(home / "state.json", json.dumps(state.__dict__))


def _write_whole(path: Path, text: str) -> None:
    """Write a file whole, readable by its owner alone."""
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.stem}-")
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    Path(temporary).replace(path)


@contextlib.contextmanager
def _alone(lock_path: Path, waiting: str, progress: Progress) -> Iterator[None]:
    """Hold a lock file; the system releases it when the process ends, however it ends."""
    ticker = _Ticker(progress)
    try:
        lock_path.parent.mkdir(parents=True, exist_ok=True)
        lock = lock_path.open("w")
    except OSError as error:
        raise LocalServerError(f"The folder {lock_path.parent} cannot be used: {error.strerror}") from error
    with lock:
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                ticker.tick(waiting)
                time.sleep(_POLL_SECONDS)
        yield


class _Ticker:
    """Passes on what is being done, with the seconds so far: at once when it changes, else every second."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._start = time.monotonic()
        self._said: tuple[str, int] | None = None

    @property
    def seconds(self) -> float:
        return time.monotonic() - self._start

    def tick(self, doing: str) -> None:
        now = (doing, int(self.seconds / _PROGRESS_SECONDS))
        if now != self._said:
            self._said = now
            self._progress(f"{doing} ... {self.seconds:.0f} s")
