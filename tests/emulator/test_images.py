import base64
import io
from collections.abc import Callable
from typing import Any
from urllib.parse import unquote

import httpx
import pytest
from PIL import Image

Png = Callable[..., bytes]


def opened(content: bytes) -> Image.Image:
    """The picture in a file."""
    picture = Image.open(io.BytesIO(content))
    picture.load()
    return picture


def generate(client: httpx.Client, **settings: Any) -> httpx.Response:
    """Ask for a picture."""
    return client.post(
        "/image/generate", json={"model": "z-image-turbo", "prompt": "A red fox", **settings}
    )


@pytest.mark.parametrize(("kind", "name"), [("webp", "WEBP"), ("png", "PNG"), ("jpeg", "JPEG")])
def test_picture_has_the_size_and_format_asked_for(
    client: httpx.Client, kind: str, name: str
) -> None:
    """The base64 in the reply is a real file of that size and format."""
    reply = generate(client, width=640, height=320, format=kind).json()

    picture = opened(base64.b64decode(reply["images"][0]))
    assert (picture.format, picture.size) == (name, (640, 320))


def test_picture_without_settings(client: httpx.Client) -> None:
    """Left out, the size is 1024 by 1024 and the format WebP; return_binary gives the file itself."""
    reply = generate(client, return_binary=True)

    assert reply.headers["content-type"] == "image/webp"
    assert opened(reply.content).size == (1024, 1024)


def test_same_request_same_picture(client: httpx.Client) -> None:
    """The same request gives the same bytes, another seed gives others."""
    same = [generate(client, width=64, height=64, seed=7).json()["images"] for _ in range(2)]

    assert same[0] == same[1]
    assert same[0] != generate(client, width=64, height=64, seed=8).json()["images"]


@pytest.mark.slow
def test_variants_differ(client: httpx.Client) -> None:
    """Several variants are different pictures, each paid."""
    before = client.get("/billing/balance").json()["balances"]["usd"]

    images = generate(client, width=64, height=64, variants=3).json()["images"]

    assert len(set(images)) == 3
    assert round(before - client.get("/billing/balance").json()["balances"]["usd"], 6) == 0.03


@pytest.mark.parametrize(
    ("resolution", "size"), [("1K", (1360, 768)), ("2K", (2736, 1536))], ids=["1K", "2K"]
)
def test_picture_by_ratio_and_tier(
    client: httpx.Client, resolution: str, size: tuple[int, int]
) -> None:
    """A ratio model takes a ratio and a tier instead of pixels."""
    reply = generate(
        client,
        model="nano-banana-pro",
        aspect_ratio="16:9",
        resolution=resolution,
        return_binary=True,
        format="png",
    )

    assert opened(reply.content).size == size


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"n": 2}, "Unrecognized key(s) in object: 'n'"),
        ({"size": "1024x1024"}, "Unrecognized key(s) in object: 'size'"),
        ({"width": 1000}, "width must be divisible by 16"),
        ({"width": 2000}, "Number must be less than or equal to 1280"),
        ({"aspect_ratio": "16:9"}, "aspect_ratio is not supported by this model"),
        ({"model": "nano-banana-pro", "width": 512}, "width is not supported by this model"),
        ({"model": "nano-banana-pro", "aspect_ratio": "7:1"}, "Expected '1:1' | '2:3'"),
        ({"model": "gpt-image-2", "quality": "hd"}, "Expected 'low' | 'medium' | 'high'"),
        ({"variants": 2, "return_binary": True}, "variants cannot be used with return_binary"),
        ({"style_preset": "Watercolour"}, "'Watercolor'"),
        ({"steps": 20}, "Number must be less than or equal to 8"),
        ({"format": "gif"}, "Expected 'jpeg' | 'png' | 'webp'"),
        ({"prompt": ""}, "String must contain at least 1 character(s)"),
        (
            {"model": "qwen-image", "prompt": "x" * 2049},
            "String must contain at most 2048 character(s)",
        ),
        ({"model": "qwen-image", "width": 512}, "width is not supported by this model"),
        ({"model": "bria-bg-remover"}, "makes no pictures"),
        ({"transparent_background": True}, "transparent_background is not supported by this model"),
        (
            {"model": "gpt-image-1-5", "transparent_background": True, "format": "jpeg"},
            "needs png or webp",
        ),
        (
            {"style_references": [{"image": "https://a.b/c.png"}]},
            "style_references is not supported",
        ),
        ({"inpaint": {}}, "no longer supported"),
        (
            {
                "model": "krea-2-turbo",
                "style_references": [{"image": base64.b64encode(bytes(9 * 2**20)).decode()}],
            },
            "maximum allowed size of 8 MB",
        ),
    ],
)
def test_refused_settings(client: httpx.Client, settings: dict[str, Any], said: str) -> None:
    """What the model or the schema does not know is refused with the reason."""
    reply = generate(client, **settings)

    assert (reply.status_code, said in reply.text) == (400, True), reply.text


