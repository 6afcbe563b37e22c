"""Ask the web a question: the spine of Venice's `core` toolset."""

import html
import re
from typing import Any, Literal

from sanctum_venice_tools.runtime.chat import _chat
from sanctum_venice_tools.runtime.models import _pick_model
from sanctum_venice_tools.runtime.venice import _answer

TOOLSET = "core"
COST = "cents"


def _bracket_markers(text: str) -> str:
    """The text with Venice's two kinds of citation marker, ^1,2^ and [REF]0[/REF], written as [1][2]."""
    text = re.sub(r"\[REF\](\d+)\[/REF\]", lambda ref: f"[{int(ref[1]) + 1}]", text)
    return re.sub(r"\^(\d+(?:\s*,\s*\d+)*)\^", lambda ref: "".join(f"[{n.strip()}]" for n in ref[1].split(",")), text)


def _excerpt(page: str, claim: str) -> str:
    """The sentences of a page that share most words with the claim they support, at most 300 characters."""
    plain = " ".join(html.unescape(re.sub(r"<[^>]+>", "", page)).split())
    words = set(re.findall(r"\w{4,}", claim.lower()))
    sentences = re.split(r"(?<=[.!?])\s+", plain)
    scores = [len(words & set(re.findall(r"\w{4,}", sentence.lower()))) for sentence in sentences]
    best = scores.index(max(scores))
    return " ".join(sentences[best : best + 2])[:300]


def _list_sources(text: str, pages: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The pages that the text cites, each with its number and what it says; all of them when it cites none."""
    cited = {int(number) for number in re.findall(r"\[(\d+)\]", text)}
    sources = []
    for number, page in enumerate(pages, start=1):
        if number in cited or not cited:
            claim = " ".join(part for part in re.split(r"(?<=[.!?\]])\s+", text) if f"[{number}]" in part)
            sources.append(
                {
                    "number": number,
                    "title": html.unescape(page["title"]),
                    "url": page["url"],
                    "date": page.get("date") or None,
                    "excerpt": _excerpt(page.get("content") or "", claim or text),
                }
            )
    return sources


def venice_ask_web(
    *, question: str, search: Literal["on", "auto"] = "on", read_urls: bool = False, model: str = ""
) -> str:
    """Ask a question and get an answer from the web, with its sources.

    Use it for news, prices, people, places, versions, and whenever you should not rely on memory. One call
    searches, reads and answers, and costs about 2 US cents. It sees nothing of this conversation.

    Args:
        question: The whole question in plain words, with all that it needs to be understood: names, places, dates.
        search: "on" always searches. "auto" lets the model decide, for a question that may not need the web.
        read_urls: True when the question holds links (at most 5) that are to be read themselves.
        model: Leave out, unless the person asks for a certain Venice text model.

    Returns:
        JSON: answer, in which [1] marks what source 1 supports; sources (number, title, url, date, excerpt).
    """
    chosen = _pick_model("text", model, setting="VENICE_CHAT_MODEL", needs="supportsWebSearch")
    body: dict[str, Any] = {
        "model": chosen["id"],
        "messages": [{"role": "user", "content": question}],
        "venice_parameters": {
            "enable_web_search": search,
            "enable_web_citations": True,
            "enable_web_scraping": read_urls,
        },
    }
    # Some models think hard by default; putting search results into words needs little of that.
    if "low" in chosen["model_spec"].get("capabilities", {}).get("reasoningEffortOptions", []):
        body["reasoning_effort"] = "low"
    chat = _chat(body)

    text = _bracket_markers(chat["text"])
    notes = []
    if chat["ending"] in ("cut", "length"):
        notes.append("The answer broke off before its end; ask something narrower for the rest.")
    if len(text) > 5000:
        text = text[:5000].rsplit(" ", 1)[0] + " ..."
        notes.append("The answer was shortened to 5,000 characters; ask something narrower for the rest.")
    sources = _list_sources(text, chat["sources"])
    if not sources:
        notes.append("No page was found or needed: this is the model's own knowledge.")
    return _answer(answer=text, sources=sources, model=chosen["id"], cost_usd=chat["cost_usd"], notes=notes)
