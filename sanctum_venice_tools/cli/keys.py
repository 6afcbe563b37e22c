"""`keys`: an API key for each agent, with a limit that Venice holds."""

import json
import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import click

from sanctum_venice_tools.cli import HELP
from sanctum_venice_tools.cli import keys_view as view
from sanctum_venice_tools.cli.admin_key import account_of_operator
from sanctum_venice_tools.cli.options import (
    JSON,
    LETTA_URL,
    at_terminal,
    ended_as_by_ctrl_c,
    shown_progress,
)
from sanctum_venice_tools.cli.secret import key_of_operator
from sanctum_venice_tools.cli.server import end_unreachable, need_server, server_errors
from sanctum_venice_tools.letta import connection
from sanctum_venice_tools.letta.agent_keys import issuing
from sanctum_venice_tools.letta.agent_keys.account import (
    AccountKeys,
    Limit,
    ListedKey,
    check_last_day,
)
from sanctum_venice_tools.letta.agent_keys.issuing import KeyChange, Wish
from sanctum_venice_tools.letta.agent_keys.overview import KeyRow, survey
from sanctum_venice_tools.letta.agents import find_agents
from sanctum_venice_tools.letta.reading import list_agents
from sanctum_venice_tools.letta.secrets import SECRETS
from sanctum_venice_tools.letta.venice import VeniceError
from sanctum_venice_tools.network import NetworkSettingsError
from sanctum_venice_tools.terminal import show, visible

if TYPE_CHECKING:
    from letta_client import Letta
    from letta_client.types import AgentState

_VENICE_URL = click.option(
    "--venice-url",
    envvar="VENICE_BASE_URL",
    default="",
    help="Venice.  [default: $VENICE_BASE_URL or its own]",
)
_AGENT = click.option(
    "--agent", "named", metavar="NAME|ID", multiple=True, help="An agent; repeatable."
)
_AGENT_TAG = click.option(
    "--agent-tag", "tags", metavar="TAG", multiple=True, help="All agents with a tag; repeatable."
)
_SECRET = click.option(
    "--secret",
    "secret_name",
    metavar="NAME",
    default="VENICE_API_KEY",
    show_default=True,
    help="What the key is called among an agent's secrets.",
)
_REPLACE_SECRETS = click.option(
    "--replace-secrets",
    is_flag=True,
    help="Set it even if other secrets of the agent that can't be read are lost by it.",
)
_DRY_RUN = click.option("--dry-run", is_flag=True, help="Only say what would be done.")
_YES = click.option("--yes", is_flag=True, help="Do not ask.")


@dataclass(frozen=True)
class _Given:
    """What a command that changes agents' keys is told: whose, where, and how to go about it."""

    named: tuple[str, ...]
    tags: tuple[str, ...]
    secret_name: str
    replace_secrets: bool
    base_url: str | None
    venice_url: str
    dry_run: bool
    yes: bool
    as_json: bool


@dataclass(frozen=True)
class _Found:
    """The keys of an account, and the agents of a server."""

    rows: list[KeyRow]
    """The keys that were issued for agents."""
    others: list[KeyRow]
    names: dict[str, str]
    """The names of the server's agents, by their ids; none where no server is asked."""


