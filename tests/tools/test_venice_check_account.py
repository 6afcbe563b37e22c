import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest
import respx

from sanctum_venice_tools.emulator.process import LocalVenice
from tests.tools.conftest import refusal

Tool = Callable[..., str]
CALL: dict[str, Any] = {}

BALANCE = {
    "canConsume": True,
    "consumptionCurrency": "DIEM",
    "balances": {"diem": 90.5, "usd": 25},
    "diemEpochAllocation": 100,
}
LIMITS = {
    "accessPermitted": True,
    "apiTier": {"id": "paid", "isCharged": True},
    "balances": {"USD": 50.23, "DIEM": 100.023},
    "keyExpiration": None,
    "nextEpochBegins": "2026-08-02T00:00:00.000Z",
    "rateLimits": [
        {
            "apiModelId": "glm",
            "rateLimits": [{"amount": 50, "type": "RPM"}, {"amount": 750000, "type": "TPM"}],
        },
        {
            "apiModelId": "glm-air",
            "rateLimits": [{"amount": 9, "type": "RPD"}, {"amount": 1, "type": "odd"}],
        },
        {"rateLimits": []},
    ],
}
SHOWN = {
    "can_spend": True,
    "access_permitted": True,
    "spends": "DIEM",
    "balance_usd": 25,
    "balance_diem": 90.5,
    "diem_per_day": 100,
    "tier": "paid",
    "key_expires": "never",
    "day_resets": "2026-08-02T00:00:00.000Z",
}
ADMIN_ONLY = {"error": "This API key is not authorized to access this endpoint."}


@pytest.fixture
def check(api: respx.MockRouter, tool: Tool) -> Callable[..., Any]:
    """Check the account, while both pages say this (None: what they say mostly); the tool's reply."""

    def run(balance: Any = None, limits: Any = None, **arguments: Any) -> Any:
        api.get("/billing/balance").mock(balance or httpx.Response(200, json=BALANCE))
        api.get("/api_keys/rate_limits").mock(limits or httpx.Response(200, json={"data": LIMITS}))
        reply = tool(**arguments)
        assert len(reply) < 1500
        return json.loads(reply)

    return run


def page(**content: Any) -> httpx.Response:
    """A good reply."""
    return httpx.Response(200, json=content)


def test_tells_what_is_left(check: Callable[..., Any]) -> None:
    """Money, tier and times of both pages come together; the long list of limits stays away."""
    assert check() == SHOWN


def test_the_balance_of_the_bill_goes_before_that_of_the_limits(check: Callable[..., Any]) -> None:
    """Where the bill knows no balance, that of the limits is told; a balance of zero is one."""
    reply = check(page(**BALANCE | {"balances": {"diem": None, "usd": 0}}))

    assert (100.023, 0) == (reply["balance_diem"], reply["balance_usd"])


def test_credits_are_balances_too(check: Callable[..., Any]) -> None:
    """Earned and bundled credits are told, also where they are all that there is and the rest is null."""
    balances = {"diem": None, "usd": None, "bundledCredits": 10, "earnedCredits": 12.5}
    spent = {"USD": 0, "DIEM": 0, "BUNDLED_CREDITS": 8}
    reply = check(
        page(**BALANCE | {"balances": balances, "consumptionCurrency": "EARNED_CREDITS"}),
        page(data=LIMITS | {"balances": spent}),
    )

    assert ("EARNED_CREDITS", 12.5, 10) == (
        reply["spends"],
        reply["earned_credits"],
        reply["bundled_credits"],
    )
    assert (0, 0) == (reply["balance_usd"], reply["balance_diem"])


def test_an_inference_key_sees_bundled_credits(check: Callable[..., Any]) -> None:
    """Its own page tells what is left of them to this key."""
    refused = httpx.Response(401, json=ADMIN_ONLY)

    assert (
        25
        == check(refused, page(data=LIMITS | {"balances": {"BUNDLED_CREDITS": 25}}))[
            "bundled_credits"
        ]
    )


@pytest.mark.parametrize(
    ("model", "limits"),
    [
        ("glm", {"requests_per_minute": 50, "tokens_per_minute": 750000}),
        ("glm-air", {"requests_per_day": 9, "odd": 1}),
    ],
)
def test_tells_the_limits_of_one_model(
    check: Callable[..., Any], model: str, limits: dict[str, int]
) -> None:
    """A model's limits come in words, and none but its own."""
    assert check(model=model) == SHOWN | {"limits": {"model": model} | limits}


