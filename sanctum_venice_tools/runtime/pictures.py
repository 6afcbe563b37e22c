"""Pictures: styles, a model for what is wished, prices, and which stored ones are transparent."""

import os
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import httpx

from sanctum_venice_tools.runtime.listing import _list_models, _Listed
from sanctum_venice_tools.runtime.models import _chosen, _Model, _pick_model
from sanctum_venice_tools.runtime.replies import _list_of, _number_of, _object_of
from sanctum_venice_tools.runtime.venice import VeniceError, _call

# What Venice asks for a prompt that it rewrote (its skills for pictures, 2026-10-02); the catalogue
# does not say it.
_REWRITING_USD = 0.04

# PNG, 11.2.2: after the signature, and the length and name of the first chunk, come two sides, the
# bits of a sample, and the type of its colours.
_PNG_HEADER = ">8s8xIIBB"
_PNG = b"\x89PNG\r\n\x1a\n"
_COLOUR_TYPES_WITH_ALPHA = (4, 6)

# RFC 9649, 2.3: "RIFF", a length, "WEBP", and the name and length of the first chunk, which begins
# with flags (2.7), or with a signature and then the sides and the flag in 32 bits (3.4).
_WEBP_HEADER = "<12x4s4x"
_EXTENDED_FLAGS = "<B"
_LOSSLESS_HEADER = "<xI"
_ALPHA_OF_EXTENDED = 0x10
_ALPHA_OF_LOSSLESS = 1 << 28


def _list_styles() -> list[str]:
    """The names of all styles; one of Venice's guides shows them as a bare list."""
    listed, _ = _call("GET", "/image/styles")
    names = _list_of(listed) or _list_of(_object_of(listed).get("data"))
    return [name for name in names if isinstance(name, str)]


def _pick_picture_model(
    kind: str,
    wanted: str,
    *,
    setting: str,
    usual: str = "",
    transparent: bool,
    fits: Callable[[_Listed], Any],
) -> _Model:
    """The model that makes a picture, as `_pick_model` finds it; with transparency, if wished for.

    Where nobody named a model, the cheapest that can is taken.
    """
    listed = _list_models(kind)
    chosen = _pick_model(kind, wanted, setting=setting, usual=usual, fits=fits, listed=listed)
    if not transparent or _can_be_transparent(chosen.spec):
        return chosen

    able = _list_transparent(listed, fits)
    named = wanted.strip() or os.environ.get(setting, "").strip()
    if able and not named:
        return _chosen(able[0])
    names = ", ".join(model["id"] for model in able[:8]) or "none now"
    told = f"The model {chosen.id:.80} makes no transparent background; models that do: {names}"
    way = "make the picture without it, and cut it out with venice_remove_background"
    raise VeniceError(f"{told}. Or {way}.")


def _list_transparent(listed: list[_Listed], fits: Callable[[_Listed], Any]) -> list[_Listed]:
    """The models that can leave the background out, the cheapest first."""
    able = []
    for model in listed:
        spec = model["model_spec"]
        if fits(model) and _can_be_transparent(spec) and not spec.get("offline"):
            able.append(model)
    able.sort(key=lambda model: _least_price(model["model_spec"]))
    return able


def _can_be_transparent(spec: dict[str, Any]) -> bool:
    """Whether a model can leave the background out."""
    return _object_of(spec.get("constraints")).get("supportsTransparentBackground") is True


def _least_price(spec: dict[str, Any]) -> float:
    """What a model asks for a picture without special wishes; much, if it does not say."""
    prices = _object_of(spec.get("pricing"))
    plain = "inpaint" if "inpaint" in prices else "generation"
    price = _picture_price(spec, plain, tier="1K", quality="")
    much = 1000.0
    return much if price is None else price


def _picture_price(spec: dict[str, Any], plain: str, *, tier: str, quality: str) -> float | None:
    """What a model asks for one picture of a size and quality, where Venice says.

    Where the price depends on neither, `plain` is the name that it stands under.
    """
    prices = _object_of(spec.get("pricing"))
    limits = _object_of(spec.get("constraints"))
    tier = tier or limits.get("defaultResolution") or "1K"
    quality = quality or limits.get("defaultQuality") or ""

    tiers = _object_of(prices.get("resolutions"))
    tiers_with_qualities = _object_of(prices.get("quality"))
    qualities = _object_of(tiers_with_qualities.get(tier))

    by_quality = _object_of(qualities.get(quality))
    by_tier = _object_of(tiers.get(tier))
    at_all = _object_of(prices.get(plain))
    price = by_quality or by_tier or at_all
    return _number_of(price.get("usd"))


def _is_transparent(file: str) -> bool:
    """Whether a stored picture has an alpha channel."""
    with Path(file).open("rb") as picture:
        start = picture.read(64)
    if start.startswith(_PNG):
        *_, colour_type = struct.unpack_from(_PNG_HEADER, start)
        return colour_type in _COLOUR_TYPES_WITH_ALPHA
    return _has_alpha(start)


def _has_alpha(start: bytes) -> bool:
    """Whether a picture that begins so is a WebP with an alpha channel."""
    (chunk,) = struct.unpack_from(_WEBP_HEADER, start)
    content = start[struct.calcsize(_WEBP_HEADER) :]
    if chunk == b"VP8X":
        (flags,) = struct.unpack_from(_EXTENDED_FLAGS, content)
        return bool(flags & _ALPHA_OF_EXTENDED)
    if chunk == b"VP8L":
        (sides_and_flag,) = struct.unpack_from(_LOSSLESS_HEADER, content)
        return bool(sides_and_flag & _ALPHA_OF_LOSSLESS)
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
        return dict(options)
    others = dict(options)
    background = str(others.pop("background")).strip().lower()
    return {"transparent_background": background == "transparent", **others}


def _is_held_back(headers: httpx.Headers) -> bool:
    """Whether Venice says that a picture breaks its terms, whatever terms these are."""
    told = [value for name, value in headers.items() if name.endswith("content-violation")]
    return "true" in told


def _tell_blur(headers: httpx.Headers) -> list[str]:
    """A note, if Venice blurred what it made."""
    if headers.get("x-venice-is-blurred") != "true":
        return []
    return ["Venice blurred adult content, as safe_mode asks."]


def _rewritten_prompt(headers: httpx.Headers) -> str:
    """The prompt that Venice made of the caller's; nothing, if it took that as it was."""
    return unquote(headers.get("x-venice-enhanced-prompt", ""))


def _price_in_all(usd: float | None, headers: httpx.Headers) -> float | None:
    """What pictures cost together with a prompt that Venice rewrote for them, where it says."""
    if usd is None:
        return None
    for_rewriting = _REWRITING_USD if _rewritten_prompt(headers) else 0.0
    return round(usd + for_rewriting, 4)
