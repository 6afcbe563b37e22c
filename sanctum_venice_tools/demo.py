"""A conversation in which an agent on a real Letta server uses the tools, shown as it happens."""

import base64
import json
import os
import secrets
import shutil
import signal
import tempfile
import textwrap
import time
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
from letta_client import APIConnectionError, APIError, Letta
from rich.console import Console
from rich.text import Text

from sanctum_venice_tools.letta import provider, registration
from sanctum_venice_tools.letta.address import server_url
from sanctum_venice_tools.letta.venice import PUBLIC_URL, ChoiceError, Venice, VeniceError
from sanctum_venice_tools.media_server.process import RunningMediaServer, running_media_server
from sanctum_venice_tools.packing.bundle import tool_files
from sanctum_venice_tools.packing.record import Record, read_record
from sanctum_venice_tools.terminal import Progress, visible

# Where the media server of the demo keeps what the agent makes.
MEDIA = Path(".local/media-server")

QUESTIONS = (
    "How do red foxes live in cities? Please look it up on the web.",
    "Please draw a picture of such a fox, on a roof at dusk.",
    "What would a film of that cost?",
    "Which Venice character could I talk with about philosophy?",
)

# Said with a picture, where the tools can reach the conversation.
WISH = "Here is a photo of mine. Please make it brighter."


class DemoError(Exception):
    """Why there is no conversation, in one line that says what to do."""


@dataclass(frozen=True)
class Place:
    """Where a service is, how one gets in, and how the demo speaks of it."""

    base_url: str
    key: str = field(repr=False)
    words: str
    is_own: bool
    """Whether it runs on this machine for the demo alone."""


@dataclass
class ToolCall:
    """A call as it arrives, piece by piece."""

    name: str = ""
    arguments: str = ""
    asked_at: float = 0.0


def spending() -> str | None:
    """What a demo with the present environment is about to spend, in words; None when it is nothing."""
    if not os.environ.get("VENICE_API_KEY"):
        return None
    return f"This uses your VENICE_API_KEY at {os.environ.get('VENICE_BASE_URL') or PUBLIC_URL}: about 10 US cents."


def run(console: Console, progress: Progress, *, keep: bool = False) -> None:
    """Set up what the environment does not offer, hold the conversation, and leave nothing behind.

    Args:
        console: Where the conversation is shown.
        progress: What tells of the setting up.
        keep: Whether the gallery goes on until Ctrl-C.

    Raises:
        DemoError: Something that it needs can't be had.
    """
    with ExitStack() as stack:
        try:
            venice = stack.enter_context(_venice(progress))
            server = stack.enter_context(_letta(progress))
            if venice.is_own and httpx.URL(server.base_url).host not in (
                "127.0.0.1",
                "localhost",
                "::1",
            ):
                raise DemoError(
                    "A Letta server elsewhere can't reach the local Venice: set VENICE_API_KEY too."
                )
            media = stack.enter_context(_media(server))
            letta = Letta(base_url=server.base_url, api_key=server.key or None, timeout=300)
            tools = _register(letta, server.base_url)
            settings = _settings(venice, server, media)
            agent, model = stack.enter_context(_agent(letta, venice, settings))
            progress.end()
            console.print()
            _say(console, "Venice", venice.words)
            _say(console, "Letta", server.words)
            _say(console, "Tools", tools)
            _say(console, "Agent", f"{model}, at Venice")
            for question in QUESTIONS:
                console.print()
                _converse(console, progress, letta, agent, question)
            if media:
                console.print()
                _converse(console, progress, letta, agent, WISH, picture=_photo())
            console.print()
            if media and keep:
                _keep(console, media)
        except APIConnectionError:
            raise DemoError(
                f"There is no Letta server at {letta.base_url}: check LETTA_BASE_URL."
            ) from None
        except APIError as error:
            raise DemoError(f"The Letta server says: {_reason(error)}") from None
    if server.is_own:
        console.print(
            f"All of it is stopped. What the agent made is in {MEDIA}: `make gallery` shows it."
        )
    else:
        console.print("The agent of this demo is deleted again; the tools stay registered.")


def _reason(error: APIError) -> str:
    """What the server says went wrong, on one line: its words where it has some, else all of it."""
    said = error.body if isinstance(error.body, dict) else {}
    words = " ".join(str(said[name]) for name in ("message", "detail") if said.get(name)) or str(
        error
    )
    return " ".join(words.split())[:300]


