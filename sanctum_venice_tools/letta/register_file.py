"""What servers are to have, as an operator writes it down: a TOML file with a table for each run.

A table has the options of `register` by their names, and those of `keys issue`.
"""

import difflib
import re
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    field_validator,
    model_validator,
)

from sanctum_venice_tools.letta.address import is_address, server_url
from sanctum_venice_tools.letta.agent_keys.account import Limit, check_last_day
from sanctum_venice_tools.packing.bundle import tool_files
from sanctum_venice_tools.packing.record import TOOLSETS

_TABLE = "register"

# What `approve` takes beside the names of tools.
_APPROVALS = ("all", "costly", "none")

# Tools of `admin` are chosen one by one.
_CHOICES = (*(toolset for toolset in TOOLSETS if toolset != "admin"), "all")


# The line that a table begins with: "[[register]]", or "[[ register ]]  # the server at home".
_HEADER = re.compile(rf"\s*\[\[\s*{_TABLE}\s*\]\]\s*(#.*)?")


class RegisterFileError(Exception):
    """What is wrong with a file, a line for each mistake."""


def _address(text: str) -> str:
    address = server_url(text)
    if not is_address(address):
        raise ValueError("write an address such as http://localhost:8283")
    return address


def _tool(name: str) -> str:
    if name != "all" and name not in tool_files():
        near = difflib.get_close_matches(name, tool_files(), n=1, cutoff=0)
        raise ValueError(f"there is no tool {name!r:.60}; did you mean {near[0]}?")
    return name


def _no_toolset(name: str) -> str:
    if name in _CHOICES and name != "all":
        raise ValueError(f"{name!r} is a toolset, not a tool: write it in toolsets")
    return name


def _toolset(name: str) -> str:
    if name not in _CHOICES:
        raise ValueError(f"it is one of {', '.join(_CHOICES)}")
    return name


def _secret_name(name: str) -> str:
    if not name.isidentifier():
        raise ValueError("give the name alone: its value comes from your environment")
    return name


def _agent(text: str) -> str:
    if not text.strip():
        raise ValueError("an empty text names no agent")
    return text


Usd = Annotated[float, Field(ge=0.01, le=9_999_999_999)]


class Entry(BaseModel):
    """One run of `register` on one server."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    server: Annotated[str, AfterValidator(_address)]
    key_variable: Annotated[str, AfterValidator(_secret_name)] = "LETTA_API_KEY"
    """The environment variable that has the server's key."""
    tools: list[Annotated[str, AfterValidator(_no_toolset), AfterValidator(_tool)]] = []
    toolsets: list[Annotated[str, AfterValidator(_toolset)]] = []
    approve: str | None = None
    prune: bool = False
    adopt: bool = False
    sandbox: Literal["local", "cloud"] | None = None
    fast_sandbox: bool | None = None
    agents: list[Annotated[str, AfterValidator(_agent)]] = []
    agent_tags: list[Annotated[str, AfterValidator(_agent)]] = []
    secrets: list[Annotated[str, AfterValidator(_secret_name)]] = []
    replace_secrets: bool = False
    usd_per_day: Usd | None = None
    usd_per_month: Usd | None = None
    usd_in_all: Usd | None = None
    expires: str = ""

    @field_validator("approve")
    @classmethod
    def _check_approve(cls, approve: str | None) -> str | None:
        for word in (approve or "none").split(","):
            if word.strip() not in _APPROVALS:
                _tool(word.strip())
        return approve

    @field_validator("expires")
    @classmethod
    def _check_expires(cls, expires: str) -> str:
        try:
            return check_last_day(expires) if expires else ""
        except ValueError:
            raise ValueError('write a day to come, as "YYYY-MM-DD"') from None

    @model_validator(mode="after")
    def _check_together(self) -> "Entry":
        has_agents = bool(self.agents or self.agent_tags)
        if (self.secrets or self.limit) and not has_agents:
            raise ValueError("secrets and limits belong to agents: name agents or agent_tags")
        if len(self._limits()) > 1:
            raise ValueError("give one of usd_per_day, usd_per_month and usd_in_all")
        if self.expires and not self.limit:
            raise ValueError("expires goes with a limit, such as usd_per_day")
        if self.limit and "VENICE_API_KEY" in self.secrets:
            raise ValueError("with a limit each agent gets a VENICE_API_KEY of its own")
        return self

    @property
    def limit(self) -> Limit | None:
        """What a key of each agent's own may spend; None where agents get no keys of their own."""
        return next(iter(self._limits()), None)

    def _limits(self) -> list[Limit]:
        given = [
            Limit(self.usd_per_day, "EPOCH"),
            Limit(self.usd_per_month, "MONTH"),
            Limit(self.usd_in_all, "LIFETIME"),
        ]
        return [limit for limit in given if limit.usd is not None]


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid")

    entries: list[Entry] = Field(min_length=1, alias="register")

    @model_validator(mode="after")
    def _check_pruning(self) -> "_File":
        servers = [entry.server for entry in self.entries]
        for entry in self.entries:
            if entry.prune and servers.count(entry.server) > 1:
                raise ValueError(
                    f"{entry.server} has several tables, and prune would undo what the others did"
                )
        return self


def read_entries(path: Path) -> list[Entry]:
    """What a file says.

    Raises:
        RegisterFileError: It can't be read, or has mistakes; each of them with its line.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")  # some editors begin a file with such a sign
        content = tomllib.loads(text)
    except OSError as error:
        raise RegisterFileError(f"{path}: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise RegisterFileError(f"{path}: {error}") from None
    except RecursionError:
        raise RegisterFileError(f"{path}: its lists lie too deep in each other") from None
    if _TABLE not in content:
        raise RegisterFileError(f"{path}: there is no table [[{_TABLE}]] in it")
    try:
        return _File.model_validate(content).entries
    except ValidationError as error:
        faults = error.errors(include_url=False, include_input=False)
        told = [_describe(path, text, fault["loc"], fault["msg"]) for fault in faults]
        raise RegisterFileError("\n".join(told)) from None


def _describe(path: Path, text: str, place: Sequence[Any], message: str) -> str:
    """A mistake on a line of its own: where it stands, and what is wrong."""
    field = next((one for one in place[2:] if isinstance(one, str)), "")
    about = message.removeprefix("Value error, ")
    about = about.replace("Extra inputs are not permitted", "there is no such option")
    where = f"{path}, line {_line_of(text, place)}"
    return f"{where}: {field}: {about}" if field else f"{where}: {about}"


def _line_of(text: str, place: Sequence[Any]) -> int:
    """The line on which something stands: register, the number of its table, the option."""
    lines = text.splitlines()
    if len(place) < 2:
        name = re.escape(str(place[0])) if place else ""
        return _first(lines, rf"\s*(\[*{name}\b)", 0, len(lines)) or 1

    headers = [number for number, line in enumerate(lines) if _HEADER.fullmatch(line)]
    table: int = place[1]
    if table >= len(headers):
        return 1
    header = headers[table]
    if len(place) == 2:
        return header + 1
    ends = [*headers, len(lines)]
    option = re.escape(str(place[2]))
    return _first(lines, rf'\s*"?{option}"?\s*=', header, ends[table + 1]) or header + 1


def _first(lines: Sequence[str], form: str, start: int, end: int) -> int | None:
    """The number of the first line of a form, counted from 1."""
    for number in range(start, end):
        if re.match(form, lines[number]):
            return number + 1
    return None
