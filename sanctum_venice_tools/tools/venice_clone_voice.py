"""Make a voice like somebody's."""

from datetime import UTC, datetime, timedelta

from sanctum_venice_tools.runtime.arguments import _read_as_meant
from sanctum_venice_tools.runtime.models import _pick_model
from sanctum_venice_tools.runtime.recording import _read_recording
from sanctum_venice_tools.runtime.replies import _object_of, _text_of
from sanctum_venice_tools.runtime.venice import _CHARGED, VeniceError, _answer, _call

TOOLSET = "audio"
# It leaves somebody's voice in the account, for a flat fee that Venice's skill for speech (73c0bf7)
# tells of, and nothing names: a person has to approve.
COST = "account"

_NOT_OPEN = {
    403: (
        "This account may not clone voices with this model: "
        "leave the model out, or ask the operator."
    )
}


@_read_as_meant
def venice_clone_voice(*, sample: str, model: str = "") -> str:
    """Make a voice for venice_speak out of a recording of somebody's speech; it lasts seven days.

    Only with the consent of the person whose voice it is: make sure of it before you call. Venice
    charges a fee for each voice, and tells no price.

    Args:
        sample: A stored file, or a public URL: at least 5 seconds of one person's clear speech,
            without music; MP3 or WAV, at most 25 MB.
        model: Best left out: Venice opens no other than tts-chatterbox-hd to ordinary accounts.

    Returns:
        JSON: voice (its handle), model (the only one it works with), expires (a day), notes.
    """
    chosen = _pick_model(
        "tts",
        model,
        setting="",
        usual="tts-chatterbox-hd",
        fits=lambda one: one["model_spec"].get("voice_cloning"),
    )
    cloning = chosen.spec["voice_cloning"]
    recording = _read_recording(sample, cloning.get("accepted_formats") or ["mp3", "wav"])
    made, _ = _call(
        "POST",
        "/audio/voices",
        advice=_NOT_OPEN,
        files={"file": recording},
        data={"model": chosen.id},
    )
    voice = _text_of(_object_of(made).get("id"))
    if not voice:
        raise VeniceError(f"Venice named no voice; {_CHARGED}")

    days = min(max(cloning.get("retention_days") or 7, 0), 3650)
    last_day = datetime.now(UTC) + timedelta(days=days)
    notes = [*chosen.notes]
    if cloning.get("mode") == "persistent":
        notes.append(f"Each use makes it last {days:g} days from then on.")
    return _answer(
        voice=voice[:512],  # as long as venice_speak takes
        model=chosen.id,
        expires=str(last_day.date()),
        notes=notes,
        next="Give venice_speak this voice together with this model: no other knows it.",
    )
