"""The bundler: what it refuses, what it carries, and that its text says what the authored modules say."""

import os
import re
import subprocess
import sys
import tempfile
import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sanctum_venice_tools.packing import layout
from sanctum_venice_tools.packing.bundle import BundleError, bundle, tool_files
from sanctum_venice_tools.packing.dialect import LETTA_NAMES, PACKAGE

Write = Callable[..., Path]


def demo(value: str = "word") -> str:
    """A tool that returns the value of an expression."""
    return f"def venice_demo(*, word: str) -> str:\n    return {value}\n"


DEMO = demo()


def write_package(folder: Path, tool: str, name: str = "venice_demo", **runtime: str) -> Path:
    """Write a package of one tool and its runtime modules; return the tool's file."""
    for part, files in (("tools", {name: tool}), ("runtime", runtime)):
        (folder / part).mkdir()
        for stem, source in files.items():
            (folder / part / f"{stem}.py").write_text(textwrap.dedent(source), encoding="utf-8")
    return folder / "tools" / f"{name}.py"


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Write a package into this test's folder."""
    return lambda tool, **others: write_package(tmp_path, tool, **others)


def bundled(tool: Path) -> str:
    """The text of a written tool, without what stands in every text."""
    text = bundle(tool, package=tool.parents[1]).partition("[arg-type]\n")[2]
    title = layout.TOOL.format(package="sanctum_venice_tools", name=tool.stem)
    return text.replace(layout.FREEZE, "").replace(f"\n\n{title}\n", "")


def faults_of(tool: Path) -> list[str]:
    """What the bundler says of a written tool, its files named from the package on."""
    with pytest.raises(BundleError) as refused:
        bundle(tool, package=tool.parents[1])
    return str(refused.value).replace(f"{tool.parents[1]}/", "").split("\n")


def run(program: str, **environment: str) -> str:
    """What a program prints in a fresh interpreter that sees the standard library only."""
    command = [sys.executable, "-I", "-S", "-c", program]
    done = subprocess.run(
        command, capture_output=True, text=True, check=True, env=environment, timeout=30
    )
    return done.stdout


def value_of(text: str, *, word: str = "hello") -> str:
    """What the demo tool answers when its text runs alone."""
    return run(f"{text}\nprint(venice_demo(word={word!r}), end='')")


# --- what is refused ---

NO_MODULE = (
    "1: a tool borrows by name, and from sanctum_venice_tools.runtime only: "
    "from sanctum_venice_tools.runtime.venice import ..."
)
NO_STATEMENT = "only imports, constants, functions and classes stand at the top level"
KEYWORDS_ONLY = "1: every parameter stands after a bare *: Letta changes the values of the others"
STR_ONLY = "1: a tool returns str: Letta shows an agent anything else as a Python repr"
FUNCTION_LAST = "1: venice_demo must be a function, and the last thing in its file"

