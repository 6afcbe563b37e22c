"""The MCP server, asked by the official client: over stdio and over HTTP."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from importlib.metadata import PackageNotFoundError
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlparse

import anyio
import httpx
import pytest
from mcp import Client, StdioServerParameters
from mcp_types import CallToolResult, ResourceLink, TextContent, Tool

from sanctum_venice_tools.emulator.process import LocalVenice, running_venice
from sanctum_venice_tools.fronts import mcp_server
from sanctum_venice_tools.fronts.run import Outcome, RunError
from sanctum_venice_tools.packing.bundle import tool_files
from sanctum_venice_tools.packing.record import COSTLY, read_record
from sanctum_venice_tools.packing.schema import typed_schema_of
from tests.conftest import plain_call

pytestmark = pytest.mark.slow

COMMAND = [sys.executable, "-m", "sanctum_venice_tools.cli", "mcp"]


HELLO = {
    "jsonrpc": "2.0",
    "id": 1,
    "method": "initialize",
    "params": {
        "protocolVersion": "2025-06-18",
        "capabilities": {},
        "clientInfo": {"name": "test", "version": "1"},
    },
}
"""How a client begins."""


def environment(venice: LocalVenice) -> dict[str, str]:
    """That of a server whose tools go to the local Venice."""
    return {**os.environ, "VENICE_API_KEY": venice.key, "VENICE_BASE_URL": venice.base_url}


@asynccontextmanager
async def over_stdio(venice: LocalVenice, *words: str) -> AsyncIterator[Client]:
    """A client of a server that it starts itself."""
    server = StdioServerParameters(
        command=COMMAND[0], args=[*COMMAND[1:], *words], env=environment(venice)
    )
    async with Client(server) as client:
        yield client


def test_a_clone_in_which_the_pack_is_not_installed_serves_as_well(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Then there is no version that it could tell."""

    def version(package: str) -> str:
        raise PackageNotFoundError(package)

    monkeypatch.setattr(mcp_server, "version", version)

    assert "unknown" == mcp_server.make_server([]).version


@pytest.fixture(scope="module")
def url(venice: LocalVenice) -> Iterator[str]:
    """The address of a server that runs by HTTP."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [*COMMAND, "--http", "--port", str(port), "--allow-host", "tools.example.org"]
    server = subprocess.Popen(command, env=environment(venice), stdout=subprocess.PIPE, text=True)
    assert server.stdout
    try:
        address = server.stdout.readline().strip()
        _wait_for(port)
        yield address
    finally:
        server.terminate()
        server.wait(20)
        server.stdout.close()


def _wait_for(port: int) -> None:
    """Wait until something listens."""
    until = time.monotonic() + 30
    while time.monotonic() < until:
        with socket.socket() as one:
            if one.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    raise AssertionError("no server listens")


def text_of(result: CallToolResult) -> str:
    """What a model reads of a result."""
    first = result.content[0]
    assert isinstance(first, TextContent)
    return first.text


def in_process(call: Callable[[Client], Any], *names: str) -> Any:
    """What a client gets of a server of these tools in this process."""

    async def ask() -> Any:
        records = [read_record(name) for name in names]
        async with Client(mcp_server.make_server(records)) as client:
            return await call(client)

    return anyio.run(ask)


# --- the tools ---


def test_serves_core_unless_told_otherwise(venice: LocalVenice) -> None:
    """Over stdio, without a word: the toolset core, each tool with the types of its signature."""

    async def ask() -> list[Tool]:
        async with over_stdio(venice) as client:
            return (await client.list_tools()).tools

    tools = anyio.run(ask)
    core = {name for name in tool_files() if read_record(name).toolset == "core"}
    assert core == {tool.name for tool in tools}
    for tool in tools:
        schema = typed_schema_of(tool.name)
        assert (schema["description"], schema["parameters"]) == (
            tool.description,
            tool.input_schema,
        )


def test_serves_what_is_chosen(venice: LocalVenice) -> None:
    """Tools are chosen in the words of `register`: names win over toolsets."""

    async def ask() -> set[str]:
        async with over_stdio(venice, "venice_revoke_api_key", "--toolset", "image") as client:
            return {tool.name for tool in (await client.list_tools()).tools}

    assert {"venice_revoke_api_key"} == anyio.run(ask)


def test_every_tool_can_be_served() -> None:
    """A new tool is served by itself: each tool of the folder has its place in the list."""

    async def ask(client: Client) -> list[Tool]:
        return (await client.list_tools()).tools

    assert [*tool_files()] == [tool.name for tool in in_process(ask, *tool_files())]


@pytest.mark.parametrize("name", tool_files())
def test_hints_hold(name: str) -> None:
    """Nothing paid is read-only; what costs dollars, changes the account or deletes is told as destructive."""
    record = read_record(name)
    hints = mcp_server.tool_of(record).annotations
    assert hints

    assert not hints.read_only_hint or record.cost == "free"
    assert not (hints.read_only_hint and hints.destructive_hint)
    is_grave = record.cost in COSTLY or "delete" in name
    assert is_grave == hints.destructive_hint


@pytest.fixture(scope="module")
def logged(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[LocalVenice, Path]]:
    """A local Venice and its log, which a test may empty."""
    log = tmp_path_factory.mktemp("venice") / "log"
    with running_venice(log=log, allow_faults=True) as running:
        yield running, log


READ_ONLY = [
    name
    for name in tool_files()
    if (hints := mcp_server.tool_of(read_record(name)).annotations) and hints.read_only_hint
]


@pytest.mark.parametrize("name", READ_ONLY)
def test_what_is_read_only_only_reads(
    name: str, logged: tuple[LocalVenice, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At the local Venice such a tool sends nothing but GET and the question for a price, and leaves no file."""
    venice, log = logged
    monkeypatch.setenv("VENICE_API_KEY", venice.key)
    monkeypatch.setenv("VENICE_BASE_URL", venice.base_url)
    log.write_bytes(b"")
    result = mcp_server.answer_of(read_record(name), plain_call(name, venice))
    venice.clear_faults()  # once this is answered, the lines of all that was asked before are there

    assert not result.is_error, text_of(result)
    sent = [json.loads(line) for line in log.read_text().splitlines()]
    assert sent
    assert all(one["method"] == "GET" or one["path"].endswith("/quote") for one in sent)
    assert not list((tmp_path / "media").rglob("*.*"))


