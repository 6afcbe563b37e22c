import base64
import io
import json
import re
import time
import wave
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
import respx

from sanctum_venice_tools.emulator import sound
from sanctum_venice_tools.emulator.process import LocalVenice
from sanctum_venice_tools.packing.record import read_record
from tests.tools.conftest import forms, let_fail, refusal

Tool = Callable[..., str]
# Six seconds of silence, which is small as FLAC.
SILENCE = sound.encode(bytes(2 * 8000 * 6), 8000, "flac")
CALL: dict[str, Any] = {"sample": f"data:audio/flac;base64,{base64.b64encode(SILENCE).decode()}"}
DAY = 86_400


def model(name: str, *formats: str, mode: str = "zero_shot", days: float = 7) -> dict[str, Any]:
    """A speech model as Venice lists it; with formats it can clone."""
    cloning = {
        "mode": mode,
        "accepted_formats": list(formats),
        "min_sample_seconds": 5,
        "retention_days": days,
    }
    return {
        "id": name,
        "type": "tts",
        "model_spec": {"name": name} | ({"voice_cloning": cloning} if formats else {}),
    }


LISTED = [
    model("tts-kokoro"),
    model("tts-minimax-speech-02-hd", "mp3", "wav", mode="persistent", days=9),
    model("tts-chatterbox-hd", "mp3", "wav", "flac", "mp4"),
]


def record() -> bytes:
    """A short WAV file."""
    file = io.BytesIO()
    with wave.open(file, "wb") as sample:
        sample.setnchannels(1)
        sample.setsampwidth(1)
        sample.setframerate(8000)
        sample.writeframes(bytes(800))
    return file.getvalue()


@pytest.fixture
def media(media: Path) -> Path:
    """The media store, in which somebody speaks."""
    (media / "ada.wav").write_bytes(record())
    return media


@pytest.fixture
def clone(api: respx.MockRouter, media: Path, tool: Tool) -> Callable[..., Any]:
    """Clone a voice; the tool's reply."""
    assert media.exists()
    api.get("/models").respond(json={"object": "list", "data": LISTED})

    def answer(request: httpx.Request) -> httpx.Response:
        chosen = re.findall(r'name="model"\s+(\S+)', request.content.decode(errors="replace"))[0]
        return httpx.Response(200, json={"id": "vv_1", "model": chosen})

    api.post("/audio/voices").mock(side_effect=answer)

    def run(**arguments: Any) -> Any:
        return json.loads(tool(**{"sample": "ada.wav", **arguments}))

    return run


def day(days: float) -> str:
    """The date in so many days."""
    return time.strftime("%Y-%m-%d", time.gmtime(time.time() + days * DAY))


def test_a_person_is_always_asked() -> None:
    """It leaves somebody's voice in the account, so no operator can switch the approval off."""
    assert ("account", True) == (
        (made := read_record("venice_clone_voice")).cost,
        made.needs_approval,
    )


def test_its_description_says_that_it_costs() -> None:
    """Venice charges a fee that it does not name: whoever is asked for leave should know that there is one."""
    description = read_record("venice_clone_voice").json_schema["description"]

    assert "Venice charges a fee for each voice, and tells no price." in description


def test_white_space_around_a_sample_does_no_harm(
    clone: Callable[..., Any], api: respx.MockRouter
) -> None:
    """A name with a space or a line feed around it is that name."""
    clone(sample=" ada.wav\n")

    assert [record()] == [form["file"].content for form in forms(api)]


def test_sends_the_sample_and_tells_the_voice(
    clone: Callable[..., Any], api: respx.MockRouter
) -> None:
    """The recording goes as a file under a name of no meaning, and the handle comes with its model and its end."""
    before, reply, after = day(7), clone(), day(7)

    (form,) = forms(api)
    assert {"file": "recording.wav", "model": "tts-chatterbox-hd"} == form
    assert (record(), "audio/wav") == (form["file"].content, form["file"].content_type)
    assert reply.pop("expires") in (before, after)
    assert {
        "voice": "vv_1",
        "model": "tts-chatterbox-hd",
        "next": "Give venice_speak this voice together with this model: no other knows it.",
    } == reply


def test_a_voice_that_use_renews_says_so(clone: Callable[..., Any]) -> None:
    """Some models keep a voice for as long as it is used."""
    reply = clone(model="tts-minimax-speech-02-hd")

    assert ["Each use makes it last 9 days from then on."] == reply["notes"]
    assert ("tts-minimax-speech-02-hd", day(9)) == (reply["model"], reply["expires"])


@pytest.mark.parametrize(("days", "lasts"), [(0, 7), (-1, 0), (0.5, 0.5), (10**12, 3650)])
def test_any_time_that_venice_states_is_a_date(
    clone: Callable[..., Any], api: respx.MockRouter, days: float, lasts: float
) -> None:
    """Venice's document has no bounds for it."""
    api.get("/models").respond(
        json={"object": "list", "data": [model("tts-chatterbox-hd", "wav", days=days)]}
    )

    assert day(lasts) == clone()["expires"]


