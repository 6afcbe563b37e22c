"""Ready-made agents on a real Letta server: imported by our command and by Letta's own route, and talked with."""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from letta_client import Letta
from letta_client.types import AgentState

from sanctum_venice_tools.cli.agents import agents
from sanctum_venice_tools.emulator.process import LocalVenice
from sanctum_venice_tools.letta.provider import COMPACTION
from sanctum_venice_tools.letta.ready_agents import agent_names, read_ready_agent
from sanctum_venice_tools.letta.ready_agents.agent_file import MODEL
from sanctum_venice_tools.packing.record import read_record

pytestmark = pytest.mark.server

COMMITTED = Path(__file__).resolve().parents[3] / "agents"
NAMES = agent_names()
MEMORY_TOOLS = {"conversation_search", "memory_insert", "memory_replace"}


@pytest.fixture(autouse=True)
def empty(letta: Letta) -> Iterator[None]:
    """A server that has neither agents nor tools of ours, before and after."""

    def clear() -> None:
        for agent in list(letta.agents.list(limit=100)):
            letta.agents.delete(agent.id)
        for tool in list(letta.tools.list(search="venice_", limit=100)):
            letta.tools.delete(tool.id)

    clear()
    yield
    clear()


def command(letta: Letta, venice: LocalVenice, *arguments: str) -> Result:
    """Import an agent by our command, with no other setting of ours than these."""
    ours = [name for name in os.environ if name.startswith(("VENICE_", "LETTA_"))]
    settings = {"VENICE_API_KEY": venice.key, "VENICE_BASE_URL": venice.base_url}
    arguments = ("import", *arguments, "--server", str(letta.base_url))
    return CliRunner(env=dict.fromkeys(ours) | settings).invoke(agents, arguments)


def by_letta(letta: Letta, name: str, **settings: Any) -> str:
    """Import the committed file of an agent as the ADE does, and give the new agent's id."""
    content = (COMMITTED / f"{name}.af").read_bytes()
    (agent_id,) = letta.agents.import_file(file=(f"{name}.af", content), **settings).agent_ids
    return agent_id


def look_at(letta: Letta, agent_id: str) -> AgentState:
    """An agent with all that tests ask for."""
    return letta.agents.retrieve(agent_id, include=["agent.tools", "agent.secrets", "agent.blocks"])


def the_agent(letta: Letta) -> AgentState:
    """The one agent that the server has."""
    (agent,) = letta.agents.list()
    return look_at(letta, agent.id)


def secrets_of(agent: AgentState) -> dict[str, str]:
    """An agent's secrets."""
    return {secret.key: secret.value for secret in agent.secrets or []}


def assert_is(agent: AgentState, name: str) -> None:
    """An agent on the server has the tools, approvals, memory and prompt of the ready-made one, and is summarised."""
    ready = read_ready_agent(name)
    asking = {tool for tool in ready.tools if read_record(tool).needs_approval}
    rules = agent.tool_rules or []
    assert {*ready.tools, *MEMORY_TOOLS} == {tool.name for tool in agent.tools}
    assert asking == {rule.tool_name for rule in rules if rule.type == "requires_approval"}
    assert {label: block.text for label, block in ready.memory.items()} == {
        block.label: block.value for block in agent.blocks
    }
    assert ready.rules in agent.system
    assert agent.compaction_settings is not None
    assert COMPACTION["mode"] == agent.compaction_settings.mode


# --- by our command ---


@pytest.mark.parametrize("name", NAMES)
def test_import_makes_the_agent(
    letta: Letta, venice: LocalVenice, provider: str, name: str
) -> None:
    """The agent has its tools, approvals, memory, the model that was named, and the key; nobody sees the key."""
    model = f"{provider}/{MODEL.id}"

    done = command(letta, venice, name, "--model", model)

    assert 0 == done.exit_code, done.output
    agent = the_agent(letta)
    assert_is(agent, name)
    assert (name, model) == (agent.name, agent.llm_config.handle)
    assert venice.key == secrets_of(agent)["VENICE_API_KEY"]
    assert venice.base_url == secrets_of(agent)["VENICE_BASE_URL"]
    assert venice.key not in done.output
    if "LETTA_BASE_URL" in read_ready_agent(name).secrets:
        assert str(letta.base_url) == secrets_of(agent)["LETTA_BASE_URL"]


