import json
from collections.abc import Callable
from typing import Any

import pytest
import respx

from sanctum_venice_tools.emulator.process import LocalVenice
from tests.tools.conftest import refusal

Tool = Callable[..., str]
CALL: dict[str, Any] = {}


UNKNOWN = "There is no key of that id. venice_list_api_keys without key_id shows the ids."


def key(key_id: str = "e28e82dc", **more: Any) -> dict[str, Any]:
    """A key as Venice lists it, without what it may leave out."""
    return {
        "apiKeyType": "ADMIN",
        "consumptionLimits": {"usd": 50, "diem": None, "vcu": 30},
        "limitPeriod": "MONTH",
        "modelPrivacy": "ALL",
        "createdAt": "2026-01-01T08:00:00.000Z",
        "expiresAt": None,
        "id": key_id,
        "last6Chars": "2V2jNW",
        "lastUsedAt": "2026-08-01T08:00:00.000Z",
        **more,
    }


def hit(
    key_id: str = "a", model: str = "glm", kind: str = "RPM", time: str = "2026-08-01"
) -> dict[str, str]:
    """A limit that was hit."""
    return {
        "apiKeyId": key_id,
        "modelId": model,
        "rateLimitTier": "paid",
        "rateLimitType": kind,
        "timestamp": f"{time}T00:00:00Z",
    }


USAGE = {"usd": "10.2424", "vcu": "42.2315", "diem": "4.2231"}
SHOWN = {
    "id": "e28e82dc",
    "last_six": "2V2jNW",
    "key_type": "ADMIN",
    "limit_usd": 50,
    "limit_period": "MONTH",
    "last_used": "2026-08-01T08:00:00.000Z",
}


@pytest.fixture
def show(api: respx.MockRouter, tool: Tool) -> Callable[..., Any]:
    """List keys, while Venice has these; the tool's reply."""

    def run(*keys: dict[str, Any], **arguments: Any) -> Any:
        api.get("/api_keys").respond(json={"object": "list", "data": list(keys)})
        reply = tool(**arguments)
        assert len(reply) < 8000
        return json.loads(reply)

    return run


def test_shows_a_key_without_what_venice_may_leave_out(show: Callable[..., Any]) -> None:
    """A key without description or usage is one; what says nothing is left out."""
    assert {"keys": [SHOWN]} == show(key())


def test_shows_all_that_matters(show: Callable[..., Any]) -> None:
    """Description, limits, privacy, end and the last week's spending are told; a key without a limit has none."""
    (shown,) = show(
        key(
            description="Production",
            consumptionLimits={"usd": None},
            modelPrivacy="PRIVATE_ONLY",
            expiresAt="2026-09-01T00:00:00Z",
            lastUsedAt=None,
            usage={"trailingSevenDays": USAGE},
        )
    )["keys"]

    assert shown == {
        "id": "e28e82dc",
        "description": "Production",
        "last_six": "2V2jNW",
        "key_type": "ADMIN",
        "model_privacy": "PRIVATE_ONLY",
        "last_used": "never",
        "expires": "2026-09-01T00:00:00Z",
        "spent_7_days": {"usd": "10.2424", "diem": "4.2231"},
    }


@pytest.mark.parametrize(
    ("query", "ids"),
    [
        ("", ["c", "b", "a"]),
        (" prod ", ["b", "a"]),
        ("2v2", ["c", "a"]),
        ("INFERENCE", ["c"]),
        ("b", ["b"]),
        ("zzz", []),
    ],
)
def test_finds_keys(show: Callable[..., Any], query: str, ids: list[str]) -> None:
    """A part of a description, type, id or of the last characters finds keys, the last used first."""
    keys = [
        key("a", description="Production", lastUsedAt="2026-01-01"),
        key("b", description="Pre-prod", last6Chars="x", lastUsedAt="2026-02-01"),
        key("c", apiKeyType="INFERENCE", lastUsedAt="2026-03-01"),
    ]
    reply = show(*keys, query=query)

    assert ids == [one["id"] for one in reply.get("keys", [])]
    assert bool(ids) == ("notes" not in reply)


def test_five_hundred_keys_stay_short(show: Callable[..., Any]) -> None:
    """Of many keys the last used come, and it is said how many more there are and how to find them."""
    keys = [
        key(
            f"{place:036}",
            description='"' * 64,
            lastUsedAt=f"2026-01-01T00:{place:03}Z",
            expiresAt="2027-01-01T00:00:00.000Z",
            consumptionLimits={"usd": 9999999999, "diem": 9999999999},
            modelPrivacy="PRIVATE_TEXT",
            usage={"trailingSevenDays": USAGE},
        )
        for place in range(500)
    ]
    reply = show(*keys)

    assert [f"{place:036}" for place in range(499, 487, -1)] == [one["id"] for one in reply["keys"]]
    assert ["488 more keys: give a part of a description, or last characters, as query."] == reply[
        "notes"
    ]


def test_limit_hits_are_counted(show: Callable[..., Any], api: respx.MockRouter) -> None:
    """Hits of one key, model and limit are one row, the latest first, under the key's description where it has one."""
    log = [
        *(
            hit(time="2026-08-03"),
            hit(time="2026-08-01"),
            hit("b", kind="FAILED_REQUESTS", time="2026-08-02"),
        ),
        hit("gone", "kimi", "TPM"),
    ]
    api.get("/api_keys/rate_limits/log").respond(json={"object": "list", "data": log})
    keys = [key("a", description="Production"), key("b")]
    reply = show(*keys, with_limit_hits=True)

    day = "T00:00:00Z"
    assert [
        {
            "key": "Production",
            "model": "glm",
            "limit": "requests_per_minute",
            "hits": 2,
            "last": f"2026-08-03{day}",
        },
        {
            "key": "b",
            "model": "glm",
            "limit": "failed_requests",
            "hits": 1,
            "last": f"2026-08-02{day}",
        },
        {
            "key": "gone",
            "model": "kimi",
            "limit": "tokens_per_minute",
            "hits": 1,
            "last": f"2026-08-01{day}",
        },
    ] == reply["limit_hits"]
    assert ["b"] == [
        one["key"] for one in show(*keys, query="b", with_limit_hits=True)["limit_hits"]
    ]


