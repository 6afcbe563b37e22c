"""What `register` does once it is known what is wanted: plan, show, ask, do, and tell."""

import itertools
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

import click
import httpx
import letta_client
from rich.console import Console

from sanctum_venice_tools import terminal
from sanctum_venice_tools.cli import keys_view
from sanctum_venice_tools.cli import register_view as view
from sanctum_venice_tools.cli.options import ended_as_by_ctrl_c, shown_progress
from sanctum_venice_tools.cli.server import reason_of
from sanctum_venice_tools.host_names import OWN_NAMES
from sanctum_venice_tools.letta import bootstrap, connection
from sanctum_venice_tools.letta.agent_keys import issuing
from sanctum_venice_tools.letta.agent_keys.account import AccountKeys
from sanctum_venice_tools.letta.agent_keys.issuing import KeyChange, Wish
from sanctum_venice_tools.letta.agents import AgentChange, AgentError, find_agents
from sanctum_venice_tools.letta.venice import VeniceError
from sanctum_venice_tools.network import NetworkSettingsError, is_here


@dataclass(frozen=True)
class Manner:
    """How the command goes about it."""

    dry_run: bool = False
    checks: bool = False
    """Whether something that is not as wanted is told by the exit status."""
    diff: bool = False
    asks: bool = False
    as_json: bool = False


@dataclass(frozen=True)
class AgentKeys:
    """The keys that the agents of a job are to have."""

    account: AccountKeys
    wish: Wish


@dataclass
class Job:
    """What one server is to have, and what became of it."""

    base_url: str
    api_key: str = field(repr=False)
    order: bootstrap.Order
    keys: AgentKeys | None = None
    said_by: str = "--server"
    """Where the operator said so: on the command line, or in a table of a file."""
    read_at: datetime | None = field(default=None, init=False)
    """When the plan began to be made."""
    plan: bootstrap.Plan | None = field(default=None, init=False)
    key_changes: list[KeyChange] = field(default_factory=list, init=False)
    unreachable: str = field(default="", init=False)
    """Why the server, or Venice, can't be used."""

    @property
    def address(self) -> str:
        """The server's address, for a person to read."""
        return connection.address_of(self.base_url)

    @property
    def place(self) -> str:
        """Where the operator said what is to be done, and at which server."""
        return f"{self.said_by} ({self.address})"

    @property
    def writes(self) -> bool:
        """Whether something is to be changed; nothing, where only half a plan could be made."""
        if self.unreachable:
            return False
        changes_server = self.plan is not None and self.plan.writes
        return changes_server or any(change.writes for change in self.key_changes)

    @property
    def problems(self) -> list[tuple[str, str]]:
        """What can't be or could not be done: of what, and why."""
        found = self.plan.problems if self.plan else []
        for change in self.key_changes:
            if change.problem:
                found.append((f"key of agent {change.name}", change.problem))
        return found

    def as_json(self) -> dict[str, Any]:
        """For a script to read."""
        told: dict[str, Any] = {"server": self.address}
        if self.unreachable:
            return told | {"error": self.unreachable}
        if self.plan:
            told |= self.plan.as_json()
        if self.keys:
            told["keys"] = [change.as_json() for change in self.key_changes]
        return told


def run(jobs: Sequence[Job], manner: Manner) -> None:
    """Do each job, and end with the exit status that tells how it went."""
    for job in jobs:
        _attempt(job, f"Reading {job.address}", _make_plan)
    for one, other in itertools.combinations(jobs, 2):
        _refuse_shared_agents(one, other)
        _refuse_two_approvals(one, other)
    console = Console(stderr=manner.as_json, highlight=False, markup=False)
    writing = [job for job in jobs if job.writes]
    asks = manner.asks and not manner.dry_run and bool(writing)
    if not manner.as_json or asks:
        _show_plans(console, jobs, manner)
    if asks and not click.confirm(_question(writing), err=manner.as_json):
        raise click.ClickException("nothing was changed")

    if not manner.dry_run:
        for job in writing:
            _attempt(job, f"Writing to {job.address}", _carry_out)
    _tell(console, jobs, manner)
    _end(jobs, manner)


def _refuse_shared_agents(one: Job, other: Job) -> None:
    """Refuse two jobs that reach the same agent, be it by two addresses of one server.

    Each would take from it what the other gave, and it would get two keys.
    """
    reached = {agent.agent_id: agent for agent in one.plan.agents} if one.plan else {}
    for agent in other.plan.agents if other.plan else ():
        twin = reached.get(agent.agent_id)
        if twin and _share(one, other, may_be_one=_may_be_one(twin, agent, one.read_at)):
            raise click.UsageError(
                terminal.visible(
                    f"agent {agent.name} ({agent.agent_id}) is in {one.place} and in {other.place}"
                    ": each would undo what the other did; leave it out of one"
                )
            )


def _may_be_one(one: AgentChange, other: AgentChange, read_at: datetime | None) -> bool:
    """Whether agents of the same id are one, as far as it tells when they were last changed.

    A server that was made of another's data has its agents, which differ once one of them is
    changed. But each message changes an agent: it may have got one since the first was read.
    """
    if one.changed == other.changed:
        return True
    if other.changed is None or read_at is None:
        return False
    return other.changed.replace(tzinfo=other.changed.tzinfo or UTC) >= read_at


