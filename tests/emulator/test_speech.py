import io
import wave
from typing import Any

import av
import httpx
import pytest

TEXT = "The quick brown fox jumps over the lazy dog, and then it rests for a while in the sun."


def speak(client: httpx.Client, text: str = TEXT, **settings: Any) -> httpx.Response:
    """Ask for speech."""
    return client.post("/audio/speech", json={"input": text, **settings})


@pytest.mark.parametrize(
    ("kind", "media_type", "codec"),
    [
        ("mp3", "audio/mpeg", "mp3"),
        ("opus", "audio/opus", "opus"),
        ("aac", "audio/aac", "aac"),
        ("flac", "audio/flac", "flac"),
        ("wav", "audio/wav", "pcm_s16le"),
    ],
)
def test_speech_is_a_real_file(
    client: httpx.Client, kind: str, media_type: str, codec: str
) -> None:
    """Each format is what its name says, and as long as the text takes to say."""
    reply = speak(client, response_format=kind)

    assert reply.headers["content-type"] == media_type
    with av.open(io.BytesIO(reply.content), "r") as file:
        stream = file.streams.audio[0]
        seconds = sum(frame.samples / frame.sample_rate for frame in file.decode(stream))
        assert stream.codec_context.name.startswith(codec)
    assert seconds == pytest.approx(len(TEXT) / 15, rel=0.15)


def test_raw_samples(client: httpx.Client) -> None:
    """Pcm is the wav without its head."""
    with wave.open(io.BytesIO(speak(client, response_format="wav").content)) as file:
        samples = file.readframes(file.getnframes())

    assert speak(client, response_format="pcm").content == samples


def test_defaults(client: httpx.Client) -> None:
    """Left out, it is kokoro's af_sky in its default format."""
    reply = speak(client)

    assert (reply.headers["x-venice-model-id"], reply.headers["content-type"]) == (
        "tts-kokoro",
        "audio/mpeg",
    )


def test_speed(client: httpx.Client) -> None:
    """Twice the speed is half the length."""
    slow, fast = (
        len(speak(client, response_format="pcm", speed=speed).content) for speed in (1, 2)
    )

    assert fast == pytest.approx(slow / 2, rel=0.1)


def test_streamed_speech_is_the_same(client: httpx.Client) -> None:
    """`streaming` changes how it comes, not what comes."""
    assert speak(client, streaming=True).content == speak(client).content


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"model": "tts-xai-v1"}, "received 'af_sky'"),
        ({"voice": "alloy"}, "'af_alloy'"),
        (
            {"model": "tts-qwen3-0-6b", "voice": "Vivian", "response_format": "wav"},
            "Expected 'mp3'",
        ),
        ({"model": "tts-1"}, "Invalid enum value"),
        ({"text": "x" * 4097}, "String must contain at most 4096 character(s)"),
        ({"speed": 5}, "less than or equal to 4"),
        ({"voice": "vv_0000"}, "Invalid value"),
    ],
)
def test_refused_speech(client: httpx.Client, settings: dict[str, Any], said: str) -> None:
    """A voice belongs to its model, a format too, and long texts are not cut."""
    reply = speak(client, **settings)

    assert (reply.status_code, said in reply.text) == (400, True), reply.text


def test_own_speech_is_understood(client: httpx.Client) -> None:
    """What the local Venice said, it can write down."""
    file = speak(client).content

    reply = client.post("/audio/transcriptions", files={"file": ("speech.mp3", file)})

    assert reply.json() == {"text": TEXT, "duration": pytest.approx(len(TEXT) / 15, rel=0.15)}


@pytest.mark.parametrize(
    ("model", "expected"),
    [
        ("nvidia/parakeet-tdt-0.6b-v3", []),
        ("openai/whisper-large-v3", ["segment"]),
        ("elevenlabs/scribe-v2", ["word"]),
    ],
)
def test_timestamps_by_model(client: httpx.Client, model: str, expected: list[str]) -> None:
    """Each model tells times in its own way, parakeet in none."""
    data = {"model": model, "timestamps": "true"}

    reply = client.post(
        "/audio/transcriptions", files={"file": ("a.mp3", speak(client).content)}, data=data
    )

    assert list(reply.json().get("timestamps", {})) == expected


def test_transcript_as_text(client: httpx.Client) -> None:
    """As text, the reply is the transcript alone."""
    data = {"response_format": "text"}

    reply = client.post(
        "/audio/transcriptions", files={"file": ("a.mp3", speak(client).content)}, data=data
    )

    assert (reply.headers["content-type"], reply.text) == ("text/plain; charset=utf-8", TEXT)


@pytest.mark.parametrize(
    ("name", "content", "status"),
    [
        ("a.txt", b"hello", 400),
        ("a.mp3", b"no sound at all", 422),
        ("a.mp3", bytes(25 * 2**20 + 1), 413),
    ],
    ids=["suffix", "corrupt", "too large"],
)
def test_refused_transcriptions(
    client: httpx.Client, name: str, content: bytes, status: int
) -> None:
    """What is no sound, or too much of it, is refused in different ways."""
    assert (
        status == client.post("/audio/transcriptions", files={"file": (name, content)}).status_code
    )


def test_transcriptions_take_forms_only(client: httpx.Client) -> None:
    """JSON is not taken there."""
    assert client.post("/audio/transcriptions", json={"file": "x"}).status_code == 400


def test_cloned_voice(client: httpx.Client) -> None:
    """A sample gives a handle that speaks with its own model only."""
    sample = speak(client, TEXT * 2, response_format="wav").content

    made = client.post("/audio/voices", files={"file": ("me.wav", sample)}).json()

    assert made["id"].startswith("vv_")
    assert speak(client, model="tts-chatterbox-hd", voice=made["id"]).status_code == 200
    assert speak(client, voice=made["id"]).status_code == 400


@pytest.mark.parametrize(
    ("name", "text"), [("me.ogg", TEXT * 2), ("me.wav", "Hi.")], ids=["format", "too short"]
)
def test_refused_samples(client: httpx.Client, name: str, text: str) -> None:
    """A sample has to be of a known format and long enough."""
    sample = speak(client, text, response_format="wav").content

    assert client.post("/audio/voices", files={"file": (name, sample)}).status_code == 400


@pytest.mark.parametrize("headers", [{}, {"Authorization": ""}], ids=["a key", "no key"])
def test_writing_films_down_is_retired(client: httpx.Client, headers: dict[str, str]) -> None:
    """The endpoint for what is said in films answers 410, with the way that is left in body and headers."""
    body = {"url": "https://www.youtube.com/watch?v=dQw4w9WgXcQ"}
    reply = client.post("/video/transcriptions", json=body, headers=headers)

    assert (reply.status_code, reply.headers["deprecation"]) == (410, "true")
    assert "video_url" in reply.json()["error"]
    assert "successor-version" in reply.headers["link"]


def test_voices_are_listed(client: httpx.Client) -> None:
    """Each model lists its voices in GET /models?type=tts."""
    models = client.get("/models", params={"type": "tts"}).json()["data"]

    assert all(model["model_spec"]["voices"] for model in models)