def test_enhanced_prompt_comes_in_a_header(client: httpx.Client) -> None:
    """An enhanced prompt stands URL-encoded in a header."""
    reply = generate(client, width=64, height=64, enhance_prompt=True)

    assert unquote(reply.headers["x-venice-enhanced-prompt"]).startswith("A red fox, ")


def test_headers_of_a_picture(client: httpx.Client) -> None:
    """The reply names its model, flags, limits and the balance before the call."""
    before = client.get("/billing/balance").json()["balances"]["usd"]

    headers = generate(client, width=64, height=64).headers

    assert headers["x-venice-model-id"] == "z-image-turbo"
    assert headers["x-venice-is-blurred"] == "false"
    assert float(headers["x-venice-balance-usd"]) == pytest.approx(before)
    assert headers["x-ratelimit-limit-requests"] == "20"


def test_prices_follow_the_settings(client: httpx.Client) -> None:
    """Quality and tier set the price; quality left out is the dearest."""
    prices = []
    for settings in ({}, {"quality": "low"}, {"quality": "low", "resolution": "2K"}):
        before = client.get("/billing/balance").json()["balances"]["usd"]
        generate(client, model="gpt-image-2", **settings)
        prices.append(round(before - client.get("/billing/balance").json()["balances"]["usd"], 4))

    assert prices == [0.26, 0.02, 0.03]


def test_openai_form(client: httpx.Client) -> None:
    """OpenAI's form takes a size, an unknown model is the default one, and a url is a data URL."""
    body = {"prompt": "A fox", "model": "dall-e-9", "size": "256x256", "response_format": "url"}

    reply = client.post("/images/generations", json=body)

    url = reply.json()["data"][0]["url"]
    assert opened(base64.b64decode(url.removeprefix("data:image/png;base64,"))).size == (256, 256)
    assert reply.headers["x-venice-model-id"] == "z-image-turbo"


def test_openai_form_knows_no_safe_mode(client: httpx.Client) -> None:
    """`safe_mode` is refused there, as the guide quotes."""
    reply = client.post("/images/generations", json={"prompt": "A fox", "safe_mode": True})

    assert "Unrecognized key(s) in object: 'safe_mode'" in reply.text


def test_edit_by_json_and_by_form(
    client: httpx.Client, png: Png, encoded: Callable[..., str]
) -> None:
    """Both ways to send a picture give the same edited one."""
    by_json = client.post(
        "/image/edit", json={"image": encoded(400, 300), "prompt": "at night", "safe_mode": False}
    )
    by_form = client.post(
        "/image/edit",
        files={"image": ("a.png", png(400, 300))},
        data={"prompt": "at night", "safe_mode": "false"},
    )

    assert by_json.content == by_form.content
    assert opened(by_json.content).format == "PNG"


