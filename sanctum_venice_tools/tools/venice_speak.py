"""Speak a text."""

import difflib
import re
from typing import Any, Literal

from sanctum_venice_tools.runtime.arguments import _read_as_meant
from sanctum_venice_tools.runtime.listing import _list_models
from sanctum_venice_tools.runtime.media import _media_folder, _store
from sanctum_venice_tools.runtime.models import _chosen, _input_cost, _Model, _pick_model, _rank
from sanctum_venice_tools.runtime.money import _check_price
from sanctum_venice_tools.runtime.publishing import _published
from sanctum_venice_tools.runtime.speech import _parts, _sound_length, _speak
from sanctum_venice_tools.runtime.venice import VeniceError, _answer, _given
from sanctum_venice_tools.runtime.voices import _default_voice, _fitting_voices, _voices_of

TOOLSET = "core"
COST = "cents"

# As many characters as Venice speaks at a time.
_MOST_AT_A_TIME = 4096
_JOINABLE = ("mp3", "wav")

# How slowly and fast models speak, by the beginnings of their names; the others know no speed
# (Venice's skill for speech, 2026-10-02). The catalogue does not say it.
_SPEEDS = {
    "tts-kokoro": (0.25, 4.0),
    "tts-xai": (0.7, 1.5),
    "tts-elevenlabs-turbo": (0.7, 1.2),
    "tts-minimax": (0.5, 2.0),
}

# Parts of the names of models that take a style (the same skill).
_TAKE_STYLE = ("qwen", "gemini")

# 21m00Tcm4TlvDq8ikWAM
_ELEVENLABS_ID = re.compile(r"[a-zA-Z0-9]{20}")

# Names that an agent may know from OpenAI: what Venice has in their place is its usual.
_OPENAI_MODELS = ("tts-1", "tts-1-hd", "gpt-4o-mini-tts")
_OPENAI_VOICES = (
    "alloy",
    "ash",
    "ballad",
    "cedar",
    "coral",
    "echo",
    "fable",
    "marin",
    "nova",
    "onyx",
    "sage",
    "shimmer",
    "verse",
)


# --- the voice, and a model that has it ---


def _choose(model: str, voice: str) -> tuple[_Model, str]:
    """The model and the voice for a wish: a name, or words such as "British female".

    Notes say what was chosen.
    """
    asked = "" if model in _OPENAI_MODELS else model
    chosen = _pick_model("tts", asked, setting="VENICE_SPEECH_MODEL", usual="tts-kokoro")
    if not voice:
        return chosen, _usual_voice(chosen.spec)
    named = _named_voice(chosen.spec, voice)
    if named:
        return chosen, named
    if not asked:
        other = _model_with(voice)
        if other:
            return other, _named_voice(other.spec, voice)
    if voice.lower() in _OPENAI_VOICES:
        return chosen, _usual_voice(chosen.spec)
    return _choose_by_words(chosen, voice)


def _choose_by_words(model: _Model, words: str) -> tuple[_Model, str]:
    """The voice of a model that words fit, and the model with a note that says so."""
    voices = _voices_of(model.spec)
    fitting = _fitting_voices(voices, words)
    if not fitting:
        near = ", ".join(difflib.get_close_matches(words, voices, n=5, cutoff=0.0))
        raise VeniceError(f"{model.id} has no voice {words!r:.40}. Leave it out, or use: {near}.")
    voice, *others = fitting
    note = f"Chose {voice} for {words!r:.40}."
    if others:
        note += f" {', '.join(others[:5])} would fit, too."
    return _Model(model.id, model.spec, [*model.notes, note]), voice


def _model_with(voice: str) -> _Model | None:
    """The first model that has a voice of that name."""
    ranked = sorted(_list_models("tts"), key=lambda model: _rank(model, "tts-chatterbox-hd"))
    for model in ranked:
        spec = model["model_spec"]
        if not spec.get("offline") and _named_voice(spec, voice):
            return _chosen(
                model, [f"Took the model {model['id']}, which has the voice {voice:.40}."]
            )
    return None


def _named_voice(spec: dict[str, Any], wanted: str) -> str:
    """The model's voice of that name, in any case, or "af_alloy" for "alloy"; nothing, if none.

    Cloned voices, and all that ElevenLabs has, are in no list.
    """
    name = wanted.lower()
    if name.startswith("vv_") and spec.get("voice_cloning"):
        return wanted
    if spec.get("supports_custom_voice_id") and _ELEVENLABS_ID.fullmatch(wanted):
        return wanted
    for voice in _voices_of(spec):
        if voice.lower() == name or voice.endswith(f"_{name}"):
            return voice
    return ""


def _usual_voice(spec: dict[str, Any]) -> str:
    """The voice that a model has when nobody asks for one."""
    voices = [*_voices_of(spec), ""]
    return _default_voice(spec) or voices[0]


# --- what else is asked for ---


def _check(text: str, speed: float, style: str, language: str) -> None:
    """Refuse what Venice would."""
    if not text.strip():
        raise VeniceError("Give a text: there is none to be spoken.")
    if not 0.25 <= speed <= 4:
        raise VeniceError(f"Give a speed of 0.25 to 4, not {speed:g}; 1 is the usual one.")
    if len(style) > 500:
        raise VeniceError(f"Give a style up to 500 characters; this one has {len(style):,}.")
    if language and not 2 <= len(language) <= 32:
        raise VeniceError(
            f"Give a language of 2 to 32 characters, such as 'en', not {language!r:.40}."
        )


