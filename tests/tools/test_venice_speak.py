import functools
import io
import json
import re
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import av
import httpx
import pytest
import respx
from hypothesis import example, given
from hypothesis import strategies as st

from sanctum_venice_tools.emulator import sound
from sanctum_venice_tools.emulator.process import LocalVenice
from tests.conftest import Clock, kept_in, space_of
from tests.tools.conftest import refusal

Tool = Callable[..., str]
CALL: dict[str, Any] = {"text": "The fox sleeps."}
RATE = 24_000


def model(name: str, voices: list[str], formats: list[str], **spec: Any) -> dict[str, Any]:
    """A speech model as Venice lists it."""
    spec = {"pricing": {"input": {"usd": 3.5}}, "default_format": formats[0], **spec}
    return {
        "id": name,
        "type": "tts",
        "model_spec": {"voices": voices, "supported_formats": formats, **spec},
    }


LISTED = [
    model("tts-xai-v1", ["eve", "rex"], ["mp3", "wav"], default_voice="rex"),
    model(
        "tts-kokoro",
        ["af_alloy", "af_sky", "bm_fable"],
        ["mp3", "opus", "aac", "flac", "wav", "pcm"],
    ),
    model("tts-qwen3-0-6b", ["Aiden", "Ono_Anna"], ["mp3"]),
    model("tts-gemini-3-1-flash", ["Kore"], ["mp3"]),
    model("tts-chatterbox-hd", ["Aurora"], ["wav"], voice_cloning={"mode": "zero_shot"}),
    model("tts-elevenlabs-turbo-v2-5", ["Rachel"], ["mp3"], supports_custom_voice_id=True),
]

ELEVENLABS_ID = "21m00Tcm4TlvDq8ikWAM"


@functools.cache
def say(text: str, kind: str = "mp3") -> bytes:
    """A sound file, as the local Venice makes it."""
    return sound.encode(sound.murmur(text, "af_sky", 1, RATE), RATE, kind)


def samples_of(file: bytes | Path) -> int:
    """How many samples another program hears in a file; raises when it finds a fault."""
    content = file if isinstance(file, bytes) else file.read_bytes()
    with av.open(io.BytesIO(content), "r") as source:
        return sum(frame.samples for frame in source.decode(audio=0))


@pytest.fixture
def space(tool: Tool) -> dict[str, Any]:
    """The globals of the emitted text."""
    return tool.__globals__


@pytest.fixture
def speech(api: respx.MockRouter) -> respx.Route:
    """The paid request: it speaks, in the format that was asked."""

    def answer(request: httpx.Request) -> httpx.Response:
        body = json.loads(request.content)
        return httpx.Response(200, content=say(body["input"][:60], body["response_format"]))

    return api.post("/audio/speech").mock(side_effect=answer)


@pytest.fixture
def speak(
    api: respx.MockRouter, speech: respx.Route, tool: Tool, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., Any]:
    """Speak; the tool's reply."""
    assert not speech.called
    monkeypatch.delenv("VENICE_SPEECH_MODEL", raising=False)
    api.get("/models").respond(json={"object": "list", "data": LISTED})

    def run(text: str = "The fox sleeps.", **arguments: Any) -> Any:
        return json.loads(tool(text=text, **arguments))

    return run


def bodies(speech: respx.Route) -> list[Any]:
    """The bodies of the paid requests."""
    return [json.loads(call.request.content) for call in speech.calls]


def test_a_short_text_is_spoken(
    speak: Callable[..., Any], speech: respx.Route, tmp_path: Path
) -> None:
    """Model, voice and format are always named; the file is kept as it came, and told with seconds and price."""
    reply = speak()

    body = {
        "model": "tts-kokoro",
        "voice": "af_sky",
        "input": "The fox sleeps.",
        "response_format": "mp3",
        "speed": 1,
    }
    assert [body] == bodies(speech)
    file = Path(reply.pop("file"))
    assert (tmp_path / "media", say("The fox sleeps.")) == (file.parent, file.read_bytes())
    assert re.fullmatch(r"the-fox-sleeps-\w{10}\.mp3", file.name)
    assert reply.pop("seconds") == pytest.approx(samples_of(file) / RATE, abs=0.11)
    assert {
        "type": "audio/mpeg",
        "bytes": file.stat().st_size,
        "voice": "af_sky",
        "model": "tts-kokoro",
        "cost_usd": 0.000053,
    } == reply


