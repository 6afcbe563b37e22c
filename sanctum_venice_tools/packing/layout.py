"""How a tool's text is laid out: as one would write it by hand, for readers in Letta's ADE."""

import itertools
from collections.abc import Iterable

from sanctum_venice_tools.packing.dialect import PACKAGE, THIRD_PARTY, Definition

GUARD = """\
# Letta evaluates string arguments before a call ("1.10" would arrive as "1.1") and loads its whole
# server to do so. Hiding that module from this process keeps arguments as they were sent, and a
# call four times faster.
sys.modules.setdefault("letta.functions.ast_parsers", None)  # type: ignore[arg-type]
"""

HEADER = """\
# {name}: a Letta tool, made from {package}/tools/{name}.py.
# It needs httpx and VENICE_API_KEY. Read it from the end: the tool is the last function, and each
# part above it serves those below.
import gc
import sys

{guard}"""
HEADER_IMPORTS = {"import gc", "import sys"}

# benchmarks/tool_call.py shows what this is worth; most of it is saved when Python ends.
FREEZE = """
# The process ends with this call, so what is loaded by now is never garbage. Not looking through it
# saves a fifth of the call's time in Letta's sandbox.
if __name__ == "__main__":
    gc.freeze()
"""

PART = "# --- shared by several tools: {package}/runtime/{name}.py ---"
TOOL = "# --- the tool: {package}/tools/{name}.py ---"


def lay_out(tool: str, imports: Iterable[str], parts: dict[str, list[Definition]]) -> str:
    """The text of a tool.

    Args:
        tool: Its name.
        imports: The import statements that it needs.
        parts: The definitions that it needs of each module, in the order of the text; its own are
            those of `""`.
    """
    header = HEADER.format(name=tool, package=PACKAGE.name, guard=GUARD)
    text = header + _import_block(imports) + FREEZE
    for part, definitions in parts.items():
        title = PART.format(name=part, package=PACKAGE.name)
        if not part:
            title = TOOL.format(name=tool, package=PACKAGE.name)
        blank_lines = 1 if definitions[0].is_constant else 2
        text += f"\n\n{title}\n" + "\n" * blank_lines + _in_rows(definitions)
    return text


def _in_rows(definitions: list[Definition]) -> str:
    """Definitions one below the other.

    Two blank lines stand around functions and classes, and one elsewhere.
    """
    text = definitions[0].source + "\n"
    for above, below in itertools.pairwise(definitions):
        blank_lines = 1 if above.is_constant and below.is_constant else 2
        text += "\n" * blank_lines + below.source + "\n"
    return text


def _import_block(statements: Iterable[str]) -> str:
    """Import statements, each module once, the standard library before httpx.

    Those of the header are left out.
    """
    wanted = set(statements) - HEADER_IMPORTS
    merged = _merged(wanted)
    third_party = [line for line in merged if _imported_package(line) in THIRD_PARTY]
    standard = [line for line in merged if line not in third_party]
    blocks = ["\n".join(lines) for lines in (standard, third_party) if lines]
    return "".join(f"\n{block}\n" for block in blocks)


def _merged(statements: set[str]) -> list[str]:
    """The statements in order: `import ...`, then one `from ... import ...` for each module."""
    plain = sorted(statement for statement in statements if statement.startswith("import "))
    names_of: dict[str, list[str]] = {}
    for statement in sorted(statements.difference(plain)):
        origin, name = statement.removeprefix("from ").split(" import ")
        names_of.setdefault(origin, []).append(name)
    merged = []
    for origin, names in sorted(names_of.items()):
        merged.append(f"from {origin} import {', '.join(names)}")
    return plain + merged


def _imported_package(statement: str) -> str:
    """The top package of `import a.b` or `from a.b import c`."""
    module = statement.split()[1]
    return module.partition(".")[0]
