"""Name the voices that can speak."""

import difflib
from typing import Any

from sanctum_venice_tools.runtime.arguments import _read_as_meant
from sanctum_venice_tools.runtime.listing import _list_models
from sanctum_venice_tools.runtime.models import _rank
from sanctum_venice_tools.runtime.text import _clip, _room_of
from sanctum_venice_tools.runtime.venice import VeniceError, _answer, _given
from sanctum_venice_tools.runtime.voices import (
    _default_voice,
    _fitting_voices,
    _kind_of_voice,
    _voices_of,
)

TOOLSET = "audio"
COST = "free"

# What the models alone, and the models with their voices, may take of the reply, in characters.
_ROOM_FOR_MODELS = 1800
_ROOM = 3300

_NO_VOICE_FITS = (
    "No voice fits these words, so all are here. For a language that Kokoro lacks, "
    "give venice_speak a Qwen 3, xAI, ElevenLabs or MiniMax model, and the language."
)


def _find_models(wanted: str) -> list[dict[str, Any]]:
    """The speech models whose ids hold what is wanted, the usual one first."""
    live = [model for model in _list_models("tts") if not model["model_spec"].get("offline")]
    part = wanted.strip().lower()
    found = [model for model in live if part in model["id"].lower()]
    if not found:
        ids = [model["id"] for model in live]
        near = ", ".join(difflib.get_close_matches(wanted, ids, n=5, cutoff=0.0))
        raise VeniceError(
            f"There is no speech model {wanted!r:.60}. Leave it out, or use: {near or 'none':.300}."
        )
    return sorted(found, key=lambda model: _rank(model, "tts-kokoro"))


def _describe(model: dict[str, Any], voices: list[str]) -> dict[str, Any]:
    """A model without its voices."""
    spec = model["model_spec"]
    return _given(
        model=model["id"],
        default_voice=_default_voice(spec),
        formats=", ".join(spec.get("supported_formats") or []),
        clones=bool(spec.get("voice_cloning")) or None,
        count=len(voices),
    )


def _group(voices: list[str]) -> str:
    """The voices in a line, by language and gender: "French (fr) female: ff_siwis; ..."."""
    groups: dict[str, list[str]] = {}
    for voice in voices:
        groups.setdefault(_kind_of_voice(voice), []).append(voice)
    told = []
    for kind, group in groups.items():
        names = ", ".join(group)
        told.append(f"{kind}: {names}" if kind else names)
    return "; ".join(told)


def _group_within(voices: list[str], room: int) -> str:
    """As many of the voices as there is room for."""
    line = _group(voices)
    cut = _clip(line, room)
    if cut == line:
        return line
    whole_names = cut.rpartition(",")[0]
    return f"{whole_names} ..."


@_read_as_meant
def venice_list_voices(*, model: str = "", words: str = "") -> str:
    """Name the voices that venice_speak has, by model, language, gender or name. Free.

    Args:
        model: A speech model's id or a part of it, such as "kokoro", to see all of its voices.
        words: Only voices that all these words fit: "British female", "ja", "puck". Only Kokoro's
            names tell a language and a gender.

    Returns:
        JSON: models (model, default_voice, formats, clones: venice_clone_voice can use it, count,
            voices).
    """
    asked = words.strip()
    models = _find_models(model)
    voices = {one["id"]: _voices_of(one["model_spec"]) for one in models}
    found = {name: _fitting_voices(names, asked) for name, names in voices.items()}
    notes = []
    if asked and not any(found.values()):
        found = voices
        notes.append(_NO_VOICE_FITS)

    fitting = [one for one in models if found[one["id"]] or not asked]
    shown = [_describe(one, found[one["id"]]) for one in fitting]
    while _room_of(shown) > _ROOM_FOR_MODELS:
        shown.pop()
    left_out = len(fitting) - len(shown)
    if left_out:
        notes.append(f"{left_out} more models fit: give a part of an id as model.")

    left = _ROOM - _room_of(shown)
    for entry in shown:
        around = 20  # what the field's name and quotes take
        share = left // len(shown) - around
        entry["voices"] = _group_within(found[entry["model"]], share)
    return _answer(
        models=shown,
        notes=notes,
        next="Give venice_speak a voice by its exact name, with its model.",
    )
