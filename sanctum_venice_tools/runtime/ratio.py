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
_SIDES = re.compile(r"([1-9]\d{0,4})(:|/|x|\u00d7|by)([1-9]\d{0,4})", re.ASCII)

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
    return _Shape(int(sides[1]), int(sides[3]), sides[2] not in ":/")


def _fit_ratio(wanted: str, ratios: list[str]) -> str:
    """That of a model's ratios which is nearest to what was asked, as a ratio, in pixels, or by a word."""
    if wanted.strip().lower() in ratios:
        return wanted.strip().lower()
    shape = _read_shape(wanted)
    if shape and (numbers := [ratio for ratio in ratios if _RATIO.fullmatch(ratio)]):
        return min(numbers, key=lambda ratio: abs(_quotient(ratio) - shape.width / shape.height))
    raise VeniceError(f"The aspect ratio {wanted!r:.40} is not to be had; this model has: {', '.join(ratios)}.")


def _quotient(ratio: str) -> float:
    """Width by height of a model's ratio."""
    width, _, height = ratio.partition(":")
    return float(width) / float(height)
