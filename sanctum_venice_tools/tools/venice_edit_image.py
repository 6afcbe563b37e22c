"""Change pictures by words."""

import functools
from typing import Any

from sanctum_venice_tools.runtime.arguments import _read_as_meant
from sanctum_venice_tools.runtime.intake import _check_picture, _read_local
from sanctum_venice_tools.runtime.media import _media_folder, _picture_size, _store
from sanctum_venice_tools.runtime.options import _read_options
from sanctum_venice_tools.runtime.pictures import (
    _pick_picture_model,
    _picture_price,
    _read_transparency,
    _tell_transparency,
)
from sanctum_venice_tools.runtime.public import _is_for_venice
from sanctum_venice_tools.runtime.ratio import _fit_ratio
from sanctum_venice_tools.runtime.venice import VeniceError, _answer, _call_for_file, _given

TOOLSET = "core"
COST = "cents"

_TRANSPARENT = {"transparent_background": [True, False]}


def _takes(count: int, model: dict[str, Any]) -> bool:
    """Whether a model can combine so many pictures."""
    limits = model["model_spec"].get("constraints", {})
    return count <= ((limits.get("maxInputImages") or 3) if limits.get("combineImages") else 1)


def _as_sent(image: str) -> tuple[str, int, int]:
    """A picture as Venice takes it, with width and height: a URL is Venice's to fetch, its size is not known."""
    if _is_for_venice(image):
        return image, 0, 0
    return _check_picture(image, _read_local(image, most_mb=25), least=65_536, most=33_177_600)


def _price(spec: dict[str, Any], tier: str, quality: str, pictures: int) -> float | None:
    """What a model asks for an edit, where Venice says: the more pictures go in, the more it may be."""
    base = _picture_price(spec, "inpaint", tier=tier, quality=quality)
    extra = spec.get("pricing", {}).get("inputImages") or {"included": pictures, "additional": {"usd": 0}}
    return base and round(base + max(pictures - extra["included"], 0) * extra["additional"]["usd"], 4)


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
        images: Stored files or public URLs. The first is changed; others are references.
        instruction: What to change, what to keep, what each further image is for.
        aspect_ratio: Another shape, such as "16:9".
        resolution: "1K", "2K" or "4K", where offered.
        model: Best left out.
        options: quality (low, medium, high), safe_mode, enhance_prompt, transparent_background.

    Returns:
        JSON: file, width, height, model, cost_usd, notes.
    """
    rare = _read_transparency(options or {})
    if "mask" in rare:
        raise VeniceError("Venice knows no masks: say in the instruction what to change, and where it is.")
    if not images:
        raise VeniceError("There is no picture. Put each that is needed into images.")
    aspect_ratio = str(rare.pop("size", aspect_ratio))
    resolution = str(rare.pop("resolution", resolution))
    folder = _media_folder()
    pictures = [_as_sent(image) for image in images]

    enough = functools.partial(_takes, len(images))
    asked = _read_options(_given(transparent_background=rare.pop("transparent_background", None)), _TRANSPARENT)
    transparent = asked.get("transparent_background", False)
    chosen = _pick_picture_model(
        "inpaint", model, setting="VENICE_EDIT_MODEL", usual="firered-image-edit", transparent=transparent, fits=enough
    )
    limits = chosen.spec.get("constraints", {})
    known = {"resolution": limits.get("resolutions") or ["1K"], "quality": limits.get("qualities") or []}
    known |= {switch: [True, False] for switch in ("safe_mode", "enhance_prompt")}
    rare = _read_options(rare | _given(resolution=resolution), known)
    tier = rare.get("resolution", "")
    longest = limits.get("promptCharacterLimit") or 32_768
    if not 0 < len(instruction) <= longest:
        raise VeniceError(f"The instruction has {len(instruction)} characters; 1 to {longest} are allowed.")
    ratio = aspect_ratio and _fit_ratio(aspect_ratio, limits.get("aspectRatios") or ["auto"])

    body = rare | asked | _given(prompt=instruction, aspect_ratio=ratio)
    several = len(images) > 1 or "quality" in rare  # the endpoint for one picture knows no quality
    sent = [picture for picture, _, _ in pictures]
    body |= {"modelId": chosen.id, "images": sent} if several else {"model": chosen.id, "image": sent[0]}
    edited, headers = _call_for_file("POST", "/image/multi-edit" if several else "/image/edit", json=body)
    if any(name.endswith("content-violation") and headers[name] == "true" for name in headers):
        why = "it breaks the terms of service; it may be charged"
        raise VeniceError(f"Venice held the picture back: {why}. Change the instruction.")
    notes = [*chosen.notes]
    if ratio != aspect_ratio:
        notes.append(f"Took the shape {ratio} for {aspect_ratio!r:.40}.")
    file = _store(folder, edited, instruction, _picture_size, "width", "height")
    if transparent:
        notes += _tell_transparency([file])
    return _answer(
        **file,
        input_width=pictures[0][1] or None,
        input_height=pictures[0][2] or None,
        model=chosen.id,
        cost_usd=_price(chosen.spec, tier, rare.get("quality", ""), len(images)),
        notes=notes,
    )
