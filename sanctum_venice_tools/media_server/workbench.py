"""The workbench: each tool with its schema, cost and text, and a form that calls it.

What runs is the very text that Letta would store, in a process of its own. What it makes lies on
this server, as an agent's would.
"""

import json
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from sanctum_venice_tools.fronts.run import RunError, run_tool
from sanctum_venice_tools.media_server.door import for_people, has_cookie, refusal
from sanctum_venice_tools.media_server.gallery import page
from sanctum_venice_tools.packing.bundle import tool_files
from sanctum_venice_tools.packing.record import TOOLSETS, Record, read_record
from sanctum_venice_tools.packing.schema import typed_schema_of
from sanctum_venice_tools.runtime.arguments import _is_left_out, _read_argument
from sanctum_venice_tools.runtime.film_media import _RARE_CONTENT
from sanctum_venice_tools.runtime.film_wish import _made_of
from sanctum_venice_tools.runtime.venice import VeniceError

# In a description, up to a full stop that is none of a number: Costs 0.1 to 10 dollars.
_COST_SENTENCE = re.compile(r"\b[Cc]osts (?:[^.]|\.\d)*\.")

# How Venice calls what a film is made from, and in which form it is given.
_MEDIA = {
    "image": ("image_url", str),
    "end_image": ("end_image_url", str),
    "reference_images": ("reference_image_urls", list[str]),
    "video": ("video_url", str),
}


@dataclass(frozen=True)
class Workbench:
    """What the workbench calls tools with."""

    settings: Mapping[str, str] = field(repr=False)
    """Beside this process's own environment: where Venice is, the key, and this media server."""
    venice: str
    """In words, where Venice is."""
    is_local: bool
    """Whether that is the stand-in, where nothing is spent."""


def workbench_routes() -> list[Route]:
    """The workbench's addresses."""
    return [
        Route("/workbench", open_workbench, methods=["GET"]),
        Route("/workbench/tools", list_tools, methods=["GET"]),
        Route("/workbench/tools/{name}/text", show_text, methods=["GET"]),
        Route("/workbench/tools/{name}", call_tool, methods=["POST"]),
    ]


async def open_workbench(request: Request) -> Response:
    """The page, for whoever has been let in."""
    if not has_cookie(request):
        return page(request, "enter.html", 401)
    return page(request, "workbench.html")


@for_people
async def list_tools(request: Request) -> Response:
    """Every tool, toolset by toolset, with what a model is shown of it."""
    tools = await run_in_threadpool(_tools)
    return JSONResponse({"venice": _workbench_of(request).venice, "tools": tools})


@for_people
async def show_text(request: Request) -> Response:
    """A tool's text, exactly as Letta would store it."""
    name = request.path_params["name"]
    if name not in tool_files():
        return refusal(404, "There is no such tool.")
    record = await run_in_threadpool(read_record, name)
    return PlainTextResponse(record.source_code)


@for_people
async def call_tool(request: Request) -> Response:
    """Call a tool; first ask, where it is paid and the person has not agreed yet."""
    workbench, name = _workbench_of(request), request.path_params["name"]
    if name not in tool_files():
        return refusal(404, "There is no such tool.")
    try:
        body = json.loads(await request.body())
        arguments, is_agreed = dict(body["arguments"]), body.get("agreed") is True
    except (ValueError, TypeError, KeyError, RecursionError):
        return refusal(422, "A call is an object of arguments, and of agreed.")
    record = await run_in_threadpool(read_record, name)
    if _asks_first(workbench, record) and not is_agreed:
        return JSONResponse({"ask": await run_in_threadpool(_price, workbench, record, arguments)})
    return JSONResponse(await run_in_threadpool(_call, workbench, record, arguments))


def _workbench_of(request: Request) -> Workbench:
    """The workbench that a request came to."""
    workbench: Workbench = request.app.state.workbench
    return workbench


def _tools() -> list[dict[str, Any]]:
    """Every tool, toolset by toolset, with what a model is shown of it."""
    records = [read_record(name) for name in tool_files()]
    records.sort(key=lambda record: (TOOLSETS.index(record.toolset), record.name))
    return [
        {
            **typed_schema_of(record.name),
            "toolset": record.toolset,
            "cost": record.cost,
            "summary": record.summary,
            "asks": record.needs_approval,
            "lines": record.source_code.count("\n"),
        }
        for record in records
    ]


# --- a call ---


def _call(workbench: Workbench, record: Record, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """A tool's reply, its refusal, or how it broke; and how long that took."""
    started = time.monotonic()
    told: dict[str, Any]
    try:
        outcome = run_tool(record, arguments, settings=workbench.settings)
    except RunError as error:
        told = {"broke": str(error)}
    else:
        refused = {"refusal": outcome.refusal}
        told = refused if outcome.refusal else {"reply": json.loads(outcome.reply)}
    return {**told, "seconds": round(time.monotonic() - started, 1)}


def _asks_first(workbench: Workbench, record: Record) -> bool:
    """Whether a person is asked before a call: always before dollars, and before real cents."""
    return record.needs_approval or (record.cost != "free" and not workbench.is_local)


def _price(workbench: Workbench, record: Record, arguments: Mapping[str, Any]) -> str:
    """What a call would cost: Venice's own quote, if there is one; else what the tool says."""
    if record.name in _QUOTED_BY:
        quote, asked_for = _QUOTED_BY[record.name]
        known = typed_schema_of(quote)["parameters"]["properties"]
        try:
            asked = {**arguments, **asked_for(arguments)}
        except VeniceError as error:
            return f"Its price is not known. {error}"
        asked = {name: value for name, value in asked.items() if name in known}
        outcome = _call(workbench, read_record(quote), asked)
        if "reply" in outcome:
            return f"Venice asks {outcome['reply'].get('price_usd')} US dollars for this."
        return f"Its price is not known. {outcome.get('refusal', '')}".strip()
    found = _COST_SENTENCE.search(record.json_schema["description"])
    if not found:
        return "It changes your Venice account."
    return found[0][0].upper() + found[0][1:]


def _film_to_quote(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """What the quote of a film is told beside its settings: what it is made from.

    A quote takes as options what a price depends on: the film to change, and the references.
    """
    options = _meant(arguments, "options", dict[str, Any]) or {}
    content = {name: options[name] for name in _RARE_CONTENT if name in options}
    for name, (called, form) in _MEDIA.items():
        if given := _meant(arguments, name, form):
            content[called] = given
    priced = {name: value for name, value in content.items() if name in _RARE_CONTENT}
    return {"kind": _made_of(content, options), "options": options | priced}


def _meant(arguments: Mapping[str, Any], name: str, form: Any) -> Any:
    """An argument as its tool reads it; None, if it is left out."""
    value = arguments.get(name)
    return None if _is_left_out(value, form) else _read_argument(name, value, form)


def _music_to_quote(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """What the quote of music needs beside its settings: whether it is sung, how long a text is."""
    return {
        "sung": bool(arguments.get("lyrics")),
        "character_count": len(str(arguments.get("prompt", ""))),
    }


# The tool that tells the price of another.
_QUOTED_BY = {
    "venice_queue_video": ("venice_quote_video", _film_to_quote),
    "venice_make_video": ("venice_quote_video", _film_to_quote),
    "venice_queue_music": ("venice_quote_music", _music_to_quote),
}
