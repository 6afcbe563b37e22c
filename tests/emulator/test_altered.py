"""Replies of another shape: fields of other types, chats in forms that were not asked for, jobs that stumble."""

import json
import math
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from sanctum_venice_tools.emulator.process import LocalVenice, running_venice

CHAT = "/chat/completions"
FILM = {
    "model": "wan-2.5-preview-text-to-video",
    "prompt": "A fox",
    "duration": "5s",
    "aspect_ratio": "16:9",
}

Events = Callable[..., list[Any]]
Ask = Callable[..., Any]


@pytest.fixture
def order(venice: LocalVenice) -> Iterator[Callable[..., None]]:
    """Orders faults; none outlives the test."""
    yield venice.order_fault
    venice.clear_faults()


@pytest.fixture
def plain(venice: LocalVenice) -> Iterator[httpx.Client]:
    """A client with the key whose replies are not held against Venice's document."""
    with httpx.Client(
        base_url=venice.base_url, headers={"Authorization": f"Bearer {venice.key}"}
    ) as client:
        yield client


@pytest.fixture
def chat(plain: httpx.Client) -> Callable[..., httpx.Response]:
    """Chats, and gives the reply as it came."""

    def chat(**settings: Any) -> httpx.Response:
        body = {
            "model": "zai-org-glm-5-2",
            "messages": [{"role": "user", "content": "Good morning"}],
            **settings,
        }
        return plain.post(CHAT, json=body)

    return chat


def events(reply: httpx.Response) -> list[Any]:
    """The events of a stream, but for the last."""
    lines = [line.removeprefix("data: ") for line in reply.text.split("\n\n") if line]
    assert "[DONE]" == lines.pop()
    return [json.loads(line) for line in lines]


def said(reply: httpx.Response, field: str = "content") -> str:
    """What the parts of a stream say together."""
    deltas = [choice["delta"] for event in events(reply) for choice in event["choices"]]
    return "".join(delta.get(field) or "" for delta in deltas)


@pytest.mark.parametrize("value", [None, 12, "12", True, [1, {"a": 2}], {}, -3.5], ids=repr)
def test_field_of_any_type(plain: httpx.Client, order: Callable[..., None], value: Any) -> None:
    """A field can be given any value, and all else stays."""
    real = plain.post("/video/quote", json=FILM).json()
    order(fault="field", path="/video/quote", field="quote", value=value)

    reply = plain.post("/video/quote", json=FILM)

    assert real | {"quote": value} == reply.json()
    assert type(value) is type(reply.json()["quote"])
    assert "application/json" == reply.headers["content-type"]


def test_number_that_is_none(plain: httpx.Client, order: Callable[..., None]) -> None:
    """A field can be NaN, which is no JSON."""
    order(fault="field", path="/video/quote", field="quote", value=math.nan)

    assert '{"quote": NaN}' == plain.post("/video/quote", json=FILM).text


def test_field_within_others(plain: httpx.Client, order: Callable[..., None]) -> None:
    """A path leads through objects and lists; what was not there is added."""
    real = plain.get("/models").json()["data"]
    for field, value in (
        ("data.0.id", 7),
        ("data.1.model_spec.pricing", None),
        ("data.0.colour", "red"),
    ):
        order(fault="field", path="/models", field=field, value=value)

    first, second, third = (plain.get("/models").json()["data"] for _ in range(3))

    assert [real[0] | {"id": 7}, *real[1:]] == first
    assert None is second[1]["model_spec"]["pricing"]
    assert [real[0] | {"colour": "red"}, *real[1:]] == third


def test_field_left_out(plain: httpx.Client, order: Callable[..., None]) -> None:
    """A field can be missing."""
    order(fault="missing-field", path="/models", field="data.0.id")

    data = plain.get("/models").json()["data"]

    assert [False, True] == ["id" in model for model in data[:2]]


def test_search_result_full_of_tags(plain: httpx.Client, order: Callable[..., None]) -> None:
    """A search hit can be as long as one likes."""
    order(fault="field", path="/augment/search", field="results.0.content", value="<" * 400_000)

    reply = plain.post("/augment/search", json={"query": "fox"})

    assert "<" * 400_000 == reply.json()["results"][0]["content"]


