"""Ask the web a question: the spine of Venice's `core` toolset."""

import json
import re
from typing import Any, Literal

from sanctum_venice_tools.runtime.arguments import _read_as_meant
from sanctum_venice_tools.runtime.chat import _chat, _tell_cut
from sanctum_venice_tools.runtime.models import _pick_model
from sanctum_venice_tools.runtime.replies import _text_of
from sanctum_venice_tools.runtime.text import _plain
from sanctum_venice_tools.runtime.venice import _answer

TOOLSET = "core"
COST = "cents"


def _bracket_markers(text: str) -> str:
    """The text with Venice's two kinds of citation marker, ^1,2^ and [REF]0[/REF], written as [1][2]."""
    text = re.sub(r"\[REF\](\d+)\[/REF\]", lambda ref: f"[{int(ref[1]) + 1}]", text)
    return re.sub(r"\^(\d+(?:\s*,\s*\d+)*)\^", lambda ref: "".join(f"[{n.strip()}]" for n in ref[1].split(",")), text)


def _excerpt(page: str, claim: str) -> str:
    """The sentences of a page that share most words and numbers with the claim they support."""
    words = set(re.findall(r"\w{4,}|\d+", claim.lower()))
    sentences = re.split(r"(?<=[.!?])\s+", _plain(page))
    scores = [len(words & set(re.findall(r"\w{4,}|\d+", sentence.lower()))) for sentence in sentences]
    best = scores.index(max(scores))
    return " ".join(sentences[best : best + 2])


def _list_sources(text: str, pages: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The pages that the text cites, each with its number and what it says; all of them when it cites none."""
    numbers = list(range(1, len(pages) + 1))
    shown = ([number for number in numbers if f"[{number}]" in text] or numbers)[:10]
    sources: list[dict[str, Any]] = [
        {
            "number": number,
            "title": _plain(_text_of(pages[number - 1].get("title")))[:80],
            "url": _text_of(pages[number - 1].get("url"))[:1000],
            "date": _text_of(pages[number - 1].get("date"))[:40] or None,
        }
        for number in shown
    ]
    # A marker belongs to the words before it. What the answer leaves of 7,500 characters, the excerpts share.
    parts = re.split(r"(?<=[.!?\]])\s+", re.sub(r"\s+(?=\[\d)", "", text))
    while sources and len(json.dumps([text, sources], ensure_ascii=False)) > 7500:
        sources.pop()
    room = 7500 - len(json.dumps([text, sources], ensure_ascii=False))
    for source in sources:
        claim = " ".join(part for part in parts if f"[{source['number']}]" in part)
        excerpt = _excerpt(_text_of(pages[source["number"] - 1].get("content")), claim or text)
        source["excerpt"] = excerpt[: max(min(300, room // len(sources) - 20), 0)]
    return sources


@_read_as_meant
def venice_ask_web(
    *, question: str, search: Literal["on", "auto"] = "on", read_urls: bool = False, model: str = ""
) -> str:
    """Ask a question and get an answer from the web, with its sources.

    For news, prices, people: whatever memory may get wrong. Costs 2 cents.

    Args:
        question: The whole question, with its names and dates: nothing else is seen.
        search: "auto" lets the model decide.
        read_urls: True to read the links in the question, at most 5.
        model: Best left out.

    Returns:
        JSON: answer, in which [1] marks what source 1 supports; sources (number, title, url, date, excerpt).
    """
    chosen = _pick_model("text", model, setting="VENICE_CHAT_MODEL", needs="supportsWebSearch")
    body: dict[str, Any] = {
        "model": chosen.id,
        "messages": [{"role": "user", "content": question}],
        "venice_parameters": {
            "enable_web_search": search,
            "enable_web_citations": True,
            "enable_web_scraping": read_urls,
        },
    }
    # Some models think hard by default; putting search results into words needs little of that.
    if "low" in (chosen.spec.get("capabilities", {}).get("reasoningEffortOptions") or []):
        body["reasoning_effort"] = "low"
    chat = _chat(body)

    said = chat.answers[0]
    text = _bracket_markers(said.text)
    cut = _tell_cut(said.ending, "The answer broke off before its end; ask something narrower for the rest.")
    notes = [*chosen.notes, *cut]
    most = next(size for size in range(5000, 0, -100) if len(json.dumps(text[:size], ensure_ascii=False)) < 6000)
    if len(text) > most:
        text = text[:most].rsplit(" ", 1)[0] + " ..."
        notes.append("The answer was shortened to 5,000 characters; ask something narrower for the rest.")
    sources = _list_sources(text, chat.sources)
    if not chat.sources:
        notes.append("No page was found or needed: this is the model's own knowledge.")
    return _answer(answer=text, sources=sources, model=chosen.id, cost_usd=chat.cost_usd, notes=notes)
