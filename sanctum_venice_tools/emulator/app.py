"""Every address of the local Venice, and what answers there."""

import json
from dataclasses import replace

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Mount, Route

from sanctum_venice_tools.emulator import (
    augment,
    billing,
    characters,
    chat,
    closed,
    crypto,
    decisions,
    editing,
    embeddings,
    images,
    jobs,
    keys,
    listing,
    music,
    openai_images,
    speech,
    video,
)
from sanctum_venice_tools.emulator.door import Door, Endpoint, Entry, common_headers, read
from sanctum_venice_tools.emulator.errors import standard
from sanctum_venice_tools.emulator.facts import Operation, operations
from sanctum_venice_tools.emulator.service import Service, Settings

ENDPOINTS: dict[tuple[str, str], Endpoint] = {
    ("get", "/models"): listing.list_models,
    ("get", "/models/traits"): listing.list_traits,
    ("get", "/models/compatibility_mapping"): listing.list_compatibility,
    ("post", "/chat/completions"): chat.complete,
    ("post", "/decisions"): decisions.decide,
    ("post", "/systemone"): decisions.decide,
    ("post", "/embeddings"): embeddings.create,
    ("post", "/image/generate"): images.generate,
    ("get", "/image/styles"): images.list_styles,
    ("post", "/images/generations"): openai_images.generate,
    ("post", "/image/edit"): editing.edit,
    ("post", "/image/multi-edit"): editing.multi_edit,
    ("post", "/image/upscale"): editing.upscale,
    ("post", "/image/background-remove"): editing.remove_background,
    ("post", "/audio/speech"): speech.speak,
    ("post", "/audio/transcriptions"): speech.transcribe,
    ("post", "/audio/voices"): speech.clone_voice,
    ("post", "/audio/quote"): music.quote,
    ("post", "/audio/queue"): music.queue,
    ("post", "/audio/retrieve"): jobs.retrieve("audio"),
    ("post", "/audio/complete"): jobs.complete("audio"),
    ("post", "/video/quote"): video.quote,
    ("post", "/video/queue"): video.queue,
    ("post", "/video/retrieve"): jobs.retrieve("video"),
    ("post", "/video/complete"): jobs.complete("video"),
    ("post", "/video/transcriptions"): video.transcribe,
    ("post", "/augment/search"): augment.search,
    ("post", "/augment/scrape"): augment.scrape,
    ("post", "/augment/text-parser"): augment.parse_text,
    ("get", "/characters"): characters.list_characters,
    ("get", "/characters/{slug}"): characters.get_character,
    ("get", "/characters/{slug}/reviews"): characters.list_reviews,
    # Before /api_keys/{id}, which would take these names for ids.
    ("get", "/api_keys/rate_limits"): billing.get_rate_limits,
    ("get", "/api_keys/rate_limits/log"): keys.list_limit_hits,
    ("get", "/api_keys/generate_web3_key"): keys.offer_token,
    ("post", "/api_keys/generate_web3_key"): keys.create_web3_key,
    ("get", "/api_keys"): keys.list_keys,
    ("post", "/api_keys"): keys.create_key,
    ("patch", "/api_keys"): keys.change_key,
    ("delete", "/api_keys"): keys.revoke_key,
    ("get", "/api_keys/{id}"): keys.get_key,
    ("get", "/billing/balance"): billing.get_balance,
    ("get", "/billing/usage"): billing.get_usage,
    ("get", "/billing/usage-analytics"): billing.get_analytics,
    ("get", "/billing/usage-history"): billing.get_history,
    ("get", "/crypto/rpc/networks"): crypto.list_networks,
    ("post", "/crypto/rpc/{network}"): crypto.forward,
    ("post", "/responses"): closed.respond,
    ("post", "/x402/top-up"): closed.top_up,
    ("get", "/x402/balance/{walletAddress}"): closed.respond,
    ("get", "/x402/transactions/{walletAddress}"): closed.respond,
}

# Where the films of private models lie; Venice has them on another host, which its document does
# not tell of.
FILE = Operation("/files/{token}.mp4", "get", frozenset({"public"}), {}, {}, {})


def create_app(settings: Settings) -> Starlette:
    """The local Venice as an ASGI application."""
    service = Service(settings)
    routes: list[Route | Mount] = [
        Mount(
            "/api/v1",
            routes=[
                Route(
                    path,
                    Door(service, _operation(path, method), endpoint),
                    methods=[method.upper()],
                )
                for (method, path), endpoint in ENDPOINTS.items()
            ],
        )
    ]
    routes.append(Route(FILE.path, Door(service, FILE, jobs.download), methods=["GET", "DELETE"]))
    if settings.allow_faults:
        routes.append(Route("/emulator/faults", _order_faults, methods=["POST", "DELETE"]))
    app = Starlette(routes=routes, exception_handlers={404: _refuse, 405: _refuse})
    app.state.service = service
    return app


def _operation(path: str, method: str) -> Operation:
    """What the document says of an operation.

    The body of a wallet's top-up plays no part in its answer.
    """
    operation = operations()[path, method]
    return replace(operation, requests={}) if path == "/x402/top-up" else operation


async def _order_faults(request: Request) -> Response:
    """POST queues a fault, DELETE forgets those that wait."""
    faults = request.app.state.service.faults
    if request.method == "DELETE":
        faults.clear()
    else:
        try:
            faults.order(json.loads(await request.body()))
        except (ValueError, AttributeError) as error:
            return JSONResponse({"error": str(error)}, 400, {"connection": "close"})
    return Response(status_code=204, headers={"connection": "close"})


async def _refuse(request: Request, refusal: Exception) -> Response:
    """Answer and write down a request to an address or by a method that is not there."""
    entry = Entry(request.app.state.service, request)
    entry.body = (await read(request)).decode("utf-8", "replace")
    entry.status = refusal.status_code if isinstance(refusal, HTTPException) else 500
    reason = {404: "Not found", 405: "Method not allowed"}.get(
        entry.status, "An unknown error occurred"
    )
    response = standard(entry.status, f"{reason}: {request.method} {request.url.path}").response()
    response.headers.update(common_headers())
    entry.write()
    return response
