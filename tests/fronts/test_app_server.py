"""The tools as external tools of Letta's App Server: how they are defined, and what a call answers."""

import asyncio
import base64
import json
import threading
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any
from unittest.mock import AsyncMock

import pytest
from click.testing import CliRunner
from websockets.asyncio.server import ServerConnection, serve
from websockets.datastructures import Headers
from websockets.http11 import Request, Response

from sanctum_venice_tools.cli import main
from sanctum_venice_tools.emulator.process import LocalVenice
from sanctum_venice_tools.fronts import app_server
from sanctum_venice_tools.fronts.app_server import VeniceTools
from sanctum_venice_tools.fronts.run import Outcome, RunError
from sanctum_venice_tools.packing.bundle import tool_files
from sanctum_venice_tools.packing.record import Record, read_record
from sanctum_venice_tools.packing.schema import typed_schema_of

pytestmark = pytest.mark.slow

PNG = b"\x89PNG\r\n\x1a\n"
"""How a picture begins."""


@pytest.fixture
def at_venice(venice: LocalVenice, monkeypatch: pytest.MonkeyPatch) -> LocalVenice:
    """The local Venice, as the environment's own."""
    monkeypatch.setenv("VENICE_API_KEY", venice.key)
    monkeypatch.setenv("VENICE_BASE_URL", venice.base_url)
    return venice


async def agree(_record: Record, _arguments: Mapping[str, Any]) -> bool:
    """A person who agrees."""
    return True


async def decline(_record: Record, _arguments: Mapping[str, Any]) -> bool:
    """A person who does not."""
    return False


def call(tools: VeniceTools, name: str, **arguments: Any) -> dict[str, Any]:
    """The result of a call."""
    request = {"request_id": "r", "tool_name": name, "input": arguments}
    response = asyncio.run(tools.respond(request))
    assert ("external_tool_call_response", "r") == (response["type"], response["request_id"])
    return dict(response["result"])


def test_every_tool_is_defined() -> None:
    """Each tool of the folder as the App Server takes it: real types, waited for, and within its bounds of time."""
    tools = VeniceTools([read_record(name) for name in tool_files()])

    assert [*tool_files()] == [one["name"] for one in tools.definitions]
    for one in tools.definitions:
        schema = typed_schema_of(one["name"])
        assert (schema["description"], schema["parameters"]) == (
            one["description"],
            one["parameters"],
        )
        assert one["auto_background"] is False
        assert 1_000 <= one["timeout_ms"] <= 300_000


@pytest.mark.usefixtures("at_venice")
def test_pictures_are_shown() -> None:
    """A picture comes as an image part beside the reply, whose text names its file."""
    tools = VeniceTools([read_record("venice_generate_image")])
    result = call(tools, "venice_generate_image", prompt="a fox", aspect_ratio="64x64")

    text, picture = result["content"]
    file = Path(json.loads(text["text"])["files"][0]["file"])
    assert {
        "type": "image",
        "data": base64.b64encode(file.read_bytes()).decode(),
        "mimeType": "image/webp",
    } == picture


def pictures_of(reply: object, media: Path) -> list[dict[str, str]]:
    """The pictures that are shown of a reply of a tool that keeps files in this folder."""
    return list(app_server._pictures(Outcome(json.dumps(reply), folder=str(media))))


def test_a_large_picture_is_only_named(tmp_path: Path) -> None:
    """What would be too much for a message, or is no picture, is no part; nor are more than a few."""
    small, large = tmp_path / "small.png", tmp_path / "large.png"
    small.write_bytes(PNG)
    large.write_bytes(PNG + bytes(app_server._LARGEST_PICTURE))
    files = [{"file": str(file), "type": "image/png"} for file in (large, *[small] * 6)]
    sound = {"file": str(small), "type": "audio/mpeg"}

    shown = pictures_of({"files": [sound, *files]}, tmp_path)
    assert [base64.b64encode(PNG).decode()] * 4 == [one["data"] for one in shown]


