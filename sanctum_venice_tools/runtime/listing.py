"""Venice's list of models, and a copy of it for a few minutes.

It is long, and nearly every call needs a row of it.
"""

import hashlib
import json
import os
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from sanctum_venice_tools.runtime.media import _media_path, _part_file
from sanctum_venice_tools.runtime.replies import _list_of, _number_of, _object_of
from sanctum_venice_tools.runtime.venice import _COPIES, VeniceError, _base_url, _call

# A model as Venice lists it, with an id, a type, and a model_spec.
_Listed = dict[str, Any]

# So old a copy may be. Models come and go by the week, and a call that Venice refuses takes the
# copies away.
_FRESH_SECONDS = 600

# What these models make may cost dollars: they and their prices are asked for each time.
_DEAR_KINDS = ("video", "music")

# The form of what tools read in a row without looking at its type; float stands for any number.
_USD = {"usd": float}
_FORM_OF_ROW = {
    "id": str,
    "type": str,
    "created": float,
    "model_spec": {
        "traits": [str],
        "pricing": {
            "input": _USD,
            "per_audio_second": _USD,
            "upscale": {"2x": _USD, "4x": _USD},
            "inputImages": {"included": float, "additional": _USD},
        },
        "capabilities": {"maxImages": float, "reasoningEffortOptions": [str]},
        "constraints": {
            "resolutions": [str],
            "qualities": [str],
            "aspectRatios": [str],
            "aspect_ratios": [str],
            "durations": [str],
            "defaultResolution": str,
            "defaultQuality": str,
            "maxInputImages": float,
            "widthHeightDivisor": float,
            "promptCharacterLimit": float,
            "prompt_character_limit": float,
        },
        "embeddingDimensions": float,
        "voices": [str],
        "default_voice": str,
        "supported_formats": [str],
        "default_format": str,
        "voice_cloning": {"accepted_formats": [str], "retention_days": float},
        "duration_options": [float],
        "default_duration": float,
        "min_duration": float,
        "max_duration": float,
        "min_speed": float,
        "max_speed": float,
        "min_prompt_length": float,
        "prompt_character_limit": float,
        "lyrics_character_limit": float,
    },
}


def _list_models(kind: str, *, anew: bool = False) -> list[_Listed]:
    """The models that Venice lists of a type: from a fresh copy, unless they are asked for anew."""
    copy = _copy_of(kind)
    is_cheap = kind not in _DEAR_KINDS
    if is_cheap and not anew:
        kept = _read_rows(_read_copy(copy), kind)
        if kept:
            _COPIES.append(copy)
            return kept

    told, _ = _call("GET", "/models", params={"type": kind})
    models = _read_rows(told, kind)
    if models and is_cheap:
        _keep_copy(copy, told)
    return models


def _read_rows(told: Any, kind: str) -> list[_Listed]:
    """The models in what Venice told, those that have an id and a model_spec."""
    models = []
    for told_row in _list_of(_object_of(told).get("data")):
        row = _object_of(_in_form(told_row, _FORM_OF_ROW))
        if row.get("id") and "model_spec" in row:
            models.append({**row, "type": row.get("type") or kind})
    return models


def _in_form(told: Any, form: Any) -> Any:
    """What is told, without whatever in it is of another form; None, if nothing is left.

    A field that one model has in another form would else break each call that looks for a model,
    or that is paid and then told with its price.
    """
    if isinstance(form, dict):
        return _object_in_form(told, form)
    if isinstance(form, list):
        return _list_in_form(told, form)
    if form is float:
        return None if _number_of(told) is None else told
    return told if isinstance(told, str) else None


def _object_in_form(told: Any, form: dict[str, Any]) -> dict[str, Any] | None:
    """An object likewise; fields that the form does not name stay as they are."""
    if not isinstance(told, dict):
        return None
    fields = {}
    for name, value in told.items():
        read = _in_form(value, form[name]) if name in form else value
        if read is not None:
            fields[name] = read
    return fields


def _list_in_form(told: Any, form: list[Any]) -> list[Any] | None:
    """A list likewise; where there is one choice, it may be bare."""
    (inner,) = form
    items = told if isinstance(told, list) else [told]
    fitting = [item for item in items if _in_form(item, inner) is not None]
    return fitting or None


def _copy_of(kind: str) -> Path:
    """Where the copy of a list lies: in the media folder, hidden, for this Venice and this key."""
    key = os.environ.get("VENICE_API_KEY", "")
    whose = hashlib.sha256(f"{_base_url()} {key}".encode()).hexdigest()
    return _media_path() / ".models" / f"{kind}-{whose[:16]}.json"


def _read_copy(copy: Path) -> Any:
    """What is in a fresh copy; None, if there is none that can be read."""
    with suppress(OSError, ValueError, RecursionError):
        age = time.time() - copy.stat().st_mtime
        if 0 <= age < _FRESH_SECONDS:
            return json.loads(copy.read_bytes())
    return None


def _keep_copy(copy: Path, told: Any) -> None:
    """Keep what Venice told, whole or not at all, where there is a media folder already.

    It is a help, and nothing that a call depends on.
    """
    with suppress(OSError, VeniceError):
        copy.parent.mkdir(mode=0o700, exist_ok=True)
        with _part_file(copy.parent, advice="") as part:
            part.write(json.dumps(told).encode())
            part.flush()
            Path(part.name).replace(copy)
