"""Music, sound effects and spoken texts: a model for what is wished, sent only what it takes."""

import functools
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sanctum_venice_tools.runtime.arguments import _as_listed
from sanctum_venice_tools.runtime.listing import _list_models, _Listed
from sanctum_venice_tools.runtime.models import _chosen, _Model, _pick_model, _rank
from sanctum_venice_tools.runtime.options import _read_options
from sanctum_venice_tools.runtime.venice import VeniceError, _given


@dataclass(frozen=True)
class _Kind:
    """What is made, and by which model."""

    setting: str
    """The variable of the operator's model."""
    usual: str
    """The model that is taken when nobody names one."""


_KINDS = {
    "music": _Kind("VENICE_MUSIC_MODEL", "elevenlabs-music"),
    "effect": _Kind("VENICE_EFFECT_MODEL", "elevenlabs-sound-effects-v2"),
    "speech": _Kind("VENICE_SPEECH_JOB_MODEL", "elevenlabs-tts-v3"),
}


@dataclass(frozen=True)
class _Wish:
    """Something that not every model can."""

    sent_as: str
    told_by: str
    """The field of a model that says whether it can."""


_WISHES = {
    "lyrics": _Wish("lyrics_prompt", "supports_lyrics"),
    "instrumental": _Wish("force_instrumental", "supports_force_instrumental"),
    "voice": _Wish("voice", "voices"),
    "lyrics_optimizer": _Wish("lyrics_optimizer", "supports_lyrics_optimizer"),
    "loop": _Wish("loop", "supports_loop"),
    "language_code": _Wish("language_code", "supports_language_code"),
    "speed": _Wish("speed", "supports_speed"),
}
_OPTIONS: dict[str, Any] = {
    "loop": [True, False],
    "lyrics_optimizer": [True, False],
    "voice": str,
    "language_code": str,
    "speed": (0.25, 4.0),
}
# Of these, one at most: they all say what is sung.
_SUNG = {"lyrics", "instrumental", "lyrics_optimizer"}

# Names of models that make noises.
_EFFECT_MODEL = re.compile("sound-effects|text-to-audio")

# Where a model tells no limit of its own, in characters.
_MOST_CHARACTERS = 100_000


@dataclass(frozen=True)
class _MusicPlan:
    """What is to be made, by which model."""

    model: _Model
    settings: dict[str, Any]
    """What is queued, without the prompt."""
    priced: dict[str, Any]
    """What the price is asked for."""
    notes: list[str]
    """What was chosen on the caller's behalf."""


@dataclass(frozen=True)
class _Lengths:
    """How long a model can be asked to play; nothing when it decides by itself."""

    seconds: Sequence[int]
    in_words: str


def _plan_music(
    kind: str,
    model: str,
    characters: int,
    seconds: int,
    options: dict[str, Any] | None = None,
    **wishes: Any,
) -> _MusicPlan:
    """What to queue, and what to ask the price of.

    The characters are those of the prompt; a mere quote may not know them (0).
    """
    wanted = _read_wishes(wishes, seconds, options or {})
    chosen = _choose_for(kind, model, characters, wanted)
    notes = [*chosen.notes]
    usual = _usual_seconds(chosen.spec)
    if usual and "duration_seconds" not in wanted:
        # It is said outright, so that what is quoted is what is queued.
        wanted["duration_seconds"] = usual
        notes.append(f"Chosen for you: {usual} seconds.")
    if "voice" in wanted:
        voices = chosen.spec.get("voices") or []
        wanted["voice"] = _as_listed(wanted["voice"], voices)

    settings = {"model": chosen.id}
    for name, value in wanted.items():
        field = _WISHES[name].sent_as if name in _WISHES else name
        settings[field] = value
    priced = _priced_by(settings, chosen.spec, characters)
    return _MusicPlan(chosen, settings, priced, notes)


def _read_wishes(wishes: dict[str, Any], seconds: int, options: dict[str, Any]) -> dict[str, Any]:
    """All that is wished for, by our names."""
    if seconds < 0:
        fault = "The duration_seconds must be whole seconds, such as 30"
        raise VeniceError(f"{fault}. Correct it, or leave it out.")
    rare = _read_options(_given(**options), _OPTIONS)
    wished = {**wishes, "duration_seconds": seconds, **rare}
    wanted = {name: value for name, value in wished.items() if value}
    if len(wanted.keys() & _SUNG) > 1:
        fault = "Of lyrics, instrumental and lyrics_optimizer, only one can be had"
        raise VeniceError(f"{fault}. Leave the others out.")
    return wanted


def _usual_seconds(spec: dict[str, Any]) -> int:
    """How long a model plays when nobody says; 0, if that can't be asked for, or costs the same."""
    usual = int(spec.get("default_duration") or 0)
    pricing = spec.get("pricing") or {}
    is_priced_by_length = "durations" in pricing or "per_second" in pricing
    if is_priced_by_length and usual in _lengths(spec).seconds:
        return usual
    return 0


def _priced_by(settings: dict[str, Any], spec: dict[str, Any], characters: int) -> dict[str, Any]:
    """Those of the settings on which the price depends, and the length of a text that is read."""
    name = settings["model"]
    priced = {"model": name}
    if "duration_seconds" in settings:
        priced["duration_seconds"] = settings["duration_seconds"]
    if _kind_of(name, spec) == "speech":
        if not characters:
            fault = f"{name} is priced by the character"
            raise VeniceError(f"{fault}. Give character_count, the text's length.")
        priced["character_count"] = characters
    return priced


# --- the model ---


