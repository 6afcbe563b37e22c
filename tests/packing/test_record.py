"""Records: everything that Letta would reset if it were left out, and what a tool must declare of itself."""

import inspect
import json
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path

import pytest
from letta_client.resources.tools import ToolsResource

from sanctum_venice_tools.packing import record as packing
from sanctum_venice_tools.packing.bundle import BundleError, bundle, tool_files
from sanctum_venice_tools.packing.record import COSTS, TOOLSETS, Record, read_record
from sanctum_venice_tools.packing.schema import schema_of

TOOL = "def venice_demo(*, word: str) -> str:\n    return word\n"


def record_of(cost: str = "free", description: str = "Say a word. Returns JSON: said.") -> Record:
    """A record of a small tool."""
    schema = {
        "name": "venice_demo",
        "description": description,
        "parameters": {"type": "object", "properties": {}},
    }
    return Record("venice_demo", "core", cost, TOOL, schema)


def declare(source: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> str:
    """What reading a tool's record says when the tool is written so, without the folder."""
    path = tmp_path / "venice_demo.py"
    path.write_text(source, encoding="utf-8")
    monkeypatch.setattr(packing, "tool_files", lambda: {"venice_demo": path})
    with pytest.raises(BundleError) as refused:
        read_record("venice_demo")
    return str(refused.value).replace(f"{tmp_path}/", "")


@pytest.mark.parametrize("sandbox", ["local", "cloud"])
def test_sets_every_field_that_letta_would_reset(sandbox: packing.Sandbox) -> None:
    """All that tools.upsert takes is said, but what only pydantic or TypeScript tools have."""
    parameters = inspect.signature(ToolsResource.upsert).parameters
    about_the_call = {"self", "extra_headers", "extra_query", "extra_body", "timeout"}
    of_other_tools = {"args_json_schema", "npm_requirements"}

    assert parameters.keys() - about_the_call - of_other_tools == record_of().fields(sandbox).keys()


def test_describes_a_tool_as_its_schema_does() -> None:
    """The fields of a record, by Letta's names; the description is the one that a model sees."""
    record = record_of()

    assert {
        "source_code": TOOL,
        "source_type": "python",
        "json_schema": record.json_schema,
        "description": "Say a word. Returns JSON: said.",
        "tags": ["venice", "venice-core"],
        "return_char_limit": 20_000,
        "pip_requirements": None,
        "default_requires_approval": False,
        "enable_parallel_execution": True,
    } == record.fields()


def test_names_httpx_only_where_a_sandbox_installs_it() -> None:
    """A cloud sandbox gets the version that the tests ran with; the local one has httpx already."""
    assert [{"name": "httpx", "version": version("httpx")}] == record_of().fields("cloud")[
        "pip_requirements"
    ]


APPROVALS = {"free": False, "cents": False, "dollars": True, "account": True}


@pytest.mark.parametrize("cost", COSTS)
def test_asks_for_approval_of_what_is_dear_or_lasting(cost: str) -> None:
    """A person approves what may cost dollars or change the account, and nothing else."""
    assert APPROVALS[cost] is record_of(cost).fields()["default_requires_approval"]


@pytest.mark.parametrize("cost", COSTS)
@pytest.mark.parametrize("decided", [True, False])
def test_an_operator_decides_on_approval_but_not_for_the_account(
    cost: str, *, decided: bool
) -> None:
    """What the operator says holds, but what changes the account asks all the same."""
    record = replace(record_of(cost), approval=decided)

    assert (decided or cost == "account") is record.needs_approval


@pytest.mark.parametrize(
    ("description", "summary"),
    [
        ("Say a word. Returns JSON: said.", "Say a word"),
        ("Say a word.", "Say a word"),
        ("Say 1.10 words. Then more.", "Say 1.10 words"),
    ],
)
def test_sums_up_a_tool_in_its_first_sentence(description: str, summary: str) -> None:
    """The summary is the first sentence of the description, without its stop."""
    assert summary == record_of(description=description).summary


TOOLSET_FAULT = f"venice_demo.py:1: TOOLSET must be one of {', '.join(TOOLSETS)}"
COST_FAULT = f"venice_demo.py:1: COST must be one of {', '.join(COSTS)}"
BAD_DECLARATIONS = {
    "no TOOLSET": ('COST = "free"\n', TOOLSET_FAULT),
    "unknown TOOLSET": ('TOOLSET = "cores"\nCOST = "free"\n', TOOLSET_FAULT),
    "computed TOOLSET": ('TOOLSET = "co" + "re"\nCOST = "free"\n', TOOLSET_FAULT),
    "no COST": ('TOOLSET = "core"\n', COST_FAULT),
    "unknown COST": ('TOOLSET = "core"\nCOST = 1\n', COST_FAULT),
}


@pytest.mark.parametrize(("declared", "fault"), BAD_DECLARATIONS.values(), ids=BAD_DECLARATIONS)
def test_refuses_a_tool_without_known_toolset_and_cost(
    declared: str, fault: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """TOOLSET and COST are plain texts out of the known ones; the fault names the tool's file."""
    assert fault == declare(declared + TOOL, monkeypatch, tmp_path)


def test_says_what_the_bundler_refuses(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A file that can't be read is refused as by the bundler, with its line."""
    assert "venice_demo.py:1: invalid syntax" == declare(
        "def venice_demo(:\n", monkeypatch, tmp_path
    )


def test_knows_no_tool_that_is_not_there() -> None:
    """Reading the record of an unknown tool is a KeyError."""
    with pytest.raises(KeyError, match="venice_gone"):
        read_record("venice_gone")


@pytest.mark.parametrize("name", tool_files())
def test_packs_every_tool(name: str) -> None:
    """Each tool of the pack has a record, with its text, its schema and a summary of one line."""
    record = read_record(name)

    assert (name, bundle(tool_files()[name]), schema_of(name)) == (
        record.name,
        record.source_code,
        record.json_schema,
    )
    assert record.summary
    assert "\n" not in record.summary


def test_the_core_toolset_is_small() -> None:
    """What every conversation pays for, the core tools as OpenAI's functions, fits 12,000 characters altogether."""
    core = [record for record in map(read_record, tool_files()) if record.toolset == "core"]
    functions = [{"type": "function", "function": record.json_schema} for record in core]

    assert 12_000 >= len(json.dumps(functions, separators=(",", ":"), ensure_ascii=False))
