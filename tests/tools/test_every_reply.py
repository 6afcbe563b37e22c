"""Whatever Venice answers with a good status, JSON of any shape or bytes that are none: one line, or a small object.

The tools are found by the folder's listing: a new tool is tested as it is.
"""

import json
import math
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sanctum_venice_tools.packing.bundle import tool_files
from tests.conftest import Clock
from tests.tools.conftest import KEY
from tests.tools.recorded import Call, Place, Tool
from tests.tools.test_every_tool import SETTINGS, check_error, check_reply

pytestmark = pytest.mark.slow

# Names that tools look for in replies, so that odd values are found where they count.
NAMES = [
    "data",
    "id",
    "quote",
    "queue_id",
    "model",
    "status",
    "images",
    "text",
    "content",
    "choices",
    "results",
    "error",
]
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(10**20), 10**20)
    | st.floats()
    | st.text(max_size=20)
    | st.sampled_from(
        ["x" * 20_000, "\ud800", "NaN", "COMPLETED", "https://a.example/" + "b" * 9000]
    )
)
ANY_JSON = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(NAMES) | st.text(), inner, max_size=4)
    ),
    max_leaves=12,
)


def with_odd_part(draw: Callable[[Any], Any], value: Any) -> Any:
    """A reply with something else in one place, at whatever depth."""
    if isinstance(value, dict) and value and draw(st.integers(0, 3)):
        name = draw(st.sampled_from(sorted(value)))
        return value | {name: with_odd_part(draw, value[name])}
    if isinstance(value, list) and value and draw(st.integers(0, 3)):
        return [with_odd_part(draw, value[0]), *value[1:]]
    return draw(ANY_JSON)


@st.composite
def odd_bodies(draw: Callable[[Any], Any], usual: httpx.Response) -> tuple[bytes, str]:
    """The body of a reply that is not as documented, and its type."""
    kind = usual.headers["content-type"]
    form = draw(st.sampled_from(["any JSON", "odd part", "odd part", "bytes", "nothing"]))
    if form == "nothing":
        return b"", kind
    if form == "bytes":
        return draw(st.binary(max_size=60)), draw(
            st.sampled_from([kind, "application/json", "video/mp4"])
        )
    is_json = "json" in kind and form == "odd part"
    value = with_odd_part(draw, usual.json()) if is_json else draw(ANY_JSON)
    return json.dumps(value).encode(), "application/json"


def is_paid(place: Place) -> bool:
    """Whether a request costs, by Venice's document."""
    method, path = place
    return method == "POST" and not path.endswith(("/quote", "/retrieve", "/complete"))


def tells_what_became_of_it(outcome: str) -> bool:
    """Whether an error says what a paid request led to: perhaps a charge, a job, a key, or what stopped it before."""
    words = (
        "charged",
        "venice-video|",
        "venice-audio|",
        "may have been",
        "refused",
        "said nothing",
        "held the picture",
    )
    return any(word in outcome for word in words)


@pytest.mark.parametrize("name", tool_files())
@SETTINGS
@given(data=st.data())
def test_any_good_reply_ends_well(
    data: st.DataObject,
    name: str,
    call: Call,
    load_tool: Callable[[str], Tool],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """One request of the tool is answered by anything: the tool ends in a line or a small object, NaN nowhere."""
    monkeypatch.setenv("VENICE_API_KEY", KEY)
    places = [place for place in call.replies if place[1].startswith("/api/v1/")]
    place = data.draw(st.sampled_from(places), label="request")
    body, kind = data.draw(odd_bodies(call.replies[place][-1]), label="reply")
    odd = httpx.Response(200, content=body, headers={"content-type": kind})
    monkeypatch.setattr(httpx.HTTPTransport, "handle_request", call.replaying(place, odd))
    call.restore_media()
    tool = load_tool(name)
    tool.__globals__["time"] = Clock()
    try:
        said = tool(**call.arguments)
    except tool.__globals__["VeniceError"] as error:
        check_error(str(error))
        if is_paid(place) and not tells_what_became_of_it(str(error)):
            pytest.fail(str(error))
    else:
        check_reply(said, call.arguments)


def test_the_names_are_those_of_numbers_that_json_lacks() -> None:
    """What Python writes for them is what must not be in a reply."""
    assert ["NaN", "Infinity"] == [json.dumps(number) for number in (math.nan, math.inf)]
