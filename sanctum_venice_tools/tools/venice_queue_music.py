"""Buy music, a sound effect or speech."""

from typing import Any, Literal

from sanctum_venice_tools.runtime.arguments import _read_as_meant
from sanctum_venice_tools.runtime.jobs import _queue, _quote
from sanctum_venice_tools.runtime.music import _plan_music
from sanctum_venice_tools.runtime.venice import VeniceError, _answer

TOOLSET = "audio"
COST = "dollars"


@_read_as_meant
def venice_queue_music(
    *,
    prompt: str,
    lyrics: str = "",
    instrumental: bool = False,
    duration_seconds: int = 0,
    kind: Literal["music", "effect", "speech"] = "music",
    model: str = "",
    options: dict[str, Any] | None = None,
) -> str:
    """Have music, a sound effect or an expressive reading made. It is paid at once and takes a minute or more.

    Costs 0.01 to 7 US dollars: ask venice_quote_music first, and venice_retrieve_music for the
    file. To just read a text aloud, venice_speak is cheaper.

    Args:
        prompt: Style, mood, instruments and tempo; for an effect, what is heard; for speech, the
            text itself.
        lyrics: The words to be sung.
        instrumental: True for music without singing.
        duration_seconds: Left out, the model's usual length; speech takes as long as it takes.
        kind: "effect" for a noise, "speech" for a text that is read.
        model: Best left out, or the one that was quoted.
        options: Rarely needed: voice, speed, language_code ("en") for speech; loop (true: an effect
            that repeats without a seam); lyrics_optimizer (true: lyrics are made up).

    Returns:
        JSON: job (keep it: only it leads to the file), cost_usd, model, notes.
    """
    words = prompt.strip()
    if not words:
        raise VeniceError("The prompt is empty. Say what is to be heard.")
    sung = {"lyrics": lyrics.strip(), "instrumental": instrumental}
    plan = _plan_music(kind, model, len(words), duration_seconds, options, **sung)
    price = _quote("audio", plan.priced)
    queued = _queue("audio", {**plan.settings, "prompt": words}, price)
    return _answer(**queued, model=plan.model.id, notes=plan.notes)
