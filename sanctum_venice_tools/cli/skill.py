"""`skill`: the Agent Skill, for agents that have a shell."""

import sys

import click

from sanctum_venice_tools.cli import HELP
from sanctum_venice_tools.cli.options import one_line_errors
from sanctum_venice_tools.fronts.skill.hosts import (
    HOSTS,
    RULES_FILE,
    HostError,
    Place,
    how_to_give_the_key,
    needs_quotes,
    rules,
)
from sanctum_venice_tools.fronts.skill.install import install as write_whole
from sanctum_venice_tools.fronts.skill.install import state_of
from sanctum_venice_tools.terminal import show

_LEFT_ALONE = 3

# What is done about what stands at the skill's place.
_DOES = {"absent": "create", "older": "update", "current": "is as it should be"}


@click.group("skill", context_settings=HELP)
def skill() -> None:
    """The tools as an Agent Skill, for Letta Code, Claude Code and Codex."""


@skill.command(
    "install", short_help="Copy the skill to where a host looks for it.", context_settings=HELP
)
@click.option(
    "--for",
    "host",
    type=click.Choice(HOSTS),
    default=HOSTS[0],
    show_default=True,
    help="Which host.",
)
@click.option(
    "--project", is_flag=True, help="For all who work in this folder; this is the default."
)
@click.option("--global", "is_global", is_flag=True, help="For you, wherever you work.")
@click.option("--agent", metavar="ID", help="For one agent of Letta Code, in its memory.")
@click.option("--dry-run", is_flag=True, help="Only say what would be written.")
def install(host: str, project: bool, is_global: bool, agent: str | None, dry_run: bool) -> None:
    """Copy the skill to where a host looks for it, and say what it still needs.

    Run it again for a new version of the pack: the folder is replaced as a whole. A folder of that
    name that is not of this pack is left alone.

    \b
    Exit status: 0 done, 1 it can't be written, 2 wrong usage, 3 something else
    is there.

    \b
    Examples:
      sanctum-venice skill install
      sanctum-venice skill install --global --for claude-code
      sanctum-venice skill install --agent agent-local-1234
    """  # noqa: D301  # click keeps the lines after \b as they are
    if sum([project, is_global, agent is not None]) > 1:
        raise click.UsageError("take one of --project, --global and --agent")
    if agent is not None and not agent.strip():
        raise click.UsageError("--agent is empty: write the agent's id")
    place = Place(host, agent=agent or "", is_global=is_global)
    try:
        folder = place.folder
    except HostError as error:
        raise click.UsageError(str(error)) from error

    with one_line_errors(OSError):
        state = state_of(folder)
        if state == "foreign":
            show(
                f"Error: {folder} is not of this pack, and was left alone. Move it away first.",
                err=True,
            )
            sys.exit(_LEFT_ALONE)
        if state != "current" and not dry_run:
            write_whole(folder)
    would = " (not done: --dry-run)" if dry_run and state != "current" else ""
    show(f"{folder}: {_DOES[state]}{would}")
    _print_needs(place)


def _print_needs(place: Place) -> None:
    """Say how the key gets there, and which rules let the tools run unasked."""
    if needs_quotes(place):
        fault = "this path works only in quotes, and in these no rule may match it"
        show(f"Note: {fault}: take a folder without spaces, brackets and the like, or --global.")
    show("", "The key:", f"  {how_to_give_the_key(place)}")
    if place.host == "letta-code":
        condition = "a command that contains $VENICE_API_KEY, as those of the skill do"
        show(f"  Letta hands it only to {condition}.")
    if place.agent:
        memory = place.folder.parents[1]
        commit = f"git -C {memory} add skills && git -C {memory} commit -m 'The Venice skill'"
        show(
            "",
            "The agent's memory is a git repository; to keep the skill in its history:",
            f"  {commit}",
        )
    show(
        "",
        f"Rules for {RULES_FILE[place.host]}.",
        "What may cost dollars or changes the account still asks:",
    )
    click.echo(rules(place))
