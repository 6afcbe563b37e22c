"""Arguments as models send them, read as what is meant: null, JSON text, one value for a list."""

import ast
import json
import math
import re
import sys
from collections.abc import Callable, Iterable
from contextlib import suppress
from functools import partial, wraps
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Literal, get_args, get_origin

from sanctum_venice_tools.runtime.venice import VeniceError, _unreadable

# How models write that something is left out. In a text only these spellings count, for there
# "none" may be a word that is meant.
_NOTHING = ("", "null", "None")

# Rare settings that may be none, however that is written: without them, a model thinks as it likes.
_MAY_BE_NONE = ("reasoning_effort", "tool_choice")

_YES = ("true", "yes", "on", "1")
_NO = ("false", "no", "off", "0")

# -2
_WHOLE = re.compile(r"[+-]?\d{1,30}", re.ASCII)

# -2, 0.5, 3., 1e-3
_NUMBER = re.compile(r"[+-]?\d{1,30}(\.\d{0,30})?(e[+-]?\d{1,2})?", re.ASCII | re.IGNORECASE)

# The space around a number, and the only unit that arguments have: 30 s, 5seconds
_UNIT = re.compile(r"^\s+|\s*(s|secs?|seconds?)?\s*$", re.IGNORECASE)

# ["a", [1, {"b: a list that was begun. A text may begin with a bracket, too: "[1] says so".
_BEGUN_LIST = re.compile(r"\s*\[\s*[\"'{\[]")

# What stands between words: image-to video, image_to_video
_BETWEEN_WORDS = re.compile(r"[\s_-]+")

# Other words for values of closed sets, without spaces, hyphens, capitals and a plural's s.
_OTHER_WORDS = {
    "jpeg": ["jpg"],
    "mp3": ["mpeg"],
    "wav": ["wave"],
    "720p": ["hd"],
    "1080p": ["fullhd", "fhd"],
    "4k": ["uhd", "ultrahd"],
    "effect": ["soundeffect", "sound", "sfx"],
    "music": ["song"],
    "text": ["chat", "llm", "texttovideo"],
    "image": ["picture", "photo", "imagetovideo"],
    "video": ["film", "videotovideo"],
    "reference": ["referencetovideo"],
    "inpaint": ["edit"],
    "tts": ["speech", "texttospeech"],
    "asr": ["transcription", "speechtotext", "stt"],
    "epoch": ["day", "daily"],
    "month": ["monthly"],
    "lifetime": ["never"],
}

# The names of the arguments of the tool that is called.
_ARGUMENTS: list[str] = []

# How the line of Letta's script begins that has the names of the arguments. With one argument it
# goes on as 'prompt': prompt}
_NAMES_IN_SCRIPT = "\n__letta_raw_args = {"

# What a tool fails with that meets something else in Venice's reply than is documented.
_ODD_REPLY = (LookupError, TypeError, AttributeError, ValueError, ArithmeticError, RecursionError)

# What reading can fail with: a value of another form, or a text that is JSON or Python but for a
# fault.
_UNREADABLE = (ValueError, TypeError, SyntaxError, OverflowError, RecursionError, MemoryError)

# What is sent as Python is read no further than this, in characters.
_LONGEST_PYTHON = 100_000


def _read_as_meant(tool: Callable[..., str]) -> Callable[..., str]:
    """Give a tool its arguments in the form of their annotations, however a model sends them."""
    _check_names(tool)
    return wraps(tool)(partial(_call_as_meant, tool))


def _check_names(tool: Callable[..., str]) -> None:
    """Refuse a call by names that the tool does not know.

    Letta writes the names of the arguments, too, into the script that it runs, below this text, and
    as code. So they are looked at now, before Python comes to that line.
    """
    script = Path(sys.argv[0])
    if not script.is_file():
        return
    text = script.read_text(encoding="utf-8", errors="replace")
    _, is_there, rest = text.partition(_NAMES_IN_SCRIPT)
    if not is_there:
        return
    line = rest.partition("\n")[0]
    for entry in line.removesuffix("}").split(", "):
        name = entry.partition("': ")[0].removeprefix("'")
        is_as_letta_writes = entry == f"'{name}': {name}"
        if not is_as_letta_writes or name not in tool.__annotations__:
            raise VeniceError(_unknown(name, tool))


