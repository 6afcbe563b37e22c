"""Faults to order: what a network, a gateway or Venice itself can do to a reply."""

import base64
import dataclasses
import json
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.types import Message, Receive, Scope, Send

from sanctum_venice_tools.emulator import errors
from sanctum_venice_tools.emulator.altered import ALTERED, alter
from sanctum_venice_tools.emulator.budget import exhausted
from sanctum_venice_tools.emulator.errors import ApiError, standard
from sanctum_venice_tools.emulator.raw import RAW, fill, send_raw
from sanctum_venice_tools.emulator.wire import Wire

DEFAULT_WAIT = 2.0

CLOUDFLARE = """<!DOCTYPE html>
<html lang="en-US"><head><title>api.venice.ai | 502: Bad gateway</title></head>
<body><div id="cf-wrapper"><h1>Bad gateway <span>Error code 502</span></h1>
<p>The web server reported a bad gateway error.</p></div></body></html>
"""

CONSENT = {
    "error": {
        "code": "needs_consent",
        "message": "This request includes media with a person's face and needs your consent.",
    },
    "consent_flow": "seedance",
    "face_media_roles": ["image"],
    "consent": {
        "consent_version": "2026-06-01",
        "policy_text": "I confirm that I have the legal right to use this person's likeness.",
    },
    "docs_url": "https://docs.venice.ai/guides/media/seedance-face-consent",
}

WALLET_BALANCE = {
    "error": "Payment required",
    "code": "PAYMENT_REQUIRED",
    "reason": "insufficient_balance",
    "message": "Insufficient x402 balance",
    "currentBalanceUsd": 0.01,
    "minimumBalanceUsd": 0.1,
    "suggestedTopUpUsd": 10,
    "minimumTopUpUsd": 5,
    "supportedTokens": ["USDC"],
    "supportedChains": ["base", "solana"],
}

# The error bodies that Venice's documents show, each by the status it comes with.
PRESETS: dict[str, ApiError] = {
    "status-400": errors.custom("prompt", "Field is required"),
    "status-401": errors.wrong_key(),
    "status-402": errors.empty_balance(),
    "status-403": standard(403, "Unauthorized access"),
    "status-404": standard(404, "Specified model not found"),
    "status-409": ApiError(409, CONSENT),
    "status-410": standard(410, "This model has been retired and is no longer available."),
    "status-413": errors.too_large(),
    "status-415": standard(415, "Invalid content type"),
    "status-422": errors.content_violation("A calmer scene."),
    "status-429": standard(
        429,
        "Rate limit exceeded",
        {"x-ratelimit-limit-requests": "20", "x-ratelimit-remaining-requests": "0"},
    ),
    "status-500": standard(500, "Inference processing failed"),
    "status-502": standard(502, "The transcription service failed; please retry."),
    "status-503": standard(503, "The model is at capacity. Please try again later."),
    "status-504": standard(504, "The request took too long to complete and was timed out."),
    "400-issues-only": ApiError(
        400,
        {
            "error": "Invalid request parameters",
            "issues": [{"code": "too_big", "maximum": 4096, "path": ["input"]}],
        },
    ),
    "400-openai": ApiError(
        400,
        {
            "error": {
                "message": "This model's maximum context length is 131072 tokens.",
                "type": "invalid_request_error",
                "param": "messages",
                "code": "context_length_exceeded",
            }
        },
    ),
    "400-text-details": ApiError(
        400,
        {
            "error": "Invalid request",
            "details": "The picture could not be decoded by the provider.",
        },
    ),
    "400-provider": ApiError(
        400,
        {
            "error": "messages: at least one message is required",
            "request_id": "chatcmpl-4007fd29f42b7d3c",
        },
    ),
    "401-pro-only": standard(401, "This model is only available to Pro users"),
    "402-no-key": errors.no_credentials("/chat/completions"),
    "402-key-limit": standard(402, "API key USD spend limit exceeded"),
    "402-wallet": ApiError(402, WALLET_BALANCE),
    "403-region": standard(403, "The specified model is unavailable in DE."),
    "403-address": errors.other_address(),
    "403-privacy": errors.anonymous_model("PRIVATE_ONLY", "kimi-k3"),
    "404-renamed": standard(404, "Specified model not found: glm-5. Did you mean zai-org-glm-5-2?"),
    "404-deprecated": standard(
        404, "The model glm-4 has been deprecated. Please use zai-org-glm-5-2 instead."
    ),
    "422-provider": errors.provider_policy("wan-2-7-text-to-video"),
    "422-not-refunded": errors.provider_policy(credits_refunded=False),
    "422-moderation": ApiError(
        422, {"error": "Content policy violation", "credits_refunded": True}
    ),
    "429-overloaded": standard(429, "The model is currently overloaded. Please try again later."),
    "429-error-budget": exhausted({}),
}

