"""How a file comes: it is declared, its bytes are sent, and then it is confirmed."""

import json
import secrets
from typing import Annotated, Any, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from sanctum_venice_tools.media_server import kinds
from sanctum_venice_tools.media_server.door import for_tools, refusal
from sanctum_venice_tools.media_server.index import IndexWriteError, StoredFile, microseconds_now
from sanctum_venice_tools.media_server.service import Service, service_of
from sanctum_venice_tools.media_server.shelf import FolderShelf, UploadError

_MOST_OF_DECLARATION = 256 << 10

# What a file is called by: the first of these arguments that its tool was given.
_TITLES = ("prompt", "instruction", "text", "question", "url")
_LONGEST_TITLE = 1000

# How long a declaration holds room: twice as long as the address of a bucket leads into it.
_DECLARED_MICROSECONDS = 2 * 60 * 60 * 1_000_000

_NO_ROOM = "The quota of this media server is reached."


def _without_nul(text: str) -> str:
    """A text as every database can hold it: PostgreSQL has no NUL."""
    return text.replace("\0", "")


Line = Annotated[str, AfterValidator(_without_nul)]


class Facts(BaseModel):
    """What a tool tells of a file; more than this is kept as it is."""

    model_config = ConfigDict(extra="allow")

    # As long as the index's columns are: PostgreSQL takes nothing longer.
    tool: Annotated[Line, Field(max_length=64)] = ""
    agent: Annotated[Line, Field(max_length=100)] = ""
    model: Annotated[Line, Field(max_length=200)] | None = ""
    cost_usd: Annotated[float, Field(ge=0, le=1e6, allow_inf_nan=False)] | None = None
    arguments: dict[str, Any] = {}

    @model_validator(mode="after")
    def _check_numbers(self) -> Self:
        """Refuse what pydantic reads and JSON can't tell again: 1e400, NaN."""
        json.dumps(self.model_dump(), allow_nan=False)
        return self


class Declaration(BaseModel):
    """A file that is to come."""

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,199}$")]
    bytes: Annotated[int, Field(gt=0)]
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    facts: Facts = Facts()


@for_tools
async def declare(request: Request) -> Response:
    """Take note of a file that is to come, and say where its bytes go; nowhere, if it is here."""
    service = service_of(request)
    try:
        wanted = Declaration.model_validate_json(await _read_declaration(request))
    except ValidationError as error:
        (fault, *_) = error.errors(include_url=False, include_input=False)
        field = ".".join(str(part) for part in fault["loc"]) or "the body"
        return refusal(422, f"{field}: {fault['msg']}")
    try:
        return await run_in_threadpool(_take_note, service, wanted)
    except IndexWriteError as error:
        return refusal(507, f"{error}.")


@for_tools
async def receive(request: Request) -> Response:
    """Take the bytes of a file that was declared."""
    service = service_of(request)
    shelf = service.shelf
    file = await run_in_threadpool(service.index.find, id=request.path_params["id"])
    if file is None or not isinstance(shelf, FolderShelf):
        return refusal(404, "No such file was declared to be sent here.")
    if file.is_whole:
        # Another sender of the same bytes was faster; the confirmation tells this one the address.
        return Response(status_code=204)
    try:
        await shelf.put(file.id, request.stream(), file.bytes, file.sha256)
    except UploadError as error:
        return refusal(422, f"This is not the file that was declared: {error}.")
    except OSError as error:
        return refusal(507, f"The file could not be kept: {error.strerror}.")
    if await run_in_threadpool(service.index.find, id=file.id, name=file.name) is None:
        # Whoever took it away found no bytes yet, and nothing would ever count these.
        await run_in_threadpool(shelf.remove, file.id)
        return refusal(404, "The file was deleted while it came.")
    return Response(status_code=204)


@for_tools
async def confirm(request: Request) -> Response:
    """Count a file in whose bytes have come."""
    try:
        return await run_in_threadpool(_count_in, service_of(request), request.path_params["id"])
    except IndexWriteError as error:
        return refusal(507, f"{error}.")


@for_tools
async def tell_room(request: Request) -> Response:
    """Say whether a file would be taken at all, before it is made and paid."""
    service = service_of(request)
    if not await run_in_threadpool(_has_room, service, 1):
        return refusal(507, _NO_ROOM)
    try:
        await run_in_threadpool(service.shelf.check_room)
    except OSError as error:
        return refusal(507, f"Nothing can be kept here: {error.strerror}.")
    return JSONResponse({"public_url": service.settings.public_url})