def _format_for(spec: dict[str, Any], wanted: str) -> str:
    """The format that is wanted, if the model speaks in it; else the model's own."""
    offered = spec.get("supported_formats") or [wanted]
    if wanted in offered:
        return wanted
    usual: str = spec.get("default_format") or offered[0]
    return usual


def _price_of(spec: dict[str, Any], parts: list[str]) -> float | None:
    """What a model takes to speak these parts, in USD; None, if it is not told."""
    characters = sum(len(part) for part in parts)
    return _input_cost(spec, characters, digits=6)


def _takes_style(name: str, spec: dict[str, Any]) -> bool:
    """Whether a model can be told how to speak."""
    is_known_to = any(part in name for part in _TAKE_STYLE)
    return is_known_to or bool(spec.get("supportsPromptParam"))


def _model_with_style() -> str:
    """The first model that can be told how to speak; nothing, if there is none now."""
    ranked = sorted(_list_models("tts"), key=lambda model: _rank(model, "tts-qwen3-1-7b"))
    for model in ranked:
        spec = model["model_spec"]
        if not spec.get("offline") and _takes_style(model["id"], spec):
            name: str = model["id"]
            return name
    return ""


def _check_style(style: str, model: _Model) -> None:
    """Refuse a style that a model would not heed."""
    if not style or _takes_style(model.id, model.spec):
        return
    other = _model_with_style()
    ways = f"leave it out, or use the model {other}" if other else "leave it out"
    raise VeniceError(f"{model.id} takes no style: {ways}.")


def _tell_speed(model: str, wanted: float) -> list[str]:
    """A note, if a model does not speak at the speed that is wanted."""
    if wanted == 1:
        return []
    speeds = _speeds_of(model)
    if not speeds:
        return [f"{model} knows no speed: it speaks at its own."]
    slowest, fastest = speeds
    if slowest <= wanted <= fastest:
        return []
    return [f"{model} speaks at speeds of {slowest:g} to {fastest:g}: it took the nearest."]


def _speeds_of(model: str) -> tuple[float, float] | None:
    """How slowly and how fast a model speaks; None, if it knows no speed."""
    for beginning, speeds in _SPEEDS.items():
        if model.startswith(beginning):
            return speeds
    return None


def _note_change(notes: list[str], name: str, wanted: str, used: str) -> None:
    """Note that something else was used than what was asked for, if nothing tells that yet."""
    is_told = any(used in note for note in notes)
    if wanted and wanted != used and not is_told:
        notes.append(f"Used {name} {used} for {wanted:.80}.")


@_published
@_read_as_meant
def venice_speak(
    *,
    text: str,
    voice: str = "",
    model: str = "",
    speed: float = 1.0,
    format: Literal["mp3", "wav", "flac", "opus", "aac"] = "mp3",  # noqa: A002 - Venice's own name
    style: str = "",
    language: str = "",
) -> str:
    """Speak a text of any length into one sound file.

    Costs about 1 cent for 3,000 characters, up to 60 with other models.

    Args:
        text: What to say, without markup.
        voice: Such as af_heart, am_adam, bf_emma, bm_george.
        model: Best left out.
        speed: 0.25 to 4.
        format: Only mp3 and wav hold over 4,096 characters.
        style: Such as "Sad and slow."; only Qwen, Gemini.
        language: If it gets it wrong: "en"; "English" for Qwen, MiniMax.

    Returns:
        JSON: file, url, seconds, voice, model, cost_usd, notes; next, if a part is left.
    """
    _check(text, speed, style, language)
    folder = _media_folder()
    chosen, speaker = _choose(model.strip(), voice.strip())
    spec = chosen.spec
    kind = _format_for(spec, format)
    parts = list(_parts(text, _MOST_AT_A_TIME))
    if len(parts) > 1 and kind not in _JOINABLE:
        raise VeniceError(
            f"Venice speaks 4,096 characters at a time; {kind} can't be joined: use mp3 or wav."
        )
    _check_style(style, chosen)

    price = _price_of(spec, parts)
    if price is not None:
        _check_price(price, is_least=False)

    body = _given(
        model=chosen.id,
        voice=speaker,
        response_format=kind,
        prompt=style,
        language=language,
        speed=speed,
    )
    spoken = _speak(body, parts)

    notes = [*chosen.notes]
    _note_change(notes, "model", model, chosen.id)
    _note_change(notes, "voice", voice, speaker)
    _note_change(notes, "format", format, kind)
    notes += _tell_speed(chosen.id, speed)
    next_step = ""
    if spoken.fault:
        notes.append(f"Only {spoken.count} of {len(parts)} parts are in the file: {spoken.fault}")
        rest = parts[spoken.count][:60]
        next_step = f"Call again with the text from {rest!r} on, for a second file."
    return _answer(
        **_store(folder, spoken.sound, text, _sound_length, "type", "seconds"),
        voice=speaker,
        model=chosen.id,
        cost_usd=_price_of(spec, parts[: spoken.count]),
        notes=notes,
        next=next_step,
    )
