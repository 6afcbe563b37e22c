"""Chat with a Venice model, streamed: a long answer arrives before any gateway loses patience."""

import base64
import json
import mimetypes
import re
import time
from collections.abc import Iterator
from contextlib import suppress
from itertools import takewhile
from pathlib import Path
from typing import Any

import httpx

from sanctum_venice_tools.runtime.intake import _stored_file
from sanctum_venice_tools.runtime.venice import _DEADLINE, VeniceError, _reason, _send


def _chat(body: dict[str, Any]) -> dict[str, Any]:
    """Stream one chat completion and gather it: answers (text, ending, calls), sources, usage, cost_usd.

    When it breaks off or time is up, what was said so far is kept, and its ending is "cut".
    """
    body = {**body, "stream": True, "stream_options": {"include_usage": True}}
    reply = _send("POST", "/chat/completions", json=body)
    answers: list[dict[str, Any]] = [{"text": "", "ending": "cut", "calls": {}} for _ in range(body.get("n", 1))]
    chat: dict[str, Any] = {"answers": answers, "sources": [], "usage": {}, "cost_usd": None}
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
            chat["usage"] = event.get("usage") or chat["usage"]
            chat["cost_usd"] = (event.get("cost") or {}).get("usd", chat["cost_usd"])
            for choice in event.get("choices") or []:
                _gather(answers[choice.get("index", 0) % len(answers)], choice)
    if not any(answer["text"].strip() or (answer["calls"] and body.get("tools")) for answer in answers):
        why = f"{answers[0]['ending']}, {fault}"
        raise VeniceError(f"The model said nothing ({why}); it may be charged. Try again later.")
    return chat


def _gather(answer: dict[str, Any], choice: dict[str, Any]) -> None:
    """Add a piece of a stream to its answer; a call of a tool comes in pieces too."""
    delta = choice.get("delta") or {}
    answer["text"] += delta.get("content") or ""
    answer["ending"] = choice.get("finish_reason") or answer["ending"]
    for piece in delta.get("tool_calls") or []:
        empty = {"id": "", "type": "function", "function": {"name": "", "arguments": ""}}
        call = answer["calls"].setdefault(piece.get("index", 0), empty)
        call["id"] = piece.get("id") or call["id"]
        for name, said in (piece.get("function") or {}).items():
            call["function"][name] = call["function"].get(name, "") + (said or "")


def _lines(reply: httpx.Response) -> Iterator[bytes]:
    """The lines of a stream, as far as they come in time; only a line feed ends one, not all that Unicode lists."""
    rest = b""
    for part in takewhile(lambda _: time.monotonic() < _DEADLINE, reply.iter_bytes()):
        *lines, rest = (rest + part).split(b"\n")
        yield from (line.strip() for line in lines)


def _attach(reference: str, kind: str) -> dict[str, Any]:
    """A picture ("image_url") or document ("file") as a part of a message; a stored one goes along as base64."""
    url, name = reference.strip(), Path(reference[:999].partition("?")[0]).name[-100:]
    if not re.match(r"(?i)https?://[^\s/]|data:[^,]+;base64,.", url):
        path = _stored_file(url)
        form = mimetypes.guess_type(path.name, strict=False)[0] or "application/octet-stream"
        url, name = f"data:{form};base64,{base64.b64encode(path.read_bytes()).decode()}", path.name
    if len(url) > 35_000_000:
        raise VeniceError(f"{name!r} has more than 25 MB, which is the limit. Give another.")
    return {"type": kind, kind: {"url": url} if kind == "image_url" else {"file_data": url, "filename": name}}


def _parse(text: str) -> Any:
    """The JSON that a text is; None when it is none."""
    with suppress(ValueError, RecursionError):
        return json.loads(text)
    return None
