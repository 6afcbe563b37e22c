"""Venice as the model behind Letta's agents: the provider on a server, and agents' settings."""

import base64
import json
import shlex
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal
from urllib.parse import quote

from letta_client import Letta
from letta_client.types import AgentState
from pydantic import BaseModel, Field

from sanctum_venice_tools.letta.reading import AgentForm, Id, checked, list_agents, parsed
from sanctum_venice_tools.letta.venice import (
    LETTA_OUTPUT_TOKENS,
    LONGEST_WINDOW,
    ChatModel,
    EmbeddingModel,
    Venice,
)

# Of providers of this type, and of no other that fits, Letta reads each model's true window, and it
# puts the provider's own name before the model's. What goes over the wire is the same as for
# "openai".
PROVIDER_TYPE = "openrouter"

# What it is called, and its models begin with, unless an operator says otherwise.
PROVIDER_NAME = "venice"

# What the models of a server that has Venice in its environment are called.
ENVIRONMENT_PREFIX = "openai-proxy"

# Letta's own models, and those of a server's environment, are called after these.
RESERVED_NAMES = ("letta", "openai", ENVIRONMENT_PREFIX)

# How an agent's conversation is summarised when it outgrows the window. By itself Letta asks for
# that without tools, thus with `tool_choice: null`, which Venice refuses: then nothing is ever
# summarised, and each turn pays for all that was said. The two modes of this beginning ask as a
# turn of the agent does, with its tools.
_WITH_TOOLS = "self_compact_"

# Of the two, the one that always comes to an end: all of the conversation becomes the summary, and
# when it is too long for one request, Letta takes the other mode by itself. That one keeps the last
# messages word by word, but where these fill the window alone, it asks without tools again
# (letta 0.16.8, services/summarizer/compact.py). What was said word by word, an agent still finds
# with conversation_search.
COMPACTION: Mapping[str, str] = {"mode": f"{_WITH_TOOLS}all"}

# The types of agents for which Letta reads those settings. The older ones have another loop, which
# asks for summaries without tools, whatever the settings say (letta 0.16.8, agents/agent_loop.py).
_HEEDING_TYPES = ("letta_v1_agent", "sleeptime_agent")

Action = Literal["create", "update", "unchanged", "foreign"]
Form = Literal["shell", "dotenv", "compose"]

# A reference to VENICE_API_KEY, as each form writes it.
_REFERENCES: dict[Form, str] = {
    "shell": '"$VENICE_API_KEY"',
    "dotenv": "${VENICE_API_KEY}",
    "compose": '"${VENICE_API_KEY}"',
}

# What a value of a .env file may only have within quotes.
_SPECIAL_IN_DOTENV = set("$#\"'\\")


class StoredProvider(BaseModel):
    """What is read of a provider that a server has."""

    id: Id
    name: str
    provider_type: str
    base_url: str | None = None
    api_key_enc: str | None = Field(default=None, repr=False)
    last_synced: str | None = None


class ServedModel(BaseModel):
    """What is read of a model that a server lists."""

    handle: str | None = None
    max_context_window: int | None = None
    provider_category: str | None = None
    provider_name: str | None = None
    model_endpoint: str | None = None


@dataclass(frozen=True)
class NamedAgent:
    """The agent of a name on a server."""

    id: str
    is_new: bool
    """Whether it was created just now."""


@dataclass(frozen=True)
class Change:
    """What having Venice as a provider means for a server."""

    name: str
    venice: Venice = field(repr=False)
    action: Action
    """`foreign`: a provider of this name is there that speaks something else; it is left alone."""
    differs: tuple[str, ...] = ()
    provider_id: str | None = None
    notes: tuple[str, ...] = ()
    problem: str | None = None
    """What is not as it should be, in one line."""
    key_is_hidden: bool = False
    """Whether the server encrypts its keys, so that the one it has can't be compared with ours."""

    def as_json(self) -> dict[str, Any]:
        """For a script to read; the key is not in it."""
        return {
            "name": self.name,
            "action": self.action,
            "base_url": self.venice.base_url,
            "differs": list(self.differs),
            "id": self.provider_id,
            "notes": list(self.notes),
            "problem": self.problem,
        }


