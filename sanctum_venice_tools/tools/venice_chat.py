"""Ask another model."""

from typing import Any

from sanctum_venice_tools.runtime.arguments import _read_as_meant, _without_nothing
from sanctum_venice_tools.runtime.chat import _attach, _chat, _Said, _tell_cut
from sanctum_venice_tools.runtime.listing import _list_models
from sanctum_venice_tools.runtime.models import _find_able, _is_able, _pick_model
from sanctum_venice_tools.runtime.options import _read_options
from sanctum_venice_tools.runtime.replies import _number_of, _parse_reply
from sanctum_venice_tools.runtime.text import _in_path, _room_of
from sanctum_venice_tools.runtime.venice import _MOST_OF_REPLY, VeniceError, _answer, _call, _given

TOOLSET = "core"
COST = "cents"

# Each option with its lowest and highest value, or its choices.
_OPTIONS: dict[str, Any] = {
    "temperature": (0.0, 2.0),
    "min_temp": (0.0, 2.0),
    "max_temp": (0.0, 2.0),
    "top_p": (0.0, 1.0),
    "min_p": (0.0, 1.0),
    "top_k": (0, 10**6),
    "repetition_penalty": (0.0, 2.0),
    "frequency_penalty": (-2.0, 2.0),
    "presence_penalty": (-2.0, 2.0),
    "n": (1, 8),
    "seed": (1, 2**53),
    "max_completion_tokens": (1, 10**7),
    "include_venice_system_prompt": [True, False],
}

# Venice takes no more in one message, whatever a model takes (its skill for chats, 73c0bf7).
_MOST_IMAGES = 10
_MOST_FILES = 5

# What the answers may take of the reply, in characters.
_ROOM = 6500

# The same for a caller who sets max_tokens, and so asks for more; and what the reply may have then.
_ROOM_FOR_LONG = 16_000
_MOST_OF_LONG_REPLY = 18_000

_WHEN_ONLY_THOUGHT = "Raise max_tokens, lower reasoning_effort in options, or use another model."


# --- what is asked ---


def _check_attached(images: list[str], files: list[str]) -> None:
    """Refuse more than Venice takes in one message."""
    if len(images) > _MOST_IMAGES:
        raise VeniceError(f"Give up to {_MOST_IMAGES} pictures at a time, not {len(images)}.")
    if len(files) > _MOST_FILES:
        raise VeniceError(f"Give up to {_MOST_FILES} documents at a time, not {len(files)}.")


def _name_needs(*, pictures: int, has_tools: bool, has_schema: bool) -> str:
    """What the model must be able to do, in Venice's words."""
    needs = []
    if pictures:
        needs.append("supportsVision")
    if pictures > 1:
        needs.append("supportsMultipleImages")
    if has_tools:
        needs.append("supportsFunctionCalling")
    if has_schema:
        needs.append("supportsResponseSchema")
    return " ".join(needs)


def _read_settings(rare: dict[str, Any], able: dict[str, Any]) -> dict[str, Any]:
    """The options, checked, in the form that Venice takes."""
    tools = [_read_offer(offer) for offer in _listed(rare.pop("tools", None))]
    stops = _read_stops(rare.pop("stop", None))
    if "tool_choice" in rare:
        rare["tool_choice"] = _read_tool_choice(rare["tool_choice"], tools)
    known = {
        **_OPTIONS,
        "reasoning_effort": able.get("reasoningEffortOptions") or [],
        "tool_choice": ["auto", "none", "required", *(_form_of_choice(tool) for tool in tools)],
    }
    read = _read_options(rare, known)
    return {**read, **_given(tools=tools, stop=stops)}


def _listed(value: Any) -> list[Any]:
    """A list as it is, or out of its text, and one thing as a list of one; empty items are none."""
    meant = _parse_reply(value) if isinstance(value, str) else value
    items = meant if isinstance(meant, list) else [value]
    return [item for item in items if item not in (None, "")]


def _read_offer(offer: Any) -> dict[str, Any]:
    """A tool that the model may call, as Venice takes it.

    Its function may be given bare, with its type beside its name, or in Anthropic's form.
    """
    function = offer.get("function", offer) if isinstance(offer, dict) else None
    if not isinstance(function, dict) or not function.get("name"):
        raise VeniceError('Write "tools" as [{"name", "description", "parameters"}].')
    told = {name: value for name, value in function.items() if value is not None}
    told.pop("type", None)
    if "input_schema" in told:
        told["parameters"] = told.pop("input_schema")
    return {"type": "function", "function": told}


def _form_of_choice(tool: dict[str, Any]) -> dict[str, Any]:
    """How Venice is told that the model must call this tool."""
    return {"type": "function", "function": {"name": tool["function"]["name"]}}


def _read_tool_choice(wanted: Any, tools: list[dict[str, Any]]) -> Any:
    """The choice of a tool by its mere name, as Venice is told it; another stays as it is."""
    for tool in tools:
        if wanted == tool["function"]["name"]:
            return _form_of_choice(tool)
    return wanted


def _read_stops(value: Any) -> list[str]:
    """The texts at which an answer is to stop."""
    stops = _listed(value)
    if len(stops) > 4 or not all(isinstance(stop, str) for stop in stops):
        raise VeniceError('Write "stop" as one to four texts.')
    return stops


def _lower_tokens(body: dict[str, Any], spec: dict[str, Any]) -> list[str]:
    """Hold a wish for tokens to the most that the model writes, above which Venice refuses.

    What was done about it comes back as a note.
    """
    most = _number_of(spec.get("maxCompletionTokens"))
    wanted = body.get("max_completion_tokens", 0)
    if not most or wanted <= most:
        return []
    body["max_completion_tokens"] = int(most)
    return [f"max_tokens was lowered to {most:.0f}, the most that {body['model']:.80} writes."]


