"""The command `serve-tools`: who is asked before a costly call. tests/server/ has it at work."""

import asyncio
import io
from typing import Any

import pytest

from sanctum_venice_tools.cli import serve_tools as command
from sanctum_venice_tools.packing.record import read_record


class Terminal(io.StringIO):
    """An input at which a person sits."""

    def isatty(self) -> bool:
        """Whether it is a terminal."""
        return True


@pytest.mark.parametrize("answer", [True, False])
def test_a_person_at_the_terminal_decides(answer: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """The question has the tool and its arguments, and nothing in them steers the terminal."""
    asked: list[str] = []

    def confirm(question: str, **_: Any) -> bool:
        asked.append(question)
        return answer

    monkeypatch.setattr("sys.stdin", Terminal())
    monkeypatch.setattr("click.confirm", confirm)
    record = read_record("venice_queue_video")

    assert answer == asyncio.run(command._ask(record, {"prompt": "a \u202efox\n"}))
    assert ['venice_queue_video {"prompt": "a \\u202efox\\n"}: go on?'] == asked


def test_without_a_terminal_nobody_agrees(monkeypatch: pytest.MonkeyPatch) -> None:
    """A service that nobody watches buys nothing."""
    monkeypatch.setattr("sys.stdin", io.StringIO("y\n"))

    assert not asyncio.run(command._ask(read_record("venice_queue_video"), {}))
