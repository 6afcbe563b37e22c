"""POST /chat/completions: what a request may ask for, what its answer costs, and how it is sent."""

import asyncio
import json
import time
import uuid
from collections.abc import AsyncIterator, Iterator
from typing import Any

from starlette.responses import JSONResponse, Response, StreamingResponse

from sanctum_venice_tools.emulator import web
from sanctum_venice_tools.emulator.actor import Reply, decide, prescribe
from sanctum_venice_tools.emulator.catalogue import (
    Model,
    catalogue,
    one_of,
    price_of_tokens,
    unsupported,
)
from sanctum_venice_tools.emulator.characters import find_character
from sanctum_venice_tools.emulator.conversation import read
from sanctum_venice_tools.emulator.errors import ApiError, custom
from sanctum_venice_tools.emulator.service import Call

SEARCH_USD = 0.01
PAGE_USD = 0.01
LETTERS_A_TOKEN = 4
# How many parts of a kind one message may have, whatever the model takes (Venice's skill for chats,
# github.com/veniceai/skills, 73c0bf7).
MOST_IN_MESSAGE = {"image_url": 10, "input_audio": 5, "video_url": 3, "file": 5}
THOUGHT = "The script decides what is said next."
DEFAULTS = {
    "enable_web_search": "off",
    "enable_web_citations": False,
    "enable_web_scraping": False,
    "include_venice_system_prompt": True,
    "include_search_results_in_stream": False,
    "return_search_results_as_documents": False,
    "strip_thinking_response": False,
    "disable_thinking": False,
    "enable_e2ee": True,
}
# The settings that a reply repeats.
SHOWN = (*DEFAULTS, "character_slug")


async def complete(call: Call) -> Response:
    """POST /chat/completions."""
    body = call.body
    name, _, suffix = body["model"].partition(":")
    parameters = DEFAULTS | (body.get("venice_parameters") or {}) | _features(suffix)
    if suffix:
        call.operation.check_body("application/json", {**body, "venice_parameters": parameters})
    model = catalogue().find(name, "text")
    slug = parameters.get("character_slug")
    if slug:
        find_character(slug)
    prompt = json.dumps([body["messages"], body.get("tools")], ensure_ascii=False)
    prompt_tokens = _tokens(prompt)
    _check(model, body, prompt_tokens)

    conversation = read(body["messages"])
    reply = decide(call, conversation, parameters)
    prescribe(reply, body.get("response_format"))
    if _shows_thoughts(model, body, parameters):
        reply.thought = THOUGHT
    _cut(reply, body, model)
    _think_otherwise(reply, call.fault)

    count = max(body.get("n", 1), 1)
    envelope = _bill(call, model, prompt_tokens, reply, count)
    shown = {name: parameters[name] for name in SHOWN if name in parameters}
    citations = web.citations(reply.found or [])
    envelope["venice_parameters"] = {**shown, "web_search_citations": citations}
    if body.get("stream") and call.fault != "json-for-stream":
        events = _stream(envelope, reply, body, count)
        return StreamingResponse(events, media_type="text/event-stream")

    choices = [_choice(index, reply) for index in range(count)]
    envelope |= {"object": "chat.completion", "choices": choices, "prompt_logprobs": None}
    return JSONResponse(envelope)


def _shows_thoughts(model: Model, body: dict[str, Any], parameters: dict[str, Any]) -> bool:
    """Whether the model thinks before it speaks, and the caller is to see that."""
    if not model["model_spec"]["capabilities"]["supportsReasoning"]:
        return False
    if body.get("reasoning_effort") == "none":
        return False
    return not (parameters["disable_thinking"] or parameters["strip_thinking_response"])


def _choice(index: int, reply: Reply) -> dict[str, Any]:
    """The reply as one of the choices of a body that comes at once."""
    is_usual = reply.ending in {"stop", "length"}
    return {
        "index": index,
        "finish_reason": reply.ending,
        "stop_reason": reply.ending if is_usual else None,
        "logprobs": None,
        "message": {
            "role": "assistant",
            "content": reply.text or None,
            "reasoning_content": reply.thought or None,
            "tool_calls": reply.calls,
        },
    }


def _features(suffix: str) -> dict[str, Any]:
    """The settings behind a model's id, as in `id:enable_web_search=on&character_slug=x`."""
    values: dict[str, Any] = {"true": True, "false": False}
    pairs = [pair.partition("=") for pair in suffix.split("&") if pair]
    return {name: values.get(value, value) for name, _, value in pairs}


