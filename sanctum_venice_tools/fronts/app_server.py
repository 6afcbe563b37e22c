"""The tools as external tools of Letta's App Server (protocol 1).

An agent calls them, and this process runs them.

A program that owns a session gives `VeniceTools.definitions` to its own `runtime_start`, and
answers each `external_tool_call_request` with `VeniceTools.respond`. Where others own it, `serve`
offers the tools from a connection of its own: the App Server then has them in every turn of that
conversation, whoever speaks in it.
"""

import asyncio
import base64
import contextlib
import functools
import itertools
import json
import os
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import Any, Literal
from urllib.parse import urlsplit

from websockets.asyncio.client import ClientConnection, connect
from websockets.client import process_exception
from websockets.exceptions import (
    ConnectionClosed,
    InvalidHandshake,
    InvalidProxy,
    InvalidProxyStatus,
    InvalidStatus,
    InvalidURI,
    ProxyError,
)
from websockets.uri import parse_uri

from sanctum_venice_tools.fronts.files import MadeFile, made_files
from sanctum_venice_tools.fronts.run import Outcome, RunError, run_tool, seconds_of_a_call
from sanctum_venice_tools.fronts.skill.call_tool import INTERRUPTED
from sanctum_venice_tools.network import NetworkSettingsError, is_here
from sanctum_venice_tools.packing.record import Record
from sanctum_venice_tools.packing.schema import typed_schema_of
from sanctum_venice_tools.runtime.formats import _format_of

# The App Server makes a new conversation where none is named.
DEFAULT_CONVERSATION = "default"

# What a call may take where the operator did not say; and what the App Server allows it, its most,
# for a person may think about an approval.
USUAL_SECONDS = 50
_TIMEOUT_MS = 300_000

# How long a process takes to start and to answer, beside the call itself; and what a person has at
# least to think, where the operator allows calls nearly all of that time.
_MARGIN_SECONDS = 10
_LEAST_SECONDS_TO_AGREE = 30

# A model is shown so many pictures of a reply, each no larger than that; the rest are named.
_MOST_PICTURES = 4
_LARGEST_PICTURE = 4 << 20

# What stands in the token's place, where an App Server repeats it.
_TOKEN = "[LETTA_APP_SERVER_TOKEN]"  # noqa: S105  # it is the name

# By these a proxy tells that it does not reach the server.
_NOBODY_THERE = (502, 503, 504)

_NO_APP_SERVER = "What answers there is no App Server of Letta's. Check its address."

Approve = Callable[[Record, Mapping[str, Any]], Awaitable[bool]]
"""Whether a person agrees to a call that may cost dollars or changes the account."""

Tell = Callable[[str], None]


class ServeError(Exception):
    """Why the tools can't be offered; the message is one line that says what to do."""


