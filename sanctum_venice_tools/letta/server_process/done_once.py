"""What Letta does anew each time, though the same comes of it: done once in this process.

Each function here puts one of Letta's own behind a memory. Letta is pinned, so what is replaced is
known; tests/letta/test_done_once.py says what stays the same.
"""

import copy
import functools
import importlib
import types
from collections.abc import Callable
from typing import Any

_TEXTS_REMEMBERED = 256  # of 40 kB each, as a rule


def read_dependencies_once() -> None:
    """Have FastAPI read what two routes depend on once, if they depend on the same.

    Letta's 500 routes depend on the same two functions, one of which reads a dozen headers: read
    anew for each route, they take a third of the time that Letta needs to load.
    """
    dependencies: Any = importlib.import_module("fastapi.dependencies.utils")
    read = dependencies.get_dependant
    known: dict[tuple[Any, ...], Any] = {}

    def read_once(*, path: str, call: Callable[..., Any], **details: Any) -> Any:
        # Of a route's path, the names in braces alone matter: a dependency may take their values.
        names = frozenset(dependencies.get_path_param_names(path))
        key = (call, names, repr(sorted(details.items())))
        if key not in known:
            known[key] = read(path=path, call=call, **details)
        return known[key]

    # Routes themselves are read by the function as it was: they have it under a name of their own.
    dependencies.get_dependant = read_once


def make_schemas_once() -> None:
    """Have Letta make the schema of each of its own tools once.

    By itself it does so whenever it reads one of them from the database: for each agent that it
    loads, and for most lists of tools.
    """
    functions: Any = importlib.import_module("letta.functions.functions")
    make = functions.generate_schema
    made: dict[types.FunctionType, dict[str, Any]] = {}

    def make_once(function: Any, **settings: Any) -> dict[str, Any]:
        # A tool of somebody else is not loaded here: an object stands for its function.
        if settings or not isinstance(function, types.FunctionType):
            schema: dict[str, Any] = make(function, **settings)
            return schema
        if function not in made:
            made[function] = make(function)
        return copy.deepcopy(made[function])

    functions.generate_schema = make_once


def parse_texts_once() -> None:
    """Have Letta parse a tool's text once, and not three times for each call of it."""
    sandbox: Any = importlib.import_module("letta.services.tool_sandbox.base")
    executor: Any = importlib.import_module("letta.services.tool_executor.sandbox_tool_executor")
    remembering = functools.lru_cache(maxsize=_TEXTS_REMEMBERED)

    read_annotations = executor.get_function_annotations_from_source
    executor.get_function_annotations_from_source = remembering(read_annotations)
    sandbox.parse_function_arguments = remembering(sandbox.parse_function_arguments)

    detect_async = sandbox.AsyncToolSandboxBase._detect_async_function  # noqa: SLF001  # it parses

    @remembering
    def is_async(source_code: str, name: str) -> bool:
        tool = types.SimpleNamespace(source_code=source_code, name=name)
        return bool(detect_async(types.SimpleNamespace(tool=tool)))

    def detect_async_once(one: Any) -> bool:
        return is_async(one.tool.source_code, one.tool.name)

    sandbox.AsyncToolSandboxBase._detect_async_function = detect_async_once  # noqa: SLF001  # as above
