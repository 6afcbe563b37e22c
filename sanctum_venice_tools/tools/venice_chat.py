"""Ask another model."""

import json
from typing import Any
from urllib.parse import quote

from sanctum_venice_tools.runtime.arguments import _read_as_meant
from sanctum_venice_tools.runtime.chat import _attach, _chat, _Said, _tell_cut
from sanctum_venice_tools.runtime.models import _pick_model
from sanctum_venice_tools.runtime.options import _read_options
from sanctum_venice_tools.runtime.replies import _number_of, _parse_reply
from sanctum_venice_tools.runtime.venice import VeniceError, _answer, _call, _given

TOOLSET = "core"
COST = "cents"

_OPTIONS: dict[str, Any] = (
    dict.fromkeys(("top_p", "min_p"), (0.0, 1.0))
    | dict.fromkeys(("temperature", "min_temp", "max_temp", "repetition_penalty"), (0.0, 2.0))
    | dict.fromkeys(("frequency_penalty", "presence_penalty"), (-2.0, 2.0))
    | {"include_venice_system_prompt": [True, False]}
    | {"n": (1, 8), "seed": (1, 2**53), "top_k": (0, 10**6), "max_completion_tokens": (1, 10**7)}
)


def _read_settings(rare: dict[str, Any], able: dict[str, Any]) -> dict[str, Any]:
    """The options, checked, in the form that Venice takes."""
    asked = [rare.pop(name, None) or [] for name in ("tools", "stop")]
    offers, stops = (one if isinstance(one, list) else [one] for one in asked)
    tools = [one.get("function", one) if isinstance(one, dict) else one for one in offers]
    names = [one.get("name") if isinstance(one, dict) else None for one in tools]
    if not all(names) or not all(isinstance(stop, str) for stop in stops) or len(stops) > 4:
        raise VeniceError('Write "stop" as one to four texts, "tools" as [{"name", "description", "parameters"}].')
    forms = ["auto", "none", "required", *({"type": "function", "function": {"name": name}} for name in names)]
    efforts = able.get("reasoningEffortOptions") or []
    read = _read_options(rare, _OPTIONS | {"reasoning_effort": efforts, "tool_choice": forms})
    return read | _given(tools=[{"type": "function", "function": one} for one in tools], stop=stops)


def _lower_tokens(body: dict[str, Any], spec: dict[str, Any]) -> list[str]:
    """Hold a wish for tokens to the most that the model writes, above which Venice refuses; what was done about it."""
    most = _number_of(spec.get("maxCompletionTokens"))
    if not most or body.get("max_completion_tokens", 0) <= most:
        return []
    body["max_completion_tokens"] = int(most)
    return [f"max_tokens was lowered to {most:.0f}, the most that {body['model']:.80} writes."]


def _show(answer: _Said, room: int, *, is_json: bool, offered: bool) -> dict[str, Any]:
    """One answer in so many characters, with calls of tools only if any were offered; what is missing is said."""
    whole = text, ending, calls = answer.text, answer.ending, [*answer.calls.values()] if offered else []
    parsed = _parse_reply(text) if is_json else None
    while len(json.dumps([text, calls], ensure_ascii=False)) > room:
        text, parsed, calls = text[: len(text) * 9 // 10], None, calls if text else calls[:-1]
    is_whole = ending in ("stop", "tool_calls")
    kind = ending if is_whole or ending == "content_filter" else "cut"
    notes = _tell_cut(kind, f"It broke off ({ending}): ask to go on, or raise max_tokens.")
    notes += ["It was shortened. Set max_tokens to get more."] * ((text, ending, calls) != whole)
    notes += ["It is not the JSON that was asked for."] * (is_json and parsed is None and not calls)
    return _given(answer=text if parsed is None else parsed, tool_calls=calls, finish_reason=ending, notes=notes)


@_read_as_meant
def venice_chat(
    *,
    prompt: str,
    history: list[dict[str, Any]] | None = None,
    system: str = "",
    model: str = "",
    character: str = "",
    images: list[str] | None = None,
    files: list[str] | None = None,
    answer_schema: str = "",
    max_tokens: int | None = None,
    options: dict[str, Any] | None = None,
) -> str:
    """Ask another model, or talk with a Venice character: a second opinion, a draft, pictures or documents read.

    Costs 0.1 to 10 cents. It knows only what this call holds. For news: venice_ask_web.

    Args:
        prompt: What to say.
        history: Earlier turns: {"role": "user" or "assistant", "content": "text"}.
        system: Who it is to be, how it is to answer.
        model: Best left out.
        character: A slug from venice_find_characters.
        images: Pictures to look at: stored files or public URLs.
        files: Documents to read, likewise: PDF, Office, text.
        answer_schema: JSON Schema, as text, of the answer: a closed object, each field required.
        max_tokens: The most to think and write. Without it, answers are cut at 6,500 characters.
        options: temperature, reasoning_effort (none to max; few models have all), n, seed, stop, top_p, top_k, min_p,
            frequency_penalty, presence_penalty, repetition_penalty, min_temp, max_temp, tools, tool_choice,
            include_venice_system_prompt.

    Returns:
        JSON: answer (or answers), finish_reason, tool_calls, cost_usd, notes.
    """
    schema = _parse_reply(answer_schema) if answer_schema else None
    if (answer_schema and not isinstance(schema, dict)) or not (prompt or history):
        raise VeniceError('There is no prompt, or answer_schema is no JSON Schema as text: {"type": "object", ...}.')
    rare = (options or {}) | _given(max_completion_tokens=max_tokens)
    if character and not model:
        model = _call("GET", f"/characters/{quote(character, safe='', errors='replace').replace('.', '%2E')}")[0][
            "data"
        ]["modelId"]
    wants = {"supportsVision": images, "supportsFunctionCalling": rare.get("tools"), "supportsResponseSchema": schema}
    needs = " ".join([name for name in wants if wants[name]] + ["supportsMultipleImages"] * (len(images or []) > 1))
    usual = "default_vision" if images else ""
    chosen = _pick_model("text", model, setting="VENICE_CHAT_MODEL", needs=needs, usual=usual)
    body = {"model": chosen.id, **_read_settings(rare, chosen.spec.get("capabilities", {}))}
    lowered = _lower_tokens(body, chosen.spec)
    parts = [_attach(one, "image_url") for one in images or []] + [_attach(one, "file") for one in files or []]
    said = [{"role": "user", "content": [*parts, {"type": "text", "text": prompt}] if parts else prompt}] * bool(prompt)
    body["messages"] = [*([{"role": "system", "content": system}] if system else []), *(history or []), *said]
    if schema:
        form = {"name": "answer", "strict": True, "schema": schema}
        body["response_format"] = {"type": "json_schema", "json_schema": form}
    own = body.pop("include_venice_system_prompt", None)
    chat = _chat({**body, "venice_parameters": _given(character_slug=character, include_venice_system_prompt=own)})

    room = (16_000 if max_tokens else 6500) // len(chat.answers)
    answers = [_show(one, room, is_json=bool(schema), offered="tools" in body) for one in chat.answers]
    shown = answers[0] if len(answers) == 1 else {"answers": answers}
    notes = [*chosen.notes, *lowered, *shown.pop("notes", [])]
    most = 18_000 if max_tokens else 8000
    return _answer(_most=most, **shown, model=chosen.id, usage=chat.usage, cost_usd=chat.cost_usd, notes=notes)
