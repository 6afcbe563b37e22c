# /// script
# requires-python = ">=3.11"
# dependencies = ["httpx>=0.27"]
# ///
"""Call one Venice tool: how a call is written on a command line, and what an agent's skill runs.

`sanctum-venice run` reads its arguments with this file. The skill has a copy of it, beside the
texts of the tools: so it imports nothing of the pack, and httpx is only for those texts.
"""

import argparse
import codecs
import difflib
import io
import json
import os
import runpy
import signal
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, NoReturn

ANSWERED = 0
WRONG_USAGE = 2
REFUSED = 3
BROKEN = 4

COSTS_IN_WORDS = {
    "free": "It costs nothing.",
    "cents": "It usually costs a few US cents at most.",
    "dollars": "It may cost dollars.",
    "account": "It changes your Venice account.",
}

_CHARGED = "it may be charged. Look at venice_report_usage before you try again."

# What may have come of a call that was ended before its answer.
INTERRUPTED = {
    "cents": _CHARGED,
    "dollars": _CHARGED,
    "account": "your Venice account may be changed. Look at it before you try again.",
}

_THIS_MACHINE = ["127.0.0.1", "localhost", "::1"]

_HERE = Path(__file__).resolve().parent

_USAGE = """\
Usage: venice NAME [ARGUMENT=VALUE ...] [--args JSON] [--yes]
       venice NAME --help

Prints the tool's reply, a line of JSON. --args takes arguments as a JSON object, - reads it from
the input. Exit status: 0 it answered, 2 wrong usage, 3 it refused, with one line that says why and
what to do, 4 it broke or was interrupted.

Tools:"""


class UsageError(Exception):
    """A call that is written wrongly; the message is one line that says how."""


# --- what a command line says ---


def known_name(word: str, names: Sequence[str]) -> str:
    """The tool that a word names; `venice_` may be left out.

    Raises:
        UsageError: There is none.
    """
    name = word if word.startswith("venice_") else f"venice_{word}"
    if name not in names:
        near = difflib.get_close_matches(name, names, n=1, cutoff=0)
        raise UsageError(f"There is no tool {word}. Did you mean {near[0]}?")
    return name


def read_arguments(
    parameters: Mapping[str, Any], values: Sequence[str], args: str | None
) -> dict[str, Any]:
    """The arguments of a call, both ways of giving them together.

    The tool itself reads what each value means.

    Args:
        parameters: The schema of the tool's arguments.
        values: Those that are written as NAME=VALUE.
        args: Others, as a JSON object; `-` reads it from standard input.

    Raises:
        UsageError: They are not written so, or not those that the tool has.
    """
    arguments = _read_object(args)
    for value in values:
        name, equals, text = value.partition("=")
        if not equals:
            raise UsageError(f"Write an argument as NAME=VALUE, not as {value!r}.")
        if name in arguments:
            raise UsageError(f"The argument {name} is given twice.")
        arguments[name] = text

    known = parameters["properties"]
    for name in arguments:
        if name not in known:
            raise UsageError(f"There is no argument {name}. There are: {', '.join(known)}.")
    missing = [name for name in parameters["required"] if name not in arguments]
    if missing:
        raise UsageError(f"This is missing: {', '.join(missing)}.")
    return arguments


def _read_object(args: str | None) -> dict[str, Any]:
    """What --args holds, from the command line or from standard input."""
    if args is None:
        return {}
    try:
        read = json.loads(sys.stdin.read() if args == "-" else args)
    except (ValueError, RecursionError) as error:
        raise UsageError(f"--args is no JSON: {error}.") from error
    except (AttributeError, OSError) as error:  # a closed input is None
        raise UsageError("There is no input to read --args from.") from error
    if not isinstance(read, dict):
        raise UsageError("--args must be a JSON object, of values by argument.")
    return read


def help_of(schema: Mapping[str, Any], cost: str, *, asks: bool) -> str:
    """What a tool does, what it costs, and its arguments, in paragraphs."""
    parameters = schema["parameters"]
    arguments = [
        _argument_help(name, spec, is_required=name in parameters["required"])
        for name, spec in parameters["properties"].items()
    ]
    price = COSTS_IN_WORDS[cost]
    if asks:
        price += " You are asked first."
    return "\n\n".join([schema["description"], price, "Arguments:", *arguments])


def _argument_help(name: str, spec: Mapping[str, Any], *, is_required: bool) -> str:
    """An argument in a paragraph: its name, its type or its values, and what it is."""
    kind = " | ".join(spec["enum"]) if "enum" in spec else spec["type"]
    need = ", required" if is_required else ""
    return f"{name} ({kind}{need}): {spec['description']}"


# --- what it answers ---


def written(*lines: str, output: Literal["stdout", "stderr"] = "stdout") -> bool:
    """Write lines, and tell whether somebody takes them."""
    stream = getattr(sys, output)
    try:
        stream.write("\n".join(lines) + "\n")
        stream.flush()
    except (AttributeError, OSError):  # it is closed, full, or nobody reads any more
        # Else Python would try again at its end, and end with a status of its own.
        setattr(sys, output, None)
        return False
    return True


