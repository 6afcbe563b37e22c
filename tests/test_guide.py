"""docs/guide.md: every call on that page is one that the tools take, and that ends well at the local Venice."""

import ast
import base64
import json
import re
import textwrap
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from sanctum_venice_tools.emulator.process import LocalVenice, running_venice
from sanctum_venice_tools.packing.bundle import tool_files
from sanctum_venice_tools.packing.schema import typed_schema_of
from tests.tools.conftest import PICTURE

PAGE = Path(__file__).resolve().parents[1] / "docs" / "guide.md"
CODE = re.compile(r"^```python\n(?P<block>.*?)^```|`(?P<words>[^`\n]+)`", re.DOTALL | re.MULTILINE)

# Files that the page names, and what it leaves to the reader: what only a person has, and where an
# answer has the rest.
PICTURES = ("input_image.png", "mask.png", "low_res_image.png", "static_image.png")
OWN = {"address": f"0x{'45' * 20}", "signature": f"0x{'ab' * 65}"}
ANSWERED = {"job": "job", "file": "file", "token": "token", "key_id": "id"}
LEFT_OUT = "..."

# What the local Venice says of the weather: it has no mind, so the call that the guide expects is
# in its script.
WEATHER = {
    "when": "weather",
    "calls": [{"name": "get_weather", "arguments": {"location": "Paris"}}],
    "then": "It is {get_weather.temperature} degrees.",
}


@dataclass(frozen=True)
class Call:
    """A call on the page."""

    line: int
    tool: str
    arguments: dict[str, Any]

    def __str__(self) -> str:
        """Where it stands, and enough of it to be found."""
        return textwrap.shorten(f"docs/guide.md:{self.line}: {self.tool}({self.arguments})", 160)


class Inline(ast.NodeTransformer):
    """Puts the values of names in their place."""

    def __init__(self) -> None:
        self.values: dict[str, ast.expr] = {}

    def visit_Name(self, node: ast.Name) -> ast.expr:
        """The value, if this name was given one."""
        return self.values.get(node.id, node)


def tools_on(page: str) -> Iterator[tuple[int, ast.expr]]:
    """Each tool that a page names in code, called or not, with its line; faulty code is an error there."""
    for found in CODE.finditer(page):
        line = page.count("\n", 0, found.start()) + 1
        code = found["block"] or found["words"]
        if found["words"] and not code.startswith("venice_"):
            continue
        try:
            statements = ast.parse(code).body
        except SyntaxError as error:
            raise AssertionError(f"docs/guide.md:{line}: {error.msg}: {code:.100}") from None
        names = Inline()
        for statement in statements:
            if isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Name):
                names.values[statement.targets[0].id] = statement.value
            else:
                assert isinstance(statement, ast.Expr), (
                    f"docs/guide.md:{line}: not a call: {code:.100}"
                )
                yield (
                    line + (statement.lineno if found["block"] else 0),
                    names.visit(statement.value),
                )


def calls_on(page: str) -> list[Call]:
    """Every call of a tool on a page, in its order."""
    calls = []
    for line, node in tools_on(page):
        if isinstance(node, ast.Call):
            assert not node.args, f"docs/guide.md:{line}: each argument needs its name"
            given = {str(keyword.arg): ast.literal_eval(keyword.value) for keyword in node.keywords}
            calls.append(Call(line, ast.unparse(node.func), given))
    return calls


CALLS = calls_on(PAGE.read_text(encoding="utf-8"))


def test_names_only_tools_that_there_are() -> None:
    """Each tool that the page names, with or without arguments, is one of the pack."""
    named = {
        ast.unparse(getattr(node, "func", node))
        for _, node in tools_on(PAGE.read_text(encoding="utf-8"))
    }

    assert set() == named - set(tool_files())


@pytest.mark.parametrize("call", CALLS, ids=str)
def test_gives_arguments_that_the_tool_takes(call: Call) -> None:
    """Every argument is one of the tool's schema, of its type and among its values, and none is missing."""
    parameters = typed_schema_of(call.tool)["parameters"] | {"additionalProperties": False}

    jsonschema.validate(call.arguments, parameters)


@pytest.fixture
def fresh_venice(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[LocalVenice]:
    """A local Venice of this test alone, for its money is spent here, and a media store with the page's files."""
    media = tmp_path / "media"
    media.mkdir()
    for name in PICTURES:
        (media / name).write_bytes(base64.b64decode(PICTURE.partition(",")[2]))
    (media / "report.txt").write_text("Foxes live in cities now.\n", encoding="utf-8")
    script = tmp_path / "script.json"
    script.write_text(json.dumps([WEATHER]), encoding="utf-8")
    # A film takes no time here, so neither does waiting for it.
    nap = time.sleep
    monkeypatch.setattr(time, "sleep", lambda seconds: nap(min(seconds, 0.1)))
    with running_venice(script=script, job_seconds=0) as venice:
        monkeypatch.setenv("VENICE_BASE_URL", venice.base_url)
        monkeypatch.setenv("VENICE_API_KEY", venice.key)
        yield venice


@pytest.mark.slow
@pytest.mark.usefixtures("fresh_venice")
def test_every_call_ends_well(load_tool: Callable[[str], Callable[..., str]]) -> None:
    """Made one after the other, as a reader would, each call gets an answer, with all that the page says it has."""
    known: dict[str, Any] = {}
    said = []
    failures = []
    for call in CALLS:
        try:
            given = {
                name: (OWN.get(name) or known[ANSWERED[name]]) if value == LEFT_OUT else value
                for name, value in call.arguments.items()
            }
            reply = json.loads(load_tool(call.tool)(**given))
        except Exception as error:  # noqa: BLE001  # whatever it is, the other calls are made too
            failures.append(f"{call}: {type(error).__name__}: {error}")
            continue
        known |= reply
        if call.tool in ("venice_retrieve_video", "venice_make_video") and "file" not in reply:
            failures.append(f"{call}: no film, but {reply}")
        if "get_weather" in str(call.arguments):
            said.append((reply["finish_reason"], reply.get("answer")))

    assert not failures, "\n" + "\n".join(failures)
    assert [("tool_calls", None), ("stop", "It is 22 degrees.")] == said
