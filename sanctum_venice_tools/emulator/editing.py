"""Changing pictures: edit, multi-edit, upscale and background removal."""

from http import HTTPStatus
from typing import Any

from PIL import Image, ImageChops, ImageDraw, ImageFilter, ImageOps
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from sanctum_venice_tools.emulator import pictures
from sanctum_venice_tools.emulator.catalogue import Model, catalogue, one_of, unsupported, within
from sanctum_venice_tools.emulator.errors import ApiError, custom, standard
from sanctum_venice_tools.emulator.images import (
    BACKGROUND_REMOVER,
    TIERS,
    check_transparency,
    enhanced,
    enhancement_price,
    price,
    seed_of,
)
from sanctum_venice_tools.emulator.service import Call
from sanctum_venice_tools.emulator.uploads import read_picture

SMALLEST = 65_536
LARGEST = 33_177_600
LARGEST_UPSCALED = 16_777_216
SCALES = (2, 4)
MOST_PICTURES = 3
TOLERANCE = 60


async def edit(call: Call) -> Response:
    """POST /image/edit."""
    body = call.body
    model = _find_model(body.get("model") or body.get("modelId"))
    if "resolution" in body and "resolutions" not in model["model_spec"]["constraints"]:
        raise unsupported(model, "resolution")
    return await _edit(call, model, [body["image"]], "image")


async def multi_edit(call: Call) -> Response:
    """POST /image/multi-edit."""
    body = call.body
    model = _find_model(body.get("modelId"))
    limits = model["model_spec"]["constraints"]
    most = limits.get("maxInputImages", MOST_PICTURES) if limits["combineImages"] else 1
    if len(body["images"]) > most:
        raise custom("images", f"Array must contain at most {most} element(s)", maximum=most)
    if "resolutions" not in limits:
        body.pop("resolution", None)  # dropped without a word, other than for one picture
    return await _edit(call, model, body["images"], "images")


def _find_model(name: str | None) -> Model:
    """The model of an edit.

    One that is not there answers 400 here: no 404 is among the document's replies, and Venice's own
    skill for edits says so (github.com/veniceai/skills, 73c0bf7).
    """
    try:
        return catalogue().find(name or "firered-image-edit", "inpaint")
    except ApiError as error:
        if error.status == HTTPStatus.NOT_FOUND:
            raise standard(400, "Invalid model id") from None
        raise


async def _edit(call: Call, model: Model, sources: list[str], field: str) -> Response:
    """Both ways to edit: the first picture is the base, the others are laid upon it."""
    body = call.body
    _check(model, body)
    opened = [
        await run_in_threadpool(
            read_picture, field, source, allow_url=True, smallest=SMALLEST, largest=LARGEST
        )
        for source in sources
    ]
    limits = model["model_spec"]["constraints"]
    resolution = body.get("resolution") or limits.get("defaultResolution", "1K")
    usual = "png" if resolution == "1K" or body.get("transparent_background") else "jpeg"
    kind = body.get("output_format") or usual
    if kind == "jpg":
        kind = "jpeg"
    check_transparency(model, body, kind)
    prompt = enhanced(call)
    file = await run_in_threadpool(
        _apply, {**body, "prompt": prompt}, opened, TIERS[resolution], kind
    )

    call.use(model)
    usd = _price(model["model_spec"]["pricing"], body, len(sources)) + enhancement_price(body)
    call.charge(usd, sku=f"{model['id']}-edit", model=model)
    call.headers |= {"x-venice-is-blurred": "false", "x-venice-is-content-violation": "false"}
    return Response(file, media_type=f"image/{kind}")


def _price(pricing: dict[str, Any], body: dict[str, Any], count: int) -> float:
    """What an edit of so many pictures costs, in USD."""
    usd: float = price(pricing, body, "inpaint")
    extra = pricing.get("inputImages")
    if extra:
        further = max(count - extra["included"], 0)
        usd += further * extra["additional"]["usd"]
    return usd


