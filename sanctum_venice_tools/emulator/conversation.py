"""What a chat request says: the person's last message, and the tools called since."""

import json
from dataclasses import dataclass, field
from typing import Any


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
        for result in (result for round_ in self.rounds for result in round_):
            counts[result.tool] = count = counts.get(result.tool, 0) + 1
            found[result.tool if count == 1 else f"{result.tool}_{count}"] = result.value
        return found


def read(messages: list[dict[str, Any]]) -> Conversation:
    """The end of a conversation."""
    conversation = Conversation()
    results: dict[str, str] = {}
    for message in messages:
        if message["role"] == "user" and (text := _said(message["content"])) is not None:
            parts = message["content"] if isinstance(message["content"], list) else []
            conversation = Conversation(text, parts)
        elif message["role"] == "tool":
            results[message["tool_call_id"]] = message["content"]
    pending = False
    for message in messages[_last_user(messages) + 1 :]:
        calls = [call for call in message.get("tool_calls") or [] if isinstance(call, dict)]
        if message["role"] == "assistant" and calls and not pending:
            pending = any(call.get("id") not in results for call in calls)
            if not pending:
                conversation.rounds.append(
                    [
                        _result(str((call.get("function") or {}).get("name")), results[call["id"]])
                        for call in calls
                    ]
                )
    return conversation


def _last_user(messages: list[dict[str, Any]]) -> int:
    """The place of the person's last message."""
    places = [
        place
        for place, message in enumerate(messages)
        if message["role"] == "user" and _said(message["content"]) is not None
    ]
    return places[-1] if places else -1


def _said(content: str | list[dict[str, Any]]) -> str | None:
    """The words of a user message; None for one that Letta itself wrote, such as a heartbeat."""
    text = (
        content
        if isinstance(content, str)
        else "\n".join(part["text"] for part in content if part["type"] == "text")
    )
    wrapped = _object(text)
    if wrapped is None or not isinstance(wrapped.get("type"), str):
        return text
    return str(wrapped.get("message", text)) if wrapped["type"] == "user_message" else None


def _result(tool: str, content: str) -> Result:
    """A tool's own result, dug out of the wrapping that Letta puts around it."""
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
