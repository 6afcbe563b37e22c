"""From an authored tool to the one self-contained text that Letta stores and runs.

A small linker for a restricted dialect of Python. A tool file holds imports, constants and plain functions;
the function named like the file is the tool, and stands last. What it borrows, it imports by name from
`sanctum_venice_tools.runtime`. The text gets those definitions that the tool reaches, as source lines with the
comments above them, and nothing else. What Letta could not run is refused with its file and line.
"""

import ast
import builtins
import keyword
import symtable
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
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
    *("base64", "getattr", "hashlib", "os", "pickle", "print", "str", "struct", "sys"),
    *("Any", "BaseModel", "ConfigDict", "_letta_json", "_function_result"),
}

HEADER = """\
# {name}: a Letta tool. Made from {package}/tools/{name}.py; needs httpx and VENICE_API_KEY.
# Letta evaluates string arguments before a call ("1.10" would arrive as "1.1") and loads its whole server to do
# so. Hiding that module from this process keeps arguments as they were sent, and a call four times faster.
import sys

sys.modules.setdefault("letta.functions.ast_parsers", None)  # type: ignore[arg-type]
"""


class BundleError(Exception):
    """A tool that can't become one text; the message has a line `file:line: fault` for each fault."""


@dataclass(frozen=True)
class Definition:
    """A constant, function or class at the top of a module, with the comments above it."""

    name: str
    source: str
    uses: frozenset[str]
    line: int
    is_constant: bool


@dataclass
class Module:
    """What a file of the dialect holds, and what is wrong with it."""

    path: Path
    definitions: dict[str, Definition] = field(default_factory=dict)
    borrowed: dict[str, tuple[str, int]] = field(default_factory=dict)
    """Name to the runtime module that it comes from, and the line of the import."""
    imports: dict[str, str] = field(default_factory=dict)
    """Name to the import statement that binds it."""
    faults: list[str] = field(default_factory=list)

    def fault(self, line: int, text: str) -> None:
        """Note that something on a line is not of the dialect."""
        self.faults.append(f"{self.path}:{line}: {text}")


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
    own = modules[""]
    faults = [fault for module in modules.values() for fault in module.faults]
    if tool.stem not in own.definitions:
        faults.append(f"{tool}:1: there is no function {tool.stem}, which this file is named for")
    if faults:
        raise BundleError("\n".join(faults))

    reached, imports = _reach(modules, tool.stem)
    text = _lay_out(tool.stem, modules, reached, imports)
    _check_tool(own, tool.stem, text)
    if own.faults:
        raise BundleError("\n".join(own.faults))
    return text


def _read_modules(tool: Path, package: Path) -> dict[str, Module]:
    """The tool's own file (under the name "") and each runtime module that it needs, lenders first."""
    modules: dict[str, Module] = {}

    def read(name: str, path: Path) -> None:
        module = _parse(path)
        for lender, line in module.borrowed.values():
            lender_path = package / "runtime" / f"{lender}.py"
            if not lender_path.is_file():
                module.fault(line, f"there is no {RUNTIME}.{lender}")
            elif lender not in modules and lender_path != path:
                read(lender, lender_path)
        modules[name] = module

    read("", tool)
    for module in modules.values():
        for name, (lender, line) in module.borrowed.items():
            if lender in modules and name not in modules[lender].definitions:
                module.fault(line, f"{RUNTIME}.{lender} does not define {name}")
    return modules


def _parse(path: Path) -> Module:
    """Read a file of the dialect."""
    source = path.read_text(encoding="utf-8")
    lines = source.splitlines()
    module = Module(path)
    try:
        tree = ast.parse(source)
    except SyntaxError as error:
        module.fault(error.lineno or 1, error.msg)
        return module
    for place, node in enumerate(tree.body):
        match node:
            case ast.Expr(value=ast.Constant(value=str())) if place == 0:
                pass
            case ast.Import():
                _read_import(module, node)
            case ast.ImportFrom():
                _read_from_import(module, node)
            case ast.FunctionDef(name=name) | ast.ClassDef(name=name):
                _check_definition(module, node)
                _define(module, name, node, lines)
            case ast.Assign(targets=[ast.Name(id=name)]) | ast.AnnAssign(target=ast.Name(id=name)):
                _define(module, name, node, lines)
            case ast.AsyncFunctionDef():
                module.fault(node.lineno, "Letta finds no async function: write a plain one")
            case _:
                module.fault(node.lineno, "only imports, constants, functions and classes stand at the top level")
    return module


