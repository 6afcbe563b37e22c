"""Venice in process: what a tool sends can be looked at, and all of it is held against Venice's document."""

import json
import re
from collections.abc import Iterator

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