# --- calls ---


def test_a_reply_links_to_its_files(venice: LocalVenice) -> None:
    """Over stdio, a picture comes as a link to a file that is there, beside the reply as text and as JSON."""

    async def ask() -> CallToolResult:
        async with over_stdio(venice, "venice_generate_image") as client:
            call = {"prompt": "a fox", "seed": 7, "aspect_ratio": "64x64"}
            return await client.call_tool("venice_generate_image", call)

    result = anyio.run(ask)
    _, link = result.content
    assert not result.is_error
    assert result.structured_content == json.loads(text_of(result))
    assert "resource_link" == link.type
    file = Path(unquote(urlparse(link.uri).path))
    assert (str(file), link.mime_type, link.size) == (
        result.structured_content["files"][0]["file"],
        "image/webp",
        file.stat().st_size,
    )
    assert len(text_of(result)) < 1_000


def answer_to(reply: object, media: Path, monkeypatch: pytest.MonkeyPatch) -> CallToolResult:
    """What a client gets of a tool that replies so, and keeps files in this folder."""
    outcome = Outcome(json.dumps(reply), folder=str(media))
    monkeypatch.setattr(mcp_server, "run_tool", lambda *_, **__: outcome)

    async def ask(client: Client) -> CallToolResult:
        return await client.call_tool("venice_chat", {"prompt": "a fox"})

    result: CallToolResult = in_process(ask, "venice_chat")
    return result


def test_a_new_key_is_not_linked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file without a media type, such as that of a new API key, is no link."""
    for name in ("key.txt", "a.png"):
        (tmp_path / name).write_bytes(b"x")
    reply = {"file": "key.txt", "type": "INFERENCE", "files": [{"file": "a.png"}]}

    assert 1 == len(answer_to(reply, tmp_path, monkeypatch).content)


def test_only_files_of_the_media_folder_are_linked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What lies elsewhere is no link, nor what another model named in its answer."""
    media, secret = tmp_path / "media", tmp_path / "id_rsa"
    media.mkdir()
    for file in (secret, media / "a.mp4"):
        file.write_bytes(b"x")
    named = [{"file": str(file), "type": "video/mp4"} for file in (secret, media / "a.mp4")]
    own = answer_to({"files": named}, media, monkeypatch)
    others = answer_to({"answer": {"files": named, **named[1]}}, media, monkeypatch)

    (_, link) = own.content
    assert isinstance(link, ResourceLink)
    assert (media / "a.mp4").as_uri() == link.uri
    assert 1 == len(others.content)


