"""Giving agents the tools: what each one has, what it is to have, and the way there.

All else that an agent has is left alone.

An agent holds a tool by its id, and Letta reads the tool anew for each call: what is registered
again is in use at once. What an agent does have of its own is a rule for each tool that needs
approval, made when the tool is attached.
"""

import re
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import Any

from letta_client import APIError, Letta, NotFoundError
from letta_client.types import AgentState

from sanctum_venice_tools.letta.connection import explain
from sanctum_venice_tools.letta.reading import list_agent_tools, list_agents, read_agent
from sanctum_venice_tools.letta.registration import AT_ONCE
from sanctum_venice_tools.letta.secrets import (
    SECRETS,
    SecretsError,
    readable_secrets,
    refuse_loss,
    secrets_at_risk,
    set_secrets,
)
from sanctum_venice_tools.letta.stored import is_ours
from sanctum_venice_tools.packing.record import Record


class AgentError(Exception):
    """Which agents are meant can't be told; one line for a person."""


@dataclass(frozen=True)
class Wishes:
    """What an agent is to have of this pack."""

    records: Sequence[Record]
    lifts_approvals: bool
    """Whether an approval that the tools don't ask for is taken away; else it is only added."""
    secrets: Mapping[str, str] = field(repr=False)
    loses_secrets: bool
    """Whether the secrets are set even where the agent's others can't be read, and so are lost."""


@dataclass(frozen=True)
class AgentChange:
    """What one agent lacks, or has too much of."""

    agent_id: str
    name: str
    attach: tuple[str, ...] = ()
    detach: Mapping[str, str] = field(default_factory=dict)
    """Tools of ours that it is not to have: their ids by name."""
    approvals: Mapping[str, bool] = field(default_factory=dict)
    """Tools whose calls are, or are no longer, to be approved."""
    secrets: tuple[str, ...] = ()
    """The names of the secrets that are set."""
    lost: tuple[str, ...] = ()
    """The names of secrets that are lost by that."""
    problem: str | None = None

    @property
    def writes(self) -> bool:
        """Whether the agent has to be changed."""
        return bool(self.attach or self.detach or self.approvals or self.secrets)

    def as_json(self) -> dict[str, Any]:
        """For a script to read."""
        return {
            "id": self.agent_id,
            "name": self.name,
            "attach": list(self.attach),
            "detach": list(self.detach),
            "approvals": dict(self.approvals),
            "secrets": list(self.secrets),
            "lost_secrets": list(self.lost),
            "problem": self.problem,
        }


def find_agents(
    letta: Letta, named: Sequence[str], tags: Sequence[str], *, with_secrets: bool
) -> list[AgentState]:
    """The agents that a person means, each once.

    Raises:
        AgentError: Nobody, or more than one, is called so.
    """
    parts: list[Any] = [SECRETS] if with_secrets else []
    found = [_find_agent(letta, name, parts) for name in named]
    for tag in tags:
        tagged = list(list_agents(letta, include=parts, tags=[tag]))
        if not tagged:
            raise AgentError(f"no agent has the tag {tag!r}")
        found += tagged
    return list({agent.id: agent for agent in found}.values())


def plan_agent(letta: Letta, agent: AgentState, wishes: Wishes) -> AgentChange:
    """Compare what an agent has with what it is to have; nothing is written.

    What it has is read from its own page of tools: on Letta Cloud, tools may vanish from there.

    Raises:
        APIError: The server can't be read.
    """
    has = {tool.name: tool for tool in list_agent_tools(letta, agent.id) if tool.name}
    wanted = {record.name: record for record in wishes.records}
    asks = {rule.tool_name for rule in agent.tool_rules or [] if rule.type == "requires_approval"}
    approvals = {
        name: record.needs_approval
        for name, record in wanted.items()
        if record.needs_approval != (name in asks)
        and (record.needs_approval or wishes.lifts_approvals)
    }
    change = AgentChange(
        agent.id,
        agent.name,
        attach=tuple(name for name in wanted if name not in has),
        detach={
            name: tool.id for name, tool in has.items() if is_ours(tool) and name not in wanted
        },
        approvals=approvals,
    )
    return _plan_secrets(agent, wishes, change) if wishes.secrets else change


