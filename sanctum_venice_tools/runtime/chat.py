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
from sanctum_venice_tools.runtime.intake import _is_data_url, _read_local
from sanctum_venice_tools.runtime.public import _is_for_venice
from sanctum_venice_tools.runtime.replies import (
    _list_of,
    _number_of,
    _object_of,
    _objects_in,
    _parse_reply,
    _text_of,
)
from sanctum_venice_tools.runtime.venice import (
    _CHARGED,
    _MOST_OF_JSON,
    VeniceError,
    _pieces,
    _read,
    _reason,
    _send,
)

_FILTERED = (
    "The model refused, or a filter of its maker stopped it (content_filter): "
    "put it otherwise, or use another model."
)

# What a model thinks, at the beginning of its answer: <think>They ask of foxes.</think>
# It may break off in the middle of that.
_THOUGHT = re.compile(r"\A\s*<think>.*?(</think>\s*|\Z)", re.DOTALL)


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
    fault: str = ""
    """Why Venice broke it off, in Venice's words; nothing, if it did not."""
    is_whole: bool = False
    """Whether all of it came; sources and costs come after the answers."""


def _chat(body: dict[str, Any], *, when_only_thought: str = "Use another model.") -> _Chat:
    """Stream one chat completion and gather it; when it breaks off, what was said is kept.

    `when_only_thought` is what to do about a model that spent all on thinking.
    """
    body = {**body, "stream": True, "stream_options": {"include_usage": True}}
    reply = _send("POST", "/chat/completions", json=body)
    chat = _Chat([_Said() for _ in range(body.get("n", 1))])
    with suppress(VeniceError):
        _gather_all(chat, reply)
    for answer in chat.answers:
        _take_thought_out(answer)

    has_tools = bool(body.get("tools"))
    if not any(_says_something(answer, has_tools) for answer in chat.answers):
        raise VeniceError(_silence(chat, when_only_thought))
    return chat


def _take_thought_out(answer: _Said) -> None:
    """Leave of an answer what is said after the thought that it begins with, if it does."""
    thought = _THOUGHT.match(answer.text)
    if thought:
        answer.has_thought = True
        answer.text = answer.text[thought.end() :]


def _says_something(answer: _Said, has_tools: bool) -> bool:
    """Whether an answer has words, or calls a tool where there are any."""
    return bool(answer.text.strip()) or (has_tools and bool(answer.calls))


def _tell_cut(ending: str, fault: str, advice: str) -> list[str]:
    """What to note of an answer that stopped before its end; nothing, if it did not.

    The advice is for one that was only too long, or whose connection broke.
    """
    if ending in ("stop", "tool_calls"):
        return []
    was_broken_off = ending == "cut" and bool(fault)
    if ending == "content_filter" or (was_broken_off and _is_filtered(fault)):
        return [_tell_filtered(fault)]
    if was_broken_off:
        what = f"The answer broke off, for Venice failed: {fault:.160}"
        return [f"{what}. What was said is paid: try again later, or use another model."]
    return [advice]


def _is_filtered(fault: str) -> bool:
    """Whether a fault in a stream is that of a filter."""
    return "content_filter" in fault or "content_blocked" in fault


def _tell_filtered(fault: str) -> str:
    """What to say of an answer that a filter stopped, with Venice's own words, if there are any."""
    return f"{_FILTERED} Venice says: {fault:.160}." if fault else _FILTERED


def _silence(chat: _Chat, when_only_thought: str) -> str:
    """What to say of a model that said nothing."""
    first = chat.answers[0]
    ending = first.ending
    if ending == "content_filter" or _is_filtered(chat.fault):
        return f"The model said nothing; it may be charged. {_tell_filtered(chat.fault)}"
    if first.has_thought and ending in ("stop", "length", "cut") and not chat.fault:
        return (
            f"The model spent all on thinking and said nothing ({ending}); it is charged. "
            f"{when_only_thought}"
        )
    return f"The model said nothing ({ending}, {chat.fault or 'no reason given'}); {_CHARGED}"


def _gather_all(chat: _Chat, reply: httpx.Response) -> None:
    """Add what a reply holds, event by event, until it ends or Venice breaks it off."""
    for event in _events(reply):
        if event.get("error"):
            chat.fault = _reason(event)
            return
        _gather(chat, event)
    chat.is_whole = True


def _gather(chat: _Chat, event: dict[str, Any]) -> None:
    """Add what a piece of a stream holds, or the whole of an answer that came in one piece."""
    parameters = _object_of(event.get("venice_parameters"))
    sources = _list_of(parameters.get("web_search_citations"))
    if sources:
        chat.sources = _objects_in(sources)

    usage = _object_of(event.get("usage"))
    if usage:
        chat.usage = usage

    cost = _object_of(event.get("cost"))
    usd = _number_of(cost.get("usd"))
    if usd is not None:
        chat.cost_usd = usd

    for choice in _objects_in(event.get("choices")):
        index = choice.get("index")
        place = index if isinstance(index, int) else 0
        answer = chat.answers[place % len(chat.answers)]
        _extend(answer, choice)