def test_field_of_an_error(plain: httpx.Client, order: Callable[..., None]) -> None:
    """The real reply may be a refusal, whose fields can be altered too."""
    order(fault="field", path="/embeddings", field="error", value=[1])

    reply = plain.post("/embeddings", json={"model": "nope", "input": "fox"})

    assert (404, [1]) == (reply.status_code, reply.json()["error"])


@pytest.mark.parametrize("field", ["data.x.id", "data.0.id.0", "nothing.id"])
def test_field_that_cannot_be(plain: httpx.Client, order: Callable[..., None], field: str) -> None:
    """A test that names a place which the reply has not is told so."""
    order(fault="field", path="/models", field=field)

    reply = plain.get("/models")

    assert (500, f"The local Venice can't do field {field} to this reply.") == (
        reply.status_code,
        reply.json()["error"],
    )


def test_field_of_a_stream(chat: Callable[..., httpx.Response], order: Callable[..., None]) -> None:
    """In a stream, each event that has such a place is altered."""
    order(fault="field", path=CHAT, field="choices.0.delta.content", value=5)

    found = events(chat(stream=True, stream_options={"include_usage": True}))

    assert {5} == {event["choices"][0]["delta"]["content"] for event in found[:-1]}
    assert [] == found[-1]["choices"]


def test_field_of_a_good_reply_to_a_bad_request(
    plain: httpx.Client, order: Callable[..., None]
) -> None:
    """A refusal does not get the field that was meant for a good reply."""
    order(fault="field", path="/embeddings", field="data", value=None)

    reply = plain.post("/embeddings", json={"model": "nope", "input": "fox"})

    assert (500, "The local Venice can't do field data to this reply.") == (
        reply.status_code,
        reply.json()["error"],
    )


@pytest.mark.parametrize("streaming", [False, True])
def test_field_of_a_reply_that_is_a_file(
    plain: httpx.Client, order: Callable[..., None], *, streaming: bool
) -> None:
    """A reply that is no JSON has no fields."""
    speech = {"input": "Hello", "streaming": streaming}
    real = plain.post("/audio/speech", json=speech)
    order(fault="missing-field", path="/audio/speech", field="data")

    reply = plain.post("/audio/speech", json=speech)

    assert (200, 500) == (real.status_code, reply.status_code)


def test_any_bytes_as_body(plain: httpx.Client, order: Callable[..., None]) -> None:
    """A body can be any bytes, under any content type."""
    order(
        fault="status",
        status=200,
        path="/models",
        content=b"\xff\xfb<html>\0",
        content_type="audio/mpeg",
    )
    order(fault="status", status=200, path="/models", content=b"")

    reply, empty = plain.get("/models"), plain.get("/models")

    assert (200, b"\xff\xfb<html>\0") == (reply.status_code, reply.content)
    assert ("audio/mpeg", b"") == (reply.headers["content-type"], empty.content)


def test_deprecated_model(chat: Callable[..., httpx.Response], order: Callable[..., None]) -> None:
    """A good reply can say that its model is at its end, in usual words or one's own."""
    warning, date = "x-venice-model-deprecation-warning", "x-venice-model-deprecation-date"
    order(fault="deprecated", path=CHAT)
    order(fault="headers", path=CHAT, headers={warning: "Use glm-6.", date: "2027-01-02"})

    usual, own = chat(), chat()

    assert (200, "2026-12-31T00:00:00.000Z") == (usual.status_code, usual.headers[date])
    assert "This model is deprecated and will be removed." == usual.headers[warning]
    assert (200, "Use glm-6.", "2027-01-02") == (
        own.status_code,
        own.headers[warning],
        own.headers[date],
    )


def test_json_for_a_stream(chat: Callable[..., httpx.Response], order: Callable[..., None]) -> None:
    """A stream that was asked for can come as one body of JSON."""
    expected = chat().json()["choices"]
    order(fault="json-for-stream", path=CHAT)

    reply = chat(stream=True)

    assert (200, "application/json") == (reply.status_code, reply.headers["content-type"])
    assert ("chat.completion", expected) == (reply.json()["object"], reply.json()["choices"])