BAD_TOOLS = {
    "future": (
        "from __future__ import annotations\n",
        "1: a __future__ import would stand in the middle of Letta's script, a SyntaxError",
    ),
    "relative import": (
        "from ..runtime.base import helper\n",
        "1: no relative import: name the module from sanctum_venice_tools on",
    ),
    "star import": ("from json import *\n", "1: import by name, not *"),
    "star loan": ("from sanctum_venice_tools.runtime.base import *\n", "1: import by name, not *"),
    "loan renamed": (
        "from sanctum_venice_tools.runtime.base import helper as mine\n",
        "1: no 'as': helper keeps its name in the text",
    ),
    "package imported": ("import sanctum_venice_tools.runtime.base as base\n", NO_MODULE),
    "module loaned": ("from sanctum_venice_tools.runtime import base\n", NO_MODULE),
    "third party": (
        "import re\nimport pydantic\n",
        "2: a tool may need the standard library and httpx, not pydantic",
    ),
    "third party by name": (
        "from PIL.Image import open\n",
        "1: a tool may need the standard library and httpx, not PIL",
    ),
    "dotted import": (
        "import urllib.parse\n",
        "1: urllib.parse binds only a part of itself: from urllib import parse",
    ),
    "nested function": (
        "def outer():\n    def inner():\n        pass\n",
        "2: inner stands inside outer: move it to the top level",
    ),
    "nested async function": (
        "def outer():\n    async def inner():\n        pass\n",
        "2: inner stands inside outer: move it to the top level",
    ),
    "nested class": (
        "def outer():\n    class Inner:\n        pass\n",
        "2: Inner stands inside outer: move it to the top level",
    ),
    "method": (
        "class Box:\n    def open(self):\n        pass\n",
        "2: open stands inside Box: move it to the top level",
    ),
    "async function": (
        "async def wait():\n    pass\n",
        "1: Letta finds no async function: write a plain one",
    ),
    "statement": ("import os\n\nos.umask(0)\n", f"3: {NO_STATEMENT}"),
    "main block": ("if __name__ == '__main__':\n    print('hello')\n", f"1: {NO_STATEMENT}"),
    "second docstring": ('"""First."""\n"""Second."""\n', f"2: {NO_STATEMENT}"),
    "tuple unpacking": ("_LOW, _HIGH = 1, 2\n", f"1: {NO_STATEMENT}"),
    "chained assignment": ("_LOW = _HIGH = 1\n", f"1: {NO_STATEMENT}"),
    "augmented assignment": ("_LIMIT = 1\n_LIMIT += 1\n", f"2: {NO_STATEMENT}"),
    "annotation without value": ("_LIMIT: int\n", f"1: {NO_STATEMENT}"),
    "walrus in a constant": (
        "_LIMIT = (word := 1) + 1\n",
        "1: no := here: it would define word beside _LIMIT",
    ),
    "defined twice": ("_LIMIT = 1\n_LIMIT = 2\n", "2: _LIMIT is defined twice"),
    "imported and defined": ("import re\n\ndef re():\n    pass\n", "3: re is defined twice"),
    "imported twice": ("import json as text\nimport re as text\n", "2: text is defined twice"),
    "borrowed and defined": (
        "from sanctum_venice_tools.runtime.base import helper\nhelper = 1\n",
        "2: helper is defined twice",
    ),
    "Letta's name defined": (
        "def print():\n    pass\n",
        "1: print is a name that Letta's script uses: rename it",
    ),
    "Letta's name imported": (
        "import json as hashlib\n",
        "1: hashlib is a name that Letta's script uses: rename it",
    ),
    "missing runtime module": (
        "from sanctum_venice_tools.runtime.gone import helper, other\n",
        "1: there is no sanctum_venice_tools.runtime.gone",
    ),
    "missing nested runtime module": (
        "from sanctum_venice_tools.runtime.base.inner import helper\n",
        "1: there is no sanctum_venice_tools.runtime.base.inner",
    ),
    "missing runtime name": (
        "from sanctum_venice_tools.runtime.base import gone\n",
        "1: sanctum_venice_tools.runtime.base does not define gone",
    ),
    "loan handed on": (
        "from sanctum_venice_tools.runtime.base import json\n",
        "1: sanctum_venice_tools.runtime.base does not define json",
    ),
}


@pytest.mark.parametrize(("source", "fault"), BAD_TOOLS.values(), ids=BAD_TOOLS)
def test_refuses_what_is_not_of_the_dialect(source: str, fault: str, write: Write) -> None:
    """A file that Letta could not run as one text is refused with its line, and with nothing else."""
    tool = write(source + DEMO, base="import json\n\ndef helper():\n    return json.dumps(1)\n")

    assert [f"tools/venice_demo.py:{fault}"] == faults_of(tool)


def test_a_missing_module_hides_no_missing_name(write: Write) -> None:
    """All that is wrong with what a tool borrows is told at once."""
    tool = write(
        "from sanctum_venice_tools.runtime.gone import other\n"
        "from sanctum_venice_tools.runtime.base import missing\n" + DEMO,
        base="VALUE = 1\n",
    )

    assert [
        "tools/venice_demo.py:1: there is no sanctum_venice_tools.runtime.gone",
        "tools/venice_demo.py:2: sanctum_venice_tools.runtime.base does not define missing",
    ] == faults_of(tool)


BAD_FUNCTIONS = {
    "none": ("_LIMIT = 1\n", "1: there is no function venice_demo, which this file is named for"),
    "empty file": ("", "1: there is no function venice_demo, which this file is named for"),
    "constant": ("venice_demo = 1\n", FUNCTION_LAST),
    "class": ("class venice_demo:\n    pass\n", FUNCTION_LAST),
    "not last": (f"{DEMO}\ndef _after():\n    pass\n", FUNCTION_LAST),
    "constant after": (f"{DEMO}\n_AFTER = 1\n", FUNCTION_LAST),
    "positional parameter": (
        "def venice_demo(word: str) -> str:\n    return word\n",
        KEYWORDS_ONLY,
    ),
    "positional-only parameter": (
        "def venice_demo(word: str, /) -> str:\n    return word\n",
        KEYWORDS_ONLY,
    ),
    "args": ("def venice_demo(*words: str) -> str:\n    return words[0]\n", KEYWORDS_ONLY),
    "kwargs": ("def venice_demo(**words: str) -> str:\n    return words['a']\n", KEYWORDS_ONLY),
    "returns dict": ("def venice_demo(*, word: str) -> dict:\n    return {word: 1}\n", STR_ONLY),
    "returns nothing said": ("def venice_demo(*, word: str):\n    return word\n", STR_ONLY),
    "undefined": (
        "def venice_demo(*, word: str) -> str:\n    return word + _suffix\n",
        "1: _suffix, used by venice_demo, is defined nowhere",
    ),
    "undefined in a helper": (
        f"def _twice(word: str) -> str:\n    return word * _times\n\n{demo('_twice(word)')}",
        "1: _times, used by _twice, is defined nowhere",
    ),
    "file name as global": (
        "def venice_demo(*, word: str) -> str:\n    return word + __file__\n",
        "1: __file__, used by venice_demo, is defined nowhere",
    ),
    "syntax error": ("X = 1\ndef venice_demo(:\n", "2: invalid syntax"),
    "syntax error that parsing lets pass": (
        f"def _stray():\n    break\n{DEMO}",
        "2: 'break' outside loop",
    ),
}