# A 429 tells in different ways when to come again: in `seconds`, or at the moment that they lead
# to. Models' limits and the error budget tell milliseconds, a blockchain's limit seconds; venice-py
# has seen seconds for models as well.
RESETS: dict[str, Callable[[float], dict[str, str]]] = {
    "429-requests": lambda seconds: {
        "x-ratelimit-remaining-requests": "0",
        "x-ratelimit-reset-requests": _milliseconds(seconds),
    },
    "429-tokens": lambda seconds: {
        "x-ratelimit-remaining-tokens": "0",
        "x-ratelimit-reset-tokens": _milliseconds(seconds),
    },
    "429-seconds": lambda seconds: {
        "x-ratelimit-remaining-requests": "0",
        "x-ratelimit-reset-requests": str(round(time.time() + seconds)),
    },
    "429-error-budget": lambda seconds: {
        "x-ratelimit-remaining": "0",
        "x-ratelimit-resets": _milliseconds(seconds),
    },
    "429-blockchain": lambda seconds: {
        "X-RateLimit-Limit": "100",
        "X-RateLimit-Remaining": "0",
        "X-RateLimit-Reset": str(round(time.time() + seconds)),
    },
    "429-retry-after": lambda seconds: {"retry-after": str(round(seconds))},
    "429-overloaded": lambda seconds: {"retry-after": str(round(seconds))},
}
PRESETS |= {name: PRESETS.get(name, standard(429, "Rate limit exceeded")) for name in RESETS}


def _milliseconds(seconds: float) -> str:
    """The moment in so many seconds, as milliseconds since 1970."""
    return str(round((time.time() + seconds) * 1000))


# Headers that go with a reply that is otherwise a good one.
FLAGS = {
    "blurred": {"x-venice-is-blurred": "true"},
    "content-violation": {"x-venice-is-content-violation": "true"},
    "adult-violation": {"x-venice-is-adult-model-content-violation": "true"},
    "contains-minor": {"x-venice-contains-minor": "true"},
    "deprecated": {
        "x-venice-model-deprecation-warning": "This model is deprecated and will be removed.",
        "x-venice-model-deprecation-date": "2026-12-31T00:00:00.000Z",
    },
}

# What happens to the reply on its way.
ON_THE_WAY = (
    "headers",
    "wrong-content-type",
    "reset",
    "reset-midway",
    "stall",
    "drip",
    "stream-error",
    *FLAGS,
)
INSTEAD = ("status", "html", "empty", "broken-json", "bytes", *PRESETS)
# A model that behaves otherwise, or an answer to a chat in a form that was not asked for; chat.py
# does these.
CHAT = ("json-for-stream", "only-thinks", "only-thinks-length", "think-tags", "content-filter")
# What the request goes into first; door.py does this.
BEFORE = ("error-budget",)
NAMES = (*INSTEAD, *ON_THE_WAY, *RAW, *ALTERED, *CHAT, *BEFORE)

# The settings of an order that are not texts.
TYPES = {"times": int, "status": int, "bytes": int, "seconds": int | float, "headers": dict}
ANY_JSON = {"body", "value"}
# What an order has to say besides the name.
NEEDED = {"status": "status", "field": "field", "missing-field": "field", "raw": "content"}

# Within Fault, `bytes` is one of its settings.
Content = bytes


