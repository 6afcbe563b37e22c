"""Letta's App Server, Letta Code without a terminal, for as long as a block of code needs it."""

import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from sanctum_venice_tools.letta.letta_code.program import LettaCode
from sanctum_venice_tools.letta.local.errors import LocalProgramError
from sanctum_venice_tools.letta.local.logs import likely_reason, rotated_log
from sanctum_venice_tools.letta.local.waiting import POLL_SECONDS, Progress, Ticker

_START_SECONDS = 60
_STOP_SECONDS = 20


@contextmanager
def running_app_server(
    code: LettaCode,
    folder: Path,
    log_path: Path,
    progress: Progress = lambda _: None,
    *,
    port: int | None = None,
) -> Iterator[str]:
    """Run an App Server at 127.0.0.1, and hand over the address of its socket.

    Args:
        code: The Letta Code that it is of.
        folder: What it works in.
        log_path: Its log; the one before is kept.
        progress: Gets a line each second while something is going on.
        port: The port; a free one when left out.

    Raises:
        LocalProgramError: It did not start.
    """
    port = port or _free_port()
    with rotated_log(log_path) as log:
        process = subprocess.Popen(  # noqa: S603  # Letta Code's own program, and no shell
            code.command("server", "--listen", f"ws://127.0.0.1:{port}"),
            env=dict(code.environment),
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )
    try:
        _wait_until_ready(process, port, log_path, progress)
        yield f"ws://127.0.0.1:{port}/ws"
    finally:
        _end(process)


def _free_port() -> int:
    """A port that nobody has at this moment: the App Server takes no socket that is open."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
    return port


def _wait_until_ready(
    process: subprocess.Popen[bytes], port: int, log: Path, progress: Progress
) -> None:
    ticker = Ticker(progress)
    while not _is_ready(port):
        if process.poll() is not None:
            raise LocalProgramError(
                f"The App Server ended at its start: {likely_reason(log)} (log: {log})"
            )
        if ticker.seconds > _START_SECONDS:
            raise LocalProgramError(
                f"The App Server did not answer in {_START_SECONDS} s (log: {log})"
            )
        ticker.tick("Starting Letta's App Server")
        time.sleep(POLL_SECONDS)


def _is_ready(port: int) -> bool:
    try:
        return httpx.get(f"http://127.0.0.1:{port}/readyz", timeout=2, trust_env=False).is_success
    except httpx.HTTPError:
        return False


def _end(process: subprocess.Popen[bytes]) -> None:
    """End it; by force only when it does not end by itself."""
    process.terminate()
    try:
        process.wait(_STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
