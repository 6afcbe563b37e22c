"""What others wrote can't steer the operator's terminal, nor make a line that looks like ours."""

import json
from typing import Any

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st
from letta_client.types import Tool
from rich.console import Console

from sanctum_venice_tools.cli import doctor, provider, server
from sanctum_venice_tools.cli import register_view as view
from sanctum_venice_tools.cli.options import one_line_errors
from sanctum_venice_tools.demo import conversation
from sanctum_venice_tools.fronts.run import Outcome
from sanctum_venice_tools.letta.agents import AgentChange
from sanctum_venice_tools.letta.bootstrap import Plan
from sanctum_venice_tools.letta.doctor.outcome import Finding
from sanctum_venice_tools.letta.provider import Change as ProviderChange
from sanctum_venice_tools.letta.pruning import Removal
from sanctum_venice_tools.letta.registration import Change
from sanctum_venice_tools.letta.sandbox import SandboxChange
from sanctum_venice_tools.letta.venice import ChatModel, Venice
from sanctum_venice_tools.packing.record import Record
from sanctum_venice_tools.terminal import Progress, show, visible

# A bell, a line that looks like ours, colours, a title, C1's own escape, a line turned around, a
# line and a page break.
EVIL = "a\x07\nvenice_ask_web  create\x1b[31m\x1b]0;title\x07\x9b31m\u202eb\u2028\x0c\r\x00"
PROFILE = "[red]a[/red]"


def lines_of(shown: str) -> list[str]:
    """The lines of an output, after making sure that nothing in them can steer a terminal."""
    *lines, rest = shown.split("\n")
    assert rest == ""
    for line in lines:
        assert line.isprintable(), ascii(line)
    return lines


@pytest.fixture
def console() -> Console:
    """A console as the commands make it, wide enough for all of a name."""
    return Console(highlight=False, markup=False, width=400)


def record(name: str = "venice_demo") -> Record:
    """A tool of the pack."""
    return Record(name, "web", "free", "a = 1\nb = 2\n", {"name": name, "description": "."})


def test_what_can_steer_is_written_out() -> None:
    """Each such character becomes its escape of JSON; all else stays, letters of any language and emoji too."""
    assert r"a\u0007\nb\u001b[31m\u202e\u009b\u2028\r\t" == visible(
        "a\x07\nb\x1b[31m\u202e\x9b\u2028\r\t"
    )
    assert 'Grüße, 狐 🦊 "q" \\ é' == visible('Grüße, 狐 🦊 "q" \\ é')


@given(st.text())
def test_any_text_is_one_line(text: str) -> None:
    """Whatever the text, one line is printed, and a terminal has nothing to obey in it."""
    assert visible(text).isprintable()


@given(st.dictionaries(st.text(), st.text() | st.floats(allow_nan=False) | st.none()))
def test_json_keeps_its_meaning(value: dict[str, Any]) -> None:
    """A line of JSON is the same JSON afterwards."""
    assert value == json.loads(visible(json.dumps(value, ensure_ascii=False)))


def test_show_prints_as_many_lines_as_it_is_given(capsys: pytest.CaptureFixture[str]) -> None:
    """Each line is one line, in colour too, on the stream that is meant."""
    show(EVIL, "b")
    show(EVIL, err=True)

    printed = capsys.readouterr()
    assert 2 == len(lines_of(printed.out))
    assert 1 == len(lines_of(printed.err))


def test_a_plan_has_a_row_for_each_thing(
    console: Console, capsys: pytest.CaptureFixture[str]
) -> None:
    """Names of agents, tools and secrets, and reasons, make no rows of their own."""
    changes = [Change(record(), "foreign", ("tags", EVIL), problem=EVIL)]
    agents = [
        AgentChange("agent-1", EVIL, attach=(EVIL,), secrets=(EVIL,)),
        AgentChange("agent-2", EVIL, problem=EVIL),
    ]
    plan = Plan(
        changes,
        [Removal(EVIL, "tool-1", (EVIL, EVIL))],
        agents,
        SandboxChange("refused", {}, problem=EVIL),
    )
    view.print_plan(console, plan)

    assert 5 == len(
        [line for line in lines_of(capsys.readouterr().out) if not line.startswith(" ")]
    )


