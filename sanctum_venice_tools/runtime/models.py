"""Choosing a model: the caller's, else the operator's, else the one that Venice recommends."""

import difflib
import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sanctum_venice_tools.runtime.replies import _object_of, _objects_in, _text_of
from sanctum_venice_tools.runtime.venice import VeniceError, _call


@dataclass(frozen=True)
class _Model:
    """The model that was chosen for a call."""

    id: str
    spec: dict[str, Any]
    notes: list[str]


def _pick_model(
    kind: str,
    wanted: str,
    *,
    setting: str,
    needs: str = "",
    usual: str = "",
    fits: Callable[[dict[str, Any]], Any] = bool,
) -> _Model:
    """The model `wanted`, else the operator's (variable `setting`), else the `usual`, else Venice's; it can `needs`."""
    live = [model for model in _list_models(kind) if not model["model_spec"].get("offline") and fits(model)]
    able = [model for model in live if all(map(model["model_spec"].get("capabilities", {}).get, needs.split()))]
    able.sort(key=lambda model: _rank(model, usual))
    wanted = wanted.strip() or os.environ.get(setting, "").strip()
    if able and not wanted:
        return _Model(able[0]["id"], able[0]["model_spec"], [])

    found = _find_model(wanted, able)
    suffix = ""
    if not found and kind == "text":
        # A name may end with features of Venice: zai-org-glm-5-2:enable_web_search=on
        name, colon, features = wanted.partition(":")
        found, suffix = _find_model(name, able), colon + features
    if not found and wanted:
        found, suffix = _find_model(_stand_in(kind, wanted), able), ""
    if not found:
        near = difflib.get_close_matches(wanted, [model["id"] for model in able], n=5, cutoff=0.0)
        use = ", ".join(near) or "none, for Venice has no such model now"
        raise VeniceError(f"There is no {kind} model {wanted!r:.80} fit for this. Leave it out, or use: {use}.")
    chosen = found["id"] + suffix
    notes = [] if chosen == wanted else [f"Took the model {chosen:.80} for {wanted!r:.80}."]
    return _Model(chosen, found["model_spec"], notes)


def _list_models(kind: str) -> list[dict[str, Any]]:
    """What Venice lists of a type: each with an id, a type, and a model_spec."""
    listed, _ = _call("GET", "/models", params={"type": kind})
    return [
        {**model, "type": _text_of(model.get("type")) or kind}
        for model in _objects_in(_object_of(listed).get("data"))
        if _text_of(model.get("id")) and isinstance(model.get("model_spec"), dict)
    ]


def _find_model(wanted: str, models: list[dict[str, Any]]) -> dict[str, Any] | None:
    """The first model of an id or trait, in any case; a provider's name may stand before it: venice/zai-org-glm-5-2."""
    name = wanted.lower()
    for spelling in (name, name.partition("/")[2]):
        for model in models:
            names = [model["id"], *(model["model_spec"].get("traits") or [])]
            if spelling in map(str.lower, names):
                return model
    return None


def _stand_in(kind: str, foreign: str) -> str:
    """What Venice runs in place of another maker's model, by its own list; nothing, if it has none."""
    listed, _ = _call("GET", "/models/compatibility_mapping", params={"type": kind})
    known = {name.lower(): _text_of(model) for name, model in _object_of(_object_of(listed).get("data")).items()}
    name = foreign.lower()
    return known.get(name) or known.get(name.partition("/")[2]) or ""


def _rank(model: dict[str, Any], usual: str = "") -> tuple[bool, ...]:
    """Venice's default first, then the `usual` (an id or a trait), then settled, then beta, then those about to go."""
    named = [model["id"], *(spec := model["model_spec"]).get("traits", [])]
    return "default" not in named, usual not in named, bool(spec.get("deprecation")), bool(spec.get("betaModel"))