def test_only_pictures_of_the_media_folder_are_shown(tmp_path: Path) -> None:
    """Nothing outside, hidden, behind a link or a second name, and nothing that does not begin as a picture does."""
    media, outside = tmp_path / "media", tmp_path / "outside.png"
    (media / ".private").mkdir(parents=True)
    for picture in (outside, media / ".private" / "a.png", media / "twice.png", media / "good.png"):
        picture.write_bytes(PNG)
    (media / "leads-out.png").symlink_to(outside)
    (media / "second.png").hardlink_to(media / "twice.png")
    (media / "key.png").write_text("VENICE_API_KEY=x", encoding="utf-8")
    names = ["../outside.png", ".private/a.png", "leads-out.png", "second.png", "key.png"]
    wrong = [str(outside), *names, "a" * 300, "gone.png", "", "\0", None, 5, ["good.png"]]

    for name in wrong:
        assert not pictures_of({"file": name, "type": "image/png"}, media), name
    assert pictures_of({"file": "good.png", "type": "image/png"}, media)


@pytest.mark.usefixtures("at_venice")
def test_a_file_that_another_model_names_is_not_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The JSON that a model answered to venice_chat may name any file: none is sent, not even a stored picture."""
    secret, picture = tmp_path / "id_rsa", tmp_path / "media" / "a.png"
    picture.parent.mkdir()
    secret.write_text("a key", encoding="utf-8")
    picture.write_bytes(PNG)
    monkeypatch.setenv("VENICE_MEDIA_DIR", str(picture.parent))
    files = [{"file": str(file), "type": "image/png"} for file in (secret, picture)]
    said = {"files": files, **files[0]}
    # The local Venice answers what the schema allows.
    schema = json.dumps({"type": "object", "properties": {"said": {"const": said}}})
    tools = VeniceTools([read_record("venice_chat")])
    result = call(tools, "venice_chat", prompt="a fox", answer_schema=schema)

    (text,) = result["content"]
    assert said == json.loads(text["text"])["answer"]["said"]


@pytest.mark.parametrize("approve", [None, decline])
def test_a_costly_call_needs_a_person(
    approve: app_server.Approve | None, at_venice: LocalVenice
) -> None:
    """Without a person's word nothing is sent, and the model reads why."""
    tools = VeniceTools([read_record("venice_queue_video")], approve)
    at_venice.order_fault(fault="status-500", path="/video/*")
    result = call(tools, "venice_queue_video", prompt="a fox", duration="5s")
    at_venice.clear_faults()

    assert result["is_error"]
    assert result["content"][0]["text"].startswith(
        "Error: A person did not approve venice_queue_video."
    )


@pytest.mark.usefixtures("at_venice")
def test_an_approved_call_runs() -> None:
    """With a person's word a film is queued."""
    tools = VeniceTools([read_record("venice_queue_video")], agree)
    result = call(tools, "venice_queue_video", prompt="a fox", duration="5s")

    assert json.loads(result["content"][0]["text"])["job"].startswith("venice-video|")


@pytest.mark.usefixtures("at_venice")
def test_errors_are_texts(monkeypatch: pytest.MonkeyPatch) -> None:
    """A refusal, an unknown tool and a broken one reach the model as texts that begin with the word."""
    tools = VeniceTools([read_record("venice_search_web")])
    refused = call(tools, "venice_search_web", query="foxes", limit=21)
    unknown = call(tools, "venice_chat", prompt="hello")

    def break_down(*_: Any, **__: Any) -> None:
        raise RunError("venice_search_web broke: x")

    monkeypatch.setattr(app_server, "run_tool", break_down)
    broken = call(tools, "venice_search_web", query="foxes")

    told = [one["content"][0]["text"] for one in (refused, unknown, broken)]
    assert told[0].startswith("Error: The option 'limit' must be 1 to 20")
    assert "Error: There is no tool venice_chat. There are: venice_search_web." == told[1]
    assert "Error: venice_search_web broke: x" == told[2]
    assert all(one["is_error"] for one in (refused, unknown, broken))


# --- every request gets an answer ---


