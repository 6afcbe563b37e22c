"""The command `schemas`: what is generated is what the tools say, and nothing else is touched."""

import functools
import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from sanctum_venice_tools.cli.schemas import _BEGIN, _END, build_schemas
from sanctum_venice_tools.fronts import skill
from sanctum_venice_tools.letta.ready_agents import agent_file, agent_names
from sanctum_venice_tools.packing import record as packing
from sanctum_venice_tools.packing import schema as schemas
from sanctum_venice_tools.packing.bundle import tool_files
from sanctum_venice_tools.packing.record import TOOLSETS, Record

PROJECT = Path(__file__).resolve().parents[2]
ABOVE = "# Tools\r\n\n| a table | of another kind |\n\n"
BELOW = "\nMore about 🦊, and `venice_gone`.\n\n\n"

# Each tool is packed once for all tests, for that takes longer than all else here.
read_record = functools.cache(packing.read_record)
schema_text = functools.cache(schemas.schema_text)
skill_files = functools.cache(skill.skill_files)
agent_file_text = functools.cache(agent_file.agent_file_text)


def build(folder: Path, *options: str) -> Result:
    """Run the command on a clone."""
    return CliRunner().invoke(build_schemas, ["--folder", str(folder), *options])


def contents(folder: Path) -> dict[Path, bytes]:
    """Every file of a clone."""
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture
def clone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A clone as it should be."""
    monkeypatch.setattr(packing, "read_record", read_record)
    monkeypatch.setattr(schemas, "schema_text", schema_text)
    monkeypatch.setattr(skill, "skill_files", skill_files)
    monkeypatch.setattr(agent_file, "agent_file_text", agent_file_text)
    (tmp_path / "README.md").write_bytes(f"{ABOVE}{_BEGIN}{_END}{BELOW}".encode())
    done = build(tmp_path)
    assert 0 == done.exit_code, done.output
    return tmp_path


def table(clone: Path) -> list[str]:
    """What stands between the two lines of README.md."""
    written = (clone / "README.md").read_bytes().decode()
    return written.partition(_BEGIN)[2].partition(_END)[0].splitlines()


# --- both ---


@pytest.mark.slow
def test_check_passes_when_nothing_would_change(clone: Path) -> None:
    """On a clone that is as the tools say, --check exits with 0, from the script too."""
    command = [
        sys.executable,
        str(PROJECT / "scripts" / "build_schemas.py"),
        "--folder",
        str(clone),
        "--check",
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=30)

    assert (0, "") == (done.returncode, done.stderr)


@pytest.mark.parametrize(
    "drift",
    ["changed", "missing", "extra", "README", "skill", "extra in skill", "agent", "extra agent"],
)
def test_check_fails_on_drift(drift: str, clone: Path) -> None:
    """A file that is changed, missing or too many, or a stale table, ends --check with 1; it is named."""
    path = clone / "tool_schemas" / f"{next(iter(tool_files()))}.json"
    if drift == "changed":
        path.write_text("{}\n", encoding="utf-8")
    elif drift == "missing":
        path.unlink()
    elif drift == "extra":
        path = path.with_name("venice_gone.json")
        path.write_text("{}\n", encoding="utf-8")
    elif drift == "skill":
        path = clone / "skills/venice/scripts/tools/venice_ask_web.py"
        path.write_text("", encoding="utf-8")
    elif drift == "extra in skill":
        path = clone / "skills/venice/scripts/tools/venice_gone.py"
        path.touch()
    elif drift == "agent":
        path = clone / "agents/researcher.af"
        path.write_text("{}", encoding="utf-8")
    elif drift == "extra agent":
        path = clone / "agents/gone.af"
        path.touch()
    else:
        path = clone / "README.md"
        path.write_bytes(path.read_bytes().replace("¢".encode(), b"free", 1))
    before = contents(clone)
    done = build(clone, "--check")

    assert 1 == done.exit_code
    assert f"Error: these are not what the tools say: {path}. Run: make schemas\n" == done.stderr
    assert before == contents(clone)


def test_writes_only_what_changed(clone: Path) -> None:
    """A stale schema is written anew, one whose tool is gone is removed, and the other files are not touched."""
    stale, *others = [clone / "tool_schemas" / f"{name}.json" for name in tool_files()]
    others.append(clone / "README.md")
    others += [clone / "skills" / "venice" / place for place in skill_files()]
    others += [clone / "agents" / f"{name}.af" for name in agent_names()]
    for path in (stale, clone / "tool_schemas" / "venice_gone.json"):
        path.write_text("{}\n", encoding="utf-8")
    before = [path.stat().st_mtime_ns for path in others]
    done = build(clone)

    made = f"{len(tool_files())} schemas, the skill, {len(agent_names())} agents and README's table"
    told = f"{made}, in {clone}: 1 written, 1 removed\n"
    assert (0, told) == (done.exit_code, done.stdout)
    assert "venice" in json.loads(stale.read_text(encoding="utf-8"))["name"]
    assert {stale, *others} == set(contents(clone))
    assert before == [path.stat().st_mtime_ns for path in others]


def test_makes_the_folder(clone: Path) -> None:
    """Where no schemas are yet, all are written, with a newline at the end and readable letters."""
    folder = clone / "tool_schemas"
    shutil.rmtree(folder)
    done = build(clone)

    assert 0 == done.exit_code, done.output
    assert [f"{name}.json" for name in tool_files()] == sorted(
        path.name for path in folder.iterdir()
    )
    assert all(
        schema_text(path.stem) == path.read_text(encoding="utf-8") for path in folder.iterdir()
    )
    assert all(path.read_text(encoding="utf-8").endswith("}\n") for path in folder.iterdir())


# --- README's table ---


def test_has_a_line_for_every_tool(clone: Path) -> None:
    """Toolset by toolset and by name: what each tool is, what it costs, and the first sentence of its description."""
    blank, heading, _, *rows, end = table(clone)
    cells = [[cell.strip() for cell in row.strip("|").split(" | ")] for row in rows]
    records = [read_record(row[0].strip("`")) for row in cells]

    assert ("", "| tool | toolset | cost | what it does |", "") == (blank, heading, end)
    assert [*tool_files()] == sorted(record.name for record in records)
    assert records == sorted(
        records, key=lambda record: (TOOLSETS.index(record.toolset), record.name)
    )
    assert [[f"`{record.name}`", record.toolset, record.summary] for record in records] == [
        [name, toolset, summary] for name, toolset, _, summary in cells
    ]


def test_leaves_the_rest_of_readme_alone(clone: Path) -> None:
    """All that stands outside of the two lines stays, byte by byte, when the table is written anew."""
    path = clone / "README.md"
    path.write_bytes(f"{ABOVE}{_BEGIN}| an old | table |\n{_END}{BELOW}".encode())
    done = build(clone)

    assert (0, 1) == (done.exit_code, done.stdout.count(": 1 written, 0 removed"))
    written = path.read_bytes()
    assert written.startswith(f"{ABOVE}{_BEGIN}".encode())
    assert written.endswith(f"{_END}{BELOW}".encode())
    assert b"an old" not in written


COSTS = {
    "free": "free",
    "cents": "¢",
    "dollars": "$ (a person is asked)",
    "account": "! (a person is asked)",
}


@pytest.mark.parametrize("cost", COSTS)
def test_shows_what_a_tool_costs(cost: str, clone: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each kind of cost has its mark, with a word where a person is asked first; a bar does not end a cell."""
    schema = {"name": "venice_x", "description": "Do this|that. Then more.", "parameters": {}}
    monkeypatch.setattr(
        "sanctum_venice_tools.packing.bundle.tool_files", lambda: {"venice_x": Path()}
    )
    monkeypatch.setattr(packing, "read_record", lambda name: Record(name, "core", cost, "", schema))
    monkeypatch.setattr(schemas, "schema_text", lambda _: "{}\n")
    done = build(clone)

    assert 0 == done.exit_code, done.output
    assert [rf"| `venice_x` | core | {COSTS[cost]} | Do this\|that |"] == table(clone)[3:-1]


