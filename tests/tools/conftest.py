"""Venice in process: what a tool sends can be looked at, and all of it is held against Venice's document."""

import json
import re
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
import respx

from sanctum_venice_tools.emulator.facts import operations


def check_request(request: httpx.Request) -> None:
    """Assert that Venice's document allows a request."""
    path = request.url.raw_path.decode().partition("?")[0].removeprefix("/api/v1")
    templates = sorted((template for template, method in operations() if method == request.method.lower()), key=len)
    template = next(one for one in templates if re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", one), path))
    operation = operations()[template, request.method.lower()]
    queried = {name: request.url.params.get_list(name) for name in request.url.params}
    assert set() == set(queried) - set(operation.parameters)
    operation.check_query(queried)
    if request.content:
        assert [] == operation.requests["application/json"].issues(json.loads(request.content))


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch) -> Iterator[respx.MockRouter]:
    """The routes of Venice, to be filled by a test; every request that was made is checked at the end."""
    monkeypatch.setenv("VENICE_API_KEY", "sk-in-process")
    monkeypatch.delenv("VENICE_CHAT_MODEL", raising=False)
    monkeypatch.delenv("VENICE_EMBEDDING_MODEL", raising=False)
    monkeypatch.delenv("VENICE_IMAGE_MODEL", raising=False)
    with respx.mock(base_url="https://api.venice.ai/api/v1", assert_all_called=False) as router:
        yield router
        for call in router.calls:
            check_request(call.request)


def posts(api: respx.MockRouter) -> list[Any]:
    """The bodies of the paid requests."""
    return [json.loads(call.request.content) for call in api.calls if call.request.method == "POST"]


def refusal(call: Callable[..., Any], *sent: Any, **arguments: Any) -> str:
    """The one-line error that a call of a tool ends with."""
    with pytest.raises(Exception) as failure:  # noqa: PT011 - the type is the emitted text's own
        call(*sent, **arguments)
    assert "VeniceError" == type(failure.value).__name__
    assert 1 == len(str(failure.value).splitlines())
    return str(failure.value)
