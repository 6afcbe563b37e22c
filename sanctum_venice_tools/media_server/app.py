"""Every address of the media server, and what answers there."""

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from sanctum_venice_tools.media_server import downloads, gallery, listing, uploads
from sanctum_venice_tools.media_server.door import for_people, for_tools, refusal
from sanctum_venice_tools.media_server.service import Service
from sanctum_venice_tools.media_server.workbench import Workbench, workbench_routes


def create_app(service: Service, workbench: Workbench | None = None) -> Starlette:
    """The media server as an ASGI application, with a workbench if there is to be one."""
    routes = [
        # For tools, by the token.
        Route("/room", uploads.tell_room, methods=["GET"]),
        Route("/files", uploads.declare, methods=["POST"]),
        Route("/files", downloads.find, methods=["GET"]),
        Route("/files/{id}", for_tools(downloads.delete), methods=["DELETE"]),
        Route("/files/{id}/content", uploads.receive, methods=["PUT"]),
        Route("/files/{id}/content", downloads.send_to_tool, methods=["GET"]),
        Route("/files/{id}/confirm", uploads.confirm, methods=["POST"]),
        # For whoever has the address of a file.
        Route("/m/{id}/{name}", downloads.show, methods=["GET"]),
        # For people, by their cookie.
        Route("/", gallery.open_gallery, methods=["GET"]),
        Route("/enter", gallery.enter, methods=["POST"]),
        Route("/gallery/files", listing.list_files, methods=["GET"]),
        Route("/gallery/files/{id}", for_people(downloads.delete), methods=["DELETE"]),
        Route("/gallery/files/{id}/start", listing.show_start, methods=["GET"]),
        Route("/gallery/spending", listing.list_spending, methods=["GET"]),
        Route("/favicon.ico", gallery.send_icon, methods=["GET"]),
        Route("/pages/{name}", gallery.send_part, methods=["GET"]),
    ]
    if workbench:
        routes += workbench_routes()
    handlers = {404: _refuse, 405: _refuse, ClientDisconnect: _give_up}
    app = Starlette(routes=routes, exception_handlers=handlers)
    app.state.service = service
    app.state.workbench = workbench
    return app


async def _refuse(_request: Request, error: Exception) -> Response:
    """Say in JSON that there is no such address."""
    status = error.status_code if isinstance(error, HTTPException) else 500
    return refusal(status, "There is nothing at this address, or not by this method.")


async def _give_up(_request: Request, _error: Exception) -> Response:
    """Nothing is wrong here when a request breaks off, and nobody is left to be told."""
    return refusal(400, "The request broke off.")
