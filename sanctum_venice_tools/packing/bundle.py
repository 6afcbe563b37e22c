"""From an authored tool to the one self-contained text that Letta stores and runs.

A small linker for a restricted dialect of Python. A tool file holds imports, constants and plain functions;
the function named like the file is the tool, and stands last. What it borrows, it imports by name from
`sanctum_venice_tools.runtime`. The text gets those definitions that the tool reaches, as source lines with the
comments above them, and nothing else. What Letta could not run is refused with its file and line.
"""

import ast
import builtins
import functools
import itertools
import symtable
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

PACKAGE = Path(__file__).resolve().parents[1]
TOOLS = PACKAGE / "tools"
RUNTIME = f"{PACKAGE.name}.runtime"

# The only package that a tool may need; Letta's own client brings it into every local sandbox.
THIRD_PARTY = {"httpx"}

# Letta refuses a tool whose name is longer (its MAX_TOOL_NAME_LENGTH).
LONGEST_NAME = 48

# Letta writes one script: the arguments as globals, our text, then code of its own. These are the names which
# that code looks up after ours, and those that it treats specially as parameters (letta 0.16.8,
# services/tool_sandbox/base.py and services/helpers/tool_parser_helper.py).
LETTA_NAMES = {
    *("agent_id", "agent_state", "client", "request_heartbeat", "self", "Letta"),
    *("base64", "getattr", "hashlib", "len", "os", "pickle", "print", "str", "struct", "sys"),
    *("Any", "BaseModel", "ConfigDict", "Exception", "ImportError", "_letta_json", "_function_result"),
}

HEADER = """\
# {name}: a Letta tool, made from {package}/tools/{name}.py.
# It needs httpx and VENICE_API_KEY. Read it from the end: the tool is the last function, and each part above it
# serves those below.
import gc
import sys

# Letta evaluates string arguments before a call ("1.10" would arrive as "1.1") and loads its whole server to do so.
# Hiding that module from this process keeps arguments as they were sent, and a call four times faster.
sys.modules.setdefault("letta.functions.ast_parsers", None)  # type: ignore[arg-type]
"""
HEADER_IMPORTS = {"import gc", "import sys"}

# benchmarks/tool_call.py shows what this is worth; most of it is saved when Python ends.
FREEZE = """
# The process ends with this call, so what is loaded by now is never garbage. Not looking through it saves a fifth of
# the call's time in Letta's sandbox.
if __name__ == "__main__":
    gc.freeze()
"""

PART = "# --- shared by several tools: {package}/runtime/{part}.py ---"


class BundleError(Exception):
    """A tool that can't become one text; the message has a line `file:line: fault` for each fault."""


@dataclass(frozen=True)
class Definition:
    """A constant, function or class at the top of a module."""

    node: ast.stmt
    source: str
    """Its lines, with the comments right above them."""
    uses: frozenset[str]

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
        """Refuse a name that already means something else: to this file, or to Letta's code after the text."""
        if name in {*self.definitions, *self.borrowed, *self.imports}:
            self.fault(line, f"{name} is defined twice")
        if name in LETTA_NAMES and spelled not in (f"import {name}", "from typing import Any"):
            self.fault(line, f"{name} is a name that Letta's script uses: rename it")


def tool_files(folder: Path = TOOLS) -> dict[str, Path]:
    """Every tool by name, in alphabetical order: the folder's listing is the registry."""
    return {path.stem: path for path in sorted(folder.glob("venice_*.py"))}


def bundle(tool: Path, package: Path = PACKAGE) -> str:
    """The text of a tool that runs alone, needing only httpx and the standard library.

    Args:
        tool: The tool's file.
        package: The folder whose `runtime/` the tool borrows from.

    Raises:
        BundleError: The tool, or something that it borrows, can't work as one text.
    """
    modules = _read_modules(tool, package)
    reached, imports, names = _reach(modules, tool.stem)
    _check_tool(modules[""], tool.stem, names)
    faults = [f"{module.path}:{line}: {text}" for module in modules.values() for line, text in sorted(module.faults)]
    if faults:
        raise BundleError("\n".join(faults))
    return _lay_out(tool.stem, modules, reached, imports)


def _read_modules(tool: Path, package: Path) -> dict[str, Module]:
    """The tool's own file (under the name "") and each runtime module that it needs, lenders first."""
    modules: dict[str, Module] = {}

    def read(name: str, path: Path, borrowers: tuple[str, ...]) -> None:
        module = _parse(path)
        for lender, line in dict.fromkeys(module.borrowed.values()):
            lender_path = package / "runtime" / f"{lender}.py"
            if lender in (*borrowers, name):
                module.fault(line, f"{lender} needs this file itself: Python can't import what goes in a circle")
            elif not lender_path.is_file():
                module.fault(line, f"there is no {RUNTIME}.{lender}")
            elif lender not in modules:
                read(lender, lender_path, (*borrowers, name))
        modules[name] = module

    read("", tool, ())
    for module in modules.values():
        for name, (lender, line) in module.borrowed.items():
            if lender in modules and modules[lender].is_read and name not in modules[lender].definitions:
                module.fault(line, f"{RUNTIME}.{lender} does not define {name}")
    return modules


