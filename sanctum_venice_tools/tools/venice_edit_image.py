"""Change pictures by words."""

import base64
import functools
from dataclasses import dataclass
from typing import Any

from sanctum_venice_tools.runtime.arguments import _read_as_meant, _without_nothing
from sanctum_venice_tools.runtime.intake import _check_picture, _is_unmeasured, _read_local
from sanctum_venice_tools.runtime.listing import _Listed
from sanctum_venice_tools.runtime.media import _media_folder, _picture_size, _store
from sanctum_venice_tools.runtime.options import _read_options
from sanctum_venice_tools.runtime.pictures import (
    _is_held_back,
    _pick_picture_model,
    _picture_price,
    _price_in_all,
    _read_transparency,
    _rewritten_prompt,
    _tell_blur,
    _tell_transparency,
)
from sanctum_venice_tools.runtime.public import _is_for_venice
from sanctum_venice_tools.runtime.publishing import _published
from sanctum_venice_tools.runtime.ratio import _fit_ratio
from sanctum_venice_tools.runtime.replies import _number_of, _object_of
from sanctum_venice_tools.runtime.venice import VeniceError, _answer, _call_for_file, _given

TOOLSET = "core"
COST = "cents"

# Venice looks at what it has made, too (its skill for edits, github.com/veniceai/skills, 73c0bf7).
_BLOCKED = {
    422: (
        "Venice refused the content: change it before you call again. "
        "If it was blocked only when it was made, it is charged, "
        "unless this says credits_refunded: True."
    )
}

_TRANSPARENT = {"transparent_background": [True, False]}


def _takes(count: int, ratio: str, model: _Listed) -> bool:
    """Whether a model can combine so many pictures, and heeds the shape that is wished, if any.

    Some give a single picture back in its own shape, whatever is asked.
    """
    limits = model["model_spec"].get("constraints", {})
    most = 1
    if limits.get("combineImages"):
        most = limits.get("maxInputImages") or 3
    if count > most:
        return False
    keeps_shape = count == 1 and limits.get("singleImageAspectRatio") is False
    has_wish = ratio.strip().lower() not in ("", "auto")
    return not (keeps_shape and has_wish)


@dataclass(frozen=True)
class _Sent:
    """A picture as Venice gets it: in base64, or as a URL. The size of some is not known."""

    image: str
    width: int | None = None
    height: int | None = None


def _as_sent(image: str) -> _Sent:
    """A picture as Venice takes it."""
    image = image.strip()
    if _is_for_venice(image):
        return _Sent(image)
    content = _read_local(image, most_mb=25)
    if _is_unmeasured(content):
        return _Sent(base64.b64encode(content).decode())
    picture = _check_picture(image, content, least=65_536, most=33_177_600)
    return _Sent(picture.in_base64, picture.width, picture.height)


def _price(spec: dict[str, Any], tier: str, quality: str, pictures: int) -> float | None:
    """What a model asks for an edit, where Venice says: the more pictures, the more it may be."""
    base = _picture_price(spec, "inpaint", tier=tier, quality=quality)
    extra = _object_of(_object_of(spec.get("pricing")).get("inputImages"))
    if not base or not extra:
        return base
    included = _number_of(extra.get("included"))
    for_one_more = _number_of(_object_of(extra.get("additional")).get("usd"))
    if included is None or for_one_more is None:
        return None
    return base + max(pictures - included, 0) * for_one_more


@_published
@_read_as_meant
def venice_edit_image(
    *,
    images: list[str],
    instruction: str,
    aspect_ratio: str = "",
    resolution: str = "",
    model: str = "",
    options: dict[str, Any] | None = None,
) -> str:
    """Change a picture as told in words, or combine several. Costs 4 to 35 cents.

    Args:
        images: Stored files, public URLs, or "attached": the person's last picture. The first is
            changed; others are references.
        instruction: What to change, what to keep, what each further image is for.
        aspect_ratio: Another shape, such as "16:9".
        resolution: "1K", "2K" or "4K", where offered.
        model: Best left out.
        options: quality (low, medium, high), safe_mode, enhance_prompt, transparent_background.

    Returns:
        JSON: file, url, width, height, model, cost_usd, notes.
    """
    rare = _read_transparency(options or {})
    if "mask" in rare:
        raise VeniceError(
            "Venice knows no masks: say in the instruction what to change, and where it is."
        )
    images = _without_nothing(images)
    if not images:
        raise VeniceError("There is no picture. Put each that is needed into images.")
    if not instruction.strip():
        raise VeniceError("The instruction is empty. Say what to change.")
    aspect_ratio = str(rare.pop("size", aspect_ratio))
    resolution = str(rare.pop("resolution", resolution))
    folder = _media_folder()
    pictures = [_as_sent(image) for image in images]

    wish = _given(transparent_background=rare.pop("transparent_background", None))
    asked = _read_options(wish, _TRANSPARENT)
    transparent = asked.get("transparent_background", False)
    chosen = _pick_picture_model(
        "inpaint",
        model,
        setting="VENICE_EDIT_MODEL",
        usual="firered-image-edit",
        transparent=transparent,
        fits=functools.partial(_takes, len(images), aspect_ratio),
    )
    limits = chosen.spec.get("constraints", {})
    known = {
        "resolution": limits.get("resolutions") or [],
        "quality": limits.get("qualities") or [],
        "safe_mode": [True, False],
        "enhance_prompt": [True, False],
    }
    rare = _read_options({**rare, **_given(resolution=resolution)}, known)
    longest = limits.get("promptCharacterLimit") or 32_768
    if len(instruction) > longest:
        length = f"The instruction has {len(instruction)} characters"
        raise VeniceError(f"{length}; 1 to {longest} are allowed.")
    ratio = ""
    if aspect_ratio:
        ratio = _fit_ratio(aspect_ratio, limits.get("aspectRatios") or ["auto"])

    body = {**rare, **asked, **_given(prompt=instruction, aspect_ratio=ratio)}
    has_quality = "quality" in rare  # the endpoint for one picture knows no quality
    if len(images) > 1 or has_quality:
        path = "/image/multi-edit"
        body |= {"modelId": chosen.id, "images": [picture.image for picture in pictures]}
    else:
        path = "/image/edit"
        body |= {"model": chosen.id, "image": pictures[0].image}
    edited, headers = _call_for_file("POST", path, advice=_BLOCKED, json=body)
    if _is_held_back(headers):
        why = "it breaks the terms of service; it may be charged"
        raise VeniceError(f"Venice held the picture back: {why}. Change the instruction.")

    file = _store(folder, edited, instruction, _picture_size, "width", "height")
    notes = [*chosen.notes]
    if ratio != aspect_ratio:
        notes.append(f"Took the shape {ratio} for {aspect_ratio!r:.40}.")
    if transparent:
        notes += _tell_transparency([file])
    notes += _tell_blur(headers)
    tier, quality = rare.get("resolution", ""), rare.get("quality", "")
    price = _price(chosen.spec, tier, quality, len(images))
    return _answer(
        **file,
        input_width=pictures[0].width,
        input_height=pictures[0].height,
        model=chosen.id,
        prompt_used=_rewritten_prompt(headers),
        cost_usd=_price_in_all(price, headers),
        notes=notes,
    )
