"""Find Venice's public characters."""

from typing import Any
from urllib.parse import quote

from sanctum_venice_tools.runtime.venice import VeniceError, _answer, _call, _given

TOOLSET = "core"
COST = "free"


def _shorten(text: str | None, most: int) -> str:
    """A text on one line, cut at a word when it is longer than `most` characters."""
    line = " ".join((text or "").split())
    return line if len(line) <= most else line[:most].rsplit(" ", 1)[0] + " ..."


def _describe(entry: dict[str, Any], most: int) -> dict[str, Any]:
    """What an agent needs to know of a character, its description in at most that many characters."""
    return {
        "slug": entry["slug"],
        "name": _shorten(entry["name"], 50),
        "description": _shorten(entry["description"], most),
        "tags": [_shorten(tag, 20) for tag in entry["tags"][: 3 if most < 200 else 6]],
        "model": entry["modelId"],
        "adult": entry["adult"],
        "rating": round(entry["stats"]["averageRating"], 1),
        "ratings": entry["stats"]["ratingCount"],
    }


def venice_find_characters(
    *,
    query: str = "",
    slug: str = "",
    tags: list[str] | None = None,
    limit: int = 5,
    with_reviews: bool = False,
    adult: bool = False,
) -> str:
    """Find public Venice characters (personas to talk with), or look at one of them more closely.

    Use it when the person wants to talk with, or hear from, a character, an expert or a famous mind. Free.
    Give query to search, or slug for all about one; with neither, the featured ones come.

    Args:
        query: A name or a few words to search for, such as "philosophy" or "Ada Lovelace"; at most 200 characters.
        slug: The slug of one character, from an earlier answer; query, tags and limit are then not used.
        tags: Only characters that carry these tags, such as ["helpful"].
        limit: How many at most, 1 to 20.
        with_reviews: True, together with slug, to see what people said of it.
        adult: True to include characters made for adults.

    Returns:
        JSON: characters (slug, name, description, tags, model, rating from 1 to 5); reviews when asked for.
    """
    if slug:
        path = f"/characters/{quote(slug, safe='')}"
        unknown = "There is no character of that slug: search with query to find it."
        found, _ = _call("GET", path, unknown=unknown)
        reviews = []
        if with_reviews:
            said, _ = _call("GET", f"{path}/reviews", params={"pageSize": 10}, unknown=unknown)
            reviews = [{"rating": one["rating"], "text": _shorten(one["message"], 300)} for one in said["data"]]
        notes = ["Nobody has reviewed it yet."] if with_reviews and not reviews else []
        return _answer(characters=[_describe(found["data"], 3000)], reviews=reviews, notes=notes)

    if with_reviews:
        raise VeniceError("Reviews come for one character at a time: give its slug.")
    asked = _given(
        search=query,
        tags=tags,
        limit=min(max(limit, 1), 20),
        isAdult="" if adult else "false",
        sortBy="" if query else "featured",
    )
    found, _ = _call("GET", "/characters", params=asked)
    characters = [_describe(entry, 200 if limit <= 10 else 60) for entry in found["data"]]
    if not characters:
        return _answer(notes=["No character fits. Use fewer or other words, or leave tags out."])
    return _answer(characters=characters, next="Call again with a slug, and with_reviews, to know more about one.")
