"""`serve-tools`: offer the tools to agents on a Letta App Server."""

import asyncio
import contextlib
import json
import os
import sys
import termios
from collections.abc import Mapping
from typing import Any

import click

from sanctum_venice_tools.cli import HELP
from sanctum_venice_tools.cli.choosing import TOOLSET, choose
from sanctum_venice_tools.cli.secret import key_of_operator
from sanctum_venice_tools.fronts.skill.call_tool import written
from sanctum_venice_tools.packing.record import Record
from sanctum_venice_tools.terminal import visible


@click.command("serve-tools", context_settings=HELP)
@click.argument("names", metavar="[NAME ... | all]", nargs=-1)
@TOOLSET
@click.option(
    "--url", required=True, help="The App Server's socket, such as ws://127.0.0.1:4511/ws."
)
@click.option(
    "--agent", "agents", metavar="ID", multiple=True, required=True, help="An agent; repeatable."
)
@click.option(
    "--conversation",
    metavar="ID",
    default="default",
    show_default=True,
    help="Which of the agent's conversations.",
)
@click.option(
    "--yes", is_flag=True, help="Do not ask here before a costly call: Letta's own approvals do."
)
def serve_tools(  # noqa: PLR0917  # click hands over one argument for each option
    names: tuple[str, ...],
    toolsets: tuple[str, ...],
    url: str,
    agents: tuple[str, ...],
    conversation: str,
    yes: bool,
) -> None:
    """Offer the tools to agents on a Letta App Server: the toolset core, or those that are named.

    The agents have them as long as this runs, in every turn of the conversation, whoever speaks
    with them. The tools run here: they take VENICE_API_KEY and their other settings from this
    environment, and keep files here. An App Server that asks for a token gets
    LETTA_APP_SERVER_TOKEN.

    What may cost dollars or changes the account is asked here, at the terminal. Without one it is
    refused, unless --yes says that Letta asks, as it does in its permission mode standard.

    \b
    Examples:
      letta server --backend local --listen ws://127.0.0.1:4511
      sanctum-venice serve-tools --url ws://127.0.0.1:4511/ws \\
        --agent agent-local-1234
    """  # noqa: D301  # click keeps the lines after \b as they are
    try:
        from sanctum_venice_tools.fronts import app_server  # noqa: PLC0415  # only this command needs it
    except ImportError as error:
        raise click.ClickException(
            f"this needs the package {error.name}: install sanctum-venice-tools[app-server]"
        ) from error

    tools = app_server.VeniceTools(choose(names, toolsets), _approve_all if yes else _ask)
    token = key_of_operator("LETTA_APP_SERVER_TOKEN")
    serving = app_server.serve(
        url, tools, agents, conversation=conversation, token=token, tell=_tell
    )
    try:
        asyncio.run(serving)
    except app_server.ServeError as error:
        raise click.ClickException(visible(str(error))) from error
    except KeyboardInterrupt:
        # Ctrl-C is how a person ends it; that is no failure.
        return


def _tell(line: str) -> None:
    """Print a line; where nobody reads our output any more, among our errors: agents go on."""
    shown = visible(line)
    if not written(shown):
        written(shown, output="stderr")


async def _approve_all(_record: Record, _arguments: Mapping[str, Any]) -> bool:
    """Agree: somebody else asked."""
    return True


async def _ask(record: Record, arguments: Mapping[str, Any]) -> bool:
    """Ask the person at the terminal; where there is none, nobody agrees."""
    if not _is_at_terminal():
        return False
    told = visible(json.dumps(dict(arguments), ensure_ascii=False))
    # What was typed before is no answer to this.
    termios.tcflush(sys.stdin, termios.TCIFLUSH)
    click.echo(f"{record.name} {told}: go on? [y/N]: ", nl=False, err=True)
    try:
        answer = await _typed_line()
    except asyncio.CancelledError:
        click.echo(err=True)  # what is told next is no part of the question
        raise
    return answer.strip().lower() in {"y", "yes"}


def _is_at_terminal() -> bool:
    """Whether a person can be asked: a terminal stops a background job that reads from it."""
    if not sys.stdin.isatty():
        return False
    with contextlib.suppress(OSError):  # another terminal than that of our jobs stops nobody
        return os.tcgetpgrp(sys.stdin.fileno()) == os.getpgrp()
    return True


async def _typed_line() -> str:
    """The next line that is typed; nothing at Ctrl-D.

    No thread waits for it, for Ctrl-C does not end what a thread waits for.
    """
    loop = asyncio.get_running_loop()
    is_typed = asyncio.Event()
    loop.add_reader(sys.stdin, is_typed.set)
    try:
        await is_typed.wait()
    finally:
        loop.remove_reader(sys.stdin)
    return sys.stdin.readline()
