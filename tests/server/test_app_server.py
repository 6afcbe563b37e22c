"""The tools on the real App Server of Letta Code: offered by a connection of their own, called in others' turns."""

import asyncio
import json
import os
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from websockets.asyncio.client import connect as connect_socket

from sanctum_venice_tools.emulator.process import LocalVenice, running_venice
from sanctum_venice_tools.letta.letta_code.app_server import running_app_server
from tests.server.letta_code import OwnLettaCode, connect

pytestmark = pytest.mark.server

# What the agent's model does when it is told so.
TURNS: list[dict[str, Any]] = [
    {
        "when": "draw",
        "calls": [
            {
                "name": "venice_generate_image",
                "arguments": {"prompt": "a fox", "aspect_ratio": "64x64"},
            }
        ],
        "then": "Drawn: {venice_generate_image|nothing}",
    },
    {
        "when": "film",
        "calls": [
            {"name": "venice_queue_video", "arguments": {"prompt": "a fox", "duration": "5s"}}
        ],
        "then": "Queued: {venice_queue_video|nothing}",
    },
    {
        "when": "models",
        "calls": [{"name": "venice_list_models", "arguments": {}}],
        "then": "Listed: {venice_list_models.models.0.id|something}",
    },
    {
        "when": "nonsense",
        "calls": [{"name": "venice_speak", "arguments": {"text": "hi", "format": "xyz"}}],
        "then": "Spoken: {venice_speak|nothing}",
    },
]


@pytest.fixture(scope="module")
def venice(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalVenice]:
    """The local Venice as the model of the agents, and as what the tools call."""
    folder = tmp_path_factory.mktemp("venice")
    script = folder / "script.json"
    script.write_text(json.dumps(TURNS), encoding="utf-8")
    log = folder / "venice.jsonl"
    with running_venice(script=script, log=log, allow_faults=True, job_seconds=0) as venice:
        yield venice


@pytest.fixture(scope="module")
def code(tmp_path_factory: pytest.TempPathFactory, venice: LocalVenice) -> OwnLettaCode:
    """Letta Code with that model."""
    return connect(tmp_path_factory.mktemp("home"), venice)


@dataclass
class AppServer:
    """An App Server that can be stopped and started again at the same port."""

    code: OwnLettaCode
    port: int
    running: ExitStack = field(default_factory=ExitStack)

    @property
    def url(self) -> str:
        """Its socket."""
        return f"ws://127.0.0.1:{self.port}/ws"

    def start(self) -> None:
        """Start it, and wait until it is ready."""
        server = running_app_server(
            self.code.program(), self.code.home, self.code.home / "log.txt", port=self.port
        )
        self.running.enter_context(server)

    def stop(self) -> None:
        """Stop it."""
        self.running.close()


def wait_until(is_so: Callable[[], bool], seconds: float) -> None:
    """Wait for something that is to happen."""
    until = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < until, "it did not happen in time"
        time.sleep(0.1)


@pytest.fixture(scope="module")
def agents(code: OwnLettaCode) -> list[str]:
    """Three agents, made before the App Server starts: it reads them then."""
    return [code.make_agent(name) for name in ("First", "Second", "Third")]


@pytest.fixture(scope="module")
def agent(agents: list[str]) -> str:
    """An agent."""
    return agents[0]


@pytest.fixture(scope="module")
def server(code: OwnLettaCode, agents: list[str]) -> Iterator[AppServer]:
    """A real App Server."""
    assert agents
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    server = AppServer(code, port)
    server.start()
    yield server
    server.stop()


