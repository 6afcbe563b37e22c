"""The fast sandbox of a real Letta server: made without network or pip, quicker, and taken back."""

import json
import shutil
import statistics
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from click.testing import CliRunner, Result
from letta_client import Letta

from sanctum_venice_tools.cli.register import register_tools
from sanctum_venice_tools.emulator.process import LocalVenice
from sanctum_venice_tools.letta.local_server import LocalServer
from sanctum_venice_tools.letta.sandbox import VENV, plan_sandbox
from sanctum_venice_tools.packing.record import read_record

pytestmark = pytest.mark.server

NAME = "venice_find_characters"


def register(letta: Letta, *arguments: str) -> Result:
    """Run the command against the server."""
    return CliRunner().invoke(register_tools, [NAME, *arguments, "--base-url", str(letta.base_url)])


@pytest.fixture
def sandbox(letta: Letta) -> Iterator[Path]:
    """The folder that the server runs tools in; the sandbox is as it was when the test ends."""
    config: Any = letta.post("/v1/sandbox-config/local/default", cast_to=object)
    yield Path(config["config"]["sandbox_dir"])
    letta.patch(
        f"/v1/sandbox-config/{config['id']}", cast_to=object, body={"config": config["config"]}
    )


def run(letta: Letta, venice: LocalVenice) -> str:
    """What a call of a tool gives in the server's sandbox."""
    record = read_record(NAME)
    body = {
        "name": NAME,
        "source_code": record.source_code,
        "json_schema": record.json_schema,
        "args": {"query": "philosophy"},
        "env_vars": {"VENICE_API_KEY": venice.key, "VENICE_BASE_URL": venice.base_url},
    }
    result: Any = letta.post("/v1/tools/run", cast_to=object, body=body)
    return str(result["tool_return"])


def median_seconds(letta: Letta, venice: LocalVenice, server: LocalServer) -> float:
    """The processor's time that the process of a call takes, as a rule: others may keep the machine busy meanwhile."""
    taken = []
    for _ in range(3):
        before = seconds_of_children(server)
        run(letta, venice)
        taken.append(seconds_of_children(server) - before)
    return statistics.median(taken)


def seconds_of_children(server: LocalServer) -> float:
    """The processor's time that all processes of the server took that have ended."""
    times = psutil.Process(server.pid).cpu_times()
    return float(times.children_user + times.children_system)


def test_is_quicker_and_can_be_taken_back(
    letta: Letta, letta_server: LocalServer, venice: LocalVenice, sandbox: Path
) -> None:
    """Calls give the same in less time; --no-fast-sandbox brings back what was, and leaves no file."""
    default, answer = median_seconds(letta, venice, letta_server), run(letta, venice)

    made = register(letta, "--fast-sandbox", "--json")
    fast, fast_answer = median_seconds(letta, venice, letta_server), run(letta, venice)
    again = register(letta, "--fast-sandbox", "--json")
    was_there = (sandbox / VENV).is_dir()
    taken_back = register(letta, "--no-fast-sandbox", "--json")

    ends = [json.loads(result.stdout)["sandbox"]["action"] for result in (made, again, taken_back)]
    assert ["speed up", "unchanged", "slow down"] == ends
    assert json.loads(answer)["characters"] == json.loads(fast_answer)["characters"]
    assert fast < default * 0.7
    assert was_there
    assert not (sandbox / VENV).exists()
    assert "unchanged" == plan_sandbox(letta, fast=False).action


def test_is_made_again_when_it_is_gone(letta: Letta, venice: LocalVenice, sandbox: Path) -> None:
    """Where somebody removed the venv, so that every tool fails, the next run makes it again."""
    register(letta, "--fast-sandbox")
    shutil.rmtree(sandbox / VENV)
    broken = run(letta, venice)
    made = register(letta, "--fast-sandbox", "--json")
    whole = run(letta, venice)
    again = register(letta, "--fast-sandbox", "--json")
    register(letta, "--no-fast-sandbox")

    ends = [json.loads(result.stdout)["sandbox"]["action"] for result in (made, again)]
    assert (["speed up", "unchanged"], 0) == (ends, made.exit_code), made.output
    assert "httpx" in broken
    assert json.loads(whole)["characters"]


def test_leaves_a_venv_of_others_alone(letta: Letta, sandbox: Path) -> None:
    """A sandbox that has a venv already stays as it is, whichever way is asked for."""
    config: Any = letta.post("/v1/sandbox-config/local/default", cast_to=object)
    theirs = config["config"] | {"use_venv": True, "venv_name": "theirs"}
    letta.patch(f"/v1/sandbox-config/{config['id']}", cast_to=object, body={"config": theirs})

    fast = register(letta, "--fast-sandbox")
    slow = register(letta, "--no-fast-sandbox")

    now: Any = letta.post("/v1/sandbox-config/local/default", cast_to=object)
    assert 3 == fast.exit_code
    assert "it has a venv of its own, theirs" in fast.stderr
    assert 0 == slow.exit_code
    assert theirs == now["config"]
    assert not (sandbox / VENV).exists()


def test_goes_back_when_tools_would_not_run(
    letta: Letta, sandbox: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A venv in which httpx can't be imported is not used: the server keeps the sandbox that it had."""
    monkeypatch.setattr("sanctum_venice_tools.letta.sandbox._PACKAGE", "pip")

    result = register(letta, "--fast-sandbox")

    assert 3 == result.exit_code
    assert "No module named 'httpx'" in result.stderr
    assert "speed up" == plan_sandbox(letta, fast=True).action
    assert sandbox.is_dir()