@pytest.mark.parametrize(("source", "fault"), BAD_FUNCTIONS.values(), ids=BAD_FUNCTIONS)
def test_refuses_a_tool_that_letta_would_not_call_rightly(
    source: str, fault: str, write: Write
) -> None:
    """The function that a file is named for must be there, whole, last, and callable by keywords alone."""
    assert [f"tools/venice_demo.py:{fault}"] == faults_of(write(source))


def test_refuses_an_async_tool(write: Write) -> None:
    """An async tool is named as what it is, not as missing."""
    assert [
        "tools/venice_demo.py:1: Letta finds no async function: write a plain one",
        f"tools/venice_demo.py:{FUNCTION_LAST}",
    ] == faults_of(write(f"async {DEMO}"))


@pytest.mark.parametrize(("length", "refused"), [(48, False), (49, True)])
def test_refuses_a_name_that_letta_would_refuse(
    length: int, *, refused: bool, write: Write
) -> None:
    """A name of 48 characters passes; a longer one does not."""
    name = "venice_".ljust(length, "x")
    tool = write(DEMO.replace("venice_demo", name), name=name)

    if refused:
        fault = f"tools/{name}.py:1: {name} is longer than the 48 characters that Letta allows"
        assert [fault] == faults_of(tool)
    else:
        assert f"def {name}(" in bundled(tool)


TAKEN = {
    "builtin that a constant uses": ("len", "_SIZE = len('abc')\n\n", "_SIZE"),
    "builtin that a helper uses": (
        "sum",
        "def _add(*numbers):\n    return sum(numbers)\n\n",
        "_add(1)",
    ),
    "import": ("json", "import json\n\ndef _dump():\n    return json.dumps(1)\n\n", "_dump()"),
    "import under another name": (
        "text",
        "import json as text\n\ndef _dump():\n    return text.dumps(1)\n\n",
        "_dump()",
    ),
    "function": (
        "_add",
        "def _add():\n    return 1\n\ndef _more():\n    return _add()\n\n",
        "_more()",
    ),
    "class": (
        "Box",
        "class Box:\n    size = 1\n\ndef _size():\n    return Box.size\n\n",
        "_size()",
    ),
    "constant": ("_LIMIT", "_LIMIT = 1\n\ndef _size():\n    return _LIMIT\n\n", "_size()"),
    "loan": ("helper", "from sanctum_venice_tools.runtime.base import use\n\n", "use()"),
    "the tool": ("venice_demo", "", "venice_demo"),
    **{f"Letta's {name}": (name, "", "1") for name in sorted(LETTA_NAMES)},
}


@pytest.mark.parametrize(("parameter", "before", "value"), TAKEN.values(), ids=TAKEN)
def test_refuses_a_parameter_that_would_overwrite_a_name(
    parameter: str, before: str, value: str, write: Write
) -> None:
    """Letta makes arguments globals, so no parameter may have the name of one that is looked up afterwards."""
    tool = write(
        f"{before}def venice_demo(*, {parameter}: str) -> str:\n    return f'{{{value}}}'\n",
        base="def helper():\n    return 1\n\ndef use():\n    return helper()\n",
    )

    line = before.count("\n") + 1
    assert [
        f"tools/venice_demo.py:{line}: the parameter {parameter} would overwrite a name that the text or Letta uses"
    ] == faults_of(tool)


@pytest.mark.parametrize(
    "parameter", ["format", "id", "type", "match", "json", "helper", "_unreached"]
)
def test_allows_a_parameter_named_like_what_the_text_does_not_use(
    parameter: str, write: Write
) -> None:
    """A builtin, an import or a definition that the text never looks up is free to be a parameter's name."""
    tool = write(
        "import json\nfrom sanctum_venice_tools.runtime.base import helper\n\n"
        "def _unreached():\n    return helper(json)\n\n"
        f"def venice_demo(*, {parameter}: str) -> str:\n    return {parameter}\n",
        base="def helper(value):\n    return value\n",
    )

    assert f"def venice_demo(*, {parameter}: str)" in bundled(tool)