def lost_reply(name: str, cost: str) -> str:
    """What to say of a reply that nobody took."""
    return f"{name} answered, but nothing could be written to the output; {_afterwards(cost)}"


def interrupted(name: str, cost: str) -> str:
    """What to say of a call that was ended before its answer."""
    return f"{name} was interrupted; {_afterwards(cost)}"


def _afterwards(cost: str) -> str:
    """What may have come of a call whose answer nobody has."""
    return INTERRUPTED.get(cost, "it cost nothing.")


# --- the skill's own command ---


class _Parser(argparse.ArgumentParser):
    """Tells of a fault as the rest does."""

    def error(self, message: str) -> NoReturn:
        """Raise it, rather than end with a line of another form."""
        raise UsageError(f"{message[:1].upper()}{message[1:]}.")


def main(words: Sequence[str]) -> int:
    """Do what a command line says; the exit status of that."""
    tools = json.loads((_HERE / "tools.json").read_text(encoding="utf-8"))
    try:
        given = _read_words(words)
        if not given.name:
            status = ANSWERED if given.help else WRONG_USAGE
            lines = [f"  {name}: {tool['summary']}" for name, tool in tools.items()]
            return status if written(_USAGE, *lines) else BROKEN
        name = known_name(given.name, list(tools))
        tool = tools[name]
        if given.help:
            is_told = written(help_of(tool, tool["cost"], asks=tool["asks"]))
            return ANSWERED if is_told else BROKEN
        arguments = read_arguments(tool["parameters"], given.values, given.args)
        _check_agreed(name, tool, is_agreed=given.yes)
    except UsageError as error:
        return _fail(WRONG_USAGE, str(error))
    return _call(name, tool["cost"], arguments)


def _read_words(words: Sequence[str]) -> argparse.Namespace:
    """The parts of a command line."""
    parser = _Parser(add_help=False, allow_abbrev=False)
    parser.add_argument("name", nargs="?")
    parser.add_argument("values", nargs="*")
    parser.add_argument("--args")
    parser.add_argument("--yes", action="store_true")
    parser.add_argument("-h", "--help", action="store_true")
    return parser.parse_intermixed_args(list(words))


def _check_agreed(name: str, tool: Mapping[str, Any], *, is_agreed: bool) -> None:
    """Refuse to spend dollars, or to change the account, before a person agreed."""
    if tool["asks"] and not is_agreed:
        price = COSTS_IN_WORDS[tool["cost"]]
        raise UsageError(f"{name}: {price} Add --yes if a person agreed.")


def _call(name: str, cost: str, arguments: Mapping[str, Any]) -> int:
    """Run a tool's text, call it, and tell what became of it."""
    text: dict[str, Any] = {"VeniceError": ()}
    try:
        text = runpy.run_path(str(_HERE / "tools" / f"{name}.py"))
        reply = text[name](**arguments)
    except Exception as error:  # noqa: BLE001  # whatever it is, one line tells of it
        if isinstance(error, text["VeniceError"]):
            return _fail(REFUSED, str(error))
        told = f"{name} broke: {error.__class__.__name__}: {error}"
        # Before its text is read, nothing is asked of Venice.
        charged = INTERRUPTED.get(cost) if name in text else None
        return _fail(BROKEN, f"{told}; {charged}" if charged else told)
    except KeyboardInterrupt:
        return _fail(BROKEN, interrupted(name, cost))
    if not written(_visible(reply)):
        return _fail(BROKEN, lost_reply(name, cost))
    return ANSWERED


def _escape(error: UnicodeError) -> tuple[str, int]:
    """The escape of JSON in the place of what an output's encoding lacks, and where to go on."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    return json.dumps(error.object[error.start : error.end])[1:-1], error.end


def _fail(status: int, told: str) -> int:
    """Say what went wrong on one line; the status."""
    written(f"Error: {_visible(told)}", output="stderr")
    return status


def _visible(text: str) -> str:
    r"""A text on one line, with whatever could steer a terminal escaped as in JSON: \u001b."""
    return "".join(char if char.isprintable() else json.dumps(char)[1:-1] for char in text)


def _go_past_proxies() -> None:
    """Keep from the environment's proxy what a tool asks of this machine, such as a media server.

    A person's own list is kept, by the rule of `past_proxies`, by which `sanctum-venice run` goes.
    """
    kept = os.environ.get("no_proxy") or os.environ.get("NO_PROXY") or ""
    names = kept if kept == "*" else ",".join(filter(None, [kept, *_THIS_MACHINE]))
    os.environ.update(NO_PROXY=names, no_proxy=names)


if __name__ == "__main__":
    _go_past_proxies()
    # A reply that was paid for may hold any character.
    codecs.register_error("json", _escape)
    for _stream in (sys.stdout, sys.stderr):
        if isinstance(_stream, io.TextIOWrapper):
            _stream.reconfigure(errors="json")
    # A host ends us by SIGTERM: then, too, it is said what may be charged.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    sys.exit(main(sys.argv[1:]))