def _share(one: Job, other: Job, *, may_be_one: bool) -> bool:
    """Whether agents of the same id in two jobs are one agent, or have the same keys.

    At Venice only the id tells whose a key is.
    """
    return may_be_one or _is_one_server(one, other) or bool(one.keys and other.keys)


def _is_one_server(one: Job, other: Job) -> bool:
    """Whether two jobs are about one server, as far as its address tells."""
    return _server_of(one) == _server_of(other)


def _server_of(job: Job) -> httpx.URL:
    """The address of a job's server, with one name for this machine."""
    url = httpx.URL(job.address)
    return url.copy_with(host=OWN_NAMES[0]) if is_here(url.host) else url


def _refuse_two_approvals(one: Job, other: Job) -> None:
    """Refuse two jobs that want other approvals of a tool, which a server has only once."""
    if not _is_one_server(one, other):
        return
    asks = {record.name: record.needs_approval for record in one.order.records}
    for record in other.order.records:
        if asks.get(record.name, record.needs_approval) != record.needs_approval:
            asking, silent = (other, one) if record.needs_approval else (one, other)
            raise click.UsageError(
                f"{record.name} asks in {asking.place}, and not in {silent.place}"
                ": each would undo what the other did; give both the same approve"
            )


def _attempt(job: Job, doing: str, step: Callable[[Job, letta_client.Letta], None]) -> None:
    """Take a step at the job's server, or note why that can't be."""
    try:
        with (
            connection.connect(job.base_url, job.api_key) as letta,
            shown_progress() as progress,
            progress.counting(doing),
        ):
            step(job, letta)
    except (AgentError, NetworkSettingsError) as error:
        raise click.UsageError(terminal.visible(str(error))) from None
    except letta_client.APIError as error:
        job.unreachable = reason_of(job.address, error)
    except VeniceError as error:
        job.unreachable = str(error)


def _make_plan(job: Job, letta: letta_client.Letta) -> None:
    """Compare the server, and the keys of its agents, with what is wanted."""
    job.read_at = datetime.now(UTC)
    job.plan = bootstrap.make_plan(letta, job.order)
    if job.keys:
        order = job.order
        agents = find_agents(letta, order.agents, order.agent_tags, with_secrets=True)
        listed = job.keys.account.list()
        job.key_changes = issuing.plan_keys(agents, listed, job.keys.wish)


def _carry_out(job: Job, letta: letta_client.Letta) -> None:
    """Do what the plan says."""
    if job.plan:
        job.plan = bootstrap.carry_out(letta, job.order, job.plan)
    if job.keys:
        with ended_as_by_ctrl_c(), shown_progress() as progress:
            account = replace(job.keys.account, progress=progress)
            job.key_changes = issuing.issue_keys(letta, account, job.key_changes, job.keys.wish)


def _show_plans(console: Console, jobs: Sequence[Job], manner: Manner) -> None:
    """What differs from what is wanted, server by server."""
    for job in jobs:
        if job.unreachable or job.plan is None:
            continue
        if len(jobs) > 1:
            console.print(f"{job.address}:", soft_wrap=True)
        view.print_plan(console, job.plan)
        changes = [change for change in job.key_changes if change.writes or change.problem]
        keys_view.print_changes(changes, planned=True, err=manner.as_json)
        if manner.diff and not manner.as_json:
            view.print_diffs(console, job.plan)


def _question(writing: Sequence[Job]) -> str:
    """What a person is asked."""
    if len(writing) == 1:
        return f"Do this at {writing[0].address}?"
    return f"Do this at these {len(writing)} servers?"


def _tell(console: Console, jobs: Sequence[Job], manner: Manner) -> None:
    """What was done, or would be."""
    if manner.as_json:
        told = [job.as_json() for job in jobs]
        one = told[0] | {"dry_run": manner.dry_run}
        several = {"dry_run": manner.dry_run, "servers": told}
        click.echo(json.dumps(one if len(jobs) == 1 else several, indent=2))
        return
    for job in jobs:
        if job.unreachable or job.plan is None:
            continue
        view.print_result(console, job.plan, job.address, dry_run=manner.dry_run)
        if not manner.dry_run:
            changes = [change for change in job.key_changes if change.action != "unchanged"]
            keys_view.print_changes(changes, planned=False)


def _end(jobs: Sequence[Job], manner: Manner) -> None:
    """Name what went wrong, and end with the exit status for it."""
    for job in jobs:
        where = f"{job.address}: " if len(jobs) > 1 else ""
        if job.unreachable:
            terminal.show(f"Error: {job.unreachable}", err=True)
        for what, why in job.problems if not manner.as_json else []:
            terminal.show(f"Error: {where}{what}: {why}", err=True)
    if any(job.unreachable for job in jobs):
        raise SystemExit(4)
    if any(job.problems for job in jobs):
        raise SystemExit(3)
    if manner.checks and any(job.writes for job in jobs):
        terminal.show("Error: not all is as wanted.", err=True)
        raise SystemExit(1)
