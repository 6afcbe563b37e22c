"""Buy a film."""

from typing import Any

from sanctum_venice_tools.runtime.arguments import _read_as_meant, _without_nothing
from sanctum_venice_tools.runtime.film import _plan_film
from sanctum_venice_tools.runtime.jobs import _queue, _quote
from sanctum_venice_tools.runtime.venice import _answer

TOOLSET = "core"
COST = "dollars"


@_read_as_meant
def venice_queue_video(
    *,
    prompt: str,
    image: str = "",
    end_image: str = "",
    reference_images: list[str] | None = None,
    video: str = "",
    duration: str = "",
    resolution: str = "",
    aspect_ratio: str = "",
    audio: bool = True,
    model: str = "",
    options: dict[str, Any] | None = None,
) -> str:
    """Have a film made from words, a picture or a film. Takes minutes.

    Costs 0.1 to 10 dollars: see venice_quote_video. Then call venice_retrieve_video.

    Args:
        prompt: What is to be seen, how it moves, what is heard.
        image: First frame: a stored file, public URL or "attached".
        end_image: Last frame.
        reference_images: People or things to appear.
        video: A film to change.
        duration: Such as "5s".
        resolution: Such as "720p".
        aspect_ratio: Such as "16:9".
        audio: False: silent, for less.
        model: Best left out.
        options: choose ("cheapest"), negative_prompt, upscale_factor (enlarges video), target_fps,
            grain, image_strength, camera_trajectory, keyframes, elements, scene_image_urls,
            image_references, video_references, reference_video_urls (_audio_, _document_),
            audio_url, voice_id, bitrate_mode, omni_reference_task_type.

    Returns:
        JSON: job (keep it: only it leads to the film), cost_usd, model, notes.
    """
    settings = {
        "duration": duration,
        "resolution": resolution,
        "aspect_ratio": aspect_ratio,
        "audio": audio,
    }
    plan = _plan_film(
        model,
        settings,
        options,
        prompt=prompt.strip(),
        image_url=image,
        end_image_url=end_image,
        reference_image_urls=_without_nothing(reference_images),
        video_url=video,
    )
    queued = _queue("video", plan.body, _quote("video", plan.quoted), is_least=plan.price_is_least)
    return _answer(**queued, model=plan.model.id, notes=plan.notes)
