"""`demo`: an agent at work."""

import click
from rich.console import Console

from sanctum_venice_tools import demo
from sanctum_venice_tools.cli import HELP
from sanctum_venice_tools.cli.options import one_line_errors
from sanctum_venice_tools.terminal import Progress


@click.command("demo", context_settings=HELP)
@click.option("--yes", is_flag=True, help="Do not ask before spending.")
@click.option("--keep", is_flag=True, help="Leave the gallery running until Ctrl-C.")
def run_demo(yes: bool, keep: bool) -> None:
    """Watch an agent on a real Letta server use the tools.

    Without settings it costs nothing: it runs a Letta server, a stand-in for Venice and a media server on this machine,
    and stops them in the end. With LETTA_BASE_URL (and LETTA_API_KEY) it uses your server, with VENICE_API_KEY the real
    Venice.

    \b
    Examples:
      make demo
      make demo KEEP=1
      LETTA_BASE_URL=http://localhost:8283 VENICE_API_KEY=... sanctum-venice demo
    """  # noqa: D301  # click keeps the lines after \b as they are
    console = Console(highlight=False, soft_wrap=False)
    cost = demo.spending()
    if cost:
        click.echo(cost)
        if not yes and console.is_terminal:
            click.confirm("Go on?", abort=True)
    progress = Progress(console)
    try:
        with one_line_errors(demo.DemoError):
            demo.run(console, progress, keep=keep)
    finally:
        progress.end()
