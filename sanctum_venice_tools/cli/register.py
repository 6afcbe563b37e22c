"""`register`: put the tools on a Letta server, and give them to agents."""

import json
import os
from dataclasses import replace
from typing import Any

import click
from rich.console import Console

from sanctum_venice_tools import terminal
from sanctum_venice_tools.cli import HELP
from sanctum_venice_tools.cli import register_view as view
from sanctum_venice_tools.cli.choosing import TOOLSET, choose, known
from sanctum_venice_tools.cli.options import JSON, LETTA_URL, at_terminal, shown_progress
from sanctum_venice_tools.cli.server import need_server, server_errors
from sanctum_venice_tools.letta import bootstrap, connection, registration
from sanctum_venice_tools.packing.record import Record, read_record


@click.command("register", context_settings=HELP)
@click.argument("names", metavar="[NAME ... | all]", nargs=-1)
@TOOLSET
@click.option(
    "--list", "lists", is_flag=True, help="Print what there is to choose from, and nothing else."
)
@click.option(
    "--show",
    metavar="NAME",
    help="Print the text that Letta would store of a tool, and nothing else.",
)
@LETTA_URL
@click.option("--dry-run", is_flag=True, help="Only say what would change.")
@click.option(
    "--diff",
    is_flag=True,
    help="Show how the source differs of each tool that is there in another form.",
)
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option(
    "--adopt", is_flag=True, help="Overwrite tools of the same name that are not of this pack."
)
@click.option("--prune", is_flag=True, help="Remove tools of this pack that are not chosen.")
@click.option(
    "--approve",
    metavar="WHICH",
    help="Which tools ask a person before each call: costly, all, none, or names with commas. "
    "What changes the Venice account always asks.  [default: costly]",
)
@click.option(
    "--agent",
    "agents",
    metavar="NAME|ID",
    multiple=True,
    help="Give an agent these tools; repeatable.",
)
@click.option(
    "--agent-tag",
    "agent_tags",
    metavar="TAG",
    multiple=True,
    help="The same for all agents with a tag.",
)
@click.option(
    "--secret",
    "secret_names",
    metavar="NAME",
    multiple=True,
    help="Set a secret of those agents, such as VENICE_API_KEY, from your environment "
    "or as you type it; repeatable.",
)
@click.option(
    "--replace-secrets",
    is_flag=True,
    help="Do so even if secrets that can't be read are lost by it.",
)
@click.option(
    "--sandbox",
    type=click.Choice(["local", "cloud"]),
    help="Where tools run: in the server's own Python, or where packages are installed "
    "as they are named (E2B, Modal, Letta Cloud).  [default: by the address]",
)
@click.option(
    "--fast-sandbox/--no-fast-sandbox",
    default=None,
    help="Run tools in a small venv, or no longer.",
)
@JSON
def register_tools(  # noqa: PLR0917  # click hands over one argument for each option
    names: tuple[str, ...],
    toolsets: tuple[str, ...],
    lists: bool,
    show: str | None,
    base_url: str | None,
    dry_run: bool,
    diff: bool,
    yes: bool,
    adopt: bool,
    prune: bool,
    approve: str | None,
    agents: tuple[str, ...],
    agent_tags: tuple[str, ...],
    secret_names: tuple[str, ...],
    replace_secrets: bool,
    sandbox: Any,
    fast_sandbox: bool | None,
    as_json: bool,
) -> None:
    """Put the tools on a Letta server: the toolset core, or those that are named.

    First it says what it would do. At a terminal it asks; without one it goes on, but for --prune,
    which then needs --yes. What is as it should be is not written. A tool of the same name that is
    not of this pack is left alone. The server's key is read from LETTA_API_KEY, where it needs one.

    An agent that is named ends with exactly these tools of this pack, beside all its others.

    \b
    Exit status: 0 all is as wanted, 1 you said no, 2 wrong usage, 3 some of it could not be done,
    4 the server could not be reached or refused.

    \b
    Examples:
      python scripts/register_tools.py --list
      python scripts/register_tools.py
      python scripts/register_tools.py venice_ask_web --dry-run --diff
      python scripts/register_tools.py --toolset core --agent Scout --secret VENICE_API_KEY
      python scripts/register_tools.py all --approve all --yes
      LETTA_BASE_URL=https://api.letta.com LETTA_API_KEY=... python scripts/register_tools.py --json
    """  # noqa: D301  # click keeps the lines after \b as they are
    if show:
        click.echo(read_record(known([show])[0]).source_code, nl=False)
        return
    if lists:
        _print_list(_approved(choose((), ("all", "admin")), approve), as_json=as_json)
        return
    records = _approved(choose(names, toolsets), approve)
    if (secret_names or replace_secrets) and not (agents or agent_tags):
        raise click.UsageError("a secret belongs to an agent: name it with --agent or --agent-tag")
    if prune and not (yes or dry_run or at_terminal()):
        raise click.UsageError("--prune removes tools: without a terminal it needs --yes")
    base_url = need_server(base_url)
    runs = sandbox or registration.sandbox_of(base_url)
    if fast_sandbox is not None and runs == "cloud":
        raise click.UsageError("--fast-sandbox is for a server that runs tools itself")
    order = bootstrap.Order(
        records,
        runs,
        adopts=adopt,
        prunes=prune,
        agents=agents,
        agent_tags=agent_tags,
        sets_approvals=approve is not None,
        secrets={name: _secret(name) for name in secret_names},
        loses_secrets=replace_secrets,
        fast_sandbox=fast_sandbox,
    )
    _run(
        base_url, order, dry_run=dry_run, diff=diff, asks=at_terminal() and not yes, as_json=as_json
    )


