"""Chat with a Venice model, streamed: a long answer arrives before any gateway loses patience."""

import json
import time
from collections.abc import Iterator
from contextlib import suppress
from itertools import takewhile
from typing import Any

import httpx

from sanctum_venice_tools.runtime.venice import _DEADLINE, VeniceError, _reason, _send


def _chat(body: dict[str, Any]) -> dict[str, Any]:
    """Stream one chat completion and gather it: text, ending, sources, cost_usd.

    When it breaks off or time is up, what was said so far is kept, and its ending is "cut".
    """
    body = {**body, "stream": True, "stream_options": {"include_usage": True}}
    reply = _send("POST", "/chat/completions", json=body)
    chat: dict[str, Any] = {"text": "", "ending": "cut", "sources": [], "cost_usd": None}
    fault = "no reason given"
    with suppress(httpx.HTTPError, ValueError):
        for line in _lines(reply):
            if not line.startswith(b"data:") or not line.endswith(b"}"):
                continue
            event = json.loads(line.removeprefix(b"data:"))
            if event.get("error"):
                fault = _reason(event)
                break
            chat["sources"] = (event.get("venice_parameters") or {}).get("web_search_citations") or chat["sources"]
            chat["cost_usd"] = (event.get("cost") or {}).get("usd", chat["cost_usd"])
            for choice in event.get("choices") or []:
                chat["text"] += (choice.get("delta") or {}).get("content") or ""
                chat["ending"] = choice.get("finish_reason") or chat["ending"]
    if not chat["text"].strip():
        raise VeniceError(f"The model said nothing ({chat['ending']}, {fault}); it may be charged. Try again later.")
    return chat


def _lines(reply: httpx.Response) -> Iterator[bytes]:
    """The lines of a stream, as far as they come in time; only a line feed ends one, not all that Unicode lists."""
    rest = b""
    for part in takewhile(lambda _: time.monotonic() < _DEADLINE, reply.iter_bytes()):
        *lines, rest = (rest + part).split(b"\n")
        yield from (line.strip() for line in lines)
