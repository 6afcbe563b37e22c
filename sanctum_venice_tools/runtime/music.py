"""Music, sound effects and spoken texts: a model for what is wished, and nothing sent that it does not take."""

import os
import re
from collections.abc import Sequence
from typing import Any

from sanctum_venice_tools.runtime.arguments import _as_listed
from sanctum_venice_tools.runtime.models import _chosen, _list_models, _Model, _pick_model, _rank
from sanctum_venice_tools.runtime.options import _read_options
from sanctum_venice_tools.runtime.venice import VeniceError, _given

# By kind: the variable of the operator's model, and the model that is taken when nobody names one.
_KINDS = {
    "music": ("VENICE_MUSIC_MODEL", "elevenlabs-music"),
    "effect": ("VENICE_EFFECT_MODEL", "elevenlabs-sound-effects-v2"),
    "speech": ("VENICE_SPEECH_JOB_MODEL", "elevenlabs-tts-v3"),
}
# By wish: the field in which it is sent, and the field of a model that says whether it can.
_WISHES = {
    "lyrics": ("lyrics_prompt", "supports_lyrics"),
    "instrumental": ("force_instrumental", "supports_force_instrumental"),
    "voice": ("voice", "voices"),
    **{name: (name, f"supports_{name}") for name in ("lyrics_optimizer", "loop", "language_code", "speed")},
}
_OPTIONS: dict[str, Any] = {
    "loop": [True, False],
    "lyrics_optimizer": [True, False],
    "voice": str,
    "language_code": str,
    "speed": (0.25, 4.0),
}
_SUNG = {"lyrics", "instrumental", "lyrics_optimizer"}


def _plan_music(
    kind: str, model: str, characters: int, seconds: int, options: dict[str, Any] | None = None, **wishes: Any
) -> tuple[_Model, dict[str, Any], dict[str, Any], list[str]]:
    """The model, the settings to queue, what to ask the price of, and what was chosen on the caller's behalf.

    The characters are those of the prompt; a mere quote may not know them (0).
    """
    if seconds < 0:
        raise VeniceError("The duration_seconds must be whole seconds, such as 30. Correct it, or leave it out.")
    wishes |= {"duration_seconds": seconds} | _read_options(_given(**(options or {})), _OPTIONS)
    wishes = {name: value for name, value in wishes.items() if value}
    if len(wishes.keys() & _SUNG) > 1:
        raise VeniceError("Of lyrics, instrumental and lyrics_optimizer, only one can be had. Leave the others out.")
    chosen = _choose_for(kind, model, characters, wishes)
    spec, notes = chosen.spec, [*chosen.notes]
    pricing = spec.get("pricing") or {}
    usual = int(spec.get("default_duration") or 0)
    if "duration_seconds" not in wishes and usual in _lengths(spec)[0] and pricing.keys() & {"durations", "per_second"}:
        wishes["duration_seconds"] = usual  # said outright, so that what is quoted is what is queued
        notes.append(f"Chosen for you: {usual} seconds.")
    if "voice" in wishes:
        wishes["voice"] = _as_listed(wishes["voice"], spec.get("voices") or [])
    settled: dict[str, Any] = {"model": chosen.id} | {
        _WISHES.get(name, [name])[0]: value for name, value in wishes.items()
    }
    quoted: dict[str, Any] = {name: settled[name] for name in ("model", "duration_seconds") if name in settled}
    if _kind_of(chosen.id, spec) == "speech":
        quoted["character_count"] = characters
        if not characters:
            raise VeniceError(f"{chosen.id} is priced by the character. Give character_count, the text's length.")
    return chosen, settled, quoted, notes


def _choose_for(kind: str, model: str, characters: int, wishes: dict[str, Any]) -> _Model:
    """The caller's model, else the operator's, else one that can all that is wished; what can't is an error."""
    setting, usual = _KINDS[kind]
    named = model or os.environ.get(setting, "")
    chosen = _pick_model(
        "music",
        model,
        setting=setting,
        usual=usual,
        fits=lambda one: _makes_sound(one) and (model or _kind_of(one["id"], one["model_spec"]) == kind),
    )
    lack = _lack(chosen.spec, characters, wishes)
    if not lack:
        return chosen
    live = sorted(
        (one for one in _list_models("music") if _makes_sound(one) and not one["model_spec"].get("offline")),
        key=lambda one: _rank(one, usual),
    )
    able = [
        one
        for wanted in dict.fromkeys((_kind_of(chosen.id, chosen.spec), kind))
        for one in live
        if _kind_of(one["id"], one["model_spec"]) == wanted and not _lack(one["model_spec"], characters, wishes)
    ]
    if able and not named:
        return _chosen(able[0])
    other = f", or use the model {able[0]['id']}" if able else ": no other model can do all of this"
    raise VeniceError(f"{chosen.id} {lack}. Change that{other}.")


def _makes_sound(model: dict[str, Any]) -> bool:
    """Whether a model makes anything of a prompt; those that change voices are listed as music, too."""
    return not model["model_spec"].get("voice_changer")


def _kind_of(name: str, spec: dict[str, Any]) -> str:
    """What a model makes; of effects, only its name tells."""
    if "per_thousand_characters" in (spec.get("pricing") or {}):
        return "speech"
    return "effect" if re.search("sound-effects|text-to-audio", name) else "music"


def _lack(spec: dict[str, Any], characters: int, wishes: dict[str, Any]) -> str:
    """The first thing wished that a model can't do, said as after its name; nothing, if it can all of it."""
    voices = spec.get("voices") or []
    voice = _as_listed(wishes.get("voice", ""), voices)
    lengths, offered = _lengths(spec)
    least, most = spec.get("min_prompt_length") or 1, spec.get("prompt_character_limit") or 100_000
    most_sung = spec.get("lyrics_character_limit") or 100_000
    slowest, fastest = spec.get("min_speed") or 0.25, spec.get("max_speed") or 4
    lacks = {
        **{f"takes no {name}": name in wishes and not spec.get(flag) for name, (_, flag) in _WISHES.items()},
        f"has no voice {voice!r:.40}, but {', '.join(voices)!r:.400}": (
            voice and voice not in voices and not spec.get("supports_custom_voice_id")
        ),
        f"speaks at a speed of {slowest} to {fastest}": not slowest <= wishes.get("speed", slowest) <= fastest,
        f"makes {offered} seconds" if offered else "takes no duration_seconds": (
            "duration_seconds" in wishes and wishes["duration_seconds"] not in lengths
        ),
        f"takes a prompt of {least} to {most} characters": characters and not least <= characters <= most,
        f"takes lyrics of at most {most_sung} characters": len(wishes.get("lyrics", "")) > most_sung,
        "needs lyrics, instrumental or lyrics_optimizer": (
            spec.get("lyrics_required") and characters and not wishes.keys() & _SUNG
        ),
    }
    return next((lack for lack, is_so in lacks.items() if is_so), "")


def _lengths(spec: dict[str, Any]) -> tuple[Sequence[int], str]:
    """The whole seconds that a model can be asked for, and these in words; none when it decides by itself."""
    if options := spec.get("duration_options"):
        lengths = [int(seconds) for seconds in options if seconds >= 1]
        return lengths, ", ".join(map(str, lengths))
    first, last = max(int(spec.get("min_duration") or 1), 1), int(spec.get("max_duration") or 0)
    return range(first, last + 1), f"{first} to {last}" * (first <= last)
