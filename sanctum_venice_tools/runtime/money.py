"""Money: the most that the operator lets one call cost."""

import os
import re

from sanctum_venice_tools.runtime.venice import VeniceError


def _check_price(usd: float) -> None:
    """Refuse what costs more than the operator allows (VENICE_MAX_USD); without that setting, nothing is too dear."""
    limit = os.environ.get("VENICE_MAX_USD", "").strip()
    if limit and not re.fullmatch(r"\d{1,6}(\.\d+)?", limit):
        raise VeniceError("VENICE_MAX_USD is no number of dollars. Ask the operator to correct it; nothing was spent.")
    if limit and usd > float(limit):
        price = f"This costs {usd:g} USD, and the operator allows {float(limit):g} a call (VENICE_MAX_USD)"
        raise VeniceError(f"{price}. Nothing was spent: choose something shorter or cheaper, or ask the operator.")
