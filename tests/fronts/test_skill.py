"""The Agent Skill: valid, complete, and at work when its folder is copied alone."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner

from sanctum_venice_tools.cli import main
from sanctum_venice_tools.emulator.process import LocalVenice
from sanctum_venice_tools.fronts.skill import (
    COMMAND,
    call_tool,
    skill_files,
    skill_tools,
    write_skill,
)
from sanctum_venice_tools.packing.bundle import tool_files
from sanctum_venice_tools.packing.record import read_record
from sanctum_venice_tools.packing.schema import typed_schema_of

COMMITTED = Path(__file__).resolve().parents[2] / "skills" / "venice"

# https://agentskills.io/specification; Letta Code's validator has the same.
KNOWN_KEYS = {"name", "description", "license", "compatibility", "metadata", "allowed-tools"}


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The skill, alone in a folder."""
    folder = tmp_path_factory.mktemp("skills") / "venice"
    write_skill(folder)
    return folder


def frontmatter(text: str) -> str:
    """What stands between the first two lines of hyphens."""
    begin, _, rest = text.partition("---\n")
    assert not begin
    return rest.partition("\n---\n")[0]


# --- what it is ---


def test_what_is_committed_is_what_the_tools_say() -> None:
    """skills/venice has these files and no others, and its command can be run; `make schemas` writes it."""
    committed = {
        path.relative_to(COMMITTED).as_posix(): path.read_text(encoding="utf-8")
        for path in COMMITTED.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }

    assert skill_files() == committed
    assert os.access(COMMITTED / COMMAND, os.X_OK)


def test_frontmatter_is_valid() -> None:
    """By the Agent Skills standard: known keys, a name like the folder's, texts that are not too long."""
    told = yaml.safe_load(frontmatter(skill_files()["SKILL.md"]))

    assert set(told) <= KNOWN_KEYS
    assert COMMITTED.name == told["name"]
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", told["name"])
    assert 1 <= len(told["description"]) <= 1024
    assert 1 <= len(told["compatibility"]) <= 500
    assert all(isinstance(value, str) for value in told["metadata"].values())


def test_frontmatter_is_read_by_letta() -> None:
    """Letta's own parser knows no colon followed by a space within a value."""
    lines = frontmatter(skill_files()["SKILL.md"]).splitlines()

    assert all(": " not in line.strip().partition(": ")[2] for line in lines)


def test_is_short_enough_to_be_read() -> None:
    """A model reads SKILL.md before it calls a tool: the standard advises fewer than 500 lines, and 5,000 tokens."""
    text = skill_files()["SKILL.md"]

    assert len(text.splitlines()) < 200
    assert len(text) < 4 * 3_000


def test_has_every_tool() -> None:
    """A new tool is in the skill by itself: a line, a text as Letta would store it, a schema; admin is left out."""
    files = skill_files()
    schemas = json.loads(files["scripts/tools.json"])
    admin = {name for name in tool_files() if read_record(name).toolset == "admin"}
    wanted = set(tool_files()) - admin

    assert admin
    assert wanted == {record.name for record in skill_tools()} == set(schemas)
    for name in wanted:
        record = read_record(name)
        assert record.source_code == files[f"scripts/tools/{name}.py"]
        assert typed_schema_of(name)["parameters"] == schemas[name]["parameters"]
        assert f"- `{name}` (" in files["SKILL.md"]
    assert not any(name in "".join(files) for name in admin)


# --- its command, where nothing of the pack is installed ---


def call(
    folder: Path, *words: str, text: str | None = None, **environment: str
) -> subprocess.CompletedProcess[str]:
    """Run what the skill's command runs by uv, with this Python, for it has httpx."""
    return subprocess.run(
        [sys.executable, "-I", str(folder / "scripts" / "call_tool.py"), *words],
        input=text,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        env=os.environ | environment,
    )


