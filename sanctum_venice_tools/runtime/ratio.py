"""The shape of a picture or film."""

import re
from dataclasses import dataclass

from sanctum_venice_tools.runtime.venice import VeniceError

# What people call a shape.
_SHAPES = {
    "landscape": "16:9",
    "widescreen": "16:9",
    "wide": "16:9",
    "horizontal": "16:9",
    "portrait": "9:16",
    "vertical": "9:16",
    "tall": "9:16",
    "square": "1:1",
    "cinema": "21:9",
    "ultrawide": "21:9",
}

# 16:9, 16/9, 1280x720, 1280 by 720
_SIDES = re.compile(
    r"(?P<width>[1-9]\d{0,4})"
    r"(?P<between>:|/|x|\u00d7|by)"  # \u00d7 is the sign of multiplication
    r"(?P<height>[1-9]\d{0,4})",
    re.ASCII,
)

# A model's own: 16:9, 1.85:1; not: auto
_RATIO = re.compile(r"[\d.]+:[\d.]+", re.ASCII)


@dataclass(frozen=True)
class _Shape:
    """A width and a height: of a ratio, or in pixels."""

    width: int
    height: int
    is_in_pixels: bool


def _read_shape(wanted: str) -> _Shape | None:
    """The shape that is meant by a ratio, a size in pixels, or a word."""
    word = wanted.replace(" ", "").lower()
    sides = _SIDES.fullmatch(_SHAPES.get(word, word))
    if not sides:
        return None
    is_ratio = sides["between"] in (":", "/")
    return _Shape(int(sides["width"]), int(sides["height"]), is_in_pixels=not is_ratio)


def _fit_ratio(wanted: str, ratios: list[str]) -> str:
    """That of a model's ratios which is nearest to what was asked."""
    named = wanted.strip().lower()
    if named in ratios:
        return named

    shape = _read_shape(wanted)
    numbers = [ratio for ratio in ratios if _RATIO.fullmatch(ratio)]
    if not shape or not numbers:
        known = ", ".join(ratios)
        raise VeniceError(
            f"The aspect ratio {wanted!r:.40} is not to be had; this model has: {known}."
        )
    quotient = shape.width / shape.height
    return min(numbers, key=lambda ratio: abs(_quotient(ratio) - quotient))


def _quotient(ratio: str) -> float:
    """Width by height of a model's ratio."""
    width, _, height = ratio.partition(":")
    return float(width) / float(height)
