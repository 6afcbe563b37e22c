"""Chat with a Venice model, streamed: a long answer arrives before any gateway loses patience."""

import base64
import mimetypes
import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from sanctum_venice_tools.runtime.formats import _format_of, _untaken
from sanctum_venice_tools.runtime.intake import _read_local, _stored_file
from sanctum_venice_tools.runtime.public import _is_for_venice
from sanctum_venice_tools.runtime.replies import _list_of, _number_of, _object_of, _objects_in, _parse_reply, _text_of
from sanctum_venice_tools.runtime.venice import _CHARGED, _MOST_OF_JSON, VeniceError, _pieces, _read, _reason, _send

_FILTERED = (
    "The model refused, or a filter of its maker stopped it (content_filter): put it otherwise, or use another model."
)


@dataclass
class _Said:
    """One answer of a model, as it grows."""

    text: str = ""
    ending: str = "cut"
    """Why it ended, in Venice's words; "cut" when it broke off, or time was up."""
    calls: dict[int, dict[str, Any]] = field(default_factory=dict)
    has_thought: bool = False


@dataclass
class _Chat:
    """What came of a chat: an answer or several, and what was said beside them."""

    answers: list[_Said]
    sources: list[dict[str, Any]] = field(default_factory=list)
    usage: dict[str, Any] = field(default_factory=dict)
    cost_usd: float | None = None
    fault: str = "no reason given"


def _chat(body: dict[str, Any]) -> _Chat:
    """Stream one chat completion and gather it; when it breaks off, what was said so far is kept."""
    body = {**body, "stream": True, "stream_options": {"include_usage": True}}
    reply = _send("POST", "/chat/completions", json=body)
    chat = _Chat([_Said() for _ in range(body.get("n", 1))])
    for event in _events(reply):
        if event.get("error"):
            chat.fault = _reason(event)
            break
        _gather(chat, event)
    for answer in chat.answers:
        # What a model thinks is no part of what it says.
        answer.text = re.sub(r"\A\s*<think>.*?(</think>\s*|\Z)", "", answer.text, flags=re.DOTALL)
    if not any(answer.text.strip() or (answer.calls and body.get("tools")) for answer in chat.answers):
        raise VeniceError(_silence(chat))
    return chat


def _tell_cut(ending: str, advice: str) -> list[str]:
    """What to note of an answer that stopped before its end; nothing, if it did not."""
    if ending == "content_filter":
        return [_FILTERED]
    return [advice] if ending in ("cut", "length") else []


def _silence(chat: _Chat) -> str:
    """What to say of a model that said nothing."""
    ending = chat.answers[0].ending
    if ending == "content_filter" or "content_filter" in chat.fault:
        return f"The model said nothing; it may be charged. {_FILTERED}"
    if chat.answers[0].has_thought and ending in ("stop", "length", "cut"):
        return (
            f"The model spent all on thinking and said nothing ({ending}); it is charged. "
            "Raise max_tokens, lower reasoning_effort in options, or use another model."
        )
    return f"The model said nothing ({ending}, {chat.fault}); {_CHARGED}"


def _gather(chat: _Chat, event: dict[str, Any]) -> None:
    """Add what a piece of a stream holds, or the whole of an answer that came in one piece."""
    parameters, usage, cost = (_object_of(event.get(name)) for name in ("venice_parameters", "usage", "cost"))
    sources = parameters.get("web_search_citations")
    if _list_of(sources):
        chat.sources = _objects_in(sources)
    chat.usage = usage or chat.usage
    usd = _number_of(cost.get("usd"))
    chat.cost_usd = chat.cost_usd if usd is None else usd
    for choice in _objects_in(event.get("choices")):
        index = choice.get("index")
        place = index if isinstance(index, int) else 0
        _extend(chat.answers[place % len(chat.answers)], choice)


