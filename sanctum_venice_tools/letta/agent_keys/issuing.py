"""Giving agents their keys: what each has, what it is to have, and a way that loses no key."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from letta_client import APIError, Letta
from letta_client.types import AgentState

from sanctum_venice_tools.letta.agent_keys.account import AccountKeys, Limit, ListedKey, NewKey
from sanctum_venice_tools.letta.connection import explain
from sanctum_venice_tools.letta.reading import read_agent
from sanctum_venice_tools.letta.secrets import (
    SECRETS,
    SecretsError,
    lacking_secrets,
    readable_secrets,
    refuse_loss,
    secrets_after,
    secrets_at_risk,
)
from sanctum_venice_tools.letta.venice import VeniceError

Action = Literal["issue", "change", "replace", "unchanged"]


@dataclass(frozen=True)
class Wish:
    """What each agent is to have."""

    limit: Limit | None
    """None leaves the limit as it is: for a new key in place of the old one."""
    expires: str = ""
    """The last day, as YYYY-MM-DD; "" for none, or for that of the key that is replaced."""
    secret_name: str = "VENICE_API_KEY"  # noqa: S105  # it is the name
    renews: bool = False
    """Whether each agent gets a new key, although it has a good one."""
    loses_secrets: bool = False


@dataclass(frozen=True)
class KeyChange:
    """What is to become of an agent's key, or what became of it."""

    agent_id: str
    name: str
    action: Action
    limit: Limit
    expires: str = ""
    present: ListedKey | None = None
    """The key that the agent has now."""
    old: tuple[ListedKey, ...] = ()
    """Keys of this agent that are revoked once it has another."""
    lost: tuple[str, ...] = ()
    """The names of secrets that are lost by that."""
    last_six: str = ""
    """Of the key that the agent has in the end."""
    problem: str | None = None

    @property
    def writes(self) -> bool:
        """Whether something is to be done."""
        return self.action != "unchanged" and not self.problem

    def as_json(self) -> dict[str, Any]:
        """For a script to read."""
        return {
            "agent": self.agent_id,
            "name": self.name,
            "action": self.action,
            "limit_usd": self.limit.usd,
            "limit_period": self.limit.period,
            "expires": self.expires or None,
            "last_six": self.last_six or None,
            "revoked": [key.last6Chars for key in self.old],
            "lost_secrets": list(self.lost),
            "problem": self.problem,
        }


def plan_keys(
    agents: Sequence[AgentState], keys: Sequence[ListedKey], wish: Wish
) -> list[KeyChange]:
    """Compare the keys that agents have with those that they are to have; nothing is written.

    Args:
        agents: The agents, with their secrets.
        keys: All keys of the account.
        wish: What each agent is to have.
    """
    return [_plan_key(agent, keys, wish) for agent in agents]


def issue_keys(
    letta: Letta,
    account: AccountKeys,
    changes: Sequence[KeyChange],
    wish: Wish,
    *,
    done: Callable[[KeyChange], None] = lambda _: None,
) -> list[KeyChange]:
    """Do what was planned, one agent after the other, and give it back as it ended.

    Args:
        letta: The server of the agents.
        account: The Venice account of the keys.
        changes: What is to be done.
        wish: What that came from.
        done: Told of each agent that was changed.
    """
    ended = []
    for change in changes:
        now = _carry_out(letta, account, change, wish) if change.writes else change
        ended.append(now)
        if change.writes:
            done(now)
    return ended


def _plan_key(agent: AgentState, keys: Sequence[ListedKey], wish: Wish) -> KeyChange:
    theirs = [key for key in keys if key.agent_id == agent.id]
    present = _present_key(agent, theirs, wish.secret_name)
    limit = wish.limit or (present.limit if present else Limit(None))
    expires = wish.expires or (present.last_day if present and wish.limit is None else "")
    change = KeyChange(agent.id, agent.name, "unchanged", limit, expires, present)

    if present and not wish.renews:
        change = replace(change, last_six=present.last6Chars)
        is_as_wished = (present.limit, present.last_day) == (limit, expires)
        return change if is_as_wished else replace(change, action="change")
    if wish.limit is None and not present:
        return replace(change, problem="it has no key of its own yet: issue one, with a limit")

    at_risk = secrets_at_risk(agent, {wish.secret_name: ""})
    if at_risk and not wish.loses_secrets:
        return replace(change, problem=str(refuse_loss(at_risk)))
    # What stands under another of the agent's secrets is still in use.
    kept = {**readable_secrets(agent), wish.secret_name: ""}
    old = tuple(key for key in theirs if not key.is_among(kept.values()))
    return replace(change, action="replace" if old else "issue", old=old, lost=at_risk)


def _present_key(
    agent: AgentState, theirs: Sequence[ListedKey], secret_name: str
) -> ListedKey | None:
    """Which of the keys that were issued for an agent it has now."""
    value = readable_secrets(agent).get(secret_name)
    if value:
        return next((key for key in theirs if key.last6Chars == value[-6:]), None)
    # Some servers tell no values: then the one key that was issued is the one that it has.
    has_secret = any(secret.key == secret_name for secret in agent.secrets or [])
    return theirs[0] if has_secret and len(theirs) == 1 else None


def _carry_out(letta: Letta, account: AccountKeys, change: KeyChange, wish: Wish) -> KeyChange:
    try:
        if change.action == "change" and change.present:
            account.change(change.present.id, change.limit, change.expires)
            return change
        made = account.create(change.agent_id, change.name, change.limit, change.expires)
    except VeniceError as error:
        return replace(change, problem=str(error))

    problem = _hand_over(letta, account, change, wish, made)
    if problem:
        return replace(change, problem=problem)
    return replace(change, last_six=made.last_six, problem=_revoke_old(account, change.old))


def _hand_over(
    letta: Letta, account: AccountKeys, change: KeyChange, wish: Wish, made: NewKey
) -> str | None:
    """Set the key as the agent's secret, or else revoke it. What went wrong, if something did."""
    new = {wish.secret_name: made.secret}
    try:
        secrets = secrets_after(letta, change.agent_id, new, loses=wish.loses_secrets)
        letta.agents.update(change.agent_id, secrets=secrets)
        agent = read_agent(letta, change.agent_id, [SECRETS])
        if not lacking_secrets(agent, new):
            return None
        why = "the server did not keep the secret"
    except SecretsError as error:
        why = str(error)
    except APIError as error:
        why = explain(error, new)
    except BaseException:  # Ctrl-C too: no key may be left that nobody has
        account.progress(_take_back(account, made, f"{change.name} was interrupted"))
        raise
    return _take_back(account, made, why)


def _take_back(account: AccountKeys, made: NewKey, why: str) -> str:
    """Revoke a key that no agent got; what to tell of it."""
    try:
        account.revoke(made.id)
    except VeniceError as error:
        return (
            f"{why}; its new key ...{made.last_six} is left over, and could not be revoked: {error}"
        )
    return f"{why}; its new key is revoked again"


def _revoke_old(account: AccountKeys, old: Sequence[ListedKey]) -> str | None:
    """Revoke the keys that an agent has no longer. What went wrong, if something did."""
    for key in old:
        try:
            account.revoke(key.id)
        except VeniceError as error:
            return (
                f"it has its new key, but the old one ...{key.last6Chars} is not revoked: {error}"
            )
    return None
