"""Ask the web a question: the spine of Venice's `core` toolset."""

import re
from typing import Any, Literal

from sanctum_venice_tools.runtime.arguments import _read_as_meant
from sanctum_venice_tools.runtime.chat import _chat, _tell_cut
from sanctum_venice_tools.runtime.models import _pick_model
from sanctum_venice_tools.runtime.text import _name_page, _Page, _read_page, _room_of
from sanctum_venice_tools.runtime.venice import VeniceError, _answer

TOOLSET = "core"
COST = "cents"

_MOST_SOURCES = 10
_LONGEST_EXCERPT = 300
# What the answer alone, and the answer with its sources, may take of the reply, in characters.
_ROOM_FOR_ANSWER = 6000
_ROOM = 7500

# https://example.com/foxes in "Read https://example.com/foxes.", and its parentheses if both are
# there: https://example.com/fox_(animal) in "(as in https://example.com/fox_(animal))". An
# apostrophe is within a link only where the word goes on.
_LINK = re.compile(
    r"""
    https?://
    ( [^\s<>"'()\[\]] | '(?=\w) | \([^\s<>"()\[\]]*\) )*
    ( [^\s<>"()\[\].,;:!?'] | \([^\s<>"()\[\]]*\) )
    """,
    re.IGNORECASE | re.VERBOSE,
)
_MOST_LINKS = 5

# Venice's two kinds of citation marker: ^1,2^ counts from 1, [REF]0[/REF] from 0.
_CARETS = re.compile(r"\^(\d+(?:\s*,\s*\d+)*)\^")
_REF = re.compile(r"\[REF\](\d+)\[/REF\]")

# A marker in brackets; a year is none.
_MARKER = re.compile(r"\[\d{1,2}\]")

# The space before a marker: "Foxes dig [1]."
_SPACE_BEFORE_MARKER = re.compile(r"\s+(?=\[\d)")

# The space after a sentence, and after a sentence with its markers: "Foxes dig.[1] They hunt."
_AFTER_SENTENCE = re.compile(r"(?<=[.!?])\s+")
_AFTER_CLAIM = re.compile(r"(?<=[.!?\]])\s+")

# What counts in a comparison of two texts: words of some length, and numbers.
_WORD = re.compile(r"\w{4,}|\d+")


def _bracket_markers(text: str) -> str:
    """The text with all citation markers written as [1][2]."""
    text = _REF.sub(_bracket_ref, text)
    return _CARETS.sub(_bracket_carets, text)


def _bracket_ref(marker: re.Match[str]) -> str:
    """[1] for [REF]0[/REF]."""
    number = int(marker[1]) + 1
    return f"[{number}]"


def _bracket_carets(marker: re.Match[str]) -> str:
    """[1][2] for ^1, 2^."""
    numbers = marker[1].split(",")
    return "".join(f"[{number.strip()}]" for number in numbers)


def _linked_pages(question: str) -> list[_Page]:
    """The pages that a question links to.

    Venice reads them in place of a search, and cites nothing when it did not search (its skill for
    chats, 73c0bf7): nobody tells what it read.
    """
    links = dict.fromkeys(found[0] for found in _LINK.finditer(question))
    return [_Page(title="", url=link, date="", content="") for link in [*links][:_MOST_LINKS]]


def _tell_no_pages(answer: str, *, all_came: bool) -> str:
    """What to note of an answer without pages: that there are none, or did not come."""
    if all_came and not _MARKER.search(answer):
        return "No page was found or needed: this is the model's own knowledge."
    return "The sources of this answer, if it has any, did not come: say so, or ask once more."


def _fitting(answer: str) -> str:
    """As much of an answer as can be shown: 5,000 characters, fewer where some take more room."""
    length = 5000
    while _room_of(answer[:length]) >= _ROOM_FOR_ANSWER:
        length -= 100
    return answer[:length]


