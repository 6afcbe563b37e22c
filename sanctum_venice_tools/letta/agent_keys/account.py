"""The API keys of a Venice account, as an ADMIN key may see, make, change and revoke them.

Source: Venice's OpenAPI document, the operations of /api_keys.
"""

import re
import time
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Annotated, Any, Literal

import httpx
from pydantic import BaseModel, BeforeValidator

from sanctum_venice_tools.letta.venice import Venice, VeniceError, words_of
from sanctum_venice_tools.letta.venice_replies import FormError, Words, read
from sanctum_venice_tools.network import make_client

Period = Literal["EPOCH", "MONTH", "LIFETIME"]
_PERIODS = {"EPOCH": "a day", "MONTH": "a month", "LIFETIME": "in all"}

Amount = Annotated[float, BeforeValidator(lambda value: value or 0)]

# letta agent-8c1fd0f2-1111-4222-8333-444455556666 Scout
_LABEL = re.compile(
    r"letta (?P<agent>agent-[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})(?: (?P<name>.*))?"
)
_LONGEST_DESCRIPTION = 64

_TIMEOUT = httpx.Timeout(20, connect=10)

# Venice makes 20 keys a minute.
_PAUSE_SECONDS = 20
_MOST_PAUSES = 4


class _Limits(BaseModel):
    usd: float | None = None
    diem: float | None = None


class _Spent(BaseModel):
    usd: Amount = 0
    diem: Amount = 0

    @property
    def dollars(self) -> float:
        """All of it; a DIEM pays for as much as a dollar."""
        return self.usd + self.diem


class _Usage(BaseModel):
    trailingSevenDays: _Spent = _Spent()  # noqa: N815  # Venice's name


class ListedKey(BaseModel):
    """A key in GET /api_keys: all but the key itself."""

    id: str
    apiKeyType: Words = ""  # noqa: N815  # Venice's name
    description: Words = ""
    last6Chars: Words = ""  # noqa: N815  # likewise
    createdAt: Words = ""  # noqa: N815  # likewise
    expiresAt: Words = ""  # noqa: N815  # likewise
    lastUsedAt: Words = ""  # noqa: N815  # likewise
    consumptionLimits: _Limits | None = None  # noqa: N815  # likewise
    limitPeriod: Words = ""  # noqa: N815  # likewise
    usage: _Usage | None = None
    currentPeriodUsage: _Spent | None = None  # noqa: N815  # likewise

    @property
    def agent_id(self) -> str:
        """The agent that it was issued for; "" where it was made for something else."""
        label = _LABEL.fullmatch(self.description)
        return label["agent"] if label else ""

    @property
    def agent_name(self) -> str:
        """What that agent was called then, as far as there was room."""
        label = _LABEL.fullmatch(self.description)
        return (label["name"] or "") if label else ""

    def is_among(self, secrets: Iterable[str]) -> bool:
        """Whether one of these values is the key, as far as its last six characters tell."""
        return any(value and value[-6:] == self.last6Chars for value in secrets)

    @property
    def limit(self) -> "Limit":
        """The most that it may spend."""
        usd = self.consumptionLimits.usd if self.consumptionLimits else None
        period: Any = self.limitPeriod if self.limitPeriod in _PERIODS else "EPOCH"
        return Limit(usd, period)

    @property
    def last_day(self) -> str:
        """The day on which it ends, as YYYY-MM-DD; "" where it does not."""
        return self.expiresAt[:10]

    @property
    def has_ended(self) -> bool:
        """Whether its last day is over."""
        return bool(self.expiresAt) and self.last_day < datetime.now(UTC).date().isoformat()

    @property
    def spent_in_period(self) -> float:
        """What it has spent of its limit so far, in US dollars."""
        return self.currentPeriodUsage.dollars if self.currentPeriodUsage else 0

    @property
    def spent_in_week(self) -> float:
        """What it has spent in the last seven days, in US dollars."""
        return self.usage.trailingSevenDays.dollars if self.usage else 0


@dataclass(frozen=True)
class Limit:
    """The most that a key may spend."""

    usd: float | None
    """US dollars; None where it may spend all that the account has."""
    period: Period = "EPOCH"
    """When it starts anew: EPOCH each day (UTC), MONTH each first of a month, LIFETIME never."""

    def __str__(self) -> str:
        """In words."""
        if self.usd is None:
            return "no limit"
        return f"{self.usd:g} USD {_PERIODS[self.period]}"

    def as_body(self) -> dict[str, Any]:
        """As Venice takes it. A DIEM pays for as much as a dollar, so it is bounded alike."""
        return {"consumptionLimit": {"usd": self.usd, "diem": self.usd}, "limitPeriod": self.period}


@dataclass(frozen=True)
class NewKey:
    """A key that was just made; Venice shows it this once."""

    id: str
    secret: str = field(repr=False)

    @property
    def last_six(self) -> str:
        """By which a person knows it."""
        return self.secret[-6:]


class _MadeKey(BaseModel):
    """The reply to POST /api_keys."""

    id: str
    apiKey: str  # noqa: N815  # Venice's name


class _UnclearError(VeniceError):
    """It is not known whether Venice did what it was asked."""