def test_sends_all_that_was_asked(speak: Callable[..., Any], speech: respx.Route) -> None:
    """Every argument has its field, under the document's name."""
    speak(
        "Hush.",
        voice="ono_anna",
        model="tts-qwen3-0-6b",
        speed=0.5,
        style="Sad.",
        language="English",
    )

    assert [
        {
            "model": "tts-qwen3-0-6b",
            "voice": "Ono_Anna",
            "input": "Hush.",
            "response_format": "mp3",
            "speed": 0.5,
            "prompt": "Sad.",
            "language": "English",
        }
    ] == bodies(speech)


@pytest.mark.parametrize("kind", ["mp3", "wav", "flac", "opus", "aac"])
def test_each_format_is_known_by_its_bytes(speak: Callable[..., Any], kind: str) -> None:
    """The file gets its name and type from what is in it, and another program can hear it."""
    reply = speak(format=kind)
    types = {"mp3": "audio/mpeg", "opus": "audio/ogg"}

    assert (kind, types.get(kind, f"audio/{kind}")) == (
        Path(reply["file"]).suffix[1:],
        reply["type"],
    )
    assert samples_of(Path(reply["file"]))
    assert (kind in ("mp3", "wav")) == ("seconds" in reply)


LONG = " ".join(f"Sentence number {number} speaks of foxes." for number in range(400))


@pytest.mark.parametrize("kind", ["mp3", "wav"])
def test_a_long_text_is_one_file(speak: Callable[..., Any], speech: respx.Route, kind: str) -> None:
    """Parts end with sentences and are all within the limit; the file holds exactly the sound of all of them."""
    reply = speak(LONG, format=kind)
    parts = [body["input"] for body in bodies(speech)]

    assert 4 == len(parts)
    assert LONG == " ".join(parts)
    assert all(len(part) <= 4096 and part.endswith(".") for part in parts)
    pieces = [samples_of(say(part[:60], kind)) for part in parts]
    heard = samples_of(Path(reply["file"]))
    # A single MP3 file says how much of its ends is padding; in a joined one, that is heard as
    # silence.
    assert sum(pieces) <= heard <= sum(pieces) + (3000 * len(parts) if kind == "mp3" else 0)
    assert reply["seconds"] == pytest.approx(heard / RATE, abs=0.3)
    assert reply.keys().isdisjoint({"notes", "next"})
    assert pytest.approx(len("".join(parts)) * 3.5e-6, abs=1e-6) == reply["cost_usd"]


@pytest.fixture
def dear(api: respx.MockRouter, speak: Callable[..., Any]) -> Callable[..., Any]:
    """Speak with the one model that there is, of which a character costs a thousandth of a dollar."""
    listed = [model("tts-kokoro", ["af_sky"], ["mp3"], pricing={"input": {"usd": 1000}})]
    api.get("/models").respond(json={"object": "list", "data": listed})
    return speak


@pytest.mark.parametrize(
    ("limit", "characters", "allowed"), [("", 5001, "5"), (" 0.01 ", 11, "0.01"), ("0", 1, "0")]
)
def test_what_is_too_dear_is_not_spoken(
    dear: Callable[..., Any],
    speech: respx.Route,
    monkeypatch: pytest.MonkeyPatch,
    *,
    limit: str,
    characters: int,
    allowed: str,
) -> None:
    """Above the operator's limit nothing is sent, though a first part would cost less; unset, it is 5 dollars."""
    monkeypatch.setenv("VENICE_MAX_USD", limit)
    price = characters / 1000

    assert (
        f"This costs {price:g} USD, and the operator allows {allowed} a call (VENICE_MAX_USD). "
        "Nothing was spent: choose something shorter or cheaper, or ask the operator."
    ) == refusal(dear, "a" * characters)
    assert not speech.called


@pytest.mark.parametrize(("limit", "characters"), [("", 5000), ("0.01", 10), ("none", 5001)])
def test_what_is_within_the_limit_is_spoken(
    dear: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, limit: str, characters: int
) -> None:
    """A price of just the limit is allowed; "none" lifts it."""
    monkeypatch.setenv("VENICE_MAX_USD", limit)

    assert characters / 1000 == dear("a" * characters)["cost_usd"]


