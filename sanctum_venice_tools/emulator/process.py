"""The local Venice as a process of its own, for as long as a block of code needs it."""

import base64
import json
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sanctum_venice_tools.emulator.defaults import JOB_SECONDS, LOCAL_KEY


@dataclass(frozen=True)
class LocalVenice:
    """A local Venice that is running."""

    base_url: str
    key: str = field(repr=False)
    pid: int
    allow_faults: bool = False

    def order_fault(self, **fault: Any) -> None:
        """Queue a fault: `fault` names it, `path`, `method` and `times` say when.

        See docs/emulator.md.
        """
        if "content" in fault:
            fault["content"] = base64.b64encode(fault["content"]).decode()
        self._control("POST", fault)

    def clear_faults(self) -> None:
        """Forget the faults that have not happened yet."""
        self._control("DELETE", {})

    def _control(self, method: str, content: dict[str, Any]) -> None:
        if not self.allow_faults:
            raise RuntimeError("This local Venice was started without allow_faults.")
        url = self.base_url.removesuffix("/api/v1") + "/emulator/faults"
        request = urllib.request.Request(url, json.dumps(content).encode(), method=method)  # noqa: S310 - our own
        with urllib.request.urlopen(request, timeout=10):  # noqa: S310 - as above
            pass


@contextmanager
def running_venice(
    *,
    key: str = LOCAL_KEY,
    log: Path | None = None,
    script: Path | None = None,
    allow_faults: bool = False,
    job_seconds: float = JOB_SECONDS,
) -> Iterator[LocalVenice]:
    """Run a local Venice; it ends with the block, and with this process, however that ends."""
    command = [
        sys.executable,
        "-m",
        "sanctum_venice_tools.emulator",
        "--key",
        key,
        "--until-stdin-closes",
    ]
    command += ["--job-seconds", str(job_seconds)]
    command += ["--log", str(log)] if log else []
    command += ["--script", str(script)] if script else []
    command += ["--allow-faults"] if allow_faults else []
    pipes: Any = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen(command, **pipes, text=True) as process:  # noqa: S603 - our own
        assert process.stdout  # noqa: S101 - for mypy
        base_url = process.stdout.readline().strip()
        if not base_url:
            raise RuntimeError(f"The local Venice did not start; it ended with {process.wait()}.")
        try:
            yield LocalVenice(base_url, key, process.pid, allow_faults)
        finally:
            process.terminate()
            try:
                process.wait(5)
            except subprocess.TimeoutExpired:
                process.kill()
