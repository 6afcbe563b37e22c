"""Giving agents on a real Letta server the tools, secrets and approvals, and nothing else."""

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from secrets import token_hex
from typing import Any

import pytest
from click.testing import CliRunner, Result
from letta_client import Letta
from letta_client.types import AgentState

from sanctum_venice_tools.cli.register import register_tools
from sanctum_venice_tools.emulator.process import LocalVenice

pytestmark = pytest.mark.server

Hire = Callable[..., str]


@pytest.fixture(autouse=True)
def own_tool(letta: Letta) -> None:
    """Somebody's own tool, which agents are to keep."""
    schema: dict[str, object] = {
        "name": "own_tool",
        "description": "Mine.",
        "parameters": {"type": "object", "properties": {}},
    }
    letta.tools.upsert(source_code="def own_tool() -> str:\n    return ''\n", json_schema=schema)


@pytest.fixture
def hire(letta: Letta, provider: str, registered: list[str]) -> Iterator[Hire]:
    """Make an agent that is gone with the test."""
    assert registered
    with ExitStack() as stack:

        def make(name: str, *tools: str, tags: tuple[str, ...] = (), **secrets: str) -> str:
            agent = letta.agents.create(
                name=name,
                model=f"{provider}/zai-org-glm-5-2",
                include_base_tools=False,
                tools=list(tools),
                tags=list(tags),
                secrets=secrets,
            )
            stack.callback(letta.agents.delete, agent.id)
            return agent.id

        yield make


def register(letta: Letta, *arguments: str, **environment: str) -> Result:
    """Run the command against the server."""
    runner = CliRunner(env=environment)
    return runner.invoke(register_tools, [*arguments, "--base-url", str(letta.base_url)])


def look_at(letta: Letta, agent_id: str) -> AgentState:
    """An agent with its tools and secrets."""
    return letta.agents.retrieve(agent_id, include=["agent.tools", "agent.secrets"])


def tools_of(letta: Letta, agent_id: str) -> set[str]:
    """The names of an agent's tools."""
    return {str(tool.name) for tool in look_at(letta, agent_id).tools}


def secrets_of(letta: Letta, agent_id: str) -> dict[str, str]:
    """An agent's secrets."""
    return {secret.key: secret.value for secret in look_at(letta, agent_id).secrets or []}


def asks(letta: Letta, agent_id: str) -> set[str]:
    """The tools of an agent whose calls a person approves."""
    rules = look_at(letta, agent_id).tool_rules or []
    return {rule.tool_name for rule in rules if rule.type == "requires_approval"}


def test_gives_exactly_the_tools_asked_for(letta: Letta, hire: Hire) -> None:
    """Agents, by name and by id, end with the chosen tools of ours and keep what is not ours; a second run rests."""
    scout, artist = hire("scout", "own_tool", "venice_ask_web"), hire("artist")

    first = register(
        letta, "venice_generate_image", "--agent", "scout", "--agent", artist, "--json"
    )
    second = register(letta, "venice_generate_image", "--agent", "scout", "--agent", artist)

    assert 0 == first.exit_code
    assert {"own_tool", "venice_generate_image"} == tools_of(letta, scout)
    assert {"venice_generate_image"} == tools_of(letta, artist)
    by_name = {agent["name"]: agent for agent in json.loads(first.stdout)["agents"]}
    assert ["venice_ask_web"] == by_name["scout"]["detach"]
    assert "Nothing to change" in second.stdout


def test_finds_agents_by_tag(letta: Letta, hire: Hire) -> None:
    """--agent-tag means every agent with the tag, and no other."""
    tagged, other = hire("one", tags=("field",)), hire("two")

    register(letta, "venice_ask_web", "--agent-tag", "field")

    assert {"venice_ask_web"} == tools_of(letta, tagged)
    assert set() == tools_of(letta, other)


