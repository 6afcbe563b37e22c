"""The bootstrap against a server that answers as no Letta server does: one line, and exit status 4."""

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import pytest
from click.testing import CliRunner, Result
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sanctum_venice_tools.cli.register import register_tools
from sanctum_venice_tools.letta import connection, reading
from sanctum_venice_tools.letta.stored import wanted_fields
from sanctum_venice_tools.packing.record import read_record

Answer = Callable[[str], bytes]
"""All that goes over the connection, by the first line of the request."""

TOOL = {
    "id": "tool-1",
    "name": "venice_search_web",
    "source_code": "",
    "tags": [],
    "json_schema": {},
}
KEY = "letta-key-0123456789"
AGENT = {"id": "agent-1", "name": "Scout", "tools": [], "tool_rules": [], "secrets": []}


class Server:
    """Answers each connection once, with whatever bytes it is told."""

    def __init__(self) -> None:
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.address = f"http://127.0.0.1:{self.listener.getsockname()[1]}"
        self.answer: Answer = lambda _: b""
        self.drip: float = 0
        self.requests: list[str] = []
        self.serving = threading.Thread(target=self._serve, daemon=True)
        self.serving.start()

    def close(self) -> None:
        """Take no more connections.

        Waiting for the thread keeps it from the next server's, whose listener may have the same number.
        """
        self.listener.shutdown(socket.SHUT_RDWR)  # which ends the waiting for a connection
        self.serving.join()
        self.listener.close()

    def _serve(self) -> None:
        with suppress(OSError):
            while True:
                connected, _ = self.listener.accept()
                threading.Thread(target=self._reply, args=(connected,), daemon=True).start()

    def _reply(self, connected: socket.socket) -> None:
        with suppress(OSError), connected:
            asked = connected.recv(65_536).decode(errors="replace").partition("\r\n")[0]
            self.requests.append(asked)
            content = self.answer(asked)
            if not self.drip:
                connected.sendall(content)
                return
            for byte in content:
                connected.sendall(bytes([byte]))
                time.sleep(self.drip)


def reply(body: Any, status: str = "200 OK") -> bytes:
    """A whole answer in JSON."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    head = f"HTTP/1.1 {status}\r\ncontent-type: application/json\r\n"
    length = f"content-length: {len(content)}\r\n"
    return f"{head}{length}connection: close\r\n\r\n".encode() + content


@pytest.fixture
def server() -> Iterator[Server]:
    """A server to be told how to answer."""
    running = Server()
    yield running
    running.close()


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wait for nothing as long as for a real server."""
    monkeypatch.setattr(connection, "_SECONDS", 0.5)
    monkeypatch.setattr("letta_client._base_client.INITIAL_RETRY_DELAY", 0.01)
    monkeypatch.setattr("letta_client._base_client.MAX_RETRY_DELAY", 0.02)


def register(server: Server, *arguments: str) -> Result:
    """Run the command."""
    return CliRunner().invoke(
        register_tools, ["venice_search_web", *arguments, "--base-url", server.address]
    )


def assert_refused(done: Result, said: str = "") -> None:
    """It ended with 4, and with one line on standard error, after those that count the seconds."""
    lines = [line for line in done.stderr.splitlines() if not line.startswith("Reading ")]
    assert (4, 1) == (done.exit_code, len(lines)), (done.output, done.exception)
    assert said in lines[0]


# --- refusals ---


@pytest.mark.parametrize("of", ["reading", "writing"])
def test_a_refusal_that_repeats_the_key_does_not_show_it(
    server: Server, monkeypatch: pytest.MonkeyPatch, of: str
) -> None:
    """What a server says is shown without LETTA_API_KEY, also where it would be cut within it."""
    monkeypatch.setenv("LETTA_API_KEY", KEY)
    error = f"bad header Bearer {KEY} {'x' * 150} {KEY}"
    refused = reply({"error": error}, "400 Bad Request")
    server.answer = lambda asked: (
        reply([]) if of == "writing" and asked.startswith("GET") else refused
    )
    done = register(server)

    assert "400: bad header Bearer [LETTA_API_KEY] xxx" in done.output
    assert KEY[:8] not in done.output


