"""The tools of others on a Letta server in whose arguments a text runs as code."""

from collections.abc import Iterator
from typing import Any

from letta_client import Letta
from letta_client.types import Tool

from sanctum_venice_tools.letta.reading import list_tools
from sanctum_venice_tools.letta.stored import is_ours
from sanctum_venice_tools.packing.bundle import tool_files

# Letta 0.16.8 writes a call as a Python script. It quotes a value of any other type; these it
# writes as they come.
UNQUOTED_TYPES = ("number", "array", "object")


def tools_of_others(letta: Letta) -> list[Tool]:
    """The Python tools that people put on the server, but for those of this pack; by name."""
    pack = tool_files()
    custom = list_tools(letta, tool_types=["custom"])
    python = [tool for tool in custom if tool.source_type != "typescript"]
    # A tool of an older pack is looked at like those of others: nothing updates it any more.
    others = [tool for tool in python if not (tool.name in pack and is_ours(tool))]
    return sorted(others, key=lambda tool: str(tool.name))


def is_exposed(tool: Tool) -> bool:
    """Whether a tool declares an argument that Letta writes into its script unquoted."""
    return any(declared in UNQUOTED_TYPES for declared in _declared_types(tool))


def _declared_types(tool: Tool) -> Iterator[Any]:
    """The type of each argument, wherever Letta looks for it.

    The schema is whatever its author wrote.
    """
    parameters = _object(_object(tool.json_schema).get("parameters"))
    for declared in _object(parameters.get("properties")).values():
        argument = _object(declared)
        yield argument.get("type") or _object(argument.get("parameters")).get("type")


def _object(value: Any) -> dict[str, Any]:
    """A JSON object as it is, and anything else as an empty one."""
    return value if isinstance(value, dict) else {}
