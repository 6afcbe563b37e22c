"""List Venice's models."""

import difflib
import json
import re
from typing import Any, Literal

from sanctum_venice_tools.runtime.arguments import _read_as_meant
from sanctum_venice_tools.runtime.listing import _list_models, _Listed
from sanctum_venice_tools.runtime.models import _amounts, _find_model, _rank, _read_end
from sanctum_venice_tools.runtime.venice import VeniceError, _answer, _call, _given

TOOLSET = "core"
COST = "free"

# What an agent may need, and the field of a model that says it.
_NEEDS = {
    "vision": "supportsVision",
    "many_images": "supportsMultipleImages",
    "video_input": "supportsVideoInput",
    "audio_input": "supportsAudioInput",
    "tools": "supportsFunctionCalling",
    "web_search": "supportsWebSearch",
    "reasoning": "supportsReasoning",
    "answer_schema": "supportsResponseSchema",
    "code": "optimizedForCode",
    "e2ee": "supportsE2EE",
    "uncensored": "uncensored",
    "private": "private",
    "text_to_video": "text-to-video",
    "image_to_video": "image-to-video",
}
_KINDS = ["text", "image", "embedding", "tts", "asr", "video", "music", "inpaint", "upscale"]
_PER_MILLION_TOKENS = "USD per million tokens."
_PER_PICTURE = "USD per picture; from lowest to highest where it depends."
_UNITS = {
    "text": _PER_MILLION_TOKENS,
    "code": _PER_MILLION_TOKENS,
    "embedding": _PER_MILLION_TOKENS,
    "decision": _PER_MILLION_TOKENS,
    "image": _PER_PICTURE,
    "inpaint": _PER_PICTURE,
    "upscale": _PER_PICTURE,
    "tts": "USD per million characters.",
    "asr": "USD per second of audio.",
    "music": "USD; venice_quote_music tells the price of a piece.",
    "video": "venice_quote_video tells the price of a film.",
}

# What models and their ids may take of the reply, in characters.
_ROOM_FOR_MODELS = 2400
_ROOM_FOR_IDS = 700

# What is of no use to an agent in a model's description, and how much of the rest is shown.
_USELESS = ("diem", "capabilities", "modelSource")
_MOST_ITEMS = 60
_LONGEST_TEXT = 200

# What stands between the words of a need: web search, web-search
_BETWEEN_WORDS_OF_NEED = re.compile(r"[\s_-]+")


def _abilities(model: _Listed) -> list[str]:
    """Those of the needs that a model meets."""
    spec = model["model_spec"]
    fields = {**spec, **(spec.get("capabilities") or {})}
    constraints = spec.get("constraints") or {}
    kinds = (spec.get("privacy"), constraints.get("model_type"))
    return [need for need, name in _NEEDS.items() if name in kinds or fields.get(name) is True]


def _fits(model: _Listed, part: str, needs: set[str]) -> bool:
    """Whether a model has a text in its id, and meets all of the needs."""
    has_part = part in model["id"].lower()
    return has_part and needs <= set(_abilities(model))


def _summarize(model: _Listed) -> dict[str, Any]:
    """A model in a line: what it is for, what it can, what it costs."""
    spec = model["model_spec"]
    end = _read_end(spec)
    return _given(
        id=model["id"],
        type=model["type"],
        default_for=", ".join(spec.get("traits") or []),
        can=", ".join(_abilities(model)),
        context=spec.get("availableContextTokens"),
        prices=_tell_prices(model),
        retires=end.day,
        replacement=end.replacement,
        beta=spec.get("betaModel") or None,
    )


def _tell_prices(model: _Listed) -> dict[str, Any]:
    """What a model costs, by what it is paid for: a price, or from lowest to highest."""
    told: dict[str, Any] = {}
    pricing = model["model_spec"].get("pricing") or {}
    for name, price in pricing.items():
        amounts = sorted(set(_amounts(price)))
        is_of_another = name == "upscale" and model["type"] != "upscale"
        if not amounts or is_of_another or name.startswith(("cache", "extended")):
            continue
        lowest, highest = amounts[0], amounts[-1]
        told[name] = lowest if lowest == highest else f"{lowest} to {highest}"
    return told


def _count_types(models: list[_Listed]) -> dict[str, Any]:
    """How many models there are of each type, and the first of them.

    Venice may add types at any time.
    """
    ids: dict[str, list[str]] = {kind: [] for kind in _KINDS}
    for model in models:
        ids.setdefault(model["type"], []).append(model["id"])
    return {kind[:40]: _count(names) for kind, names in ids.items() if names}


def _count(ids: list[str]) -> dict[str, Any]:
    """How many models there are, and the first of them."""
    return {"models": len(ids), "first": ids[0]}


def _fit(entries: list[Any], room: int) -> list[Any]:
    """The first entries, as many as fit into so many characters."""
    fitting = []
    for entry in entries:
        around = 2  # the comma and the space behind it
        room -= len(json.dumps(entry)) + around
        if room < 0:
            break
        fitting.append(entry)
    return fitting


