"""`letta`: a Letta server on this machine."""

import importlib
import json
import os
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

import click

from sanctum_venice_tools.cli import HELP
from sanctum_venice_tools.cli.options import JSON, one_line_errors, shown_progress
from sanctum_venice_tools.host_names import ALLOW_HOST
from sanctum_venice_tools.terminal import show

if TYPE_CHECKING:
    from sanctum_venice_tools.letta.local_server import LocalServer

_HOME = click.option(
    "--home",
    type=click.Path(file_okay=False, path_type=Path),
    help="The server's folder.  [default: $SANCTUM_LETTA_HOME or .local/letta]",
)


@click.group(context_settings=HELP)
def letta() -> None:
    """A Letta server on this machine, with its own database."""


@letta.command("start")
@_HOME
@JSON
@click.option(
    "--port", type=click.IntRange(1, 65535), help="Its port on 127.0.0.1.  [default: a free one]"
)
@click.option(
    "--env", "variables", metavar="NAME=VALUE", multiple=True, help="Set a variable; repeatable."
)
@click.option(
    "--pass",
    "passed",
    metavar="NAME",
    multiple=True,
    help="Hand over a variable of yours; repeatable.",
)
@ALLOW_HOST
def start_letta(
    home: Path | None,
    *,
    as_json: bool,
    port: int | None,
    variables: tuple[str, ...],
    passed: tuple[str, ...],
    allowed_hosts: tuple[str, ...],
) -> None:
    """Start the server; the first time, install it.

    Of your environment the server sees no keys and no LETTA_* settings but those that you hand
    over. It is reachable from this machine only, and answers to 127.0.0.1 and localhost: a page in
    a browser could come by another name.

    \b
    Examples:
      sanctum-venice letta start
      sanctum-venice letta start --port 8283 --pass VENICE_API_KEY
      sanctum-venice letta start --pass OPENAI_BASE_URL --pass OPENAI_API_KEY
      sanctum-venice letta start --allow-host letta.example.org
    """  # noqa: D301  # click keeps the lines after \b as they are
    local_server = _local_server()
    environment = _server_variables(variables, passed)
    place = home or local_server.DEFAULT_HOME
    with shown_progress() as progress, one_line_errors(local_server.LocalProgramError):
        server = local_server.start(
            place,
            port=port,
            environment=environment,
            allowed_hosts=allowed_hosts,
            progress=progress,
        )
    _print_server(server, as_json=as_json)
    if not as_json:
        click.echo(f"Stop it with: sanctum-venice letta stop{f' --home {home}' if home else ''}")


@letta.command("stop")
@_HOME
def stop_letta(home: Path | None) -> None:
    """Stop the server and its database; the data stays.

    \b
    Example:
      sanctum-venice letta stop
    """  # noqa: D301  # click keeps the lines after \b as they are
    local_server = _local_server()
    with shown_progress() as progress, one_line_errors(local_server.LocalProgramError):
        stopped = local_server.stop(home or local_server.DEFAULT_HOME, progress=progress)
    click.echo("The Letta server has stopped." if stopped else "The Letta server was not running.")


@letta.command("status")
@_HOME
@JSON
def letta_status(home: Path | None, as_json: bool) -> None:
    """Tell whether the server runs: exit status 0 if it does, 1 if not.

    \b
    Examples:
      sanctum-venice letta status
      sanctum-venice letta status --json | jq -r .base_url
    """  # noqa: D301  # click keeps the lines after \b as they are
    local_server = _local_server()
    server = local_server.status(home or local_server.DEFAULT_HOME)
    if server is not None:
        _print_server(server, as_json=as_json)
        return
    click.echo(json.dumps({"running": False}) if as_json else "The Letta server is not running.")
    raise SystemExit(1)


def _print_server(server: "LocalServer", *, as_json: bool) -> None:
    if as_json:
        facts = {
            "base_url": server.base_url,
            "pid": server.pid,
            "home": str(server.home),
            "version": server.version,
        }
        click.echo(json.dumps({"running": True, **facts}))
    else:
        where = f"process {server.pid}, data in {server.home}"
        show(f"Letta {server.version} runs at {server.base_url} ({where})")


def _server_variables(variables: tuple[str, ...], passed: tuple[str, ...]) -> dict[str, str]:
    environment = {}
    for variable in variables:
        name, equals, value = variable.partition("=")
        if not (name and equals):
            # Not the text: it may be a key.
            raise click.BadParameter("write NAME=VALUE", param_hint="--env")
        environment[name] = value
    for name in passed:
        if name not in os.environ:
            raise click.BadParameter(f"{name} is not set here", param_hint="--pass")
        environment[name] = os.environ[name]
    return environment


def _local_server() -> ModuleType:
    try:
        return importlib.import_module("sanctum_venice_tools.letta.local_server")
    except ModuleNotFoundError as missing:
        told = f"The local server needs the package {missing.name}"
        raise click.ClickException(f"{told}: install sanctum-venice-tools[local]") from missing
