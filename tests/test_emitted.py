"""What ships: every tool's emitted text, as Letta stores it, alone in a process, and in Letta's own script."""

import ast
import json
import os
import subprocess
import sys
import uuid
from pathlib import Path
from typing import Any

import pytest

from sanctum_venice_tools.emulator.process import LocalVenice
from sanctum_venice_tools.letta.local_server import ENVIRONMENT
from sanctum_venice_tools.packing.bundle import HEADER, LETTA_NAMES, LONGEST_NAME, THIRD_PARTY, tool_files
from sanctum_venice_tools.packing.schema import schema_of
from tests.conftest import plain_call

PROJECT = Path(__file__).resolve().parents[1]
LETTA_PYTHON = ENVIRONMENT / "bin" / "python"
MOST_LINES = 299

# Texts that are longer, and why.
INTAKE = "it takes files in, with a guard that keeps it out of private networks"
FILMS = "films have twenty settings, each checked before it is paid"
LONGER = {
    "venice_chat": (360, "it takes stored files in, gathers calls of tools, and checks a dozen rare settings"),
    "venice_speak": (370, "it reads sound files, to join the parts of a long text into one"),
    **dict.fromkeys(("venice_generate_image", "venice_embed_texts", "venice_list_models"), (315, "a few lines more")),
    **dict.fromkeys(("venice_edit_image", "venice_upscale_image", "venice_read_document"), (380, INTAKE)),
    **dict.fromkeys(("venice_clone_voice", "venice_transcribe_audio"), (400, INTAKE)),
    **dict.fromkeys(("venice_quote_music", "venice_queue_music"), (375, "models of music differ in all they take")),
    **dict.fromkeys(("venice_quote_video", "venice_queue_video"), (485, FILMS)),
    "venice_make_video": (620, f"it is three tools in one: {FILMS}; and it waits, fetches and keeps"),
}

# What is installed here, but not in every sandbox.
ELSEWHERE = ("sanctum_venice_tools", "letta_client", "pydantic", "click", "rich", "docstring_parser", "letta")

# Texts that Letta would take for something else, were it not for the guard line and the bare *.
TRAPS = [
    "1.10",
    "1_000",
    "true",
    "null",
    "None",
    '{"a": [1]}',
    "[1, 2]",
    '"q"',
    "naïve 🦊 \u2028",
    "'\"\\n\\\"\"\"'''\n\r\n\t\\",
    "long " * 20_000,
    "",
]

for_every_tool = pytest.mark.parametrize("name", tool_files())


def tool_in(text: str) -> ast.FunctionDef:
    """The function that Letta takes as the tool: the last one that it meets, going down level by level."""
    return [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.FunctionDef)][-1]


# --- as a text ---


@for_every_tool
def test_is_short(name: str, texts: dict[str, str]) -> None:
    """A text is one that a person can read: under 300 lines, or a little more for a reason."""
    most, _ = LONGER.get(name, (MOST_LINES, ""))
    assert most >= len(texts[name].splitlines())


@for_every_tool
def test_says_where_it_comes_from(name: str, texts: dict[str, str]) -> None:
    """The first line says where to edit the tool, and what it needs."""
    source = f"sanctum_venice_tools/tools/{name}.py"

    assert f"# {name}: a Letta tool. Made from {source}; needs httpx and VENICE_API_KEY." == texts[name].split("\n")[0]
    assert (PROJECT / source).is_file()


@for_every_tool
def test_guards_its_arguments(name: str, texts: dict[str, str]) -> None:
    """The first statements hide Letta's re-reading of arguments, under a comment that says why."""
    lines = texts[name].split("\n")
    guard = next(place for place, line in enumerate(lines) if "letta.functions.ast_parsers" in line)

    assert 'sys.modules.setdefault("letta.functions.ast_parsers", None)' == lines[guard].partition("  #")[0]
    assert {"import sys", ""} == {line for line in lines[:guard] if not line.startswith("#")}
    assert "Hiding that module from this process keeps arguments as they were sent" in "\n".join(lines[:guard])


@for_every_tool
def test_has_the_shape_that_letta_takes(name: str, texts: dict[str, str]) -> None:
    """The last function is the tool; its parameters are its schema's, keyword-only, and overwrite nothing."""
    tool = tool_in(texts[name])
    parameters = {parameter.arg for parameter in tool.args.kwonlyargs}

    assert name == tool.name
    assert len(name) <= LONGEST_NAME
    assert [] == [*tool.args.posonlyargs, *tool.args.args]
    assert (None, None) == (tool.args.vararg, tool.args.kwarg)
    assert schema_of(name)["parameters"]["properties"].keys() == parameters
    assert set() == parameters & LETTA_NAMES


