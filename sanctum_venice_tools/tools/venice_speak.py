"""Speak a text."""

import difflib
from typing import Any, Literal

from sanctum_venice_tools.runtime.arguments import _read_as_meant
from sanctum_venice_tools.runtime.media import _media_folder, _store
from sanctum_venice_tools.runtime.models import _chosen, _list_models, _Model, _pick_model, _rank
from sanctum_venice_tools.runtime.speech import _parts, _sound_length, _speak
from sanctum_venice_tools.runtime.venice import VeniceError, _answer, _given
from sanctum_venice_tools.runtime.voices import _fitting_voices

TOOLSET = "core"
COST = "cents"

_OPENAI_MODELS = ("tts-1", "tts-1-hd", "gpt-4o-mini-tts")
_OPENAI_VOICES = "alloy ash ballad cedar coral echo fable marin nova onyx sage shimmer verse".split()  # noqa: SIM905


def _named_voice(spec: dict[str, Any], wanted: str) -> str:
    """The model's voice of that name, in any case, or "af_alloy" for "alloy"; nothing, if it has none."""
    name = wanted.lower()
    if name.startswith("vv_") and spec.get("voice_cloning"):
        return wanted
    found = [voice for voice in spec.get("voices") or [] if voice.lower() == name or voice.endswith(f"_{name}")]
    return found[0] if found else ""


def _usual_voice(spec: dict[str, Any]) -> str:
    """The voice that a model has when nobody asks for one."""
    voices = [*(spec.get("voices") or []), ""]
    return spec.get("default_voice") or ("af_sky" if "af_sky" in voices else voices[0])


def _model_with(voice: str) -> _Model | None:
    """The first model that has a voice of that name."""
    for model in sorted(_list_models("tts"), key=lambda one: _rank(one, "tts-chatterbox-hd")):
        spec = model["model_spec"]
        if not spec.get("offline") and _named_voice(spec, voice):
            return _chosen(model, [f"Took the model {model['id']}, which has the voice {voice:.40}."])
    return None


def _choose(model: str, voice: str) -> tuple[_Model, str]:
    """The model and the voice for a wish: a name, or words such as "British female"; notes say what was chosen."""
    asked = "" if model in _OPENAI_MODELS else model
    chosen = _pick_model("tts", asked, setting="VENICE_SPEECH_MODEL", usual="tts-kokoro")
    if not voice:
        return chosen, _usual_voice(chosen.spec)
    if named := _named_voice(chosen.spec, voice):
        return chosen, named
    other = None if asked else _model_with(voice)
    if other:
        return other, _named_voice(other.spec, voice)
    if voice.lower() in _OPENAI_VOICES:
        return chosen, _usual_voice(chosen.spec)

    voices = chosen.spec.get("voices") or []
    fitting = _fitting_voices(voices, voice)
    if not fitting:
        near = ", ".join(difflib.get_close_matches(voice, voices, n=5, cutoff=0.0))
        raise VeniceError(f"{chosen.id} has no voice {voice!r:.40}. Leave it out, or use: {near}.")
    others = f" {', '.join(fitting[1:6])} would fit, too." if fitting[1:] else ""
    note = f"Chose {fitting[0]} for {voice!r:.40}.{others}"
    return _Model(chosen.id, chosen.spec, [*chosen.notes, note]), fitting[0]


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

    Costs about 1 cent for 3,000 characters, up to 40 with other models.

    Args:
        text: What to say, without markup.
        voice: Such as af_heart, am_adam, bf_emma, bm_george.
        model: Best left out.
        speed: 0.25 to 4.
        format: Only mp3 and wav hold over 4,096 characters.
        style: Such as "Sad and slow."; only Qwen 3 models.
        language: If it gets it wrong: "en"; "English" for Qwen, MiniMax.

    Returns:
        JSON: file, seconds, voice, model, cost_usd, notes; next, if a part is left.
    """
    if not text.strip() or not 0.25 <= speed <= 4 or len(style) > 500 or not 1 < len(language or "en") < 33:
        raise VeniceError("Give a text, a speed of 0.25 to 4, a style up to 500 characters, a language of 2 to 32.")
    folder = _media_folder()
    chosen, speaker = _choose(model.strip(), voice.strip())
    spec = chosen.spec
    kinds = spec.get("supported_formats") or [format]
    kind = format if format in kinds else spec.get("default_format") or kinds[0]
    parts = list(_parts(text, 4096))
    if len(parts) > 1 and kind not in ("mp3", "wav"):
        raise VeniceError(f"Venice speaks 4,096 characters at a time; {kind} can't be joined: use mp3 or wav.")
    if style and not (spec.get("supportsPromptParam") or "qwen" in chosen.id):
        raise VeniceError(f"{chosen.id} takes no style: leave it out, or use the model tts-qwen3-1-7b.")

    body = _given(model=chosen.id, voice=speaker, response_format=kind, prompt=style, language=language, speed=speed)
    sound, count, why = _speak(body, parts)
    price = spec.get("pricing", {}).get("input", {}).get("usd")
    notes = [*chosen.notes]
    changes = {"model": (model, chosen.id), "voice": (voice, speaker), "format": (format, kind)}
    for name, (wanted, used) in changes.items():
        if wanted not in ("", used) and not any(used in note for note in notes):
            notes.append(f"Used {name} {used} for {wanted:.80}.")
    if why:
        notes.append(f"Only {count} of {len(parts)} parts are in the file: {why}")
    rest = parts[count][:60] if why else ""
    return _answer(
        **_store(folder, sound, text, _sound_length, "type", "seconds"),
        voice=speaker,
        model=chosen.id,
        cost_usd=price and round(sum(map(len, parts[:count])) * price / 1e6, 4),
        notes=notes,
        next=f"Call again with the text from {rest!r} on, for a second file." if why else "",
    )
