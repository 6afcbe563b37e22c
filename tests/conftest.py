"""What all tests stand on: no real key, no real server, and tools that are what ships: their emitted texts."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from sanctum_venice_tools.emulator.process import LocalVenice, running_venice
from sanctum_venice_tools.packing.bundle import bundle, tool_files

SHARED = Path(__file__).resolve().parents[2] / "shared"
"""Venice's own published documents, where they lie beside the project."""


@pytest.fixture(autouse=True)
def own_surroundings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Keep the environment of whoever runs the tests out of them, and their files in a folder of their own."""
    for name in [name for name in os.environ if name.startswith(("VENICE_", "LETTA_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("VENICE_MEDIA_DIR", str(tmp_path / "media"))


@pytest.fixture(scope="session")
def texts() -> dict[str, str]:
    """The emitted text of every tool, by name."""
    return {name: bundle(path) for name, path in tool_files().items()}


@pytest.fixture
def load_tool(texts: dict[str, str]) -> Callable[[str], Callable[..., str]]:
    """Give a tool's function out of its emitted text, in fresh globals as in a fresh process."""

    def load(name: str) -> Callable[..., str]:
        space: dict[str, Any] = {"__name__": name}
        exec(compile(texts[name], f"{name}.py", "exec"), space)  # noqa: S102  # what ships is what is tested
        tool: Callable[..., str] = space[name]
        return tool

    return load


@pytest.fixture(scope="session")
def venice(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalVenice]:
    """The local Venice, over a real socket, with faults to order; its log is `venice.jsonl` beside it."""
    with running_venice(log=tmp_path_factory.mktemp("venice") / "venice.jsonl", allow_faults=True) as running:
        yield running