def test_refuses_a_name_that_two_agents_have(letta: Letta, hire: Hire) -> None:
    """A name of two agents is wrong usage; the error lists their ids, and nothing is changed."""
    twins = [hire("twin"), hire("twin")]

    result = register(letta, "--agent", "twin")

    assert 2 == result.exit_code
    assert all(twin in result.stderr for twin in twins)


@pytest.mark.parametrize(
    "named", ["nobody", "agent-smith", "agent-00000000-0000-4000-8000-000000000000"]
)
def test_refuses_an_agent_that_is_not_there(letta: Letta, named: str) -> None:
    """An agent that does not exist is wrong usage."""
    result = register(letta, "--agent", named)

    assert 2 == result.exit_code
    assert named in result.stderr


def test_sets_a_secret_beside_the_others(letta: Letta, hire: Hire) -> None:
    """A secret from the environment replaces the old one, which is said; others stay, and no value is shown."""
    scout = hire("scout", DATABASE="postgres://them", VENICE_API_KEY="old-value")

    result = register(
        letta,
        "venice_ask_web",
        "--agent",
        "scout",
        "--secret",
        "VENICE_API_KEY",
        VENICE_API_KEY="new-value",
    )

    assert {"DATABASE": "postgres://them", "VENICE_API_KEY": "new-value"} == secrets_of(
        letta, scout
    )
    assert "replace the agent's own VENICE_API_KEY" in " ".join(result.stdout.split())
    assert "value" not in result.output


def test_keeps_an_empty_secret(letta: Letta, hire: Hire) -> None:
    """A server that encrypts tells an empty secret from one that it hides: it stays what it is."""
    scout = hire("scout", OTHER="", VENICE_API_KEY="old-value")
    done = register(
        letta,
        "venice_ask_web",
        "--agent",
        "scout",
        "--secret",
        "VENICE_API_KEY",
        VENICE_API_KEY="new-value",
    )

    assert 0 == done.exit_code
    assert {"OTHER": "", "VENICE_API_KEY": "new-value"} == secrets_of(letta, scout)


def test_reads_a_secret_from_the_environment_only(letta: Letta, hire: Hire) -> None:
    """A secret on the command line is refused without being repeated; so is one that is nowhere."""
    hire("scout")

    written = register(letta, "--agent", "scout", "--secret", "VENICE_API_KEY=very-secret")
    missing = register(letta, "--agent", "scout", "--secret", "VENICE_SPARE_KEY")

    assert (2, 2) == (written.exit_code, missing.exit_code)
    assert "very-secret" not in written.output
    assert "VENICE_SPARE_KEY is not set here" in missing.stderr


def test_gives_agents_their_own_approvals(letta: Letta, hire: Hire) -> None:
    """An agent that has a tool already gets its approval, keeps those of a person, and loses them only if told."""
    scout = hire("scout", "venice_ask_web", "venice_generate_image")
    letta.agents.tools.update_approval(
        "venice_ask_web", agent_id=scout, body_requires_approval=True
    )
    chosen = ["venice_ask_web", "venice_generate_image", "--agent", "scout"]

    register(letta, *chosen)
    untouched = asks(letta, scout)
    register(letta, *chosen, "--approve", "venice_generate_image")
    exact = asks(letta, scout)
    register(letta, *chosen, "--approve", "all")

    assert {"venice_ask_web"} == untouched
    assert {"venice_generate_image"} == exact
    assert {"venice_ask_web", "venice_generate_image"} == asks(letta, scout)


def test_takes_the_approval_away_with_the_tool(letta: Letta, hire: Hire) -> None:
    """Letta keeps the rule of a tool that is detached; it goes too, so that it does not come back with the tool."""
    scout = hire("scout", "venice_ask_web", "venice_generate_image")
    letta.agents.tools.update_approval(
        "venice_generate_image", agent_id=scout, body_requires_approval=True
    )

    register(letta, "venice_ask_web", "--agent", "scout")

    assert set() == asks(letta, scout)