@pytest.mark.parametrize(
    ("settings", "name"),
    [
        ({"resolution": "2K", "model": "seedream-v4-edit"}, "JPEG"),
        ({"output_format": "webp"}, "WEBP"),
        ({"output_format": "jpg"}, "JPEG"),
        ({"image": "https://example.com/picture.png"}, "PNG"),
        ({"aspect_ratio": "16:9"}, "PNG"),
    ],
)
def test_edited_format(
    client: httpx.Client, encoded: Callable[..., str], settings: dict[str, Any], name: str
) -> None:
    """PNG comes for 1K, JPEG for more, else what is asked for."""
    reply = client.post("/image/edit", json={"image": encoded(400, 300), "prompt": "x", **settings})

    assert (opened(reply.content).format, reply.headers["content-type"]) == (
        name,
        f"image/{name.lower()}",
    )


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"aspect_ratio": "4:3"}, "Invalid enum value"),
        ({"mask": "x"}, "Unrecognized key(s) in object: 'mask'"),
        ({"quality": "high"}, "Unrecognized key(s) in object: 'quality'"),
        ({"model": "nope"}, "Invalid model id"),
        ({"model": "z-image-turbo"}, "Invalid model id"),
        ({"image": "%%%"}, "Invalid base64 data"),
        ({"image": base64.b64encode(b"not a picture" * 20).decode()}, "corrupted"),
        ({"image": "http://127.0.0.1/a.png"}, "could not be fetched"),
        ({"image": "http://localhost/a.png"}, "could not be fetched"),
        ({"resolution": "4K"}, "Expected '1K'"),
        ({"resolution": "1K", "model": "qwen-edit-uncensored"}, "resolution is not supported"),
    ],
)
def test_refused_edits(
    client: httpx.Client, encoded: Callable[..., str], settings: dict[str, Any], said: str
) -> None:
    """What cannot be edited is refused with the reason."""
    reply = client.post("/image/edit", json={"image": encoded(400, 300), "prompt": "x", **settings})

    assert (reply.status_code, said in reply.text) == (400, True), reply.text


def test_too_small_a_picture(client: httpx.Client, encoded: Callable[..., str]) -> None:
    """Under 65,536 pixels nothing is edited."""
    reply = client.post("/image/edit", json={"image": encoded(64, 64), "prompt": "x"})

    assert "4096 pixels; at least 65536 are needed" in reply.text


def test_multi_edit_counts_pictures(
    client: httpx.Client, png: Png, encoded: Callable[..., str]
) -> None:
    """As many pictures as the model combines are taken, by JSON or as repeated parts of a form."""
    one = encoded(300, 300)
    form = [("images", (f"{number}.png", png(300, 300))) for number in range(3)]

    assert client.post("/image/multi-edit", files=form, data={"prompt": "x"}).status_code == 200
    assert (
        client.post("/image/multi-edit", json={"prompt": "x", "images": [one] * 4}).status_code
        == 400
    )
    single = {"prompt": "x", "images": [one] * 2, "modelId": "qwen-edit-uncensored"}
    assert "at most 1 element(s)" in client.post("/image/multi-edit", json=single).text


def test_multi_edit_names_its_model_otherwise(
    client: httpx.Client, encoded: Callable[..., str]
) -> None:
    """There the model's field is modelId; `model` is refused."""
    reply = client.post(
        "/image/multi-edit", json={"prompt": "x", "images": [encoded(300, 300)], "model": "y"}
    )

    assert "Unrecognized key(s) in object: 'model'" in reply.text


def test_multi_edit_drops_a_quality_that_the_model_lacks(
    client: httpx.Client, encoded: Callable[..., str]
) -> None:
    """A model without qualities takes a wish for one, and does as ever for the usual price."""
    body = {"prompt": "x", "images": [encoded(300, 300)]}
    usual = client.post("/image/multi-edit", json=body)
    before = client.get("/billing/balance").json()["balances"]["usd"]

    wished = client.post("/image/multi-edit", json={**body, "quality": "low"})

    after = client.get("/billing/balance").json()["balances"]["usd"]
    assert (wished.status_code, wished.content == usual.content) == (200, True)
    assert before - after == pytest.approx(0.04)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("size", "scale", "expected"),
    [((320, 240), 4, (1280, 960)), ((320, 240), None, (640, 480)), ((2000, 1500), 4, (4000, 3000))],
    ids=["four times", "left out", "reduced"],
)
def test_upscale(
    client: httpx.Client,
    encoded: Callable[..., str],
    size: tuple[int, int],
    scale: int | None,
    expected: tuple[int, int],
) -> None:
    """A picture grows by the factor, by less where it would grow too large, and comes as PNG."""
    body = {"image": encoded(*size)} | ({"scale": scale} if scale else {})

    reply = client.post("/image/upscale", json=body)

    assert (opened(reply.content).size, reply.headers["content-type"]) == (expected, "image/png")


