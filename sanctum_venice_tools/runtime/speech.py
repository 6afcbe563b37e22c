"""Speech: long texts in parts, spoken one after the other, and joined into one file."""

import re
import time
from collections.abc import Iterator
from typing import Any

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
    """Sound files of one kind as one: MP3 is a chain of frames, WAV gets a new header before the samples of all."""
    if len(files) == 1:
        return files[0]
    if not files[0].startswith(b"RIFF"):
        return b"".join(frame for file in files for frame, _ in _frames(file))
    form, samples = _wav(files[0])[0], b"".join(_wav(file)[1] for file in files)
    head = b"WAVEfmt " + len(form).to_bytes(4, "little") + form + b"data" + len(samples).to_bytes(4, "little")
    return b"RIFF" + (len(head) + len(samples)).to_bytes(4, "little") + head + samples


def _sound_length(data: bytes) -> tuple[str, str, float | None]:
    """Kind and type of a sound file, from its own bytes, and how many seconds it plays, where that is easily told."""
    if data.startswith(b"RIFF"):
        form, samples = _wav(data)
        return "wav", "audio/wav", round(len(samples) / int.from_bytes(form[8:12], "little"), 1)
    if seconds := sum(length for _, length in _frames(data)):
        return "mp3", "audio/mpeg", round(seconds, 1)
    for start, kind, name in ((b"fLaC", "flac", "flac"), (b"OggS", "opus", "ogg"), (b"\xff[\xf0-\xf9]", "aac", "aac")):
        if re.match(start, data):
            return kind, f"audio/{name}", None
    raise ValueError("Venice sent no whole sound file; it may be charged. Tell the person.")


def _wav(data: bytes) -> tuple[bytes, bytes]:
    """The format and the samples of a WAV file; a streamed one has no right length in its header."""
    form, place = b"", 12
    while place + 8 <= len(data):
        name, length = data[place : place + 4], int.from_bytes(data[place + 4 : place + 8], "little")
        if name == b"data" and any(form[8:12]):
            return form, data[place + 8 : place + 8 + length]
        form = data[place + 8 : place + 8 + length] if name == b"fmt " else form
        place += 8 + length + length % 2
    raise ValueError("Venice sent a sound file without sound; it may be charged. Tell the person.")


def _frames(data: bytes) -> Iterator[tuple[bytes, float]]:
    """The frames of an MP3 file with their seconds, without tags and tables of contents; what follows, as it is."""
    tag = sum(byte << shift for byte, shift in zip(data[6:10], (21, 14, 7, 0), strict=False))
    place = 10 + tag if data.startswith(b"ID3") else 0
    # A header: eleven bits, then version, layer, bit rate (kbit/s), sample rate, padding.
    while re.match(rb"\xff[\xe2\xe3\xf2\xf3\xfa\xfb][\x10-\xeb]", data[place : place + 3]):
        version, third = data[place + 1] >> 3 & 3, data[place + 2]
        old, new = (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160), (32, 40, 48, 56, 64, 80, 96, 112, 128)
        bits = ((*new, 160, 192, 224, 256, 320) if version == 3 else old)[(third >> 4) - 1] * 1000
        rate = (44100, 48000, 32000, 32000)[third >> 2 & 3] >> (3 - version if version else 2)
        samples = 1152 if version == 3 else 576
        frame = data[place : place + samples // 8 * bits // rate + (third >> 1 & 1)]
        place += len(frame)
        if not re.search(rb"Xing|Info|VBRI", frame[:60]):
            yield frame, samples / rate
    yield data[place:], 0.0
