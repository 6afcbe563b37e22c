"""POST /chat/completions: what a request may ask for, what its answer costs, and how it is sent."""

import asyncio
import json
import time
import uuid
from collections.abc import AsyncIterator
from typing import Any

from starlette.responses import JSONResponse, Response, StreamingResponse

from sanctum_venice_tools.emulator import web
from sanctum_venice_tools.emulator.actor import Reply, decide, prescribe
from sanctum_venice_tools.emulator.catalogue import Model, catalogue, one_of, unsupported
from sanctum_venice_tools.emulator.characters import find_character
from sanctum_venice_tools.emulator.conversation import read
from sanctum_venice_tools.emulator.errors import ApiError, custom
from sanctum_venice_tools.emulator.service import Call

SEARCH_USD = 0.01
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


async def complete(call: Call) -> Response:
    """POST /chat/completions."""
    body = call.body
    name, _, suffix = body["model"].partition(":")
    parameters = DEFAULTS | (body.get("venice_parameters") or {}) | _features(suffix)
    if suffix:
        call.operation.check_body("application/json", {**body, "venice_parameters": parameters})
    if any(tool.get("type") == "web_search" for tool in body.get("tools") or []):
        parameters["enable_web_search"] = "on"
    model = catalogue().find(name, "text")
    if slug := parameters.get("character_slug"):
        find_character(slug)
    prompt_tokens = _tokens(json.dumps([body["messages"], body.get("tools")], ensure_ascii=False))
    _check(model, body, prompt_tokens)

    conversation = read(body["messages"])
    reply = decide(call, conversation, parameters)
    prescribe(reply, body.get("response_format"))
    if model["model_spec"]["capabilities"]["supportsReasoning"] and not (
        body.get("reasoning_effort") == "none"
        or parameters["disable_thinking"]
        or parameters["strip_thinking_response"]
    ):
        reply.thought = THOUGHT
    _cut(reply, body, model)
    _think_otherwise(reply, call.fault)

    count = max(body.get("n", 1), 1)
    envelope = _bill(call, model, prompt_tokens, reply, count)
    shown = {name: parameters[name] for name in (*DEFAULTS, "character_slug") if name in parameters}
    envelope["venice_parameters"] = shown | {
        "web_search_citations": web.citations(reply.found or [])
    }
    if body.get("stream") and call.fault != "json-for-stream":
        return StreamingResponse(
            _stream(envelope, reply, body, count), media_type="text/event-stream"
        )
    choices = [
        {
            "index": index,
            "finish_reason": reply.ending,
            "stop_reason": reply.ending if reply.ending in {"stop", "length"} else None,
            "logprobs": None,
            "message": {
                "role": "assistant",
                "content": reply.text or None,
                "reasoning_content": reply.thought or None,
                "tool_calls": reply.calls,
            },
        }
        for index in range(count)
    ]
    return JSONResponse(
        {**envelope, "object": "chat.completion", "choices": choices, "prompt_logprobs": None}
    )


def _features(suffix: str) -> dict[str, Any]:
    """The settings behind a model's id, as in `id:enable_web_search=on&character_slug=x`."""
    values: dict[str, Any] = {"true": True, "false": False}
    pairs = [pair.partition("=") for pair in suffix.split("&") if pair]
    return {name: values.get(value, value) for name, _, value in pairs}


