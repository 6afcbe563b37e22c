"""Make a film in one call."""

from typing import Any

from sanctum_venice_tools.runtime.arguments import _read_as_meant
from sanctum_venice_tools.runtime.film import _plan_film
from sanctum_venice_tools.runtime.jobs import _queue, _quote, _retrieve_kindly
from sanctum_venice_tools.runtime.publishing import _published
from sanctum_venice_tools.runtime.venice import _answer

TOOLSET = "video"
COST = "dollars"


@_published
@_read_as_meant
def venice_make_video(
    *,
    prompt: str,
    image: str = "",
    duration: str = "",
    resolution: str = "",
    aspect_ratio: str = "",
    audio: bool = True,
    model: str = "",
    options: dict[str, Any] | None = None,
    wait_seconds: int = 90,
) -> str:
    """Have a film made and wait for it: quote, queue and retrieve in one call.

    Costs 0.1 to 10 US dollars. What takes longer than the wait is handed over as a job for
    venice_retrieve_video.

    Args:
        prompt: What is to be seen, how it moves, and what is heard.
        image: The first frame: a stored file, a public URL, or "attached": the picture that the
            person attached last.
        duration: Seconds, such as "5s".
        resolution: Such as "720p".
        aspect_ratio: Such as "16:9"; not with image.
        audio: False makes it silent, for less.
        model: Best left out.
        options: As for venice_queue_video, such as choose ("cheapest") or negative_prompt.
        wait_seconds: How long to wait, 0 to 100.

    Returns:
        JSON: file, type, bytes, or status and next (when to ask again); job, cost_usd, model,
            notes.
    """
    settings = {
        "duration": duration,
        "resolution": resolution,
        "aspect_ratio": aspect_ratio,
        "audio": audio,
    }
    plan = _plan_film(model, settings, options, prompt=prompt.strip(), image_url=image)
    price = _quote("video", plan.quoted)
    queued = _queue("video", plan.body, price, is_least=plan.price_is_least)
    retrieved: dict[str, Any] = {}
    if "job" in queued:
        queued["next"] = ""  # what to do next depends on what comes of the wait
        retrieved = _retrieve_kindly("video", queued["job"], wait_seconds)
    return _answer(**{**queued, **retrieved}, model=plan.model.id, notes=plan.notes)
