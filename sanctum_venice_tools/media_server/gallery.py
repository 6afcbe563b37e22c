"""The pages that people open: the gallery, or the question for the token before it."""

import functools
from pathlib import Path

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from sanctum_venice_tools.media_server.door import give_cookie, has_cookie, is_token, refusal
from sanctum_venice_tools.media_server.service import service_of

_PAGES = Path(__file__).parent / "pages"

# What the pages are made of, beside themselves.
_PARTS = ("gallery.css", "gallery.js", "view.js", "workbench.js")

_TYPES = {".html": "text/html", ".css": "text/css", ".js": "text/javascript"}

# The pages load what is this server's own, and media from where these lie.
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' {origin}; "
    "media-src 'self' {origin}; connect-src 'self'; form-action 'self'; frame-ancestors 'none'; "
    "base-uri 'none'"
)


async def open_gallery(request: Request) -> Response:
    """The gallery for who has been let in.

    With the token in its address, anybody is from then on.
    """
    shown = request.query_params.get("token")
    if shown is not None and is_token(request, shown):
        return _let_in(request)
    if has_cookie(request):
        return page(request, "gallery.html")
    return _ask_again(request) if shown else page(request, "enter.html", 401)


async def enter(request: Request) -> Response:
    """Let in whoever gives the token."""
    form = await request.form(max_files=0, max_fields=5)
    shown = form.get("token")
    if isinstance(shown, str) and is_token(request, shown.strip()):
        return _let_in(request)
    return _ask_again(request)


async def send_icon(_request: Request) -> Response:
    """No picture: browsers ask for one by themselves."""
    return Response(status_code=204)


async def send_part(request: Request) -> Response:
    """A style sheet or program of the pages."""
    name = request.path_params["name"]
    if name not in _PARTS:
        return refusal(404, "There is no such page.")
    return page(request, name)


def _let_in(request: Request) -> Response:
    """The way to the gallery, with the cookie, and without the token in its address."""
    response = RedirectResponse("/", 303, headers=_headers(request))
    give_cookie(request, response)
    return response


def _ask_again(request: Request) -> Response:
    """The question for the token, with the word that another was given."""
    asked = _read("enter.html").replace(b" hidden", b"")
    return Response(asked, 401, headers=_headers(request), media_type="text/html")


def page(request: Request, name: str, status: int = 200) -> Response:
    """A page, or a part of one."""
    return Response(
        _read(name), status, headers=_headers(request), media_type=_TYPES[Path(name).suffix]
    )


def _headers(request: Request) -> dict[str, str]:
    """What a browser is to hold the pages to."""
    origin = service_of(request).shelf.origin
    return {
        "Content-Security-Policy": _POLICY.format(origin=origin).replace(" ;", ";"),
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
        "Cache-Control": "no-cache",
    }


@functools.cache
def _read(name: str) -> bytes:
    return (_PAGES / name).read_bytes()
