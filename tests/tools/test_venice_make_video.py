"""What is special in this tool; films are tested in test_venice_queue_video.py, jobs in tests/runtime/test_jobs.py."""

import errno
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import respx

from sanctum_venice_tools.emulator.process import LocalVenice
from tests import samples
from tests.conftest import Clock
from tests.tools.conftest import posts, refusal
from tests.tools.test_venice_queue_video import LISTED

Tool = Callable[..., str]
CALL: dict[str, Any] = {"prompt": "A fox runs through snow.", "resolution": "480p"}


@pytest.fixture
def tool(load_tool: Callable[[str], Tool]) -> Tool:
    """The tool, out of its emitted text, on a clock on which waiting takes no time."""
    loaded = load_tool("venice_make_video")
    loaded.__globals__["time"] = Clock()
    return loaded


@pytest.fixture
def make(api: respx.MockRouter, tool: Tool) -> Callable[..., Any]:
    """Call the tool; its reply as an object."""
    api.get("/models").respond(json={"object": "list", "data": LISTED})
    api.post("/video/quote").respond(json={"quote": 0.25})
    api.post("/video/queue").respond(json={"model": "m", "queue_id": "17"})
    return lambda **arguments: json.loads(tool(**{"prompt": "A fox", **arguments}))


PROCESSING = {"status": "PROCESSING", "execution_duration": 3000, "average_execution_time": 60_000}
FILM = httpx.Response(200, content=samples.FILM, headers={"content-type": "video/mp4"})


def test_quotes_buys_waits_and_fetches(make: Callable[..., Any], api: respx.MockRouter) -> None:
    """One call does it all, and tells what it cost."""
    api.post("/video/retrieve").mock(side_effect=[httpx.Response(200, json=PROCESSING), FILM])
    reply = make()

    assert samples.FILM == Path(reply.pop("file")).read_bytes()
    assert {
        "type": "video/mp4",
        "bytes": len(samples.FILM),
        "job": "venice-video|m|17",
        "cost_usd": 0.25,
        "model": "wan-2.5-preview-text-to-video",
        "notes": ["Chosen for you: duration: 5s, resolution: 720p, aspect_ratio: 16:9."],
    } == reply
    paths = [
        call.request.url.path.rpartition("/")[2]
        for call in api.calls
        if call.request.method == "POST"
    ]
    assert ["quote", "queue", "retrieve", "retrieve"] == paths


def test_special_wishes_reach_venice(make: Callable[..., Any], api: respx.MockRouter) -> None:
    """What venice_queue_video takes as options is taken here too."""
    api.post("/video/retrieve").mock(side_effect=[FILM])
    make(options={"negative_prompt": "No rain"})

    assert "No rain" in [body.get("negative_prompt") for body in posts(api)]


def test_what_takes_longer_is_handed_over(make: Callable[..., Any], api: respx.MockRouter) -> None:
    """When the wait is over, the job goes on, and the agent learns how to come back to it."""
    api.post("/video/retrieve").respond(json=PROCESSING)
    reply = make(wait_seconds=30)

    assert ("processing", "venice-video|m|17", 0.25) == (
        reply["status"],
        reply["job"],
        reply["cost_usd"],
    )
    assert "Ask again in 57 s with this job." == reply["next"]


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(500, json={"error": "Inference failed"}),
        httpx.Response(404, json={"error": "Not found"}),
        httpx.Response(200, text="{", headers={"content-type": "application/json"}),
        httpx.Response(200, json={}),
        httpx.Response(200, content=b"junk", headers={"content-type": "video/mp4"}),
        httpx.ReadTimeout("slow"),
    ],
    ids=["500", "404", "half", "empty", "junk", "timeout"],
)
def test_what_was_bought_is_never_lost(
    make: Callable[..., Any], api: respx.MockRouter, answer: Any
) -> None:
    """Whatever goes wrong after the purchase, the reply holds the job and its price."""
    api.post("/video/retrieve").mock(
        side_effect=answer if isinstance(answer, Exception) else lambda _: answer
    )
    reply = make(wait_seconds=0)

    assert ("venice-video|m|17", 0.25) == (reply["job"], reply["cost_usd"])
    assert "job" in reply["next"]


def test_no_fault_of_the_disk_loses_what_was_bought(
    make: Callable[..., Any], tool: Tool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the media folder can't be read any more, the reply still holds the job and its price."""

    def fail(_: Path) -> None:
        raise OSError(errno.ESTALE, "Stale file handle")

    monkeypatch.setitem(tool.__globals__, "_kept", fail)
    reply = make()

    assert ("venice-video|m|17", 0.25) == (reply["job"], reply["cost_usd"])
    assert f"bought, but not retrieved: [Errno {errno.ESTALE}] Stale file handle" == reply["status"]
    assert "Call venice_retrieve_video with this job." == reply["next"]


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (httpx.Response(422, json={"error": "No", "credits_refunded": True}), "queue anew."),
        (httpx.Response(500, json={"error": "Inference failed"}), "this job has failed."),
    ],
    ids=["policy", "500"],
)
def test_nobody_is_sent_after_a_job_that_failed(
    make: Callable[..., Any], api: respx.MockRouter, answer: httpx.Response, said: str
) -> None:
    """Where the job has come to its end, the reply holds it and says so, and not to retrieve it."""
    api.post("/video/retrieve").mock(side_effect=lambda _: answer)
    reply = make()

    assert "venice-video|m|17" == reply["job"]
    assert said in reply["status"]
    assert "next" not in reply


def test_nothing_is_retrieved_where_consent_is_needed(
    make: Callable[..., Any], api: respx.MockRouter
) -> None:
    """What was not bought is not waited for."""
    api.post("/video/queue").respond(
        409, json={"error": "Consent", "consent": {"policy_text": "I agree."}}
    )
    reply = make(image="https://example.com/a.png")

    assert ("I agree.", "Consent") == (reply["policy"], reply["reason"])
    assert "Only they can consent" in reply["next"]


def test_a_prompt_of_spaces_buys_nothing(make: Callable[..., Any], api: respx.MockRouter) -> None:
    """There is nothing to be seen in it."""
    assert "The prompt must have 1 to 2500 characters." in refusal(make, prompt="  ")
    assert [] == posts(api)


def test_a_refused_purchase_is_an_error(make: Callable[..., Any], api: respx.MockRouter) -> None:
    """A prompt that Venice refuses is told with the one that it suggests."""
    api.post("/video/queue").respond(422, json={"error": "No", "suggested_prompt": "A calm fox"})

    assert "suggested_prompt: A calm fox" in refusal(make)


@pytest.fixture
def local_tool(
    venice: LocalVenice, monkeypatch: pytest.MonkeyPatch, load_tool: Callable[[str], Tool]
) -> Iterator[Tool]:
    """The tool, over a real connection to the local Venice."""
    monkeypatch.setenv("VENICE_API_KEY", venice.key)
    monkeypatch.setenv("VENICE_BASE_URL", venice.base_url)
    tool = load_tool("venice_make_video")
    yield tool
    tool.__globals__["_client"]().close()


def test_makes_a_film_with_the_local_venice(local_tool: Tool) -> None:
    """Over a real connection, the file is there in one call."""
    reply = json.loads(local_tool(**CALL))

    assert b"ftyp" == Path(reply["file"]).read_bytes()[4:8]
