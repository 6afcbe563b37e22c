"""Write down what is said in a recording."""

import os
import re
from typing import Any

from sanctum_venice_tools.runtime.arguments import _read_as_meant
from sanctum_venice_tools.runtime.media import _media_folder, _store
from sanctum_venice_tools.runtime.models import _Model, _pick_model
from sanctum_venice_tools.runtime.recording import _read_recording
from sanctum_venice_tools.runtime.replies import _number_of, _object_of, _objects_in, _text_of
from sanctum_venice_tools.runtime.text import _clip
from sanctum_venice_tools.runtime.venice import VeniceError, _answer, _call, _given

TOOLSET = "audio"
COST = "cents"

_KINDS = ("mp3", "wav", "wave", "m4a", "mp4", "aac", "flac", "ogg", "oga", "webm")
# Whisper tells when each segment was said, Scribe when each word was; others take the wish, and tell nothing.
_TIMED = ("openai/whisper-large-v3", "elevenlabs/scribe-v2")


def _pick(model: str, language: str, *, timestamps: bool) -> _Model:
    """The model asked for; else the operator's, if it can; else one that tells times, or heeds a language."""
    limited = timestamps and not model
    setting = "VENICE_TRANSCRIPTION_MODEL"
    setting = "" if limited and os.environ.get(setting) not in _TIMED else setting
    usual = _TIMED[0] if timestamps or language else "nvidia/parakeet-tdt-0.6b-v3"
    return _pick_model("asr", model, setting=setting, usual=usual, fits=lambda one: not limited or one["id"] in _TIMED)


def _list_times(timestamps: dict[str, Any]) -> str:
    """A line for each segment, word or character: its start and end in seconds, and what is said."""
    listed = timestamps.get("segment") or timestamps.get("word") or timestamps.get("char")
    lines = []
    for piece in _objects_in(listed):
        start, end = _number_of(piece.get("start")), _number_of(piece.get("end"))
        said = piece.get("text") or piece.get("word") or piece.get("char")
        if start is not None and end is not None:
            lines.append(f"{start:.2f}-{end:.2f} {' '.join(_text_of(said).split())}")
    return "\n".join(lines)


@_read_as_meant
def venice_transcribe_audio(*, audio: str, language: str = "", timestamps: bool = False, model: str = "") -> str:
    """Write down what is said in a recording or film.

    Costs about 1 US cent for 2 minutes. For a film on YouTube, use venice_transcribe_video.

    Args:
        audio: A stored file, or a public URL, of at most 25 MB: MP3, WAV, M4A, MP4, AAC, FLAC, OGG or WebM.
        language: Two letters, such as "de", only when you know what is spoken; it is recognised otherwise.
        timestamps: True to learn when each sentence is said.
        model: Leave out, unless the person asks for a certain Venice model; "elevenlabs/scribe-v2" for the times
            of single words.

    Returns:
        JSON: text (with timestamps, lines of start-end in seconds and words), file (all of it, when it is too long to
        be shown), seconds, model, cost_usd, notes.
    """
    hint = re.split("[-_]", language.strip().lower())[0]
    if hint and not re.fullmatch("[a-z]{2}", hint):
        raise VeniceError(f"The language must be two letters, such as 'en', not {language!r:.40}. Or leave it out.")
    folder = _media_folder()
    recording = _read_recording(audio, _KINDS)
    chosen = _pick(model.strip(), hint, timestamps=timestamps)
    form = _given(model=chosen.id, response_format="json", timestamps=str(timestamps).lower(), language=hint)
    told, _ = _call("POST", "/audio/transcriptions", files={"file": recording}, data=form)
    heard = _object_of(told)

    times, text = _list_times(_object_of(heard.get("timestamps"))), _text_of(heard.get("text")).strip()
    notes = [*chosen.notes]
    if not text:
        notes.append("Nobody was heard to say anything.")
    if timestamps and not times:
        notes.append(f"{chosen.id} told no times; {_TIMED[0]} tells those of sentences, {_TIMED[1]} of words.")
    whole, kept = times or text, {}
    shown = _clip(whole, 6500)
    if shown != whole:
        title, content = f"transcript {text[:30]}", whole.encode(errors="replace")
        kept = _store(folder, content, title, lambda _: ["txt"]) | {"type": "text/plain"}
        notes.append("This is only the beginning: the file holds all of it. Read on in it with venice_read_document.")
    price = chosen.spec.get("pricing", {}).get("per_audio_second", {}).get("usd")
    seconds = _number_of(heard.get("duration"))
    cost = price and seconds and round(price * seconds, 6)
    return _answer(text=shown, **kept, seconds=seconds, model=chosen.id, cost_usd=cost, notes=notes)
