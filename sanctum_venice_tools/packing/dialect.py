"""The Python in which tools and what they share are written.

In it, parts of a file can be moved into another.

A file holds imports, constants, plain functions and classes, each at the top level and on lines of
its own. What it borrows, it imports by name from `sanctum_venice_tools.runtime`. Whatever else it
holds is a fault, which names its line.
"""

import ast
import functools
import symtable
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

PACKAGE = Path(__file__).resolve().parents[1]
RUNTIME = f"{PACKAGE.name}.runtime"

# The only package that a tool may need; Letta's own client brings it into every local sandbox.
THIRD_PARTY = {"httpx"}

# Letta writes one script: the arguments as globals, our text, then code of its own. These are the
# names which that code looks up after ours, and those that it treats specially as parameters (letta
# 0.16.8, services/tool_sandbox/base.py and services/helpers/tool_parser_helper.py).
LETTA_NAMES = {
    *("agent_id", "agent_state", "client", "request_heartbeat", "self", "Letta"),
    *("base64", "getattr", "hashlib", "len", "os", "pickle", "print", "str", "struct", "sys"),
    *(
        "Any",
        "BaseModel",
        "ConfigDict",
        "Exception",
        "ImportError",
        "_letta_json",
        "_function_result",
    ),
}


@dataclass(frozen=True)
class Definition:
    """A constant, function or class at the top of a module."""

    node: ast.stmt
    source: str
    """Its lines, with the comments right above them."""
    uses: frozenset[str]
    """The global names that it looks up."""

    @property
    def is_constant(self) -> bool:
        """Whether it is neither a function nor a class."""
        return isinstance(self.node, ast.Assign | ast.AnnAssign)


@dataclass
class Module:
    """What a file of the dialect holds, and what is wrong with it."""

    path: Path
    definitions: dict[str, Definition] = field(default_factory=dict)
    borrowed: dict[str, tuple[str, int]] = field(default_factory=dict)
    """Name to the runtime module that it comes from, and the line of the import."""
    imports: dict[str, str] = field(default_factory=dict)
    """Name to the import statement that binds it."""
    faults: list[tuple[int, str]] = field(default_factory=list)
    is_read: bool = True

    def fault(self, line: int, text: str) -> None:
        """Note that something on a line is not of the dialect."""
        self.faults.append((line, text))

    def bind(self, name: str, line: int, spelled: str = "") -> None:
        """Refuse a name that already means something else, here or to Letta's code behind it."""
        if name in {*self.definitions, *self.borrowed, *self.imports}:
            self.fault(line, f"{name} is defined twice")

        is_the_same_to_letta = spelled in (f"import {name}", "from typing import Any")
        if name in LETTA_NAMES and not is_the_same_to_letta:
            self.fault(line, f"{name} is a name that Letta's script uses: rename it")


def read_module(path: Path) -> Module:
    """Read a file of the dialect; what is wrong with it is in its faults."""
    try:
        source = path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        return Module(path, faults=[(1, "this file is not UTF-8 text")], is_read=False)
    module = _parse(path, source)
    # More faults are found with the other modules in view, which are others in the next text.
    return replace(module, faults=[*module.faults])


@functools.cache
def _parse(path: Path, source: str) -> Module:
    """What a file holds; each source is read once, for tools have most of theirs in common."""
    module = Module(path)
    try:
        tree = ast.parse(source)
        # Finds what parsing lets pass, such as a stray `break`.
        compile(tree, str(path), "exec", dont_inherit=True)
    except SyntaxError as error:
        module.fault(error.lineno or 1, error.msg)
        module.is_read = False
    else:
        _read_statements(module, tree, source.split("\n"))
    return module


def _read_statements(module: Module, tree: ast.Module, lines: list[str]) -> None:
    """Note what each statement of a file defines, imports or borrows."""
    last_line = 0
    for place, node in enumerate(tree.body):
        match node:
            case ast.Expr(value=ast.Constant(value=str())) if place == 0:
                pass
            case ast.Import():
                _read_import(module, node)
            case ast.ImportFrom():
                _read_from_import(module, node)
            case (
                ast.FunctionDef(name=name)
                | ast.AsyncFunctionDef(name=name)
                | ast.ClassDef(name=name)
            ):
                _define(module, name, node, lines, last_line)
            case ast.Assign(targets=[ast.Name(id=name)]):
                _define(module, name, node, lines, last_line)
            case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr()):
                _define(module, name, node, lines, last_line)
            case _:
                module.fault(
                    node.lineno,
                    "only imports, constants, functions and classes stand at the top level",
                )
        last_line = node.end_lineno or node.lineno


def _read_import(module: Module, node: ast.Import) -> None:
    """Note what `import ...` binds."""
    for alias in node.names:
        if "." in alias.name and not alias.asname:
            parent, _, child = alias.name.rpartition(".")
            module.fault(
                node.lineno,
                f"{alias.name} binds only a part of itself: from {parent} import {child}",
            )
        _check_origin(module, alias.name, node.lineno)
        _note_import(module, alias, f"import {alias.name}", node.lineno)


