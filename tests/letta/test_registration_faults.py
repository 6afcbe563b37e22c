"""Registering on a server that drops, stalls or fails half-way: a small fake of Letta's calls, over real sockets."""

import json
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from click.testing import CliRunner, Result

from sanctum_venice_tools.cli.register import register_tools
from sanctum_venice_tools.letta import bootstrap, connection
from sanctum_venice_tools.letta.agents import AgentChange
from sanctum_venice_tools.letta.pruning import Removal
from sanctum_venice_tools.letta.registration import (
    AT_ONCE,
    NOT_TRIED,
    Change,
    apply,
    compare,
    plan,
    sandbox_of,
)
from sanctum_venice_tools.letta.sandbox import SandboxChange
from sanctum_venice_tools.letta.stored import read_tools
from sanctum_venice_tools.packing.record import Record

STALL_SECONDS = 1.0


@dataclass
class FakeLetta:
    """Keeps tools as Letta does, and does something else where it is told to."""

    fault: Callable[[str, str], str | None] = lambda _method, _name: None
    """Given a method and a tool's name: "drop", "drop the answer", "stall", "500", "html", "401" or None."""
    tools: dict[str, dict[str, Any]] = field(default_factory=dict)
    writes: list[str] = field(default_factory=list)
    at_once: int = 0
    most_at_once: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)
    address: str = ""

    def store(self, record: dict[str, Any]) -> dict[str, Any]:
        """Create or overwrite a tool."""
        name = record["json_schema"]["name"]
        with self.lock:
            known = self.tools.get(name, {"id": f"tool-{uuid.uuid4()}"})
            self.tools[name] = {**record, "name": name, "id": known["id"]}
            return self.tools[name]


class Handler(BaseHTTPRequestHandler):
    """Answers the requests to a fake server, a subclass for each."""

    fake: FakeLetta

    def do_GET(self) -> None:
        """List the tools."""
        if not self.fail("GET", ""):
            self.answer(200, json.dumps(list(self.fake.tools.values())))

    def do_PUT(self) -> None:
        """Create or overwrite a tool."""
        record = json.loads(self.rfile.read(int(self.headers["content-length"])))
        name = record["json_schema"]["name"]
        with self.fake.lock:
            self.fake.writes.append(name)
            self.fake.at_once += 1
            self.fake.most_at_once = max(self.fake.most_at_once, self.fake.at_once)
        time.sleep(0.01)
        with self.fake.lock:
            self.fake.at_once -= 1  # before the answer: who has it may send the next
        if not self.fail("PUT", name):
            self.answer(200, json.dumps(self.fake.store(record)))
        elif self.fake.fault("PUT", name) == "drop the answer":
            self.fake.store(record)

    def fail(self, method: str, name: str) -> bool:
        """Do what the fault says, if there is one."""
        fault = self.fake.fault(method, name)
        if fault == "stall":
            time.sleep(STALL_SECONDS)
        elif fault == "html":
            self.answer(200, "<html>Welcome to our proxy</html>", "text/html")
        elif fault and fault.isdigit():
            self.answer(
                int(fault), json.dumps({"detail": "out of order", "input": {"key": "very-secret"}})
            )
        return fault is not None

    def answer(self, status: int, body: str, kind: str = "application/json") -> None:
        """Send a whole answer."""
        self.send_response(status)
        self.send_header("content-type", kind)
        self.send_header("content-length", str(len(body.encode())))
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def fake() -> Iterator[FakeLetta]:
    """A fake server that is running."""
    letta = FakeLetta()
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("FakeHandler", (Handler,), {"fake": letta}))
    server.daemon_threads = True
    letta.address = f"http://127.0.0.1:{server.server_address[1]}"
    threading.Thread(
        target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True
    ).start()
    yield letta
    server.shutdown()
    server.server_close()


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wait for nothing as long as for a real server."""
    monkeypatch.setattr(connection, "_SECONDS", STALL_SECONDS / 4)
    monkeypatch.setattr("letta_client._base_client.INITIAL_RETRY_DELAY", 0.01)
    monkeypatch.setattr("letta_client._base_client.MAX_RETRY_DELAY", 0.02)


def records(count: int = 20) -> list[Record]:
    """As many tools."""

    def record(name: str) -> Record:
        schema = {
            "name": name,
            "description": "Do it.",
            "parameters": {"type": "object", "properties": {}},
        }
        source = f"# {name}: a Letta tool. Made from sanctum_venice_tools/tools/{name}.py\n"
        return Record(name, "core", "free", source, schema)

    return [record(f"venice_tool_{number:02}") for number in range(count)]


def run(fake: FakeLetta) -> dict[str, Change]:
    """Register twenty tools, and give what became of each."""
    with connection.connect(fake.address) as letta:
        changes = apply(letta, plan(letta, records(), "local"), "local")
    return {change.record.name: change for change in changes}


def failed(changes: dict[str, Change]) -> list[str]:
    """The tools that could not be registered."""
    return [name for name, change in changes.items() if change.problem]


def test_is_gentle(fake: FakeLetta) -> None:
    """Each tool is written once, and no more than four at a time."""
    changes = run(fake)

    assert [] == failed(changes)
    assert sorted(changes) == sorted(fake.writes)
    assert 1 < fake.most_at_once <= AT_ONCE


def test_writes_nothing_when_nothing_differs(fake: FakeLetta) -> None:
    """The second run writes nothing."""
    run(fake)
    fake.writes.clear()

    changes = run(fake)

    assert {"unchanged"} == {change.action for change in changes.values()}
    assert [] == fake.writes


@pytest.mark.parametrize("fault", ["drop", "500", "stall"])
def test_survives_a_fault_that_passes(fake: FakeLetta, fault: str) -> None:
    """What fails once is tried again within the same run."""
    fake.fault = lambda method, name: (
        fault
        if method == "PUT" and name == "venice_tool_07" and fake.writes.count(name) == 1
        else None
    )

    assert [] == failed(run(fake))


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ("500", "the server answered 500: out of order"),
        ("drop", "the server dropped the connection, or is not Letta"),
        ("stall", "the server did not answer in time"),
    ],
    ids=["500", "drop", "stall"],
)
def test_one_that_fails_does_not_hold_up_the_others(
    fake: FakeLetta, fault: str, words: str
) -> None:
    """A tool that the server can't take has a line of its own; a second run writes that tool alone."""
    fake.fault = lambda method, name: (
        fault if method == "PUT" and name == "venice_tool_07" else None
    )
    first = run(fake)
    fake.fault = lambda _method, _name: None
    fake.writes.clear()

    second = run(fake)

    assert ["venice_tool_07"] == failed(first)
    assert words == first["venice_tool_07"].problem
    assert [] == failed(second)
    assert ["venice_tool_07"] == fake.writes