class VeniceTools:
    """These tools, as the App Server wants them defined and answered.

    Args:
        records: The tools.
        approve: Asks a person about a costly call; without it, each of them is refused.
        settings: What the tools find in their environment, beside what this process has there.
    """

    def __init__(
        self,
        records: Sequence[Record],
        approve: Approve | None = None,
        *,
        settings: Mapping[str, str] | None = None,
    ) -> None:
        self._records = {record.name: record for record in records}
        self._approve = approve
        self._settings = settings
        # A person is asked one thing at a time.
        self._asking = asyncio.Lock()
        self._unapproved: set[asyncio.Task[Any] | None] = set()

    @property
    def definitions(self) -> list[dict[str, Any]]:
        """What `external_tools[].tools` of a `runtime_start` is to hold."""
        return [_definition(record) for record in self._records.values()]

    async def respond(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """The answer to an `external_tool_call_request`: there is one in any case."""
        given = request.get("input")
        arguments = {} if given is None else given
        if isinstance(arguments, Mapping):
            result = await self.call(str(request.get("tool_name")), arguments)
        else:
            result = _failed("The input must be a JSON object, of values by argument.")
        return {
            "type": "external_tool_call_response",
            "request_id": request.get("request_id"),
            "result": result,
        }

    async def call(self, name: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """Run a tool: its reply as text, its pictures as images; or a text that says why not."""
        record = self._records.get(name)
        if record is None:
            return _failed(f"There is no tool {name}. There are: {', '.join(self._records)}.")
        try:
            is_agreed = not record.needs_approval or await self._is_approved(record, arguments)
        except TimeoutError:
            return _failed(f"Nobody approved {name} in time. Nothing was bought; ask them first.")
        except Exception as error:  # noqa: BLE001  # the App Server would wait for an answer
            return _failed(f"{name} was not called: {_reason(error)}")
        if not is_agreed:
            return _failed(f"A person did not approve {name}. Nothing was bought; ask them first.")
        return await self._run(record, arguments)

    async def _run(self, record: Record, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """Run a tool to which a person agreed, where one had to."""
        try:
            outcome = await asyncio.to_thread(
                run_tool, record, arguments, settings=self._settings, usual_seconds=USUAL_SECONDS
            )
            if outcome.refusal:
                return _failed(outcome.refusal)
            pictures = await asyncio.to_thread(_pictures, outcome)
        except RunError as error:
            return _failed(str(error))
        except asyncio.CancelledError as end:
            if record.cost in INTERRUPTED:
                told = f"was interrupted; {INTERRUPTED[record.cost]}"
                raise asyncio.CancelledError(told) from end
            raise
        except Exception as error:  # noqa: BLE001  # the App Server would wait for an answer
            told = f"{record.name} broke: {_reason(error)}"
            cost = INTERRUPTED.get(record.cost)
            return _failed(f"{told}; {cost}" if cost else told)
        return {"content": [{"type": "text", "text": outcome.reply}, *pictures]}

    async def _is_approved(self, record: Record, arguments: Mapping[str, Any]) -> bool:
        """Whether a person agrees, while the App Server still waits for the answer."""
        if self._approve is None:
            return False
        call = asyncio.current_task()
        self._unapproved.add(call)
        try:
            async with asyncio.timeout(_seconds_to_agree(self._settings or {})), self._asking:
                return await self._approve(record, arguments)
        finally:
            self._unapproved.discard(call)

    def take_back(self, calls: Iterable[asyncio.Task[Any]]) -> None:
        """End those of these calls to which nobody agreed yet: nobody waits for their answers."""
        for call in self._unapproved.intersection(calls):
            if call:
                call.cancel("nobody waits for it any more, and nothing was bought.")


def _seconds_to_agree(settings: Mapping[str, str]) -> float:
    """How long a person may think, so that the App Server still waits when the tool has run."""
    seconds = seconds_of_a_call({**os.environ, **settings}, USUAL_SECONDS)
    return max(_TIMEOUT_MS / 1000 - seconds - _MARGIN_SECONDS, _LEAST_SECONDS_TO_AGREE)


def _definition(record: Record) -> dict[str, Any]:
    """A tool as the App Server is told of it."""
    schema = typed_schema_of(record.name)
    return {
        "name": record.name,
        "label": record.summary,
        "description": schema["description"],
        "parameters": schema["parameters"],
        "timeout_ms": _TIMEOUT_MS,
        # Else the turn ends after ten seconds, and a connection that is cut loses the answer.
        "auto_background": False,
    }


def _failed(told: str) -> dict[str, Any]:
    """An error as the model reads it: nothing else marks it there."""
    return {"is_error": True, "content": [{"type": "text", "text": f"Error: {told}"}]}


def _reason(error: Exception) -> str:
    """What broke, on one line."""
    return f"{error.__class__.__name__}: {error}"


def _pictures(outcome: Outcome) -> list[dict[str, str]]:
    """The pictures that a tool made, for models that see.

    The App Server leaves them out for others.
    """
    shown = filter(None, map(_picture, made_files(outcome)))
    return list(itertools.islice(shown, _MOST_PICTURES))


def _picture(file: MadeFile) -> dict[str, str] | None:
    """A file as a part of an answer; None, where it is no picture, too large, or not to be read.

    A file with a second name on the disk may be another's, as for the tools.
    """
    if not file.type.startswith("image/"):
        return None
    with contextlib.suppress(OSError):  # the reply was paid, and names it in any case
        facts = file.path.stat()
        if facts.st_size > _LARGEST_PICTURE or facts.st_nlink > 1:
            return None
        content = file.path.read_bytes()
        form = _format_of(content[:100])
        if form and form.media_type.startswith("image/"):
            data = base64.b64encode(content).decode()
            return {"type": "image", "data": data, "mimeType": form.media_type}
    return None


# --- a connection of its own ---


async def serve(
    url: str,
    tools: VeniceTools,
    agents: Sequence[str],
    *,
    conversation: str = DEFAULT_CONVERSATION,
    token: str = "",
    tell: Tell = print,
) -> None:
    """Offer the tools to agents, until it is cancelled; a connection that is lost is made anew.

    Args:
        url: The App Server's socket, such as ws://127.0.0.1:4511/ws.
        tools: What is offered.
        agents: The ids of the agents.
        conversation: Which of an agent's conversations; each agent has one called "default".
        token: What the App Server asks for, if it asks for one.
        tell: Takes a line about what is going on.

    Raises:
        ServeError: The App Server refuses, or knows no such agent.
    """
    _check_address(url)
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    proxy: Literal[True] | None = None if is_here(urlsplit(url).hostname) else True
    connections = connect(
        url,
        additional_headers=headers,
        max_size=None,
        proxy=proxy,
        process_exception=functools.partial(_tell_and_retry, url, tell),
    )
    try:
        # It waits longer after each failure, and gives up only where trying again is of no use.
        async for connection in connections:
            with contextlib.suppress(ConnectionClosed):
                await _Offer(connection, tools, agents, conversation, tell).keep()
            tell("The connection is lost. It is tried again.")
    except ServeError as error:
        # It may tell what the App Server said, which may repeat what it was sent.
        told = str(error)
        raise ServeError(told.replace(token, _TOKEN) if token else told) from None
    except InvalidStatus as error:
        status = error.response.status_code
        raise ServeError(
            f"{url} refused ({status}). Check its address, and LETTA_APP_SERVER_TOKEN."
        ) from error
    except (InvalidProxy, ProxyError, ImportError):  # ImportError for a proxy that speaks SOCKS
        raise ServeError(str(NetworkSettingsError())) from None
    except (InvalidURI, ValueError) as error:
        # Our own address is known to be one: it is the proxy's, or what ours redirects to.
        if connections.uri == url and not isinstance(error.__context__, InvalidStatus):
            raise ServeError(str(NetworkSettingsError())) from None
        raise ServeError(f"{url} redirects to what is no App Server's address.") from error
    except InvalidHandshake as error:
        raise ServeError(_NO_APP_SERVER) from error


def _check_address(url: str) -> None:
    """Refuse what is no socket's address, before a proxy may be at fault.

    Raises:
        ServeError: It is none.
    """
    try:
        parse_uri(url).host.encode("idna")
    except (InvalidURI, ValueError) as error:
        raise ServeError(f"{url} is no address such as ws://127.0.0.1:4511/ws.") from error


def _tell_and_retry(url: str, tell: Tell, error: Exception) -> Exception | None:
    """Say that nobody answers, where trying again may help; else the error."""
    fatal = process_exception(error)
    # A proxy, too, says that nobody is there.
    if isinstance(error, InvalidProxyStatus) and error.response.status_code in _NOBODY_THERE:
        fatal = None
    if fatal is None:
        tell(f"There is no App Server at {url} yet. It is tried again.")
    return fatal


def _message_of(text: str | bytes) -> dict[str, Any]:
    """A message of the App Server."""
    try:
        message = json.loads(text)
    except (ValueError, RecursionError):
        raise ServeError(_NO_APP_SERVER) from None
    if not isinstance(message, dict):
        raise ServeError(_NO_APP_SERVER)
    return message


class _Offer:
    """The tools on one connection, for as long as it stands."""

    def __init__(
        self,
        connection: ClientConnection,
        tools: VeniceTools,
        agents: Sequence[str],
        conversation: str,
        tell: Tell,
    ) -> None:
        self._connection = connection
        self._tools = tools
        self._agents = agents
        self._conversation = conversation
        self._tell = tell
        self._answers: set[asyncio.Task[None]] = set()

    async def keep(self) -> None:
        """Offer the tools, and answer calls; a call that takes its time holds no other up."""
        try:
            for agent in self._agents:
                await self._send(self._start_of(agent))
            async for text in self._connection:
                self._take(_message_of(text))
        finally:
            self._tools.take_back(self._answers)

    def _take(self, message: Mapping[str, Any]) -> None:
        """Do what a message asks for."""
        if message.get("type") == "runtime_start_response":
            self._note_start(message)
        elif message.get("type") == "external_tool_call_request":
            answer = asyncio.create_task(self._answer(message))
            self._answers.add(answer)
            answer.add_done_callback(self._answers.discard)

    def _start_of(self, agent: str) -> dict[str, Any]:
        """What joins an agent's conversation with the tools, and changes nothing else of it."""
        return {
            "type": "runtime_start",
            "request_id": agent,
            "agent_id": agent,
            "conversation_id": self._conversation,
            "client_info": {"name": "sanctum-venice"},
            "external_tools": [{"tools": self._tools.definitions}],
            # Whoever speaks with the agent answers what it asks.
            "recover_approvals": False,
        }

    def _note_start(self, message: Mapping[str, Any]) -> None:
        """Say that an agent has the tools, or why it has not."""
        if not message.get("success"):
            agent, reason = message.get("request_id"), message.get("error")
            raise ServeError(f"The App Server does not start {agent}: {reason}")
        runtime = message.get("runtime")
        if not isinstance(runtime, dict):
            raise ServeError(_NO_APP_SERVER)
        agent, conversation = runtime.get("agent_id"), runtime.get("conversation_id")
        self._tell(f"{agent} has {len(self._tools.definitions)} tools in {conversation}.")

    async def _answer(self, request: Mapping[str, Any]) -> None:
        """Run a tool, and hand over what became of it, if the connection still stands."""
        name = request.get("tool_name")
        try:
            response = await self._tools.respond(request)
        except asyncio.CancelledError as end:
            if end.args:
                self._tell(f"{name}: {end}")
            raise
        try:
            await self._send(response)
        except ConnectionClosed:
            # What was paid for has no other place now: it may be a job.
            told = response["result"]["content"][0]["text"]
            self._tell(f"{name}: the connection was lost before the answer, which is: {told}")
            return
        outcome = "refused" if response["result"].get("is_error") else "answered"
        self._tell(f"{name}: {outcome}")

    async def _send(self, message: Mapping[str, Any]) -> None:
        await self._connection.send(json.dumps(message))
