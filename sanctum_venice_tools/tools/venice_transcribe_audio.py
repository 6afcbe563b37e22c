"""Write down what is said in a recording."""

import os
import re
from typing import Any

from sanctum_venice_tools.runtime.arguments import _read_as_meant
from sanctum_venice_tools.runtime.media import _media_folder, _store_text
from sanctum_venice_tools.runtime.models import _Model, _pick_model, _spellings
from sanctum_venice_tools.runtime.publishing import _published
from sanctum_venice_tools.runtime.recording import _read_recording
from sanctum_venice_tools.runtime.replies import _number_of, _object_of, _objects_in, _text_of
from sanctum_venice_tools.runtime.text import _clip
from sanctum_venice_tools.runtime.venice import VeniceError, _answer, _call, _given

TOOLSET = "audio"
COST = "cents"

_KINDS = ("mp3", "wav", "wave", "m4a", "mp4", "aac", "flac", "ogg", "oga", "webm")

# What Venice takes by default. It ignores the language (Venice's skill for transcription, 73c0bf7).
_USUAL = "nvidia/parakeet-tdt-0.6b-v3"

# Whisper and Wizper tell when each segment was said, Scribe and xAI's when each word was. Parakeet
# takes the wish, and may tell nothing (the same skill).
_TELLS_SEGMENTS = "openai/whisper-large-v3"
_TELLS_WORDS = "elevenlabs/scribe-v2"
_TIMED = (_TELLS_SEGMENTS, _TELLS_WORDS, "fal-ai/wizper", "stt-xai-v1")

# What the model could not make out (the same skill; elsewhere, 422 is for what is not allowed).
_UNHEARD = {
    422: (
        "The recording may be silent, empty or broken, or of a language that the model does not "
        "know: check it, or name another model."
    )
}

# What the transcript may take of the reply, in characters.
_ROOM = 6500


def _read_language(language: str) -> str:
    """The two letters of a language, without its region: "de" of "de-AT"."""
    written = language.strip().lower()
    letters = re.split("[-_]", written)[0]
    if letters and not re.fullmatch("[a-z]{2}", letters):
        fault = f"The language must be two letters, such as 'en', not {language!r:.40}"
        raise VeniceError(f"{fault}. Or leave it out.")
    return letters


def _tells_times(model: dict[str, Any]) -> bool:
    """Whether a model tells when things are said."""
    return model["id"] in _TIMED


def _pick(model: str, language: str, *, timestamps: bool) -> _Model:
    """The model asked for; else the operator's, if it can do what is wanted; else one that can."""
    setting = "VENICE_TRANSCRIPTION_MODEL"
    usual = _TELLS_SEGMENTS if timestamps or language else _USUAL
    if model or not timestamps:
        return _pick_model("asr", model, setting=setting, usual=usual)
    operators = os.environ.get(setting, "").strip()
    if not operators or set(_spellings(operators)) & set(_TIMED):
        return _pick_model("asr", "", setting=setting, usual=usual, fits=_tells_times)
    chosen = _pick_model("asr", "", setting="", usual=usual, fits=_tells_times)
    note = f"Took {chosen.id}: the operator's {operators:.80} may tell no times."
    return _Model(chosen.id, chosen.spec, [*chosen.notes, note])


def _list_times(timestamps: dict[str, Any]) -> str:
    """A line for each segment, word or character: start and end in seconds, and what is said."""
    listed = timestamps.get("segment") or timestamps.get("word") or timestamps.get("char")
    lines = []
    for piece in _objects_in(listed):
        start = _number_of(piece.get("start"))
        end = _number_of(piece.get("end"))
        said = _text_of(piece.get("text") or piece.get("word") or piece.get("char"))
        words = " ".join(said.split())
        if start is not None and end is not None:
            lines.append(f"{start:.2f}-{end:.2f} {words}")
    return "\n".join(lines)


def _cost_of_hearing(spec: dict[str, Any], seconds: float | None) -> float | None:
    """What it costs to hear so much, in USD; None, if length or price is not told."""
    price = spec.get("pricing", {}).get("per_audio_second", {}).get("usd")
    if price is None or seconds is None:
        return None
    cost: float = price * seconds
    return round(cost, 6)


def _tell_rest(fault: str) -> str:
    """What to say of a transcript that is too long to be shown, or that can't be kept either."""
    if fault:
        return f"Only this beginning can be shown. {fault}"
    told = "This is only the beginning: the file holds all of it"
    return f"{told}. Read on in it with venice_read_document."


@_published
@_read_as_meant
def venice_transcribe_audio(
    *, audio: str, language: str = "", timestamps: bool = False, model: str = ""
) -> str:
    """Write down what is said in a recording or film.

    Costs about 1 US cent for 2 minutes. For a film on YouTube, use venice_transcribe_video.

    Args:
        audio: A stored file, or a public URL, of at most 25 MB: MP3, WAV, M4A, MP4, AAC, FLAC, OGG
            or WebM.
        language: Two letters, such as "de", only when you know what is spoken; it is recognised
            otherwise.
        timestamps: True to learn when each sentence is said.
        model: Leave out, unless the person asks for a certain Venice model; "elevenlabs/scribe-v2"
            for the times of single words.

    Returns:
        JSON: text (with timestamps, lines of start-end in seconds and words), file (all of it, when
            it is too long to be shown), seconds, model, cost_usd, notes.
    """
    hint = _read_language(language)
    folder = _media_folder()
    recording = _read_recording(audio, _KINDS)
    chosen = _pick(model.strip(), hint, timestamps=timestamps)
    form = _given(
        model=chosen.id, response_format="json", timestamps=str(timestamps).lower(), language=hint
    )
    told, _ = _call(
        "POST", "/audio/transcriptions", advice=_UNHEARD, files={"file": recording}, data=form
    )

    heard = _object_of(told)
    text = _text_of(heard.get("text")).strip()
    times = _list_times(_object_of(heard.get("timestamps")))
    seconds = _number_of(heard.get("duration"))
    notes = [*chosen.notes]
    if not text:
        notes.append("Nobody was heard to say anything.")
    if hint and chosen.id == _USUAL:
        told = f"{chosen.id} heeds no language, and recognises it itself"
        notes.append(f"{told}; {_TELLS_SEGMENTS} heeds it.")
    if timestamps and not times:
        others = f"{_TELLS_SEGMENTS} tells those of sentences, {_TELLS_WORDS} of words"
        notes.append(f"{chosen.id} told no times; {others}.")

    transcript = times or text
    shown = _clip(transcript, _ROOM)
    kept: dict[str, Any] = {}
    if shown != transcript:
        kept, fault = _store_text(folder, transcript, f"transcript {text[:30]}", "txt")
        notes.append(_tell_rest(fault))
    cost = _cost_of_hearing(chosen.spec, seconds)
    return _answer(text=shown, **kept, seconds=seconds, model=chosen.id, cost_usd=cost, notes=notes)
