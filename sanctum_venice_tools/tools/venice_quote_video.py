"""Tell what a film would cost."""

from typing import Any, Literal

from sanctum_venice_tools.runtime.arguments import _read_as_meant
from sanctum_venice_tools.runtime.film import _plan_film
from sanctum_venice_tools.runtime.jobs import _quote
from sanctum_venice_tools.runtime.venice import _answer

TOOLSET = "core"
COST = "free"


@_read_as_meant
def venice_quote_video(
    *,
    kind: Literal["text", "image", "transition", "video", "reference", "upscale"] = "text",
    duration: str = "",
    resolution: str = "",
    aspect_ratio: str = "",
    audio: bool = True,
    model: str = "",
    options: dict[str, Any] | None = None,
) -> str:
    """Ask what a film would cost, and what its model offers, before venice_queue_video. Free.

    Args:
        kind: Its basis; transition: two frames.
        duration: As for venice_queue_video.
        resolution: Likewise.
        aspect_ratio: Likewise.
        audio: Likewise.
        model: Best left out.
        options: Likewise, reference_image_count.

    Returns:
        JSON: price_usd, model, settings, durations, resolutions, aspect_ratios, notes.
    """
    settings = {
        "duration": duration,
        "resolution": resolution,
        "aspect_ratio": aspect_ratio,
        "audio": audio,
    }
    plan = _plan_film(model, settings, options, kind=kind)
    settled = dict(plan.quoted)
    settled.pop("model")
    settled.pop("video_url", None)  # it may be a whole film
    return _answer(
        price_usd=_quote("video", plan.quoted),
        model=plan.model.id,
        settings=settled,
        durations=plan.limits.get("durations"),
        resolutions=plan.limits.get("resolutions"),
        aspect_ratios=plan.limits.get("aspect_ratios"),
        notes=plan.notes,
        next="Call venice_queue_video with the same settings.",
    )
