"""Look at the account behind the key."""

import difflib
from typing import Any

from sanctum_venice_tools.runtime.account import _LIMITS, _account_pages
from sanctum_venice_tools.runtime.arguments import _read_as_meant
from sanctum_venice_tools.runtime.replies import _object_of
from sanctum_venice_tools.runtime.venice import VeniceError, _answer, _given

TOOLSET = "account"
COST = "free"

# The currencies in which Venice charges, and the names under which it tells what is left of them.
_BALANCES = {
    "USD": "usd",
    "DIEM": "diem",
    "EARNED_CREDITS": "earnedCredits",
    "BUNDLED_CREDITS": "bundledCredits",
}


def _limits_of(model: str, listed: list[dict[str, Any]]) -> dict[str, Any]:
    """How often one model may be asked."""
    by_model = {one["apiModelId"]: one["rateLimits"] for one in listed if one.get("apiModelId")}
    if model not in by_model:
        near = difflib.get_close_matches(model[:80], by_model, n=5, cutoff=0.0)
        names = ", ".join(repr(name) for name in near) or "none"
        unknown = f"There are no limits for {model!r:.80}"
        raise VeniceError(f"{unknown}. Use a model's id; the nearest: {names}.")

    limits: dict[str, Any] = {"model": model}
    for limit in by_model[model]:
        name = _LIMITS.get(limit["type"], limit["type"])
        limits[name] = limit["amount"]
    return limits


def _read_balances(billing: dict[str, Any], access: dict[str, Any]) -> dict[str, Any]:
    """What is left, by currency: what the account has, else what its limits leave to this key."""
    left_to_key = _object_of(access.get("balances"))
    amounts = _object_of(billing.get("balances"))  # null is what is used up, or was never there
    of_account = {currency: amounts.get(name) for currency, name in _BALANCES.items()}
    return {**left_to_key, **_given(**of_account)}


@_read_as_meant
def venice_check_account(*, model: str = "") -> str:
    """See how much money Venice has left, what is spent first, and whether this key may be used at all.

    Use it when a tool was refused for money or limits, or before dear work. Free. An ADMIN key sees
    all of it, another key no earned credits. What was spent: venice_report_usage.

    Args:
        model: A model's id, to see how many requests and tokens a minute it allows.

    Returns:
        JSON: can_spend, access_permitted (it counts all, limits of this key too), spends (USD,
            DIEM, EARNED_CREDITS, BUNDLED_CREDITS), balance_usd, balance_diem, earned_credits and
            bundled_credits (in US dollars), diem_per_day, tier, key_expires, day_resets (when the
            day's DIEM and limits begin anew), limits, notes (what could not be seen).
    """
    pages, notes = _account_pages("/billing/balance", "/api_keys/rate_limits")
    billing, answer = pages
    if model and not answer:
        raise VeniceError(notes[0])
    access = answer.get("data") or {}
    held = _read_balances(billing, access)
    tier = access.get("apiTier") or {}
    expires = ""
    if access:
        expires = access.get("keyExpiration") or "never"
    limits = {}
    if model:
        limits = _limits_of(model, access.get("rateLimits") or [])

    if not billing:
        notes.append("Earned credits are told to an ADMIN key only; access_permitted counts them.")
    if billing.get("canConsume") is False:
        notes.append("Paid calls will be refused: ask the operator to add credit at venice.ai.")
    if access.get("accessPermitted") is False:
        notes.append("This key may not be used for paid calls: ask the operator.")
    return _answer(
        can_spend=billing.get("canConsume"),
        access_permitted=access.get("accessPermitted"),
        spends=billing.get("consumptionCurrency"),
        balance_usd=held.get("USD"),
        balance_diem=held.get("DIEM"),
        earned_credits=held.get("EARNED_CREDITS"),
        bundled_credits=held.get("BUNDLED_CREDITS") or None,
        diem_per_day=billing.get("diemEpochAllocation") or None,
        tier=tier.get("id"),
        key_expires=expires,
        day_resets=access.get("nextEpochBegins"),
        limits=limits,
        notes=notes,
    )
