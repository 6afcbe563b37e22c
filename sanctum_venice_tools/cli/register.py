"""`register`: put the tools on a Letta server, and give them to agents."""

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource
from rich.console import Console

from sanctum_venice_tools import terminal
from sanctum_venice_tools.cli import HELP, register_run
from sanctum_venice_tools.cli import register_view as view
from sanctum_venice_tools.cli.admin_key import account_of_operator
from sanctum_venice_tools.cli.choosing import TOOLSET, choose, known
from sanctum_venice_tools.cli.options import JSON, at_terminal
from sanctum_venice_tools.cli.register_run import AgentKeys, Job, Manner
from sanctum_venice_tools.cli.secret import key_of_operator, secret_of_operator
from sanctum_venice_tools.cli.server import need_server
from sanctum_venice_tools.letta import bootstrap, registration
from sanctum_venice_tools.letta.address import server_url
from sanctum_venice_tools.letta.agent_keys.issuing import Wish
from sanctum_venice_tools.letta.register_file import Entry, RegisterFileError, read_entries
from sanctum_venice_tools.packing.record import Record, read_record

# What goes with a file: how the command goes about it.
_BESIDE_FILE = ("file", "dry_run", "check", "diff", "yes", "as_json")


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
@click.option(
    "--server",
    "--base-url",
    "servers",
    metavar="URL",
    envvar="LETTA_BASE_URL",
    multiple=True,
    callback=lambda _context, _option, given: tuple(map(server_url, given)),
    help="The Letta server; repeatable.  [default: $LETTA_BASE_URL]",
)
@click.option(
    "--file",
    type=click.Path(dir_okay=False, path_type=Path),
    help="A TOML file that says what each server is to have, in place of all options but these: "
    "--dry-run, --check, --diff, --yes, --json.",
)
@click.option("--dry-run", is_flag=True, help="Only say what would change.")
@click.option("--check", is_flag=True, help="The same, and exit with 1 if something would.")
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
    servers: tuple[str, ...],
    file: Path | None,
    dry_run: bool,
    check: bool,
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
    Exit status: 0 all is as wanted, 1 you said no, or --check found that it is
    not, 2 wrong usage, 3 some of it could not be done, 4 a server could not be
    reached or refused.

    \b
    Examples:
      sanctum-venice register --list
      sanctum-venice register
      sanctum-venice register venice_ask_web --dry-run --diff
      sanctum-venice register --agent Scout --secret VENICE_API_KEY
      sanctum-venice register all --approve all --yes
      sanctum-venice register --file servers.toml --check
      LETTA_API_KEY=... sanctum-venice register \\
        --server https://api.letta.com --json
    """  # noqa: D301  # click keeps the lines after \b as they are
    if show:
        click.echo(read_record(known([show])[0]).source_code, nl=False)
        return
    if lists:
        _print_list(_approved(choose((), ("all", "admin")), approve), as_json=as_json)
        return
    manner = Manner(
        dry_run=dry_run or check,
        checks=check,
        diff=diff,
        asks=at_terminal() and not yes,
        as_json=as_json,
    )
    if file:
        _refuse_beside_file(click.get_current_context())
        entries = _entries_of(file)
    else:
        if (secret_names or replace_secrets) and not (agents or agent_tags):
            raise click.UsageError(
                "a secret belongs to an agent: name it with --agent or --agent-tag"
            )
        # click has checked what a file's form would check.
        entries = [
            Entry.model_construct(
                server=server,
                tools=list(names),
                toolsets=list(toolsets),
                approve=approve,
                prune=prune,
                adopt=adopt,
                sandbox=sandbox,
                fast_sandbox=fast_sandbox,
                agents=list(agents),
                agent_tags=list(agent_tags),
                secrets=list(secret_names),
                replace_secrets=replace_secrets,
            )
            for server in servers or ("",)
        ]
    if any(entry.prune for entry in entries) and not (yes or manner.dry_run or at_terminal()):
        raise click.UsageError("--prune removes tools: without a terminal it needs --yes")
    _refuse_one_key_for_several(entries)
    # A secret that several need is asked for once.
    names_of_secrets = dict.fromkeys(name for entry in entries for name in entry.secrets)
    values = {name: secret_of_operator(name) for name in names_of_secrets}
    jobs = [_job(entry, values) for entry in entries]
    if file:
        for number, job in enumerate(jobs, start=1):
            job.said_by = f"table {number}"
    register_run.run(jobs, manner)


def _refuse_beside_file(context: click.Context) -> None:
    """Refuse options that say what a server is to have, beside a file that says it."""
    for parameter in context.command.params:
        source = context.get_parameter_source(parameter.name or "")
        is_given = source is ParameterSource.COMMANDLINE
        if is_given and parameter.name not in _BESIDE_FILE:
            given = parameter.opts[0] if parameter.param_type_name == "option" else "NAME"
            raise click.UsageError(f"--file says what each server is to have: leave {given} out")


def _entries_of(file: Path) -> list[Entry]:
    """What a file says; each of its mistakes is a line."""
    try:
        return read_entries(file)
    except RegisterFileError as error:
        for line in str(error).splitlines():
            terminal.show(f"Error: {line}", err=True)
        raise SystemExit(2) from None


def _refuse_one_key_for_several(entries: Sequence[Entry]) -> None:
    """Refuse to send one server's key to another."""
    by_variable: dict[str, set[str]] = {}
    for entry in entries:
        if os.environ.get(entry.key_variable):
            by_variable.setdefault(entry.key_variable, set()).add(entry.server)
    for name, servers in by_variable.items():
        if len(servers) > 1:
            raise click.UsageError(
                f"whose key is {name}? It would go to {len(servers)} servers. In a file, "
                "key_variable names another variable for each"
            )


def _job(entry: Entry, values: Mapping[str, str]) -> Job:
    """What is to be done at a server."""
    records = _approved(choose(entry.tools, entry.toolsets), entry.approve)
    server = need_server(entry.server)
    runs = entry.sandbox or registration.sandbox_of(server)
    if entry.fast_sandbox is not None and runs == "cloud":
        raise click.UsageError("--fast-sandbox is for a server that runs tools itself")
    order = bootstrap.Order(
        records,
        runs,
        adopts=entry.adopt,
        prunes=entry.prune,
        agents=entry.agents,
        agent_tags=entry.agent_tags,
        sets_approvals=entry.approve is not None,
        secrets={name: values[name] for name in entry.secrets},
        loses_secrets=entry.replace_secrets,
        fast_sandbox=entry.fast_sandbox,
    )
    keys = None
    if entry.limit:
        account = account_of_operator(os.environ.get("VENICE_BASE_URL", ""))
        wish = Wish(entry.limit, entry.expires, loses_secrets=entry.replace_secrets)
        keys = AgentKeys(account, wish)
    return Job(server, key_of_operator(entry.key_variable), order, keys)


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
