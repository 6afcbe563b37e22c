import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
import respx

from sanctum_venice_tools.emulator.process import LocalVenice
from tests.tools.conftest import refusal

Tool = Callable[..., str]
CALL: dict[str, Any] = {}


def model(name: str, usd: float, diem: float = 0) -> dict[str, Any]:
    """What a model cost."""
    totals = {"totalUsd": usd, "totalDiem": diem, "totalUnits": 50000}
    return {"modelName": name, "unitType": "tokens", "modelType": "LLM", **totals}


def key(name: str, usd: float, diem: float = 0, *, key_id: str | None = "1") -> dict[str, Any]:
    """What was spent with a key; without an id it was the web app."""
    return {
        "apiKeyId": key_id,
        "description": name,
        "totalUsd": usd,
        "totalDiem": diem,
        "totalUnits": 3,
    }


def day(date: str, usd: float, diem: float = 0) -> dict[str, Any]:
    """What a day cost."""
    return {"date": date, "USD": usd, "DIEM": diem}


@pytest.fixture
def report(api: respx.MockRouter, tool: Tool) -> Callable[..., Any]:
    """Report, while Venice knows of these days, models and keys; the tool's reply."""

    def run(spent: Any = (), models: Any = (), keys: Any = (), /, **arguments: Any) -> Any:
        charts: dict[str, list[Any]] = {
            "byModelDaily": [],
            "topModels": [],
            "byKeyDaily": [],
            "topKeyNames": [],
        }
        told = {
            "lookback": "7d",
            "byDate": list(spent),
            "byModel": list(models),
            "byKey": list(keys),
        }
        api.get("/billing/usage-analytics").respond(json=told | charts)
        reply = tool(**arguments)
        assert len(reply) < 8000
        return json.loads(reply)

    return run


def query(api: respx.MockRouter) -> dict[str, str]:
    """The query of the last request."""
    return dict(api.calls.last.request.url.params)


def test_sums_up_a_week(report: Callable[..., Any], api: respx.MockRouter) -> None:
    """Days come in order and only those that cost something; models and keys come with what they cost."""
    reply = report(
        [day("2026-08-03", 0.3), day("2026-08-02", 0), day("2026-08-01", 0.1)],
        [model("Cheap", 0.1), model("GLM 5.1", 0.3)],
        [key("Production", 0.4), key("Web App", 0, key_id=None)],
    )

    assert reply == {
        "period": "7d",
        "total_usd": 0.4,
        "by_day": {"2026-08-01": 0.1, "2026-08-03": 0.3},
        "dearest_day": {"date": "2026-08-03", "usd": 0.3},
        "models": [
            {"name": "GLM 5.1", "units": 50000, "unit": "tokens", "usd": 0.3},
            {"name": "Cheap", "units": 50000, "unit": "tokens", "usd": 0.1},
        ],
        "keys": [{"name": "Production", "key_id": "1", "usd": 0.4}, {"name": "Web App", "usd": 0}],
    }
    assert ["2026-08-01", "2026-08-03"] == list(reply["by_day"])
    assert {"lookback": "7d"} == query(api)


def test_diem_is_told_where_it_was_spent(report: Callable[..., Any]) -> None:
    """DIEM stands beside USD, counts as much when the dearest are found, and is not mixed with it."""
    reply = report(
        [day("2026-08-01", 0.1, 2)], [model("A", 0.1), model("B", 0, 2)], [key("K", 0.1, 2)]
    )

    assert (0.1, 2) == (reply["total_usd"], reply["total_diem"])
    assert ({"2026-08-01": 0.1}, {"2026-08-01": 2}) == (reply["by_day"], reply["by_day_diem"])
    assert [("B", 0, 2), ("A", 0.1, None)] == [
        (one["name"], one["usd"], one.get("diem")) for one in reply["models"]
    ]
    assert {"name": "K", "key_id": "1", "usd": 0.1, "diem": 2} == reply["keys"][0]


