"""Making pictures: POST /image/generate and GET /image/styles."""

import base64
import functools
import hashlib
import json
import time
import uuid
from dataclasses import dataclass
from importlib.resources import files
from typing import Any
from urllib.parse import quote

from starlette.concurrency import run_in_threadpool
from starlette.responses import JSONResponse, Response

from sanctum_venice_tools.emulator import pictures
from sanctum_venice_tools.emulator.catalogue import Model, catalogue, one_of, unsupported, within
from sanctum_venice_tools.emulator.errors import custom
from sanctum_venice_tools.emulator.service import Call
from sanctum_venice_tools.emulator.uploads import read_file

ENHANCEMENT_USD = 0.04
ENHANCEMENT = ", in fine detail, with soft light and a clear composition"
MARK = "local Venice"
LARGEST_STYLE = 8 * 2**20
BACKGROUND_REMOVER = "bria-bg-remover"
TIERS = {"1K": 1.0, "1.5K": 2.25, "2K": 4.0, "4K": 16.0}


@dataclass(frozen=True)
class Wish:
    """A picture to make."""

    model: Model
    prompt: str
    size: tuple[int, int]
    seed: int
    kind: str
    mark: str
    transparent: bool = False

    def make(self, variant: int = 0) -> bytes:
        """The file of one variant."""
        seed = f"{self.model['id']} {self.seed + variant}"
        picture = pictures.draw(self.prompt, self.size, seed, mark=self.mark)
        if self.transparent:
            picture = pictures.without_background(picture)
        return pictures.encode(picture, self.kind)


@functools.cache
def styles() -> list[str]:
    """Every style's name."""
    return list(json.loads(files(__package__).joinpath("styles.json").read_bytes()))


async def list_styles(call: Call) -> Response:  # noqa: ARG001 - every endpoint is called alike
    """GET /image/styles."""
    return JSONResponse({"object": "list", "data": styles()})


async def generate(call: Call) -> Response:
    """POST /image/generate."""
    body = call.body
    model = catalogue().find(body["model"], "image")
    _check(model, body)
    variants = body.get("variants", 1)
    if body.get("return_binary") and variants > 1:
        raise custom("variants", "variants cannot be used with return_binary")
    prompt = enhanced(call)
    mark = "" if body.get("hide_watermark") else MARK
    caption = " / ".join(filter(None, [prompt, body.get("style_preset")]))
    kind = body.get("format", "webp")
    transparent = check_transparency(model, body, kind)
    wish = Wish(model, caption, _size(model, body), seed_of(body), kind, mark, transparent)

    started = time.perf_counter()
    made = [await run_in_threadpool(wish.make, variant) for variant in range(variants)]
    took = round((time.perf_counter() - started) * 1000, 2)
    usd = price(model["model_spec"]["pricing"], body, "generation") * variants
    usd += enhancement_price(body)
    call.use(model)
    call.charge(usd, sku=f"{model['id']}-image", units=variants, model=model)
    call.headers |= {"x-venice-is-blurred": "false", "x-venice-is-content-violation": "false"}
    if body.get("return_binary"):
        return Response(made[0], media_type=f"image/{wish.kind}")
    return JSONResponse(
        {
            "id": f"generate-image-{uuid.uuid4().hex}",
            "images": [base64.b64encode(file).decode() for file in made],
            "request": {"success": True, "data": {**body, "seed": wish.seed}},
            "timing": {
                "inferenceDuration": took,
                "inferencePreprocessingTime": 0,
                "inferenceQueueTime": 0,
                "total": took,
            },
        }
    )


def enhanced(call: Call) -> str:
    """The prompt of a call, as Venice rewrites it where that is wished for; then it tells it."""
    prompt: str = call.body["prompt"]
    if call.body.get("enhance_prompt"):
        prompt += ENHANCEMENT
        call.headers["x-venice-enhanced-prompt"] = quote(prompt, safe="")
    return prompt


def enhancement_price(body: dict[str, Any]) -> float:
    """What a rewritten prompt costs, in USD."""
    return ENHANCEMENT_USD if body.get("enhance_prompt") else 0.0


