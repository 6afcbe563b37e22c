"""The error budget: a key may fail 50 times in 30 seconds with each model.

After that all that it asks is refused.
"""

import time
from dataclasses import dataclass, field
from typing import Any

from sanctum_venice_tools.emulator.errors import ApiError, standard

SECONDS = 30
MOST_FAILURES = 50
RATE_LIMITED = 429


@dataclass
class Bucket:
    """What one key did wrong with one model, lately."""

    ends: float = field(default_factory=lambda: time.time() + SECONDS)
    failures: int = 0
    is_blocked: bool = False

    def count(self, status: int) -> None:
        """Note how a request ended."""
        if status in range(400, 500) and status != RATE_LIMITED:
            self.failures += 1

    def block(self, seconds: float) -> None:
        """Refuse all that is asked from now on, for so long."""
        self.ends = time.time() + seconds
        self.failures = MOST_FAILURES
        self.is_blocked = True

    def headers(self) -> dict[str, str]:
        """What is left, and the moment, in milliseconds, at which it begins anew."""
        left = max(MOST_FAILURES - self.failures, 0)
        return {
            "x-ratelimit-remaining": str(left),
            "x-ratelimit-resets": str(round(self.ends * 1000)),
        }

    def check(self) -> None:
        """Refuse a request while all is refused."""
        if self.is_blocked:
            raise exhausted(self.headers())


class Budget:
    """All buckets. What is left is told.

    Requests are refused only where a fault has ordered it, for tests fail on purpose.
    """

    def __init__(self) -> None:
        self.buckets: dict[tuple[str, str], Bucket] = {}

    def bucket(self, key: str, body: Any) -> Bucket:
        """That of a key and of the model in a body of JSON.

        Forms share one, for their model is not known in time.
        """
        model = body.get("model") if isinstance(body, dict) else None
        name = (key, model if isinstance(model, str) else "")
        bucket = self.buckets.get(name)
        if bucket is None or bucket.ends < time.time():
            bucket = self.buckets[name] = Bucket()
        return bucket


def exhausted(headers: dict[str, str]) -> ApiError:
    """What all requests get once too many have failed."""
    message = (
        f"Too many failed attempts (> {MOST_FAILURES}) resulting in a non-success status code. "
        f"Please wait {SECONDS} seconds and try again. "
        "See https://docs.venice.ai/api-reference/rate-limiting for more information."
    )
    return standard(RATE_LIMITED, message, headers)
