import json
from collections.abc import Callable
from typing import Any

import pytest
import respx

Tool = Callable[..., str]
CALL: dict[str, Any] = {"query": "philosophy"}


def character(slug: str = "ada", **more: Any) -> dict[str, Any]:
    """A character as Venice lists it."""
    stats = {
        "averageRating": 4.66,
        "imports": 12,
        "ratingCount": 3,
        "ratingSum": 14,
        "userRating": None,
    }
    return {
        "id": "1",
        "slug": slug,
        "name": "Ada",
        "description": "Counts  the\nsteps.",
        "author": "x",
        "adult": False,
        "featured": True,
        "tags": ["Mathematics"],
        "modelId": "glm",
        "webEnabled": True,
        "shareUrl": None,
        "photoUrl": None,
        "createdAt": "2024-12-20T09:00:00.000Z",
        "updatedAt": "2024-12-20T09:00:00.000Z",
        "stats": stats,
        **more,
    }


SHOWN = {
    "slug": "ada",
    "name": "Ada",
    "description": "Counts the steps.",
    "tags": ["Mathematics"],
    "model": "glm",
    "adult": False,
    "rating": 4.7,
    "ratings": 3,
}


@pytest.fixture
def find(api: respx.MockRouter, tool: Tool) -> Callable[..., Any]:
    """Search, while Venice lists these characters; the tool's reply."""

    def run(*found: dict[str, Any], **arguments: Any) -> Any:
        api.get("/characters").respond(json={"object": "list", "data": list(found)})
        reply = tool(**arguments)
        assert len(reply) < 8000
        return json.loads(reply)

    return run


def query(api: respx.MockRouter) -> list[tuple[str, str]]:
    """The query of the last request."""
    return api.calls.last.request.url.params.multi_items()


def test_shows_what_an_agent_needs(find: Callable[..., Any]) -> None:
    """A character comes with its slug, model and rating, on tidy lines, and with the next step."""
    reply = find(character(), query="ada")

    assert [SHOWN] == reply["characters"]
    assert "slug" in reply["next"]


def test_without_words_the_featured_ones_come(
    find: Callable[..., Any], api: respx.MockRouter
) -> None:
    """With no argument at all, Venice is asked for its featured characters, none for adults."""
    find(character())

    assert [("limit", "5"), ("isAdult", "false"), ("sortBy", "featured")] == query(api)


def test_words_and_tags_reach_venice(find: Callable[..., Any], api: respx.MockRouter) -> None:
    """A search is sent as it was written, each tag by itself, sorted by how well it fits."""
    find(character(), query="caf\u00e9 & co=1", tags=["a b", "c"])

    assert [
        ("search", "caf\u00e9 & co=1"),
        ("tags", "a b"),
        ("tags", "c"),
        ("limit", "5"),
        ("isAdult", "false"),
    ] == query(api)


def test_empty_tags_are_left_out(find: Callable[..., Any], api: respx.MockRouter) -> None:
    """A tag of nothing would fit no character; where there is no other, the featured ones come."""
    find(character(), tags=[""])
    assert [("limit", "5"), ("isAdult", "false"), ("sortBy", "featured")] == query(api)

    find(character(), tags=["", "a b"])
    assert [("tags", "a b"), ("limit", "5"), ("isAdult", "false")] == query(api)


def test_adult_finds_those_for_adults(find: Callable[..., Any], api: respx.MockRouter) -> None:
    """With adult, Venice is asked for characters for adults: it lists either these or the others."""
    find(character(adult=True), query="x", adult=True)

    assert "true" == dict(query(api))["isAdult"]


@pytest.mark.parametrize(
    "wish",
    [{"query": "ada"}, {"tags": ["Mathematics"]}, {"adult": True}],
    ids=["words", "tags", "adult"],
)
def test_a_wish_is_not_bound_to_the_featured_ones(
    find: Callable[..., Any], api: respx.MockRouter, wish: dict[str, Any]
) -> None:
    """With words, tags or adult, no order is asked for: "featured" would hide all that are not."""
    find(character(), **wish)

    assert "sortBy" not in dict(query(api))


@pytest.mark.parametrize(
    ("asked", "sent"), [(-3, "1"), (0, "1"), (1, "1"), (20, "20"), (21, "20"), (9999, "20")]
)
def test_limit_is_kept_in_bounds(
    find: Callable[..., Any], api: respx.MockRouter, asked: int, sent: str
) -> None:
    """A limit out of bounds is the nearest one that the docstring promises."""
    find(character(), limit=asked)

    assert sent == dict(query(api))["limit"]


@pytest.mark.parametrize("limit", [5, 10, 11, 20])
def test_long_entries_stay_short(find: Callable[..., Any], limit: int) -> None:
    """Even twenty characters with long names, tags and descriptions are a reply under 8,000 characters."""
    wordy = character(
        "a-slug-of-forty-characters-and-no-fewer-1",
        name="Name of " * 40,
        description='He says "so" ' * 300,
        tags=["a tag of many words here and there"] * 9,
        modelId="venice-uncensored-role-play",
    )
    reply = find(*[wordy] * limit, limit=limit)

    assert limit == len(reply["characters"])
    assert all(entry["description"].endswith(" ...") for entry in reply["characters"])


def test_nothing_found_says_what_to_do(find: Callable[..., Any]) -> None:
    """An empty search comes with advice."""
    assert {"notes": ["No character fits. Use fewer or other words, or leave tags out."]} == find(
        query="zzz"
    )


