"""The command `run`: one tool from the command line."""

import errno
import json
import os
import pty
import socket
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from mcp_types import TextContent

from sanctum_venice_tools.cli import main
from sanctum_venice_tools.emulator.process import LocalVenice
from sanctum_venice_tools.fronts.mcp_server import answer_of
from sanctum_venice_tools.fronts.run import RunError, run_tool
from sanctum_venice_tools.fronts.skill import write_skill
from sanctum_venice_tools.media_server.process import running_media_server
from sanctum_venice_tools.packing.bundle import tool_files
from sanctum_venice_tools.packing.record import COSTLY, read_record
from sanctum_venice_tools.packing.schema import typed_schema_of
from tests.tools.conftest import balance

pytestmark = pytest.mark.slow

BROKEN = """
import json, sys

class VeniceError(Exception):
    pass

def venice_search_web(*, query: str) -> str:
    return query + 1
"""

TELLS_WHAT_IS_LOADED = """
import json, sys

import httpx

class VeniceError(Exception):
    pass

def venice_search_web(*, query: str) -> str:
    return json.dumps({"httpx": httpx.__version__, "loaded": sorted(sys.modules)})
"""


@pytest.fixture
def at_venice(venice: LocalVenice, monkeypatch: pytest.MonkeyPatch) -> LocalVenice:
    """The local Venice, as the environment's own."""
    monkeypatch.setenv("VENICE_API_KEY", venice.key)
    monkeypatch.setenv("VENICE_BASE_URL", venice.base_url)
    return venice


def run(*words: str, text: str | None = None) -> Result:
    """Run the command, without a terminal."""
    return CliRunner().invoke(main, ["run", *words], input=text)


# --- what it prints ---


@pytest.mark.usefixtures("at_venice")
@pytest.mark.parametrize("name", ["venice_ask_web", "ask_web"])
def test_prints_the_reply_on_one_line(name: str) -> None:
    """The tool's JSON comes on standard output, and nothing else; the prefix of the name may be left out."""
    done = run(name, "question=How do red foxes live in cities?")

    assert (0, "", 1) == (done.exit_code, done.stderr, len(done.stdout.splitlines()))
    assert json.loads(done.stdout)["sources"]


@pytest.mark.usefixtures("at_venice")
def test_a_value_means_what_it_says() -> None:
    """A list as JSON text is a list to the tool, and text with an equals sign is whole."""
    ranked = run("venice_rank_texts", "query=a=b", 'texts=["a=b", "a house"]')

    assert "a=b" == json.loads(ranked.stdout)["results"][0]["text"]


@pytest.mark.usefixtures("at_venice")
@pytest.mark.parametrize("way", ["line", "input"])
def test_takes_json_arguments(way: str) -> None:
    """--args holds an object of arguments, or is read from standard input; other arguments go beside it."""
    args = json.dumps({"texts": ["a fox", "a house"]})
    words = ("--args", args if way == "line" else "-")
    done = run("venice_rank_texts", "query=a fox", *words, text=args)

    assert ["a fox", "a house"] == [one["text"] for one in json.loads(done.stdout)["results"]]


