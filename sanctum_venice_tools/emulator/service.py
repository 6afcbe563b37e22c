"""What one running local Venice holds, and one call to it."""

import ipaddress
import uuid
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from starlette.requests import Request

from sanctum_venice_tools.emulator.account import Account, now
from sanctum_venice_tools.emulator.budget import Budget
from sanctum_venice_tools.emulator.catalogue import Model, model_headers
from sanctum_venice_tools.emulator.defaults import JOB_SECONDS, LOCAL_KEY
from sanctum_venice_tools.emulator.errors import anonymous_model
from sanctum_venice_tools.emulator.facts import Operation
from sanctum_venice_tools.emulator.faults import Faults
from sanctum_venice_tools.emulator.log import Log
from sanctum_venice_tools.emulator.script import Script
from sanctum_venice_tools.emulator.tokens import Tokens

if TYPE_CHECKING:
    from sanctum_venice_tools.emulator.job import Job

# The types that a key of PRIVATE_TEXT may only use with private models.
BOUND_TYPES = ("text", "embedding", "decision")


@dataclass(frozen=True)
class Settings:
    """How a local Venice is started."""

    key: str = field(default=LOCAL_KEY, repr=False)
    log: Path | None = None
    script: Path | None = None
    allow_faults: bool = False
    job_seconds: float = JOB_SECONDS


@dataclass
class Key:
    """An API key of the account."""

    secret: str = field(repr=False)
    kind: str
    description: str
    id: str = field(default_factory=lambda: str(uuid.uuid4()))
    created: datetime = field(default_factory=now)
    used: datetime | None = None
    expires: datetime | None = None
    limits: dict[str, Any] = field(default_factory=dict)
    period: str = "EPOCH"
    privacy: str = "ALL"
    addresses: list[str] = field(default_factory=list)
    """The networks from which it may be used; none means all."""

    def is_open_to(self, host: str) -> bool:
        """Whether the key may be used from an address."""
        networks = [ipaddress.ip_network(text) for text in self.addresses]
        return not networks or any(ipaddress.ip_address(host) in network for network in networks)

    def may_use(self, model: Model) -> bool:
        """Whether the key's setting for privacy allows a model."""
        is_private = model["model_spec"].get("privacy") == "private"
        is_bound = self.privacy == "PRIVATE_ONLY" or (
            self.privacy == "PRIVATE_TEXT" and model["type"] in BOUND_TYPES
        )
        return is_private or not is_bound


class Service:
    """The state behind every request."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        first = Key(settings.key, "ADMIN", "The key of the local Venice")
        self.keys: dict[str, Key] = {settings.key: first}
        self.account = Account()
        self.budget = Budget()
        self.account.remember_last_week(first.id)
        self.faults = Faults()
        self.log = Log(settings.log, self.keys)
        self.script = Script.load(settings.script)
        self.tokens = Tokens()
        # What speech was made, by the hash of its file, and which model each cloned voice belongs
        # to.
        self.spoken: dict[str, str] = {}
        self.voices: dict[str, str] = {}
        self.jobs: dict[str, Job] = {}
        # Hashes of media that consent was given for, and answers to be repeated, by key and
        # Idempotency-Key.
        self.consented: set[str] = set()
        self.replies: dict[tuple[str, str], tuple[str, Any, dict[str, str]]] = {}


@dataclass
class Call:
    """One request that was let in: its key is good and its body fits Venice's document."""

    request: Request
    service: Service
    operation: Operation
    key: Key | None
    query: dict[str, Any]
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    fault: str = ""

    @property
    def path(self) -> dict[str, str]:
        """The parts of the path that vary."""
        return self.request.path_params

    @property
    def key_id(self) -> str:
        """The id of the key that was sent, or "" where none was needed."""
        return self.key.id if self.key else ""

    def use(self, model: Model, *, tokens: int = 0) -> None:
        """Note which model serves the call, in limits and headers, if the key may use it."""
        if self.key and not self.key.may_use(model):
            raise anonymous_model(self.key.privacy, model["id"])
        self.headers |= model_headers(model) | self.service.account.count(
            model, tokens, self.key_id
        )

    def charge(
        self,
        usd: float,
        *,
        sku: str,
        units: float = 1,
        model: Model | None = None,
        details: dict[str, Any] | None = None,
    ) -> None:
        """Take the price of the call from the account."""
        self.service.account.spend(
            usd, sku=sku, units=units, model=model, key=self.key_id, details=details
        )