def test_no_limit_hits_are_said(show: Callable[..., Any], api: respx.MockRouter) -> None:
    """Hits that were asked for and are not there are named."""
    api.get("/api_keys/rate_limits/log").respond(json={"object": "list", "data": []})

    assert ["None of the last 50 limit hits is theirs."] == show(key(), with_limit_hits=True)[
        "notes"
    ]


def test_fifty_different_hits_stay_short(show: Callable[..., Any], api: respx.MockRouter) -> None:
    """All keys and hits that are shown at once are a reply under 8,000 characters."""
    log = [
        hit(f"{place:036}", "a-model-of-forty-characters-in-its-name-x", "FAILED_REQUESTS")
        for place in range(50)
    ]
    api.get("/api_keys/rate_limits/log").respond(json={"object": "list", "data": log})
    keys = [
        key(f"{place:036}", description="k" * 64, usage={"trailingSevenDays": USAGE})
        for place in range(50)
    ]

    assert 12 == len(show(*keys, with_limit_hits=True)["limit_hits"])


def test_one_key_is_shown_in_full(api: respx.MockRouter, tool: Tool) -> None:
    """An id brings one key with when it was made and what it spent in its period, and its own limit hits only."""
    spent = {"usd": "1.5", "diem": "0"}
    api.get("/api_keys/e28e82dc").respond(json={"data": key(currentPeriodUsage=spent)})
    api.get("/api_keys/rate_limits/log").respond(
        json={"object": "list", "data": [hit(), hit("e28e82dc")]}
    )
    reply = json.loads(tool(key_id="e28e82dc", query="ignored", with_limit_hits=True))

    assert [SHOWN | {"created": "2026-01-01T08:00:00.000Z", "spent_this_period": spent}] == reply[
        "keys"
    ]
    assert [1] == [one["hits"] for one in reply["limit_hits"]]


@pytest.mark.parametrize("key_id", ["rate_limits", "generate_web3_key"])
def test_no_other_page_is_taken_for_a_key(api: respx.MockRouter, tool: Tool, key_id: str) -> None:
    """Pages beside the keys look like one by their address, but nothing of them is shown."""
    api.get(f"/api_keys/{key_id}").respond(json={"success": True, "data": {"token": "a-secret"}})

    assert refusal(tool, key_id=key_id) == UNKNOWN


@pytest.mark.parametrize(
    "key_id", ["rate_limits/log", "..", "a?b", "VENICE_INFERENCE_KEY_" + "x" * 43, "naïve"]
)
def test_what_is_no_id_is_not_sent(api: respx.MockRouter, tool: Tool, key_id: str) -> None:
    """A path, or a key in place of its id, gets neither into an address nor into the error."""
    assert key_id not in refusal(tool, key_id=key_id)
    assert 0 == len(api.calls)


@pytest.mark.parametrize("status", [400, 404])
def test_an_unknown_id_says_what_to_do(api: respx.MockRouter, tool: Tool, status: int) -> None:
    """Venice's refusal, a 400, leads to the list."""
    api.get("/api_keys/gone").respond(status, json={"error": "API key not found"})

    assert refusal(tool, key_id="gone").endswith(UNKNOWN)


@pytest.mark.parametrize("status", [401, 403])
def test_an_inference_key_is_told_which_is_needed(
    api: respx.MockRouter, tool: Tool, status: int
) -> None:
    """A key that may not see the keys is an error that names the key that may."""
    api.get("/api_keys").respond(status, json={"error": "Not authorized"})

    assert "ADMIN key" in refusal(tool)


def test_lists_keys_of_the_local_venice(local_tool: Tool, venice: LocalVenice) -> None:
    """Over a real connection, the key in use is found, then shown by its id, and never in whole."""
    said = local_tool(query=venice.key[-6:], with_limit_hits=True)
    found = json.loads(said)["keys"][0]
    reply = json.loads(local_tool(key_id=found["id"]))["keys"][0]

    assert ("ADMIN", venice.key[-6:]) == (found["key_type"], found["last_six"])
    assert found["description"] == reply["description"]
    assert "created" in reply
    assert json.loads(said)["limit_hits"]
    assert venice.key not in said


def test_an_unknown_id_at_the_local_venice(local_tool: Tool) -> None:
    """Over a real connection, an id that is none is an error of one line."""
    told = refusal(local_tool, key_id="no-such-key")

    assert "API key not found" in told
    assert told.endswith(UNKNOWN)


def test_tells_where_a_key_works(api: respx.MockRouter, tool: Tool) -> None:
    """The first networks to which a key is bound stand in its row; a key that is bound to none has no such field."""
    networks = [f"8.8.{place}.8/32" for place in range(9)]
    listed = [key("1", ipAllowlist=networks), key("2", ipAllowlist=[])]
    api.get("/api_keys").respond(json={"object": "list", "data": listed})

    bound, free = json.loads(tool())["keys"]
    assert (networks[:5], None) == (bound["ip_allowlist"], free.get("ip_allowlist"))
