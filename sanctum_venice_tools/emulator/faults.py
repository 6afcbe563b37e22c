"""Faults to order: what a network, a gateway or Venice itself can do to a reply."""

import asyncio
import json
import socket
import struct
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any

from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.types import Message, Send

from sanctum_venice_tools.emulator import errors
from sanctum_venice_tools.emulator.errors import ApiError, standard

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
        429, "Rate limit exceeded", {"x-ratelimit-limit-requests": "20", "x-ratelimit-remaining-requests": "0"}
    ),
    "status-500": standard(500, "Inference processing failed"),
    "status-502": standard(502, "The transcription service failed; please retry."),
    "status-503": standard(503, "The model is at capacity. Please try again later."),
    "status-504": standard(504, "The request took too long to complete and was timed out."),
    "400-issues-only": ApiError(
        400,
        {"error": "Invalid request parameters", "issues": [{"code": "too_big", "maximum": 4096, "path": ["input"]}]},
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
    "401-pro-only": standard(401, "This model is only available to Pro users"),
    "402-no-key": errors.no_credentials("/chat/completions"),
    "402-key-limit": standard(402, "API key USD spend limit exceeded"),
    "402-wallet": ApiError(402, WALLET_BALANCE),
    "403-region": standard(403, "This model is not available in your region."),
    "422-provider": errors.provider_policy("wan-2-7-text-to-video"),
    "422-not-refunded": errors.provider_policy(credits_refunded=False),
    "422-moderation": ApiError(422, {"error": "Content policy violation", "credits_refunded": True}),
    "429-overloaded": standard(429, "The model is overloaded. Please try again later."),
}

# A 429 tells in different ways when to come again: in `seconds`, or at the moment that they lead to. Venice's
# guide says seconds for tokens and a moment for requests; venice-py has seen milliseconds for both.
RESETS: dict[str, Callable[[float], dict[str, str]]] = {
    "429-requests": lambda seconds: {
        "x-ratelimit-remaining-requests": "0",
        "x-ratelimit-reset-requests": str(round(time.time() + seconds)),
    },
    "429-tokens": lambda seconds: {
        "x-ratelimit-remaining-tokens": "0",
        "x-ratelimit-reset-tokens": str(round(seconds)),
    },
    "429-milliseconds": lambda seconds: {
        "x-ratelimit-remaining-requests": "0",
        "x-ratelimit-reset-requests": str(round((time.time() + seconds) * 1000)),
    },
    "429-retry-after": lambda seconds: {"retry-after": str(round(seconds))},
}
PRESETS |= dict.fromkeys(RESETS, standard(429, "Rate limit exceeded"))

# Headers that go with a reply that is otherwise a good one.
FLAGS = {
    "blurred": {"x-venice-is-blurred": "true"},
    "content-violation": {"x-venice-is-content-violation": "true"},
    "adult-violation": {"x-venice-is-adult-model-content-violation": "true"},
    "contains-minor": {"x-venice-contains-minor": "true"},
}

# What happens to the reply on its way.
ON_THE_WAY = ("headers", "wrong-content-type", "reset", "reset-midway", "stall", "drip", "stream-error", *FLAGS)
INSTEAD = ("status", "html", "empty", "broken-json", "bytes", *PRESETS)
NAMES = (*INSTEAD, *ON_THE_WAY)


@dataclass
class Fault:
    """One fault that waits for the next requests to its path."""

    fault: str
    path: str = "*"
    method: str = "*"
    times: int = 1
    status: int = 0
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    content_type: str = ""
    bytes: int = 0
    seconds: float = 0

    def reply(self) -> Response | None:
        """What is sent instead of Venice's own reply, or None when that one goes out."""
        if self.fault in ON_THE_WAY:
            return None
        if self.fault == "html":
            reply = Response(CLOUDFLARE, self.status or 502, media_type="text/html; charset=UTF-8")
        elif self.fault == "empty":
            reply = Response(status_code=self.status or 200, media_type="application/json")
        elif self.fault == "broken-json":
            reply = Response('{"object": "list", "data": [{"id": "a', self.status or 200, media_type="application/json")
        elif self.fault == "bytes":
            kind = self.content_type or "application/octet-stream"
            reply = StreamingResponse(
                _zeros(self.bytes, kind), self.status or 200, {"content-length": str(self.bytes)}, kind
            )
        elif self.fault == "status":
            text = self.body if isinstance(self.body, str) else json.dumps(self.body)
            reply = Response(text, self.status, media_type=self.content_type or "application/json")
        else:
            preset = PRESETS[self.fault]
            headers = preset.headers | (
                RESETS[self.fault](self.seconds or DEFAULT_WAIT) if self.fault in RESETS else {}
            )
            reply = JSONResponse(preset.body if self.body is None else self.body, preset.status, headers)
        for name, value in self.headers.items():
            reply.headers[name] = value
        return reply

    def spoil(self, send: Send, transport: asyncio.Transport) -> Send:
        """Send, with what happens to the reply on its way."""
        if self.fault not in ON_THE_WAY:
            return send
        return _Spoiler(self, send, transport)


