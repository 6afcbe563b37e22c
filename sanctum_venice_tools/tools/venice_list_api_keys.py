"""List the account's API keys."""

import re
from typing import Any

from sanctum_venice_tools.runtime.account import _LIMITS, _account_page, _trim
from sanctum_venice_tools.runtime.arguments import _read_as_meant
from sanctum_venice_tools.runtime.replies import _list_of
from sanctum_venice_tools.runtime.venice import VeniceError, _answer, _given

TOOLSET = "account"
COST = "free"

_MOST_ADDRESSES = 5  # of a key that is bound to them
_MOST = 12  # keys, and kinds of limit hits, in one answer


def _describe(key: dict[str, Any], *, in_full: bool) -> dict[str, Any]:
    """What a person may know of a key; the secret itself is nowhere in it."""
    limits = _given(limit_usd=key["consumptionLimits"].get("usd"), limit_diem=key["consumptionLimits"].get("diem"))
    spent = (key.get("usage") or {}).get("trailingSevenDays") or {}
    more = {"created": key["createdAt"], "spent_this_period": key.get("currentPeriodUsage")}
    return _given(
        id=key["id"],
        description=key.get("description"),
        last_six=key["last6Chars"],
        key_type=key["apiKeyType"],
        **limits,
        limit_period=key["limitPeriod"] if limits else None,
        model_privacy=key["modelPrivacy"] if key["modelPrivacy"] != "ALL" else None,
        ip_allowlist=_list_of(key.get("ipAllowlist"))[:_MOST_ADDRESSES],
        last_used=key["lastUsedAt"] or "never",
        expires=key["expiresAt"],
        spent_7_days=_given(usd=spent.get("usd"), diem=spent.get("diem")),
        **(more if in_full else {}),
    )


def _sum_hits(log: list[dict[str, Any]], names: dict[str, str]) -> list[dict[str, Any]]:
    """How often each key hit which limit of a model, the latest first."""
    times: dict[tuple[str, str, str], list[str]] = {}
    for hit in log:
        times.setdefault((hit["apiKeyId"], hit["modelId"], hit["rateLimitType"]), []).append(hit["timestamp"])
    latest = sorted(times.items(), key=lambda group: max(group[1]), reverse=True)
    return [
        {
            "key": names.get(key) or key,
            "model": model,
            "limit": _LIMITS.get(kind, kind.lower()),
            "hits": len(found),
            "last": max(found),
        }
        for (key, model, kind), found in latest[:_MOST]
    ]


@_read_as_meant
def venice_list_api_keys(*, query: str = "", key_id: str = "", with_limit_hits: bool = False) -> str:
    """See the account's API keys: their descriptions, limits, last use and spending; or one of them in full.

    Free; it needs an ADMIN key. A key itself is never shown, only its last six characters.

    Args:
        query: Only keys with this in their description, id, type or last six characters.
        key_id: The id of one key, from an earlier answer, to see all about it; query is then not used.
        with_limit_hits: True to see which of these keys lately ran into limits, and with which models.

    Returns:
        JSON: keys, last used first (id, description, last_six, key_type, limit_usd, limit_period (EPOCH is a day),
        ip_allowlist (the first of the only networks from which it works), last_used, expires, spent_7_days);
        limit_hits (key, model, limit, hits, last); notes.
    """
    if key_id:
        # What is no id may be a key, or the way to another page: it must not get into an address, nor into an error.
        unknown = "There is no key of that id. Call without key_id to see the ids."
        is_id = re.fullmatch(r"[\w-]{1,40}", key_id, re.ASCII)
        found = [_trim(_account_page(f"/api_keys/{key_id}", unknown=unknown)["data"])] if is_id else []
        if not found or found[0].get("id") != key_id:
            raise VeniceError(unknown)
    else:
        listed, part = _trim(_account_page("/api_keys")["data"]), query.strip().lower()
        fields = ("description", "id", "apiKeyType", "last6Chars")
        found = [key for key in listed if any(part in (key.get(name) or "").lower() for name in fields)]
        found.sort(key=lambda key: key["lastUsedAt"] or "", reverse=True)
    notes = [] if found else ["No key fits: give a shorter query, or none."]
    if len(found) > _MOST:
        notes.append(f"{len(found) - _MOST} more keys: give a part of a description, or last characters, as query.")
    hits = []
    if with_limit_hits:
        names = {key["id"]: key.get("description") or "" for key in found}
        log = _trim(_account_page("/api_keys/rate_limits/log")["data"])
        hits = _sum_hits([hit for hit in log if hit["apiKeyId"] in names or not (query or key_id)], names)
        notes += [] if hits else ["None of the last 50 limit hits is theirs."]
    return _answer(keys=[_describe(key, in_full=bool(key_id)) for key in found[:_MOST]], limit_hits=hits, notes=notes)
