"""List Venice's models."""

import difflib
import json
import re
from itertools import accumulate
from typing import Any, Literal

from sanctum_venice_tools.runtime.arguments import _read_as_meant
from sanctum_venice_tools.runtime.models import _amounts, _find_model, _list_models, _rank, _read_end
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
_UNITS = {
    **dict.fromkeys(("text", "code", "embedding", "decision"), "USD per million tokens."),
    **dict.fromkeys(("image", "inpaint", "upscale"), "USD per picture; from lowest to highest where it depends."),
    "tts": "USD per million characters.",
    "asr": "USD per second of audio.",
    "music": "USD; venice_quote_music tells the price of a piece.",
    "video": "venice_quote_video tells the price of a film.",
}


def _abilities(model: dict[str, Any]) -> list[str]:
    """Those of the needs that a model meets."""
    spec = model["model_spec"]
    fields = {**spec, **(spec.get("capabilities") or {})}
    named = (spec.get("privacy"), (spec.get("constraints") or {}).get("model_type"))
    return [need for need, name in _NEEDS.items() if name in named or fields.get(name) is True]


def _summarize(model: dict[str, Any]) -> dict[str, Any]:
    """A model in a line: what it is for, what it can, what it costs."""
    spec = model["model_spec"]
    end = _read_end(spec)
    prices = {}
    for name, price in (spec.get("pricing") or {}).items():
        found = sorted(set(_amounts(price)))
        if found and not name.startswith(("cache", "extended")) and (name != "upscale" or model["type"] == name):
            prices[name] = found[0] if len(found) == 1 else f"{found[0]} to {found[-1]}"
    return _given(
        id=model["id"],
        type=model["type"],
        default_for=", ".join(spec.get("traits") or []),
        can=", ".join(_abilities(model)),
        context=spec.get("availableContextTokens"),
        prices=prices,
        retires=end.day,
        replacement=end.replacement,
        beta=spec.get("betaModel") or None,
    )


def _count_types(models: list[dict[str, Any]]) -> dict[str, Any]:
    """How many models there are of each type, and the first of them; Venice may add types at any time."""
    kinds = dict.fromkeys([*_KINDS, *(one["type"] for one in models)])
    types = {kind: [one["id"] for one in models if one["type"] == kind] for kind in kinds}
    return {kind[:40]: {"models": len(ids), "first": ids[0]} for kind, ids in types.items() if ids}


def _fit(entries: list[Any], room: int) -> list[Any]:
    """The first entries, as many as fit into so many characters."""
    ends = accumulate(len(json.dumps(entry)) + 2 for entry in entries)
    return [entry for entry, end in zip(entries, ends, strict=True) if end <= room]


def _trim(node: Any) -> Any:
    """A model's description with long lists and texts cut, and without what is empty or of no use to an agent."""
    if isinstance(node, dict):
        useless = ("diem", "capabilities", "modelSource")
        return _given(**{name: _trim(value) for name, value in node.items() if name not in useless})
    if isinstance(node, list):
        return [_trim(item) for item in node[:60]] + [f"... {len(node) - 60} more"] * (len(node) > 60)
    return node[:200] if isinstance(node, str) else node


def _tell_all(model: dict[str, Any]) -> str:
    """All about one model that an agent can use."""
    efforts = (model["model_spec"].get("capabilities") or {}).get("reasoningEffortOptions")
    about = {"id": model["id"], "type": model["type"], "can": _abilities(model), **_trim(model["model_spec"])}
    return _answer(**about, reasoning_efforts=efforts, price_unit=_UNITS.get(model["type"]))


def _read_needs(needs: list[str]) -> set[str]:
    """The needs by their names, however they are written."""
    # Several may stand in one text: "vision, tools".
    named = [name for need in needs for name in need.split(",")]
    wanted = {re.sub(r"[\s_-]+", "_", name.strip().lower()) for name in named}
    for need in wanted - _NEEDS.keys():
        near = difflib.get_close_matches(need, _NEEDS, n=1, cutoff=0.0)[0]
        raise VeniceError(f"There is no need {need!r:.40}; the nearest is '{near}'. Others: {', '.join(_NEEDS)}.")
    return wanted


def _translate(name: str, kinds: list[str]) -> str:
    """What Venice runs in place of another maker's model."""
    known: dict[str, str] = {}
    for kind in kinds:
        listed, _ = _call("GET", "/models/compatibility_mapping", params={"type": kind})
        known |= {foreign.lower(): ours for foreign, ours in listed["data"].items()}
        if name.lower() in known:
            return _answer(
                foreign_name=name, id=known[name.lower()], type=kind, next="Give this id as the model of a tool."
            )
    near = ", ".join(difflib.get_close_matches(name, known, n=5, cutoff=0.0))
    raise VeniceError(f"Venice has no stand-in for {name!r:.80}; it has some for: {near}. Or leave the model out.")


@_read_as_meant
def venice_list_models(
    *,
    type: Literal[  # noqa: A002 - Venice's own name
        "all", "text", "code", "image", "inpaint", "video", "music", "tts", "asr", "embedding", "upscale", "decision"
    ] = "all",
    needs: list[str] | None = None,
    model: str = "",
    foreign_name: str = "",
) -> str:
    """List Venice models by what they can do, or see all about one. Free.

    Only when a model matters: the other tools choose well by themselves.

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
    wanted = _read_needs(needs or [])
    found = sorted(
        _list_models(type), key=lambda one: (_rank(one), not one["model_spec"].get("traits"), -one.get("created", 0))
    )
    if model and (named := _find_model(model.strip(), found)):
        return _tell_all(named)
    live = [one for one in found if not one["model_spec"].get("offline")]
    if type == "all" and not wanted and not model:
        return _answer(types=_count_types(live), next="Call again with a type, with needs, or with a model.")

    fit = [one for one in live if model.lower() in one["id"].lower() and wanted <= set(_abilities(one))]
    if not fit:
        near = ", ".join(difflib.get_close_matches(model, [one["id"] for one in live], n=5, cutoff=0.0))
        raise VeniceError(f"No model fits. Leave out a need, or the type; the nearest ids: {near or 'none'}.")
    rows = _fit([_summarize(one) for one in fit], 2400)
    ids = _fit([one["id"] for one in fit[len(rows) :]], 700)
    unseen = len(fit) - len(rows) - len(ids)
    traits = _call("GET", "/models/traits", params={"type": type})[0]["data"] if type in _KINDS else {}
    return _answer(
        models=rows,
        more_ids=ids,
        traits=traits,
        price_unit=_UNITS.get(type),
        notes=f"{unseen} more fit: narrow it with needs, or with a part of an id as model." if unseen else "",
        next="Call again with one id as model to see all about it.",
    )
