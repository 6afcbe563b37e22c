"""Texts: of the web, and cut to the room that a reply has."""

import html
import json
import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from sanctum_venice_tools.runtime.replies import _text_of

# A tag of HTML: <p>, </a>, <br/>
_TAG = re.compile(r"<[^<>]+>")

# &#12345678; stands for nothing: no character has such a number, and Python reads none so long.
_ENDLESS_NUMBER = re.compile(r"&#[0-9]{8,};?")

# The word at the end of a text that was cut, with the space before it: "a red fo" ends in " fo".
_CUT_WORD = re.compile(r"\s\S{0,30}\Z")

# As many as JSON takes at most for one character: U+001F is written \u001f.
_MOST_FOR_ONE = 6


@dataclass(frozen=True)
class _Page:
    """A page of the web, as Venice tells of it; its title and content are plain text."""

    title: str
    url: str
    date: str
    content: str


def _in_path(name: str) -> str:
    """A name as one part of an address: nothing in it leads elsewhere, not even a dot alone."""
    return quote(name, safe="", errors="replace").replace(".", "%2E")


def _read_page(told: dict[str, Any]) -> _Page:
    """A page out of Venice's reply."""
    return _Page(
        title=_plain(_text_of(told.get("title"))),
        url=_text_of(told.get("url")),
        date=_text_of(told.get("date")),
        content=_plain(_text_of(told.get("content"))),
    )


def _name_page(page: _Page) -> dict[str, Any]:
    """What a reply tells of a page beside its content."""
    return {"title": page.title[:80], "url": page.url[:1000], "date": page.date[:40] or None}


def _plain(page: str) -> str:
    """The text of a piece of HTML, on one line."""
    text = _TAG.sub("", page)
    text = _ENDLESS_NUMBER.sub("", text)
    text = html.unescape(text)
    return " ".join(text.split())


def _clip(text: str, room: int) -> str:
    """The beginning of a text, to the end of a word, that takes at most so much room in a reply."""
    cut = text[: max(room, 0)]
    while cut:
        over = _room_of(cut) - room
        if over <= 0:
            break
        fewest = over // _MOST_FOR_ONE + 1
        cut = cut[:-fewest]
    if cut == text:
        return text
    return _CUT_WORD.sub("", cut)


def _room_of(value: Any) -> int:
    """How many characters a value takes in a reply."""
    return len(json.dumps(value, ensure_ascii=False))
