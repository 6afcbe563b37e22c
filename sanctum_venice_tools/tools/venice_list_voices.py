"""Name the voices that can speak."""

import difflib
import json
from typing import Any

from sanctum_venice_tools.runtime.arguments import _read_as_meant
from sanctum_venice_tools.runtime.models import _list_models, _rank
from sanctum_venice_tools.runtime.text import _clip
from sanctum_venice_tools.runtime.venice import VeniceError, _answer, _given
from sanctum_venice_tools.runtime.voices import _fitting_voices, _kind_of_voice

TOOLSET = "audio"
COST = "free"


def _group(voices: list[str]) -> str:
    """The voices in a line, those of one language and gender together."""
    kinds = dict.fromkeys(map(_kind_of_voice, voices))
    groups = {kind: ", ".join(voice for voice in voices if _kind_of_voice(voice) == kind) for kind in kinds}
    return "; ".join(f"{kind}: {names}" if kind else names for kind, names in groups.items())


def _describe(model: dict[str, Any], voices: list[str]) -> dict[str, Any]:
    """A model without its voices."""
    spec = model["model_spec"]
    # Venice's default for speech, which few models have.
    usual = spec.get("default_voice") or ("af_sky" if "af_sky" in (spec.get("voices") or []) else "")
    return _given(
        model=model["id"],
        default_voice=usual,
        formats=", ".join(spec.get("supported_formats") or []),
        clones=bool(spec.get("voice_cloning")) or None,
        count=len(voices),
    )


@_read_as_meant
def venice_list_voices(*, model: str = "", words: str = "") -> str:
    """Name the voices that venice_speak has, by model, language, gender or name. Free.

    Args:
        model: A speech model's id or a part of it, such as "kokoro", to see all of its voices.
        words: Only voices that all these words fit: "British female", "ja", "puck". Only Kokoro's names tell
            a language and a gender.

    Returns:
        JSON: models (model, default_voice, formats, clones: venice_clone_voice can use it, count, voices).
    """
    asked = words.strip()
    live = [one for one in _list_models("tts") if not one["model_spec"].get("offline")]
    wanted = sorted(
        (one for one in live if model.strip().lower() in one["id"].lower()), key=lambda one: _rank(one, "tts-kokoro")
    )
    if not wanted:
        near = ", ".join(difflib.get_close_matches(model, [one["id"] for one in live], n=5, cutoff=0.0))
        raise VeniceError(f"There is no speech model {model!r:.60}. Leave it out, or use: {near or 'none':.300}.")
    names = {one["id"]: one["model_spec"].get("voices") or [] for one in wanted}
    found = {name: _fitting_voices(voices, asked) for name, voices in names.items()}
    notes = []
    if asked and not any(found.values()):
        found = names
        notes.append(
            "No voice fits these words, so all are here. For a language that Kokoro lacks, give venice_speak a Qwen 3, "
            "xAI, ElevenLabs or MiniMax model, and the language."
        )
    shown = [_describe(one, found[one["id"]]) for one in wanted if found[one["id"]] or not asked]
    fit = len(shown)
    while len(json.dumps(shown, ensure_ascii=False)) > 1800:
        shown.pop()
    notes += [f"{fit - len(shown)} more models fit: give a part of an id as model."] * (fit > len(shown))
    # What the rest leaves of 3,300 characters, the voices share.
    room = (3300 - len(json.dumps(shown, ensure_ascii=False))) // max(len(shown), 1) - 20
    for entry in shown:
        voices = _group(found[entry["model"]])
        cut = _clip(voices, room)
        entry["voices"] = voices if cut == voices else f"{cut.rpartition(',')[0]} ..."
    return _answer(models=shown, notes=notes, next="Give venice_speak a voice by its exact name, with its model.")
