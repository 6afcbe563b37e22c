"""Pictures that a person attached to a message, read from the Letta server that has the conversation."""

import base64
import os
import re
import time
from typing import Any

import httpx

from sanctum_venice_tools.runtime.replies import _object_of, _objects_in, _parse_reply, _text_of
from sanctum_venice_tools.runtime.unpacking import _unpacked
from sanctum_venice_tools.runtime.venice import (
    _DEADLINE,
    _HTTP_ADDRESS,
    _MEGABYTE,
    VeniceError,
    _guard_connection,
)

# attached, attached:2
_ATTACHED = re.compile(r"\s*attached(?:\s*:\s*([1-9]\d?))?\s*", re.ASCII | re.IGNORECASE)

# How many of the latest messages are asked for: few at first, for each may carry megabytes.
_LATEST = (10, 100)
_MOST_OF_MESSAGES = 256 * _MEGABYTE

_OR_ELSE = "Or give a stored file or a public URL."


def _is_attached(reference: str) -> bool:
    """Whether a reference means a picture that the person attached."""
    return _ATTACHED.fullmatch(reference) is not None


def _read_attached(reference: str) -> bytes:
    """The picture that the person attached last, or the one so many before it."""
    found = _ATTACHED.fullmatch(reference)
    wanted = int((found and found[1]) or 1)
    pictures: list[str] = []
    for latest in _LATEST:
        pictures = _pictures_in(_latest_messages(latest))
        if len(pictures) >= wanted:
            return base64.b64decode(pictures[wanted - 1], validate=True)
    had = f"only {len(pictures)}" if pictures else "no picture"
    told = f"The person attached {had} to the last {_LATEST[-1]} messages"
    raise VeniceError(f"{told}. Ask for it. {_OR_ELSE}")


def _pictures_in(messages: list[dict[str, Any]]) -> list[str]:
    """The pictures of the person's messages in base64, the latest first."""
    pictures = []
    for message in messages:
        if message.get("message_type") != "user_message":
            continue
        for part in reversed(_objects_in(message.get("content"))):
            source = _object_of(part.get("source"))
            encoded = _text_of(source.get("data"))
            if encoded:
                pictures.append(encoded)
    return pictures


def _latest_messages(count: int) -> list[dict[str, Any]]:
    """So many of the agent's messages, the latest first."""
    agent = os.environ.get("LETTA_AGENT_ID", "").strip()
    if not agent:
        raise VeniceError(f"There is no conversation here that could have a picture. {_OR_ELSE}")
    query = {"limit": count, "order": "desc"}
    told = _ask_letta(f"/v1/agents/{agent}/messages", query)
    messages = _objects_in(told)
    # Letta 0.16.8 gives the latest messages, as it is asked, but the oldest of these first.
    if messages and _text_of(messages[0].get("date")) <= _text_of(messages[-1].get("date")):
        messages.reverse()
    return messages


def _ask_letta(path: str, query: dict[str, Any]) -> Any:
    """What the Letta server answers to a question."""
    address = os.environ.get("LETTA_BASE_URL", "").strip().rstrip("/").removesuffix("/v1")
    if not _HTTP_ADDRESS.fullmatch(address):
        needed = "LETTA_BASE_URL (and LETTA_API_KEY, if the server asks for one)"
        advice = f"Ask the operator to set {needed} as a secret of this agent"
        raise VeniceError(f"Attached pictures can't be read here. {advice}. {_OR_ELSE}")
    key = os.environ.get("LETTA_API_KEY", "").strip()
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    client = httpx.Client(headers={**headers, "Accept-Encoding": "gzip"}, timeout=30)
    extensions = {"trace": _guard_connection}
    content = bytearray()
    try:
        with (
            client,
            client.stream("GET", address + path, params=query, extensions=extensions) as reply,
        ):
            for piece in _unpacked(reply):
                content += piece
                if len(content) > _MOST_OF_MESSAGES or time.monotonic() > _DEADLINE:
                    raise VeniceError(
                        f"The latest messages are too large to look through. {_OR_ELSE}"
                    )
    except (httpx.HTTPError, httpx.InvalidURL, UnicodeError):
        told = "The Letta server does not answer the tools at LETTA_BASE_URL"
        raise VeniceError(f"{told}. Ask the operator to check it. {_OR_ELSE}") from None
    if not reply.is_success:
        told = f"The Letta server refuses to show this conversation ({reply.status_code})"
        advice = "Ask the operator to check LETTA_BASE_URL and LETTA_API_KEY"
        raise VeniceError(f"{told}. {advice}. {_OR_ELSE}")
    return _parse_reply(bytes(content))
