"""The benchmarks: each still runs, and tells what it measured."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

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