@for_every_tool
def test_loses_no_argument_to_a_name_of_its_own(name: str, texts: dict[str, str]) -> None:
    """Arguments stand in the script as globals: running the text after them leaves them as they were."""
    parameters = schema_of(name)["parameters"]["properties"]
    space = {parameter: f"the {parameter}" for parameter in parameters}
    exec(compile(texts[name], f"{name}.py", "exec"), space)  # noqa: S102  # what ships is what is tested

    assert {parameter: f"the {parameter}" for parameter in parameters} == {one: space[one] for one in parameters}


@for_every_tool
def test_imports_only_what_a_sandbox_has(name: str, texts: dict[str, str]) -> None:
    """The standard library and httpx are all that a text imports, wherever in it."""
    imported = set[str]()
    for node in ast.walk(ast.parse(texts[name])):
        if isinstance(node, ast.Import):
            imported |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            imported.add(node.module or "")

    assert set() == {one.partition(".")[0] for one in imported} - sys.stdlib_module_names - THIRD_PARTY


@for_every_tool
def test_has_no_loose_names(name: str, texts: dict[str, str]) -> None:
    """Nothing in a text is undefined, unused or defined twice, says ruff."""
    command = [
        sys.executable,
        "-m",
        "ruff",
        "check",
        "--isolated",
        "--select",
        "F",
        "--stdin-filename",
        f"{name}.py",
        "-",
    ]
    done = subprocess.run(command, input=texts[name], capture_output=True, text=True, check=False, timeout=30)

    assert (0, "All checks passed!\n") == (done.returncode, done.stdout), done.stderr


def test_has_sound_types(texts: dict[str, str], tmp_path: Path) -> None:
    """Every text passes mypy's strict checks by itself."""
    for name, text in texts.items():
        (tmp_path / f"{name}.py").write_text(text, encoding="utf-8")
    command = [sys.executable, "-m", "mypy", "--config-file=", "--strict", "--cache-dir", os.devnull, "."]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=60)

    assert (0, "") == (done.returncode, done.stderr), done.stdout


# --- alone ---


@for_every_tool
def test_runs_alone(name: str, texts: dict[str, str], venice: LocalVenice, tmp_path: Path) -> None:
    """In a fresh process that has httpx and no other package of ours, a text does its work over a real socket."""
    program = "\n".join(
        [
            f"import sys; sys.modules.update(dict.fromkeys({ELSEWHERE}))",
            texts[name],
            f"print(ascii({name}(**{plain_call(name, venice)!r})))",
        ]
    )
    environment = {"VENICE_API_KEY": venice.key, "VENICE_BASE_URL": venice.base_url, "VENICE_MEDIA_DIR": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-I", "-W", "error", "-"],
        input=program,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )

    assert (0, "") == (done.returncode, done.stderr)
    assert json.loads(ast.literal_eval(done.stdout))


# --- in Letta's own script ---

RENDER = """
import asyncio, json, sys
from letta.schemas.tool import Tool
from letta.services.tool_sandbox.local_sandbox import AsyncToolSandboxLocal as Sandbox

scripts = []
for call in json.load(sys.stdin):
    tool = Tool(name=call["schema"]["name"], source_code=call["text"], json_schema=call["schema"])
    sandbox = Sandbox(tool.name, call["arguments"], None, tool_id=tool.id, tool_object=tool)
    scripts.append(asyncio.run(sandbox.generate_execution_script(None, wrap_print_with_markers=True)))
print(json.dumps(scripts))
"""

# One process for all scripts, for its imports take a second; what a text hides is shown again before the next.
RUN = """
import json, sys

for script in json.load(sys.stdin):
    sys.modules.pop("letta.functions.ast_parsers", None)
    exec(compile(script, "script.py", "exec"), {"__name__": "__main__"})
    print(json.dumps("letta" in sys.modules), flush=True)
"""

# What Letta puts before a result: this marker, then four bytes of length and an MD5 in letters.
MARKER = uuid.uuid5(uuid.NAMESPACE_DNS, "local-sandbox-result-start-marker").bytes
PREFIX = 4 + 32


def in_letta(program: str, calls: Any, home: Path) -> bytes:
    """What a program prints in the local Letta environment, given a value as JSON on its standard input."""
    done = subprocess.run(
        [str(LETTA_PYTHON), "-c", program],
        input=json.dumps(calls).encode(),
        env={"HOME": str(home), "LETTA_DIR": str(home), "PYTHONWARNINGS": "ignore"},
        cwd=home,
        capture_output=True,
        check=False,
        timeout=60,
    )
    assert 0 == done.returncode, done.stderr.decode()
    return done.stdout


