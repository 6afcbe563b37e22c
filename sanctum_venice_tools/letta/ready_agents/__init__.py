"""Ready-made agents: each has a file that says in plain words who it is; the folder lists them."""

import tomllib
from importlib.resources import files

from pydantic import BaseModel, ConfigDict

__all__ = ["BLOCK_LIMIT", "Block", "ReadyAgent", "agent_names", "read_ready_agent"]

# The most characters of a block: each is paid for at every turn, so this is a tenth of what Letta
# allows.
BLOCK_LIMIT = 10_000


class _Form(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)


class Block(_Form):
    """A part of an agent's memory, which it always sees and may change."""

    description: str
    """What it is for; this the agent does not change."""
    text: str
    """How it begins."""


class ReadyAgent(_Form):
    """An agent as its file tells of it."""

    name: str
    description: str
    tools: tuple[str, ...]
    secrets: tuple[str, ...]
    """The names of the secrets that its tools look for; their values stand nowhere."""
    rules: str
    """How it goes about its work: its own part of the system prompt, which it can't change."""
    memory: dict[str, Block]
    """Its blocks by label."""


def agent_names() -> list[str]:
    """The names of all ready-made agents."""
    there = [file.name for file in files(__package__).iterdir()]
    return sorted(name.removesuffix(".toml") for name in there if name.endswith(".toml"))


def read_ready_agent(name: str) -> ReadyAgent:
    """One agent by its name."""
    text = files(__package__).joinpath(f"{name}.toml").read_text(encoding="utf-8")
    return ReadyAgent(name=name, **tomllib.loads(text))
