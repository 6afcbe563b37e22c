import base64
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import respx
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from sanctum_venice_tools.emulator.process import LocalVenice
from tests.conftest import kept_in, space_of
from tests.tools.conftest import PICTURE, balance, refusal
from tests.tools.pictures import draw

Tool = Callable[..., str]
CALL: dict[str, Any] = {"images": [PICTURE], "instruction": "Make it snow."}
RATIOS = ["auto", "1:1", "3:2", "16:9", "21:9", "9:16", "2:3", "3:4", "4:5"]


def model(
    name: str, most: int | None = None, *, combine: bool = True, **spec: Any
) -> dict[str, Any]:
    """An edit model as Venice lists it."""
    limits = {
        "aspectRatios": RATIOS,
        "promptCharacterLimit": 100,
        "combineImages": combine,
        "maxInputImages": most,
    }
    limits |= spec.pop("constraints", {})
    spec = {"name": name, "traits": [], "pricing": {"inpaint": {"usd": 0.04}}} | spec
    return {"id": name, "type": "inpaint", "model_spec": {**spec, "constraints": limits}}


TIERS: dict[str, Any] = {"constraints": {"resolutions": ["1K", "2K"], "defaultResolution": "1K"}}
QUALITIES: dict[str, Any] = {
    "constraints": {
        "resolutions": ["1K", "2K"],
        "qualities": ["low", "high"],
        "defaultQuality": "high",
    }
}
PRICES: dict[str, Any] = {
    "inpaint": {"usd": 0.34},
    "resolutions": {"1K": {"usd": 0.34}, "2K": {"usd": 0.52}},
    "quality": {"1K": {"high": {"usd": 0.34}, "low": {"usd": 0.03}}, "2K": {"high": {"usd": 0.52}}},
    "inputImages": {"included": 1, "additional": {"usd": 0.0092}},
}
LISTED = [
    model("one", combine=False),
    model("gpt-image-2-edit", 16, pricing=PRICES, **QUALITIES),
    model("seedream-v4-edit", 10, **TIERS),
    model("firered-image-edit"),
    model("gone", offline=True),
]


FOX = base64.b64encode(draw()).decode()


@pytest.fixture
def media(media: Path) -> Path:
    """The media store, in which a fox lies."""
    (media / "fox.png").write_bytes(draw())
    return media


@pytest.fixture
def edit(
    api: respx.MockRouter, media: Path, tool: Tool, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., Any]:
    """Edit the fox, while Venice sends this; the tool's reply."""
    assert media.exists()
    monkeypatch.delenv("VENICE_EDIT_MODEL", raising=False)
    api.get("/models").respond(json={"object": "list", "data": LISTED})

    def run(content: bytes = b"", headers: dict[str, str] | None = None, **arguments: Any) -> Any:
        for path in ("/image/edit", "/image/multi-edit"):
            api.post(path).respond(content=content or draw("JPEG", (320, 240)), headers=headers)
        return json.loads(
            tool(**{"images": ["fox.png"], "instruction": "Make it snow", **arguments})
        )

    return run


def posts(api: respx.MockRouter) -> list[tuple[str, Any]]:
    """The paths and bodies of the paid requests."""
    sent = [call.request for call in api.calls if call.request.method == "POST"]
    return [(request.url.path.rpartition("/")[2], json.loads(request.content)) for request in sent]


def test_one_picture_is_edited(
    edit: Callable[..., Any], api: respx.MockRouter, media: Path
) -> None:
    """A stored picture goes out as base64, under the usual model; what comes back is stored by its own type."""
    reply = edit()

    assert [
        ("edit", {"model": "firered-image-edit", "image": FOX, "prompt": "Make it snow"})
    ] == posts(api)
    stored = Path(reply.pop("file"))
    assert (media, draw("JPEG", (320, 240))) == (stored.parent, stored.read_bytes())
    assert stored.name.startswith("make-it-snow-")
    assert ".jpeg" == stored.suffix
    assert {
        "type": "image/jpeg",
        "bytes": stored.stat().st_size,
        "width": 320,
        "height": 240,
        "input_width": 300,
        "input_height": 250,
        "model": "firered-image-edit",
        "cost_usd": 0.04,
    } == reply


