"""Speak a text."""

import difflib
from typing import Any, Literal

from sanctum_venice_tools.runtime.media import _media_folder, _store
from sanctum_venice_tools.runtime.models import _pick_model
from sanctum_venice_tools.runtime.speech import _parts, _sound_length, _speak
from sanctum_venice_tools.runtime.venice import VeniceError, _answer, _given

TOOLSET = "core"
COST = "cents"

_OPENAI_VOICES = "alloy ash ballad cedar coral echo fable marin nova onyx sage shimmer verse"


def _pick_voice(model: dict[str, Any], wanted: str) -> str:
    """The model's voice that is meant, in any case, "alloy" for "af_alloy"; for OpenAI's others its usual one."""
    spec = model["model_spec"]
    voices: list[str] = spec.get("voices") or []
    usual = spec.get("default_voice") or ("af_sky" if "af_sky" in voices else "")
    if wanted.startswith("vv_") and spec.get("voice_cloning"):
        return wanted
    name = wanted.lower()
    found = [voice for voice in voices if voice.lower() == name or (name and voice.endswith(f"_{name}"))]
    if not found and name and name not in _OPENAI_VOICES.split():
        near = difflib.get_close_matches(wanted, voices, n=5, cutoff=0.0)
        raise VeniceError(f"{model['id']} has no voice {wanted!r:.40}. Leave it out, or use: {', '.join(near)}.")
    return next(iter(found), usual) or next(iter(voices), "")


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
    asked = "" if model in ("tts-1", "tts-1-hd", "gpt-4o-mini-tts") else model
    chosen = _pick_model("tts", asked, setting="VENICE_SPEECH_MODEL", usual="tts-kokoro")
    spec = chosen["model_spec"]
    speaker = _pick_voice(chosen, voice)
    kinds = spec.get("supported_formats") or [format]
    kind = format if format in kinds else spec.get("default_format") or kinds[0]
    parts = list(_parts(text, 4096))
    if len(parts) > 1 and kind not in ("mp3", "wav"):
        raise VeniceError(f"Venice speaks 4,096 characters at a time; {kind} can't be joined: use mp3 or wav.")
    if style and not (spec.get("supportsPromptParam") or "qwen" in chosen["id"]):
        raise VeniceError(f"{chosen['id']} takes no style: leave it out, or use the model tts-qwen3-1-7b.")

    body = _given(model=chosen["id"], voice=speaker, response_format=kind, prompt=style, language=language, speed=speed)
    sound, count, why = _speak(body, parts)
    price = spec.get("pricing", {}).get("input", {}).get("usd")
    changes = {"model": (model, chosen["id"]), "voice": (voice, speaker), "format": (format, kind)}
    rest = parts[count][:60] if why else ""
    return _answer(
        **_store(folder, sound, text, _sound_length, "type", "seconds"),
        voice=speaker,
        model=chosen["id"],
        cost_usd=price and round(sum(map(len, parts[:count])) * price / 1e6, 4),
        notes=[
            f"Used {name} {used} for {wanted}." for name, (wanted, used) in changes.items() if wanted not in ("", used)
        ]
        + [f"Only {count} of {len(parts)} parts are in the file: {why}"] * bool(why),
        next=f"Call again with the text from {rest!r} on, for a second file." * bool(why),
    )
