"""Both tools that queue a job: the price comes first, and nothing is bought above the limit, unpriced, or twice."""

import json
import re
from collections.abc import Callable
from typing import Any

import httpx
import pytest
import respx

from tests.tools.conftest import Tool, let_fail, refusal
from tests.tools.test_venice_queue_music import LISTED as SOUNDS
from tests.tools.test_venice_queue_video import LISTED as FILMS

LISTED = {"venice_queue_music": SOUNDS, "venice_queue_video": FILMS}
PATHS = {"venice_queue_music": "/audio", "venice_queue_video": "/video"}

pytestmark = pytest.mark.parametrize("name", LISTED)


@pytest.fixture
def asked(api: respx.MockRouter, name: str) -> respx.Route:
    """Venice, which asks a quarter of a dollar for any job."""
    api.get("/models").respond(json={"object": "list", "data": LISTED[name]})
    return api.post(f"{PATHS[name]}/quote").respond(json={"quote": 0.25})


@pytest.fixture
def queued(api: respx.MockRouter, name: str) -> respx.Route:
    """Venice, which takes any job."""
    taken = {"model": "m", "queue_id": "17", "status": "QUEUED"}
    return api.post(f"{PATHS[name]}/queue").respond(json=taken)


@pytest.fixture
def queue(name: str, load_tool: Callable[[str], Tool]) -> Callable[[], Any]:
    """Call the tool; its reply as an object."""
    tool = load_tool(name)
    return lambda: json.loads(tool(prompt="A calm fox"))


def test_what_is_too_dear_is_not_bought(
    queue: Callable[[], Any],
    asked: respx.Route,
    queued: respx.Route,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The price is asked for first; above the operator's limit, nothing is queued."""
    monkeypatch.setenv("VENICE_MAX_USD", "0.2")

    said = "This costs 0.25 USD, and the operator allows 0.2 a call (VENICE_MAX_USD)."
    assert said in refusal(queue)
    assert (1, 0) == (asked.call_count, queued.call_count)
    monkeypatch.setenv("VENICE_MAX_USD", "0.25")
    assert 0.25 == queue()["cost_usd"]


@pytest.mark.usefixtures("asked")
@pytest.mark.parametrize(
    "failure", [500, httpx.ReadTimeout, httpx.ReadError, httpx.RemoteProtocolError]
)
def test_nothing_is_bought_twice(
    queue: Callable[[], Any], queued: respx.Route, failure: int | type[Exception]
) -> None:
    """After a failure that may have been paid, the request is not repeated."""
    let_fail(queued, failure)

    assert re.search(r"may be charged|answered 500", refusal(queue))
    assert 1 == queued.call_count


@pytest.mark.parametrize("failure", [500, httpx.ReadTimeout, httpx.RemoteProtocolError])
def test_without_a_price_nothing_is_bought(
    queue: Callable[[], Any],
    asked: respx.Route,
    queued: respx.Route,
    failure: int | type[Exception],
) -> None:
    """When Venice tells no price, the job is not queued, and the reply says that nothing was charged."""
    let_fail(asked, failure)

    assert re.search(r"nothing was charged|answered 500", refusal(queue))
    assert not queued.called
