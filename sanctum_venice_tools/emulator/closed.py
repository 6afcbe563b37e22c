"""Endpoints that are not open to the owner of an ordinary key."""

from starlette.responses import Response

from sanctum_venice_tools.emulator.errors import ApiError, no_credentials, standard
from sanctum_venice_tools.emulator.service import Call


async def respond(call: Call) -> Response:  # noqa: ARG001 - every endpoint is called alike
    """POST /responses."""
    raise standard(403, "The Responses API is only available to alpha testers.")


async def top_up(call: Call) -> Response:  # noqa: ARG001 - as above
    """POST /x402/top-up: without a wallet's signature it only says how to pay."""
    offer = no_credentials("/x402/top-up")
    raise ApiError(
        402, {name: offer.body[name] for name in ("x402Version", "accepts")}, offer.headers
    )
