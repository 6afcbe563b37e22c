"""What a tool's own text costs, beside a program that only sends the same requests.

Each is a fresh process of the same Python, against a local Venice. The tool is the emitted text, as
Letta runs it; its requests are read from Venice's log and sent again by plain httpx. All of them in
turns, two minutes altogether.
"""

import sys
from functools import partial
from pathlib import Path
from typing import Any

# A clone works without being installed.
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.emitted import Workplace, workplace
from benchmarks.measuring import (
    Run,
    Table,
    benchmark,
    in_turns,
    middle_run,
    python_program,
    run_program,
)

ROUNDS = 21

# Calls to which the local Venice answers at once; 64 by 64, for drawing is its own work. The last
# has one of the longest texts of all.
CALLS: dict[str, dict[str, Any]] = {
    "venice_find_characters": {"query": "philosophy"},
    "venice_search_web": {"query": "red foxes"},
    "venice_ask_web": {"question": "How do foxes live in cities?"},
    "venice_embed_texts": {"texts": ["A fox.", "A bee."]},
    "venice_generate_image": {"prompt": "A fox", "aspect_ratio": "64x64"},
    "venice_quote_video": {"duration": "5s"},
}
QUICK_CALLS = ("venice_find_characters", "venice_ask_web")


@benchmark(__file__, __doc__)
def main(*, quick: bool) -> list[Table]:
    """Measure programs in turns."""
    calls = {name: CALLS[name] for name in QUICK_CALLS} if quick else CALLS
    rounds = 1 if quick else ROUNDS
    with workplace() as place:
        return [_programs(rounds), *(_calls(place, calls, rounds))]


def _programs(rounds: int) -> Table:
    """What Python and httpx take by themselves."""
    cases = {
        "nothing": partial(run_program, python_program("-c", "")),
        "import httpx": partial(run_program, python_program("-c", "import httpx")),
        "import httpx, make a client": partial(
            run_program, python_program("-c", "import httpx; httpx.Client()")
        ),
    }
    table = Table(
        f"A program in Python, medians of {rounds}",
        {"program": "", "ms": ".0f", "processor ms": ".0f", "peak MB": ".1f"},
    )
    for name, runs in in_turns(cases, rounds).items():
        run = middle_run(runs)
        table.add(name, run.seconds * 1000, run.processor_seconds * 1000, run.peak_mb)
    return table


def _calls(place: Workplace, calls: dict[str, dict[str, Any]], rounds: int) -> list[Table]:
    """What each tool takes, beside its requests alone."""
    cases = {}
    counts = {}
    for name, arguments in calls.items():
        # A first call may leave something that saves the next one a request.
        place.run_tool(name, arguments)
        _, requests = place.run_logged(name, arguments)
        counts[name] = len(requests)
        cases[name, "tool"] = partial(place.run_tool, name, arguments)
        cases[name, "bare"] = partial(place.send_bare, requests)
    middle = {case: middle_run(runs) for case, runs in in_turns(cases, rounds).items()}
    return [_times(middle, counts, rounds), _means(middle, counts)]


def _times(middle: dict[tuple[str, str], Run], counts: dict[str, int], rounds: int) -> Table:
    """How long the tools take."""
    table = Table(
        f"A call, in ms, medians of {rounds}",
        {"tool": "", "requests": "d", "tool ms": ".0f", "bare ms": ".0f", "ratio": ".2f"},
        notes=["bare: a program that sends the same requests, and nothing else"],
    )
    for name, count in counts.items():
        tool = middle[name, "tool"].seconds * 1000
        bare = middle[name, "bare"].seconds * 1000
        table.add(name, count, tool, bare, tool / bare)
    return table


def _means(middle: dict[tuple[str, str], Run], counts: dict[str, int]) -> Table:
    """What the tools take of the machine; other programs beside them hardly change that."""
    table = Table(
        "The same calls' processor time and peak memory",
        {
            "tool": "",
            "tool ms": ".0f",
            "bare ms": ".0f",
            "ratio": ".2f",
            "tool MB": ".1f",
            "bare MB": ".1f",
            "more": "+.1f",
        },
    )
    for name in counts:
        tool = middle[name, "tool"]
        bare = middle[name, "bare"]
        tool_ms = tool.processor_seconds * 1000
        bare_ms = bare.processor_seconds * 1000
        more = tool.peak_mb - bare.peak_mb
        table.add(name, tool_ms, bare_ms, tool_ms / bare_ms, tool.peak_mb, bare.peak_mb, more)
    return table


if __name__ == "__main__":
    main()
