"""POST /images/generations: pictures in OpenAI's form."""

import base64
import time

from starlette.concurrency import run_in_threadpool
from starlette.responses import JSONResponse, Response

from sanctum_venice_tools.emulator import pictures
from sanctum_venice_tools.emulator.catalogue import catalogue
from sanctum_venice_tools.emulator.errors import ApiError
from sanctum_venice_tools.emulator.images import MARK, Wish, price, seed_of
from sanctum_venice_tools.emulator.service import Call


async def generate(call: Call) -> Response:
    """POST /images/generations; a model that is unknown is quietly the default one."""
    body = call.body
    try:
        model = catalogue().find(body.get("model", "default"), "image")
    except ApiError:
        model = catalogue().find("default", "image")
    size = body.get("size") or "auto"
    width, height = (1024, 1024) if size == "auto" else (int(side) for side in size.split("x"))
    if "aspectRatios" in model["model_spec"]["constraints"]:
        width, height = pictures.fit_ratio(f"{width}:{height}")
    kind = body.get("output_format", "png")
    wish = Wish(model, body["prompt"], (width, height), seed_of(body), kind, MARK)
    encoded = base64.b64encode(await run_in_threadpool(wish.make)).decode()
    call.use(model)
    call.charge(
        price(model["model_spec"]["pricing"], {}, "generation"),
        sku=f"{model['id']}-image",
        model=model,
    )
    call.headers |= {"x-venice-is-blurred": "false", "x-venice-is-content-violation": "false"}
    picture = (
        {"url": f"data:image/{kind};base64,{encoded}"}
        if body.get("response_format") == "url"
        else {"b64_json": encoded}
    )
    return JSONResponse({"created": int(time.time()), "data": [picture]})