def test_refuses_one_name_from_two_modules(write: Write) -> None:
    """Two modules may not lend the same name: in one text the second would replace the first."""
    tool = write(
        """\
        from sanctum_venice_tools.runtime.left import left
        from sanctum_venice_tools.runtime.right import right


        def venice_demo(*, word: str) -> str:
            return left() + right() + word
        """,
        left="def _same():\n    return 'left'\n\ndef left():\n    return _same()\n",
        right="def _same():\n    return 'right'\n\ndef right():\n    return _same()\n",
    )

    assert [
        (
            "runtime/left.py:4: _same is that of sanctum_venice_tools.runtime.left here, "
            "but that of sanctum_venice_tools.runtime.right elsewhere: rename one"
        )
    ] == faults_of(tool)


MEANINGS = {
    "import and import": (
        "from json import dumps as text",
        "from re import escape as text",
        "from re import escape as text here, but from json import dumps as text",
    ),
    "import and definition": (
        "import json as text",
        "text = str.upper",
        "that of sanctum_venice_tools.runtime.base here, but import json as text",
    ),
    "definition and builtin": ("hash = str.lower", "", "Python's own here, but the tool's own"),
    "builtin and definition": (
        "",
        "hash = str.lower",
        "that of sanctum_venice_tools.runtime.base here, but Python's own",
    ),
}


@pytest.mark.parametrize(("here", "there", "clash"), MEANINGS.values(), ids=MEANINGS)
def test_refuses_one_name_with_two_meanings(
    here: str, there: str, clash: str, write: Write
) -> None:
    """A name means one thing in the whole text, whether a definition, an import or a builtin."""
    used = "text" if "text" in here else "hash"
    tool = write(
        f"from sanctum_venice_tools.runtime.base import helper\n{here}\n"
        f"def venice_demo(*, word: str) -> str:\n    return helper({used})\n",
        base=f"{there}\ndef helper(value):\n    return {used}(value)\n",
    )

    assert [f"runtime/base.py:2: {used} is {clash} elsewhere: rename one"] == faults_of(tool)


def test_tells_the_tool_from_a_runtime_module_of_the_same_file_name(write: Write) -> None:
    """Two files of one name in two folders are two meanings all the same."""
    tool = write(
        "from sanctum_venice_tools.runtime.venice_demo import helper\n\ndef _same():\n    return 1\n\n"
        "def venice_demo(*, word: str) -> str:\n    return f'{_same()}{helper()}'\n"
    )
    lender = tool.parents[1] / "runtime" / "venice_demo.py"
    lender.write_text(
        "def _same():\n    return 2\n\ndef helper():\n    return _same()\n", encoding="utf-8"
    )

    assert [
        (
            "runtime/venice_demo.py:4: _same is that of sanctum_venice_tools.runtime.venice_demo here, "
            "but the tool's own elsewhere: rename one"
        )
    ] == faults_of(tool)


CIRCLES = {
    "two": {"left": "right", "right": "left"},
    "three": {"left": "middle", "middle": "right", "right": "left"},
    "itself": {"left": "left"},
}


@pytest.mark.parametrize("loans", CIRCLES.values(), ids=CIRCLES)
def test_refuses_modules_that_borrow_in_a_circle(loans: dict[str, str], write: Write) -> None:
    """What Python can't import, the bundler does not bundle; nor does it go round for ever."""
    tool = write(
        f"from sanctum_venice_tools.runtime.left import of_left\n{demo('of_left()')}",
        **{
            name: f"from sanctum_venice_tools.runtime.{lender} import of_{lender}\n\ndef of_{name}():\n    return 1\n"
            for name, lender in loans.items()
        },
    )

    closing = f"runtime/{list(loans)[-1]}.py:1"
    assert (
        f"{closing}: left needs this file itself: Python can't import what goes in a circle"
        in faults_of(tool)
    )


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        (b"# caf\xe9\n", "1: this file is not UTF-8 text"),
        (b"\xef\xbb\xbfX = 1\n", "1: invalid non-printable character U+FEFF"),
        (b"def helper(:\n", "1: invalid syntax"),
    ],
    ids=["latin-1", "byte order mark", "syntax error"],
)
def test_says_one_line_of_a_file_that_cannot_be_read(
    content: bytes, fault: str, write: Write
) -> None:
    """An unreadable lender is one fault of its own, not also one for each name borrowed from it."""
    tool = write(f"from sanctum_venice_tools.runtime.base import helper, other\n{DEMO}", base="")
    (tool.parents[1] / "runtime" / "base.py").write_bytes(content)

    assert [f"runtime/base.py:{fault}"] == faults_of(tool)


SHARED_LINES = {
    "two constants": ("_LEFT = 1; _RIGHT = 2\n", {"_LEFT": 1, "_RIGHT": 1}),
    "after an import": ("import re; _RIGHT = 2\n", {"_RIGHT": 1}),
    "before an import": ("_LEFT = 1; import re\n", {"_LEFT": 1}),
    "after a long text": ('_LEFT = """\n"""; _RIGHT = 2\n', {"_LEFT": 1, "_RIGHT": 2}),
    "over two lines": ("_LEFT = 1; \\\n_RIGHT = 2\n", {"_LEFT": 1, "_RIGHT": 2}),
}


