"""The account's money: balance, limits, and what was spent on what."""

import base64
import csv
import io
import json
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from starlette.responses import JSONResponse, PlainTextResponse, Response

from sanctum_venice_tools.emulator.account import Spending, now, stamp
from sanctum_venice_tools.emulator.errors import custom, standard
from sanctum_venice_tools.emulator.service import Call

LONGEST_DAYS = 90
MOST_NAMES = 50
# What an account must have left for any paid call.
LEAST_USD = 0.1
COLUMNS = ("timestamp", "sku", "units", "pricePerUnitUsd", "amount", "currency", "notes")


async def get_balance(call: Call) -> Response:
    """GET /billing/balance; one that is not positive is null.

    The local account has dollars alone.
    """
    usd = round(call.service.account.usd, 6)
    has_money = usd > 0
    return JSONResponse(
        {
            "canConsume": usd >= LEAST_USD,
            "consumptionCurrency": "USD" if has_money else None,
            "balances": {
                "diem": None,
                "usd": usd if has_money else None,
                "bundledCredits": None,
                "earnedCredits": None,
            },
            "diemEpochAllocation": 0,
        }
    )


async def get_rate_limits(call: Call) -> Response:
    """GET /api_keys/rate_limits."""
    return JSONResponse({"data": call.service.account.rate_limits()})


async def get_usage(call: Call) -> Response:  # noqa: ARG001 - every endpoint is called alike
    """GET /billing/usage, which is gone."""
    successor = "<https://api.venice.ai/api/v1/billing/usage-history>"
    raise standard(
        410,
        "This endpoint has been removed. Use /billing/usage-history instead.",
        {
            "Deprecation": "true",
            "Sunset": "Wed, 16 Sep 2026 00:00:00 GMT",
            "Link": f'{successor}; rel="successor-version"',
        },
    )


async def get_history(call: Call) -> Response:
    """GET /billing/usage-history; a cursor stands for all other settings."""
    query = dict(call.query)
    cursor = query.get("cursor")
    if cursor:
        if call.request.query_params.keys() != {"cursor"}:
            raise custom("cursor", "cursor cannot be combined with other parameters")
        query = _unfold(cursor)
    start = _moment(query.get("startTimestamp"), datetime.min.replace(tzinfo=UTC))
    end = _moment(query.get("endTimestamp"), datetime.max.replace(tzinfo=UTC))
    entries = [entry for entry in call.service.account.bill if start <= entry.when < end]
    if query.get("currency", "USD") != "USD":
        entries = []
    first = query.get("first", 0)
    after = first + query["pageSize"]
    rows = [_row(entry) for entry in entries[first:after]]
    more = _fold({**query, "first": after}) if after < len(entries) else None
    if call.request.headers.get("accept", "").startswith("text/csv"):
        return _table(rows, more)
    return JSONResponse({"data": rows, "nextCursor": more})


def _moment(text: str | None, otherwise: datetime) -> datetime:
    if text is None:
        return otherwise
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        raise custom("startTimestamp", "Invalid datetime") from None


def _fold(query: dict[str, Any]) -> str:
    """A query as a cursor."""
    text = json.dumps(query)
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _unfold(cursor: str) -> dict[str, Any]:
    """The query that a cursor stands for."""
    padding = "=" * (-len(cursor) % 4)
    try:
        query = json.loads(base64.urlsafe_b64decode(cursor + padding))
    except ValueError:
        query = None
    if not isinstance(query, dict):
        raise custom("cursor", "Invalid cursor")
    for name in ("first", "pageSize"):
        if not isinstance(query.get(name), int):
            raise custom("cursor", "Invalid cursor")
    return query


def _row(entry: Spending) -> dict[str, Any]:
    """One entry of the bill; what was spent is negative."""
    return {
        "timestamp": stamp(entry.when),
        "sku": entry.sku,
        "units": entry.units,
        "pricePerUnitUsd": round(entry.usd / entry.units, 8) if entry.units else 0,
        "amount": -round(entry.usd, 8),
        "currency": "USD",
        "notes": "API Inference",
        "apiKeyId": entry.key,
        "inferenceDetails": entry.details,
    }


