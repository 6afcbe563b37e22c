"""The tools for hosts that speak MCP, by the maintained SDK: typed schemas, and files as links."""

import math
import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import anyio
from mcp.server.context import ServerRequestContext
from mcp.server.lowlevel import Server
from mcp.server.stdio import stdio_server
from mcp.server.transport_security import TransportSecuritySettings
from mcp_types import (
    CallToolRequestParams,
    CallToolResult,
    JSONRPCResponse,
    ListToolsResult,
    PaginatedRequestParams,
    ResourceLink,
    TextContent,
    Tool,
    ToolAnnotations,
)
from starlette.applications import Starlette

from sanctum_venice_tools.fronts.files import MadeFile, made_files
from sanctum_venice_tools.fronts.run import RunError, run_tool
from sanctum_venice_tools.fronts.skill.call_tool import written
from sanctum_venice_tools.host_names import OWN_NAMES
from sanctum_venice_tools.packing.record import COSTLY, Record
from sanctum_venice_tools.packing.schema import typed_schema_of
from sanctum_venice_tools.runtime.replies import _parse_reply
from sanctum_venice_tools.terminal import visible

# Many hosts give up after 60 seconds without a word.
USUAL_SECONDS = 50

_INSTRUCTIONS = """\
Venice (venice.ai): web answers with sources, pictures, speech, music, films, documents, other
models. What may cost dollars is priced by a quote tool first: tell the person, and call only what
they agreed to. Films and music are queued, then asked for until they are there. Files are named by
their paths; a stored file goes into the next call by its name. Do not repeat a paid call that may
be charged."""

# A tool of these verbs only looks, if it is free: it stores, changes and deletes nothing.
_LOOKS = ("check", "find", "list", "quote", "report")
_DELETES = ("delete", "revoke")

_Context = ServerRequestContext[Any]


def make_server(records: Sequence[Record]) -> Server:
    """A server of these tools."""
    tools = [tool_of(record) for record in records]
    by_name = {record.name: record for record in records}

    async def list_tools(
        _context: _Context, _page: PaginatedRequestParams | None
    ) -> ListToolsResult:
        """All tools; they are few enough for one page."""
        return ListToolsResult(tools=tools)

    async def call_tool(_context: _Context, call: CallToolRequestParams) -> CallToolResult:
        """Run a tool beside the server's own work, so that others are served meanwhile."""
        record = by_name.get(call.name)
        if record is None:
            return _failed(f"There is no tool {call.name}. There are: {', '.join(by_name)}.")
        answer = await anyio.to_thread.run_sync(answer_of, record, call.arguments or {})
        if record.cost != "free" and anyio.current_effective_deadline() == -math.inf:
            _tell_of_lost(record, answer)
        return answer

    return Server(
        "venice",
        version=_version(),
        instructions=_INSTRUCTIONS,
        on_list_tools=list_tools,
        on_call_tool=call_tool,
    )


def _version() -> str:
    """The version of the pack, if it is installed; in a clone it need not be."""
    with suppress(PackageNotFoundError):
        return version("sanctum-venice-tools")
    return "unknown"


async def serve_stdio(server: Server) -> None:
    """Serve the program that started this one, until it closes our input or Ctrl-C is pressed."""
    async with stdio_server() as (read, write):
        try:
            await server.run(read, write, server.create_initialization_options())
        except anyio.get_cancelled_exc_class():
            # The calls have ended; the thread that reads our input would not before the next line.
            os._exit(0)


def http_app(server: Server, allowed_hosts: Sequence[str]) -> Starlette:
    """The server as a web application, at /mcp.

    It answers to this machine's own names, and to those that are allowed.
    """
    names = [*OWN_NAMES, *allowed_hosts]
    hosts = [*names, *(f"{name}:*" for name in names)]
    guard = TransportSecuritySettings(
        allowed_hosts=hosts,
        # A browser leaves out the usual port of a scheme.
        allowed_origins=[f"{scheme}://{host}" for scheme in ("http", "https") for host in hosts],
    )
    return server.streamable_http_app(transport_security=guard)


# --- a tool, as MCP has it ---


def tool_of(record: Record) -> Tool:
    """A tool with the types of its signature, and hints that hold."""
    schema = typed_schema_of(record.name)
    return Tool(
        name=record.name,
        description=schema["description"],
        input_schema=schema["parameters"],
        annotations=_hints(record),
    )


def _hints(record: Record) -> ToolAnnotations:
    """What a host may take for granted: only what is free and stores nothing is read-only."""
    verb = record.name.split("_")[1]
    return ToolAnnotations(
        title=record.summary,
        read_only_hint=record.cost == "free" and verb in _LOOKS,
        destructive_hint=record.cost in COSTLY or verb in _DELETES,
        idempotent_hint=record.cost == "free",
        open_world_hint=True,
    )


# --- a call ---


def answer_of(record: Record, arguments: Mapping[str, Any]) -> CallToolResult:
    """Call a tool: its reply as text and as JSON, with links to its files; or one line, why not."""
    try:
        outcome = run_tool(record, arguments, usual_seconds=USUAL_SECONDS)
    except RunError as error:
        return _failed(str(error))
    if outcome.refusal:
        return _failed(outcome.refusal)
    links = [_link(file) for file in made_files(outcome)]
    return CallToolResult(
        content=[TextContent(text=outcome.reply), *links],
        structured_content=_structured(outcome.reply),
    )


def _tell_of_lost(record: Record, answer: CallToolResult) -> None:
    """Write the answer of a call that was cancelled to our errors, which hosts keep.

    The protocol takes it no more, and it may be a job that was paid.
    """
    for part in answer.content:
        if isinstance(part, TextContent):
            told = f"{record.name}: nobody waits for the answer any more, which is: {part.text}"
            written(visible(told), output="stderr")


def _failed(told: str) -> CallToolResult:
    """A line that the model reads; a protocol error would not reach it."""
    return CallToolResult(content=[TextContent(text=told)], is_error=True)


def _link(file: MadeFile) -> ResourceLink:
    """A link to a file: on a media server it has an address of its own, and no path here."""
    uri = file.url or file.path.as_uri()
    return ResourceLink(uri=uri, name=file.path.name, mime_type=file.type, size=file.size)


def _structured(reply: str) -> Any:
    """A reply as JSON beside its text; None, if the protocol has no room for what is so deep."""
    read = _parse_reply(reply)
    try:
        sent = JSONRPCResponse(jsonrpc="2.0", id=0, result={"structuredContent": read})
        JSONRPCResponse.model_validate_json(sent.model_dump_json())
    except ValueError:
        return None
    return read
