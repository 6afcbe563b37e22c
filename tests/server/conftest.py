"""A real Letta server for the tests: installed once, with data of its own, gone with the tests."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import pytest
from letta_client import Letta

from sanctum_venice_tools.emulator.process import LocalVenice
from sanctum_venice_tools.letta import local_server
from sanctum_venice_tools.letta.local_server import LocalServer
from sanctum_venice_tools.letta.registration import apply, plan
from sanctum_venice_tools.packing.bundle import tool_files
from sanctum_venice_tools.packing.record import read_record


@pytest.fixture(scope="session")
def letta_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalServer]:
    """A real Letta server."""
    home = tmp_path_factory.mktemp("letta")
    try:
        yield local_server.start(home, tied_to_caller=True, progress=print)
    finally:
        local_server.stop(home)


@pytest.fixture(scope="session")
def letta(letta_server: LocalServer) -> Iterator[Letta]:
    """A client of the real Letta server."""
    with Letta(base_url=letta_server.base_url, timeout=120) as client:
        yield client


@pytest.fixture
def registered(letta: Letta) -> list[str]:
    """The names of the tools, as they are on the server once they are registered."""
    records = [read_record(name) for name in tool_files()]
    done = apply(letta, plan(letta, records, "local"), "local")
    assert [None] * len(done) == [change.problem for change in done]
    return [record.name for record in records]


@contextmanager
def provider_at(letta: Letta, venice: LocalVenice) -> Iterator[str]:
    """A provider on the server that stands for a local Venice, for as long as the block runs."""
    made: Any = letta.post(
        "/v1/providers/",
        cast_to=object,
        body={
            "name": "venice-test",
            "provider_type": "openrouter",
            "api_key": venice.key,
            "base_url": venice.base_url,
        },
    )
    yield "venice-test"
    letta.delete(f"/v1/providers/{made['id']}", cast_to=object)


@pytest.fixture(scope="module")
def provider(letta: Letta, venice: LocalVenice) -> Iterator[str]:
    """A provider on the server that stands for the local Venice."""
    with provider_at(letta, venice) as name:
        yield name


def run_demo(*options: str, cwd: Path | None = None, **settings: str) -> CompletedProcess[str]:
    """Run the demo as a person would, but without a terminal."""
    return subprocess.run(
        [sys.executable, "-m", "sanctum_venice_tools.cli", "demo", *options],
        env=os.environ | settings,
        cwd=cwd,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
