"""Change pictures by words."""

import functools
from typing import Any

from sanctum_venice_tools.runtime.arguments import _read_as_meant
from sanctum_venice_tools.runtime.intake import _check_picture, _read_local
from sanctum_venice_tools.runtime.media import _media_folder, _picture_size, _store
from sanctum_venice_tools.runtime.models import _pick_model
from sanctum_venice_tools.runtime.options import _read_options
from sanctum_venice_tools.runtime.public import _is_for_venice
from sanctum_venice_tools.runtime.ratio import _fit_ratio
from sanctum_venice_tools.runtime.venice import VeniceError, _answer, _call_for_file, _given

TOOLSET = "core"
COST = "cents"


def _takes(count: int, model: dict[str, Any]) -> bool:
    """Whether a model can combine so many pictures."""
    limits = model["model_spec"].get("constraints", {})
    return count <= ((limits.get("maxInputImages") or 3) if limits.get("combineImages") else 1)


def _as_sent(image: str) -> tuple[str, int, int]:
    """A picture as Venice takes it, with width and height: a URL is Venice's to fetch, its size is not known."""
    if _is_for_venice(image):
        return image, 0, 0
    return _check_picture(image, _read_local(image, most_mb=25), least=65_536, most=33_177_600)


def _price(prices: dict[str, Any], tier: str, quality: str, pictures: int) -> Any:
    """What a model asks for an edit, where Venice says."""
    tiers = {"1K": prices.get("inpaint", {})} | prices.get("resolutions", {})
    base = (prices.get("quality", {}).get(tier, {}).get(quality) or tiers.get(tier) or tiers["1K"]).get("usd")
    extra = prices.get("inputImages") or {"included": pictures, "additional": {"usd": 0}}
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
        images: Stored files or public URLs. The first is changed; others are references, layers or a mask.
        instruction: What to change, what to keep, what each further image is for.
        aspect_ratio: Another shape, such as "16:9".
        resolution: "1K", "2K" or "4K", where offered.
        model: Best left out.
        options: quality (low, medium, high), safe_mode, enhance_prompt.

    Returns:
        JSON: file, width, height, model, cost_usd, notes.
    """
    rare = options or {}
    if "mask" in rare or not images:
        raise VeniceError("Put each picture into images, a mask too, and tell in the instruction what it is for.")
    aspect_ratio = str(rare.pop("size", aspect_ratio))
    resolution = str(rare.pop("resolution", resolution))
    folder = _media_folder()
    pictures = [_as_sent(image) for image in images]

    enough = functools.partial(_takes, len(images))
    chosen = _pick_model("inpaint", model, setting="VENICE_EDIT_MODEL", usual="firered-image-edit", fits=enough)
    limits = chosen.spec.get("constraints", {})
    known = {"resolution": limits.get("resolutions") or ["1K"], "quality": limits.get("qualities") or []}
    known |= {switch: [True, False] for switch in ("safe_mode", "enhance_prompt")}
    rare = _read_options(rare | _given(resolution=resolution), known)
    tier = rare.get("resolution") or limits.get("defaultResolution") or "1K"
    longest = limits.get("promptCharacterLimit") or 32_768
    if not 0 < len(instruction) <= longest:
        raise VeniceError(f"The instruction has {len(instruction)} characters; 1 to {longest} are allowed.")
    ratio = aspect_ratio and _fit_ratio(aspect_ratio, limits.get("aspectRatios") or ["auto"])

    body = rare | _given(prompt=instruction, aspect_ratio=ratio)
    several = len(images) > 1 or "quality" in rare  # the endpoint for one picture knows no quality
    sent = [picture for picture, _, _ in pictures]
    body |= {"modelId": chosen.id, "images": sent} if several else {"model": chosen.id, "image": sent[0]}
    edited, headers = _call_for_file("POST", "/image/multi-edit" if several else "/image/edit", json=body)
    if any(name.endswith("content-violation") and headers[name] == "true" for name in headers):
        raise VeniceError("Venice held the picture back: it breaks the terms of service. Change the instruction.")
    notes = [*chosen.notes]
    if ratio != aspect_ratio:
        notes.append(f"Took the shape {ratio} for {aspect_ratio!r:.40}.")
    quality = rare.get("quality") or limits.get("defaultQuality", "")
    return _answer(
        **_store(folder, edited, instruction, _picture_size, "width", "height"),
        input_width=pictures[0][1] or None,
        input_height=pictures[0][2] or None,
        model=chosen.id,
        cost_usd=_price(chosen.spec.get("pricing", {}), tier, quality, len(images)),
        notes=notes,
    )