def _parse(path: Path) -> Module:
    """Read a file of the dialect."""
    try:
        module = _parse_text(path, path.read_text(encoding="utf-8"))
    except UnicodeDecodeError:
        module = Module(path, faults=[(1, "this file is not UTF-8 text")], is_read=False)
    return replace(module, faults=[*module.faults])


@functools.cache
def _parse_text(path: Path, source: str) -> Module:
    """What a file holds; each text is read once, for tools have most of theirs in common."""
    module = Module(path)
    try:
        tree = ast.parse(source)
        compile(tree, str(path), "exec", dont_inherit=True)  # finds what parsing lets pass, such as a stray `break`
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
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                _define(module, name, node, lines, last_line)
            case ast.Assign(targets=[ast.Name(id=name)]) | ast.AnnAssign(target=ast.Name(id=name), value=ast.expr()):
                _define(module, name, node, lines, last_line)
            case _:
                module.fault(node.lineno, "only imports, constants, functions and classes stand at the top level")
        last_line = node.end_lineno or node.lineno


def _read_import(module: Module, node: ast.Import) -> None:
    """Note what `import ...` binds."""
    for alias in node.names:
        if "." in alias.name and not alias.asname:
            parent, _, child = alias.name.rpartition(".")
            module.fault(node.lineno, f"{alias.name} binds only a part of itself: from {parent} import {child}")
        _check_origin(module, alias.name, node.lineno)
        _note_import(module, alias, f"import {alias.name}", node.lineno)


def _read_from_import(module: Module, node: ast.ImportFrom) -> None:
    """Note what `from ... import ...` binds, or borrows from the runtime."""
    line, origin = node.lineno, node.module or ""
    is_loan = origin.startswith(f"{RUNTIME}.")
    if any(alias.name == "*" for alias in node.names):
        module.fault(line, "import by name, not *")
        return
    if node.level:
        module.fault(line, f"no relative import: name the module from {PACKAGE.name} on")
    elif origin == "__future__":
        module.fault(line, "a __future__ import would stand in the middle of Letta's script, a SyntaxError")
    elif not is_loan:
        _check_origin(module, origin, line)
    for alias in node.names:
        if is_loan and not alias.asname:
            module.bind(alias.name, line)
            module.borrowed[alias.name] = (origin.removeprefix(f"{RUNTIME}."), line)
            continue
        if is_loan:
            module.fault(line, f"no 'as': {alias.name} keeps its name in the text")
        _note_import(module, alias, f"from {origin} import {alias.name}", line)


def _note_import(module: Module, alias: ast.alias, spelled: str, line: int) -> None:
    """Note the name that an import binds; also of a refused one, for that is then not undefined as well."""
    name = alias.asname or alias.name.partition(".")[0]
    spelled += f" as {alias.asname}" if alias.asname else ""
    module.bind(name, line, spelled)
    module.imports[name] = spelled


def _check_origin(module: Module, origin: str, line: int) -> None:
    """Refuse a package that isn't there in a fresh sandbox."""
    top = origin.partition(".")[0]
    if top == PACKAGE.name:
        module.fault(line, f"a tool borrows by name, and from {RUNTIME} only: from {RUNTIME}.venice import ...")
    elif top not in sys.stdlib_module_names | THIRD_PARTY:
        module.fault(line, f"a tool may need the standard library and httpx, not {top}")