def plan(letta: Letta, name: str, venice: Venice) -> Change:
    """Compare the server's provider of this name with what it should be; nothing is written."""
    there = _provider(letta, name)
    if there is None:
        return Change(name, venice, "create")
    if there.provider_type != PROVIDER_TYPE:
        found = f"a provider of this name is there, of type {there.provider_type}"
        problem = f"{found}: choose another --name"
        return Change(name, venice, "foreign", provider_id=there.id, problem=problem)

    differs = []
    if there.base_url != venice.base_url:
        differs.append("base_url")
    if there.api_key_enc != venice.key:
        differs.append("api_key")
    return Change(
        name,
        venice,
        action="update" if differs else "unchanged",
        differs=tuple(differs),
        provider_id=there.id,
        key_is_hidden=_is_encrypted(str(there.api_key_enc)),
    )


def _is_encrypted(key: str) -> bool:
    """Whether a key is one that Letta has encrypted.

    Such a one is base64, of a salt, a start value, a tag, and more than nothing. The lengths are
    those of letta 0.16.8, helpers/crypto_utils.py.
    """
    salt, start_value, tag = 16, 12, 16
    try:
        content = base64.b64decode(key, validate=True)
    except ValueError:
        return False
    return len(content) > salt + start_value + tag


def apply(letta: Letta, change: Change) -> Change:
    """Make it so, and give the change back as it ended."""
    settings = {"api_key": change.venice.key, "base_url": change.venice.base_url}
    if change.action == "create":
        body = {"name": change.name, "provider_type": PROVIDER_TYPE, **settings}
        made = _stored(lambda: letta.post("/v1/providers/", cast_to=object, body=body))
        return _checked(replace(change, provider_id=made.id), made)
    if change.action == "update":
        path = f"/v1/providers/{change.provider_id}"
        made = _stored(lambda: letta.patch(path, cast_to=object, body=settings))
        if "base_url" in change.differs:
            # Letta reads a provider's models when it is made, and not again by itself.
            change = _read_anew(letta, change, made)
            change = replace(change, notes=agents_at_old_address(letta, change))
        return _checked(change, made)
    return change


def remove(letta: Letta, change: Change) -> None:
    """Take the provider away again."""
    letta.delete(f"/v1/providers/{change.provider_id}", cast_to=object)


def windows(letta: Letta, name: str) -> dict[str, int]:
    """The windows that the server believes a provider's models to have, by their handles."""
    path = f"/v1/models/?provider_name={quote(name)}"
    listed = _models_at(letta, path)
    return {model.handle: model.max_context_window or 0 for model in listed if model.handle}


def _models_at(letta: Letta, path: str) -> list[ServedModel]:
    """What the server lists of models."""
    models: list[ServedModel] = parsed(
        "list of models", list[ServedModel], lambda: letta.get(path, cast_to=object)
    )
    return models


def ensure_listed(letta: Letta, change: Change, model: ChatModel) -> Change:
    """Make sure that the server lists the model: where it does not, it reads Venice's list anew."""
    handle = f"{change.name}/{model.id}"
    if handle in windows(letta, change.name):
        return change

    change = _read_anew(letta, change, _provider(letta, change.name))
    there = windows(letta, change.name)
    if handle in there:
        note = "the server has read Venice's list of models anew"
        return replace(change, notes=(*change.notes, note))
    lack = f"the server lists {len(there)} models of it, and {handle} is not one"
    return replace(change, problem=change.problem or lack)


def agents_at_old_address(letta: Letta, change: Change) -> tuple[str, ...]:
    """A line for each agent of the provider that goes on calling another address.

    Letta copies the address into an agent when that is made.
    """
    lines = []
    for agent in list_agents(letta):
        model = agent.llm_config
        is_of_provider = model.provider_name == change.name
        if is_of_provider and model.api_model_endpoint != change.venice.base_url:
            # Told a model's name, Letta would give the agent that model's defaults again.
            kept = f'**letta.agents.retrieve("{agent.id}").llm_config.to_dict()'
            moved = f'"model_endpoint": {json.dumps(change.venice.base_url)}'
            update = f'letta.agents.update("{agent.id}", llm_config={{{kept}, {moved}}})'
            lines.append(f"agent {agent.name} still calls {model.api_model_endpoint}: {update}")
    return tuple(lines)


