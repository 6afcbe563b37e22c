"""What the model of the local Venice says: the script's turns, or answers from the web."""

import json
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from sanctum_venice_tools.emulator import documents, pictures, web
from sanctum_venice_tools.emulator.conversation import Conversation
from sanctum_venice_tools.emulator.errors import custom
from sanctum_venice_tools.emulator.sample import sample
from sanctum_venice_tools.emulator.script import Step, fill
from sanctum_venice_tools.emulator.service import Call
from sanctum_venice_tools.emulator.uploads import (
    LARGEST_FILE,
    check_address,
    read_file,
    read_picture,
)

SMALLEST_PICTURE = 64
FIRST_WORDS = 20
STAND_IN = (
    "I am the local Venice, a stand-in without a mind of its own: I follow a script, "
    "and no line of it answers this message."
)


@dataclass
class Reply:
    """What the model says."""

    text: str = ""
    calls: list[dict[str, Any]] = field(default_factory=list)
    thought: str = ""
    found: list[web.Page] | None = None
    pages_read: int = 0
    ending: str = "stop"


def decide(call: Call, conversation: Conversation, parameters: dict[str, Any]) -> Reply:
    """What to say: a turn of the script with tools, or an answer from the web, or mere words."""
    body = call.body
    offered = {
        tool["function"]["name"]
        for tool in body.get("tools") or []
        if "function" in tool and body.get("tool_choice") != "none"
    }
    turn = call.service.script.find(conversation.message)
    if offered and turn and turn.step.calls:
        return _follow(turn.step, conversation, offered)
    links = web.links(conversation.message) if parameters["enable_web_scraping"] else []
    if links:
        return _answer_from(links, conversation.message, parameters)
    if parameters["enable_web_search"] != "off":
        return _answer(conversation.message, parameters)
    speaking = (
        turn
        for turn in call.service.script.turns
        if not turn.step.calls and turn.fits(conversation.message)
    )
    if spoken := next(speaking, None):
        return _follow(spoken.step, conversation, offered)
    return Reply(" ".join([STAND_IN, *_glances(conversation)]))


def _glances(conversation: Conversation) -> Iterator[str]:
    """A word about each picture, film and document that came with the message."""
    for part in conversation.parts:
        if part["type"] == "file":
            yield _leaf_through(part["file"])
        elif part["type"] == "image_url":
            url = part["image_url"]["url"]
            # Only what came along is looked at; the stand-in fetches nothing.
            if url.startswith("data:"):
                picture = read_picture(
                    "messages", url, allow_url=False, smallest=SMALLEST_PICTURE**2
                )
                yield f"The picture has {pictures.describe(picture)}."
            else:
                check_address("messages", url)
                yield f"I did not open {url}."
        elif part["type"] == "video_url":
            yield _watch(part["video_url"]["url"])


def _watch(url: str) -> str:
    """A word about a film: the stand-in hears nothing."""
    if url.startswith("data:"):
        return f"I did not watch the film of {len(read_file('messages', url)):,} bytes."
    check_address("messages", url)
    return f"I did not watch {url}."


def _leaf_through(file: dict[str, Any]) -> str:
    """How a document begins."""
    name, data = file.get("filename", "The document"), file["file_data"]
    if data.startswith(("http://", "https://")):
        check_address("messages", data)
        return f"I did not open {data}."
    content = read_file("messages", data)
    if len(content) > LARGEST_FILE:
        raise custom("messages", "File exceeds the maximum allowed size of 25 MB.")
    try:
        words = documents.extract(content).split()
    except ValueError:
        raise custom("messages", f"No text content could be extracted from {name}") from None
    return f"{name} has {len(words)} words and begins: {' '.join(words[:FIRST_WORDS])}"


def prescribe(reply: Reply, wanted: dict[str, Any] | None) -> None:
    """Put the text into the form that the request prescribes."""
    if reply.calls or not wanted or wanted["type"] == "text":
        return
    schema = wanted.get("json_schema", {})
    # Under OpenAI's name, schema and strict, or the schema itself.
    schema = schema.get("schema", schema)
    schema = schema if wanted["type"] == "json_schema" else {"properties": {"answer": {}}}
    definitions = schema.get("$defs") if isinstance(schema, dict) else None
    reply.text = json.dumps(
        sample(schema, definitions if isinstance(definitions, dict) else {}, reply.text),
        ensure_ascii=False,
    )


def _follow(step: Step, conversation: Conversation, offered: set[str]) -> Reply:
    """The place of the script at which the conversation has come."""
    then: Step | str = step
    results = conversation.results()
    rounds = iter(conversation.rounds)
    while isinstance(then, Step):
        if then.calls:
            done = next(rounds, None)
            if done is None:
                return _call_tools(then, results, offered)
            for result in done:
                if result.failed:
                    return Reply(f"The tool {result.tool} failed: {result.value}")
        then = then.then
    return Reply(str(fill(then, results)))


def _call_tools(step: Step, results: dict[str, Any], offered: set[str]) -> Reply:
    """The calls of a step, unless a tool that they need was not offered."""
    missing = [wanted["name"] for wanted in step.calls if wanted["name"] not in offered]
    if missing:
        return Reply(f"The script wants me to call {', '.join(missing)}, but I was not offered it.")
    calls = [
        _tool_call(wanted["name"], fill(wanted["arguments"], results)) for wanted in step.calls
    ]
    return Reply(calls=calls, ending="tool_calls")


def _tool_call(name: str, arguments: dict[str, Any]) -> dict[str, Any]:
    """A call with an id that no other has, as long as OpenAI's: Letta cuts longer ones."""
    function = {"name": name, "arguments": json.dumps(arguments, ensure_ascii=False)}
    return {"id": f"call_{uuid.uuid4().hex[:24]}", "type": "function", "function": function}


def _answer_from(links: list[str], question: str, parameters: dict[str, Any]) -> Reply:
    """An answer from the pages of a question's links.

    They are read in place of a search, and no search means no citations, says Venice's own skill
    for chats (github.com/veniceai/skills, 73c0bf7).
    """
    read = web.read(links)
    text = web.answer(question, read, cite=parameters["enable_web_citations"])
    return Reply(text, pages_read=len(read))


def _answer(question: str, parameters: dict[str, Any]) -> Reply:
    """An answer from the invented web."""
    found = web.search(question)
    reply = Reply(web.answer(question, found, cite=parameters["enable_web_citations"]), found=found)
    if parameters["return_search_results_as_documents"]:
        reply.calls = [
            _tool_call("venice_web_search_documents", {"documents": web.citations(found)})
        ]
    return reply