def _read_import(module: Module, node: ast.Import) -> None:
    """Note what `import ...` binds."""
    for alias in node.names:
        if _check_origin(module, alias.name, node.lineno):
            spelled = f"import {alias.name}" + (f" as {alias.asname}" if alias.asname else "")
            module.imports[alias.asname or alias.name.partition(".")[0]] = spelled


def _read_from_import(module: Module, node: ast.ImportFrom) -> None:
    """Note what `from ... import ...` binds, or borrows from the runtime."""
    line, origin = node.lineno, node.module or ""
    if node.level:
        module.fault(line, f"no relative import: name the module from {PACKAGE.name} on")
    elif origin == "__future__":
        module.fault(line, "a __future__ import would stand in the middle of Letta's script, a SyntaxError")
    elif any(alias.name == "*" for alias in node.names):
        module.fault(line, "import by name, not *")
    elif origin.startswith(f"{RUNTIME}."):
        for alias in node.names:
            if alias.asname:
                module.fault(line, f"no 'as': {alias.name} keeps its name in the text")
            module.borrowed[alias.name] = (origin.removeprefix(f"{RUNTIME}."), line)
    elif _check_origin(module, origin, line):
        for alias in node.names:
            spelled = f"from {origin} import {alias.name}" + (f" as {alias.asname}" if alias.asname else "")
            module.imports[alias.asname or alias.name] = spelled


def _check_origin(module: Module, origin: str, line: int) -> bool:
    """Whether a package is there in a fresh sandbox; note the fault when it is not."""
    top = origin.partition(".")[0]
    if top == PACKAGE.name:
        module.fault(line, f"a tool borrows by name, and from {RUNTIME} only: from {RUNTIME}.venice import ...")
    elif top not in sys.stdlib_module_names | THIRD_PARTY:
        module.fault(line, f"a tool may need the standard library and httpx, not {top}")
    return top in sys.stdlib_module_names | THIRD_PARTY


