import base64
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
import respx
from PIL import Image

from tests.tools.conftest import PICTURE, refusal

Tool = Callable[..., str]
CALL: dict[str, Any] = {"image": PICTURE}


def draw(kind: str = "PNG", size: tuple[int, int] = (60, 50), mode: str = "RGB") -> bytes:
    """A picture as a file, made by Pillow."""
    file = io.BytesIO()
    Image.linear_gradient("L").resize(size).convert(mode).save(file, kind)
    return file.getvalue()


@pytest.fixture
def media(tmp_path: Path) -> Path:
    """The media store, in which a fox lies."""
    folder = tmp_path / "media"
    folder.mkdir()
    (folder / "fox.jpeg").write_bytes(draw("JPEG"))
    return folder


@pytest.fixture
def cut(api: respx.MockRouter, media: Path, tool: Tool) -> Callable[..., Any]:
    """Cut the fox out, while Venice sends this; the tool's reply."""
    assert media.exists()

    def run(content: bytes = b"", **arguments: Any) -> Any:
        api.post("/image/background-remove").respond(content=content or draw(mode="RGBA"))
        return json.loads(tool(**{"image": "fox.jpeg", **arguments}))

    return run


def posts(api: respx.MockRouter) -> list[Any]:
    """The bodies of the paid requests."""
    return [json.loads(call.request.content) for call in api.calls]


def test_a_stored_picture_is_sent(
    cut: Callable[..., Any], api: respx.MockRouter, media: Path
) -> None:
    """It goes out as base64 and nothing else, above all no model; what comes back is stored."""
    reply = cut()

    assert [{"image": base64.b64encode(draw("JPEG")).decode()}] == posts(api)
    stored = Path(reply.pop("file"))
    assert (media, draw(mode="RGBA")) == (stored.parent, stored.read_bytes())
    assert {"type": "image/png", "bytes": stored.stat().st_size, "width": 60, "height": 50} == reply


def test_a_url_is_venices_to_fetch(cut: Callable[..., Any], api: respx.MockRouter) -> None:
    """A URL goes out as it is, in a field of its own, and is not fetched here."""
    cut(image="https://example.com/fox.png")

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
        (media / image).write_bytes(draw(size=(33_177_601, 1)))
    if image == "huge.png":
        (media / image).write_bytes(draw() + bytes(25 << 20))

    assert message in refusal(cut, image=image)
    assert 0 == len(api.calls)


def test_an_unusable_media_folder_costs_nothing(
    cut: Callable[..., Any], api: respx.MockRouter, monkeypatch: pytest.MonkeyPatch, media: Path
) -> None:
    """Where no file can be kept, nothing is asked of Venice."""
    monkeypatch.setenv("VENICE_MEDIA_DIR", str(media / "fox.jpeg" / "deep"))

    assert "VENICE_MEDIA_DIR" in refusal(cut)
    assert 0 == len(api.calls)


@pytest.mark.parametrize("content", [b'{"error": "odd"}', draw()[:-30], draw("GIF")])
def test_garbage_is_an_error_without_a_file(
    cut: Callable[..., Any], api: respx.MockRouter, media: Path, content: bytes
) -> None:
    """What is no whole picture is not kept, and not asked for again."""
    assert "it may be charged" in refusal(cut, content)
    assert [media / "fox.jpeg"] == list(media.iterdir())
    assert 1 == len(api.calls)


@pytest.mark.parametrize(
    "failure", [500, 502, httpx.ReadTimeout, httpx.ReadError, httpx.RemoteProtocolError]
)
def test_nothing_is_sent_twice(
    cut: Callable[..., Any],
    api: respx.MockRouter,
    monkeypatch: pytest.MonkeyPatch,
    failure: int | type[Exception],
) -> None:
    """After a failure that may have been paid, the request is not repeated."""
    failing = (
        {"return_value": httpx.Response(failure)}
        if isinstance(failure, int)
        else {"side_effect": failure}
    )
    route = api.post("/image/background-remove").mock(**failing)
    monkeypatch.setattr(route, "respond", lambda **_: None)  # the fixture's good reply

    assert any(sign in refusal(cut) for sign in ("charged", "answered 50"))
    assert 1 == route.call_count


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
