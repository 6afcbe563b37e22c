"""How a check ends: what it found, and what to do about that."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

_NAMES_SHOWN = 3

State = Literal["ok", "warning", "failure", "skipped"]


@dataclass(frozen=True)
class Outcome:
    """How a check ended."""

    state: State
    told: str
    """What it found."""
    advice: str = ""
    """What to do about it."""


@dataclass(frozen=True)
class Finding:
    """The outcome of one check, for a person to read."""

    check: str
    state: State
    told: str
    advice: str = ""


class Skip(Exception):  # noqa: N818  # it is no error: a check that can't be made is left out
    """Why a check is left out."""


def ok(told: str) -> Outcome:
    """All is well."""
    return Outcome("ok", told)


def warning(told: str, advice: str) -> Outcome:
    """The tools work, but something is unwise, or will end soon."""
    return Outcome("warning", told, advice)


def failure(told: str, advice: str = "") -> Outcome:
    """Something does not work."""
    return Outcome("failure", told, advice)


def few(names: Sequence[str]) -> str:
    """Some of the names, and how many more there are."""
    shown = ", ".join(names[:_NAMES_SHOWN])
    more = len(names) - _NAMES_SHOWN
    return f"{shown} and {more} more" if more > 0 else shown
