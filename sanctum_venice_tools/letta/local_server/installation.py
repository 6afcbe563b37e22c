"""The environment of the server: its own Python packages, installed from their pins."""

import hashlib
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import TextIO

import uv

from sanctum_venice_tools.letta.local_server.errors import LocalServerError
from sanctum_venice_tools.letta.local_server.server_log import reason_of
from sanctum_venice_tools.letta.local_server.waiting import POLL_SECONDS, Progress, Ticker, alone

ENVIRONMENT = Path(
    os.environ.get("SANCTUM_LETTA_ENVIRONMENT") or ".local/letta-environment"
).absolute()

_REQUIREMENTS = Path(__file__).with_name("requirements.txt")
_PYTHONS = ((3, 11), (3, 14))  # Letta 0.16.8 declares >=3.11,<3.14


def install(progress: Progress) -> Path:
    """Install the server's environment where it is missing or made from other pins; return its Python."""
    python = ENVIRONMENT / "bin" / "python"
    with alone(
        ENVIRONMENT.with_name(ENVIRONMENT.name + ".lock"),
        "Waiting for another installation",
        progress,
    ):
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
        raise LocalServerError(
            f"{ENVIRONMENT} is not an environment of ours; name another folder or remove it"
        )
    progress("Removing the earlier Letta environment ...")
    shutil.rmtree(ENVIRONMENT)


def _install_packages(python: Path, progress: Progress) -> None:

    program = uv.find_uv_bin()
    count = sum("==" in line for line in _REQUIREMENTS.read_text().splitlines())
    log_path = ENVIRONMENT.with_name(ENVIRONMENT.name + ".log")
    packages = [
        "pip",
        "install",
        "--python",
        str(python),
        "--require-hashes",
        "-r",
        str(_REQUIREMENTS),
    ]
    doing = f"Installing the Letta server ({count} packages)"
    ticker = Ticker(progress)
    with log_path.open("w") as log:
        for arguments in (["venv", "--python", sys.executable, str(ENVIRONMENT)], packages):
            _run_watched([program, "--no-progress", *arguments], log, doing, ticker)


def _run_watched(command: list[str], log: TextIO, doing: str, ticker: "Ticker") -> None:
    """Run a program to its end, saying every second that it still runs."""
    # uv heeds the user's settings (index, proxy, cache), but a package that it builds must not find
    # other modules.
    surroundings = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    surroundings["UV_PYTHON_DOWNLOADS"] = "never"
    # A company's own certificate authority is trusted, as by pip.
    surroundings.setdefault("UV_SYSTEM_CERTS", "true")
    process = subprocess.Popen(  # noqa: S603  # uv, with arguments of our own
        command, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT, env=surroundings
    )
    try:
        while process.poll() is None:
            ticker.tick(doing)
            time.sleep(POLL_SECONDS)
    finally:
        if process.poll() is None:
            process.terminate()
        process.wait()
    if process.returncode != 0:
        raise LocalServerError(f"{doing} failed: {reason_of(Path(log.name))} (log: {log.name})")
