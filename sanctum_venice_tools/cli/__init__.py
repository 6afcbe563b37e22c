"""The `sanctum-venice` command: each module is one of its commands."""

import click

from sanctum_venice_tools.cli.demo import run_demo
from sanctum_venice_tools.cli.doctor import run_doctor
from sanctum_venice_tools.cli.emulator import run_emulator
from sanctum_venice_tools.cli.letta import letta
from sanctum_venice_tools.cli.options import HELP
from sanctum_venice_tools.cli.provider import configure_provider
from sanctum_venice_tools.cli.register import register_tools
from sanctum_venice_tools.cli.run import run
from sanctum_venice_tools.cli.schemas import build_schemas


@click.group(context_settings=HELP)
def main() -> None:
    """Venice (venice.ai) as tools for Letta agents."""


for command in (register_tools, configure_provider, run_doctor, run, run_demo, letta, run_emulator, build_schemas):
    main.add_command(command)
