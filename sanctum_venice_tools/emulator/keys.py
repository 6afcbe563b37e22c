"""API keys: list, make, change and revoke them; GET and POST /api_keys/generate_web3_key."""

import ipaddress
import re
import secrets
from datetime import UTC, datetime, timedelta
from typing import Any

from starlette.responses import JSONResponse, Response

from sanctum_venice_tools.emulator.account import now, period_start, stamp
from sanctum_venice_tools.emulator.errors import custom, standard
from sanctum_venice_tools.emulator.service import Call, Key

ADDRESS = re.compile(r"0x[0-9a-fA-F]{40}")
SIGNATURE = re.compile(r"0x[0-9a-fA-F]{130}")


def _limits(key: Key) -> dict[str, Any]:
    """A key's limits, under all three of Venice's currencies."""
    return {name: key.limits.get(name) for name in ("usd", "diem", "vcu")}


def _shown(call: Call, key: Key, *, usage: bool) -> dict[str, Any]:
    """A key as Venice lists it: never the secret itself."""
    shown = {
        "id": key.id,
        "apiKeyType": key.kind,
        "description": key.description,
        "last6Chars": key.secret[-6:],
        "createdAt": stamp(key.created),
        "lastUsedAt": stamp(key.used) if key.used else None,
        "expiresAt": stamp(key.expires) if key.expires else None,
        "consumptionLimits": _limits(key),
        "limitPeriod": key.period,
        "modelPrivacy": key.privacy,
        "ipAllowlist": key.addresses,
    }
    if usage:
        account = call.service.account
        week = account.spent(key.id, now() - timedelta(7))
        shown["usage"] = {"trailingSevenDays": {"usd": f"{week:.6f}", "vcu": "0", "diem": "0"}}
        if any(limit is not None for limit in key.limits.values()):
            period = account.spent(key.id, period_start(key.period))
            shown["currentPeriodUsage"] = {"usd": f"{period:.6f}", "diem": "0"}
    return shown


def _find(call: Call, identifier: str) -> Key:
    """The key of an id."""
    for key in call.service.keys.values():
        if key.id == identifier:
            return key
    raise custom("id", "API key not found")


async def list_keys(call: Call) -> Response:
    """GET /api_keys."""
    keys = [_shown(call, key, usage=True) for key in call.service.keys.values()]
    return JSONResponse({"object": "list", "data": keys})


async def get_key(call: Call) -> Response:
    """GET /api_keys/{id}."""
    return JSONResponse({"data": _shown(call, _find(call, call.path["id"]), usage=True)})


async def create_key(call: Call) -> Response:
    """POST /api_keys."""
    return JSONResponse({"success": True, "data": _create(call, call.body)})


async def change_key(call: Call) -> Response:
    """PATCH /api_keys."""
    key = _find(call, call.body["id"])
    _set(key, call.body)
    return JSONResponse({"success": True, "data": _shown(call, key, usage=False)})


async def revoke_key(call: Call) -> Response:
    """DELETE /api_keys."""
    if "id" not in call.query:
        raise custom("id", "Required")
    key = _find(call, call.query["id"])
    if key.secret == call.service.settings.key:
        raise custom("id", "The local Venice does not revoke the key that it was started with")
    del call.service.keys[key.secret]
    return JSONResponse({"success": True})


async def list_limit_hits(call: Call) -> Response:
    """GET /api_keys/rate_limits/log: the hits that faults made, and one from before."""
    first = next(iter(call.service.keys.values()))
    earlier = {
        "apiKeyId": first.id,
        "modelId": "zai-org-glm-5-2",
        "rateLimitTier": "paid",
        "rateLimitType": "RPM",
        "timestamp": stamp(first.created - timedelta(hours=3)),
    }
    return JSONResponse({"object": "list", "data": [earlier]})


def _create(call: Call, wish: dict[str, Any]) -> dict[str, Any]:
    """A new key, and the only sight of its secret."""
    secret = f"VENICE_{wish['apiKeyType']}_KEY_{secrets.token_urlsafe(32)}"
    key = Key(secret, wish["apiKeyType"], "Web3 API Key")
    _set(key, wish)
    call.service.keys[secret] = key
    return {
        "id": key.id,
        "apiKey": secret,
        "apiKeyType": key.kind,
        "description": key.description,
        "expiresAt": stamp(key.expires) if key.expires else None,
        "consumptionLimit": _limits(key),
        "limitPeriod": key.period,
        "modelPrivacy": key.privacy,
        "ipAllowlist": key.addresses,
    }


def _set(key: Key, wish: dict[str, Any]) -> None:
    """Give a key what a request says of it."""
    if "expiresAt" in wish:
        key.expires = _moment(wish["expiresAt"])
    key.description = wish.get("description", key.description)
    key.limits = wish.get("consumptionLimit", key.limits)
    key.period = wish.get("limitPeriod", key.period)
    key.privacy = wish.get("modelPrivacy", key.privacy)
    if "ipAllowlist" in wish:
        key.addresses = [_network(text) for text in wish["ipAllowlist"]]


def _network(text: str) -> str:
    """An address or a network of addresses as CIDR, if the whole internet reaches it."""
    try:
        network = ipaddress.ip_network(text)
    except ValueError:
        raise custom("ipAllowlist", f"Invalid IP address or CIDR subnet: {text}") from None
    if not network.is_global:
        raise custom("ipAllowlist", f"IP address is not globally reachable: {text}")
    return str(network)


def _moment(text: str | None) -> datetime | None:
    """A day or moment, or None where an empty text takes it away."""
    if not text:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise custom("expiresAt", "Invalid date") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


async def offer_token(call: Call) -> Response:
    """GET /api_keys/generate_web3_key."""
    return JSONResponse({"success": True, "data": {"token": call.service.tokens.give()}})


async def create_web3_key(call: Call) -> Response:
    """POST /api_keys/generate_web3_key; a signature's form is checked, not whose it is."""
    body = call.body
    for name, form in (("address", ADDRESS), ("signature", SIGNATURE)):
        if not form.fullmatch(body[name]):
            raise standard(400, f"Invalid {name}")
    if not call.service.tokens.take(body["token"]):
        raise standard(401, "Invalid or expired token")
    return JSONResponse({"success": True, "data": _create(call, body)})
