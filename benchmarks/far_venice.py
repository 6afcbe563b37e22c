"""What a call costs where Venice answers each request after 300 ms, as from afar.

There, what counts is how many requests a tool makes, one after the other. Each tool is called with
an empty media folder, and again with what the first call left there; in turns with them, a program
sends the same requests, and one sends only the last of them, which is the least that a call needs.
A minute.
"""

import shutil
import sys
from functools import partial
from pathlib import Path
from typing import Any

# A clone works without being installed.
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.emitted import Workplace, workplace
from benchmarks.measuring import Run, Table, benchmark, in_turns, middle_run

ROUNDS = 5
DELAY_SECONDS = 0.3

CALLS: dict[str, dict[str, Any]] = {
    "venice_search_web": {"query": "red foxes"},
    "venice_ask_web": {"question": "How do foxes live in cities?"},
    "venice_chat": {"prompt": "Good day."},
    "venice_embed_texts": {"texts": ["A fox.", "A bee."]},
    "venice_generate_image": {"prompt": "A fox", "aspect_ratio": "64x64"},
    "venice_quote_video": {"duration": "5s"},
}
QUICK_CALLS = ("venice_ask_web",)


@benchmark(__file__, __doc__)
def main(*, quick: bool) -> list[Table]:
    """Call tools in turns, with a delay before each of Venice's answers."""
    names = QUICK_CALLS if quick else tuple(CALLS)
    rounds = 1 if quick else ROUNDS
    with workplace() as place:
        place.venice.order_fault(fault="stall", seconds=DELAY_SECONDS, times=1_000_000)
        return [_measure(place, names, rounds)]


def _measure(place: Workplace, names: tuple[str, ...], rounds: int) -> Table:
    """What each tool takes."""
    table = Table(
        f"Where Venice answers after {DELAY_SECONDS * 1000:.0f} ms: ms, medians of {rounds}",
        {
            "tool": "",
            "requests": "d",
            "then": "d",
            "first": ".0f",
            "same bare": ".0f",
            "next": ".0f",
            "last bare": ".0f",
        },
        notes=[
            "requests: of a first call; then: of the next, by what the first left in the folder",
            "bare: a program that sends the same requests as a first call, or only the last",
        ],
    )
    for name in names:
        arguments = CALLS[name]
        _empty(place)
        _, requests = place.run_logged(name, arguments)
        _, later = place.run_logged(name, arguments)
        cases = {
            "first": partial(_call_first, place, name, arguments),
            "next": partial(place.run_tool, name, arguments),
            "same": partial(place.send_bare, requests),
            "last": partial(place.send_bare, requests[-1:]),
        }
        middle = {case: middle_run(runs) for case, runs in in_turns(cases, rounds).items()}
        times = [middle[case].seconds * 1000 for case in ("first", "same", "next", "last")]
        table.add(name, len(requests), len(later), *times)
    return table


def _call_first(place: Workplace, name: str, arguments: dict[str, Any]) -> Run:
    """Call a tool whose media folder is empty."""
    _empty(place)
    return place.run_tool(name, arguments)


def _empty(place: Workplace) -> None:
    """Take away what calls have left in the media folder."""
    shutil.rmtree(place.media)
    place.media.mkdir()


if __name__ == "__main__":
    main()
