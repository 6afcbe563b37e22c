"""What is asked, and how a conversation is shown."""

import json
import textwrap
from typing import Any

from rich.console import Console
from rich.text import Text

from sanctum_venice_tools.terminal import visible

QUESTIONS = (
    "How do red foxes live in cities? Please look it up on the web.",
    "Please draw a picture of such a fox, on a roof at dusk.",
    "What would a film of that cost?",
    "Which Venice character could I talk with about philosophy?",
)


def say(console: Console, who: str, what: str, style: str = "") -> None:
    """One row: who, and what, wrapped beside it. Paths stay in one piece, for copying."""
    indent = " " * 8
    first = who.ljust(8)
    for paragraph in what.split("\n"):
        lines = textwrap.wrap(
            visible(paragraph),
            min(console.width, 100) - len(indent),
            subsequent_indent="  " if paragraph.startswith(" ") else "",
            break_long_words=False,
            break_on_hyphens=False,
        )
        for line in lines or [""]:
            console.print(
                Text(first, style="bold"), Text(line, style=style), sep="", soft_wrap=True
            )
            first = indent


def show_call(console: Console, name: str, arguments: str) -> None:
    """What the agent asks a tool for; the arguments are JSON."""
    named = [
        f"{key}={json.dumps(value, ensure_ascii=False)}" for key, value in _fields_of(arguments)
    ]
    say(console, "", f"→ {name}({', '.join(named)})", "cyan")


def show_reply(console: Console, reply: str, seconds: float, *, failed: bool) -> None:
    """What came back, and how long it took."""
    fields = _fields_of(reply)
    if failed or not fields:
        say(console, "", f"← after {seconds:.1f} s: {reply}", "red")
        return
    lines = [
        f"  {name}: {textwrap.shorten(_brief(value), 280, placeholder=' ...')}"
        for name, value in fields
    ]
    say(console, "", "\n".join([f"← after {seconds:.1f} s", *lines]), "green")


def plain(content: Any) -> str:
    """The text of a message, which Letta gives as a text or as a list of parts."""
    if isinstance(content, str):
        return content
    return "".join(part.get("text", "") for part in content)


def _fields_of(text: str) -> list[tuple[str, Any]]:
    """The fields of a JSON object; none when the text is something else."""
    try:
        value = json.loads(text)
    except ValueError:
        return []
    return list(value.items()) if isinstance(value, dict) else []


def _brief(value: Any) -> str:
    """A value for a person: of a list of things, what each is called or where it is."""
    if isinstance(value, list):
        return ", ".join(_name(item) if isinstance(item, dict) else str(item) for item in value)
    return str(value)


def _name(item: dict[str, Any]) -> str:
    place = item.get("url") or item.get("file")
    if "file" in item:
        return f"{place} ({item['width']} x {item['height']}, {item['bytes']:,} bytes)"
    return str(item.get("name") or place or item)
