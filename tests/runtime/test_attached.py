"""Pictures that a person attached: found in what the Letta server sent to the agent's model."""

import base64
import time
from typing import Any

import httpx
import pytest
import respx

from tests.conftest import space_of

Space = dict[str, Any]

LETTA = "http://letta.test:8283"
AGENT = "agent-00000000-0000-4000-8000-000000000001"


@pytest.fixture
def space(texts: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> Space:
    """The globals of an emitted text that takes pictures, in the sandbox of an agent's server."""
    monkeypatch.setenv("LETTA_BASE_URL", LETTA)
    monkeypatch.setenv("LETTA_AGENT_ID", AGENT)
    monkeypatch.delenv("LETTA_API_KEY", raising=False)
    return space_of("venice_upscale_image", texts)


def encoded(picture: bytes) -> str:
    """A picture in base64."""
    return base64.b64encode(picture).decode()


def turn(text: str, *pictures: bytes, role: str = "user") -> dict[str, Any]:
    """A message of a conversation, as Letta sends it to a model of the chat completions API."""
    parts: list[dict[str, Any]] = [{"type": "text", "text": text}]
    for picture in pictures:
        url = f"data:image/png;base64,{encoded(picture)}"
        parts.append({"type": "image_url", "image_url": {"url": url}})
    return {"role": role, "content": parts if pictures else text}


def record(letta: respx.Router, *runs: list[dict[str, Any] | None]) -> None:
    """A Letta server that has these runs of the agent, the latest first: of each, what its steps sent to the model."""
    listed = [{"id": f"run-{place}"} for place, _ in enumerate(runs)]
    letta.get(f"{LETTA}/v1/runs/", params={"agent_id": AGENT}).mock(
        side_effect=lambda asked: httpx.Response(200, json=listed[: int(asked.url.params["limit"])])
    )
    for place, requests in enumerate(runs):
        steps = [{"id": f"step-{place}-{number}"} for number, _ in enumerate(requests)]
        letta.get(f"{LETTA}/v1/runs/run-{place}/steps").respond(json=steps)
        for number, request in enumerate(requests):
            trace = {"id": "provider_trace-1", "request_json": request} if request else None
            letta.get(f"{LETTA}/v1/steps/step-{place}-{number}/trace").respond(json=trace)


def refusal(space: Space, reference: str = "attached") -> str:
    """The one line that a reference ends with."""
    with pytest.raises(space["VeniceError"]) as failure:
        space["_read_media"](reference, most_mb=1)
    assert 1 == len(str(failure.value).splitlines())
    return str(failure.value)


@pytest.mark.parametrize(
    ("reference", "expected"),
    [
        ("attached", b"new"),
        (" Attached ", b"new"),
        ("attached:1", b"new"),
        ("attached:2", b"newer of two"),
        ("attached: 3", b"older of two"),
    ],
)
def test_counts_the_pictures_of_the_person_from_the_latest_on(
    space: Space, respx_mock: respx.Router, reference: str, expected: bytes
) -> None:
    """The latest picture is "attached", the one before "attached:2", also where one message has several."""
    turns = [
        turn("Be kind.", role="system"),
        turn("two", b"older of two", b"newer of two"),
        turn("mine", b"the agent's", role="assistant"),
        turn("one", b"new"),
        turn("no picture"),
    ]
    record(respx_mock, [{"model": "m", "messages": turns}])

    assert expected == space["_read_media"](reference, most_mb=1)


@pytest.mark.parametrize(
    "request_json",
    [
        {
            "messages": [
                {
                    "role": "user",
                    "content": [
                        {
                            "type": "image",
                            "source": {
                                "type": "base64",
                                "media_type": "image/png",
                                "data": encoded(b"new"),
                            },
                        },
                        {
                            "type": "tool_result",
                            "content": [
                                {
                                    "type": "image",
                                    "source": {
                                        "media_type": "image/png",
                                        "data": encoded(b"tool's"),
                                    },
                                }
                            ],
                        },
                    ],
                }
            ]
        },
        {
            "input": [
                {
                    "role": "user",
                    "content": [
                        {
                            "type": "input_image",
                            "image_url": f"data:image/png;base64,{encoded(b'new')}",
                        }
                    ],
                }
            ]
        },
        {
            "contents": [
                {
                    "role": "user",
                    "parts": [{"inline_data": {"mime_type": "image/png", "data": encoded(b"new")}}],
                }
            ]
        },
    ],
    ids=["anthropic", "openai responses", "google"],
)
def test_reads_what_each_maker_of_models_is_sent(
    space: Space, respx_mock: respx.Router, request_json: dict[str, Any]
) -> None:
    """Agents think with models of several makers; a picture is found in the form that each is sent."""
    record(respx_mock, [request_json])

    assert b"new" == space["_read_media"]("attached", most_mb=1)


def test_after_an_approval_the_run_before_has_the_picture(
    space: Space, respx_mock: respx.Router
) -> None:
    """A call that a person approved is made in a run of its own, in which no model was asked."""
    record(respx_mock, [], [{"messages": [turn("see", b"new")]}])

    assert b"new" == space["_read_media"]("attached", most_mb=1)


def test_too_few_pictures_are_said(space: Space, respx_mock: respx.Router) -> None:
    """The line says how many there are, and what else could be given."""
    record(respx_mock, [{"messages": [turn("see", b"one")]}])
    assert "in this conversation: 1. Ask the person" in refusal(space, "attached:2")

    record(respx_mock, [{"messages": [turn("hello")]}])
    assert "in this conversation: 0. Ask the person" in refusal(space)


def test_a_server_that_records_nothing_is_told_of(space: Space, respx_mock: respx.Router) -> None:
    """Where the server keeps no traces, nothing is guessed: an older picture might be taken for the new one."""
    record(respx_mock, [None], [None])

    assert "does not record what it sends to models" in refusal(space)


def test_the_key_goes_to_letta_and_nowhere_else(
    space: Space, respx_mock: respx.Router, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The operator's key opens the conversation; a redirect does not carry it away."""
    monkeypatch.setenv("LETTA_API_KEY", "letta-key")
    monkeypatch.setenv("LETTA_BASE_URL", f"{LETTA}/v1/")
    asked = respx_mock.get(f"{LETTA}/v1/runs/")
    asked.respond(302, headers={"location": "http://evil.test/"})

    line = refusal(space)

    assert "Bearer letta-key" == asked.calls.last.request.headers["authorization"]
    assert "refuses to show this conversation (302)" in line
    assert "letta-key" not in line


@pytest.mark.parametrize("address", ["", "letta", "http://user:pass@letta.test", "file:///etc"])
def test_an_operator_is_told_what_to_set(
    space: Space, monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    """Without the server's address there is a line that names the setting; nothing of its value is shown."""
    monkeypatch.setenv("LETTA_BASE_URL", address)

    line = refusal(space)

    assert "Ask the operator to set LETTA_BASE_URL (and LETTA_API_KEY" in line
    assert "pass" not in line


@pytest.mark.parametrize("key", ["schlüssel", "two\nlines"])
def test_a_key_that_is_none_is_told_as_one(
    space: Space, monkeypatch: pytest.MonkeyPatch, key: str
) -> None:
    """What no header holds is named by its setting: it is no fault of a proxy, or of the server."""
    monkeypatch.setenv("LETTA_API_KEY", key)

    line = refusal(space)

    assert line.startswith("LETTA_API_KEY holds characters that no key has. Ask the operator")
    assert key not in line


def test_outside_of_a_conversation_nothing_is_attached(
    space: Space, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A tool that no agent calls has no conversation to look into."""
    monkeypatch.delenv("LETTA_AGENT_ID")

    assert "no conversation here" in refusal(space)


@pytest.mark.parametrize(
    "reply",
    [
        httpx.Response(401, json={"detail": "no"}),
        httpx.Response(500, text="<html>"),
        httpx.Response(200, text="not JSON"),
        httpx.Response(200, json={"runs": []}),
        httpx.Response(200, json=[None, 7, {"id": None}, {}]),
    ],
    ids=lambda reply: f"{reply.status_code} {reply.text[:20]}",
)
def test_whatever_letta_answers_ends_in_one_line(
    space: Space, respx_mock: respx.Router, reply: httpx.Response
) -> None:
    """A refusal, or a reply of another form, is one line that says what to do instead."""
    respx_mock.route(host="letta.test").mock(return_value=reply)

    assert "Or give a stored file or a public URL." in refusal(space)


def test_a_picture_that_is_no_base64_is_refused(space: Space, respx_mock: respx.Router) -> None:
    """What can't be read as a picture is not sent to Venice."""
    source = {"media_type": "image/png", "data": "*no base64*"}
    record(respx_mock, [{"messages": [{"role": "user", "content": [{"source": source}]}]}])

    assert "cannot be read, or is not valid base64" in refusal(space)


def test_a_server_that_is_not_there_is_told_of(space: Space, respx_mock: respx.Router) -> None:
    """When nobody answers at the operator's address, that is said."""
    respx_mock.get(f"{LETTA}/v1/runs/").mock(side_effect=httpx.ConnectError)

    assert "does not answer the tools at LETTA_BASE_URL" in refusal(space)


def test_a_picture_that_is_too_large_is_refused(space: Space, respx_mock: respx.Router) -> None:
    """An attached picture has the same limit as a stored one."""
    record(respx_mock, [{"messages": [turn("see", bytes(1 << 21))]}])

    assert "has more than 1 MB" in refusal(space)


def test_a_conversation_that_does_not_come_in_time_is_not_read(
    space: Space, respx_mock: respx.Router
) -> None:
    """When the time of the call is up, the agent still hears what else could be given."""
    record(respx_mock, [{"messages": [turn("see", b"new")]}])
    space["_DEADLINE"] = time.monotonic() - 1

    assert "too large to be looked through. Or give a stored file" in refusal(space)
