"""Choosing a model: the caller's, else the operator's, else the one that Venice recommends."""

import difflib
import os
from typing import Any

from sanctum_venice_tools.runtime.venice import VeniceError, _call


def _pick_model(kind: str, wanted: str, *, setting: str, needs: str = "") -> dict[str, Any]:
    """The model `wanted`, else the operator's (environment variable `setting`), else Venice's; it can `needs`."""
    listed, _ = _call("GET", "/models", params={"type": kind})
    models: list[dict[str, Any]] = [entry for entry in listed["data"] if not entry["model_spec"].get("offline")]
    fit = [model for model in models if not needs or model["model_spec"].get("capabilities", {}).get(needs)]
    wanted = wanted or os.environ.get(setting, "")
    for model in sorted(fit, key=_rank):
        if wanted in ("", model["id"], *model["model_spec"].get("traits", [])):
            return model
    near = difflib.get_close_matches(wanted, [model["id"] for model in fit], n=5, cutoff=0.0)
    raise VeniceError(f"There is no {kind} model {wanted!r:.80} fit for this. Leave it out, or use: {', '.join(near)}.")


def _rank(model: dict[str, Any]) -> tuple[bool, ...]:
    """Venice's default first, then settled models, then beta ones, then those about to go."""
    spec = model["model_spec"]
    return "default" not in spec.get("traits", []), bool(spec.get("deprecation")), bool(spec.get("betaModel"))
