import json
from collections.abc import Callable
from typing import Any

import pytest
import respx
from hypothesis import given
from hypothesis import strategies as st

Tool = Callable[..., str]
CALL: dict[str, Any] = {"query": "red foxes"}


@pytest.fixture
def search(api: respx.MockRouter, tool: Tool) -> Callable[..., Any]:
    """Search, while Venice finds these pages; the tool's reply."""

    def run(*pages: dict[str, Any], **arguments: Any) -> Any:
        api.post("/augment/search").respond(json={"query": "x", "results": list(pages)})
        reply = tool(**{"query": "foxes", **arguments})
        assert len(reply) < 8000
        return json.loads(reply)

    return run


def page(content: str = "", **more: Any) -> dict[str, Any]:
    """A page that the search found."""
    return {"title": "Foxes", "url": "https://example.org", "content": content, "date": "", **more}


def test_sends_the_words_and_the_settings(
    search: Callable[..., Any], api: respx.MockRouter
) -> None:
    """The request holds what was asked for."""
    search(limit=4, provider="google")

    sent = json.loads(api.calls[0].request.content)
    assert {"query": "foxes", "limit": 4, "search_provider": "google"} == sent


def test_blanks_around_the_words_do_not_count(
    search: Callable[..., Any], api: respx.MockRouter
) -> None:
    """Venice counts them: with them, words that are just short enough would be refused."""
    search(query=" " + "a" * 400 + "\n")

    assert "a" * 400 == json.loads(api.calls[0].request.content)["query"]


def test_shows_clean_pages(search: Callable[..., Any]) -> None:
    """No markup reaches the agent; a page without a date has none."""
    reply = search(
        page("A <strong>fox</strong>&#x27;s\n den.", title="<b>Foxes</b> &amp; bees"),
        page(date="2025-01-02"),
    )

    first = {
        "title": "Foxes & bees",
        "url": "https://example.org",
        "date": None,
        "text": "A fox's den.",
    }
    assert first == reply["results"][0]
    assert ("2025-01-02", 0.01) == (reply["results"][1]["date"], reply["cost_usd"])


@pytest.mark.parametrize("limit", [1, 5, 10])
def test_long_pages_stay_short(search: Callable[..., Any], limit: int) -> None:
    """Twenty pages with long titles, addresses and texts make a reply under 8,000 characters."""
    found = page('say "so" ' * 900, title="Title " * 90, url="https://example.org/" + "a" * 100)

    assert limit == len(search(*[found] * 20, limit=limit)["results"])


def test_nothing_found_says_what_to_do(search: Callable[..., Any]) -> None:
    """An empty search comes with advice, and was paid."""
    notes = "Nothing was found. Use fewer or other words, or the other provider."

    assert {"cost_usd": 0.01, "notes": notes} == search()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"query": " "}, "1 to 400 characters"),
        ({"query": "a" * 401}, "1 to 400 characters"),
        ({"limit": 0}, "'limit' must be 1 to 20"),
        ({"limit": 21}, "'limit' must be 1 to 20"),
    ],
    ids=["blank", "long", "none", "many"],
)
def test_what_venice_would_refuse_is_not_sent(
    search: Callable[..., Any], api: respx.MockRouter, arguments: dict[str, Any], said: str
) -> None:
    """An error of one line, before anything is paid."""
    with pytest.raises(Exception, match=said) as failure:
        search(**arguments)

    assert "VeniceError" == type(failure.value).__name__
    assert 0 == len(api.calls)


@given(
    query=st.text(min_size=1, max_size=60).filter(str.strip),
    limit=st.integers(1, 20),
    content=st.text(),
)
def test_any_words_and_pages_are_taken(
    search: Callable[..., Any], query: str, limit: int, content: str
) -> None:
    """Whatever is asked and found, the request is one that Venice allows, and the page comes back."""
    assert 1 == len(search(page(content), query=query, limit=limit)["results"])


def test_searches_the_local_venice(local_tool: Tool) -> None:
    """Over a real connection, pages come, clean."""
    reply = json.loads(local_tool(query="red foxes in cities", limit=2))

    assert "https://www.example.org/urban-wildlife/red-foxes" == reply["results"][0]["url"]
    assert "<strong>" not in json.dumps(reply)


@pytest.mark.parametrize(("provider", "most"), [("brave", 10), ("google", 5)])
def test_no_more_is_asked_for_than_there_is(
    search: Callable[..., Any], api: respx.MockRouter, provider: str, most: int
) -> None:
    """Brave finds ten pages and Google five, so that is what is asked for, and what is shown."""
    assert most == len(search(*[page("A fox.")] * 20, limit=20, provider=provider)["results"])
    assert most == json.loads(api.calls.last.request.content)["limit"]