def test_a_second_import_leaves_the_agent(letta: Letta, venice: LocalVenice, provider: str) -> None:
    """Run again, it says that the agent is there, and makes no other; under another name it does."""
    model = ("--model", f"{provider}/{MODEL.id}")
    command(letta, venice, "voice", *model)
    agent = the_agent(letta)

    again = command(letta, venice, "voice", *model)
    other = command(letta, venice, "voice", "--name", "Second", *model)

    told = f"agent voice ({agent.id}) is there already; it was left as it is: {letta.base_url}"
    assert (0, told) == (again.exit_code, again.stdout.strip().removesuffix("/"))
    assert 0 == other.exit_code
    assert {"voice", "Second"} == {one.name for one in letta.agents.list()}


def test_a_dry_run_makes_nothing(letta: Letta, venice: LocalVenice, provider: str) -> None:
    """--dry-run tells what would be made; the server has neither the agent nor its tools afterwards."""
    done = command(
        letta, venice, "film_maker", "--dry-run", "--json", "--model", f"{provider}/{MODEL.id}"
    )

    report = json.loads(done.stdout)
    assert (True, False) == (report["dry_run"], report["made"])
    assert {"create"} == set(report["agent"]["tools"].values())
    assert ["venice_queue_video"] == report["agent"]["approvals"]
    assert [] == [*letta.agents.list(), *letta.tools.list(search="venice_")]


def test_without_the_provider_it_says_how_to_get_it(letta: Letta, venice: LocalVenice) -> None:
    """A server that has no model of Venice ends it with one line, and nothing is made."""
    done = command(letta, venice, "voice")

    assert 2 == done.exit_code
    assert f"lists no model 'venice/{MODEL.id}'" in done.stderr
    assert "`sanctum-venice provider` puts Venice's there" in done.stderr
    assert [] == [*letta.agents.list(), *letta.tools.list(search="venice_")]


def test_a_tool_that_somebody_edited_stays(
    letta: Letta, venice: LocalVenice, provider: str
) -> None:
    """A tool that the server has in another form is neither replaced nor doubled: the agent gets that one."""
    fields = read_record("venice_speak").fields()
    fields["source_code"] += "\n# mine\n"
    edited = letta.tools.upsert(**fields)

    done = command(letta, venice, "voice", "--model", f"{provider}/{MODEL.id}")

    assert 0 == done.exit_code, done.output
    assert "Note: the server keeps its own form of venice_speak" in done.stdout
    given = {tool.name: tool for tool in the_agent(letta).tools}["venice_speak"]
    assert (edited.id, edited.source_code) == (given.id, given.source_code)
    assert 1 == len(list(letta.tools.list(name="venice_speak")))


def test_the_agent_asks_where_the_tool_no_longer_does(
    letta: Letta, venice: LocalVenice, provider: str
) -> None:
    """On a server whose operator lifted the approval of buying films, the film maker asks a person all the same."""
    fields = read_record("venice_queue_video").fields() | {"default_requires_approval": False}
    letta.tools.upsert(**fields)

    done = command(letta, venice, "film_maker", "--model", f"{provider}/{MODEL.id}")

    assert 0 == done.exit_code, done.output
    assert_is(the_agent(letta), "film_maker")
    (tool,) = letta.tools.list(name="venice_queue_video")
    assert tool.default_requires_approval is False


def test_a_tool_of_others_ends_it(letta: Letta, venice: LocalVenice, provider: str) -> None:
    """Where a tool of that name is not ours, no agent is made, and no other tool is registered."""
    schema: dict[str, object] = {
        "name": "venice_speak",
        "description": "Theirs.",
        "parameters": {"type": "object", "properties": {}},
    }
    letta.tools.upsert(source_code="def venice_speak():\n    return 1\n", json_schema=schema)

    done = command(letta, venice, "voice", "--model", f"{provider}/{MODEL.id}")

    assert 3 == done.exit_code
    assert "venice_speak" in done.stderr
    assert [] == list(letta.agents.list())
    assert ["venice_speak"] == [tool.name for tool in letta.tools.list(search="venice_")]


# --- by Letta's own route, as the ADE does it ---


@pytest.mark.parametrize("name", NAMES)
def test_the_file_imports_by_letta_s_own_route(letta: Letta, name: str) -> None:
    """The committed file makes the agent as it is, with the names of its secrets and no value."""
    agent = look_at(letta, by_letta(letta, name))

    assert_is(agent, name)
    assert f"{name}_copy" == agent.name
    assert dict.fromkeys(read_ready_agent(name).secrets, "") == secrets_of(agent)
    assert f"venice/{MODEL.id}" == agent.llm_config.handle


def test_the_file_imports_with_another_model(letta: Letta, provider: str) -> None:
    """Such an agent is as it should be, too, and it is that model which summarises it."""
    agent = look_at(letta, by_letta(letta, "voice", model=f"{provider}/zai-org-glm-5-2"))

    letta.agents.messages.create(agent.id, messages=[{"role": "user", "content": "hello"}])
    done: Any = letta.post(f"/v1/agents/{agent.id}/summarize", cast_to=object, body={})

    assert_is(agent, "voice")
    assert agent.compaction_settings is not None
    assert f"{provider}/zai-org-glm-5-2" == agent.compaction_settings.model
    assert "I am the local Venice" in done["summary"]


