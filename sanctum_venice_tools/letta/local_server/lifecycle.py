"""A server's life: start, wait until it answers, tell, stop."""

import contextlib
import http.client
import json
import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

from sanctum_venice_tools.letta.local.errors import LocalProgramError
from sanctum_venice_tools.letta.local.waiting import POLL_SECONDS, Progress, Ticker, alone
from sanctum_venice_tools.letta.local_server.installation import install
from sanctum_venice_tools.letta.local_server.server_log import reason_of, step_of
from sanctum_venice_tools.letta.local_server.spawning import forget_ended, forget_process, spawn
from sanctum_venice_tools.letta.local_server.state import (
    State,
    forget,
    process_of,
    read_state,
    write_state,
)

DEFAULT_HOME = Path(os.environ.get("SANCTUM_LETTA_HOME") or ".local/letta").absolute()

_START_SECONDS = 180.0
_STOP_SECONDS = 30.0
_HEALTH_TIMEOUT_SECONDS = 5.0


@dataclass(frozen=True)
class LocalServer:
    """A running server."""

    base_url: str
    pid: int
    home: Path
    version: str


def start(
    home: Path = DEFAULT_HOME,
    *,
    port: int | None = None,
    environment: Mapping[str, str] | None = None,
    allowed_hosts: Sequence[str] = (),
    tied_to_caller: bool = False,
    progress: Progress = lambda _: None,
) -> LocalServer:
    """Make sure that the server of `home` runs, and return it once it answers.

    Args:
        home: Where its data is or will be.
        port: The port on 127.0.0.1; a free one when left out.
        environment: Further variables of the server process, such as OPENAI_API_KEY and
            OPENAI_BASE_URL.
        allowed_hosts: Further names by which it may be called, beside 127.0.0.1 and localhost:
            those of a proxy before it, for example. By any other name it answers 400.
        tied_to_caller: End the server when the calling process ends, however it ends.
        progress: Gets a line at least every two seconds while something is going on.

    Raises:
        LocalProgramError: It could not be installed or started.
    """
    home = home.resolve()  # by which its process is known, however a person writes it
    with alone(home / "start.lock", "Waiting for another start of the same server", progress):
        state = read_state(home)
        server = None if state is None else _running(home, state)
        if server is not None:
            told = f"The Letta server is already running at {server.base_url}"
            progress(f"{told}; stop it to change how it runs")
            return server
        if state is None:
            python = install(progress)
            state = spawn(
                home,
                python,
                port=port,
                environment=environment or {},
                allowed_hosts=allowed_hosts,
                tied=tied_to_caller,
            )
        return _wait_until_healthy(home, state, progress)


def stop(home: Path = DEFAULT_HOME, *, progress: Progress = lambda _: None) -> bool:
    """Stop the server of `home` and everything that it started.

    Returns:
        Whether there was one to stop.
    """
    home = home.resolve()
    state = read_state(home)
    if state is not None:
        _end(state.pid, progress)
    forget(home)
    forget_ended()
    return state is not None


def status(home: Path = DEFAULT_HOME) -> LocalServer | None:
    """The server of `home` if it runs and has answered before."""
    home = home.resolve()
    state = read_state(home)
    return None if state is None else _running(home, state)


def _wait_until_healthy(home: Path, state: State, progress: Progress) -> LocalServer:
    try:
        version = _first_health(home, state, progress)
    except BaseException:  # Ctrl-C too: no server may stay behind that nobody waited for
        _end(state.pid, progress)
        forget(home)
        raise
    write_state(home, State(state.pid, state.port, version))
    return _server(home, state.pid, state.port, version)


def _first_health(home: Path, state: State, progress: Progress) -> str:
    log = home / "server.log"
    ticker = Ticker(progress)
    while ticker.seconds < _START_SECONDS:
        if (version := _health(state.port)) is not None:
            return version
        if process_of(home, state.pid) is None:
            raise LocalProgramError(
                f"The Letta server ended at its start: {reason_of(log)} (log: {log})"
            )
        ticker.tick(f"Starting the Letta server: {step_of(log)}")
        time.sleep(POLL_SECONDS)
    raise LocalProgramError(
        f"The Letta server did not answer in {_START_SECONDS:.0f} s (log: {log})"
    )


def _health(port: int) -> str | None:
    """The version that a healthy server at `port` reports. No proxy can be in between."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=_HEALTH_TIMEOUT_SECONDS)
    try:
        connection.request("GET", "/v1/health/")
        answer = connection.getresponse()
        if answer.status != http.client.OK:
            return None
        return str(json.loads(answer.read())["version"])
    except (OSError, http.client.HTTPException, ValueError, KeyError):
        return None
    finally:
        connection.close()


def _end(pid: int, progress: Progress) -> None:
    """End exactly this process and what it started; by force only if it does not end by itself."""
    try:
        process = psutil.Process(pid)
        family = [process, *process.children(recursive=True)]
        process.terminate()
    except psutil.NoSuchProcess:
        family = []
    except psutil.AccessDenied as error:
        raise LocalProgramError(
            f"The Letta server (process {pid}) belongs to another user, who can stop it"
        ) from error
    ticker = Ticker(progress)
    while ticker.seconds <= _STOP_SECONDS and _still_running(family[:1]):
        ticker.tick("Stopping the Letta server")
    for survivor in _still_running(family):
        with contextlib.suppress(psutil.NoSuchProcess):
            survivor.kill()
    psutil.wait_procs(family, timeout=_STOP_SECONDS)
    forget_process(pid)


def _still_running(processes: Sequence[psutil.Process]) -> list[psutil.Process]:
    """Those of some processes that have not ended within a moment."""
    _, running = psutil.wait_procs(processes, timeout=POLL_SECONDS)
    return list(running)


def _running(home: Path, state: State) -> LocalServer | None:
    return None if state.version is None else _server(home, state.pid, state.port, state.version)


def _server(home: Path, pid: int, port: int, version: str) -> LocalServer:
    return LocalServer(base_url=f"http://127.0.0.1:{port}", pid=pid, home=home, version=version)
