"""`agents`: ready-made agents, as Letta's own agent files and on a server."""

import contextlib
import json
import os
from collections.abc import Iterator
from pathlib import Path

import click
from letta_client import Letta

from sanctum_venice_tools.cli import HELP
from sanctum_venice_tools.cli.options import (
    JSON,
    LETTA_URL,
    at_terminal,
    check_agent_name,
    one_line_errors,
    shown_progress,
)
from sanctum_venice_tools.cli.secret import key_of_operator, secret_of_operator
from sanctum_venice_tools.cli.server import end_unreachable, need_server, server_errors
from sanctum_venice_tools.letta.connection import address_of, connect
from sanctum_venice_tools.letta.ready_agents import ReadyAgent, agent_names, read_ready_agent
from sanctum_venice_tools.letta.ready_agents.agent_file import SUFFIX, agent_file_text
from sanctum_venice_tools.letta.ready_agents.importing import (
    Import,
    carry_out,
    find_agent,
    plan_import,
    why_mute,
)
from sanctum_venice_tools.letta.venice import ChoiceError, Venice, VeniceError, normal_url
from sanctum_venice_tools.terminal import show, visible

_NAMES = click.Choice(agent_names())


@click.group("agents", context_settings=HELP)
def agents() -> None:
    """Ready-made agents: a researcher, an artist, a film maker, a voice, a companion."""


@agents.command("write", short_help="Write Letta's agent files (.af).", context_settings=HELP)
@click.argument("names", metavar="[NAME ...]", nargs=-1, type=_NAMES)
@click.option(
    "--into",
    "folder",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("agents"),
    show_default=True,
    help="The folder.",
)
@click.option(
    "--check", is_flag=True, help="Write nothing; exit with 1 when something would change."
)
def write(names: tuple[str, ...], folder: Path, check: bool) -> None:
    """Write Letta's agent files (.af) of ready-made agents, all of them unless some are named.

    They hold the tools' texts and the names of the secrets, and no key.

    \b
    Examples:
      sanctum-venice agents write
      sanctum-venice agents write researcher --into /tmp
    """  # noqa: D301  # click keeps the lines after \b as they are
    wanted = {folder / f"{name}{SUFFIX}": name for name in names or agent_names()}
    stale = {}
    with one_line_errors(OSError):
        for path, name in wanted.items():
            text = agent_file_text(name).encode()
            if not path.is_file() or path.read_bytes() != text:
                stale[path] = text
    if check and stale:
        raise click.ClickException(
            f"these are not what the pack says: {', '.join(map(str, stale))}"
        )
    with one_line_errors(OSError):
        folder.mkdir(parents=True, exist_ok=True)
        for path, text in stale.items():
            part = path.with_suffix(".part")
            part.write_bytes(text)
            part.replace(path)
    count = "1 agent file" if len(wanted) == 1 else f"{len(wanted)} agent files"
    show(f"{count} in {folder}: {len(stale)} written")


