"""Film models: which one makes a film that is wanted, and the settings that it takes."""

import functools
import os
from dataclasses import dataclass
from typing import Any

from sanctum_venice_tools.runtime.arguments import _as_listed
from sanctum_venice_tools.runtime.film_media import _LISTS
from sanctum_venice_tools.runtime.film_wish import _SECONDS, _Wish
from sanctum_venice_tools.runtime.listing import _list_models, _Listed
from sanctum_venice_tools.runtime.models import _Model, _pick_model, _spellings
from sanctum_venice_tools.runtime.ratio import _fit_ratio
from sanctum_venice_tools.runtime.references import (
    _check_references,
    _misfit_of_length,
    _takes_references,
    _tell_of,
    _too_many_references,
)
from sanctum_venice_tools.runtime.replies import _list_of, _object_of
from sanctum_venice_tools.runtime.venice import VeniceError

# The type, in Venice's catalogue, of models that change or enlarge a film.
_CHANGES_FILMS = "video"

# What a model's name tells of its films, and the catalogue does not: some models begin with more
# than their type says.
_BY_NAME = {
    "upscale": "upscale",
    "reference": "reference",
    "transition": "transition",
    "first-last-frame": "transition",
    "multi-angle": "camera",
}

# Fields that only some models take, and a part of the names of these (Venice's skill for films,
# 2026-10-02).
_TAKEN_BY = {
    "camera_trajectory": "multi-angle",
    "elements": "kling",
    "scene_image_urls": "kling",
    "image_references": "pixverse-c1",
    "reference_document_urls": "wan-3-0",
    "voice_id": "grok-imagine-1-5",
    "omni_reference_task_type": "seedance-2-5",
    "bitrate_mode": "seedance-2-",
}

# Fields of which the catalogue does not say who takes them, and how their limits are called.
_REFERRED_TO = {"reference_video_urls": "videos", "reference_audio_urls": "audios"}

# What is taken of each setting, where the caller says nothing and the model has it.
_USUAL = {"duration": "5s", "resolution": "720p", "aspect_ratio": "16:9"}

# What a price depends on, together with the film. The rest is for the queue alone.
_QUOTED = (
    "model",
    "duration",
    "resolution",
    "aspect_ratio",
    "audio",
    "upscale_factor",
    "enhancement_model",
    "target_fps",
    "slowdown_factor",
)

_USUAL_LONGEST_PROMPT = 2500


@dataclass(frozen=True)
class _Fitted:
    """A film as a model takes it."""

    model: _Model
    settings: dict[str, Any]
    quoted: dict[str, Any]
    """What its price is asked with."""
    notes: list[str]
    """What was chosen for the caller."""
    limits: dict[str, Any]
    """What else the model's films may be like."""


# --- which model ---


def _pick_film_model(named: str, wish: _Wish, listed: list[_Listed] | None = None) -> _Model:
    """The caller's model, else the operator's for such films, else one of Venice's that fits.

    Of these its own example goes first. Where Venice has been asked for its film models already,
    they are `listed`.
    """
    usual = f"wan-2.5-preview-{wish.made_of}-to-video"
    setting = _setting_of(wish)
    if named:
        # It is taken at its word: what it lacks is told by its own limits.
        return _pick_model("video", named, setting=setting, usual=usual)
    if listed is None:
        listed = _list_models("video")
    fits = functools.partial(_makes, wish, listed)
    # Of models that are alike, one that takes reference videos of such a length goes first.
    listed = sorted(listed, key=lambda model: bool(_misfit_of_length(model["id"], wish.references)))
    return _pick_model("video", "", setting=setting, usual=usual, fits=fits, listed=listed)


def _setting_of(wish: _Wish) -> str:
    """The operator's setting for such films."""
    begins_with = "image" if wish.made_of in ("camera", "transition") else wish.made_of
    return f"VENICE_{begins_with.upper()}_TO_VIDEO_MODEL"


def _makes(wish: _Wish, listed: list[_Listed], model: dict[str, Any]) -> bool:
    """Whether a model of those listed makes films like the one that is wanted."""
    if not _begins_with(model, wish) or _too_many_references(model["id"], wish.references):
        return False
    if "audio_url" in wish.content and not _takes_sound(model, listed):
        return False
    return all(_takes(model, field) for field in _fields_of(wish))


def _begins_with(model: dict[str, Any], wish: _Wish) -> bool:
    """Whether a model begins with what is given.

    Of the models that begin with a picture, Venice refuses a last frame to those that know none,
    and does not list which do; the operator's is believed.
    """
    basis = _basis_of(model)
    if wish.made_of == "transition" and basis == "image":
        operators = os.environ.get(_setting_of(wish), "").strip()
        return model["id"].lower() in _spellings(operators)
    return basis == wish.made_of


