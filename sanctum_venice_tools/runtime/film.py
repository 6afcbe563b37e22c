"""Films: the settings and media of a job, in the form that a model takes, and nothing that it does not take."""

import base64
import functools
import io
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sanctum_venice_tools.runtime.arguments import _UNREADABLE, _as_listed, _read_list, _read_text, _read_whole
from sanctum_venice_tools.runtime.formats import _film_seconds, _format_of, _untaken
from sanctum_venice_tools.runtime.intake import _read_local, _stored_file
from sanctum_venice_tools.runtime.models import _Model, _pick_model
from sanctum_venice_tools.runtime.options import _read_options
from sanctum_venice_tools.runtime.public import _is_for_venice
from sanctum_venice_tools.runtime.ratio import _fit_ratio
from sanctum_venice_tools.runtime.replies import _list_of, _object_of
from sanctum_venice_tools.runtime.venice import VeniceError, _given

# Lists in the options, the most that each may hold, and the fields of its items where these are objects.
_LISTS = {
    **{f"reference_{kind}_urls": (most, []) for kind, most in (("image", 30), ("video", 10), ("audio", 10))},
    "reference_document_urls": (1, []),
    "scene_image_urls": (4, []),
    "elements": (4, ["frontal_image_url", "reference_image_urls", "video_url"]),
    "keyframes": (10, ["image_url", "frame_index"]),
}
_CONTENT = ("negative_prompt", "audio_url", "video_url", *_LISTS)
_REFERENCE_SECONDS = "reference_video_total_duration"
_OPTIONS: dict[str, Any] = {
    "upscale_factor": [1, 2, 4],
    "bitrate_mode": ["standard", "high"],
    "omni_reference_task_type": ["auto", "reference", "edit", "extend"],
    _REFERENCE_SECONDS: (0.0, 36_000.0),
}
_REFUSED = {
    **dict.fromkeys(("seed", "fps", "guidance_scale", "motion_bucket_id", "n"), "Venice's films have no such thing"),
    "consents": "consent is for a person to give, at Venice itself",
}
# What only the price depends on, and what it depends on together with the film.
_QUOTED = ("model", "duration", "resolution", "aspect_ratio", "audio", "upscale_factor")
# The type, in Venice's catalogue, of models that change or enlarge a film.
_CHANGES_FILMS = "video"

# The formats that Venice takes of each kind of media, by their names, and the most megabytes.
_TAKEN = {
    "image": ("PNG", "JPEG", "WebP"),
    "video": ("MP4", "QuickTime", "WebM"),
    "audio": ("WAV", "MP3"),
    "document": ("PDF",),
}
_MOST_MB = {"image": 25, "video": 50, "audio": 15, "document": 25}
_MOST_MB_TOGETHER = 35  # of a whole request, in which four bytes stand for three
_TOO_LARGE = "Together, the media have more than the 35 MB that Venice takes. Give public URLs instead."


@dataclass(frozen=True)
class _FilmPlan:
    """A film that is settled: its model, what to queue, what to ask the price of, and what to say of it."""

    model: _Model
    body: dict[str, Any]
    quoted: dict[str, Any]
    notes: list[str]
    price_is_least: bool


@dataclass(frozen=True)
class _References:
    """How long the reference videos of a film are together, and whether that was measured or only said."""

    seconds: float
    are_measured: bool


def _plan_film(
    model: str, settings: dict[str, Any], options: dict[str, Any] | None, *, kind: str = "", **content: Any
) -> _FilmPlan:
    """Settle a film, and say what was chosen on the caller's behalf.

    Content is the prompt, the negative prompt and the media. A mere quote has none, and says by `kind` of what the
    film is to be made: "text", "image", "video", "reference" or "upscale".
    """
    rare = dict(options or {})
    for name in rare.keys() & _REFUSED:
        raise VeniceError(f"The option '{name}' is not for films: {_REFUSED[name]}. Leave it out.")
    settings = settings | _given(duration=rare.pop("seconds", None), aspect_ratio=rare.pop("size", None))
    content = _given(**content) | {name: rare.pop(name) for name in _CONTENT if name in rare}
    rare = _read_options(rare, _OPTIONS)
    content = _read_content(content)
    made_of = kind or _made_of(content, rare)
    usual = f"wan-2.5-preview-{made_of}-to-video"  # what Venice's own documents take for an example
    setting = f"VENICE_{made_of.upper()}_TO_VIDEO_MODEL"
    fits = functools.partial(_is_for, "" if model else made_of)
    chosen = _pick_model("video", model, setting=setting, usual=usual, fits=fits)
    limits = _limits_of(chosen)
    if not kind:
        _check_content(chosen.id, limits, content)
    film, notes = _settle(chosen.id, limits, settings)
    _check_together(content)
    references = _measure(content.get("reference_video_urls", []), rare.pop(_REFERENCE_SECONDS, None))
    quoted = {name: value for name, value in (film | rare).items() if name in _QUOTED}
    if references:
        quoted[_REFERENCE_SECONDS] = references.seconds
        notes.append(_tell_of(references))
    film |= rare | {name: _with_media(name, value) for name, value in content.items()}
    if limits.get("model_type") == _CHANGES_FILMS:
        quoted["video_url"] = _film_to_change(film)
    if len(json.dumps(film)) > _MOST_MB_TOGETHER << 20:
        raise VeniceError(_TOO_LARGE)
    price_is_least = references is not None and not references.are_measured
    return _FilmPlan(chosen, film, quoted, [*chosen.notes, *notes], price_is_least)