def _read_from_import(module: Module, node: ast.ImportFrom) -> None:
    """Note what `from ... import ...` binds, or borrows from the runtime."""
    line = node.lineno
    origin = node.module or ""
    is_loan = origin.startswith(f"{RUNTIME}.")

    if any(alias.name == "*" for alias in node.names):
        module.fault(line, "import by name, not *")
        return
    if node.level:
        module.fault(line, f"no relative import: name the module from {PACKAGE.name} on")
    elif origin == "__future__":
        module.fault(
            line, "a __future__ import would stand in the middle of Letta's script, a SyntaxError"
        )
    elif not is_loan:
        _check_origin(module, origin, line)

    for alias in node.names:
        if not is_loan:
            _note_import(module, alias, f"from {origin} import {alias.name}", line)
        elif alias.asname:
            module.fault(line, f"no 'as': {alias.name} keeps its name in the text")
            _note_import(module, alias, f"from {origin} import {alias.name}", line)
        else:
            module.bind(alias.name, line)
            module.borrowed[alias.name] = (origin.removeprefix(f"{RUNTIME}."), line)


def _note_import(module: Module, alias: ast.alias, spelled: str, line: int) -> None:
    """Note the name that an import binds.

    Also of a refused one, for that is then not undefined as well.
    """
    if alias.asname:
        name = alias.asname
        spelled += f" as {name}"
    else:
        name = alias.name.partition(".")[0]
    module.bind(name, line, spelled)
    module.imports[name] = spelled


def _check_origin(module: Module, origin: str, line: int) -> None:
    """Refuse a package that isn't there in a fresh sandbox."""
    top = origin.partition(".")[0]
    if top == PACKAGE.name:
        module.fault(
            line,
            f"a tool borrows by name, and from {RUNTIME} only: from {RUNTIME}.venice import ...",
        )
    elif top not in sys.stdlib_module_names | THIRD_PARTY:
        module.fault(line, f"a tool may need the standard library and httpx, not {top}")


def _define(module: Module, name: str, node: ast.stmt, lines: list[str], last_line: int) -> None:
    """Note a definition; refuse what can't be moved into another file as it stands."""
    first = _first_line(node) - 1
    statement = lines[first : node.end_lineno]
    comments = _comments_at_the_end(lines[last_line:first])

    module.bind(name, node.lineno)
    if isinstance(node, ast.AsyncFunctionDef):
        module.fault(node.lineno, "Letta finds no async function: write a plain one")
    _check_inner(module, name, node)

    uses: frozenset[str] = frozenset()
    if _has_its_lines_to_itself(node, lines):
        uses = frozenset(_global_names("\n".join(statement)))
    else:
        module.fault(node.lineno, f"{name} must have its lines to itself: no semicolons")
    source = "\n".join([*comments, *statement])
    module.definitions[name] = Definition(node, source, uses)


def _first_line(node: ast.stmt) -> int:
    """The line on which a definition begins, its decorators included."""
    decorators: list[ast.expr] = getattr(node, "decorator_list", [])
    return min([node.lineno, *(decorator.lineno for decorator in decorators)])


def _comments_at_the_end(lines: list[str]) -> list[str]:
    """The comments that lines end with."""
    start = len(lines)
    while start > 0 and lines[start - 1].startswith("#"):
        start -= 1
    return lines[start:]


def _check_inner(module: Module, name: str, node: ast.stmt) -> None:
    """Refuse definitions within a definition: Letta takes the last function, inner ones too."""
    for inner in _statements_in(node):
        if isinstance(inner, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            module.fault(
                inner.lineno, f"{inner.name} stands inside {name}: move it to the top level"
            )
    if isinstance(node, ast.Assign | ast.AnnAssign):
        for part in ast.walk(node):
            if isinstance(part, ast.NamedExpr):
                module.fault(
                    part.lineno, f"no := here: it would define {part.target.id} beside {name}"
                )


def _statements_in(node: ast.AST) -> Iterator[ast.AST]:
    """All statements within a statement, however deep."""
    for block in ("body", "orelse", "finalbody", "handlers", "cases"):
        for inner in getattr(node, block, ()):
            yield inner
            yield from _statements_in(inner)


def _has_its_lines_to_itself(node: ast.stmt, lines: list[str]) -> bool:
    """Whether nothing stands before a definition, and behind it a comment at most."""
    last_line = lines[(node.end_lineno or node.lineno) - 1]
    # Python counts columns in bytes.
    behind = last_line.encode()[node.end_col_offset :].decode().strip()
    return node.col_offset == 0 and (not behind or behind.startswith("#"))


def _global_names(source: str) -> Iterator[str]:
    """The names that a statement looks up among the globals.

    As the body of a function, its own are local.
    """
    as_body = "def _():\n " + source.replace("\n", "\n ")
    ahead = symtable.symtable(as_body, "", "exec").get_children()
    while ahead:
        table = ahead.pop()
        yield from (symbol.get_name() for symbol in table.get_symbols() if symbol.is_global())
        ahead += table.get_children()
