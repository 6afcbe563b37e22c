"""Speech: long texts in parts, spoken one after the other, and joined into one file."""

import io
import re
import struct
import time
from collections.abc import Iterator
from typing import Any

from sanctum_venice_tools.runtime.formats import (
    _check_adts,
    _check_flac,
    _check_ogg,
    _find_samples,
    _format_of,
    _mp3_frames,
)
from sanctum_venice_tools.runtime.venice import _DEADLINE, VeniceError, _call_for_file


def _parts(text: str, most: int) -> Iterator[str]:
    """The text in parts of at most so many characters, each to the end of a sentence, or at least of a word."""
    while text := text.strip():
        # Venice counts as JavaScript does: a character beyond U+FFFF is two.
        head = text[:most].encode("utf-16-le", "replace")[: 2 * most].decode("utf-16-le", "ignore")
        ends = [place.end() for place in re.finditer(r"[.!?…]+[\"'”’)\]]*(?=\s)|[。！？]|\n(?=\s*\n)", head)]  # noqa: RUF001
        words = [place.start() for place in re.finditer(r"\s", head)]
        cut = len(text) if len(head) == len(text) else max(ends or words or [len(head)])
        yield text[:cut].strip()
        text = text[cut:]


def _speak(body: dict[str, Any], parts: list[str]) -> tuple[bytes, int, str]:
    """Speak part after part into one file; how many parts are in it, and why the others are not."""
    spoken: list[bytes] = []
    for part in parts:
        began = time.monotonic()
        try:
            content, _ = _call_for_file("POST", "/audio/speech", json=body | {"input": part})
            _sound_length(content)
        except (VeniceError, ValueError) as error:
            if not spoken:
                raise VeniceError(str(error)) from None
            return _join(spoken), len(spoken), str(error)
        spoken.append(content)
        now = time.monotonic()
        if len(spoken) < len(parts) and _DEADLINE - now < 1.5 * (now - began) + 5:
            return _join(spoken), len(spoken), "The time for one call was up."
    return _join(spoken), len(spoken), ""


def _join(files: list[bytes]) -> bytes:
    """Sound files of one kind, MP3 or WAV, as one."""
    if len(files) == 1:
        return files[0]
    form = _format_of(files[0][:100])
    if form and form.name == "WAV":
        return _join_wav(files)
    frames = [frame for file in files for frame in _mp3_frames(io.BytesIO(file))]
    # The first part's table of contents would let players stop where that part ends.
    return b"".join(frame.content for frame in frames if not frame.is_table)


def _join_wav(files: list[bytes]) -> bytes:
    """The samples of several WAV files, after a new header."""
    found = [_find_samples(io.BytesIO(file)) for file in files]
    samples = b"".join(file[wav.start : wav.start + wav.length] for file, wav in zip(files, found, strict=True))
    form = found[0].form
    chunks = struct.pack("<4sI", b"fmt ", len(form)) + form + struct.pack("<4sI", b"data", len(samples)) + samples
    return struct.pack("<4sI4s", b"RIFF", 4 + len(chunks), b"WAVE") + chunks


_SOUNDS = {"AAC": _check_adts, "FLAC": _check_flac, "Opus": _check_ogg, "Ogg": _check_ogg}


def _sound_length(data: bytes) -> tuple[str, str, float | None]:
    """Kind and type of a sound file that is whole, and how many seconds it plays, where that is easily told."""
    try:
        return _measure(data)
    except ValueError:
        raise ValueError("Venice sent no whole sound file; it may be charged. Tell the person.") from None


def _measure(data: bytes) -> tuple[str, str, float | None]:
    """As `_sound_length`, but an error says what is wrong with the file."""
    form, file = _format_of(data[:100]), io.BytesIO(data)
    if not form or form.name not in {"WAV", "MP3", *_SOUNDS}:
        raise ValueError("This is no sound.")
    seconds = None
    if form.name == "WAV":
        wav = _find_samples(file)
        seconds = round(wav.length / wav.bytes_a_second, 1)
    elif form.name == "MP3":
        seconds = round(sum(frame.seconds for frame in _mp3_frames(file) if not frame.is_table), 1)
    else:
        _SOUNDS[form.name](file)
    return form.endings[0], form.media_type, seconds