@agents.command(
    "import", short_help="Put a ready-made agent on a Letta server.", context_settings=HELP
)
@click.argument("name", metavar="NAME", type=_NAMES)
@LETTA_URL
@click.option(
    "--model",
    "handle",
    metavar="HANDLE",
    default="",
    help="Its model, as the server lists it, such as venice/kimi-k3.  "
    "[default: of those at Venice that call functions and see, the first]",
)
@click.option("--name", "called", metavar="NAME", help="What it is called there.  [default: NAME]")
@click.option(
    "--secret",
    "secret_names",
    metavar="NAME",
    multiple=True,
    help="Set a further secret, such as VENICE_MEDIA, from your environment or as you type it; "
    "repeatable.",
)
@click.option("--dry-run", is_flag=True, help="Only say what would be made.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@JSON
def import_agent(
    *,
    name: str,
    base_url: str | None,
    handle: str,
    called: str | None,
    secret_names: tuple[str, ...],
    dry_run: bool,
    yes: bool,
    as_json: bool,
) -> None:
    """Put a ready-made agent on a Letta server, with its tools, and the key as its secret.

    NAME is one of artist, companion, film_maker, researcher, voice.

    The key is that of VENICE_API_KEY in your environment, or asked for without being shown. Tools
    that the server does not have are registered; those that it has stay as they are. An agent of
    that name is left as it is, so that it is safe to run again. The server's own key is read from
    LETTA_API_KEY, where it needs one.

    \b
    Exit status: 0 the agent is there, 1 you said no, 2 wrong usage, 3 it could
    not be made as it should be, 4 Letta or Venice could not be reached or
    refused.

    \b
    Examples:
      sanctum-venice agents import researcher
      sanctum-venice agents import artist --name Vincent --model venice/kimi-k3
      sanctum-venice agents import voice --model openai/gpt-4.1 \\
        --server https://api.letta.com
    """  # noqa: D301  # click keeps the lines after \b as they are
    check_agent_name(called, "--name")
    base_url = need_server(base_url)
    agent = read_ready_agent(name)
    agent = agent.model_copy(update={"name": called or agent.name})
    address = address_of(base_url)
    with server_errors(address), connect(base_url, key_of_operator("LETTA_API_KEY")) as letta:
        there = find_agent(letta, agent.name)
        if there:
            problem = why_mute(letta, there)
            _tell_there(agent, there, address, problem, as_json=as_json)
            return
        secrets = _secrets(agent, base_url, secret_names)
        with (
            _venice_errors(secrets["VENICE_API_KEY"]),
            shown_progress() as progress,
            progress.counting(f"Reading {address}"),
        ):
            plan = _plan(letta, agent, secrets, base_url, handle)
        asks = at_terminal() and not yes
        if not as_json or asks:
            _print_plan(plan, err=as_json)
        if not (dry_run or plan.problem):
            if asks and not click.confirm(f"Do this at {address}?", err=as_json):
                raise click.ClickException("nothing was changed")
            with shown_progress() as progress, progress.counting(f"Writing to {address}"):
                plan = carry_out(letta, plan, secrets)
    _tell_made(plan, address, dry_run=dry_run, as_json=as_json)


def _tell_made(plan: Import, address: str, *, dry_run: bool, as_json: bool) -> None:
    """Say what was made, or why it was not; the exit status tells it too."""
    if as_json:
        report = {"server": address, "dry_run": dry_run, "made": plan.agent_id is not None}
        click.echo(json.dumps(report | {"agent": plan.as_json()}, indent=2))
    elif plan.agent_id:
        show(f"agent {plan.agent.name} ({plan.agent_id}) created: {address}")
    _end_with(plan.agent, plan.problem)


def _tell_there(
    agent: ReadyAgent, agent_id: str, address: str, problem: str | None, *, as_json: bool
) -> None:
    """Say that the server has an agent of that name already, and whether that is well."""
    if as_json:
        found = {"id": agent_id, "name": agent.name, "problem": problem}
        click.echo(json.dumps({"server": address, "made": False, "agent": found}, indent=2))
    elif not problem:
        show(f"agent {agent.name} ({agent_id}) is there already; it was left as it is: {address}")
    _end_with(agent, problem)


def _end_with(agent: ReadyAgent, problem: str | None) -> None:
    """End the command with 3 where the agent is not as it should be."""
    if problem:
        show(f"Error: agent {agent.name}: {problem}", err=True)
        raise SystemExit(3)


def _secrets(agent: ReadyAgent, base_url: str, further: tuple[str, ...]) -> dict[str, str]:
    """The secrets of the agent: Venice's key, addresses that are not the usual ones, and others."""
    secrets = {"VENICE_API_KEY": secret_of_operator("VENICE_API_KEY")}
    if os.environ.get("VENICE_BASE_URL"):
        secrets["VENICE_BASE_URL"] = os.environ["VENICE_BASE_URL"]
    if "LETTA_BASE_URL" in agent.secrets:
        secrets["LETTA_BASE_URL"] = base_url
    secrets |= {name: secret_of_operator(name) for name in further}
    if "VENICE_BASE_URL" in secrets:
        with _venice_errors(secrets["VENICE_API_KEY"]):  # tools take the address as it is
            secrets["VENICE_BASE_URL"] = normal_url(secrets["VENICE_BASE_URL"])
    return secrets


def _plan(
    letta: Letta, agent: ReadyAgent, secrets: dict[str, str], base_url: str, handle: str
) -> Import:
    """What is to be made, with a key that Venice accepts and a model that the server has."""
    venice = Venice(normal_url(secrets.get("VENICE_BASE_URL", "")), secrets["VENICE_API_KEY"])
    verdict = venice.try_key()
    if verdict.state == "wrong":
        raise VeniceError(f"VENICE_API_KEY is no good: {verdict.told}")
    agent = agent.model_copy(update={"secrets": tuple(secrets)})
    return plan_import(letta, venice, agent, base_url, handle)


def _print_plan(plan: Import, *, err: bool) -> None:
    """What the server would get."""
    words = {"create": "create", "foreign": "not ours"}
    names = [change.record.name for change in plan.tools]
    width = max(map(len, names))
    for change in plan.tools:
        asks = "asks before each call" if change.record.name in plan.asks else ""
        word = words.get(change.action, "there")
        show(f"{change.record.name:{width}}  {word:8}  {asks}".rstrip(), err=err)
    show(f"{'agent ' + plan.agent.name:{width}}  create", err=err)
    show(
        f"  model    {plan.model['handle']}", f"  secrets  {', '.join(plan.agent.secrets)}", err=err
    )
    show(*(f"Note: {note}" for note in plan.notes), err=err)


@contextlib.contextmanager
def _venice_errors(key: str) -> Iterator[None]:
    """End the command with one line, never with the key, where Venice or a choice is no good."""
    try:
        yield
    except ChoiceError as error:
        raise click.UsageError(visible(str(error))) from None
    except VeniceError as error:
        end_unreachable(str(error).replace(key, "[key]"))
