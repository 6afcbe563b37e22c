"""Putting a ready-made agent on a Letta server, by Letta's own import of its file.

What the server has already stays as it is: an agent of the same name, and the tools that other
agents use. Only tools that are missing are registered.
"""

import contextlib
import difflib
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import httpx
from letta_client import APIError, Letta
from pydantic import BaseModel, ConfigDict, Field

from sanctum_venice_tools.letta import registration
from sanctum_venice_tools.letta.agents import Wishes, plan_agent
from sanctum_venice_tools.letta.connection import explain
from sanctum_venice_tools.letta.provider import PROVIDER_NAME
from sanctum_venice_tools.letta.reading import Id, checked, list_agents, parsed, read_agent
from sanctum_venice_tools.letta.ready_agents import ReadyAgent
from sanctum_venice_tools.letta.ready_agents.agent_file import SUFFIX, agent_file, file_text
from sanctum_venice_tools.letta.registration import Change
from sanctum_venice_tools.letta.secrets import SECRETS, lacking_secrets
from sanctum_venice_tools.letta.stored import read_tools
from sanctum_venice_tools.letta.venice import (
    LETTA_OUTPUT_TOKENS,
    LONGEST_WINDOW,
    ChatModel,
    ChoiceError,
    Venice,
)
from sanctum_venice_tools.packing.record import Record, Sandbox, read_record

# An import is one long request, which is not sent twice: it would make two agents.
_SECONDS = 60.0


class _ServedModel(BaseModel):
    """A model that a server lists; whatever else it says of it goes into the agent's file, too."""

    model_config = ConfigDict(extra="allow", protected_namespaces=())

    handle: str | None = None
    model: str
    context_window: int
    model_endpoint: str | None = None


class _Imported(BaseModel):
    """What a server answers to an import."""

    model_config = ConfigDict(from_attributes=True)

    agent_ids: list[Id] = Field(min_length=1, max_length=1)


@dataclass(frozen=True)
class Import:
    """What an import means for a server, or what became of it."""

    agent: ReadyAgent
    tools: list[Change]
    model: Mapping[str, Any]
    """As Letta's `llm_config`."""
    sandbox: Sandbox
    agent_id: str | None = None
    notes: tuple[str, ...] = ()
    """What a person should know of it, a line each."""
    problem: str | None = None
    """Why there is no such agent, or not as it should be; one line."""

    @property
    def asks(self) -> list[str]:
        """The tools whose calls a person approves."""
        records = [change.record for change in self.tools]
        return [record.name for record in records if record.needs_approval]

    def as_json(self) -> dict[str, Any]:
        """For a script to read; no secret's value is in it."""
        return {
            "id": self.agent_id,
            "name": self.agent.name,
            "model": self.model["handle"],
            "tools": {change.record.name: change.action for change in self.tools},
            "approvals": self.asks,
            "secrets": list(self.agent.secrets),
            "notes": list(self.notes),
            "problem": self.problem,
        }


def find_agent(letta: Letta, name: str) -> str | None:
    """The id of the agent of a name; None, if there is none.

    Raises:
        APIError: The server can't be read.
    """
    return next(iter(_called(letta, name)), None)


def _called(letta: Letta, name: str) -> list[str]:
    """The ids of the agents of a name."""
    return [agent.id for agent in list_agents(letta, name=name)]


def why_mute(letta: Letta, agent_id: str) -> str | None:
    """Why an agent can answer nothing, and what to do; None, where it has a message to begin with.

    Letta (0.16.8) keeps an agent whose first message an import could not store.

    Raises:
        APIError: The server can't be read.
    """
    messages = checked(
        "list of messages", list[Any], lambda: letta.agents.messages.list(agent_id, limit=1).items
    )
    if messages:
        return None
    delete = f'letta.agents.delete("{agent_id}")'
    lack = f"it is there ({agent_id}) without a message, and can answer nothing"
    return f"{lack}: delete it, with {delete}, and run this again"


def choose_model(
    letta: Letta, venice: Venice, wanted: str = ""
) -> tuple[dict[str, Any], tuple[str, ...]]:
    """A model that the server lists, as its agents have it, and what speaks against it.

    Args:
        letta: The server.
        venice: Where the server's provider is.
        wanted: Its handle; else it is the first that calls functions and sees.

    Raises:
        ChoiceError: The server lists no such model, or it can't drive an agent.
        VeniceError: Venice does not answer as it does.
        APIError: The server can't be read.
    """
    handle = wanted or f"{PROVIDER_NAME}/{venice.choose_chat_model().id}"
    models: list[_ServedModel] = parsed(
        "list of models", list[_ServedModel], lambda: letta.get("/v1/models/", cast_to=object)
    )
    listed = {model.handle: model for model in models if model.handle}
    if handle not in listed:
        near = ", ".join(difflib.get_close_matches(handle, listed, n=5, cutoff=0)) or "none"
        raise ChoiceError(
            f"the server lists no model {handle!r:.80}. `sanctum-venice provider` puts Venice's "
            f"there; --model takes one that it lists, such as: {near}"
        )
    served = listed[handle]
    config = served.model_dump()
    config["context_window"] = min(served.context_window, LONGEST_WINDOW)
    if served.model_endpoint != venice.base_url:
        return config, ()
    chat = venice.choose_chat_model(served.model)
    config["max_tokens"] = min(chat.output_tokens, LETTA_OUTPUT_TOKENS)
    return config, _notes(chat)


