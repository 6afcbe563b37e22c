"""What models there are: GET /models, /models/traits and /models/compatibility_mapping."""

from starlette.responses import JSONResponse, Response

from sanctum_venice_tools.emulator.catalogue import catalogue
from sanctum_venice_tools.emulator.service import Call, Key


async def list_models(call: Call) -> Response:
    """GET /models; a bare call lists text models only, and a key sees those that it may use."""
    kind = call.query.get("type", "text")
    key = _key_of(call)
    models = [model for model in catalogue().listed(kind) if key is None or key.may_use(model)]
    return JSONResponse({"object": "list", "type": kind, "data": models})


def _key_of(call: Call) -> Key | None:
    """The key that was sent, though none is needed; a wrong one is not refused."""
    secret = call.request.headers.get("authorization", "").removeprefix("Bearer ").strip()
    return call.service.keys.get(secret)


async def list_traits(call: Call) -> Response:
    """GET /models/traits."""
    kind = call.query["type"]
    return JSONResponse({"object": "list", "type": kind, "data": catalogue().traits(kind)})


async def list_compatibility(call: Call) -> Response:
    """GET /models/compatibility_mapping."""
    kind = call.query["type"]
    return JSONResponse(
        {"object": "list", "type": kind, "data": catalogue().compatibility.get(kind, {})}
    )