def _extend(answer: _Said, choice: dict[str, Any]) -> None:
    """Add a piece to its answer; a call of a tool comes in pieces too."""
    piece = _object_of(choice.get("delta")) or _object_of(choice.get("message"))
    answer.text += _content_of(piece)
    if piece.get("reasoning_content"):
        answer.has_thought = True
    answer.ending = _text_of(choice.get("finish_reason")) or answer.ending
    for part in _objects_in(piece.get("tool_calls")):
        _extend_call(answer, part)


def _extend_call(answer: _Said, part: dict[str, Any]) -> None:
    """Add a piece to the call of a tool that it belongs to."""
    index = part.get("index")
    place = index if isinstance(index, int) else len(answer.calls)
    empty = {"id": "", "type": "function", "function": {"name": "", "arguments": ""}}
    call = answer.calls.setdefault(place, empty)
    call["id"] = _text_of(part.get("id")) or call["id"]

    function = call["function"]
    for name, said in _object_of(part.get("function")).items():
        before = function.get(name, "")
        function[name] = before + _text_of(said)


def _content_of(piece: dict[str, Any]) -> str:
    """The text of a message: a text, or a list of parts of which some are texts."""
    content = piece.get("content")
    parts = content if isinstance(content, list) else [content]
    text = ""
    for part in parts:
        text += _text_of(part) or _text_of(_object_of(part).get("text"))
    return text


def _events(reply: httpx.Response) -> Iterator[dict[str, Any]]:
    """The events of a stream, or the one object that came in its place."""
    content_type = reply.headers.get("content-type", "").lower()
    is_stream = "application/json" not in content_type
    texts = _data_in(reply) if is_stream else [_read(reply)]
    for text in texts:
        event = _parse_reply(text)
        if isinstance(event, dict):
            yield event


def _data_in(reply: httpx.Response) -> Iterator[bytes]:
    """What stands behind "data:" in the lines of a stream; other lines only keep it awake."""
    for line in _lines(reply):
        if line.startswith(b"data:"):
            yield line.removeprefix(b"data:")


def _lines(reply: httpx.Response) -> Iterator[bytes]:
    """The lines of a stream; only a line feed ends one, not all that Unicode lists."""
    begun = bytearray()
    for piece in _pieces(reply, _MOST_OF_JSON):
        end, *others = piece.split(b"\n")
        begun += end
        for line in others:
            yield bytes(begun)
            begun = bytearray(line)
    yield bytes(begun)


# Beyond this, a file in base64 has more than 25 MB.
_LONGEST_DATA_URL = 35_000_000

# A file within its address, such as data:image/png;base64,iVBOR
_DATA_URL = re.compile(r"data:[^,]+;base64,.", re.IGNORECASE)


@dataclass(frozen=True)
class _Sight:
    """Something that a model looks at, rather than reads."""

    media_type: str
    """How its media types begin."""
    name: str
    advice: str
    """What to give when it is something else."""


# By the kind of its part in a message.
_LOOKED_AT = {
    "image_url": _Sight("image/", "picture", "Give a PNG, JPEG or WebP."),
    "video_url": _Sight("video/", "film", "Give an MP4, MOV or WebM."),
}


def _attach(reference: str, kind: str) -> dict[str, Any]:
    """A picture ("image_url"), film ("video_url") or document ("file") as a part of a message.

    A stored one goes along as base64.
    """
    url = reference.strip()
    name = _name_in(url)
    if not _is_for_venice(url) and not _DATA_URL.match(url):
        content = _read_local(url, most_mb=25)
        media_type = _type_to_attach(name, content[:100], kind)
        encoded = base64.b64encode(content).decode()
        url = f"data:{media_type};base64,{encoded}"
    if len(url) > _LONGEST_DATA_URL:
        raise VeniceError(f"{name!r} has more than 25 MB, which is the limit. Give another.")

    if kind in _LOOKED_AT:
        return {"type": kind, kind: {"url": url}}
    return {"type": kind, kind: {"file_data": url, "filename": name}}


def _name_in(reference: str) -> str:
    """The name at the end of a file's address, before any question mark; "file" for a data URL."""
    if _is_data_url(reference):
        return "file"
    address = reference[:999].partition("?")[0]
    return Path(address).name[-100:]


def _type_to_attach(name: str, start: bytes, kind: str) -> str:
    """The media type of a file, by its first bytes, else its name; an error, if none takes it."""
    form = _format_of(start)
    if form:
        media_type = form.media_type
    else:
        guessed, _ = mimetypes.guess_type(name, strict=False)
        media_type = guessed or "application/octet-stream"

    advice = _untaken(start, name)
    sight = _LOOKED_AT.get(kind)
    if sight and (advice or not media_type.startswith(sight.media_type)):
        raise VeniceError(f"{name[:60]!r} is no {sight.name}. {advice or sight.advice}")
    if advice:
        raise VeniceError(f"{name[:60]!r} can't be read. {advice}")
    return media_type