def _model_of(character: str, needs: str) -> tuple[str, list[str]]:
    """The model that a character was made for; if it can't be had for this, none, and a note.

    Some are made for a model that only Venice's app has, and any other may speak for them (Venice's
    skill for characters, github.com/veniceai/skills, 73c0bf7).
    """
    reply, _ = _call("GET", f"/characters/{_in_path(character)}")
    model: str = reply["data"]["modelId"]
    able = [one for one in _list_models("text") if _is_able(one, needs.split())]
    if not able or _find_able("text", model, able):
        return model, []
    told = f"The character was made for the model {model:.80}, which can't be had for this."
    return "", [told]


def _system_turn(system: str) -> list[dict[str, Any]]:
    """What the model is told before all else, if anything."""
    return [{"role": "system", "content": system}] if system else []


def _own_turn(prompt: str, images: list[str], files: list[str]) -> list[dict[str, Any]]:
    """What is to be looked at or read, then the prompt; nothing, if there is neither."""
    parts = [_attach(image, "image_url") for image in images]
    parts += [_attach(file, "file") for file in files]
    if not parts:
        return [{"role": "user", "content": prompt}] if prompt else []
    if prompt:
        parts.append({"type": "text", "text": prompt})
    return [{"role": "user", "content": parts}]


# --- what is answered ---


def _show(answer: _Said, room: int, *, fault: str, is_json: bool, offered: bool) -> dict[str, Any]:
    """One answer in so many characters, with a note of what is missing, and of the chat's fault.

    Calls of tools are in it only if any tools were offered.
    """
    text = answer.text
    calls = list(answer.calls.values()) if offered else []
    parsed = _parse_reply(text) if is_json else None
    is_shortened = False
    while _room_of([text, calls]) > room:
        is_shortened = True
        parsed = None
        if text:
            text = text[: len(text) * 9 // 10]
        else:
            calls.pop()

    ending = answer.ending
    advice = f"It broke off ({ending:.40}): ask to go on, or raise max_tokens."
    notes = _tell_cut(ending, fault, advice)
    if is_shortened:
        notes.append("It was shortened. Set max_tokens to get more.")
    if is_json and parsed is None and not calls:
        notes.append("It is not the JSON that was asked for.")
    # A field that holds nothing is left out of the reply: an empty object is shown as it was said.
    shown = text if parsed in (None, "", [], {}) else parsed
    return _given(answer=shown, tool_calls=calls, finish_reason=ending, notes=notes)


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
        system: Who it is, how it answers.
        model: Best left out.
        character: A slug from venice_find_characters.
        images: Pictures: stored files, public URLs or "attached".
        files: Documents to read, likewise: PDF, Office, text.
        answer_schema: JSON Schema, as text, of the answer: a closed object, each field required.
        max_tokens: The most to think and write. Without it, answers are cut at 6,500 characters.
        options: temperature, reasoning_effort (none to max; few models have all), n, seed, stop,
            top_p, top_k, min_p, frequency_penalty, presence_penalty, repetition_penalty, min_temp,
            max_temp, tools, tool_choice, include_venice_system_prompt.

    Returns:
        JSON: answer (or answers), finish_reason, tool_calls, cost_usd, notes.
    """
    if not (prompt.strip() or history):
        raise VeniceError("There is no prompt: say something.")
    schema = _parse_reply(answer_schema) if answer_schema else None
    if answer_schema and not isinstance(schema, dict):
        raise VeniceError('answer_schema is no JSON Schema as text: {"type": "object", ...}.')
    images = _without_nothing(images or [])
    files = _without_nothing(files or [])
    _check_attached(images, files)
    rare = {**(options or {}), **_given(max_completion_tokens=max_tokens)}
    is_json = schema is not None
    has_tools = bool(rare.get("tools"))
    needs = _name_needs(pictures=len(images), has_tools=has_tools, has_schema=is_json)
    missed: list[str] = []
    if character and not model:
        model, missed = _model_of(character, needs)
    chosen = _pick_model(
        "text",
        model,
        setting="VENICE_CHAT_MODEL",
        needs=needs,
        usual="default_vision" if images else "",
    )

    settings = _read_settings(rare, chosen.spec.get("capabilities", {}))
    body: dict[str, Any] = {"model": chosen.id, **settings}
    lowered = _lower_tokens(body, chosen.spec)
    asked = _own_turn(prompt, images, files)
    body["messages"] = [*_system_turn(system), *(history or []), *asked]
    if is_json:
        form = {"name": "answer", "strict": True, "schema": schema}
        body["response_format"] = {"type": "json_schema", "json_schema": form}
    own = body.pop("include_venice_system_prompt", None)
    body["venice_parameters"] = _given(character_slug=character, include_venice_system_prompt=own)
    chat = _chat(body, when_only_thought=_WHEN_ONLY_THOUGHT)

    room_for_all = _ROOM_FOR_LONG if max_tokens else _ROOM
    room = room_for_all // len(chat.answers)
    offered = "tools" in body
    answers = [
        _show(said, room, fault=chat.fault, is_json=is_json, offered=offered)
        for said in chat.answers
    ]
    shown = answers[0] if len(answers) == 1 else {"answers": answers}
    notes = [*missed, *chosen.notes, *lowered, *shown.pop("notes", [])]
    return _answer(
        _most=_MOST_OF_LONG_REPLY if max_tokens else _MOST_OF_REPLY,
        **shown,
        model=chosen.id,
        usage=chat.usage,
        cost_usd=chat.cost_usd,
        notes=notes,
    )
