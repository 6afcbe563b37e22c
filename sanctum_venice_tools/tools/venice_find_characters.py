"""Find Venice's public characters."""

from typing import Any
from urllib.parse import quote

from sanctum_venice_tools.runtime.arguments import _read_as_meant
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
    """Find public Venice characters (experts, famous minds, personas to talk with), or see one more closely. Free.

    Args:
        query: A name or a few words.
        slug: One character, from an earlier answer.
        tags: Only those with these tags.
        limit: 1 to 20.
        with_reviews: True, with slug, for what people say.
        adult: True to include those for adults.

    Returns:
        JSON: characters (slug, name, description, tags, model, rating 1 to 5), reviews.
    """
    if slug:
        name = quote(slug, safe="", errors="replace").replace(".", "%2E")  # a dot alone would be another path
        path = f"/characters/{name}"
        advice = {404: "There is no character of that slug: search with query to find it."}
        found, _ = _call("GET", path, advice=advice)
        reviews = []
        if with_reviews:
            said, _ = _call("GET", f"{path}/reviews", params={"pageSize": 10}, advice=advice)
            reviews = [{"rating": one["rating"], "text": _shorten(one["message"], 300)} for one in said["data"]]
        notes = ["Nobody has reviewed it yet."] if with_reviews and not reviews else []
        return _answer(characters=[_describe(found["data"], 3000)], reviews=reviews, notes=notes)

    if with_reviews:
        raise VeniceError("Reviews come for one character at a time: give its slug.")
    if len(query) > 200 or len(tags or []) > 20 or any(len(tag) > 100 for tag in tags or []):
        raise VeniceError("A query may have 200 characters, a tag 100. Use fewer words, and at most 20 tags.")
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
