import base64
import json
import re
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import respx
from hypothesis import given
from hypothesis import strategies as st

from sanctum_venice_tools.emulator import sound
from sanctum_venice_tools.emulator.process import LocalVenice
from tests.conftest import forget_lists, kept_in
from tests.tools.conftest import MAY_BE_PAID, forms, let_fail, refusal
from tests.tools.test_venice_read_document import small_disk

Tool = Callable[..., str]
LIMIT = 8000
"""A reply longer than this is a burden to an agent's memory."""

WAV = sound.encode(sound.murmur("A fox.", "af_sky", 1, 8000), 8000, "wav")
CALL: dict[str, Any] = {"audio": f"data:audio/wav;base64,{base64.b64encode(WAV).decode()}"}
PARAKEET, WHISPER, SCRIBE = (
    "nvidia/parakeet-tdt-0.6b-v3",
    "openai/whisper-large-v3",
    "elevenlabs/scribe-v2",
)
SETTING = "VENICE_TRANSCRIPTION_MODEL"


def model(name: str, price: float | None = 0.0001) -> dict[str, Any]:
    """A model that listens, as Venice lists it."""
    pricing = (
        {} if price is None else {"pricing": {"per_audio_second": {"usd": price, "diem": price}}}
    )
    return {"id": name, "type": "asr", "model_spec": {"name": name, **pricing}}


LISTED = [
    model("stt-xai-v1"),
    model(SCRIBE, 0.000167),
    model(PARAKEET),
    model(WHISPER),
    model("fal-ai/wizper"),
]


@pytest.fixture
def media(media: Path) -> Path:
    """The media store, in which a fox is told of."""
    (media / "fox.wav").write_bytes(WAV)
    return media


@pytest.fixture
def hear(api: respx.MockRouter, media: Path, tool: Tool) -> Callable[..., Any]:
    """Transcribe, while Venice hears this; the tool's reply."""
    assert media.exists()
    api.get("/models").respond(json={"object": "list", "data": LISTED})

    def run(text: str = "A fox.", heard: dict[str, Any] | None = None, **arguments: Any) -> Any:
        api.post("/audio/transcriptions").respond(json={"text": text, **(heard or {})})
        reply = tool(**{"audio": "fox.wav", **arguments})
        assert len(reply) < LIMIT
        return json.loads(reply)

    return run


def test_sends_the_recording_and_tells_what_was_said(
    hear: Callable[..., Any], api: respx.MockRouter
) -> None:
    """The file goes as it is, under a name of no meaning; the text comes with its length and price."""
    reply = hear(" A fox.\n", {"duration": 12.5})

    (form,) = forms(api)
    assert {
        "file": "recording.wav",
        "model": PARAKEET,
        "response_format": "json",
        "timestamps": False,
    } == form
    assert (WAV, "audio/wav") == (form["file"].content, form["file"].content_type)
    assert {"text": "A fox.", "seconds": 12.5, "model": PARAKEET, "cost_usd": 0.00125} == reply


def test_a_price_that_cannot_be_known_is_left_out(
    hear: Callable[..., Any], api: respx.MockRouter
) -> None:
    """Venice's document requires neither the length nor the price."""
    assert {"text": "A fox.", "model": PARAKEET} == hear()
    forget_lists()
    api.get("/models").respond(json={"object": "list", "data": [model(PARAKEET, None)]})

    assert {"text": "A fox.", "model": PARAKEET, "seconds": 3} == hear(heard={"duration": 3})


