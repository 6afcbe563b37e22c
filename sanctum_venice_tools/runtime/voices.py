"""Voices: by name, or by what their names tell of them."""

import re
from collections.abc import Iterable

# Kokoro's voices begin with a letter for their language and one for their gender: bf_emma, jm_kumo.
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

# What people say of a voice, in the words that are known here.
_SYNONYMS = {"woman": "female", "girl": "female", "man": "male", "boy": "male", "uk": "british", "us": "american"}
_FILLERS = {"a", "an", "the", "voice", "speaker", "accent", "with"}


def _kind_of_voice(voice: str) -> str:
    """The language and gender that a voice's name tells, if it does."""
    prefix = re.match(r"([abefhijpz])([fm])_", voice)
    if not prefix:
        return ""
    gender = "female" if prefix[2] == "f" else "male"
    return f"{_LANGUAGES[prefix[1]]} {gender}"


def _fitting_voices(voices: Iterable[str], wish: str) -> list[str]:
    """The voices that each word of a wish fits, such as "British female", "ja" or "puck"; all, if it has no word."""
    words = [word for word in re.findall(r"\w+", wish.lower()) if word not in _FILLERS]
    return [voice for voice in voices if all(_fits_voice(voice, word) for word in words)]


def _fits_voice(voice: str, word: str) -> bool:
    """Whether a word begins the voice's name, or a part of it (Ono_Anna, CalmWoman), or its language or gender."""
    parts = re.findall(r"[^\W\d_][^\W\d_A-Z]*|\d+", f"{voice} {_kind_of_voice(voice)}")
    spellings = (word, _SYNONYMS.get(word, word))
    return any(part.lower().startswith(spellings) for part in [voice, *parts])
