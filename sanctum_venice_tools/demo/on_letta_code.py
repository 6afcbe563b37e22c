"""The same conversation in Letta Code: its App Server's agent, whose tools run in this process."""

import asyncio
import json
import tempfile
import time
import uuid
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import WebSocketException

from sanctum_venice_tools.demo.conversation import QUESTIONS, plain, say, show_call, show_reply
from sanctum_venice_tools.demo.places import (
    MEDIA,
    DemoError,
    Place,
    core_tools,
    keep_gallery,
    own_media_server,
    tell_end,
    venice_for,
)
from sanctum_venice_tools.fronts.app_server import DEFAULT_CONVERSATION, VeniceTools
from sanctum_venice_tools.letta.letta_code import provider
from sanctum_venice_tools.letta.letta_code.app_server import running_app_server
from sanctum_venice_tools.letta.letta_code.installation import own_letta_code
from sanctum_venice_tools.letta.letta_code.program import LettaCode, LettaCodeError
from sanctum_venice_tools.letta.local.errors import LocalProgramError
from sanctum_venice_tools.letta.venice import ChoiceError, Venice, VeniceError
from sanctum_venice_tools.media_server.process import RunningMediaServer
from sanctum_venice_tools.network import NetworkSettingsError
from sanctum_venice_tools.terminal import Progress

_TURN_SECONDS = 300

# Beside the home directory of Letta Code, which has the key in it and does not stay.
_LOG = MEDIA.with_name("letta-code-demo.log")


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
            venice = stack.enter_context(venice_for(progress))
            media = stack.enter_context(own_media_server())
            home = stack.enter_context(_home())
            code = own_letta_code(home, progress)
            progress("Making an agent whose model is at Venice")
            agent, model = _make_agent(code, venice)
            url = stack.enter_context(running_app_server(code, home, _LOG, progress))
        except (
            ChoiceError,
            LettaCodeError,
            LocalProgramError,
            NetworkSettingsError,
            VeniceError,
        ) as error:
            raise DemoError(str(error)) from None
        progress.end()
        tools = VeniceTools(core_tools(), settings=_settings(venice, media))
        console.print()
        say(console, "Venice", venice.words)
        say(console, "Letta", f"Letta Code's App Server on this machine, at {url}")
        say(console, "Tools", "\n".join(one["name"] for one in tools.definitions))
        say(console, "Agent", f"{model}, at Venice")
        asyncio.run(_converse(console, progress, url, agent, tools))
        console.print()
        if keep:
            keep_gallery(console, media)
    tell_end(console)


@contextmanager
def _home() -> Iterator[Path]:
    """A home directory for Letta Code, gone when the block ends."""
    place = MEDIA.parent.absolute()
    place.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="letta-code-demo-", dir=place) as home:
        yield Path(home)


def _make_agent(code: LettaCode, venice: Place) -> tuple[str, str]:
    """An agent, its model at Venice; the ids of both. An App Server that starts later knows it."""
    place = Venice(venice.base_url, venice.key)
    provider.check_key(place)
    model = provider.choose_model(place)
    provider.connect(code, place)
    handle = f"{provider.PROVIDER}/{model.id}"
    made = json.loads(code.run("agents", "create", "--name", "Venice demo", "--model", handle))
    agent = str(made["id"])
    provider.set_model(code, agent, model)
    return agent, model.id


def _settings(venice: Place, media: RunningMediaServer) -> dict[str, str]:
    """What the tools need to know."""
    return {
        "VENICE_API_KEY": venice.key,
        "VENICE_BASE_URL": venice.base_url,
        "VENICE_MEDIA": media.address,
        "VENICE_MEDIA_TOKEN": media.token,
    }


async def _converse(
    console: Console, progress: Progress, url: str, agent: str, tools: VeniceTools
) -> None:
    """Ask the questions one after another, in one session that has the tools."""
    try:
        async with connect(url, max_size=None, proxy=None) as connection:
            session = _Session(console, connection, tools, await _start(connection, agent, tools))
            for question in QUESTIONS:
                console.print()
                with progress.counting("The agent is at work"):
                    async with asyncio.timeout(_TURN_SECONDS):
                        await session.ask(question)
    except TimeoutError:
        raise DemoError(f"The agent did not end its turn within {_TURN_SECONDS} s.") from None
    except WebSocketException as error:
        raise DemoError(f"The connection to the App Server is lost: {error}") from None


async def _start(connection: ClientConnection, agent: str, tools: VeniceTools) -> dict[str, Any]:
    """Begin the session; what the App Server calls its runtime."""
    start = {
        "type": "runtime_start",
        "request_id": "start",
        "agent_id": agent,
        "conversation_id": DEFAULT_CONVERSATION,
        # Nobody sits at Letta Code to be asked. What may cost dollars, VeniceTools refuses.
        "mode": "unrestricted",
        "client_info": {"name": "sanctum-venice demo"},
        "external_tools": [{"tools": tools.definitions}],
    }
    await connection.send(json.dumps(start))
    async for text in connection:
        message = json.loads(text)
        if message["type"] == "runtime_start_response":
            if not message.get("success"):
                raise DemoError(f"The App Server does not start the agent: {message.get('error')}")
            runtime: dict[str, Any] = message["runtime"]
            return runtime
    raise DemoError("The App Server closed the connection before the agent started.")


@dataclass
class _Session:
    """A session that has the tools, and where it is shown."""

    console: Console
    connection: ClientConnection
    tools: VeniceTools
    runtime: dict[str, Any]

    async def ask(self, question: str) -> None:
        """Say one thing to the agent, and show all that follows until its turn is over."""
        say(self.console, "You", question)
        started = time.monotonic()
        await self._send(self._input(question))
        spoken = ""
        async for text in self.connection:
            message = json.loads(text)
            delta = message.get("delta") or {}
            if message["type"] == "external_tool_call_request":
                await self._answer(message)
            elif delta.get("message_type") == "assistant_message":
                spoken += plain(delta["content"])
            elif delta.get("message_type") == "error_message":
                raise DemoError(f"The agent stopped: {delta.get('message')}")
            elif message["type"] == "turn_finished":
                break
        say(self.console, "Agent", spoken.strip())
        say(self.console, "", f"({time.monotonic() - started:.1f} s in all)", "dim")

    def _input(self, question: str) -> dict[str, Any]:
        """A message of a person's, as the App Server takes it."""
        said = {"role": "user", "content": question, "client_message_id": str(uuid.uuid4())}
        payload = {
            "kind": "create_message",
            "messages": [said],
            # Nobody answers here when the agent asks back.
            "exclude_interactive_tools": True,
        }
        return {"type": "input", "runtime": self.runtime, "payload": payload}

    async def _answer(self, request: Mapping[str, Any]) -> None:
        """Run a tool that the agent calls; show the call and what came of it."""
        arguments = json.dumps(request.get("input") or {}, ensure_ascii=False)
        show_call(self.console, str(request["tool_name"]), arguments)
        asked_at = time.monotonic()
        response = await self.tools.respond(request)
        result = response["result"]
        reply, seconds = plain(result["content"]), time.monotonic() - asked_at
        show_reply(self.console, reply, seconds, failed=bool(result.get("is_error")))
        await self._send(response)

    async def _send(self, message: Mapping[str, Any]) -> None:
        await self.connection.send(json.dumps(message))
