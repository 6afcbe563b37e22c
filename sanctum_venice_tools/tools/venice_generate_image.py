"""Make pictures from words.

Each argument costs every conversation its description, so what agents rarely set is an option, and one argument takes
a ratio as well as a width and height.
"""

import re
from typing import Any, Literal
from urllib.parse import unquote

from sanctum_venice_tools.runtime.media import _media_folder, _picture_size, _store
from sanctum_venice_tools.runtime.models import _pick_model
from sanctum_venice_tools.runtime.options import _check_options
from sanctum_venice_tools.runtime.venice import VeniceError, _answer, _call, _given

TOOLSET = "core"
COST = "cents"

_OPTIONS = {"n": (1, 4), "steps": (1, 100), "cfg_scale": (0.01, 20), "lora_strength": (0, 100)} | {
    switch: [True, False] for switch in ("safe_mode", "enhance_prompt", "hide_watermark", "enable_web_search")
}


def _fit_size(model: dict[str, Any], wanted: str) -> dict[str, Any]:
    """A ratio or size in the fields that the model takes: some have a list of ratios, others take pixels."""
    sides = re.fullmatch(r"([1-9]\d{0,4})([:x])([1-9]\d{0,4})", wanted.replace(" ", "").lower())
    if not sides:
        raise VeniceError(f"{wanted!r:.40} is no aspect ratio. Write width:height, such as 16:9.")
    width, height = int(sides[1]), int(sides[3])
    limits = model["model_spec"].get("constraints", {})
    ratios = {ratio: ratio.split(":") for ratio in limits.get("aspectRatios") or [] if ":" in ratio}
    if ratios:
        apart = {ratio: abs(float(wide) / float(high) - width / height) for ratio, (wide, high) in ratios.items()}
        return {"aspect_ratio": min(apart, key=apart.__getitem__)}
    # A size stays as it is, a mere ratio gets about a million pixels. No side may be longer than 1280.
    scale = 1 if sides[2] == "x" and min(width, height) >= 64 else 1024 / (width * height) ** 0.5
    scale = min(scale, 1280 / max(width, height))
    step = limits.get("widthHeightDivisor") or 8
    return {name: round(side * scale) // step * step or step for name, side in (("width", width), ("height", height))}


def venice_generate_image(
    *,
    prompt: str,
    negative_prompt: str = "",
    aspect_ratio: str = "",
    resolution: str = "",
    style: str = "",
    variants: int = 1,
    seed: int | None = None,
    format: Literal["webp", "png", "jpeg"] = "webp",  # noqa: A002 - Venice's own name
    model: str = "",
    options: dict[str, Any] | None = None,
) -> str:
    """Make pictures, drawings, logos or photos from words, as files. Costs 1 to 30 cents each.

    Args:
        prompt: What is to be seen, in full sentences: subject, setting, light, manner.
        negative_prompt: What must not be seen.
        aspect_ratio: Such as "16:9", or pixels: "1280x720".
        resolution: "1K", "2K" or "4K", where offered.
        style: A style's exact name, such as "Watercolor".
        variants: How many, 1 to 4; each is paid.
        seed: Repeats a picture.
        format: "png" is lossless.
        model: Best left out.
        options: steps, cfg_scale, lora_strength, quality (low, medium, high), enhance_prompt (4 cents),
            safe_mode (blurs adult content), hide_watermark, enable_web_search.

    Returns:
        JSON: files (file, width, height), model, seed, cost_usd, notes.
    """
    rare = dict(options or {})  # in which OpenAI's names for some arguments are welcome
    aspect_ratio, style = str(rare.pop("size", aspect_ratio)), str(rare.pop("style", style))
    _check_options(rare, _OPTIONS | {"quality": ["low", "medium", "high"]})
    variants = int(rare.pop("n", variants))
    if not (0 < len(prompt) <= 7500 >= len(negative_prompt) and 0 < variants < 5 and abs(seed or 0) < 10**9):
        raise VeniceError("Give a prompt of 1 to 7,500 characters, 1 to 4 variants, and a seed of at most nine digits.")
    folder = _media_folder()
    chosen = _pick_model("image", model, setting="VENICE_IMAGE_MODEL")
    size = _fit_size(chosen, aspect_ratio) if aspect_ratio else {}
    body = rare | size | _given(model=chosen["id"], prompt=prompt, negative_prompt=negative_prompt, style_preset=style)
    body |= _given(resolution=resolution, variants=variants, seed=seed, format=format)
    made, headers = _call("POST", "/image/generate", json=body)
    if not made["images"] or any(name.endswith("content-violation") and headers[name] == "true" for name in headers):
        raise VeniceError("Venice held the picture back: it breaks the terms of service, or failed. Change the prompt.")
    price = chosen["model_spec"].get("pricing", {}).get("generation", {}).get("usd")
    return _answer(
        files=[_store(folder, picture, prompt, _picture_size, "width", "height") for picture in made["images"]],
        model=chosen["id"],
        sized_as=None if aspect_ratio in size.values() else size,
        seed=(made.get("request") or {}).get("seed"),
        prompt_used=unquote(headers.get("x-venice-enhanced-prompt", "")),
        cost_usd=price and round(price * len(made["images"]), 4),
        notes="Venice blurred adult content, as safe_mode asks." * (headers.get("x-venice-is-blurred") == "true"),
    )