def _basis_of(model: dict[str, Any]) -> str:
    """What a model's films begin with."""
    told = _told_by_name(model["id"])
    if told:
        return told
    limits = _limits_in(model["model_spec"])
    model_type = str(limits.get("model_type", ""))  # such as text-to-video
    basis, _, _ = model_type.partition("-")
    return basis


def _told_by_name(model: str) -> str:
    """What a model's films begin with, where its name tells; else nothing."""
    name = model.lower()
    for word, basis in _BY_NAME.items():
        if word in name:
            return basis
    return ""


def _fields_of(wish: _Wish) -> list[str]:
    """The fields of a film beside those that every model has."""
    fields = [*wish.content, *wish.rare]
    if wish.made_of == "reference" and wish.references.seconds and not wish.references.videos:
        fields.append("reference_video_urls")  # a quote tells only how long they are
    return fields


def _takes(model: dict[str, Any], field: str) -> bool:
    """Whether a model takes a field, as far as that is known."""
    if field == "video_references":
        return bool(_limits_in(model["model_spec"]).get("per_reference_audio"))
    if field in _REFERRED_TO:
        return _takes_references(model["id"], _REFERRED_TO[field])
    return _TAKEN_BY.get(field, "") in model["id"]


def _takes_sound(model: dict[str, Any], listed: list[_Listed]) -> bool:
    """Whether a model takes a sound for its film (Venice's skill for films, 2026-10-02).

    Where the list tells it of no model, any may.
    """
    taking = [one["id"] for one in listed if _limits_in(one["model_spec"]).get("audio_input")]
    return not taking or model["id"] in taking


# --- what it takes ---


def _fit(chosen: _Model, wish: _Wish) -> _Fitted:
    """The film that is wanted as this model takes it; an error that says what it lacks."""
    limits = _limits_of(chosen, wish)
    if not wish.is_quote:
        _check_content(chosen.id, limits, wish.content)
    _check_references(chosen.id, wish.references)
    _check_enhancement(chosen.id, limits, wish.rare)
    settled = _settle(chosen.id, limits, wish.settings)

    settings = settled.film | wish.rare
    notes = [*chosen.notes, *settled.notes]

    quoted = {name: value for name, value in settings.items() if name in _QUOTED}
    if wish.references.images:
        quoted["reference_image_count"] = wish.references.images
    if wish.references.seconds is not None:
        quoted["reference_video_total_duration"] = wish.references.seconds
        notes.append(_tell_of(wish.references))
    if limits.get("model_type") == _CHANGES_FILMS:
        quoted["video_url"] = _film_to_change(wish.content)
    return _Fitted(chosen, settings, quoted, notes, limits)


def _limits_of(chosen: _Model, wish: _Wish) -> dict[str, Any]:
    """What a model's films may be like, by the catalogue, as far as /video/queue takes it.

    A film that is changed or enlarged keeps its length: its durations are "Auto". One that is
    enlarged has a factor, and its resolutions are "2x" and the like. Seedance may keep the shape,
    and 2.5 the length, of a reference video; the catalogue does not say so.
    """
    limits = dict(_limits_in(chosen.spec))
    durations = _list_of(limits.get("durations"))
    limits["durations"] = [one for one in durations if str(one).lower() != "auto"]
    if _told_by_name(chosen.id) == "upscale":
        limits["resolutions"] = []

    has_reference_video = wish.references.seconds is not None
    if has_reference_video and chosen.id.endswith("reference-to-video-basic"):
        limits["aspect_ratios"] = [*_listed(limits, "aspect_ratio"), "adaptive", "auto"]
        if chosen.id.startswith("seedance-2-5"):
            limits["durations"].append("auto")
    return limits


def _limits_in(spec: dict[str, Any]) -> dict[str, Any]:
    """What the catalogue says of a model's films."""
    return _object_of(spec.get("constraints"))


def _film_to_change(content: dict[str, Any]) -> str:
    """The film that is changed or enlarged, on whose length the price depends."""
    if "video_url" not in content:
        ways = "give it, as video, or for a quote in options as video_url"
        raise VeniceError(f"The price depends on the film: {ways}.")
    return str(content["video_url"])


def _check_content(name: str, limits: dict[str, Any], content: dict[str, Any]) -> None:
    """Refuse a prompt that is too long for a model, and media that it does not begin with."""
    _check_prompt(name, limits, content)
    if _told_by_name(name) == "transition" and "end_image_url" not in content:
        told = f"{name} makes films from a first frame to a last"
        raise VeniceError(f"{told}: give end_image, or leave model out.")
    has_frame = "image_url" in content or "end_image_url" in content
    if name.startswith("minimax-h3") and "reference" in name and has_frame:
        raise VeniceError(f"{name} takes references alone: leave image and end_image out.")
    if name.startswith("kling-v3-4k-reference") and "image_url" not in content:
        raise VeniceError(f"{name} needs a first frame: give image, or leave model out.")

    basis = str(limits.get("model_type", "")).removesuffix("-to-video")
    has_media = any(_is_visible(field) for field in content)
    if basis == "text" and has_media:
        told = f"{name} makes films of words alone"
        raise VeniceError(f"{told}: leave the media out, or leave model out.")
    if basis in ("image", "video") and not has_media:
        raise VeniceError(f"{name} makes films of a given {basis}: give one, or leave model out.")