@pytest.mark.usefixtures("at_venice")
def test_keeps_files_where_it_is_called(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without VENICE_MEDIA_DIR, a picture goes into venice_media of the folder that the person is in."""
    monkeypatch.delenv("VENICE_MEDIA_DIR")
    monkeypatch.chdir(tmp_path)
    done = run("generate_image", "prompt=a fox", "aspect_ratio=64x64")

    (file,) = json.loads(done.stdout)["files"]
    assert (tmp_path / "venice_media") == Path(file["file"]).parent
    assert Path(file["file"]).is_file()


@pytest.mark.usefixtures("at_venice")
def test_no_proxy_comes_between_a_tool_and_this_machine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a tool sends to this machine, a media server's token among it, goes through nobody's proxy."""
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("NO_PROXY", "intern.example")
    with running_media_server(tmp_path / ".private") as server:
        monkeypatch.setenv("VENICE_MEDIA", server.address)
        monkeypatch.setenv("VENICE_MEDIA_TOKEN", server.token)
        done = run("generate_image", "prompt=a fox", "aspect_ratio=64x64")

    assert 0 == done.exit_code, done.output
    assert json.loads(done.stdout)["files"][0]["url"].startswith(server.address)


@pytest.mark.usefixtures("at_venice")
def test_a_terminal_that_lacks_a_letter() -> None:
    """A reply that was paid for is never lost on the way to the terminal: it stays the same JSON."""
    args = json.dumps({"query": "fox", "texts": ["\u72d0 \u00e9 \U0001f98a fox", "b"]})
    command = [sys.executable, "-m", "sanctum_venice_tools.cli", "run", "rank_texts"]
    done = subprocess.run(
        [*command, "--args", args],
        capture_output=True,
        check=False,
        timeout=60,
        env=os.environ | {"PYTHONIOENCODING": "latin-1"},
    )

    assert (0, b"") == (done.returncode, done.stderr)
    texts = {one["text"] for one in json.loads(done.stdout.decode("latin-1"))["results"]}
    assert {"\u72d0 \u00e9 \U0001f98a fox", "b"} == texts


# --- how it fails ---


@pytest.mark.parametrize(
    ("call", "status", "said"),
    [
        (
            ["rank_texts", "query=a", 'texts=["a"]'],
            4,
            "Error: venice_rank_texts was interrupted; it may be charged. Look at",
        ),
        (
            ["create_api_key", "description=a", "--yes"],
            4,
            "Error: venice_create_api_key was interrupted; your Venice account may be changed.",
        ),
        (["list_models"], 4, "Error: venice_list_models was interrupted; it cost nothing.\n"),
    ],
)
def test_ctrl_c_tells_what_may_be_charged(
    monkeypatch: pytest.MonkeyPatch, call: list[str], status: int, said: str
) -> None:
    """A call that is ended before its answer ends with 4, and a line that says whether it may have cost something."""

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("sanctum_venice_tools.cli.run.run_tool", interrupt)
    done = run(*call)

    assert status == done.exit_code, done.output
    assert done.stderr.startswith(said)


@pytest.mark.parametrize("front", ["run", "skill"])
@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["rank_texts", "query=a", 'texts=["a", "b"]'], "it may be charged. Look at "),
        (["list_models"], "it cost nothing.\n"),
    ],
)
def test_an_end_from_outside_tells_it_too(
    front: str, words: list[str], said: str, tmp_path: Path
) -> None:
    """A host that ends a call by SIGTERM reads the same line as a person who pressed Ctrl-C."""
    write_skill(tmp_path)
    command = {
        "run": ["-m", "sanctum_venice_tools.cli", "run"],
        "skill": [str(tmp_path / "scripts" / "call_tool.py")],
    }[front]
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/api/v1"
        call = subprocess.Popen(
            [sys.executable, *command, *words],
            stderr=subprocess.PIPE,
            env=os.environ | {"VENICE_API_KEY": "a-key-of-venice", "VENICE_BASE_URL": url},
            text=True,
        )
        with call, silent.accept()[0] as connection:
            assert connection.recv(4)
            call.terminate()
            _, told = call.communicate(timeout=30)

    assert (4, 1) == (call.returncode, len(told.splitlines())), told
    assert told.startswith(f"Error: venice_{words[0]} was interrupted; {said}")


def test_a_full_temporary_folder_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a tool's text can't be written before it is run, one line says so, to a person as to a model."""

    def refuse(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(Path, "write_text", refuse)
    done = run("rank_texts", "query=a", 'texts=["a"]')
    answer = answer_of(read_record("venice_rank_texts"), {"query": "a", "texts": ["a"]})

    said = "venice_rank_texts could not be run: No space left on device. Make room in the folder "
    assert (4, 1) == (done.exit_code, len(done.stderr.splitlines())), done.output
    assert done.stderr.startswith(f"Error: {said}")
    (text,) = answer.content
    assert isinstance(text, TextContent)
    assert (True, True) == (answer.is_error, text.text.startswith(said))


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (
            ["venice_ask_wbe", "question=x"],
            "There is no tool venice_ask_wbe. Did you mean venice_ask_web?",
        ),
        (["venice_ask_web", "query=x"], "There is no argument query. There are: question, "),
        (["venice_ask_web"], "This is missing: question."),
        (["venice_ask_web", "foxes"], "Write an argument as NAME=VALUE, not as 'foxes'."),
        (["venice_ask_web", "question=a", "question=b"], "The argument question is given twice."),
        (["venice_ask_web", "--args", "{question"], "--args is no JSON: "),
        (
            ["venice_ask_web", "--args", "[1]"],
            "--args must be a JSON object, of values by argument.",
        ),
        (
            ["venice_queue_video", "prompt=a fox"],
            "venice_queue_video: It may cost dollars. Add --yes if a person agreed.",
        ),
    ],
)
def test_wrong_usage_is_told(words: list[str], said: str) -> None:
    """A mistake in the command ends with status 2 and one line that names it; nothing runs."""
    done = run(*words)

    assert (2, "") == (done.exit_code, done.stdout)
    assert done.stderr.splitlines()[-1].startswith(f"Error: {said}")


@pytest.mark.usefixtures("at_venice")
def test_a_refusal_is_one_line() -> None:
    """What the tool refuses ends with status 3 and the line that an agent would read."""
    done = run("venice_search_web", "query=foxes", "limit=21")

    assert (3, "") == (done.exit_code, done.stdout)
    assert "Error: The option 'limit' must be 1 to 20" in done.stderr
    assert 1 == len(done.stderr.splitlines())


def test_without_a_key_it_refuses() -> None:
    """An operator who set no key is told so."""
    done = run("venice_search_web", "query=foxes")

    assert 3 == done.exit_code
    assert done.stderr.startswith("Error: VENICE_API_KEY is not set, or is no key.")


def test_a_broken_tool_is_told_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that ends without an outcome gives status 4 and its last line, and no traceback."""
    broken = replace(read_record("venice_search_web"), source_code=BROKEN)
    monkeypatch.setattr("sanctum_venice_tools.cli.run.read_record", lambda _: broken)
    done = run("venice_search_web", "query=foxes")

    assert (4, "") == (done.exit_code, done.stdout)
    assert (
        'Error: venice_search_web broke: TypeError: can only concatenate str (not "int") to str; '
        "it may be charged. Look at venice_report_usage before you try again.\n" == done.stderr
    )


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("venice_chat", "; it may be charged. Look at venice_report_usage before you try again."),
        ("venice_create_api_key", "; your Venice account may be changed. Look at it before you"),
        ("venice_list_models", "it ended with status -9"),
    ],
)
def test_a_process_that_is_ended_is_told_with_what_it_may_cost(name: str, told: str) -> None:
    """What ends a tool's process alone, for want of memory say, may have come after the request."""
    killed = f"import json, os, sys\ndef {name}(): os.kill(os.getpid(), 9)\n"
    record = replace(read_record(name), source_code=killed)
    with pytest.raises(RunError) as broken:
        run_tool(record, {})

    assert str(broken.value).startswith(f"{name} broke: it ended with status -9")
    assert told in str(broken.value)


