"""Files to try tools with: small ones that are whole, and genuine ones of every format, made by other programs."""

import functools
import io
import tempfile
from pathlib import Path
from typing import Any

import av
from PIL import Image

from sanctum_venice_tools.emulator import film, pictures, sound

RATE = 24_000


def box(kind: bytes, content: bytes = b"") -> bytes:
    """A box of an MP4 file."""
    return (8 + len(content)).to_bytes(4) + kind + content


# The least that is whole: a film of the three boxes that each has, and a song of two silent frames
# after a tag.
FILM = box(b"ftyp", b"isom\0\0\0\0") + box(b"moov") + box(b"mdat", bytes(300))
SONG = b"ID3\x04\0\0\0\0\0\0" + (b"\xff\xfb\x90\xc0" + bytes(413)) * 2


@functools.cache
def whole_files() -> dict[str, bytes]:
    """A genuine file of every format that is told whole from cut, by a name that begins with its ending."""
    picture = pictures.draw("fox", (64, 48), "1").convert("RGB")
    spoken = sound.murmur("The fox sleeps.", "af_sky", 1, RATE)
    files = {
        kind: sound.encode(spoken, RATE, kind) for kind in ("mp3", "wav", "flac", "opus", "aac")
    }
    files["mp4"] = film.make(picture, (64, 48), 1, "fox", audio=True)
    files["mp4 for streams"] = _film(picture, "mp4", "libx264", movflags="faststart")
    files["mp4 in fragments"] = _film(
        picture, "mp4", "libx264", movflags="frag_keyframe+empty_moov"
    )
    files["mov"] = _film(picture, "mov", "libx264")
    files["webm"] = _film(picture, "webm", "libvpx")
    files["png"] = _picture(picture, "PNG")
    files["jpeg"] = _picture(picture, "JPEG")
    files["jpeg progressive"] = _picture(picture, "JPEG", progressive=True)
    files["webp"] = _picture(picture, "WEBP")
    files["webp lossless"] = _picture(picture, "WEBP", lossless=True)
    files["webp extended"] = _picture(picture, "WEBP", exif=b"Exif\0\0II*\0")
    return files


def _film(picture: Image.Image, container: str, codec: str, **options: str) -> bytes:
    # Not in memory: to put the index first, the file is opened once more.
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "film"
        with av.open(str(file), "w", format=container, options=options) as output:
            stream = output.add_stream(codec, rate=8)
            assert isinstance(stream, av.VideoStream)
            stream.width, stream.height = picture.size
            stream.pix_fmt = "yuv420p"
            for _ in range(8):
                frame = av.VideoFrame.from_image(picture)  # type: ignore[no-untyped-call] # PyAV has no type for it
                output.mux(stream.encode(frame))
            output.mux(stream.encode(None))
        return file.read_bytes()


def _picture(picture: Image.Image, kind: str, **options: Any) -> bytes:
    file = io.BytesIO()
    picture.save(file, kind, **options)
    return file.getvalue()