def _choose_for(kind: str, model: str, characters: int, wishes: dict[str, Any]) -> _Model:
    """The caller's model, else the operator's, else one that can all that is wished.

    It is an error when the model that somebody named can't do it.
    """
    setting = _KINDS[kind].setting
    usual = _KINDS[kind].usual
    # A model that the caller names is taken at its word.
    fits = _makes_sound if model else functools.partial(_makes_kind, kind)
    chosen = _pick_model("music", model, setting=setting, usual=usual, fits=fits)
    lack = _lack(chosen.spec, characters, wishes)
    if not lack:
        return chosen

    own_kind = _kind_of(chosen.id, chosen.spec)
    able = _list_able([own_kind, kind], usual, characters, wishes)
    named = model or os.environ.get(setting, "")
    if able and not named:
        return _chosen(able[0])
    if able:
        raise VeniceError(f"{chosen.id} {lack}. Change that, or use the model {able[0]['id']}.")
    raise VeniceError(f"{chosen.id} {lack}. Change that: no other model can do all of this.")


def _list_able(
    kinds: list[str], usual: str, characters: int, wishes: dict[str, Any]
) -> list[_Listed]:
    """The models that can all that is wished, those of the first kind first, and then by rank."""
    listed = sorted(_list_models("music"), key=lambda model: _rank(model, usual))
    able = []
    for kind in dict.fromkeys(kinds):
        for model in listed:
            spec = model["model_spec"]
            is_candidate = _makes_kind(kind, model) and not spec.get("offline")
            if is_candidate and not _lack(spec, characters, wishes):
                able.append(model)
    return able


def _makes_sound(model: _Listed) -> bool:
    """Whether a model makes anything of a prompt.

    Those that change voices are listed as music, too.
    """
    return not model["model_spec"].get("voice_changer")


def _makes_kind(kind: str, model: _Listed) -> bool:
    """Whether a model makes sound of a kind."""
    return _makes_sound(model) and _kind_of(model["id"], model["model_spec"]) == kind


def _kind_of(name: str, spec: dict[str, Any]) -> str:
    """What a model makes; of effects, only its name tells."""
    pricing = spec.get("pricing") or {}
    if "per_thousand_characters" in pricing:
        return "speech"
    if _EFFECT_MODEL.search(name):
        return "effect"
    return "music"


# --- what a model can't do ---


def _lack(spec: dict[str, Any], characters: int, wishes: dict[str, Any]) -> str:
    """The first wish that a model can't fulfil, said as after its name; nothing, if it can all."""
    return (
        _lack_of_field(spec, wishes)
        or _lack_of_voice(spec, wishes)
        or _lack_of_speed(spec, wishes)
        or _lack_of_length(spec, wishes)
        or _lack_of_words(spec, characters, wishes)
    )


def _lack_of_field(spec: dict[str, Any], wishes: dict[str, Any]) -> str:
    """What of the wishes a model knows nothing of."""
    for name, wish in _WISHES.items():
        if name in wishes and not spec.get(wish.told_by):
            return f"takes no {name}"
    return ""


def _lack_of_voice(spec: dict[str, Any], wishes: dict[str, Any]) -> str:
    """That a model does not have a voice."""
    voices = spec.get("voices") or []
    voice = _as_listed(wishes.get("voice", ""), voices)
    if not voice or voice in voices or spec.get("supports_custom_voice_id"):
        return ""
    known = ", ".join(voices)
    return f"has no voice {voice!r:.40}, but {known!r:.400}"


def _lack_of_speed(spec: dict[str, Any], wishes: dict[str, Any]) -> str:
    """That a model speaks slower or faster than it is wished."""
    slowest = spec.get("min_speed") or 0.25
    fastest = spec.get("max_speed") or 4
    if slowest <= wishes.get("speed", slowest) <= fastest:
        return ""
    return f"speaks at a speed of {slowest} to {fastest}"


def _lack_of_length(spec: dict[str, Any], wishes: dict[str, Any]) -> str:
    """That a model does not play as long as it is wished."""
    lengths = _lengths(spec)
    if "duration_seconds" not in wishes or wishes["duration_seconds"] in lengths.seconds:
        return ""
    if not lengths.in_words:
        return "takes no duration_seconds"
    return f"makes {lengths.in_words} seconds"


def _lack_of_words(spec: dict[str, Any], characters: int, wishes: dict[str, Any]) -> str:
    """That a prompt or lyrics are too short or too long, or missing."""
    least = spec.get("min_prompt_length") or 1
    most = spec.get("prompt_character_limit") or _MOST_CHARACTERS
    if characters and not least <= characters <= most:
        return f"takes a prompt of {least} to {most} characters"

    most_sung = spec.get("lyrics_character_limit") or _MOST_CHARACTERS
    if len(wishes.get("lyrics", "")) > most_sung:
        return f"takes lyrics of at most {most_sung} characters"

    says_what_is_sung = bool(wishes.keys() & _SUNG)
    if spec.get("lyrics_required") and characters and not says_what_is_sung:
        return "needs lyrics, instrumental or lyrics_optimizer"
    return ""


def _lengths(spec: dict[str, Any]) -> _Lengths:
    """The whole seconds that a model can be asked for."""
    options = spec.get("duration_options")
    if options:
        seconds = [int(length) for length in options if length >= 1]
        in_words = ", ".join(map(str, seconds))
        return _Lengths(seconds, in_words)

    first = max(int(spec.get("min_duration") or 1), 1)
    last = int(spec.get("max_duration") or 0)
    if first > last:
        return _Lengths((), "")
    return _Lengths(range(first, last + 1), f"{first} to {last}")