@pytest.mark.parametrize(
    ("arguments", "operator", "chosen"),
    [
        ({}, "", PARAKEET),
        ({}, SCRIBE, SCRIBE),
        ({"model": WHISPER}, SCRIBE, WHISPER),
        ({"language": "ja"}, "", WHISPER),
        ({"language": "ja"}, PARAKEET, PARAKEET),
        ({"timestamps": True}, "", WHISPER),
        ({"timestamps": True}, PARAKEET, WHISPER),
        ({"timestamps": True}, SCRIBE, SCRIBE),
        ({"timestamps": True}, SCRIBE.upper(), SCRIBE),
        ({"timestamps": True}, f"venice/{SCRIBE}", SCRIBE),
        ({"timestamps": True}, "stt-xai-v1", "stt-xai-v1"),
        ({"timestamps": True}, "fal-ai/wizper", "fal-ai/wizper"),
        ({"timestamps": True, "model": SCRIBE}, "", SCRIBE),
        ({"timestamps": True, "model": PARAKEET}, "", PARAKEET),
    ],
)
def test_the_model_is_one_that_can(
    hear: Callable[..., Any],
    api: respx.MockRouter,
    monkeypatch: pytest.MonkeyPatch,
    *,
    arguments: dict[str, Any],
    operator: str,
    chosen: str,
) -> None:
    """The agent's, else the operator's; times need one that tells them, and a language one that heeds it."""
    monkeypatch.setenv(SETTING, operator)

    assert chosen == hear(**arguments)["model"] == forms(api)[0]["model"]