def test_the_dearest_day_is_explained(api: respx.MockRouter, tool: Tool) -> None:
    """Of the day that cost most, the three dearest models are told; Venice writes days in milliseconds."""
    charts: dict[str, list[Any]] = {"byModelDaily": [], "byKeyDaily": [], "byKeyDailyUsd": []}
    rows = [
        {"date": 1785542400000, "A": 9},  # 2026-08-01
        {"date": 1785628800000, "A": 0.1, "B": 4, "C": 0, "D": 2, "E": 3},  # 2026-08-02
    ]
    told = {"lookback": "7d", "byModel": [], "byKey": [], "topModels": [], "topKeyNames": []}
    days = [day("2026-08-01", 9), day("2026-08-02", 9.1)]
    api.get("/billing/usage-analytics").respond(
        json=told | charts | {"byDate": days, "byModelDailyUsd": rows}
    )

    reply = json.loads(tool())
    assert {"date": "2026-08-02", "usd": 9.1, "models": {"B": 4, "E": 3, "D": 2}} == reply[
        "dearest_day"
    ]


def test_what_is_beyond_eight_is_summed_up(report: Callable[..., Any]) -> None:
    """The eight dearest come one by one, the others as one row, and no cent is lost."""
    reply = report(
        [],
        [model(f"m{place}", place) for place in range(1, 21)],
        [key(f"k{place}", 1) for place in range(8)],
    )

    assert ["m20", "m13"] == [reply["models"][place]["name"] for place in (0, 7)]
    assert {"name": "12 others", "usd": sum(range(1, 13))} == reply["models"][8]
    assert (9, 8) == (len(reply["models"]), len(reply["keys"]))


def test_ninety_dear_days_stay_short(report: Callable[..., Any]) -> None:
    """Ninety days in both currencies, with long names, are a reply under 8,000 characters."""
    first = datetime(2026, 1, 1, tzinfo=UTC)
    days = [
        day(f"{first + timedelta(days=place):%Y-%m-%d}", 12345.678901, 12345.678901)
        for place in range(90)
    ]
    names = [f"{place} {'Fox' * 30}" for place in range(30)]
    models = [model(name, 12345.678901, 12345.678901) for name in names]
    keys = [
        key(name, 12345.678901, 9.123456, key_id="e28e82dc-9df2-4b47-b726-d0a222ef2ab5")
        for name in names
    ]

    assert 90 == len(report(days, models, keys, days=90)["by_day_diem"])


def test_nothing_spent_is_said(report: Callable[..., Any]) -> None:
    """A period without spending is not an empty reply."""
    reply = report([day("2026-08-01", 0)])

    assert {"period": "7d", "total_usd": 0, "notes": "Nothing was spent in this period."} == reply


@pytest.mark.parametrize(
    ("arguments", "sent"),
    [
        ({"days": 1}, {"lookback": "1d"}),
        ({"days": 90}, {"lookback": "90d"}),
        (
            {"start_date": "2026-01-01", "end_date": "2026-03-31"},
            {"startDate": "2026-01-01", "endDate": "2026-03-31"},
        ),
        (
            {"end_date": "2026-01-31", "days": 31},
            {"startDate": "2026-01-01", "endDate": "2026-01-31"},
        ),
        (
            {"start_date": "2026-01-01", "end_date": "2026-01-01"},
            {"startDate": "2026-01-01", "endDate": "2026-01-01"},
        ),
    ],
    ids=str,
)
def test_a_period_reaches_venice(
    report: Callable[..., Any],
    api: respx.MockRouter,
    arguments: dict[str, Any],
    sent: dict[str, str],
) -> None:
    """Days back, or dates, both of which Venice wants together."""
    report(**arguments)

    assert sent == query(api)