def test_several_pictures_are_combined(edit: Callable[..., Any], api: respx.MockRouter) -> None:
    """Several go to the endpoint for several, the base first; its model field has another name."""
    edit(images=["fox.png", "https://example.com/hat.png", f"data:image/png;base64,{FOX}"])

    sent = [FOX, "https://example.com/hat.png", FOX]
    assert [
        ("multi-edit", {"modelId": "firered-image-edit", "images": sent, "prompt": "Make it snow"})
    ] == posts(api)


KEEPS_SHAPE: dict[str, Any] = {"constraints": {"singleImageAspectRatio": False}}


def keeping(api: respx.MockRouter) -> None:
    """Let Venice list two models, of which the usual one keeps the shape of a single picture."""
    listed = [model("firered-image-edit", 3, **KEEPS_SHAPE), model("shaper", 3)]
    api.get("/models").respond(json={"object": "list", "data": listed})


def test_another_shape_needs_a_model_that_heeds_it(
    edit: Callable[..., Any], api: respx.MockRouter
) -> None:
    """Some models ignore the shape that is wished for one picture, and are then not chosen."""
    keeping(api)
    edit(aspect_ratio="16:9")

    assert ["shaper"] == [body["model"] for _, body in posts(api)]


def test_a_named_model_that_ignores_the_shape_costs_nothing(
    edit: Callable[..., Any], api: respx.MockRouter
) -> None:
    """A wish that a model would ignore is refused before it is paid."""
    keeping(api)
    told = refusal(edit, aspect_ratio="16:9", model="firered-image-edit")

    assert told.endswith("Leave it out, or use: shaper.")
    assert [] == posts(api)


@pytest.mark.parametrize(
    "arguments",
    [{}, {"aspect_ratio": "auto"}, {"aspect_ratio": "16:9", "images": ["fox.png", "fox.png"]}],
    ids=["no-shape", "own-shape", "several"],
)
def test_what_a_model_heeds_is_left_to_it(
    edit: Callable[..., Any], api: respx.MockRouter, arguments: dict[str, Any]
) -> None:
    """The usual model stays where no other shape is wished, and for several pictures, whose shape it heeds."""
    keeping(api)

    assert "firered-image-edit" == edit(**arguments)["model"]


def test_what_names_no_picture_is_left_out(edit: Callable[..., Any], api: respx.MockRouter) -> None:
    """Models fill lists with empty texts; these are no pictures."""
    edit(images=["fox.png", "", "null"])

    assert [FOX] == [body["image"] for _, body in posts(api)]


def test_a_url_is_venices_to_fetch(edit: Callable[..., Any], api: respx.MockRouter) -> None:
    """A URL goes out as it is, but for the space around it, and is not fetched here; its size is then not told."""
    reply = edit(images=[" https://example.com/fox.png\n"])

    assert ["https://example.com/fox.png"] == [body["image"] for _, body in posts(api)]
    assert {"api.venice.ai"} == {call.request.url.host for call in api.calls}
    assert reply.keys().isdisjoint({"input_width", "input_height"})


@pytest.mark.parametrize("kind", [b"heic", b"avif"])
def test_what_cannot_be_measured_is_edited_all_the_same(
    edit: Callable[..., Any], api: respx.MockRouter, media: Path, kind: bytes
) -> None:
    """Venice takes pictures of telephones, too; their size is then not told."""
    content = b"\0\0\0\x18ftyp" + kind
    (media / "den").write_bytes(content)

    reply = edit(images=["den"])

    assert [base64.b64encode(content).decode()] == [body["image"] for _, body in posts(api)]
    assert reply.keys().isdisjoint({"input_width", "input_height"})


def test_sends_all_that_was_asked(edit: Callable[..., Any], api: respx.MockRouter) -> None:
    """Every argument has its field; quality is known only to the endpoint for several."""
    options = {"quality": "low", "safe_mode": False, "enhance_prompt": True}
    edit(aspect_ratio="1920x1080", resolution="2K", model="gpt-image-2-edit", options=options)

    assert [
        (
            "multi-edit",
            {
                "modelId": "gpt-image-2-edit",
                "images": [FOX],
                "prompt": "Make it snow",
                "aspect_ratio": "16:9",
                "resolution": "2K",
                **options,
            },
        )
    ] == posts(api)


