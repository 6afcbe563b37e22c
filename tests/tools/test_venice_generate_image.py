import base64
import errno
import io
import json
import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import respx
from hypothesis import example, given
from hypothesis import strategies as st
from PIL import Image

from sanctum_venice_tools.emulator.process import LocalVenice
from tests.conftest import kept_in, space_of
from tests.tools.conftest import balance, listings, posts, refusal

Tool = Callable[..., str]
CALL: dict[str, Any] = {"prompt": "A lighthouse at dusk, in oils."}
PIXELS = {"widthHeightDivisor": 16, "steps": {"default": 8, "max": 50}}
RATIOS = PIXELS | {"aspectRatios": ["auto", "1:1", "2:3", "3:2", "16:9", "9:16", "21:9", "1.85:1"]}


def model(name: str, constraints: dict[str, Any] | None = None, **spec: Any) -> dict[str, Any]:
    """An image model as Venice lists it."""
    spec = {"name": name, "traits": [], "pricing": {"generation": {"usd": 0.01}}} | spec
    return {
        "id": name,
        "type": "image",
        "model_spec": {**spec, "constraints": constraints or PIXELS},
    }


def draw(
    kind: str = "WEBP", size: tuple[int, int] = (48, 32), mode: str = "RGB", **how: Any
) -> bytes:
    """A picture as a file, made by Pillow."""
    file = io.BytesIO()
    Image.linear_gradient("L").resize(size).convert(mode).save(file, kind, **how)
    return file.getvalue()


def with_thumbnail() -> bytes:
    """A JPEG whose EXIF segment holds a small JPEG of its own, before the real size is told."""
    small = draw("JPEG", (16, 8))
    # A TIFF of two directories: the second one has the place and the length of the thumbnail.
    tiff = b"II*\0\x08\0\0\0" + b"\0\0" + (14).to_bytes(4, "little") + b"\x02\0"
    tiff += b"\x01\x02\x04\0\x01\0\0\0" + (44).to_bytes(4, "little")
    tiff += b"\x02\x02\x04\0\x01\0\0\0" + len(small).to_bytes(4, "little") + b"\0\0\0\0"
    return draw("JPEG", (300, 200), exif=b"Exif\0\0" + tiff + small)


def encoded(content: bytes) -> str:
    """A file as Venice puts it into JSON."""
    return base64.b64encode(content).decode()


# What is noted of the seed, where there are several pictures.
FIRST_ONLY = "The seed is that of the first picture only: the others have random ones."


