"""The account behind the key: pages that Venice may show to an ADMIN key only."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

from sanctum_venice_tools.runtime.keys import _NEEDS_ADMIN
from sanctum_venice_tools.runtime.venice import VeniceError, _call

# Kinds of limits, as Venice writes them.
_LIMITS = {"RPM": "requests_per_minute", "RPD": "requests_per_day", "TPM": "tokens_per_minute"}


def _account_page(path: str, *, advice: dict[int, str] | None = None, **content: Any) -> Any:
    """A page of the account, as the JSON that it is; `advice` by status goes before the usual."""
    usual = {**_NEEDS_ADMIN, 404: "Check the names.", 504: "Ask for fewer days."}
    page, _ = _call("GET", path, advice={**usual, **(advice or {})}, **content)
    return page


def _trim(node: Any) -> Any:
    """The same with each text cut to what names, ids and moments have at most."""
    if isinstance(node, dict):
        return {name[:80]: _trim(value) for name, value in node.items()}
    if isinstance(node, list):
        return [_trim(value) for value in node]
    if isinstance(node, str):
        return node[:80]
    return node


def _account_pages(*paths: str) -> tuple[list[dict[str, Any]], list[str]]:
    """Several pages, an empty one for each that is not to be had, and notes of why.

    It is an error when there is none at all.
    """
    pages: dict[str, Any] = {}
    faults: dict[str, str] = {}
    for path in paths:
        try:
            pages[path] = _trim(_account_page(path))
        except VeniceError as error:
            faults[path] = str(error)
    if not pages:
        raise VeniceError(faults[paths[0]])
    notes = [f"No {path}: {fault}" for path, fault in faults.items()]
    return [pages.get(path, {}) for path in paths], notes


def _period(days: int, start: str, end: str) -> tuple[date, date]:
    """The first and the last day of a period of at most 90 days, in UTC as Venice counts them."""
    try:
        today = datetime.now(UTC).date()
        last = today
        if end:
            last = min(date.fromisoformat(end), today)
        first = date.fromisoformat(start) if start else last - timedelta(days=days - 1)
    except (ValueError, OverflowError):
        raise VeniceError(
            "A date is none. Write dates as 2026-01-31, and days as a number."
        ) from None
    if not 0 <= (last - first).days < 90:
        period = f"The period from {first} to {last}"
        raise VeniceError(f"{period} must have 1 to 90 days. Give other dates, or other days.")
    return first, last
