"""The Agent Skill: a folder that teaches an agent with a shell to call the tools.

It holds their texts.

Hosts read SKILL.md of such a folder (https://agentskills.io/specification). Its prose stands beside
this file; all that the folder has of the tools comes from the tools.
"""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from sanctum_venice_tools.packing.record import TOOLSETS, Record, read_toolsets
from sanctum_venice_tools.packing.schema import typed_schema_of

NAME = "venice"

# By this line of SKILL.md a folder is known to be ours.
OURS = "pack: sanctum-venice-tools"

COST_SIGNS = {"free": "free", "cents": "¢", "dollars": "$", "account": "!"}

_HERE = Path(__file__).resolve().parent

# How a call begins, beside the tools' texts.
COMMAND = "scripts/venice"


def skill_tools() -> list[Record]:
    """The tools that the skill has, toolset by toolset.

    Those of `admin` are left out: they are chosen one by one.
    """
    return read_toolsets(set(TOOLSETS) - {"admin"})


def skill_files() -> dict[str, str]:
    """The text of each file of the skill, by its place in the folder."""
    records = skill_tools()
    files = {
        "SKILL.md": _own("SKILL.md").replace("{tools}", _table(records)),
        COMMAND: _own("venice"),
        "scripts/call_tool.py": _own("call_tool.py"),
        "scripts/tools.json": _as_json({record.name: _facts(record) for record in records}),
    }
    texts = {f"scripts/tools/{record.name}.py": record.source_code for record in records}
    return files | texts


def write_skill(folder: Path) -> None:
    """Write the skill's files into a folder; the command can be run."""
    for place, text in skill_files().items():
        path = folder / place
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode())
    (folder / COMMAND).chmod(0o755)


def _own(name: str) -> str:
    """A file that lies beside this one."""
    return (_HERE / name).read_bytes().decode()


def _as_json(value: Any) -> str:
    return json.dumps(value, indent=1, ensure_ascii=False) + "\n"


def _facts(record: Record) -> dict[str, Any]:
    """What the skill's command knows of a tool: its schema with real types, and its cost.

    And whether a person is asked.
    """
    schema = typed_schema_of(record.name)
    return {
        "summary": record.summary,
        "cost": record.cost,
        "asks": record.needs_approval,
        "description": schema["description"],
        "parameters": schema["parameters"],
    }


def _table(records: Iterable[Record]) -> str:
    """A line for each tool, under the name of its toolset."""
    lines: list[str] = []
    toolset = ""
    for record in records:
        if record.toolset != toolset:
            toolset = record.toolset
            lines += ["", f"**{toolset}**", ""]
        lines.append(f"- `{record.name}` ({COST_SIGNS[record.cost]}): {record.summary}")
    return "\n".join(lines).strip("\n")
