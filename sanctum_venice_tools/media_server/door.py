"""Who is let in: tools by the token, people by a cookie that they get for it."""

import functools
import hashlib
import secrets
from collections.abc import Awaitable, Callable
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from sanctum_venice_tools.media_server.service import service_of

COOKIE_SECONDS = 30 * 24 * 60 * 60

Endpoint = Callable[[Request], Awaitable[Response]]


def refusal(status: int, told: str) -> Response:
    """An error as every page of the server that is made for programs tells it."""
    return JSONResponse({"error": told}, status)


def for_tools(endpoint: Endpoint) -> Endpoint:
    """Let in only those who show the token."""

    @functools.wraps(endpoint)
    async def guarded(request: Request) -> Response:
        scheme, _, shown = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not is_token(request, shown.strip()):
            return refusal(401, "The token is missing or wrong.")
        return await endpoint(request)

    return guarded


def for_people(endpoint: Endpoint) -> Endpoint:
    """Let in only those whose browser has the cookie, and only from this server's own pages."""

    @functools.wraps(endpoint)
    async def guarded(request: Request) -> Response:
        if not has_cookie(request):
            return refusal(401, "Open the gallery with its token first.")
        if not _is_from_here(request):
            return refusal(403, "This is for the server's own pages.")
        return await endpoint(request)

    return guarded


def is_token(request: Request, shown: str) -> bool:
    """Whether this is the server's token."""
    token = service_of(request).settings.token
    return secrets.compare_digest(shown.encode("utf-8", "replace"), token.encode())


def has_cookie(request: Request) -> bool:
    """Whether a browser was given the cookie."""
    shown = request.cookies.get(_cookie_name(request), "")
    return secrets.compare_digest(shown.encode("utf-8", "replace"), _cookie_of(request).encode())


def give_cookie(request: Request, response: Response) -> None:
    """Have a browser let in from now on."""
    response.set_cookie(
        _cookie_name(request),
        _cookie_of(request),
        max_age=COOKIE_SECONDS,
        httponly=True,
        # Strict would not come along when a person clicks the address on a page of another site.
        # Such pages get no further with lax: it is sent with no request of theirs but a click.
        samesite="lax",
        secure=_is_encrypted(request),
    )


def _cookie_name(request: Request) -> str:
    """What the cookie is called: a browser sends it to all servers of a machine, whatever port."""
    token = service_of(request).settings.token
    return f"venice_media_{hashlib.sha256(token.encode()).hexdigest()[:8]}"


def _cookie_of(request: Request) -> str:
    """The cookie, which leads back to no token."""
    token = service_of(request).settings.token
    return hashlib.sha256(f"venice media gallery {token}".encode()).hexdigest()


def _is_encrypted(request: Request) -> bool:
    """Whether a browser came by https: many a proxy before this server does not say so."""
    public = urlsplit(service_of(request).settings.public_url)
    is_public = request.headers.get("host", "").lower() == public.netloc
    return request.url.scheme == "https" or (is_public and public.scheme == "https")


def _is_from_here(request: Request) -> bool:
    """Whether the page that asks is this server's own; a browser names another's in Origin.

    A proxy may have another name in Host than browsers have for this server.
    """
    origin = request.headers.get("origin")
    public_host = urlsplit(service_of(request).settings.public_url).netloc
    own_hosts = (request.headers.get("host"), public_host)
    return origin is None or origin.partition("://")[2] in own_hosts
