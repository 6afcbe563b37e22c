"""How fast the texts and schemas of all tools are made, each time by a fresh process.

Beside it in the same run: a process that only imports what makes them. Wanted is less than a
second. It takes half a minute.
"""

import sys
from functools import partial
from pathlib import Path

# A clone works without being installed.
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.measuring import (
    Run,
    Table,
    benchmark,
    in_turns,
    middle_run,
    python_program,
    run_program,
)
from sanctum_venice_tools.packing.bundle import tool_files

ROUNDS = 9
CLONE = Path(__file__).resolve().parents[1]

# What each process does, once the clone is where it imports from.
IMPORTS = """
from sanctum_venice_tools.packing.bundle import bundle, tool_files
from sanctum_venice_tools.packing.record import read_record
from sanctum_venice_tools.packing.schema import schema_of
"""
WORK = {
    "only import what makes them": "",
    "make all texts": "[bundle(path) for path in tool_files().values()]",
    "make all schemas": "[schema_of(name) for name in tool_files()]",
    "make all records (both)": "[read_record(name) for name in tool_files()]",
    "make one record": "read_record('venice_ask_web')",
}
CHECK = "scripts/build_schemas.py --check"
QUICK_WORK = ("only import what makes them", "make one record")


@benchmark(__file__, __doc__)
def main(*, quick: bool) -> list[Table]:
    """Measure processes in turns."""
    rounds = 1 if quick else ROUNDS
    names = QUICK_WORK if quick else tuple(WORK)
    cases = {name: partial(_run, WORK[name]) for name in names}
    cases[CHECK] = partial(
        run_program, [sys.executable, str(CLONE / "scripts/build_schemas.py"), "--check"]
    )
    middle = {name: middle_run(runs) for name, runs in in_turns(cases, rounds).items()}
    return [_table(middle, rounds)]


def _run(work: str) -> Run:
    """Do some work in a fresh process."""
    program = f"import sys\nsys.path.insert(0, {str(CLONE)!r})\n{IMPORTS}\n{work}"
    return run_program(python_program("-c", program))


def _table(middle: dict[str, Run], rounds: int) -> Table:
    """What the processes took."""
    table = Table(
        f"{len(tool_files())} tools, medians of {rounds}",
        {"process": "", "s": ".2f", "processor s": ".2f", "peak MB": ".0f"},
    )
    for name, run in middle.items():
        table.add(name, run.seconds, run.processor_seconds, run.peak_mb)
    return table


if __name__ == "__main__":
    main()