def test_markup_is_shown_as_it_is(console: Console, capsys: pytest.CaptureFixture[str]) -> None:
    """A name in square brackets is no colour."""
    view.print_plan(console, Plan([], [Removal(PROFILE, "tool-1", ())], [], None))

    assert PROFILE in capsys.readouterr().out


def test_a_diff_has_the_lines_of_the_source(
    console: Console, capsys: pytest.CaptureFixture[str]
) -> None:
    """The server's source is shown line by line, and what is in a line stays in it."""
    there = Tool(id="tool-1", source_code="a = 1\nb\x1b[2J\r\u2028 = 2\n")
    view.print_diffs(
        console, Plan([Change(record(), "update", ("source_code",), there)], [], [], None)
    )

    assert [r"-b\u001b[2J\r\u2028 = 2", "+b = 2"] == lines_of(capsys.readouterr().out)[-3:-1]


def test_problems_are_told_on_a_line_each(capsys: pytest.CaptureFixture[str]) -> None:
    """What could not be read or done ends in one line each, whatever the server said."""
    with pytest.raises(SystemExit):
        server.end_unreachable(EVIL)

    assert 1 == len(lines_of(capsys.readouterr().err))


def test_errors_of_commands_are_one_line() -> None:
    """An error that quotes a server is one line."""

    class ServerError(Exception):
        pass

    with pytest.raises(Exception, match="Letta") as failure, one_line_errors(ServerError):
        raise ServerError(f"Letta says: {EVIL}")

    assert str(failure.value).isprintable()


def test_the_provider_is_told_line_by_line(capsys: pytest.CaptureFixture[str]) -> None:
    """Names of models and what a server said of a provider make no lines of their own."""
    venice = Venice("https://api.venice.ai/api/v1", "key")
    change = ProviderChange(EVIL, venice, "update", (EVIL,), notes=(EVIL,), problem=EVIL)
    chat = ChatModel(EVIL, 1000, 100, note=EVIL, sees=True)
    provider._print_change(change, "http://localhost:8283", dry_run=False)
    first = capsys.readouterr()
    provider._print_agent(chat, {"model": EVIL, "context_window_limit": 1000}, None, None)
    second = capsys.readouterr()

    assert 2 == len(lines_of(first.out))
    assert 1 == len(lines_of(first.err))
    assert 10 == len(lines_of(second.out))


def test_the_doctor_has_a_line_for_each_check(monkeypatch: pytest.MonkeyPatch) -> None:
    """Letta's version, the sandbox's reply and a tool's name stay in their line."""
    findings = [Finding("letta", "ok", EVIL), Finding("sandbox", "failure", EVIL, EVIL)]
    monkeypatch.setattr(doctor, "examine", lambda _: findings)
    shown = CliRunner().invoke(doctor.run_doctor, [])

    assert 2 == len(lines_of(shown.stdout))


def test_the_demo_shows_what_is_said(console: Console, capsys: pytest.CaptureFixture[str]) -> None:
    """An agent's answer has its own lines, beside its name, and nothing that steers."""
    conversation.say(console, "Agent", "first\nsecond \x1b[31m\u202e")

    assert ["Agent   first", r"        second \u001b[31m\u202e"] == lines_of(
        capsys.readouterr().out
    )


def test_progress_is_one_line(console: Console, capsys: pytest.CaptureFixture[str]) -> None:
    """What is going on may name what others named."""
    Progress(console)(f"Reading {EVIL}")

    assert 1 == len(lines_of(capsys.readouterr().out))


def test_a_tools_reply_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a page on the web said can't steer the terminal of who runs a tool, and means the same."""
    reply = json.dumps({"text": EVIL}, ensure_ascii=False)
    monkeypatch.setattr("sanctum_venice_tools.cli.run.run_tool", lambda *_: Outcome(reply=reply))
    from sanctum_venice_tools.cli.run import run  # noqa: PLC0415  # after the other commands, for it packs all tools

    shown = CliRunner().invoke(run, ["venice_search_web", "query=x"])

    (line,) = lines_of(shown.stdout)
    assert {"text": EVIL} == json.loads(line)
