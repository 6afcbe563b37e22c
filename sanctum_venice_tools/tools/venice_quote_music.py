"""Tell what music would cost."""

from typing import Any, Literal

from sanctum_venice_tools.runtime.arguments import _read_as_meant
from sanctum_venice_tools.runtime.jobs import _quote
from sanctum_venice_tools.runtime.music import _WISHES, _lengths, _plan_music
from sanctum_venice_tools.runtime.venice import _answer, _given

TOOLSET = "audio"
COST = "free"


def _offer(spec: dict[str, Any]) -> dict[str, Any]:
    """What a model lets a caller choose."""
    voices = spec.get("voices") or []
    return _given(
        duration_seconds=_lengths(spec).in_words,
        takes=[name for name, wish in _WISHES.items() if spec.get(wish.told_by)],
        voices=[voice[:30] for voice in voices[:40]],
        prompt_characters=spec.get("prompt_character_limit"),
        lyrics_characters=spec.get("lyrics_character_limit"),
    )


@_read_as_meant
def venice_quote_music(
    *,
    kind: Literal["music", "effect", "speech"] = "music",
    duration_seconds: int = 0,
    sung: bool = False,
    character_count: int = 0,
    model: str = "",
) -> str:
    """Ask what music, a sound effect or speech would cost, and what its model offers, before venice_queue_music. Free.

    Args:
        kind: As for venice_queue_music; so are duration_seconds and model.
        duration_seconds: How long it is to be.
        sung: True when there will be lyrics: fewer models can sing them.
        character_count: The length of the text; needed for speech.
        model: Best left out.

    Returns:
        JSON: price_usd, model, settings; offers (what the model lets you choose), notes.
    """
    lyrics = "x" if sung else ""  # any will do for a price
    plan = _plan_music(kind, model, character_count, duration_seconds, lyrics=lyrics)
    settings = dict(plan.priced)
    settings.pop("model")
    return _answer(
        price_usd=_quote("audio", plan.priced),
        model=plan.model.id,
        settings=settings,
        offers=_offer(plan.model.spec),
        notes=plan.notes,
        next=(
            "Call venice_queue_music with the same model and settings; "
            "venice_list_models (music) shows others."
        ),
    )