@pytest.mark.parametrize("name", NAMES)
def test_the_first_message_is_what_letta_would_write(letta: Letta, name: str) -> None:
    """The file's first message is Letta's own rendering of prompt and memory, but for the id and the hour."""
    agent_id = by_letta(letta, name)
    (ours,) = letta.agents.messages.list(agent_id)

    letta.agents.recompile(agent_id)

    (theirs,) = letta.agents.messages.list(agent_id)
    assert ours.content == theirs.content.partition("\n\n<memory_metadata>")[0]  # type: ignore[union-attr]


def test_letta_s_own_route_overwrites_tools(letta: Letta) -> None:
    """What docs/agents.md warns of: Letta's import puts the file's tools in the place of those of the same name."""
    fields = read_record("venice_speak").fields()
    edited = letta.tools.upsert(**fields | {"source_code": fields["source_code"] + "\n# mine\n"})

    by_letta(letta, "voice")

    (tool,) = letta.tools.list(name="venice_speak")
    assert edited.id == tool.id
    assert fields["source_code"] == tool.source_code


# --- conversations ---


def say(letta: Letta, agent_id: str, text: str) -> list[dict[str, Any]]:
    """What follows upon a message, with each call that needs it approved."""
    turn: Any = {"role": "user", "content": text}
    said: list[dict[str, Any]] = []
    while True:
        reply: Any = letta.agents.messages.create(agent_id, messages=[turn])
        said += [message.model_dump() for message in reply.messages]
        if "requires_approval" != reply.stop_reason.stop_reason:
            return said
        call_id = said[-1]["tool_call"]["tool_call_id"]
        yes = {"type": "approval", "approve": True, "tool_call_id": call_id}
        turn = {"type": "approval", "approvals": [yes]}


def kinds(said: list[dict[str, Any]]) -> list[str]:
    """The messages by kind, those that call a tool by its name."""
    return [
        f"{message['message_type']} {message['tool_call']['name']}"
        if message.get("tool_call")
        else message["message_type"]
        for message in said
    ]


def test_the_researcher_answers_with_sources(
    letta: Letta, venice: LocalVenice, provider: str
) -> None:
    """Asked a question, the agent of our command looks it up and names where the answer stands."""
    command(letta, venice, "researcher", "--model", f"{provider}/{MODEL.id}")

    said = say(letta, the_agent(letta).id, "How do red foxes live in cities?")

    assert [
        "tool_call_message venice_ask_web",
        "tool_return_message",
        "assistant_message",
    ] == kinds(said)
    assert "Sources: https://www.example.org/urban-wildlife/red-foxes" in said[-1]["content"]


def test_the_film_maker_buys_only_what_a_person_approves(
    letta: Letta, venice: LocalVenice, provider: str
) -> None:
    """The quote comes at once; the purchase waits for a person; its job is in the memory until the film is there."""
    command(letta, venice, "film_maker", "--model", f"{provider}/{MODEL.id}")
    agent = the_agent(letta).id

    quoted = say(letta, agent, "What would a film of a fox cost?")
    bought = say(letta, agent, "Yes, please make that film.")

    assert "tool_call_message venice_quote_video" in kinds(quoted)
    assert [
        "approval_request_message venice_queue_video",
        "tool_call_message memory_insert",
        "tool_call_message venice_retrieve_video",
        "tool_call_message memory_replace",
        "assistant_message",
    ] == [kind for kind in kinds(bought) if kind != "tool_return_message"]
    assert {"success"} == {one["status"] for one in bought if "tool_return" in one}
    assert "Here is your film" in bought[-1]["content"]
    assert "venice-video|" not in letta.agents.blocks.retrieve("films", agent_id=agent).value


def test_an_agent_of_letta_s_own_route_answers(
    letta: Letta, venice: LocalVenice, provider: str
) -> None:
    """Imported as the ADE does it, with a model and secrets, the companion talks with a character."""
    secrets = {"VENICE_API_KEY": venice.key}
    agent = by_letta(
        letta, "companion", model=f"{provider}/{MODEL.id}", secrets=json.dumps(secrets)
    )
    letta.agents.update(agent, secrets={**secrets, "VENICE_BASE_URL": venice.base_url})

    said = say(letta, agent, "Please ask Socrates what courage is.")

    assert "tool_call_message venice_chat" in kinds(said)
    assert said[-1]["content"].startswith("Socrates: You ask me")
