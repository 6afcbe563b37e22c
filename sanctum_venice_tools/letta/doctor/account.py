"""Checks of Venice, and of the account behind the key."""

import json
from datetime import UTC, datetime, timedelta

from sanctum_venice_tools.letta.doctor.outcome import Outcome, Skip, failure, ok, warning
from sanctum_venice_tools.letta.doctor.patient import Patient
from sanctum_venice_tools.letta.header import fits_header
from sanctum_venice_tools.letta.venice import Venice, normal_url
from sanctum_venice_tools.letta.venice_replies import Balance, read

_LOW_USD = 1.0
_SOON = timedelta(days=7)

# Balances that the bill names otherwise than a key's own page.
_NAMES = {"bundledCredits": "BUNDLED_CREDITS", "earnedCredits": "EARNED_CREDITS"}

_KEYS_PAGE = "https://venice.ai/settings/api"


def check_address(patient: Patient) -> Outcome:
    """Whether Venice answers at the address that the tools will use."""
    given = patient.settings.get("VENICE_BASE_URL", "")
    try:
        base_url = normal_url(given)
    except ValueError as error:
        return failure(str(error), "Correct VENICE_BASE_URL, or unset it for Venice's own.")

    key = patient.settings.get("VENICE_API_KEY", "")
    # A key that can't be sent is told of by its own check; the models need none.
    venice = Venice(base_url, key if fits_header(key) else "")
    count = len(venice.models("text"))
    patient.venice = venice
    # The tools take the setting as it is: what could be mended here is a failure there.
    if given.rstrip("/") not in ("", base_url):
        return failure(
            f"{base_url} answers, but VENICE_BASE_URL is {given}",
            f"Set VENICE_BASE_URL to {base_url}.",
        )
    return ok(f"{base_url} answers, with {count} text models")


def check_key(patient: Patient) -> Outcome:
    """Whether Venice accepts the key, and for how long."""
    key = patient.settings.get("VENICE_API_KEY", "")
    if not key:
        return failure("VENICE_API_KEY is not set", f"Make one at {_KEYS_PAGE}, and set it.")
    if not fits_header(key) or " " in key:
        return failure(
            "VENICE_API_KEY holds characters that no key has",
            "Copy it anew from where it was made.",
        )

    patient.verdict = verdict = patient.need_venice().try_key()
    if verdict.state == "wrong":
        return failure(
            verdict.told, f"Make a new one at {_KEYS_PAGE}, and set VENICE_API_KEY to it."
        )
    if verdict.state == "unclear":
        return warning(f"whether it is good stays open: {verdict.told}", "Try again later.")
    if verdict.account.accessPermitted is False:
        return failure(
            "Venice knows it, but permits no access", f"Look at your plan at {_KEYS_PAGE}."
        )

    ends = verdict.account.keyExpiration
    if ends and _is_soon(ends):
        day = ends.partition("T")[0]
        return warning(f"Venice accepts it until {day}", "Make a new one in time.")
    return ok(verdict.told)


def check_balance(patient: Patient) -> Outcome:
    """Whether there is credit."""
    amounts = _amounts(patient)
    in_all = sum(amounts.values())
    advice = f"Add some at {_KEYS_PAGE}."
    if in_all <= 0:
        earned = _earned_credits(patient.need_venice())
        if earned:
            return ok(f"{earned:.2f} USD of earned credits")
        return failure("there is no credit", advice)

    told = ", ".join(f"{amount:.2f} {name}" for name, amount in amounts.items())
    in_dollars = sum(amount for name, amount in amounts.items() if name != "DIEM")
    if in_dollars < _LOW_USD and amounts.get("DIEM", 0) <= 0:
        return warning(f"{told} is left", advice)
    return ok(told)


def check_agent_model(patient: Patient) -> Outcome:
    """Whether Venice has a model that an agent can think with."""
    fit = patient.need_venice().chat_models()
    if not fit:
        return failure("no model of this Venice can drive an agent", "Check VENICE_BASE_URL.")
    best = fit[0]
    seeing = sum(model.sees for model in fit)
    first = f"{best.id} ({best.window:,} tokens)"
    told = f"{len(fit)} can drive an agent, {seeing} of them see pictures; first {first}"
    if best.note:
        return warning(f"{told}, but {best.note}", "Choose another with --model.")
    if not seeing:
        return warning(told, "Do not attach pictures: they end a conversation.")
    return ok(told)


def _is_soon(moment: str) -> bool:
    """Whether a moment is over, or will be within a few days."""
    return datetime.fromisoformat(moment).astimezone(UTC) < datetime.now(UTC) + _SOON


def _amounts(patient: Patient) -> dict[str, float]:
    """What the account has, by currency."""
    patient.need_key()
    balances = patient.verdict.account.balances if patient.verdict else None
    if not balances:
        balances = _ask_for_balances(patient.need_venice())
    return {
        _NAMES.get(name, name.upper()): amount
        for name, amount in balances.items()
        if amount is not None
    }


def _earned_credits(venice: Venice) -> float:
    """What is left of earned credits, which a key's own page leaves out.

    It is 0 also where that is not to be seen.
    """
    try:
        balances = _ask_for_balances(venice)
    except Skip:
        return 0
    return balances.get("earnedCredits") or 0


def _ask_for_balances(venice: Venice) -> dict[str, float | None]:
    """The balances, from the page that only some keys may see."""
    reply = venice.ask("/billing/balance")
    if not reply.is_success:
        raise Skip(f"only an ADMIN key may ask for it ({reply.status_code})")
    try:
        balance: Balance = read(Balance, json.loads(reply.content), where="reply")
    except ValueError as error:
        raise Skip(f"its page is none of Venice's ({error})") from None
    return balance.balances or {}