def _check_definition(module: Module, node: ast.FunctionDef | ast.ClassDef) -> None:
    """Refuse functions inside of others: Letta takes the last one that it finds, inner ones too, as the tool."""
    for inner in ast.walk(node):
        if inner is not node and isinstance(inner, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            module.fault(inner.lineno, f"{inner.name} stands inside {node.name}: move it to the top level")


def _define(module: Module, name: str, node: ast.stmt, lines: list[str]) -> None:
    """Note a definition with its source lines and the comments right above it."""
    if name in module.definitions:
        module.fault(node.lineno, f"{name} is defined twice")
    decorators = getattr(node, "decorator_list", [])
    first = min([node.lineno, *(decorator.lineno for decorator in decorators)])
    above = first
    while above > 1 and lines[above - 2].startswith("#"):
        above -= 1
    body = "\n".join(lines[first - 1 : node.end_lineno])
    module.definitions[name] = Definition(
        name=name,
        source="\n".join(lines[above - 1 : node.end_lineno]),
        uses=frozenset(_global_names(symtable.symtable(body, str(module.path), "exec"))),
        line=node.lineno,
        is_constant=isinstance(node, ast.Assign | ast.AnnAssign),
    )


def _global_names(table: symtable.SymbolTable) -> Iterator[str]:
    """The names that a scope and those inside it look up among the globals."""
    for symbol in table.get_symbols():
        top = table.get_type() == "module"
        if symbol.is_referenced() and (top or symbol.is_global()):
            yield symbol.get_name()
    for inner in table.get_children():
        yield from _global_names(inner)


def _reach(modules: dict[str, Module], tool: str) -> tuple[set[tuple[str, str]], dict[str, str]]:
    """What the tool needs: definitions as (module, name), and the imports by the name that each binds."""
    reached: set[tuple[str, str]] = set()
    imports: dict[str, str] = {}
    meanings: dict[str, str] = {}
    faults: list[str] = []
    ahead = [("", tool)]
    while ahead:
        place, name = ahead.pop()
        if (place, name) in reached:
            continue
        reached.add((place, name))
        module = modules[place]
        where = f"{module.path}:{module.definitions[name].line}"
        for used in sorted({name, *module.definitions[name].uses}):
            if used in module.imports:
                imports[used] = meaning = module.imports[used]
            elif used in module.definitions or used in module.borrowed:
                home = place if used in module.definitions else module.borrowed[used][0]
                ahead.append((home, used))
                meaning = f"the one of {modules[home].path.name}"
            elif hasattr(builtins, used):
                meaning = "Python's own"
            else:
                meaning = "undefined"
                faults.append(f"{where}: {used}, used by {name}, is defined nowhere")
            if meanings.setdefault(used, meaning) != meaning:
                faults.append(f"{where}: {used} is {meaning} here, but {meanings[used]} elsewhere: rename one")
    if faults:
        raise BundleError("\n".join(sorted(faults)))
    return reached, imports


def _lay_out(tool: str, modules: dict[str, Module], reached: set[tuple[str, str]], imports: dict[str, str]) -> str:
    """The text: header, imports, then what each module lends in its own order, and the tool last."""
    text = HEADER.format(name=tool, package=PACKAGE.name) + _import_block(set(imports.values()))
    for place, module in modules.items():
        chosen = [definition for name, definition in module.definitions.items() if (place, name) in reached]
        if place and chosen:
            text += f"\n# --- shared by several tools: {PACKAGE.name}/runtime/{place}.py ---"
        text += "".join(f"\n{definition.source}\n" for definition in chosen)
    return text


def _import_block(statements: set[str]) -> str:
    """Import statements, each module once, the standard library before httpx; `import sys` is in the header."""
    plain = sorted(statement for statement in statements - {"import sys"} if statement.startswith("import "))
    names: dict[str, list[str]] = {}
    for statement in sorted(statements - set(plain) - {"import sys"}):
        origin, name = statement.removeprefix("from ").split(" import ")
        names.setdefault(origin, []).append(name)
    merged = plain + [f"from {origin} import {', '.join(found)}" for origin, found in sorted(names.items())]
    ours = [line for line in merged if line.split()[1].split(".")[0] in THIRD_PARTY]
    blocks = ["\n".join(line for line in merged if line not in ours), "\n".join(ours)]
    return "".join(f"\n{block}\n" for block in blocks if block)


def _check_tool(module: Module, name: str, text: str) -> None:
    """Refuse a tool function that Letta would not call rightly."""
    tree = ast.parse(text)
    tool = tree.body[-1]
    line = module.definitions[name].line
    if not isinstance(tool, ast.FunctionDef) or tool.name != name:
        module.fault(line, f"{name} must be a function, and the last thing in its file")
        return
    if len(name) > LONGEST_NAME:
        module.fault(line, f"{name} is longer than the {LONGEST_NAME} characters that Letta allows")
    arguments = tool.args
    if arguments.posonlyargs or arguments.args or arguments.vararg or arguments.kwarg:
        module.fault(line, "every parameter stands after a bare *: Letta changes the values of the others")
    if not isinstance(tool.returns, ast.Name) or tool.returns.id != "str":
        module.fault(line, "a tool returns str: Letta shows an agent anything else as a Python repr")
    taken = set(_global_names(symtable.symtable(text, str(module.path), "exec"))) | LETTA_NAMES
    taken |= {node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.ClassDef)}
    for parameter in arguments.kwonlyargs:
        if parameter.arg in taken or keyword.issoftkeyword(parameter.arg):
            module.fault(line, f"the parameter {parameter.arg} would overwrite a name that the text or Letta uses")
