"""Every tool's own call, in the forms in which models send arguments, asks the same of Venice as the plain one."""

import json
import re
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from sanctum_venice_tools.packing.bundle import tool_files
from sanctum_venice_tools.packing.schema import typed_schema_of
from tests.conftest import Clock
from tests.tools.conftest import KEY
from tests.tools.recorded import Call, Handler, Tool

pytestmark = pytest.mark.slow

Sent = list[tuple[str, str, bytes]]
"""Requests: method, address, and body without what differs each time."""


def as_texts(name: str, arguments: dict[str, Any]) -> dict[str, Any]:
    """The arguments as a Letta server's agents send them: all of them texts, and null for what is left out."""
    properties = typed_schema_of(name)["parameters"]["properties"]
    left_out = {argument: None for argument in properties if argument not in arguments}
    return left_out | {
        argument: as_text(value, properties[argument]) for argument, value in arguments.items()
    }


def as_text(value: Any, spec: dict[str, Any]) -> Any:
    """A value in a form that is not its own."""
    if spec["type"] == "string":
        return value.upper() if "enum" in spec else value
    if spec["type"] == "array" and len(value) == 1 and isinstance(value[0], str):
        return value[0]
    return f" {json.dumps(value)} "


def as_python(name: str, arguments: dict[str, Any]) -> dict[str, Any]:
    """The arguments as Python would write them, and numbers with a fraction of zero."""
    properties = typed_schema_of(name)["parameters"]["properties"]
    forms: dict[str, Callable[[Any], str]] = {
        "integer": lambda value: f"{value}.0",
        "number": str,
        "boolean": str,
        "array": repr,
        "object": repr,
    }
    return {
        argument: forms[properties[argument]["type"]](value)
        if properties[argument]["type"] in forms
        else value
        for argument, value in arguments.items()
    }


def keeping(handler: Handler, sent: Sent) -> Handler:
    """Answer as the handler does, and keep what was asked."""

    def handle(transport: httpx.HTTPTransport, request: httpx.Request) -> httpx.Response:
        boundary = re.search("boundary=(.*)", request.headers.get("content-type", ""))
        body = request.read()
        sent.append(
            (
                request.method,
                str(request.url),
                body.replace(boundary[1].encode(), b"") if boundary else body,
            )
        )
        return handler(transport, request)

    return handle


@pytest.mark.parametrize("name", tool_files())
def test_any_form_of_the_arguments_asks_the_same(
    name: str, call: Call, load_tool: Callable[[str], Tool], monkeypatch: pytest.MonkeyPatch
) -> None:
    """As they are, as texts, and as Python would write them: the requests are the same, byte for byte."""
    monkeypatch.setenv("VENICE_API_KEY", KEY)
    nowhere = ("NONE", "")
    asked: list[Sent] = []
    for arguments in (
        call.arguments,
        as_texts(name, call.arguments),
        as_python(name, call.arguments),
    ):
        sent: Sent = []
        asked.append(sent)
        replay = call.replaying(nowhere, httpx.Response(500))
        monkeypatch.setattr(httpx.HTTPTransport, "handle_request", keeping(replay, sent))
        call.restore_media()
        tool = load_tool(name)
        tool.__globals__["time"] = Clock()
        tool(**arguments)

    assert asked[0]
    assert [asked[0], asked[0]] == asked[1:]
