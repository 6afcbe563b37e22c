"""Voices: by name, or by what their names tell of them."""

import re
from collections.abc import Iterable
from typing import Any

# Kokoro's voices begin with a letter for their language and one for their gender: bf_emma, jm_kumo.
_PREFIX = re.compile(r"([abefhijpz])([fm])_")
_LANGUAGES = {
    "a": "American English (en)",
    "b": "British English (en)",
    "e": "Spanish (es)",
    "f": "French (fr)",
    "h": "Hindi (hi)",
    "i": "Italian (it)",
    "j": "Japanese (ja)",
    "p": "Brazilian Portuguese (pt)",
    "z": "Mandarin Chinese (zh)",
}
_LANGUAGE_CODES = ("en", "es", "fr", "hi", "it", "ja", "pt", "zh")
_GENDERS = {"f": "female", "m": "male"}

# The parts of a name: Ono_Anna has Ono and Anna, CalmWoman has Calm and Woman, English_2 has
# English and 2.
_NAME_PART = re.compile(r"[^\W\d_][^\W\d_A-Z]*|\d+")

# What people say of a voice, in the words that are known here.
_SYNONYMS = {
    "woman": "female",
    "girl": "female",
    "man": "male",
    "boy": "male",
    "uk": "british",
    "us": "american",
}
_FILLERS = {"a", "an", "the", "voice", "speaker", "accent", "with"}


def _voices_of(spec: dict[str, Any]) -> list[str]:
    """The names of a model's voices."""
    voices: list[str] = spec.get("voices") or []
    return voices


def _default_voice(spec: dict[str, Any]) -> str:
    """The voice that a model names as its usual one, or Venice's default, if the model has it."""
    named: str = spec.get("default_voice") or ""
    if not named and "af_sky" in _voices_of(spec):
        return "af_sky"
    return named


def _kind_of_voice(voice: str) -> str:
    """The language and gender that a voice's name tells, if it does."""
    prefix = _PREFIX.match(voice)
    if not prefix:
        return ""
    language, gender = prefix.groups()
    return f"{_LANGUAGES[language]} {_GENDERS[gender]}"


def _fitting_voices(voices: Iterable[str], wish: str) -> list[str]:
    """The voices that each word of a wish fits, such as "British female", "ja" or "puck".

    All of them, if it has no word.
    """
    words = [word for word in re.findall(r"\w+", wish.lower()) if word not in _FILLERS]
    return [voice for voice in voices if all(_fits_voice(voice, word) for word in words)]


def _fits_voice(voice: str, word: str) -> bool:
    """Whether a word begins the voice's name, or a part of it, or its language or gender.

    A synonym or a code must be such a part: "man" begins "Mandarin", too, and "ja" a name.
    """
    found = _NAME_PART.findall(f"{voice} {_kind_of_voice(voice)}")
    parts = [part.lower() for part in (voice, *found)]
    if word in _SYNONYMS or word in _LANGUAGE_CODES:
        return word in parts or _SYNONYMS.get(word) in parts
    return any(part.startswith(word) for part in parts)