@dataclass(frozen=True)
class AccountKeys:
    """The keys of an account, by one of them that may manage the others."""

    venice: Venice
    progress: Callable[[str], None] = lambda _: None

    def list(self) -> list[ListedKey]:
        """All keys that have not ended.

        Raises:
            VeniceError: Venice does not answer, or refuses.
        """
        reply = self._send("GET")
        keys: list[ListedKey] = self._read(list[ListedKey], reply)
        return [key for key in keys if not key.has_ended]

    def create(self, label: str, limit: Limit, expires: str, there: Iterable[ListedKey]) -> NewKey:
        """Make an INFERENCE key for an agent.

        Where the answer gets lost, the key that nobody holds is looked for and revoked.

        Args:
            label: Its description, by `label_of`.
            limit: The most that it may spend.
            expires: Its last day, as YYYY-MM-DD; "" for none.
            there: All keys of the account, listed just before.

        Raises:
            VeniceError: It was not made, or is lost.
        """
        known = {key.id for key in there}
        body: dict[str, Any] = {"apiKeyType": "INFERENCE", "description": label, **limit.as_body()}
        if expires:
            body["expiresAt"] = expires
        try:
            made: _MadeKey = self._read(_MadeKey, self._send("POST", json=body))
        except _UnclearError as error:
            raise VeniceError(self._take_back_lost(label, known, str(error))) from None
        except KeyboardInterrupt:
            self.progress(self._take_back_lost(label, known, "interrupted"))
            raise
        return NewKey(made.id, made.apiKey)

    def change(self, key_id: str, limit: Limit, expires: str) -> None:
        """Give a key another limit and another end; it stays the same key.

        Raises:
            VeniceError: Venice does not answer, or refuses.
        """
        self._send("PATCH", json={"id": key_id, **limit.as_body(), "expiresAt": expires})

    def revoke(self, key_id: str) -> None:
        """End a key for good.

        Raises:
            VeniceError: Venice does not answer, or refuses.
        """
        self._send("DELETE", params={"id": key_id})

    def _take_back_lost(self, label: str, known: Collection[str], why: str) -> str:
        """Revoke what was made while the answer got lost; what to tell of it."""
        told = f"no key came ({why})"
        try:
            lost = [key for key in self.list() if key.description == label and key.id not in known]
            for key in lost:
                self.revoke(key.id)
        except VeniceError:
            return f"{told}; one may have been made, described as {label!r}: revoke it"
        if lost:
            return f"{told}; the one that Venice had made is revoked again"
        return f"{told}, and Venice has made none"

    def _send(self, method: str, **content: Any) -> httpx.Response:
        """Ask Venice, and ask again later where it was too much at once: nothing was done then."""
        for pause in range(_MOST_PAUSES + 1):
            reply = self._send_once(method, **content)
            if reply.status_code != httpx.codes.TOO_MANY_REQUESTS or pause == _MOST_PAUSES:
                break
            for second in range(_PAUSE_SECONDS):
                self.progress(f"Venice makes 20 keys a minute: waiting ... {second} s")
                time.sleep(1)
        if reply.is_success:
            return reply
        if reply.status_code in (401, 403):
            raise VeniceError(
                "only an ADMIN key may manage keys: set VENICE_ADMIN_KEY to one, made at venice.ai"
            )
        told = f"Venice answered {words_of(reply, self.venice.key)}"
        if reply.is_server_error:
            raise _UnclearError(told)
        raise VeniceError(told)

    def _send_once(self, method: str, **content: Any) -> httpx.Response:
        headers = {"Authorization": f"Bearer {self.venice.key}"}
        url = f"{self.venice.base_url}/api_keys"
        try:
            with make_client(headers=headers, timeout=_TIMEOUT) as client:
                return client.request(method, url, **content)
        except httpx.ConnectError:
            raise VeniceError(
                f"{self.venice.base_url} does not answer. Check VENICE_BASE_URL and the network."
            ) from None
        except (httpx.HTTPError, UnicodeError, OverflowError) as error:  # of a proxy's address
            raise _UnclearError(f"Venice did not answer: {type(error).__name__}") from None

    def _read(self, form: Any, reply: httpx.Response) -> Any:
        """What a reply has under "data"; of another form it is none of Venice's."""
        try:
            return read(form, reply.json()["data"], where="data")
        except FormError as error:
            raise _UnclearError(f"its answer is none of Venice's ({error})") from None
        except (KeyError, TypeError, ValueError):
            raise _UnclearError("its answer is none of Venice's") from None


def label_of(agent_id: str, agent_name: str) -> str:
    """The description of an agent's key, by which it is found again."""
    name = " ".join(agent_name.split())
    return f"letta {agent_id} {name}"[:_LONGEST_DESCRIPTION].rstrip()


def check_last_day(expires: str) -> str:
    """A day on which a key is to end, as Venice takes it.

    Raises:
        ValueError: It is none, or is not to come.
    """
    day = date.fromisoformat(expires).isoformat()
    if day <= datetime.now(UTC).date().isoformat():
        raise ValueError("it is not a day to come")
    return day