# --- forms ---


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ([None], "list of tools is none of Letta's: 0: Input should be"),
        ([1], "list of tools is none of Letta's: 0: Input should be"),
        (None, "list of tools is none of Letta's: it is no JSON"),
        ("x", "list of tools is none of Letta's: Input should be a valid list"),
        ({}, "list of tools is none of Letta's: Input should be a valid list"),
        (b"[", "list of tools is none of Letta's: it is no JSON"),
        (b"", "list of tools is none of Letta's: it is no JSON"),
        ([TOOL | {"id": 5}], "0.id: Input should be a valid string"),
        ([TOOL | {"id": ".."}], "0.id: String should match pattern"),
        ([TOOL | {"id": "a/b"}], "0.id: String should match pattern"),
        ([TOOL | {"id": None}], "0.id: Input should be a valid string"),
        ([TOOL | {"name": 5}], "0.name: Input should be a valid string"),
        ([TOOL | {"tags": "venice"}], "0.tags: Input should be a valid list"),
        ([TOOL | {"tags": [None]}], "0.tags.0: Input should be a valid string"),
        (
            [TOOL | {"pip_requirements": [{"name": 5}]}],
            "0.pip_requirements.0.name: Input should be",
        ),
        ([TOOL | {"source_code": {}}], "0.source_code: Input should be a valid string"),
    ],
    ids=repr,
)
def test_a_list_of_tools_of_another_form_is_refused(server: Server, body: Any, said: str) -> None:
    """What is wrong is named by its place, and nothing is written."""
    server.answer = lambda _: reply(body)

    assert_refused(register(server), said)
    assert all(asked.startswith("GET") for asked in server.requests)


@pytest.mark.parametrize(
    ("agent", "said"),
    [
        (None, "list of agents is none of Letta's: 0"),
        (AGENT | {"id": "../tools"}, "0.id: String should match pattern"),
        (AGENT | {"name": None}, "0.name: Input should be a valid string"),
        (AGENT | {"tools": [None]}, "0.tools.0: Input should be"),
        (AGENT | {"tools": [TOOL | {"id": ".."}]}, "0.tools.0.id: String should match pattern"),
        (
            AGENT | {"tool_rules": [{"type": 5, "tool_name": "x"}]},
            "0.tool_rules.0.type: Input should be",
        ),
        (
            AGENT | {"tool_rules": [{"type": "x", "tool_name": "x", "children": [[]]}]},
            "0.tool_rules.0.children.0: Input should be",
        ),
        (AGENT | {"secrets": [{"key": 1}]}, "0.secrets.0.key: Input should be a valid string"),
    ],
)
def test_an_agent_of_another_form_is_refused(server: Server, agent: Any, said: str) -> None:
    """So is what the server says of agents."""
    server.answer = lambda asked: reply([agent] if "/agents" in asked else [])

    assert_refused(register(server, "--agent", "Scout"), said)


@pytest.mark.parametrize(
    "config", [None, 1, {}, {"id": "..", "config": {}}, {"id": "x", "config": {"sandbox_dir": 1}}]
)
def test_a_sandbox_of_another_form_is_refused(server: Server, config: Any) -> None:
    """And of its sandbox."""
    server.answer = lambda asked: reply([config] if "sandbox" in asked else [])

    assert_refused(register(server, "--fast-sandbox"), "list of sandboxes is none of Letta's: 0")


OURS = {"id": "tool-1", "name": "venice_search_web"}
SANDBOX = {"id": "sandbox-1", "config": {"sandbox_dir": "/somewhere"}}