def _limits_of(chosen: _Model) -> dict[str, Any]:
    """What a model's films may be like, without what the catalogue lists there and /video/queue refuses.

    A film that is changed or enlarged keeps its length: its durations are "Auto". One that is enlarged has a factor,
    and its resolutions are "2x" and the like.
    """
    limits = dict(_object_of(chosen.spec.get("constraints")))
    limits["durations"] = [one for one in _list_of(limits.get("durations")) if str(one).lower() != "auto"]
    if _enlarges(chosen.id):
        limits["resolutions"] = []
    return limits


def _enlarges(model: str) -> bool:
    """Whether a model enlarges films; only its name tells."""
    return "upscale" in model.lower()


def _film_to_change(film: dict[str, Any]) -> str:
    """The film that is changed or enlarged, on whose length the price depends."""
    if "video_url" not in film:
        raise VeniceError("The price depends on the film: give it, as video, or for a quote in options as video_url.")
    return str(film["video_url"])


def _measure(videos: list[str], said: float | None) -> _References | None:
    """How long the reference videos are together; None, where there are none.

    What the caller says counts only where one can't be measured, and never for less than the others have.
    """
    lengths = [_seconds_of(video) for video in videos]
    known = [length for length in lengths if length is not None]
    if videos and len(known) == len(videos):
        return _References(round(sum(known), 3), are_measured=True)
    if said is not None:
        return _References(max(said, round(sum(known), 3)), are_measured=False)
    if videos:
        raise VeniceError(f"Give the option {_REFERENCE_SECONDS}, in seconds: the price depends on it.")
    return None


def _seconds_of(video: str) -> float | None:
    """How long a stored film is; None for one at a public URL, or of another format than MP4 and MOV."""
    if _is_for_venice(video):
        return None
    return _film_seconds(io.BytesIO(_read_local(video, most_mb=_MOST_MB["video"])))


def _tell_of(references: _References) -> str:
    """What the caller is told of the reference videos, which the price depends on."""
    if references.are_measured:
        return f"The reference videos are {references.seconds:g} s long together, as measured."
    return "The price is the least: it rests on the length that you gave for the reference videos."


def _check_content(name: str, limits: dict[str, Any], content: dict[str, Any]) -> None:
    """Refuse a prompt that is too long for a model, and media that it does not begin with."""
    most = limits.get("prompt_character_limit") or 2500
    if "prompt" not in content and not _enlarges(name):
        raise VeniceError(f"The prompt must have 1 to {most} characters. Say what is to be seen.")
    for field in ("prompt", "negative_prompt"):
        if len(content.get(field, "")) > most:
            raise VeniceError(f"The {field} must have 1 to {most} characters. Shorten it.")
    if re.search(r"transition|first-last-frame", name) and "end_image_url" not in content:
        raise VeniceError(f"{name} makes films from a first frame to a last: give end_image, or leave model out.")
    basis = str(limits.get("model_type", "")).removesuffix("-to-video")
    has_media = any("_url" in field or field in _LISTS for field in content if field != "audio_url")
    if basis in ("text", "image", "video") and has_media == (basis == "text"):
        needs = "words alone: leave the media out" if basis == "text" else f"a given {basis}: give one"
        raise VeniceError(f"{name} makes films of {needs}, or leave model out.")


def _made_of(media: dict[str, Any], rare: dict[str, Any]) -> str:
    """Of what a film with such media is made."""
    if "upscale_factor" in rare:
        return "upscale"
    if media.keys() & {"elements", "scene_image_urls"} or any(name.startswith("reference") for name in media):
        return "reference"
    if "video_url" in media:
        return "video"
    return "image" if media.keys() & {"image_url", "end_image_url", "keyframes"} else "text"


def _is_for(made_of: str, model: dict[str, Any]) -> bool:
    """Whether a model makes such films; that it takes references, or enlarges, only its name tells."""
    named = re.search(r"reference|upscale", model["id"])
    basis = str((model["model_spec"].get("constraints") or {}).get("model_type", "")).partition("-")[0]
    return made_of in ("", named[0] if named else basis)


