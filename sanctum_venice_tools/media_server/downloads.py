"""How a file goes out: to tools by its name, and to anybody who has its address."""

from pathlib import Path
from urllib.parse import quote

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, RedirectResponse, Response

from sanctum_venice_tools.media_server import kinds
from sanctum_venice_tools.media_server.door import for_tools, refusal
from sanctum_venice_tools.media_server.index import IndexWriteError, StoredFile
from sanctum_venice_tools.media_server.service import Service, service_of
from sanctum_venice_tools.media_server.shelf import FolderShelf

# An address leads to the same bytes for ever.
_CACHING = "private, max-age=31536000, immutable"

# An address of a bucket holds for an hour.
_CACHING_ELSEWHERE = "private, max-age=1800"

# Whatever a file says to a browser, it can run nothing, load nothing and ask for nothing.
_SANDBOX = (
    "sandbox; default-src 'none'; style-src 'unsafe-inline'; media-src 'self'; img-src 'self'"
)

_NOT_GONE_YET = (
    "The file is shown no more, but its bytes could not be taken away yet: "
    "that is tried again every hour."
)

_NEAR_LETTERS = 4
_MOST_NEAR = 3


@for_tools
async def find(request: Request) -> Response:
    """The file of a name, or of a name without its ending; names like it, if there is none."""
    service = service_of(request)
    name, stem = request.query_params.get("name", ""), request.query_params.get("stem", "")
    if stem:
        file = await run_in_threadpool(service.index.find_by_stem, stem)
    else:
        file = await run_in_threadpool(service.index.find, name=name)
    if file is None or not file.is_whole or await run_in_threadpool(service.shelf.is_gone, file):
        near = await run_in_threadpool(
            service.index.names_like, (name or stem)[:_NEAR_LETTERS], _MOST_NEAR
        )
        near = [one for one in near if file is None or one != file.name]
        return JSONResponse({"error": "No file is called so.", "near": near}, 404)
    elsewhere = await run_in_threadpool(service.shelf.way_out, file, kinds.UNKNOWN, "attachment")
    content = elsewhere or f"/files/{file.id}/content"
    told = {
        "name": file.name,
        "bytes": file.bytes,
        "url": service.link_to(file),
        "content": content,
    }
    return JSONResponse(told)


@for_tools
async def send_to_tool(request: Request) -> Response:
    """The bytes of a file, for a tool that works on it."""
    service = service_of(request)
    file = await run_in_threadpool(service.index.find, id=request.path_params["id"])
    path = _path_of(service, file)
    if file is None or path is None:
        return refusal(404, "There is no such file.")
    return FileResponse(path, media_type="application/octet-stream")


async def delete(request: Request) -> Response:
    """Take a file away for good."""
    service = service_of(request)
    file = await run_in_threadpool(service.index.find, id=request.path_params["id"])
    if file is None:
        return refusal(404, "There is no such file.")
    try:
        is_gone = await run_in_threadpool(service.remove, file)
    except IndexWriteError as error:
        return refusal(507, f"{error}.")
    if not is_gone:
        return refusal(500, _NOT_GONE_YET)
    return Response(status_code=204)


async def show(request: Request) -> Response:
    """A file for whoever has its address, in pieces if they ask for such (RFC 9110, 14)."""
    service = service_of(request)
    file = await run_in_threadpool(service.index.find, id=request.path_params["id"])
    if file is None or not file.is_whole or file.name != request.path_params["name"]:
        return refusal(404, "There is no such file.")
    is_shown = kinds.is_shown(file.media_type) and "download" not in request.query_params
    media_type = kinds.shown_as(file.media_type) if is_shown else kinds.UNKNOWN
    kind = "inline" if is_shown else "attachment"
    disposition = f"{kind}; {_named(file.name)}"
    elsewhere = await run_in_threadpool(service.shelf.way_out, file, media_type, disposition)
    if elsewhere:
        return RedirectResponse(elsewhere, headers={"Cache-Control": _CACHING_ELSEWHERE})
    path = _path_of(service, file)
    if path is None:
        return refusal(404, "There is no such file.")
    headers = {
        "Cache-Control": _CACHING,
        "Content-Disposition": disposition,
        "Content-Security-Policy": _SANDBOX,
        "Cross-Origin-Resource-Policy": "cross-origin",  # pages of Letta show it too
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
    }
    return FileResponse(path, headers=headers, media_type=media_type)


def _named(name: str) -> str:
    """How a header names a file: older servers took letters that none can hold (RFC 6266, 4.3)."""
    return f'filename="{name}"' if name.isascii() else f"filename*=UTF-8''{quote(name)}"


def _path_of(service: Service, file: StoredFile | None) -> Path | None:
    """Where a whole file lies on this machine; None, if it does not."""
    shelf = service.shelf
    if file is None or not file.is_whole or not isinstance(shelf, FolderShelf):
        return None
    path = shelf.path(file.id)
    return path if path.is_file() else None