@pytest.mark.parametrize(
    ("arguments", "cost"),
    [
        ({"model": "seedream-v4-edit"}, 0.04),
        ({"model": "gpt-image-2-edit"}, 0.34),
        ({"model": "gpt-image-2-edit", "resolution": "2K"}, 0.52),
        ({"model": "gpt-image-2-edit", "options": {"quality": "low"}}, 0.03),
        (
            {"model": "gpt-image-2-edit", "options": {"quality": "low"}, "images": ["fox.png"] * 3},
            0.0484,
        ),
        ({"model": "gpt-image-2-edit", "options": {"quality": "low"}, "resolution": "2K"}, 0.52),
    ],
    ids=str,
)
def test_the_price_is_told(
    edit: Callable[..., Any], arguments: dict[str, Any], cost: float
) -> None:
    """By resolution, by quality, and by the pictures that come in."""
    assert cost == edit(**arguments)["cost_usd"]


@pytest.mark.parametrize(
    "odd", [{"included": "one"}, {"included": None}, {"additional": None}], ids=str
)
def test_a_price_that_can_not_be_read_costs_no_picture(
    edit: Callable[..., Any], api: respx.MockRouter, odd: dict[str, Any]
) -> None:
    """What further pictures cost may be told in another form: the edit is paid, and its file is told."""
    pricing = {**PRICES, "inputImages": {**PRICES["inputImages"], **odd}}
    api.get("/models").respond(
        json={"data": [model("gpt-image-2-edit", 16, pricing=pricing, **QUALITIES)]}
    )
    reply = edit(images=["fox.png"] * 3)

    assert reply["file"]
    assert "cost_usd" not in reply


def test_a_price_that_venice_does_not_state_is_left_out(
    edit: Callable[..., Any], api: respx.MockRouter
) -> None:
    """A model without prices, or without anything, works all the same."""
    api.get("/models").respond(
        json={"data": [{"id": "bare", "model_spec": {"constraints": {"combineImages": True}}}]}
    )

    assert "cost_usd" not in edit()


def test_a_model_is_chosen_that_takes_as_many(edit: Callable[..., Any]) -> None:
    """More than the usual model takes go to one that takes them."""
    assert "firered-image-edit" == edit(images=["fox.png"] * 3)["model"]
    assert "gpt-image-2-edit" == edit(images=["fox.png"] * 4)["model"]


@pytest.mark.parametrize("operator", ["", "seedream-v4-edit"])
def test_the_operators_model_is_used(
    edit: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, operator: str
) -> None:
    """The operator's default comes before the usual model."""
    monkeypatch.setenv("VENICE_EDIT_MODEL", operator)

    assert (operator or "firered-image-edit") == edit()["model"]
    assert "one" == edit(model="one")["model"]


@pytest.mark.parametrize(
    ("wanted", "ratio"),
    [
        ("16:9", "16:9"),
        ("auto", "auto"),
        ("1024x1024", "1:1"),
        ("4:3", "3:2"),
        (" 7 : 5 ", "3:2"),
        ("9:20", "9:16"),
    ],
)
def test_ratios_are_fitted(
    edit: Callable[..., Any], api: respx.MockRouter, wanted: str, ratio: str
) -> None:
    """The nearest of the model's shapes is used, and another than was asked is told."""
    reply = edit(aspect_ratio=wanted)
    edit(options={"size": wanted})

    assert [ratio, ratio] == [body["aspect_ratio"] for _, body in posts(api)]
    assert (wanted != ratio) == ("notes" in reply)