@contextmanager
def _venice(progress: Progress) -> Iterator[Place]:
    key = os.environ.get("VENICE_API_KEY")
    if key:
        base_url = os.environ.get("VENICE_BASE_URL") or PUBLIC_URL
        yield Place(base_url, key, f"{base_url}, with your key", is_own=False)
        return
    from sanctum_venice_tools.emulator.process import running_venice  # noqa: PLC0415  # not needed with a key

    progress("Starting the local Venice, a stand-in that costs nothing")
    with running_venice() as local:
        yield Place(
            local.base_url,
            local.key,
            f"a stand-in at {local.base_url}; nothing is spent",
            is_own=True,
        )


@contextmanager
def _letta(progress: Progress) -> Iterator[Place]:
    base_url = server_url(os.environ.get("LETTA_BASE_URL", ""))
    if base_url:
        yield Place(
            base_url,
            os.environ.get("LETTA_API_KEY", ""),
            f"your server at {base_url}",
            is_own=False,
        )
        return
    from sanctum_venice_tools.letta import local_server  # noqa: PLC0415  # not needed with a server

    # A server of the demo's own, and so of each of several at once: none of them ends another's.
    place = local_server.DEFAULT_HOME.parent
    place.mkdir(parents=True, exist_ok=True)
    home = Path(tempfile.mkdtemp(prefix="letta-demo-", dir=place))
    try:
        server = local_server.start(home, tied_to_caller=True, progress=progress)
    except local_server.LocalProgramError as error:
        raise DemoError(
            str(error)
        ) from None  # it names the log in that folder, which therefore stays
    try:
        yield Place(
            server.base_url,
            "",
            f"{server.version} on this machine, at {server.base_url}",
            is_own=True,
        )
    finally:
        local_server.stop(home, progress=progress)
        shutil.rmtree(home)


def _core() -> list[Record]:
    """The tools that an operator gets without choosing."""
    return [record for record in map(read_record, tool_files()) if record.toolset == "core"]


def _register(letta: Letta, base_url: str) -> str:
    """Register the tools, and say in words what came of it."""
    sandbox = registration.sandbox_of(base_url)
    changes = registration.plan(letta, _core(), sandbox)
    done = registration.apply(letta, changes, sandbox)
    for change in done:
        if change.problem:
            raise DemoError(f"{change.record.name} could not be registered: {change.problem}.")
    words = {
        "create": "created",
        "update": "updated",
        "drifted": "repaired",
        "unchanged": "there already",
    }
    return "\n".join(f"{change.record.name} ({words[change.action]})" for change in done)


@contextmanager
def _media(server: Place) -> Iterator[RunningMediaServer | None]:
    """A media server; none, where the tools would have to reach it from another machine."""
    if not server.is_own:
        yield None
        return
    MEDIA.mkdir(mode=0o700, parents=True, exist_ok=True)
    with running_media_server(MEDIA) as media:
        yield media


def _keep(console: Console, media: RunningMediaServer) -> None:
    """Let people look at the gallery until they have seen enough."""
    console.print(f"The gallery: {media.gallery}", soft_wrap=True)
    console.print("Ctrl-C stops it, and all the rest.")
    with suppress(KeyboardInterrupt):
        signal.pause()
    console.print()


def _settings(venice: Place, server: Place, media: RunningMediaServer | None) -> dict[str, str]:
    """What the tools need to know: the agent's secrets."""
    settings = {"VENICE_API_KEY": venice.key, "VENICE_BASE_URL": venice.base_url}
    if media:
        settings |= {"VENICE_MEDIA": media.address, "VENICE_MEDIA_TOKEN": media.token}
        settings["LETTA_BASE_URL"] = server.base_url
    return settings


