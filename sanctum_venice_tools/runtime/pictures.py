"""Pictures: the model that can make what is wished for, what it costs, and whether a stored picture is transparent."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from sanctum_venice_tools.runtime.models import _chosen, _list_models, _Model, _pick_model
from sanctum_venice_tools.runtime.replies import _number_of, _object_of
from sanctum_venice_tools.runtime.venice import VeniceError

# How a file with an alpha channel begins: PNG, 11.2.2; RFC 9649, 2.6 and 3.4.
_PNG = b"\x89PNG\r\n\x1a\n"
_COLOUR_TYPE = 25
_COLOUR_TYPES_WITH_ALPHA = (4, 6)
_WEBP_CHUNK = slice(12, 16)
_ALPHA_OF_VP8X = 0x10
_ALPHA_OF_VP8L = 1 << 28


def _pick_picture_model(
    kind: str, model: str, *, setting: str, usual: str = "", transparent: bool, fits: Callable[[dict[str, Any]], Any]
) -> _Model:
    """The model that makes a picture, as `_pick_model` finds it; and for a transparent background one that can.

    Where nobody named a model, the cheapest that can is taken.
    """
    chosen = _pick_model(kind, model, setting=setting, usual=usual, fits=fits)
    if not transparent or _can_be_transparent(chosen.spec):
        return chosen
    able = [one for one in _list_models(kind) if fits(one) and _can_be_transparent(one["model_spec"])]
    able = [one for one in able if not one["model_spec"].get("offline")]
    able.sort(key=lambda one: _least_price(one["model_spec"]))
    is_free_to_choose = not model.strip() and not os.environ.get(setting, "").strip()
    if able and is_free_to_choose:
        return _chosen(able[0])
    names = ", ".join(one["id"] for one in able[:8]) or "none now"
    told = f"The model {chosen.id:.80} makes no transparent background; models that do: {names}"
    raise VeniceError(f"{told}. Or make the picture without it, and cut it out with venice_remove_background.")


def _can_be_transparent(spec: dict[str, Any]) -> bool:
    """Whether a model can leave the background out."""
    return _object_of(spec.get("constraints")).get("supportsTransparentBackground") is True


def _least_price(spec: dict[str, Any]) -> float:
    """What a model asks for a picture without special wishes; much, if it does not say."""
    prices = _object_of(spec.get("pricing"))
    plain = "inpaint" if "inpaint" in prices else "generation"
    price = _picture_price(spec, plain, tier="1K", quality="")
    return 1000.0 if price is None else price


def _picture_price(spec: dict[str, Any], plain: str, *, tier: str, quality: str) -> float | None:
    """What a model asks for one picture, by size and quality, where Venice says; `plain` is where a price may be."""
    prices = _object_of(spec.get("pricing"))
    limits = _object_of(spec.get("constraints"))
    tier = tier or limits.get("defaultResolution") or "1K"
    quality = quality or limits.get("defaultQuality") or ""
    by_quality = _object_of(_object_of(_object_of(prices.get("quality")).get(tier)).get(quality))
    by_tier = _object_of(_object_of(prices.get("resolutions")).get(tier))
    at_all = _object_of(prices.get(plain))
    return _number_of((by_quality or by_tier or at_all).get("usd"))


def _is_transparent(file: str) -> bool:
    """Whether a stored picture has an alpha channel."""
    with Path(file).open("rb") as picture:
        start = picture.read(64)
    if start.startswith(_PNG):
        return start[_COLOUR_TYPE] in _COLOUR_TYPES_WITH_ALPHA
    if start[_WEBP_CHUNK] == b"VP8X":
        return bool(start[20] & _ALPHA_OF_VP8X)
    if start[_WEBP_CHUNK] == b"VP8L":
        return bool(int.from_bytes(start[21:25], "little") & _ALPHA_OF_VP8L)
    return False


def _tell_transparency(files: list[dict[str, Any]]) -> list[str]:
    """Say of each stored picture whether it is transparent; a note, if one is not."""
    for file in files:
        file["transparent"] = _is_transparent(file["file"])
    if all(file["transparent"] for file in files):
        return []
    return ["A picture came without transparency: venice_remove_background cuts it out."]


def _read_transparency(options: dict[str, Any]) -> dict[str, Any]:
    """The options with OpenAI's word for a transparent background in Venice's own."""
    if "background" not in options:
        return options
    others = {name: value for name, value in options.items() if name != "background"}
    is_transparent = str(options["background"]).strip().lower() == "transparent"
    return {"transparent_background": is_transparent, **others}
