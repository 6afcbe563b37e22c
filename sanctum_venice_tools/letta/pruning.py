"""Taking tools of this pack off a Letta server that are no longer wanted."""

from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

from letta_client import APIError, Letta, NotFoundError
from letta_client.types import AgentState, Tool

from sanctum_venice_tools.letta.agents import AgentChange, free_of_rules, plan_rules
from sanctum_venice_tools.letta.connection import explain
from sanctum_venice_tools.letta.reading import checked, list_agents
from sanctum_venice_tools.letta.stored import has_our_header


@dataclass(frozen=True)
class Removal:
    """A tool that is to go."""

    name: str
    tool_id: str
    agents: tuple[str, ...]
    """The agents that use it, by name."""
    agent_ids: tuple[str, ...] = ()
    """Their ids."""
    rules: tuple[AgentChange, ...] = ()
    """What becomes of those whose rules are about it."""
    problem: str | None = None

    def as_json(self) -> dict[str, Any]:
        """For a script to read."""
        return {
            "name": self.name,
            "id": self.tool_id,
            "agents": list(self.agents),
            "rules": [
                {
                    "id": agent.agent_id,
                    "name": agent.name,
                    "no_longer_first": list(agent.no_longer_first),
                    "no_longer_followed": list(agent.no_longer_followed),
                    "not_offered": list(agent.not_offered),
                }
                for agent in self.rules
            ],
            "problem": self.problem,
        }


def plan_removals(
    letta: Letta, there: Mapping[str, Tool], wanted: Collection[str]
) -> list[Removal]:
    """Our tools on the server that are not wanted, and who uses them; nothing is removed.

    To be removed a tool must have both our tag and our first line. Elsewhere either makes it ours:
    an agent can get back what it lost, but what is removed here is gone, and somebody may have made
    it out of one of ours.
    """
    unwanted = []
    for name, tool in sorted(there.items()):
        is_ours = "venice" in (tool.tags or []) and has_our_header(tool)
        if is_ours and name not in wanted:
            unwanted.append(tool)
    if not unwanted:
        return []

    gone = {tool.id for tool in unwanted}
    users = _users(letta, gone)
    removals = []
    for tool in unwanted:
        agents = users.get(tool.id, [])
        names = tuple(agent.name for agent in agents)
        ids = tuple(agent.id for agent in agents)
        losing = [_plan_loss(agent, tool, gone) for agent in agents]
        rules = tuple(change for change in losing if change.touches_rules)
        removals.append(Removal(tool.name or tool.id, tool.id, names, ids, rules))
    return removals


def remove(letta: Letta, removals: Sequence[Removal]) -> list[Removal]:
    """Remove the tools, also from the agents that use them.

    An agent that could not go on without one, by a rule of its own, loses that rule before. Where
    this fails, the tool stays.
    """
    return [_remove(letta, removal) for removal in removals]


def _users(letta: Letta, tool_ids: Collection[str]) -> dict[str, list[AgentState]]:
    """The agents that use these tools, by the tool's id."""
    users: dict[str, list[AgentState]] = {}
    for agent in list_agents(letta, include=["agent.tools"]):
        for tool in agent.tools or []:
            if tool.id in tool_ids:
                users.setdefault(tool.id, []).append(agent)
    return users


def _plan_loss(agent: AgentState, tool: Tool, gone: Collection[str]) -> AgentChange:
    """What becomes of an agent's rules that are about a tool, one of those that it loses."""
    left = {has.name for has in agent.tools or [] if has.name and has.id not in gone}
    loss = AgentChange(agent.id, agent.name, detach={tool.name or tool.id: tool.id})
    return plan_rules(agent, left, loss)


def _remove(letta: Letta, removal: Removal) -> Removal:
    try:
        for agent_id in removal.agent_ids:
            with suppress(NotFoundError):  # the agent is gone
                free_of_rules(letta, agent_id, {removal.name})
        checked("answer", Any, lambda: letta.tools.delete(removal.tool_id))
    except NotFoundError:  # an attempt whose answer was lost, or somebody else
        return removal
    except APIError as error:
        return replace(removal, problem=explain(error))
    return removal
