"""What the local Venice answers to a call, kept: what was done to it once may not be possible twice."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from sanctum_venice_tools.emulator.process import LocalVenice
from tests.conftest import Clock, plain_call

Tool = Callable[..., str]
Handler = Callable[[httpx.HTTPTransport, httpx.Request], httpx.Response]
Place = tuple[str, str]
"""The method and the path of a request."""
REAL = httpx.HTTPTransport.handle_request


class Call:
    """The call of a tool's own tests, and the replies that it got; it can be made again as if for the first time."""

    def __init__(self, arguments: dict[str, Any], folder: Path) -> None:
        self.arguments = arguments
        self.media = folder / "media"
        self.kept = folder / "before"
        self.replies: dict[Place, list[httpx.Response]] = {}

    def keep_media(self) -> None:
        """Remember what is in the media folder now."""
        self.media.mkdir(exist_ok=True)
        shutil.copytree(self.media, self.kept)

    def restore_media(self) -> None:
        """Make the media folder what it was."""
        shutil.rmtree(self.media)
        shutil.copytree(self.kept, self.media)

    def recording(self) -> Handler:
        """Pass requests on, and keep the replies."""

        def handle(transport: httpx.HTTPTransport, request: httpx.Request) -> httpx.Response:
            reply = REAL(transport, request)
            copy = httpx.Response(reply.status_code, headers=reply.headers, content=reply.read())
            self.replies.setdefault((request.method, request.url.path), []).append(copy)
            return copy

        return handle

    def replaying(self, refused: Place, refusal: httpx.Response) -> Handler:
        """Answer each request as it was answered, in the same order, but refuse those of one place."""
        left = {place: list(replies) for place, replies in self.replies.items()} | {
            refused: [refusal]
        }

        def handle(_: httpx.HTTPTransport, request: httpx.Request) -> httpx.Response:
            replies = left[request.method, request.url.path]
            told = replies.pop(0) if len(replies) > 1 else replies[0]
            return httpx.Response(told.status_code, headers=told.headers, content=told.content)

        return handle


def record(
    name: str,
    venice: LocalVenice,
    load_tool: Callable[[str], Tool],
    monkeypatch: pytest.MonkeyPatch,
    folder: Path,
) -> Call:
    """Make the call of a tool's own tests, and keep what comes."""
    call = Call(plain_call(name, venice), folder)
    call.keep_media()
    monkeypatch.setenv("VENICE_BASE_URL", venice.base_url)
    with monkeypatch.context() as patched:
        patched.setenv("VENICE_API_KEY", venice.key)
        patched.setattr(httpx.HTTPTransport, "handle_request", call.recording())
        tool = load_tool(name)
        tool.__globals__["time"] = Clock()
        assert isinstance(json.loads(tool(**call.arguments)), dict)
        tool.__globals__["_client"]().close()
    assert call.replies
    return call
