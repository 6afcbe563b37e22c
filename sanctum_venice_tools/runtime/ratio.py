"""The shape of a picture or film."""

import re

from sanctum_venice_tools.runtime.venice import VeniceError


def _fit_ratio(wanted: str, ratios: list[str]) -> str:
    """That of a model's ratios which is nearest to what was asked, as a ratio or in pixels."""
    sides = re.fullmatch(r"([1-9]\d{0,4})[:x]([1-9]\d{0,4})", wanted.replace(" ", "").lower())
    shapes = {ratio: int(wide) / int(high) for ratio in ratios for wide, high in re.findall(r"(\d+):(\d+)", ratio)}
    if sides and shapes:
        return min(shapes, key=lambda ratio: abs(shapes[ratio] - int(sides[1]) / int(sides[2])))
    if wanted in ratios:
        return wanted
    raise VeniceError(f"The aspect ratio {wanted!r:.40} is not to be had; this model has: {', '.join(ratios)}.")
