"""What the local Letta server does once: it comes out as if Letta did it anew each time."""

import json
import subprocess
import sys
import types
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from sanctum_venice_tools.letta import local_server
from sanctum_venice_tools.letta.local_server import installation
from sanctum_venice_tools.letta.server_process import done_once

PROJECT = Path(__file__).resolve().parents[2]

# Two routes by the same names in their paths, and one by another; a dependency that takes the one
# from the path where it is there, and from the query where it is not.
ROUTES = """
import importlib, json, sys
sys.path.append(sys.argv[1])
name = "sanctum_venice_tools.letta.server_process.done_once"
importlib.import_module(name).read_dependencies_once()
from fastapi import APIRouter, Depends, FastAPI
from fastapi.testclient import TestClient

def told(fox: str):
    return fox

app, router = FastAPI(), APIRouter()
for path in ("/seen/{fox}", "/heard/{fox}", "/asked/{bird}"):
    router.add_api_route(path, lambda answer=Depends(told): answer)
app.include_router(router, prefix="/v1")
app.include_router(router, prefix="/latest")

read = {id(route.dependant.dependencies[0]) for route in app.routes if hasattr(route, "dependant")}
client = TestClient(app)
paths = ["/v1/seen/red", "/latest/heard/grey", "/v1/asked/owl?fox=white", "/v1/asked/owl"]
print(json.dumps([len(read), [client.get(path).json() for path in paths]]))
"""


@pytest.mark.server
def test_a_dependency_is_read_once_for_all_routes_that_have_it() -> None:
    """What Letta's routes share is read once, and answers as before: by what each route's path has in it."""
    installation.install(print)
    python = local_server.ENVIRONMENT / "bin" / "python"
    command = [str(python), "-I", "-W", "ignore", "-c", ROUTES, str(PROJECT)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)

    assert 0 == done.returncode, done.stderr
    read, (seen, heard, asked, refused) = json.loads(done.stdout)
    assert 2 == read
    assert ["red", "grey", "white"] == [seen, heard, asked]
    assert ["query", "fox"] == refused["detail"][0]["loc"]


def test_a_schema_of_lettas_own_tools_is_made_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is the same each time, and each time another object; what stands for a tool of others is read anew."""
    made = []

    def generate_schema(function: Any, name: str | None = None) -> dict[str, Any]:
        made.append(function)
        return {"name": name or "own", "parameters": {"properties": {}}}

    def own_tool() -> None:
        """A tool of Letta's own."""

    others_tool = object()
    functions: Any = types.ModuleType("letta.functions.functions")
    functions.generate_schema = generate_schema
    monkeypatch.setitem(sys.modules, "letta.functions.functions", functions)

    done_once.make_schemas_once()
    first, second = (functions.generate_schema(own_tool) for _ in range(2))
    first["parameters"]["properties"]["changed"] = {}
    others = [functions.generate_schema(others_tool, name=name) for name in ("one", "two")]

    assert {"name": "own", "parameters": {"properties": {}}} == second
    assert ["one", "two"] == [schema["name"] for schema in others]
    assert [own_tool, others_tool, others_tool] == made


def test_a_text_is_parsed_once_for_all_its_calls(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each of the three looks that Letta takes at a tool's text is taken once; another text is looked at anew."""
    looks = []

    def look(source_code: str, name: str) -> str:
        looks.append((source_code, name))
        return source_code

    class Sandbox:
        """Letta's, as far as it parses."""

        def __init__(self, source_code: str) -> None:
            self.tool = types.SimpleNamespace(source_code=source_code, name="fox")

        def _detect_async_function(self) -> bool:
            return look(self.tool.source_code, self.tool.name).startswith("async")

    sandbox: Any = types.ModuleType("letta.services.tool_sandbox.base")
    sandbox.AsyncToolSandboxBase = Sandbox
    sandbox.parse_function_arguments = look
    executor: Any = types.ModuleType("letta.services.tool_executor.sandbox_tool_executor")
    executor.get_function_annotations_from_source = look
    for module in (sandbox, executor):
        monkeypatch.setitem(sys.modules, module.__name__, module)

    done_once.parse_texts_once()
    texts = ["def fox", "async def fox"]
    for text in texts * 2:
        assert text.startswith("async") == Sandbox(text)._detect_async_function()
        assert text == sandbox.parse_function_arguments(text, "fox")
        assert text == executor.get_function_annotations_from_source(text, "fox")

    assert {(text, "fox"): 3 for text in texts} == Counter(looks)
