"""The demo against servers of one's own; `make demo` sets up its own ones and then does the same."""

from subprocess import CompletedProcess
from typing import Any

import pytest
from letta_client import Letta

from sanctum_venice_tools.emulator.process import LocalVenice
from tests.server.conftest import run_demo

pytestmark = pytest.mark.server


def demo(letta: Letta, venice_key: str, venice_url: str) -> CompletedProcess[str]:
    """Run the demo against these servers."""
    return run_demo(
        LETTA_BASE_URL=str(letta.base_url), VENICE_API_KEY=venice_key, VENICE_BASE_URL=venice_url
    )


def test_shows_an_agent_using_each_tool(letta: Letta, venice: LocalVenice) -> None:
    """It says what it will spend, then shows each call with its arguments, result and time, and tidies up."""
    result = demo(letta, venice.key, venice.base_url)

    assert "" == result.stderr
    assert 0 == result.returncode
    assert result.stdout.startswith(f"This uses your VENICE_API_KEY at {venice.base_url}")
    tools = ("ask_web", "generate_image", "quote_video", "find_characters")
    for sign in (*(f"→ venice_{tool}(" for tool in tools), "← after ", "s in all)"):
        assert sign in result.stdout
    assert venice.key not in result.stdout
    providers: Any = letta.get("/v1/providers/", cast_to=object)
    assert [] == [
        agent.name for agent in letta.agents.list() if (agent.name or "").startswith("venice-demo")
    ]
    assert [] == [each["name"] for each in providers if each["name"].startswith("venice-demo")]


def test_the_tools_of_a_server_stay_as_they_are(
    letta: Letta, venice: LocalVenice, registered: list[str]
) -> None:
    """Approvals that an operator has set, and texts by another hand, stay; the demo's own agent does not ask."""
    for tool in letta.tools.list(names=registered):
        letta.tools.update(tool.id, default_requires_approval=True)
    (edited,) = letta.tools.list(names=["venice_ask_web"])
    letta.tools.update(edited.id, source_code=f"{edited.source_code}# by hand\n")
    before = [tool.model_dump() for tool in letta.tools.list(names=registered)]

    result = demo(letta, venice.key, venice.base_url)

    assert (0, "") == (result.returncode, result.stderr)
    assert 4 <= result.stdout.count("← after ")
    assert before == [tool.model_dump() for tool in letta.tools.list(names=registered)]


def test_a_refused_key_ends_it_in_one_line(letta: Letta, venice: LocalVenice) -> None:
    """A key that Venice refuses gets one line that says so, without the key or a traceback."""
    result = demo(letta, "not-the-key-1234", venice.base_url)

    assert 1 == result.returncode
    assert result.stderr.startswith("Error: ")
    assert 1 == len(result.stderr.splitlines())
    assert "Authentication failed" in result.stderr
    assert "not-the-key-1234" not in result.stdout + result.stderr
