"""Replies: what Venice sends, read by type; what is of another type counts as not told."""

import json
import math
from typing import Any


def _parse_reply(content: bytes | str) -> Any:
    """What a JSON text stands for; None, if it is none."""
    try:
        return json.loads(content)
    except (ValueError, RecursionError):  # broken, or nested too deeply
        return None


def _object_of(value: Any) -> dict[str, Any]:
    """An object, or an empty one."""
    return value if isinstance(value, dict) else {}


def _text_of(value: Any) -> str:
    """A text, or an empty one."""
    return value if isinstance(value, str) else ""


def _number_of(value: Any) -> float | None:
    """A finite number; Python reads NaN and Infinity as JSON, too, and true is a kind of 1."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if math.isfinite(number) else None


def _list_of(value: Any) -> list[Any]:
    """A list, or an empty one."""
    return value if isinstance(value, list) else []


def _objects_in(value: Any) -> list[dict[str, Any]]:
    """The objects in a list."""
    return [item for item in _list_of(value) if isinstance(item, dict)]
