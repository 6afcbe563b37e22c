"""The script of the local Venice's chat: which message makes it call which tools.

A script is a JSON list of turns:

    {"when": "fox", "calls": [{"name": "venice_ask_web", "arguments": {"question": "..."}}], "then":
        "..."}

`when` is a part of the last user message, in upper or lower case, or a regular expression between
slashes. `calls` may be left out: then the turn only speaks. `then` is a text, or an object of
further `calls` and `then`.

Texts, those within arguments too, may hold placeholders: {TOOL.FIELD.FIELD}, a field of that tool's
result; numbers count from 0 within lists, * takes all of a list, and after | stands what is said
when there is no such field. {message} is the user's message.
"""

import json
import re
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

PLACEHOLDER = re.compile(r"\{([A-Za-z_][\w-]*(?:\.[\w*-]+)*)(?:\|([^{}]*))?\}")


class ScriptError(ValueError):
    """A script file that cannot be followed."""


@dataclass(frozen=True)
class Step:
    """Calls to make, and what follows their results."""

    calls: list[dict[str, Any]]
    then: "str | Step"


@dataclass(frozen=True)
class Turn:
    """One line of the script."""

    when: str
    step: Step

    def fits(self, message: str) -> bool:
        """Whether this turn answers that message."""
        if len(self.when) > 1 and self.when.startswith("/") and self.when.endswith("/"):
            return re.search(self.when[1:-1], message, re.IGNORECASE | re.DOTALL) is not None
        return self.when.lower() in message.lower()


class Script:
    """All turns, the first that fits wins."""

    def __init__(self, turns: list[Turn]) -> None:
        self.turns = turns

    @classmethod
    def load(cls, path: Path | None) -> "Script":
        """Read a script file, or the default one; raise ScriptError when it is none."""
        source = path or files(__package__).joinpath("script.json")
        try:
            entries = json.loads(source.read_text(encoding="utf-8"))
            turns = [Turn(str(entry["when"]), _step(entry)) for entry in entries]
            for turn in turns:
                turn.fits("")
        except (OSError, ValueError, TypeError, KeyError, re.error) as error:
            raise ScriptError(f"{source} is no script: {error!r}") from error
        return cls(turns)

    def find(self, message: str) -> Turn | None:
        """The turn that answers a message."""
        return next((turn for turn in self.turns if turn.fits(message)), None)


def _step(entry: dict[str, Any]) -> Step:
    """A step of a turn, with those that follow it."""
    calls = [{"name": str(call["name"]), "arguments": dict(call.get("arguments", {}))}
             for call in entry.get("calls", [])]  # fmt: skip
    then = entry["then"]
    return Step(calls, _step(then) if isinstance(then, dict) else str(then))


def fill(template: Any, results: dict[str, Any]) -> Any:
    """A text, or all texts within a value, with their placeholders filled from the tools' results.

    A text that is nothing but one placeholder becomes the field itself, whatever its type.
    """
    if isinstance(template, dict):
        return {name: fill(part, results) for name, part in template.items()}
    if isinstance(template, list):
        return [fill(part, results) for part in template]
    if not isinstance(template, str):
        return template
    if whole := PLACEHOLDER.fullmatch(template):
        found = _look_up(whole[1], results)
        return (whole[2] or "") if found is None else found
    return PLACEHOLDER.sub(
        lambda place: _text(_look_up(place[1], results), place[2] or ""), template
    )


def _look_up(path: str, results: dict[str, Any]) -> Any:
    """The field of a result that a path names, or None."""
    value: Any = results
    for position, part in enumerate(parts := path.split(".")):
        if part == "*" and isinstance(value, list):
            rest = ".".join(["item", *parts[position + 1 :]])
            return [
                found for item in value if (found := _look_up(rest, {"item": item})) is not None
            ]
        if isinstance(value, list) and part.isdecimal() and int(part) < len(value):
            value = value[int(part)]
        elif isinstance(value, dict):
            value = value.get(part)
        else:
            return None
    return value


def _text(value: Any, missing: str) -> str:
    """A field as it is spoken."""
    if value is None:
        return missing
    if isinstance(value, list):
        return ", ".join(_text(item, "") for item in value)
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
