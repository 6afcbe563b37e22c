"""The benchmarks: each still runs, and tells what it measured."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import click
import pytest

from benchmarks.measuring import Table, python_program, run_program

PROJECT = Path(__file__).resolve().parents[1]
ON_LETTA = ("registration", "tool_call")
WIDEST = 80


def every_benchmark() -> list[Any]:
    """The files that measure something; those that start a Letta server are marked so."""
    found = []
    for path in sorted((PROJECT / "benchmarks").glob("*.py")):
        if "\n@benchmark(" in path.read_text():
            marks = [pytest.mark.server] if path.stem in ON_LETTA else []
            found.append(pytest.param(path.stem, marks=marks))
    return found


@pytest.mark.slow
@pytest.mark.parametrize("name", every_benchmark())
def test_measures_something(name: str, tmp_path: Path) -> None:
    """A quick run ends well: with tables that fit a terminal, and the same figures as JSON."""
    target = tmp_path / "told.json"
    command = [sys.executable, f"benchmarks/{name}.py", "--quick", "--json", str(target)]
    done = subprocess.run(
        command, cwd=PROJECT, capture_output=True, text=True, check=False, timeout=300
    )
    assert 0 == done.returncode, done.stderr[-2000:]

    told = json.loads(target.read_text())
    assert (name, True) == (told["benchmark"], told["quick"])
    for table in told["tables"]:
        assert table["title"] in done.stdout
        assert table["rows"]
        for row in table["rows"]:
            assert [] != [figure for figure in row.values() if isinstance(figure, int | float)]
    assert [] == [line for line in done.stdout.splitlines() if len(line) > WIDEST]


@pytest.mark.slow
def test_json_stands_alone() -> None:
    """With --json - a program reads nothing but the object."""
    command = [sys.executable, "benchmarks/emulator.py", "--quick", "--json", "-"]
    done = subprocess.run(
        command, cwd=PROJECT, capture_output=True, text=True, check=True, timeout=300
    )

    assert "emulator" == json.loads(done.stdout)["benchmark"]


@pytest.mark.slow
def test_memory_is_a_programs_own() -> None:
    """A program's peak is its own, however much the benchmark itself has in memory."""
    ballast = b"x" * (200 << 20)
    small = run_program(python_program("-c", ""))
    large = run_program(python_program("-c", "b'x' * (100 << 20)"))

    assert ballast
    assert small.peak_mb < 50
    assert 100 < large.peak_mb < 150


def test_a_program_that_fails_is_not_measured() -> None:
    """The benchmark ends with what the program said last."""
    with pytest.raises(click.ClickException, match="no such fox"):
        run_program(python_program("-c", "raise SystemExit('no such fox')"))


def test_a_table_has_a_column_for_each_figure() -> None:
    """Texts stand left, figures right, and a dash where there is none."""
    table = Table("Foxes", {"where": "", "seen": ",d"}, [["city", 1200], ["moon", None]])

    assert "Foxes\nwhere   seen\n------------\ncity   1,200\nmoon       -" == table.as_text()
