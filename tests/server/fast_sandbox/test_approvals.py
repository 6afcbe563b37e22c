"""The conversation about a call that needs approval, on a real Letta server with a model at the local Venice."""

from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from letta_client import Letta

from sanctum_venice_tools.cli.register import register_tools
from sanctum_venice_tools.emulator.process import LocalVenice
from tests.conftest import kept_in

pytestmark = pytest.mark.server


@pytest.fixture
def paused(letta: Letta, provider: str, venice: LocalVenice, tmp_path: Path) -> Any:
    """An agent that was asked for a picture and waits for a person, and the call that it waits with."""
    agent = letta.agents.create(
        name="artist",
        model=f"{provider}/zai-org-glm-5-2",
        include_base_tools=False,
        secrets={
            "VENICE_API_KEY": venice.key,
            "VENICE_BASE_URL": venice.base_url,
            "VENICE_MEDIA_DIR": str(tmp_path / "media"),
        },
    )
    chosen = ["venice_generate_image", "--approve", "all", "--agent", agent.id]
    registered = CliRunner().invoke(register_tools, [*chosen, "--base-url", str(letta.base_url)])
    assert 0 == registered.exit_code
    asked: Any = letta.agents.messages.create(
        agent.id, messages=[{"role": "user", "content": "Please draw a picture of a fox"}]
    )
    yield agent.id, asked
    letta.agents.delete(agent.id)


def decide(letta: Letta, paused: Any, *, approve: bool, reason: str | None = None) -> Any:
    """Answer for the person, and give the result of the call."""
    agent_id, asked = paused
    call = asked.messages[-1].tool_call.tool_call_id
    reply: Any = letta.agents.messages.create(
        agent_id,
        messages=[
            {
                "type": "approval",
                "approvals": [
                    {"type": "approval", "approve": approve, "tool_call_id": call, "reason": reason}
                ],
            }
        ],
    )
    assert "end_turn" == reply.stop_reason.stop_reason
    assert "assistant_message" == reply.messages[-1].message_type
    (result,) = [
        message for message in reply.messages if message.message_type == "tool_return_message"
    ]
    return result


def test_the_conversation_pauses_before_the_call(paused: Any, tmp_path: Path) -> None:
    """The agent stops with the call that it wants to make, and nothing has been made."""
    _, asked = paused

    assert "requires_approval" == asked.stop_reason.stop_reason
    assert "approval_request_message" == asked.messages[-1].message_type
    assert "venice_generate_image" == asked.messages[-1].tool_call.name
    assert not (tmp_path / "media").exists()


def test_an_approved_call_runs(letta: Letta, paused: Any, tmp_path: Path) -> None:
    """Once approved, the picture is made and the agent speaks about it."""
    result = decide(letta, paused, approve=True)

    assert "success" == result.status
    assert 1 == len(kept_in(tmp_path / "media"))


def test_a_denied_call_does_not_run(letta: Letta, paused: Any, tmp_path: Path) -> None:
    """Once denied, nothing is made, and the agent is told why."""
    result = decide(letta, paused, approve=False, reason="Too dear today.")

    assert "error" == result.status
    assert "Too dear today." in result.tool_return
    assert not (tmp_path / "media").exists()
