"""The content of films: lists of media, and files that go along as data URLs."""

import base64
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sanctum_venice_tools.runtime.arguments import (
    _UNREADABLE,
    _read_choice,
    _read_list,
    _read_text,
    _read_whole,
    _without_nothing,
)
from sanctum_venice_tools.runtime.attached import _is_attached
from sanctum_venice_tools.runtime.camera import _read_trajectory
from sanctum_venice_tools.runtime.formats import _format_of, _untaken
from sanctum_venice_tools.runtime.intake import _is_data_url, _read_local, _stored_file
from sanctum_venice_tools.runtime.public import _is_for_venice
from sanctum_venice_tools.runtime.venice import VeniceError


@dataclass(frozen=True)
class _ListForm:
    """A list of media: how many it may hold, and the fields of items that are objects."""

    most: int
    required: tuple[str, ...] = ()
    optional: tuple[str, ...] = ()


# The lists that Venice takes; fewer with some models (references.py).
_LISTS = {
    "reference_image_urls": _ListForm(30),
    "reference_video_urls": _ListForm(10),
    "reference_audio_urls": _ListForm(10),
    "reference_document_urls": _ListForm(1),
    "scene_image_urls": _ListForm(4),
    "elements": _ListForm(4, optional=("frontal_image_url", "reference_image_urls", "video_url")),
    "keyframes": _ListForm(10, required=("image_url", "frame_index")),
    "image_references": _ListForm(30, required=("image_url",), optional=("type", "ref_name")),
    "video_references": _ListForm(10, required=("video_url",), optional=("ref_name", "audio_url")),
}

# Content that has no argument of its own, and comes in the options.
_RARE_CONTENT = ("negative_prompt", "audio_url", "video_url", "camera_trajectory", *_LISTS)

# What the image of an image_reference shows.
_SHOWN = ("subject", "background")
_MOST_IMAGES_OF_AN_ELEMENT = 3

# The formats that Venice takes of each kind of media, by their names, and the most megabytes.
_TAKEN = {
    "image": ("PNG", "JPEG", "WebP"),
    "video": ("MP4", "QuickTime", "WebM"),
    "audio": ("WAV", "MP3"),
    "document": ("PDF",),
}
_MOST_MB = {"image": 25, "video": 50, "audio": 15, "document": 25}

# Of a whole request, in which four bytes stand for three.
_MOST_MB_TOGETHER = 35
_TOO_LARGE = (
    "Together, the media have more than the 35 MB that Venice takes. Give public URLs instead."
)

# The field of one or several media, such as frontal_image_url or reference_video_urls.
_MEDIA_FIELD = re.compile(r"(image|video|audio|document)_urls?$")


def _read_content(content: dict[str, Any]) -> dict[str, Any]:
    """The content of a film in the form that Venice takes; files are still named."""
    read = {}
    for name, value in content.items():
        field = _read_field(name, _without_nothing(value))
        read[name] = _without_space(name, field)
    return read


def _read_field(name: str, value: Any) -> Any:
    """One field of the content: a list of media, the camera's way, or a text."""
    if name in _LISTS:
        return _read_items(name, value)
    if name == "camera_trajectory":
        return _read_trajectory(value)
    return _read_text(value)


def _read_items(name: str, value: Any) -> list[Any]:
    """The items of a list: texts, or objects of certain fields."""
    form = _LISTS[name]
    fields = ", ".join([*form.required, *form.optional])
    try:
        items = _read_objects(value, form) if fields else _read_list(value, str)
    except _UNREADABLE:
        items = []
    if not 0 < len(items) <= form.most:
        told = f"objects of {fields}" if fields else "URLs or stored files"
        raise VeniceError(f"The option '{name}' is a list of 1 to {form.most} {told}. Correct it.")
    return items


def _read_objects(value: Any, form: _ListForm) -> list[dict[str, Any]]:
    """The items of a list that holds objects."""
    objects = _read_list(value, dict[str, Any])
    return [_read_item(item, form) for item in objects]


def _read_item(item: dict[str, Any], form: _ListForm) -> dict[str, Any]:
    """An object of a list; one of the errors of `_UNREADABLE`, if its fields are others."""
    unknown = item.keys() - {*form.required, *form.optional}
    missing = set(form.required) - item.keys()
    if unknown or missing or not item:
        raise ValueError("other fields")
    return {field: _read_part(field, value) for field, value in item.items()}


def _read_part(field: str, value: Any) -> Any:
    """One field of an object in a list."""
    if field == "frame_index":
        return _read_place(value)
    if field == "type":
        return _read_choice(value, _SHOWN)
    if field == "reference_image_urls":
        return _read_some(value)
    if not isinstance(value, str):
        raise TypeError("no text")
    return value


def _read_place(value: Any) -> int:
    """The number of a frame, counted from 0."""
    place = _read_whole(value)
    if place < 0:
        raise ValueError("before the first frame")
    return place


def _read_some(value: Any) -> list[str]:
    """The further images of an element."""
    images: list[str] = _read_list(value, str)
    if len(images) > _MOST_IMAGES_OF_AN_ELEMENT:
        raise ValueError("too many")
    return images


def _without_space(name: str, value: Any) -> Any:
    """A field with nothing around the names and addresses of its media."""
    if isinstance(value, dict):
        return {field: _without_space(field, part) for field, part in value.items()}
    if isinstance(value, list):
        return [_without_space(name, part) for part in value]
    return value.strip() if _kind_of_media(name) else value


# --- files ---


def _with_media(name: str, value: Any) -> Any:
    """A field whose stored files and data URLs are proper data URLs; public URLs stay."""
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
    found = _MEDIA_FIELD.search(name)
    return found[1] if found else ""


def _check_together(content: dict[str, Any]) -> None:
    """Refuse stored files that are too large together, before any of them is read."""
    size = 0
    for name, value in content.items():
        for file in _files_in(name, value):
            size += _stored_file(file).stat().st_size
    if size * 4 / 3 > _MOST_MB_TOGETHER << 20:
        raise VeniceError(_TOO_LARGE)


def _files_in(name: str, value: Any) -> Iterator[str]:
    """The stored files that a field names, at whatever depth."""
    if isinstance(value, dict):
        for field, part in value.items():
            yield from _files_in(field, part)
    elif isinstance(value, list):
        for part in value:
            yield from _files_in(name, part)
    elif _kind_of_media(name) and _is_stored(value):
        yield value


def _is_stored(reference: str) -> bool:
    """Whether a reference names a file of the media store."""
    is_elsewhere = _is_data_url(reference) or _is_attached(reference) or _is_for_venice(reference)
    return not is_elsewhere
