"""The public characters of the local Venice, and what people said of them."""

import functools
import json
from importlib.resources import files
from typing import Any

from starlette.responses import JSONResponse, Response

from sanctum_venice_tools.emulator.errors import standard
from sanctum_venice_tools.emulator.service import Call

Character = dict[str, Any]

WELL_RATED = 4

# Each way to sort, as the value that it looks at; the greatest comes first unless `sortOrder` says
# otherwise. Of "featured" the others are left out before.
ORDERS: dict[str, Any] = {
    "featured": lambda character: character["stats"]["imports"],
    "highestRating": lambda character: character["stats"]["averageRating"],
    "highlyRated": lambda character: (_well_rated(character), character["stats"]["ratingCount"]),
    "highlyRatedAndRecent": lambda character: (_well_rated(character), character["updatedAt"]),
    "imports": lambda character: character["stats"]["imports"],
    "mostRecent": lambda character: character["createdAt"],
    "ratingCount": lambda character: character["stats"]["ratingCount"],
}


@functools.cache
def characters() -> list[Character]:
    """Every character.

    Reviews, categories and `pro` are among it, which Venice filters by but does not show.
    """
    return list(json.loads(files(__package__).joinpath("characters.json").read_bytes()))


def find_character(slug: str) -> Character:
    """The character of a slug."""
    for character in characters():
        if character["slug"] == slug:
            return character
    raise standard(404, f"Character not found: {slug}")


def _shown(character: Character) -> Character:
    """A character as Venice shows it."""
    return {
        name: value
        for name, value in character.items()
        if name not in {"reviews", "categories", "pro"}
    }


def _well_rated(character: Character) -> bool:
    """Whether people like a character."""
    return bool(character["stats"]["averageRating"] >= WELL_RATED)


def _fits(character: Character, query: dict[str, Any]) -> bool:
    """Whether a character passes all filters of a query.

    Those for adults are listed alone, or not at all; the other flags, where they are false, filter
    nothing; to sort by "featured" leaves out all others (Venice's skill for characters,
    github.com/veniceai/skills, 73c0bf7).
    """
    text = " ".join([character["name"], character["description"] or "", *character["tags"]]).lower()
    flags = {"isPro": "pro", "isWebEnabled": "webEnabled"}
    for_adults = query.get("isAdult") == "true"
    tags = {tag.lower() for tag in query.get("tags", [])}
    categories = {category.lower() for category in query.get("categories", [])}
    models = query.get("modelId", [])
    return (
        all(word in text for word in query.get("search", "").lower().split())
        and character["adult"] is for_adults
        and (character["featured"] or query.get("sortBy") != "featured")
        and all(character[name] for flag, name in flags.items() if query.get(flag) == "true")
        and (not tags or not tags.isdisjoint(tag.lower() for tag in character["tags"]))
        and (not categories or not categories.isdisjoint(character["categories"]))
        and (not models or character["modelId"] in models)
    )


async def list_characters(call: Call) -> Response:
    """GET /characters."""
    query = call.query
    found = [character for character in characters() if _fits(character, query)]
    found.sort(
        key=ORDERS[query.get("sortBy", "imports")], reverse=query.get("sortOrder", "desc") == "desc"
    )
    page = found[query["offset"] : query["offset"] + query["limit"]]
    return JSONResponse({"object": "list", "data": [_shown(character) for character in page]})


async def get_character(call: Call) -> Response:
    """GET /characters/{slug}."""
    return JSONResponse({"object": "character", "data": _shown(find_character(call.path["slug"]))})


async def list_reviews(call: Call) -> Response:
    """GET /characters/{slug}/reviews."""
    character = find_character(call.path["slug"])
    page, size = call.query["page"], call.query["pageSize"]
    reviews = [
        {
            "characterId": character["id"],
            "id": f"{character['id'][:-4]}{number:04d}",
            "isOwner": False,
            "locale": "en",
            "userAvatarUrl": None,
            **review,
        }
        for number, review in enumerate(character["reviews"], start=1)
    ]
    total, ratings = len(reviews), [review["rating"] for review in reviews]
    body = {
        "object": "list",
        "data": reviews[(page - 1) * size : page * size],
        "pagination": {
            "page": page,
            "pageSize": size,
            "total": total,
            "totalPages": -(-total // size),
        },
        "summary": {
            "averageRating": round(sum(ratings) / total, 2) if total else 0,
            "totalReviews": total,
        },
    }
    call.headers |= {
        "x-pagination-limit": str(size),
        "x-pagination-page": str(page),
        "x-pagination-total": str(total),
        "x-pagination-total-pages": str(-(-total // size)),
    }
    return JSONResponse(body)
