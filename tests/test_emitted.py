"""What ships: every tool's emitted text, as Letta stores it, alone in a process, and in Letta's own script."""

import ast
import functools
import inspect
import itertools
import json
import subprocess
import sys
import uuid
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from sanctum_venice_tools.emulator.process import LocalVenice
from sanctum_venice_tools.letta import local_server
from sanctum_venice_tools.letta.local_server.installation import install
from sanctum_venice_tools.packing.bundle import LONGEST_NAME, bundle, tool_files
from sanctum_venice_tools.packing.dialect import LETTA_NAMES, THIRD_PARTY
from sanctum_venice_tools.packing.layout import GUARD, HEADER
from sanctum_venice_tools.packing.schema import schema_of, typed_schema_of
from tests.conftest import compiled, meant_by, objects_needed, plain_call, text_arguments

PROJECT = Path(__file__).resolve().parents[1]
LETTA_PYTHON = local_server.ENVIRONMENT / "bin" / "python"
# What is installed here, but not in every sandbox.
ELSEWHERE = (
    "sanctum_venice_tools",
    "letta_client",
    "pydantic",
    "click",
    "rich",
    "docstring_parser",
    "letta",
)

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


@dataclass(frozen=True)
class Parsed:
    """What tests look at of a text that Python's parser has read; the whole tree would weigh on all that follows."""

    tool: ast.FunctionDef
    """The function that Letta takes as the tool: the last one that it meets, going down level by level."""
    imported: set[str]
    """The modules that it imports, wherever in it."""


@functools.cache
def parsed(text: str) -> Parsed:
    """A text as Python's parser reads it, which takes long."""
    nodes = list(ast.walk(ast.parse(text)))
    imported = {
        alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names
    }
    imported |= {node.module or "" for node in nodes if isinstance(node, ast.ImportFrom)}
    return Parsed([node for node in nodes if isinstance(node, ast.FunctionDef)][-1], imported)


# --- as a text ---


@for_every_tool
def test_says_where_it_comes_from(name: str, texts: dict[str, str]) -> None:
    """It begins with where to edit the tool, and what it needs."""
    source = f"sanctum_venice_tools/tools/{name}.py"
    first, second, *_ = texts[name].split("\n")

    assert f"# {name}: a Letta tool, made from {source}." == first
    assert second.startswith("# It needs httpx and VENICE_API_KEY.")
    assert (PROJECT / source).is_file()


@for_every_tool
def test_guards_its_arguments(name: str, texts: dict[str, str]) -> None:
    """The first statements hide Letta's re-reading of arguments, under a comment that says why."""
    lines = texts[name].split("\n")
    guard = next(place for place, line in enumerate(lines) if "letta.functions.ast_parsers" in line)

    assert (
        'sys.modules.setdefault("letta.functions.ast_parsers", None)'
        == lines[guard].partition("  #")[0]
    )
    assert {"import gc", "import sys", ""} == {
        line for line in lines[:guard] if not line.startswith("#")
    }
    assert "Hiding that module from this process keeps arguments as they were sent" in "\n".join(
        lines[:guard]
    )


@for_every_tool
def test_is_formatted(name: str, unformatted: str) -> None:
    """A text is laid out as `ruff format` lays out files of this project."""
    assert f"{name}.py" not in unformatted


@pytest.fixture(scope="module")
def unformatted(folder_of_texts: Path) -> str:
    """What `ruff format --check` says of all texts."""
    config = ["--config", str(PROJECT / "pyproject.toml")]
    return ruff("format", "--check", *config, str(folder_of_texts))


