"""Money: what Venice asks for, and the most that the operator lets one call cost."""

import os
import re
from typing import Any

from sanctum_venice_tools.runtime.replies import _number_of, _object_of
from sanctum_venice_tools.runtime.venice import VeniceError

# Approvals do not hold everywhere, so there is a limit also where the operator sets none.
_USUAL_LIMIT_USD = 5.0

# 12, 1.50
_AMOUNT = re.compile(r"[0-9]{1,6}(\.[0-9]+)?")


def _read_price(quote: Any) -> float:
    """The price in Venice's answer to a question for it, in USD."""
    quoted = _object_of(quote).get("quote")
    price = _number_of(quoted)
    if isinstance(quoted, str) and _AMOUNT.fullmatch(quoted):
        price = float(quoted)
    if price is None or price < 0:
        raise VeniceError(
            "Venice named no price, so nothing was bought. Try again once, then tell the person."
        )
    return price


def _limit_usd() -> float | None:
    """The most that one call may cost, in USD; None, if the operator wants no limit."""
    setting = os.environ.get("VENICE_MAX_USD", "").strip()
    if not setting:
        return _USUAL_LIMIT_USD
    if setting.lower() == "none":
        return None
    if not _AMOUNT.fullmatch(setting):
        fault = "VENICE_MAX_USD is no number of dollars"
        form = "It must be written as 1.50, with a point and no sign; or as none, for no limit"
        raise VeniceError(f"{fault}. {form}. Ask the operator; nothing was spent.")
    return float(setting)


def _check_price(usd: float, *, is_least: bool) -> None:
    """Refuse what costs more than the operator allows (VENICE_MAX_USD).

    Of a price that is only the least, twice as much must be allowed: else a person has to decide.
    """
    limit = _limit_usd()
    if limit is None:
        return
    if usd > limit:
        price = f"This costs {usd:g} USD, and the operator allows {limit:g} a call (VENICE_MAX_USD)"
        ways = "choose something shorter or cheaper, or ask the operator"
        raise VeniceError(f"{price}. Nothing was spent: {ways}.")
    if is_least and usd > limit / 2:
        price = f"This costs {usd:g} USD or more, for reference videos may be longer than you said"
        limits = f"That is above half of the {limit:g} USD that are allowed a call (VENICE_MAX_USD)"
        ways = "to store the videos as MP4 files, which are measured, or to raise that limit"
        raise VeniceError(f"{price}. {limits}, so nothing was spent: ask the person {ways}.")