def test_another_model_than_the_operators_is_told(
    hear: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the operator's model may tell no times, the reply says that it was not asked; else nothing is said."""
    times = {"timestamps": {"segment": SEGMENTS}}
    monkeypatch.setenv(SETTING, PARAKEET)
    assert [f"Took {WHISPER}: the operator's {PARAKEET} may tell no times."] == hear(
        "A fox.", times, timestamps=True
    )["notes"]
    assert "notes" not in hear("A fox.", times)
    monkeypatch.setenv(SETTING, "")
    assert "notes" not in hear("A fox.", times, timestamps=True)


def test_another_model_that_tells_times_steps_in(
    hear: Callable[..., Any], api: respx.MockRouter
) -> None:
    """When the usual one is away, the other is asked."""
    away = model(WHISPER)
    away["model_spec"]["offline"] = True
    api.get("/models").respond(
        json={"object": "list", "data": [away, model(PARAKEET), model(SCRIBE)]}
    )

    assert SCRIBE == hear(timestamps=True)["model"]


@pytest.mark.parametrize(
    ("written", "sent"), [("de", "de"), (" EN ", "en"), ("pt-BR", "pt"), ("zh_CN", "zh")]
)
def test_a_language_is_sent_as_two_letters(
    hear: Callable[..., Any], api: respx.MockRouter, written: str, sent: str
) -> None:
    """However an agent writes it; and only when there is one."""
    hear(language=written)
    hear()

    assert [sent, None] == [form.get("language") for form in forms(api)]


@pytest.mark.parametrize(
    ("arguments", "operator", "is_told"),
    [
        ({"language": "de", "model": PARAKEET}, "", True),
        ({"language": "de"}, PARAKEET, True),
        ({"model": PARAKEET}, "", False),
        ({"language": "de"}, "", False),
    ],
)
def test_a_language_that_a_model_does_not_heed_is_told(
    hear: Callable[..., Any],
    monkeypatch: pytest.MonkeyPatch,
    *,
    arguments: dict[str, Any],
    operator: str,
    is_told: bool,
) -> None:
    """Parakeet takes the hint and goes by what it recognises; the agent learns which model does better."""
    monkeypatch.setenv(SETTING, operator)
    notes = [f"{PARAKEET} heeds no language, and recognises it itself; {WHISPER} heeds it."]

    assert is_told == (notes == hear(**arguments).get("notes"))


SEGMENTS = [
    {"text": " A fox\nsleeps.", "start": 0, "end": 4.25},
    {"text": "It wakes.", "start": 4.25, "end": 61},
]


def test_times_stand_before_what_is_said(hear: Callable[..., Any], api: respx.MockRouter) -> None:
    """Each segment is a line, with its start and end in seconds."""
    reply = hear("A fox sleeps. It wakes.", {"timestamps": {"segment": SEGMENTS}}, timestamps=True)

    assert forms(api)[0]["timestamps"] is True
    assert {"text": "0.00-4.25 A fox sleeps.\n4.25-61.00 It wakes.", "model": WHISPER} == reply


@pytest.mark.parametrize("kind", ["word", "char"])
def test_times_may_be_those_of_words(hear: Callable[..., Any], kind: str) -> None:
    """What each model tells is taken."""
    times = {
        kind: [{kind: "A", "start": 0, "end": 0.5}, {kind: "x", "start": 0.5, "end": 0.75}],
        "segment": [],
    }

    assert "0.00-0.50 A\n0.50-0.75 x" == hear("A x", {"timestamps": times}, timestamps=True)["text"]


@pytest.mark.parametrize(
    "times", [{}, {"timestamps": {}}, {"timestamps": {"segment": [], "word": []}}]
)
def test_times_that_do_not_come_are_missed(hear: Callable[..., Any], times: dict[str, Any]) -> None:
    """Some models take the wish and say nothing of it; the agent learns which ones do better."""
    reply = hear("A fox.", times, timestamps=True, model=PARAKEET)

    assert "A fox." == reply["text"]
    assert [
        f"{PARAKEET} told no times; {WHISPER} tells those of sentences, {SCRIBE} of words."
    ] == reply["notes"]


def test_silence_is_told(hear: Callable[..., Any]) -> None:
    """An empty text is no error, and not taken for a fault."""
    assert {"model": PARAKEET, "notes": ["Nobody was heard to say anything."]} == hear(" ")


@pytest.mark.parametrize(
    "text",
    ["word " * 4000, '"say"\n' * 4000, "\N{FOX FACE}" * 7000, "狐狸睡觉" * 5000, "\x01" * 7000],
)
def test_a_long_text_is_kept_whole(hear: Callable[..., Any], media: Path, text: str) -> None:
    """The reply shows the beginning, and where all of it lies."""
    reply = hear(text)

    file = Path(reply["file"])
    assert (media, ".txt", text.strip()) == (
        file.parent,
        file.suffix,
        file.read_text(encoding="utf-8"),
    )
    assert (file.stat().st_size, "text/plain") == (reply["bytes"], reply["type"])
    assert file.name.startswith("transcript")
    assert text.startswith(reply["text"])
    assert 6400 < len(json.dumps(reply["text"], ensure_ascii=False)) <= 6500
    assert "the file holds all of it" in reply["notes"][0]


def test_long_times_are_kept_whole(hear: Callable[..., Any]) -> None:
    """With times, the file holds them too."""
    many = [
        {"text": f"Sentence {place}.", "start": place, "end": place + 1} for place in range(900)
    ]
    reply = hear("Sentence. " * 900, {"timestamps": {"segment": many}}, timestamps=True)

    lines = Path(reply["file"]).read_text(encoding="utf-8").split("\n")
    assert (900, "899.00-900.00 Sentence 899.") == (len(lines), lines[-1])
    assert "\n".join(lines).startswith(reply["text"])


def test_a_text_that_cannot_be_kept_is_shown(hear: Callable[..., Any], media: Path) -> None:
    """It is paid: when the disk is full only afterwards, the agent gets as much as a reply holds, and reads why."""
    with small_disk(1_000_000):
        reply = hear("word " * 300_000, {"duration": 60})

    assert reply["text"].startswith("word word")
    assert 0.006 == reply["cost_usd"]
    (note,) = reply["notes"]
    assert note.startswith("Only this beginning can be shown. The file was made, but not kept: ")
    assert "file" not in reply
    assert [media / "fox.wav"] == kept_in(media)


def test_a_text_that_just_fits_is_not_kept(hear: Callable[..., Any], media: Path) -> None:
    """No file is made for what the reply holds."""
    assert "file" not in hear("a" * 6498)
    assert [media / "fox.wav"] == kept_in(media)
    assert "file" in hear("a" * 6499)


# --- what is a recording ---

STARTS = {
    "mp3": b"\xff\xfb\x90\x00",
    "ID3": b"ID3\x04\0\0",
    "wav": WAV[:40],
    "m4a": b"\0\0\0\x20ftypM4A \0\0",
    "flac": b"fLaC\0\0",
    "ogg": b"OggS\0\x02",
    "webm": b"\x1aE\xdf\xa3\x9fB\x86\x81\x01B\xf7\x81\x01B\xf2\x81\x04B\xf3\x81\x08B\x82\x84webm",
    "aac": b"\xff\xf1P\x80",
    "mkv": b"\x1aE\xdf\xa3\x9fB\x86\x81\x01B\xf7\x81\x01B\xf2\x81\x04B\xf3\x81\x08B\x82\x88matroska",
    "text": b"<html>",
    "?": b"\0\0\0\0",
}


@pytest.mark.parametrize(
    ("name", "start", "sent", "kind"),
    [
        ("a.mp3", "mp3", "mp3", "audio/mpeg"),
        ("a", "ID3", "mp3", "audio/mpeg"),
        ("a.MP3", "wav", "wav", "audio/wav"),
        ("a.wave", "wav", "wave", "audio/wav"),
        ("a.mp4", "m4a", "mp4", "audio/mp4"),
        ("a.m4a", "m4a", "m4a", "audio/mp4"),
        ("a.mov", "m4a", "m4a", "audio/mp4"),
        ("a.opus", "ogg", "ogg", "audio/ogg"),
        ("a.oga", "ogg", "oga", "audio/ogg"),
        ("a.b.flac", "flac", "flac", "audio/flac"),
        ("voice", "webm", "webm", "audio/webm"),
        ("voice.m4a", "aac", "aac", "audio/aac"),
        ("a.mp3", "?", "mp3", "audio/mpeg"),
        ("a.mkv", "mkv", "", ""),
        ("a.txt", "text", "", ""),
        ("mp3x", "?", "", ""),
        ("a", "?", "", ""),
    ],
)
def test_a_recording_is_known_by_its_bytes(
    hear: Callable[..., Any],
    api: respx.MockRouter,
    media: Path,
    *,
    name: str,
    start: str,
    sent: str,
    kind: str,
) -> None:
    """A wrong name, or one without an ending, is put right; where the bytes tell nothing, the name is believed."""
    (media / name).write_bytes(STARTS[start] + bytes(200))
    if sent:
        hear(audio=name)
    else:
        message = f"'{name}' is no recording of these kinds: mp3, wav, wave, m4a, mp4, aac, flac, ogg, oga, webm. "
        assert message + "Give another." == refusal(hear, audio=name)
    expected = [(f"recording.{sent}", kind)] * bool(sent)
    assert expected == [(str(form["file"]), form["file"].content_type) for form in forms(api)]


@pytest.mark.parametrize("kind", ["mp3", "wav", "flac", "opus", "aac"])
def test_real_recordings_are_known(
    hear: Callable[..., Any], api: respx.MockRouter, media: Path, kind: str
) -> None:
    """What encoders write is what the bytes are taken for."""
    (media / "nameless").write_bytes(
        sound.encode(sound.murmur("A fox.", "af_sky", 1, 24_000), 24_000, kind)
    )
    hear(audio="nameless")

    assert [f"recording.{'ogg' if kind == 'opus' else kind}"] == [
        form["file"] for form in forms(api)
    ]


@given(
    content=st.binary(min_size=1, max_size=80),
    ending=st.sampled_from(["", ".mp3", ".x", ".webm", ".txt"]),
)
def test_any_bytes_are_sent_whole_or_refused(
    hear: Callable[..., Any],
    api: respx.MockRouter,
    media: Path,
    tool: Tool,
    *,
    content: bytes,
    ending: str,
) -> None:
    """Whatever lies in the store, it reaches Venice as it is, or costs nothing."""
    (media / f"any{ending}").write_bytes(content)
    before = len(forms(api))
    with suppress(tool.__globals__["VeniceError"]):
        assert "A fox." == hear(audio=f"any{ending}")["text"]
        assert before + 1 == len(forms(api))
    assert {content} >= {form["file"].content for form in forms(api)[before:]}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            {"language": "English"},
            "The language must be two letters, such as 'en', not 'English'. Or leave it out.",
        ),
        (
            {"language": "auto"},
            "The language must be two letters, such as 'en', not 'auto'. Or leave it out.",
        ),
        (
            {"audio": "fix.wav"},
            "No stored file is called 'fix.wav'. Near it: fox.wav. URLs work too.",
        ),
        (
            {"audio": "../fox.wav"},
            "No stored file is called '../fox.wav'. Near it: fox.wav. URLs work too.",
        ),
        (
            {"audio": "http://127.0.0.1/a"},
            "'127.0.0.1' is in a private network; only public URLs are fetched.",
        ),
        (
            {"audio": "data:audio/wav;base64,"},
            "'data:audio/wav;base64,' is empty, or has more than 25 MB. Give another.",
        ),
    ],
    ids=str,
)
def test_a_wrong_argument_costs_nothing(
    hear: Callable[..., Any], api: respx.MockRouter, arguments: dict[str, Any], message: str
) -> None:
    """What can't work is refused before anything is asked of Venice."""
    assert message == refusal(hear, **arguments)
    assert 0 == len(api.calls)


