"""An environment of its own, from its pins, for a program that must not mix with ours."""

import hashlib
import os
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

import uv

from sanctum_venice_tools.letta.local.errors import LocalProgramError
from sanctum_venice_tools.letta.local.logs import likely_reason
from sanctum_venice_tools.letta.local.waiting import POLL_SECONDS, Progress, Ticker, alone


@dataclass(frozen=True)
class Environment:
    """Where it is, and what is in it."""

    folder: Path
    requirements: Path
    """The pins, with their hashes."""
    name: str
    """What is installed, in the words of a sentence: "the Letta server"."""

    @property
    def python(self) -> Path:
        """Its Python."""
        return self.folder / "bin" / "python"


def install(environment: Environment, progress: Progress) -> None:
    """Make the environment, unless it is there already and from the same pins.

    Raises:
        LocalProgramError: It could not be installed.
    """
    folder = environment.folder
    lock = folder.with_name(folder.name + ".lock")
    with alone(lock, "Waiting for another installation", progress):
        digest = _digest(environment)
        stamp = folder / "installed-from"  # written last: without it the folder is not whole
        if environment.python.exists() and stamp.exists() and stamp.read_text() == digest:
            return
        _remove(folder, progress)
        _install_packages(environment, progress)
        stamp.write_text(digest)


def _digest(environment: Environment) -> str:
    """Names what the environment is made from: the pins and the Python."""
    made_from = environment.requirements.read_bytes() + f"{sys.version_info[:2]}".encode()
    return hashlib.sha256(made_from).hexdigest()


def _remove(folder: Path, progress: Progress) -> None:
    if not folder.exists():
        return
    if not (folder / "pyvenv.cfg").exists() and any(folder.iterdir()):
        raise LocalProgramError(
            f"{folder} is not an environment of ours; name another folder or remove it"
        )
    progress(f"Removing the earlier {folder.name} ...")
    shutil.rmtree(folder)


def _install_packages(environment: Environment, progress: Progress) -> None:
    program = uv.find_uv_bin()
    pins = environment.requirements
    count = sum("==" in line for line in pins.read_text().splitlines())
    packages = "1 package" if count == 1 else f"{count} packages"
    doing = f"Installing {environment.name} ({packages})"
    make = ["venv", "--python", sys.executable, str(environment.folder)]
    fill = ["pip", "install", "--python", str(environment.python), "--require-hashes"]
    fill += ["-r", str(pins)]
    log_path = environment.folder.with_name(environment.folder.name + ".log")
    ticker = Ticker(progress)
    with log_path.open("w") as log:
        for arguments in (make, fill):
            _run_watched([program, "--no-progress", *arguments], log, doing, ticker)


def _run_watched(command: list[str], log: TextIO, doing: str, ticker: Ticker) -> None:
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
        raise LocalProgramError(
            f"{doing} failed: {likely_reason(Path(log.name))} (log: {log.name})"
        )
