"""Rare settings: one `options` object, each of them read and checked before anything is sent."""

import difflib
from typing import Any

from sanctum_venice_tools.runtime.arguments import (
    _ARGUMENTS,
    _UNREADABLE,
    _as_listed,
    _read_choice,
    _read_number,
    _read_switch,
    _read_text,
    _read_whole,
)
from sanctum_venice_tools.runtime.venice import VeniceError


def _read_options(options: dict[str, Any], known: dict[str, Any]) -> dict[str, Any]:
    """The options by their known names, checked.

    Args:
        options: What was sent.
        known: What each option may be: (lowest, highest), [choices], or any text (str).
    """
    read = {}
    for written, value in options.items():
        name = _read_name(written, known)
        allowed = known[name]
        try:
            read[name] = _read_within(value, allowed)
        except _UNREADABLE:
            fitting = _range(allowed)
            raise VeniceError(
                f"The option '{name}' must be {fitting}, not {value!r:.40}."
            ) from None
    return read


def _read_name(written: str, known: dict[str, Any]) -> str:
    """The known option of that name."""
    name = _as_listed(written, [*known, *_ARGUMENTS])
    if name in known:
        return name
    if name in _ARGUMENTS:
        told = f"'{name}' is no option, but an argument"
        raise VeniceError(f"{told}: give it beside options, not among them.")
    (nearest,) = difflib.get_close_matches(written, known, n=1, cutoff=0)
    raise VeniceError(f"There is no option {written!r:.40}; the nearest is '{nearest}'.")


def _range(allowed: Any) -> str:
    """What an option may be, in words."""
    if allowed is str:
        return "a text"
    if isinstance(allowed, tuple):
        lowest, highest = allowed
        return f"{lowest} to {highest}"
    if not allowed:
        return "left out with this model"
    choices = ", ".join(str(choice) for choice in allowed)
    return f"one of {choices}"


def _read_within(value: Any, allowed: Any) -> Any:
    """A value, if it is what is allowed; one of the errors of `_UNREADABLE` when it is not."""
    if allowed is str:
        return _read_text(value)
    if isinstance(allowed, list):
        return _read_one_of(value, allowed)
    lowest, highest = allowed
    is_whole = isinstance(lowest, int) and isinstance(highest, int)
    number = _read_whole(value) if is_whole else _read_number(value)
    if not lowest <= number <= highest:
        raise ValueError("out of range")
    return number


def _read_one_of(value: Any, choices: list[Any]) -> Any:
    """That of the choices which is meant: switches, whole numbers, texts, or objects."""
    if choices == [True, False]:
        return _read_switch(value)
    if all(isinstance(choice, int) for choice in choices):
        value = _read_whole(value)
    if value in choices:
        return value
    words = [choice for choice in choices if isinstance(choice, str)]
    return _read_choice(value, words)