def agents_at(letta: Letta, base_url: str) -> list[AgentState]:
    """The agents that think with the models of an address, whatever the provider is called."""
    return [agent for agent in list_agents(letta) if _address(agent) == base_url]


def _address(agent: AgentState) -> str:
    """Where an agent's model is called; "" where the server does not tell."""
    address: str | None = getattr(agent.llm_config, "api_model_endpoint", None)
    return (address or "").rstrip("/")


def never_summarised(letta: Letta, base_url: str, agents: Iterable[AgentState]) -> list[AgentState]:
    """Those of Venice's agents whose conversations Venice would refuse to summarise."""
    elsewhere = {
        model.handle
        for model in _models_at(letta, "/v1/models/")
        if model.handle and (model.model_endpoint or "").rstrip("/") != base_url
    }
    return [agent for agent in agents if not _is_summarised(agent, elsewhere)]


def _is_summarised(agent: AgentState, elsewhere: set[str]) -> bool:
    """Whether an agent is summarised with its tools, or by a model that is not Venice's."""
    settings = agent.compaction_settings
    if settings is None or not heeds_compaction(agent):
        return False
    return (settings.mode or "").startswith(_WITH_TOOLS) or settings.model in elsewhere


def heeds_compaction(agent: AgentState) -> bool:
    """Whether Letta summarises an agent as its settings say."""
    return agent.agent_type in _HEEDING_TYPES


def summary_update(agents: Iterable[AgentState]) -> str:
    """A line that has these agents summarised as those that we create."""
    ids = json.dumps([agent.id for agent in agents])
    update = f"letta.agents.update(agent, compaction_settings={json.dumps(dict(COMPACTION))})"
    return f"for agent in {ids}: {update}"


def embeds_at(letta: Letta, base_url: str) -> bool:
    """Whether the server's own environment has Venice's key.

    For vectors Letta uses OPENAI_API_KEY of its environment, whatever an agent or a provider says.
    Were that a key of somebody else, an agent with Venice's address would hand it to Venice.
    """
    for model in _models_at(letta, "/v1/models/"):
        is_of_environment = model.provider_category == "base" and model.provider_name == "openai"
        address = (model.model_endpoint or "").rstrip("/")
        if is_of_environment and address == base_url:
            return True
    return False


def agent_settings(
    prefix: str, model: ChatModel, *, embedding: EmbeddingModel | None = None, base_url: str = ""
) -> dict[str, Any]:
    """What `agents.create` needs to be told, beside a name, for an agent to think with this model.

    Args:
        prefix: The name of the provider, or ENVIRONMENT_PREFIX.
        model: The agent's model.
        embedding: The model for its archive, only for a server that has Venice's key in its
            environment.
        base_url: Where that is.
    """
    settings: dict[str, Any] = {
        "model": f"{prefix}/{model.id}",
        "context_window_limit": min(model.window, LONGEST_WINDOW),
        "compaction_settings": dict(COMPACTION),
    }
    if model.output_tokens < LETTA_OUTPUT_TOKENS:
        settings["model_settings"] = {
            "provider_type": "openai" if prefix == ENVIRONMENT_PREFIX else PROVIDER_TYPE,
            "max_output_tokens": model.output_tokens,
            # Letta's own, which it would otherwise change as soon as there are settings.
            "temperature": 1.0,
        }
    if embedding is not None:
        settings["embedding_config"] = {
            "embedding_model": embedding.id,
            "embedding_endpoint_type": "openai",
            "embedding_endpoint": base_url,
            "embedding_dim": embedding.dimensions,
            "embedding_chunk_size": 300,
        }
    return settings


