"""Replies that are Venice's own but for their shape, such as a field of another type."""

import json
from collections.abc import AsyncIterable, AsyncIterator, Callable
from typing import TYPE_CHECKING, Any

from starlette.responses import Response, StreamingResponse

from sanctum_venice_tools.emulator.errors import standard
from sanctum_venice_tools.emulator.raw import whole_body

if TYPE_CHECKING:
    from sanctum_venice_tools.emulator.faults import Fault

EVENT = b"data: "
LAST_EVENT = b"data: [DONE]\n\n"

Edit = Callable[[Any, "Fault"], None]


async def alter(fault: "Fault", response: Response) -> Response:
    """The reply as the fault has it: its one JSON body is edited, or each event of its stream."""
    edit = ALTERED[fault.fault]
    if isinstance(response, StreamingResponse) and response.media_type == "text/event-stream":
        response.body_iterator = _edit_events(response.body_iterator, edit, fault)
        return response
    return await _edit_body(response, edit, fault)


async def _edit_body(response: Response, edit: Edit, fault: "Fault") -> Response:
    """The reply with its body edited; an error for whoever ordered the fault, if it can't be."""
    try:
        content = json.loads(await whole_body(response))
        edit(content, fault)
    except (LookupError, TypeError, ValueError):
        return standard(
            500, f"The local Venice can't do {fault.fault} {fault.field} to this reply."
        ).response()
    response.body = json.dumps(content).encode()
    response.headers["content-length"] = str(len(response.body))
    return response


async def _edit_events(
    events: AsyncIterable[Any], edit: Edit, fault: "Fault"
) -> AsyncIterator[bytes]:
    """A stream whose events are edited; one that has no such place stays as it is."""
    async for event in events:
        yield event if event == LAST_EVENT else _edit_event(event, edit, fault)


def _edit_event(event: bytes, edit: Edit, fault: "Fault") -> bytes:
    """One event, edited if that can be."""
    content = json.loads(event.removeprefix(EVENT))
    try:
        edit(content, fault)
    except (LookupError, TypeError, ValueError):
        return event
    return EVENT + json.dumps(content).encode() + b"\n\n"


def _set_field(content: Any, fault: "Fault") -> None:
    """Give a field the value of the order; a good reply that did not have it has it then."""
    holder, name = _find(content, fault.field)
    # An order for a good reply is not to pass unnoticed because the request was refused.
    is_refusal = isinstance(content, dict) and "error" in content
    if is_refusal and name not in holder:
        raise LookupError(name)
    holder[name] = fault.value


def _remove_field(content: Any, fault: "Fault") -> None:
    """Leave a field out."""
    holder, name = _find(content, fault.field)
    del holder[name]


def _find(content: Any, path: str) -> tuple[Any, str | int]:
    """The object or list that a path leads into, and the name or number of the field in it."""
    *way, last = path.split(".")
    for name in way:
        content = content[_key(content, name)]
    return content, _key(content, last)


def _key(holder: Any, name: str) -> str | int:
    """A part of a path as it names a field of this object, or counts within this list."""
    return int(name) if isinstance(holder, list) else name


def _message_for_delta(content: Any, fault: "Fault") -> None:  # noqa: ARG001 - all edits are called alike
    """Name the parts of a stream as in a reply that is no stream."""
    for choice in content["choices"]:
        choice["message"] = choice.pop("delta")


def _content_as_parts(content: Any, fault: "Fault") -> None:  # noqa: ARG001 - as above
    """Write what the model says as a list of parts."""
    for choice in content["choices"]:
        said = choice["delta"] if "delta" in choice else choice["message"]
        if said.get("content"):
            said["content"] = [{"type": "text", "text": said["content"]}]


ALTERED: dict[str, Edit] = {
    "field": _set_field,
    "missing-field": _remove_field,
    "message-for-delta": _message_for_delta,
    "content-parts": _content_as_parts,
}