@pytest.fixture
def media(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """The media folder, which the tool is to make."""
    folder = tmp_path / "deep" / "media"
    monkeypatch.setenv("VENICE_MEDIA_DIR", str(folder))
    return folder


@pytest.fixture
def models(api: respx.MockRouter) -> respx.Route:
    """The list of models: one that takes pixels, until a test gives more."""
    limits = PIXELS | {"resolutions": ["1K", "2K"], "qualities": ["low", "high"]}
    usual = model("z-image", limits, traits=["default"])
    return api.get("/models").respond(json={"object": "list", "data": [usual]})


@pytest.fixture
def make(api: respx.MockRouter, models: respx.Route, media: Path, tool: Tool) -> Callable[..., Any]:
    """Make pictures, while Venice sends these; the tool's reply."""
    api.get("/image/styles").respond(
        json={"object": "list", "data": ["Anime", "Watercolor", "Film Noir"]}
    )
    assert not models.called
    assert not media.exists()

    def run(*pictures: str, headers: dict[str, str] | None = None, **arguments: Any) -> Any:
        reply = {
            "id": "generate-image-1",
            "images": pictures or [encoded(draw())],
            "request": {"success": True, "data": {"seed": 7}},
        }
        api.post("/image/generate").respond(json=reply, headers=headers)
        return json.loads(tool(**{"prompt": "A red fox", **arguments}))

    return run


def test_sends_only_what_was_asked(make: Callable[..., Any], api: respx.MockRouter) -> None:
    """A bare prompt makes a bare request."""
    make()

    assert [{"model": "z-image", "prompt": "A red fox", "variants": 1, "format": "webp"}] == posts(
        api
    )


def test_sends_all_that_was_asked(make: Callable[..., Any], api: respx.MockRouter) -> None:
    """Every argument has its field, zero and false among the values; the document's names are used."""
    make(
        negative_prompt="dogs",
        aspect_ratio="1280x720",
        resolution="2K",
        style="Watercolor",
        variants=2,
        seed=0,
        format="png",
        options={
            "steps": 8,
            "cfg_scale": 7.5,
            "lora_strength": 0,
            "quality": "low",
            "safe_mode": False,
        },
    )

    assert [
        {
            "model": "z-image",
            "prompt": "A red fox",
            "negative_prompt": "dogs",
            "width": 1280,
            "height": 720,
            "resolution": "2K",
            "style_preset": "Watercolor",
            "variants": 2,
            "seed": 0,
            "format": "png",
            "steps": 8,
            "cfg_scale": 7.5,
            "lora_strength": 0,
            "quality": "low",
            "safe_mode": False,
        }
    ] == posts(api)


PICTURES = {
    "webp-VP8": (draw(), "webp"),
    "webp-VP8L": (draw("WEBP", lossless=True), "webp"),
    "webp-VP8X": (draw("WEBP", mode="RGBA", exif=b"Exif\0\0II*\0\x08\0\0\0\0\0"), "webp"),
    "png": (draw("PNG"), "png"),
    "png-alpha": (draw("PNG", mode="RGBA"), "png"),
    "jpeg": (draw("JPEG"), "jpeg"),
    "jpeg-progressive": (draw("JPEG", progressive=True), "jpeg"),
    "jpeg-with-thumbnail": (with_thumbnail(), "jpeg"),
}


@pytest.mark.parametrize(("content", "kind"), PICTURES.values(), ids=PICTURES)
@pytest.mark.parametrize("asked", ["webp", "png", "jpeg"])
def test_what_venice_sent_is_what_is_stored(
    make: Callable[..., Any], media: Path, content: bytes, kind: str, asked: str
) -> None:
    """The file's bytes are Venice's; its type and size are told from them, whatever format was asked for."""
    (file,) = make(encoded(content), format=asked)["files"]

    assert content == Path(file["file"]).read_bytes()
    assert (media, f".{kind}") == (Path(file["file"]).parent, Path(file["file"]).suffix)
    with Image.open(file["file"]) as picture:
        assert picture.size == (file["width"], file["height"])
    assert (f"image/{kind}", len(content)) == (file["type"], file["bytes"])


def test_the_samples_are_what_they_are_called() -> None:
    """The sample pictures have the three headers of WebP, a progressive JPEG, and a thumbnail before its size."""
    for header in ("VP8", "VP8L", "VP8X"):
        assert header.ljust(4).encode() == PICTURES[f"webp-{header}"][0][12:16]
    assert b"\xff\xc2" in PICTURES["jpeg-progressive"][0]
    thumbnail, size = (
        with_thumbnail().index(b"\xff\xd8\xff", 2),
        with_thumbnail().rindex(b"\xff\xc0"),
    )
    assert 2 < thumbnail < size


@given(
    kind=st.sampled_from(["WEBP", "PNG", "JPEG"]),
    size=st.tuples(st.integers(1, 300), st.integers(1, 300)),
    how=st.sampled_from(
        [{}, {"lossless": True}, {"progressive": True}, {"exif": b"Exif\0\0II*\0\x08\0\0\0\0\0"}]
    ),
)
def test_any_size_is_told_rightly(
    texts: dict[str, str], kind: str, size: tuple[int, int], how: dict[str, Any]
) -> None:
    """Width and height are right for every format and size."""
    space = space_of("venice_generate_image", texts)
    content = draw(kind, size, **how)

    assert (kind.lower(), *size) == space["_picture_size"](content)


def test_reply_tells_files_model_seed_and_cost(make: Callable[..., Any]) -> None:
    """Beside the files, the reply has the model, the seed for the same picture again, and the price of all."""
    reply = make(encoded(draw()), encoded(draw("WEBP", (32, 48))), variants=2)

    assert {"files", "model", "seed", "cost_usd", "notes"} == set(reply)
    assert ("z-image", 7, 0.02) == (reply["model"], reply["seed"], reply["cost_usd"])
    assert 2 == len({file["file"] for file in reply["files"]})


def test_of_several_pictures_the_seed_is_that_of_the_first(make: Callable[..., Any]) -> None:
    """Venice makes the others with random seeds, which it does not tell; of one picture there is nothing to note."""
    assert [FIRST_ONLY] == make(encoded(draw()), encoded(draw()), variants=2)["notes"]
    assert "notes" not in make(encoded(draw()))


@pytest.mark.parametrize(
    "pictures", [["", encoded(draw())], [encoded(draw()), ""], [encoded(draw())]]
)
def test_of_pictures_that_are_not_all_there_no_seed_is_told(
    make: Callable[..., Any], pictures: list[str]
) -> None:
    """The one whose seed it is may be the one that is missing."""
    told = make(*pictures, variants=2)

    assert 1 == len(told["files"]) == len(told["notes"])
    assert "seed" not in told


def test_a_price_that_venice_does_not_state_is_left_out(
    make: Callable[..., Any], models: respx.Route
) -> None:
    """Some models have no price in the list."""
    models.respond(json={"data": [model("free", pricing={})]})

    assert "cost_usd" not in make()


@pytest.mark.parametrize(
    ("options", "usd"),
    [
        ({}, 0.3),
        ({"resolution": "2K"}, 0.5),
        ({"resolution": "2K", "quality": "low"}, 0.02),
        ({"quality": "low"}, 0.01),
    ],
)
def test_the_price_follows_size_and_quality(
    make: Callable[..., Any], models: respx.Route, options: dict[str, str], usd: float
) -> None:
    """What is left out is as the model has it."""
    tiers = {"1K": {"usd": 0.1}, "2K": {"usd": 0.5}}
    quality = {"1K": {"low": {"usd": 0.01}, "high": {"usd": 0.3}}, "2K": {"low": {"usd": 0.02}}}
    limits = PIXELS | {"resolutions": ["1K", "2K"], "defaultResolution": "1K"}
    limits |= {"qualities": ["low", "high"], "defaultQuality": "high"}
    models.respond(
        json={"data": [model("tiers", limits, pricing={"resolutions": tiers, "quality": quality})]}
    )

    assert usd == make(options=options)["cost_usd"]


CLEAR = PIXELS | {"supportsTransparentBackground": True}
CLEAR_MODELS = [
    model("z-image", traits=["default"]),
    model("clear-dear", CLEAR, pricing={"generation": {"usd": 0.26}}),
    model("clear", CLEAR, pricing={"resolutions": {"1K": {"usd": 0.07}}}),
    model("clear-gone", CLEAR, offline=True),
]


@pytest.mark.parametrize(
    "options",
    [
        {"transparent_background": True},
        {"Transparent-Background": "true"},
        {"background": "transparent"},
    ],
    ids=str,
)
def test_a_transparent_background_takes_a_model_that_can(
    make: Callable[..., Any], api: respx.MockRouter, models: respx.Route, options: dict[str, Any]
) -> None:
    """Where nobody names a model, it is the cheapest that can; what is stored says that it is transparent."""
    models.respond(json={"data": CLEAR_MODELS})

    reply = make(encoded(draw("PNG", mode="RGBA")), options=options, format="png")

    (body,) = posts(api)
    assert ("clear", True, "png") == (body["model"], body["transparent_background"], body["format"])
    assert 1 == listings(api)
    assert [True] == [file["transparent"] for file in reply["files"]]
    assert "notes" not in reply


@pytest.mark.parametrize(
    "content", [draw("PNG"), draw("WEBP"), draw("WEBP", lossless=True)], ids=["png", "VP8", "VP8L"]
)
def test_what_came_without_transparency_says_so(
    make: Callable[..., Any], models: respx.Route, content: bytes
) -> None:
    """The file itself is looked at, whatever was asked."""
    models.respond(json={"data": CLEAR_MODELS})

    reply = make(encoded(content), options={"transparent_background": True})

    assert [False] == [file["transparent"] for file in reply["files"]]
    assert "venice_remove_background" in reply["notes"][0]


@pytest.mark.parametrize(
    "how", [{}, {"lossless": True}, {"exif": b"Exif\0\0II*\0\x08\0\0\0\0\0"}], ids=str
)
def test_webp_may_be_transparent(
    make: Callable[..., Any], models: respx.Route, how: dict[str, Any]
) -> None:
    """An alpha channel is found in each form of WebP."""
    models.respond(json={"data": CLEAR_MODELS})
    picture = Image.new("RGBA", (48, 32), (200, 10, 10, 90))
    file = io.BytesIO()
    picture.save(file, "WEBP", **how)

    reply = make(encoded(file.getvalue()), options={"transparent_background": True})

    assert [True] == [file["transparent"] for file in reply["files"]]


@pytest.mark.parametrize("where", ["argument", "setting"])
def test_a_named_model_that_cannot_is_told(
    make: Callable[..., Any],
    api: respx.MockRouter,
    models: respx.Route,
    monkeypatch: pytest.MonkeyPatch,
    where: str,
) -> None:
    """The line names the models that can, and the tool that cuts out; nothing is paid."""
    models.respond(json={"data": CLEAR_MODELS})
    if where == "setting":
        monkeypatch.setenv("VENICE_IMAGE_MODEL", "z-image")

    line = refusal(
        make,
        options={"transparent_background": True},
        model="z-image" if where == "argument" else "",
    )

    assert "models that do: clear-dear, clear. Or" not in line
    assert "models that do: clear, clear-dear. Or" in line
    assert "venice_remove_background" in line
    assert [] == posts(api)


def test_jpeg_is_never_transparent(make: Callable[..., Any], api: respx.MockRouter) -> None:
    """The format has no place for it."""
    assert "take png" in refusal(make, format="jpeg", options={"transparent_background": True})
    assert [] == posts(api)


def test_what_only_cuts_out_makes_no_picture(make: Callable[..., Any], models: respx.Route) -> None:
    """bria-bg-remover is listed among the models that make pictures, and is never taken for one."""
    models.respond(json={"data": [model("bria-bg-remover", traits=["default"]), model("z-image")]})

    assert "z-image" == make()["model"]
    assert "use: z-image" in refusal(make, model="bria-bg-remover")


@pytest.mark.parametrize(("most", "length"), [(1500, 1501), (32_768, 32_769), (None, 7501)])
def test_the_model_says_how_long_a_prompt_may_be(
    make: Callable[..., Any],
    api: respx.MockRouter,
    models: respx.Route,
    most: int | None,
    length: int,
) -> None:
    """So many characters are sent, and one more is refused with the number, also in what must not be seen."""
    models.respond(
        json={"data": [model("z-image", PIXELS | ({"promptCharacterLimit": most} if most else {}))]}
    )

    assert f"this model reads {length - 1:,}" in refusal(make, prompt="x" * length)
    assert f"this model reads {length - 1:,}" in refusal(make, negative_prompt="x" * length)
    assert [] == posts(api)
    make(prompt="x" * (length - 1))
    assert 1 == len(posts(api))


def test_pictures_that_were_refused_are_told(
    api: respx.MockRouter, make: Callable[..., Any], tool: Tool
) -> None:
    """Fewer come than were asked for, and the reply says why; only what came is counted as paid."""
    make()
    reply = {
        "id": "1",
        "images": [encoded(draw())] * 2,
        "content_policy_violation_count": 2,
        "timing": {},
    }
    api.post("/image/generate").respond(json=reply)

    told = json.loads(tool(prompt="A red fox", variants=4))

    assert (2, 0.02) == (len(told["files"]), told["cost_usd"])
    assert ["2 of 4 pictures were not made: the model's maker refused them by its policy."] == told[
        "notes"
    ]


def test_pictures_that_did_not_come_are_told(make: Callable[..., Any]) -> None:
    """Fewer pictures than were asked for are no success without a word, though Venice says nothing of them."""
    told = make(encoded(draw()), encoded(draw()), variants=4)

    assert (2, 0.02) == (len(told["files"]), told["cost_usd"])
    assert "2 of 4 pictures did not come, and Venice does not say why." in told["notes"]


def test_an_enhanced_prompt_is_shown(make: Callable[..., Any]) -> None:
    """The prompt that Venice made of the caller's comes back readable."""
    headers = {"x-venice-enhanced-prompt": "A%20red%20fox%2C%20at%20dusk"}
    enhance = {"enhance_prompt": True}

    reply = make(encoded(draw()), encoded(draw()), headers=headers, options=enhance)

    assert "A red fox, at dusk" == reply["prompt_used"]
    assert 0.06 == reply["cost_usd"]  # two pictures, one prompt
    assert 0.01 == make(options=enhance)["cost_usd"]


def test_the_local_venices_price_has_the_rewritten_prompt(
    local_tool: Tool, venice: LocalVenice
) -> None:
    """What a picture is told to cost is what the account pays, with the prompt that Venice rewrote."""
    before = balance(venice)

    reply = json.loads(local_tool(prompt="A red fox", options={"enhance_prompt": True}))

    assert 0.05 == reply["cost_usd"] == round(before - balance(venice), 6)


@pytest.mark.parametrize("request_told", [{"success": True, "data": {"seed": 7}}, {"seed": 7}])
@pytest.mark.usefixtures("media", "models")
def test_the_seed_is_told_wherever_it_stands(
    api: respx.MockRouter, tool: Tool, request_told: dict[str, Any]
) -> None:
    """Venice tells the request within data; the seed is also found where it is told bare."""
    reply = {"images": [encoded(draw())], "request": request_told}
    api.post("/image/generate").respond(json=reply)

    assert 7 == json.loads(tool(prompt="A red fox"))["seed"]


@pytest.mark.parametrize(
    ("name", "reads"),
    [
        ("z-image-turbo", False),
        ("chroma", False),
        ("qwen-image", False),
        ("qwen-image-2-pro", True),
        ("lustify-v8", True),
        ("venice-sd35", True),
    ],
)
def test_a_dropped_negative_prompt_is_told(
    make: Callable[..., Any], models: respx.Route, name: str, *, reads: bool
) -> None:
    """Most models drop a negative prompt without a word; the reply says so."""
    models.respond(json={"data": [model(name)]})

    dropped = f"{name} reads no negative_prompt: say in the prompt what is to be seen instead."
    assert (None if reads else [dropped]) == make(negative_prompt="dogs").get("notes")
    assert "notes" not in make()


def test_a_blurred_picture_is_kept_and_named(make: Callable[..., Any]) -> None:
    """A picture that safe_mode blurred says so."""
    flags = {"x-venice-is-blurred": "true", "x-venice-is-content-violation": "false"}

    assert ["Venice blurred adult content, as safe_mode asks."] == make(headers=flags)["notes"]
    assert "notes" not in make(headers={"x-venice-is-blurred": "false"})


@pytest.mark.parametrize(
    "flag", ["x-venice-is-content-violation", "x-venice-is-adult-model-content-violation"]
)
def test_a_violation_is_an_error_without_a_file(
    make: Callable[..., Any], media: Path, flag: str
) -> None:
    """A picture that breaks the rules comes with a good status; it is not stored, and the agent can change course."""
    assert "terms of service" in refusal(make, headers={flag: "true"})
    assert [] == kept_in(media)


def test_a_violation_is_not_charged(make: Callable[..., Any]) -> None:
    """Venice charges nothing for a picture that it blocks by its content policy; of other blocks nobody says so."""
    blocked = refusal(make, headers={"x-venice-is-content-violation": "true"})
    other = refusal(make, headers={"x-venice-is-adult-model-content-violation": "true"})

    assert "nothing was charged for it. Change the prompt." in blocked
    assert "it may be charged. Change the prompt." in other


def test_of_several_pictures_none_is_thrown_away(make: Callable[..., Any], media: Path) -> None:
    """One flag tells that any of several is blocked: so all are kept, the paid and the black, with a note."""
    black = encoded(draw(size=(48, 48)))
    headers = {"x-venice-is-content-violation": "true"}
    other = encoded(draw(size=(50, 40)))
    told = make(encoded(draw()), black, other, headers=headers, variants=3)

    assert 3 == len(told["files"]) == len(kept_in(media))
    note, of_seed = told["notes"]
    assert FIRST_ONLY == of_seed
    assert note.endswith("they are black, and not charged, so that cost_usd is the most it can be.")


def test_that_some_of_several_are_not_charged_is_told_only_where_it_is_known(
    make: Callable[..., Any],
) -> None:
    """Of pictures that are blocked for another reason than Venice's content policy nobody says that they are free."""
    headers = {"x-venice-is-adult-model-content-violation": "true"}
    notes = make(encoded(draw()), encoded(draw()), headers=headers, variants=2)["notes"]

    assert notes[0].endswith("they are black, and may be charged.")


@pytest.mark.usefixtures("models")
def test_no_pictures_is_an_error(api: respx.MockRouter, tool: Tool) -> None:
    """A reply without pictures is not taken for success."""
    api.post("/image/generate").respond(json={"id": "1", "images": []})
    with pytest.raises(Exception, match="Change the prompt"):
        tool(prompt="A red fox")


GARBAGE = {
    "cut-letters": encoded(draw("PNG"))[:-3],
    "odd-letters": encoded(draw("PNG"))[:41],
    "half-webp": encoded(draw()[: len(draw()) // 2]),
    "short-webp": encoded(draw()[:20]),
    "half-png": encoded(draw("PNG")[:40]),
    "half-jpeg": encoded(draw("JPEG")[:-40]),
    "head-of-jpeg": encoded(draw("JPEG")[:30]),
    "no-base64": "!!! not base64 at all",
    "not-ascii": "\N{FOX FACE}",
    "empty": "",
    "gif": encoded(draw("GIF")),
    "html": encoded(b"<html>"),
}


@pytest.mark.parametrize("text", GARBAGE.values(), ids=GARBAGE)
def test_garbage_is_an_error_without_a_file(
    make: Callable[..., Any], media: Path, text: str
) -> None:
    """What is no whole picture ends in one line, and nothing of it is left on disk."""
    assert "no whole file" in refusal(make, text)
    assert [] == kept_in(media)


@given(title=st.text(max_size=300))
@example("../../../../etc/passwd")
@example("/etc/passwd")
@example("C:\\Windows\\x")
@example("a\0b")
@example("\N{FOX FACE}\u65e5\u672c")
@example("")
@example(".")
@example("..")
@example("x" * 7500)
@example("\u0130" * 60)
def test_no_prompt_leads_out_of_the_media_folder(texts: dict[str, str], title: str) -> None:
    """Whatever the prompt is, the file lies right in the media folder under a plain name."""
    space = space_of("venice_generate_image", texts)
    with tempfile.TemporaryDirectory() as name:
        space["_store"](
            Path(name), encoded(draw()), title, space["_picture_size"], "width", "height"
        )
        (stored,) = Path(name).rglob("*")

        assert stored.is_file()
        assert stored.name.isascii()
        assert set(stored.name) <= set("abcdefghijklmnopqrstuvwxyz0123456789-.")
        assert not stored.name.startswith((".", "-"))
        assert len(stored.name) < 100


@pytest.mark.parametrize("fault", ["open", "replace"])
def test_a_failed_write_leaves_nothing(
    make: Callable[..., Any], media: Path, monkeypatch: pytest.MonkeyPatch, fault: str
) -> None:
    """When the disk is full in the middle of a file, no part of it stays, and the operator is to be told."""

    def fail(path: Path, *_: object) -> None:
        os.close(os.open(path, os.O_CREAT))
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, fault, fail)
    message = refusal(make)

    assert "No space left on device" in message
    assert "Tell the operator" in message
    assert [] == kept_in(media)


def test_no_part_is_left_after_success(make: Callable[..., Any], media: Path) -> None:
    """Only the picture itself lies in the media folder."""
    (file,) = make()["files"]

    assert [Path(file["file"])] == kept_in(media)


def test_an_unusable_media_folder_costs_nothing(
    make: Callable[..., Any], api: respx.MockRouter, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Where no file can be kept, nothing is asked of Venice."""
    (tmp_path / "file").write_text("not a folder")
    monkeypatch.setenv("VENICE_MEDIA_DIR", str(tmp_path / "file" / "media"))

    assert "VENICE_MEDIA_DIR" in refusal(make)
    assert 0 == len(api.calls)


@pytest.mark.parametrize(
    ("wanted", "width", "height"),
    [
        ("1:1", 1024, 1024),
        ("16:9", 1280, 720),
        ("9:16", 720, 1280),
        ("16x9", 1280, 720),
        (" 16 : 9 ", 1280, 720),
        ("64:27", 1280, 528),
        ("1280:720", 1280, 720),
        ("1024x1024", 1024, 1024),
        ("1024X768", 1024, 768),
        ("1000x1000", 992, 992),
        ("1920x1080", 1280, 720),
        ("2000x64", 1280, 32),
        ("1:9999", 16, 1280),
        ("99999x99999", 1280, 1280),
    ],
)
def test_pixel_models_get_pixels(
    make: Callable[..., Any], api: respx.MockRouter, wanted: str, width: int, height: int
) -> None:
    """A ratio becomes about a million pixels; sizes fit the model's divisor and the longest side."""
    make(aspect_ratio=wanted)

    assert [(width, height)] == [(body["width"], body["height"]) for body in posts(api)]
    assert "aspect_ratio" not in posts(api)[0]


@given(
    width=st.integers(1, 99999),
    height=st.integers(1, 99999),
    sign=st.sampled_from(":x"),
    step=st.sampled_from([1, 8, 16, 32, 64]),
)
def test_pixels_always_fit_the_model(
    texts: dict[str, str], width: int, height: int, sign: str, step: int
) -> None:
    """Both sides are multiples of the divisor, at least one and at most 1280."""
    space = space_of("venice_generate_image", texts)
    size = space["_fit_size"]({"widthHeightDivisor": step}, f"{width}{sign}{height}")

    assert {"width", "height"} == set(size)
    assert all(step <= side <= 1280 and side % step == 0 for side in size.values())


@pytest.mark.parametrize(
    ("wanted", "ratio"),
    [
        ("16:9", "16:9"),
        ("1024x1024", "1:1"),
        ("1920x1080", "16:9"),
        ("64:27", "21:9"),
        ("9:19", "9:16"),
        ("1:5", "9:16"),
        ("7:5", "3:2"),
        ("13:7", "1.85:1"),
    ],
)
def test_ratio_models_get_the_nearest_ratio(
    make: Callable[..., Any], api: respx.MockRouter, models: respx.Route, wanted: str, ratio: str
) -> None:
    """Of a model's ratios, the one is sent that comes nearest to what was asked; pixels are not."""
    models.respond(json={"data": [model("flux", RATIOS)]})
    make(aspect_ratio=wanted)

    assert [
        {
            "model": "flux",
            "prompt": "A red fox",
            "variants": 1,
            "format": "webp",
            "aspect_ratio": ratio,
        }
    ] == posts(api)


@pytest.mark.parametrize(
    ("wanted", "told"), [("1920x1080", {"aspect_ratio": "16:9"}), ("16:9", None), ("", None)]
)
def test_says_what_a_size_was_turned_into(
    make: Callable[..., Any], models: respx.Route, wanted: str, told: dict[str, str] | None
) -> None:
    """The reply names the size that was sent, where it is not the one that was asked for."""
    models.respond(json={"data": [model("flux", RATIOS)]})

    assert told == make(aspect_ratio=wanted).get("sized_as")


@pytest.mark.parametrize(
    "wanted", ["round", "16;9", "0:1", "1:0", "-1:2", "16:9:4", "1" * 500 + ":1"]
)
def test_a_bad_ratio_costs_nothing(
    make: Callable[..., Any], api: respx.MockRouter, wanted: str
) -> None:
    """What is no ratio is refused with an example, before anything is paid."""
    assert "such as 16:9" in refusal(make, aspect_ratio=wanted)
    assert [] == posts(api)


@pytest.mark.parametrize("blank", ["", " ", "\n"])
def test_a_blank_prompt_costs_nothing(
    make: Callable[..., Any], api: respx.MockRouter, blank: str
) -> None:
    """A prompt without a word is refused before anything is asked of Venice."""
    assert "The prompt is empty. Say what is to be seen." == refusal(make, prompt=blank)
    assert 0 == len(api.calls)


def test_openais_names_are_welcome(make: Callable[..., Any], api: respx.MockRouter) -> None:
    """An agent that knows OpenAI's size, n and style gets what it means."""
    make(options={"size": "1024x768", "n": 3, "style": "Anime"})

    (body,) = posts(api)
    assert (1024, 768, 3, "Anime") == (
        body["width"],
        body["height"],
        body["variants"],
        body["style_preset"],
    )
    assert {"size", "n", "style"}.isdisjoint(body)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"stepz": 5}, "There is no option 'stepz'; the nearest is 'steps'."),
        ({"cfg": 5}, "There is no option 'cfg'; the nearest is 'cfg_scale'."),
        ({"watermark": True}, "There is no option 'watermark'; the nearest is 'hide_watermark'."),
        (
            {"seed": 7},
            "'seed' is no option, but an argument: give it beside options, not among them.",
        ),
        ({"steps": 0}, "The option 'steps' must be 1 to 100, not 0."),
        ({"steps": "a few"}, "The option 'steps' must be 1 to 100, not 'a few'."),
        ({"steps": True}, "The option 'steps' must be 1 to 100, not True."),
        ({"cfg_scale": 20.5}, "The option 'cfg_scale' must be 0.01 to 20, not 20.5."),
        ({"cfg_scale": "nan"}, "The option 'cfg_scale' must be 0.01 to 20, not 'nan'."),
        ({"safe_mode": "half"}, "The option 'safe_mode' must be one of True, False, not 'half'."),
        ({"quality": "best"}, "The option 'quality' must be one of low, medium, high, not 'best'."),
        ({"n": 9}, "The option 'n' must be 1 to 4, not 9."),
        ({"n": "many"}, "The option 'n' must be 1 to 4, not 'many'."),
    ],
    ids=str,
)
def test_a_wrong_option_costs_nothing(
    make: Callable[..., Any], api: respx.MockRouter, options: dict[str, Any], message: str
) -> None:
    """An option that is unknown or out of range is refused before anything is asked of Venice."""
    assert message == refusal(make, options=options)
    assert 0 == len(api.calls)


