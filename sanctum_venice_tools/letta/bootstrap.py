"""All that one run of `register` does to a server: the plan of it, and the carrying out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from letta_client import Letta

from sanctum_venice_tools.letta.agents import (
    AgentChange,
    Wishes,
    apply_agents,
    find_agents,
    plan_agents,
)
from sanctum_venice_tools.letta.pruning import Removal, plan_removals, remove
from sanctum_venice_tools.letta.registration import NOT_TRIED, Change, apply, compare
from sanctum_venice_tools.letta.sandbox import SandboxChange, apply_sandbox, plan_sandbox
from sanctum_venice_tools.letta.stored import read_tools
from sanctum_venice_tools.packing.record import Record, Sandbox


@dataclass(frozen=True)
class Order:
    """What an operator wants of a server."""

    records: Sequence[Record]
    sandbox: Sandbox = "local"
    adopts: bool = False
    """Whether tools of our names that are not ours are taken over."""
    prunes: bool = False
    """Whether tools of ours that are not among the records are removed."""
    agents: Sequence[str] = ()
    """Names or ids of agents that are to have exactly these tools of ours."""
    agent_tags: Sequence[str] = ()
    sets_approvals: bool = False
    """Whether the operator said which tools need approval: then agents lose those of others."""
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)
    loses_secrets: bool = False
    fast_sandbox: bool | None = None
    """None leaves the server's sandbox as it is."""

    def wishes(self, changes: Sequence[Change]) -> Wishes:
        """What each agent is to have; a tool that is not ours is not given to anybody."""
        records = [change.record for change in changes if change.action != "foreign"]
        return Wishes(records, self.sets_approvals, self.secrets, self.loses_secrets)


@dataclass(frozen=True)
class Plan:
    """What is to be done on a server, or what became of it."""

    tools: list[Change]
    removals: list[Removal]
    agents: list[AgentChange]
    sandbox: SandboxChange | None

    @property
    def writes(self) -> bool:
        """Whether the server has to be changed."""
        parts: list[Change | AgentChange | SandboxChange] = [*self.tools, *self.agents]
        if self.sandbox:
            parts.append(self.sandbox)
        return bool(self.removals) or any(part.writes for part in parts)

    @property
    def problems(self) -> list[tuple[str, str]]:
        """What can't be or could not be done: of what, and why."""
        found = [(change.record.name, change.problem) for change in self.tools]
        found += [(removal.name, removal.problem) for removal in self.removals]
        found += [(f"agent {agent.name}", agent.problem) for agent in self.agents]
        if self.sandbox:
            found.append(("sandbox", self.sandbox.problem))
        return [(what, why) for what, why in found if why]

    def as_json(self) -> dict[str, Any]:
        """For a script to read."""
        return {
            "tools": [change.as_json() for change in self.tools],
            "removed": [removal.as_json() for removal in self.removals],
            "agents": [agent.as_json() for agent in self.agents],
            "sandbox": self.sandbox.as_json() if self.sandbox else None,
        }


def make_plan(letta: Letta, order: Order) -> Plan:
    """Compare the server with what is wanted; nothing is written.

    Raises:
        AgentError: Which agents are meant can't be told.
        APIError: The server can't be read.
    """
    there = read_tools(letta)
    tools = compare(there, order.records, order.sandbox, adopt=order.adopts)
    wanted = {record.name for record in order.records}
    agents = find_agents(letta, order.agents, order.agent_tags, with_secrets=bool(order.secrets))
    wishes = order.wishes(tools)
    return Plan(
        tools,
        plan_removals(letta, there, wanted) if order.prunes else [],
        plan_agents(letta, agents, wishes),
        None if order.fast_sandbox is None else plan_sandbox(letta, fast=order.fast_sandbox),
    )


def carry_out(letta: Letta, order: Order, plan: Plan) -> Plan:
    """Do what the plan says, and give it back as it ended. What failed is done by the next run."""
    tools = apply(letta, plan.tools, order.sandbox)
    if any(change.problem == NOT_TRIED for change in tools):
        return _not_tried(replace(plan, tools=tools))
    ids = {}
    for change in tools:
        if change.tool_id and not change.problem:
            ids[change.record.name] = change.tool_id
    return Plan(
        tools,
        agents=apply_agents(letta, plan.agents, order.wishes(tools), ids),
        removals=remove(letta, plan.removals),
        sandbox=plan.sandbox and apply_sandbox(letta, plan.sandbox),
    )


def _not_tried(plan: Plan) -> Plan:
    """The plan, with all but its tools as it ends on a server that is gone."""
    removals = [replace(removal, problem=NOT_TRIED) for removal in plan.removals]
    agents = [replace(agent, problem=NOT_TRIED) if agent.writes else agent for agent in plan.agents]
    sandbox = plan.sandbox
    if sandbox and sandbox.writes:
        sandbox = replace(sandbox, problem=NOT_TRIED)
    return Plan(plan.tools, removals, agents, sandbox)
