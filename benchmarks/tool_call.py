"""What a tool call costs in a local Letta server's sandbox, beside a tool that does nothing.

One tool of each toolset as it ships, against a local Venice; in turns with them, a tool without
arguments, and one written the documented way (a positional text argument). Then all of them in the
fast sandbox (register --fast-sandbox). Three minutes, and the installation of a Letta server if
none is there.
"""

import sys
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

# A clone works without being installed.
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import click
from letta_client import Letta

from benchmarks.calls import OF_EACH_TOOLSET
from benchmarks.emitted import workplace
from benchmarks.letta_server import running_letta
from benchmarks.measuring import Table, benchmark, in_turns, seconds_of
from sanctum_venice_tools.letta.sandbox import apply_sandbox, plan_sandbox
from sanctum_venice_tools.packing.record import read_record

ROUNDS = 9
QUICK_TOOLSETS = ("core",)

NOTHING = "nothing, without arguments"
DOCUMENTED = "nothing, the documented way"

Bodies = dict[str, dict[str, Any]]


@benchmark(__file__, __doc__)
def main(*, quick: bool) -> list[Table]:
    """Call all tools in turns, in either sandbox."""
    toolsets = QUICK_TOOLSETS if quick else tuple(OF_EACH_TOOLSET)
    rounds = 1 if quick else ROUNDS
    with workplace() as place, running_letta(place.settings) as letta:
        usual = _measure(letta, _bodies(toolsets), rounds)
        _speed_up(letta)
        fast = _measure(letta, _bodies(toolsets), rounds)
    return [_table(usual, fast, rounds)]


def _bodies(toolsets: tuple[str, ...]) -> Bodies:
    """What Letta is asked to run, by its name in the table."""
    bodies = {
        NOTHING: _body("nothing", "def nothing() -> str:\n    return '{}'\n", {}),
        DOCUMENTED: _body(
            "documented", "def documented(text: str) -> str:\n    return text\n", {"text": "1.10"}
        ),
    }
    for toolset in toolsets:
        name, arguments = OF_EACH_TOOLSET[toolset]
        record = read_record(name)
        bodies[f"{toolset}: {name}"] = {
            "name": name,
            "source_code": record.source_code,
            "json_schema": record.json_schema,
            "args": arguments,
        }
    return bodies


def _body(name: str, source: str, arguments: dict[str, str]) -> dict[str, Any]:
    """A request to run a text whose arguments are texts."""
    properties = {argument: {"type": "string", "description": argument} for argument in arguments}
    parameters = {"type": "object", "properties": properties, "required": list(arguments)}
    schema = {"name": name, "description": name, "parameters": parameters}
    return {"name": name, "source_code": source, "json_schema": schema, "args": arguments}


def _measure(letta: Letta, bodies: Bodies, rounds: int) -> dict[str, list[float]]:
    """The seconds of each call, in each round."""
    calls = {
        name: partial(seconds_of, partial(_call, letta, body)) for name, body in bodies.items()
    }
    return in_turns(calls, rounds)


def _call(letta: Letta, body: dict[str, Any]) -> None:
    """Have Letta run a tool, to its good end."""
    done: Any = letta.post("/v1/tools/run", cast_to=object, body=body)
    if done["status"] != "success":
        raise click.ClickException(f"{body['name']} failed: {done['tool_return']}")


def _speed_up(letta: Letta) -> None:
    """Let the server run its tools in the fast sandbox."""
    change = apply_sandbox(letta, plan_sandbox(letta, fast=True))
    if change.problem:
        raise click.ClickException(f"The fast sandbox could not be made: {change.problem}")


def _table(usual: dict[str, list[float]], fast: dict[str, list[float]], rounds: int) -> Table:
    """The medians, and how they compare with a tool that does nothing."""
    table = Table(
        f"A call through Letta's sandbox, in s, medians of {rounds}",
        {
            "toolset: tool": "",
            "median": ".2f",
            "min": ".2f",
            "max": ".2f",
            "x nothing": ".2f",
            "fast sandbox": ".2f",
        },
        notes=[
            "fast sandbox: a venv with httpx and nothing else, as register --fast-sandbox makes it"
        ],
    )
    base = median(usual[NOTHING])
    for name, seconds in usual.items():
        middle = median(seconds)
        table.add(name, middle, min(seconds), max(seconds), middle / base, median(fast[name]))
    return table


if __name__ == "__main__":
    main()
