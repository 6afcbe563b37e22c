"""Make an API key."""

from typing import Literal

from sanctum_venice_tools.runtime.arguments import _read_as_meant
from sanctum_venice_tools.runtime.keys import _NEEDS_ADMIN, _key_settings, _make_key

TOOLSET = "admin"
COST = "account"


@_read_as_meant
def venice_create_api_key(
    *,
    description: str,
    key_type: Literal["INFERENCE", "ADMIN"] = "INFERENCE",
    limit_usd: float | None = None,
    limit_period: Literal["EPOCH", "MONTH", "LIFETIME"] = "LIFETIME",
    model_privacy: Literal["ALL", "PRIVATE_TEXT", "PRIVATE_ONLY"] = "ALL",
    ip_allowlist: list[str] | None = None,
    expires: str = "",
) -> str:
    """Make a new API key for the person's Venice account; use it only when they asked for one.

    The key goes into a private file, never into this conversation. Free; what the key is used for
    costs.

    Args:
        description: What the key is for, 1 to 64 characters: the name that venice_list_api_keys
            shows.
        key_type: "ADMIN" only for a key that must manage keys or see bills.
        limit_usd: The most that it may spend, in US dollars (and as much in DIEM), 0.01 or more;
            none when left out.
        limit_period: When the limit starts anew: "EPOCH" each day (UTC), "MONTH" each month,
            "LIFETIME" never.
        model_privacy: "PRIVATE_TEXT" allows only private models for text, "PRIVATE_ONLY" only
            private ones at all.
        ip_allowlist: Only from these public addresses or networks may it be used, such as
            "203.0.114.0/24"; at most 100. Give only addresses that the person named: from any other
            the key is refused.
        expires: The day on which it ends, "YYYY-MM-DD", after today; empty for never.

    Returns:
        JSON: file (its path), id, last_six, key_type, limit_usd, limit_period, model_privacy,
            ip_allowlist, expires, notes, next.
    """
    settings = _key_settings(
        description=description,
        key_type=key_type,
        limit_usd=limit_usd,
        limit_period=limit_period,
        model_privacy=model_privacy,
        ip_allowlist=ip_allowlist,
        expires=expires,
    )
    unsure = "Look for it with venice_list_api_keys, and revoke it with venice_revoke_api_key."
    return _make_key("/api_keys", settings, advice=_NEEDS_ADMIN, unsure=unsure)