def test_one_by_slug_is_shown_in_full(api: respx.MockRouter, tool: Tool) -> None:
    """A slug brings one character with its long description; the other arguments are not used."""
    text = "word " * 500
    api.get("/characters/ada").respond(
        json={"object": "character", "data": character(description=text)}
    )
    reply = json.loads(tool(slug="ada", query="x", tags=["y"]))

    assert [SHOWN | {"description": text.strip()}] == reply["characters"]
    assert 1 == len(api.calls)


def test_a_null_description_is_none(api: respx.MockRouter, tool: Tool) -> None:
    """Venice has characters without a description."""
    api.get("/characters/ada").respond(
        json={"object": "character", "data": character(description=None)}
    )

    assert [SHOWN | {"description": ""}] == json.loads(tool(slug="ada"))["characters"]


@pytest.mark.parametrize(
    ("slug", "raw"),
    [
        ("a/b", b"/api/v1/characters/a%2Fb"),
        ("a?limit=1#x", b"/api/v1/characters/a%3Flimit%3D1%23x"),
        ("../api_keys", b"/api/v1/characters/%2E%2E%2Fapi_keys"),
        ("..", b"/api/v1/characters/%2E%2E"),
        ("caf\u00e9 ol\u00e9", b"/api/v1/characters/caf%C3%A9%20ol%C3%A9"),
        ("100%", b"/api/v1/characters/100%25"),
    ],
    ids=["slash", "query", "up", "dots", "accents", "percent"],
)
def test_an_odd_slug_is_only_a_slug(
    api: respx.MockRouter, tool: Tool, slug: str, raw: bytes
) -> None:
    """Whatever stands in a slug, it cannot lead to another endpoint."""
    api.get(url__startswith="https://api.venice.ai/").respond(
        404, json={"error": "Character not found"}
    )
    with pytest.raises(Exception, match="search with query"):
        tool(slug=slug)

    assert raw == api.calls.last.request.url.raw_path


def reviews(*said: tuple[int, str | None]) -> dict[str, Any]:
    """Reviews as Venice lists them."""
    return {
        "object": "list",
        "data": [{"rating": rating, "message": text} for rating, text in said],
    }


def test_reviews_come_with_a_slug(api: respx.MockRouter, tool: Tool) -> None:
    """What people said comes with their ratings, long words cut, missing ones empty."""
    api.get("/characters/ada").respond(json={"object": "character", "data": character()})
    api.get("/characters/ada/reviews").respond(
        json=reviews((5, "Clear\nand kind"), (2, None), (1, "no " * 300))
    )
    said = json.loads(tool(slug="ada", with_reviews=True))["reviews"]

    assert [{"rating": 5, "text": "Clear and kind"}, {"rating": 2, "text": ""}] == said[:2]
    assert len(said[2]["text"]) <= 304
    assert [("pageSize", "10")] == query(api)


def test_no_reviews_are_said(api: respx.MockRouter, tool: Tool) -> None:
    """Reviews that were asked for and are not there are named."""
    api.get("/characters/ada").respond(json={"object": "character", "data": character()})
    api.get("/characters/ada/reviews").respond(json=reviews())

    assert ["Nobody has reviewed it yet."] == json.loads(tool(slug="ada", with_reviews=True))[
        "notes"
    ]


def test_reviews_need_a_slug(api: respx.MockRouter, tool: Tool) -> None:
    """Reviews without a slug are refused with the way to get them."""
    with pytest.raises(Exception, match="give its slug"):
        tool(query="ada", with_reviews=True)

    assert 0 == len(api.calls)


def test_an_unknown_slug_says_what_to_do(api: respx.MockRouter, tool: Tool) -> None:
    """Venice's 404 becomes one line with its reason, and the way to a slug that exists."""
    api.get("/characters/ida").respond(404, json={"error": "Character not found: ida"})
    with pytest.raises(Exception) as failure:  # noqa: PT011 - the type is the emitted text's own
        tool(slug="ida")

    assert (
        "Venice answered 404: Character not found: ida. There is no character of that slug: search with query to "
        "find it."
    ) == str(failure.value)


def test_finds_one_at_the_local_venice(local_tool: Tool) -> None:
    """Over a real connection, a search leads to a slug, and the slug to all about one."""
    (found,) = json.loads(local_tool(query="Alan Watts"))["characters"]
    reply = json.loads(local_tool(slug=found["slug"], with_reviews=True))

    assert "alan-watts" == found["slug"]
    assert found["model"] == reply["characters"][0]["model"]
    assert all(1 <= review["rating"] <= 5 for review in reply["reviews"])


def test_adults_are_told_apart_at_the_local_venice(local_tool: Tool) -> None:
    """With adult, only characters for adults come; without it, none."""
    for_adults = json.loads(local_tool(limit=20, adult=True))["characters"]
    suited = json.loads(local_tool(limit=20))["characters"]

    assert [True] == [entry["adult"] for entry in for_adults]
    assert {False} == {entry["adult"] for entry in suited}


def test_tags_find_all_that_have_them_at_the_local_venice(local_tool: Tool) -> None:
    """Tags alone find characters that are not featured, too; without anything, only these come."""
    found = json.loads(local_tool(tags=["helpful"]))["characters"]
    featured = json.loads(local_tool())["characters"]

    assert ["ada-lovelace", "marcus-aurelius", "chef-amelie", "gardener-tom"] == [
        entry["slug"] for entry in found
    ]
    assert ["ada-lovelace", "alan-watts", "socrates"] == [entry["slug"] for entry in featured]


def test_an_odd_slug_is_unknown_at_the_local_venice(local_tool: Tool) -> None:
    """A slug that would be a path is a character that does not exist."""
    with pytest.raises(Exception, match="search with query"):
        local_tool(slug="../models?type=text")
