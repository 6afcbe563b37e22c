"""Films: a slow move over a picture, with a tune, as genuine MP4 files."""

import io
from fractions import Fraction

from PIL import Image, ImageOps

from sanctum_venice_tools.emulator import sound

FRAMES_PER_SECOND = 8
RATE = 44_100
MARGIN = 1.15

HEIGHTS = {"4k": 2160, "2K": 1440, "true_1080p": 1080}


def size_of(resolution: str, ratio: str) -> tuple[int, int]:
    """Width and height: the resolution is the shorter side; both are even, as the codec wants."""
    short = HEIGHTS.get(resolution) or int(resolution.lower().rstrip("p"))
    across, down = (int(side) for side in ratio.split(":"))
    longer = round(short * max(across, down) / min(across, down) / 2) * 2
    return (longer, short) if across >= down else (short, longer)


def make(
    picture: Image.Image, size: tuple[int, int], seconds: float, title: str, *, audio: bool
) -> bytes:
    """A film of that many seconds over the picture."""
    import av  # noqa: PLC0415 - its libraries are large, and most runs make no film

    file = io.BytesIO()
    count = max(round(seconds * FRAMES_PER_SECOND), 1)
    width, height = size
    with_margin = round(width * MARGIN), round(height * MARGIN)
    larger = ImageOps.fit(picture.convert("RGB"), with_margin)
    with av.open(file, "w", format="mp4") as output:
        stream = output.add_stream(
            "libx264", rate=FRAMES_PER_SECOND, options={"preset": "ultrafast", "crf": "28"}
        )
        stream.width, stream.height = size
        stream.pix_fmt = "yuv420p"
        # Streams have to be there before anything is written.
        music = output.add_stream("aac", rate=RATE, layout="mono") if audio else None
        for number in range(count):
            shown = _view(larger, size, number / count)
            frame = av.VideoFrame.from_image(shown)  # type: ignore[no-untyped-call] # PyAV has no type for it
            frame.pts = number
            frame.time_base = Fraction(1, FRAMES_PER_SECOND)
            output.mux(stream.encode(frame))
        output.mux(stream.encode(None))
        if music:
            tune = sound.tune(title, seconds, RATE)
            output.mux(music.encode(sound.mono_frame(tune, RATE)))
            output.mux(music.encode(None))
    return file.getvalue()


def _view(larger: Image.Image, size: tuple[int, int], share: float) -> Image.Image:
    """What is seen of a larger picture when a share of the film is over: corner to corner."""
    width, height = size
    left = round((larger.width - width) * share)
    top = round((larger.height - height) * share)
    return larger.crop((left, top, left + width, top + height))
