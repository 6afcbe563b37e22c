"""The fast sandbox of a real Letta server: made without network or pip, quicker, and taken back."""

import json
import statistics
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from letta_client import Letta

from sanctum_venice_tools.cli.register import register_tools
from sanctum_venice_tools.emulator.process import LocalVenice
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
    letta.patch(f"/v1/sandbox-config/{config['id']}", cast_to=object, body={"config": config["config"]})


def run(letta: Letta, venice: LocalVenice) -> tuple[float, dict[str, Any]]:
    """How long a call of a tool takes in the server's sandbox, and what it gives."""
    record = read_record(NAME)
    body = {
        "name": NAME,
        "source_code": record.source_code,
        "json_schema": record.json_schema,
        "args": {"query": "philosophy"},
        "env_vars": {"VENICE_API_KEY": venice.key, "VENICE_BASE_URL": venice.base_url},
    }
    start = time.monotonic()
    result: Any = letta.post("/v1/tools/run", cast_to=object, body=body)
    return time.monotonic() - start, dict(result)


def median_seconds(letta: Letta, venice: LocalVenice) -> float:
    """What a call takes, as a rule."""
    return statistics.median(run(letta, venice)[0] for _ in range(3))


def test_is_quicker_and_can_be_taken_back(letta: Letta, venice: LocalVenice, sandbox: Path) -> None:
    """Calls give the same in less time; --no-fast-sandbox brings back what was, and leaves no file."""
    default, answer = median_seconds(letta, venice), run(letta, venice)[1]["tool_return"]

    made = register(letta, "--fast-sandbox", "--json")
    fast, fast_answer = median_seconds(letta, venice), run(letta, venice)[1]["tool_return"]
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


def test_goes_back_when_tools_would_not_run(letta: Letta, sandbox: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A venv in which httpx can't be imported is not used: the server keeps the sandbox that it had."""
    monkeypatch.setattr("sanctum_venice_tools.letta.sandbox._PACKAGE", "pip")

    result = register(letta, "--fast-sandbox")

    assert 3 == result.exit_code
    assert "No module named 'httpx'" in result.stderr
    assert "speed up" == plan_sandbox(letta, fast=True).action
    assert sandbox.is_dir()
