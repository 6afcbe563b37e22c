"""What is special in this tool; all about jobs is tested in tests/runtime/test_jobs.py."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sanctum_venice_tools.emulator.process import LocalVenice
from tests.tools import test_venice_retrieve_video
from tests.tools.conftest import refusal

Tool = Callable[..., str]


def CALL(venice: LocalVenice) -> dict[str, Any]:  # noqa: N802 - the name that every tool's tests give it
    """Queue a film for the tool to delete."""
    return test_venice_retrieve_video.CALL(venice) | {"even_if_not_stored": True}


@pytest.fixture
def local(venice: LocalVenice, monkeypatch: pytest.MonkeyPatch) -> LocalVenice:
    """The local Venice as the tools' Venice."""
    monkeypatch.setenv("VENICE_API_KEY", venice.key)
    monkeypatch.setenv("VENICE_BASE_URL", venice.base_url)
    return venice


def test_deletes_what_is_stored(local: LocalVenice, load_tool: Callable[[str], Tool]) -> None:
    """Once the film is here, Venice's copy can go: then Venice has it no more, and we still have."""
    job = test_venice_retrieve_video.CALL(local)["job"]
    retrieve, delete = load_tool("venice_retrieve_video"), load_tool("venice_delete_video")
    file = Path(json.loads(retrieve(job=job))["file"])

    deleted = json.loads(delete(job=job))
    assert (True, str(file)) == (deleted["deleted"], deleted["file"])
    assert "told to delete it" in deleted["copy"]
    assert json.loads(retrieve(job=job))["bytes"] == file.stat().st_size
    file.unlink()
    assert "Venice has no such job" in refusal(retrieve, job=job)
    for tool in (retrieve, delete):
        tool.__globals__["_client"]().close()


@pytest.mark.usefixtures("local")
def test_revokes_an_address(load_tool: Callable[[str], Tool]) -> None:
    """A film at an address of its own is deleted there."""
    queue, delete, retrieve = map(
        load_tool, ("venice_queue_video", "venice_delete_video", "venice_retrieve_video")
    )
    job = json.loads(queue(prompt="A fox", model="grok-imagine-text-to-video-private"))["job"]

    assert json.loads(delete(job=job, even_if_not_stored=True))["deleted"]
    assert "Venice has no such job" in refusal(retrieve, job=job)
    for tool in (queue, delete, retrieve):
        tool.__globals__["_client"]().close()
