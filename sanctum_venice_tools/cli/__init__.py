"""The `sanctum-venice` command: each module is one of its commands."""

from importlib import import_module
from typing import Any

import click

from sanctum_venice_tools.loading import quick_loading
from sanctum_venice_tools.printing import print_on_any_terminal, told_where_output_fails

HELP: dict[str, Any] = {"help_option_names": ["-h", "--help"], "max_content_width": 100}

# Each command by its name: where it is, and what it does. It is loaded when it is called, for most
# load slowly.
_COMMANDS = {
    "agents": (
        "agents.agents",
        "Ready-made agents: a researcher, an artist, a film maker, a voice, a companion.",
    ),
    "demo": ("demo.run_demo", "Watch an agent on a real Letta server use the tools."),
    "doctor": ("doctor.run_doctor", "Check all that the tools need."),
    "emulator": ("emulator.run_emulator", "Run the local Venice, a stand-in for api.venice.ai."),
    "keys": ("keys.keys", "An API key for each agent, with a limit that Venice holds."),
    "letta": ("letta.letta", "A Letta server on this machine, with its own database."),
    "letta-code": (
        "letta_code.connect_letta_code",
        "Make Venice the model behind Letta Code's agents on this machine.",
    ),
    "media": ("media.run_media", "Run the media server: what agents make, for people to see."),
    "mcp": ("mcp.serve_mcp", "Serve the tools to hosts that speak MCP."),
    "provider": ("provider.configure_provider", "Make Venice the model behind Letta's agents."),
    "register": ("register.register_tools", "Put the tools on a Letta server."),
    "run": ("run.run", "Call one tool, and print its reply."),
    "schemas": (
        "schemas.build_schemas",
        "Write each tool's JSON schema from its signature and docstring.",
    ),
    "serve-tools": ("serve_tools.serve_tools", "Offer the tools to agents on a Letta App Server."),
    "skill": ("skill.skill", "The tools as an Agent Skill, for Letta Code, Claude Code and Codex."),
}


class _LazyGroup(click.Group):
    """Commands that are loaded when they are called."""

    def main(self, *words: Any, **settings: Any) -> Any:
        """Run a command; where a full disk takes nothing that it prints, end with one line."""
        with told_where_output_fails():
            return super().main(*words, **settings)

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002  # click's own signature
        """The names of all commands."""
        return list(_COMMANDS)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002  # likewise
        """The commands at the end of --help, none of them loaded."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, summary) for name, (_, summary) in _COMMANDS.items()])

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002  # likewise
        """The command of a name, loaded now."""
        if cmd_name not in _COMMANDS:
            return None
        module, _, function = _COMMANDS[cmd_name][0].partition(".")
        with quick_loading():
            command: click.Command = getattr(import_module(f"{__name__}.{module}"), function)
        return command


@click.group(cls=_LazyGroup, context_settings=HELP)
def main() -> None:
    """Venice (venice.ai) as tools for Letta agents."""
    print_on_any_terminal()