def test_a_limit_that_is_no_number_stops_speech(
    speak: Callable[..., Any], speech: respx.Route, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An operator who meant to set a limit never finds that there was none."""
    monkeypatch.setenv("VENICE_MAX_USD", "five")

    assert "VENICE_MAX_USD is no number of dollars" in refusal(speak)
    assert not speech.called


def test_joined_wav_has_one_right_header(speak: Callable[..., Any]) -> None:
    """The lengths in the header are those of the file."""
    content = Path(speak(LONG, format="wav")["file"]).read_bytes()

    assert 1 == content.count(b"RIFF")
    assert len(content) - 8 == int.from_bytes(content[4:8], "little")
    assert len(content) - 44 == int.from_bytes(content[40:44], "little")


def test_joined_mp3_has_no_table_of_contents(speak: Callable[..., Any]) -> None:
    """A table of the first part's length would make players stop there."""
    content = Path(speak(LONG)["file"]).read_bytes()

    assert b"Info" in say("x")
    assert not re.search(rb"Xing|Info|ID3|VBRI", content)


@pytest.mark.parametrize("kind", ["flac", "opus", "aac"])
def test_what_cannot_be_joined_costs_nothing(
    speak: Callable[..., Any], speech: respx.Route, kind: str
) -> None:
    """A long text in another format is refused with the reason, before anything is paid."""
    assert f"{kind} can't be joined: use mp3 or wav" in refusal(speak, LONG, format=kind)
    assert not speech.called


@pytest.mark.parametrize(
    "failure",
    [
        httpx.ReadTimeout("late"),
        httpx.Response(500, json={"error": "Inference failed"}),
        b"",
        b"{}",
        b"ID3",
    ],
)
def test_what_was_spoken_is_kept(
    speak: Callable[..., Any], speech: respx.Route, failure: Any
) -> None:
    """When a later part fails, the earlier ones are a file; the reply says why, and from where to go on."""
    whole: Any = speech.side_effect
    results = [
        None,
        None,
        httpx.Response(200, content=failure) if isinstance(failure, bytes) else failure,
    ]

    def answer(request: httpx.Request) -> Any:
        result = results.pop(0)
        if isinstance(result, Exception):
            raise result
        return result or whole(request)

    speech.mock(side_effect=answer)
    reply = speak(LONG)
    parts = [body["input"] for body in bodies(speech)]

    assert 3 == len(parts)
    assert "Only 2 of 4 parts are in the file: Venice" in reply["notes"][0]
    assert repr(parts[2][:60]) in reply["next"]
    assert samples_of(Path(reply["file"])) >= sum(samples_of(say(part[:60])) for part in parts[:2])
    assert pytest.approx(len("".join(parts[:2])) * 3.5e-6, abs=1e-6) == reply["cost_usd"]


HALVES = [
    b"{}",
    b"\xff\xfb<html>",
    b"ID3",
    *(say("The fox sleeps.", kind)[:-1] for kind in ("mp3", "wav", "flac")),
]


@pytest.mark.parametrize(
    "failure",
    [500, 502, httpx.ReadTimeout, httpx.ReadError, httpx.RemoteProtocolError, *HALVES],
    ids=lambda one: repr(one)[:30],
)
def test_nothing_is_sent_twice(
    speak: Callable[..., Any],
    speech: respx.Route,
    tmp_path: Path,
    failure: int | type[Exception] | bytes,
) -> None:
    """After a failure of the first part, which may have been paid, the request is not repeated, and nothing kept."""
    if isinstance(failure, type):
        speech.mock(side_effect=failure)
    else:
        content = failure if isinstance(failure, bytes) else b""
        speech.mock(
            side_effect=None,
            return_value=httpx.Response(
                failure if isinstance(failure, int) else 200, content=content
            ),
        )

    assert re.search(r"charged|answered 50", refusal(speak, LONG))
    assert 1 == speech.call_count
    assert [] == kept_in(tmp_path / "media")


def test_it_stops_in_time(
    speak: Callable[..., Any], speech: respx.Route, space: dict[str, Any]
) -> None:
    """When the next part would not be ready in time, it is not begun."""
    space["_DEADLINE"] = space["time"].monotonic() + 4.9
    reply = speak(LONG)

    assert 1 == speech.call_count
    assert "time for one call was up" in reply["notes"][0]
    assert "Call again" in reply["next"]


def test_what_is_whole_is_not_told_as_cut(speak: Callable[..., Any], space: dict[str, Any]) -> None:
    """Where no part is left, it does not matter that there is no time for another."""
    space["_DEADLINE"] = space["time"].monotonic() + 4.9
    reply = speak()

    assert not {"notes", "next"} & set(reply)


def test_what_stands_behind_the_samples_is_not_heard(space: dict[str, Any]) -> None:
    """A WAV file may end with a chunk of notes: between two parts they would be noise."""
    notes = b"LIST" + struct.pack("<I", 4) + b"note"
    fox = say("Fox", "wav")
    noted = fox[:4] + struct.pack("<I", len(fox) - 8 + len(notes)) + fox[8:] + notes

    assert samples_of(fox) * 2 == samples_of(space["_join"]([noted, noted]))


@pytest.mark.parametrize(("seconds_left", "count"), [(19.9, 1), (20.1, 2)])
def test_a_part_is_expected_to_take_longer_than_the_one_before(
    space: dict[str, Any], api: respx.MockRouter, seconds_left: float, count: int
) -> None:
    """After a part of 10 s, half as much again and 5 s more must be left for another."""
    space["time"] = clock = Clock()
    space["_DEADLINE"] = clock.monotonic() + 10 + seconds_left

    def answer(_: httpx.Request) -> httpx.Response:
        clock.sleep(10)
        return httpx.Response(200, content=say("Fox", "mp3"))

    api.post("/audio/speech").mock(side_effect=answer)
    body = {"model": "tts-kokoro", "voice": "af_sky", "response_format": "mp3"}

    assert count == space["_speak"](body, ["One.", "Two.", "Three."]).count


def test_words_without_an_end_of_a_sentence_are_kept_together(space: dict[str, Any]) -> None:
    """Where no sentence ends, a part has as many whole words as fit, and a long word is cut."""
    assert ["one two", "three"] == list(space["_parts"]("one two three", 9))
    assert ["one", "seventee", "n"] == list(space["_parts"]("one seventeen", 8))


@pytest.mark.parametrize(
    ("voice", "name", "used", "noted"),
    [
        ("", "", "af_sky", False),
        ("", "tts-xai-v1", "rex", False),
        ("", "tts-chatterbox-hd", "Aurora", False),
        ("BM_Fable", "", "bm_fable", True),
        ("alloy", "", "af_alloy", True),
        ("sky", "", "af_sky", True),
        ("Fable", "", "bm_fable", True),
        ("alloy", "tts-xai-v1", "rex", True),
        ("shimmer", "", "af_sky", True),
        ("vv_0123", "tts-chatterbox-hd", "vv_0123", False),
        (ELEVENLABS_ID, "tts-elevenlabs-turbo-v2-5", ELEVENLABS_ID, False),
        (ELEVENLABS_ID, "", ELEVENLABS_ID, False),
    ],
)
def test_voices(
    speak: Callable[..., Any], voice: str, name: str, used: str, *, noted: bool
) -> None:
    """A voice always belongs to the model; OpenAI's are translated, and the reply says so."""
    reply = speak(voice=voice, model=name)

    assert used == reply["voice"]
    assert noted == (f"Used voice {used} for {voice}." in reply.get("notes", []))


@pytest.mark.parametrize("name", ["tts-1", "tts-1-hd", "gpt-4o-mini-tts"])
def test_openais_models_are_translated(speak: Callable[..., Any], name: str) -> None:
    """An agent that knows OpenAI's names gets the usual model, and is told."""
    reply = speak(model=name)

    assert "tts-kokoro" == reply["model"]
    assert [f"Used model tts-kokoro for {name}."] == reply["notes"]


def test_the_operators_model_is_used(
    speak: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The operator's default comes before the usual model, the caller's before both."""
    monkeypatch.setenv("VENICE_SPEECH_MODEL", "tts-xai-v1")

    assert "tts-xai-v1" == speak()["model"]
    assert "tts-kokoro" == speak(model="tts-kokoro")["model"]


@pytest.mark.parametrize("name", ["tts-qwen3-0-6b", "tts-gemini-3-1-flash"])
def test_models_that_take_a_style_get_it(
    speak: Callable[..., Any], speech: respx.Route, name: str
) -> None:
    """Qwen's and Gemini's voices can be told how to speak."""
    speak(model=name, style="Sad.")

    assert ["Sad."] == [body["prompt"] for body in bodies(speech)]


@pytest.mark.parametrize(
    ("names", "advice"),
    [
        (["tts-kokoro", "tts-x-qwen-2"], "leave it out, or use the model tts-x-qwen-2."),
        (["tts-kokoro", "tts-xai-v1"], "leave it out."),
    ],
)
def test_a_model_that_takes_a_style_is_named_if_there_is_one(
    api: respx.MockRouter, speak: Callable[..., Any], names: list[str], advice: str
) -> None:
    """Only what Venice lists, and can be had, is advised."""
    away = model("tts-qwen3-1-7b", ["Aiden"], ["mp3"], offline=True)
    listed = [away, *(model(name, ["af_sky"], ["mp3"]) for name in names)]
    api.get("/models").respond(json={"object": "list", "data": listed})

    assert f"tts-kokoro takes no style: {advice}" == refusal(speak, style="Sad.")


@pytest.mark.parametrize(
    ("name", "speed", "notes"),
    [
        ("tts-kokoro", 4, None),
        ("tts-xai-v1", 1.5, None),
        ("tts-xai-v1", 3, ["tts-xai-v1 speaks at speeds of 0.7 to 1.5: it took the nearest."]),
        ("tts-qwen3-0-6b", 1, None),
        ("tts-qwen3-0-6b", 2, ["tts-qwen3-0-6b knows no speed: it speaks at its own."]),
    ],
)
def test_a_speed_that_a_model_does_not_have_is_told(
    speak: Callable[..., Any], name: str, speed: float, notes: list[str] | None
) -> None:
    """Venice takes every speed, and some models speak at another without a word; the reply says so."""
    assert notes == speak(model=name, speed=speed).get("notes")


def test_another_format_is_used_and_told(speak: Callable[..., Any], speech: respx.Route) -> None:
    """A model that lacks the format speaks in its own."""
    reply = speak(model="tts-chatterbox-hd")

    assert ["wav"] == [body["response_format"] for body in bodies(speech)]
    assert ["Used format wav for mp3."] == reply["notes"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"text": " \n"}, "Give a text"),
        ({"speed": 0}, "a speed of 0.25 to 4"),
        ({"speed": 4.1}, "a speed of 0.25 to 4"),
        ({"speed": float("nan")}, "'speed' must be a number, not nan."),
        ({"style": "x" * 501, "model": "tts-qwen3-0-6b"}, "a style up to 500"),
        (
            {"style": "Sad."},
            "tts-kokoro takes no style: leave it out, or use the model tts-qwen3-0-6b.",
        ),
        ({"voice": "af_skye"}, "tts-kokoro has no voice 'af_skye'. Leave it out, or use: af_sky"),
        ({"voice": "eve", "model": "tts-kokoro"}, "tts-kokoro has no voice 'eve'"),
        ({"voice": "vv_0123", "model": "tts-kokoro"}, "tts-kokoro has no voice 'vv_0123'"),
        (
            {"voice": ELEVENLABS_ID, "model": "tts-kokoro"},
            f"tts-kokoro has no voice '{ELEVENLABS_ID}'",
        ),
        (
            {"voice": "Rachael", "model": "tts-elevenlabs-turbo-v2-5"},
            "tts-elevenlabs-turbo-v2-5 has no voice 'Rachael'. Leave it out, or use: Rachel",
        ),
        (
            {"model": "tts-cocoro"},
            "There is no tts model 'tts-cocoro' fit for this. Leave it out, or use: tts-kokoro",
        ),
    ],
    ids=lambda value: str(value)[:50],
)
def test_a_wrong_argument_costs_nothing(
    speak: Callable[..., Any], speech: respx.Route, arguments: dict[str, Any], message: str
) -> None:
    """What can't work is refused before anything is paid."""
    assert message in refusal(speak, **arguments)
    assert not speech.called


def test_an_unusable_media_folder_costs_nothing(
    speak: Callable[..., Any],
    api: respx.MockRouter,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    """Where no file can be kept, nothing is asked of Venice."""
    (tmp_path / "file").write_text("not a folder")
    monkeypatch.setenv("VENICE_MEDIA_DIR", str(tmp_path / "file" / "media"))

    assert "VENICE_MEDIA_DIR" in refusal(speak)
    assert 0 == len(api.calls)


@given(
    text=st.lists(
        st.sampled_from(
            ["Fox. ", "dog ", "e!\n\n", "x" * 30, "\N{FOX FACE}", "\u3002", "3.14 ", "?” "]
        )
    ).map("".join),
    most=st.integers(2, 60),
)
@example("a" * 100, 7)
@example("\N{FOX FACE}" * 9, 3)
def test_parts_lose_nothing(texts: dict[str, str], text: str, most: int) -> None:
    """However a text is cut, no letter is lost, and no part is too long, counted as JavaScript does."""
    space = space_of("venice_speak", texts)
    parts = list(space["_parts"](text, most))

    assert "".join(text.split()) == "".join("".join(parts).split())
    assert all(0 < len(part.encode("utf-16-le")) // 2 <= most for part in parts)


@given(
    content=st.one_of(
        st.binary(max_size=400), st.integers(0, 3000).map(lambda size: say("Fox", "wav")[:size])
    )
)
def test_any_bytes_are_a_sound_or_an_error(texts: dict[str, str], content: bytes) -> None:
    """Bytes that are no sound end in the error that says so, and in no other."""
    space = space_of("venice_speak", texts)
    try:
        kind, _, _ = space["_sound_length"](content)
    except ValueError as error:
        assert "may be charged" in str(error)  # noqa: PT017 - either outcome is right
    else:
        assert kind in ("mp3", "wav", "flac", "opus", "aac")


def mp3(rate: int, bits: int, samples: bytes) -> bytes:
    """An MP3 file of one sample rate and bit rate, made by another program."""
    file = io.BytesIO()
    with av.open(file, "w", format="mp3") as output:
        stream = output.add_stream("libmp3lame", rate=rate, layout="mono")
        stream.bit_rate = bits
        for packet in [*stream.encode(sound.mono_frame(samples, rate)), *stream.encode(None)]:
            output.mux(packet)
    return file.getvalue()


@pytest.mark.parametrize("rate", [8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000])
@pytest.mark.parametrize("bits", [32_000, 64_000, 128_000])
def test_mp3_of_every_rate_joins(space: dict[str, Any], rate: int, bits: int) -> None:
    """Frames of all three versions are told apart rightly: two files joined hold what both hold."""
    content = mp3(rate, bits, sound.murmur("The quick brown fox", "af_sky", 1, rate))
    one = samples_of(content)
    joined = space["_join"]([content, content])

    assert 2 * one <= samples_of(joined) <= 2 * one + 6000
    assert space["_sound_length"](joined)[2] == pytest.approx(samples_of(joined) / rate, abs=0.11)


@pytest.mark.slow
@pytest.mark.parametrize(
    "name", ["tts-kokoro", "tts-chatterbox-hd", "tts-xai-v1", "tts-minimax-speech-02-hd"]
)
def test_the_local_venices_speech_is_one_file(local_tool: Tool, name: str) -> None:
    """Over a real connection, a text of two parts becomes one file that plays as long as the text takes."""
    text = " ".join(["The fox sleeps."] * 300)
    reply = json.loads(local_tool(text=text, model=name, speed=4))

    heard = samples_of(Path(reply["file"])) / RATE
    assert reply["seconds"] == pytest.approx(heard, abs=0.3)
    assert len(text) / sound.LETTERS_PER_SECOND / 4 == pytest.approx(heard, rel=0.1)


def test_the_local_venices_failure_keeps_what_was_spoken(
    venice: LocalVenice, local_tool: Tool
) -> None:
    """A lost connection in the first part is an error; nothing is asked again."""
    venice.order_fault(fault="reset-midway", path="/audio/speech")
    with pytest.raises(Exception, match="may be charged"):
        local_tool(text="The fox sleeps.")
    assert json.loads(local_tool(text="The fox sleeps."))["file"]
