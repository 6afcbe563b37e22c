"""Money and keys."""

import csv
import io
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

CHAT = {"model": "default", "messages": [{"role": "user", "content": "hi"}]}


def balance(client: httpx.Client) -> float:
    """What the account holds."""
    return float(client.get("/billing/balance").json()["balances"]["usd"])


def test_chat_is_paid(client: httpx.Client, ask: Callable[..., Any]) -> None:
    """The balance falls by the cost that the reply tells."""
    before = balance(client)

    cost = ask("How do foxes live in cities?", venice_parameters={"enable_web_search": "on"})[
        "cost"
    ]["usd"]

    assert before - balance(client) == pytest.approx(cost, abs=2e-6)
    assert cost > 0.01


def test_header_tells_the_balance_before_the_call(client: httpx.Client) -> None:
    """x-venice-balance-usd is what was there before."""
    before = balance(client)

    assert float(
        client.post("/chat/completions", json=CHAT).headers["x-venice-balance-usd"]
    ) == pytest.approx(before)


def test_rate_limit_headers_count_down(client: httpx.Client) -> None:
    """Requests that remain fall; they and the tokens are reset at a moment, told in milliseconds."""
    first, second = (
        client.post("/chat/completions", json={**CHAT, "model": "kimi-k3"}).headers
        for _ in range(2)
    )

    assert int(first["x-ratelimit-remaining-requests"]) - 1 == int(
        second["x-ratelimit-remaining-requests"]
    )
    for name in ("requests", "tokens"):
        moment = datetime.fromtimestamp(int(second[f"x-ratelimit-reset-{name}"]) / 1000, UTC)
        assert 0 <= (moment - datetime.now(UTC)).total_seconds() <= 61


def test_deprecated_model_warns(client: httpx.Client) -> None:
    """A model that will be retired says so in headers."""
    headers = client.post("/chat/completions", json={**CHAT, "model": "e2ee-gemma-4-31b"}).headers

    assert headers["x-venice-deprecated"] == "true"
    assert headers["x-venice-deprecated-replacement"] == "zai-org-glm-5-2"
    assert headers["x-venice-model-deprecation-date"].startswith("2030-")


def test_rate_limits_by_model(client: httpx.Client) -> None:
    """Every model has its limits."""
    data = client.get("/api_keys/rate_limits").json()["data"]

    limits = {entry["apiModelId"]: entry["rateLimits"] for entry in data["rateLimits"]}
    assert limits["z-image-turbo"] == [{"amount": 20, "type": "RPM"}]
    assert [limit["type"] for limit in limits["zai-org-glm-5-2"]] == ["RPM", "TPM"]


def test_usage_is_gone(client: httpx.Client) -> None:
    """GET /billing/usage answers 410 and says what came after it."""
    reply = client.get("/billing/usage")

    assert reply.status_code == 410
    assert {"deprecation", "sunset", "link"} <= set(reply.headers)


def test_history_in_pages(client: httpx.Client, ask: Callable[..., Any]) -> None:
    """The bill comes in the order of time, page by page, each entry negative."""
    ask()
    entries, query = [], {"pageSize": "10"}
    while query:
        page = client.get("/billing/usage-history", params=query).json()
        entries += page["data"]
        query = {"cursor": page["nextCursor"]} if page["nextCursor"] else {}

    times = [entry["timestamp"] for entry in entries]
    assert len(entries) > 12
    assert times == sorted(times)
    assert all(entry["amount"] < 0 for entry in entries)
    assert entries[-1]["inferenceDetails"]["requestId"].startswith("chatcmpl-")


def test_history_as_table(client: httpx.Client) -> None:
    """As CSV, the cursor stands in a header."""
    reply = client.get(
        "/billing/usage-history", params={"pageSize": 10}, headers={"Accept": "text/csv"}
    )

    rows = list(csv.DictReader(io.StringIO(reply.text)))
    assert (len(rows), reply.headers["content-type"]) == (10, "text/csv; charset=utf-8")
    assert reply.headers["x-next-cursor"]