class _Spoiler:
    """Passes a reply on, and does to it what the fault says."""

    def __init__(self, fault: Fault, send: Send, transport: asyncio.Transport) -> None:
        self.fault = fault
        self.send = send
        self.transport = transport
        self.sent = 0
        self.done = False

    async def __call__(self, message: Message) -> None:
        fault = self.fault
        if message["type"] == "http.response.start":
            if fault.fault == "reset":
                await self.reset()
            if fault.fault == "stall" and not fault.bytes:
                await asyncio.sleep(fault.seconds)
            await self.send({**message, "headers": self.headers(message["headers"])})
        else:
            await self.pass_on(message["body"], more=message.get("more_body", False))

    def headers(self, headers: list[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
        """The reply's headers, some of them exchanged."""
        new = {name.lower(): value for name, value in (FLAGS.get(self.fault.fault, {}) | self.fault.headers).items()}
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
                await asyncio.sleep(fault.seconds or 0.05)
            await self.give(b"", more=more)
        elif kind in {"reset-midway", "stream-error", "stall"} and 0 <= fault.bytes - self.sent < len(body):
            place = fault.bytes - self.sent
            await self.give(body[:place], more=True)
            if kind == "reset-midway":
                # What was given to the socket must have left before the connection is torn down.
                await asyncio.sleep(0.05)
                await self.reset()
            if kind == "stream-error":
                self.done = True
                error = {"error": {"message": "Inference processing failed", "type": "server_error"}}
                await self.give(b"\n\ndata: " + json.dumps(fault.body or error).encode() + b"\n\n", more=False)
                return
            if place or fault.bytes:
                await asyncio.sleep(fault.seconds)
            await self.give(body[place:], more=more)
        else:
            await self.give(body, more=more)

    async def give(self, body: bytes, *, more: bool) -> None:
        """Send these bytes as they are."""
        self.sent += len(body)
        await self.send({"type": "http.response.body", "body": body, "more_body": more})

    async def reset(self) -> None:
        """Tear the connection down so that the other side sees a reset, not an end."""
        connection: socket.socket = self.transport.get_extra_info("socket")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.transport.abort()
        await asyncio.sleep(0.01)
        raise ConnectionResetError


async def _zeros(count: int, kind: str) -> AsyncIterator[bytes]:
    """That many zero bytes, never many of them at once in memory; a film has its usual beginning."""
    start = b"\0\0\0\x0cftypmp42"[:count] if kind == "video/mp4" else b""
    yield start
    block = bytes(65536)
    for place in range(len(start), count, len(block)):
        yield block[: count - place]


class Faults:
    """The faults that were ordered and have not happened yet."""

    def __init__(self) -> None:
        self.waiting: list[Fault] = []

    def order(self, wish: Any) -> None:
        """Queue a fault; raise ValueError when there is none like that."""
        if not isinstance(wish, dict) or wish.get("fault") not in NAMES:
            raise ValueError(f"No such fault. There are: {', '.join(NAMES)}.")
        kinds = {"times": int, "status": int, "bytes": int, "seconds": int | float, "headers": dict}
        for name, value in wish.items():
            if name not in Fault.__dataclass_fields__:
                raise ValueError(f"No fault has a field {name}.")
            if name != "body" and not isinstance(value, kinds.get(name, str)):
                raise ValueError(f"{name} is of the wrong type.")
        fault = Fault(**wish)
        if fault.fault == "status" and not fault.status:
            raise ValueError("The fault 'status' needs a status.")
        self.waiting.append(fault)

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
