"""Giving agents the tools: what each one has, what it is to have, and the way there.

All else that an agent has is left alone.

An agent holds a tool by its id, and Letta reads the tool anew for each call: what is registered
again is in use at once. What an agent does have of its own is a rule for each tool that needs
approval, made when the tool is attached.
"""

import re
from collections.abc import Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from letta_client import APIError, Letta, NotFoundError
from letta_client.types import AgentState
from pydantic import BaseModel

from sanctum_venice_tools.letta.connection import explain
from sanctum_venice_tools.letta.reading import (
    AgentForm,
    ToolForm,
    checked,
    list_agent_tools,
    list_agents,
    parsed,
    read_agent,
)
from sanctum_venice_tools.letta.registration import AT_ONCE
from sanctum_venice_tools.letta.secrets import (
    SECRETS,
    SecretsError,
    lacking_secrets,
    readable_secrets,
    refuse_loss,
    secrets_after,
    secrets_at_risk,
)
from sanctum_venice_tools.letta.stored import is_ours
from sanctum_venice_tools.letta.tool_rules import (
    APPROVAL,
    RUN_FIRST,
    has_lost_its_next,
    is_about,
    not_offered,
)
from sanctum_venice_tools.packing.record import Record


class _WholeAgent(BaseModel):
    """An agent's tools, and its rules for them, of whatever type."""

    tools: list[ToolForm] | None = None
    tool_rules: list[dict[str, Any]] | None = None


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
    no_longer_first: tuple[str, ...] = ()
    """Those of the detached tools that the agent was to begin with."""
    no_longer_followed: tuple[str, ...] = ()
    """Tools that were to be followed by one of others, none of which the agent is to have."""
    not_offered: tuple[str, ...] = ()
    """Tools that it is to have, but may only use after one that it is not to have."""
    secrets: tuple[str, ...] = ()
    """The names of the secrets that are set."""
    replaced: tuple[str, ...] = ()
    """Those of them in whose place the agent has another value until then."""
    lost: tuple[str, ...] = ()
    """The names of secrets that are lost by that."""
    changed: datetime | None = None
    """When the agent was last changed before, as far as the server tells."""
    problem: str | None = None

    @property
    def touches_rules(self) -> bool:
        """Whether the agent loses rules for its tools, or one stays that keeps it from a tool."""
        return bool(self.no_longer_first or self.no_longer_followed or self.not_offered)

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
            "no_longer_first": list(self.no_longer_first),
            "no_longer_followed": list(self.no_longer_followed),
            "not_offered": list(self.not_offered),
            "secrets": list(self.secrets),
            "replaced_secrets": list(self.replaced),
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
    if not all(text.strip() for text in (*named, *tags)):
        # Letta takes an empty one for none, and lists all agents.
        raise AgentError("an agent's name or tag is empty; say which agents are meant")
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
    asks = {rule.tool_name for rule in agent.tool_rules or [] if rule.type == APPROVAL}
    approvals = {
        name: record.needs_approval
        for name, record in wanted.items()
        if record.needs_approval != (name in asks)
        and (record.needs_approval or wishes.lifts_approvals)
    }
    detach = {name: tool.id for name, tool in has.items() if is_ours(tool) and name not in wanted}
    change = AgentChange(
        agent.id,
        agent.name,
        changed=agent.updated_at,
        attach=tuple(name for name in wanted if name not in has),
        detach=detach,
        approvals=approvals,
    )
    change = plan_rules(agent, {*has, *wanted} - set(detach), change)
    return _plan_secrets(agent, wishes, change) if wishes.secrets else change


def plan_agents(letta: Letta, agents: Sequence[AgentState], wishes: Wishes) -> list[AgentChange]:
    """Compare each agent with what it is to have; nothing is written.

    Raises:
        APIError: The server can't be read.
    """
    with ThreadPoolExecutor(AT_ONCE) as pool:
        return list(pool.map(lambda agent: plan_agent(letta, agent, wishes), agents))


def plan_rules(agent: AgentState, tools: Collection[str], change: AgentChange) -> AgentChange:
    """Add what becomes of an agent's rules to what is to change.

    Args:
        agent: The agent.
        tools: The names of all tools that it is to have.
        change: What is to change.
    """
    rules = [rule.model_dump() for rule in agent.tool_rules or []]
    changed = {*change.attach, *change.detach}
    firsts = [rule["tool_name"] for rule in rules if is_about(rule, RUN_FIRST, change.detach)]
    loose = [rule["tool_name"] for rule in rules if has_lost_its_next(rule, tools, changed)]
    return replace(
        change,
        no_longer_first=tuple(dict.fromkeys(firsts)),
        no_longer_followed=tuple(dict.fromkeys(loose)),
        not_offered=not_offered(rules, tools, changed),
    )


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
            return replace(change, problem=explain(error, wishes.secrets))

    with ThreadPoolExecutor(AT_ONCE) as pool:
        return list(pool.map(change_one, changes))