@pytest.mark.parametrize(("source", "faulty"), SHARED_LINES.values(), ids=SHARED_LINES)
def test_refuses_definitions_that_share_a_line(
    source: str, faulty: dict[str, int], write: Write
) -> None:
    """Definitions are carried as whole lines, so each needs its lines to itself."""
    tool = write(source + demo("f'{" + ", ".join(faulty) + "}'"))

    if source.startswith("_LEFT = 1; \\"):
        del faulty["_RIGHT"]  # its own line holds nothing else
    assert [
        f"tools/venice_demo.py:{line}: {name} must have its lines to itself: no semicolons"
        for name, line in faulty.items()
    ] == faults_of(tool)


def test_tells_all_faults_at_once(write: Write) -> None:
    """Whoever writes a tool reads every fault of every file in one go, each with its place."""
    tool = write(
        """\
        from __future__ import annotations
        import pydantic
        from sanctum_venice_tools.runtime.base import helper, gone
        from sanctum_venice_tools.runtime.missing import other


        def venice_demo(word: str, *, json: str) -> dict:
            return helper(pydantic, other, annotations, nowhere)
        """,
        base="""\
        import json
        import yaml


        def helper(*values):
            def inner():
                return json.dumps(values)
            return inner() + elsewhere
        """,
    )

    assert [
        "runtime/base.py:2: a tool may need the standard library and httpx, not yaml",
        "runtime/base.py:5: elsewhere, used by helper, is defined nowhere",
        "runtime/base.py:6: inner stands inside helper: move it to the top level",
        "tools/venice_demo.py:1: a __future__ import would stand in the middle of Letta's script, a SyntaxError",
        "tools/venice_demo.py:2: a tool may need the standard library and httpx, not pydantic",
        "tools/venice_demo.py:3: sanctum_venice_tools.runtime.base does not define gone",
        "tools/venice_demo.py:4: there is no sanctum_venice_tools.runtime.missing",
        "tools/venice_demo.py:7: a tool returns str: Letta shows an agent anything else as a Python repr",
        "tools/venice_demo.py:7: every parameter stands after a bare *: Letta changes the values of the others",
        "tools/venice_demo.py:7: nowhere, used by venice_demo, is defined nowhere",
        "tools/venice_demo.py:7: the parameter json would overwrite a name that the text or Letta uses",
    ] == faults_of(tool)


# --- what is carried ---


def test_lays_out_imports_then_loans_then_the_tool(write: Write) -> None:
    """The whole text of a small tool: comments come along, what is not reached stays, lenders come first."""
    tool = write(
        '''\
        """A module's docstring is not carried."""

        import json
        import re
        from typing import Any

        import httpx

        from sanctum_venice_tools.runtime.upper import shout, whisper

        TOOLSET = "core"


        # A paragraph about the file, which a blank line parts from what follows.

        # Two lines
        # about the end.
        _END = "!"  # and one beside it


        def _unreached() -> Any:
            return re.escape(_END) + whisper("")


        def venice_demo(*, word: str) -> str:
            """Say it."""
            return json.dumps([shout(word) + _END, httpx.__name__])
        ''',
        upper="""\
        from typing import Any, Literal

        from sanctum_venice_tools.runtime.lower import base


        def whisper(word: Any) -> Any:
            return word.lower()


        # Loud.
        def shout(word: str, way: Literal["up"] = "up") -> str:
            return base(word).upper()
        """,
        lower="""\
        from urllib.parse import quote, unquote


        _BEFORE = 1


        def base(word: str) -> str:
            return quote(word)


        def other(word: str) -> str:
            return unquote(word)
        """,
    )

    assert '''
import json
from typing import Literal
from urllib.parse import quote

import httpx


# --- shared by several tools: sanctum_venice_tools/runtime/lower.py ---


def base(word: str) -> str:
    return quote(word)


# --- shared by several tools: sanctum_venice_tools/runtime/upper.py ---


# Loud.
def shout(word: str, way: Literal["up"] = "up") -> str:
    return base(word).upper()

# Two lines
# about the end.
_END = "!"  # and one beside it


def venice_demo(*, word: str) -> str:
    """Say it."""
    return json.dumps([shout(word) + _END, httpx.__name__])
''' == bundled(tool)


def test_starts_with_the_header(write: Write) -> None:
    """A text opens with where to edit it, what it needs, the guard line and the collector's, each with its reason."""
    tool = write(DEMO)
    about = {"name": "venice_demo", "package": "sanctum_venice_tools"}
    header = layout.HEADER.format(**about, guard=layout.GUARD)
    title = layout.TOOL.format(**about)

    assert f"{header}{layout.FREEZE}\n\n{title}\n\n\n{DEMO}" == bundle(
        tool, package=tool.parents[1]
    )


