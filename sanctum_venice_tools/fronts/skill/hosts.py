"""Where each host looks for skills, and what its settings need so that ours runs."""

import json
import os
import re
from dataclasses import dataclass
from pathlib import Path

from sanctum_venice_tools.fronts.skill import COMMAND, NAME, skill_tools

HOSTS = ("letta-code", "claude-code", "codex")

# Where the rules of a host stand, which commands run unasked.
RULES_FILE = {
    "letta-code": ".letta/settings.json, here or in your home directory",
    "claude-code": ".claude/settings.json, here or in your home directory",
    "codex": "~/.codex/rules/default.rules",
}

_PROJECT = {"letta-code": ".agents", "claude-code": ".claude", "codex": ".agents"}
_GLOBAL = {"letta-code": ".letta", "claude-code": ".claude", "codex": ".agents"}


# A shell takes a path apart at these, or reads them as something else.
_SIGNS_OF_A_SHELL = re.compile(r"""[\s"'`$&|;<>()*?\[\]{}\\]""")


class HostError(Exception):
    """A place that a host does not have; the message is one line."""


@dataclass(frozen=True)
class Place:
    """Whose skill it is to be.

    One agent's, everybody's in the folder that the person is in, or the person's own.
    """

    host: str
    agent: str = ""
    is_global: bool = False

    @property
    def folder(self) -> Path:
        """Where the skill goes.

        Raises:
            HostError: The host knows no such agent on this machine, or the person's folder is gone.
        """
        if self.agent:
            return self._memory_of_agent() / "skills" / NAME
        if not self.is_global:
            return self._project() / "skills" / NAME
        return self._home() / "skills" / NAME

    def _project(self) -> Path:
        """The folder of a host in the one that the person is in."""
        try:
            return Path.cwd() / _PROJECT[self.host]
        except FileNotFoundError:
            told = "the folder that you are in is gone: go to another, or take --global"
            raise HostError(told) from None

    def _memory_of_agent(self) -> Path:
        """The folder in which Letta Code keeps what an agent remembers (letta 0.34.12)."""
        if self.host != "letta-code":
            raise HostError(f"{self.host} has no agents of its own: take --project or --global")
        if not self.agent.startswith("agent-") or "/" in self.agent:
            raise HostError(f"write the agent's id, such as agent-local-..., not {self.agent!r}")
        local = os.environ.get("LETTA_LOCAL_BACKEND_DIR") or Path.home() / ".letta/lc-local-backend"
        for memory in (
            Path(local) / "memfs" / self.agent / "memory",
            Path.home() / ".letta" / "agents" / self.agent / "memory",
        ):
            if memory.is_dir():
                return memory
        raise HostError(
            f"there is no agent {self.agent} on this machine: "
            "`letta --backend local agents list` names them"
        )

    def _home(self) -> Path:
        """The folder of a host in the person's home directory."""
        if self.host == "claude-code" and os.environ.get("CLAUDE_CONFIG_DIR"):
            return Path(os.environ["CLAUDE_CONFIG_DIR"])
        return Path.home() / _GLOBAL[self.host]


def needs_quotes(place: Place) -> bool:
    """Whether a shell finds the skill's command only in quotes, which no rule of a host has."""
    return bool(_SIGNS_OF_A_SHELL.search(str(place.folder)))


def how_to_give_the_key(place: Place) -> str:
    """What a person does so that the tools get the Venice key, in a line or a command."""
    if place.host == "letta-code":
        agent = place.agent or "AGENT_ID"
        # `--env` reads the value from the person's environment: no list of processes shows it.
        return (
            f"letta --backend local secret set VENICE_API_KEY --env VENICE_API_KEY --agent {agent}"
        )
    remark = "where you start it; your shell's history should not keep this line"
    return f"export VENICE_API_KEY=...   # {remark}"


def rules(place: Place) -> str:
    """What a person pastes into the host's rules.

    All runs unasked but what may cost dollars or changes the account.
    """
    command = str(place.folder / COMMAND)
    names = [record.name for record in skill_tools() if not record.needs_approval]
    if place.host == "codex":
        return (
            f"prefix_rule(pattern=[{json.dumps(command)}, {json.dumps(names)}], decision='allow')"
        )
    allowed = [f"Bash({command} {name}:*)" for name in names]
    return json.dumps({"permissions": {"allow": allowed}}, indent=1)
