"""Pictures that tests hand to tools, or have Venice send."""

import io
from typing import Any

from PIL import Image


def draw(
    kind: str = "PNG", size: tuple[int, int] = (300, 250), mode: str = "L", **how: Any
) -> bytes:
    """A picture as a file, made by Pillow."""
    file = io.BytesIO()
    Image.linear_gradient("L").resize(size).convert(mode).save(file, kind, **how)
    return file.getvalue()