def _settle(name: str, limits: dict[str, Any], wanted: dict[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """The settings that decide on the price, each said outright, so that what is quoted is what is queued."""
    settled, notes = {"model": name}, []
    asked = {field: str(wanted.get(field) or "").strip() for field in ("duration", "resolution", "aspect_ratio")}
    asked["duration"] = re.sub(r"^(\d+)(\.0)? ?(s|sec|seconds?)?$", r"\1s", asked["duration"])
    for field, usual in (("duration", "5s"), ("resolution", "720p"), ("aspect_ratio", "16:9")):
        listed = limits.get(f"{field}s") or []
        choices = [listed] if isinstance(listed, str) else listed
        value = asked[field]
        if value and field == "aspect_ratio" and choices:
            value = _fit_ratio(value, choices)
        elif value:
            value = _as_listed(value, choices)
        if value and value not in choices:
            offered = f"it has {', '.join(choices)}" if choices else "it leaves no choice"
            raise VeniceError(f"{name} has no {field} {value!r:.40}: {offered}. Choose so, or another model.")
        settled |= _given(**{field: value or (usual if usual in choices else next(iter(choices), ""))})
        if choices and settled[field] != (wanted.get(field) or ""):
            notes.append(f"{field}: {settled[field]}")
    if limits.get("audio_configurable"):
        settled["audio"] = wanted.get("audio", True)
    elif limits.get("audio") and not wanted.get("audio", True):
        raise VeniceError(f"{name} always makes sound. Leave audio out, or choose another model.")
    return settled, [f"Chosen for you: {', '.join(notes)}."] if notes else []


def _read_content(content: dict[str, Any]) -> dict[str, Any]:
    """The content in the form that Venice takes."""
    return {name: _read_items(name, value) if name in _LISTS else _read_text(value) for name, value in content.items()}


def _read_items(name: str, value: Any) -> list[Any]:
    """The items of a list in the options: texts, or objects of certain fields."""
    most, fields = _LISTS[name]
    try:
        items = _read_list(value, dict[str, Any] if fields else str)
        for item in items:
            if "frame_index" in fields and "frame_index" in item:
                item["frame_index"] = _read_whole(item["frame_index"])
    except _UNREADABLE:
        items = []
    if not 0 < len(items) <= most or not all(_fits(item, fields) for item in items):
        form = f"objects of {', '.join(fields)}" if fields else "URLs or stored files"
        raise VeniceError(f"The option '{name}' is a list of 1 to {most} {form}. Correct it.")
    return items


def _fits(item: Any, fields: list[str]) -> bool:
    """Whether an item of a list is of the form that Venice takes: a text, or an object of these fields."""
    if not fields or not isinstance(item, dict):
        return not fields and isinstance(item, str)
    values = dict(item)
    more, frame = values.pop("reference_image_urls", []), values.pop("frame_index", 0)
    sound = isinstance(more, list) and len(more) <= 3 and type(frame) is int and frame >= 0
    whole = set(item) <= {*fields} and ("frame_index" not in fields or len(item) == 2)
    return sound and whole and all(isinstance(value, str) for value in [*values.values(), *more])


def _with_media(name: str, value: Any) -> Any:
    """A field whose stored files and data URLs are data URLs of the right type; public URLs stay."""
    if isinstance(value, dict):
        return {field: _with_media(field, part) for field, part in value.items()}
    if isinstance(value, list):
        return [_with_media(name, part) for part in value]
    kind = _kind_of_media(name)
    if not kind or _is_for_venice(value):
        return value
    content = _read_local(value, most_mb=_MOST_MB[kind])
    form = _format_of(content[:100])
    if not form or form.name not in _TAKEN[kind]:
        advice = _untaken(content[:100], value) or f"Give {' or '.join(_TAKEN[kind])}."
        raise VeniceError(f"{value[:60]!r} is no {kind} that Venice takes. {advice}")
    return f"data:{form.media_type};base64,{base64.b64encode(content).decode()}"


def _kind_of_media(name: str) -> str:
    """The kind of media that a field has, such as "image"; nothing, if it has none."""
    found = re.search(r"(image|video|audio|document)_urls?$", name)
    return found[1] if found else ""


def _check_together(content: dict[str, Any]) -> None:
    """Refuse stored files that are too large together, before any of them is read."""
    most = _MOST_MB_TOGETHER << 20
    stored = [value for name, field in content.items() for value in _media_in(name, field)]
    if sum(_stored_file(value).stat().st_size for value in stored) * 4 / 3 > most:
        raise VeniceError(_TOO_LARGE)


def _media_in(name: str, value: Any) -> Iterator[str]:
    """The stored files that a field names, at whatever depth."""
    if isinstance(value, dict):
        for field, part in value.items():
            yield from _media_in(field, part)
    elif isinstance(value, list):
        for part in value:
            yield from _media_in(name, part)
    elif _kind_of_media(name) and not _is_for_venice(value) and value[:5].lower() != "data:":
        yield value
