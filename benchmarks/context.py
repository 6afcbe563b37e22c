"""What the tools take of a model's context: their schemas, by toolset, and typical replies.

Beside them: what Venice's own MCP server takes for the like. Ten seconds.
"""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

# A clone works without being installed.
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import click

from benchmarks.calls import OF_EACH_TOOLSET, OTHERS
from benchmarks.emitted import Workplace, workplace
from benchmarks.measuring import Table, benchmark
from sanctum_venice_tools.packing.bundle import tool_files
from sanctum_venice_tools.packing.record import TOOLSETS, Record, read_record

# Venice's own MCP server, as it was measured in 2026 for this project: its list of tools, and its
# answer with one picture, which comes as base64 within the reply.
MCP_TOOLS = 31
MCP_SCHEMAS = 22_594
MCP_PICTURE = 327_544

Count = Callable[[str], int]


@benchmark(
    __file__,
    __doc__,
    click.Option(
        ["--encoding"],
        default="o200k_base",
        show_default=True,
        help="Count tokens by this encoding of tiktoken's, if that is installed and has it.",
    ),
)
def main(*, quick: bool, encoding: str) -> list[Table]:
    """Count characters, and tokens where a tokenizer is there."""
    count = _counter(encoding)
    calls = [*OF_EACH_TOOLSET.values(), *OTHERS]
    if quick:
        calls = calls[:2]
    with workplace() as place:
        replies = _replies(place, calls, count)
    tables = [_schemas(count), replies]
    how = f"Tokens by {encoding}." if count else f"No tokens: tiktoken has no {encoding} here."
    tables[0].notes.append(how)
    return tables


def _counter(encoding: str) -> Count | None:
    """What counts the tokens of a text; None, where there is no tokenizer."""
    try:
        import tiktoken  # type: ignore[import-not-found,unused-ignore]  # noqa: PLC0415

        known = tiktoken.get_encoding(encoding)
    # Of many kinds: not installed, no such encoding, or no network to fetch it from.
    except Exception:  # noqa: BLE001
        return None
    return lambda text: len(known.encode(text))


def _schemas(count: Count | None) -> Table:
    """What each toolset takes as OpenAI's functions, which is how models get tools."""
    records = [read_record(name) for name in tool_files()]
    table = Table(
        "Schemas, as functions without white space",
        {"toolset": "", "tools": "d", "characters": ",d", "a tool": ",.0f", "tokens": ",d"},
    )
    for toolset in TOOLSETS:
        _add_schemas(table, toolset, [one for one in records if one.toolset == toolset], count)
    _add_schemas(table, "all but admin", [one for one in records if one.toolset != "admin"], count)
    _add_schemas(table, "all", records, count)
    a_tool = MCP_SCHEMAS / MCP_TOOLS
    table.add("Venice's own MCP server", MCP_TOOLS, MCP_SCHEMAS, a_tool, None)
    return table


def _add_schemas(table: Table, title: str, records: list[Record], count: Count | None) -> None:
    """Add what some tools take together."""
    functions = [{"type": "function", "function": record.json_schema} for record in records]
    text = json.dumps(functions, separators=(",", ":"), ensure_ascii=False)
    tokens = count(text) if count else None
    table.add(title, len(records), len(text), len(text) / len(records), tokens)


def _replies(
    place: Workplace, calls: list[tuple[str, dict[str, Any]]], count: Count | None
) -> Table:
    """What the replies to some calls take."""
    table = Table("Replies", {"call": "", "characters": ",d", "tokens": ",d"})
    for name, arguments in calls:
        reply = place.run_tool(name, arguments).output.strip()
        table.add(_shown(name, arguments), len(reply), count(reply) if count else None)
    table.add("a picture from Venice's own MCP server", MCP_PICTURE, None)
    return table


def _shown(name: str, arguments: dict[str, Any]) -> str:
    """A call on one line."""
    shown = ", ".join(f"{name}={value!r}" for name, value in arguments.items())
    line = f"{name}({shown})"
    return line if len(line) <= 54 else f"{line[:51]}..."


if __name__ == "__main__":
    main()
