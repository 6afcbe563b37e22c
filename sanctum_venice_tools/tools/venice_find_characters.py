"""Find Venice's public characters."""

from typing import Any

from sanctum_venice_tools.runtime.arguments import _read_as_meant, _without_nothing
from sanctum_venice_tools.runtime.text import _in_path
from sanctum_venice_tools.runtime.venice import VeniceError, _answer, _call, _given

TOOLSET = "core"
COST = "free"

_NOT_FOUND = {404: "There is no character of that slug: search with query to find it."}


def _shorten(text: str | None, most: int) -> str:
    """A text on one line, cut at a word when it is longer than `most` characters."""
    line = " ".join((text or "").split())
    if len(line) <= most:
        return line
    words = line[:most].rsplit(" ", 1)[0]
    return f"{words} ..."


def _describe(entry: dict[str, Any], *, most: int, tags: int) -> dict[str, Any]:
    """What an agent needs to know of a character, with so much of its description and tags."""
    stats = entry["stats"]
    return {
        "slug": entry["slug"],
        "name": _shorten(entry["name"], 50),
        "description": _shorten(entry["description"], most),
        "tags": [_shorten(tag, 20) for tag in entry["tags"][:tags]],
        "model": entry["modelId"],
        "adult": entry["adult"],
        "rating": round(stats["averageRating"], 1),
        "ratings": stats["ratingCount"],
    }


def _show_one(slug: str, *, with_reviews: bool) -> str:
    """The reply about one character."""
    name = _in_path(slug)
    found, _ = _call("GET", f"/characters/{name}", advice=_NOT_FOUND)
    reviews = []
    notes = []
    if with_reviews:
        reviews = _list_reviews(name)
        if not reviews:
            notes.append("Nobody has reviewed it yet.")
    character = _describe(found["data"], most=3000, tags=6)
    return _answer(characters=[character], reviews=reviews, notes=notes)


def _list_reviews(name: str) -> list[dict[str, Any]]:
    """What people say of a character."""
    listed, _ = _call(
        "GET", f"/characters/{name}/reviews", params={"pageSize": 10}, advice=_NOT_FOUND
    )
    return [
        {"rating": one["rating"], "text": _shorten(one["message"], 300)} for one in listed["data"]
    ]


def _check_query(query: str, tags: list[str]) -> None:
    """Refuse what Venice would."""
    if len(query) > 200:
        raise VeniceError("A query may have 200 characters. Use fewer words.")
    if len(tags) > 20:
        raise VeniceError("There may be 20 tags at most. Give fewer.")
    if any(len(tag) > 100 for tag in tags):
        raise VeniceError("A tag may have 100 characters. Use fewer words.")


@_read_as_meant
def venice_find_characters(
    *,
    query: str = "",
    slug: str = "",
    tags: list[str] | None = None,
    limit: int = 5,
    with_reviews: bool = False,
    adult: bool = False,
) -> str:
    """Find public Venice characters (experts, famous minds, personas), or see one more closely. Free.

    Args:
        query: A name or words.
        slug: One character, from an earlier answer.
        tags: With these tags.
        limit: 1 to 20.
        with_reviews: True, with slug, for what people say.
        adult: True finds only those for adults.

    Returns:
        JSON: characters (slug, name, description, tags, model, rating 1 to 5), reviews.
    """
    if slug:
        return _show_one(slug, with_reviews=with_reviews)
    if with_reviews:
        raise VeniceError("Reviews come for one character at a time: give its slug.")
    wanted_tags = _without_nothing(tags or [])
    _check_query(query, wanted_tags)
    # To sort by "featured" hides all others, too (Venice's skill for characters, 73c0bf7).
    has_wish = bool(query or wanted_tags or adult)
    asked = _given(
        search=query,
        tags=wanted_tags,
        limit=min(max(limit, 1), 20),
        isAdult=str(adult).lower(),
        sortBy="" if has_wish else "featured",
    )
    listed, _ = _call("GET", "/characters", params=asked)

    # Of many characters, less is told of each.
    if limit <= 10:
        characters = [_describe(entry, most=200, tags=6) for entry in listed["data"]]
    else:
        characters = [_describe(entry, most=60, tags=3) for entry in listed["data"]]
    if not characters:
        return _answer(notes=["No character fits. Use fewer or other words, or leave tags out."])
    return _answer(
        characters=characters,
        next="Call again with a slug, and with_reviews, to know more about one.",
    )
