"""Sound files: a murmur as long as the text takes to say, a tune, and the formats they come in."""

import hashlib
import io
import math
import wave
from array import array
from fractions import Fraction
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import av

LETTERS_PER_SECOND = 15
LOUDNESS = 6000

# Format: the media type, and for PyAV container and codec.
FORMATS = {
    "mp3": ("audio/mpeg", "mp3", "libmp3lame"),
    "opus": ("audio/opus", "ogg", "libopus"),
    "aac": ("audio/aac", "adts", "aac"),
    "flac": ("audio/flac", "flac", "flac"),
    "wav": ("audio/wav", "", ""),
    "pcm": ("audio/pcm", "", ""),
}
# LAME's settings: quick rather than pure; a file is no larger for it.
MP3_OPTIONS = {"compression_level": "7"}
# A pentatonic scale: any of its notes go together.
SCALE = (0, 2, 4, 7, 9, 12, 14, 16)


def murmur(text: str, voice: str, speed: float, rate: int) -> bytes:
    """16-bit samples: one tone for each word.

    Its pitch comes from word and voice, its length from the word's letters.
    """
    samples = array("h")
    base = 110 + hashlib.sha256(voice.encode()).digest()[0] / 2
    for word in text.split() or ["."]:
        seconds = (len(word) + 1) / LETTERS_PER_SECOND / speed
        step = SCALE[hashlib.sha256(word.encode()).digest()[0] % 5]
        _tone(samples, base * 2 ** (step / 12), seconds * 0.85, rate)
        _silence(samples, seconds * 0.15, rate)
    return samples.tobytes()


def tune(title: str, seconds: float, rate: int) -> bytes:
    """16-bit samples of a small tune that follows from its title."""
    samples = array("h")
    digest = hashlib.sha256(title.encode()).digest()
    place = 0
    while len(samples) < seconds * rate:
        note = SCALE[digest[place % len(digest)] % len(SCALE)]
        _tone(samples, 220 * 2 ** (note / 12), 0.45, rate)
        _silence(samples, 0.05, rate)
        place += 1
    return samples[: int(seconds * rate)].tobytes()


def _tone(samples: "array[int]", pitch: float, seconds: float, rate: int) -> None:
    """Add a tone of whole periods: it begins and ends at nought and does not click."""
    period = max(round(rate / pitch), 2)
    one = array(
        "h", (round(LOUDNESS * math.sin(2 * math.pi * place / period)) for place in range(period))
    )
    samples.extend(one * max(round(seconds * rate / period), 1))


def _silence(samples: "array[int]", seconds: float, rate: int) -> None:
    samples.extend(array("h", bytes(2 * round(seconds * rate))))


def mono_frame(samples: bytes, rate: int) -> "av.AudioFrame":
    """Samples as PyAV takes them."""
    import av  # noqa: PLC0415 - its libraries are large, and most runs make no sound

    frame = av.AudioFrame(format="s16", layout="mono", samples=len(samples) // 2)
    frame.planes[0].update(samples)
    frame.sample_rate = rate
    frame.time_base = Fraction(1, rate)
    frame.pts = 0
    return frame


def encode(samples: bytes, rate: int, kind: str) -> bytes:
    """The samples, one channel, as a file of that format."""
    if kind == "pcm":
        return samples
    file = io.BytesIO()
    if kind == "wav":
        with wave.open(file, "wb") as sound:
            sound.setnchannels(1)
            sound.setsampwidth(2)
            sound.setframerate(rate)
            sound.writeframes(samples)
        return file.getvalue()

    import av  # noqa: PLC0415 - as above

    _, container, codec = FORMATS[kind]
    with av.open(file, "w", format=container) as output:
        # Opus knows 48 kHz and few other rates; PyAV's resampler sees to that.
        stream = output.add_stream(
            codec,
            rate=48_000 if kind == "opus" else rate,
            layout="mono",
            options=MP3_OPTIONS if kind == "mp3" else {},
        )
        assert isinstance(stream, av.AudioStream)  # noqa: S101 - for mypy
        frame = mono_frame(samples, rate)
        for packet in [*stream.encode(frame), *stream.encode(None)]:
            output.mux(packet)
    return file.getvalue()


def seconds_of(file: bytes) -> float | None:
    """How long a sound or film file plays, or None when it is none."""
    import av  # noqa: PLC0415 - as above

    try:
        with av.open(io.BytesIO(file), "r") as source:
            if not source.streams.audio:
                return None
            last = Fraction(0)
            for frame in source.decode(audio=0):
                last += Fraction(frame.samples, frame.sample_rate)
            return float(last) or None
    except (av.FFmpegError, ValueError):
        return None
