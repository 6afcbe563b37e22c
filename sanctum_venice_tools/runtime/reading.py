"""Reading: a long text is kept whole as a file, and shown part by part."""

import json
import re
from bisect import bisect
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sanctum_venice_tools.runtime.media import _store
from sanctum_venice_tools.runtime.venice import VeniceError, _answer

# What a part takes in the reply at most: a quote counts as two there, and a control character as six.
_MOST = 6000

# Where a part should end, best first: before a heading, after a paragraph, a line, a sentence, a word.
_ENDS = (r"\n(?=#{1,6} )", r"\n\s*\n", r"\n", r"[.!?…][\"'”’)\]]*\s+|[。！？]", r"\s+")  # noqa: RUF001


def _keep(folder: Path, text: str, title: str, kind: str, part: int = 1, **more: Any) -> str:
    """Keep a text as a file of that kind, and show one part of it; `more` is told beside it.

    It may have been paid, so that it is shown even if it can't be kept.
    """
    # Half of a surrogate pair is no character, and no file can hold it; a byte order mark is no part of a text.
    text = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace").lstrip("\ufeff")
    if not text.strip():
        return _answer(**more, notes=["There is no text in it. Reading it again would not help."])
    try:
        kept = _store(folder, text.encode(), title, lambda _: [kind])
    except VeniceError as error:
        return _show(text, "", part, fault=str(error)[:300], **more)
    return _show(text, kept["file"], part, **more)


def _show(text: str, file: str, part: int, *, fault: str = "", **more: Any) -> str:
    """The reply that shows one part of a stored text, and the call that shows the next.

    Without a file, there is no reading on; `fault` says why.
    """
    parts = list(_cut(text))
    shown = min(part, len(parts))
    notes = []
    if part > shown:
        notes.append(f"There is no part {part}: this is the last.")
    if fault:
        notes.append(f"Only this part can be shown. {fault}")
    next_step = ""
    if file and shown < len(parts):
        read_on = f"venice_read_document(document={file!r}, part={shown + 1})"
        next_step = f"To read on, free: {read_on}."
    return _answer(text=parts[shown - 1], part=shown, parts=len(parts), file=file, **more, notes=notes, next=next_step)


def _cut(text: str) -> Iterator[str]:
    """The parts of a text: all of it, in order, nothing twice."""
    start = 0
    while start < len(text):
        end = start + _length(text[start : start + _MOST], is_rest=start + _MOST >= len(text))
        yield text[start:end]
        start = end


def _length(ahead: str, *, is_rest: bool) -> int:
    """How long the next part is: as much as a part can hold, back to the best place in its second half."""
    sizes = range(1, len(ahead) + 1)
    longest = bisect(sizes, _MOST, key=lambda size: len(json.dumps(ahead[:size], ensure_ascii=False)))
    if is_rest and longest == len(ahead):
        return longest
    for mark in _ENDS:
        ends = [found.end() for found in re.finditer(mark, ahead[:longest]) if found.end() > longest / 2]
        if ends:
            return ends[-1]
    return longest
