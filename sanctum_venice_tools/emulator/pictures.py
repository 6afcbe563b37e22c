"""Pictures that show the words they were made from, on a gradient made of words and seed."""

import colorsys
import hashlib
import io
import random
from dataclasses import dataclass

from PIL import Image, ImageDraw, ImageFilter, ImageFont, ImageOps

# The encoders' settings: quick rather than small.
ENCODERS = {
    "webp": ("WEBP", {"quality": 80, "method": 2}),
    "png": ("PNG", {"compress_level": 3}),
    "jpeg": ("JPEG", {"quality": 88}),
}
LONGEST_CAPTION = 400
SMALLEST_LETTERS = 8

# Words for colours: the hues around the circle, and bounds of saturation and brightness, each from
# 0 to 255.
HUES = (
    "red",
    "orange",
    "yellow",
    "green",
    "green",
    "cyan",
    "cyan",
    "blue",
    "blue",
    "violet",
    "magenta",
    "red",
)
GREY, DARK, BRIGHT = 30, 90, 190

Colour = tuple[int, int, int]
Size = tuple[int, int]
Font = ImageFont.FreeTypeFont | ImageFont.ImageFont


@dataclass(frozen=True)
class _Lines:
    """A text, set in lines."""

    text: str
    font: Font
    fit: bool
    """Whether they fit into the picture."""


def fit_ratio(ratio: str, megapixels: float = 1.0, step: int = 16) -> Size:
    """Width and height of about that many times 1024 x 1024 pixels, in a ratio such as 16:9."""
    across, down = (float(side) for side in ratio.split(":"))
    area = megapixels * 1024 * 1024
    width = (area * across / down) ** 0.5
    height = area / width
    return _whole_steps(width, step), _whole_steps(height, step)


def _whole_steps(side: float, step: int) -> int:
    """The nearest length that is a multiple of a step."""
    return max(round(side / step), 1) * step


def draw(caption: str, size: Size, seed: str, *, mark: str = "") -> Image.Image:
    """A picture of that size: the same words, size and seed give the same picture."""
    digest = hashlib.sha256(f"{caption}\0{seed}".encode()).digest()
    chance = random.Random(digest)  # noqa: S311 - for looks
    hue = chance.random()
    dark = _colour(hue, 0.75, 0.32)
    light = _colour(hue + chance.uniform(0.08, 0.3), 0.55, 0.95)
    make_gradient = chance.choice([Image.linear_gradient, Image.radial_gradient])
    turned = make_gradient("L").rotate(chance.choice([0, 90, 180, 270]))
    enlarged = turned.resize(size, Image.Resampling.BILINEAR)

    picture = ImageOps.colorize(enlarged, dark, light)
    pen = ImageDraw.Draw(picture)
    _write(pen, caption, size)
    if mark:
        _sign(pen, mark, size)
    return picture


def _sign(pen: ImageDraw.ImageDraw, mark: str, size: Size) -> None:
    """A small mark in the lower right corner."""
    font = ImageFont.load_default(max(min(size) / 32, 8))
    margin = min(size) / 40
    place = (size[0] - margin, size[1] - margin)
    pen.text(place, mark, "white", font, anchor="rs", stroke_width=1, stroke_fill="black")


def without_background(picture: Image.Image) -> Image.Image:
    """The picture as an oval: what lies outside is transparent, and its edge partly so."""
    across, down = picture.width // 16, picture.height // 16
    oval = (across, down, picture.width - across, picture.height - down)
    mask = Image.new("L", picture.size, 0)
    ImageDraw.Draw(mask).ellipse(oval, fill=255)
    soft = mask.filter(ImageFilter.GaussianBlur(min(across, down) / 4))
    seen = picture.convert("RGB")
    seen.putalpha(soft)
    return seen


def encode(picture: Image.Image, kind: str) -> bytes:
    """The picture as a file of that format."""
    name, options = ENCODERS[kind]
    if kind == "jpeg":
        picture = picture.convert("RGB")
    file = io.BytesIO()
    picture.save(file, name, **options)
    return file.getvalue()


def _colour(hue: float, saturation: float, value: float) -> Colour:
    red, green, blue = colorsys.hsv_to_rgb(hue % 1, saturation, value)
    return round(red * 255), round(green * 255), round(blue * 255)


def _write(pen: ImageDraw.ImageDraw, caption: str, size: Size) -> None:
    """The caption in the middle, as large as it fits."""
    text = " ".join(caption.split())
    if len(text) > LONGEST_CAPTION:
        text = text[:LONGEST_CAPTION] + " ..."

    height = min(size) / 7
    lines = _set(pen, text, height, size)
    while not lines.fit and height > SMALLEST_LETTERS:
        height *= 0.85
        lines = _set(pen, text, height, size)

    middle = (size[0] / 2, size[1] / 2)
    stroke = max(round(height / 28), 1)
    pen.multiline_text(
        middle,
        lines.text,
        "white",
        lines.font,
        anchor="mm",
        align="center",
        stroke_width=stroke,
        stroke_fill="black",
    )


def _set(pen: ImageDraw.ImageDraw, text: str, height: float, size: Size) -> _Lines:
    """A text in letters of that height, or the smallest that can be read."""
    font = ImageFont.load_default(max(height, SMALLEST_LETTERS))
    wrapped = _wrap(text, font, size[0] * 0.86)
    left, top, right, bottom = pen.multiline_textbbox((0, 0), wrapped, font)
    is_narrow = right - left <= size[0] * 0.9
    is_low = bottom - top <= size[1] * 0.8
    return _Lines(wrapped, font, fit=is_narrow and is_low)


def _wrap(text: str, font: Font, width: float) -> str:
    """The text in lines that are no wider than that, as far as its words allow."""
    lines = [""]
    for word in text.split(" "):
        longer = f"{lines[-1]} {word}".strip()
        if lines[-1] and font.getlength(longer) > width:
            lines.append(word)
        else:
            lines[-1] = longer
    return "\n".join(lines)


def turn_colours(picture: Image.Image, seed: int) -> Image.Image:
    """The picture with its hues turned by an angle that follows from the seed."""
    hue, saturation, value = picture.convert("HSV").split()
    turn = 40 + seed % 160
    turned = hue.point([(level + turn) % 256 for level in range(256)])
    return Image.merge("HSV", (turned, saturation, value)).convert("RGB")


def write_below(picture: Image.Image, caption: str) -> None:
    """Write one line at the foot of a picture, cut where the picture ends."""
    font = ImageFont.load_default(max(min(picture.size) / 22, SMALLEST_LETTERS))
    line = " ".join(caption.split())[:LONGEST_CAPTION]
    while line and font.getlength(line) > picture.width * 0.94:
        line = line[: len(line) * 9 // 10]
    place = (picture.width / 2, picture.height - min(picture.size) / 30)
    ImageDraw.Draw(picture).text(
        place, line, "white", font, anchor="ms", stroke_width=2, stroke_fill="black"
    )


def describe(picture: Image.Image) -> str:
    """What a program without eyes can say of a picture: its size and its colour."""
    average = picture.convert("RGB").resize((1, 1)).convert("HSV")
    hue, saturation, value = average.tobytes()
    colour = "grey" if saturation < GREY else HUES[hue * len(HUES) // 256]
    size = f"{picture.width} by {picture.height} pixels"
    return f"{size}, mostly {_shade(value)} {colour}"


def _shade(value: int) -> str:
    """A word for how bright something is."""
    if value < DARK:
        return "dark"
    if value > BRIGHT:
        return "bright"
    return "middling"
