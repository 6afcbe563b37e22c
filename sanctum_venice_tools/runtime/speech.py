"""Speech: long texts in parts, spoken one after the other, and joined into one file."""

import io
import re
import struct
import time
from collections.abc import Iterator
from dataclasses import dataclass
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

# --- parts of a text ---

# The end of a sentence ('A fox.', 'A fox?!"', '狐。'), or of a paragraph.
_SENTENCE_END = re.compile(r"[.!?…]+[\"'”’)\]]*(?=\s)|[。！？]|\n(?=\s*\n)")  # noqa: RUF001


def _parts(text: str, most: int) -> Iterator[str]:
    """The text in parts of at most so many characters, each to the end of a sentence or a word."""
    rest = text.strip()
    while rest:
        end = _end_of_part(rest, most)
        yield rest[:end].strip()
        rest = rest[end:].strip()


def _end_of_part(text: str, most: int) -> int:
    """Where the first part of a text ends."""
    head = _head(text, most)
    if len(head) == len(text):
        return len(text)
    sentence_ends = [found.end() for found in _SENTENCE_END.finditer(head)]
    if sentence_ends:
        return sentence_ends[-1]
    spaces = [found.start() for found in re.finditer(r"\s", head)]
    if spaces:
        return spaces[-1]
    return len(head)


def _head(text: str, most: int) -> str:
    """The first characters of a text, counted as Venice does: as in JavaScript, in UTF-16."""
    units = text[:most].encode("utf-16-le", "replace")
    bytes_a_unit = 2
    return units[: most * bytes_a_unit].decode("utf-16-le", "ignore")


# --- speaking them ---


@dataclass(frozen=True)
class _Spoken:
    """What came of speaking a text, as far as it came."""

    sound: bytes
    count: int
    """How many parts are in it."""
    fault: str
    """Why the others are not."""


def _speak(body: dict[str, Any], parts: list[str]) -> _Spoken:
    """Speak part after part into one file; what is paid is kept when a later part fails."""
    files: list[bytes] = []
    fault = ""
    for part in parts:
        began = time.monotonic()
        try:
            file, _ = _call_for_file("POST", "/audio/speech", json=body | {"input": part})
            _sound_length(file)
        except (VeniceError, ValueError) as error:
            if not files:
                raise VeniceError(str(error)) from None
            fault = str(error)
            break
        files.append(file)

        now = time.monotonic()
        time_for_another = 1.5 * (now - began) + 5
        if len(files) < len(parts) and _DEADLINE - now < time_for_another:
            fault = "The time for one call was up."
            break
    return _Spoken(_join(files), len(files), fault)


# --- joining sounds ---


def _join(files: list[bytes]) -> bytes:
    """Sound files of one kind, MP3 or WAV, as one."""
    if len(files) == 1:
        return files[0]
    form = _format_of(files[0])
    if form and form.name == "WAV":
        return _join_wav(files)
    return _join_mp3(files)


def _join_mp3(files: list[bytes]) -> bytes:
    """The frames of several MP3 files, one after the other."""
    sound: list[bytes] = []
    for file in files:
        # The first part's table of contents would let players stop where that part ends.
        sound += [frame.content for frame in _mp3_frames(io.BytesIO(file)) if not frame.is_table]
    return b"".join(sound)


def _join_wav(files: list[bytes]) -> bytes:
    """The samples of several WAV files, after a new header."""
    found = [_find_samples(io.BytesIO(file)) for file in files]
    samples = [
        file[wav.start : wav.start + wav.length] for file, wav in zip(files, found, strict=True)
    ]
    chunks = _chunk(b"fmt ", found[0].form) + _chunk(b"data", b"".join(samples))
    return _chunk(b"RIFF", b"WAVE" + chunks)


def _chunk(name: bytes, content: bytes) -> bytes:
    """A chunk of a RIFF file: its name, its length, its content."""
    return struct.pack("<4sI", name, len(content)) + content


# --- measuring a sound ---

# The kinds of sound whose length is not easily told, and what goes through all of their parts.
_SOUNDS = {"AAC": _check_adts, "FLAC": _check_flac, "Opus": _check_ogg, "Ogg": _check_ogg}


def _sound_length(data: bytes) -> tuple[str, str, float | None]:
    """Kind and type of a sound file that is whole, and how long it plays, where easily told."""
    try:
        return _measure(data)
    except ValueError:
        raise ValueError(
            "Venice sent no whole sound file; it may be charged. Tell the person."
        ) from None


def _measure(data: bytes) -> tuple[str, str, float | None]:
    """As `_sound_length`, but an error says what is wrong with the file."""
    form = _format_of(data)
    if not form:
        raise ValueError("This is no sound.")
    file = io.BytesIO(data)
    seconds = None
    if form.name == "WAV":
        wav = _find_samples(file)
        seconds = round(wav.length / wav.bytes_a_second, 1)
    elif form.name == "MP3":
        played = [frame.seconds for frame in _mp3_frames(file) if not frame.is_table]
        seconds = round(sum(played), 1)
    elif form.name in _SOUNDS:
        _SOUNDS[form.name](file)
    else:
        raise ValueError("This is no sound.")
    return form.endings[0], form.media_type, seconds
