"""Rare settings: one `options` object, checked by name and value before anything is sent."""

import difflib
from typing import Any

from sanctum_venice_tools.runtime.venice import VeniceError


def _check_options(options: dict[str, Any], known: dict[str, Any]) -> None:
    """Refuse an option that is not known, or that is outside of its (lowest, highest) or its [choices]."""
    for name, value in options.items():
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1, cutoff=0)
            raise VeniceError(f"There is no option {name!r:.40}; the nearest is '{near[0]}'.")
        allowed, kind = known[name], type(value)
        fits = isinstance(allowed, tuple) and kind in (int, *map(type, allowed)) and allowed[0] <= value <= allowed[1]
        if not (fits or (isinstance(allowed, list) and value in allowed)):
            raise VeniceError(f"The option '{name}' must be within {allowed}, not {value!r:.40}.")
