"""Whatever type a field has in Venice's list of models: the tools go by the rest, and what is paid is answered.

The tools are found by the folder's listing, the fields in the rows that they go by: new ones are tested as they are.
"""

import json
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from sanctum_venice_tools.packing.bundle import tool_files
from tests.conftest import Clock
from tests.tools.conftest import KEY
from tests.tools.recorded import Call, Tool

pytestmark = pytest.mark.slow

LISTING = ("GET", "/api/v1/models")


def others(value: Any) -> list[Any]:
    """What is of another type than a value."""
    return [None, ["seven", 7]] if isinstance(value, int | float | dict) else [None, 7]


def bent(row: Any, place: str = "") -> Iterator[tuple[str, Any]]:
    """Each place in a row, at whatever depth, and the row with another type there; of a list, its first item."""
    is_list = isinstance(row, list)
    names: list[Any] = (
        [*range(len(row))][:1] if is_list else [*row] if isinstance(row, dict) else []
    )
    for name in names:
        inner_place = f"{place}.{name}"
        inner = [(inner_place, other) for other in others(row[name])]
        for deeper, value in [*inner, *bent(row[name], inner_place)]:
            odd = row.copy()
            odd[name] = value
            yield deeper, odd


def odd_lists(rows: list[dict[str, Any]], first: str) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """The list with one odd field: each that any row has, if it can be in the row of the first model."""
    seen: set[str] = set()
    for row in sorted(rows, key=lambda one: one["id"] != first):
        odd_rows = [(place, odd) for place, odd in bent(row) if place not in seen]
        for place, odd in odd_rows:
            yield place, [odd if one is row else one for one in rows]
            seen.add(place)


@pytest.mark.parametrize("name", tool_files())
def test_an_odd_row_costs_no_reply(
    name: str, call: Call, load_tool: Callable[[str], Tool], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A field of another type counts as not told: a paid call is answered, and what ends otherwise cost nothing."""
    if LISTING not in call.replies:
        return  # it needs no model
    monkeypatch.setenv("VENICE_API_KEY", KEY)
    monkeypatch.setattr("os.fsync", lambda _: None)
    tool = load_tool(name)
    space = tool.__globals__
    space |= {"time": Clock(), "_FRESH_SECONDS": 0, "_TRIAL_BYTES": 1}

    def run(rows: list[dict[str, Any]]) -> str:
        listing = httpx.Response(200, json={"object": "list", "data": rows})
        answers = call.replaying(LISTING, listing)
        monkeypatch.setattr(httpx.HTTPTransport, "handle_request", answers)
        space["_PAID"].clear()
        return tool(**call.arguments)

    rows = call.replies[LISTING][-1].json()["data"]
    taken = json.loads(run(rows)).get("model", "")
    for place, odd_rows in odd_lists(rows, taken):
        try:
            run(odd_rows)
        except space["VeniceError"] as error:
            if space["_PAID"] or "could not be read" in str(error):
                pytest.fail(f"With another type at {place}: {error}")