def _for_agents(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options of `_Given`."""
    own = (_AGENT, _AGENT_TAG, _SECRET, _REPLACE_SECRETS, LETTA_URL, _VENICE_URL)
    for option in reversed((*own, _DRY_RUN, _YES, JSON)):
        command = option(command)
    return command


class _UsdType(click.FloatRange):
    """An amount in US dollars, as Venice takes it as a limit."""

    name = "USD"

    def __init__(self) -> None:
        super().__init__(0.01, 9_999_999_999)

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        """The amount; NaN, which is in any range, is none."""
        amount: float = super().convert(value, param, ctx)
        if math.isnan(amount):
            self.fail(f"{value} is no amount.", param, ctx)
        return amount


def _check_expires(
    _context: click.Context, _option: click.Parameter, given: str | None
) -> str | None:
    """Refuse what is no day to come."""
    if not given:
        return given
    try:
        return check_last_day(given)
    except ValueError:
        raise click.BadParameter("give a day to come, as YYYY-MM-DD") from None


@click.group("keys", context_settings=HELP)
def keys() -> None:
    """An API key for each agent, with a limit that Venice holds.

    One key for all agents lets each of them spend all that the account has. With a key of its own,
    an agent can spend what you allow it, whatever it is talked into. Which key belongs to which
    agent stands in the key's description at Venice. All of this needs an ADMIN key, in
    VENICE_ADMIN_KEY (or VENICE_API_KEY); no agent gets that one.

    \b
    Exit status: 0 all is as wanted, 1 you said no, 2 wrong usage, 3 some of it
    could not be done, 4 Letta or Venice could not be reached or refused.
    """  # noqa: D301  # click keeps the lines after \b as they are


@keys.command("issue", short_help="Give agents keys of their own, or other limits.")
@click.option("--usd-per-day", type=_UsdType(), help="The most that it may spend in a day (UTC).")
@click.option("--usd-per-month", type=_UsdType(), help="The same for a month.")
@click.option("--usd-in-all", type=_UsdType(), help="The same for ever.")
@click.option(
    "--expires", metavar="YYYY-MM-DD", callback=_check_expires, help="The key's last day."
)
@_for_agents
def issue(
    *,
    usd_per_day: float | None,
    usd_per_month: float | None,
    usd_in_all: float | None,
    expires: str | None,
    **given: Any,
) -> None:
    """Give agents keys of their own, or other limits to those that they have.

    A key is made, set as the agent's secret, and shown to nobody. Safe to run again: an agent that
    has its key with these limits keeps it; with other limits, the key's limits are changed; one
    whose secret is another key gets a new one, and its old one is revoked. A key that could not be
    set is revoked again.

    \b
    Examples:
      sanctum-venice keys issue --agent Scout --usd-per-day 5
      sanctum-venice keys issue --agent-tag customers --usd-per-month 20 \\
        --expires 2027-12-31
    """  # noqa: D301  # click keeps the lines after \b as they are
    limits = [
        Limit(usd_per_day, "EPOCH"),
        Limit(usd_per_month, "MONTH"),
        Limit(usd_in_all, "LIFETIME"),
    ]
    chosen = [limit for limit in limits if limit.usd is not None]
    if len(chosen) != 1:
        raise click.UsageError(
            "how much may it spend? Give one of --usd-per-day, --usd-per-month and --usd-in-all"
        )
    told = _Given(**given)
    (limit,) = chosen
    wish = Wish(limit, expires or "", told.secret_name, loses_secrets=told.replace_secrets)
    _change_keys(wish, told)


@keys.command("rotate", short_help="Give agents new keys like those they have.")
@_for_agents
def rotate(**given: Any) -> None:
    """Give agents new keys like those that they have, and revoke the old ones.

    A limit begins anew with a new key.

    \b
    Examples:
      sanctum-venice keys rotate --agent Scout
      sanctum-venice keys rotate --agent-tag customers --yes
    """  # noqa: D301  # click keeps the lines after \b as they are
    told = _Given(**given)
    wish = Wish(None, "", told.secret_name, renews=True, loses_secrets=told.replace_secrets)
    _change_keys(wish, told)


@keys.command("list", short_help="List agents' keys.")
@click.option("--all", "with_others", is_flag=True, help="Also keys that are none of agents.")
@_SECRET
@LETTA_URL
@_VENICE_URL
@JSON
def list_keys(
    *, with_others: bool, secret_name: str, base_url: str | None, venice_url: str, as_json: bool
) -> None:
    """List agents' keys: limit, spending, last use, and those that nobody uses any more.

    With LETTA_BASE_URL set it also looks which agents are there, and have them.

    \b
    Examples:
      sanctum-venice keys list
      sanctum-venice keys list --all --json
    """  # noqa: D301  # click keeps the lines after \b as they are
    found = _read_rows(base_url, venice_url, secret_name)
    shown = found.rows + (found.others if with_others else [])
    if as_json:
        click.echo(json.dumps([row.as_json() for row in shown], indent=2, ensure_ascii=False))
        return
    if shown:
        view.print_rows(shown)
    if found.others and not with_others:
        count = "1 key" if len(found.others) == 1 else f"{len(found.others)} keys"
        show(f"{count} of the account not issued for an agent: --all lists them too.")


@keys.command("revoke")
@_AGENT
@click.option("--id", "ids", metavar="ID", multiple=True, help="A key; repeatable.")
@click.option(
    "--stale", is_flag=True, help="All whose agent is not on this server, or has another key."
)
@_SECRET
@LETTA_URL
@_VENICE_URL
@_DRY_RUN
@_YES
@JSON
def revoke(
    *,
    named: tuple[str, ...],
    ids: tuple[str, ...],
    stale: bool,
    secret_name: str,
    base_url: str | None,
    venice_url: str,
    dry_run: bool,
    yes: bool,
    as_json: bool,
) -> None:
    """End keys for good. An agent keeps its secret, which is then refused: it can spend nothing.

    With several Letta servers, --stale takes the agents of the others for gone: look at --dry-run
    first.

    \b
    Examples:
      sanctum-venice keys revoke --agent Scout
      sanctum-venice keys revoke --stale --dry-run
    """  # noqa: D301  # click keeps the lines after \b as they are
    if not (named or ids or stale):
        raise click.UsageError("which keys? Give --agent, --id or --stale")
    if stale:
        need_server(base_url)
    asks = _asks_before(yes=yes, dry_run=dry_run, doing="this ends keys for good")
    account = account_of_operator(venice_url)
    found = _read_rows(base_url, venice_url, secret_name)
    chosen = _choose_rows(found, named, ids, stale=stale)
    if chosen and not as_json:
        view.print_rows(chosen)
    if chosen and asks and not click.confirm(f"Revoke {len(chosen)} of them?", err=as_json):
        raise click.ClickException("nothing was changed")

    problems = {} if dry_run else _revoke_rows(account, chosen)
    if as_json:
        told = [{**row.as_json(), "problem": problems.get(row.key.id)} for row in chosen]
        click.echo(json.dumps({"dry_run": dry_run, "keys": told}, indent=2, ensure_ascii=False))
    else:
        count = len(chosen) - len(problems)
        done = "is" if count == 1 else "are"
        show(f"{count} {'would be' if dry_run else done} revoked.")
        for row in chosen:
            if problem := problems.get(row.key.id):
                show(f"Error: ...{row.key.last6Chars}: {problem}", err=True)
    if problems:
        raise SystemExit(3)


def _change_keys(wish: Wish, given: _Given) -> None:
    """Plan, show, ask, do, and tell."""
    if not given.secret_name.isidentifier():
        # It may be a key that was given in its place.
        raise click.BadParameter("give a name such as VENICE_API_KEY", param_hint="--secret")
    with _letta(given.base_url) as letta:
        agents = _find(letta, given.named, given.tags)
        account = account_of_operator(given.venice_url)
        with shown_progress() as progress, progress.counting("Reading Venice's list of keys"):
            changes = issuing.plan_keys(agents, _listed(account), wish)
        writes = any(change.writes for change in changes)
        asks = writes and not (given.yes or given.dry_run) and at_terminal()
        if not given.as_json or asks:
            view.print_changes(changes, planned=True)
        if asks and not click.confirm("Do this?", err=given.as_json):
            raise click.ClickException("nothing was changed")

        if writes and not given.dry_run:
            changes = _issue(letta, account, changes, wish)
            if not given.as_json:
                view.print_changes(changes, planned=False)
    _report(changes, given)


def _issue(
    letta: "Letta", account: AccountKeys, changes: Sequence[KeyChange], wish: Wish
) -> list[KeyChange]:
    """Do what was planned, and tell of each agent that is done."""
    with ended_as_by_ctrl_c(), shown_progress() as progress:

        def tell(change: KeyChange) -> None:
            progress(f"{change.name}: {'failed' if change.problem else view.DONE[change.action]}")

        return issuing.issue_keys(
            letta, replace(account, progress=progress), changes, wish, done=tell
        )


def _report(changes: Sequence[KeyChange], given: _Given) -> None:
    """Say it to a script, and what went wrong to a person; the exit status tells both."""
    if given.as_json:
        told = [change.as_json() for change in changes]
        report = {"dry_run": given.dry_run, "agents": told}
        click.echo(json.dumps(report, indent=2, ensure_ascii=False))
    problems = [change for change in changes if change.problem]
    for change in problems:
        show(f"Error: agent {change.name}: {change.problem}", err=True)
    if problems:
        raise SystemExit(3)


@contextmanager
def _letta(base_url: str | None) -> Iterator["Letta"]:
    """A client of the Letta server; the command ends with one line where that can't be used."""
    url = need_server(base_url)
    with (
        server_errors(connection.address_of(url)),
        connection.connect(url, key_of_operator("LETTA_API_KEY")) as letta,
    ):
        yield letta


def _find(letta: "Letta", named: Sequence[str], tags: Sequence[str]) -> list["AgentState"]:
    """The agents that are meant, with their secrets."""
    if not (named or tags):
        raise click.UsageError("whose keys? Give --agent or --agent-tag")
    with shown_progress() as progress, progress.counting("Reading the agents"):
        return find_agents(letta, named, tags, with_secrets=True)


def _listed(account: AccountKeys) -> list[ListedKey]:
    """The keys of the account; the command ends with one line where Venice can't be used."""
    try:
        return account.list()
    except NetworkSettingsError as error:
        raise click.UsageError(str(error)) from None
    except VeniceError as error:
        end_unreachable(str(error))


def _read_rows(base_url: str | None, venice_url: str, secret_name: str) -> _Found:
    """Read the keys and, where a server is given, its agents."""
    account = account_of_operator(venice_url)
    with shown_progress() as progress, progress.counting("Reading the keys and the agents"):
        listed = _listed(account)
        agents = None
        if base_url:
            with _letta(base_url) as letta:
                agents = list(list_agents(letta, include=[SECRETS]))
    every = survey(listed, agents, secret_name)
    return _Found(
        rows=[row for row in every if row.key.agent_id],
        others=[row for row in every if not row.key.agent_id],
        names={agent.id: agent.name for agent in agents or []},
    )


def _choose_rows(
    found: _Found, named: Sequence[str], ids: Sequence[str], *, stale: bool
) -> list[KeyRow]:
    """The keys that are meant; a name or id that fits none is an error."""
    agents = {_agent_meant(found, name) for name in named}
    every = [*found.rows, *found.others]
    for key_id in ids:
        if not any(row.key.id == key_id for row in every):
            raise click.UsageError(f"there is no key of the id {visible(key_id)!r}")

    def is_meant(row: KeyRow) -> bool:
        return row.key.id in ids or row.key.agent_id in agents or (stale and bool(row.stale))

    return [row for row in every if is_meant(row)]


def _agent_meant(found: _Found, named: str) -> str:
    """The id of the agent that a person means.

    Keys of other servers' agents are in the account too, so that a name may be that of several.
    """
    if any(row.key.agent_id == named for row in found.rows):
        return named
    called = {row.key.agent_id for row in found.rows if row.agent == named}
    # The name of an agent may be unknown: an empty one means nobody.
    if not named or not called:
        raise click.UsageError(f"no key was issued for an agent {visible(named)!r}")
    called |= {agent_id for agent_id, name in found.names.items() if name == named}
    if len(called) > 1:
        agent_ids = ", ".join(sorted(called))
        told = f"{len(called)} agents are called {visible(named)!r}; name one: {agent_ids}"
        raise click.UsageError(told)
    return called.pop()


def _asks_before(*, yes: bool, dry_run: bool, doing: str) -> bool:
    """Whether a person is to be asked; without one, --yes must have been given."""
    if yes or dry_run:
        return False
    if not at_terminal():
        raise click.UsageError(f"{doing}: without a terminal it needs --yes")
    return True


def _revoke_rows(account: AccountKeys, rows: Sequence[KeyRow]) -> dict[str, str]:
    """Revoke the keys; what went wrong, by the id of the key."""
    problems = {}
    for row in rows:
        if row.key.last6Chars == account.venice.key[-6:]:
            problems[row.key.id] = "it is the key that this command uses"
            continue
        try:
            account.revoke(row.key.id)
        except VeniceError as error:
            problems[row.key.id] = str(error)
    return problems
