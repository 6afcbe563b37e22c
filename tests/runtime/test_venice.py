"""What goes wrong between a tool and Venice reaches the agent as one line with a reason and the next step."""

import json
import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import respx

from sanctum_venice_tools.emulator.process import LocalVenice
from tests.conftest import Clock, space_of

Tool = Callable[..., str]
KEY = "sk-Secret.of-the_operator+42"
BASE = "https://api.venice.ai/api/v1"

# Each tool with the arguments of a plain call, and the request that does its work.
CALLS: dict[str, tuple[dict[str, Any], str, str]] = {
    "venice_ask_web": (
        {"question": "Where do red foxes live in cities?"},
        "POST",
        "/chat/completions",
    ),
    "venice_generate_image": (
        {"prompt": "A red fox", "aspect_ratio": "64x64"},
        "POST",
        "/image/generate",
    ),
    "venice_find_characters": ({"query": ""}, "GET", "/characters"),
}
TOOLS = tuple(CALLS)
PAID = ("venice_ask_web", "venice_generate_image")
MODELS = {
    "data": [
        {
            "id": "glm",
            "model_spec": {"traits": ["default"], "capabilities": {"supportsWebSearch": True}},
        }
    ],
    "object": "list",
}


@pytest.fixture(autouse=True)
def operator(monkeypatch: pytest.MonkeyPatch) -> None:
    """The operator has set a key and nothing else."""
    monkeypatch.setenv("VENICE_API_KEY", KEY)
    for name in ("VENICE_CHAT_MODEL", "VENICE_IMAGE_MODEL", "VENICE_BASE_URL"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def api() -> Iterator[respx.MockRouter]:
    """The routes of Venice, in process; only the list of models is there from the start."""
    with respx.mock(base_url=BASE, assert_all_called=False) as router:
        router.get("/models").respond(json=MODELS)
        yield router


def work(api: respx.MockRouter, name: str) -> respx.Route:
    """The route of the request that does a tool's work."""
    _, method, path = CALLS[name]
    return api.request(method, path)


def failure(tool: Tool) -> str:
    """The error that a plain call ends with: a VeniceError of one short line, without the key."""
    with pytest.raises(Exception) as raised:  # noqa: PT011 - the type is the emitted text's own
        tool(**CALLS[tool.__name__][0])
    message = str(raised.value)
    assert "VeniceError" == type(raised.value).__name__
    assert message.isprintable()
    assert 1 == len(message.splitlines())
    assert 0 < len(message) < 1000
    assert KEY not in message
    assert message.endswith(".")
    return message


CHECK_ARGUMENTS = "Correct the arguments and call again."
CHECK_KEY = "Ask the operator to check VENICE_API_KEY"
ADD_CREDIT = "add credit"
LATER = "Try again later."
UNSURE = "it may be charged. Ask the person, or look at venice_report_usage, before you try again."
PAYING = ("venice_ask_web", "venice_generate_image")


def advice_after(name: str, status: int, advice: str) -> str:
    """What an agent is to do: after a fault of Venice's that is no refusal, a paid request may be charged."""
    is_fault = status in {200, 500, 502, 504}
    return UNSURE if is_fault and name in PAYING else advice


CHANGE = "Venice refused the content: change it"
CHALLENGE = {
    "x402Version": 2,
    "resource": {
        "url": f"{BASE}/chat/completions",
        "description": "Venice API",
        "mimeType": "application/json",
    },
    "accepts": [{"scheme": "exact", "network": "eip155:8453", "amount": "10000000"}],
    "authOptions": {
        "apiKey": {
            "header": f"Authorization: Bearer {KEY}",
            "getKey": "https://venice.ai/settings/api",
        }
    },
}
# Status, body, what of it must be told, and the advice: every shape of body that Venice's documents
# have.
SHAPES: dict[str, tuple[int, Any, str, str]] = {
    "standard-401": (
        401,
        {"error": f"Authentication failed for {KEY}"},
        "Authentication failed for [key]",
        CHECK_KEY,
    ),
    "standard-402": (
        402,
        {"error": f"Insufficient balance of {KEY}"},
        "Insufficient balance of [key]",
        ADD_CREDIT,
    ),
    "standard-403": (
        403,
        {"error": "Unauthorized access"},
        "Unauthorized access",
        "ask the operator",
    ),
    "standard-404": (
        404,
        {"error": "Specified model not found"},
        "Specified model not found",
        "Check the names;",
    ),
    "renamed": (
        404,
        {"error": "Not found: glm-5. Did you mean glm-5-2?"},
        "Did you mean glm-5-2?",
        "use that.",
    ),
    "deprecated": (
        404,
        {"error": "The model glm-4 has been deprecated. Please use glm-5 instead."},
        "Please use glm-5 instead",
        "use that.",
    ),
    "details-text": (
        400,
        {"error": "Invalid", "details": "No picture"},
        "Invalid; No picture",
        CHECK_ARGUMENTS,
    ),
    "provider": (
        400,
        {"error": "Bad role", "request_id": "c-1"},
        "Bad role; request_id: c-1",
        CHECK_ARGUMENTS,
    ),
    "standard-410": (
        410,
        {"error": "The model has been retired"},
        "has been retired",
        "choose another",
    ),
    "standard-415": (415, {"error": "Invalid content type"}, "Invalid content type", LATER),
    "standard-429": (
        429,
        {"error": "Rate limit exceeded"},
        "Rate limit exceeded",
        "Try again in 2 s.",
    ),
    "standard-500": (
        500,
        {"error": "Inference processing failed"},
        "Inference processing failed",
        LATER,
    ),
    "standard-503": (503, {"error": "The model is at capacity"}, "The model is at capacity", LATER),
    "standard-504": (
        504,
        {"error": "The request took too long"},
        "The request took too long",
        LATER,
    ),
    "detailed": (
        400,
        {
            "error": "Invalid request",
            "details": {"_errors": [], "seed": {"_errors": [f"Too {KEY}", "Odd"]}},
        },
        "Invalid request; seed: Too [key]; seed: Odd",
        CHECK_ARGUMENTS,
    ),
    "detailed-deep": (
        400,
        {
            "error": "Invalid",
            "details": {"messages": {"0": {"content": {"_errors": ["Required"]}}}},
        },
        "content: Required",
        CHECK_ARGUMENTS,
    ),
    "issues-only": (
        400,
        {"error": "Invalid", "issues": [{"code": "too_big", "maximum": 4096, "path": ["input"]}]},
        "Invalid; code: too_big; maximum: 4096; path: input",
        CHECK_ARGUMENTS,
    ),
    "issues-expected": (
        400,
        {"error": "Invalid", "issues": [{"expected": "'5s' | '10s'"}]},
        "'5s' | '10s'",
        CHECK_ARGUMENTS,
    ),
    "openai": (
        400,
        {
            "error": {
                "message": "Too long",
                "type": "invalid_request_error",
                "param": None,
                "code": "context_length_exceeded",
            }
        },
        "Too long; type: invalid_request_error; param: None; code: context_length_exceeded",
        CHECK_ARGUMENTS,
    ),
    "content-violation": (
        422,
        {"error": "No", "suggested_prompt": "A calm sea"},
        "suggested_prompt: A calm sea",
        CHANGE,
    ),
    "provider-policy": (
        422,
        {
            "error": {
                "message": "Rejected",
                "type": "provider_content_policy",
                "recommended_model": "wan",
                "credits_refunded": True,
            }
        },
        "recommended_model: wan; credits_refunded: True",
        CHANGE,
    ),
    "moderation": (
        422,
        {"error": "Policy", "credits_refunded": True},
        "Policy; credits_refunded: True",
        CHANGE,
    ),
    "too-large": (
        413,
        {"code": "PAYLOAD_TOO_LARGE", "error": "File exceeds 25 MB."},
        "exceeds 25 MB",
        "Send something smaller.",
    ),
    "needs-consent": (
        409,
        {"error": {"code": "needs_consent", "message": "Consent."}, "docs_url": "https://x"},
        "Consent.",
        LATER,
    ),
    "no-key": (402, CHALLENGE, "no API key arrived", CHECK_KEY),
    "wallet": (
        402,
        {
            "error": "Payment required",
            "code": "PAYMENT_REQUIRED",
            "suggestedTopUpUsd": 10,
            "supportedChains": ["base"],
        },
        "Payment required; code: PAYMENT_REQUIRED; suggestedTopUpUsd: 10",
        ADD_CREDIT,
    ),
    "many-lines": (
        400,
        {"error": f"One\r\ntwo\u2028three\x1ffour {KEY}\n\n"},
        "One two three four [key]",
        CHECK_ARGUMENTS,
    ),
    "very-long": (400, {"error": "word " * 5000}, "word word", CHECK_ARGUMENTS),
    "key-as-field": (
        400,
        {"details": {KEY: {"_errors": ["Unknown"]}}},
        "[key]: Unknown",
        CHECK_ARGUMENTS,
    ),
    "number": (402, 7, "7", ADD_CREDIT),
    "list": (400, ["One", {"message": "two"}], "One; two", CHECK_ARGUMENTS),
    "nothing": (500, {}, "no reason given", LATER),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", TOOLS)
@pytest.mark.parametrize(("status", "body", "reason", "advice"), SHAPES.values(), ids=SHAPES)
def test_every_error_is_one_line_with_reason_and_advice(  # noqa: PLR0917 - the parameters of a table
    api: respx.MockRouter,
    load_tool: Callable[[str], Tool],
    name: str,
    status: int,
    body: Any,
    reason: str,
    advice: str,
) -> None:
    """Whatever shape an error of Venice's has, the agent reads the status, Venice's own words, and what to do."""
    work(api, name).respond(status, json=body)
    tool = load_tool(name)
    tool.__globals__["time"] = Clock()
    message = failure(tool)

    assert message.startswith(f"Venice answered {status}: ")
    assert reason in message
    assert advice_after(name, status, advice) in message


def test_a_missing_key_is_no_call_for_money(
    api: respx.MockRouter, load_tool: Callable[[str], Tool]
) -> None:
    """Venice answers a request without a key with an offer to pay; the agent must not ask for credit then."""
    work(api, "venice_ask_web").respond(402, json=CHALLENGE)

    assert "credit" not in failure(load_tool("venice_ask_web"))


PAGE = "<!DOCTYPE html><html><head>\n<title>api.venice.ai |\n502: Bad gateway</title></head><body>Oh</body></html>"
SPOILED: dict[str, tuple[httpx.Response, str]] = {
    "html-502": (httpx.Response(502, html=PAGE), "502: api.venice.ai | 502: Bad gateway"),
    "html-200": (httpx.Response(200, html=PAGE), "200: api.venice.ai | 502: Bad gateway"),
    "html-untitled": (httpx.Response(502, html="<h1>Bad</h1>\n<p>gateway</p>"), "502: Bad gateway"),
    "plain-500": (
        httpx.Response(500, text="upstream connect error"),
        "500: upstream connect error",
    ),
    "empty-500": (httpx.Response(500), "500: no reason given"),
    "broken-500": (httpx.Response(500, text='{"error": "In'), '500: {"error": "In'),
    "binary-500": (httpx.Response(500, content=b"\x89PNG\xff\xfe"), "Venice answered 500: "),
}


@pytest.mark.parametrize("name", TOOLS)
@pytest.mark.parametrize(("reply", "expected"), SPOILED.values(), ids=SPOILED)
def test_what_is_no_reply_of_venices_is_told(
    api: respx.MockRouter,
    load_tool: Callable[[str], Tool],
    name: str,
    reply: httpx.Response,
    expected: str,
) -> None:
    """A gateway's page, or nothing at all, is no success whatever its status, and its title is the reason."""
    route = work(api, name).mock(
        side_effect=lambda _: httpx.Response(
            reply.status_code, headers=reply.headers, content=reply.content
        )
    )

    message = failure(load_tool(name))

    assert expected in message
    assert advice_after(name, reply.status_code, LATER) in message
    assert 1 == route.call_count


@pytest.mark.parametrize("name", TOOLS)
@pytest.mark.parametrize("status", [301, 302, 307, 308])
@pytest.mark.parametrize(
    ("location", "where"),
    [
        (
            "https://example.org:8443/api/v1/chat?token=secret",
            "elsewhere, to https://example.org:8443. Ask the operator to set it to where it redirects.",
        ),
        (
            "https://secret:secret@example.org/secret",
            "elsewhere, to https://example.org. Ask the operator to set it to where it redirects.",
        ),
        ("/secret", "to another path of the same host. Ask the operator to correct its path."),
        ("", "elsewhere. Ask the operator to set it to where it redirects."),
    ],
)
def test_an_address_that_leads_elsewhere_is_the_operators_affair(  # noqa: PLR0917 - a table
    api: respx.MockRouter,
    load_tool: Callable[[str], Tool],
    name: str,
    status: int,
    location: str,
    where: str,
) -> None:
    """Nothing was done there, so nothing is charged, and a later try ends likewise: the line says what to set."""
    headers = {"location": location} if location else {}
    work(api, name).mock(side_effect=lambda _: httpx.Response(status, headers=headers))

    told = failure(load_tool(name))
    assert f"Venice answered {status}: VENICE_BASE_URL leads {where}" == told


HALF: dict[str, dict[str, Any]] = {
    "empty": {"content": b""},
    "broken-json": {"content": b'{"object": "list", "data": [{"id": "a'},
    "wrong-content-type": {"content": b"\x89PNG\r\n\x1a\n\xff", "content_type": "image/png"},
    "not-utf-8": {"content": b'{"data": "\xff\xfe"}'},
}


@pytest.mark.parametrize("name", TOOLS)
@pytest.mark.parametrize("reply", HALF.values(), ids=HALF)
def test_half_a_reply_is_told(
    api: respx.MockRouter, load_tool: Callable[[str], Tool], name: str, reply: dict[str, Any]
) -> None:
    """A good status without whole JSON is an error; where it may have cost money, the person is to be asked."""
    route = work(api, name).respond(200, **reply)
    message = failure(load_tool(name))

    assert ("charged" in message, 1) == (True, route.call_count)
    assert ("nothing was charged" in message) == (name not in PAID)


@pytest.mark.parametrize("name", PAID)
@pytest.mark.parametrize("fault", ["empty", "html", "broken-json", "status-401", "402-no-key"])
def test_the_list_of_models_may_fail_too(
    venice: LocalVenice, reach: Callable[[str], Tool], name: str, fault: str
) -> None:
    """When already the list of models fails, the error is as good, and nothing is paid."""
    venice.order_fault(fault=fault, path="/models")
    message = failure(reach(name))

    assert "may be charged" not in message


LOST = [
    httpx.ReadTimeout("slow"),
    httpx.WriteTimeout("slow"),
    httpx.ReadError("Connection reset by peer"),
    httpx.WriteError("Broken pipe"),
    httpx.RemoteProtocolError("Server disconnected without sending a response."),
]


@pytest.mark.parametrize("name", TOOLS)
@pytest.mark.parametrize("error", LOST, ids=lambda error: type(error).__name__)
def test_a_lost_request_is_never_repeated(
    api: respx.MockRouter, load_tool: Callable[[str], Tool], name: str, error: Exception
) -> None:
    """What may have been done already is not asked for again; the agent learns what it may have cost."""
    route = work(api, name).mock(side_effect=error)
    message = failure(load_tool(name))

    assert 1 == route.call_count
    assert ("took too long" in message) == isinstance(error, httpx.TimeoutException)
    assert ("it may be charged. Ask the person" in message) == (name in PAID)


@pytest.mark.parametrize("name", PAID)
@pytest.mark.parametrize(
    "status", [400, 401, 402, 403, 404, 409, 413, 415, 422, 500, 502, 504, 524]
)
def test_a_refused_request_is_never_repeated(
    api: respx.MockRouter, load_tool: Callable[[str], Tool], name: str, status: int
) -> None:
    """Only 429 and 503 say that no work was begun; after any other status a paid request is not sent again."""
    route = work(api, name).respond(status, json={"error": "No"})
    failure(load_tool(name))

    assert 1 == route.call_count


@pytest.mark.parametrize(
    ("status", "words", "advice"),
    [
        (403, "Access is restricted to configured IP addresses.", "its ipAllowlist"),
        (403, "kimi-k3 is an Anonymous model.", "take one (venice_list_models, needs private)"),
        (403, "Not in your region.", "This key or region may not do that; ask the operator."),
        (404, "kimi-k3 is an Anonymous model.", "Check the names;"),
    ],
)
def test_a_forbidden_request_may_have_a_cause_of_its_own(
    api: respx.MockRouter, load_tool: Callable[[str], Tool], status: int, words: str, advice: str
) -> None:
    """Where the key is bound to addresses or to private models, the agent learns what to do about that."""
    work(api, "venice_find_characters").respond(status, json={"error": words})

    assert advice in failure(load_tool("venice_find_characters"))


OWN = {"json": {"error": "No"}}
SOMEBODYS = {"html": "<h1>No</h1>"}


@pytest.mark.parametrize(
    ("status", "body", "is_free"),
    [
        (400, OWN, True),
        (499, OWN, True),
        (408, OWN, False),
        (500, OWN, False),
        (400, SOMEBODYS, False),
        (403, SOMEBODYS, False),
        (429, SOMEBODYS, True),
        (503, SOMEBODYS, True),
    ],
)
def test_only_venices_own_refusal_is_surely_free(
    api: respx.MockRouter,
    load_tool: Callable[[str], Tool],
    status: int,
    body: dict[str, Any],
    *,
    is_free: bool,
) -> None:
    """What somebody in between refuses, or what Venice gave up on, may have been begun and be paid."""
    work(api, "venice_generate_image").respond(status, **body)
    tool = load_tool("venice_generate_image")
    tool.__globals__["time"] = Clock()

    assert is_free == ("may be charged" not in failure(tool))


@pytest.mark.parametrize(
    ("path", "body", "is_free"),
    [
        ("/augment/scrape", OWN, True),
        ("/augment/search", OWN, True),
        ("/augment/text-parser", OWN, True),
        ("/audio/transcriptions", OWN, True),
        ("/augment/scrape", SOMEBODYS, False),
        ("/audio/speech", OWN, False),
    ],
)
@pytest.mark.parametrize("status", [500, 502])
def test_what_is_paid_when_it_is_done_costs_nothing_when_it_fails(
    api: respx.MockRouter,
    load_tool: Callable[[str], Tool],
    path: str,
    body: dict[str, Any],
    status: int,
    *,
    is_free: bool,
) -> None:
    """Pages, searches, documents and transcripts that Venice itself failed at are not charged; all else may be."""
    api.post(path).respond(status, **body)
    send = load_tool("venice_generate_image").__globals__["_send"]
    with pytest.raises(Exception, match="charged") as raised:
        send("POST", path)

    assert is_free == ("; nothing was charged. Try again later." in str(raised.value))


def test_what_is_done_is_paid_though_it_can_not_be_read(
    api: respx.MockRouter, load_tool: Callable[[str], Tool]
) -> None:
    """A good status means that it was done, whatever the reply's type is called."""
    api.post("/augment/scrape").respond(200, html='{"content": "Tea"}')
    send = load_tool("venice_generate_image").__globals__["_send"]

    with pytest.raises(Exception, match="it may be charged"):
        send("POST", "/augment/scrape")


def test_a_reply_of_another_form_may_be_charged(
    api: respx.MockRouter, load_tool: Callable[[str], Tool]
) -> None:
    """Where a tool stumbles over a reply, it counts whether the call has sent what is paid."""
    api.post("/image/generate").respond(json={})
    space = load_tool("venice_generate_image").__globals__
    told = "Venice's reply could not be read (KeyError: 'images'); "

    space["_send"]("GET", "/models")
    assert f"{told}nothing was charged. Try again." == str(space["_unreadable"](KeyError("images")))
    space["_send"]("POST", "/image/generate", json={})
    assert f"{told}{UNSURE}" == str(space["_unreadable"](KeyError("images")))


def test_what_breaks_when_the_time_is_up_took_too_long(
    api: respx.MockRouter, load_tool: Callable[[str], Tool]
) -> None:
    """However a connection ends then, trying again at once would end in the same way."""
    tool, clock = load_tool("venice_find_characters"), Clock()
    tool.__globals__["time"] = clock

    def answer(_: httpx.Request) -> httpx.Response:
        clock.sleep(200)
        raise httpx.ReadError("reset")

    work(api, "venice_find_characters").mock(side_effect=answer)

    assert failure(tool).startswith("Venice took too long; nothing was charged.")


def test_a_request_may_be_as_large_as_venice_takes(
    api: respx.MockRouter, load_tool: Callable[[str], Tool]
) -> None:
    """As JSON it may have 35 MB; with a byte more it is not sent."""
    route = api.post("/chat/completions").respond(json={})
    send = load_tool("venice_ask_web").__globals__["_send"]
    around = len('{"a":""}')

    send("POST", "/chat/completions", json={"a": "x" * ((35 << 20) - around)})
    with pytest.raises(Exception, match="That is more than 35 MB"):
        send("POST", "/chat/completions", json={"a": "x" * ((35 << 20) - around + 1)})
    assert 1 == route.call_count


@pytest.mark.parametrize(
    "error", [httpx.ConnectError("refused"), httpx.ConnectTimeout("slow")], ids=repr
)
def test_an_unreachable_venice_is_named(
    api: respx.MockRouter, load_tool: Callable[[str], Tool], error: Exception
) -> None:
    """Without a connection, the agent learns where it was tried, and that nothing was sent."""
    work(api, "venice_find_characters").mock(side_effect=error)

    assert (
        "Venice cannot be reached at 'api.venice.ai'; nothing was sent. Try again later."
        == failure(load_tool("venice_find_characters"))
    )


NOW = 1_800_000_000
WAITS: dict[str, tuple[int, dict[str, str], list[float], str]] = {
    "429-bare": (429, {}, [2, 2], "Try again in 2 s."),
    "503-bare": (503, {}, [2, 2], LATER),
    "503-retry-after": (503, {"retry-after": "3"}, [3, 3], LATER),
    "retry-after": (429, {"retry-after": "7"}, [7, 7], "Try again in 7 s."),
    "retry-after-0": (429, {"retry-after": "0"}, [2, 2], "Try again in 2 s."),
    "retry-after-date": (
        429,
        {"retry-after": "Wed, 21 Oct 2026 07:28:00 GMT"},
        [2, 2],
        "Try again in 2 s.",
    ),
    "fits-once": (429, {"retry-after": "20"}, [20], "Try again in 20 s."),
    "never-fits": (429, {"retry-after": "600"}, [], "Try again in 600 s."),
    "503-never-fits": (503, {"retry-after": "600"}, [], LATER),
    "requests-seconds": (
        429,
        {"x-ratelimit-reset-requests": str(NOW + 9)},
        [9, 2],
        "Try again in 2 s.",
    ),
    "requests-milliseconds": (
        429,
        {"x-ratelimit-reset-requests": f"{NOW + 9}000"},
        [9, 2],
        "Try again in 2 s.",
    ),
    "requests-far": (429, {"x-ratelimit-reset-requests": str(NOW + 60)}, [], "Try again in 60 s."),
    "requests-past": (
        429,
        {"x-ratelimit-reset-requests": str(NOW - 60)},
        [2, 2],
        "Try again in 2 s.",
    ),
    "tokens": (429, {"x-ratelimit-reset-tokens": "4.5"}, [4.5, 4.5], "Try again in 4 s."),
    "tokens-far": (429, {"x-ratelimit-reset-tokens": "59"}, [], "Try again in 59 s."),
    "error-budget": (
        429,
        {"x-ratelimit-remaining": "0", "x-ratelimit-resets": f"{NOW + 29}000"},
        [29],
        "Try again in 2 s.",
    ),
    "error-budget-kept": (
        429,
        {
            "x-ratelimit-remaining": "49",
            "x-ratelimit-resets": f"{NOW + 29}000",
            "x-ratelimit-remaining-requests": "0",
            "x-ratelimit-reset-requests": f"{NOW + 9}000",
        },
        [9, 2],
        "Try again in 2 s.",
    ),
    "too-few-tokens-left": (
        429,
        {"x-ratelimit-remaining-tokens": "12", "x-ratelimit-reset-tokens": f"{NOW + 9}000"},
        [9, 2],
        "Try again in 2 s.",
    ),
    "overloaded": (
        429,
        {
            "retry-after": "5",
            "x-ratelimit-remaining-requests": "490",
            "x-ratelimit-reset-requests": f"{NOW + 55}000",
        },
        [5, 5],
        "Try again in 5 s.",
    ),
    "503-limits-kept": (
        503,
        {
            "x-ratelimit-remaining-requests": "490",
            "x-ratelimit-reset-requests": f"{NOW + 55}000",
            "x-ratelimit-remaining-tokens": "9000",
            "x-ratelimit-reset-tokens": f"{NOW + 72_000}000",
        },
        [2, 2],
        LATER,
    ),
    "503-limit-used-up": (
        503,
        {"x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": f"{NOW + 9}000"},
        [9, 2],
        LATER,
    ),
    "blockchain": (
        429,
        {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": str(NOW + 60)},
        [],
        "Try again in 60 s.",
    ),
    "odd": (
        429,
        {"x-ratelimit-reset-tokens": "soon", "retry-after": "-1"},
        [2, 2],
        "Try again in 2 s.",
    ),
}


@pytest.mark.parametrize("name", TOOLS)
@pytest.mark.parametrize(("status", "headers", "slept", "advice"), WAITS.values(), ids=WAITS)
def test_waits_only_as_long_as_it_has_time(  # noqa: PLR0917 - the parameters of a table
    api: respx.MockRouter,
    load_tool: Callable[[str], Tool],
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    status: int,
    headers: dict[str, str],
    slept: list[float],
    advice: str,
) -> None:
    """A wait that fits into the tool's time is made, at most twice; any other is left to the agent."""
    monkeypatch.setenv("VENICE_TOOL_SECONDS", "35")
    route = work(api, name).respond(status, json={"error": "Slow down"}, headers=headers)
    tool, clock = load_tool(name), Clock()
    tool.__globals__["time"] = clock
    message = failure(tool)

    assert slept == clock.slept
    assert len(slept) + 1 == route.call_count
    assert message.endswith(f"Venice answered {status}: Slow down. {advice}")


def test_the_try_after_a_wait_may_succeed(
    api: respx.MockRouter, load_tool: Callable[[str], Tool]
) -> None:
    """An agent does not notice a short jam."""
    jam = httpx.Response(429, json={"error": "Slow down"}, headers={"retry-after": "1"})
    route = api.get("/characters").mock(side_effect=[jam, httpx.Response(200, json={"data": []})])
    tool, clock = load_tool("venice_find_characters"), Clock()
    tool.__globals__["time"] = clock

    assert "No character fits" in tool()
    assert (2, [2]) == (route.call_count, clock.slept)


@pytest.mark.parametrize(
    "key",
    [
        None,
        "",
        " \n",
        "sk-a sk-b",
        "sk-\nb",
        "sk-\u043a\u043b\u044e\u0447",
        "sk-\x7f",
        "\u201csk-a\u201d",
    ],
    ids=ascii,
)
@pytest.mark.parametrize("name", TOOLS)
def test_what_is_no_key_is_never_sent(
    api: respx.MockRouter,
    load_tool: Callable[[str], Tool],
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    key: str | None,
) -> None:
    """A missing or malformed key is found here; the operator is to set it, and it is not shown."""
    monkeypatch.delenv("VENICE_API_KEY")
    if key is not None:
        monkeypatch.setenv("VENICE_API_KEY", key)
    message = failure(load_tool(name))

    assert (
        "VENICE_API_KEY is not set, or is no key. Ask the operator to set this agent's secret."
        == message
    )
    assert 0 == len(api.calls)


def test_blanks_around_a_key_do_no_harm(
    api: respx.MockRouter, load_tool: Callable[[str], Tool], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A key that was pasted with a line end works, and is hidden all the same."""
    monkeypatch.setenv("VENICE_API_KEY", f" {KEY}\n")
    api.get("/characters").respond(401, json={"error": f"Bad key {KEY}"})

    assert "Bad key [key]." in failure(load_tool("venice_find_characters"))
    assert f"Bearer {KEY}" == api.calls.last.request.headers["authorization"]


@pytest.mark.parametrize("url", [f"{BASE}/", f"{BASE}//", f" {BASE}\n", "  ", ""], ids=repr)
def test_the_base_url_may_be_untidy(
    api: respx.MockRouter,
    load_tool: Callable[[str], Tool],
    monkeypatch: pytest.MonkeyPatch,
    url: str,
) -> None:
    """A slash at its end or blanks around it do no harm; nothing stands for Venice itself."""
    monkeypatch.setenv("VENICE_BASE_URL", url)
    api.route().respond(json={"data": []})
    load_tool("venice_find_characters")()

    assert re.fullmatch(
        r"https://api\.venice\.ai/api/v1/+characters",
        str(api.calls.last.request.url).partition("?")[0],
    )


@pytest.mark.parametrize(
    "url",
    [
        "ftp://api.venice.ai",
        "api.venice.ai/api/v1",
        "https://",
        "http://[::1",
        "http://host:port",
        "http://a b",
        "/x",
        "https://user:password@example.org",
        "https://example.org:65536",
        "https://example..org",
        "http://[:::::]",
        "http://example.org:\u0663",
    ],
)
def test_a_wrong_base_url_is_the_operators_affair(
    load_tool: Callable[[str], Tool], monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    """What is no address of the web is named by its setting, and not shown."""
    monkeypatch.setenv("VENICE_BASE_URL", url)

    assert "VENICE_BASE_URL is no http address. Ask the operator to correct it." == failure(
        load_tool("venice_find_characters")
    )


BAD_SURROUNDINGS = [
    ("NO_PROXY", "[::1]"),
    ("NO_PROXY", "fe80::/10"),
    ("SSL_CERT_FILE", "/nowhere/certificates.pem"),
    ("SSL_CERT_FILE", __file__),
    ("ALL_PROXY", "socks4://127.0.0.1:1"),
    ("ALL_PROXY", "socks5h://127.0.0.1:1"),  # for which httpx needs more than it has here
    ("HTTPS_PROXY", "foo://x"),
    ("HTTPS_PROXY", "http://user:hunter2/x@proxy.example:8080"),
    ("HTTPS_PROXY", "http://user:hunter2@127.0.0.1:99999"),
    ("HTTP_PROXY", "127.0.0.1:65536"),
]


@pytest.mark.parametrize(("setting", "value"), BAD_SURROUNDINGS)
@pytest.mark.parametrize(
    "way", [["_client"], ["_media_client"], ["_bucket_client"], ["_ask_letta", "/runs"]], ids=str
)
def test_a_proxy_or_certificate_that_can_not_be_used_is_the_operators_affair(
    load_tool: Callable[[str], Tool],
    monkeypatch: pytest.MonkeyPatch,
    setting: str,
    value: str,
    way: list[str],
) -> None:
    """What httpx takes from the environment is named by its setting, and not shown: a proxy may have a password."""
    monkeypatch.setattr("httpx._transports.default.create_ssl_context", httpx.create_ssl_context)
    monkeypatch.setenv("VENICE_API_KEY", "sk-1")
    monkeypatch.setenv(setting, value)
    monkeypatch.setenv("LETTA_BASE_URL", "http://127.0.0.1:1")
    space = load_tool("venice_edit_image").__globals__

    open_it, *arguments = way
    with pytest.raises(space["VeniceError"]) as caught:
        space[open_it](*arguments)
    told = "The proxy or certificate settings of this environment can't be used"
    names = "(HTTPS_PROXY, HTTP_PROXY, ALL_PROXY, NO_PROXY, SSL_CERT_FILE)"
    assert f"{told} {names}. Ask the operator to correct them." == str(caught.value)


@pytest.mark.parametrize("place", ["a..b:80", f"127.0.0.1:{10**20}"])
@pytest.mark.parametrize(
    "way",
    [
        ["_send", "POST", "/augment/search"],
        ["_ask_media_server", "GET", "/room"],
        ["_send_file", Path(__file__), "/files/1", {}],
        ["_ask_letta", "/runs"],
    ],
    ids=lambda way: str(way[0]),
)
def test_a_proxy_that_can_not_be_called_is_the_operators_affair(
    load_tool: Callable[[str], Tool], monkeypatch: pytest.MonkeyPatch, place: str, way: list[Any]
) -> None:
    """Where a proxy has no such name or port, nothing was sent: no line says that it may be charged, or was odd."""
    for name in ("HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, f"http://user:hunter2@{place}")
    for name in ("VENICE_BASE_URL", "VENICE_MEDIA", "LETTA_BASE_URL"):
        monkeypatch.setenv(name, "https://somewhere.example")
    space = load_tool("venice_edit_image").__globals__

    open_it, *arguments = way
    with pytest.raises(space["VeniceError"], match="Ask the operator") as caught:
        space[open_it](*arguments)
    assert "charged" not in str(caught.value)
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize("name", TOOLS)
def test_a_refused_connection_is_told(
    load_tool: Callable[[str], Tool], monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """Where nothing listens, the agent learns that nothing was sent."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        monkeypatch.setenv("VENICE_BASE_URL", f"http://127.0.0.1:{taken.getsockname()[1]}/api/v1")

        assert (
            "Venice cannot be reached at '127.0.0.1'; nothing was sent. Try again later."
            == failure(load_tool(name))
        )


@pytest.fixture
def reach(
    venice: LocalVenice, load_tool: Callable[[str], Tool], monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[[str], Tool]]:
    """Load tools that reach the local Venice; no fault outlives the test."""
    loaded: list[Tool] = []

    def load(name: str) -> Tool:
        monkeypatch.setenv("VENICE_API_KEY", venice.key)
        monkeypatch.setenv("VENICE_BASE_URL", venice.base_url)
        loaded.append(load_tool(name))
        return loaded[-1]

    yield load
    venice.clear_faults()
    for tool in loaded:
        tool.__globals__["_client"]().close()


@pytest.mark.parametrize("name", TOOLS)
def test_a_reset_before_the_first_byte_is_told(
    venice: LocalVenice, reach: Callable[[str], Tool], name: str
) -> None:
    """A connection that is torn down at once ends the call, once; a second request would have been answered."""
    venice.order_fault(fault="reset", path=CALLS[name][2])

    assert "Venice sent no whole reply; " in failure(reach(name))


@pytest.mark.parametrize("name", ["venice_generate_image", "venice_find_characters"])
def test_a_reset_in_the_middle_is_told(
    venice: LocalVenice, reach: Callable[[str], Tool], name: str
) -> None:
    """Half of a JSON reply is none; half of a stream is kept, as the tests of venice_ask_web show."""
    venice.order_fault(fault="reset-midway", path=CALLS[name][2], bytes=300)
    message = failure(reach(name))

    assert "Venice sent no whole reply; " in message
    assert ("may be charged" in message) == (name in PAID)


SLOW: dict[str, dict[str, Any]] = {
    "stall-at-once": {"fault": "stall", "seconds": 5},
    "stall-midway": {"fault": "stall", "seconds": 5, "bytes": 100},
    "drip": {"fault": "drip", "seconds": 0.2, "bytes": 20},
}


@pytest.mark.slow
@pytest.mark.parametrize("name", TOOLS)
@pytest.mark.parametrize("fault", SLOW)
def test_slowness_ends_in_time(
    venice: LocalVenice,
    reach: Callable[[str], Tool],
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    fault: str,
) -> None:
    """A reply that does not come, stops, or trickles is given up at about the tool's time, and that is said."""
    monkeypatch.setenv("VENICE_TOOL_SECONDS", "1")
    venice.order_fault(path=CALLS[name][2], **SLOW[fault])
    started = time.monotonic()
    message = failure(reach(name))

    assert 0.9 < time.monotonic() - started < 2.5
    assert "took too long" in message or "The model said nothing (cut" in message
    assert ("charged" in message, "nothing was charged" in message) == (True, name not in PAID)


@pytest.mark.parametrize("way", ["_read_in_time", "_write_in_time"])
@pytest.mark.parametrize(("own", "given"), [(50.0, 2.0), (1.0, 1.0), (None, 2.0)])
def test_no_piece_gets_more_time_than_is_left(
    texts: dict[str, str], way: str, own: float | None, given: float
) -> None:
    """Whatever httpx would wait for a piece, it waits to the deadline and no longer."""
    space = space_of("venice_find_characters", texts)
    space["time"] = clock = Clock()
    space["_DEADLINE"] = clock.monotonic() + 2
    waited = []
    one_piece: dict[str, Any] = {"_read_in_time": 1, "_write_in_time": b"x"}

    space[way](lambda _, *, timeout: waited.append(timeout), one_piece[way], own)

    assert [given] == waited


class Trickle(httpx.SyncByteStream):
    """The body of a reply that never ends."""

    def __iter__(self) -> Iterator[bytes]:
        while True:
            time.sleep(0.05)
            yield b"x"


def test_an_error_that_never_ends_does(
    api: respx.MockRouter, load_tool: Callable[[str], Tool], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The body of an error, too, is read only as long as there is time."""
    monkeypatch.setenv("VENICE_TOOL_SECONDS", "1")
    api.get("/characters").respond(502, stream=Trickle())

    assert failure(load_tool("venice_find_characters")).startswith("Venice answered 502: xxx")


def letta_reads(stderr: str) -> str:
    """What Letta 0.16.8 finds in a tool's stderr: the last error among its last three lines."""
    for line in reversed(stderr.strip().split("\n")[-3:]):
        if found := re.search(r"(\w+(?:Error|Exception)): (.+?)$", line):
            return found[2]
    return ""


def run_alone(text: str, name: str, **settings: str) -> subprocess.CompletedProcess[str]:
    """Run a tool's text with a plain call in a process of its own, as Letta does."""
    script = f"{text}\nprint({name}(**{CALLS[name][0]!r}))\n"
    kept = {variable: os.environ[variable] for variable in ("PATH", "VENICE_MEDIA_DIR")}
    command, env = [sys.executable, "-I", "-"], kept | settings
    return subprocess.run(
        command, input=script, env=env, capture_output=True, text=True, timeout=30, check=False
    )


@pytest.mark.slow
@pytest.mark.parametrize("name", TOOLS)
def test_letta_reads_the_whole_message(
    venice: LocalVenice, texts: dict[str, str], reach: Callable[[str], Tool], name: str
) -> None:
    """Out of a real traceback, Letta's own pattern finds just what the tool raised."""
    for fault in ("status-400", "html"):
        venice.order_fault(fault=fault, path=CALLS[name][2])
        expected = failure(reach(name))
        venice.order_fault(fault=fault, path=CALLS[name][2])
        alone = run_alone(
            texts[name], name, VENICE_API_KEY=venice.key, VENICE_BASE_URL=venice.base_url
        )

        assert (1, "") == (alone.returncode, alone.stdout)
        assert expected == letta_reads(alone.stderr)


@pytest.mark.slow
@pytest.mark.parametrize("name", TOOLS)
def test_a_tool_alone_never_prints_the_key(
    venice: LocalVenice, texts: dict[str, str], name: str
) -> None:
    """Neither output nor traceback holds the key, even when Venice's error repeats it; nor does a good reply."""
    body = {
        "error": f"The key {venice.key} is wrong",
        "details": {"key": {"_errors": [f"Bearer {venice.key}"]}},
    }
    venice.order_fault(fault="status", status=401, body=body, path=CALLS[name][2])
    settings = {"VENICE_API_KEY": venice.key, "VENICE_BASE_URL": venice.base_url}
    refused, served = (
        run_alone(texts[name], name, **settings),
        run_alone(texts[name], name, **settings),
    )

    assert "The key [key] is wrong" in letta_reads(refused.stderr)
    assert (0, "") == (served.returncode, served.stderr)
    assert isinstance(json.loads(served.stdout), dict)
    assert venice.key not in refused.stdout + refused.stderr + served.stdout


@pytest.mark.parametrize("setting", ["soon", "0", "-5", "1.5", "60 s", "1234567", ""])
def test_a_time_limit_that_is_no_number_counts_as_none(
    load_tool: Callable[[str], Callable[..., str]], monkeypatch: pytest.MonkeyPatch, setting: str
) -> None:
    """A tool runs with the usual limit when the operator's is not a whole number; `doctor` is who tells of it."""
    monkeypatch.setenv("VENICE_TOOL_SECONDS", setting)

    space = load_tool("venice_find_characters").__globals__
    assert 115 < space["_DEADLINE"] - time.monotonic() <= 120


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("venice_find_characters", {"slug": "x" * 100_000}),
        ("venice_chat", {"prompt": "Hello", "character": "x" * 100_000}),
        ("venice_call_blockchain", {"network": "x" * 100_000, "method": "eth_blockNumber"}),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_name_that_makes_no_address_is_refused(
    load_tool: Callable[[str], Callable[..., str]],
    venice: LocalVenice,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    arguments: dict[str, Any],
) -> None:
    """What becomes a part of an address, and is longer than one may be, is told in one clear line."""
    monkeypatch.setenv("VENICE_API_KEY", venice.key)
    monkeypatch.setenv("VENICE_BASE_URL", venice.base_url)

    with pytest.raises(Exception, match="too long") as caught:
        load_tool(name)(**arguments)
    assert type(caught.value).__name__ == "VeniceError"
    assert "A name in this call is far too long to be one of Venice's. Nothing was sent" in str(
        caught.value
    )


# --- the reply to the agent ---


@pytest.fixture
def answer(load_tool: Callable[[str], Tool]) -> Callable[..., Any]:
    """The reply of a tool that has such fields, as an object."""
    space = load_tool("venice_find_characters").__globals__

    def run(remarks: list[str] | None = None, **fields: Any) -> Any:
        space["_REMARKS"][:] = remarks or []
        return json.loads(space["_answer"](**fields))

    return run


def test_a_reply_of_8000_characters_is_not_cut(answer: Callable[..., Any]) -> None:
    """With one more, texts in it are cut, and a note says so."""
    around = len('{"text": ""}')

    assert 8000 - around == len(answer(text="x" * (8000 - around))["text"])
    cut = answer(text="x" * (8000 - around + 1))
    assert cut["text"].endswith("x ...")
    assert ["This reply was too long: texts and lists in it are cut."] == cut["notes"]


def test_what_only_counts_whole_is_never_cut(answer: Callable[..., Any]) -> None:
    """A job, a file and the notes are in a reply, however long the rest is, and whatever stands before them."""
    many = {f"field {number}": "x" * 2000 for number in range(300)}
    told = answer(["A remark."], **many, job="j" * 3000, file="f" * 300, notes="A note.")

    assert ("j" * 3000, "f" * 300) == (told["job"], told["file"])
    assert ["A note.", "A remark."] == told["notes"][:2]


def test_notes_go_before_what_venice_remarked(answer: Callable[..., Any]) -> None:
    """A note may be a text or several; without any, there are none."""
    assert {"notes": ["One."]} == answer(["One."])
    assert {"notes": ["A.", "One."]} == answer(["One."], notes="A.")
    assert {"notes": ["A.", "B.", "One."]} == answer(["One."], notes=["A.", "B."])
    assert {"text": "x"} == answer(text="x", notes=[], other=None, more={}, number=float("nan"))


def test_that_a_model_is_about_to_go_is_told_once(load_tool: Callable[[str], Tool]) -> None:
    """However many replies of a call say so, one line does."""
    space = load_tool("venice_find_characters").__globals__
    date = httpx.Headers({"x-venice-model-deprecation-date": "2026-12-31"})
    words = httpx.Headers(
        {
            "x-venice-model-deprecation-warning": "It goes.",
            "x-venice-deprecated-replacement": "glm-6",
        }
    )

    space["_note_deprecation"](httpx.Headers())
    assert [] == space["_REMARKS"]
    space["_note_deprecation"](date)
    space["_note_deprecation"](words)
    assert ["Venice says of this model: it is about to go (2026-12-31)."] == space["_REMARKS"]
    space["_REMARKS"].clear()
    space["_note_deprecation"](words)
    assert ["Venice says of this model: It goes. Then take glm-6."] == space["_REMARKS"]


@pytest.mark.parametrize(
    ("replacement", "told"),
    [
        ({"x-venice-deprecated-replacement": "glm-6"}, "it is about to go. Then take glm-6."),
        ({}, "it is about to go."),
    ],
    ids=["replaced", "not replaced"],
)
def test_a_model_may_be_about_to_go_without_a_word_or_a_day(
    load_tool: Callable[[str], Tool], replacement: dict[str, str], told: str
) -> None:
    """Venice may say no more than that it is deprecated; what to take in its place is told then, too."""
    space = load_tool("venice_find_characters").__globals__
    space["_note_deprecation"](httpx.Headers({"x-venice-deprecated": "true", **replacement}))

    assert [f"Venice says of this model: {told}"] == space["_REMARKS"]
