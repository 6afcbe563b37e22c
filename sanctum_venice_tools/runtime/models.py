"""Choosing a model: the caller's, else the operator's, else the one that Venice recommends."""

import difflib
import os
from typing import Any

from sanctum_venice_tools.runtime.venice import VeniceError, _call


def _pick_model(kind: str, wanted: str, *, setting: str, needs: str = "", usual: str = "", fits: Any = bool) -> Any:
    """The model `wanted`, else the operator's (variable `setting`), else the `usual`, else Venice's; it can `needs`."""
    listed, _ = _call("GET", "/models", params={"type": kind})
    live = [model for model in listed["data"] if not model["model_spec"].get("offline") and fits(model)]
    fit = [model for model in live if all(map(model["model_spec"].get("capabilities", {}).get, needs.split()))]
    wanted = wanted or os.environ.get(setting, "")
    for model in sorted(fit, key=lambda one: _rank(one, usual)):
        if wanted in ("", model["id"], *model["model_spec"].get("traits", [])):
            return model
    near = difflib.get_close_matches(wanted, [model["id"] for model in fit], n=5, cutoff=0.0)
    use = ", ".join(near) or "none, for Venice has no such model now"
    raise VeniceError(f"There is no {kind} model {wanted!r:.80} fit for this. Leave it out, or use: {use}.")


def _rank(model: dict[str, Any], usual: str = "") -> tuple[bool, ...]:
    """Venice's default first, then the `usual` (an id or a trait), then settled, then beta, then those about to go."""
    named = [model["id"], *(spec := model["model_spec"]).get("traits", [])]
    return "default" not in named, usual not in named, bool(spec.get("deprecation")), bool(spec.get("betaModel"))