@pytest.mark.slow
@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ("drop", "the server dropped the connection, or is not Letta"),
        ("stall", "the server did not answer in time"),
    ],
    ids=["drop", "stall"],
)
def test_a_server_that_goes_away_is_left_alone(fake: FakeLetta, fault: str, words: str) -> None:
    """After a server is gone half-way no more is tried; a second run writes what is missing, and no more."""
    fake.fault = lambda method, _name: fault if method == "PUT" and len(fake.tools) >= 8 else None
    first = run(fake)
    written = set(fake.tools)
    fake.fault = lambda _method, _name: None
    fake.writes.clear()

    second = run(fake)

    problems = {change.problem for change in first.values() if change.problem}
    assert {words, "not tried, for the server was gone"} == problems
    assert written == set(first) - set(failed(first))
    assert [] == failed(second)
    assert set(first) - written == set(fake.writes)


@pytest.mark.parametrize("count", [AT_ONCE - 1, AT_ONCE])
def test_a_server_is_gone_once_all_that_is_under_way_is_lost(fake: FakeLetta, count: int) -> None:
    """Where fewer requests are lost than are sent at once, these tools may be the reason: the others are tried."""
    lost = {record.name for record in records(count)}
    fake.fault = lambda method, name: "drop" if method == "PUT" and name in lost else None

    changes = run(fake)

    not_tried = [change for change in changes.values() if change.problem == NOT_TRIED]
    assert (count == AT_ONCE) == bool(not_tried)
    assert lost <= set(failed(changes))


def test_the_rest_is_not_tried_on_a_server_that_is_gone(fake: FakeLetta) -> None:
    """Agents, removals and the sandbox are left for the next run, and said to be."""
    fake.fault = lambda method, _name: "drop" if method == "PUT" else None
    with connection.connect(fake.address) as letta:
        planned = bootstrap.Plan(
            plan(letta, records(), "local"),
            [Removal("venice_old", "tool-1", ())],
            [AgentChange("agent-1", "scout", attach=("venice_tool_01",))],
            SandboxChange("speed up", {}),
        )

        ended = bootstrap.carry_out(letta, bootstrap.Order(records()), planned)

    assert {NOT_TRIED} == {
        why for what, why in ended.problems if what in {"venice_old", "agent scout", "sandbox"}
    }
    assert 23 == len(ended.problems)