def _check(model: Model, body: dict[str, Any]) -> None:
    """Refuse settings that this model lacks."""
    limits = model["model_spec"]["constraints"]
    within("prompt", body["prompt"], limits["promptCharacterLimit"])
    for field, listed in (
        ("aspect_ratio", "aspectRatios"),
        ("resolution", "resolutions"),
        ("quality", "qualities"),  # where there are none, it is dropped without a word
    ):
        if field in body and listed in limits:
            one_of(field, body[field], limits[listed])


def _apply(body: dict[str, Any], opened: list[Image.Image], megapixels: float, kind: str) -> bytes:
    """The base with its colours turned, the other pictures in a row, the instruction below."""
    base = opened[0].convert("RGB")
    ratio = body.get("aspect_ratio", "auto")
    if ratio == "auto":
        ratio = f"{base.width}:{base.height}"
    size = pictures.fit_ratio(ratio, megapixels)
    fitted = ImageOps.fit(base, size)
    made = pictures.turn_colours(fitted, seed_of({"prompt": body["prompt"]}))

    side = min(size) // 5
    for place, other in enumerate(opened[1:]):
        small = ImageOps.fit(other.convert("RGB"), (side, side))
        framed = ImageOps.expand(small, 2, "white")
        made.paste(framed, (8 + place * (side + 12), 8))
    pictures.write_below(made, body["prompt"])
    if body.get("transparent_background"):
        made = pictures.without_background(made)
    return pictures.encode(made, kind)


async def upscale(call: Call) -> Response:
    """POST /image/upscale."""
    body = call.body
    picture = await run_in_threadpool(
        read_picture,
        "image",
        body["image"],
        allow_url=False,
        smallest=SMALLEST,
        largest=LARGEST_UPSCALED,
    )
    scale = body.get("scale", SCALES[0])
    pixels = picture.width * picture.height
    # A large picture gets the smaller factor without a word.
    if pixels * scale**2 > LARGEST_UPSCALED:
        scale = SCALES[0]
    if pixels * scale**2 > LARGEST_UPSCALED:
        raise custom("image", f"The upscaled image would exceed {LARGEST_UPSCALED} pixels.")
    model = catalogue().find("upscaler", "upscale")

    file = await run_in_threadpool(_enlarge, picture, scale)
    call.use(model)
    tier = "2x" if scale <= SCALES[0] else "4x"
    usd = model["model_spec"]["pricing"]["upscale"][tier]["usd"]
    call.charge(usd, sku=f"upscale-{tier}", model=model)
    return Response(file, media_type="image/png")


def _enlarge(picture: Image.Image, scale: float) -> bytes:
    """A PNG of the picture, so many times as wide and as high, a little sharper."""
    size = (round(picture.width * scale), round(picture.height * scale))
    larger = picture.resize(size, Image.Resampling.LANCZOS)
    sharper = larger.filter(ImageFilter.UnsharpMask(2, 60))
    return pictures.encode(sharper, "png")


async def remove_background(call: Call) -> Response:
    """POST /image/background-remove."""
    body = call.body
    field = "image" if "image" in body else "image_url"
    if field not in body:
        raise custom("image", "Either image or image_url is required")
    picture = await run_in_threadpool(
        read_picture, field, body[field], allow_url=field == "image_url", largest=LARGEST
    )
    model = catalogue().find(BACKGROUND_REMOVER, "image")
    file = await run_in_threadpool(lambda: pictures.encode(cut_out(picture), "png"))
    call.use(model)
    usd = model["model_spec"]["pricing"]["generation"]["usd"]
    call.charge(usd, sku="background-removal", model=model)
    return Response(file, media_type="image/png")


def cut_out(picture: Image.Image) -> Image.Image:
    """The picture without what has about the colour of its upper left corner."""
    plain = picture.convert("RGB")
    corner = plain.getpixel((0, 0))
    background = Image.new("RGB", plain.size, corner)
    difference = ImageChops.difference(plain, background).convert("L")
    mask = difference.point([0 if level < TOLERANCE else 255 for level in range(256)])
    # A subject there must be: an ellipse in the middle stays in any case.
    across, down = plain.width // 4, plain.height // 4
    middle = (across, down, plain.width * 3 // 4, plain.height * 3 // 4)
    ImageDraw.Draw(mask).ellipse(middle, fill=255)
    plain.putalpha(mask)
    return plain