def _tokens(text: str) -> int:
    """About how many tokens a text has."""
    return max(1, len(text) // 4)


def _check(model: Model, body: dict[str, Any], prompt_tokens: int) -> None:
    """Refuse what this model cannot do."""
    spec = model["model_spec"]
    capabilities = spec["capabilities"]
    for field_, needed in (("tools", "supportsFunctionCalling"), ("logprobs", "supportsLogProbs")):
        if body.get(field_) and not capabilities[needed]:
            raise unsupported(model, field_)
    if (body.get("response_format") or {}).get("type") == "json_schema" and not capabilities[
        "supportsResponseSchema"
    ]:
        raise unsupported(model, "response_format")
    effort = body.get("reasoning_effort") or (body.get("reasoning") or {}).get("effort")
    if effort:
        one_of("reasoning_effort", effort, capabilities.get("reasoningEffortOptions", []))
    _check_parts(model, body["messages"])
    most = spec["maxCompletionTokens"]
    if (body.get("max_completion_tokens") or 0) > most:
        raise custom(
            "max_completion_tokens", f"Number must be less than or equal to {most}", maximum=most
        )
    if prompt_tokens > spec["availableContextTokens"]:
        limit = spec["availableContextTokens"]
        message = (
            f"This model's maximum context length is {limit} tokens, "
            f"but the messages have {prompt_tokens}."
        )
        error = {"message": message, "type": "invalid_request_error", "param": "messages",
                 "code": "context_length_exceeded"}  # fmt: skip
        raise ApiError(400, {"error": error})


def _check_parts(model: Model, messages: list[dict[str, Any]]) -> None:
    """Refuse pictures, sounds and films that this model cannot take, or too many of them."""
    capabilities = model["model_spec"]["capabilities"]
    kinds = [
        part["type"]
        for message in messages
        if isinstance(message.get("content"), list)
        for part in message["content"]
    ]
    most_images = capabilities.get("maxImages", 10) if capabilities["supportsMultipleImages"] else 1
    for kind, needed, most in (
        ("image_url", "supportsVision", most_images),
        ("input_audio", "supportsAudioInput", None),
        ("video_url", "supportsVideoInput", capabilities.get("maxVideos", 3)),
    ):
        if kind in kinds and not capabilities[needed]:
            raise custom(
                "messages", f"{kind} content is not supported by this model: {model['id']}"
            )
        if most and kinds.count(kind) > most:
            raise custom(
                "messages",
                f"At most {most} {kind} parts are supported by this model: {model['id']}",
            )


def _cut(reply: Reply, body: dict[str, Any], model: Model) -> None:
    """End the text at a stop word, or where the tokens run out."""
    stops = body.get("stop") or []
    for stop in [stops] if isinstance(stops, str) else stops:
        if stop:
            reply.text = reply.text.partition(stop)[0]
    limits = [
        body.get("max_completion_tokens") or body.get("max_tokens"),
        model["model_spec"]["maxCompletionTokens"],
    ]
    most = min(limit for limit in limits if limit and limit > 0)
    if not reply.calls and _tokens(reply.thought + reply.text) > most:
        reply.thought = reply.thought[: most * 4]
        reply.text = reply.text[: max(most * 4 - len(reply.thought), 0)]
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
    written = reply.text + reply.thought + (json.dumps(reply.calls) if reply.calls else "")
    completion_tokens = _tokens(written) * count
    pricing = model["model_spec"]["pricing"]
    usd = (
        prompt_tokens * pricing["input"]["usd"] + completion_tokens * pricing["output"]["usd"]
    ) / 1e6 + (SEARCH_USD if reply.found is not None else 0)
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
    usage = {
        "prompt_tokens": prompt_tokens,
        "completion_tokens": completion_tokens,
        "total_tokens": prompt_tokens + completion_tokens,
        "prompt_tokens_details": {"cached_tokens": 0, "cache_creation_input_tokens": 0},
        "completion_tokens_details": {
            "reasoning_tokens": _tokens(reply.thought) if reply.thought else 0
        },
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
    """The reply as events; the pages found stand at the top level of the first one."""
    frame = {name: envelope[name] for name in ("id", "created", "model")} | {
        "object": "chat.completion.chunk"
    }

    def event(choices: list[dict[str, Any]], **more: Any) -> bytes:
        # Every event has a `usage`; in all but the last it is null.
        line = json.dumps({**frame, "choices": choices, "usage": None, **more}, ensure_ascii=False)
        return f"data: {line}\n\n".encode()

    def delta(index: int, **content: Any) -> dict[str, Any]:
        return {"index": index, "delta": content, "finish_reason": None, "logprobs": None}

    first = {"venice_parameters": envelope["venice_parameters"]} if reply.found is not None else {}
    yield event([delta(index, role="assistant", content="") for index in range(count)], **first)
    for index in range(count):
        if reply.thought:
            yield event([delta(index, reasoning_content=reply.thought)])
        for piece in _pieces(reply.text):
            yield event([delta(index, content=piece)])
            await asyncio.sleep(0)
        for place, made in enumerate(reply.calls):
            name, arguments = made["function"]["name"], made["function"]["arguments"]
            head = {"index": place, "id": made["id"], "type": "function",
                    "function": {"name": name, "arguments": ""}}  # fmt: skip
            yield event([delta(index, tool_calls=[head])])
            for piece in _pieces(arguments):
                yield event(
                    [delta(index, tool_calls=[{"index": place, "function": {"arguments": piece}}])]
                )
        yield event([delta(index) | {"finish_reason": reply.ending}])
    if (body.get("stream_options") or {}).get("include_usage"):
        yield event([], usage=envelope["usage"], cost=envelope["cost"])
    yield b"data: [DONE]\n\n"


def _pieces(text: str) -> list[str]:
    """A text in pieces of a few words, as a model gives them."""
    return [text[start : start + 24] for start in range(0, len(text), 24)]
