import base64
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import respx
from PIL import Image

from tests.tools.conftest import PICTURE, posts, refusal
from tests.tools.pictures import draw

Tool = Callable[..., str]
CALL: dict[str, Any] = {"image": PICTURE}


@pytest.fixture
def media(media: Path) -> Path:
    """The media store, in which a fox lies."""
    (media / "fox.jpeg").write_bytes(draw("JPEG"))
    return media


@pytest.fixture
def cut(api: respx.MockRouter, media: Path, tool: Tool) -> Callable[..., Any]:
    """Cut the fox out, while Venice sends this; the tool's reply."""
    assert media.exists()

    def run(content: bytes = b"", **arguments: Any) -> Any:
        api.post("/image/background-remove").respond(content=content or draw(mode="RGBA"))
        return json.loads(tool(**{"image": "fox.jpeg", **arguments}))

    return run


def test_a_stored_picture_is_sent(
    cut: Callable[..., Any], api: respx.MockRouter, media: Path
) -> None:
    """It goes out in base64 with its type, and nothing else, above all no model; what comes back is stored."""
    reply = cut()

    encoded = base64.b64encode(draw("JPEG")).decode()
    assert [{"image": f"data:image/jpeg;base64,{encoded}"}] == posts(api)
    stored = Path(reply.pop("file"))
    assert (media, draw(mode="RGBA")) == (stored.parent, stored.read_bytes())
    assert {
        "type": "image/png",
        "bytes": stored.stat().st_size,
        "width": 300,
        "height": 250,
    } == reply


def test_a_url_is_venices_to_fetch(cut: Callable[..., Any], api: respx.MockRouter) -> None:
    """A URL goes out as it is, but for the space around it, in a field of its own, and is not fetched here."""
    cut(image=" https://example.com/fox.png\n")

    assert [{"image_url": "https://example.com/fox.png"}] == posts(api)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("image", "message"),
    [
        ("fix.jpeg", "Near it: fox.jpeg"),
        ("../media/../secret", "No stored file"),
        ("text.txt", "no whole PNG, JPEG or WebP picture"),
        ("large.png", "1 to 33,177,600 are allowed"),
        ("huge.png", "more than 25 MB"),
        ("data:image/png;base64,?", "not valid base64"),
    ],
)
def test_a_wrong_picture_costs_nothing(
    cut: Callable[..., Any], api: respx.MockRouter, media: Path, image: str, message: str
) -> None:
    """What can't work is refused before anything is asked of Venice."""
    (media / "text.txt").write_text("no picture")
    if image == "large.png":
        Image.new("L", (33_177_601, 1)).save(media / image)
    if image == "huge.png":
        (media / image).write_bytes(draw() + bytes(25 << 20))

    assert message in refusal(cut, image=image)
    assert 0 == len(api.calls)


@pytest.mark.parametrize("image", ["fox.jpeg", "https://example.com/fox.png"])
@pytest.mark.usefixtures("media")
def test_the_local_venices_picture_is_transparent(local_tool: Tool, image: str) -> None:
    """Over a real connection, a picture comes whose background is gone, and whose middle is there."""
    reply = json.loads(local_tool(image=image))

    with Image.open(reply["file"]) as picture:
        assert ("PNG", "RGBA", (reply["width"], reply["height"])) == (
            picture.format,
            picture.mode,
            picture.size,
        )
        alpha = picture.getchannel("A")
        assert 0 == alpha.getpixel((0, 0))
        assert 255 == alpha.getpixel((picture.width // 2, picture.height // 2))