def _tokens(text: str) -> int:
    """About how many tokens a text has."""
    return max(1, len(text) // LETTERS_A_TOKEN)


def _check(model: Model, body: dict[str, Any], prompt_tokens: int) -> None:
    """Refuse what this model cannot do."""
    spec = model["model_spec"]
    capabilities = spec["capabilities"]
    if body.get("tools") and not capabilities["supportsFunctionCalling"]:
        raise unsupported(model, "tools")
    if body.get("logprobs") and not capabilities["supportsLogProbs"]:
        raise unsupported(model, "logprobs")
    form = body.get("response_format") or {}
    if form.get("type") == "json_schema" and not capabilities["supportsResponseSchema"]:
        raise unsupported(model, "response_format")
    reasoning = body.get("reasoning") or {}
    effort = body.get("reasoning_effort") or reasoning.get("effort")
    if effort:
        one_of("reasoning_effort", effort, capabilities.get("reasoningEffortOptions", []))
    _check_counts(body["messages"])
    _check_parts(model, body["messages"])

    most = spec["maxCompletionTokens"]
    # The old field goes unread beside the new one.
    field = "max_completion_tokens" if body.get("max_completion_tokens") else "max_tokens"
    if (body.get(field) or 0) > most:
        raise custom(field, f"Number must be less than or equal to {most}", maximum=most)
    limit = spec["availableContextTokens"]
    if prompt_tokens > limit:
        raise _too_long(prompt_tokens, limit)


def _too_long(tokens: int, limit: int) -> ApiError:
    """The refusal of messages that are longer than a model reads."""
    context = f"This model's maximum context length is {limit} tokens"
    error = {
        "message": f"{context}, but the messages have {tokens}.",
        "type": "invalid_request_error",
        "param": "messages",
        "code": "context_length_exceeded",
    }
    return ApiError(400, {"error": error})


def _check_counts(messages: list[dict[str, Any]]) -> None:
    """Refuse a message with more parts of a kind than any may have."""
    for message in messages:
        kinds = _kinds_of_parts([message])
        for kind, most in MOST_IN_MESSAGE.items():
            if kinds.count(kind) > most:
                raise custom("messages", f"At most {most} {kind} parts are allowed in a message")


def _check_parts(model: Model, messages: list[dict[str, Any]]) -> None:
    """Refuse pictures, sounds and films that this model cannot take, or too many of them."""
    capabilities = model["model_spec"]["capabilities"]
    kinds = _kinds_of_parts(messages)
    most_images = capabilities.get("maxImages", 10) if capabilities["supportsMultipleImages"] else 1
    for kind, needed, most in (
        ("image_url", "supportsVision", most_images),
        ("input_audio", "supportsAudioInput", None),
        ("video_url", "supportsVideoInput", capabilities.get("maxVideos", 3)),
    ):
        if kind in kinds and not capabilities[needed]:
            told = f"{kind} content is not supported by this model: {model['id']}"
            raise custom("messages", told)
        if most and kinds.count(kind) > most:
            told = f"At most {most} {kind} parts are supported by this model: {model['id']}"
            raise custom("messages", told)


def _kinds_of_parts(messages: list[dict[str, Any]]) -> list[str]:
    """The kind of each part of those messages that have parts."""
    kinds = []
    for message in messages:
        content = message.get("content")
        if isinstance(content, list):
            kinds += [part["type"] for part in content]
    return kinds


def _cut(reply: Reply, body: dict[str, Any], model: Model) -> None:
    """End the text at a stop word, or where the tokens run out."""
    stops = body.get("stop") or []
    for stop in [stops] if isinstance(stops, str) else stops:
        if stop:
            reply.text = reply.text.partition(stop)[0]

    most = model["model_spec"]["maxCompletionTokens"]
    wanted = body.get("max_completion_tokens") or body.get("max_tokens")
    if wanted and wanted > 0:
        most = min(most, wanted)
    if not reply.calls and _tokens(reply.thought + reply.text) > most:
        letters = most * LETTERS_A_TOKEN
        reply.thought = reply.thought[:letters]
        reply.text = reply.text[: max(letters - len(reply.thought), 0)]
        reply.ending = "length"


def _think_otherwise(reply: Reply, fault: str) -> None:
    """Let the model think where it should not, if the fault says so."""
    if fault == "think-tags":
        reply.text = f"<think>\n{THOUGHT}\n</think>\n\n{reply.text}"
    if fault == "content-filter":
        reply.text = reply.text[: len(reply.text) // 2]
        reply.calls = []
        reply.ending = "content_filter"
    if fault in {"only-thinks", "only-thinks-length"}:
        reply.thought += reply.text
        reply.text = ""
        reply.calls = []
        reply.ending = "length" if fault == "only-thinks-length" else "stop"


def _bill(call: Call, model: Model, prompt_tokens: int, reply: Reply, count: int) -> dict[str, Any]:
    """Charge for the reply; the part of its body that does not depend on whether it is streamed."""
    written = reply.text + reply.thought
    if reply.calls:
        written += json.dumps(reply.calls)
    completion_tokens = _tokens(written) * count
    usd = price_of_tokens(model, read=prompt_tokens, written=completion_tokens)
    if reply.found is not None:
        usd += SEARCH_USD
    usd += reply.pages_read * PAGE_USD
    identifier = f"chatcmpl-{uuid.uuid4().hex}"
    details = {
        "requestId": identifier,
        "promptTokens": prompt_tokens,
        "completionTokens": completion_tokens,
        "inferenceExecutionTime": 1,
    }
    call.use(model, tokens=prompt_tokens + completion_tokens)
    sku = f"{model['id']}-llm-output-mtoken"
    call.charge(usd, sku=sku, units=completion_tokens / 1e6, model=model, details=details)
    thought_tokens = _tokens(reply.thought) if reply.thought else 0
    usage = {
        "prompt_tokens": prompt_tokens,
        "completion_tokens": completion_tokens,
        "total_tokens": prompt_tokens + completion_tokens,
        "prompt_tokens_details": {"cached_tokens": 0, "cache_creation_input_tokens": 0},
        "completion_tokens_details": {"reasoning_tokens": thought_tokens},
    }
    return {
        "id": identifier,
        "created": int(time.time()),
        "model": model["id"],
        "usage": usage,
        "cost": {"usd": round(usd, 8), "diem": 0},
    }


async def _stream(
    envelope: dict[str, Any], reply: Reply, body: dict[str, Any], count: int
) -> AsyncIterator[bytes]:
    """The reply as events; the pages found come last, and only if they are asked for."""
    frame = {name: envelope[name] for name in ("id", "created", "model")}
    frame["object"] = "chat.completion.chunk"

    def event(choices: list[dict[str, Any]], **more: Any) -> bytes:
        # Every event has a `usage`; in all but the last it is null.
        told = {**frame, "choices": choices, "usage": None, **more}
        return f"data: {json.dumps(told, ensure_ascii=False)}\n\n".encode()

    yield event([_delta(index, role="assistant", content="") for index in range(count)])
    for index in range(count):
        for content in _contents(reply):
            yield event([_delta(index, **content)])
            await asyncio.sleep(0)
        yield event([{**_delta(index), "finish_reason": reply.ending}])

    options = body.get("stream_options") or {}
    if options.get("include_usage"):
        yield event([], usage=envelope["usage"], cost=envelope["cost"])
    parameters = envelope["venice_parameters"]
    if parameters["include_search_results_in_stream"]:
        yield event([], venice_parameters=parameters)
    yield b"data: [DONE]\n\n"


def _delta(index: int, **content: Any) -> dict[str, Any]:
    """What one event adds to a choice."""
    return {"index": index, "delta": content, "finish_reason": None, "logprobs": None}


def _contents(reply: Reply) -> Iterator[dict[str, Any]]:
    """What the events of a choice add, one after the other: thoughts, words, calls."""
    if reply.thought:
        yield {"reasoning_content": reply.thought}
    for piece in _pieces(reply.text):
        yield {"content": piece}
    for place, made in enumerate(reply.calls):
        function = made["function"]
        begun = {"name": function["name"], "arguments": ""}
        head = {"index": place, "id": made["id"], "type": "function", "function": begun}
        yield {"tool_calls": [head]}
        for piece in _pieces(function["arguments"]):
            yield {"tool_calls": [{"index": place, "function": {"arguments": piece}}]}


def _pieces(text: str) -> list[str]:
    """A text in pieces of a few words, as a model gives them."""
    return [text[start : start + 24] for start in range(0, len(text), 24)]
