"""Every shape of error that Venice's documents have, in answer to every request of every tool.

The tools are found by the folder's listing, and their requests by making the call of their own
tests once.
"""

import json
from collections.abc import Callable

import httpx
import pytest

from sanctum_venice_tools.packing.bundle import tool_files
from tests.conftest import Clock
from tests.runtime.test_venice import KEY, SHAPES
from tests.tools.recorded import Call, Tool

pytestmark = pytest.mark.slow


def fault_of(outcome: str, status: int, reason: str, advice: str, *, failed: bool) -> str:
    """What is wrong with what an agent reads of an error: one line with all of it, or a reply with the reason."""
    if not failed:
        return (
            ""
            if isinstance(json.loads(outcome), dict) and reason in outcome
            else "a reply without the reason"
        )
    is_about_content = status in {400, 422}  # of which a tool may tell in its own words
    faults = {
        "no status": f"Venice answered {status}: " not in outcome and not is_about_content,
        "no reason": reason not in outcome,
        "no advice": advice not in outcome and not outcome.partition(reason)[2].strip(" ."),
        "no sentence": not outcome.endswith("."),
        "not one line": not outcome.isprintable(),
        "too long": len(outcome) >= 1000,
        "the key": KEY in outcome,
    }
    return ", ".join(fault for fault in faults if faults[fault])


@pytest.mark.parametrize("name", tool_files())
def test_every_error_is_told(
    name: str, call: Call, load_tool: Callable[[str], Tool], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whichever request of a tool is refused, and how: status, Venice's own words and what to do, on one line."""
    monkeypatch.setenv("VENICE_API_KEY", KEY)
    tool = load_tool(name)
    faults = []
    for place in [place for place in call.replies if place[1].startswith("/api/v1/")]:
        for shape, (status, body, reason, advice) in SHAPES.items():
            refused = call.replaying(place, httpx.Response(status, json=body))
            monkeypatch.setattr(httpx.HTTPTransport, "handle_request", refused)
            call.restore_media()
            tool.__globals__["time"] = Clock()
            try:
                outcome, failed = tool(**call.arguments), False
            except tool.__globals__["VeniceError"] as error:
                outcome, failed = str(error), True
            if fault := fault_of(outcome, status, reason, advice, failed=failed):
                faults.append(f"{' '.join(place)} {shape}: {fault}: {outcome[:300]}")

    assert [] == faults, "\n".join(faults)