@given(width=st.integers(1, 99999), height=st.integers(1, 99999), sign=st.sampled_from(":x"))
def test_any_shape_is_fitted(texts: dict[str, str], width: int, height: int, sign: str) -> None:
    """No listed shape is nearer than the one that is used."""
    space = space_of("venice_edit_image", texts)

    def apart(ratio: str) -> float:
        wide, high = map(int, ratio.split(":"))
        return abs(wide / high - width / height)

    fitted = space["_fit_ratio"](f"{width}{sign}{height}", RATIOS)
    assert apart(fitted) == min(map(apart, RATIOS[1:]))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"images": []}, "Put each that is needed into images"),
        ({"images": [""]}, "Put each that is needed into images"),
        ({"options": {"mask": "m.png"}}, "Venice knows no masks: say in the instruction"),
        ({"options": {"save_mode": True}}, "the nearest is 'safe_mode'"),
        (
            {"options": {"aspect_ratio": "1:1"}},
            "'aspect_ratio' is no option, but an argument: give",
        ),
        ({"options": {"quality": "high"}}, "The option 'quality' must be left out with this model"),
        (
            {"options": {"quality": "best"}, "model": "gpt-image-2-edit"},
            "must be one of low, high, not 'best'",
        ),
        ({"resolution": "1K"}, "The option 'resolution' must be left out with this model"),
        (
            {"options": {"resolution": "8K"}, "model": "seedream-v4-edit"},
            "must be one of 1K, 2K, not '8K'",
        ),
        (
            {"aspect_ratio": "round"},
            "The aspect ratio 'round' is not to be had; this model has: auto, 1:1",
        ),
        ({"instruction": " \n"}, "The instruction is empty. Say what to change."),
        ({"instruction": "x" * 101}, "The instruction has 101 characters; 1 to 100 are allowed"),
        ({"images": ["fix.png"]}, "Near it: fox.png"),
        ({"images": ["fox.png", "../fox.png"]}, "No stored file is called"),
        ({"images": ["small.png"]}, "65,536 to 33,177,600 are allowed"),
        ({"model": "gone"}, "use: "),
        (
            {"model": "one", "images": ["fox.png"] * 2},
            "There is no inpaint model 'one' fit for this",
        ),
        ({"images": ["fox.png"] * 17}, "Venice has no inpaint model now that can do this"),
    ],
    ids=lambda value: str(value)[:60],
)
def test_a_wrong_argument_costs_nothing(
    edit: Callable[..., Any],
    api: respx.MockRouter,
    media: Path,
    arguments: dict[str, Any],
    message: str,
) -> None:
    """What can't work is refused before anything is paid."""
    (media / "small.png").write_bytes(draw(size=(255, 256)))

    assert message in refusal(edit, **arguments)
    assert [] == posts(api)


@pytest.mark.usefixtures("media")
def test_a_refused_edit_may_be_charged(api: respx.MockRouter, tool: Tool) -> None:
    """Venice looks at what it has made, too, and then charges for what it holds back."""
    api.get("/models").respond(json={"object": "list", "data": LISTED})
    api.post("/image/edit").respond(422, json={"error": "Your prompt violates the content policy"})
    told = refusal(tool, images=["fox.png"], instruction="Make it snow")

    assert told.startswith("Venice answered 422: Your prompt violates the content policy. ")
    assert "If it was blocked only when it was made, it is charged, unless" in told


@pytest.mark.usefixtures("media")
def test_a_refused_edit_that_was_refunded_is_not_told_as_charged(
    api: respx.MockRouter, tool: Tool
) -> None:
    """Where Venice says that the credits came back, the line tells that this decides."""
    api.get("/models").respond(json={"object": "list", "data": LISTED})
    refunded = {"error": "Content policy violation", "credits_refunded": True}
    api.post("/image/edit").respond(422, json=refunded)
    told = refusal(tool, images=["fox.png"], instruction="Make it snow")

    assert told.startswith("Venice answered 422: Content policy violation; credits_refunded: True.")
    assert told.endswith("it is charged, unless this says credits_refunded: True.")


def test_more_than_25_mb_costs_nothing(
    edit: Callable[..., Any], api: respx.MockRouter, media: Path
) -> None:
    """The limit of Venice is kept before anything is sent."""
    (media / "huge.png").write_bytes(draw() + bytes(25 << 20))

    assert "more than 25 MB" in refusal(edit, images=["fox.png", "huge.png"])
    assert [] == posts(api)


