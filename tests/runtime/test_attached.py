"""Pictures that the person attached: found in the agent's own messages at the Letta server."""

import base64
import re
from typing import Any

import httpx
import pytest
import respx

Space = dict[str, Any]

LETTA = "http://letta.test:8283"
AGENT = "agent-00000000-0000-4000-8000-000000000001"
MESSAGES = f"{LETTA}/v1/agents/{AGENT}/messages"


@pytest.fixture
def space(texts: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> Space:
    """The globals of an emitted text that takes pictures, in the sandbox of an agent's server."""
    monkeypatch.setenv("LETTA_BASE_URL", LETTA)
    monkeypatch.setenv("LETTA_AGENT_ID", AGENT)
    monkeypatch.delenv("LETTA_API_KEY", raising=False)
    space: Space = {"__name__": "emitted"}
    exec(texts["venice_upscale_image"], space)  # noqa: S102 - what ships is what is tested
    return space


def said(
    text: str, *pictures: bytes, kind: str = "user_message", date: str = "T2"
) -> dict[str, Any]:
    """A message as Letta 0.16.8 lists it."""
    parts: list[dict[str, Any]] = [{"type": "text", "text": text}]
    for picture in pictures:
        data = base64.b64encode(picture).decode()
        source = {"type": "letta", "file_id": "file-1", "media_type": "image/png", "data": data}
        parts.append({"type": "image", "source": source})
    content: Any = parts if pictures else text
    return {"id": "message-1", "date": date, "message_type": kind, "content": content}


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
    messages = [
        said("two", b"older of two", b"newer of two", date="T1"),
        said("mine", b"the agent's", kind="assistant_message"),
        said("one", b"new"),
        said("no picture", date="T3"),
    ]
    respx_mock.get(MESSAGES).respond(json=messages)

    assert expected == space["_read_media"](reference, most_mb=1)


def test_takes_the_latest_whichever_way_a_server_sorts(
    space: Space, respx_mock: respx.Router
) -> None:
    """Letta 0.16.8 gives a page with the oldest first; a server that gives the latest first is read as well."""
    messages = [said("new", b"new", date="T2"), said("old", b"old", date="T1")]
    respx_mock.get(MESSAGES).respond(json=messages)

    assert b"new" == space["_read_media"]("attached", most_mb=1)


def test_looks_further_back_only_when_it_must(space: Space, respx_mock: respx.Router) -> None:
    """A few messages are asked for first, for each may carry megabytes, and a hundred then."""
    few = respx_mock.get(MESSAGES, params={"limit": "10", "order": "desc"})
    many = respx_mock.get(MESSAGES, params={"limit": "100", "order": "desc"})
    few.respond(json=[said("hello")])
    many.respond(json=[said("long ago", b"old", date="T1"), said("hello")])

    assert b"old" == space["_read_media"]("attached", most_mb=1)
    few.respond(json=[said("see", b"new")])
    many.mock(side_effect=AssertionError)
    assert b"new" == space["_read_media"]("attached", most_mb=1)


def test_too_few_pictures_are_said(space: Space, respx_mock: respx.Router) -> None:
    """The line says how many there are, and what else could be given."""
    respx_mock.get(MESSAGES).respond(json=[said("see", b"one")])
    assert "attached only 1 to the last 100 messages" in refusal(space, "attached:2")

    respx_mock.get(MESSAGES).respond(json=[said("hello")])
    assert "attached no picture to the last 100 messages. Ask for it" in refusal(space)


def test_the_key_goes_to_letta_and_nowhere_else(
    space: Space, respx_mock: respx.Router, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The operator's key opens the conversation; a redirect does not carry it away."""
    monkeypatch.setenv("LETTA_API_KEY", "letta-key")
    monkeypatch.setenv("LETTA_BASE_URL", f"{LETTA}/v1/")
    asked = respx_mock.get(MESSAGES).respond(302, headers={"location": "http://evil.test/"})

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
        httpx.Response(200, json={"messages": []}),
        httpx.Response(200, json=[None, {"message_type": "user_message", "content": [7]}]),
        httpx.Response(200, json=[said("x") | {"content": [{"source": {"data": "*no base64*"}}]}]),
    ],
    ids=lambda reply: f"{reply.status_code} {reply.text[:20]}",
)
def test_whatever_letta_answers_ends_in_one_line(
    space: Space, respx_mock: respx.Router, reply: httpx.Response
) -> None:
    """A refusal, or a reply of another form, is one line that says what to do instead."""
    respx_mock.get(MESSAGES).mock(return_value=reply)

    assert re.search("Give another|Or give a stored file", refusal(space))


def test_a_server_that_is_not_there_is_told_of(space: Space, respx_mock: respx.Router) -> None:
    """When nobody answers at the operator's address, that is said."""
    respx_mock.get(MESSAGES).mock(side_effect=httpx.ConnectError)

    assert "does not answer the tools at LETTA_BASE_URL" in refusal(space)


def test_a_picture_that_is_too_large_is_refused(space: Space, respx_mock: respx.Router) -> None:
    """An attached picture has the same limit as a stored one."""
    respx_mock.get(MESSAGES).respond(json=[said("see", bytes(1 << 21))])

    assert "has more than 1 MB" in refusal(space)