def test_a_start_alone_goes_on_until_today(
    report: Callable[..., Any], api: respx.MockRouter
) -> None:
    """Without an end, and with one in the future, today is the last day, as Venice counts days."""
    today = datetime.now(UTC).date()
    asked = {"startDate": f"{today - timedelta(days=89)}", "endDate": f"{today}"}
    for end in ({}, {"end_date": "9999-12-31"}):
        report(start_date=asked["startDate"], **end)

        assert asked == query(api)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"days": 0}, "must have 1 to 90 days"),
        ({"days": 91}, "must have 1 to 90 days"),
        ({"days": 10**20}, "Write dates as 2026-01-31"),
        ({"start_date": "2026-01-01", "end_date": "2026-04-01"}, "must have 1 to 90 days"),
        ({"start_date": "2026-01-02", "end_date": "2026-01-01"}, "must have 1 to 90 days"),
        ({"start_date": "2026-02-30"}, "Write dates as 2026-01-31"),
        ({"end_date": "yesterday"}, "Write dates as 2026-01-31"),
        ({"cursor": "a b"}, "Copy it exactly"),
        ({"cursor": "a" * 513}, "Copy it exactly"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_a_wrong_argument_asks_nothing(
    report: Callable[..., Any], api: respx.MockRouter, arguments: dict[str, Any], said: str
) -> None:
    """What can't be a period or a cursor is refused before anything is asked of Venice."""
    assert said in refusal(report, **arguments)
    assert 0 == len(api.calls)


def test_a_timeout_at_venice_asks_for_fewer_days(api: respx.MockRouter, tool: Tool) -> None:
    """Venice's 504 comes with what helps, and is not asked again."""
    api.get("/billing/usage-analytics").respond(504, json={"error": "Query timed out"})

    assert "Venice answered 504: Query timed out. Ask for fewer days." == refusal(tool, days=90)
    assert 1 == len(api.calls)


@pytest.mark.parametrize("arguments", [{}, {"show_entries": True}], ids=str)
@pytest.mark.parametrize("status", [401, 403])
def test_an_inference_key_is_told_which_is_needed(
    api: respx.MockRouter, tool: Tool, arguments: dict[str, Any], status: int
) -> None:
    """A key that may not see the bill is an error that names the key that may."""
    api.get(url__regex="/billing/.*").respond(status, json={"error": "Not authorized"})

    assert "ADMIN key" in refusal(tool, **arguments)


def entry(**more: Any) -> dict[str, Any]:
    """A charge as Venice lists it."""
    return {
        "amount": -0.1,
        "currency": "DIEM",
        "inferenceDetails": None,
        "notes": "API Inference",
        "pricePerUnitUsd": 0.1,
        "sku": "grok-imagine-image-image-unit",
        "timestamp": "2026-06-14T19:52:45.087Z",
        "units": 1,
        **more,
    }


def test_lists_charges(api: respx.MockRouter, tool: Tool) -> None:
    """Charges come as what was spent, in their currency, with tokens where there are any, and a way to read on."""
    details = {
        "completionTokens": 227,
        "inferenceExecutionTime": 2964,
        "promptTokens": None,
        "requestId": "chatcmpl-4",
    }
    found = [
        entry(),
        entry(amount=0.25, currency="USD", notes="Refund", inferenceDetails=details),
        entry(amount=0),
    ]
    api.get("/billing/usage-history").respond(json={"data": found, "nextCursor": "AZq-3_f"})
    reply = json.loads(tool(show_entries=True, end_date="2026-06-30", days=30))

    first = {
        "time": "2026-06-14T19:52:45Z",
        "sku": "grok-imagine-image-image-unit",
        "units": 1,
        "diem": 0.1,
    }
    second = {name: first[name] for name in ("time", "sku", "units")}
    second |= {"usd": -0.25, "completion_tokens": 227, "note": "Refund"}
    assert [first, second, first | {"diem": 0}] == reply["entries"]
    assert "AZq-3_f" == reply["cursor"]
    assert "cursor" in reply["next"]
    asked = {
        "startTimestamp": "2026-06-01T00:00:00Z",
        "endTimestamp": "2026-07-01T00:00:00Z",
        "pageSize": "20",
    }
    assert asked == query(api)
    assert "application/json" == api.calls.last.request.headers["accept"]


def test_a_charge_names_its_key(api: respx.MockRouter, tool: Tool) -> None:
    """A charge tells the key that was used, and that earned credits paid it, which no sum tells."""
    charged = entry(currency="EARNED_CREDITS", apiKeyId="e28e82dc-9df2-4b47-b726-d0a222ef2ab5")
    api.get("/billing/usage-history").respond(json={"data": [charged], "nextCursor": None})

    (shown,) = json.loads(tool(show_entries=True))["entries"]
    assert ("e28e82dc-9df2-4b47-b726-d0a222ef2ab5", 0.1) == (
        shown["key_id"],
        shown["earned_credits"],
    )


def test_reads_on_with_nothing_but_the_cursor(api: respx.MockRouter, tool: Tool) -> None:
    """A cursor goes alone, whatever else is given; the last page has no way on."""
    api.get("/billing/usage-history").respond(json={"data": [entry()], "nextCursor": None})
    reply = json.loads(tool(cursor="AZq-3_f", show_entries=True, days=400, start_date="x"))

    assert {"cursor": "AZq-3_f"} == query(api)
    assert {"entries"} == set(reply)


def test_no_charges_are_said(api: respx.MockRouter, tool: Tool) -> None:
    """A period without charges is not an empty reply."""
    api.get("/billing/usage-history").respond(json={"data": [], "nextCursor": None})

    assert {"notes": "Nothing was charged in this period."} == json.loads(tool(show_entries=True))


def test_long_charges_stay_short(api: respx.MockRouter, tool: Tool) -> None:
    """A page of long charges with the longest cursor is a reply under 8,000 characters."""
    details = dict.fromkeys(
        ("completionTokens", "inferenceExecutionTime", "promptTokens"), 123_456_789
    )
    long = entry(
        sku="sku" * 50,
        notes="note" * 50,
        currency="BUNDLED_CREDITS",
        units=0.123456789,
        amount=-0.12345678,
    )
    long |= {"apiKeyId": "e28e82dc-9df2-4b47-b726-d0a222ef2ab5"}
    found = [long | {"inferenceDetails": details | {"requestId": "x" * 99}}] * 20
    api.get("/billing/usage-history").respond(json={"data": found, "nextCursor": "a" * 512})

    assert len(tool(show_entries=True)) < 8000


def test_reports_the_local_venices_week(local_tool: Tool) -> None:
    """Over a real connection, days, models and keys add up to the same."""
    reply = json.loads(local_tool())

    assert reply["total_usd"] > 0
    for part in ("models", "keys"):
        assert reply["total_usd"] == pytest.approx(sum(one["usd"] for one in reply[part]), abs=1e-5)


def test_a_start_is_an_end_away_at_the_local_venice(local_tool: Tool) -> None:
    """Over a real connection, dates are a period that Venice names."""
    reply = json.loads(local_tool(start_date="2026-01-01", end_date="2026-01-31"))

    assert ("2026-01-01:2026-01-31", 0) == (reply["period"], reply["total_usd"])


def test_reads_all_charges_of_the_local_venice(local_tool: Tool, venice: LocalVenice) -> None:
    """Over a real connection, page after page is read, none twice."""
    headers = {"Authorization": f"Bearer {venice.key}"}
    for _ in range(20):
        call = {"jsonrpc": "2.0", "id": 1, "method": "eth_chainId", "params": []}
        httpx.post(
            f"{venice.base_url}/crypto/rpc/base-mainnet", headers=headers, json=call
        ).raise_for_status()
    pages = [json.loads(local_tool(show_entries=True))]
    while cursor := pages[-1].get("cursor"):
        pages.append(json.loads(local_tool(cursor=cursor)))

    assert len(pages) > 1
    assert {20} == {len(page["entries"]) for page in pages[:-1]}
    times = [one["time"] for page in pages for one in page["entries"]]
    assert sorted(times) == times
    assert 20 <= sum(one["sku"] == "crypto-rpc" for page in pages for one in page["entries"])