@pytest.mark.parametrize("options", [[], ["--check"]], ids=["writing", "checking"])
@pytest.mark.parametrize(
    "text",
    ["", _BEGIN, _END, f"{_END}{_BEGIN}"],
    ids=["none", "only the first", "only the second", "the wrong way round"],
)
def test_needs_the_two_lines(text: str, options: list[str], clone: Path) -> None:
    """Without one of the lines, one line says what is missing, and nothing is written."""
    path = clone / "README.md"
    (clone / "tool_schemas" / "venice_gone.json").touch()
    path.write_text(text, encoding="utf-8")
    before = contents(clone)
    done = build(clone, *options)

    assert (1, 1) == (done.exit_code, len(done.stderr.splitlines()))
    assert f"Error: {path} does not have these two lines" in done.stderr
    assert _BEGIN.strip() in done.stderr
    assert _END.strip() in done.stderr
    assert before == contents(clone)


def test_says_which_tool_can_not_be_read(
    clone: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A tool that is not of the dialect ends the command with its fault, and nothing is written."""
    bad = tmp_path / "venice_bad.py"
    bad.write_text("def venice_bad(:\n", encoding="utf-8")
    monkeypatch.setattr(packing, "tool_files", lambda: {bad.stem: bad})
    monkeypatch.setattr("sanctum_venice_tools.packing.bundle.tool_files", lambda: {bad.stem: bad})
    before = contents(clone)
    done = build(clone)

    assert (1, f"Error: {bad}:1: invalid syntax\n") == (done.exit_code, done.stderr)
    assert before == contents(clone)


@pytest.mark.parametrize("options", [[], ["--check"]], ids=["writing", "checking"])
def test_is_for_a_clone(options: list[str], clone: Path) -> None:
    """Without README.md, as in an installed package, one line says what the command is for, and nothing is written."""
    (clone / "tool_schemas" / "venice_gone.json").touch()
    (clone / "README.md").unlink()
    before = contents(clone)
    done = build(clone, *options)

    assert (1, 1) == (done.exit_code, len(done.stderr.splitlines()))
    assert f"Error: there is no README.md in {clone}: this command is for a clone" in done.stderr
    assert before == contents(clone)
