"""The set-up of the fast sandbox: a text that a Letta server runs as it runs tools."""

import json

import respx
from letta_client import Letta

from sanctum_venice_tools.letta.sandbox import VENV, apply_sandbox, plan_sandbox
from sanctum_venice_tools.packing.layout import GUARD

LETTA = "https://letta.test"
CONFIG = {"id": "sandbox-1", "config": {"sandbox_dir": "/tools", "use_venv": False}}


def test_the_set_up_does_not_load_lettas_server(respx_mock: respx.Router) -> None:
    """It takes texts, so it has the guard line of tools: without that it takes three seconds more."""
    respx_mock.get(f"{LETTA}/v1/sandbox-config/").respond(json=[CONFIG])
    respx_mock.patch(f"{LETTA}/v1/sandbox-config/sandbox-1").respond(json=CONFIG)
    runs = respx_mock.post(f"{LETTA}/v1/tools/run").respond(json={"status": "success"})
    letta = Letta(base_url=LETTA)

    done = apply_sandbox(letta, plan_sandbox(letta, fast=True))

    set_up, _probe = [json.loads(call.request.content) for call in runs.calls]
    assert done.problem is None
    assert set_up["args"]
    assert set_up["source_code"].startswith(f"import sys\n\n{GUARD}")


def test_a_venv_that_is_gone_is_made_again(respx_mock: respx.Router) -> None:
    """Where tools no longer run in the fast sandbox, the server's own Python makes its venv anew."""
    fast = {**CONFIG, "config": {"sandbox_dir": "/tools", "use_venv": True, "venv_name": VENV}}
    respx_mock.get(f"{LETTA}/v1/sandbox-config/").respond(json=[fast])
    writes = respx_mock.patch(f"{LETTA}/v1/sandbox-config/sandbox-1").respond(json=fast)
    runs = respx_mock.post(f"{LETTA}/v1/tools/run")
    runs.respond(json={"status": "error", "tool_return": "No module named 'httpx'"})
    letta = Letta(base_url=LETTA)

    planned = plan_sandbox(letta, fast=True)
    runs.respond(json={"status": "success"})
    done = apply_sandbox(letta, planned)

    assert ("speed up", None) == (done.action, done.problem)
    written = [json.loads(call.request.content)["config"] for call in writes.calls]
    assert [False, True] == [config["use_venv"] for config in written]


def test_a_venv_that_works_is_left(respx_mock: respx.Router) -> None:
    """Where tools run in the fast sandbox, nothing is to be done."""
    fast = {**CONFIG, "config": {"sandbox_dir": "/tools", "use_venv": True, "venv_name": VENV}}
    respx_mock.get(f"{LETTA}/v1/sandbox-config/").respond(json=[fast])
    respx_mock.post(f"{LETTA}/v1/tools/run").respond(json={"status": "success"})

    assert "unchanged" == plan_sandbox(Letta(base_url=LETTA), fast=True).action