@pytest.mark.parametrize("body", [b"", b'{"id": "ag'], ids=["empty", "cut"])
@pytest.mark.parametrize(
    ("options", "part"),
    [
        (["--agent", "Scout"], "agents"),
        (["--prune", "--yes"], "removed"),
        (["--fast-sandbox"], "sandbox"),
    ],
)
def test_a_write_that_is_answered_by_no_json(
    server: Server, options: list[str], part: str, body: bytes
) -> None:
    """It is told as a failure of that part alone, and the report of all that was done is whole."""
    ours = OURS | wanted_fields(read_record("venice_search_web"), None, "local")
    read = {
        "/v1/tools/": [ours, ours | {"id": "tool-2", "name": "venice_gone"}],
        "/v1/agents/": [AGENT],
        "/v1/agents/agent-1": AGENT,
        "/v1/agents/agent-1/tools": [],
        "/v1/sandbox-config/": [SANDBOX],
    }

    def answer(asked: str) -> bytes:
        method, target, _ = asked.split()
        return reply(read[target.partition("?")[0]] if method == "GET" else body)

    server.answer = answer
    done = register(server, *options, "--json")

    assert 3 == done.exit_code, (done.output, done.exception)
    report = json.loads(done.stdout)
    of_part = report[part] if part == "sandbox" else report[part][0]
    assert "its answer is none of Letta's: it is no JSON of the right form" == of_part["problem"]
    assert ["unchanged"] == [tool["action"] for tool in report["tools"]]


def test_a_name_that_steers_the_terminal_is_written_out(server: Server) -> None:
    """What a bad server says is quoted on one line."""
    server.answer = lambda _: (
        b"HTTP/1.1 500 X\r\ncontent-type: application/json\r\ncontent-length: 32\r\n\r\n"
        + (json.dumps({"detail": "a\x1b[2J\nb"}).ljust(32).encode())
    )

    assert_refused(register(server))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from([*TOOL, *AGENT]), inner, max_size=6)
    ),
    max_leaves=12,
)


@given(tools=st.lists(JSON, max_size=2) | JSON, agents=st.lists(JSON, max_size=2) | JSON)
@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_any_json_ends_in_one_line(server: Server, tools: Any, agents: Any) -> None:
    """Whatever JSON comes, the command ends by itself, without a traceback."""
    server.answer = lambda asked: reply(agents if "/agents" in asked else tools)
    done = register(server, "--agent", "Scout", "--dry-run")

    assert isinstance(done.exception, SystemExit | None), done.exception
    assert done.exit_code in {0, 2, 3, 4}


# --- lists without an end ---


def page(number: int, of: dict[str, Any]) -> list[dict[str, Any]]:
    """A full page of a list."""
    first = number * reading.PAGE
    return [
        of | {"id": f"x-{place}", "name": f"x-{place}"}
        for place in range(first, first + reading.PAGE)
    ]


@pytest.mark.parametrize(("path", "of"), [("/tools", TOOL), ("/agents", AGENT)])
def test_pages_that_repeat_are_refused(server: Server, path: str, of: dict[str, Any]) -> None:
    """A server that gives the same full page again and again is asked twice."""
    server.answer = lambda asked: reply(page(0, of) if path in asked else [])
    asked = register(server, "--agent-tag", "any")

    assert_refused(asked, "repeats itself and has no end")
    assert 2 == sum(path in line for line in server.requests)


def test_pages_without_end_are_refused(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """Pages that are always full, and always new, come to an end too."""
    monkeypatch.setattr(reading, "_MOST_PAGES", 7)
    server.answer = lambda _: reply(page(len(server.requests), TOOL))

    assert_refused(register(server), "repeats itself and has no end")
    assert 7 == len(server.requests)


# --- time ---


@pytest.mark.slow
@pytest.mark.parametrize(
    "content",
    [
        reply([]),
        b"HTTP/1.1 200 OK\r\n" + b"x-a: 1\r\n" * 10_000,
        b"HTTP/1.1 200 OK\r\ncontent-length: 9000\r\ncontent-type: application/json\r\n\r\n"
        + b" " * 9000,
        b"HTTP/1.1 103 Early Hints\r\n\r\n" * 10_000,
    ],
    ids=["status line", "headers", "body", "hints"],
)
def test_an_answer_that_drips_ends_in_time(server: Server, content: bytes) -> None:
    """Half a second is the time of a request here; three tries end in two seconds, however the answer drips."""
    server.answer = lambda _: content
    server.drip = 0.02
    start = time.monotonic()

    assert_refused(register(server), "does not answer")
    assert time.monotonic() - start < 4
    assert 3 == len(server.requests)
