"""The full record of a tool: everything that Letta stores of it.

What is left out, Letta resets.
"""

import ast
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any, Literal

from sanctum_venice_tools.packing.bundle import BundleError, bundle, tool_files
from sanctum_venice_tools.packing.dialect import read_module
from sanctum_venice_tools.packing.schema import SchemaError, schema_of, summary_of, unsafe_arguments

# What a tool declares about itself, in constants of its own file.
TOOLSETS = ("core", "text", "image", "audio", "video", "web", "account", "admin", "chain")
COSTS = ("free", "cents", "dollars", "account")
"""Nothing; a few US cents a usual call; may be dollars; changes the account."""
COSTLY = ("dollars", "account")

# Letta cuts a longer reply in the middle, so this is well above what any tool answers by itself.
RETURN_CHAR_LIMIT = 20_000

# Where a server runs tools: "local" has httpx already; "cloud" stands for sandboxes that install
# what a tool names.
Sandbox = Literal["local", "cloud"]


@dataclass(frozen=True)
class Record:
    """A tool, ready to be registered."""

    name: str
    toolset: str
    cost: str
    source_code: str
    json_schema: dict[str, Any]
    approval: bool | None = None
    """Whether the operator decided to ask a person before each call; None leaves it to the cost."""

    def __post_init__(self) -> None:
        """Refuse a schema by which a Letta server would run what a model writes as code."""
        if unsafe := unsafe_arguments(self.json_schema):
            raise SchemaError(
                f"{self.name}: a Letta server would run these as code: {', '.join(unsafe)}"
            )

    @property
    def needs_approval(self) -> bool:
        """Whether a person is asked before each call; the account is never changed unasked."""
        if self.approval is None or self.cost == "account":
            return self.cost in COSTLY
        return self.approval

    @property
    def summary(self) -> str:
        """The first sentence of the description."""
        return summary_of(self.json_schema)

    def fields(self, sandbox: Sandbox = "local") -> dict[str, Any]:
        """Every field that the pack sets on the server, by Letta's own names."""
        requirements = [{"name": "httpx", "version": version("httpx")}]
        return {
            "source_code": self.source_code,
            "source_type": "python",
            "json_schema": self.json_schema,
            "description": self.json_schema["description"],
            "tags": ["venice", f"venice-{self.toolset}"],
            "return_char_limit": RETURN_CHAR_LIMIT,
            "pip_requirements": requirements if sandbox == "cloud" else None,
            "default_requires_approval": self.needs_approval,
            # Calls share nothing, so several in one turn may run side by side.
            "enable_parallel_execution": True,
        }


def read_record(name: str) -> Record:
    """Pack one tool.

    Raises:
        KeyError: There is no tool of that name.
        BundleError: The tool can't become one text, or declares no known TOOLSET or COST.
        SchemaError: Its signature and docstring can't become a schema.
    """
    path = tool_files()[name]
    text = bundle(path)
    return Record(
        name=name,
        toolset=toolset_of(path),
        cost=_declared(path, "COST", COSTS),
        source_code=text,
        json_schema=schema_of(name),
    )


def read_toolsets(toolsets: Collection[str]) -> list[Record]:
    """Pack the tools of some toolsets, toolset by toolset; of the others, only the toolset is read.

    Raises:
        BundleError: As for `read_record`, or a tool declares no known TOOLSET.
        SchemaError: As for `read_record`.
    """
    there = {name: toolset_of(path) for name, path in tool_files().items()}
    chosen = [name for name, toolset in there.items() if toolset in toolsets]
    chosen.sort(key=lambda name: (TOOLSETS.index(there[name]), name))
    return [read_record(name) for name in chosen]


def toolset_of(path: Path) -> str:
    """The toolset that a tool's file declares; the tool is not packed for that.

    Raises:
        BundleError: It declares no known TOOLSET.
    """
    return _declared(path, "TOOLSET", TOOLSETS)


def _declared(path: Path, constant: str, known: Sequence[str]) -> str:
    """A constant of a tool's file that is one of the known texts; the file is read, and not run."""
    definitions = read_module(path).definitions
    if constant in definitions:
        match definitions[constant].node:
            case ast.Assign(value=ast.Constant(value=str(text))) if text in known:
                return text
    raise BundleError(f"{path}:1: {constant} must be one of {', '.join(known)}")