def test_imports_sys_once(write: Write) -> None:
    """A tool that needs sys shares the header's import; other imports from sys stay."""
    tool = write(
        "import sys\nfrom sys import maxsize as most\n"
        "def venice_demo(*, word: str) -> str:\n    return f'{word}{sys.maxsize == most}'\n"
    )

    assert (
        "\nfrom sys import maxsize as most\n\n\ndef venice_demo" == bundled(tool).partition("(")[0]
    )
    assert "helloTrue" == value_of(bundle(tool, package=tool.parents[1]))


USES = {
    "body": "def venice_demo(*, word: str) -> str:\n    return {use}\n",
    "decorator": "def _keep(_):\n    return str\n\n@_keep({use})\ndef _f():\n    pass\n",
    "default": "def _f(value={use}):\n    return value\n",
    "keyword-only default": "def _f(*, value={use}):\n    return value\n",
    "parameter annotation": "def _f(value: {use} = 1):\n    return value\n",
    "return annotation": "def _f() -> {use}:\n    return 1\n",
    "constant": "_f = {use}\n",
    "constant annotation": "_f: {use} = 1\n",
    "constant over a constant": "_BASE = {use}\n_f = [_BASE]\n",
    "base class": "class _f(type({use})):\n    pass\n",
    "class body": "class _f:\n    value = {use}\n",
    "class annotation": "class _f:\n    value: {use}\n",
    "class keyword": "class _f(metaclass=type, **dict({use} and ())):\n    pass\n",
    "class decorator": "def _keep(_):\n    return str\n\n@_keep({use})\nclass _f:\n    pass\n",
    "list comprehension": "_f = [one for one in [{use}] if {use}]\n",
    "dict comprehension": "_f = {{one: {use} for one in 'ab'}}\n",
    "inner comprehension": "def _f():\n    return [[{use} for _ in one] for one in 'ab']\n",
    "generator": "def _f():\n    return any({use} for _ in 'ab')\n",
    "lambda": "_f = lambda: {use}\n",
    "lambda default": "_f = lambda value={use}: value\n",
    "f-string": "def _f():\n    return f'{{{use}!r:>{{{use}}}}}'\n",
    "match subject": "def _f():\n    match {use}:\n        case 1:\n            return 1\n",
    "match guard": "def _f():\n    match 1:\n        case 1 if {use}:\n            return 1\n",
    "walrus": "def _f():\n    return (value := {use}) and value\n",
    "except": "def _f():\n    try:\n        return 1\n    except ({use}, ValueError) as error:\n        return error\n",
    "raise": "def _f():\n    raise ValueError from {use}\n",
    "with": "def _f():\n    with {use} as opened:\n        return opened\n",
    "subscript assignment": "def _f():\n    {use}['a'] = 1\n",
    "deletion": "def _f():\n    del {use}['a']\n",
    "yield": "def _f():\n    yield {use}\n",
    "global": "def _f():\n    global _ONE\n    _ONE = 2\n",
    "global counted up": "def _f():\n    global _ONE\n    _ONE += 1\n",
}


@pytest.mark.parametrize("form", USES.values(), ids=USES)
def test_follows_a_name_wherever_it_is_used(form: str, write: Write) -> None:
    """A definition that uses a name brings what the name stands for, in whatever place it is used."""
    used = form.format(use="_ONE")
    tool_part = (
        ""
        if "venice_demo" in used
        else "def venice_demo(*, word: str) -> str:\n    return f'{word}{_f}'\n"
    )
    tool = write(f"_OTHER = 0\n\n_ONE = 1\n\n{used}\n{tool_part}")

    assert "\n_ONE = 1\n" in bundled(tool)
    assert "_OTHER" not in bundled(tool)
    assert value_of(bundle(tool, package=tool.parents[1]))


PATTERNS = {
    "class": "Box(size=found)",
    "value": "Box.size as found",
    "nested": "[Box(), {'a': found}]",
    "either": "Box() | None",
}


@pytest.mark.parametrize("pattern", PATTERNS.values(), ids=PATTERNS)
def test_follows_names_in_match_patterns(pattern: str, write: Write) -> None:
    """A pattern's class or value is looked up; what it captures is the function's own."""
    tool = write(
        "class Box:\n    size = 1\n\nfound = 1\n\n"
        "def venice_demo(*, word: str) -> str:\n"
        f"    match word:\n        case {pattern}:\n            return word\n    return ''\n"
    )

    assert "class Box:" in bundled(tool)
    assert "found = 1" not in bundled(tool)