def _run(
    base_url: str, order: bootstrap.Order, *, dry_run: bool, diff: bool, asks: bool, as_json: bool
) -> None:
    """Plan, show, ask, do, and tell."""
    address = connection.address_of(base_url)
    with connection.connect(base_url, os.environ.get("LETTA_API_KEY")) as letta:
        with (
            server_errors(address),
            shown_progress() as progress,
            progress.counting(f"Reading {address}"),
        ):
            plan = bootstrap.make_plan(letta, order)
        console = Console(stderr=as_json, highlight=False, markup=False)
        if not as_json or (asks and plan.writes):
            view.print_plan(console, plan)
        if diff and not as_json:
            view.print_diffs(console, plan)
        if plan.writes and not dry_run:
            if asks and not click.confirm(f"Do this at {address}?", err=as_json):
                raise click.ClickException("nothing was changed")
            with (
                server_errors(address),
                shown_progress() as progress,
                progress.counting(f"Writing to {address}"),
            ):
                plan = bootstrap.carry_out(letta, order, plan)
    if as_json:
        report = {"server": address, "dry_run": dry_run, **plan.as_json()}
        click.echo(json.dumps(report, indent=2))
    else:
        view.print_result(console, plan, address, dry_run=dry_run)
        for what, why in plan.problems:
            terminal.show(f"Error: {what}: {why}", err=True)
    if plan.problems:
        raise SystemExit(3)


def _approved(records: list[Record], approve: str | None) -> list[Record]:
    """The tools, each with what the operator decided about its approval."""
    if approve is None:
        return records
    words = {word.strip() for word in approve.split(",")}
    named = words - {"all", "costly", "none"}
    known(sorted(named))
    return [
        record
        if "costly" in words and record.needs_approval
        else replace(record, approval="all" in words or record.name in named)
        for record in records
    ]


def _secret(name: str) -> str:
    """The value of a secret, which never stands on a command line, where others could see it."""
    if not name.isidentifier():
        raise click.BadParameter(
            "give the name alone, such as VENICE_API_KEY", param_hint="--secret"
        )
    if os.environ.get(name):
        return os.environ[name]
    if not at_terminal():
        raise click.BadParameter(f"{name} is not set here", param_hint="--secret")
    return str(click.prompt(name, hide_input=True, err=True))


def _print_list(records: list[Record], *, as_json: bool) -> None:
    if as_json:
        facts = [
            {
                "name": record.name,
                "toolset": record.toolset,
                "cost": record.cost,
                "approval": record.needs_approval,
                "summary": record.summary,
            }
            for record in records
        ]
        click.echo(json.dumps(facts, indent=2, ensure_ascii=False))
    else:
        view.print_list(Console(highlight=False, markup=False), records)
