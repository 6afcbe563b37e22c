"""Which fields a film model takes: the body of POST /video/queue is closed, model by model.

From Venice's skill for films (veniceai/skills at 73c0bf7, 2026-10-02) and, for what changes an
enlarged film, venice-py 2.9.0. Which models take image_strength and keyframes, no source tells:
here those that begin with a picture. Nor is it told of which audio_input is true, and so take
audio_url: here Wan 2.5, and those to which it is one more reference audio.
"""

import itertools
from dataclasses import dataclass
from typing import Any

from sanctum_venice_tools.emulator.catalogue import Model
from sanctum_venice_tools.emulator.errors import ApiError, custom

UPSCALER = "topaz-video-upscale"
# The type, in the catalogue, of models that change or enlarge a film.
CHANGES_FILMS = "video"
MULTI_ANGLE = "minimax-h3-max-multi-angle"
MOST_DEGREES = 32 * 360

# What any model may be told. Settings are checked against its own lists.
SETTINGS = {"duration", "resolution", "aspect_ratio", "audio"}
ANYWHERE = {"model", "prompt", "negative_prompt", "consents", "anon_user_id"} | SETTINGS
FRAMES = {"image_url", "end_image_url"}
ENHANCEMENTS = {
    "enhancement_model",
    "compression",
    "creativity",
    "grain",
    "halo",
    "noise",
    "realism",
    "recover_detail",
    "sharp",
    "softness",
    "h264_output",
    "output_format",
    "target_fps",
    "slowdown_factor",
}


@dataclass(frozen=True)
class References:
    """The references that a family of models takes: of each kind how many, of video how long."""

    images: int
    videos: int = 0
    audios: int = 0
    seconds: float = 150
    more: frozenset[str] = frozenset()


# By the beginning of a model's id, the longer first.
FAMILIES = {
    "seedance-2-0": References(9, 3, 3, 15),
    "seedance-2-5": References(30, 10, 10, 30, frozenset({"omni_reference_task_type"})),
    "wan-3-0": References(10, 5, 5, 15, frozenset({"reference_document_urls"})),
    "wan-2-7": References(4, 4, 0, 150, frozenset({"video_references"})),
    "minimax-h3": References(9, 3, 3, 15),
    "kling-o3-4k": References(7, more=frozenset({"elements", "scene_image_urls"})),
    "kling-o3": References(4, more=frozenset({"elements", "scene_image_urls"})),
    "pixverse-c1": References(7, more=frozenset({"image_references"})),
    "grok-imagine-1-5": References(7, more=frozenset({"voice_id"})),
}


def check_fields(model: Model, body: dict[str, Any]) -> None:
    """Refuse fields that this model does not take, and those that it misses."""
    taken = _fields_of(model)
    if model["model_spec"]["constraints"].get("audio_input"):
        taken = taken | {"audio_url"}
    for field in body:
        if field not in taken:
            raise unsupported(field)
    for field in _needs_of(model):
        if field not in body:
            raise custom(field, f"{field} is required by this model")
    _check_references(model, body)
    _check_trajectory(body.get("camera_trajectory", []))


def unsupported(field: str) -> ApiError:
    """A field that a model does not take."""
    return custom(field, f"This model does not support {field}")


def source_matched(model: Model) -> dict[str, list[str]]:
    """The settings by which Seedance keeps the shape or length of a reference video.

    No list has them.
    """
    name = model["id"]
    if not (name.startswith("seedance-2-") and name.endswith("reference-to-video-basic")):
        return {}
    durations = ["-1", "auto"] if name.startswith("seedance-2-5") else []
    return {"duration": durations, "aspect_ratio": ["adaptive", "auto"]}


def check_quoted_references(model: Model, body: dict[str, Any]) -> None:
    """Refuse a question for the price of more references than this model takes."""
    family = _family_of(model)
    if family is None:
        return
    if body.get("reference_image_count", 0) > family.images:
        raise custom(
            "reference_image_count", f"Number must be less than or equal to {family.images}"
        )
    if body.get("reference_video_total_duration", 0) > family.seconds:
        raise custom(
            "reference_video_total_duration",
            f"Number must be less than or equal to {family.seconds:g}",
        )


def _fields_of(model: Model) -> set[str]:
    """What a model takes."""
    name = model["id"]
    if name == UPSCALER:
        return ANYWHERE | {"video_url", "upscale_factor"} | ENHANCEMENTS
    if name == MULTI_ANGLE:
        return ANYWHERE | {"image_url", "camera_trajectory"}
    bitrate = {"bitrate_mode"} if name.startswith("seedance-2-") else set()
    family = _family_of(model)
    if family:
        return ANYWHERE | bitrate | _fields_of_family(name, family)
    basis = model["model_spec"]["constraints"]["model_type"]
    if basis == CHANGES_FILMS:
        return ANYWHERE | {"video_url"}
    if "transition" in name:
        return ANYWHERE | FRAMES
    if basis == "image-to-video":
        return ANYWHERE | bitrate | FRAMES | {"image_strength", "keyframes"}
    return ANYWHERE | bitrate


def _fields_of_family(name: str, family: References) -> set[str]:
    """What a model with references takes beside what any model does."""
    fields = {"reference_image_urls", *family.more}
    if family.videos:
        fields.add("reference_video_urls")
    if family.audios:
        fields.add("reference_audio_urls")
    return fields if name.startswith("minimax-h3") else fields | FRAMES


def _family_of(model: Model) -> References | None:
    """The family of a model with references; None, if it has none."""
    if "reference" not in model["id"]:
        return None
    return next(
        family for beginning, family in FAMILIES.items() if model["id"].startswith(beginning)
    )


def _needs_of(model: Model) -> list[str]:
    """The fields that a model can't do without, beside its settings."""
    name = model["id"]
    limits = model["model_spec"]["constraints"]
    needs = [] if name in (UPSCALER, MULTI_ANGLE) else ["prompt"]
    if limits["model_type"] == CHANGES_FILMS:
        return [*needs, "video_url"]
    if "transition" in name:
        return [*needs, "image_url", "end_image_url"]
    if limits["model_type"] == "image-to-video" and not _family_of(model):
        return [*needs, "image_url"]
    return needs


def _check_references(model: Model, body: dict[str, Any]) -> None:
    """Refuse more references than a family takes, and sound without anything that is seen."""
    family = _family_of(model)
    if family is None:
        return
    most = {
        "reference_image_urls": family.images,
        "reference_video_urls": family.videos,
        "reference_audio_urls": family.audios,
    }
    for field, number in most.items():
        if len(body.get(field, [])) > number:
            raise custom(field, f"Array must contain at most {number} element(s)", maximum=number)
    seen = body.keys() - {"reference_audio_urls"}
    if "reference_audio_urls" in body and not any("_url" in field for field in seen):
        raise custom("reference_audio_urls", "Reference audio needs an image or video beside it")


def _check_trajectory(poses: list[dict[str, float]]) -> None:
    """Refuse a way of the camera whose times do not grow, or that turns too often."""
    steps = list(itertools.pairwise(poses))
    if any(later["time"] <= earlier["time"] for earlier, later in steps):
        raise custom("camera_trajectory", "time must be strictly increasing")
    if sum(abs(later["azimuth"] - earlier["azimuth"]) for earlier, later in steps) > MOST_DEGREES:
        raise custom("camera_trajectory", "total absolute azimuth travel must be at most 32 turns")