def apply_agents(
    letta: Letta, changes: Sequence[AgentChange], wishes: Wishes, tool_ids: Mapping[str, str]
) -> list[AgentChange]:
    """Give the agents what they lack and take away what they are not to have, and read that back.

    Args:
        letta: The server.
        changes: What is to be done.
        wishes: What that came from.
        tool_ids: The ids of the tools by name; one without an id could not be registered.
    """

    def change_one(change: AgentChange) -> AgentChange:
        if not change.writes or change.problem:
            return change
        try:
            return _change_agent(letta, change, wishes, tool_ids)
        except APIError as error:
            return replace(change, problem=explain(error))

    with ThreadPoolExecutor(AT_ONCE) as pool:
        return list(pool.map(change_one, changes))


def _find_agent(letta: Letta, named: str, parts: list[Any]) -> AgentState:
    if re.fullmatch(r"agent-[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", named):
        try:
            return read_agent(letta, named, parts)
        except NotFoundError:
            raise AgentError(f"there is no agent {named}") from None
    agents = list(list_agents(letta, name=named, include=parts))
    if not agents:
        raise AgentError(f"no agent is called {named!r}")
    if len(agents) > 1:
        ids = ", ".join(agent.id for agent in agents)
        raise AgentError(f"{len(agents)} agents are called {named!r}; name one: {ids}")
    return agents[0]


def _plan_secrets(agent: AgentState, wishes: Wishes, change: AgentChange) -> AgentChange:
    """Add what is to happen to the agent's secrets."""
    at_risk = secrets_at_risk(agent, wishes.secrets)
    if at_risk and not wishes.loses_secrets:
        return replace(change, problem=str(refuse_loss(at_risk)))
    current = readable_secrets(agent)
    new = tuple(name for name, value in wishes.secrets.items() if current.get(name) != value)
    return replace(change, secrets=new, lost=at_risk if new else ())


def _change_agent(
    letta: Letta, change: AgentChange, wishes: Wishes, tool_ids: Mapping[str, str]
) -> AgentChange:
    """Change one agent, one request after the other.

    Letta loses a rule of two that are made at once.
    """
    missing = [name for name in change.attach if name not in tool_ids]
    for name in change.attach:
        if name in tool_ids:
            letta.agents.tools.attach(tool_ids[name], agent_id=change.agent_id)
    for name, tool_id in change.detach.items():
        letta.agents.tools.detach(tool_id, agent_id=change.agent_id)
        # Letta keeps the rule of a tool that is gone, and it would hold if the tool came back.
        letta.agents.tools.update_approval(
            name, agent_id=change.agent_id, body_requires_approval=False
        )
    for name, needed in change.approvals.items():
        if name not in missing:
            letta.agents.tools.update_approval(
                name, agent_id=change.agent_id, body_requires_approval=needed
            )
    if change.secrets:
        try:
            set_secrets(letta, change.agent_id, wishes.secrets, loses=wishes.loses_secrets)
        except SecretsError as error:
            return replace(change, problem=str(error))
    if missing:
        return replace(
            change,
            problem=f"could not be given {', '.join(missing)}, which could not be registered",
        )
    agent = read_agent(letta, change.agent_id, [SECRETS])
    left = plan_agent(letta, agent, replace(wishes, secrets={}))
    # Of the secrets the names must do: not every server tells the values.
    is_kept = (
        set(change.secrets) <= {secret.key for secret in agent.secrets or []} and not left.writes
    )
    return replace(change, problem=None if is_kept else "the server did not keep all of it")
