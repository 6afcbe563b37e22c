import base64
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import respx
from PIL import Image

from sanctum_venice_tools.emulator.process import LocalVenice
from tests.conftest import kept_in
from tests.tools.conftest import PICTURE, posts, refusal
from tests.tools.pictures import draw

Tool = Callable[..., str]
CALL: dict[str, Any] = {"image": PICTURE}
UPSCALER = {
    "id": "upscaler",
    "model_spec": {"pricing": {"upscale": {"2x": {"usd": 0.02}, "4x": {"usd": 0.08}}}},
}


@pytest.fixture
def media(media: Path) -> Path:
    """The media store, in which a fox lies."""
    (media / "fox.png").write_bytes(draw())
    return media


@pytest.fixture
def enlarge(api: respx.MockRouter, media: Path, tool: Tool) -> Callable[..., Any]:
    """Upscale the fox, while Venice sends this; the tool's reply."""
    assert media.exists()
    api.get("/models").respond(json={"object": "list", "data": [UPSCALER]})

    def run(content: bytes = b"", **arguments: Any) -> Any:
        api.post("/image/upscale").respond(content=content or draw(size=(600, 500)))
        return json.loads(tool(**{"image": "fox.png", **arguments}))

    return run


def test_sends_the_picture_and_tells_the_file(
    enlarge: Callable[..., Any], api: respx.MockRouter, media: Path
) -> None:
    """The stored picture goes out as base64; what comes back is stored, with both sizes and the price told."""
    reply = enlarge()

    assert [{"image": base64.b64encode(draw()).decode(), "scale": 2, "creativity": 0.01}] == posts(
        api
    )
    stored = Path(reply.pop("file"))
    assert (media, draw(size=(600, 500))) == (stored.parent, stored.read_bytes())
    assert {
        "type": "image/png",
        "bytes": stored.stat().st_size,
        "width": 600,
        "height": 500,
        "input_width": 300,
        "input_height": 250,
        "scale": 2,
        "cost_usd": 0.02,
    } == reply
    assert stored.name.startswith("upscaled-")


def test_a_data_url_is_taken(enlarge: Callable[..., Any], api: respx.MockRouter) -> None:
    """A picture may come in a data URL, of any format that Venice takes."""
    sent = base64.b64encode(draw("WEBP")).decode()
    enlarge(image=f"data:image/webp;base64,{sent}", scale=4, creativity=0)

    assert [{"image": sent, "scale": 4, "creativity": 0}] == posts(api)


def test_a_price_that_venice_does_not_state_is_left_out(
    enlarge: Callable[..., Any], api: respx.MockRouter
) -> None:
    """Without a price in the list, none is told."""
    api.get("/models").respond(json={"data": [{"id": "upscaler", "model_spec": {}}]})

    assert "cost_usd" not in enlarge()


def test_too_large_for_4_gets_2(
    enlarge: Callable[..., Any], api: respx.MockRouter, media: Path
) -> None:
    """Where four times would exceed what Venice lets out, two times is asked for, paid and told."""
    (media / "large.png").write_bytes(draw(size=(1025, 1024)))
    reply = enlarge(image="large.png", scale=4)

    assert [2] == [body["scale"] for body in posts(api)]
    assert (2, 0.02) == (reply["scale"], reply["cost_usd"])
    assert "scale 2" in reply["notes"][0]
    (media / "fits.png").write_bytes(draw(size=(1024, 1024)))
    assert 4 == enlarge(image="fits.png", scale=4)["scale"]


@pytest.mark.parametrize(
    ("size", "fits"),
    [((256, 256), True), ((255, 256), False), ((2048, 2048), True), ((2049, 2048), False)],
)
def test_the_limits_of_size_are_exact(
    enlarge: Callable[..., Any],
    api: respx.MockRouter,
    media: Path,
    size: tuple[int, int],
    *,
    fits: bool,
) -> None:
    """65,536 pixels at least, and at most what comes out as 16,777,216."""
    (media / "picture").write_bytes(draw(size=size))
    if fits:
        enlarge(image="picture")
    else:
        assert "65,536 to 4,194,304 are allowed" in refusal(enlarge, image="picture")
        assert 0 == len(api.calls)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"scale": 1}, "The option 'scale' must be one of 2, 4, not 1."),
        ({"scale": 3}, "The option 'scale' must be one of 2, 4, not 3."),
        ({"creativity": 0.5}, "The option 'creativity' must be 0 to 0.02, not 0.5."),
        ({"creativity": -1}, "The option 'creativity' must be 0 to 0.02, not -1.0."),
        ({"creativity": float("nan")}, "'creativity' must be a number, not nan. Correct it."),
        (
            {"image": "fix.png"},
            "No stored file is called 'fix.png'. Near it: fox.png. URLs work too.",
        ),
        (
            {"image": "http://127.0.0.1/a"},
            "'127.0.0.1' is in a private network; only public URLs are fetched.",
        ),
    ],
    ids=str,
)
def test_a_wrong_argument_costs_nothing(
    enlarge: Callable[..., Any], api: respx.MockRouter, arguments: dict[str, Any], message: str
) -> None:
    """What can't work is refused before anything is asked of Venice."""
    assert message == refusal(enlarge, **arguments)
    assert 0 == len(api.calls)


def test_more_than_25_mb_costs_nothing(
    enlarge: Callable[..., Any], api: respx.MockRouter, media: Path
) -> None:
    """The limit of Venice is kept before anything is sent."""
    (media / "huge.png").write_bytes(draw() + bytes(25 << 20))

    assert "more than 25 MB" in refusal(enlarge, image="huge.png")
    assert 0 == len(api.calls)


def test_the_same_picture_lands_in_the_same_file(enlarge: Callable[..., Any], media: Path) -> None:
    """Names are made of the content."""
    assert enlarge()["file"] == enlarge()["file"]
    assert 2 == len(kept_in(media))


@pytest.mark.parametrize(("kind", "scale"), [("PNG", 2), ("JPEG", 4), ("WEBP", 4)])
def test_the_local_venices_picture_is_larger(
    local_tool: Tool, media: Path, kind: str, scale: int
) -> None:
    """Over a real connection, a picture of the right size comes, which Pillow can read."""
    (media / "small").write_bytes(draw(kind))
    reply = json.loads(local_tool(image="small", scale=scale))

    with Image.open(reply["file"]) as picture:
        picture.load()
        assert (300 * scale, 250 * scale) == picture.size == (reply["width"], reply["height"])
    assert {2: 0.02, 4: 0.08}[scale] == reply["cost_usd"]


@pytest.mark.parametrize("fault", ["reset-midway", "empty", "html", "stall"])
def test_the_local_venices_failures_are_one_line(
    venice: LocalVenice, local_tool: Tool, monkeypatch: pytest.MonkeyPatch, media: Path, fault: str
) -> None:
    """Half a picture, none, and silence end in one line, and nothing is kept."""
    space = local_tool.__globals__
    if fault == "stall":
        monkeypatch.setitem(space, "_DEADLINE", space["time"].monotonic() + 2)
    venice.order_fault(fault=fault, path="/image/upscale", seconds=4)
    with pytest.raises(space["VeniceError"]) as failure:
        local_tool(image="fox.png")
    assert 1 == len(str(failure.value).splitlines())
    assert [media / "fox.png"] == kept_in(media)
