"""From an authored tool to the one self-contained text that Letta stores and runs.

A small linker for the dialect of Python that packing/dialect.py reads. The function named like a
tool's file is the tool, and stands last. The text gets those definitions that the tool reaches, as
source lines with the comments above them, and nothing else. What Letta could not run is refused
with its file and line.
"""

import ast
import builtins
from dataclasses import dataclass, field
from pathlib import Path

from sanctum_venice_tools.packing.dialect import (
    LETTA_NAMES,
    PACKAGE,
    RUNTIME,
    Definition,
    Module,
    read_module,
)
from sanctum_venice_tools.packing.layout import lay_out

TOOLS = PACKAGE / "tools"

# Letta refuses a tool whose name is longer (its MAX_TOOL_NAME_LENGTH).
LONGEST_NAME = 48


class BundleError(Exception):
    """A tool that can't become one text; the message has a line `file:line: fault` for each."""


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
    needs = _needs_of(tool.stem, modules)
    _check_tool(modules[""], tool.stem, set(needs.meanings))
    _raise_faults(modules)
    return lay_out(tool.stem, needs.imports.values(), needs.definitions(modules))


def _raise_faults(modules: dict[str, Module]) -> None:
    """Refuse the tool if anything is wrong with one of its modules, and say all that is."""
    faults = []
    for module in modules.values():
        faults += [f"{module.path}:{line}: {text}" for line, text in sorted(module.faults)]
    if faults:
        raise BundleError("\n".join(faults))


def _read_modules(tool: Path, package: Path) -> dict[str, Module]:
    """The tool's file, named `""`, after all runtime modules that it borrows from.

    Of these, those that lend come first.
    """
    modules: dict[str, Module] = {}

    def read(name: str, path: Path, borrowers: tuple[str, ...]) -> None:
        """Read a module after those that it borrows from."""
        module = read_module(path)
        for lender, line in dict.fromkeys(module.borrowed.values()):
            lender_path = package / "runtime" / f"{lender}.py"
            if lender in (*borrowers, name):
                module.fault(
                    line,
                    f"{lender} needs this file itself: Python can't import what goes in a circle",
                )
            elif not lender_path.is_file():
                module.fault(line, f"there is no {RUNTIME}.{lender}")
            elif lender not in modules:
                read(lender, lender_path, (*borrowers, name))
        modules[name] = module

    read("", tool, ())
    for module in modules.values():
        _check_loans(module, modules)
    return modules


def _check_loans(module: Module, modules: dict[str, Module]) -> None:
    """Refuse names that a lender does not define."""
    for name, (lender, line) in module.borrowed.items():
        if lender not in modules or not modules[lender].is_read:
            continue
        if name not in modules[lender].definitions:
            module.fault(line, f"{RUNTIME}.{lender} does not define {name}")


@dataclass
class Needs:
    """What a tool needs of its modules, directly or through what it uses."""

    reached: set[tuple[str, str]] = field(default_factory=set)
    """Definitions, as module and name."""
    imports: dict[str, str] = field(default_factory=dict)
    """Name to the import statement that binds it."""
    meanings: dict[str, str] = field(default_factory=dict)
    """Every name that is looked up, and in words what it means: in one text, but one thing."""

    def definitions(self, modules: dict[str, Module]) -> dict[str, list[Definition]]:
        """The definitions of each module that lends any, in the module's own order."""
        chosen: dict[str, list[Definition]] = {}
        for place, module in modules.items():
            for name, definition in module.definitions.items():
                if (place, name) in self.reached:
                    chosen.setdefault(place, []).append(definition)
        return chosen


def _needs_of(tool: str, modules: dict[str, Module]) -> Needs:
    """Follow the names from the tool's function on; what is defined nowhere or twice is a fault."""
    needs = Needs(meanings={tool: "the tool's own"})
    ahead = [("", tool)]
    while ahead:
        place, name = ahead.pop()
        if (place, name) in needs.reached or place not in modules:
            continue
        module = modules[place]
        definition = module.definitions.get(name)
        if not definition:
            continue
        needs.reached.add((place, name))
        for used in sorted(definition.uses):
            if used in module.imports:
                needs.imports[used] = module.imports[used]
            elif used in module.definitions:
                ahead.append((place, used))
            elif used in module.borrowed:
                lender, _line = module.borrowed[used]
                ahead.append((lender, used))
            _note_meaning(needs, used, name, place, module)
    return needs


def _note_meaning(needs: Needs, used: str, user: str, place: str, module: Module) -> None:
    """Note what a name means that a definition uses; to mean nothing, or two things, is a fault."""
    line = module.definitions[user].node.lineno
    meaning = _meaning(used, place, module)
    if meaning == "undefined":
        module.fault(line, f"{used}, used by {user}, is defined nowhere")
    elsewhere = needs.meanings.setdefault(used, meaning)
    if elsewhere != meaning:
        module.fault(line, f"{used} is {meaning} here, but {elsewhere} elsewhere: rename one")


def _meaning(name: str, place: str, module: Module) -> str:
    """What a name means in a module, in words."""
    if name in module.imports:
        return module.imports[name]
    if name in module.borrowed:
        return f"that of {RUNTIME}.{module.borrowed[name][0]}"
    if name in module.definitions:
        return f"that of {RUNTIME}.{place}" if place else "the tool's own"
    if hasattr(builtins, name):
        return "Python's own"
    return "undefined"


def _check_tool(module: Module, name: str, names: set[str]) -> None:
    """Refuse a tool function that Letta would not call rightly.

    It is of a text that binds or looks up these names.
    """
    if name not in module.definitions:
        if module.is_read:
            module.fault(1, f"there is no function {name}, which this file is named for")
        return

    tool = module.definitions[name].node
    line = tool.lineno
    is_last = name == list(module.definitions)[-1]
    if not isinstance(tool, ast.FunctionDef) or not is_last:
        module.fault(line, f"{name} must be a function, and the last thing in its file")
    if len(name) > LONGEST_NAME:
        module.fault(line, f"{name} is longer than the {LONGEST_NAME} characters that Letta allows")
    if not isinstance(tool, ast.FunctionDef):
        return

    arguments = tool.args
    if arguments.posonlyargs or arguments.args or arguments.vararg or arguments.kwarg:
        module.fault(
            line, "every parameter stands after a bare *: Letta changes the values of the others"
        )
    if not isinstance(tool.returns, ast.Name) or tool.returns.id != "str":
        module.fault(
            line, "a tool returns str: Letta shows an agent anything else as a Python repr"
        )
    for parameter in arguments.kwonlyargs:
        if parameter.arg in names | LETTA_NAMES:
            module.fault(
                line,
                f"the parameter {parameter.arg} would overwrite a name that the text or Letta uses",
            )
