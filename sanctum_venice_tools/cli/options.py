"""What the commands have in common: options, progress, and errors in one line."""

import contextlib
import re
import signal
import sys
from collections.abc import Iterator

import click
from rich.console import Console

from sanctum_venice_tools.letta.address import server_url
from sanctum_venice_tools.terminal import Progress, visible

JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON, for scripts.")
LETTA_URL = click.option(
    "--server",
    "--base-url",
    "base_url",
    metavar="URL",
    envvar="LETTA_BASE_URL",
    callback=lambda _context, _option, given: given and server_url(given),
    help="The Letta server's address.  [default: $LETTA_BASE_URL]",
)

# What Letta 0.16.8 takes as an agent's name (CreateAgent.validate_name): letters of any language.
_AGENT_NAME = re.compile(r"[\w '-]+")


def check_agent_name(name: str | None, option: str) -> None:
    """Refuse the name of an agent that Letta would not take, before anything is asked."""
    if name and not _AGENT_NAME.fullmatch(name):
        raise click.BadParameter("letters, digits, spaces, -, _ and ' only", param_hint=option)


@contextlib.contextmanager
def one_line_errors(*error_classes: type[Exception]) -> Iterator[None]:
    """Turn errors that a person can act on into one line and exit status 1."""
    try:
        yield
    except error_classes as error:
        raise click.ClickException(visible(str(error))) from error


@contextlib.contextmanager
def shown_progress() -> Iterator[Progress]:
    """Show progress on standard error."""
    progress = Progress(Console(stderr=True, highlight=False))
    try:
        yield progress
    finally:
        progress.end()


@contextlib.contextmanager
def ended_as_by_ctrl_c() -> Iterator[None]:
    """Take SIGTERM, by which a host ends us, for Ctrl-C: what is to be told or undone then, is."""
    usual = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, usual)


def at_terminal() -> bool:
    """Whether a person is there to be asked."""
    return sys.stdin.isatty() and sys.stderr.isatty()