def _extend(answer: _Said, choice: dict[str, Any]) -> None:
    """Add a piece to its answer; a call of a tool comes in pieces too."""
    piece = _object_of(choice.get("delta")) or _object_of(choice.get("message"))
    answer.text += _content_of(piece)
    answer.has_thought = answer.has_thought or bool(piece.get("reasoning_content"))
    if isinstance(choice.get("finish_reason"), str):
        answer.ending = choice["finish_reason"]
    for part in _objects_in(piece.get("tool_calls")):
        _extend_call(answer, part)


def _extend_call(answer: _Said, part: dict[str, Any]) -> None:
    """Add a piece to the call of a tool that it belongs to."""
    index = part.get("index")
    empty = {"id": "", "type": "function", "function": {"name": "", "arguments": ""}}
    call = answer.calls.setdefault(index if isinstance(index, int) else len(answer.calls), empty)
    call["id"] = _text_of(part.get("id")) or call["id"]
    for name, said in _object_of(part.get("function")).items():
        call["function"][name] = call["function"].get(name, "") + _text_of(said)


def _content_of(piece: dict[str, Any]) -> str:
    """The text of a message: a text, or a list of parts of which some are texts."""
    content = piece.get("content")
    parts = content if isinstance(content, list) else [content]
    return "".join(_text_of(part) or _text_of(_object_of(part).get("text")) for part in parts)


def _events(reply: httpx.Response) -> Iterator[dict[str, Any]]:
    """The events of a stream, as far as they come; or the one object that came in its place."""
    is_stream = "application/json" not in reply.headers.get("content-type", "").lower()
    with suppress(VeniceError):
        for line in _lines(reply) if is_stream else [_read(reply)]:
            if is_stream and not line.startswith(b"data:"):
                continue
            event = _parse_reply(line.removeprefix(b"data:"))
            if isinstance(event, dict):
                yield event


def _lines(reply: httpx.Response) -> Iterator[bytes]:
    """The lines of a stream; only a line feed ends one, not all that Unicode lists."""
    rest = b""
    for piece in _pieces(reply, _MOST_OF_JSON):
        *lines, rest = (rest + piece).split(b"\n")
        yield from lines
    yield rest


# What a model looks at, by the kind of its part in a message: how its media types begin, and what is taken of it.
_LOOKED_AT = {
    "image_url": ("image/", "picture", "Give a PNG, JPEG or WebP."),
    "video_url": ("video/", "film", "Give an MP4, MOV or WebM."),
}


def _attach(reference: str, kind: str) -> dict[str, Any]:
    """A picture ("image_url"), film ("video_url") or document ("file") as a part of a message.

    A stored one goes along as base64.
    """
    url, name = reference.strip(), Path(reference[:999].partition("?")[0]).name[-100:]
    if not _is_for_venice(url) and not re.match(r"(?i)data:[^,]+;base64,.", url):
        name = _stored_file(url).name
        content = _read_local(url, most_mb=25)
        media_type = _type_to_attach(name, content[:100], kind)
        url = f"data:{media_type};base64,{base64.b64encode(content).decode()}"
    if len(url) > 35_000_000:
        raise VeniceError(f"{name!r} has more than 25 MB, which is the limit. Give another.")
    return {"type": kind, kind: {"url": url} if kind in _LOOKED_AT else {"file_data": url, "filename": name}}


def _type_to_attach(name: str, start: bytes, kind: str) -> str:
    """The media type of a file, by its first bytes or else its name; an error if no model takes it."""
    form = _format_of(start)
    guessed = mimetypes.guess_type(name, strict=False)[0]
    media_type = form.media_type if form else guessed or "application/octet-stream"
    advice = _untaken(start, name)
    if kind in _LOOKED_AT:
        beginning, what, taken = _LOOKED_AT[kind]
        if advice or not media_type.startswith(beginning):
            raise VeniceError(f"{name[:60]!r} is no {what}. {advice or taken}")
    if advice:
        raise VeniceError(f"{name[:60]!r} can't be read. {advice}")
    return media_type
