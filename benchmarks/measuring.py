"""What the benchmarks have in common: medians, programs as children, tables, JSON, the machine."""

import json
import os
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import click
import psutil

MEGABYTE = 1 << 20

# In columns: a terminal has that many.
WIDEST = 80

_CHILD = Path(__file__).with_name("child.py")


# --- programs, each as a process of its own ---


@dataclass(frozen=True)
class Run:
    """What a program took, and what it printed."""

    seconds: float
    processor_seconds: float
    peak_mb: float
    """The most memory that it had at a time."""
    output: str


def run_program(
    command: Sequence[str], *, sent: str = "", settings: Mapping[str, str] | None = None
) -> Run:
    """Run a program to its good end, in this process's environment with some settings more."""
    # Where this is set, Python compiles again at each start all that it imports.
    environment = {
        name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"
    }
    done = subprocess.run(  # noqa: S603  # programs of the benchmarks, and no shell
        [sys.executable, "-I", "-S", str(_CHILD), *command],
        input=sent,
        capture_output=True,
        text=True,
        check=False,
        env=environment | dict(settings or {}),
    )
    said, _, told = done.stderr.rstrip("\n").rpartition("\n")
    if done.returncode:
        raise click.ClickException(f"{command[0]} could not be started: {told}")
    used = json.loads(told)
    if used.pop("status"):
        raise click.ClickException(f"{' '.join(command)[:200]} failed: {said.strip()[-500:]}")
    return Run(**used, output=done.stdout)


def python_program(*arguments: str) -> list[str]:
    """The command of a program in Python; it gets no packages of the person's own."""
    return [sys.executable, "-I", *arguments]


def middle_run(runs: Sequence[Run]) -> Run:
    """The median of what several runs of a program took, each figure by itself; the last output."""
    return Run(
        seconds=statistics.median(run.seconds for run in runs),
        processor_seconds=statistics.median(run.processor_seconds for run in runs),
        peak_mb=statistics.median(run.peak_mb for run in runs),
        output=runs[-1].output,
    )


Case = TypeVar("Case", bound=Hashable)
Figure = TypeVar("Figure")


def in_turns(cases: Mapping[Case, Callable[[], Figure]], rounds: int) -> dict[Case, list[Figure]]:
    """What each case gives, by its name: all of them once in each round.

    So what else the machine does meanwhile strikes all cases alike. Of several rounds, the first
    only warms up.
    """
    figures: dict[Case, list[Figure]] = {name: [] for name in cases}
    if rounds > 1:
        progress("warming up")
        for measure in cases.values():
            measure()
    for turn in range(1, rounds + 1):
        progress(f"round {turn} of {rounds}")
        for name, measure in cases.items():
            figures[name].append(measure())
    return figures


def seconds_of(work: Callable[[], Any]) -> float:
    """How long some work takes."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


# --- tables ---


@dataclass(frozen=True)
class Table:
    """What was measured: rows of figures, for a person and for a program."""

    title: str
    columns: Mapping[str, str]
    """The name of each column, and how its figures are written: a format of Python's."""
    rows: list[list[Any]] = field(default_factory=list)
    """A figure for each column; None, where there is none."""
    notes: list[str] = field(default_factory=list)

    def add(self, *figures: Any) -> None:
        """Add a row."""
        self.rows.append(list(figures))

    def as_json(self) -> dict[str, Any]:
        """For a program to read."""
        rows = [dict(zip(self.columns, row, strict=True)) for row in self.rows]
        return {"title": self.title, "rows": rows, "notes": self.notes}

    def _cells_of(self, row: list[Any]) -> list[str]:
        """A row as it is shown."""
        forms = self.columns.values()
        return [_cell(figure, form) for figure, form in zip(row, forms, strict=True)]

    def as_text(self) -> str:
        """For a person to read, in a terminal or in a document."""
        cells = [list(self.columns), *(self._cells_of(row) for row in self.rows)]
        widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
        lines = [self.title]
        for first, *others in cells:
            line = first.ljust(widths[0])
            for cell, width in zip(others, widths[1:], strict=True):
                line += "  " + cell.rjust(width)
            lines.append(line.rstrip())
        lines.insert(2, "-" * max(map(len, lines[1:])))
        notes = [click.wrap_text(note, WIDEST, "* ", "  ") for note in self.notes]
        return "\n".join([*lines, *notes])


def _cell(figure: Any, form: str) -> str:
    """A figure as a table shows it; a text stands as it is."""
    if figure is None:
        return "-"
    return figure if isinstance(figure, str) else format(figure, form)


# --- the command ---


@dataclass(frozen=True)
class Machine:
    """Where something was measured."""

    cores: int
    memory_gb: int
    system: str
    python: str

    def __str__(self) -> str:
        """For a person to read."""
        memory = f"{self.memory_gb} GB of memory"
        return f"{self.cores} cores, {memory}, {self.system}, Python {self.python}"


def this_machine() -> Machine:
    """The machine that this runs on; nothing tells whose it is."""
    return Machine(
        cores=os.cpu_count() or 1,
        memory_gb=round(psutil.virtual_memory().total / (1 << 30)),
        system=f"{platform.system()} {platform.machine()}",
        python=platform.python_version(),
    )


def progress(line: str) -> None:
    """Tell a person who waits where a benchmark is; whoever reads its output does not see it."""
    click.echo(line, err=True)


def benchmark(
    file: str, doc: str | None, *options: click.Option
) -> Callable[[Callable[..., list[Table]]], click.Command]:
    """Make a command of what measures: it prints tables, or JSON.

    Args:
        file: The benchmark's own file.
        doc: What it measures, and how long it takes.
        options: What it can be told besides --quick, which each has.
    """
    shared = [
        click.Option(["--quick"], is_flag=True, help="Try everything once, on little."),
        click.Option(
            ["--json", "target"],
            metavar="FILE",
            type=click.Path(dir_okay=False, allow_dash=True),
            help="Write a JSON object there, too; - prints it in place of the tables.",
        ),
    ]

    def command(measure: Callable[..., list[Table]]) -> click.Command:
        def run(target: str | None, *, quick: bool, **given: Any) -> None:
            started = time.perf_counter()
            tables = measure(quick=quick, **given)
            seconds = round(time.perf_counter() - started, 1)
            name = Path(file).stem
            told = _told(name, tables, quick=quick) | {"seconds": seconds}
            if target != "-":
                _show(tables)
            if target:
                _write(target, told)

        return click.Command(
            Path(file).name,
            callback=run,
            help=doc,
            params=[*shared, *options],
            context_settings={"help_option_names": ["-h", "--help"]},
        )

    return command


def _told(name: str, tables: list[Table], *, quick: bool) -> dict[str, Any]:
    """What was measured, where and when."""
    return {
        "benchmark": name,
        "date": datetime.now(UTC).date().isoformat(),
        "machine": asdict(this_machine()),
        "quick": quick,
        "tables": [table.as_json() for table in tables],
    }


def _show(tables: list[Table]) -> None:
    """Print the tables, below a line about the machine and the day."""
    day = datetime.now(UTC).date().isoformat()
    click.echo(f"{day}, {this_machine()}")
    for table in tables:
        click.echo(f"\n{table.as_text()}")


def _write(target: str, told: dict[str, Any]) -> None:
    """Write what was measured as JSON."""
    with click.open_file(target, "w", encoding="utf-8") as file:
        file.write(json.dumps(told, indent=2) + "\n")
