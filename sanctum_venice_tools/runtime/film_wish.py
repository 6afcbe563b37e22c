"""What a caller wants of a film, read and checked as far as it can be without its model."""

import re
from dataclasses import dataclass
from typing import Any

from sanctum_venice_tools.runtime.film_media import (
    _RARE_CONTENT,
    _check_together,
    _read_content,
    _with_media,
)
from sanctum_venice_tools.runtime.options import _read_options
from sanctum_venice_tools.runtime.ratio import _read_shape
from sanctum_venice_tools.runtime.references import _count_references, _References
from sanctum_venice_tools.runtime.venice import VeniceError, _given

# What changes a film that is enlarged (venice-py 2.9.0, 2026-10-25).
_ENHANCING: dict[str, Any] = {
    "enhancement_model": str,
    "compression": (0.0, 1.0),
    "creativity": (0.0, 1.0),
    "grain": (0.0, 0.1),
    "halo": (0.0, 1.0),
    "noise": (0.0, 1.0),
    "realism": (0.0, 1.0),
    "recover_detail": (0.0, 1.0),
    "sharp": (0.0, 1.0),
    "softness": (1.0, 5.0),
    "target_fps": (16, 120),
    "slowdown_factor": [1, 2, 4, 8],
    "h264_output": [True, False],
    "output_format": ["mp4", "prores"],
}

_OPTIONS: dict[str, Any] = {
    "choose": ["cheapest"],
    "upscale_factor": [1, 2, 4],
    "image_strength": (0.0, 1.0),
    "voice_id": str,
    "bitrate_mode": ["standard", "high"],
    "omni_reference_task_type": ["auto", "reference", "edit", "extend"],
    "reference_video_total_duration": (0.0, 36_000.0),
    "reference_image_count": (0, 30),
    **_ENHANCING,
}
_REFUSED = {
    "seed": "Venice's films have no such thing",
    "fps": "Venice's films have no such thing",
    "guidance_scale": "Venice's films have no such thing",
    "motion_bucket_id": "Venice's films have no such thing",
    "n": "Venice's films have no such thing",
    "consents": "consent is for a person to give, at Venice itself",
}

# Fields that make a film one with references, beside those that are called so.
_REFERRING = {"elements", "scene_image_urls", "image_references", "video_references"}
_FRAMES = {"image_url", "end_image_url", "keyframes"}

# A length in seconds, as people write it: 5, 5.0, 5 s, 5sec, 5 Seconds.
_SECONDS = re.compile(r"(\d+)(\.0)? ?(s|secs?|seconds?)?", re.IGNORECASE)


@dataclass(frozen=True)
class _Wish:
    """A film that is wanted."""

    made_of: str
    """What its model begins with: "text", "image", "video", "reference", "transition" (from a first
    frame to a last), "upscale" or "camera".
    """

    settings: dict[str, Any]
    """The duration, resolution and aspect_ratio as they were written, and whether it has sound."""

    content: dict[str, Any]
    """The prompt and the media, by Venice's fields; stored files are data URLs."""

    rare: dict[str, Any]
    """Further settings, by Venice's fields."""

    references: _References
    is_quote: bool
    """Whether only the price is asked for, for which there may be no content."""

    is_cheapest: bool
    """Whether the cheapest model that fits is to make it."""


def _read_wish(
    settings: dict[str, Any], options: dict[str, Any] | None, kind: str, content: dict[str, Any]
) -> _Wish:
    """A film that is wanted, by a tool's arguments.

    A mere quote says by `kind` what the film is made of.
    """
    rare = dict(options or {})
    for name in rare.keys() & _REFUSED:
        raise VeniceError(f"The option '{name}' is not for films: {_REFUSED[name]}. Leave it out.")

    # Others call the duration seconds, and the shape size.
    seconds = rare.pop("seconds", None)
    size = rare.pop("size", None)
    settings = _with_options(settings, _given(duration=seconds, aspect_ratio=size))

    rare_content = {}
    for name in _RARE_CONTENT:
        if name in rare:
            rare_content[name] = rare.pop(name)
    rare = _read_options(rare, _OPTIONS)
    is_cheapest = rare.pop("choose", "") == "cheapest"
    said = _read_content(_given(**content))
    content = _with_options(said, _read_content(rare_content))

    _check_company(content, rare)
    _check_together(content)
    references = _count_references(content, rare)
    return _Wish(
        made_of=kind or _made_of(content, rare),
        settings=settings,
        content={name: _with_media(name, value) for name, value in content.items()},
        rare=rare,
        references=references,
        is_quote=bool(kind),
        is_cheapest=is_cheapest,
    )


def _with_options(said: dict[str, Any], options: dict[str, Any]) -> dict[str, Any]:
    """What the arguments and the options say; refused where they contradict each other.

    One of them would be bought, and the other missed only when the film is there.
    """
    for name in said.keys() & options.keys():
        if said[name] and _plain(name, said[name]) != _plain(name, options[name]):
            raise VeniceError(f"The options say another {name} than the arguments. Say it once.")
    return said | options


def _plain(name: str, value: Any) -> str:
    """A value in one spelling: 5 and "5 seconds" are the same, and so are 16:9 and 1280x720."""
    text = str(value).strip()
    if name == "duration":
        seconds = _SECONDS.fullmatch(text)
        return seconds[1] if seconds else text
    if name == "aspect_ratio":
        shape = _read_shape(text)
        return str(shape.width / shape.height) if shape else text
    return text


def _made_of(content: dict[str, Any], rare: dict[str, Any]) -> str:
    """What a film with such content begins with."""
    if rare.keys() & {"upscale_factor", *_ENHANCING}:
        return "upscale"
    if "camera_trajectory" in content:
        return "camera"
    has_reference = any(name.startswith("reference") for name in content)
    if has_reference or content.keys() & _REFERRING or "voice_id" in rare:
        return "reference"
    if "video_url" in content:
        return "video"
    if content.keys() >= {"image_url", "end_image_url"} and "keyframes" not in content:
        return "transition"
    if content.keys() & _FRAMES:
        return "image"
    return "text"


def _check_company(content: dict[str, Any], rare: dict[str, Any]) -> None:
    """Refuse what goes only together with something else that is missing."""
    for name in ("camera_trajectory", "image_strength"):
        is_given = name in content or name in rare
        if is_given and "image_url" not in content:
            raise VeniceError(f"The option '{name}' needs an image: give one, or leave it out.")
    has_start = bool(content.keys() & {"image_url", "keyframes"})
    if _made_of(content, rare) == "image" and not has_start:
        raise VeniceError(
            "A last frame needs a first one: give image, too, or leave end_image out."
        )
    has_visible = content.keys() & {"reference_image_urls", "reference_video_urls", *_REFERRING}
    if "reference_audio_urls" in content and not has_visible:
        told = "Venice takes reference_audio_urls only beside a reference image or video"
        raise VeniceError(f"{told}: give one, or leave the sound out.")
    for element in content.get("elements", []):
        if not element.keys() & {"frontal_image_url", "video_url"}:
            told = "Each of the elements needs a frontal_image_url or a video_url"
            raise VeniceError(f"{told}. Correct it.")
