"""One film or piece of music that is being made, from its order to its last download."""

import asyncio
import secrets
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from starlette.concurrency import run_in_threadpool

from sanctum_venice_tools.emulator.catalogue import Model


@dataclass
class Job:
    """A film or piece of music that is being made."""

    kind: str
    model: Model
    make: Callable[[], bytes]
    media_type: str
    seconds: float
    """How long it takes."""
    private: bool = False
    id: str = field(default_factory=lambda: str(uuid.uuid4()))
    token: str = field(default_factory=lambda: secrets.token_urlsafe(24))
    began: float = field(default_factory=time.monotonic)
    downloads: int = 0
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    content: bytes = b""

    @property
    def done(self) -> bool:
        """Whether its time is over."""
        return time.monotonic() >= self.began + self.seconds

    async def file(self) -> bytes:
        """The finished file, made when it is first wanted."""
        async with self.lock:
            if not self.content:
                self.content = await run_in_threadpool(self.make)
        return self.content

    def progress(self, status: str) -> dict[str, Any]:
        """What a question after it is told, in milliseconds."""
        return {
            "status": status,
            "average_execution_time": round(self.seconds * 1000),
            "execution_duration": round((time.monotonic() - self.began) * 1000),
        }
