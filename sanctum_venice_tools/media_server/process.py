"""The media server as a process of its own, for as long as a block of code needs it."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class RunningMediaServer:
    """A media server that is running."""

    address: str
    gallery: str = field(repr=False)
    """The address that lets a person in: it has the token."""
    pid: int

    @property
    def token(self) -> str:
        """What lets a tool in."""
        return self.gallery.rpartition("=")[2]


@contextmanager
def running_media_server(folder: Path, *options: str) -> Iterator[RunningMediaServer]:
    """Run a media server; it ends with the block, and with this process, however that ends."""
    command = [sys.executable, "-m", "sanctum_venice_tools.cli", "media", "--folder", str(folder)]
    command += ["--port", "0", "--until-stdin-closes", *options]
    pipes: Any = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen(command, **pipes, text=True) as process:  # noqa: S603 - our own
        assert process.stdout  # noqa: S101 - for mypy
        told = [process.stdout.readline().strip() for _ in range(2)]
        if not all(told):
            raise RuntimeError(f"The media server did not start; it ended with {process.wait()}.")
        address, gallery = (line.split()[-1] for line in told)
        try:
            yield RunningMediaServer(address, gallery, process.pid)
        finally:
            process.terminate()
            try:
                process.wait(5)
            except subprocess.TimeoutExpired:
                process.kill()
