import json
import time
from pathlib import Path
from typing import Any

import httpx
import pytest

from sanctum_venice_tools.emulator.facts import operations
from sanctum_venice_tools.emulator.faults import NAMES, PRESETS
from sanctum_venice_tools.emulator.process import LocalVenice, running_venice

PATH = "/image/styles"
DOCUMENT = Path(__file__).parents[2] / "docs" / "emulator.md"


@pytest.fixture
def get(venice: LocalVenice) -> Any:
    """Gets a page without checks; a fault is no reply of Venice's."""

    def get(path: str = PATH) -> httpx.Response:
        return httpx.get(venice.base_url + path, timeout=10)

    yield get
    venice.clear_faults()


@pytest.mark.parametrize("name", PRESETS)
def test_preset(venice: LocalVenice, get: Any, name: str) -> None:
    """Each preset answers with its status and body, once."""
    venice.order_fault(fault=name, path=PATH)

    reply, after = get(), get()

    assert (reply.status_code, reply.json()) == (PRESETS[name].status, PRESETS[name].body)
    assert after.status_code == 200


@pytest.mark.parametrize(
    ("name", "path", "method"),
    [
        ("status-400", "/chat/completions", "post"),
        ("status-401", "/chat/completions", "post"),
        ("status-402", "/chat/completions", "post"),
        ("402-no-key", "/chat/completions", "post"),
        ("status-409", "/video/queue", "post"),
        ("status-410", "/billing/usage", "get"),
        ("status-413", "/audio/transcriptions", "post"),
        ("status-415", "/chat/completions", "post"),
        ("status-422", "/video/queue", "post"),
        ("422-provider", "/video/retrieve", "post"),
        ("422-not-refunded", "/video/retrieve", "post"),
        ("status-429", "/chat/completions", "post"),
        ("status-500", "/chat/completions", "post"),
        ("status-503", "/chat/completions", "post"),
        ("status-504", "/chat/completions", "post"),
    ],
)
def test_preset_is_as_documented(name: str, path: str, method: str) -> None:
    """The bodies that Venice's document describes are as it describes them."""
    preset = PRESETS[name]

    assert (
        operations()[path, method]
        .responses[str(preset.status)]["application/json"]
        .issues(preset.body)
        == []
    )


@pytest.mark.parametrize(
    ("name", "header", "expected"),
    [
        ("429-requests", "x-ratelimit-reset-requests", lambda: (time.time() + 30) * 1000),
        ("429-tokens", "x-ratelimit-reset-tokens", lambda: (time.time() + 30) * 1000),
        ("429-seconds", "x-ratelimit-reset-requests", lambda: time.time() + 30),
        ("429-error-budget", "x-ratelimit-resets", lambda: (time.time() + 30) * 1000),
        ("429-blockchain", "x-ratelimit-reset", lambda: time.time() + 30),
        ("429-retry-after", "retry-after", lambda: 30),
        ("429-overloaded", "retry-after", lambda: 30),
    ],
)
def test_ways_to_say_wait(
    venice: LocalVenice, get: Any, name: str, header: str, expected: Any
) -> None:
    """A 429 says in each of the known ways when to come again."""
    venice.order_fault(fault=name, seconds=30)

    assert float(get().headers[header]) == pytest.approx(expected(), rel=1e-3)


def test_an_empty_error_budget_refuses_all(venice: LocalVenice) -> None:
    """Once it is used up, every request with this model is refused until the moment that is told; others are not."""
    wrong = {"model": "kimi-k3", "messages": "hi"}
    right = {"model": "kimi-k3", "messages": [{"role": "user", "content": "hi"}]}
    other = {**right, "model": "zai-org-glm-5-2"}
    client = httpx.Client(
        base_url=venice.base_url, headers={"Authorization": f"Bearer {venice.key}"}
    )
    venice.order_fault(fault="error-budget", path="/chat/completions", seconds=1)

    replies = [client.post("/chat/completions", json=body) for body in (right, right, other)]
    left = int(replies[0].headers["x-ratelimit-resets"]) / 1000 - time.time()
    time.sleep(max(left, 0) + 0.05)
    after = [client.post("/chat/completions", json=body) for body in (wrong, right)]

    assert [429, 429, 200] == [reply.status_code for reply in replies]
    assert "Too many failed attempts (> 50)" in replies[0].json()["error"]
    assert left <= 1
    assert [400, 200] == [reply.status_code for reply in after]
    assert ["49", "49"] == [reply.headers["x-ratelimit-remaining"] for reply in after]


def test_any_status(venice: LocalVenice, get: Any) -> None:
    """A status, body and headers of one's own can be ordered, several times."""
    headers = {"X-RateLimit-Remaining-Requests": "0", "Retry-After": "3"}
    venice.order_fault(
        fault="status", status=418, body={"error": "tea"}, headers=headers, times=2, path="*"
    )

    replies = [get() for _ in range(3)]

    assert [reply.status_code for reply in replies] == [418, 418, 200]
    assert (replies[0].json(), replies[0].headers["retry-after"]) == ({"error": "tea"}, "3")


def test_faults_wait_for_their_path_and_method(venice: LocalVenice, get: Any) -> None:
    """Only requests that match use a fault up."""
    venice.order_fault(fault="status-500", path="/models/*")
    venice.order_fault(fault="status-500", path=PATH, method="POST")

    assert get().status_code == 200
    assert get("/models/traits").status_code == 500