def test_a_lost_answer_is_no_failure(fake: FakeLetta) -> None:
    """A tool that was stored, though no answer of the server arrived, is found there when it is read back."""
    fake.fault = lambda method, name: (
        "drop the answer" if method == "PUT" and name == "venice_tool_07" else None
    )

    changes = run(fake)

    assert [] == failed(changes)
    assert fake.tools["venice_tool_07"]["id"] == changes["venice_tool_07"].tool_id


def test_says_when_it_could_not_read_back(fake: FakeLetta) -> None:
    """Tools that were written but could not be read back are not called registered."""
    fake.fault = lambda method, _name: "500" if method == "GET" and fake.writes else None

    problems = {change.problem for change in run(fake).values()}

    assert {
        "written, but reading it back failed: the server answered 500: out of order"
    } == problems


def test_says_what_was_stored_otherwise(fake: FakeLetta, monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that takes a tool and keeps another one has not registered it."""
    store = fake.store
    monkeypatch.setattr(fake, "store", lambda sent: store(sent | {"return_char_limit": 7}))

    problems = {change.problem for change in run(fake).values()}

    assert {"the server stored another return_char_limit"} == problems


def test_what_is_somebody_elses_is_left_alone_unless_it_is_to_be_adopted(fake: FakeLetta) -> None:
    """A tool with one of our names that is not of this pack is not written, and why is said."""
    fake.tools["venice_tool_03"] = {
        "id": "tool-3",
        "name": "venice_tool_03",
        "source_code": "def venice_tool_03(): ...",
    }
    changes = run(fake)
    with connection.connect(fake.address) as letta:
        adopting = compare(read_tools(letta), records(), "local", adopt=True)

    assert ["venice_tool_03"] == failed(changes)
    assert "foreign" == changes["venice_tool_03"].action
    assert "venice_tool_03" not in fake.writes
    assert {"venice_tool_03": "adopt"} == {
        change.record.name: change.action for change in adopting if change.writes
    }


@pytest.mark.parametrize(
    ("address", "sandbox"),
    [
        ("https://api.letta.com", "cloud"),
        ("https://letta.com:443/v1", "cloud"),
        ("http://localhost:8283", "local"),
        ("https://notletta.com", "local"),
        ("https://letta.com.example.org", "local"),
        ("https://example.org/api.letta.com", "local"),
    ],
)
def test_only_letta_cloud_installs_packages(address: str, sandbox: str) -> None:
    """The host tells where tools run: on Letta Cloud alone each names its packages."""
    assert sandbox == sandbox_of(address)


def register(fake: FakeLetta, *arguments: str) -> Result:
    """Run the command against the fake server."""
    return CliRunner(env={"LETTA_API_KEY": "very-secret-key"}).invoke(
        register_tools, [*arguments, "--base-url", fake.address]
    )


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ("drop", "Error: there is no Letta server at http://127.0.0.1"),
        ("stall", "does not answer."),
        ("500", "can't be used: the server answered 500: out of order."),
        ("html", "Error: there is no Letta server at http://127.0.0.1"),
        ("401", "Check LETTA_API_KEY."),
    ],
)
def test_a_server_that_can_t_be_read_ends_the_command(
    fake: FakeLetta, fault: str, words: str
) -> None:
    """A server that is no use ends the command with 4 and one line that names it, and no secret."""
    fake.fault = lambda _method, _name: fault

    result = register(fake)

    (line,) = [line for line in result.stderr.splitlines() if not line.startswith("Reading")]
    assert 4 == result.exit_code
    assert words in line
    assert fake.address in line
    assert "very-secret" not in result.output


def test_tools_that_fail_end_the_command_with_3(fake: FakeLetta) -> None:
    """Each tool that failed has a line on standard error, without what was sent; the others are written."""
    fake.fault = lambda method, name: (
        "422" if method == "PUT" and name == "venice_ask_web" else None
    )

    result = register(fake, "venice_ask_web", "venice_generate_image")

    assert 3 == result.exit_code
    assert "Error: venice_ask_web: the server answered 422: out of order\n" == result.stderr
    assert "1 tool written" in result.stdout
    assert "very-secret" not in result.output
