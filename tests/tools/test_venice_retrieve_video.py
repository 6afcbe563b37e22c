"""What is special in this tool; all about jobs is tested in tests/runtime/test_jobs.py."""

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import av
import httpx
import pytest

from sanctum_venice_tools.emulator.process import LocalVenice

Tool = Callable[..., str]


def CALL(venice: LocalVenice) -> dict[str, Any]:  # noqa: N802 - the name that every tool's tests give it
    """Queue a film for the tool to retrieve."""
    body = {"model": "wan-2.5-preview-text-to-video", "prompt": "A fox", "duration": "5s"}
    body |= {"resolution": "480p", "aspect_ratio": "16:9"}
    headers = {"Authorization": f"Bearer {venice.key}"}
    queued = httpx.post(f"{venice.base_url}/video/queue", json=body, headers=headers).json()
    return {"job": f"venice-video|{queued['model']}|{queued['queue_id']}"}


def test_the_film_can_be_watched(
    venice: LocalVenice, load_tool: Callable[[str], Tool], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Over a real connection, the tool waits for the film, and another program can play it."""
    monkeypatch.setenv("VENICE_API_KEY", venice.key)
    monkeypatch.setenv("VENICE_BASE_URL", venice.base_url)
    tool = load_tool("venice_retrieve_video")
    reply = json.loads(tool(**CALL(venice)))
    tool.__globals__["_client"]().close()

    assert {"file", "type", "bytes"} == reply.keys()
    with av.open(io.BytesIO(Path(reply["file"]).read_bytes()), "r") as film:
        assert (854, 480) == (film.streams.video[0].width, film.streams.video[0].height)
