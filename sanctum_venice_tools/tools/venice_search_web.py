"""Search the web."""

import json
from typing import Any, Literal

from sanctum_venice_tools.runtime.arguments import _read_as_meant
from sanctum_venice_tools.runtime.options import _read_options
from sanctum_venice_tools.runtime.replies import _object_of, _objects_in, _text_of
from sanctum_venice_tools.runtime.text import _plain
from sanctum_venice_tools.runtime.venice import VeniceError, _answer, _call

TOOLSET = "web"
COST = "cents"

_LONGEST_URL = 1000
# As many pages as each of them finds, however many are asked for.
_MOST = {"brave": 10, "google": 5}


@_read_as_meant
def venice_search_web(*, query: str, limit: int = 5, provider: Literal["brave", "google"] = "brave") -> str:
    """Search the web and get the pages found, best first, each with an excerpt.

    Costs 1 US cent. To get an answer rather than pages, use venice_ask_web; to read a page, venice_read_webpage.

    Args:
        query: Words to search for, at most 400 characters.
        limit: How many pages, 1 to 10; Google finds 5 at most.
        provider: "google" when "brave" found nothing good.

    Returns:
        JSON: results (title, url, date, text), cost_usd.
    """
    _read_options({"limit": limit}, {"limit": (1, 20)})
    if not 0 < len(query.strip()) <= 400:
        raise VeniceError("The query must have 1 to 400 characters. Use fewer words.")
    limit = min(limit, _MOST[provider])
    body = {"query": query, "limit": limit, "search_provider": provider}
    found, _ = _call("POST", "/augment/search", json=body)
    told = _objects_in(_object_of(found).get("results"))
    pages = [page for page in told if 0 < len(_text_of(page.get("url"))) <= _LONGEST_URL][:limit]
    results: list[dict[str, Any]] = [
        {
            "title": _plain(_text_of(page.get("title")))[:80],
            "url": page["url"],
            "date": _text_of(page.get("date"))[:40] or None,
        }
        for page in pages
    ]
    if not results:
        return _answer(cost_usd=0.01, notes="Nothing was found. Use fewer or other words, or the other provider.")
    while len(json.dumps(results, ensure_ascii=False)) > 7000:
        results.pop()
    # The excerpts share what titles and addresses leave of 7,000 characters; a quote takes two.
    room = max((7000 - len(json.dumps(results, ensure_ascii=False))) // (2 * len(results)) - 20, 0)
    for result, page in zip(results, pages, strict=False):
        result["text"] = _plain(_text_of(page.get("content")))[: min(room, 500)]
    unusable = len(told[:limit]) - len(results)
    notes = f"{unusable} more were found, without a usable address." if unusable > 0 else ""
    return _answer(results=results, cost_usd=0.01, notes=notes)
