"""Reading: a long text is kept whole as a file, and shown part by part."""

import re
from bisect import bisect
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sanctum_venice_tools.runtime.media import _store_text
from sanctum_venice_tools.runtime.text import _room_of
from sanctum_venice_tools.runtime.venice import _answer, _whole

# What a part takes in the reply at most: a quote counts as two there, and a control character as
# six.
_MOST = 6000

# Where a part should end, best first.
_ENDS = (
    re.compile(r"\n(?=#{1,6} )"),  # before a heading, "## Dens"
    re.compile(r"\n\s*\n"),  # after a paragraph
    re.compile(r"\n"),  # after a line
    re.compile(r"[.!?…][\"'”’)\]]*\s+|[。！？]"),  # after a sentence, 'A fox?" ' or '狐。'  # noqa: RUF001
    re.compile(r"\s+"),  # after a word
)


def _keep(folder: Path, text: str, title: str, kind: str, part: int = 1, **more: Any) -> str:
    """Keep a text as a file of that kind, and show one part of it; `more` is told beside it.

    It may have been paid, so that it is shown even if it can't be kept.
    """
    # Half of a surrogate pair is no character, and no file can hold it; a byte order mark is no
    # part of a text.
    text = _whole(text).lstrip("\ufeff")
    if not text.strip():
        return _answer(**more, notes=["There is no text in it. Reading it again would not help."])
    kept, fault = _store_text(folder, text, title, kind)
    return _show(text, kept.get("file", ""), part, fault=fault, **more)


def _show(text: str, file: str, part: int, *, fault: str = "", **more: Any) -> str:
    """The reply that shows one part of a stored text, and the call that shows the next.

    Without a file, there is no reading on; `fault` says why.
    """
    parts = list(_cut(text))
    last = len(parts)
    shown = min(part, last)
    notes = []
    if part > last:
        notes.append(f"There is no part {part}: this is the last.")
    if fault:
        notes.append(f"Only this part can be shown. {fault}")
    next_step = ""
    if file and shown < last:
        read_on = f"venice_read_document(document={file!r}, part={shown + 1})"
        next_step = f"To read on, free: {read_on}."
    text_of_part = parts[shown - 1]
    return _answer(
        text=text_of_part, part=shown, parts=last, file=file, **more, notes=notes, next=next_step
    )


def _cut(text: str) -> Iterator[str]:
    """The parts of a text: all of it, in order, nothing twice."""
    start = 0
    while start < len(text):
        ahead = text[start : start + _MOST]
        is_rest = start + len(ahead) == len(text)
        end = start + _length(ahead, is_rest=is_rest)
        yield text[start:end]
        start = end


def _length(ahead: str, *, is_rest: bool) -> int:
    """How long the next part is: what it can hold, back to the best place in its second half."""
    longest = _most_that_fits(ahead)
    if is_rest and longest == len(ahead):
        return longest

    part = ahead[:longest]
    for mark in _ENDS:
        ends = [found.end() for found in mark.finditer(part)]
        last = ends[-1] if ends else 0
        if last > longest / 2:
            return last
    return longest


def _most_that_fits(ahead: str) -> int:
    """How many of these characters a part can hold; the more there are, the more room they take."""
    lengths = range(1, len(ahead) + 1)
    return bisect(lengths, _MOST, key=lambda length: _room_of(ahead[:length]))
