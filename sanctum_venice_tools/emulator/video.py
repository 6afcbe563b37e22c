"""Films: POST /video/quote and /video/queue, and the retired /video/transcriptions."""

import functools
import hashlib
import re
from typing import Any

from PIL import Image
from starlette.responses import JSONResponse, Response

from sanctum_venice_tools.emulator import film, jobs, pictures
from sanctum_venice_tools.emulator.catalogue import Model, catalogue, one_of, within
from sanctum_venice_tools.emulator.errors import ApiError, custom, standard, too_large
from sanctum_venice_tools.emulator.faults import CONSENT
from sanctum_venice_tools.emulator.service import Call
from sanctum_venice_tools.emulator.uploads import check_address, read_file, read_picture
from sanctum_venice_tools.emulator.video_fields import (
    CHANGES_FILMS,
    UPSCALER,
    check_fields,
    check_quoted_references,
    source_matched,
    unsupported,
)

LARGEST_BODY = 35
# What the catalogue says of the durations of models that change or enlarge a film.
AUTO = "Auto"
WITH_CONSENT = {"seedance-2-0-image-to-video"}
CONSENTS = {
    "confirmed_terms_and_privacy",
    "confirmed_legal_right",
    "confirmed_screening_acknowledged",
}

# Dollars for a second in 720p with sound, by the beginning of a model's id. Venice's page on
# Kling 4.0 Flash (docs.venice.ai, 2026-11-05) tells one of them; the others are made up.
RATES = {
    "kling-v4-flash": 0.1174,
    "sora": 0.2,
    "seedance": 0.12,
    "wan": 0.1,
    "grok": 0.07,
    "topaz": 0.02,
    "kling": 0.14,
    "minimax": 0.08,
    "pixverse": 0.06,
}
FACTORS = {"480p": 0.5, "720p": 1.0, "1080p": 2.0}
SILENT = 0.8
# What an image costs that a film refers to, with a family that is billed so; which ones are, no
# source tells.
BILLED_BY_IMAGE = "grok-imagine-1-5"
IMAGE_USD = 0.01
# From so many frames a second on, an enlarged film costs twice as much.
MANY_FRAMES = 48
# Of a film that was not looked at, this length is assumed.
ASSUMED_SECONDS = 5

# Which fields bring media, and what role a face in them has.
ROLES = {
    "image_url": "image",
    "end_image_url": "end_image",
    "reference_image_urls": "reference_image",
    "video_url": "video",
    "reference_video_urls": "reference_video",
}
MEDIA = {
    field: role.removeprefix("reference_").removeprefix("end_") for field, role in ROLES.items()
} | dict.fromkeys(("audio_url", "reference_audio_urls"), "audio")
# The most megabytes of each kind of media.
LARGEST = {"image": 25, "video": 50, "audio": 15}


async def quote(call: Call) -> Response:
    """POST /video/quote; only what matters for the price is checked."""
    body = call.body
    model = catalogue().find(body["model"], "video")
    limits = model["model_spec"]["constraints"]
    if limits["model_type"] == CHANGES_FILMS:
        _require(body, "video_url")
        _check_media("video_url", "video", body["video_url"])
    else:
        _require(body, "duration")
        one_of("duration", body["duration"], limits["durations"])
    if "resolution" in body and limits["resolutions"]:
        one_of("resolution", body["resolution"], limits["resolutions"])
    check_quoted_references(model, body)
    return JSONResponse({"quote": _price(model, body)})


async def queue(call: Call) -> Response:
    """POST /video/queue."""
    body = call.body
    if int(call.request.headers.get("content-length", "0")) > LARGEST_BODY * 2**20:
        raise too_large(LARGEST_BODY)
    model = catalogue().find(body["model"], "video")
    _check(model, body)
    _check_consent(call, model)
    picture = (
        read_picture("image_url", body["image_url"], allow_url=True)
        if "image_url" in body
        else None
    )
    job = jobs.queue(call, "video", model, lambda: _film(model, body, picture), "video/mp4")
    call.use(model)
    call.charge(_price(model, body), sku=f"{model['id']}-video", model=model)
    answer = {"model": model["id"], "queue_id": job.id}
    if job.private:
        answer["download_url"] = f"{call.request.base_url.replace(path='')}/files/{job.token}.mp4"
    return JSONResponse(answer)


def _check(model: Model, body: dict[str, Any]) -> None:
    """Refuse what this model does not take."""
    limits = model["model_spec"]["constraints"]
    check_fields(model, body)
    within("prompt", body.get("prompt", ""), limits.get("prompt_character_limit"))
    _check_settings(model, body)
    for field in MEDIA.keys() & body.keys():
        for address in [body[field]] if isinstance(body[field], str) else body[field]:
            _check_media(field, MEDIA[field], address)


def _require(body: dict[str, Any], field: str) -> None:
    """Refuse a body without a field that its model needs."""
    if field not in body:
        raise custom(field, f"{field} is required by this model")