def _define(module: Module, name: str, node: ast.stmt, lines: list[str], last_line: int) -> None:
    """Note a definition with its source lines and the comments right above it; refuse what can't be moved."""
    first = min([node.lineno, *(decorator.lineno for decorator in getattr(node, "decorator_list", []))])
    above = first
    while above - 1 > last_line and lines[above - 2].startswith("#"):
        above -= 1
    body = "\n".join(lines[first - 1 : node.end_lineno])
    module.bind(name, node.lineno)
    if isinstance(node, ast.AsyncFunctionDef):
        module.fault(node.lineno, "Letta finds no async function: write a plain one")
    alone = _is_one_statement(body)
    if not alone:
        module.fault(node.lineno, f"{name} must have its lines to itself: no semicolons")
    # Letta takes the last function that it finds, inner ones too, as the tool.
    for inner in ast.walk(node):
        if inner is not node and isinstance(inner, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            module.fault(inner.lineno, f"{inner.name} stands inside {name}: move it to the top level")
        elif isinstance(inner, ast.NamedExpr) and isinstance(node, ast.Assign | ast.AnnAssign):
            module.fault(inner.lineno, f"no := here: it would define {inner.target.id} beside {name}")
    module.definitions[name] = Definition(
        node=node,
        source="\n".join(lines[above - 1 : node.end_lineno]),
        uses=frozenset(_global_names(body) if alone else ()),
    )


def _is_one_statement(source: str) -> bool:
    """Whether these lines hold one statement and no part of another."""
    try:
        return len(ast.parse(source).body) == 1
    except SyntaxError:
        return False


def _global_names(source: str) -> Iterator[str]:
    """The names that a statement looks up among the globals. As the body of a function, its own are local."""
    as_body = "def _():\n " + source.replace("\n", "\n ")
    ahead = symtable.symtable(as_body, "", "exec").get_children()
    while ahead:
        table = ahead.pop()
        yield from (symbol.get_name() for symbol in table.get_symbols() if symbol.is_global())
        ahead += table.get_children()


def _reach(modules: dict[str, Module], tool: str) -> tuple[set[tuple[str, str]], dict[str, str], set[str]]:
    """What the tool needs: definitions as (module, name), imports by the name that each binds, and all names."""
    reached: set[tuple[str, str]] = set()
    imports: dict[str, str] = {}
    meanings = {tool: "the tool's own"}
    ahead = [("", tool)]
    while ahead:
        place, name = ahead.pop()
        if (place, name) in reached or place not in modules or name not in modules[place].definitions:
            continue
        reached.add((place, name))
        module = modules[place]
        line = module.definitions[name].node.lineno
        for used in sorted(module.definitions[name].uses):
            if used in module.imports:
                imports[used] = meaning = module.imports[used]
            elif used in module.definitions or used in module.borrowed:
                home = place if used in module.definitions else module.borrowed[used][0]
                ahead.append((home, used))
                meaning = f"that of {RUNTIME}.{home}" if home else "the tool's own"
            elif hasattr(builtins, used):
                meaning = "Python's own"
            else:
                meaning = "undefined"
                module.fault(line, f"{used}, used by {name}, is defined nowhere")
            if meanings.setdefault(used, meaning) != meaning:
                module.fault(line, f"{used} is {meaning} here, but {meanings[used]} elsewhere: rename one")
    return reached, imports, set(meanings)


def _lay_out(tool: str, modules: dict[str, Module], reached: set[tuple[str, str]], imports: dict[str, str]) -> str:
    """The text: header, imports, then what each module lends in its own order, and the tool last."""
    text = HEADER.format(name=tool, package=PACKAGE.name) + _import_block(set(imports.values())) + FREEZE
    for place, module in modules.items():
        chosen = [definition for name, definition in module.definitions.items() if (place, name) in reached]
        if not chosen:
            continue
        text += "\n\n"
        if place:
            text += PART.format(package=PACKAGE.name, part=place) + "\n"
            text += "\n" if chosen[0].is_constant else "\n\n"
        text += _in_rows(chosen)
    return text


def _in_rows(definitions: list[Definition]) -> str:
    """Definitions one below the other, with two blank lines around functions and classes, and one elsewhere."""
    text = definitions[0].source + "\n"
    for above, below in itertools.pairwise(definitions):
        blank_lines = 1 if above.is_constant and below.is_constant else 2
        text += "\n" * blank_lines + below.source + "\n"
    return text


def _import_block(statements: set[str]) -> str:
    """Import statements, each module once, the standard library before httpx; without those of the header."""
    wanted = statements - HEADER_IMPORTS
    plain = sorted(statement for statement in wanted if statement.startswith("import "))
    names: dict[str, list[str]] = {}
    for statement in sorted(wanted - set(plain)):
        origin, name = statement.removeprefix("from ").split(" import ")
        names.setdefault(origin, []).append(name)
    merged = plain + [f"from {origin} import {', '.join(found)}" for origin, found in sorted(names.items())]
    ours = [line for line in merged if line.split()[1].split(".")[0] in THIRD_PARTY]
    blocks = ["\n".join(line for line in merged if line not in ours), "\n".join(ours)]
    return "".join(f"\n{block}\n" for block in blocks if block)


def _check_tool(module: Module, name: str, names: set[str]) -> None:
    """Refuse a tool function that Letta would not call rightly, in a text that binds or looks up these names."""
    if name not in module.definitions:
        if module.is_read:
            module.fault(1, f"there is no function {name}, which this file is named for")
        return
    tool = module.definitions[name].node
    if not isinstance(tool, ast.FunctionDef) or name != list(module.definitions)[-1]:
        module.fault(tool.lineno, f"{name} must be a function, and the last thing in its file")
    if len(name) > LONGEST_NAME:
        module.fault(tool.lineno, f"{name} is longer than the {LONGEST_NAME} characters that Letta allows")
    if not isinstance(tool, ast.FunctionDef):
        return
    arguments = tool.args
    if arguments.posonlyargs or arguments.args or arguments.vararg or arguments.kwarg:
        module.fault(tool.lineno, "every parameter stands after a bare *: Letta changes the values of the others")
    if not isinstance(tool.returns, ast.Name) or tool.returns.id != "str":
        module.fault(tool.lineno, "a tool returns str: Letta shows an agent anything else as a Python repr")
    for parameter in arguments.kwonlyargs:
        if parameter.arg in names | LETTA_NAMES:
            module.fault(
                tool.lineno, f"the parameter {parameter.arg} would overwrite a name that the text or Letta uses"
            )