def test_an_unknown_model_costs_nothing(hear: Callable[..., Any], api: respx.MockRouter) -> None:
    """The error names those that there are."""
    message = refusal(hear, model="whisper-1")

    assert "There is no asr model 'whisper-1' fit for this" in message
    assert WHISPER in message
    assert [] == forms(api)


def test_the_limit_of_size_is_exact(
    hear: Callable[..., Any], api: respx.MockRouter, media: Path
) -> None:
    """25 MB are taken, and not one byte more."""
    (media / "long.wav").write_bytes(WAV + bytes((25 << 20) - len(WAV)))
    assert "A fox." == hear(audio="long.wav")["text"]
    (media / "long.wav").write_bytes(WAV + bytes((25 << 20) - len(WAV) + 1))

    assert "more than 25 MB" in refusal(hear, audio="long.wav")
    assert 1 == len(forms(api))


def test_an_unusable_media_folder_costs_nothing(
    hear: Callable[..., Any], api: respx.MockRouter, monkeypatch: pytest.MonkeyPatch, media: Path
) -> None:
    """Where a long text could not be kept, nothing is asked of Venice."""
    monkeypatch.setenv("VENICE_MEDIA_DIR", str(media / "fox.wav" / "deep"))

    assert "VENICE_MEDIA_DIR" in refusal(hear, **CALL)
    assert 0 == len(api.calls)