LISTED = [
    model("gone", offline=True),
    model("old", deprecation={"date": "2026-12-01"}),
    model("qwen-image", traits=["highest_quality"]),
    model("z-image-turbo", traits=["default", "fastest"]),
]


@pytest.mark.parametrize(
    ("argument", "operator", "listed", "chosen"),
    [
        ("old", "qwen-image", LISTED, "old"),
        ("highest_quality", "", LISTED, "qwen-image"),
        ("", "qwen-image", LISTED, "qwen-image"),
        ("", "", LISTED, "z-image-turbo"),
        ("", "", LISTED[:3], "qwen-image"),
        ("", "", LISTED[:2], "old"),
    ],
    ids=["argument", "trait", "operator", "default", "settled", "old"],
)
def test_model_chosen(  # noqa: PLR0917 - the parameters of a table
    make: Callable[..., Any],
    api: respx.MockRouter,
    models: respx.Route,
    monkeypatch: pytest.MonkeyPatch,
    argument: str,
    operator: str,
    listed: list[dict[str, Any]],
    chosen: str,
) -> None:
    """The caller's model wins, then the operator's, then Venice's default, then the first live one."""
    monkeypatch.setenv("VENICE_IMAGE_MODEL", operator)
    models.respond(json={"data": listed})

    assert chosen == make(model=argument)["model"]
    assert [chosen] == [body["model"] for body in posts(api)]