def create_agent(letta: Letta, name: str, settings: Mapping[str, Any]) -> NamedAgent:
    """Create an agent, unless one of that name is there.

    It gets Letta's base tools: to an agent's model without any tool Letta sends
    `tool_choice: null`, which Venice refuses, at each turn and for each summary.
    """
    for agent in list_agents(letta, name=name):
        return NamedAgent(agent.id, is_new=False)
    made = checked("agent", AgentForm, lambda: letta.agents.create(name=name, **settings))
    return NamedAgent(made.id, is_new=True)


def snippet(settings: Mapping[str, Any], name: str = "my-agent") -> str:
    """Python that creates an agent with these settings."""
    lines = ["letta.agents.create("]
    for argument, value in {"name": name, **settings}.items():
        lines.append(f"    {argument}={_python(value)},")
    return "\n".join([*lines, ")"])


def environment(venice: Venice) -> dict[str, str]:
    """The variables of a Letta server whose models and vectors are Venice's."""
    return {"OPENAI_API_KEY": venice.key, "OPENAI_BASE_URL": venice.base_url}


def environment_text(form: Form, venice: Venice, *, with_key: bool) -> str:
    """The variables, ready to paste; in place of the key, unless it is to be shown, a reference."""
    written = {name: _quoted(form, value) for name, value in environment(venice).items()}
    if not with_key:
        written["OPENAI_API_KEY"] = _REFERENCES[form]
    match form:
        case "shell":
            lines = [f"export {name}={value}" for name, value in written.items()]
        case "dotenv":
            lines = [f"{name}={value}" for name, value in written.items()]
        case "compose":
            lines = [f"  {name}: {value}" for name, value in written.items()]
            lines.insert(0, "environment:")
    return "\n".join(lines)


def _quoted(form: Form, value: str) -> str:
    """A value as the form writes it."""
    if form == "shell":
        return shlex.quote(value)
    if form == "compose":
        return json.dumps(value.replace("$", "$$"))  # compose takes a single $ for a reference
    if not set(value) & _SPECIAL_IN_DOTENV:
        return value
    escaped = value.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


def _python(value: Any) -> str:
    """A value as Python, each entry of a mapping on a line of its own."""
    if not isinstance(value, dict):
        return json.dumps(value, ensure_ascii=False)
    lines = ["{"]
    for key, entry in value.items():
        lines.append(f"        {json.dumps(key)}: {_python(entry)},")
    return "\n".join([*lines, "    }"])


def _provider(letta: Letta, name: str) -> StoredProvider | None:
    """The server's provider of a name; None, if there is none."""
    path = f"/v1/providers/?name={quote(name)}"
    found: list[StoredProvider] = parsed(
        "list of providers", list[StoredProvider], lambda: letta.get(path, cast_to=object)
    )
    for provider in found:
        if provider.name == name:
            return provider
    return None


def _stored(ask: Callable[[], Any]) -> StoredProvider:
    """The provider that the server answers with."""
    provider: StoredProvider = parsed("provider", StoredProvider, ask)
    return provider


def _checked(change: Change, stored: StoredProvider) -> Change:
    """The change, with what the server made of it."""
    if change.problem:
        return change
    if stored.base_url != change.venice.base_url:
        return replace(change, problem=f"the server stored another base_url: {stored.base_url}")
    if change.action == "update" and stored.api_key_enc != change.venice.key:
        why = "the server does not show the key it has"
        note = f"{why}, so the key was written again; it may be the same"
        return replace(change, notes=(*change.notes, note))
    return change


def _read_anew(letta: Letta, change: Change, there: StoredProvider | None) -> Change:
    """Have the server read Venice's list of models.

    That this failed shows only in the moment of the last reading, which is then the old one.
    """
    path = f"/v1/providers/{change.provider_id}/refresh"
    after = _stored(lambda: letta.patch(path, cast_to=object))
    if there is None or after.last_synced != there.last_synced:
        return change
    needed = f"{change.venice.base_url} must be reachable from where the Letta server runs"
    problem = f"the server could not read Venice's list of models: {needed}"
    return replace(change, problem=problem)
