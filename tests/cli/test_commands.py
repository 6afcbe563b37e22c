"""The `sanctum-venice` command: which commands there are."""

import subprocess
import sys

import click
import pytest

from sanctum_venice_tools import cli
from sanctum_venice_tools.cli import main


def test_help_loads_no_command() -> None:
    """The list of commands comes at once: nothing is loaded that would make a person wait."""
    program = (
        "import sys, atexit; from sanctum_venice_tools.cli import main\n"
        "atexit.register(lambda: print('slow:', {'letta_client', 'rich', 'httpx'} & set(sys.modules)))\n"
        "main(['--help'])"
    )
    shown = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    ).stdout

    assert "slow: set()" in shown
    assert all(name in shown for name in cli._COMMANDS)


@pytest.mark.parametrize("name", cli._COMMANDS)
def test_summary_is_how_the_command_begins(name: str) -> None:
    """What --help says of a command is the beginning of what the command says of itself."""
    command = main.get_command(click.Context(main), name)
    assert command
    assert command.name == name
    summary = cli._COMMANDS[name][1].rstrip(".")

    assert (command.help or "").replace("\n", " ").startswith(summary)