def _unknown(name: str, tool: Callable[..., str]) -> str:
    """What to say of an argument that a tool does not have."""
    known = ", ".join(_forms_of(tool)) or "none"
    return f"There is no argument {name!r:.40}. There are: {known}."


def _forms_of(tool: Callable[..., str]) -> dict[str, Any]:
    """The arguments of a tool, each with its form."""
    forms = dict(tool.__annotations__)
    forms.pop("return", None)
    return forms


def _call_as_meant(tool: Callable[..., str], /, **sent: Any) -> str:
    """Call a tool with what was sent; what is left out has its default."""
    forms = _forms_of(tool)
    _ARGUMENTS[:] = forms
    defaults = tool.__kwdefaults__ or {}
    arguments: dict[str, Any] = {}
    for name, value in sent.items():
        if name not in forms:
            raise VeniceError(_unknown(name, tool))
        may_be_left_out = name in defaults
        if value is None or (may_be_left_out and _is_left_out(value, forms[name])):
            continue
        arguments[name] = _read_argument(name, value, forms[name])

    for name in forms:
        if name not in defaults and name not in arguments:
            raise VeniceError(f"The argument '{name}' is missing. Call again with it.")

    try:
        return tool(**arguments)
    except _ODD_REPLY as error:
        raise _unreadable(error) from None


def _is_left_out(value: Any, form: Any = str) -> bool:
    """Whether a value says that there is none; so does a null where texts belong: [null]."""
    if isinstance(value, list) and _without_none(form) == list[str]:
        return value == [None]
    if not isinstance(value, str):
        return value is None
    text = value.strip()
    if text in _NOTHING:
        return True
    return form is not str and text.lower() == "none"


def _read_argument(name: str, value: Any, annotation: Any) -> Any:
    """The value of an argument in its annotated form."""
    form = _without_none(annotation)
    try:
        meant = _read_form(value, form)
        if isinstance(meant, dict | list):
            json.dumps(meant, allow_nan=False)  # NaN and Infinity are not JSON
    except _UNREADABLE:
        expected = _form_in_words(form)
        raise VeniceError(f"'{name}' must be {expected}, not {value!r:.60}. Correct it.") from None
    return _settings_in(meant) if get_origin(form) is dict else meant


def _without_none(annotation: Any) -> Any:
    """The form in an annotation such as `int | None`."""
    members = get_args(annotation)
    if NoneType not in members:
        return annotation
    others = [member for member in members if member is not NoneType]
    return others[0]


# What to call a form in an error, for whoever sent something else.
_IN_WORDS = {
    int: "a whole number",
    float: "a number",
    bool: "true or false",
    dict: 'a JSON object: {"a": 1}',
    UnionType: 'a JSON list or object: ["a", "b"] or {"name": "a"}',
}


def _form_in_words(form: Any) -> str:
    """A form in words, for whoever sent something else."""
    kind = get_origin(form) or form
    if kind is Literal:
        choices = ", ".join(get_args(form))
        return f"one of {choices}"
    if kind is list:
        (item,) = get_args(form)
        is_of_objects = get_origin(item) is dict
        return 'a JSON list of objects: [{"a": 1}]' if is_of_objects else 'a JSON list: ["a", "b"]'
    return _IN_WORDS.get(kind, "a text")


def _read_form(value: Any, form: Any) -> Any:
    """A value in a form; one of the errors of `_UNREADABLE` when it can't be read so."""
    kind = get_origin(form) or form
    if kind is Literal:
        return _read_choice(value, get_args(form))
    if kind is list:
        (item,) = get_args(form)
        return _read_list(value, item)
    return _READERS[kind](value)


def _read_text(value: Any) -> str:
    """A text stays as it is; anything else becomes JSON, but for one text in a list."""
    if isinstance(value, str):
        return value
    if value is None:
        raise ValueError("null")
    if isinstance(value, list) and len(value) == 1:
        return _read_text(value[0])
    return json.dumps(value, ensure_ascii=False)


def _read_whole(value: Any) -> int:
    """A whole number: 3, 3.0, "3"."""
    if isinstance(value, str):
        value = _UNIT.sub("", value)
        if _WHOLE.fullmatch(value):
            return int(value)
    number = _read_number(value)
    if number != int(number):
        raise ValueError("a fraction")
    return value if isinstance(value, int) else int(number)