def run_scripts(scripts: list[str], home: Path) -> list[tuple[Any, bool]]:
    """Of each script: what its tool returned, and whether the Letta server was loaded into the process."""
    outcomes = []
    for frame in in_letta(RUN, scripts, home).split(MARKER)[1:]:
        framed = frame[PREFIX:].decode()
        result, end = json.JSONDecoder().raw_decode(framed)
        outcomes.append((json.loads(result["results"]), json.loads(framed[end:])))
    return outcomes


def echo(text: str) -> str:
    """The text with a tool that returns its arguments; all before the tool's body is as it ships."""
    lines = text.split("\n")[: tool_in(text).body[0].lineno - 1]
    return "\n".join([*lines, '    return __import__("json").dumps(locals())\n'])


def trapped(name: str, turn: int) -> dict[str, str | list[str]]:
    """A trap for each of the tool's parameters that take a text or a list of texts; each turn another one."""
    properties = schema_of(name)["parameters"]["properties"]
    texts = {parameter: spec["type"] for parameter, spec in properties.items() if spec["type"] in ("string", "array")}
    traps = {parameter: TRAPS[(place + turn) % len(TRAPS)] for place, parameter in enumerate(texts)}
    return {parameter: trap if texts[parameter] == "string" else [trap] for parameter, trap in traps.items()}


@pytest.fixture(scope="session")
def letta_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder for what Letta writes; without Letta, no test that needs it."""
    if not LETTA_PYTHON.exists():
        pytest.skip("Letta is not installed here: `sanctum-venice letta start` installs it")
    return tmp_path_factory.mktemp("letta")


@pytest.fixture(scope="session")
def scripts(texts: dict[str, str], letta_home: Path) -> dict[str, list[str]]:
    """By tool, the scripts that Letta makes of its text and each turn of traps."""
    calls = [
        {"text": echo(text), "schema": schema_of(name), "arguments": trapped(name, turn)}
        for name, text in texts.items()
        for turn in range(len(TRAPS))
    ]
    made = json.loads(in_letta(RENDER, calls, letta_home))
    return {name: made[place * len(TRAPS) : (place + 1) * len(TRAPS)] for place, name in enumerate(texts)}


@pytest.fixture(scope="session")
def outcomes(scripts: dict[str, list[str]], letta_home: Path) -> dict[str, list[tuple[Any, bool]]]:
    """By tool, what came of each of its scripts."""
    found = run_scripts([script for made in scripts.values() for script in made], letta_home)
    return {name: found[place * len(TRAPS) : (place + 1) * len(TRAPS)] for place, name in enumerate(scripts)}


@for_every_tool
def test_gets_its_arguments_unchanged(name: str, outcomes: dict[str, list[tuple[Any, bool]]]) -> None:
    """Whatever text a model sends, every parameter of the tool gets it as sent, and Letta's server is not loaded."""
    for turn, (got, is_letta_loaded) in enumerate(outcomes[name]):
        sent = trapped(name, turn)

        assert sent == {parameter: got[parameter] for parameter in sent}
        assert not is_letta_loaded
    assert len(TRAPS) == len(outcomes[name])


def test_needs_its_guard(letta_home: Path) -> None:
    """Without the guard line Letta does change an argument: once it no longer does, the line can go."""
    text = HEADER.format(name="venice_demo", package="sanctum_venice_tools")
    text += "def venice_demo(*, word: str) -> str:\n    return __import__('json').dumps(word)\n"
    schema = {"name": "venice_demo", "parameters": {"type": "object", "properties": {"word": {"type": "string"}}}}
    calls = [
        {"text": one, "schema": schema, "arguments": {"word": "1.10"}}
        for one in (text, text.replace("sys.modules.setdefault(", "sys.modules.get("))
    ]
    made = json.loads(in_letta(RENDER, calls, letta_home))

    assert [("1.10", False), ("1.1", True)] == run_scripts(made, letta_home)


@for_every_tool
def test_knows_the_names_that_letta_uses_after_it(name: str, scripts: dict[str, list[str]]) -> None:
    """No argument can overwrite what the end of Letta's script looks up: the bundler knows those names."""
    _, start, end = scripts[name][0].rpartition("__letta_raw_args = ")
    names = [node for node in ast.walk(ast.parse(start + end)) if isinstance(node, ast.Name)]
    bound = {node.id for node in names if isinstance(node.ctx, ast.Store)}
    looked_up = {node.id for node in names if isinstance(node.ctx, ast.Load)}
    own = {name, "coerce_dict_args_by_annotations", "_TempResultWrapper", "e", *trapped(name, 0)}

    assert set() == looked_up - bound - own - LETTA_NAMES
