"""Make pictures from words.

Each argument costs every conversation its description, so what agents rarely set is an option, and
one argument takes a ratio as well as a width and height.
"""

import difflib
import math
from collections import Counter
from typing import Any, Literal

import httpx

from sanctum_venice_tools.runtime.arguments import _as_listed, _read_as_meant
from sanctum_venice_tools.runtime.listing import _Listed
from sanctum_venice_tools.runtime.media import _media_folder, _store_pictures
from sanctum_venice_tools.runtime.options import _read_options
from sanctum_venice_tools.runtime.pictures import (
    _is_held_back,
    _list_styles,
    _pick_picture_model,
    _picture_price,
    _price_in_all,
    _read_transparency,
    _rewritten_prompt,
    _tell_blur,
    _tell_transparency,
)
from sanctum_venice_tools.runtime.publishing import _published
from sanctum_venice_tools.runtime.ratio import _fit_ratio, _read_shape, _Shape
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

# How the names begin of the models that read a negative_prompt; the others drop it without a word
# (Venice's skill for making pictures, 2026-10-02). The catalogue does not say it.
_READ_NEGATIVES = (
    "venice-sd35",
    "lustify-",
    "wai-Illustrious",
    "qwen-image-2",
    "qwen-image-3",
    "wan-2-7-",
)

_LONGEST_SIDE = 1280  # pixels
_LONGEST_PROMPT = 7500  # characters, where a model does not say


def _makes_pictures(model: _Listed) -> bool:
    """Whether a model of type image makes any: one of them only cuts out what there is."""
    return bool(model["id"] != "bria-bg-remover")


def _check_prompts(prompts: list[str], limits: dict[str, Any]) -> None:
    """Refuse what is longer than the model reads."""
    most = int(_number_of(limits.get("promptCharacterLimit")) or _LONGEST_PROMPT)
    longest = max(len(prompt) for prompt in prompts)
    if longest > most:
        fault = f"The prompt has {longest:,} characters; this model reads {most:,}"
        raise VeniceError(f"{fault}. Say it in fewer words.")


def _fit_size(limits: dict[str, Any], wanted: str) -> dict[str, Any]:
    """A ratio or size in the fields that a model takes: some list ratios, others take pixels."""
    shape = _read_shape(wanted)
    if not shape:
        raise VeniceError(f"{wanted!r:.40} is no aspect ratio. Write width:height, such as 16:9.")
    ratios = [ratio for ratio in limits.get("aspectRatios") or [] if ":" in ratio]
    if ratios:
        return {"aspect_ratio": _fit_ratio(wanted, ratios)}
    step = limits.get("widthHeightDivisor") or 8
    scale = _scale_for(shape)
    width = _round_down(shape.width * scale, step)
    height = _round_down(shape.height * scale, step)
    return {"width": width, "height": height}


def _scale_for(shape: _Shape) -> float:
    """By what to multiply sides: a size stays as it is, a ratio gets about a million pixels."""
    is_size = shape.is_in_pixels and min(shape.width, shape.height) >= 64
    scale = 1.0
    if not is_size:
        area: int = shape.width * shape.height
        scale = 1024 / math.sqrt(area)
    longest = max(shape.width, shape.height)
    return min(scale, _LONGEST_SIDE / longest)


def _round_down(side: float, step: int) -> int:
    """A side that the model takes: a multiple of its step."""
    steps = round(side) // step
    return max(steps, 1) * step


def _name_style(wanted: str) -> str:
    """The exact name of a style, whatever its case."""
    styles = _list_styles()
    style = _as_listed(wanted, styles)
    if style in styles:
        return style

    names = {known.lower(): known for known in styles}
    near = difflib.get_close_matches(wanted.lower(), names, n=3, cutoff=0.0)
    likely = ", ".join(names[name] for name in near) or "none"
    unknown = f"There is no style {wanted!r:.40}"
    raise VeniceError(f"{unknown}. The nearest: {likely}. All: venice_list_image_styles.")


def _read_count(variants: Any) -> int:
    """How many pictures are wished for."""
    count: int = _read_options({"n": variants}, {"n": (1, 4)})["n"]
    return count


def _check_any_is_good(pictures: list[Any], headers: httpx.Headers) -> None:
    """Refuse a reply without a picture, or with one alone that Venice held back.

    Of several, one flag does not tell which are held back; the others are good, and paid.
    """
    if not pictures:
        why = "it breaks the terms of service, or failed; it may be charged"
        raise VeniceError(f"Venice held the picture back: {why}. Change the prompt.")
    if len(pictures) == 1 and _is_held_back(headers):
        cost = "nothing was charged for it" if _is_unpaid(headers) else "it may be charged"
        why = f"it breaks the terms of service; {cost}"
        raise VeniceError(f"Venice held the picture back: {why}. Change the prompt.")


def _tell_held_back(headers: httpx.Headers) -> list[str]:
    """A note, if Venice held back some of several pictures."""
    if not _is_held_back(headers):
        return []
    told = "Venice held back one or more of these, which break its terms of service"
    cost = "may be charged"
    if _is_unpaid(headers):
        cost = "not charged, so that cost_usd is the most it can be"
    return [f"{told}: they are black, and {cost}."]