def test_page_instead_of_json(venice: LocalVenice, get: Any) -> None:
    """A gateway's page is HTML with a 502."""
    venice.order_fault(fault="html")
    reply = get()

    assert (reply.status_code, reply.headers["content-type"]) == (502, "text/html; charset=UTF-8")
    assert "<title>" in reply.text


@pytest.mark.parametrize(
    ("name", "expected"),
    [("empty", b""), ("broken-json", b'{"object": "list", "data": [{"id": "a')],
)
def test_bodies_that_are_no_json(venice: LocalVenice, get: Any, name: str, expected: bytes) -> None:
    """A good status with nothing, or half of something, in it."""
    venice.order_fault(fault=name)

    assert expected == get().content


def test_wrong_content_type(venice: LocalVenice, get: Any) -> None:
    """The right body under a wrong name."""
    venice.order_fault(fault="wrong-content-type", content_type="image/png")
    reply = get()

    assert (reply.headers["content-type"], reply.json()["object"]) == ("image/png", "list")


@pytest.mark.parametrize(
    ("name", "header"),
    [("blurred", "x-venice-is-blurred"), ("content-violation", "x-venice-is-content-violation")],
)
def test_flags(venice: LocalVenice, get: Any, name: str, header: str) -> None:
    """A flag goes with a reply that is otherwise a good one."""
    venice.order_fault(fault=name)

    assert get().headers[header] == "true"


@pytest.mark.parametrize("fault", [{"fault": "reset"}, {"fault": "reset-midway", "bytes": 100}])
def test_reset(venice: LocalVenice, get: Any, fault: dict[str, Any]) -> None:
    """The connection is reset before or within the reply."""
    venice.order_fault(**fault)

    with pytest.raises(httpx.ReadError, match="reset"):
        get()


def test_part_of_the_reply_arrives_before_the_reset(venice: LocalVenice) -> None:
    """What was sent before a reset is received."""
    venice.order_fault(fault="reset-midway", bytes=100)
    received: list[bytes] = []

    with httpx.stream("GET", venice.base_url + PATH) as reply, pytest.raises(httpx.ReadError):
        received.extend(reply.iter_bytes(1))

    assert len(received) == 100


@pytest.mark.parametrize(
    "fault",
    [
        {"fault": "stall", "seconds": 0.3},
        {"fault": "stall", "seconds": 0.3, "bytes": 50},
        {"fault": "drip", "bytes": 100, "seconds": 0.05},
    ],
)
def test_slow_replies_are_whole(venice: LocalVenice, get: Any, fault: dict[str, Any]) -> None:
    """A reply that stalls or drips takes its time and is the same."""
    expected = get().json()
    venice.order_fault(**fault)

    started = time.monotonic()
    reply = get()

    assert reply.json() == expected
    assert time.monotonic() - started > 0.29


def test_error_within_a_stream(venice: LocalVenice) -> None:
    """A stream can end in an event that is an error."""
    venice.order_fault(fault="stream-error", bytes=500)
    body = {"model": "default", "stream": True, "messages": [{"role": "user", "content": "hi"}]}

    reply = httpx.post(
        venice.base_url + "/chat/completions",
        json=body,
        headers={"Authorization": f"Bearer {venice.key}"},
    )

    last = [line for line in reply.text.split("\n\n") if line][-1]
    assert (
        json.loads(last.removeprefix("data: "))["error"]["message"] == "Inference processing failed"
    )
    assert "[DONE]" not in reply.text


def test_large_body(venice: LocalVenice, get: Any) -> None:
    """A body of any size can be ordered."""
    venice.order_fault(fault="bytes", bytes=3_000_001, content_type="video/mp4")
    reply = get()

    assert (len(reply.content), reply.headers["content-type"]) == (3_000_001, "video/mp4")


@pytest.mark.parametrize(
    "wish",
    [
        {"fault": "nonsense"},
        {"fault": "status"},
        {"fault": "reset", "colour": 1},
        {"fault": "reset", "times": "x"},
    ],
)
def test_unknown_fault(venice: LocalVenice, wish: dict[str, Any]) -> None:
    """An order that cannot be carried out is refused, with the names that there are."""
    reply = httpx.post(venice.base_url.removesuffix("/api/v1") + "/emulator/faults", json=wish)

    assert reply.status_code == 400
    if wish["fault"] == "nonsense":
        assert all(name in reply.json()["error"] for name in NAMES)


@pytest.mark.parametrize("name", sorted({*NAMES} - {*PRESETS}))
def test_fault_is_described(name: str) -> None:
    """Each fault stands in the documents' table."""
    names = [
        line.split("|")[1] for line in DOCUMENT.read_text().splitlines() if line.startswith("| `")
    ]

    assert any(f"`{name}`" in cell for cell in names)


def test_no_faults_unless_allowed() -> None:
    """Without --allow-faults there is no such address, and the handle says so."""
    with running_venice() as strict:
        reply = httpx.post(
            strict.base_url.removesuffix("/api/v1") + "/emulator/faults", json={"fault": "reset"}
        )
        with pytest.raises(RuntimeError, match="without allow_faults"):
            strict.order_fault(fault="reset")

    assert reply.status_code == 404
