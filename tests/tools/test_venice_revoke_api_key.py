import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest
import respx

from sanctum_venice_tools.emulator.facts import operations
from sanctum_venice_tools.emulator.process import LocalVenice
from tests.tools.conftest import KEY, refusal
from tests.tools.made_keys import ID, SECRET, whole_error

Tool = Callable[..., str]


def make_key(
    venice: LocalVenice, description: str = "For the fox bot", kind: str = "INFERENCE"
) -> dict[str, Any]:
    """A new key of the local Venice."""
    body = {"apiKeyType": kind, "description": description}
    headers = {"Authorization": f"Bearer {venice.key}"}
    made: dict[str, Any] = httpx.post(
        f"{venice.base_url}/api_keys", json=body, headers=headers
    ).json()["data"]
    return made


def CALL(venice: LocalVenice) -> dict[str, Any]:  # noqa: N802 - the name that every tool's tests give it
    """The revoking of a key that the local Venice has just made."""
    made = make_key(venice)
    return {"key_id": made["id"], "description": made["description"]}


def known_key(**more: Any) -> dict[str, Any]:
    """What Venice tells of a key, as its document has it; a description is not required."""
    reply = {
        "data": {
            "apiKeyType": "INFERENCE",
            "consumptionLimits": {"usd": 50, "diem": 10, "vcu": None},
            "limitPeriod": "EPOCH",
            "modelPrivacy": "ALL",
            "createdAt": "2026-10-01T12:00:00Z",
            "expiresAt": None,
            "id": ID,
            "last6Chars": "2V2jNW",
            "lastUsedAt": None,
            **more,
        }
    }
    assert [] == operations()["/api_keys/{id}", "get"].responses["200"]["application/json"].issues(
        reply
    )
    return reply


@pytest.fixture
def revoke(api: respx.MockRouter, tool: Tool) -> Callable[..., Any]:
    """Revoke a key, while Venice knows this one; the tool's reply."""

    def run(**more: Any) -> Any:
        asked = {name: more.pop(name) for name in ("key_id", "description") if name in more}
        named = {"description": more.pop("name")} if "name" in more else {}
        api.get(f"/api_keys/{ID}").respond(json=known_key(**named, **more))
        api.delete("/api_keys").respond(json={"success": True})
        return json.loads(tool(**{"key_id": ID, "description": "For the fox bot", **asked}))

    return run


def methods(api: respx.MockRouter) -> list[str]:
    """The methods of the requests that were made."""
    return [call.request.method for call in api.calls]


def test_looks_first_and_then_revokes(revoke: Callable[..., Any], api: respx.MockRouter) -> None:
    """The key of that id and description is revoked, and told by its last characters."""
    reply = revoke(name="For the fox bot")

    assert {"revoked": ID, "description": "For the fox bot", "last_six": "2V2jNW"} == reply
    assert ["GET", "DELETE"] == methods(api)
    assert {"id": ID} == dict(api.calls.last.request.url.params)


@pytest.mark.parametrize(
    "description", ["for the fox bot", "For the fox", "For the fox bot!", "", "*"]
)
def test_another_description_revokes_nothing(
    revoke: Callable[..., Any], api: respx.MockRouter, description: str
) -> None:
    """An id with a description that is not its own is refused, and the right one is not given away."""
    message = refusal(revoke, name="For the fox bot", description=description)

    assert (
        "The key of that id has another description, so it was not revoked. Compare both in venice_list_api_keys, and "
        "ask the person which key is meant."
    ) == message
    assert ["GET"] == methods(api)


def test_spaces_around_a_description_are_nothing(revoke: Callable[..., Any]) -> None:
    """Only what can be seen of a description has to be right."""
    assert ID == revoke(name=" fox  bot", description="fox  bot\n")["revoked"]


@pytest.mark.parametrize("named", [{}, {"name": ""}], ids=["none", "empty"])
def test_a_key_without_a_description_can_go(
    revoke: Callable[..., Any], api: respx.MockRouter, named: dict[str, str]
) -> None:
    """Venice need not tell a description; then it is confirmed by an empty one, and by no other."""
    assert "another description" in refusal(revoke, description="x", **named)
    assert {"revoked": ID, "last_six": "2V2jNW"} == revoke(description="", **named)
    assert ["GET", "GET", "DELETE"] == methods(api)


def test_its_own_key_stays(revoke: Callable[..., Any], api: respx.MockRouter) -> None:
    """The key that the tools run with is not revoked, even under its right name."""
    message = refusal(revoke, name="mine", description="mine", last6Chars=KEY[-6:])

    assert (
        "The Venice tools run with this key, so they cannot revoke it. The person can, at venice.ai."
        == message
    )
    assert ["GET"] == methods(api)


@pytest.mark.parametrize(
    "key_id",
    ["", " ", ".", "..", "rate_limits", "generate_web3_key", "a/b", "a?b", "ä", SECRET, "x" * 41],
)
def test_what_is_no_id_is_not_sent(
    revoke: Callable[..., Any], api: respx.MockRouter, key_id: str
) -> None:
    """Neither a path nor a key gets into an address, and the error does not repeat it."""
    assert "That is not the id of a key. Look at venice_list_api_keys." == refusal(
        revoke, key_id=key_id
    )
    assert 0 == len(api.calls)