def _is_unpaid(headers: httpx.Headers) -> bool:
    """Whether Venice charges nothing for what it held back; of other blocks nobody says so.

    So says Venice's skill for making pictures (github.com/veniceai/skills, 73c0bf7).
    """
    return bool(headers.get("x-venice-is-content-violation") == "true")


def _tell_missing(made: dict[str, Any], count: int, faults: list[str]) -> list[str]:
    """What to say of pictures that were asked for, and are not there."""
    notes = []
    came = len(_list_of(made.get("images")))
    refused = int(_number_of(made.get("content_policy_violation_count")) or 0)
    if refused > 0:
        what = f"{refused} of {count} pictures were not made"
        notes.append(f"{what}: the model's maker refused them by its policy.")
    unexplained = count - came - max(refused, 0)
    if unexplained > 0:
        what = f"{unexplained} of {count} pictures did not come"
        notes.append(f"{what}, and Venice does not say why.")
    for fault, times in Counter(faults).items():
        notes.append(f"{times} of {came} pictures are not there: {fault}")
    return notes


def _tell_dropped(model: str, negative_prompt: str) -> list[str]:
    """A note, if a model drops what must not be seen."""
    if not negative_prompt or model.startswith(_READ_NEGATIVES):
        return []
    return [f"{model} reads no negative_prompt: say in the prompt what is to be seen instead."]


def _seed_of(made: dict[str, Any]) -> Any:
    """The seed that pictures were made with, where Venice tells it.

    It tells the request within `data`, beside whether that was good; some replies have it bare.
    """
    request = _object_of(made.get("request"))
    told = _object_of(request.get("data")) or request
    return told.get("seed")


def _tell_seed(seed: Any, count: int) -> list[str]:
    """A note, if others of several pictures have seeds that Venice does not tell.

    Only the first has the one of the request (its skill for making pictures, 73c0bf7).
    """
    if seed is None or count == 1:
        return []
    return ["The seed is that of the first picture only: the others have random ones."]


@_published
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
        prompt: In full sentences: subject, setting, light, manner.
        negative_prompt: What must not be seen.
        aspect_ratio: Such as "16:9", or pixels: "1280x720".
        resolution: "1K", "2K" or "4K", where offered.
        style: Such as "Watercolor".
        variants: How many, 1 to 4; each is paid.
        seed: Repeats a picture.
        format: "png" is lossless.
        model: Best left out.
        options: steps, cfg_scale, lora_strength, quality (low, medium, high), enhance_prompt (4
            cents), safe_mode (blurs adult content), hide_watermark, enable_web_search,
            transparent_background.

    Returns:
        JSON: files (file, url, width, height), model, seed, cost_usd, notes.
    """
    if not prompt.strip():
        raise VeniceError("The prompt is empty. Say what is to be seen.")
    rare = _read_transparency(options or {})
    # OpenAI's names for some arguments are welcome among the options.
    count = _read_count(rare.pop("n", variants))
    wanted_size = str(rare.pop("size", aspect_ratio) or "")
    wanted_style = str(rare.pop("style", style) or "")
    wanted_tier = rare.pop("resolution", resolution)
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
    _check_prompts([prompt, negative_prompt], limits)
    offered = {
        "resolution": limits.get("resolutions") or [],
        "quality": limits.get("qualities") or [],
    }
    asked = _given(resolution=wanted_tier, quality=rare.pop("quality", ""))
    tiers = _read_options(asked, offered)
    size = _fit_size(limits, wanted_size) if wanted_size else {}
    exact_style = _name_style(wanted_style) if wanted_style else ""

    given = _given(
        model=chosen.id,
        prompt=prompt,
        negative_prompt=negative_prompt,
        style_preset=exact_style,
        variants=count,
        seed=seed,
        format=format,
    )
    body = {**rare, **tiers, **size, **given}
    told, headers = _call("POST", "/image/generate", pictures=count, json=body)
    made = _object_of(told)
    pictures = _list_of(made.get("images"))
    _check_any_is_good(pictures, headers)
    files, faults = _store_pictures(folder, pictures, prompt)

    # Where one is missing, it may be the first, whose seed this is.
    seed_of_first = _seed_of(made) if len(files) >= count else None
    notes = [*chosen.notes]
    if transparent:
        notes += _tell_transparency(files)
    notes += _tell_missing(made, count, faults)
    notes += _tell_held_back(headers)
    notes += _tell_dropped(chosen.id, negative_prompt)
    notes += _tell_blur(headers)
    notes += _tell_seed(seed_of_first, count)
    tier, quality = tiers.get("resolution", ""), tiers.get("quality", "")
    price = _picture_price(chosen.spec, "generation", tier=tier, quality=quality)
    price_of_all = None if price is None else price * len(pictures)
    is_as_wanted = wanted_size in size.values()
    return _answer(
        files=files,
        model=chosen.id,
        sized_as=None if is_as_wanted else size,
        seed=seed_of_first,
        prompt_used=_rewritten_prompt(headers),
        cost_usd=_price_in_all(price_of_all, headers),
        notes=notes,
    )