LOCALS = {
    "assignment": "helper = word\n    return helper",
    "loop": "for helper in word:\n        pass\n    return helper",
    "comprehension": "return ''.join(helper for helper in word)",
    "lambda": "return (lambda helper: helper)(word)",
    "walrus": "return (helper := word) + helper",
    "except": "try:\n        return word\n    except ValueError as helper:\n        return f'{helper}'",
    "with": "with open(word) as helper:\n        return helper.read()",
    "match": "match word:\n        case [helper, *_]:\n            return helper\n    return ''",
    "import": "import html as helper\n    return helper.escape(word)",
    "attribute": "return word.helper",
    "keyword": "return dict(helper=word)['helper']",
    "text": "return 'helper'",
}


@pytest.mark.parametrize("body", LOCALS.values(), ids=LOCALS)
def test_leaves_a_definition_that_a_local_name_hides(body: str, write: Write) -> None:
    """A local variable, attribute or text of the same name is no use of a borrowed definition."""
    tool = write(
        f"from sanctum_venice_tools.runtime.base import helper\ndef venice_demo(*, word: str) -> str:\n    {body}\n",
        base="def helper():\n    return 1\n",
    )

    assert f"\n\ndef venice_demo(*, word: str) -> str:\n    {body}\n" == bundled(tool)


IMPORTS = {
    "plain": ("import json", "json.dumps(word)", "import json"),
    "renamed": ("import json as _json", "_json.dumps(word)", "import json as _json"),
    "dotted, renamed": (
        "import urllib.parse as urls",
        "urls.quote(word)",
        "import urllib.parse as urls",
    ),
    "by name": ("from json import dumps, loads", "dumps(word)", "from json import dumps"),
    "by name, renamed": (
        "from json import dumps as text",
        "text(word)",
        "from json import dumps as text",
    ),
    "merged": (
        "from json import loads as parse\nfrom json import dumps",
        "parse(dumps(word))",
        "from json import dumps, loads as parse",
    ),
    "submodule": ("from urllib import parse", "parse.quote(word)", "from urllib import parse"),
    "on one line": (
        "import re, json; import html",
        "re.escape(html.escape(word))",
        "import html\nimport re",
    ),
    "in brackets": (
        "from json import (\n    dumps,  # why\n    loads,\n)",
        "dumps(word)",
        "from json import dumps",
    ),
}


@pytest.mark.parametrize(("imports", "value", "carried"), IMPORTS.values(), ids=IMPORTS)
def test_carries_the_imports_that_are_used(
    imports: str, value: str, carried: str, write: Write
) -> None:
    """Only what the text uses is imported, each module once, under the name that the author gave it."""
    tool = write(f"{imports}\n\n\ndef venice_demo(*, word: str) -> str:\n    return {value}\n")

    assert f"\n{carried}\n\n\ndef venice_demo" == bundled(tool).partition("(")[0]


COMMENTS = {
    "above a function": (
        "# Why.\n# And how.\ndef _one():\n    return 1\n",
        "# Why.\n# And how.\ndef _one",
    ),
    "above a decorator": (
        "import functools\n# Why.\n@functools.cache\ndef _one():\n    return 1\n",
        "# Why.\n@functools.cache\ndef _one",
    ),
    "parted by a blank line": ("# About the file.\n\ndef _one():\n    return 1\n", "\ndef _one"),
    "end of the text above": (
        'def _text():\n    return """\n# no comment"""\ndef _one():\n    return 1\n',
        "\ndef _one",
    ),
}


@pytest.mark.parametrize(("source", "carried"), COMMENTS.values(), ids=COMMENTS)
def test_carries_the_comments_right_above(source: str, carried: str, write: Write) -> None:
    """Comments that touch a definition belong to it; others do not, nor lines of a text that look like one."""
    tool = write(f"{source}\n{demo('word * _one()')}")

    blocks = bundled(tool).split("\n\n")
    assert [carried.strip()] == [
        block.partition("(")[0].strip() for block in blocks if "def _one" in block
    ]


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"], ids=["LF", "CRLF", "CR"])
def test_reads_any_line_ends(newline: str, write: Write) -> None:
    """A file with the line ends of another system gives the same text."""
    source = '# Why.\n_TEXT = """a\nb"""\n\n\ndef venice_demo(*, word: str) -> str:\n    return word + _TEXT\n'
    tool = write("")
    tool.write_bytes(source.replace("\n", newline).encode())

    assert f"\n{source}" == bundled(tool)


def test_counts_lines_as_python_does(write: Write) -> None:
    """Characters that end a line elsewhere, but not in Python, do not shift what is carried."""
    tool = write('_TEXT = "\x0c\x1c\u2028\x85"\n\n# Why.\n_NEXT = 1\n\n' + demo("word * _NEXT"))

    assert "\n# Why.\n_NEXT = 1\n\n\ndef venice_demo" == bundled(tool).partition("(")[0]


