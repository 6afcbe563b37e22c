"""`demo`: an agent at work."""

import click
from rich.console import Console

from sanctum_venice_tools.cli import HELP
from sanctum_venice_tools.cli.options import one_line_errors
from sanctum_venice_tools.demo.places import DemoError, spending
from sanctum_venice_tools.terminal import Progress


@click.command("demo", context_settings=HELP)
@click.option("--yes", is_flag=True, help="Do not ask before spending.")
@click.option("--keep", is_flag=True, help="Leave the gallery running until Ctrl-C.")
@click.option("--letta-code", is_flag=True, help="Hold the conversation in Letta Code instead.")
def run_demo(yes: bool, keep: bool, letta_code: bool) -> None:
    """Watch an agent on a real Letta server use the tools.

    Without settings it costs nothing: it runs a Letta server, a stand-in for Venice and a media server on this machine,
    and stops them in the end. With LETTA_BASE_URL (and LETTA_API_KEY) it uses your server, with VENICE_API_KEY the real
    Venice. With --letta-code the agent is one of Letta Code's App Server, always a new one on this machine.

    \b
    Examples:
      make demo
      make demo KEEP=1
      make demo-code
      LETTA_BASE_URL=http://localhost:8283 VENICE_API_KEY=... sanctum-venice demo
    """  # noqa: D301  # click keeps the lines after \b as they are
    console = Console(highlight=False, soft_wrap=False)
    cost = spending()
    if cost:
        click.echo(cost)
        if not yes and console.is_terminal:
            click.confirm("Go on?", abort=True)
    if letta_code:
        from sanctum_venice_tools.demo.on_letta_code import run  # noqa: PLC0415  # Letta Code alone needs what it needs
    else:
        from sanctum_venice_tools.demo.on_letta import run  # noqa: PLC0415  # likewise
    progress = Progress(console)
    try:
        with one_line_errors(DemoError):
            run(console, progress, keep=keep)
    finally:
        progress.end()