@pytest.mark.parametrize("failure", MAY_BE_PAID)
def test_nothing_is_sent_twice(
    hear: Callable[..., Any], api: respx.MockRouter, failure: int | type[Exception]
) -> None:
    """After a failure that may have been paid, the request is not repeated."""
    route = api.post("/audio/transcriptions")
    let_fail(route, failure)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(route, "respond", lambda **_: None)  # the fixture's good reply
        assert re.search(r"charged|answered 50", refusal(hear))
    assert 1 == route.call_count


# --- over a real connection ---


@pytest.mark.parametrize(
    ("arguments", "lines"),
    [({}, 0), ({"timestamps": True}, 1), ({"timestamps": True, "model": SCRIBE}, 3)],
)
def test_what_the_local_venice_said_it_understands(
    local_tool: Tool, load_tool: Callable[[str], Tool], arguments: dict[str, Any], lines: int
) -> None:
    """Speech that was made by one tool is read by the other, with the times that each model tells."""
    speak = load_tool("venice_speak")
    spoken = json.loads(speak(text="Foxes sleep here.", format="wav"))
    speak.__globals__["_client"]().close()
    reply = json.loads(local_tool(audio=spoken["file"], **arguments))

    words = re.sub(r"(?m)^\d+\.\d\d-\d+\.\d\d ", "", reply["text"])
    assert ["Foxes", "sleep", "here."] == words.split()
    assert lines == len(re.findall(r"(?m)^\d+\.\d\d-\d+\.\d\d ", reply["text"]))
    assert spoken["seconds"] == pytest.approx(reply["seconds"], abs=0.1)
    assert reply["cost_usd"] > 0


@pytest.mark.slow
def test_what_is_too_busy_is_asked_again(venice: LocalVenice, local_tool: Tool) -> None:
    """After a 503 the whole file is sent once more."""
    venice.order_fault(fault="status-503", path="/audio/transcriptions", times=1)

    assert "only understands speech that it made" in json.loads(local_tool(**CALL))["text"]


def test_a_broken_recording_is_one_line(local_tool: Tool, media: Path) -> None:
    """Venice's own reason reaches the agent, and what may be wrong with the recording."""
    (media / "broken.mp3").write_bytes(bytes(2000))

    assert (
        "Venice answered 422: The audio could not be transcribed: it is silent, empty or corrupt. "
        "The recording may be silent, empty or broken, or of a language that the model does not "
        "know: check it, or name another model."
    ) == refusal(local_tool, audio="broken.mp3")
