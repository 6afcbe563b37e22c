"""Speech: POST /audio/speech, /audio/transcriptions and /audio/voices."""

import hashlib
import secrets
from collections.abc import AsyncIterator
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.responses import JSONResponse, PlainTextResponse, Response, StreamingResponse

from sanctum_venice_tools.emulator import sound
from sanctum_venice_tools.emulator.catalogue import Model, catalogue, one_of
from sanctum_venice_tools.emulator.errors import custom, standard, too_large
from sanctum_venice_tools.emulator.service import Call
from sanctum_venice_tools.emulator.uploads import LARGEST_FILE, Upload

RATE = 24_000
PIECE = 32_768
MOST_REMEMBERED = 200
SUFFIXES = {"wav", "wave", "flac", "m4a", "aac", "mp4", "mp3", "ogg", "oga", "webm"}
UNHEARD = "This is the local Venice, which only understands speech that it made itself."


async def speak(call: Call) -> Response:
    """POST /audio/speech."""
    body = call.body
    model = catalogue().find(body.get("model", "tts-kokoro"), "tts")
    spec = model["model_spec"]
    # Left out, the voice is af_sky even for models that do not have it.
    voice = body.get("voice", "af_sky")
    if not (voice.startswith("vv_") and call.service.voices.get(voice) == model["id"]):
        one_of("voice", voice, spec["voices"])
    kind = body.get("response_format", spec["default_format"])
    one_of("response_format", kind, spec["supported_formats"])
    text = body["input"]

    file = await run_in_threadpool(_record, text, voice, body.get("speed", 1), kind)
    remember(call.service.spoken, file, text)
    call.use(model)
    millions = len(text) / 1e6  # of characters
    usd = millions * spec["pricing"]["input"]["usd"]
    call.charge(usd, sku=model["id"], units=millions, model=model)
    media_type = sound.FORMATS[kind][0]
    if body.get("streaming"):
        return StreamingResponse(_pieces(file), media_type=media_type)
    return Response(file, media_type=media_type)


def _record(text: str, voice: str, speed: float, kind: str) -> bytes:
    """A text as it sounds, in a file of that format."""
    samples = sound.murmur(text, voice, speed, RATE)
    return sound.encode(samples, RATE, kind)


def remember(spoken: dict[str, str], file: bytes, text: str) -> None:
    """Keep in mind what a file says, so that it can be understood when it comes back."""
    spoken[hashlib.sha256(file).hexdigest()] = text
    while len(spoken) > MOST_REMEMBERED:
        del spoken[next(iter(spoken))]


async def _pieces(file: bytes) -> AsyncIterator[bytes]:
    """A file piece by piece, as streamed speech comes."""
    for start in range(0, len(file), PIECE):
        yield file[start : start + PIECE]


async def transcribe(call: Call) -> Response:
    """POST /audio/transcriptions."""
    body = call.body
    model = catalogue().find(body.get("model", "nvidia/parakeet-tdt-0.6b-v3"), "asr")
    content = sound_file(body, SUFFIXES)
    seconds = await run_in_threadpool(sound.seconds_of, content)
    if not seconds:
        raise standard(422, "The audio could not be transcribed: it is silent, empty or corrupt.")
    text = call.service.spoken.get(hashlib.sha256(content).hexdigest(), UNHEARD)
    call.use(model)
    price = model["model_spec"]["pricing"]["per_audio_second"]["usd"]
    call.charge(price * seconds, sku=model["id"], units=seconds, model=model)
    if body.get("response_format") == "text":
        return PlainTextResponse(text)
    answer: dict[str, Any] = {"text": text, "duration": round(seconds, 3)}
    if body.get("timestamps") and (times := _timestamps(model, text, seconds)):
        answer["timestamps"] = times
    return JSONResponse(answer)


def _timestamps(model: Model, text: str, seconds: float) -> dict[str, Any]:
    """When what was said, as finely as each model tells it: parakeet says nothing of it."""
    if model["id"] == "openai/whisper-large-v3":
        return {"segment": [{"text": text, "start": 0, "end": round(seconds, 3)}]}
    if model["id"] != "elevenlabs/scribe-v2":
        return {}
    words = text.split()
    length = seconds / len(words)
    starts = [place * length for place in range(len(words))]
    return {
        "word": [
            {"word": word, "start": round(start, 3), "end": round(start + length, 3)}
            for word, start in zip(words, starts, strict=True)
        ]
    }


def sound_file(body: dict[str, Any], suffixes: set[str]) -> bytes:
    """The uploaded sound of a form."""
    file = body.get("file")
    if not isinstance(file, Upload):
        raise custom("file", "Required")
    if len(file.content) > LARGEST_FILE:
        raise too_large()
    suffix = file.rpartition(".")[2].lower()
    if suffix not in suffixes:
        supported = ", ".join(sorted(suffixes))
        raise custom("file", f"Invalid audio format. Supported formats: {supported}")
    return file.content


async def clone_voice(call: Call) -> Response:
    """POST /audio/voices."""
    model = catalogue().find(call.body.get("model", "tts-chatterbox-hd"), "tts")
    cloning = model["model_spec"].get("voice_cloning")
    if not cloning:
        raise standard(403, f"Voice cloning with {model['id']} is not available on your account")
    content = sound_file(call.body, set(cloning["accepted_formats"]))
    seconds = await run_in_threadpool(sound.seconds_of, content) or 0
    shortest = cloning["min_sample_seconds"]
    if seconds < shortest:
        raise custom("file", f"The sample is too short: at least {shortest} seconds are needed.")
    voice = f"vv_{secrets.token_hex(8)}"
    call.service.voices[voice] = model["id"]
    return JSONResponse({"id": voice, "model": model["id"]})
