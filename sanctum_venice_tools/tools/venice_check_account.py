"""Look at the account behind the key."""

import difflib
from typing import Any

from sanctum_venice_tools.runtime.account import _LIMITS, _account_pages
from sanctum_venice_tools.runtime.arguments import _read_as_meant
from sanctum_venice_tools.runtime.venice import VeniceError, _answer, _given

TOOLSET = "account"
COST = "free"


def _limits_of(model: str, listed: list[dict[str, Any]]) -> dict[str, Any]:
    """How often one model may be asked."""
    limits = {one["apiModelId"]: one["rateLimits"] for one in listed if one.get("apiModelId")}
    if model not in limits:
        near = ", ".join(map(repr, difflib.get_close_matches(model[:80], limits, n=5, cutoff=0.0)))
        raise VeniceError(f"There are no limits for {model!r:.80}. Use a model's id; the nearest: {near or 'none'}.")
    return {"model": model} | {_LIMITS.get(one["type"], one["type"]): one["amount"] for one in limits[model]}


@_read_as_meant
def venice_check_account(*, model: str = "") -> str:
    """See how much money Venice has left, what is spent first, and whether this key may be used at all.

    Use it when a tool was refused for money or limits, or before dear work. Free. What was spent: venice_report_usage.

    Args:
        model: A model's id, to see how many requests and tokens a minute it allows.

    Returns:
        JSON: can_spend, access_permitted, spends (USD, DIEM, ...), balance_usd, balance_diem, diem_per_day, tier,
        key_expires, day_resets (when the day's DIEM and limits begin anew), limits, notes (what could not be seen).
    """
    (billing, answer), notes = _account_pages("/billing/balance", "/api_keys/rate_limits")
    if model and not answer:
        raise VeniceError(notes[0])
    access = answer.get("data") or {}
    held = {name.lower(): amount for name, amount in (access.get("balances") or {}).items()}
    held |= _given(**(billing.get("balances") or {}))
    if billing.get("canConsume") is False:
        notes.append("Paid calls will be refused: ask the operator to add credit at venice.ai.")
    if access.get("accessPermitted") is False:
        notes.append("This key may not be used for paid calls: ask the operator.")
    return _answer(
        can_spend=billing.get("canConsume"),
        access_permitted=access.get("accessPermitted"),
        spends=billing.get("consumptionCurrency"),
        balance_usd=held.get("usd"),
        balance_diem=held.get("diem"),
        diem_per_day=billing.get("diemEpochAllocation") or None,
        tier=(access.get("apiTier") or {}).get("id"),
        key_expires=access and (access.get("keyExpiration") or "never"),
        day_resets=access.get("nextEpochBegins"),
        limits=_limits_of(model, access.get("rateLimits") or []) if model else None,
        notes=notes,
    )
