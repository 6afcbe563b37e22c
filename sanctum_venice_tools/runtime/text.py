"""Texts: of the web, and cut to the room that a reply has."""

import html
import json
import re


def _plain(page: str) -> str:
    """The text of a piece of HTML, on one line."""
    text = re.sub(r"<[^<>]+>", "", page)
    text = re.sub(r"&#[0-9]{8,};?", "", text)  # no character has such a number, and Python reads none so long
    return " ".join(html.unescape(text).split())


def _clip(text: str, room: int) -> str:
    """The beginning of a text, to the end of a word, that takes at most so many characters in a reply."""
    cut = text[: max(room, 0)]
    while cut and (over := len(json.dumps(cut, ensure_ascii=False)) - room) > 0:
        cut = cut[: len(cut) - over // 6 - 1]  # no character takes more than six
    return cut if cut == text else re.sub(r"\s\S{0,30}\Z", "", cut)