def test_an_agent_does_not_begin_with_a_tool_that_it_lacks(letta: Letta, hire: Hire) -> None:
    """Letta would force a call of it, and each message would end with 400: the rule goes with the tool."""
    scout = hire("scout", "venice_ask_web", "venice_generate_image")
    letta.agents.update(
        scout, tool_rules=[{"type": "run_first", "tool_name": "venice_generate_image"}]
    )

    result = register(letta, "venice_ask_web", "--agent", "scout", "--json")

    (change,) = json.loads(result.stdout)["agents"]
    assert ["venice_generate_image"] == change["no_longer_first"]
    assert [] == look_at(letta, scout).tool_rules


NEXT: list[dict[str, Any]] = [
    {"type": "constrain_child_tools", "children": ["venice_speak"]},
    {"type": "parent_last_tool", "children": ["venice_speak"]},
    {"type": "conditional", "child_output_mapping": {"done": "venice_speak"}},
]


@pytest.mark.parametrize("follows", NEXT, ids=[rule["type"] for rule in NEXT])
def test_no_call_is_forced_for_want_of_the_tool_that_was_to_follow(
    letta: Letta, hire: Hire, follows: dict[str, Any]
) -> None:
    """Letta would have the model call an only tool again and again, up to 50 times: the rule goes with the tools."""
    scout = hire("scout", "venice_generate_image", "venice_speak")
    rule: Any = {"tool_name": "venice_generate_image", **follows}
    letta.agents.update(scout, tool_rules=[rule])

    result = register(letta, "venice_generate_image", "--agent", "scout", "--json")

    (change,) = json.loads(result.stdout)["agents"]
    assert ["venice_generate_image"] == change["no_longer_followed"]
    assert [] == look_at(letta, scout).tool_rules


def test_an_agent_uses_the_new_tool_at_once(letta: Letta, hire: Hire, venice: LocalVenice) -> None:
    """An agent that holds an old copy needs nothing: it has the tool by its id, which stays when it is written."""
    scout = hire(
        "scout",
        "venice_find_characters",
        VENICE_API_KEY=venice.key,
        VENICE_BASE_URL=venice.base_url,
    )
    (tool,) = letta.tools.list(names=["venice_find_characters"])
    old = (tool.source_code or "").replace(
        "@_read_as_meant\ndef venice_find_characters(",
        'def venice_find_characters(**_):\n    return "old"\n\n\ndef not_any_more(',
        1,
    )
    letta.tools.update(tool.id, source_code=old)

    before = ask(letta, scout)
    register(letta, "venice_find_characters")
    after = ask(letta, scout)

    assert "old" == before
    assert json.loads(after)["characters"]


def ask(letta: Letta, agent_id: str) -> str:
    """What the tool gives back when the agent is asked about characters."""
    reply = letta.agents.messages.create(
        agent_id, messages=[{"role": "user", "content": "Which character knows philosophy?"}]
    )
    (result,) = [
        message for message in reply.messages if message.message_type == "tool_return_message"
    ]
    return str(result.tool_return)


def test_secrets_are_not_in_the_clear(letta: Letta, hire: Hire) -> None:
    """The database of the local server holds no secret of an agent as it is, and its key is for the owner alone."""
    secret = f"marked-{token_hex(8)}"
    agent = hire("keeper", VENICE_API_KEY=secret)
    told: Any = letta.post(
        "/v1/tools/run",
        cast_to=object,
        body={
            "name": "where",
            "source_code": "def where() -> str:\n    import os\n    return os.environ['LETTA_DIR']\n",
            "json_schema": {"name": "where", "parameters": {"type": "object", "properties": {}}},
            "args": {},
        },
    )
    home = Path(told["tool_return"]).parents[1]
    files = [path for path in (home / "postgres").rglob("*") if path.is_file()]

    assert secret == secrets_of(letta, agent)["VENICE_API_KEY"]
    assert any(b"keeper" in path.read_bytes() for path in files)
    assert not any(secret.encode() in path.read_bytes() for path in files)
    assert 0o600 == (home / "encryption-key").stat().st_mode & 0o777
    assert 0 == (home / "home").stat().st_mode & 0o077