@pytest.fixture(scope="module")
def folder_of_texts(texts: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All texts as files."""
    folder = tmp_path_factory.mktemp("texts")
    for name, text in texts.items():
        (folder / f"{name}.py").write_text(text, encoding="utf-8")
    return folder


def ruff(*words: str) -> str:
    """What ruff says; it ends with 1 where it finds something, and with more where it could not look."""
    command = [sys.executable, "-m", "ruff", *words]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert (True, "") == (done.returncode in (0, 1), done.stderr)
    return done.stdout


@for_every_tool
def test_has_the_shape_that_letta_takes(name: str, texts: dict[str, str]) -> None:
    """The last function is the tool; its parameters are its schema's, keyword-only, and overwrite nothing."""
    tool = parsed(texts[name]).tool
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
    exec(compiled(name, texts[name]), space)  # noqa: S102  # what ships is what is tested

    assert {parameter: f"the {parameter}" for parameter in parameters} == {
        one: space[one] for one in parameters
    }


@for_every_tool
def test_imports_only_what_a_sandbox_has(name: str, texts: dict[str, str]) -> None:
    """The standard library and httpx are all that a text imports, wherever in it."""
    packages = {module.partition(".")[0] for module in parsed(texts[name]).imported}

    assert set() == packages - sys.stdlib_module_names - THIRD_PARTY


@for_every_tool
def test_has_no_loose_names(name: str, loose: str) -> None:
    """Nothing in a text is undefined, unused or defined twice, says ruff."""
    assert [] == [line for line in loose.splitlines() if f"{name}.py" in line]


@pytest.fixture(scope="module")
def loose(folder_of_texts: Path) -> str:
    """What `ruff check` says of all texts."""
    options = ["--isolated", "--select", "F", "--output-format", "concise"]
    return ruff("check", *options, str(folder_of_texts))


@pytest.mark.slow
def test_has_sound_types(texts: dict[str, str], tmp_path: Path) -> None:
    """Every text passes mypy's strict checks by itself."""
    for name, text in texts.items():
        (tmp_path / f"{name}.py").write_text(text, encoding="utf-8")
    command = [
        sys.executable,
        "-m",
        "mypy",
        "--config-file=",
        "--strict",
        "--cache-dir",
        str(PROJECT / ".local" / "mypy-of-texts"),
        ".",
    ]
    done = subprocess.run(
        command, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=60
    )

    assert (0, "") == (done.returncode, done.stderr), done.stdout


# --- alone ---


@pytest.mark.slow
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
    environment = {
        "VENICE_API_KEY": venice.key,
        "VENICE_BASE_URL": venice.base_url,
        "VENICE_MEDIA_DIR": str(tmp_path),
    }
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

def sandbox_of(text, schema):
    tool = Tool(name=schema["name"], source_code=text, json_schema=schema)
    return Sandbox(tool.name, {}, None, tool_id=tool.id, tool_object=tool)

async def render(calls):
    sandboxes = {}  # one for each text: a sandbox reads its tool's text when it is new, and that takes long
    for call in calls:
        text = call["text"]
        if text not in sandboxes:
            sandboxes[text] = sandbox_of(text, call["schema"])
        sandboxes[text].args = call["arguments"]
        yield await sandboxes[text].generate_execution_script(None, wrap_print_with_markers=True)

async def main():
    for calls in map(json.loads, sys.stdin):
        print(json.dumps([script async for script in render(calls)]), flush=True)

asyncio.run(main())
"""

# One process for all scripts, for its imports take a second; what a text hides is shown again
# before the next.
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


def letta_environment(home: Path) -> dict[str, str]:
    """What a process of the local Letta environment is given."""
    return {"HOME": str(home), "LETTA_DIR": str(home), "PYTHONWARNINGS": "ignore"}


def in_letta(program: str, scripts: list[str], home: Path) -> bytes:
    """What a program prints in the local Letta environment, given scripts as JSON on its standard input."""
    done = subprocess.run(
        [str(LETTA_PYTHON), "-c", program],
        input=json.dumps(scripts).encode(),
        env=letta_environment(home),
        cwd=home,
        capture_output=True,
        check=False,
        timeout=60,
    )
    assert 0 == done.returncode, done.stderr.decode()
    return done.stdout


Render = Callable[[list[dict[str, Any]]], list[str]]


@pytest.fixture(scope="session")
def render(letta_home: Path) -> Iterator[Render]:
    """Have Letta make the scripts of calls; one process makes all, for Letta takes seconds to load."""
    said = letta_home / "render.log"
    with (
        said.open("w") as log,
        subprocess.Popen(
            [str(LETTA_PYTHON), "-c", RENDER],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            env=letta_environment(letta_home),
            cwd=letta_home,
            text=True,
        ) as process,
    ):
        assert process.stdin
        assert process.stdout
        asked, answered = process.stdin, process.stdout

        def make(calls: list[dict[str, Any]]) -> list[str]:
            asked.write(json.dumps(calls) + "\n")
            asked.flush()
            line = answered.readline()
            assert line, said.read_text()
            return list(json.loads(line))

        yield make
        asked.close()


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
    lines = text.split("\n")[: parsed(text).tool.body[0].lineno - 1]
    return "\n".join([*lines, '    return __import__("json").dumps(locals())\n'])


def trapped(name: str, turn: int) -> dict[str, str | list[str]]:
    """A trap for each of the tool's parameters that take any text or a list of texts; each turn another one."""
    return text_arguments(name, itertools.islice(itertools.cycle(TRAPS), turn, None))


def call_with_traps(name: str, turn: int) -> dict[str, Any]:
    """A call that has those traps, and all else that the tool needs."""
    return objects_needed(name) | trapped(name, turn)


@pytest.fixture(scope="session")
def letta_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder for what Letta writes, once Letta is installed."""
    install(print)
    return tmp_path_factory.mktemp("letta")


@pytest.fixture(scope="session")
def scripts(texts: dict[str, str], render: Render) -> dict[str, str]:
    """By tool, the script that Letta makes of its text and a trap for each argument."""
    calls = [
        {"text": echo(text), "schema": schema_of(name), "arguments": call_with_traps(name, turn)}
        for turn, (name, text) in enumerate(texts.items())
    ]
    return dict(zip(texts, render(calls), strict=True))


@pytest.fixture(scope="session")
def outcomes(scripts: dict[str, str], letta_home: Path) -> dict[str, tuple[Any, bool]]:
    """By tool, what came of its script."""
    found = run_scripts([*scripts.values()], letta_home)
    return dict(zip(scripts, found, strict=True))


@pytest.mark.server
@pytest.mark.parametrize(("turn", "name"), [*enumerate(tool_files())])
def test_gets_its_arguments_unchanged(
    turn: int, name: str, outcomes: dict[str, tuple[Any, bool]]
) -> None:
    """Every parameter of the tool gets its text as meant, and Letta's server is not loaded."""
    got, is_letta_loaded = outcomes[name]
    meant = meant_by(name, trapped(name, turn))

    assert meant == {parameter: got[parameter] for parameter in meant}
    assert not is_letta_loaded


@pytest.mark.server
def test_needs_its_guard(render: Render, letta_home: Path) -> None:
    """Without the guard line Letta does change an argument: once it no longer does, the line can go."""
    text = HEADER.format(name="venice_demo", package="sanctum_venice_tools", guard=GUARD)
    text += "def venice_demo(*, word: str) -> str:\n    return __import__('json').dumps(word)\n"
    schema = {
        "name": "venice_demo",
        "parameters": {"type": "object", "properties": {"word": {"type": "string"}}},
    }
    calls = [
        {"text": one, "schema": schema, "arguments": {"word": "1.10"}}
        for one in (text, text.replace("sys.modules.setdefault(", "sys.modules.get("))
    ]

    assert [("1.10", False), ("1.1", True)] == run_scripts(render(calls), letta_home)


@pytest.mark.server
@for_every_tool
def test_knows_the_names_that_letta_uses_after_it(name: str, scripts: dict[str, str]) -> None:
    """No argument can overwrite what the end of Letta's script looks up: the bundler knows those names."""
    _, start, end = scripts[name].rpartition("__letta_raw_args = ")
    names = [node for node in ast.walk(ast.parse(start + end)) if isinstance(node, ast.Name)]
    bound = {node.id for node in names if isinstance(node.ctx, ast.Store)}
    looked_up = {node.id for node in names if isinstance(node.ctx, ast.Load)}
    arguments = {*objects_needed(name), *trapped(name, 0)}
    own = {name, "coerce_dict_args_by_annotations", "_TempResultWrapper", "e", *arguments}

    assert set() == looked_up - bound - own - LETTA_NAMES


# --- what models send in the place of an argument ---

CANARY = "canary"

# That there is none, and what would run as code: each argument gets these.
FOR_EACH_ARGUMENT: list[Any] = [
    None,
    "null",
    f"[] if open({CANARY!r}, 'w').write('ran') else []",
    "__import__('os').mkdir('canary')",
    "'\"\n\\\"\"\"'''",
]
# How these are read is a matter of an argument's type alone: one argument of each type gets them.
FOR_EACH_TYPE: list[Any] = [
    *("hello", 3, 1.5, True, ["a", "b"], [{"role": "user"}], {"seed": 1}),
    *("3", "1.5", "TRUE", '["a", "b"]', '[{"role": "user"}]', '{"seed": 1}'),
    *("['a', 'b']", '["a"'),
]

# As RUN, but for tools that may fail: an error's line is an outcome, too. Results hold any byte, so
# this ends each.
END = "=== the end of one script ===\n"
TRY = f"""
import json, sys

for script in json.load(sys.stdin):
    sys.modules.pop("letta.functions.ast_parsers", None)
    try:
        exec(compile(script, "script.py", "exec"), {{"__name__": "__main__"}})
    except Exception as error:
        print(json.dumps(f"{{type(error).__name__}}: {{error}}"), end="")
    print(end={END!r}, flush=True)
"""


def readings(value: Any) -> list[Any]:
    """All that a value may be meant as: itself, what it holds as JSON or Python, as a text, and as a list of one."""
    meant = [value]
    if isinstance(value, str):
        for read in (json.loads, ast.literal_eval):
            with suppress(ValueError, SyntaxError):
                parsed = read(value.lower() if value == "TRUE" else value)
                meant += [
                    parsed,
                    *([[json.dumps(item) for item in parsed]] if isinstance(parsed, list) else []),
                ]
    else:
        meant.append(json.dumps(value))
    if isinstance(value, list):
        meant += [
            [json.dumps(item) for item in value],
            *([json.dumps(value[0])] if len(value) == 1 else []),
        ]
    return [*meant, *([one] for one in meant)]


def boundary_of(name: str, folder: Path) -> str:
    """The text of a tool of the same name and signature that gives back its arguments, and has nothing else in it."""
    path = tool_files()[name]
    tool = parsed(path.read_text(encoding="utf-8")).tool
    head = path.read_text(encoding="utf-8").split("\n")[
        tool.decorator_list[-1].lineno - 1 : tool.body[0].lineno - 1
    ]
    lines = [
        "import json",
        "from typing import Any, Literal",
        "from sanctum_venice_tools.runtime.arguments import _read_as_meant",
        *head,
        "    return json.dumps(locals())",
        "",
    ]
    small = folder / path.name
    small.write_text("\n".join(lines), encoding="utf-8")
    return bundle(small)


def parameters_of(name: str) -> Mapping[str, inspect.Parameter]:
    """The parameters of a tool's signature."""
    tool = getattr(import_module(f"sanctum_venice_tools.tools.{name}"), name)
    return inspect.signature(tool).parameters


def form_of(name: str, argument: str) -> dict[str, Any]:
    """The schema of an argument's values; of a tool that reads a list too, the typed schema names the object alone."""
    if parameters_of(name)[argument].annotation == dict[str, Any] | list[Any]:
        return {"type": ["object", "array"]}
    return dict(typed_schema_of(name)["parameters"]["properties"][argument])


@functools.cache
def first_of_each_type() -> frozenset[tuple[str, str]]:
    """For each type of an argument that must be given, or may be: the first tool that has one, and its name there."""
    first: dict[tuple[str, bool], tuple[str, str]] = {}
    for name in tool_files():
        for argument, parameter in parameters_of(name).items():
            is_needed = parameter.default is inspect.Parameter.empty
            first.setdefault((str(parameter.annotation), is_needed), (name, argument))
    return frozenset(first.values())


def calls_with_values(name: str) -> list[tuple[str, dict[str, Any]]]:
    """Each argument with the values that it gets, in calls that have all that the tool needs."""
    parameters = typed_schema_of(name)["parameters"]
    needed = dict.fromkeys(parameters["required"], "fox")
    calls = []
    for argument in parameters["properties"]:
        values = list(FOR_EACH_ARGUMENT)
        if (name, argument) in first_of_each_type():
            values += FOR_EACH_TYPE
        calls += [(argument, needed | {argument: value}) for value in values]
    return calls


def outcomes_of(scripts: list[str], home: Path) -> list[Any]:
    """What came of each of Letta's own scripts: the arguments as the tool got them, or an error's line."""
    return [_outcome(told) for told in in_letta(TRY, scripts, home).split(END.encode())[:-1]]


def _outcome(told: bytes) -> Any:
    _, found, frame = told.partition(MARKER)
    if not found:
        return json.loads(told)
    result, _ = json.JSONDecoder().raw_decode(frame[PREFIX:].decode())
    return json.loads(result["results"])


@pytest.fixture(scope="session")
def tried(
    render: Render, letta_home: Path, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, list[Any]]:
    """By tool, what came of its calls with traps, and then of those with values; one run for all."""
    folder = tmp_path_factory.mktemp("boundaries")
    calls: list[dict[str, Any]] = []
    for name in tool_files():
        script = {"text": boundary_of(name, folder), "schema": schema_of(name)}
        with_traps = [call_with_traps(name, turn) for turn in range(len(TRAPS))]
        with_values = [call for _, call in calls_with_values(name)]
        calls += [script | {"arguments": call} for call in with_traps + with_values]

    outcomes = iter(outcomes_of(render(calls), letta_home))
    counts = Counter(call["schema"]["name"] for call in calls)
    found = {name: [*itertools.islice(outcomes, count)] for name, count in counts.items()}
    assert [] == [*outcomes]
    return found


@pytest.mark.server
@for_every_tool
def test_reads_any_text_as_it_was_sent(name: str, tried: dict[str, list[Any]]) -> None:
    """Whatever text a model sends, every parameter that takes one gets it as meant."""
    got = tried[name][: len(TRAPS)]
    for turn, outcome in enumerate(got):
        meant = meant_by(name, trapped(name, turn))

        assert meant == {parameter: outcome[parameter] for parameter in meant}
    assert len(TRAPS) == len(got)


@pytest.mark.server
@for_every_tool
def test_no_argument_is_code_and_each_is_read_or_refused(
    name: str, tried: dict[str, list[Any]], letta_home: Path
) -> None:
    """Whatever is sent for an argument: none of it runs, null leaves it out, the rest is read or gets our line."""
    required = typed_schema_of(name)["parameters"]["required"]
    outcomes = tried[name][len(TRAPS) :]
    for (argument, call), outcome in zip(calls_with_values(name), outcomes, strict=True):
        value = call[argument]
        if isinstance(outcome, str):
            about = (
                f"The argument '{argument}' is missing."
                if value is None
                else f"'{argument}' must be "
            )
            assert outcome.startswith(f"VeniceError: {about}"), (argument, value)
            assert 1 == len(outcome.splitlines())
        elif value in (None, "null") and argument not in required:
            assert meant_by(name, {argument: "null"})[argument] == outcome[argument]
        else:
            jsonschema.validate(outcome[argument], form_of(name, argument))
            assert outcome[argument] in readings(value), (argument, value)
    assert not (letta_home / CANARY).exists()


def hostile_call(argument: str) -> dict[str, str]:
    """A call of venice_chat with Python in the place of a list."""
    (hostile,) = [value for value in FOR_EACH_ARGUMENT if str(value).startswith("[] if open")]
    return {"prompt": "hi", argument: hostile}


@pytest.mark.server
def test_lists_would_be_code(render: Render, letta_home: Path, tmp_path: Path) -> None:
    """Told the types of the signature, Letta does run what is sent for a list; once it does not, it may be told."""
    text, schema = boundary_of("venice_chat", tmp_path), typed_schema_of("venice_chat")

    scripts = render([{"text": text, "schema": schema, "arguments": hostile_call("images")}])
    outcomes_of(scripts, letta_home)

    assert "ran" == (letta_home / CANARY).read_text()
    (letta_home / CANARY).unlink()


NAME_AS_CODE = f"[open({CANARY!r}, 'w').write('ran')][0]"
NAMES = [NAME_AS_CODE, f"dict(\n__letta_raw_args = {{}}, a={NAME_AS_CODE})['a']", "imagse"]


@pytest.fixture(scope="session")
def scripts_with_names(
    render: Render, tmp_path_factory: pytest.TempPathFactory
) -> dict[tuple[str, bool], str]:
    """The scripts of calls with an argument of each name, by name and whether the tool checks names."""
    checking = boundary_of("venice_chat", tmp_path_factory.mktemp("names"))
    texts = {True: checking, False: checking.replace("    _check_names(tool)\n", "")}
    cases = [(name, is_checked) for name in NAMES for is_checked in texts]
    calls = [
        {
            "text": texts[is_checked],
            "schema": schema_of("venice_chat"),
            "arguments": {"prompt": "hi", name: "x"},
        }
        for name, is_checked in cases
    ]
    return dict(zip(cases, render(calls), strict=True))


@pytest.mark.server
@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("is_checked", [True, False], ids=["checked", "unchecked"])
def test_no_name_of_an_argument_is_code(
    scripts_with_names: dict[tuple[str, bool], str], tmp_path: Path, name: str, *, is_checked: bool
) -> None:
    """Letta writes names into its script as well: those that the tool does not know end the call before they run."""
    (tmp_path / "script.py").write_text(scripts_with_names[name, is_checked])
    done = subprocess.run(
        [str(LETTA_PYTHON), "script.py"], cwd=tmp_path, capture_output=True, check=False, timeout=60
    )

    assert (not is_checked and name != "imagse") == (tmp_path / CANARY).exists()
    assert is_checked == (b"VeniceError: There is no argument " in done.stderr)