@pytest.mark.parametrize("more", [{"url": 5}, {"bytes": "1 kB"}, {"url": ["x"], "bytes": None}])
@pytest.mark.parametrize("whose", ["the tool's", "a model's"])
def test_an_odd_file_costs_no_answer(
    whose: str, more: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A paid answer that names a file in another form than ours reaches the model all the same."""
    (tmp_path / "a.png").write_bytes(b"x")
    named = {"file": "a.png", "type": "image/png", **more}
    reply = named if whose == "the tool's" else {"answer": named}
    result = answer_to(reply, tmp_path, monkeypatch)

    assert (False, reply) == (bool(result.is_error), json.loads(text_of(result)))


@pytest.mark.parametrize("depth", [190, 205, 260, 500])
def test_an_answer_of_great_depth_comes_as_text(
    depth: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A paid answer that is too deep for the protocol comes as text alone; one that is not, as JSON, too."""
    reply: dict[str, Any] = {}
    for _ in range(depth):
        reply = {"a": reply}
    result = answer_to(reply, tmp_path, monkeypatch)

    assert (False, reply) == (bool(result.is_error), json.loads(text_of(result)))
    assert result.structured_content == (reply if depth < 198 else None)


def test_a_refusal_reaches_the_model(venice: LocalVenice) -> None:
    """What a tool refuses is a result that is an error, in the words that say what to do; so is an unknown tool."""

    async def ask() -> list[CallToolResult]:
        async with over_stdio(venice, "venice_search_web") as client:
            return [
                await client.call_tool("venice_search_web", {"query": "foxes", "limit": 21}),
                await client.call_tool("venice_chat", {"prompt": "hello"}),
            ]

    refused, unknown = anyio.run(ask)
    assert (True, True) == (refused.is_error, unknown.is_error)
    assert text_of(refused).startswith("The option 'limit' must be 1 to 20")
    assert "There is no tool venice_chat. There are: venice_search_web." == text_of(unknown)


def test_a_broken_tool_reaches_the_model(monkeypatch: pytest.MonkeyPatch) -> None:
    """A tool that breaks is a result that is an error, and no traceback."""

    def break_down(*_: Any, **__: Any) -> None:
        raise RunError("x broke")

    monkeypatch.setattr(mcp_server, "run_tool", break_down)

    async def ask(client: Client) -> CallToolResult:
        return await client.call_tool("venice_list_models", {})

    result = in_process(ask, "venice_list_models")
    assert (True, "x broke") == (result.is_error, text_of(result))


@pytest.mark.parametrize("setting", ["", " ", "50s", "45.5", "0"])
def test_a_call_ends_before_a_host_gives_up(setting: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Many hosts wait 60 seconds: a call has 50, or what the operator set, if that is a number of seconds."""
    probe = (
        "import json, os, sys\n"
        "class VeniceError(Exception): pass\n"
        "def venice_list_models(): return json.dumps(os.environ['VENICE_TOOL_SECONDS'])\n"
    )
    record = read_record("venice_list_models")
    vars(record)["source_code"] = probe

    assert '"50"' == text_of(mcp_server.answer_of(record, {}))
    monkeypatch.setenv("VENICE_TOOL_SECONDS", setting)
    assert '"50"' == text_of(mcp_server.answer_of(record, {}))
    monkeypatch.setenv("VENICE_TOOL_SECONDS", "110")
    assert '"110"' == text_of(mcp_server.answer_of(record, {}))


def test_a_paid_answer_that_nobody_waits_for_is_told(venice: LocalVenice) -> None:
    """A host that is gone while a film is queued has the job in its log: it comes on standard error."""
    venice.order_fault(fault="slow-status", path="/video/queue", seconds=0.2)
    with subprocess.Popen(
        [*COMMAND, "venice_queue_video"],
        env=environment(venice),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as server:
        assert server.stdin
        assert server.stdout
        server.stdin.write(f"{json.dumps(HELLO)}\n")
        server.stdin.flush()
        assert server.stdout.readline()
        film = {"name": "venice_queue_video", "arguments": {"prompt": "a fox", "duration": "5s"}}
        call = {"jsonrpc": "2.0", "id": 2, "method": "tools/call", "params": film}
        server.stdin.write(f"{json.dumps(call)}\n")
        _, told = server.communicate(timeout=60)
    venice.clear_faults()

    (line,) = told.splitlines()
    begin, _, reply = line.partition(": {")
    assert "venice_queue_video: nobody waits for the answer any more, which is" == begin
    assert json.loads("{" + reply)["job"].startswith("venice-video|")


def test_calls_run_side_by_side(venice: LocalVenice) -> None:
    """A slow call holds no other up."""
    venice.order_fault(fault="slow-status", path="/models", seconds=0.2)

    async def ask() -> list[str]:
        ended: list[str] = []
        async with over_stdio(venice, "venice_list_models", "venice_search_web") as client:

            async def call(name: str, arguments: dict[str, Any]) -> None:
                await client.call_tool(name, arguments)
                ended.append(name)

            async with anyio.create_task_group() as group:
                group.start_soon(call, "venice_list_models", {})
                await anyio.sleep(0.5)
                group.start_soon(call, "venice_search_web", {"query": "foxes"})
        return ended

    assert ["venice_search_web", "venice_list_models"] == anyio.run(ask)


def test_ctrl_c_ends_it_when_its_calls_have_ended() -> None:
    """Over stdio, at a terminal, one Ctrl-C is enough, though no input comes; a call that runs is waited for."""
    arguments = {"query": "a", "texts": ["a", "b"]}
    call = {"name": "venice_rank_texts", "arguments": arguments}
    sent = [
        HELLO,
        {"jsonrpc": "2.0", "method": "notifications/initialized"},
        {"jsonrpc": "2.0", "id": 2, "method": "tools/call", "params": call},
    ]
    silent = socket.create_server(("127.0.0.1", 0))
    url = f"http://127.0.0.1:{silent.getsockname()[1]}/api/v1"
    with subprocess.Popen(
        [*COMMAND, "venice_rank_texts"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=os.environ | {"VENICE_API_KEY": "a-key-of-venice", "VENICE_BASE_URL": url},
        text=True,
    ) as server:
        assert server.stdin
        assert server.stderr
        server.stdin.writelines(json.dumps(one) + "\n" for one in sent)
        server.stdin.flush()
        with silent, silent.accept()[0]:
            server.send_signal(signal.SIGINT)
            with pytest.raises(subprocess.TimeoutExpired):
                server.wait(1)
        try:
            assert 0 == server.wait(30)
        finally:
            server.kill()
        assert "Traceback" not in server.stderr.read()


# --- by HTTP ---


def test_answers_by_http(url: str) -> None:
    """The same by streamable HTTP, at the address that the command prints."""

    async def ask() -> CallToolResult:
        async with Client(url) as client:
            return await client.call_tool("venice_list_models", {"type": "image"})

    assert not anyio.run(ask).is_error


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Host": "evil.example.org"}, 421),
        ({"Origin": "http://evil.example.org"}, 403),
        ({"Host": "tools.example.org"}, 200),
        ({"Host": "tools.example.org", "Origin": "https://tools.example.org"}, 200),
        ({"Host": "tools.example.org", "Origin": "http://tools.example.org"}, 200),
        ({"Host": "tools.example.org:8443", "Origin": "https://tools.example.org:8443"}, 200),
        ({"Origin": "http://localhost"}, 200),
        ({"Origin": "http://localhost:3000"}, 200),
        ({"Origin": "https://tools.example.org.evil.example.org"}, 403),
        ({"Origin": "https://evil.example.org:443"}, 403),
        ({"Origin": "null"}, 403),
        ({}, 200),
    ],
)
def test_answers_to_its_own_names(headers: dict[str, str], status: int, url: str) -> None:
    """It answers a page of its own names; by another that somebody makes point to this machine, none reaches it."""
    accepts = {"Accept": "application/json, text/event-stream"}
    done = httpx.post(url, json=HELLO, headers={**accepts, **headers}, timeout=20)

    assert status == done.status_code