def test_a_model_that_is_not_there_has_near_ones(check: Callable[..., Any]) -> None:
    """A misspelt model is an error that names those that are there, the nearest first."""
    line = refusal(check, model="glm-fair")

    assert (
        line
        == "There are no limits for 'glm-fair'. Use a model's id; the nearest: 'glm-air', 'glm'."
    )


@pytest.mark.parametrize("status", [401, 403])
def test_an_inference_key_sees_what_it_may(check: Callable[..., Any], status: int) -> None:
    """Where the bill is refused, the limits still tell their part, and a note names the key that is needed."""
    reply = check(httpx.Response(status, json=ADMIN_ONLY))

    note, earned = reply.pop("notes")
    assert "Earned credits are told to an ADMIN key only" in earned
    assert note.startswith(
        f"No /billing/balance: Venice answered {status}: This API key is not authorized"
    )
    assert "ADMIN key" in note
    own = {name: SHOWN[name] for name in ("access_permitted", "tier", "key_expires", "day_resets")}
    assert reply == own | {"balance_usd": 50.23, "balance_diem": 100.023}


def test_the_limits_may_be_refused_too(check: Callable[..., Any]) -> None:
    """Where only the limits are refused, the bill still tells its part."""
    reply = check(limits=httpx.Response(401, json=ADMIN_ONLY))

    assert "No /api_keys/rate_limits" in reply.pop("notes")[0]
    assert reply == {
        name: SHOWN[name]
        for name in ("can_spend", "spends", "balance_usd", "balance_diem", "diem_per_day")
    }


def test_limits_that_were_asked_for_and_refused_are_an_error(check: Callable[..., Any]) -> None:
    """Without the page that has them, no model's limits are known."""
    assert "ADMIN key" in refusal(check, limits=httpx.Response(401, json=ADMIN_ONLY), model="glm")


def test_both_pages_refused_is_an_error(check: Callable[..., Any]) -> None:
    """With nothing to tell, Venice's reason is told, with the key that is needed."""
    wrong = httpx.Response(401, json={"error": "Authentication failed"})

    assert refusal(check, wrong, wrong).startswith(
        "Venice answered 401: Authentication failed. Ask the operator"
    )


def test_says_what_stops_paid_calls(check: Callable[..., Any]) -> None:
    """An empty balance and a key without access are said in words."""
    poor = BALANCE | {"canConsume": False, "consumptionCurrency": None}
    reply = check(
        page(**poor),
        page(data=LIMITS | {"accessPermitted": False, "keyExpiration": "2026-09-01T00:00:00Z"}),
    )

    assert (False, False) == (reply["can_spend"], reply["access_permitted"])
    assert "2026-09-01T00:00:00Z" == reply["key_expires"]
    assert ["add credit" in note for note in reply["notes"]] == [True, False]
    assert "spends" not in reply


def test_checks_the_account_at_the_local_venice(local_tool: Tool) -> None:
    """Over a real connection, both pages come, with the limits of a model."""
    reply = json.loads(local_tool(model="z-image-turbo"))

    assert reply["can_spend"]
    assert 0 < reply["balance_usd"] <= 25
    assert {"model": "z-image-turbo", "requests_per_minute": 20} == reply["limits"]


def test_earned_credits_at_the_local_venice(local_tool: Tool, venice: LocalVenice) -> None:
    """Over a real connection, an account that has earned credits alone is not told to be empty."""
    balances = {"diem": None, "usd": None, "bundledCredits": None, "earnedCredits": 3}
    venice.order_fault(fault="field", path="/billing/balance", field="balances", value=balances)

    assert 3 == json.loads(local_tool())["earned_credits"]


def test_an_inference_key_at_the_local_venice(
    local_tool: Tool, venice: LocalVenice, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Over a real connection, a key that may not see the bill learns so, and the reply holds no key."""
    made = httpx.post(
        f"{venice.base_url}/api_keys",
        headers={"Authorization": f"Bearer {venice.key}"},
        json={"apiKeyType": "INFERENCE", "description": "for a test"},
    ).json()["data"]["apiKey"]
    monkeypatch.setenv("VENICE_API_KEY", made)
    said = local_tool()

    assert "ADMIN key" in json.loads(said)["notes"][0]
    assert json.loads(said)["access_permitted"]
    assert made not in said
