"""Giving agents their keys: what each has, what it is to have, and a way that loses no key."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Literal

from letta_client import APIError, Letta, RateLimitError
from letta_client.types import AgentState

from sanctum_venice_tools.letta.agent_keys.account import (
    AccountKeys,
    Limit,
    ListedKey,
    NewKey,
    label_of,
)
from sanctum_venice_tools.letta.connection import explain, is_refusal
from sanctum_venice_tools.letta.reading import AgentForm, checked, read_agent
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

# How long Letta is left alone where it was asked too much at once.
_PAUSES_SECONDS = (1, 5)


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
    """Keys of this agent that are revoked once it has another; in the end, those that are."""
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
    limit = wish.limit or Limit(None)
    expires = wish.expires
    if present and wish.limit is None:
        limit = present.limit
        expires = wish.expires or present.last_day
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
    old = _left_over(agent, theirs, wish.secret_name)
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


def _left_over(
    agent: AgentState, theirs: Sequence[ListedKey], secret_name: str
) -> tuple[ListedKey, ...]:
    """The keys of an agent that nobody holds once it has a new one as this secret.

    What stands under another of its secrets is still in use.
    """
    kept = {**readable_secrets(agent), secret_name: ""}
    return tuple(key for key in theirs if not key.is_among(kept.values()))


def _carry_out(letta: Letta, account: AccountKeys, change: KeyChange, wish: Wish) -> KeyChange:
    try:
        if change.action == "change" and change.present:
            account.change(change.present.id, change.limit, change.expires)
            return change
        there = account.list()
        label = label_of(change.agent_id, change.name)
        made = account.create(label, change.limit, change.expires, there)
    except VeniceError as error:
        return replace(change, old=(), problem=str(error))

    handover = _Handover(change, wish, made)
    problem = _hand_over(letta, account, handover)
    if problem:
        return replace(change, old=(), problem=problem)
    has_key = replace(change, old=_given_up(handover, there), last_six=made.last_six)
    return _revoke_old(account, has_key)


@dataclass
class _Handover:
    """The setting of a new key as an agent's secret, and how far it has come."""

    change: KeyChange
    wish: Wish
    made: NewKey
    before: AgentState | None = None
    """The agent as it was."""
    after: AgentState | None = None
    """The agent as it is once it has the key."""
    state: Literal["not written", "unclear", "written"] = "not written"

    @property
    def secret(self) -> dict[str, str]:
        """What is to be set."""
        return {self.wish.secret_name: self.made.secret}


def _given_up(handover: _Handover, there: Sequence[ListedKey]) -> tuple[ListedKey, ...]:
    """The keys that the plan named, and the one whose place is taken, as far as nobody holds them.

    Since the plan somebody else may have given the agent a key, or revoked one. A key that came
    since, and stands in no secret, may be another run's that is about to write it.
    """
    change, secret_name = handover.change, handover.wish.secret_name
    if not (handover.before and handover.after):
        return ()
    planned = {key.id for key in change.old}
    had = readable_secrets(handover.before).get(secret_name, "")
    theirs = [key for key in there if key.agent_id == change.agent_id]
    known = [key for key in theirs if key.id in planned or key.is_among([had])]
    return _left_over(handover.after, known, secret_name)


def _hand_over(letta: Letta, account: AccountKeys, handover: _Handover) -> str | None:
    """Set the key as the agent's secret, or else revoke it. What went wrong, if something did."""
    try:
        _set_secret(letta, handover)
    except SecretsError as error:
        return _settle(letta, account, handover, str(error))
    except APIError as error:
        return _settle(letta, account, handover, explain(error, handover.secret))
    except BaseException:  # Ctrl-C too: no key may be left that nobody has
        why = f"{handover.change.name} was interrupted"
        account.progress(_settle(letta, account, handover, why))
        raise
    return None


def _set_secret(letta: Letta, handover: _Handover) -> None:
    """Set the secret and read it back, a little later where the server was asked too much at once.

    Raises:
        SecretsError: It can't be set, or was not kept.
        APIError: The server failed.
    """
    for seconds in _PAUSES_SECONDS:
        try:
            return _set_secret_once(letta, handover)
        except RateLimitError:
            if handover.state != "not written":
                raise
            time.sleep(seconds)
    return _set_secret_once(letta, handover)


