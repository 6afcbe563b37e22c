"""The set-up of the fast sandbox: a text that a Letta server runs as it runs tools."""

import json

import respx
from letta_client import Letta

from sanctum_venice_tools.letta.sandbox import apply_sandbox, plan_sandbox
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
