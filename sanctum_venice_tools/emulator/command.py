"""The command that starts the local Venice."""

from pathlib import Path
from typing import Any

import click

from sanctum_venice_tools.emulator.defaults import JOB_SECONDS, LOCAL_KEY
from sanctum_venice_tools.emulator.script import ScriptError
from sanctum_venice_tools.emulator.server import serve
from sanctum_venice_tools.emulator.service import Settings
from sanctum_venice_tools.host_names import ALLOW_HOST


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen at.")
@click.option(
    "--port",
    type=click.IntRange(0, 65_535),
    default=0,
    show_default=True,
    help="The port to listen at; 0 takes a free one.",
)
@ALLOW_HOST
@click.option(
    "--key", default=LOCAL_KEY, show_default=True, help="The only API key that is accepted."
)
@click.option(
    "--log",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write each request as a line of JSON.",
)
@click.option(
    "--script",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="What the chat says.",
)
@click.option(
    "--job-seconds", default=JOB_SECONDS, show_default=True, help="How long films and music take."
)
@click.option("--allow-faults", is_flag=True, help="Offer POST and DELETE /emulator/faults.")
@click.option(
    "--until-stdin-closes",
    is_flag=True,
    help="End together with the program that holds our input open.",
)
def emulator(
    host: str,
    port: int,
    *,
    allowed_hosts: tuple[str, ...],
    until_stdin_closes: bool,
    **settings: Any,
) -> None:
    """Run the local Venice, a stand-in for api.venice.ai, and print its base URL."""
    try:
        serve(
            Settings(**settings),
            host=host,
            port=port,
            allowed_hosts=allowed_hosts,
            until_stdin_closes=until_stdin_closes,
        )
    except (ScriptError, OSError) as error:
        raise click.ClickException(str(error)) from None
    except KeyboardInterrupt:
        # Ctrl-C is how a person ends it; that is no failure.
        return