def _table(rows: list[dict[str, Any]], more: str | None) -> Response:
    """The rows as CSV."""
    file = io.StringIO()
    writer = csv.DictWriter(file, COLUMNS, extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    moment = f"{now():%Y%m%dT%H%M%S%f}"[: -len("000")]  # to the millisecond
    name = f"billing-usage-history-{moment}Z.csv"
    headers = {"Content-Disposition": f"attachment; filename={name}"}
    if more:
        headers["x-next-cursor"] = more
    return PlainTextResponse(file.getvalue(), headers=headers, media_type="text/csv")


async def get_analytics(call: Call) -> Response:
    """GET /billing/usage-analytics."""
    period = _period_of(call.query)
    days = period.days
    bill = call.service.account.bill
    entries = [entry for entry in bill if days[0] <= entry.when.date() <= days[-1]]
    descriptions = {key.id: key.description for key in call.service.keys.values()}
    models = _grouped(entries, _name_of_model)
    keys = _grouped(entries, lambda entry: entry.key)
    names = {key: descriptions.get(key, "(revoked)") for key in keys}

    model_days = _daily(days, models)
    key_days = _daily(days, {names[key]: group for key, group in keys.items()})
    return JSONResponse(
        {
            "lookback": period.lookback,
            "byDate": [_total_of(day, entries) for day in days],
            "byModel": [_total_of_model(name, group) for name, group in models.items()],
            # All of it was paid in dollars.
            "byModelDaily": model_days,
            "byModelDailyUsd": model_days,
            "topModels": list(models)[:MOST_NAMES],
            "byKey": [
                {"apiKeyId": key, "description": names[key], **_totals(group)}
                for key, group in keys.items()
            ],
            "byKeyDaily": key_days,
            "byKeyDailyUsd": key_days,
            "topKeyNames": list(names.values())[:MOST_NAMES],
        }
    )


@dataclass(frozen=True)
class _Period:
    """The days that are asked about, in Venice's word for them and one by one."""

    lookback: str
    days: list[date]


def _period_of(query: dict[str, Any]) -> _Period:
    """The period between two dates, else so many days up to today."""
    if {"startDate", "endDate"} <= query.keys():  # one alone is not looked at
        first = _day("startDate", query["startDate"]).date()
        last = _day("endDate", query["endDate"]).date()
        lookback = f"{first}:{last}"
    else:
        count = min(int(query["lookback"][:-1][:6]), LONGEST_DAYS)
        last = now().date()
        first = last - timedelta(days=count - 1)
        lookback = f"{count}d"
    length = (last - first).days + 1
    if not 1 <= length <= LONGEST_DAYS:
        raise custom("lookback", f"The period must be 1 to {LONGEST_DAYS} days long")
    return _Period(lookback, [first + timedelta(days=day) for day in range(length)])


def _name_of_model(entry: Spending) -> str:
    """What money was spent on: a model, else something without one."""
    return str(entry.model["model_spec"]["name"]) if entry.model else entry.sku


def _total_of(day: date, entries: list[Spending]) -> dict[str, Any]:
    """What was spent on a day."""
    usd = _usd(entry for entry in entries if entry.when.date() == day)
    return {"date": f"{day}", "USD": usd, "DIEM": 0}


def _total_of_model(name: str, group: list[Spending]) -> dict[str, Any]:
    """What was spent on a model."""
    model = group[0].model
    counts_tokens = any(entry.details for entry in group)
    return {
        "modelName": name,
        "unitType": "tokens" if counts_tokens else "generations",
        "modelType": model["type"] if model else None,
        **_totals(group),
    }


def _day(field: str, text: str) -> datetime:
    try:
        return datetime.fromisoformat(text).replace(tzinfo=UTC)
    except ValueError:
        raise custom(field, "Invalid date") from None


def _grouped(entries: list[Spending], name: Callable[[Spending], str]) -> dict[str, list[Spending]]:
    """The entries by a name, the dearest group first."""
    groups: dict[str, list[Spending]] = defaultdict(list)
    for entry in entries:
        groups[name(entry)].append(entry)
    return dict(sorted(groups.items(), key=lambda group: -_usd(group[1])))


def _usd(entries: Iterable[Spending]) -> float:
    return round(sum(entry.usd for entry in entries), 6)


def _totals(entries: list[Spending]) -> dict[str, float]:
    return {
        "totalUsd": _usd(entries),
        "totalDiem": 0,
        "totalUnits": round(sum(entry.units for entry in entries), 6),
    }


def _daily(days: list[date], groups: dict[str, list[Spending]]) -> list[dict[str, float]]:
    """What each group cost, day by day.

    A day is told in milliseconds, for every value has to be a number.
    """
    return [{"date": _milliseconds(day), **_costs_on(day, groups)} for day in days]


def _milliseconds(day: date) -> int:
    return int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()) * 1000


def _costs_on(day: date, groups: dict[str, list[Spending]]) -> dict[str, float]:
    return {
        name: _usd(entry for entry in group if entry.when.date() == day)
        for name, group in groups.items()
    }