@dataclass
class Fault:
    """One fault that waits for the next requests to its path."""

    fault: str
    path: str = "*"
    method: str = "*"
    times: int = 1
    status: int = 0
    body: Any = None
    content: str | None = None
    headers: dict[str, str] = dataclasses.field(default_factory=dict)
    content_type: str = ""
    bytes: int = 0
    seconds: float = 0
    field: str = ""
    value: Any = None

    @property
    def own_body(self) -> Content | None:
        """The body that was ordered: bytes in base64, a text as it is, or JSON."""
        if self.content is not None:
            return base64.b64decode(self.content)
        if self.body is None:
            return None
        text = self.body if isinstance(self.body, str) else json.dumps(self.body)
        return text.encode("utf-8", "surrogatepass")

    def filling(self, usual: str) -> Content:
        """What a large body is filled with."""
        return self.own_body or usual.encode()

    def reply(self) -> Response | None:
        """What is sent instead of Venice's own reply, or None when that one goes out."""
        if self.fault not in INSTEAD:
            return None
        return self._preset() if self.fault in PRESETS else self._own_reply()

    def _preset(self) -> Response:
        """An error that Venice's documents show."""
        preset = PRESETS[self.fault]
        headers = dict(preset.headers)
        if self.fault in RESETS:
            headers |= RESETS[self.fault](self.seconds or DEFAULT_WAIT)
        body = preset.body if self.body is None else self.body
        return JSONResponse(body, preset.status, headers)

    def _own_reply(self) -> Response:
        """A reply that the order, or no Venice at all, made."""
        status = self.status or 200
        if self.fault == "html":
            return Response(CLOUDFLARE, self.status or 502, media_type="text/html; charset=UTF-8")
        if self.fault == "empty":
            return Response(status_code=status, media_type="application/json")
        if self.fault == "broken-json":
            return Response(
                '{"object": "list", "data": [{"id": "a', status, media_type="application/json"
            )
        if self.fault == "bytes":
            return self._large_reply(status)
        body = b"null" if self.own_body is None else self.own_body
        return Response(body, status, media_type=self.content_type or "application/json")

    def _large_reply(self, status: int) -> Response:
        """A body of any size, made while it is sent."""
        kind = self.content_type or "application/octet-stream"
        length = {"content-length": str(self.bytes)}
        return StreamingResponse(
            _filled(self.bytes, kind, self.filling("\0")), status, length, kind
        )

    async def alter(self, response: Response) -> Response:
        """The reply with the fault's status, or with another shape."""
        if self.fault in ALTERED:
            return await alter(self, response)
        if self.fault in RAW:
            response.status_code = self.status or RAW[self.fault].status or response.status_code
        return response

    async def deliver(self, response: Response, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the reply, with what happens to it on its way."""
        wire: Wire = scope["emulator.wire"]
        wire.begin_fault()
        if self.fault in RAW:
            await send_raw(self, response, wire)
        else:
            await self._spoil(response, scope, receive, _Spoiler(self, send, wire))

    async def _spoil(
        self, response: Response, scope: Scope, receive: Receive, spoiler: "_Spoiler"
    ) -> None:
        """Send the reply through what spoils it; a large one just stops when the client is gone."""
        await response(scope, receive, spoiler)
        if not spoiler.done:
            raise ConnectionResetError


class _Spoiler:
    """Passes a reply on, and does to it what the fault says."""

    def __init__(self, fault: Fault, send: Send, wire: Wire) -> None:
        self.fault = fault
        self.send = send
        self.wire = wire
        self.sent = 0
        self.done = False

    async def __call__(self, message: Message) -> None:
        fault = self.fault
        if message["type"] == "http.response.start":
            if fault.fault == "reset":
                await self.wire.reset()
            if fault.fault == "stall" and not fault.bytes:
                await self.wire.pause(fault.seconds)
            await self.send({**message, "headers": self.headers(message["headers"])})
        else:
            await self.pass_on(message["body"], more=message.get("more_body", False))

    def headers(self, headers: list[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
        """The reply's headers, some of them exchanged."""
        new = {
            name.lower(): value
            for name, value in (FLAGS.get(self.fault.fault, {}) | self.fault.headers).items()
        }
        if self.fault.fault == "wrong-content-type":
            new["content-type"] = self.fault.content_type or "text/html"
        kept = [(name, value) for name, value in headers if name.decode() not in new]
        if self.fault.fault == "stream-error":
            kept = [(name, value) for name, value in kept if name != b"content-length"]
        return kept + [(name.encode(), value.encode()) for name, value in new.items()]

    async def pass_on(self, body: bytes, *, more: bool) -> None:
        """Send a part of the body, whole or piece by piece."""
        fault, kind = self.fault, self.fault.fault
        if self.done:
            return
        if kind == "drip":
            step = fault.bytes or 64
            for start in range(0, len(body), step):
                await self.give(body[start : start + step], more=True)
                await self.wire.pause(fault.seconds or 0.05)
            await self.give(b"", more=more)
        elif kind in {
            "reset-midway",
            "stream-error",
            "stall",
        } and 0 <= fault.bytes - self.sent < len(body):
            place = fault.bytes - self.sent
            await self.give(body[:place], more=True)
            if kind == "reset-midway":
                # What was given to the socket must have left before the connection is torn down.
                await self.wire.pause(0.05)
                await self.wire.reset()
            if kind == "stream-error":
                error = {
                    "error": {"message": "Inference processing failed", "type": "server_error"}
                }
                await self.give(
                    b"\n\ndata: " + json.dumps(fault.body or error).encode() + b"\n\n", more=False
                )
                return
            if place or fault.bytes:
                await self.wire.pause(fault.seconds)
            await self.give(body[place:], more=more)
        else:
            await self.give(body, more=more)

    async def give(self, body: bytes, *, more: bool) -> None:
        """Send these bytes as they are.

        The server itself would not tell that nobody takes them any more.
        """
        await self.wire.take_turn()
        self.sent += len(body)
        await self.send({"type": "http.response.body", "body": body, "more_body": more})
        self.done = not more


async def _filled(count: int, kind: str, filling: bytes) -> AsyncIterator[bytes]:
    """So many bytes of a filling; those of a film are in the boxes of one."""
    start = b""
    if kind == "video/mp4":
        boxes = b"\0\0\0\x0cftypmp42" + b"\0\0\0\x08moov"
        start = (boxes + max(count - len(boxes), 0).to_bytes(4) + b"mdat")[:count]
    yield start
    for block in fill(filling, count - len(start)):
        yield block


class Faults:
    """The faults that were ordered and have not happened yet."""

    def __init__(self) -> None:
        self.waiting: list[Fault] = []

    def order(self, wish: Any) -> None:
        """Queue a fault; raise ValueError when there is none like that."""
        if not isinstance(wish, dict) or wish.get("fault") not in NAMES:
            raise ValueError(f"No such fault. There are: {', '.join(NAMES)}.")
        for name, value in wish.items():
            _check_setting(name, value)
        needed = NEEDED.get(wish["fault"])
        if needed and needed not in wish:
            raise ValueError(f"The fault {wish['fault']!r} needs a {needed}.")
        self.waiting.append(Fault(**wish))

    def clear(self) -> None:
        """Forget what was ordered."""
        self.waiting.clear()

    def take(self, method: str, path: str) -> Fault | None:
        """The next fault for such a request, which is thereby used up once."""
        for fault in self.waiting:
            if fnmatchcase(path, fault.path) and fault.method in {"*", method}:
                fault.times -= 1
                if fault.times <= 0:
                    self.waiting.remove(fault)
                return fault
        return None


def _check_setting(name: str, value: Any) -> None:
    """Raise ValueError unless faults have this setting, with values of this type."""
    if name not in Fault.__dataclass_fields__:
        raise ValueError(f"No fault has a field {name}.")
    if name not in ANY_JSON and not isinstance(value, TYPES.get(name, str)):
        raise ValueError(f"{name} is of the wrong type.")
    if name == "content":
        base64.b64decode(value, validate=True)
