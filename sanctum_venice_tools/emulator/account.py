"""The account behind the key: its keys, its money, and what it was spent on."""

import time
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from sanctum_venice_tools.emulator.catalogue import Model, catalogue
from sanctum_venice_tools.emulator.defaults import START_USD
from sanctum_venice_tools.emulator.errors import empty_balance, standard

# Requests and tokens a minute, by type of model; music and films are not limited so.
LIMITS = {
    "text": (50, 750_000),
    "image": (20, 0),
    "inpaint": (20, 0),
    "upscale": (20, 0),
    "embedding": (500, 0),
    "decision": (60, 0),
    "tts": (60, 0),
    "asr": (60, 0),
}
UNLIMITED = (0, 0)


def now() -> datetime:
    """This moment in UTC."""
    return datetime.now(UTC)


def stamp(moment: datetime) -> str:
    """A moment as Venice writes it: milliseconds and a Z."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def next_midnight() -> datetime:
    """When the day's allowance begins anew."""
    return (now() + timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)


def period_start(period: str) -> datetime:
    """When the present period of a key's limit began: of a day (EPOCH), a month, or all time."""
    today = now().replace(hour=0, minute=0, second=0, microsecond=0)
    starts = {"EPOCH": today, "MONTH": today.replace(day=1)}
    return starts.get(period, datetime.min.replace(tzinfo=UTC))


@dataclass
class Spending:
    """One entry of the bill."""

    when: datetime
    sku: str
    units: float
    usd: float
    model: Model | None
    key: str
    details: dict[str, Any] | None = None


@dataclass
class Window:
    """What one key asked of one model within the running minute."""

    ends: float
    requests: int = 0
    tokens: int = 0


@dataclass
class Account:
    """One person's account."""

    usd: float = START_USD
    bill: list[Spending] = field(default_factory=list)
    windows: dict[tuple[str, str], Window] = field(default_factory=dict)

    def remember_last_week(self, key: str) -> None:
        """Put into the bill what the days before this start may have cost.

        So reports have something to show.
        """
        models = [
            model
            for model in catalogue().models
            if model["id"] in {"zai-org-glm-5-2", "z-image-turbo"}
        ]
        for day in range(6, 0, -1):
            for model in models:
                usd = 0.01 * (1 + day % 3)
                self.bill.append(
                    Spending(now() - timedelta(days=day), model["id"], 1 + day % 3, usd, model, key)
                )

    def afford(self, key: str, limit: float | None, period: str) -> None:
        """Refuse a call that neither the balance nor the key's own limit can pay at all."""
        if self.usd <= 0:
            raise empty_balance()
        if limit is not None and self.spent(key, period_start(period)) >= limit:
            raise standard(402, "API key USD spend limit exceeded")

    def spent(self, key: str, since: datetime) -> float:
        """What a key has spent since a moment."""
        return sum(entry.usd for entry in self.bill if entry.key == key and entry.when >= since)

    def spend(
        self,
        usd: float,
        *,
        sku: str,
        units: float,
        model: Model | None,
        key: str,
        details: dict[str, Any] | None = None,
    ) -> None:
        """Take the price of a call from the balance."""
        self.usd -= usd
        self.bill.append(Spending(now(), sku, units, usd, model, key, details))

    def balance_headers(self) -> dict[str, str]:
        """What the account held before this call."""
        return {"x-venice-balance-usd": f"{self.usd:.6f}", "x-venice-balance-diem": "0"}

    def count(self, model: Model, tokens: int, key: str) -> dict[str, str]:
        """Note a request to a model; the headers that say what is left of the limits.

        The limits are told, not enforced: order a fault to see a 429.
        """
        window = self.windows.get((key, model["id"]))
        if window is None or window.ends < time.time():
            window = self.windows[key, model["id"]] = Window(time.time() + 60)
        window.requests += 1
        window.tokens += tokens
        requests, all_tokens = LIMITS.get(model["type"], UNLIMITED)
        reset = str(round(window.ends * 1000))  # a moment, in milliseconds
        headers = {"x-ratelimit-type": "user"}
        if requests:
            headers |= {
                "x-ratelimit-limit-requests": str(requests),
                "x-ratelimit-remaining-requests": str(max(requests - window.requests, 0)),
                "x-ratelimit-reset-requests": reset,
            }
        if all_tokens:
            headers |= {
                "x-ratelimit-limit-tokens": str(all_tokens),
                "x-ratelimit-remaining-tokens": str(max(all_tokens - window.tokens, 0)),
                "x-ratelimit-reset-tokens": reset,
            }
        return headers

    def rate_limits(self) -> dict[str, Any]:
        """The answer of GET /api_keys/rate_limits, without its envelope."""
        return {
            "accessPermitted": True,
            "apiTier": {"id": "paid", "isCharged": True},
            # Earned credits are not listed here.
            "balances": {"USD": round(self.usd, 6), "DIEM": 0, "BUNDLED_CREDITS": 0},
            "keyExpiration": None,
            "nextEpochBegins": stamp(next_midnight()),
            "rateLimits": [
                {
                    "apiModelId": model["id"],
                    "rateLimits": [
                        {"amount": amount, "type": kind}
                        for amount, kind in zip(
                            LIMITS.get(model["type"], UNLIMITED), ("RPM", "TPM"), strict=True
                        )
                        if amount
                    ],
                }
                for model in catalogue().models
            ],
        }