@contextmanager
def _agent(letta: Letta, venice: Place, settings: dict[str, str]) -> Iterator[tuple[str, str]]:
    """An agent whose model is at Venice, with the tools and these secrets; gone when the block ends."""
    name = f"venice-demo-{secrets.token_hex(3)}"
    with ExitStack() as stack:
        try:
            place = Venice(venice.base_url, venice.key)
            model = place.choose_chat_model()
        except (VeniceError, ChoiceError) as error:
            raise DemoError(str(error)) from None
        made = provider.apply(letta, provider.plan(letta, name, place))
        stack.callback(provider.remove, letta, made)
        made = provider.ensure_listed(letta, made, model)
        if made.problem:
            raise DemoError(f"Venice could not be made the agent's model: {made.problem}.")
        agent = letta.agents.create(
            name=name,
            **provider.agent_settings(name, model),
            include_base_tools=False,
            tools=[record.name for record in _core()],
            secrets=settings,
            memory_blocks=[
                {
                    "label": "persona",
                    "value": "I am a helpful agent. I use my tools, then answer in a few sentences.",
                }
            ],
        )
        stack.callback(letta.agents.delete, agent.id)
        yield agent.id, model.id


def _converse(
    console: Console,
    progress: Progress,
    letta: Letta,
    agent: str,
    question: str,
    *,
    picture: dict[str, Any] | None = None,
) -> None:
    """Say one thing to the agent, with a picture perhaps, and show all that follows as it comes."""
    _say(console, "You", f"{question} [a picture is attached]" if picture else question)
    started = time.monotonic()
    calls: dict[str, ToolCall] = {}
    spoken = ""
    with progress.counting("The agent is at work"):
        said = {"type": "text", "text": question}
        for event in _events(letta, agent, [said, picture] if picture else [said]):
            now = time.monotonic()
            match event.get("message_type"):
                case "tool_call_message":
                    piece = event["tool_call"]
                    call = calls.setdefault(piece["tool_call_id"], ToolCall())
                    call.name = piece.get("name") or call.name
                    call.arguments += piece.get("arguments") or ""
                    call.asked_at = now
                case "tool_return_message":
                    call = calls[event["tool_call_id"]]
                    _show_call(console, call, event, now - call.asked_at)
                case "assistant_message":
                    spoken += _plain(event["content"])
                case "error_message":
                    raise DemoError(f"The agent stopped: {event.get('message') or event}")
    _say(console, "Agent", spoken.strip())
    _say(console, "", f"({time.monotonic() - started:.1f} s in all)", "dim")


def _photo() -> dict[str, Any]:
    """A picture as a person attaches it to a message."""
    # Pillow takes a while to load, and without a media server of the demo's own no picture is shown.
    from sanctum_venice_tools.emulator import pictures  # noqa: PLC0415

    photo = pictures.encode(pictures.draw("my garden", (640, 480), "demo"), "png")
    data = base64.b64encode(photo).decode()
    source = {"type": "base64", "media_type": "image/png", "data": data}
    return {"type": "image", "source": source}


def _events(letta: Letta, agent: str, content: list[Any]) -> Iterable[dict[str, Any]]:
    stream = letta.agents.messages.create(
        agent,
        messages=[{"role": "user", "content": content}],
        streaming=True,
        stream_tokens=True,
        include_pings=False,
    )
    return (event.model_dump() for event in stream)


def _plain(content: Any) -> str:
    """The text of a message, which Letta gives as a text or as a list of parts."""
    return (
        content if isinstance(content, str) else "".join(part.get("text", "") for part in content)
    )


def _show_call(console: Console, call: ToolCall, result: dict[str, Any], seconds: float) -> None:
    """What the agent asked a tool for, what came back, and how long it took."""
    arguments = ", ".join(
        f"{name}={json.dumps(value, ensure_ascii=False)}" for name, value in _object(call.arguments)
    )
    _say(console, "", f"→ {call.name}({arguments})", "cyan")
    fields = _object(result["tool_return"])
    if result["status"] != "success" or not fields:
        _say(console, "", f"← after {seconds:.1f} s: {result['tool_return']}", "red")
        return
    lines = [
        f"  {name}: {textwrap.shorten(_brief(value), 280, placeholder=' ...')}"
        for name, value in fields
    ]
    _say(console, "", "\n".join([f"← after {seconds:.1f} s", *lines]), "green")


def _object(text: str) -> list[tuple[str, Any]]:
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
    if "url" in item and "file" in item:
        return f"{item['url']} ({item['width']} x {item['height']}, {item['bytes']:,} bytes)"
    if "file" in item:
        return f"{item['file']} ({item['width']} x {item['height']}, {item['bytes']:,} bytes)"
    return str(item.get("name") or item.get("url") or item)


def _say(console: Console, who: str, what: str, style: str = "") -> None:
    """One row of the conversation: who, and what, wrapped beside it. Paths stay in one piece, for copying."""
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