def test_history_of_a_period(client: httpx.Client) -> None:
    """Start and end bound the entries; another currency has none."""
    later = {"startTimestamp": "2099-01-01T00:00:00Z"}

    assert client.get("/billing/usage-history", params=later).json() == {
        "data": [],
        "nextCursor": None,
    }
    assert client.get("/billing/usage-history", params={"currency": "DIEM"}).json()["data"] == []


@pytest.mark.parametrize(
    ("page", "query"),
    [
        ("history", {"pageSize": "5"}),
        ("history", {"cursor": "e30", "pageSize": "10"}),
        ("history", {"cursor": "e30"}),
        ("history", {"startTimestamp": "yesterday"}),
        ("history", {"startTimestamp": "2026-99-99T00:00:00Z"}),
        ("analytics", {"lookback": "a week"}),
        ("analytics", {"startDate": "2026-01-01", "endDate": "2025-01-01"}),
        ("analytics", {"startDate": "2026-99-01", "endDate": "2026-99-01"}),
    ],
)
def test_refused_periods(client: httpx.Client, page: str, query: dict[str, str]) -> None:
    """Periods and pages out of range are refused."""
    assert client.get(f"/billing/usage-{page}", params=query).status_code == 400


@pytest.mark.parametrize(
    ("query", "period"),
    [({"lookback": "91d"}, "90d"), ({"lookback": "3d", "startDate": "2026-01-01"}, "3d")],
    ids=str,
)
def test_periods_that_are_mended(client: httpx.Client, query: dict[str, str], period: str) -> None:
    """More days than there may be are cut to 90, and one date alone is not looked at."""
    assert period == client.get("/billing/usage-analytics", params=query).json()["lookback"]


def test_balances_are_four(client: httpx.Client) -> None:
    """The bill tells all four balances, and null for those that hold nothing."""
    told = client.get("/billing/balance").json()

    assert {"diem", "usd", "bundledCredits", "earnedCredits"} == told["balances"].keys()
    assert ("USD", None) == (told["consumptionCurrency"], told["balances"]["earnedCredits"])


def test_charges_name_their_key(client: httpx.Client) -> None:
    """Each row of the ledger has the id of the key that it was charged to."""
    ids = {key["id"] for key in client.get("/api_keys").json()["data"]}
    rows = client.get("/billing/usage-history", params={"pageSize": 10}).json()["data"]

    assert {row["apiKeyId"] for row in rows} <= ids


def test_days_are_told_in_milliseconds(client: httpx.Client) -> None:
    """A row of a chart has its day as milliseconds since 1970, beside what each model cost in USD."""
    report = client.get("/billing/usage-analytics", params={"lookback": "7d"}).json()

    for day, row in zip(report["byDate"], report["byModelDailyUsd"], strict=True):
        assert day["date"] == f"{datetime.fromtimestamp(row.pop('date') / 1000, UTC):%Y-%m-%d}"
        assert sum(row.values()) == pytest.approx(day["USD"], abs=1e-4)


def test_analytics_add_up(client: httpx.Client) -> None:
    """Days, models and keys tell the same sum."""
    report = client.get("/billing/usage-analytics", params={"lookback": "7d"}).json()

    total = sum(day["USD"] for day in report["byDate"])
    assert len(report["byDate"]) == 7
    assert sum(model["totalUsd"] for model in report["byModel"]) == pytest.approx(total, abs=1e-4)
    assert sum(key["totalUsd"] for key in report["byKey"]) == pytest.approx(total, abs=1e-4)


def test_key_lives_and_dies(client: httpx.Client) -> None:
    """A key is shown once, works, can be changed, and is gone when it is revoked."""
    wish = {"apiKeyType": "INFERENCE", "description": "a test", "expiresAt": "2090-01-01"}
    made = client.post("/api_keys", json=wish).json()["data"]
    header = {"Authorization": f"Bearer {made['apiKey']}"}

    assert client.post("/chat/completions", json=CHAT, headers=header).status_code == 200
    shown = client.get(f"/api_keys/{made['id']}").json()["data"]
    assert (shown["last6Chars"], "apiKey" in shown) == (made["apiKey"][-6:], False)
    assert float(shown["usage"]["trailingSevenDays"]["usd"]) > 0
    changed = client.patch("/api_keys", json={"id": made["id"], "description": "changed"}).json()[
        "data"
    ]
    assert changed["description"] == "changed"
    assert made["id"] in {key["id"] for key in client.get("/api_keys").json()["data"]}
    assert client.delete("/api_keys", params={"id": made["id"]}).json() == {"success": True}
    assert client.post("/chat/completions", json=CHAT, headers=header).status_code == 401