def _check_prompt(name: str, limits: dict[str, Any], content: dict[str, Any]) -> None:
    """Refuse a prompt that is missing or too long.

    Who enlarges a film or moves the camera needs none.
    """
    most = limits.get("prompt_character_limit") or _USUAL_LONGEST_PROMPT
    needs_none = _told_by_name(name) in ("upscale", "camera")
    if "prompt" not in content and not needs_none:
        raise VeniceError(f"The prompt must have 1 to {most} characters. Say what is to be seen.")
    for field in ("prompt", "negative_prompt"):
        if len(content.get(field, "")) > most:
            raise VeniceError(f"The {field} must have 1 to {most} characters. Shorten it.")


def _is_visible(field: str) -> bool:
    """Whether a field of the content is a picture or film, or a list of such."""
    return field != "audio_url" and ("_url" in field or field in _LISTS)


def _check_enhancement(name: str, limits: dict[str, Any], rare: dict[str, Any]) -> None:
    """Refuse a way of enhancing that a model does not list."""
    topaz = _object_of(limits.get("topaz"))
    listed = [str(one) for one in _list_of(topaz.get("models"))]
    wanted = rare.get("enhancement_model")
    if wanted and listed and wanted not in listed:
        told = f"{name} has no enhancement_model {wanted!r:.40}"
        raise VeniceError(f"{told}: it has {', '.join(listed)}. Choose so, or leave it out.")


# --- settings ---


@dataclass(frozen=True)
class _Settled:
    """The settings that decide on a price, each said outright."""

    film: dict[str, Any]
    notes: list[str]
    """What was chosen for the caller."""


def _settle(name: str, limits: dict[str, Any], wanted: dict[str, Any]) -> _Settled:
    """The settings of a film, so that what is quoted is what is queued."""
    film: dict[str, Any] = {"model": name}
    chosen = []
    for field, usual in _USUAL.items():
        choices = _listed(limits, field)
        asked = wanted.get(field) or ""
        value = _read_setting(name, field, str(asked).strip(), choices)
        if not value and choices:
            value = usual if usual in choices else choices[0]
        if value:
            film[field] = value
        if choices and value != asked:
            chosen.append(f"{field}: {value}")

    notes = [f"Chosen for you: {', '.join(chosen)}."] if chosen else []
    is_loud = wanted.get("audio", True)
    if limits.get("audio_configurable"):
        film["audio"] = is_loud
    elif not is_loud:
        _check_silence(name, limits)
    if is_loud:
        notes += _tell_silence(name, limits)
    return _Settled(film, notes)


def _check_silence(name: str, limits: dict[str, Any]) -> None:
    """Refuse a film without sound, if a model makes none such."""
    if limits.get("audio"):
        raise VeniceError(f"{name} always makes sound. Leave audio out, or choose another model.")


def _tell_silence(name: str, limits: dict[str, Any]) -> list[str]:
    """A note, if a model makes no sound.

    Whether a film that is changed keeps its own, the catalogue does not tell.
    """
    is_new = limits.get("model_type") != _CHANGES_FILMS
    if limits.get("audio") is False and is_new:
        return [f"{name} makes no sound."]
    return []


def _listed(limits: dict[str, Any], field: str) -> list[str]:
    """What a model lists of a setting; where it has one choice, it may be a bare text."""
    listed = limits.get(f"{field}s") or []
    return [listed] if isinstance(listed, str) else listed


def _read_setting(name: str, field: str, asked: str, choices: list[str]) -> str:
    """The choice that is meant, if it is one of the model's; nothing, if none was asked for."""
    if not asked:
        return ""
    value = _as_choice_of(field, asked, choices)
    if not choices and field == "resolution" and _told_by_name(name) == "upscale":
        raise VeniceError(f"{name} takes no {field}, but the option upscale_factor: 1, 2 or 4.")
    if not choices:
        raise VeniceError(f"{name} takes no {field}: leave it out, or choose another model.")
    if value not in choices:
        told = f"{name} has no {field} {value!r:.40}: it has {', '.join(choices)}"
        raise VeniceError(f"{told}. Choose so, or another model.")
    return value


def _as_choice_of(field: str, asked: str, choices: list[str]) -> str:
    """What was asked for, as a model's choices are written."""
    if field == "aspect_ratio" and choices:
        return _fit_ratio(asked, choices)
    seconds = _SECONDS.fullmatch(asked)
    if field == "duration" and seconds:
        return _as_listed(f"{seconds[1]}s", choices)
    return _as_listed(asked, choices)