def settings(venice: LocalVenice) -> dict[str, str]:
    """The environment of a call to the local Venice."""
    return {"VENICE_API_KEY": venice.key, "VENICE_BASE_URL": venice.base_url}


@pytest.mark.slow
def test_a_tool_answers(folder: Path, venice: LocalVenice) -> None:
    """The reply is one line of JSON, and nothing else comes."""
    done = call(folder, "ask_web", "question=How do red foxes live in cities?", **settings(venice))

    assert (0, "", 1) == (done.returncode, done.stderr, len(done.stdout.splitlines()))
    assert json.loads(done.stdout)["sources"]


@pytest.mark.slow
def test_arguments_come_by_the_input(folder: Path, venice: LocalVenice) -> None:
    """What has quotes in it, or lists, needs no quoting for a shell."""
    args = json.dumps({"query": 'a "fox"', "texts": ["a fox", "a house"]})
    done = call(folder, "venice_rank_texts", "--args", "-", text=args, **settings(venice))

    assert 2 == len(json.loads(done.stdout)["results"])


@pytest.mark.slow
@pytest.mark.parametrize("encoding", ["latin-1", "ascii"])
def test_a_terminal_that_lacks_a_letter(folder: Path, venice: LocalVenice, encoding: str) -> None:
    """A reply that was paid for is never lost on the way to the terminal: it stays the same JSON."""
    args = json.dumps({"query": "fox", "texts": ["\u72d0 \u00e9 \U0001f98a fox", "b"]})
    done = subprocess.run(
        [sys.executable, str(folder / "scripts" / "call_tool.py"), "rank_texts", "--args", args],
        capture_output=True,
        check=False,
        timeout=60,
        env=os.environ | settings(venice) | {"PYTHONIOENCODING": encoding},
    )

    assert (0, b"") == (done.returncode, done.stderr)
    texts = {one["text"] for one in json.loads(done.stdout.decode(encoding))["results"]}
    assert {"\u72d0 \u00e9 \U0001f98a fox", "b"} == texts