def test_no_command_line_is_loaded_for_a_tool(monkeypatch: pytest.MonkeyPatch) -> None:
    """A tool's process has httpx without its command line, which would take a quarter of the time."""
    telling = replace(read_record("venice_search_web"), source_code=TELLS_WHAT_IS_LOADED)
    monkeypatch.setattr("sanctum_venice_tools.cli.run.read_record", lambda _: telling)
    told = json.loads(run("venice_search_web", "query=foxes").stdout)

    assert told["httpx"]
    assert {"click", "rich", "pygments"}.isdisjoint(told["loaded"])


# --- what costs dollars, or changes the account ---


def at_terminal(answer: str, *words: str) -> subprocess.CompletedProcess[str]:
    """Run the command at a terminal, and type an answer."""
    ours, theirs = pty.openpty()
    os.write(ours, answer.encode())
    try:
        return subprocess.run(
            [sys.executable, "-m", "sanctum_venice_tools.cli", "run", *words],
            stdin=theirs, capture_output=True, text=True, check=False, timeout=60,
        )  # fmt: skip
    finally:
        os.close(ours)
        os.close(theirs)


def test_a_person_is_asked_before_dollars(at_venice: LocalVenice) -> None:
    """At a terminal the question comes first; "no" ends with status 1, and nothing was bought."""
    call = ("venice_queue_video", "prompt=a fox", "duration=5s")
    before = balance(at_venice)
    refused = at_terminal("n\n", *call)

    assert (1, "") == (refused.returncode, refused.stdout)
    assert "venice_queue_video: It may cost dollars. Go on?" in refused.stderr
    assert before == balance(at_venice)
    agreed = at_terminal("y\n", *call)
    assert json.loads(agreed.stdout)["job"].startswith("venice-video|")


@pytest.mark.usefixtures("at_venice")
def test_yes_says_that_a_person_agreed() -> None:
    """With --yes a film is queued without a question."""
    done = run("venice_queue_video", "prompt=a fox", "duration=5s", "--yes")

    assert json.loads(done.stdout)["job"].startswith("venice-video|")


# --- help ---


@pytest.mark.parametrize("name", tool_files())
def test_help_is_made_of_the_schema(name: str) -> None:
    """Each tool's --help has its description, its arguments with their types, and --yes only where it asks."""
    done = CliRunner().invoke(main, ["run", name, "--help"], terminal_width=10_000)
    schema = typed_schema_of(name)

    assert 0 == done.exit_code
    assert schema["description"] in done.output
    for argument, spec in schema["parameters"]["properties"].items():
        kind = " | ".join(spec["enum"]) if "enum" in spec else spec["type"]
        need = ", required" if argument in schema["parameters"]["required"] else ""
        assert f"{argument} ({kind}{need}): {spec['description']}" in done.output
    assert ("--yes" in done.output) == (read_record(name).cost in COSTLY)


def test_help_lists_every_tool() -> None:
    """`run --help` names all tools."""
    done = run("--help")

    assert all(name in done.output for name in tool_files())