def free_of_rules(letta: Letta, agent_id: str, gone: Collection[str]) -> None:
    """Take away the rules by which an agent could not go on without tools that it is to lose.

    Args:
        letta: The server.
        agent_id: The agent.
        gone: The names of these tools.

    Raises:
        APIError: The server refuses, or has no such agent.
    """
    now = _read_whole(letta, agent_id)
    if not now.tool_rules:
        return
    tools = set(_tools_now(letta, agent_id, now).values()) - set(gone)
    kept: Any = [
        rule
        for rule in now.tool_rules
        if not (is_about(rule, RUN_FIRST, gone) or has_lost_its_next(rule, tools, gone))
    ]
    if kept != now.tool_rules:
        checked("answer", AgentForm, lambda: letta.agents.update(agent_id, tool_rules=kept))


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
    has = {secret.key for secret in agent.secrets or [] if secret.value or secret.value_enc}
    replaced = tuple(name for name in new if name in has)
    return replace(change, secrets=new, replaced=replaced, lost=at_risk if new else ())


def _change_agent(
    letta: Letta, change: AgentChange, wishes: Wishes, tool_ids: Mapping[str, str]
) -> AgentChange:
    """Change one agent by one request, so that it never has half of it."""
    missing = [name for name in change.attach if name not in tool_ids]
    parts: dict[str, Any] = {}
    if change.attach or change.detach or change.approvals:
        now = _read_whole(letta, change.agent_id)
        tools = _tools_after(letta, now, change, tool_ids)
        parts["tool_ids"] = list(tools)
        parts["tool_rules"] = _rules_after(now, change, missing, tools.values())
    if change.secrets:
        try:
            agent = read_agent(letta, change.agent_id, [SECRETS])
            parts["secrets"] = secrets_after(agent, wishes.secrets, loses=wishes.loses_secrets)
        except SecretsError as error:
            return replace(change, problem=str(error))
    checked("answer", AgentForm, lambda: letta.agents.update(change.agent_id, **parts))
    if missing:
        told = f"could not be given {', '.join(missing)}, which could not be registered"
        return replace(change, problem=told)
    is_kept = _is_kept(letta, change, wishes)
    return replace(change, problem=None if is_kept else "the server did not keep all of it")


def _read_whole(letta: Letta, agent_id: str) -> _WholeAgent:
    """What an agent has of what Letta takes only as a whole.

    It is read just before: since the plan somebody may have changed the agent.
    """
    whole: _WholeAgent = parsed(
        "agent", _WholeAgent, lambda: letta.get(f"/v1/agents/{agent_id}", cast_to=object)
    )
    return whole


def _tools_after(
    letta: Letta, now: _WholeAgent, change: AgentChange, tool_ids: Mapping[str, str]
) -> dict[str, str | None]:
    """The names of all tools that the agent is to have, by their ids; those of others stay."""
    has = _tools_now(letta, change.agent_id, now)
    gone = change.detach.values()
    kept = {tool_id: name for tool_id, name in has.items() if tool_id not in gone}
    added = {tool_ids[name]: name for name in change.attach if name in tool_ids}
    return kept | added


def _tools_now(letta: Letta, agent_id: str, now: _WholeAgent) -> dict[str, str | None]:
    """The names of all tools that an agent has, by their ids.

    They are those that either page tells of: on Letta Cloud, tools may vanish from one.
    """
    has = {tool.id: tool.name for tool in list_agent_tools(letta, agent_id)}
    told = {tool.id: tool.name for tool in now.tools or []}
    return has | told


def _rules_after(
    now: _WholeAgent, change: AgentChange, missing: Sequence[str], tools: Collection[str | None]
) -> list[dict[str, Any]]:
    """All rules that the agent is to have, those of others as Letta told them.

    Of a tool that is gone Letta keeps the rule, and it would hold if the tool came back.
    """
    decided = {*change.detach, *change.approvals}
    changed = {*change.attach, *change.detach}
    rules = [
        rule
        for rule in now.tool_rules or []
        if not (
            is_about(rule, APPROVAL, decided)
            or is_about(rule, RUN_FIRST, change.detach)
            or has_lost_its_next(rule, tools, changed)
        )
    ]
    for name, is_needed in change.approvals.items():
        if is_needed and name not in missing:
            rules.append({"type": APPROVAL, "tool_name": name})
    return rules


def _is_kept(letta: Letta, change: AgentChange, wishes: Wishes) -> bool:
    """Whether the agent is now as it was to be."""
    agent = read_agent(letta, change.agent_id, [SECRETS])
    left = plan_agent(letta, agent, replace(wishes, secrets={}))
    return not (left.writes or lacking_secrets(agent, wishes.secrets))