def test_what_venice_leaves_out_is_taken_as_usual(
    clone: Callable[..., Any], api: respx.MockRouter
) -> None:
    """MP3 and WAV are taken by all, for seven days."""
    odd = {
        "id": "tts-chatterbox-hd",
        "type": "tts",
        "model_spec": {"voice_cloning": {"mode": "zero_shot"}},
    }
    api.get("/models").respond(json={"object": "list", "data": [odd]})

    assert day(7) == clone()["expires"]


def test_a_model_is_always_one_that_clones(
    clone: Callable[..., Any], api: respx.MockRouter, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The operator's model for speech need not be able to; one that the agent names must be."""
    monkeypatch.setenv("VENICE_SPEECH_MODEL", "tts-kokoro")

    assert "tts-chatterbox-hd" == clone()["model"]
    message = refusal(clone, model="tts-kokoro")
    assert "There is no tts model 'tts-kokoro' fit for this" in message
    assert "tts-chatterbox-hd" in message
    assert 1 == len(forms(api))


@pytest.mark.parametrize(
    ("name", "chosen", "sent"),
    [
        # The same container, by the name that the model lists.
        ("a.m4a", "tts-chatterbox-hd", "recording.mp4"),
        ("a.flac", "tts-chatterbox-hd", "recording.flac"),
        ("a.ogg", "tts-chatterbox-hd", ""),
        ("a.flac", "tts-minimax-speech-02-hd", ""),
        ("a.txt", "tts-chatterbox-hd", ""),
    ],
)
def test_each_model_gets_only_what_it_accepts(
    clone: Callable[..., Any],
    api: respx.MockRouter,
    media: Path,
    *,
    name: str,
    chosen: str,
    sent: str,
) -> None:
    """Another container is refused before anything is sent, with those that are accepted."""
    starts = {
        "a.m4a": b"\0\0\0\x1cftypM4A ",
        "a.flac": b"fLaC",
        "a.ogg": b"OggS",
        "a.txt": b"Hello",
    }
    (media / name).write_bytes(starts[name] + bytes(100))
    if sent:
        clone(sample=name, model=chosen)
    else:
        assert f"'{name}' is no recording of these kinds: mp3, wav" in refusal(
            clone, sample=name, model=chosen
        )
    assert [sent] * bool(sent) == [form["file"] for form in forms(api)]


def test_more_than_25_mb_costs_nothing(
    clone: Callable[..., Any], api: respx.MockRouter, media: Path
) -> None:
    """The limit of Venice is kept, to the byte, before anything is sent."""
    (media / "long.wav").write_bytes(record() + bytes((25 << 20) - len(record())))
    assert "vv_1" == clone(sample="long.wav")["voice"]
    (media / "long.wav").write_bytes(record() + bytes((25 << 20) - len(record()) + 1))

    assert "more than 25 MB" in refusal(clone, sample="long.wav")
    assert 1 == len(forms(api))


@pytest.mark.parametrize("failure", [500, httpx.ReadTimeout, httpx.RemoteProtocolError])
def test_nothing_is_sent_twice(
    clone: Callable[..., Any], api: respx.MockRouter, failure: int | type[Exception]
) -> None:
    """After a failure that may have made a voice, the request is not repeated."""
    route = api.post("/audio/voices")
    let_fail(route, failure)

    assert re.search(r"charged|answered 500", refusal(clone))
    assert 1 == route.call_count


def test_the_local_venice_speaks_with_it(
    venice: LocalVenice,
    monkeypatch: pytest.MonkeyPatch,
    tool: Tool,
    load_tool: Callable[[str], Tool],
) -> None:
    """Over a real connection, the voice that was made is one that venice_speak takes."""
    monkeypatch.setenv("VENICE_API_KEY", venice.key)
    monkeypatch.setenv("VENICE_BASE_URL", venice.base_url)
    made = json.loads(tool(**CALL))
    speak = load_tool("venice_speak")
    said = json.loads(speak(text="A fox.", voice=made["voice"], model=made["model"]))

    assert (made["voice"], "tts-chatterbox-hd") == (said["voice"], said["model"])
    for one in (tool, speak):
        one.__globals__["_client"]().close()


def test_a_model_that_is_not_open_is_refused_early(local_tool: Tool) -> None:
    """At the local Venice, as at Venice, MiniMax clones nothing for ordinary keys: nothing is uploaded."""
    line = refusal(local_tool, **CALL | {"model": "tts-minimax-speech-02-hd"})

    assert "use: tts-chatterbox-hd." in line


def test_a_403_names_the_way(local_tool: Tool, venice: LocalVenice) -> None:
    """Where Venice refuses all the same, the agent learns that the model is the reason."""
    venice.order_fault(fault="status-403", path="/audio/voices")

    assert "leave the model out, or ask the operator." in refusal(local_tool, **CALL)