def sweep(service: Service) -> None:
    """Forget what was declared two hours ago, and never came; and take away what is set aside."""
    before = microseconds_now() - _DECLARED_MICROSECONDS
    for file in service.index.unfinished(before):
        # It may have come whole, or have been declared again, since the index was asked.
        if service.index.set_aside_unfinished(file.id, before):
            service.take_away([file.id])
    service.shelf.sweep()


def _take_note(service: Service, wanted: Declaration) -> Response:
    """Have a file in the index that is to come, if there is room for it."""
    most = service.settings.most_bytes
    if wanted.bytes > most:
        return refusal(413, f"It has {wanted.bytes:,} bytes, and at most {most:,} are taken.")
    gone = service.index.find(name=wanted.name)
    if gone and gone.is_whole and service.shelf.is_gone(gone):
        service.index.forget(gone.id)
    with service.room:
        # First of all: what is renewed, no sweep forgets from here on.
        service.index.renew(wanted.name, wanted.sha256)
        there = service.index.find(name=wanted.name)
        if there is None:
            if not _has_room(service, wanted.bytes):
                return refusal(507, _NO_ROOM)
            there = service.index.declare(_declared(wanted))
    if there.sha256 != wanted.sha256:
        return refusal(409, f"Another file is called {wanted.name}.")
    return JSONResponse(_told_of(service, there), 200 if there.is_whole else 201)


def _count_in(service: Service, file_id: str) -> Response:
    """Have a file count in the index from now on, if all its bytes are on the shelf."""
    file = service.index.find(id=file_id)
    if file is None:
        return refusal(404, "No such file was declared.")
    if not file.is_whole:
        if not service.shelf.has(file):
            return refusal(409, "Its bytes have not come.")
        start = service.shelf.read_start(file.id, kinds.START)
        media_type = kinds.media_type_of(start)
        with service.room:
            kind = kinds.kind_of(media_type)
            if not service.index.mark_whole(file.id, media_type, kind):
                return refusal(404, "The file was deleted while it came.")
            going = _oldest_to_go(service, file)
            service.index.set_aside(*going)
        service.take_away(going)
    return JSONResponse(_told_of(service, file, is_whole=True))


async def _read_declaration(request: Request) -> bytes:
    """The body of a request, as far as a declaration may go."""
    body = b""
    async for piece in request.stream():
        body += piece
        if len(body) > _MOST_OF_DECLARATION:
            break
    return body[: _MOST_OF_DECLARATION + 1]


def _declared(wanted: Declaration) -> StoredFile:
    """A file that is to come, as the index has it."""
    facts = wanted.facts
    return StoredFile(
        id=secrets.token_urlsafe(18),
        name=wanted.name,
        sha256=wanted.sha256,
        bytes=wanted.bytes,
        moment=microseconds_now(),
        is_whole=False,
        media_type="",
        kind="",
        tool=facts.tool,
        agent=facts.agent,
        model=facts.model or "",
        title=_title_in(facts.arguments),
        cost_usd=facts.cost_usd,
        facts=facts.model_dump(),
    )


def _title_in(arguments: dict[str, Any]) -> str:
    """What a file is called by: the words that it was made of."""
    for name in _TITLES:
        words = arguments.get(name)
        title = _without_nul(words).strip() if isinstance(words, str) else ""
        if title:
            return title[:_LONGEST_TITLE]
    return ""


def _has_room(service: Service, length: int) -> bool:
    """Whether so many bytes fit into the quota.

    Whole files are not in the way if the operator lets the oldest go; those that are to come are.
    """
    quota = service.settings.quota_bytes
    if quota is None:
        return True
    whole, to_come = service.index.bytes_held()
    stays = to_come if service.settings.drop_oldest else whole + to_come
    return stays + length <= quota


def _oldest_to_go(service: Service, come: StoredFile) -> list[str]:
    """The oldest files, so many that the whole ones keep to the quota, if the operator says so.

    They go when a file has come, not when it is declared: nothing goes for bytes that never come.
    Until then the disk has both, so it needs room for a little more than the quota.
    """
    quota = service.settings.quota_bytes
    if quota is None or not service.settings.drop_oldest:
        return []
    whole, _ = service.index.bytes_held()
    return service.index.oldest(whole - quota, other_than=come.id)


def _told_of(service: Service, file: StoredFile, *, is_whole: bool = False) -> dict[str, Any]:
    """What a tool is told of a file: its address, and what is still to be done."""
    told = {"id": file.id, "name": file.name, "url": service.link_to(file)}
    if not (is_whole or file.is_whole):
        told |= {**service.shelf.way_in(file), "confirm": f"/files/{file.id}/confirm"}
    return told
