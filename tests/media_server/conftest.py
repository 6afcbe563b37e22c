"""A media server for the tests: in process, and as a process of its own."""

import hashlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.testclient import TestClient

from sanctum_venice_tools.media_server.app import create_app
from sanctum_venice_tools.media_server.index import open_index
from sanctum_venice_tools.media_server.process import RunningMediaServer
from sanctum_venice_tools.media_server.service import Service
from sanctum_venice_tools.media_server.settings import Settings
from sanctum_venice_tools.media_server.shelf import FolderShelf

TOKEN = "a-token-of-the-tests"
PUBLIC = "https://media.test"


@pytest.fixture
def make_service(tmp_path: Path) -> Iterator[Callable[..., Service]]:
    """Make a media server with these settings."""
    made: list[Service] = []

    def make(**settings: Any) -> Service:
        folder = tmp_path / "media-server"
        folder.mkdir(exist_ok=True)
        given = Settings(folder, TOKEN, PUBLIC, **settings)
        made.append(Service(given, open_index("", folder), FolderShelf(folder)))
        return made[-1]

    yield make
    for service in made:
        service.index.close()


@pytest.fixture
def service(make_service: Callable[..., Service]) -> Service:
    """A media server without a quota."""
    return make_service()


def tool_of(service: Service) -> TestClient:
    """A tool that has the token."""
    headers = {"Authorization": f"Bearer {TOKEN}"}
    return TestClient(create_app(service), base_url=PUBLIC, headers=headers)


@pytest.fixture
def tool(service: Service) -> TestClient:
    """A tool that has the token."""
    return tool_of(service)


@pytest.fixture
def stranger(service: Service) -> TestClient:
    """Somebody who has nothing."""
    return TestClient(create_app(service), base_url=PUBLIC, follow_redirects=False)


@pytest.fixture
def person(stranger: TestClient) -> TestClient:
    """A browser that has opened the gallery with its token."""
    assert 303 == stranger.get("/", params={"token": TOKEN}).status_code
    return stranger


def declaration(name: str, content: bytes, /, **facts: Any) -> dict[str, Any]:
    """What a tool says of a file that is to come."""
    digest = hashlib.sha256(content).hexdigest()
    return {"name": name, "bytes": len(content), "sha256": digest, "facts": facts}


def upload(tool: TestClient, name: str, content: bytes, /, **facts: Any) -> dict[str, Any]:
    """Put a file on the server, as a tool does; what the server says of it."""
    declared = tool.post("/files", json=declaration(name, content, **facts))
    assert 201 == declared.status_code, declared.text
    told = declared.json()
    assert 204 == tool.put(told["upload"], content=content).status_code
    confirmed = tool.post(told["confirm"])
    assert 200 == confirmed.status_code
    made: dict[str, Any] = confirmed.json()
    return made


def shown_by(server: RunningMediaServer) -> list[dict[str, Any]]:
    """What the gallery of a running server shows, the newest first."""
    with httpx.Client(base_url=server.address, follow_redirects=True) as browser:
        browser.get(server.gallery)
        files: list[dict[str, Any]] = browser.get("/gallery/files").json()["files"]
    return files