@pytest.mark.parametrize("settings", [{"scale": 1}, {"image": "https://example.com/a.png"}])
def test_refused_upscales(
    client: httpx.Client, encoded: Callable[..., str], settings: dict[str, Any]
) -> None:
    """Neither a factor of 1 nor an address is taken."""
    assert client.post("/image/upscale", json={"image": encoded(), **settings}).status_code == 400


def test_background_becomes_transparent(client: httpx.Client, png: Png) -> None:
    """What has the corner's colour is transparent, the middle stays."""
    reply = client.post("/image/background-remove", files={"image": ("a.png", png(400, 300))})

    picture = opened(reply.content)
    assert picture.mode == "RGBA"
    assert [picture.getpixel((0, 0))[3], picture.getpixel((200, 150))[3]] == [0, 255]  # type: ignore[index] # RGBA


@pytest.mark.parametrize("body", [{}, {"model": "x", "image_url": "https://a.org/b.png"}])
def test_refused_background_removals(client: httpx.Client, body: dict[str, Any]) -> None:
    """A picture has to be there, and a model must not be named."""
    assert client.post("/image/background-remove", json=body).status_code == 400


def test_styles_are_names(client: httpx.Client) -> None:
    """GET /image/styles lists plain names."""
    assert "Watercolor" in client.get("/image/styles").json()["data"]


@pytest.mark.parametrize("kind", ["png", "webp"])
def test_a_transparent_background_is_one(client: httpx.Client, kind: str) -> None:
    """The corners are transparent, the middle is not, and between them the edge is partly so."""
    reply = generate(
        client,
        model="gpt-image-2-5-flare",
        transparent_background=True,
        format=kind,
        return_binary=True,
    )

    picture = opened(reply.content)
    alpha = [picture.getpixel((x, picture.height // 2))[3] for x in range(picture.width)]  # type: ignore[index]
    assert ("RGBA", 0, 255, 0) == (picture.mode, alpha[0], alpha[len(alpha) // 2], alpha[-1])
    assert any(0 < level < 255 for level in alpha)


def test_several_pictures_drop_a_resolution_without_a_word(
    client: httpx.Client, encoded: Callable[..., str]
) -> None:
    """A model without resolutions makes 1K of several pictures, whatever is asked for."""
    several = {"modelId": "gpt-image-1-5-edit", "images": [encoded(300, 300)] * 2, "prompt": "x"}

    sizes = {
        opened(client.post("/image/multi-edit", json=several | tier).content).size
        for tier in ({}, {"resolution": "4K"})
    }

    assert 1 == len(sizes)


@pytest.mark.parametrize("path", ["/image/edit", "/image/multi-edit"])
def test_a_changed_picture_may_be_transparent(client: httpx.Client, png: Png, path: str) -> None:
    """It is a PNG then, at any resolution; a model that can't do it says so."""
    name = "gpt-image-2-5-flare-edit"
    picture = base64.b64encode(png()).decode()
    body: dict[str, Any] = {
        "prompt": "Only the fox",
        "transparent_background": True,
        "resolution": "2K",
    }
    body |= (
        {"images": [picture], "modelId": name}
        if "multi" in path
        else {"image": picture, "model": name}
    )

    made = client.post(path, json=body)

    assert "image/png" == made.headers["content-type"]
    assert 0 == opened(made.content).getpixel((0, 0))[3]  # type: ignore[index]
    body |= (
        {"modelId": "firered-image-edit"} if "multi" in path else {"model": "firered-image-edit"}
    )
    del body["resolution"]
    assert "transparent_background is not supported" in client.post(path, json=body).text
