"""Search the web."""

from typing import Any, Literal

from sanctum_venice_tools.runtime.arguments import _read_as_meant
from sanctum_venice_tools.runtime.options import _read_options
from sanctum_venice_tools.runtime.replies import _object_of, _objects_in
from sanctum_venice_tools.runtime.text import _name_page, _read_page, _room_of
from sanctum_venice_tools.runtime.venice import VeniceError, _answer, _call

TOOLSET = "web"
COST = "cents"

_LONGEST_URL = 1000
_LONGEST_EXCERPT = 500
# What all results may take of the reply, in characters.
_ROOM = 7000
# As many pages as each of them finds, however many are asked for.
_MOST = {"brave": 10, "google": 5}


def _room_for_excerpt(results: list[dict[str, Any]]) -> int:
    """How long an excerpt may be: they share what titles and addresses leave; a quote takes two."""
    left = _ROOM - _room_of(results)
    share = left // (2 * len(results))
    around = 20  # what the excerpt's name and quotes take
    return min(max(share - around, 0), _LONGEST_EXCERPT)


@_read_as_meant
def venice_search_web(
    *, query: str, limit: int = 5, provider: Literal["brave", "google"] = "brave"
) -> str:
    """Search the web and get the pages found, best first, each with an excerpt.

    Costs 1 US cent. To get an answer rather than pages, use venice_ask_web; to read a page,
    venice_read_webpage.

    Args:
        query: Words to search for, at most 400 characters.
        limit: How many pages, 1 to 10; Google finds 5 at most.
        provider: "google" when "brave" found nothing good.

    Returns:
        JSON: results (title, url, date, text), cost_usd.
    """
    _read_options({"limit": limit}, {"limit": (1, 20)})
    words = query.strip()
    if not 0 < len(words) <= 400:
        raise VeniceError("The query must have 1 to 400 characters. Use fewer words.")
    most = min(limit, _MOST[provider])
    body = {"query": words, "limit": most, "search_provider": provider}
    reply, _ = _call("POST", "/augment/search", json=body)

    found = [_read_page(told) for told in _objects_in(_object_of(reply).get("results"))]
    pages = [page for page in found if 0 < len(page.url) <= _LONGEST_URL][:most]
    results = [_name_page(page) for page in pages]
    if not results:
        return _answer(
            cost_usd=0.01,
            notes="Nothing was found. Use fewer or other words, or the other provider.",
        )

    while _room_of(results) > _ROOM:
        results.pop()
    longest = _room_for_excerpt(results)
    for result, page in zip(results, pages, strict=False):
        result["text"] = page.content[:longest]

    notes = ""
    left_out = len(found[:most]) - len(results)
    if left_out > 0:
        notes = f"{left_out} more were found, without a usable address."
    return _answer(results=results, cost_usd=0.01, notes=notes)