def test_an_interrupted_call_tells_what_may_be_charged(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A call that is ended before its answer may have cost something, unless the tool is free: 4, and one line."""

    def interrupt(_: str) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("runpy.run_path", interrupt)

    assert 4 == call_tool._call("venice_rank_texts", "cents", {})
    assert "venice_rank_texts was interrupted; it may be charged." in capsys.readouterr().err
    assert 4 == call_tool._call("venice_list_models", "free", {})
    told = "Error: venice_list_models was interrupted; it cost nothing.\n"
    assert told == capsys.readouterr().err


WRONG = [
    ["venice_ask_wbe", "question=x"],
    ["venice_create_api_key", "description=x"],
    ["venice_ask_web", "query=x"],
    ["venice_ask_web"],
    ["venice_ask_web", "foxes"],
    ["venice_ask_web", "question=a", "question=b"],
    ["venice_ask_web", "--args", "{question"],
    ["venice_ask_web", "--args", "[1]"],
    ["venice_queue_video", "prompt=a fox"],
]


@pytest.mark.slow
@pytest.mark.parametrize("words", WRONG, ids=" ".join)
def test_wrong_usage_is_told_as_by_the_command(words: list[str], folder: Path) -> None:
    """A mistake ends with status 2 and one line: that of `sanctum-venice run`, for both read a call alike."""
    done = call(folder, *words)

    assert (2, "", 1) == (done.returncode, done.stdout, len(done.stderr.splitlines()))
    assert done.stderr.startswith("Error: ")
    if words[0] != "venice_create_api_key":
        theirs = CliRunner().invoke(main, ["run", *words]).stderr.splitlines()[-1]
        told = done.stderr.rstrip("\n")
        assert told.partition(" Did you")[0] == theirs.partition(" Did you")[0]


def shell(folder: Path, command: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a line of the shell in which $skill and $run call a tool; its status is that of the first in a pipe."""
    ways = {
        "skill": f"{sys.executable} {folder}/scripts/call_tool.py",
        "run": f"{sys.executable} -m sanctum_venice_tools.cli run",
    }
    return subprocess.run(
        ["/bin/bash", "-c", f"set -o pipefail; {command}"],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        env={**os.environ, **ways, **environment},
    )


@pytest.mark.slow
@pytest.mark.parametrize("way", ["$skill", "$run"])
@pytest.mark.parametrize(
    ("command", "told"),
    [
        ("--args - <<< $(printf '[%.0s' {1..100000})", "Error: --args is no JSON: maximum recur"),
        ("--args - <&-", "Error: There is no input to read --args from."),
        ("--args - < <(printf '{\\xff}')", "Error: --args is no JSON: 'utf-8' codec can't dec"),
    ],
)
def test_an_input_that_can_not_be_read_is_wrong_usage(
    way: str, command: str, told: str, folder: Path
) -> None:
    """Arguments that are too deep, no text, or not there end with status 2 and one line."""
    strict = {"PYTHONIOENCODING": "utf-8:strict"}
    done = shell(folder, f"{way} ask_web {command}", **strict)

    assert (2, "") == (done.returncode, done.stdout)
    assert done.stderr.splitlines()[-1].startswith(told), done.stderr
    assert "Traceback" not in done.stderr


# What is told of a call whose reply is lost.
AFTERWARDS = {
    "rank_texts query=a 'texts=[\"a\"]'": "it may be charged. Look at venice_report_usage before",
    "list_models type=image": "it cost nothing.",
}


@pytest.mark.slow
@pytest.mark.parametrize("way", ["$skill", "$run"])
@pytest.mark.parametrize("output", [">&-", ">/dev/full", "| (exec <&-; sleep 1)"])
@pytest.mark.parametrize("tool", list(AFTERWARDS))
def test_a_reply_that_nobody_takes_is_told(
    way: str, output: str, tool: str, folder: Path, venice: LocalVenice
) -> None:
    """Where the output is closed, full or left by its reader, the status is 4, and one line tells the cost."""
    done = shell(folder, f"{way} {tool} {output}", **settings(venice))

    name = f"venice_{tool.partition(' ')[0]}"
    told = f"Error: {name} answered, but nothing could be written to the output; "
    assert (4, 1) == (done.returncode, len(done.stderr.splitlines())), done.stderr
    assert done.stderr.startswith(told + AFTERWARDS[tool])


@pytest.mark.slow
@pytest.mark.parametrize("output", [">&-", ">/dev/full", ">/dev/full 2>&1", ">&- 2>&-"])
@pytest.mark.parametrize("words", ["--help", "ask_web --help", "chat prompt=x"])
def test_a_text_that_nobody_takes_ends_without_a_traceback(
    output: str, words: str, folder: Path
) -> None:
    """The skill's help is written to nobody with status 4; a refusal keeps its status."""
    done = shell(folder, f"$skill {words} {output}")

    assert done.returncode == (3 if "=" in words else 4)
    assert "Traceback" not in done.stderr


@pytest.mark.slow
@pytest.mark.parametrize("kept", ["", "intern.example", "*"])
def test_what_runs_on_this_machine_is_asked_past_a_proxy(
    folder: Path, venice: LocalVenice, kept: str
) -> None:
    """A media server of one's own, and its token, are nothing to the environment's proxy, as with `run`."""
    away = "http://127.0.0.1:9"  # nothing answers there
    proxies = {"HTTP_PROXY": away, "http_proxy": away, "NO_PROXY": kept, "no_proxy": kept}
    done = call(folder, "list_models", "type=image", **settings(venice), **proxies)

    assert (0, "") == (done.returncode, done.stderr)


@pytest.mark.slow
def test_a_refusal_is_one_line(folder: Path, venice: LocalVenice) -> None:
    """What a tool refuses ends with status 3 and the line that says what to do."""
    done = call(folder, "venice_search_web", "query=foxes", "limit=21", **settings(venice))

    assert (3, "", 1) == (done.returncode, done.stdout, len(done.stderr.splitlines()))
    assert done.stderr.startswith("Error: The option 'limit' must be 1 to 20")


@pytest.mark.parametrize(
    ("cost", "told"),
    [("cents", "; it may be charged. Look at"), ("account", "; your Venice account may be changed."), ("free", "x\n")],
)  # fmt: skip
def test_a_tool_that_breaks_in_its_call_is_told_with_what_it_may_cost(
    cost: str, told: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """What fails in an unforeseen way may have come after the request."""

    def break_down(**_: object) -> None:
        raise ValueError("x")

    monkeypatch.setattr("runpy.run_path", lambda _: {"a": break_down, "VeniceError": ()})
    assert 4 == call_tool._call("a", cost, {})

    said = capsys.readouterr().err
    assert said.startswith("Error: a broke: ValueError: x")
    assert told in said


@pytest.mark.slow
def test_a_broken_text_is_told_apart(folder: Path, tmp_path: Path) -> None:
    """A text that fails otherwise ends with status 4 and one line, and no traceback."""
    broken = tmp_path / "venice"
    shutil.copytree(folder, broken)
    (broken / "scripts/tools/venice_ask_web.py").write_text("1 / 0\n", encoding="utf-8")
    done = call(broken, "venice_ask_web", "question=x")

    assert (4, "Error: venice_ask_web broke: ZeroDivisionError: division by zero\n") == (
        done.returncode,
        done.stderr,
    )


@pytest.mark.slow
def test_help_tells_tools_and_arguments(folder: Path) -> None:
    """--help names each tool with what it does, and of one tool all arguments."""
    every = call(folder, "--help").stdout
    one = call(folder, "rank_texts", "--help").stdout

    assert all(f"{record.name}: {record.summary}" in every for record in skill_tools())
    assert "query (string, required): " in one


# --- which way the command takes ---


def run_command(
    folder: Path, tmp_path: Path, *there: str, **environment: str
) -> subprocess.CompletedProcess[str]:
    """Run scripts/venice where only these programs are, each of which says how it was called."""
    programs = tmp_path / "bin"
    programs.mkdir()
    for name in there:
        program = programs / name
        program.write_text(
            f'#!/bin/sh\necho "{name} $* after $VENICE_TOOL_SECONDS"\n', encoding="utf-8"
        )
        program.chmod(0o755)
    for name in ("sh", "dirname"):
        (programs / name).symlink_to(str(shutil.which(name)))
    return subprocess.run(
        [str(folder / COMMAND), "venice_ask_web", "question=a b"],
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
        env={"PATH": str(programs), **environment},
    )


def test_the_installed_command_goes_first(folder: Path, tmp_path: Path) -> None:
    """Where sanctum-venice is installed it is run, with less time than a host waits."""
    done = run_command(folder, tmp_path, "sanctum-venice", "uv")

    assert "sanctum-venice run venice_ask_web question=a b after 50\n" == done.stdout


def test_else_uv_runs_the_texts(folder: Path, tmp_path: Path) -> None:
    """By uv it runs the file that names what it needs; the time is the person's, if they set one."""
    done = run_command(folder, tmp_path, "uv", VENICE_TOOL_SECONDS="110")

    script = folder / "scripts" / "call_tool.py"
    called = f"run --quiet --script {script} venice_ask_web question=a b"
    assert f"uv {called} after 110\n" == done.stdout
    assert script.read_text(encoding="utf-8").startswith("# /// script\n")


def test_without_both_it_says_what_to_install(folder: Path, tmp_path: Path) -> None:
    """One line names both, and the status is that of a command that is not there."""
    done = run_command(folder, tmp_path)

    assert (127, 1) == (done.returncode, len(done.stderr.splitlines()))
    assert "this needs uv (https://docs.astral.sh/uv/) or the command sanctum-venice" in done.stderr
