"""What a chat request says: the person's last message, and the tools called since."""

import json
import re
from dataclasses import dataclass, field
from typing import Any

# What Letta Code adds to a tool's result where the model sees no pictures: "(tool image omitted:
# model does not support images)".
_OMITTED = re.compile(r"\n\(tool image omitted: [^\n]*\)\s*$")


@dataclass
class Result:
    """What one tool gave back."""

    tool: str
    value: Any
    failed: bool


@dataclass
class Conversation:
    """The end of a conversation, from the person's last message on."""

    message: str = ""
    parts: list[dict[str, Any]] = field(default_factory=list)
    rounds: list[list[Result]] = field(default_factory=list)

    def results(self) -> dict[str, Any]:
        """The results by tool; a tool's second result of this turn is TOOL_2, and so on."""
        found: dict[str, Any] = {"message": self.message}
        counts: dict[str, int] = {}
        for results in self.rounds:
            for result in results:
                count = counts.get(result.tool, 0) + 1
                counts[result.tool] = count
                name = result.tool if count == 1 else f"{result.tool}_{count}"
                found[name] = result.value
        return found


def read(messages: list[dict[str, Any]]) -> Conversation:
    """The end of a conversation."""
    place = _last_said(messages)
    said = messages[place]["content"] if place is not None else ""
    conversation = Conversation(
        message=_said(said) or "", parts=said if isinstance(said, list) else []
    )
    returned = {
        message["tool_call_id"]: message["content"]
        for message in messages
        if message["role"] == "tool"
    }

    since = 0 if place is None else place + 1
    for message in messages[since:]:
        calls = _calls_of(message)
        if any(call.get("id") not in returned for call in calls):
            break  # they still run, and what comes after them is of no round
        if calls:
            conversation.rounds.append([_result_of(call, returned) for call in calls])
    return conversation


def _last_said(messages: list[dict[str, Any]]) -> int | None:
    """The place of the person's last message."""
    for place in reversed(range(len(messages))):
        message = messages[place]
        if message["role"] == "user" and _said(message["content"]) is not None:
            return place
    return None


def _said(content: str | list[dict[str, Any]]) -> str | None:
    """The words of a user message; None for one that Letta itself wrote, such as a heartbeat."""
    text = content if isinstance(content, str) else _text_of(content)
    wrapped = _object(text)
    if wrapped is None or not isinstance(wrapped.get("type"), str):
        return text
    if wrapped["type"] != "user_message":
        return None
    return str(wrapped.get("message", text))


def _text_of(parts: list[dict[str, Any]]) -> str:
    """The words of a message that has parts: its pictures and files left out."""
    return "\n".join(part["text"] for part in parts if part["type"] == "text")


def _calls_of(message: dict[str, Any]) -> list[dict[str, Any]]:
    """The calls of tools that the model's own message has."""
    if message["role"] != "assistant":
        return []
    calls = message.get("tool_calls") or []
    return [call for call in calls if isinstance(call, dict)]


def _result_of(call: dict[str, Any], returned: dict[str, str]) -> Result:
    """What came of a call."""
    function = call.get("function") or {}
    return _result(str(function.get("name")), returned[call["id"]])


def _result(tool: str, content: str) -> Result:
    """A tool's own result, dug out of what Letta, or Letta Code, puts around it."""
    content = _OMITTED.sub("", content)
    wrapped = _object(content)
    if wrapped is None or "message" not in wrapped or "status" not in wrapped:
        return Result(tool, content if wrapped is None else wrapped, failed=False)
    inner = wrapped["message"]
    parsed = _object(inner) if isinstance(inner, str) else inner
    failed = str(wrapped["status"]).lower() not in {"ok", "success"}
    return Result(tool, inner if parsed is None else parsed, failed)


def _object(text: str) -> dict[str, Any] | None:
    """A text as the JSON object that it is, or None."""
    if not text.lstrip().startswith("{"):
        return None
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None
