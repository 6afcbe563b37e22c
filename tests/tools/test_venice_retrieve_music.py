"""What is special in this tool; all about jobs is tested in tests/runtime/test_jobs.py."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
import respx

from sanctum_venice_tools.emulator import sound
from sanctum_venice_tools.emulator.process import LocalVenice
from tests.conftest import kept_in
from tests.samples import SONG
from tests.tools.conftest import posts, refusal

Tool = Callable[..., str]
JOB = "venice-audio|elevenlabs-music|0f1e2d3c"


def CALL(venice: LocalVenice) -> dict[str, Any]:  # noqa: N802 - the name that every tool's tests give it
    """Have a sound made for the tool to retrieve."""
    body = {"model": "elevenlabs-sound-effects-v2", "prompt": "A fox barks", "duration_seconds": 2}
    headers = {"Authorization": f"Bearer {venice.key}"}
    queued = httpx.post(f"{venice.base_url}/audio/queue", json=body, headers=headers).json()
    return {"job": f"venice-audio|{queued['model']}|{queued['queue_id']}"}


def test_the_file_is_asked_for_and_kept(api: respx.MockRouter, tool: Tool, tmp_path: Path) -> None:
    """The request holds what the job string holds, and what comes is stored under a name of the job's."""
    api.post("/audio/retrieve").respond(content=SONG, headers={"content-type": "audio/mpeg"})
    reply = json.loads(tool(job=JOB))

    assert [{"model": "elevenlabs-music", "queue_id": "0f1e2d3c"}] == posts(api)
    file = Path(reply.pop("file"))
    assert (tmp_path / "media", SONG) == (file.parent, file.read_bytes())
    assert file.name.startswith("elevenlabs-music-")
    assert {"type": "audio/mpeg", "bytes": len(SONG)} == reply


def test_what_is_not_done_is_asked_for_again(api: respx.MockRouter, tool: Tool) -> None:
    """Without waiting, the agent learns how long it takes, and when to ask again."""
    told = {"status": "PROCESSING", "execution_duration": 5200, "average_execution_time": 40_000}
    api.post("/audio/retrieve").respond(json=told)

    assert {
        "status": "processing",
        "seconds_run": 5,
        "usual_seconds": 40,
        "job": JOB,
        "next": "Ask again in 35 s with this job.",
    } == json.loads(tool(job=JOB, wait_seconds=0))


@pytest.mark.parametrize(
    ("job", "message"),
    [
        (
            "venice-video|wan-2.5|0f1e2d3c",
            "This job is for venice_retrieve_video. Give it to that tool.",
        ),
        *(
            (part, "Give the whole string: it begins with venice-audio|.")
            for part in ("", "77", "venice-audio|music")
        ),
    ],
)
def test_what_is_no_job_of_a_sound_is_refused(
    api: respx.MockRouter, tool: Tool, job: str, message: str
) -> None:
    """A film's job, or a part of one, is refused with what to do, and nothing is asked."""
    assert message in refusal(tool, job=job)
    assert 0 == len(api.calls)


def test_the_file_can_be_heard(venice: LocalVenice, local_tool: Tool) -> None:
    """Over a real connection, the sound comes, and another program can play it."""
    reply = json.loads(local_tool(**CALL(venice)))

    assert {"file", "type", "bytes"} == reply.keys()
    assert sound.seconds_of(Path(reply["file"]).read_bytes()) == pytest.approx(2, abs=0.2)


def test_half_a_file_is_not_kept(venice: LocalVenice, local_tool: Tool, tmp_path: Path) -> None:
    """A connection that breaks leaves nothing behind, and asking again, which is free, brings the whole."""
    call = CALL(venice)
    venice.order_fault(fault="reset-midway", path="/audio/retrieve", bytes=2000)

    assert "nothing was charged. Try again." in refusal(local_tool, **call, wait_seconds=0)
    assert [] == kept_in(tmp_path / "media")
    assert "file" in json.loads(local_tool(**call))