def test_inference_key_sees_no_account(client: httpx.Client) -> None:
    """An inference key is for inference, and to see its own limits."""
    made = client.post("/api_keys", json={"apiKeyType": "INFERENCE", "description": "x"}).json()[
        "data"
    ]
    header = {"Authorization": f"Bearer {made['apiKey']}"}

    assert client.get("/billing/balance", headers=header).status_code == 401
    assert client.get("/api_keys", headers=header).status_code == 401
    assert client.get("/api_keys/rate_limits", headers=header).status_code == 200
    assert client.get("/characters", headers=header).status_code == 200


def test_key_with_a_limit(client: httpx.Client) -> None:
    """A key that has spent what it may gets 402, though the account has money."""
    wish = {"apiKeyType": "INFERENCE", "description": "x", "consumptionLimit": {"usd": 1e-6}}
    made = client.post("/api_keys", json=wish).json()["data"]
    header = {"Authorization": f"Bearer {made['apiKey']}"}

    statuses = [client.post("/chat/completions", json=CHAT, headers=header) for _ in range(2)]

    assert [reply.status_code for reply in statuses] == [200, 402]
    assert statuses[1].json() == {"error": "API key USD spend limit exceeded"}


@pytest.mark.parametrize("expires", ["2020-01-01", "2020-01-01T00:00:00Z"])
def test_expired_key(client: httpx.Client, expires: str) -> None:
    """A key whose time is over is not known any more."""
    wish = {"apiKeyType": "INFERENCE", "description": "x", "expiresAt": expires}
    made = client.post("/api_keys", json=wish).json()["data"]

    header = {"Authorization": f"Bearer {made['apiKey']}"}
    assert client.post("/chat/completions", json=CHAT, headers=header).status_code == 401


@pytest.mark.parametrize(
    "body",
    [
        {"apiKeyType": "ROOT", "description": "x"},
        {"apiKeyType": "ADMIN"},
        {"apiKeyType": "ADMIN", "description": "x" * 65},
        {"apiKeyType": "ADMIN", "description": "x", "expiresAt": "tomorrow"},
        {"apiKeyType": "ADMIN", "description": "x", "expiresAt": "2026-99-99"},
        {"apiKeyType": "ADMIN", "description": "x", "consumptionLimit": {"usd": -1}},
    ],
)
def test_refused_keys(client: httpx.Client, body: dict[str, Any]) -> None:
    """A key that does not fit the document is not made."""
    assert client.post("/api_keys", json=body).status_code == 400


def test_first_key_stays(client: httpx.Client) -> None:
    """The key that the local Venice was started with is not revoked."""
    first = client.get("/api_keys").json()["data"][0]["id"]

    assert client.delete("/api_keys", params={"id": first}).status_code == 400
    assert client.delete("/api_keys").status_code == 400


def test_key_for_a_wallet(client: httpx.Client) -> None:
    """A signed token gives a key, once."""
    token = client.get("/api_keys/generate_web3_key").json()["data"]["token"]
    body = {
        "apiKeyType": "INFERENCE",
        "address": "0x" + "a" * 40,
        "signature": "0x" + "b" * 130,
        "token": token,
    }

    assert (
        client.post("/api_keys/generate_web3_key", json=body).json()["data"]["description"]
        == "Web3 API Key"
    )
    again = httpx.post(f"{client.base_url}api_keys/generate_web3_key", json=body)
    assert again.json() == {"error": "Invalid or expired token"}


def test_limit_hits(client: httpx.Client) -> None:
    """The log of limits lists hits by key and model."""
    assert client.get("/api_keys/rate_limits/log").json()["data"][0]["rateLimitType"] == "RPM"
