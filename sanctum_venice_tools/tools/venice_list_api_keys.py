"""List the account's API keys."""

import re
from dataclasses import dataclass
from typing import Any

from sanctum_venice_tools.runtime.account import _LIMITS, _account_page, _trim
from sanctum_venice_tools.runtime.arguments import _read_as_meant
from sanctum_venice_tools.runtime.keys import _IF_UNKNOWN, _UNKNOWN_KEY
from sanctum_venice_tools.runtime.replies import _list_of
from sanctum_venice_tools.runtime.venice import VeniceError, _answer, _given

TOOLSET = "account"
COST = "free"

_MOST_ADDRESSES = 5  # of a key that is bound to them
_MOST = 12  # keys, and kinds of limit hits, in one answer

_ID_OF_KEY = re.compile(r"[\w-]{1,40}", re.ASCII)


def _describe(key: dict[str, Any], *, in_full: bool) -> dict[str, Any]:
    """What a person may know of a key; the secret itself is nowhere in it."""
    consumption = key["consumptionLimits"]
    limits = _given(limit_usd=consumption.get("usd"), limit_diem=consumption.get("diem"))
    spent = (key.get("usage") or {}).get("trailingSevenDays") or {}
    networks = _list_of(key.get("ipAllowlist"))
    told = _given(
        id=key["id"],
        description=key.get("description"),
        last_six=key["last6Chars"],
        key_type=key["apiKeyType"],
        **limits,
        limit_period=key["limitPeriod"] if limits else None,
        model_privacy=key["modelPrivacy"] if key["modelPrivacy"] != "ALL" else None,
        ip_allowlist=networks[:_MOST_ADDRESSES],
        last_used=key["lastUsedAt"] or "never",
        expires=key["expiresAt"],
        spent_7_days=_given(usd=spent.get("usd"), diem=spent.get("diem")),
    )
    if in_full:
        told |= _given(created=key["createdAt"], spent_this_period=key.get("currentPeriodUsage"))
    return told


@dataclass(frozen=True)
class _Limit:
    """A limit of a model, as a key ran into it."""

    key_id: str
    model: str
    kind: str


def _sum_hits(log: list[dict[str, Any]], names: dict[str, str]) -> list[dict[str, Any]]:
    """How often each key hit which limit of a model, the latest first."""
    times: dict[_Limit, list[str]] = {}
    for hit in log:
        limit = _Limit(hit["apiKeyId"], hit["modelId"], hit["rateLimitType"])
        times.setdefault(limit, []).append(hit["timestamp"])

    summed: list[dict[str, Any]] = [
        {
            "key": names.get(limit.key_id) or limit.key_id,
            "model": limit.model,
            "limit": _LIMITS.get(limit.kind, limit.kind.lower()),
            "hits": len(found),
            "last": max(found),
        }
        for limit, found in times.items()
    ]
    summed.sort(key=lambda row: row["last"], reverse=True)
    return summed[:_MOST]


def _find_key(key_id: str) -> dict[str, Any]:
    """The key of an id."""
    # What is no id may be a key, or the way to another page: it must not get into an address, nor
    # into an error.
    if not _ID_OF_KEY.fullmatch(key_id):
        raise VeniceError(_UNKNOWN_KEY)
    page = _account_page(f"/api_keys/{key_id}", advice=_IF_UNKNOWN)
    found: dict[str, Any] = _trim(page["data"])
    if found.get("id") != key_id:
        raise VeniceError(_UNKNOWN_KEY)
    return found


def _search_keys(query: str) -> list[dict[str, Any]]:
    """The keys that have a text in one of their fields, last used first."""
    part = query.strip().lower()
    listed = _trim(_account_page("/api_keys")["data"])
    found = [key for key in listed if _has_part(key, part)]
    return sorted(found, key=lambda key: key["lastUsedAt"] or "", reverse=True)


def _has_part(key: dict[str, Any], part: str) -> bool:
    """Whether one of a key's fields has a text in it."""
    fields = ("description", "id", "apiKeyType", "last6Chars")
    return any(part in (key.get(field) or "").lower() for field in fields)


@_read_as_meant
def venice_list_api_keys(
    *, query: str = "", key_id: str = "", with_limit_hits: bool = False
) -> str:
    """See the account's API keys: their descriptions, limits, last use and spending; or one of them in full.

    Free; it needs an ADMIN key. A key itself is never shown, only its last six characters.

    Args:
        query: Only keys with this in their description, id, type or last six characters.
        key_id: The id of one key, from an earlier answer, to see all about it; query is then not
            used.
        with_limit_hits: True to see which of these keys lately ran into limits, and with which
            models.

    Returns:
        JSON: keys, last used first (id, description, last_six, key_type, limit_usd, limit_period
            (EPOCH is a day), ip_allowlist (the first of the only networks from which it works),
            last_used, expires, spent_7_days); limit_hits (key, model, limit, hits, last); notes.
    """
    found = [_find_key(key_id)] if key_id else _search_keys(query)
    notes = []
    if not found:
        notes.append("No key fits: give a shorter query, or none.")
    more = len(found) - _MOST
    if more > 0:
        notes.append(
            f"{more} more keys: give a part of a description, or last characters, as query."
        )

    hits = []
    if with_limit_hits:
        names = {key["id"]: key.get("description") or "" for key in found}
        log = _trim(_account_page("/api_keys/rate_limits/log")["data"])
        is_of_all = not query and not key_id
        theirs = [hit for hit in log if is_of_all or hit["apiKeyId"] in names]
        hits = _sum_hits(theirs, names)
        if not hits:
            notes.append("None of the last 50 limit hits is theirs.")

    keys = [_describe(key, in_full=bool(key_id)) for key in found[:_MOST]]
    return _answer(keys=keys, limit_hits=hits, notes=notes)