@pytest.mark.parametrize("wanted", ["gone", "dall-e-3", "qwen-imag"])
def test_an_unfit_model_costs_nothing(
    make: Callable[..., Any], api: respx.MockRouter, models: respx.Route, wanted: str
) -> None:
    """A model that is unknown or offline is refused, and fit ones are named."""
    models.respond(json={"data": LISTED})
    message = refusal(make, model=wanted)

    assert "qwen-image" in message.partition("use:")[2]
    assert "gone" not in message.partition("use:")[2]
    assert [] == posts(api)


@pytest.mark.parametrize("asked", ["webp", "png", "jpeg"])
def test_the_local_venices_pictures_are_stored(local_tool: Tool, media: Path, asked: str) -> None:
    """Over a real connection, two variants come as files that Pillow can read."""
    reply = json.loads(local_tool(prompt="A red fox", aspect_ratio="3:2", variants=2, format=asked))

    assert 2 == len(kept_in(media))
    for file in reply["files"]:
        with Image.open(file["file"]) as picture:
            picture.load()
            assert (asked.upper(), (file["width"], file["height"])) == (
                picture.format,
                picture.size,
            )
    assert 0 < reply["cost_usd"] < 1


def test_the_local_venices_ratio_models_take_the_ratio(local_tool: Tool) -> None:
    """A model of ratios makes a picture of the shape that was asked in pixels."""
    (file,) = json.loads(
        local_tool(prompt="A red fox", aspect_ratio="1920x1080", model="flux-2-max")
    )["files"]

    assert 16 / 9 == pytest.approx(file["width"] / file["height"], rel=0.02)


