"""Venice in process: what a tool sends can be looked at, and all of it is held against Venice's document."""

import asyncio
import base64
import json
import re
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import respx
from starlette.datastructures import Headers

from sanctum_venice_tools.emulator.facts import Operation, Schema, operations
from sanctum_venice_tools.emulator.process import LocalVenice
from sanctum_venice_tools.emulator.uploads import parse_form
from tests.tools.recorded import Call, record

Tool = Callable[..., str]

# What may come of a paid request in place of its reply: nobody knows then whether it was charged.
MAY_BE_PAID = [500, 502, httpx.ReadTimeout, httpx.ReadError, httpx.RemoteProtocolError]

# A picture of 256 by 256, the smallest that Venice edits.
PICTURE = (
    "data:image/png;base64,"
    + base64.b64encode(
        b"\x89PNG\r\n\x1a\n"
        + b"".join(
            len(data).to_bytes(4) + kind + data + zlib.crc32(kind + data).to_bytes(4)
            for kind, data in {
                b"IHDR": bytes([0, 0, 1, 0, 0, 0, 1, 0, 8, 0, 0, 0, 0]),
                b"IDAT": zlib.compress(bytes(257 * 256)),
                b"IEND": b"",
            }.items()
        )
    ).decode()
)


KEY = "sk-in-process"

# What every HTTP client says of itself; any other header must be one of the operation's.
USUAL_HEADERS = {
    *(
        "accept",
        "accept-encoding",
        "authorization",
        "connection",
        "content-length",
        "content-type",
        "host",
    ),
    *("transfer-encoding", "user-agent"),
}


def operation_of(request: httpx.Request) -> Operation:
    """The operation of Venice's document that a request is of."""
    path = request.url.raw_path.decode().partition("?")[0].removeprefix("/api/v1")
    method = request.method.lower()
    # A path in plain words goes before one that a parameter fits too.
    for template in sorted(
        (template for template, known in operations() if known == method), key=_parameters
    ):
        if re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", template), path):
            return operations()[template, method]
    raise AssertionError(f"Venice's document has no {request.method} {path}")


def _parameters(template: str) -> int:
    return template.count("{")


def check_request(request: httpx.Request) -> None:
    """Assert that Venice's document allows a request."""
    operation = operation_of(request)
    places = {name: parameter["in"] for name, parameter in operation.parameters.items()}
    queried = {name: request.url.params.get_list(name) for name in request.url.params}
    assert set() == set(queried) - {name for name in places if places[name] == "query"}
    operation.check_query(queried)
    headers = {
        name.lower(): parameter["schema"] for name, parameter in operation.parameters.items()
    }
    for name in set(request.headers) - USUAL_HEADERS:
        assert [] == Schema(headers[name]).issues(request.headers[name])
    kind = request.headers.get("content-type", "").partition(";")[0]
    assert bool(request.content) == bool(operation.requests)
    if request.content:
        form = operation.requests[kind]
        body = (
            asyncio.run(parse_form(request.content, Headers(request.headers), form))
            if "multi" in kind
            else None
        )
        assert [] == form.issues(json.loads(request.content) if body is None else body)


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch) -> Iterator[respx.MockRouter]:
    """The routes of Venice, to be filled by a test; every request that was made is checked at the end."""
    monkeypatch.setenv("VENICE_API_KEY", KEY)
    monkeypatch.delenv("VENICE_CHAT_MODEL", raising=False)
    monkeypatch.delenv("VENICE_EMBEDDING_MODEL", raising=False)
    monkeypatch.delenv("VENICE_IMAGE_MODEL", raising=False)
    with respx.mock(base_url="https://api.venice.ai/api/v1", assert_all_called=False) as router:
        # Asked for a model that is not listed: no other maker's name is known, unless a test says
        # so.
        names: dict[str, Any] = {"object": "list", "type": "text", "data": {}}
        router.get("/models/compatibility_mapping", name="foreign names").respond(json=names)
        yield router
        for call in router.calls:
            check_request(call.request)


@pytest.fixture
def media(tmp_path: Path) -> Path:
    """The media store, which is empty."""
    folder = tmp_path / "media"
    folder.mkdir()
    return folder


@pytest.fixture
def tool(request: pytest.FixtureRequest, load_tool: Callable[[str], Tool]) -> Tool:
    """The tool that a module tests, out of its emitted text."""
    return load_tool(request.module.__name__.rpartition(".")[2].removeprefix("test_"))


@pytest.fixture
def call(
    name: str,
    venice: LocalVenice,
    load_tool: Callable[[str], Tool],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> Call:
    """The call of the own tests of the tool `name`, and what the local Venice answered to it."""
    return record(name, venice, load_tool, monkeypatch, tmp_path)


@pytest.fixture
def local_tool(venice: LocalVenice, monkeypatch: pytest.MonkeyPatch, tool: Tool) -> Iterator[Tool]:
    """The tool, over a real connection to the local Venice; no fault outlives the test."""
    monkeypatch.setenv("VENICE_API_KEY", venice.key)
    monkeypatch.setenv("VENICE_BASE_URL", venice.base_url)
    yield tool
    tool.__globals__["_client"]().close()
    venice.clear_faults()


def let_fail(route: respx.Route, failure: int | type[Exception]) -> None:
    """Let a request end in a status, or in an exception."""
    if isinstance(failure, int):
        route.mock(return_value=httpx.Response(failure))
    else:
        route.mock(side_effect=failure)


def posts(api: respx.MockRouter) -> list[Any]:
    """The bodies of the paid requests."""
    return [json.loads(call.request.content) for call in api.calls if call.request.method == "POST"]


def listings(api: respx.MockRouter) -> int:
    """How many times Venice was asked for its models."""
    return [call.request.url.path for call in api.calls].count("/api/v1/models")


def sent(route: respx.Route) -> Any:
    """The body of the last request that a route got."""
    return json.loads(route.calls.last.request.content)


def forms(api: respx.MockRouter) -> list[dict[str, Any]]:
    """The fields of the forms that were sent; a file is its name, with `content` and `content_type`."""
    sent = [
        call.request
        for call in api.calls
        if "multipart" in call.request.headers.get("content-type", "")
    ]
    kinds = [operation_of(one).requests["multipart/form-data"] for one in sent]
    return [
        asyncio.run(parse_form(one.content, Headers(one.headers), kind))
        for one, kind in zip(sent, kinds, strict=True)
    ]


def balance(venice: LocalVenice) -> float:
    """What is left of the local Venice's money."""
    reply = httpx.get(
        f"{venice.base_url}/billing/balance", headers={"Authorization": f"Bearer {venice.key}"}
    )
    return float(reply.json()["balances"]["usd"])


def refusal(call: Callable[..., Any], *sent: Any, **arguments: Any) -> str:
    """The one-line error that a call of a tool ends with."""
    with pytest.raises(Exception) as failure:  # noqa: PT011 - the type is the emitted text's own
        call(*sent, **arguments)
    assert "VeniceError" == type(failure.value).__name__
    assert 1 == len(str(failure.value).splitlines())
    return str(failure.value)