def _read_number(value: Any) -> float:
    """A finite number: 0.5, "0.5"."""
    if isinstance(value, str):
        value = _UNIT.sub("", value)
        if _NUMBER.fullmatch(value):
            return float(value)
    if isinstance(value, bool | str) or not math.isfinite(value):
        raise ValueError("no number")
    return float(value)


def _read_switch(value: Any) -> bool:
    """True or False: true, "TRUE", "yes", 1."""
    if isinstance(value, float):
        value = _read_whole(value)
    word = str(value).strip().lower()
    if word not in _YES + _NO:
        raise ValueError("neither yes nor no")
    return word in _YES


def _read_choice(value: Any, choices: Iterable[str]) -> str:
    """That of the choices which is meant, in any case, with hyphens, or by another usual word."""
    word = _bare(_read_text(value)).removesuffix("s")
    for choice in choices:
        name = _bare(choice)
        others = _OTHER_WORDS.get(name, [])
        if word in (name, name.removesuffix("s"), *others):
            return choice
    raise ValueError("none of the choices")


def _as_listed(value: str, choices: Iterable[str]) -> str:
    """A value as it is listed among choices, however it is written; another stays as it is."""
    try:
        return _read_choice(value, choices)
    except ValueError:
        return value


def _bare(word: str) -> str:
    """A word without what people write in different ways."""
    unquoted = word.strip("\"'` \n")
    return _BETWEEN_WORDS.sub("", unquoted.lower())


def _read_list(value: Any, form: Any) -> list[Any]:
    """A list of items of a form: a real one, a text that holds one, or one bare item."""
    if isinstance(value, str) and value.lstrip().startswith("["):
        value = _parse_list(value)
    items = value if isinstance(value, list) else [value]
    return [_read_form(item, form) for item in items]


def _parse_list(text: str) -> Any:
    """The list that a text holds; the text itself, if it only begins with a bracket."""
    try:
        return _parse_value(text)
    except _UNREADABLE:
        if _BEGUN_LIST.match(text):
            raise
        return text


def _read_object(value: Any) -> dict[str, Any]:
    """An object: a real one, or a text that holds one."""
    if isinstance(value, str):
        value = _parse_value(value)
    if not isinstance(value, dict):
        raise TypeError("no object")
    return value


def _read_object_or_list(value: Any) -> dict[str, Any] | list[Any]:
    """An object or a list: a real one, a text that holds one, or one bare item."""
    is_object_as_text = isinstance(value, str) and value.lstrip().startswith("{")
    if is_object_as_text or isinstance(value, dict):
        return _read_object(value)
    return _read_list(value, Any)


def _read_anything(value: Any) -> Any:
    """A value as it is, but for a text that holds an object: that is one."""
    is_object_as_text = isinstance(value, str) and value.lstrip().startswith("{")
    if is_object_as_text:
        with suppress(*_UNREADABLE):
            return _read_object(value)
    return value


def _parse_value(text: str) -> Any:
    """What a text holds as JSON, or as Python would write the same."""
    try:
        return json.loads(text)
    except ValueError:
        written = ast.literal_eval(text.strip()[:_LONGEST_PYTHON])
        return json.loads(json.dumps(written))  # as JSON would have it: a tuple is a list


# What reads a value in a form. Choices and lists take more than a value.
_READERS: dict[Any, Callable[[Any], Any]] = {
    str: _read_text,
    int: _read_whole,
    float: _read_number,
    bool: _read_switch,
    dict: _read_object,
    Any: _read_anything,
    UnionType: _read_object_or_list,
}


def _settings_in(options: dict[str, Any]) -> dict[str, Any]:
    """Rare settings without those that say that they are left out.

    What is within one stays: a JSON Schema has nulls that are meant, and an answer may be told to
    stop at a line feed.
    """
    return {name: value for name, value in options.items() if _is_set(name, value)}


def _is_set(name: str, value: Any) -> bool:
    """Whether a rare setting says something."""
    if value == "None" and name in _MAY_BE_NONE:
        return True
    return value is not None and value not in _NOTHING


def _without_nothing(node: Any) -> Any:
    """The same without what says that it is left out, at any depth."""
    if isinstance(node, dict):
        return {
            name: _without_nothing(value) for name, value in node.items() if not _is_left_out(value)
        }
    if isinstance(node, list):
        return [_without_nothing(item) for item in node if not _is_left_out(item)]
    return node
