"""The keys of an account, each with its agent, and what is wrong with it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from letta_client.types import AgentState

from sanctum_venice_tools.letta.agent_keys.account import ListedKey
from sanctum_venice_tools.letta.secrets import readable_secrets


@dataclass(frozen=True)
class KeyRow:
    """A key, for a person to read."""

    key: ListedKey
    agent: str
    """The name of the agent that it is for; "" where it is for none."""
    stale: str = ""
    """Why nobody uses it any more; "" where somebody may."""

    @property
    def note(self) -> str:
        """What to mind of it."""
        ends = f"ends {self.key.last_day}" if self.key.expiresAt else ""
        return "; ".join(filter(None, [self.stale, ends]))

    def as_json(self) -> dict[str, Any]:
        """For a script to read."""
        return {
            "id": self.key.id,
            "agent": self.key.agent_id or None,
            "name": self.agent or None,
            "description": self.key.description,
            "last_six": self.key.last6Chars,
            "limit_usd": self.key.limit.usd,
            "limit_period": self.key.limit.period,
            "spent_in_period_usd": self.key.spent_in_period,
            "spent_7_days_usd": self.key.spent_in_week,
            "last_used": self.key.lastUsedAt or None,
            "expires": self.key.expiresAt or None,
            "stale": self.stale or None,
        }


def survey(
    keys: Sequence[ListedKey], agents: Sequence[AgentState] | None, secret_name: str
) -> list[KeyRow]:
    """Each key with its agent: first those of agents, by name, then the others.

    Args:
        keys: The keys of the account.
        agents: The agents of a server, with their secrets; None where no server is asked.
        secret_name: What an agent's key is called there.
    """
    by_id = None if agents is None else {agent.id: agent for agent in agents}
    rows = [_row(key, by_id, secret_name) for key in keys]
    return sorted(
        rows, key=lambda row: (not row.key.agent_id, row.agent.lower(), row.key.createdAt)
    )


def _row(key: ListedKey, agents: Mapping[str, AgentState] | None, secret_name: str) -> KeyRow:
    if not key.agent_id or agents is None:
        return KeyRow(key, key.agent_name)
    agent = agents.get(key.agent_id)
    if agent is None:
        return KeyRow(key, key.agent_name, "its agent is not on this server")
    readable = readable_secrets(agent)
    if key.is_among(readable.values()):
        return KeyRow(key, agent.name)
    if readable.get(secret_name):
        return KeyRow(key, agent.name, "its agent has another key")
    if all(secret.key != secret_name for secret in agent.secrets or []):
        return KeyRow(key, agent.name, "its agent does not have it")
    return KeyRow(key, agent.name)


def sharing_agents(agents: Sequence[AgentState], secret_name: str) -> list[list[str]]:
    """The names of agents that have the same key, group by group."""
    groups: dict[str, list[str]] = {}
    for agent in agents:
        value = readable_secrets(agent).get(secret_name)
        if value:
            groups.setdefault(value, []).append(agent.name)
    return [names for names in groups.values() if len(names) > 1]


def unlimited_agents(
    agents: Sequence[AgentState], keys: Sequence[ListedKey], secret_name: str
) -> list[str]:
    """The names of agents whose key may spend all that the account has."""
    unlimited = {key.last6Chars for key in keys if key.limit.usd is None}
    found = []
    for agent in agents:
        value = readable_secrets(agent).get(secret_name, "")
        if value and value[-6:] in unlimited:
            found.append(agent.name)
    return found
