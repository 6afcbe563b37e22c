"""Report what was spent."""

import re
from collections.abc import Iterable
from datetime import date, datetime, timedelta
from typing import Any

from sanctum_venice_tools.runtime.account import _account_page, _period, _trim
from sanctum_venice_tools.runtime.arguments import _read_as_meant
from sanctum_venice_tools.runtime.replies import _objects_in
from sanctum_venice_tools.runtime.venice import VeniceError, _answer, _given

TOOLSET = "account"
COST = "free"

_MOST = 8  # models and keys that are told one by one
_MOST_OF_DAY = 3  # models of the dearest day
_MOST_ENTRIES = 20  # single charges

_CURSOR = re.compile("[A-Za-z0-9_-]{1,512}")


def _sum(rows: list[dict[str, Any]], **names: Any) -> dict[str, Any]:
    """What several rows cost together."""
    usd = _total(row["totalUsd"] for row in rows)
    diem = _total(row["totalDiem"] for row in rows)
    return _given(**names, usd=usd, diem=diem or None)


def _total(amounts: Iterable[float]) -> float:
    """Amounts of money together, to the millionth."""
    return round(sum(amounts), 6)


def _dearest(rows: list[dict[str, Any]], name: str, **more: str) -> list[dict[str, Any]]:
    """The dearest rows, each with the field that is its `name` and `more` of its fields.

    The others come as one row.
    """
    ranked = sorted(rows, key=_cost_of, reverse=True)
    told = []
    for row in ranked[:_MOST]:
        fields = {key: row[field] for key, field in more.items()}
        told.append(_sum([row], name=row[name][:40], **fields))

    others = ranked[_MOST:]
    if others:
        told.append(_sum(others, name=f"{len(others)} others"))
    return told


def _cost_of(row: dict[str, Any]) -> float:
    """What a row cost; a DIEM counts as a dollar."""
    cost: float = row["totalUsd"] + row["totalDiem"]
    return cost


def _dearest_day(usd: dict[str, float], told: dict[str, Any]) -> dict[str, Any]:
    """The day that cost most in USD, and on which models; nothing, where no day stands out."""
    if len(usd) < 2:
        return {}
    day = max(usd, key=lambda one: usd[one])
    midnight = datetime.fromisoformat(f"{day}T00:00:00+00:00")
    costs = _costs_at(midnight, told)
    dearest = sorted(costs, key=lambda name: -costs[name])[:_MOST_OF_DAY]
    models = {}
    for name in dearest:
        if costs[name]:
            models[name[:40]] = round(costs[name], 6)
    return _given(date=day, usd=usd[day], models=models)


def _costs_at(midnight: datetime, told: dict[str, Any]) -> dict[str, Any]:
    """What each model cost on the day that begins then, in USD."""
    milliseconds = midnight.timestamp() * 1000
    for row in _objects_in(told.get("byModelDailyUsd")):
        if row.get("date") == milliseconds:
            return {name: usd for name, usd in row.items() if name != "date"}
    return {}


def _show(entry: dict[str, Any]) -> dict[str, Any]:
    """One charge; Venice writes what was spent as a negative amount."""
    details = entry["inferenceDetails"] or {}
    currency = entry["currency"].lower()
    is_usual = entry["notes"] == "API Inference"
    return _given(
        time=entry["timestamp"][:19] + "Z",
        sku=entry["sku"],
        units=entry["units"],
        **{currency: 0 - entry["amount"]},
        key_id=entry.get("apiKeyId"),
        prompt_tokens=details.get("promptTokens"),
        completion_tokens=details.get("completionTokens"),
        note=None if is_usual else entry["notes"],
    )


def _list_entries(asked: dict[str, Any]) -> str:
    """A page of single charges."""
    # Without this header it could be a table: that is what Venice sends to whoever accepts one.
    accept = {"Accept": "application/json"}
    page = _account_page("/billing/usage-history", params=asked, headers=accept)
    notes = "" if page["data"] else "Nothing was charged in this period."
    cursor = page["nextCursor"]
    then = "Call again with this cursor for the charges that follow." if cursor else ""
    entries = [_show(entry) for entry in _trim(page["data"][:_MOST_ENTRIES])]
    return _answer(entries=entries, cursor=cursor, notes=notes, next=then)


def _by_day(days: list[dict[str, Any]], currency: str) -> dict[str, float]:
    """What was spent of a currency on each day that cost something."""
    return {day["date"]: round(day[currency], 6) for day in days if day[currency]}


def _end_of(day: date) -> str:
    """The moment at which a day is over."""
    day_after = day + timedelta(days=1)
    return f"{day_after}T00:00:00Z"


def _tell_sums(told: dict[str, Any]) -> str:
    """What was spent, by day, model and key."""
    ordered = sorted(told["byDate"], key=lambda day: str(day["date"]))
    usd = _by_day(ordered, "USD")
    diem = _by_day(ordered, "DIEM")
    return _answer(
        period=told["lookback"],
        total_usd=_total(usd.values()),
        total_diem=_total(diem.values()) or None,
        by_day=usd,
        by_day_diem=diem,
        dearest_day=_dearest_day(usd, told),
        models=_dearest(told["byModel"], "modelName", units="totalUnits", unit="unitType"),
        keys=_dearest(told["byKey"], "description", key_id="apiKeyId"),
        notes="" if usd or diem else "Nothing was spent in this period.",
    )


@_read_as_meant
def venice_report_usage(
    *,
    days: int = 7,
    start_date: str = "",
    end_date: str = "",
    show_entries: bool = False,
    cursor: str = "",
) -> str:
    """See what was spent at Venice over a period: by day, model and key, or charge by charge.

    Free; it needs an ADMIN key. It may lag ten minutes behind. Sums leave out what earned credits
    paid: only single charges tell that. What is left: venice_check_account.

    Args:
        days: How many days, up to today or end_date; 1 to 90.
        start_date: In place of days, the first day, such as 2026-01-31.
        end_date: The last day, when it is not today.
        show_entries: True to see single charges, oldest first, 20 at a time.
        cursor: From an answer with entries, to read on; the other arguments are then not used.

    Returns:
        JSON: period, total_usd (bundled credits are in it), by_day (days that cost something),
            dearest_day (what it was spent on), models and keys, dearest first; also in DIEM where
            DIEM was spent. Or entries (time, sku, units, usd, key_id, tokens; negative: given back)
            and cursor.
    """
    if cursor:
        if not _CURSOR.fullmatch(cursor):
            raise VeniceError("That is no cursor. Copy it exactly from the answer before.")
        return _list_entries({"cursor": cursor})

    first, last = _period(days, start_date, end_date)
    if show_entries:
        end = _end_of(last) if end_date else None
        start = f"{first}T00:00:00Z"
        return _list_entries(_given(startTimestamp=start, pageSize=_MOST_ENTRIES, endTimestamp=end))

    asked = {"lookback": f"{days}d"}
    if start_date or end_date:
        asked = {"startDate": str(first), "endDate": str(last)}
    return _tell_sums(_trim(_account_page("/billing/usage-analytics", params=asked)))
