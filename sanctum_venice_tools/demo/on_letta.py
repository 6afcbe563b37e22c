"""A conversation in which an agent on a real Letta server uses the tools, shown as it happens."""

import base64
import os
import secrets
import shutil
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from letta_client import APIConnectionError, APIError, Letta
from letta_client.types import RequiresApprovalToolRuleParam
from rich.console import Console

from sanctum_venice_tools.demo.conversation import QUESTIONS, plain, say, show_call, show_reply
from sanctum_venice_tools.demo.places import (
    DemoError,
    Place,
    core_tools,
    keep_gallery,
    own_media_server,
    tell_end,
    venice_for,
)
from sanctum_venice_tools.letta import provider, registration
from sanctum_venice_tools.letta.address import is_address, server_url
from sanctum_venice_tools.letta.connection import Client, address_of, explain
from sanctum_venice_tools.letta.venice import ChoiceError, Venice, VeniceError
from sanctum_venice_tools.media_server.process import RunningMediaServer
from sanctum_venice_tools.network import NetworkSettingsError, is_here
from sanctum_venice_tools.terminal import Progress

# Said with a picture, where the tools can reach the conversation.
WISH = "Here is a photo of mine. Please make it brighter."


@dataclass
class ToolCall:
    """A call as it arrives, piece by piece."""

    name: str = ""
    arguments: str = ""
    asked_at: float = 0.0


def run(console: Console, progress: Progress, *, keep: bool = False) -> None:
    """Set up what the environment does not offer, hold the conversation, and leave nothing behind.

    Args:
        console: Where the conversation is shown.
        progress: What tells of the setting up.
        keep: Whether the gallery goes on until Ctrl-C.

    Raises:
        DemoError: Something that it needs can't be had.
    """
    settings: dict[str, str] = {}
    with ExitStack() as stack:
        try:
            venice = stack.enter_context(venice_for(progress))
            server = stack.enter_context(_letta(progress))
            if venice.is_own and not is_here(httpx.URL(server.base_url).host):
                raise DemoError(
                    "A Letta server elsewhere can't reach the local Venice: set VENICE_API_KEY too."
                )
            # The tools of a server elsewhere could not reach a media server of this machine.
            media = stack.enter_context(own_media_server() if server.is_own else nullcontext())
            address = address_of(server.base_url)
            letta = Client(base_url=server.base_url, api_key=server.key, timeout=300)
            tools = _register(letta, server.base_url)
            settings = _settings(venice, server, media)
            agent, model = stack.enter_context(_agent(letta, venice, settings))
            progress.end()
            console.print()
            say(console, "Venice", venice.words)
            say(console, "Letta", server.words)
            say(console, "Tools", tools)
            say(console, "Agent", f"{model}, at Venice")
            for question in QUESTIONS:
                console.print()
                _converse(console, progress, letta, agent, question)
            if media:
                console.print()
                _converse(console, progress, letta, agent, WISH, picture=_photo())
            console.print()
            if media and keep:
                keep_gallery(console, media)
        except NetworkSettingsError as error:
            raise DemoError(str(error)) from None
        except APIConnectionError:
            raise DemoError(
                f"There is no Letta server at {address}: check LETTA_BASE_URL."
            ) from None
        except APIError as error:
            raise DemoError(f"{address} can't be used: {explain(error, settings)}.") from None
    if server.is_own:
        tell_end(console)
    else:
        console.print("The agent of this demo is deleted again; the tools stay registered.")


@contextmanager
def _letta(progress: Progress) -> Iterator[Place]:
    base_url = server_url(os.environ.get("LETTA_BASE_URL", ""))
    if base_url:
        if not is_address(base_url):
            raise DemoError("LETTA_BASE_URL is no address, such as http://localhost:8283.")
        yield Place(
            base_url,
            os.environ.get("LETTA_API_KEY", "").strip(),
            f"your server at {address_of(base_url)}",
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


def _register(letta: Letta, base_url: str) -> str:
    """Register the tools that are missing, and say in words what came of it.

    What the server has otherwise than we would, an operator may have chosen.
    """
    sandbox = registration.sandbox_of(base_url)
    changes = registration.plan(letta, core_tools(), sandbox)
    missing = [change for change in changes if change.action == "create"]
    there = [change for change in changes if change.action != "create"]
    done = [*registration.apply(letta, missing, sandbox), *there]
    for change in done:
        if change.problem:
            raise DemoError(f"{change.record.name} could not be registered: {change.problem}.")
    words = {
        "create": "created",
        "update": "there already, in another form",
        "drifted": "there already, in another form",
        "unchanged": "there already",
    }
    return "\n".join(f"{change.record.name} ({words[change.action]})" for change in done)


def _settings(venice: Place, server: Place, media: RunningMediaServer | None) -> dict[str, str]:
    """What the tools need to know: the agent's secrets."""
    settings = {"VENICE_API_KEY": venice.key, "VENICE_BASE_URL": venice.base_url}
    if media:
        settings |= {"VENICE_MEDIA": media.address, "VENICE_MEDIA_TOKEN": media.token}
        settings["LETTA_BASE_URL"] = server.base_url
    return settings


@contextmanager
def _agent(letta: Letta, venice: Place, settings: dict[str, str]) -> Iterator[tuple[str, str]]:
    """An agent that thinks with Venice, with the tools and these secrets; gone with the block."""
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
            tools=[record.name for record in core_tools()],
            secrets=settings,
            memory_blocks=[
                {
                    "label": "persona",
                    "value": "I am helpful. I use my tools, then answer in a few sentences.",
                }
            ],
        )
        stack.callback(letta.agents.delete, agent.id)
        letta.agents.update(agent.id, tool_rules=_rules())
        yield agent.id, model.id


def _rules() -> list[RequiresApprovalToolRuleParam]:
    """The agent asks before what costs most, and else not: nobody is there to answer.

    Letta has it ask wherever an operator wants agents to.
    """
    asking = [record.name for record in core_tools() if record.needs_approval]
    return [{"type": "requires_approval", "tool_name": name} for name in asking]


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
    say(console, "You", f"{question} [a picture is attached]" if picture else question)
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
                    show_call(console, call.name, call.arguments)
                    failed = event["status"] != "success"
                    show_reply(console, event["tool_return"], now - call.asked_at, failed=failed)
                case "assistant_message":
                    spoken += plain(event["content"])
                case "error_message":
                    raise DemoError(f"The agent stopped: {event.get('message') or event}")
    say(console, "Agent", spoken.strip())
    say(console, "", f"({time.monotonic() - started:.1f} s in all)", "dim")


def _photo() -> dict[str, Any]:
    """A picture as a person attaches it to a message."""
    # Pillow takes a while to load, and is needed only with a media server of the demo's own.
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
