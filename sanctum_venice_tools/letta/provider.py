"""Venice as the model behind Letta's agents: the provider on a server, and what agents need to be told."""

import base64
import json
import shlex
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal
from urllib.parse import quote

from letta_client import Letta
from pydantic import BaseModel, Field

from sanctum_venice_tools.letta.reading import Id, list_agents, parsed
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

# What the models of a server that has Venice in its environment are called.
ENVIRONMENT_PREFIX = "openai-proxy"

# Letta's own models, and those of a server's environment, are called after these.
RESERVED_NAMES = ("letta", "openai", ENVIRONMENT_PREFIX)

Action = Literal["create", "update", "unchanged", "foreign"]
Form = Literal["shell", "dotenv", "compose"]


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
        problem = f"a provider of this name is there, of type {there.provider_type}: choose another --name"
        return Change(name, venice, "foreign", provider_id=there.id, problem=problem)
    key = there.api_key_enc
    pairs = {"base_url": (there.base_url, venice.base_url), "api_key": (key, venice.key)}
    differs = tuple(name for name, (is_there, wanted) in pairs.items() if is_there != wanted)
    action: Action = "update" if differs else "unchanged"
    return Change(name, venice, action, differs, there.id, key_is_hidden=_is_encrypted(str(key)))


def _is_encrypted(key: str) -> bool:
    """Whether a key is one that Letta has encrypted: in base64, a salt, a start value, a tag and more than nothing.

    The lengths are those of letta 0.16.8, helpers/crypto_utils.py.
    """
    try:
        return len(base64.b64decode(key, validate=True)) > 16 + 12 + 16
    except ValueError:
        return False


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
            change = replace(
                _read_anew(letta, change, made), notes=agents_at_old_address(letta, change)
            )
        return _checked(change, made)
    return change


def remove(letta: Letta, change: Change) -> None:
    """Take the provider away again."""
    letta.delete(f"/v1/providers/{change.provider_id}", cast_to=object)


def windows(letta: Letta, name: str) -> dict[str, int]:
    """The models that the server lists of this provider, by handle, and the window that it believes each to have."""
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
    """See to it that the server lists the model, asking it to read Venice's list anew where it does not."""
    handle = f"{change.name}/{model.id}"
    if handle in windows(letta, change.name):
        return change
    change = _read_anew(letta, change, _provider(letta, change.name))
    there = windows(letta, change.name)
    if handle in there:
        return replace(
            change, notes=(*change.notes, "the server has read Venice's list of models anew")
        )
    problem = (
        change.problem or f"the server lists {len(there)} models of it, and {handle} is not one"
    )
    return replace(change, problem=problem)


def agents_at_old_address(letta: Letta, change: Change) -> tuple[str, ...]:
    """A line for each agent that goes on calling another address: Letta copies it into an agent when that is made."""
    return tuple(
        f"agent {agent.name} still calls {agent.llm_config.api_model_endpoint}: "
        f'letta.agents.update("{agent.id}", model="{agent.llm_config.handle}", '
        f"context_window_limit={agent.llm_config.context_window}, max_tokens={agent.llm_config.max_tokens})"
        for agent in list_agents(letta)
        if agent.llm_config.provider_name == change.name
        and agent.llm_config.api_model_endpoint != change.venice.base_url
    )


def embeds_at(letta: Letta, base_url: str) -> bool:
    """Whether the server's own environment has Venice's key.

    For vectors Letta uses OPENAI_API_KEY of its environment, whatever an agent or a provider says.
    Were that a key of somebody else, an agent with Venice's address would hand it to Venice.
    """
    return any(
        model.provider_category == "base"
        and model.provider_name == "openai"
        and (model.model_endpoint or "").rstrip("/") == base_url
        for model in _models_at(letta, "/v1/models/")
    )


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
    }
    if model.output_tokens < LETTA_OUTPUT_TOKENS:
        settings["model_settings"] = {
            "provider_type": "openai" if prefix == ENVIRONMENT_PREFIX else PROVIDER_TYPE,
            "max_output_tokens": model.output_tokens,
            "temperature": 1.0,  # Letta's own, which it would otherwise change as soon as there are settings
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


def create_agent(letta: Letta, name: str, settings: Mapping[str, Any]) -> tuple[str, bool]:
    """Make an agent, unless one of that name is there; give its id, and whether it was made.

    It gets Letta's base tools: to a model without any tool Letta sends `tool_choice: null`, which
    Venice refuses.
    """
    for agent in list_agents(letta, name=name):
        return agent.id, False
    return letta.agents.create(name=name, **settings).id, True


def snippet(settings: Mapping[str, Any], name: str = "my-agent") -> str:
    """Python that makes an agent with these settings."""
    lines = [f"    {key}={_python(value)}," for key, value in {"name": name, **settings}.items()]
    return "\n".join(["letta.agents.create(", *lines, ")"])


def environment(venice: Venice) -> dict[str, str]:
    """The variables of a Letta server whose models and vectors are Venice's."""
    return {"OPENAI_API_KEY": venice.key, "OPENAI_BASE_URL": venice.base_url}


def environment_text(form: Form, venice: Venice, *, with_key: bool) -> str:
    """The variables, ready to paste; the key is a reference to VENICE_API_KEY unless it is to be shown."""
    variables = environment(venice)
    reference = {
        "shell": '"$VENICE_API_KEY"',
        "dotenv": "${VENICE_API_KEY}",
        "compose": '"${VENICE_API_KEY}"',
    }[form]
    quoted = {name: _quoted(form, value) for name, value in variables.items()}
    if not with_key:
        quoted["OPENAI_API_KEY"] = reference
    match form:
        case "shell":
            lines = [f"export {name}={value}" for name, value in quoted.items()]
        case "dotenv":
            lines = [f"{name}={value}" for name, value in quoted.items()]
        case "compose":
            lines = ["environment:", *(f"  {name}: {value}" for name, value in quoted.items())]
    return "\n".join(lines)


def _quoted(form: Form, value: str) -> str:
    """A value as the form writes it."""
    if form == "shell":
        return shlex.quote(value)
    if form == "compose":
        return json.dumps(value.replace("$", "$$"))  # compose takes a single $ for a reference
    escaped = value.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'" if set(value) & set("$#\"'\\") else value


def _python(value: Any) -> str:
    """A value as Python, each entry of a mapping on a line of its own."""
    if not isinstance(value, dict):
        return json.dumps(value, ensure_ascii=False)
    return "\n".join(
        [
            "{",
            *(f"        {json.dumps(key)}: {_python(one)}," for key, one in value.items()),
            "    }",
        ]
    )


def _provider(letta: Letta, name: str) -> StoredProvider | None:
    """The server's provider of a name; None, if there is none."""
    path = f"/v1/providers/?name={quote(name)}"
    found: list[StoredProvider] = parsed(
        "list of providers", list[StoredProvider], lambda: letta.get(path, cast_to=object)
    )
    return next((provider for provider in found if provider.name == name), None)


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
        hidden = "the server does not show the key it has, so the key was written again; it may be the same"
        return replace(change, notes=(*change.notes, hidden))
    return change


def _read_anew(letta: Letta, change: Change, there: StoredProvider | None) -> Change:
    """Have the server read Venice's list of models; that this failed shows only in the moment that it notes."""
    path = f"/v1/providers/{change.provider_id}/refresh"
    after = _stored(lambda: letta.patch(path, cast_to=object))
    if there is None or after.last_synced != there.last_synced:
        return change
    problem = (
        "the server could not read Venice's list of models: "
        f"{change.venice.base_url} must be reachable from where the Letta server runs"
    )
    return replace(change, problem=problem)