def seed_of(body: dict[str, Any]) -> int:
    """The seed asked for, else one that follows from the request.

    So the same request gives the same picture.
    """
    if seed := body.get("seed"):
        return int(seed)
    digest = hashlib.sha256(json.dumps(body, sort_keys=True).encode()).digest()
    return int.from_bytes(digest[:4]) % 999_999_999 + 1


def price(pricing: dict[str, Any], body: dict[str, Any], plain: str) -> float:
    """What one picture costs with these settings."""
    resolution = body.get("resolution") or "1K"
    if tiers := pricing.get("quality", {}).get(resolution):
        # Left out, quality is the dearest.
        return float(tiers[body.get("quality") or "high"]["usd"])
    if tier := pricing.get("resolutions", {}).get(resolution):
        return float(tier["usd"])
    return float(pricing[plain]["usd"])


def check_transparency(model: Model, body: dict[str, Any], kind: str) -> bool:
    """Whether the background is to be transparent; refused where model or format can't do it."""
    if not body.get("transparent_background"):
        return False
    if not model["model_spec"]["constraints"].get("supportsTransparentBackground"):
        raise unsupported(model, "transparent_background")
    if kind == "jpeg":
        raise custom("transparent_background", "A transparent background needs png or webp.")
    return True


def _check(model: Model, body: dict[str, Any]) -> None:
    """Refuse settings that this model lacks."""
    spec = model["model_spec"]
    if model["id"] == BACKGROUND_REMOVER:
        raise custom("model", f"{model['id']} makes no pictures; use /image/background-remove")
    limits = spec["constraints"]
    within("prompt", body["prompt"], limits["promptCharacterLimit"])
    if "style_preset" in body:
        one_of("style_preset", body["style_preset"], styles())
    if body.get("steps", 0) > limits["steps"]["max"] and "aspectRatios" not in limits:
        most = limits["steps"]["max"]
        raise custom("steps", f"Number must be less than or equal to {most}", maximum=most)
    for field, listed in (
        ("aspect_ratio", "aspectRatios"),
        ("resolution", "resolutions"),
        ("quality", "qualities"),
    ):
        if field in body:
            if listed not in limits:
                raise unsupported(model, field)
            one_of(field, body[field], limits[listed])
    _check_references(model, body.get("style_references") or [])
    if "inpaint" in body:
        raise custom("inpaint", "inpaint is no longer supported; use /image/edit")


def _check_references(model: Model, references: list[dict[str, Any]]) -> None:
    """Refuse pictures of style where there may be none, or that are too many or too large."""
    spec = model["model_spec"]
    if references and not spec.get("supportsStyleReferences"):
        raise unsupported(model, "style_references")
    if len(references) > (most := spec["constraints"].get("maxStyleReferences", 0)):
        raise custom(
            "style_references", f"Array must contain at most {most} element(s)", maximum=most
        )
    for reference in references:
        address = reference["image"]
        if (
            not address.startswith(("http://", "https://"))
            and len(read_file("style_references", address)) > LARGEST_STYLE
        ):
            raise custom("style_references", "The image exceeds the maximum allowed size of 8 MB.")


def _size(model: Model, body: dict[str, Any]) -> tuple[int, int]:
    """Width and height of the picture: by ratio and tier, or in pixels, as the model has it."""
    limits = model["model_spec"]["constraints"]
    if "aspectRatios" in limits:
        for field in ("width", "height"):
            if field in body:
                raise unsupported(model, field)
        tier = body.get("resolution") or limits.get("defaultResolution", "1K")
        return pictures.fit_ratio(
            body.get("aspect_ratio") or limits["defaultAspectRatio"], TIERS[tier]
        )
    divisor = limits["widthHeightDivisor"]
    for field in ("width", "height"):
        if body.get(field, 0) % divisor:
            raise custom(field, f"{field} must be divisible by {divisor}", divisor=divisor)
    return body.get("width", 1024), body.get("height", 1024)
