"""Make pictures from words.

Each argument costs every conversation its description, so what agents rarely set is an option, and one argument takes
a ratio as well as a width and height.
"""

import difflib
from typing import Any, Literal
from urllib.parse import unquote

from sanctum_venice_tools.runtime.arguments import _as_listed, _read_as_meant
from sanctum_venice_tools.runtime.media import _media_folder, _store_pictures
from sanctum_venice_tools.runtime.options import _read_options
from sanctum_venice_tools.runtime.pictures import (
    _pick_picture_model,
    _picture_price,
    _read_transparency,
    _tell_transparency,
)
from sanctum_venice_tools.runtime.ratio import _fit_ratio, _read_shape
from sanctum_venice_tools.runtime.replies import _list_of, _number_of, _object_of
from sanctum_venice_tools.runtime.venice import VeniceError, _answer, _call, _given

TOOLSET = "core"
COST = "cents"

_OPTIONS: dict[str, Any] = {
    "steps": (1, 100),
    "cfg_scale": (0.01, 20),
    "lora_strength": (0, 100),
    "safe_mode": [True, False],
    "enhance_prompt": [True, False],
    "hide_watermark": [True, False],
    "enable_web_search": [True, False],
    "transparent_background": [True, False],
    "quality": ["low", "medium", "high"],
}

_LONGEST_SIDE = 1280  # pixels
_LONGEST_PROMPT = 7500  # characters, where a model does not say


def _makes_pictures(model: dict[str, Any]) -> bool:
    """Whether a model of type image makes any: one of them only cuts out what there is."""
    return bool(model["id"] != "bria-bg-remover")


def _check_prompts(prompts: tuple[str, str], limits: dict[str, Any]) -> None:
    """Refuse what is longer than the model reads."""
    most = int(_number_of(limits.get("promptCharacterLimit")) or _LONGEST_PROMPT)
    longest = max(map(len, prompts))
    if longest > most:
        raise VeniceError(f"The prompt has {longest:,} characters; this model reads {most:,}. Say it in fewer words.")


def _fit_size(limits: dict[str, Any], wanted: str) -> dict[str, Any]:
    """A ratio or size in the fields that a model takes: some have a list of ratios, others take pixels."""
    shape = _read_shape(wanted)
    if not shape:
        raise VeniceError(f"{wanted!r:.40} is no aspect ratio. Write width:height, such as 16:9.")
    ratios = [ratio for ratio in limits.get("aspectRatios") or [] if ":" in ratio]
    if ratios:
        return {"aspect_ratio": _fit_ratio(wanted, ratios)}
    # A size stays as it is, a mere ratio gets about a million pixels.
    is_size = shape.is_in_pixels and min(shape.width, shape.height) >= 64
    scale = 1 if is_size else 1024 / (shape.width * shape.height) ** 0.5
    scale = min(scale, _LONGEST_SIDE / max(shape.width, shape.height))
    step = limits.get("widthHeightDivisor") or 8
    sides = {"width": shape.width, "height": shape.height}
    return {name: max(round(side * scale) // step, 1) * step for name, side in sides.items()}


def _name_style(wanted: str) -> str:
    """The exact name of a style, whatever its case."""
    listed, _ = _call("GET", "/image/styles")
    styles = [style for style in _list_of(_object_of(listed).get("data")) if isinstance(style, str)]
    style = _as_listed(wanted, styles)
    if style not in styles:
        names = {known.lower(): known for known in styles}
        near = difflib.get_close_matches(wanted.lower(), names, n=3, cutoff=0.0)
        likely = ", ".join(names[name] for name in near) or "none"
        raise VeniceError(f"There is no style {wanted!r:.40}. The nearest: {likely}. All: venice_list_image_styles.")
    return style


@_read_as_meant
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
        style: Such as "Watercolor".
        variants: How many, 1 to 4; each is paid.
        seed: Repeats a picture.
        format: "png" is lossless.
        model: Best left out.
        options: steps, cfg_scale, lora_strength, quality (low, medium, high), enhance_prompt (4 cents),
            safe_mode (blurs adult content), hide_watermark, enable_web_search, transparent_background.

    Returns:
        JSON: files (file, width, height), model, seed, cost_usd, notes.
    """
    rare = _read_transparency(dict(options or {}))  # in which OpenAI's names for some arguments are welcome
    wanted = {"n": variants, "size": aspect_ratio, "style": style, "resolution": resolution}
    wanted |= {name: rare.pop(name) for name in wanted.keys() & rare}
    if not prompt:
        raise VeniceError("The prompt is empty. Say what is to be seen.")
    count = _read_options({"n": wanted["n"]}, {"n": (1, 4)})["n"]
    rare = _read_options(rare, _OPTIONS)
    _read_options(_given(seed=seed), {"seed": (-999_999_999, 999_999_999)})
    transparent = rare.get("transparent_background", False)
    if transparent and format == "jpeg":
        raise VeniceError("JPEG has no transparency. Leave the format out, or take png.")
    folder = _media_folder()
    chosen = _pick_picture_model(
        "image", model, setting="VENICE_IMAGE_MODEL", transparent=transparent, fits=_makes_pictures
    )
    limits = chosen.spec.get("constraints") or {}
    _check_prompts((prompt, negative_prompt), limits)
    offered = {"resolution": limits.get("resolutions") or [], "quality": limits.get("qualities") or []}
    tiers = _read_options(_given(resolution=wanted["resolution"], quality=rare.pop("quality", "")), offered)
    size = _fit_size(limits, str(wanted["size"])) if wanted["size"] else {}
    exact_style = _name_style(str(wanted["style"])) if wanted["style"] else ""

    body = rare | tiers | size | _given(model=chosen.id, prompt=prompt, negative_prompt=negative_prompt)
    body |= _given(style_preset=exact_style, variants=count, seed=seed, format=format)
    made, headers = _call("POST", "/image/generate", json=body)
    pictures = _list_of(_object_of(made).get("images"))
    refused = int(_number_of(_object_of(made).get("content_policy_violation_count")) or 0)
    if not pictures or any(name.endswith("content-violation") and headers[name] == "true" for name in headers):
        why = "it breaks the terms of service, or failed; it may be charged"
        raise VeniceError(f"Venice held the picture back: {why}. Change the prompt.")
    files = _store_pictures(folder, pictures, prompt)
    price = _picture_price(
        chosen.spec, "generation", tier=tiers.get("resolution", ""), quality=tiers.get("quality", "")
    )
    notes = [*chosen.notes]
    if transparent:
        notes += _tell_transparency(files)
    if refused > 0:
        notes.append(f"{refused} of {count} pictures were not made: the model's maker refused them by its policy.")
    if len(files) < len(pictures):
        notes.append(f"{len(pictures) - len(files)} of {len(pictures)} pictures came broken; they may be charged.")
    if headers.get("x-venice-is-blurred") == "true":
        notes.append("Venice blurred adult content, as safe_mode asks.")
    return _answer(
        files=files,
        model=chosen.id,
        sized_as=None if wanted["size"] in size.values() else size,
        seed=_object_of(made.get("request")).get("seed"),
        prompt_used=unquote(headers.get("x-venice-enhanced-prompt", "")),
        cost_usd=price and round(price * len(pictures), 4),
        notes=notes,
    )