def _list_sources(answer: str, pages: list[_Page]) -> list[dict[str, Any]]:
    """The pages that the answer cites, each with its number and text; all, if it cites none."""
    numbers = range(1, len(pages) + 1)
    cited = [number for number in numbers if f"[{number}]" in answer]
    listed = [*(cited or numbers)][:_MOST_SOURCES]
    sources = [{"number": number, **_name_page(pages[number - 1])} for number in listed]
    while sources and _room_of([answer, sources]) > _ROOM:
        sources.pop()

    left = _ROOM - _room_of([answer, sources])
    for source in sources:
        around = 20  # what the excerpt's name and quotes take
        share = left // len(sources) - around
        longest = min(max(share, 0), _LONGEST_EXCERPT)
        number = source["number"]
        excerpt = _excerpt(pages[number - 1].content, _claim(answer, number))
        source["excerpt"] = excerpt[:longest]
    return sources


def _claim(answer: str, number: int) -> str:
    """The sentences of an answer that a source is to support; all of it, if it is not cited."""
    # A marker belongs to the words before it.
    closed_up = _SPACE_BEFORE_MARKER.sub("", answer)
    sentences = _AFTER_CLAIM.split(closed_up)
    cited = [sentence for sentence in sentences if f"[{number}]" in sentence]
    return " ".join(cited) or answer


def _excerpt(page: str, claim: str) -> str:
    """The two sentences of a page that share most words and numbers with the claim they support."""
    words = _words_of(claim)
    sentences = _AFTER_SENTENCE.split(page)
    shared = [len(words & _words_of(sentence)) for sentence in sentences]
    best = shared.index(max(shared))
    return " ".join(sentences[best : best + 2])


def _words_of(text: str) -> set[str]:
    """The words and numbers of a text."""
    return set(_WORD.findall(text.lower()))


@_read_as_meant
def venice_ask_web(
    *, question: str, search: Literal["on", "auto"] = "on", read_urls: bool = False, model: str = ""
) -> str:
    """Ask the web, and get an answer with its sources.

    For what memory may get wrong: news, prices, people. Costs 2 cents.

    Args:
        question: All of it, with names and dates: nothing else is seen.
        search: "auto" lets the model decide.
        read_urls: True reads the question's links instead, at most 5, 1 cent each.
        model: Best left out.

    Returns:
        JSON: answer, in which [1] marks what source 1 supports; sources (number, title, url, date,
            excerpt).
    """
    if not question.strip():
        raise VeniceError("The question is empty. Say what is to be found out.")
    chosen = _pick_model("text", model, setting="VENICE_CHAT_MODEL", needs="supportsWebSearch")
    body: dict[str, Any] = {
        "model": chosen.id,
        "messages": [{"role": "user", "content": question}],
        "venice_parameters": {
            "enable_web_search": search,
            "enable_web_citations": True,
            "enable_web_scraping": read_urls,
            # Else a stream has none.
            "include_search_results_in_stream": True,
        },
    }
    # Some models think hard by default; putting search results into words needs little of that.
    efforts = chosen.spec.get("capabilities", {}).get("reasoningEffortOptions") or []
    if "low" in efforts:
        body["reasoning_effort"] = "low"
    chat = _chat(body)

    notes = [*chosen.notes]
    said = chat.answers[0]
    notes += _tell_cut(
        said.ending,
        chat.fault,
        "The answer broke off before its end; ask something narrower for the rest.",
    )
    pages = [_read_page(told) for told in chat.sources]
    answer = _bracket_markers(said.text)
    if read_urls and not pages:
        pages = _linked_pages(question)
        if pages:
            notes.append("Venice read these links in place of a search, as far as it could.")
    if not pages:
        all_came = said.ending == "stop" and chat.is_whole
        notes.append(_tell_no_pages(answer, all_came=all_came))
    shown = _fitting(answer)
    if shown != answer:
        answer = shown.rsplit(" ", 1)[0] + " ..."
        notes.append(
            "The answer was shortened to 5,000 characters; ask something narrower for the rest."
        )
    return _answer(
        answer=answer,
        sources=_list_sources(answer, pages),
        model=chosen.id,
        cost_usd=chat.cost_usd,
        notes=notes,
    )