def _check_settings(model: Model, body: dict[str, Any]) -> None:
    """Refuse settings that this model does not list; an empty list means no such setting.

    A film that is changed or enlarged keeps its length. The catalogue says "Auto" there, which is
    none of the values.
    """
    limits = model["model_spec"]["constraints"]
    listed = {
        "duration": [one for one in limits["durations"] if one != AUTO],
        "resolution": [] if model["id"] == UPSCALER else limits["resolutions"],
        "aspect_ratio": limits["aspect_ratios"],
    }
    if body.get("reference_video_urls"):
        for field, values in source_matched(model).items():
            listed[field] = [*listed[field], *values]
    for field, values in listed.items():
        if field in body and values:
            one_of(field, body[field], values)
        elif field in body:
            raise unsupported(field)
    if listed["duration"]:
        _require(body, "duration")
    if listed["aspect_ratio"]:
        _require(body, "aspect_ratio")
    if "audio" in body and not limits["audio_configurable"]:
        raise unsupported("audio")


def _check_media(field: str, kind: str, address: str) -> None:
    """Refuse what is neither an address nor a data URL of the right kind, such as bare base64."""
    if re.match(r"https?://", address):
        check_address(field, address)
    elif not address.startswith(f"data:{kind}/"):
        raise custom(field, f"Must be an http(s) URL or a data:{kind}/... URL")
    elif len(read_file(field, address)) > LARGEST[kind] * 2**20:
        raise custom(field, f"The {kind} exceeds the maximum allowed size of {LARGEST[kind]} MB.")


def _check_consent(call: Call, model: Model) -> None:
    """Ask for consent before media with faces go to Seedance; about the same media, once."""
    body = call.body
    given = body.get("consents", {}).get("seedance")
    if given and (extra := sorted(given.keys() - CONSENTS)):
        listed = ", ".join(f"'{name}'" for name in extra)
        raise custom("consents", f"Unrecognized key(s) in object: {listed}")
    fields = [field for field in ROLES if field in body]
    if model["id"] not in WITH_CONSENT or not fields:
        return
    media = hashlib.sha256(repr([body[field] for field in fields]).encode()).hexdigest()
    if given:
        call.service.consented.add(media)
    elif media not in call.service.consented:
        raise ApiError(409, CONSENT | {"face_media_roles": [ROLES[field] for field in fields]})


def _seconds(body: dict[str, Any]) -> int:
    """How long the film shall be."""
    number = re.fullmatch(r"(\d+)s", body.get("duration", ""))
    return int(number[1]) if number else ASSUMED_SECONDS


def _price(model: Model, body: dict[str, Any]) -> float:
    """What a film costs with these settings."""
    rate = next(usd for family, usd in RATES.items() if model["id"].startswith(family))
    if model["id"] == UPSCALER:
        return round(rate * ASSUMED_SECONDS * _enlargement(body), 4)
    silent = model["model_spec"]["constraints"]["audio_configurable"] and body.get("audio") is False
    price = (
        rate
        * _seconds(body)
        * FACTORS.get(_resolution(model, body), 1.0)
        * (SILENT if silent else 1)
    )
    if model["id"].startswith(BILLED_BY_IMAGE):
        price += IMAGE_USD * _reference_images(body)
    return round(price + float(body.get("reference_video_total_duration", 0)) * rate / 4, 4)


def _enlargement(body: dict[str, Any]) -> int:
    """How many times the price of a second an enlarged film costs."""
    twice = 2 if body.get("target_fps", 0) >= MANY_FRAMES else 1
    return int(body.get("upscale_factor", 2)) * int(body.get("slowdown_factor", 1)) * twice


def _reference_images(body: dict[str, Any]) -> int:
    """How many images are billed: those that come along, or that a quote tells of, else one."""
    sent = len(body.get("reference_image_urls", [])) + len(body.get("image_references", []))
    return sent or int(body.get("reference_image_count", 1))


def _resolution(model: Model, body: dict[str, Any]) -> str:
    """The resolution asked for, else the model's middle one."""
    listed = model["model_spec"]["constraints"]["resolutions"]
    return str(body.get("resolution") or (listed[len(listed) // 2] if listed else "720p"))


def _film(model: Model, body: dict[str, Any], picture: Image.Image | None) -> bytes:
    """The finished film."""
    ratio = body.get("aspect_ratio", "")
    if ":" not in ratio:
        ratio = f"{picture.width}:{picture.height}" if picture else "16:9"
    size = film.size_of(_resolution(model, body), ratio)
    title, seconds = body.get("prompt", ""), _seconds(body)
    audio = model["model_spec"]["constraints"]["audio"] and body.get("audio", True)
    if picture:
        return film.make(picture, size, seconds, title, audio=audio)
    return _film_of_words(model["id"], title, size, seconds, audio=audio)


@functools.lru_cache(maxsize=16)
def _film_of_words(
    model: str, title: str, size: tuple[int, int], seconds: int, *, audio: bool
) -> bytes:
    """A film that shows its words; the same order gives the same film, which is made once."""
    return film.make(pictures.draw(title, size, model), size, seconds, title, audio=audio)


async def transcribe(call: Call) -> Response:
    """POST /video/transcriptions, which is no more."""
    chat, models = "/api/v1/chat/completions", "/api/v1/models"
    raise standard(
        410,
        f"POST {call.request.url.path} has been removed. "
        f"Use POST {chat} with a video_url content part, and a model that supports video input.",
        {
            "Deprecation": "true",
            "Link": f'<{chat}>; rel="successor-version", <{models}>; rel="describedby"',
        },
    )
