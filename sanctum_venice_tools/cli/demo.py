"""`demo`: an agent at work."""

from importlib import import_module

import click
from rich.console import Console

from sanctum_venice_tools.cli import HELP
from sanctum_venice_tools.cli.options import one_line_errors
from sanctum_venice_tools.cli.secret import key_of_operator
from sanctum_venice_tools.demo import on_letta, samples
from sanctum_venice_tools.demo.places import DemoError, spending
from sanctum_venice_tools.terminal import Progress

# What it runs on this machine: each needs packages that the tools do without.
_PARTS = ("emulator.command", "media_server.command", "letta.local_server", "demo.on_letta_code")


@click.command("demo", context_settings=HELP)
@click.option("--yes", is_flag=True, help="Do not ask before spending.")
@click.option("--keep", is_flag=True, help="Leave the gallery running until Ctrl-C.")
@click.option("--letta-code", is_flag=True, help="Hold the conversation in Letta Code instead.")
@click.option("--gallery", is_flag=True, help="No conversation: only look at what was made so far.")
def run_demo(*, yes: bool, keep: bool, letta_code: bool, gallery: bool) -> None:
    """Watch an agent on a real Letta server use the tools.

    Without settings it costs nothing: it runs a Letta server, a stand-in for Venice and a media
    server on this machine, and stops them in the end. With LETTA_BASE_URL (and LETTA_API_KEY) it
    uses your server, with VENICE_API_KEY the real Venice. With --letta-code the agent is one of
    Letta Code's App Server, always a new one on this machine.

    With --gallery nothing is asked and nothing spent: an empty gallery gets a few samples from the
    stand-in.

    \b
    Examples:
      sanctum-venice demo
      sanctum-venice demo --keep
      sanctum-venice demo --letta-code
      LETTA_BASE_URL=http://localhost:8283 VENICE_API_KEY=... sanctum-venice demo
    """  # noqa: D301  # click keeps the lines after \b as they are
    _need_packages()
    from sanctum_venice_tools.demo import on_letta_code  # noqa: PLC0415  # one of them

    console = Console(highlight=False, soft_wrap=False)
    progress = Progress(console)
    try:
        with one_line_errors(DemoError):
            if gallery:
                samples.run(console, progress)
                return
            for name in ("VENICE_API_KEY", "LETTA_API_KEY"):
                key_of_operator(name)  # one that can't be sent ends it here
            _confirm_spending(console, yes=yes)
            place = on_letta_code if letta_code else on_letta
            place.run(console, progress, keep=keep)
    finally:
        progress.end()


def _need_packages() -> None:
    """End the command with one line, where a part of it lacks a package."""
    try:
        for part in _PARTS:
            import_module(f"sanctum_venice_tools.{part}")
    except ModuleNotFoundError as missing:
        told = f"The demo needs the package {missing.name}"
        raise click.ClickException(f"{told}: install sanctum-venice-tools[local]") from missing


def _confirm_spending(console: Console, *, yes: bool) -> None:
    """Say what it will cost, where it costs something, and ask a person who is there."""
    cost = spending()
    if cost:
        click.echo(cost)
        if not yes and console.is_terminal:
            click.confirm("Go on?", abort=True)
