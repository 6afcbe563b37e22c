"""Music and sound effects: POST /audio/quote and /audio/queue."""

from typing import Any

from starlette.responses import JSONResponse, Response

from sanctum_venice_tools.emulator import jobs, sound
from sanctum_venice_tools.emulator.catalogue import Model, catalogue, one_of, unsupported, within
from sanctum_venice_tools.emulator.errors import custom
from sanctum_venice_tools.emulator.service import Call
from sanctum_venice_tools.emulator.speech import remember

RATE = 44_100
DEFAULT_SECONDS = 30

# Each setting, and the field of a model that says whether it takes it.
SUPPORTED = {
    "lyrics_prompt": "supports_lyrics",
    "force_instrumental": "supports_force_instrumental",
    "lyrics_optimizer": "supports_lyrics_optimizer",
    "loop": "supports_loop",
    "voice": "voices",
    "language_code": "supports_language_code",
    "speed": "supports_speed",
}


# What says that a piece is sung, or that it is not.
OF_LYRICS = ("lyrics_prompt", "force_instrumental", "lyrics_optimizer")


async def quote(call: Call) -> Response:
    """POST /audio/quote."""
    body = call.body
    model = catalogue().find(body["model"], "music")
    usd = _price(model, _seconds(model, body), body.get("character_count"))
    return JSONResponse({"quote": usd})


async def queue(call: Call) -> Response:
    """POST /audio/queue."""
    body = call.body
    model = catalogue().find(body["model"], "music")
    spec = model["model_spec"]
    _check(model, body)
    seconds = _seconds(model, body)
    price = _price(model, seconds, len(body["prompt"]))
    spoken = "per_thousand_characters" in spec["pricing"]
    words = body["prompt"]

    def record() -> bytes:
        if spoken:
            voice = body.get("voice") or spec["default_voice"]
            samples = sound.murmur(words, voice, body.get("speed", 1), RATE)
            file = sound.encode(samples, RATE, "mp3")
            remember(call.service.spoken, file, words)
            return file
        samples = sound.tune(words, seconds, RATE)
        return sound.encode(samples, RATE, "mp3")

    call.use(model)
    call.charge(price, sku=f"{model['id']}-audio", model=model)
    job = jobs.queue(call, "audio", model, record, "audio/mpeg")
    return JSONResponse({"model": model["id"], "queue_id": job.id, "status": "QUEUED"})


def _check(model: Model, body: dict[str, Any]) -> None:
    """Refuse what this model does not advertise."""
    spec = model["model_spec"]
    within("prompt", body["prompt"], spec.get("prompt_character_limit"))
    least = spec.get("min_prompt_length", 1)
    if len(body["prompt"]) < least:
        raise custom("prompt", f"String must contain at least {least} character(s)", minimum=least)
    for field, flag in SUPPORTED.items():
        if field in body and not spec.get(flag):
            raise unsupported(model, field)
    sung = [field for field in OF_LYRICS if body.get(field)]
    if spec.get("lyrics_required") and not sung:
        raise custom("lyrics_prompt", "lyrics_prompt is required by this model")
    if {"lyrics_prompt", "lyrics_optimizer"} <= set(sung):
        raise custom("lyrics_prompt", "lyrics_prompt must be empty when lyrics_optimizer is true")
    within("lyrics_prompt", body.get("lyrics_prompt", ""), spec.get("lyrics_character_limit"))
    if "voice" in body:
        one_of("voice", body["voice"], spec["voices"])
    if "speed" in body and not spec["min_speed"] <= body["speed"] <= spec["max_speed"]:
        raise custom("speed", f"Number must be from {spec['min_speed']} to {spec['max_speed']}")


def _seconds(model: Model, body: dict[str, Any]) -> int:
    """How long the piece shall be, checked against the model."""
    spec = model["model_spec"]
    if "duration_seconds" not in body:
        return int(spec.get("default_duration", DEFAULT_SECONDS))
    seconds = int(body["duration_seconds"])
    options = spec.get("duration_options")
    if options:
        one_of("duration_seconds", seconds, options)
        return seconds
    if "max_duration" not in spec:
        raise unsupported(model, "duration_seconds")
    least, most = spec["min_duration"], spec["max_duration"]
    if not least <= seconds <= most:
        raise custom("duration_seconds", f"Number must be from {least} to {most}")
    return seconds


def _price(model: Model, seconds: int, characters: int | None) -> float:
    """What a piece costs, in the way that the model is priced."""
    pricing = model["model_spec"]["pricing"]
    if "per_thousand_characters" in pricing:
        if characters is None:
            raise custom("character_count", "character_count is required by this model")
        rate = float(pricing["per_thousand_characters"]["usd"])
        return round(characters / 1000 * rate, 6)
    if "per_second" in pricing:
        return round(seconds * float(pricing["per_second"]["usd"]), 6)
    if "durations" in pricing:
        tiers = pricing["durations"].values()
        return float(next(tier["usd"] for tier in tiers if seconds <= tier["max_seconds"]))
    return float(pricing["generation"]["usd"])