def test_reads_a_name_of_a_function_that_calls_itself(write: Write) -> None:
    """Functions that call themselves or each other are carried once each."""
    tool = write(
        "def _even(n):\n    return n == 0 or _odd(n - 1)\n\ndef _odd(n):\n    return n != 0 and _even(n - 1)\n\n"
        "def venice_demo(*, word: str) -> str:\n    return f'{_even(len(word))}'\n"
    )

    assert ["_even", "_odd", "venice_demo"] == re.findall(
        r"^def (\w+)", bundled(tool), re.MULTILINE
    )
    assert "False" == value_of(bundle(tool, package=tool.parents[1]))


# --- the shipped tools ---


def test_lists_the_tools_by_name() -> None:
    """The folder is the registry, in alphabetical order, and holds the functions that its files are named for."""
    assert sorted(tool_files()) == list(tool_files())
    assert all(path.stem == name for name, path in tool_files().items())


@pytest.mark.slow
def test_gives_the_same_bytes_in_every_process() -> None:
    """Neither hash seed nor process changes a text: what is registered twice is the same."""
    program = (
        f"import sys; sys.path[:0] = {[str(PACKAGE.parent)]!r}\n"
        "from sanctum_venice_tools.packing.bundle import bundle, tool_files\n"
        "import hashlib\n"
        "for name, path in tool_files().items():\n"
        "    print(name, hashlib.sha256(bundle(path).encode()).hexdigest())\n"
    )
    command = [sys.executable, "-S", "-c", program]  # -I would ignore the seed
    seeds = [
        subprocess.run(
            command,
            capture_output=True,
            text=True,
            check=True,
            env=os.environ | {"PYTHONHASHSEED": seed},
            timeout=30,
        ).stdout
        for seed in ("1", "2")
    ]

    assert len(tool_files()) == seeds[0].count("\n")
    assert seeds[0] == seeds[1]


# --- random packages ---


@st.composite
def packages(draw: st.DrawFn) -> tuple[dict[str, str], set[str]]:
    """Files of a package whose definitions borrow at random, and the names that its tool reaches.

    Each definition is a function or a constant and adds up some that come before it: in its own
    module, or in one that its module may borrow from. Constants use others at import time, so order
    matters.
    """
    modules = ("low", "middle", "high", "")[-draw(st.integers(3, 4)) :]
    known: list[tuple[str, str]] = []
    uses: dict[str, set[str]] = {}
    homes: dict[str, str] = {}
    is_constant: dict[str, bool] = {}
    sources = dict.fromkeys(modules, "")
    for place in modules:
        for _ in range(draw(st.integers(0, 4))):
            name = f"_n{len(known)}"
            used = (
                draw(st.lists(st.sampled_from([one for _, one in known]), unique=True))
                if known
                else []
            )
            is_constant[name] = draw(st.booleans())
            total = " + ".join(
                [str(2 ** len(known)), *(one if is_constant[one] else f"{one}()" for one in used)]
            )
            sources[place] += f"\n\n# {name} of {place}.\n"
            sources[place] += (
                f"{name} = {total}\n"
                if is_constant[name]
                else f"def {name}():\n    return {total}\n"
            )
            uses[name], homes[name] = set(used), place
            known.append((place, name))
    called = (
        draw(st.lists(st.sampled_from([one for _, one in known]), unique=True)) if known else []
    )
    total = " + ".join(["0", *(one if is_constant[one] else f"{one}()" for one in called)])
    sources[""] += (
        f"\n\ndef venice_demo(*, word: str) -> str:\n    return f'{{word}} {{{total}}}'\n"
    )
    for place in modules:
        own = {one for name, home in homes.items() if home == place for one in uses[name]}
        wanted = sorted(
            (own | set(called) if place == "" else own)
            - {one for one, home in homes.items() if home == place}
        )
        loans = [f"from sanctum_venice_tools.runtime.{homes[one]} import {one}\n" for one in wanted]
        sources[place] = "".join(draw(st.permutations(loans))) + sources[place]
    reached, ahead = set[str](), list(called)
    while ahead:
        name = ahead.pop()
        ahead += uses[name] - reached
        reached.add(name)
    return sources, reached


@given(packages())
def test_says_what_the_authored_modules_say(package: tuple[dict[str, str], set[str]]) -> None:
    """Of any package, the text has exactly what the tool reaches, runs alone, and gives the tool's own answer."""
    sources, reached = package
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder) / "sanctum_venice_tools"
        home.mkdir()
        tool = write_package(
            home, sources[""], **{name: text for name, text in sources.items() if name}
        )
        text = bundle(tool, package=home)
        authored = run(
            f"import sys; sys.path[:0] = {[folder]!r}\n"
            "from sanctum_venice_tools.tools.venice_demo import venice_demo\n"
            "print(venice_demo(word='hello'), end='')"
        )

    assert reached | {"venice_demo"} == set(
        re.findall(r"^(?:def )?(\w+)(?: =|\()", text, re.MULTILINE)
    )
    assert reached == set(re.findall(r"^# (\w+) of ", text, re.MULTILINE))
    assert authored == value_of(text)
