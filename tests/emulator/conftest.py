"""One local Venice for all tests of it, whose every reply is held against Venice's document."""

import base64
import importlib.util
import io
import json
import re
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import httpx
import pytest
from openapi_schema_validator import OAS30Validator
from PIL import Image

from sanctum_venice_tools.emulator.facts import Operation, operations
from sanctum_venice_tools.emulator.process import LocalVenice, running_venice

PROJECT = Path(__file__).parents[2]
DOCUMENT = PROJECT.parent / "shared" / "venice" / "openapi.yaml"

# Statuses that Venice's other pages name, but its document does not list for each operation that
# can answer so.
ELSEWHERE = {400, 401, 403, 404, 410, 502, 503}


def distiller() -> Any:
    """scripts/distil_openapi.py as a module."""
    spec = importlib.util.spec_from_file_location(
        "distil_openapi", PROJECT / "scripts" / "distil_openapi.py"
    )
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@cache
def document() -> Any:
    """Venice's own document, amended, where it lies beside the project."""
    if not DOCUMENT.exists():
        return None
    return admit_null(distiller().read_document(DOCUMENT))


def admit_null(node: Any) -> Any:
    """The document with null among the values of nullable enums: OpenAPI asks for it, Venice takes it as read."""
    if isinstance(node, list):
        return [admit_null(part) for part in node]
    if not isinstance(node, dict):
        return node
    parts = {name: admit_null(part) for name, part in node.items()}
    if parts.get("nullable") is True and isinstance(parts.get("enum"), list):
        parts["enum"] = [*parts["enum"], None]
    return parts


def operation_of(path: str, method: str) -> Operation | None:
    """The documented operation that a path belongs to; a fixed path wins over one with a variable."""
    for template, verb in sorted(operations(), key=lambda key: key[0].count("{")):
        if verb == method.lower() and re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", template), path):
            return operations()[template, verb]
    return None


def check_reply(reply: httpx.Response) -> None:
    """Assert that a reply is one that Venice's document allows."""
    reply.read()
    path = reply.request.url.path.removeprefix("/api/v1")
    operation = operation_of(path, reply.request.method)
    assert reply.headers["connection"] == "close"
    if operation is None or "x-emulator-fault" in reply.headers:
        return
    kind = reply.headers.get("content-type", "").partition(";")[0]
    documented = operation.responses.get(str(reply.status_code))
    if documented is None:
        assert reply.status_code in ELSEWHERE, (path, reply.status_code)
        assert isinstance(reply.json()["error"], str)
    elif kind != "text/event-stream":
        assert kind in documented, (path, kind)
        if kind == "application/json" and not told_elsewhere(reply):
            assert documented[kind].issues(reply.json()) == []
            check_against_document(operation, reply)


def told_elsewhere(reply: httpx.Response) -> bool:
    """Whether a body has a form that Venice's document lacks: an error in OpenAI's way, vectors as base64."""
    asked = reply.request.content if reply.request.url.path.endswith("/embeddings") else b""
    return "context_length_exceeded" in reply.text or b"base64" in asked


def check_against_document(operation: Operation, reply: httpx.Response) -> None:
    """The same with Venice's own document and another program's reading of OpenAPI 3.0."""
    if document() is None:
        return
    responses = document()["paths"][operation.path][operation.method]["responses"]
    schema = responses[str(reply.status_code)]["content"]["application/json"]["schema"]
    validator = OAS30Validator({**schema, "components": document()["components"]})
    assert [error.message for error in validator.iter_errors(reply.json())] == []


@pytest.fixture(scope="session")
def log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The log of the local Venice."""
    return tmp_path_factory.mktemp("emulator") / "requests.jsonl"


@pytest.fixture(scope="session")
def venice(log: Path) -> Iterator[LocalVenice]:
    """A local Venice."""
    with running_venice(log=log, allow_faults=True, job_seconds=0.3) as running:
        yield running


def client_of(venice: LocalVenice) -> httpx.Client:
    """A client with the key, whose replies are all checked."""
    headers = {"Authorization": f"Bearer {venice.key}"}
    hooks: dict[str, list[Callable[..., Any]]] = {"response": [check_reply]}
    return httpx.Client(base_url=venice.base_url, headers=headers, event_hooks=hooks, timeout=60)


@pytest.fixture(scope="session")
def _client(venice: LocalVenice) -> Iterator[httpx.Client]:
    with client_of(venice) as client:
        yield client


@pytest.fixture(scope="module")
def rich_client() -> Iterator[httpx.Client]:
    """A client of a local Venice of its own, for a module whose tests would use up the account that all share."""
    with running_venice(job_seconds=0) as own, client_of(own) as client:
        yield client


@pytest.fixture
def client(_client: httpx.Client, venice: LocalVenice) -> Iterator[httpx.Client]:
    """A client with the key, whose replies are all checked; no fault outlives a test."""
    yield _client
    venice.clear_faults()


@pytest.fixture
def ask(client: httpx.Client) -> Callable[..., Any]:
    """Chat: the messages and settings in, the JSON of the reply out."""

    def complete(
        content: Any = "Good morning", model: str = "zai-org-glm-5-2", **settings: Any
    ) -> Any:
        messages = content if isinstance(content, list) else [{"role": "user", "content": content}]
        reply = client.post(
            "/chat/completions", json={"model": model, "messages": messages, **settings}
        )
        assert reply.status_code == 200, reply.text
        return reply.json()

    return complete


@pytest.fixture(scope="session")
def png() -> Callable[..., bytes]:
    """Makes small PNG files."""

    def make(width: int = 320, height: int = 240, colour: str = "teal") -> bytes:
        file = io.BytesIO()
        Image.new("RGB", (width, height), colour).save(file, "PNG")
        return file.getvalue()

    return make


@pytest.fixture(scope="session")
def encoded(png: Callable[..., bytes]) -> Callable[..., str]:
    """Makes small PNG files as base64."""
    return lambda *size: base64.b64encode(png(*size)).decode()


@pytest.fixture
def events(client: httpx.Client) -> Callable[..., list[Any]]:
    """Chat as a stream: the settings in, its events out."""

    def stream(content: Any, model: str = "zai-org-glm-5-2", **settings: Any) -> list[Any]:
        body = {
            "model": model,
            "stream": True,
            "messages": [{"role": "user", "content": content}],
            **settings,
        }
        reply = client.post("/chat/completions", json=body)
        lines = [line.removeprefix("data: ") for line in reply.text.split("\n\n") if line]
        assert lines.pop() == "[DONE]"
        return [json.loads(line) for line in lines]

    return stream