@contextmanager
def serving(
    server: AppServer, folder: Path, *words: str, agents: tuple[str, ...]
) -> Iterator[Path]:
    """Run `serve-tools` for a block, from when each agent has its tools; what it says is in the file."""
    said = folder / "said.txt"
    venice = server.code.venice
    options = [word for agent in agents for word in ("--agent", agent)]
    command = [sys.executable, "-m", "sanctum_venice_tools.cli", "serve-tools", *words]
    with said.open("w", encoding="utf-8") as output:
        process = subprocess.Popen(
            [*command, "--url", server.url, *options],
            env={
                **os.environ,
                "VENICE_API_KEY": venice.key,
                "VENICE_BASE_URL": venice.base_url,
                "PYTHONUNBUFFERED": "1",
            },
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
        try:
            wait_until(
                lambda: (
                    process.poll() is not None
                    or said.read_text().count(" tools in ") == len(agents)
                ),
                60,
            )
            assert process.poll() is None, said.read_text()
            yield said
        finally:
            process.terminate()
            process.wait(20)


def talk(url: str, agent: str, wish: str) -> str:
    """What an agent says to a wish, told by another connection, and in one turn."""
    return asyncio.run(_talk(url, agent, wish))


async def _talk(url: str, agent: str, wish: str) -> str:
    said = ""
    async with asyncio.timeout(45), connect_socket(url, max_size=None) as client:
        start = {
            "type": "runtime_start",
            "request_id": "start",
            "agent_id": agent,
            "conversation_id": "default",
            "mode": "unrestricted",
        }
        await client.send(json.dumps(start))
        async for text in client:
            message = json.loads(text)
            delta = message.get("delta") or {}
            if message["type"] == "runtime_start_response":
                assert message["success"], message
                payload = {
                    "kind": "create_message",
                    "messages": [
                        {"role": "user", "content": wish, "client_message_id": str(uuid.uuid4())}
                    ],
                }
                turn = {"type": "input", "runtime": message["runtime"], "payload": payload}
                await client.send(json.dumps(turn))
            elif delta.get("message_type") == "assistant_message":
                said += "".join(part.get("text", "") for part in delta["content"])
            elif message["type"] == "turn_finished":
                return said
    raise AssertionError("the connection ended before the turn")


def test_a_picture_is_drawn_in_anothers_turn(server: AppServer, agent: str, tmp_path: Path) -> None:
    """The agent has the tool whoever speaks with it, and the picture is in the media folder of serve-tools."""
    with serving(server, tmp_path, agents=(agent,)) as told:
        said = talk(server.url, agent, "draw a fox")

        (picture,) = (tmp_path / "media").glob("*.webp")
        assert str(picture) in said
        assert said.startswith("Drawn: ")
        assert "venice_generate_image: answered" in told.read_text()


def test_a_costly_call_waits_for_a_person(server: AppServer, agent: str, tmp_path: Path) -> None:
    """Without a terminal nobody agrees: the model reads so. With --yes Letta is the one that asks."""
    with serving(server, tmp_path, agents=(agent,)):
        refused = talk(server.url, agent, "a film please")
    with serving(server, tmp_path, "--yes", agents=(agent,)):
        bought = talk(server.url, agent, "a film please")

    assert "A person did not approve venice_queue_video" in refused
    assert '"job": "venice-video|' in bought


def test_an_error_is_a_text(server: AppServer, agent: str, tmp_path: Path) -> None:
    """What a tool refuses reaches the model in words that say what to do."""
    with serving(server, tmp_path, agents=(agent,)):
        said = talk(server.url, agent, "nonsense")

    assert "'format' must be one of" in said


def test_a_slow_call_ends_in_its_turn(
    server: AppServer, agent: str, tmp_path: Path, venice: LocalVenice
) -> None:
    """A call of more than ten seconds is not put into the background, where its answer could get lost."""
    with serving(server, tmp_path, agents=(agent,)):
        talk(server.url, agent, "hello")
        venice.order_fault(fault="slow-status", path="/models", seconds=0.9)
        begin = time.monotonic()
        said = talk(server.url, agent, "which models are there")

    assert said.startswith("Listed: ")
    assert time.monotonic() - begin > 10


def test_serves_several_agents(server: AppServer, agents: list[str], tmp_path: Path) -> None:
    """One process offers the tools to each agent that is named, and to no other."""
    with serving(server, tmp_path, agents=(agents[0], agents[1])):
        drawn = [talk(server.url, agent, "draw a fox") for agent in agents]

    assert [True, True, False] == [one.startswith("Drawn: ") for one in drawn]


def test_comes_back_when_the_server_does(server: AppServer, agent: str, tmp_path: Path) -> None:
    """A connection that is lost is made anew, and the agent has its tools again."""
    with serving(server, tmp_path, agents=(agent,)) as told:
        server.stop()
        wait_until(lambda: "The connection is lost" in told.read_text(), 30)
        server.start()
        wait_until(lambda: told.read_text().count(" tools in ") == 2, 60)
        said = talk(server.url, agent, "draw a fox")

    assert said.startswith("Drawn: ")


def test_an_unknown_agent_is_told(server: AppServer) -> None:
    """An agent that is not there ends the command with one line that names it."""
    done = subprocess.run(
        [sys.executable, "-m", "sanctum_venice_tools.cli", "serve-tools",
         "--url", server.url, "--agent", "agent-local-nobody"],
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip

    assert (1, 1) == (done.returncode, len(done.stderr.splitlines()))
    assert "The App Server does not start agent-local-nobody: " in done.stderr