def plan_import(
    letta: Letta, venice: Venice, agent: ReadyAgent, base_url: str, wanted: str = ""
) -> Import:
    """Choose the agent's model, and compare its tools with those on the server; nothing is written.

    Args:
        letta: The server.
        venice: Where the server's provider is.
        agent: Who it is, with the name and the secrets that it gets.
        base_url: Where the server is.
        wanted: The handle of its model.

    Raises:
        ChoiceError: The server lists no such model, or it can't drive an agent.
        VeniceError: Venice does not answer as it does.
        APIError: The server can't be read.
    """
    model, notes = choose_model(letta, venice, wanted)
    records = [read_record(name) for name in agent.tools]
    there = read_tools(letta)
    sandbox = registration.sandbox_there(there, base_url)
    tools = registration.compare(there, records, sandbox)
    others = [change for change in tools if change.action in ("update", "drifted")]
    if stale := [change for change in others if change.is_stale]:
        put_right = f"`{registration.command(stale, sandbox, base_url)}` writes ours"
        notes += (f"the server keeps its own form of {_names(stale)}; {put_right}",)
    problem = None
    if foreign := [change for change in tools if change.action == "foreign"]:
        overwrite = f"{registration.command(foreign, sandbox, base_url)} --adopt"
        told = f"the server has tools of these names that are not ours: {_names(foreign)}"
        problem = f"{told}. `{overwrite}` overwrites them"
    return Import(agent, tools, model, sandbox, notes=notes, problem=problem)


def _names(changes: list[Change]) -> str:
    """The names of some tools, for a person."""
    return ", ".join(change.record.name for change in changes)


def _notes(model: ChatModel) -> tuple[str, ...]:
    """What speaks against a model of Venice."""
    blind = "it does not see: a picture that a person attaches ends the conversation"
    told = [model.note, "" if model.sees else blind]
    return tuple(f"{model.id}: {note}" for note in told if note)


def carry_out(letta: Letta, plan: Import, secrets: Mapping[str, str]) -> Import:
    """Register the tools that are missing, import the agent with its secrets, and read it back."""
    missing = [change for change in plan.tools if change.action == "create"]
    for change in registration.apply(letta, missing, plan.sandbox):
        if change.problem:
            return replace(
                plan, problem=f"{change.record.name} could not be registered: {change.problem}"
            )
    records = [change.record for change in plan.tools]
    try:
        agent_id = _import(letta, plan, records, secrets)
    except APIError as error:
        # A failed import repeats what it could not store.
        told = explain(error, secrets)
        return replace(plan, problem=f"{told}. {_after_failure(letta, plan.agent.name)}")
    return _confirmed(letta, replace(plan, agent_id=agent_id), records, secrets)


def _import(letta: Letta, plan: Import, records: list[Record], secrets: Mapping[str, str]) -> str:
    """Send the agent's file, and give the id of what the server made of it."""
    content = agent_file(plan.agent, records, dict(plan.model), plan.sandbox)
    once = letta.with_options(max_retries=0, timeout=_SECONDS)
    answer: _Imported = parsed(
        "answer to an import",
        _Imported,
        lambda: once.agents.import_file(
            file=(f"{plan.agent.name}{SUFFIX}", file_text(content).encode()),
            append_copy_suffix=False,
            # By itself Letta's import overwrites each tool that the server has by that name.
            override_existing_tools=False,
            secrets=json.dumps(dict(secrets)),
        ),
    )
    return answer.agent_ids[0]


def _after_failure(letta: Letta, name: str) -> str:
    """What to do after an import that failed, for an agent may have come to be all the same."""
    once = letta.with_options(max_retries=0)
    with contextlib.suppress(APIError):
        agent_id = find_agent(once, name)
        if agent_id and (problem := why_mute(once, agent_id)):
            return problem
    return "Run it again: an agent that came to be is left as it is"


def _confirmed(
    letta: Letta, made: Import, records: list[Record], secrets: Mapping[str, str]
) -> Import:
    """The import in the light of what the server has now."""
    agent_id = made.agent_id or ""
    wishes = Wishes(records, lifts_approvals=False, secrets={}, loses_secrets=False)
    with contextlib.suppress(APIError):  # it answers without that as well
        # Now that it has an id, Letta adds that and the hour to what its model is told of it.
        letta.post(f"/v1/agents/{agent_id}/recompile", cast_to=httpx.Response)
    try:
        agent = read_agent(letta, agent_id, [SECRETS])
        lacks = plan_agent(letta, agent, wishes)
        namesakes = _called(letta, made.agent.name)
    except APIError as error:
        return replace(made, problem=f"made, but reading it back failed: {explain(error)}")
    approvals = [f"the approval of {name}" for name in lacks.approvals]
    missing = [*lacks.attach, *approvals, *lacking_secrets(agent, secrets)]
    if missing:
        return replace(made, problem=f"made, but the server did not keep {', '.join(missing)}")
    if len(namesakes) > 1:  # nothing keeps two imports at once from it
        told = f"{len(namesakes)} agents are called so now, {', '.join(namesakes)}"
        return replace(made, problem=f"made, but {told}: delete one of them")
    return made