@pytest.mark.parametrize("fault", ["content-violation", "adult-violation"])
def test_the_local_venices_violation_is_an_error(
    venice: LocalVenice, local_tool: Tool, media: Path, fault: str
) -> None:
    """A blocked picture is not stored."""
    venice.order_fault(fault=fault, path="/image/generate")
    with pytest.raises(Exception, match="Change the prompt"):
        local_tool(prompt="A red fox")
    assert [] == kept_in(media)


def test_a_good_picture_is_told_beside_a_broken_one(make: Callable[..., Any]) -> None:
    """Of several pictures, those that came whole are stored and named; the others are counted."""
    told = make("broken", encoded(draw()), "broken", variants=3)

    assert [48] == [picture["width"] for picture in told["files"]]
    why = "Venice sent no whole file of this kind; it may be charged. Tell the person."
    assert [f"2 of 3 pictures are not there: {why}"] == told["notes"]


def test_a_picture_that_the_disk_did_not_take_is_not_called_broken(
    make: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What each missing picture lacks is told as it is: of three, one came broken, and for one there was no room."""
    sync = os.fsync
    synced = list[int]()

    def sync_twice(number: int) -> None:
        synced.append(number)
        if len(synced) > 2:  # a file, and its folder
            raise OSError(errno.ENOSPC, "No space left on device")
        sync(number)

    monkeypatch.setattr(os, "fsync", sync_twice)
    told = make(encoded(draw()), "broken", encoded(draw("PNG", (50, 40))), variants=3)

    assert 1 == len(told["files"])
    broken, unkept = told["notes"]
    assert broken.startswith("1 of 3 pictures are not there: Venice sent no whole file")
    kept_not = "1 of 3 pictures are not there: The file was made, but not kept: [Errno 28]"
    assert unkept.startswith(kept_not)
    assert unkept.endswith("Tell the operator.")


def test_the_more_pictures_come_the_longer_the_reply_may_be(
    make: Callable[..., Any], tool: Tool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A PNG of 4K takes 30 MB in base64: three are more than other JSON may have, and are paid and kept."""
    large = encoded(draw("PNG", (400, 300), "RGBA", compress_level=0))
    monkeypatch.setitem(tool.__globals__, "_MOST_OF_JSON", 2 * len(large))

    assert 3 == len(make(large, large, large, variants=3)["files"])
    assert "so it was not read; it may be charged." in refusal(make, large, large, variants=1)


@pytest.mark.parametrize(
    ("wanted", "is_asked"), [("Z-IMAGE", False), ("venice/z-image", False), ("dall-e-3", True)]
)
def test_other_makers_names_are_asked_for_last(
    make: Callable[..., Any], api: respx.MockRouter, wanted: str, *, is_asked: bool
) -> None:
    """Venice's list of other makers' names is fetched only for a name that no model has."""
    api["foreign names"].respond(
        json={"object": "list", "type": "image", "data": {"dall-e-3": "z-image"}}
    )
    told = make(model=wanted)

    assert ("z-image", [f"Took the model z-image for {wanted!r}."]) == (
        told["model"],
        told["notes"],
    )
    assert is_asked == api["foreign names"].called


@pytest.mark.parametrize(
    ("wanted", "meant"), [("watercolor", "Watercolor"), ("FILM-NOIR", "Film Noir")]
)
def test_a_style_is_known_in_any_case(
    make: Callable[..., Any], api: respx.MockRouter, wanted: str, meant: str
) -> None:
    """A style's name may be written in any way; the exact one is sent."""
    make(style=wanted)

    assert meant == posts(api)[0]["style_preset"]


def test_an_unknown_style_names_the_nearest(
    make: Callable[..., Any], api: respx.MockRouter
) -> None:
    """What no style is called costs nothing, and the three nearest are named."""
    assert "There is no style 'anima'. The nearest: Anime, " in refusal(make, style="anima")
    assert [] == posts(api)


@pytest.mark.usefixtures("media", "models")
def test_styles_in_a_bare_list_are_known(api: respx.MockRouter, tool: Tool) -> None:
    """The names of the styles may come without an object around them."""
    api.get("/image/styles").respond(json=["Anime", "Watercolor"])
    api.post("/image/generate").respond(json={"images": [encoded(draw())]})
    tool(prompt="A red fox", style="watercolor")

    assert "Watercolor" == posts(api)[0]["style_preset"]


@pytest.mark.parametrize("kind", ["png", "webp"])
def test_makes_a_transparent_logo_on_the_local_venice(local_tool: Tool, kind: str) -> None:
    """Over a real connection: the stored file's corners are transparent, and its middle is not."""
    reply = json.loads(
        local_tool(prompt="A logo of a fox", format=kind, options={"transparent_background": True})
    )

    (file,) = reply["files"]
    assert file["transparent"]
    with Image.open(file["file"]) as picture:
        assert "RGBA" == picture.mode
        middle = (picture.width // 2, picture.height // 2)
        assert [0, 255] == [picture.getpixel(place)[3] for place in ((0, 0), middle)]  # type: ignore[index]


def test_qwen_image_gets_a_ratio_for_pixels(local_tool: Tool) -> None:
    """It refuses width and height."""
    assert {"aspect_ratio": "16:9"} == json.loads(
        local_tool(**CALL, model="qwen-image", aspect_ratio="1280x720")
    )["sized_as"]
