"""What models there are: GET /models, /models/traits and /models/compatibility_mapping."""

from starlette.responses import JSONResponse, Response

from sanctum_venice_tools.emulator.catalogue import catalogue
from sanctum_venice_tools.emulator.service import Call


async def list_models(call: Call) -> Response:
    """GET /models; a bare call lists text models only."""
    kind = call.query.get("type", "text")
    return JSONResponse({"object": "list", "type": kind, "data": catalogue().listed(kind)})


async def list_traits(call: Call) -> Response:
    """GET /models/traits."""
    kind = call.query["type"]
    return JSONResponse({"object": "list", "type": kind, "data": catalogue().traits(kind)})


async def list_compatibility(call: Call) -> Response:
    """GET /models/compatibility_mapping."""
    kind = call.query["type"]
    return JSONResponse({"object": "list", "type": kind, "data": catalogue().compatibility.get(kind, {})})
