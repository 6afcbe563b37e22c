"""Pictures that a person attached to a message, as the Letta server recorded them for the model.

A turn's messages are stored when the turn is over, so the one that came with the wish is not among
them yet. But before a tool runs, the server has recorded what it sent to the agent's model (the
trace of a step, Letta 0.16.8), and there the message stands with its pictures.
"""

import base64
import os
import re
import time
from collections.abc import Iterator
from typing import Any

import httpx

from sanctum_venice_tools.runtime.replies import _object_of, _objects_in, _parse_reply, _text_of
from sanctum_venice_tools.runtime.unpacking import _unpacked
from sanctum_venice_tools.runtime.venice import (
    _BAD_PROXY,
    _DEADLINE,
    _MEGABYTE,
    VeniceError,
    _guard_connection,
    _http_url,
    _open_client,
)

# attached, attached:2
_ATTACHED = re.compile(r"\s*attached(?:\s*:\s*([1-9]\d?))?\s*", re.ASCII | re.IGNORECASE)

# After a person has approved a call, the model was asked in a run before.
_RUNS = 5

_MOST_OF_TRACE = 256 * _MEGABYTE

# Where the makers of models have the turns of a conversation: chat completions and Anthropic,
# OpenAI's responses, Google.
_TURNS = ("messages", "input", "contents")

_OR_ELSE = "Or give a stored file or a public URL."


def _is_attached(reference: str) -> bool:
    """Whether a reference means a picture that the person attached."""
    return _ATTACHED.fullmatch(reference) is not None


def _read_attached(reference: str) -> bytes:
    """The picture that the person attached last, or the one so many before it."""
    found = _ATTACHED.fullmatch(reference)
    wanted = int((found and found[1]) or 1)
    pictures = _pictures_of_person(_last_request())
    if wanted > len(pictures):
        told = f"Attached pictures that you see in this conversation: {len(pictures)}"
        raise VeniceError(f"{told}. Ask the person for the picture. {_OR_ELSE}")
    return base64.b64decode(pictures[-wanted], validate=True)


def _pictures_of_person(request: dict[str, Any]) -> list[str]:
    """The pictures in the person's messages, in base64, as a request to a model has them."""
    pictures: list[str] = []
    for name in _TURNS:
        for turn in _objects_in(request.get(name)):
            if turn.get("role") == "user":
                pictures += _pictures_in(turn)
    return pictures


def _pictures_in(node: Any) -> Iterator[str]:
    """The pictures in a message, in base64, in whatever form the maker of a model has them."""
    if isinstance(node, str):
        if node.startswith("data:image/"):
            yield node.partition(",")[2]
    elif isinstance(node, list):
        for part in node:
            yield from _pictures_in(part)
    elif isinstance(node, dict) and node.get("type") != "tool_result":
        kind = _text_of(node.get("media_type")) or _text_of(node.get("mime_type"))
        if kind.startswith("image/"):
            yield _text_of(node.get("data"))
        else:
            for part in node.values():
                yield from _pictures_in(part)


def _last_request() -> dict[str, Any]:
    """What the agent's model was sent last."""
    agent = os.environ.get("LETTA_AGENT_ID", "").strip()
    if not agent:
        raise VeniceError(f"There is no conversation here that could have a picture. {_OR_ELSE}")
    runs = _objects_in(_ask_letta("/v1/runs/", agent_id=agent, limit=_RUNS))
    for run in runs:  # the latest first, and their steps likewise
        for step in _objects_in(_ask_letta(f"/v1/runs/{run.get('id')}/steps", limit=1)):
            trace = _object_of(_ask_letta(f"/v1/steps/{step.get('id')}/trace"))
            request = _object_of(trace.get("request_json"))
            if request:
                return request
    why = "The Letta server does not record what it sends to models"
    told = f"{why}, so attached pictures can't be read"
    raise VeniceError(f"{told}. Ask the person for a URL. {_OR_ELSE}")


def _ask_letta(path: str, **query: Any) -> Any:
    """What the Letta server answers to a question."""
    address = os.environ.get("LETTA_BASE_URL", "").strip().rstrip("/").removesuffix("/v1")
    if not _http_url(address):
        needed = "LETTA_BASE_URL (and LETTA_API_KEY, if the server asks for one)"
        advice = f"Ask the operator to set {needed} as a secret of this agent"
        raise VeniceError(f"Attached pictures can't be read here. {advice}. {_OR_ELSE}")
    key = os.environ.get("LETTA_API_KEY", "").strip()
    if not (key.isascii() and key.isprintable()):
        told = "LETTA_API_KEY holds characters that no key has"
        raise VeniceError(f"{told}. Ask the operator to correct it. {_OR_ELSE}")
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    client = _open_client(headers={**headers, "Accept-Encoding": "gzip"}, timeout=30)
    extensions = {"trace": _guard_connection}
    try:
        with (
            client,
            client.stream("GET", address + path, params=query, extensions=extensions) as reply,
        ):
            content = _read_trace(reply)
    except (httpx.HTTPError, httpx.InvalidURL, *_BAD_PROXY):
        told = "The Letta server does not answer the tools at LETTA_BASE_URL"
        raise VeniceError(f"{told}. Ask the operator to check it. {_OR_ELSE}") from None
    if not reply.is_success:
        told = f"The Letta server refuses to show this conversation ({reply.status_code})"
        advice = "Ask the operator to check LETTA_BASE_URL and LETTA_API_KEY"
        raise VeniceError(f"{told}. {advice}. {_OR_ELSE}")
    return _parse_reply(content)


def _read_trace(reply: httpx.Response) -> bytes:
    """What the Letta server sends, if it comes in time and is not too large."""
    content = bytearray()
    for piece in _unpacked(reply):
        content += piece
        if len(content) > _MOST_OF_TRACE or time.monotonic() > _DEADLINE:
            raise VeniceError(f"This conversation is too large to be looked through. {_OR_ELSE}")
    return bytes(content)