def test_message_for_delta(chat: Callable[..., httpx.Response], order: Callable[..., None]) -> None:
    """The parts of a stream can be named as in a reply that is none."""
    expected = said(chat(stream=True))
    order(fault="message-for-delta", path=CHAT)

    choices = [choice for event in events(chat(stream=True)) for choice in event["choices"]]

    assert not any("delta" in choice for choice in choices)
    assert expected == "".join(choice["message"].get("content") or "" for choice in choices)


def test_content_as_parts(chat: Callable[..., httpx.Response], order: Callable[..., None]) -> None:
    """What the model says can be a list of parts, streamed or not."""
    text = chat().json()["choices"][0]["message"]["content"]
    order(fault="content-parts", path=CHAT, times=2)

    whole = chat().json()["choices"][0]["message"]["content"]
    streamed = [event["choices"][0]["delta"].get("content") for event in events(chat(stream=True))]

    assert [{"type": "text", "text": text}] == whole
    assert text == "".join(content[0]["text"] for content in streamed if content)


@pytest.mark.parametrize(
    ("fault", "ending"), [("only-thinks", "stop"), ("only-thinks-length", "length")]
)
def test_model_that_only_thinks(
    chat: Callable[..., httpx.Response], order: Callable[..., None], fault: str, ending: str
) -> None:
    """A model can spend all on thinking, and end as if all were well or because its tokens ran out."""
    order(fault=fault, path=CHAT, times=2)

    choice = chat().json()["choices"][0]
    reply = chat(stream=True)

    assert (None, [], ending) == (
        choice["message"]["content"],
        choice["message"]["tool_calls"],
        choice["finish_reason"],
    )
    assert choice["message"]["reasoning_content"] == said(reply, "reasoning_content") != ""
    assert "" == said(reply)
    assert ending in {event["choices"][0]["finish_reason"] for event in events(reply)}


def test_thoughts_in_the_answer(
    chat: Callable[..., httpx.Response], order: Callable[..., None]
) -> None:
    """An answer can begin with the model's thoughts between tags."""
    text = chat().json()["choices"][0]["message"]["content"]
    order(fault="think-tags", path=CHAT, times=2)

    whole = chat().json()["choices"][0]["message"]["content"]
    streamed = said(chat(stream=True))

    assert (
        f"<think>\nThe script decides what is said next.\n</think>\n\n{text}" == whole == streamed
    )


def test_polls_that_fail_at_first() -> None:
    """While a job is asked after, the first requests can fail, each in its way, and the next ones not."""
    with running_venice(allow_faults=True, job_seconds=30) as venice:
        headers = {"Authorization": f"Bearer {venice.key}"}
        with httpx.Client(base_url=venice.base_url, headers=headers) as client:
            job = client.post("/video/queue", json=FILM).json()
            venice.order_fault(fault="status-500", path="/video/retrieve", times=2)
            venice.order_fault(fault="headers", path="/video/retrieve")
            venice.order_fault(
                fault="field", path="/video/retrieve", field="execution_duration", value="soon"
            )

            polls = [client.post("/video/retrieve", json=job) for _ in range(5)]

    assert [500, 500, 200, 200, 200] == [poll.status_code for poll in polls]
    assert [int, str, int] == [type(poll.json()["execution_duration"]) for poll in polls[2:]]


@pytest.mark.parametrize(
    "wish",
    [
        {"fault": "field"},
        {"fault": "missing-field"},
        {"fault": "raw"},
        {"fault": "raw", "content": "%"},
    ],
)
def test_order_that_says_too_little(venice: LocalVenice, wish: dict[str, Any]) -> None:
    """An order that lacks what its fault needs, or has bytes that are no base64, is refused."""
    reply = httpx.post(venice.base_url.removesuffix("/api/v1") + "/emulator/faults", json=wish)

    assert 400 == reply.status_code
