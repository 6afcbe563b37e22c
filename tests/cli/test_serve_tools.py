"""The command `serve-tools`: who is asked before a costly call. tests/server/ has it at work."""

import asyncio
import io
import json
import os
import pty
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import pytest
from websockets.asyncio.server import ServerConnection, serve

from sanctum_venice_tools.cli import serve_tools as command
from sanctum_venice_tools.packing.record import read_record


@dataclass
class Terminal:
    """A terminal: what a person types there, and the side that a program reads."""

    person: int
    program: int

    def type(self, keys: str) -> None:
        """Type something."""
        os.write(self.person, keys.encode())


@pytest.fixture
def terminal() -> Iterator[Terminal]:
    """A terminal at which a person sits."""
    terminal = Terminal(*pty.openpty())
    yield terminal
    os.close(terminal.person)
    os.close(terminal.program)


async def answered(terminal: Terminal, typed: str) -> bool:
    """What becomes of a question that a person answers so."""
    record = read_record("venice_queue_video")
    question = asyncio.create_task(command._ask(record, {"prompt": "a \u202efox\n"}))
    await asyncio.sleep(0)
    terminal.type(typed)
    async with asyncio.timeout(10):
        return await question


@pytest.mark.parametrize(
    ("typed", "is_agreed"),
    [("y\n", True), ("Yes\n", True), ("n\n", False), ("\n", False), ("perhaps\n", False), ("\x04", False)],
)  # fmt: skip
def test_a_person_at_the_terminal_decides(
    typed: str,
    is_agreed: bool,
    terminal: Terminal,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The question has the tool and its arguments, and nothing in them steers the terminal; only "yes" agrees."""
    with open(terminal.program, closefd=False, encoding="utf-8") as read:
        monkeypatch.setattr("sys.stdin", read)
        assert is_agreed == asyncio.run(answered(terminal, typed))

    question = 'venice_queue_video {"prompt": "a \\u202efox\\n"}: go on? [y/N]: '
    assert question == capsys.readouterr().err


def test_what_was_typed_before_is_no_answer(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A yes that stood there before the question, to another one say, agrees to nothing."""
    terminal.type("y\ny\ny")
    with open(terminal.program, closefd=False, encoding="utf-8") as read:
        monkeypatch.setattr("sys.stdin", read)
        assert not asyncio.run(answered(terminal, "n\n"))


def test_without_a_terminal_nobody_agrees(monkeypatch: pytest.MonkeyPatch) -> None:
    """A service that nobody watches buys nothing."""
    monkeypatch.setattr("sys.stdin", io.StringIO("y\n"))

    assert not asyncio.run(command._ask(read_record("venice_queue_video"), {}))


ASKS_IN_THE_BACKGROUND = """
import fcntl, os, subprocess, sys, termios

fcntl.ioctl(0, termios.TIOCSCTTY, 0)
job = subprocess.Popen([sys.executable, "-c", sys.argv[1]], process_group=0)
_, status = os.waitpid(job.pid, os.WUNTRACED)
if os.WIFSTOPPED(status):
    job.kill()
    sys.exit("It was stopped.")
"""
"""What a shell does with `serve-tools ... &`."""

ASKS = """
import asyncio
from sanctum_venice_tools.cli import serve_tools
from sanctum_venice_tools.packing.record import read_record

print(asyncio.run(serve_tools._ask(read_record("venice_queue_video"), {})))
"""


@pytest.mark.slow
def test_in_the_background_nobody_agrees(terminal: Terminal) -> None:
    """A job in the background would be stopped by its own question, and with it all agents that wait."""
    done = subprocess.run(
        [sys.executable, "-c", ASKS_IN_THE_BACKGROUND, ASKS],
        stdin=terminal.program,
        capture_output=True,
        start_new_session=True,
        text=True,
        check=False,
        timeout=60,
    )

    assert ("False\n", "") == (done.stdout, done.stderr)


# --- at work ---


@dataclass
class Served:
    """The command at work: an App Server that has asked for a film, which a person is asked about."""

    process: asyncio.subprocess.Process
    answers: asyncio.Queue[dict[str, Any]]


@asynccontextmanager
async def asked(terminal: Terminal) -> AsyncIterator[Served]:
    """Run the command at a terminal, from when its question is there."""
    film = {"prompt": "a fox", "duration": "5s"}
    request = {
        "type": "external_tool_call_request",
        "request_id": "r",
        "tool_name": "venice_queue_video",
        "input": film,
    }
    answers = asyncio.Queue[dict[str, Any]]()

    async def ask(connection: ServerConnection) -> None:
        await connection.recv()
        await connection.send(json.dumps(request))
        async for text in connection:
            await answers.put(json.loads(text))

    async with asyncio.timeout(60), serve(ask, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        words = ["serve-tools", "venice_queue_video", "--agent", "agent-1"]
        process = await asyncio.create_subprocess_exec(
            *[sys.executable, "-m", "sanctum_venice_tools.cli", *words],
            *["--url", f"ws://127.0.0.1:{port}/ws"],
            stdin=terminal.program,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
        )
        try:
            assert process.stderr
            await process.stderr.readuntil(b"go on? [y/N]:")
            yield Served(process, answers)
        finally:
            if process.returncode is None:
                process.kill()
            await process.wait()


@pytest.mark.slow
def test_ctrl_c_ends_it_at_a_question(terminal: Terminal) -> None:
    """A person who is asked may end the command instead: it waits for no answer."""

    async def interrupt() -> int | None:
        async with asked(terminal) as served:
            served.process.send_signal(signal.SIGINT)
            async with asyncio.timeout(10):
                return await served.process.wait()

    assert 0 == asyncio.run(interrupt())


@pytest.mark.slow
def test_ctrl_d_is_no(terminal: Terminal) -> None:
    """A question that is left with Ctrl-D is answered to the App Server: nobody agreed."""

    async def leave() -> dict[str, Any]:
        async with asked(terminal) as served:
            terminal.type("\x04")
            async with asyncio.timeout(10):
                return await served.answers.get()

    answer = asyncio.run(leave())
    assert "r" == answer["request_id"]
    assert "A person did not approve venice_queue_video" in json.dumps(answer["result"])


@pytest.mark.slow
def test_a_reader_that_goes_away_ends_no_answers() -> None:
    """Where nobody reads what it tells any more, agents are still answered, and the lines go to its errors."""
    request = {"type": "external_tool_call_request", "tool_name": "venice_list_models"}
    answers: list[str] = []

    async def ask_twice(connection: ServerConnection) -> None:
        await connection.recv()
        for number in ("1", "2"):
            await connection.send(json.dumps({**request, "request_id": number}))
            answers.append(json.loads(await connection.recv())["request_id"])

    async def work() -> str:
        reader, output = os.pipe()
        os.close(reader)
        async with asyncio.timeout(60), serve(ask_twice, "127.0.0.1", 0) as server:
            port = server.sockets[0].getsockname()[1]
            words = ["serve-tools", "venice_list_models", "--agent", "agent-1"]
            process = await asyncio.create_subprocess_exec(
                *[sys.executable, "-m", "sanctum_venice_tools.cli", *words],
                *["--url", f"ws://127.0.0.1:{port}/ws"],
                stdin=asyncio.subprocess.DEVNULL,
                stdout=output,
                stderr=asyncio.subprocess.PIPE,
            )
            os.close(output)
            assert process.stderr
            told = [await process.stderr.readline() for _ in range(3)]
            process.kill()
            await process.wait()
        return b"".join(told).decode()

    told = asyncio.run(work())
    assert ["1", "2"] == answers[:2], told
    assert "Traceback" not in told
    assert "venice_list_models: refused" in told
