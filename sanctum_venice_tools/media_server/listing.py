"""What the gallery asks for: files, the newest first, how a text begins, and what was spent."""

from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response

from sanctum_venice_tools.media_server.door import for_people, refusal
from sanctum_venice_tools.media_server.index import Choice, StoredFile, microseconds_now
from sanctum_venice_tools.media_server.service import Service, service_of

_PAGE = 60
_DAYS = 30
_START = 100_000

_LAST_MOMENT = (1 << 63) - 1


@for_people
async def list_files(request: Request) -> Response:
    """A page of the files that fit the query: kind, agent, words, and what page it is to follow."""
    service = service_of(request)
    asked = request.query_params
    try:
        choice = Choice(
            kind=asked.get("kind", ""),
            agent=asked.get("agent", ""),
            words=asked.get("words", ""),
            before=_read_place(asked.get("before", "")),
            since=_read_moment(asked["since"]) if "since" in asked else None,
        )
    except ValueError:
        return refusal(422, "before and since are places that this server has given.")
    now = microseconds_now()
    files = await run_in_threadpool(service.index.choose, choice, _PAGE + 1)
    page = files[:_PAGE]
    more = f"{page[-1].moment}-{page[-1].id}" if len(files) > _PAGE else ""
    agents = await run_in_threadpool(service.index.agents)
    told = {"files": [_shown(service, file) for file in page], "more": more, "agents": agents}
    return JSONResponse({**told, "now": now, "workbench": request.app.state.workbench is not None})


@for_people
async def show_start(request: Request) -> Response:
    """How a text begins."""
    service = service_of(request)
    file = await run_in_threadpool(service.index.find, id=request.path_params["id"])
    if file is None or not file.is_whole or file.kind != "text":
        return refusal(404, "There is no such text.")
    try:
        start = await run_in_threadpool(service.shelf.read_start, file.id, _START)
    except FileNotFoundError:
        return refusal(404, "Its bytes are not here any more.")
    return PlainTextResponse(start.decode(errors="replace"))


@for_people
async def list_spending(request: Request) -> Response:
    """What was spent on files of the last days, by day and agent."""
    service = service_of(request)
    return JSONResponse(
        {"days": _DAYS, "spent": await run_in_threadpool(service.index.spending, _DAYS)}
    )


def _read_place(text: str) -> tuple[int, str] | None:
    """The moment and id of the file that a page is to follow."""
    if not text:
        return None
    moment, _, file_id = text.partition("-")
    return _read_moment(moment), file_id


def _read_moment(text: str) -> int:
    """A moment, as far as a database can hold one; ValueError, if it is none."""
    moment = int(text)
    if not 0 <= moment <= _LAST_MOMENT:
        raise ValueError("beyond what a database holds")
    return moment


def _shown(service: Service, file: StoredFile) -> dict[str, Any]:
    """A file as the gallery has it."""
    return {
        "id": file.id,
        "name": file.name,
        "url": f"/m/{file.id}/{file.name}",
        "link": service.link_to(file),
        "kind": file.kind,
        "media_type": file.media_type,
        "bytes": file.bytes,
        "moment": file.moment,
        "tool": file.tool,
        "agent": file.agent,
        "model": file.model,
        "title": file.title,
        "cost_usd": file.cost_usd,
        "facts": file.facts,
    }