@pytest.mark.parametrize("status", [400, 404])
def test_an_unknown_id_says_what_to_do(tool: Tool, api: respx.MockRouter, status: int) -> None:
    """Venice's refusal comes back in one line, and leads to the list."""
    api.get(f"/api_keys/{ID}").respond(status, json={"error": "API key not found"})

    assert refusal(tool, key_id=ID, description="x").endswith(
        f"Venice answered {status}: API key not found. "
        "There is no key of that id. venice_list_api_keys without key_id shows the ids."
    )
    assert ["GET"] == methods(api)


def test_no_success_is_no_success(tool: Tool, api: respx.MockRouter) -> None:
    """A reply that says that nothing was done is an error."""
    api.get(f"/api_keys/{ID}").respond(json=known_key(description="x"))
    api.delete("/api_keys").respond(json={"success": False})

    assert "Venice did not revoke the key" in refusal(tool, key_id=ID, description="x")


@pytest.mark.parametrize(
    "reply",
    ["{}", "null", "[]", '{"data": null}', '{"data": {"last6Chars": 7, "description": "x"}}'],
)
def test_what_venice_does_not_tell_is_not_revoked(
    tool: Tool, api: respx.MockRouter, reply: str
) -> None:
    """Without a sign which key it is, it could be the tools' own."""
    api.get(f"/api_keys/{ID}").respond(content=reply, headers={"content-type": "application/json"})

    assert "Venice does not tell which key that is, so it was not revoked." in refusal(
        tool, key_id=ID, description=""
    )
    assert 1 == len(api.calls)


@pytest.mark.parametrize("reply", ["null", "[]", '"yes"', '{"success": "yes"}', '{"success": 1}'])
def test_only_a_plain_success_is_one(tool: Tool, api: respx.MockRouter, reply: str) -> None:
    """What is not Venice's own "success" counts as none."""
    api.get(f"/api_keys/{ID}").respond(json=known_key(description="x"))
    api.delete("/api_keys").respond(content=reply, headers={"content-type": "application/json"})

    assert "Venice did not revoke the key" in refusal(tool, key_id=ID, description="x")


@pytest.mark.parametrize("failure", [httpx.ReadTimeout, httpx.ReadError])
def test_a_lost_reply_says_where_to_look(
    tool: Tool, api: respx.MockRouter, failure: type[Exception]
) -> None:
    """When nobody knows whether the key is gone, the error says so; nothing is sent twice."""
    api.get(f"/api_keys/{ID}").respond(json=known_key(description="x"))
    route = api.delete("/api_keys").mock(side_effect=failure)

    assert refusal(tool, key_id=ID, description="x").endswith(
        "; it may have been revoked. Look at venice_list_api_keys."
    )
    assert 1 == route.call_count


def test_errors_hold_no_key(tool: Tool, api: respx.MockRouter) -> None:
    """A key in Venice's own reason is hidden."""
    api.get(f"/api_keys/{ID}").respond(json=known_key(description="x"))
    api.delete("/api_keys").respond(500, json={"error": f"{SECRET} is stuck"})
    told = whole_error(tool, key_id=ID, description="x")

    assert "VeniceError: Venice answered 500: [hidden] is stuck; it may have been revoked." in told
    assert SECRET not in told


def can_use(venice: LocalVenice, secret: str) -> bool:
    """Whether the local Venice takes a key."""
    reply = httpx.get(
        f"{venice.base_url}/api_keys/rate_limits", headers={"Authorization": f"Bearer {secret}"}
    )
    return reply.is_success


def test_the_local_venices_key_is_gone(local_tool: Tool, venice: LocalVenice) -> None:
    """Over a real connection, a key works until it is revoked, and others still do."""
    made, other = make_key(venice), make_key(venice)
    assert can_use(venice, made["apiKey"])
    reply = json.loads(local_tool(key_id=made["id"], description=made["description"]))

    assert {
        "revoked": made["id"],
        "description": "For the fox bot",
        "last_six": made["apiKey"][-6:],
    } == reply
    assert not can_use(venice, made["apiKey"])
    assert can_use(venice, other["apiKey"])
    assert "API key not found" in refusal(
        local_tool, key_id=made["id"], description=made["description"]
    )


def test_a_local_admin_key_does_not_revoke_itself(
    local_tool: Tool, venice: LocalVenice, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A key that may revoke, and is named rightly, still stays when it is the tools' own."""
    made = make_key(venice, "admin", "ADMIN")
    monkeypatch.setenv("VENICE_API_KEY", f" {made['apiKey']}\n")

    assert "run with this key" in refusal(local_tool, key_id=made["id"], description="admin")
    assert can_use(venice, made["apiKey"])


def test_a_local_inference_key_may_not_look(
    local_tool: Tool, venice: LocalVenice, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a key that may not manage keys, the error says what the operator needs."""
    made = make_key(venice)
    monkeypatch.setenv("VENICE_API_KEY", made["apiKey"])

    assert "Ask the operator whether VENICE_API_KEY is an ADMIN key" in refusal(
        local_tool, key_id=made["id"], description=made["description"]
    )
    assert can_use(venice, made["apiKey"])
