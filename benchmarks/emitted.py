"""A tool's emitted text in a process of its own, and the same requests sent by plain httpx."""

import json
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.measuring import Run, python_program, run_program
from sanctum_venice_tools.emulator.process import LocalVenice, running_venice
from sanctum_venice_tools.packing.bundle import bundle, tool_files

_BARE = Path(__file__).with_name("bare_requests.py")

_CALL = "\n\nimport json\n\nprint({name}(**json.load(sys.stdin)))\n"


@dataclass(frozen=True)
class Workplace:
    """A local Venice, and a folder for what is made."""

    venice: LocalVenice
    folder: Path

    @property
    def settings(self) -> dict[str, str]:
        """What tells a tool of them."""
        return {
            "VENICE_API_KEY": self.venice.key,
            "VENICE_BASE_URL": self.venice.base_url,
            "VENICE_MEDIA_DIR": str(self.media),
        }

    @property
    def media(self) -> Path:
        """The media folder; it is there, for tools keep nothing where there is none."""
        return self.folder / "media"

    @property
    def log(self) -> Path:
        """Each request that Venice got."""
        return _log_in(self.folder)

    def run_tool(
        self, name: str, arguments: Mapping[str, Any], settings: Mapping[str, str] | None = None
    ) -> Run:
        """Call a tool as a program: its emitted text, below it the call."""
        script = self.folder / f"{name}.py"
        script.write_text(bundle(tool_files()[name]) + _CALL.format(name=name), encoding="utf-8")
        return run_program(
            python_program(str(script)),
            sent=json.dumps(dict(arguments)),
            settings=self.settings | dict(settings or {}),
        )

    def run_logged(
        self, name: str, arguments: Mapping[str, Any], settings: Mapping[str, str] | None = None
    ) -> tuple[Run, list[dict[str, Any]]]:
        """Call a tool, and look up in the log what it asked of Venice."""
        before = len(self._logged())
        run = self.run_tool(name, arguments, settings)
        return run, self._logged()[before:]

    def send_bare(self, requests: list[dict[str, Any]]) -> Run:
        """Send requests by a program that does nothing else."""
        return run_program(
            python_program(str(_BARE)), sent=json.dumps(requests), settings=self.settings
        )

    def _logged(self) -> list[dict[str, Any]]:
        """The lines of the log."""
        return [json.loads(line) for line in self.log.read_text(encoding="utf-8").splitlines()]


@contextmanager
def workplace() -> Iterator[Workplace]:
    """A local Venice whose jobs are done at once, for as long as a block takes."""
    with (
        tempfile.TemporaryDirectory() as folder,
        running_venice(log=_log_in(Path(folder)), allow_faults=True, job_seconds=0) as venice,
    ):
        place = Workplace(venice, Path(folder))
        place.media.mkdir()
        yield place


def _log_in(folder: Path) -> Path:
    return folder / "requests.jsonl"