def _set_secret_once(letta: Letta, handover: _Handover) -> None:
    """Set the secret and read it back.

    Raises:
        SecretsError: It can't be set, or was not kept.
        APIError: The server failed.
    """
    agent_id = handover.change.agent_id
    agent = handover.before = read_agent(letta, agent_id, [SECRETS])
    secrets = secrets_after(agent, handover.secret, loses=handover.wish.loses_secrets)
    handover.state = "unclear"  # until an answer has come
    try:
        # Once: a refusal of a second try would hide that the first one was carried out.
        _write_secrets(letta.with_options(max_retries=0), agent_id, secrets)
    except APIError as error:
        if is_refusal(error):
            handover.state = "not written"
        raise
    handover.state = "written"
    handover.after = read_agent(letta, agent_id, [SECRETS])
    if lacking_secrets(handover.after, handover.secret):
        handover.state = "not written"
        raise SecretsError("the server did not keep the secret")


def _settle(letta: Letta, account: AccountKeys, handover: _Handover, why: str) -> str:
    """Revoke a key that the agent surely has not; what to tell of it.

    One that it may have stays good: the value of the key before is nowhere else, so that nothing
    could mend it.
    """
    made, present = handover.made, handover.change.present
    is_without = handover.state == "not written"
    if handover.state == "unclear" and handover.before:
        is_without = _put_back(letta, handover.before)
    if is_without:
        return _take_back(account, made, why)
    earlier = f"...{present.last6Chars}" if present else "what it had before"
    told = f"{why}; it may have its new key ...{made.last_six}, which stays good, or {earlier}"
    return f"{told}. Once the server answers, {_remedy(handover)}"


def _put_back(letta: Letta, before: AgentState) -> bool:
    """Give an agent the secrets that it had; whether it surely has them then."""
    if secrets_at_risk(before, {}):
        return False
    had = readable_secrets(before)
    try:
        _write_secrets(letta, before.id, had)
        agent = read_agent(letta, before.id, [SECRETS])
    except APIError:
        return False
    return readable_secrets(agent) == had and not secrets_at_risk(agent, {})


def _write_secrets(letta: Letta, agent_id: str, secrets: Mapping[str, str]) -> None:
    """Replace all secrets of an agent."""
    update = partial(letta.agents.update, agent_id, secrets=dict(secrets))
    checked("agent", AgentForm, update)


def _remedy(handover: _Handover) -> str:
    """What leaves an agent one key, whichever it has."""
    change, name = handover.change, handover.wish.secret_name
    which = f"--agent {change.agent_id}"
    if name != Wish.secret_name:
        which += f" --secret {name}"
    is_readable = handover.before and name in readable_secrets(handover.before)
    if change.present and is_readable:
        return f"run `sanctum-venice keys rotate {which}`: it leaves one"
    return f"run `sanctum-venice keys issue {which} ...` again"


def _take_back(account: AccountKeys, made: NewKey, why: str) -> str:
    """Revoke a key that no agent got; what to tell of it."""
    try:
        account.revoke(made.id)
    except VeniceError as error:
        return (
            f"{why}; its new key ...{made.last_six} is left over, and could not be revoked: {error}"
        )
    return f"{why}; its new key is revoked again"


def _revoke_old(account: AccountKeys, change: KeyChange) -> KeyChange:
    """Revoke the keys that an agent has no longer; the change, with those that are revoked."""
    for count, key in enumerate(change.old):
        try:
            account.revoke(key.id)
        except VeniceError as error:
            problem = (
                f"it has its new key, but the old one ...{key.last6Chars} is not revoked: {error}"
            )
            return replace(change, old=change.old[:count], problem=problem)
        except KeyboardInterrupt:
            told = f"it has its new key, but the old one ...{key.last6Chars} may still be good"
            account.progress(
                f"{change.name} was interrupted; {told}: look at `sanctum-venice keys list`"
            )
            raise
    return change