def _trim(node: Any) -> Any:
    """A model's description, with long lists and texts cut, and without what is of no use."""
    if isinstance(node, dict):
        useful = {name: _trim(value) for name, value in node.items() if name not in _USELESS}
        return _given(**useful)
    if isinstance(node, list):
        items = [_trim(item) for item in node[:_MOST_ITEMS]]
        more = len(node) - len(items)
        return [*items, f"... {more} more"] if more else items
    return node[:_LONGEST_TEXT] if isinstance(node, str) else node


def _tell_all(model: _Listed) -> str:
    """All about one model that an agent can use."""
    spec = model["model_spec"]
    capabilities = spec.get("capabilities") or {}
    told = {"id": model["id"], "type": model["type"], "can": _abilities(model), **_trim(spec)}
    efforts = capabilities.get("reasoningEffortOptions")
    return _answer(**told, reasoning_efforts=efforts, price_unit=_UNITS.get(model["type"]))


def _read_needs(needs: list[str]) -> set[str]:
    """The needs by their names, however they are written."""
    wanted = set()
    for written in needs:
        for name in written.split(","):  # several may stand in one text: "vision, tools"
            need = _BETWEEN_WORDS_OF_NEED.sub("_", name.strip().lower())
            wanted.add(need)

    wanted.discard("")
    for need in wanted - _NEEDS.keys():
        (nearest,) = difflib.get_close_matches(need, _NEEDS, n=1, cutoff=0.0)
        others = ", ".join(_NEEDS)
        unknown = f"There is no need {need!r:.40}; the nearest is '{nearest}'"
        raise VeniceError(f"{unknown}. Others: {others}.")
    return wanted


def _translate(name: str, kinds: list[str]) -> str:
    """What Venice runs in place of another maker's model."""
    known: dict[str, str] = {}
    wanted = name.lower()
    for kind in kinds:
        listed, _ = _call("GET", "/models/compatibility_mapping", params={"type": kind})
        for foreign, ours in listed["data"].items():
            known[foreign.lower()] = ours
        if wanted in known:
            then = "Give this id as the model of a tool."
            return _answer(foreign_name=name, id=known[wanted], type=kind, next=then)

    near = ", ".join(difflib.get_close_matches(name, known, n=5, cutoff=0.0))
    unknown = f"Venice has no stand-in for {name!r:.80}"
    raise VeniceError(f"{unknown}; it has some for: {near}. Or leave the model out.")


def _place(model: _Listed) -> tuple[Any, ...]:
    """Where a model stands in the list; lower goes first, so the newest is negative."""
    has_no_trait = not model["model_spec"].get("traits")
    return _rank(model), has_no_trait, -model.get("created", 0)


def _list_traits(kind: str) -> Any:
    """Which models Venice recommends of a type, by what each is best at."""
    listed, _ = _call("GET", "/models/traits", params={"type": kind})
    return listed["data"]


@_read_as_meant
def venice_list_models(
    *,
    type: Literal[  # noqa: A002 - Venice's own name
        "all",
        "text",
        "code",
        "image",
        "inpaint",
        "video",
        "music",
        "tts",
        "asr",
        "embedding",
        "upscale",
        "decision",
    ] = "all",
    needs: list[str] | None = None,
    model: str = "",
    foreign_name: str = "",
) -> str:
    """List Venice models by what they can do, or see all about one. Free.

    Only when a model matters: the tools choose well by themselves.

    Args:
        type: inpaint edits pictures, tts speaks, asr transcribes.
        needs: All of: vision, many_images, video_input, audio_input, tools, web_search, reasoning,
            answer_schema, code, e2ee, uncensored, private, text_to_video, image_to_video.
        model: An id, to see all about it, or a part of one.
        foreign_name: Such as "gpt-4o": Venice's model in its place.

    Returns:
        JSON: models (id, type, can, context, prices), best first, more_ids; or one model.
    """
    if foreign_name:
        return _translate(foreign_name.strip(), [type] if type in _KINDS else _KINDS)
    model = model.strip()
    wanted = _read_needs(needs or [])
    found = sorted(_list_models(type, anew=True), key=_place)
    if model:
        named = _find_model(model, found)
        if named:
            return _tell_all(named)
    live = [one for one in found if not one["model_spec"].get("offline")]
    if type == "all" and not wanted and not model:
        then = "Call again with a type, with needs, or with a model."
        return _answer(types=_count_types(live), next=then)

    part = model.lower()
    fit = [one for one in live if _fits(one, part, wanted)]
    if not fit:
        ids = [one["id"] for one in live]
        near = ", ".join(difflib.get_close_matches(model, ids, n=5, cutoff=0.0)) or "none"
        raise VeniceError(f"No model fits. Leave out a need, or the type; the nearest ids: {near}.")

    rows = _fit([_summarize(one) for one in fit], _ROOM_FOR_MODELS)
    more_ids = _fit([one["id"] for one in fit[len(rows) :]], _ROOM_FOR_IDS)
    notes = ""
    unseen = len(fit) - len(rows) - len(more_ids)
    if unseen:
        notes = f"{unseen} more fit: narrow it with needs, or with a part of an id as model."
    return _answer(
        models=rows,
        more_ids=more_ids,
        traits=_list_traits(type) if type in _KINDS else {},
        price_unit=_UNITS.get(type),
        notes=notes,
        next="Call again with one id as model to see all about it.",
    )
