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
from sanctum_venice_tools.runtime.replies import _object_of, _objects_in, _text_of
from sanctum_venice_tools.runtime.venice import _COPIES, VeniceError, _base_url, _call

# A model as Venice lists it, with an id, a type, and a model_spec.
_Listed = dict[str, Any]

# So old a copy may be. Models come and go by the week, and a call that Venice refuses takes the
# copies away.
_FRESH_SECONDS = 600

# What these models make may cost dollars: they and their prices are asked for each time.
_DEAR_KINDS = ("video", "music")


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
    """The models in what Venice told, those that are of its form."""
    models = []
    for row in _objects_in(_object_of(told).get("data")):
        has_id = bool(_text_of(row.get("id")))
        has_spec = isinstance(row.get("model_spec"), dict)
        if has_id and has_spec:
            own_kind = _text_of(row.get("type")) or kind
            models.append({**row, "type": own_kind})
    return models


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
