"""Chat with a Venice model, streamed: a long answer arrives before any gateway loses patience."""

import json
import time
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
    try:
        for line in takewhile(lambda _: time.monotonic() < _DEADLINE, reply.iter_lines()):
            if not line.startswith("data: {"):
                continue
            event = json.loads(line.removeprefix("data: "))
            if "error" in event:
                raise VeniceError(f"Venice broke off: {_reason(event)}. Try again later.")
            chat["sources"] = (event.get("venice_parameters") or {}).get("web_search_citations") or chat["sources"]
            chat["cost_usd"] = (event.get("cost") or {}).get("usd", chat["cost_usd"])
            for choice in event.get("choices") or []:
                chat["text"] += (choice.get("delta") or {}).get("content") or ""
                chat["ending"] = choice.get("finish_reason") or chat["ending"]
    except (httpx.HTTPError, ValueError):
        chat["ending"] = "cut"
    if not chat["text"].strip():
        raise VeniceError(f"The model said nothing ({chat['ending']}); it may have been charged. Try again later.")
    return chat