@pytest.mark.parametrize("given", ["x", ["x"], 5, 1.5, True, "", [], 0, False])
def test_an_input_that_is_no_object_is_refused(given: object) -> None:
    """The model reads what an input must be; nothing runs."""
    tools = VeniceTools([read_record("venice_list_models")])
    request = {"request_id": "r", "tool_name": "venice_list_models", "input": given}
    response = asyncio.run(tools.respond(request))

    (text,) = response["result"]["content"]
    assert "Error: The input must be a JSON object, of values by argument." == text["text"]


def test_a_request_without_a_tool_is_answered() -> None:
    """What names no tool is answered with the names of those that there are."""
    tools = VeniceTools([read_record("venice_list_models")])
    response = asyncio.run(tools.respond({"request_id": "r"}))

    assert "r" == response["request_id"]
    assert response["result"]["content"][0]["text"].endswith("There are: venice_list_models.")


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("venice_chat", "; it may be charged. Look at venice_report_usage before you try again."),
        ("venice_revoke_api_key", "; your Venice account may be changed. Look at it before"),
        ("venice_list_models", ": ValueError: x"),
    ],
)
@pytest.mark.parametrize("what", ["run_tool", "_pictures"])
def test_whatever_breaks_is_answered(
    what: str, name: str, told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A call that breaks in an unforeseen way is answered, too, and with what may have come of it."""

    def break_down(*_: Any, **__: Any) -> None:
        raise ValueError("x")

    monkeypatch.setattr(app_server, "run_tool", lambda *_, **__: Outcome("{}"))
    monkeypatch.setattr(app_server, what, break_down)
    result = call(VeniceTools([read_record(name)], agree), name)

    assert result["is_error"]
    text = result["content"][0]["text"]
    assert text.startswith(f"Error: {name} broke: ValueError: x")
    assert told in text


def test_a_person_who_can_not_be_asked_is_answered(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the question itself breaks, nothing runs, and the model reads that."""

    async def break_down(_record: Record, _arguments: Mapping[str, Any]) -> bool:
        raise OSError("the terminal is gone")

    monkeypatch.setattr(app_server, "run_tool", lambda *_, **__: pytest.fail("it ran"))
    tools = VeniceTools([read_record("venice_queue_video")], break_down)
    result = call(tools, "venice_queue_video", prompt="a fox", duration="5s")

    told = "Error: venice_queue_video was not called: OSError: the terminal is gone"
    assert told == result["content"][0]["text"]


# --- the connection ---


@pytest.mark.parametrize("url", ["http://127.0.0.1:1", "ws://127.0.0.1:99999", "ws://a..b/ws"])
def test_no_address_is_told(url: str) -> None:
    """What is no socket's address ends the command with one line, and is not tried again."""
    done = CliRunner().invoke(main, ["serve-tools", "--url", url, "--agent", "agent-1"])

    assert (1, 1) == (done.exit_code, len(done.stderr.splitlines()))
    assert f"{url} is no address such as ws://127.0.0.1:4511/ws." in done.stderr


@pytest.mark.parametrize(
    "answer", ["hello", "[]", '{"type": "runtime_start_response", "success": true}']
)
def test_another_server_at_the_address_is_told(answer: str) -> None:
    """What talks as no App Server does ends it with one line."""

    async def greet(connection: ServerConnection) -> None:
        await connection.send(answer)
        await connection.wait_closed()

    async def ask() -> None:
        async with serve(greet, "127.0.0.1", 0) as other:
            port = other.sockets[0].getsockname()[1]
            await app_server.serve(f"ws://127.0.0.1:{port}/ws", VeniceTools([]), [])

    with pytest.raises(app_server.ServeError, match="no App Server of Letta's"):
        asyncio.run(ask())


def test_a_refusal_that_repeats_the_token_is_told_without_it() -> None:
    """What an App Server says of why it does not start an agent is shown without LETTA_APP_SERVER_TOKEN."""

    async def refuse(connection: ServerConnection) -> None:
        assert connection.request
        sent = connection.request.headers["Authorization"]
        error = f"the credential {sent} has no scope"
        refusal = {"type": "runtime_start_response", "request_id": "agent-1", "error": error}
        await connection.send(json.dumps(refusal))
        await connection.wait_closed()

    async def ask() -> None:
        async with serve(refuse, "127.0.0.1", 0) as other:
            port = other.sockets[0].getsockname()[1]
            url = f"ws://127.0.0.1:{port}/ws"
            await app_server.serve(url, VeniceTools([]), ["agent-1"], token="hunter2")

    with pytest.raises(app_server.ServeError) as refused:
        asyncio.run(ask())
    told = "agent-1: the credential Bearer [LETTA_APP_SERVER_TOKEN] has no scope"
    assert f"The App Server does not start {told}" == str(refused.value)


@pytest.mark.parametrize("place", ["http://127.0.0.1:9/", "ws://a..b/ws", "ws://a.test:99999/ws"])
def test_a_server_that_leads_to_no_socket_is_told(place: str) -> None:
    """A redirect to what is no socket, to a page for people say, ends it with one line."""

    def lead_away(_connection: ServerConnection, _request: Request) -> Response:
        return Response(302, "Found", Headers(Location=place))

    async def ask() -> None:
        async with serve(AsyncMock(), "127.0.0.1", 0, process_request=lead_away) as other:
            port = other.sockets[0].getsockname()[1]
            await app_server.serve(f"ws://127.0.0.1:{port}/ws", VeniceTools([]), [])

    with pytest.raises(app_server.ServeError, match="/ws redirects to what is no App Server's"):
        asyncio.run(ask())


async def answering(answer: bytes) -> asyncio.Server:
    """What gives this answer, whatever it is asked."""

    async def reply(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer)
        await writer.drain()
        writer.close()

    return await asyncio.start_server(reply, "127.0.0.1", 0)


def address_of(server: asyncio.Server) -> str:
    """Where it listens."""
    return f"127.0.0.1:{server.sockets[0].getsockname()[1]}"


UPGRADED = b"HTTP/1.1 101 Switching\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"


@pytest.mark.parametrize(
    "answer",
    [
        b"SSH-2.0-OpenSSH_9.2\r\n\r\n",
        b"HTTP/1.1 101 Switching\r\n\r\n",
        UPGRADED + b"Sec-WebSocket-Accept: x\r\n\r\n",
    ],
)
def test_what_answers_otherwise_is_told(answer: bytes) -> None:
    """Where a port speaks something else, or takes no socket as it should, one line says so."""

    async def ask() -> None:
        async with asyncio.timeout(10), await answering(answer) as other:
            await app_server.serve(f"ws://{address_of(other)}/ws", VeniceTools([]), [])

    with pytest.raises(app_server.ServeError, match="no App Server of Letta's"):
        asyncio.run(ask())


@pytest.mark.parametrize(
    "answer", [b"SSH-2.0-OpenSSH_9.2\r\n\r\n", b"HTTP/1.1 407 Who are you?\r\n\r\n"]
)
def test_a_proxy_that_does_not_do_its_work_is_told(
    monkeypatch: pytest.MonkeyPatch, answer: bytes
) -> None:
    """Where a proxy refuses, or is none, one line names the settings, without its password."""

    async def ask() -> None:
        async with asyncio.timeout(10), await answering(answer) as other:
            monkeypatch.setenv("HTTPS_PROXY", f"http://user:hunter2@{address_of(other)}")
            await app_server.serve("ws://192.0.2.1:4511/ws", VeniceTools([]), [])

    with pytest.raises(app_server.ServeError, match="The proxy or certificate settings") as told:
        asyncio.run(ask())
    assert "hunter2" not in str(told.value)


def test_waits_for_the_server_behind_a_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a proxy says that nobody answers yet, it is tried again, as without a proxy."""
    told: list[str] = []
    url = "ws://192.0.2.1:4511/ws"

    async def wait() -> None:
        answer = b"HTTP/1.1 502 Bad Gateway\r\n\r\n"
        async with asyncio.timeout(2), await answering(answer) as other:
            monkeypatch.setenv("HTTPS_PROXY", f"http://{address_of(other)}")
            await app_server.serve(url, VeniceTools([]), [], tell=told.append)

    with pytest.raises(TimeoutError):
        asyncio.run(wait())
    assert f"There is no App Server at {url} yet. It is tried again." == told[0]


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_this_machine_is_reached_without_a_proxy(
    monkeypatch: pytest.MonkeyPatch, host: str
) -> None:
    """An App Server on this machine is spoken with, whatever proxy is set for the rest of the world."""
    for name in ("HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    monkeypatch.setenv("NO_PROXY", "")
    greetings: list[str | bytes] = []

    async def listen(connection: ServerConnection) -> None:
        greetings.append(await connection.recv())
        await connection.send("hello")

    async def offer() -> None:
        async with asyncio.timeout(10), serve(listen, "127.0.0.1", 0) as other:
            port = other.sockets[0].getsockname()[1]
            await app_server.serve(f"ws://{host}:{port}/ws", VeniceTools([]), ["agent-1"])

    with pytest.raises(app_server.ServeError, match="no App Server of Letta's"):
        asyncio.run(offer())
    assert 1 == len(greetings)


@pytest.mark.parametrize(
    "proxy",
    [
        "http://user:hunter2/x@proxy.corp:8080",
        "http://user:hunter2@proxy.corp:99999",
        "http://user:hunter2@proxy.corp:8080:hunter2",
        "http://user:hunter2@proxy..corp:80",
        "foo://x",
        "socks5h://127.0.0.1:9",
    ],
)
def test_a_proxy_that_is_none_is_told(monkeypatch: pytest.MonkeyPatch, proxy: str) -> None:
    """Where the environment's proxy can't be used, one line says so, without its password."""
    monkeypatch.setenv("HTTPS_PROXY", proxy)
    words = ["serve-tools", "--url", "ws://192.0.2.1:4511/ws", "--agent", "agent-1"]
    done = CliRunner().invoke(main, words)

    assert (1, 1) == (done.exit_code, len(done.stderr.splitlines())), done.output
    assert "Error: The proxy or certificate settings of this environment" in done.stderr
    assert "hunter2" not in done.output


def test_waits_for_the_server() -> None:
    """Where nobody answers yet it says so, and tries again."""
    told: list[str] = []

    async def wait() -> None:
        async with asyncio.timeout(5):
            await app_server.serve("ws://127.0.0.1:9/ws", VeniceTools([]), [], tell=told.append)

    with pytest.raises(TimeoutError):
        asyncio.run(wait())
    assert "There is no App Server at ws://127.0.0.1:9/ws yet. It is tried again." == told[0]


# --- a connection that is lost ---


def question(name: str) -> str:
    """The App Server's request for a call."""
    request = {"type": "external_tool_call_request", "request_id": "r", "tool_name": name}
    return json.dumps({**request, "input": {}})


async def offer_until(
    is_over: Callable[[list[str]], bool],
    tools: VeniceTools,
    behave: Callable[[ServerConnection], Awaitable[None]],
) -> list[str]:
    """Offer the tools to an App Server that behaves so; what was told by when it is over."""
    told: list[str] = []

    async def behave_for_a_while(connection: ServerConnection) -> None:
        async with asyncio.timeout(10):
            await behave(connection)

    async with asyncio.timeout(20), serve(behave_for_a_while, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        offer = app_server.serve(f"ws://127.0.0.1:{port}/ws", tools, ["agent-1"], tell=told.append)
        offering = asyncio.create_task(offer)
        while not is_over(told):  # noqa: ASYNC110  # a line, or a question, may end it
            await asyncio.sleep(0.01)
        offering.cancel()
        await asyncio.wait([offering])
    return told


def test_a_question_ends_with_its_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where nobody waits for a call any more, it can't be approved any more; the next one is asked about."""
    monkeypatch.setattr(app_server, "run_tool", lambda *_, **__: pytest.fail("it was bought"))
    late_yes, questions = asyncio.Event(), asyncio.Semaphore(0)
    connections: list[ServerConnection] = []

    async def think(_record: Record, _arguments: Mapping[str, Any]) -> bool:
        questions.release()
        return await late_yes.wait()

    async def ask_and_go(connection: ServerConnection) -> None:
        connections.append(connection)
        await connection.recv()
        await connection.send(question("venice_queue_video"))
        await questions.acquire()
        if len(connections) == 2:
            late_yes.set()

    tools = VeniceTools([read_record("venice_queue_video")], think)
    told = asyncio.run(offer_until(lambda _: late_yes.is_set(), tools, ask_and_go))

    ended = "venice_queue_video: nobody waits for it any more, and nothing was bought."
    assert ended in told


def test_a_question_ends_before_the_app_server_gives_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """A yes that comes when the App Server has given the call up would buy what no agent hears of."""
    monkeypatch.setattr(app_server, "run_tool", lambda *_, **__: pytest.fail("it was bought"))
    monkeypatch.setattr(app_server, "_seconds_to_agree", lambda _: 0.05)

    async def agree_late(_record: Record, _arguments: Mapping[str, Any]) -> bool:
        await asyncio.sleep(5)
        return True

    tools = VeniceTools([read_record("venice_queue_video")], agree_late)
    result = call(tools, "venice_queue_video", prompt="a fox", duration="5s")

    told = "Error: Nobody approved venice_queue_video in time. Nothing was bought; ask them first."
    assert told == result["content"][0]["text"]


@pytest.mark.parametrize(("setting", "seconds"), [("", 240), ("110", 180), ("290", 30)])
def test_a_person_may_think_while_the_app_server_waits(
    setting: str, seconds: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A question leaves the call its own time within the App Server's 300 seconds, and is there for half a minute."""
    monkeypatch.setenv("VENICE_TOOL_SECONDS", setting)

    assert seconds == app_server._seconds_to_agree({})


def test_an_answer_that_nobody_takes_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the connection is lost while a tool runs, the person reads the reply: it may be a job that was paid."""
    is_running, is_lost = threading.Event(), threading.Event()
    reply = '{"job": "venice-video|a|b", "cost_usd": 0.5}'

    def queue(*_: object, **__: object) -> Outcome:
        is_running.set()
        is_lost.wait(10)
        return Outcome(reply)

    monkeypatch.setattr(app_server, "run_tool", queue)

    async def ask_and_go(connection: ServerConnection) -> None:
        await connection.recv()
        if not is_running.is_set():
            await connection.send(question("venice_queue_video"))
            await asyncio.to_thread(is_running.wait, 10)
            await connection.close()
            is_lost.set()
        await connection.wait_closed()

    told = asyncio.run(
        offer_until(
            lambda told: any(line.startswith("venice_queue_video") for line in told),
            VeniceTools([read_record("venice_queue_video")], agree),
            ask_and_go,
        )
    )
    lost = "venice_queue_video: the connection was lost before the answer, which is: "
    assert f"{lost}{reply}" in told


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("venice_ask_web", ["venice_ask_web: was interrupted; it may be charged. Look at"]),
        ("venice_list_models", []),
    ],
)
def test_a_paid_call_that_is_interrupted_is_told(
    name: str, told: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who ends the command while a tool runs reads what may be charged, unless the tool is free."""
    is_running, is_over = threading.Event(), threading.Event()

    def run_on(*_: object, **__: object) -> Outcome:
        is_running.set()
        is_over.wait(10)
        return Outcome("{}")

    monkeypatch.setattr(app_server, "run_tool", run_on)
    said: list[str] = []

    async def ask(connection: ServerConnection) -> None:
        await connection.recv()
        await connection.send(question(name))
        await connection.wait_closed()

    async def interrupt() -> None:
        # As at Ctrl-C, whatever still runs is cancelled at the end.
        tools = VeniceTools([read_record(name)])
        async with asyncio.timeout(20), serve(ask, "127.0.0.1", 0) as server:
            port = server.sockets[0].getsockname()[1]
            offer = app_server.serve(f"ws://127.0.0.1:{port}/ws", tools, ["a"], tell=said.append)
            offering = asyncio.create_task(offer)
            await asyncio.to_thread(is_running.wait, 10)
            offering.cancel()
        asyncio.get_running_loop().call_later(0, is_over.set)

    asyncio.run(interrupt())
    lines = [line for line in said if line.startswith(name)]
    assert len(told) == len(lines), said
    assert all(map(str.startswith, lines, told))