@pytest.mark.parametrize(
    "flag", ["x-venice-is-content-violation", "x-venice-is-adult-model-content-violation"]
)
def test_a_violation_is_an_error_without_a_file(
    edit: Callable[..., Any], media: Path, flag: str
) -> None:
    """A picture that breaks the rules comes with a good status; it is not stored."""
    assert "Change the instruction" in refusal(edit, headers={flag: "true"})
    assert [media / "fox.png"] == kept_in(media)
    assert edit(headers={flag: "false"})["file"]


def test_a_blurred_picture_is_kept_and_named(edit: Callable[..., Any]) -> None:
    """A picture that safe_mode blurred says so."""
    blurred = ["Venice blurred adult content, as safe_mode asks."]

    assert blurred == edit(headers={"x-venice-is-blurred": "true"})["notes"]
    assert "notes" not in edit(headers={"x-venice-is-blurred": "false"})


def test_a_rewritten_instruction_is_shown_and_paid(edit: Callable[..., Any]) -> None:
    """The prompt that Venice made of the instruction comes back readable, and is part of the price."""
    headers = {"x-venice-enhanced-prompt": "Make%20it%20snow%2C%20softly"}
    enhance = {"enhance_prompt": True}

    reply = edit(headers=headers, options=enhance)

    assert ("Make it snow, softly", 0.08) == (reply["prompt_used"], reply["cost_usd"])
    assert 0.04 == edit(options=enhance)["cost_usd"]


@pytest.mark.parametrize("count", [1, 2])
def test_the_local_venices_price_has_the_rewritten_prompt(
    local_tool: Tool, venice: LocalVenice, count: int
) -> None:
    """What an edit is told to cost is what the account pays, with the prompt that Venice rewrote."""
    before = balance(venice)

    enhance = {"enhance_prompt": True}
    call = {"images": [PICTURE] * count, "instruction": "Make it snow", "options": enhance}
    reply = json.loads(local_tool(**call))

    assert 0.08 == reply["cost_usd"] == round(before - balance(venice), 6)


def test_the_local_venice_edits_a_telephones_picture(local_tool: Tool, media: Path) -> None:
    """Over a real connection, a HEIC file is taken: what comes is a picture."""
    (media / "den.heic").write_bytes(b"\0\0\0\x18ftypheic" + bytes(100))

    reply = json.loads(local_tool(images=["den.heic"], instruction="Make it snow"))

    assert (1024, 768) == pytest.approx((reply["width"], reply["height"]), rel=0.2)


@pytest.mark.usefixtures("media")
@pytest.mark.parametrize("count", [1, 2, 5])
def test_the_local_venices_picture_is_stored(local_tool: Tool, count: int) -> None:
    """Over a real connection, a picture of the asked shape comes, which Pillow can read."""
    images = ["fox.png", "https://example.com/hat.png", "fox.png", "fox.png", "fox.png"][:count]
    reply = json.loads(local_tool(images=images, instruction="Make it snow", aspect_ratio="16:9"))

    with Image.open(reply["file"]) as picture:
        picture.load()
        assert (reply["width"], reply["height"]) == picture.size
        assert 16 / 9 == pytest.approx(picture.width / picture.height, rel=0.02)
    assert 0 < reply["cost_usd"] < 1


def test_a_changed_picture_is_transparent_on_the_local_venice(local_tool: Tool) -> None:
    """Over a real connection, one picture or several: a model that can is taken, and the stored file is transparent."""
    for images in ([PICTURE], [PICTURE, PICTURE]):
        arguments = {
            "images": images,
            "instruction": "Only the fox",
            "options": {"transparent_background": True},
        }
        reply = json.loads(local_tool(**arguments))

        assert ("gpt-image-2-5-flare-edit", True) == (reply["model"], reply["transparent"])
        with Image.open(reply["file"]) as picture:
            assert 0 == picture.getpixel((0, 0))[3]  # type: ignore[index]


def test_a_model_that_changes_no_background_is_told(local_tool: Tool) -> None:
    """The line names models that can, and the tool that cuts out."""
    options = {"transparent_background": True}

    line = refusal(local_tool, **CALL, model="firered-image-edit", options=options)

    assert "models that do: gpt-image-2-5-flare-edit, gpt-image-1-5-edit." in line
    assert "venice_remove_background" in line
