import base64
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import respx
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from sanctum_venice_tools.emulator.process import LocalVenice

Tool = Callable[..., str]
CALL: dict[str, Any] = {"prompt": "Good day."}
LIMIT = 8000
"""A reply longer than this is a burden to an agent's memory."""

ALL = (
    "supportsVision",
    "supportsMultipleImages",
    "supportsFunctionCalling",
    "supportsResponseSchema",
)


def model(
    name: str, *abilities: str, efforts: list[str] | None = None, traits: list[str] | None = None
) -> Any:
    """A text model as Venice lists it."""
    capabilities = {**dict.fromkeys(abilities, True), "reasoningEffortOptions": efforts}
    return {
        "id": name,
        "type": "text",
        "model_spec": {"name": name, "traits": traits or [], "capabilities": capabilities},
    }


MODELS = [
    model("other-eye", *ALL),
    model("eye", *ALL, traits=["default_vision"]),
    model("glm", *ALL[2:], efforts=["none", "high"], traits=["default"]),
    model("plain"),
]


def piece(
    text: str | None = None, ending: str | None = None, index: int = 0, **delta: Any
) -> dict[str, Any]:
    """An event of a stream."""
    return {
        "choices": [{"index": index, "delta": {"content": text, **delta}, "finish_reason": ending}]
    }


def stream(*events: dict[str, Any]) -> bytes:
    """Events as they come over the line."""
    return "".join(
        f"data: {json.dumps(event, ensure_ascii=False)}\n\n" for event in events
    ).encode()


END = {
    "choices": [],
    "usage": {"prompt_tokens": 3, "completion_tokens": 4},
    "cost": {"usd": 0.002, "diem": 0},
}


@pytest.fixture
def chat(api: respx.MockRouter, tool: Tool) -> Callable[..., Any]:
    """Chat, while Venice streams these events; the tool's reply."""
    api.get("/models").respond(json={"object": "list", "data": MODELS})
    api.get("/characters/ada").respond(
        json={"object": "character", "data": {"slug": "ada", "modelId": "plain"}}
    )

    def run(*events: dict[str, Any], **arguments: Any) -> Any:
        content = stream(*(events or (piece("Yes.", "stop"), END)))
        api.post("/chat/completions").respond(content=content, content_type="text/event-stream")
        reply = tool(**{"prompt": "Well?", **arguments})
        assert len(reply) < (20_000 if arguments.get("max_tokens") else LIMIT)
        return json.loads(reply)

    return run


def sent(api: respx.MockRouter) -> Any:
    """The body of the one chat request."""
    bodies = [
        json.loads(call.request.content) for call in api.calls if call.request.method == "POST"
    ]
    assert 1 == len(bodies)
    return bodies[0]


@pytest.fixture
def refuse(chat: Callable[..., Any], api: respx.MockRouter) -> Callable[..., str]:
    """Call with arguments that must be refused before anything is paid; the error."""

    def run(**arguments: Any) -> str:
        with pytest.raises(Exception, match=r".") as failure:
            chat(**arguments)
        assert "VeniceError" == type(failure.value).__name__, failure.value
        assert [] == [call for call in api.calls if call.request.method == "POST"]
        assert 1 == len(str(failure.value).splitlines())
        return str(failure.value)

    return run


def test_sends_a_prompt_and_nothing_that_nobody_asked_for(
    chat: Callable[..., Any], api: respx.MockRouter
) -> None:
    """The request holds the prompt, Venice's own default of its instructions, and how to stream."""
    chat()

    assert {
        "model": "glm",
        "messages": [{"role": "user", "content": "Well?"}],
        "venice_parameters": {},
        "stream": True,
        "stream_options": {"include_usage": True},
    } == sent(api)


def test_answers_with_what_was_said_and_its_cost(chat: Callable[..., Any]) -> None:
    """The whole reply of a plain call."""
    reply = chat(piece("It is "), piece("so."), piece(None, "stop"), END)

    usage = {"prompt_tokens": 3, "completion_tokens": 4}
    assert {
        "answer": "It is so.",
        "finish_reason": "stop",
        "model": "glm",
        "usage": usage,
        "cost_usd": 0.002,
    } == reply


def test_all_that_is_said_before_reaches_venice(
    chat: Callable[..., Any], api: respx.MockRouter
) -> None:
    """System first, then the earlier turns as they were, then the prompt."""
    call = {"id": "c1", "type": "function", "function": {"name": "look", "arguments": "{}"}}
    history = [
        {"role": "user", "content": "Hi"},
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "content": "dark", "tool_call_id": "c1"},
    ]
    chat(system="Be brief.", history=history, prompt="")

    assert [{"role": "system", "content": "Be brief."}, *history] == sent(api)["messages"]


@pytest.mark.parametrize("zero", [0, 0.7, 2])
def test_settings_reach_venice(
    chat: Callable[..., Any], api: respx.MockRouter, zero: float
) -> None:
    """Each setting goes by Venice's name; a temperature of 0 is one."""
    options = {
        "n": 1,
        "seed": 7,
        "top_p": 0.9,
        "top_k": 40,
        "min_p": 0,
        "stop": "END",
        "min_temp": 0.1,
        "max_temp": 2,
    }
    options |= {"frequency_penalty": -2, "presence_penalty": 1.5, "repetition_penalty": 1.1}
    options |= {"temperature": zero, "reasoning_effort": "high"}
    chat(max_tokens=50, options=options | {"include_venice_system_prompt": False})

    changed = {"max_completion_tokens": 50, "stop": ["END"]}
    body = sent(api)
    assert options | changed == {name: body[name] for name in options | changed}
    assert body["venice_parameters"]["include_venice_system_prompt"] is False


@pytest.mark.parametrize("nothing", ["", "null", None])
def test_what_names_no_file_is_left_out(
    chat: Callable[..., Any], api: respx.MockRouter, nothing: str | None
) -> None:
    """Models fill lists with empty texts; these are no pictures and no documents."""
    chat(images=[nothing], files=[nothing])

    assert isinstance(sent(api)["messages"][-1]["content"], str)


@pytest.mark.parametrize("stop", [["END", "STOP"], '["END", "STOP"]'])
def test_stops_may_be_a_text_that_holds_them(
    chat: Callable[..., Any], api: respx.MockRouter, stop: Any
) -> None:
    """A list that was written as a text is no text at which to stop."""
    chat(options={"stop": stop})

    assert ["END", "STOP"] == sent(api)["stop"]


@pytest.mark.parametrize(
    ("stop", "stops"),
    [("\n", ["\n"]), (" ", [" "]), (["\n\n", "END", "", None], ["\n\n", "END"])],
    ids=repr,
)
def test_white_space_is_a_text_to_stop_at(
    chat: Callable[..., Any], api: respx.MockRouter, stop: Any, stops: list[str]
) -> None:
    """A line feed is no empty text: an answer of one line is asked for with it."""
    chat(options={"stop": stop})

    assert stops == sent(api)["stop"]


def test_the_schema_of_a_tool_stays_as_it_is(
    chat: Callable[..., Any], api: respx.MockRouter
) -> None:
    """In a JSON Schema null is a type and a value, and an empty text is one of the choices."""
    optional = {"anyOf": [{"type": "string"}, {"type": "null"}]}
    fields = {
        "a": {"type": ["string", "null"]},
        "b": optional,
        "c": {"enum": ["x", None, ""], "default": None},
    }
    look = {"name": "look", "parameters": {"type": "object", "properties": fields}}
    chat(options={"tools": [{**look, "description": None}, None]})

    assert [{"type": "function", "function": look}] == sent(api)["tools"]


@pytest.mark.parametrize("written", ["none", "None", "NONE"])
def test_none_is_a_choice(chat: Callable[..., Any], api: respx.MockRouter, written: str) -> None:
    """No thinking and no call of a tool are wishes, however the word is written: left out, a model may think much."""
    chat(
        options={
            "reasoning_effort": written,
            "tool_choice": written,
            "tools": [{"name": "look"}],
            "seed": "None",
        }
    )

    body = sent(api)
    assert ("none", "none", False) == (
        body["reasoning_effort"],
        body["tool_choice"],
        "seed" in body,
    )


SHAPE = {"type": "object", "properties": {"at": {"type": "string"}}}


@pytest.mark.parametrize(
    "offered",
    [
        {"name": "look", "parameters": SHAPE},
        {"type": "function", "name": "look", "parameters": SHAPE},
        {"name": "look", "input_schema": SHAPE},
        {"type": "custom", "name": "look", "input_schema": SHAPE},
        {"type": "function", "function": {"name": "look", "parameters": SHAPE}},
    ],
    ids=["bare", "flat", "anthropic", "anthropic-custom", "nested"],
)
def test_a_tool_may_be_offered_in_any_makers_form(
    chat: Callable[..., Any], api: respx.MockRouter, offered: Any
) -> None:
    """Venice takes the form of OpenAI's chats; the model gets the parameters, under whatever name they came."""
    chat(options={"tools": [offered]})

    look = {"name": "look", "parameters": SHAPE}
    assert [{"type": "function", "function": look}] == sent(api)["tools"]


@pytest.mark.parametrize("offered", [[{"name": "look"}], '[{"name": "look"}]'])
def test_a_tool_may_be_chosen_by_its_name(
    chat: Callable[..., Any], api: respx.MockRouter, offered: Any
) -> None:
    """Venice wants a form of its own; the mere name of an offered tool means the same."""
    chat(options={"tools": offered, "tool_choice": "look"})

    assert {"type": "function", "function": {"name": "look"}} == sent(api)["tool_choice"]
    assert ["look"] == [tool["function"]["name"] for tool in sent(api)["tools"]]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"prompt": " \n"}, "There is no prompt: say something."),
        ({"options": {"topq": 0.5}}, "There is no option 'topq'; the nearest is 'top_p'."),
        ({"options": {"max_tokens": 9}}, "'max_tokens' is no option, but an argument: give it"),
        ({"options": {"System": "Ada"}}, "'system' is no option, but an argument: give it beside"),
        ({"options": {"n": 9}}, "'n' must be 1 to 8, not 9"),
        ({"options": {"n": 1.5}}, "'n' must be 1 to 8, not 1.5"),
        ({"options": {"n": True}}, "'n' must be 1 to 8, not True"),
        ({"options": {"top_p": 1.1}}, "'top_p' must be 0.0 to 1.0"),
        ({"options": {"top_p": float("nan")}}, "'options' must be a JSON object"),
        ({"options": {"seed": 0}}, "'seed' must be 1 to "),
        ({"options": {"stop": ["a"] * 5}}, 'Write "stop" as one to four texts'),
        ({"options": {"tools": [{"description": "x"}]}}, '"tools" as ['),
        ({"options": {"tools": "look"}}, '"tools" as ['),
        (
            {"options": {"tools": [{"name": "look"}], "tool_choice": "loot"}},
            "'tool_choice' must be one of",
        ),
        ({"options": {"temperature": 2.1}}, "'temperature' must be 0.0 to 2.0"),
        ({"max_tokens": 0}, "'max_completion_tokens' must be 1 to"),
        (
            {"options": {"reasoning_effort": "low"}},
            "'reasoning_effort' must be one of none, high, not 'low'",
        ),
        (
            {"options": {"reasoning_effort": "low"}, "model": "plain"},
            "'reasoning_effort' must be left out with this model",
        ),
        ({"answer_schema": "a number"}, "no JSON Schema"),
        ({"answer_schema": "[1]"}, "no JSON Schema"),
        ({"answer_schema": '{"type": "object"}', "model": "plain"}, "Leave it out, or use: "),
        ({"images": ["https://a.example/b.png"], "model": "glm"}, "Leave it out, or use: "),
        ({"images": ["../secret.png"]}, "No stored file is called '../secret.png'"),
        ({"files": ["https://a.example/b.pdf"] * 6}, "Give up to 5 documents at a time, not 6"),
        ({"images": ["https://a.example/b.png"] * 11}, "Give up to 10 pictures at a time, not 11"),
        ({"files": ["/etc/passwd"]}, "No stored file is called '/etc/passwd'"),
    ],
    ids=lambda value: value[:30] if isinstance(value, str) else json.dumps(value)[:40],
)
def test_what_cannot_be_sent_is_refused(
    refuse: Callable[..., str], arguments: dict[str, Any], said: str
) -> None:
    """A setting that is unknown, out of range or beyond the model costs nothing, and the error says what fits."""
    assert said in refuse(**arguments)


def test_a_document_beyond_the_limit_is_refused(refuse: Callable[..., str]) -> None:
    """One as a data URL is measured before it is sent."""
    document = "data:text/plain;base64," + "a" * 35_000_000

    assert "more than 25 MB" in refuse(files=[document])


def test_a_character_brings_its_model(chat: Callable[..., Any], api: respx.MockRouter) -> None:
    """The persona is Venice's; its model is the one that the character was made for."""
    assert "plain" == chat(character="ada")["model"]
    assert "ada" == sent(api)["venice_parameters"]["character_slug"]


def made_for(api: respx.MockRouter, name: str) -> None:
    """Let Venice have the character Ada with this model."""
    api.get("/characters/ada").respond(
        json={"object": "character", "data": {"slug": "ada", "modelId": name}}
    )


@pytest.mark.parametrize(
    ("made_with", "arguments", "taken"),
    [("venice-app-only", {}, "glm"), ("plain", {"answer_schema": '{"type": "object"}'}, "glm")],
    ids=["not-listed", "not-able"],
)
def test_a_character_whose_model_cannot_be_had_speaks_with_another(
    chat: Callable[..., Any],
    api: respx.MockRouter,
    made_with: str,
    arguments: dict[str, Any],
    taken: str,
) -> None:
    """Venice lets any model speak for a character; some are made for one that only its app has."""
    api.get("/models/compatibility_mapping").respond(json={"data": {}})
    made_for(api, made_with)
    reply = chat(piece("{}", "stop"), character="ada", **arguments)

    assert taken == reply["model"]
    assert [
        f"The character was made for the model {made_with}, which can't be had for this."
    ] == reply["notes"]
    assert "ada" == sent(api)["venice_parameters"]["character_slug"]


def test_a_character_with_a_model_by_another_name_keeps_it(
    chat: Callable[..., Any], api: respx.MockRouter
) -> None:
    """A name for which Venice has a stand-in leads to that, as everywhere."""
    api.get("/models/compatibility_mapping").respond(json={"data": {"old": "plain"}})
    made_for(api, "old")

    assert "plain" == chat(character="ada")["model"]


def test_a_character_may_have_another_model(
    chat: Callable[..., Any], api: respx.MockRouter
) -> None:
    """The caller's model wins, and then the character need not be looked up."""
    assert "eye" == chat(character="ada", model="eye")["model"]
    assert ["/api/v1/models", "/api/v1/chat/completions"] == [
        call.request.url.path for call in api.calls
    ]


@pytest.mark.parametrize(
    ("images", "operator", "chosen"),
    [
        ([], "", "glm"),
        (["https://a.example/b.png"], "", "eye"),
        (["https://a.example/b.png"], "other-eye", "other-eye"),
    ],
)
def test_a_model_that_sees_is_chosen_for_pictures(
    chat: Callable[..., Any],
    monkeypatch: pytest.MonkeyPatch,
    images: list[str],
    operator: str,
    chosen: str,
) -> None:
    """With pictures, Venice's default for vision; the operator's choice comes before it."""
    monkeypatch.setenv("VENICE_CHAT_MODEL", operator)

    assert chosen == chat(images=images)["model"]


def test_pictures_and_files_go_along(
    chat: Callable[..., Any], api: respx.MockRouter, tmp_path: Path
) -> None:
    """URLs and data URLs as they are, stored files as base64 under their names, the prompt after them."""
    media = tmp_path / "media"
    media.mkdir()
    (media / "fox.webp").write_bytes(b"webp")
    (media / "notes.md").write_bytes(b"# Notes")
    data = "data:application/pdf;base64,JVBERg=="
    chat(
        images=["fox.webp", "https://a.example/b.png"],
        files=["notes.md", data, "https://a.example/c.pdf?x=1"],
    )

    picture = f"data:image/webp;base64,{base64.b64encode(b'webp').decode()}"
    content = sent(api)["messages"][0]["content"]
    assert [picture, "https://a.example/b.png"] == [
        part["image_url"]["url"] for part in content[:2]
    ]
    notes, pdf, far = (part["file"] for part in content[2:5])
    assert ("notes.md", b"# Notes") == (
        notes["filename"],
        base64.b64decode(notes["file_data"].partition(",")[2]),
    )
    assert data == pdf["file_data"]
    assert {"file_data": "https://a.example/c.pdf?x=1", "filename": "c.pdf"} == far
    assert {"type": "text", "text": "Well?"} == content[5]


def test_pictures_and_files_go_along_without_a_prompt(
    chat: Callable[..., Any], api: respx.MockRouter
) -> None:
    """What was asked may stand in the history; then they are a turn of their own."""
    history = [{"role": "user", "content": "What is on the next picture?"}]
    picture, document = "https://a.example/b.png", "https://a.example/c.pdf"
    chat(prompt="", history=history, images=[picture], files=[document])

    asked, shown = sent(api)["messages"]
    assert history == [asked]
    assert "user" == shown["role"]
    assert [
        {"type": "image_url", "image_url": {"url": picture}},
        {"type": "file", "file": {"file_data": document, "filename": "c.pdf"}},
    ] == shown["content"]


@pytest.mark.parametrize("encoded", ["aGVsbG8=", "aGVsbG8/d29ybGQ/"])
def test_a_data_url_has_no_name(
    chat: Callable[..., Any], api: respx.MockRouter, encoded: str
) -> None:
    """No piece of a file's content is taken for its name."""
    chat(files=[f"data:text/plain;base64,{encoded}"])

    assert "file" == sent(api)["messages"][0]["content"][0]["file"]["filename"]


def test_a_book_goes_along(chat: Callable[..., Any], api: respx.MockRouter, tmp_path: Path) -> None:
    """An EPUB is among the documents that Venice reads, by its own media type."""
    media = tmp_path / "media"
    media.mkdir()
    (media / "book").write_bytes(b"PK\x03\x04" + bytes(26) + b"mimetypeapplication/epub+zip")
    chat(files=["book"])

    book = sent(api)["messages"][0]["content"][0]["file"]
    assert book["file_data"].startswith("data:application/epub+zip;base64,UEsDB")


SCHEMA = (
    '{"type": "object", "properties": {"age": {"type": "integer"}}, '
    '"required": ["age"], "additionalProperties": false}'
)


def test_an_answer_by_schema_comes_parsed(chat: Callable[..., Any], api: respx.MockRouter) -> None:
    """The schema goes in OpenAI's frame, and the answer is no text but its JSON."""
    assert {"age": 0} == chat(piece('{"age": 0}', "stop"), answer_schema=SCHEMA)["answer"]

    form = sent(api)["response_format"]
    assert ("json_schema", True, json.loads(SCHEMA)) == (
        form["type"],
        form["json_schema"]["strict"],
        form["json_schema"]["schema"],
    )


@pytest.mark.parametrize("empty", ["{}", "[]"])
def test_an_answer_with_nothing_in_it_is_one(chat: Callable[..., Any], empty: str) -> None:
    """An empty object or list answers the schema, and is told as it was said."""
    reply = chat(piece(empty, "stop"), answer_schema=SCHEMA)

    assert (empty, False) == (reply["answer"], "notes" in reply)


def test_a_schema_that_asks_for_no_fields_is_one(
    chat: Callable[..., Any], api: respx.MockRouter
) -> None:
    """The empty schema asks for JSON, and for a model that can be held to it."""
    assert {"age": 1} == chat(piece('{"age": 1}', "stop"), answer_schema="{}")["answer"]
    assert {} == sent(api)["response_format"]["json_schema"]["schema"]


def test_an_answer_that_misses_its_schema_says_so(chat: Callable[..., Any]) -> None:
    """What is no JSON is given as it was said."""
    reply = chat(piece('{"age": ', "length"), answer_schema=SCHEMA)

    assert ('{"age": ', "length", 2) == (
        reply["answer"],
        reply["finish_reason"],
        len(reply["notes"]),
    )
    assert "not the JSON" in reply["notes"][1]


def test_several_answers_are_kept_apart(chat: Callable[..., Any], api: respx.MockRouter) -> None:
    """The pieces of several answers come mixed; each answer is whole, with its own ending."""
    events = [
        piece("A", index=0),
        piece("B", index=1),
        piece("a", "stop", 0),
        piece("b", "length", 1),
        END,
    ]
    reply = chat(*events, options={"n": 2})

    assert 2 == sent(api)["n"]
    assert ["Aa", "Bb"] == [one["answer"] for one in reply["answers"]]
    assert ["stop", "length"] == [one["finish_reason"] for one in reply["answers"]]
    assert "notes" not in reply["answers"][0]
    assert "broke off (length)" in reply["answers"][1]["notes"][0]


def test_calls_of_tools_are_gathered(chat: Callable[..., Any], api: respx.MockRouter) -> None:
    """Two calls that come in pieces are whole, in the form in which history takes them."""
    pieces = [
        {"index": 0, "id": "c1", "type": "function", "function": {"name": "look", "arguments": ""}},
        {"index": 0, "function": {"arguments": '{"at": '}},
        {"index": 1, "id": "c2", "function": {"name": "wait", "arguments": None}},
        {"index": 0, "function": {"arguments": '"sky"}'}},
    ]
    look = {
        "name": "look",
        "description": "Look.",
        "parameters": {"type": "object", "properties": {}},
    }
    offered = [look, {"type": "function", "function": {"name": "wait"}}]
    choice = {"type": "function", "function": {"name": "look"}}
    events = [piece(None, tool_calls=[one]) for one in pieces]
    reply = chat(
        *events, piece(None, "tool_calls"), options={"tools": offered, "tool_choice": choice}
    )

    assert [{"type": "function", "function": look}, offered[1]] == sent(api)["tools"]
    assert choice == sent(api)["tool_choice"]
    assert ["c1", "c2"] == [call["id"] for call in reply["tool_calls"]]
    assert {"name": "look", "arguments": '{"at": "sky"}'} == reply["tool_calls"][0]["function"]
    assert ("tool_calls", False, False) == (
        reply["finish_reason"],
        "answer" in reply,
        "notes" in reply,
    )


FILTERED = (
    "The model refused, or a filter of its maker stopped it (content_filter): "
    "put it otherwise, or use another model."
)


def test_a_filtered_answer_says_so(local_tool: Tool, venice: LocalVenice) -> None:
    """An answer that a filter stopped is kept as far as it came; more tokens would not help."""
    venice.order_fault(fault="content-filter", path="/chat/completions")
    reply = json.loads(local_tool(prompt="Good day."))

    assert ("content_filter", [FILTERED]) == (reply["finish_reason"], reply["notes"])


@pytest.mark.parametrize("ending", ["length", "stop"])
@pytest.mark.parametrize("thought", ["<think>Hm", "<think>Hm</think>\n"])
def test_thoughts_in_the_text_are_thoughts(
    chat: Callable[..., Any], ending: str, thought: str
) -> None:
    """Some models write them into the answer: one that came no further is told what helps."""
    with pytest.raises(
        Exception, match=r"spent all on thinking .* is charged\. Raise max_tokens, lower reasoning"
    ):
        chat(piece(thought, ending))


@pytest.mark.parametrize(
    "event",
    [
        piece(None, "content_filter"),
        {"error": {"message": "Blocked", "type": "content_filter_error"}},
    ],
    ids=["ending", "error"],
)
def test_a_refusal_is_an_error(chat: Callable[..., Any], event: dict[str, Any]) -> None:
    """A model that refuses, and says nothing, is an error with what to do."""
    with pytest.raises(
        Exception, match=r"^The model said nothing; it may be charged\. The model refused"
    ):
        chat(event)


def test_no_more_tokens_are_asked_for_than_the_model_writes(local_tool: Tool) -> None:
    """Venice refuses more: the wish is lowered, and the note says to what."""
    reply = json.loads(local_tool(prompt="Good day.", max_tokens=9_000_000))

    assert ["max_tokens was lowered to 131072, the most that zai-org-glm-5-2 writes."] == reply[
        "notes"
    ]


@pytest.mark.parametrize("ending", ["length", None])
def test_a_broken_answer_says_so(chat: Callable[..., Any], ending: str | None) -> None:
    """What was said is kept, with how it ended and what to do."""
    reply = chat(piece("It is 3", ending))

    assert ("It is 3", ending or "cut") == (reply["answer"], reply["finish_reason"])
    assert [f"It broke off ({ending or 'cut'}): ask to go on, or raise max_tokens."] == reply[
        "notes"
    ]


BLOCK = {
    "error": {
        "message": "Content was blocked by the provider",
        "code": "content_blocked_by_provider",
    }
}
OVERLOAD = {"error": {"message": "Overloaded", "code": "model_overloaded", "retry_after": 30}}


TOLD_OF_BLOCK = (
    f"{FILTERED} Venice says: "
    "Content was blocked by the provider; code: content_blocked_by_provider."
)
TOLD_OF_OVERLOAD = (
    "The answer broke off, for Venice failed: "
    "Overloaded; code: model_overloaded; retry_after: 30. "
    "What was said is paid: try again later, or use another model."
)


@pytest.mark.parametrize(
    ("error", "note"),
    [(BLOCK, TOLD_OF_BLOCK), (OVERLOAD, TOLD_OF_OVERLOAD)],
    ids=["blocked", "overloaded"],
)
def test_why_venice_broke_an_answer_off_is_told(
    chat: Callable[..., Any], error: dict[str, Any], note: str
) -> None:
    """What was said is kept; to ask for more of what is blocked would only cost more."""
    reply = chat(piece("Foxes dig dens and ", ""), error)

    assert ("Foxes dig dens and ", "cut") == (reply["answer"], reply["finish_reason"])
    assert [note] == reply["notes"]


def test_only_what_a_fault_broke_off_tells_of_it(chat: Callable[..., Any]) -> None:
    """Of several answers, one that had come to its end is whole."""
    events = [piece("A", "stop"), piece("B", index=1), OVERLOAD]
    whole, broken = chat(*events, options={"n": 2})["answers"]

    assert "notes" not in whole
    assert "Overloaded" in broken["notes"][0]


def test_a_fault_amid_thoughts_is_told(chat: Callable[..., Any]) -> None:
    """A model that Venice stopped while it thought needs no more tokens."""
    with pytest.raises(Exception, match=r"said nothing \(cut, Overloaded; .*may be charged"):
        chat(piece(None, reasoning_content="Hm."), OVERLOAD)


@pytest.mark.parametrize(
    "events", [[piece(None, "length")], [{"error": {"message": "Inference failed"}}], [piece(" ")]]
)
def test_silence_is_an_error(
    chat: Callable[..., Any], api: respx.MockRouter, events: list[dict[str, Any]]
) -> None:
    """An empty answer is an error of one line, and is not asked for again."""
    with pytest.raises(Exception, match=r"The model said nothing .*may be charged") as failure:
        chat(*events)

    assert "VeniceError" == type(failure.value).__name__
    assert sent(api)


@pytest.mark.parametrize(
    ("arguments", "least", "most"), [({}, 5800, 6500), ({"max_tokens": 9000}, 14_000, 16_000)]
)
@pytest.mark.parametrize("text", ["word " * 9000, '"\n\\' * 9000, "\N{FOX FACE}" * 20_000])
def test_a_long_answer_is_shortened_with_a_note(
    chat: Callable[..., Any], text: str, arguments: dict[str, Any], least: int, most: int
) -> None:
    """As much as fits comes back, more when the caller asked for much; the agent is told."""
    reply = chat(piece(text, "stop"), **arguments)

    assert least < len(json.dumps(reply["answer"], ensure_ascii=False)) <= most
    assert ["It was shortened. Set max_tokens to get more."] == reply["notes"]


def test_eight_long_answers_fit(chat: Callable[..., Any]) -> None:
    """Several answers share the room."""
    reply = chat(*(piece("word " * 3000, "length", index) for index in range(8)), options={"n": 8})

    assert 8 == len(reply["answers"])


numbers = st.integers(-3, 10) | st.floats(allow_nan=True)
words = st.text(max_size=5)


@given(
    options=st.dictionaries(
        st.sampled_from(
            [
                "n",
                "seed",
                "temperature",
                "top_p",
                "top_k",
                "min_p",
                "min_temp",
                "max_temp",
                "presence_penalty",
                "stop",
            ]
        ),
        numbers | words | st.lists(words, max_size=5) | st.none() | st.booleans(),
        max_size=3,
    ),
    max_tokens=st.none() | st.integers(),
    prompt=st.text(min_size=1, max_size=40),
    answer_schema=st.text(max_size=10),
)
def test_whatever_is_sent_is_what_venice_takes(
    chat: Callable[..., Any], tool: Tool, **arguments: Any
) -> None:
    """Any arguments are refused in one line, or make a request that Venice's document allows."""
    said = ""
    try:
        assert "Yes." == chat(**arguments)["answer"] or arguments["options"].get("n", 1) > 1
    except KeyError:
        assert arguments["options"]["n"] > 1
    except tool.__globals__["VeniceError"] as error:
        said = str(error)

    assert len(said.splitlines()) < 2


def test_chats_with_the_local_venice(local_tool: Tool, tmp_path: Path) -> None:
    """Over a real connection: two answers, pictures and a document that were really read, and a schema."""
    media = tmp_path / "media"
    media.mkdir()
    picture = io.BytesIO()
    Image.new("RGB", (80, 70), "red").save(picture, "PNG")
    (media / "red.png").write_bytes(picture.getvalue())
    (media / "notes.txt").write_bytes(b"Bees dance for their sisters.")
    seen = json.loads(local_tool(prompt="What is this?", images=["red.png"], files=["notes.txt"]))

    assert "80" in seen["answer"]
    assert "Bees dance" in seen["answer"]
    assert 0 < seen["cost_usd"] < 1
    assert 2 == len(json.loads(local_tool(prompt="Say.", options={"n": 2}))["answers"])
    assert {"age"} == json.loads(local_tool(prompt="Say.", answer_schema=SCHEMA))["answer"].keys()


@pytest.mark.parametrize(
    "turn",
    [{"role": "user"}, {"role": "robot", "content": "x"}, {}, {"role": "tool", "content": "x"}],
)
def test_a_turn_of_no_form_is_refused_by_venice(local_tool: Tool, turn: dict[str, Any]) -> None:
    """Venice's own reason names the turn; nothing is charged for it."""
    with pytest.raises(
        Exception, match=r"Venice answered 400: .*messages.*Correct the arguments"
    ) as failure:
        local_tool(prompt="x", history=[turn])

    assert 1 == len(str(failure.value).splitlines())


def test_an_unknown_character_is_refused(local_tool: Tool) -> None:
    """The error is Venice's."""
    with pytest.raises(Exception, match=r"Venice answered 404: .*Check the names"):
        local_tool(prompt="x", character="nobody-of-this-name")


def test_venice_takes_35_megabytes_at_once(chat: Callable[..., Any], api: respx.MockRouter) -> None:
    """Two documents that each are small enough, and together are not, are refused before they are sent."""
    document = "data:text/plain;base64," + "a" * 20_000_000

    with pytest.raises(Exception, match=r"more than 35 MB.* Send fewer files"):
        chat(prompt="x", files=[document, document])
    assert ["GET"] == [call.request.method for call in api.calls]


def test_a_reset_keeps_what_was_said(venice: LocalVenice, local_tool: Tool) -> None:
    """A real reset in the middle of a stream leaves its beginning, and nothing is sent again."""
    venice.order_fault(fault="reset-midway", path="/chat/completions", bytes=900)
    reply = json.loads(local_tool(prompt="Who are you?"))

    assert ("cut", True) == (reply["finish_reason"], bool(reply["answer"]))


def test_a_model_that_goes_is_told_once(local_tool: Tool) -> None:
    """Of a model that is about to go, its row and the headers of each reply tell; the notes do once."""
    reply = json.loads(local_tool(prompt="Good day.", model="e2ee-gemma-4-31b"))

    told = "Venice lists the model e2ee-gemma-4-31b until 2030-09-24. Then take zai-org-glm-5-2."
    assert [told] == reply["notes"]


@pytest.mark.slow
def test_a_block_is_waited_out(
    venice: LocalVenice, local_tool: Tool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While the error budget is used up, nothing is sent in vain: the next request comes when it begins anew."""
    venice.order_fault(fault="error-budget", path="/chat/completions", seconds=2.5)
    space = local_tool.__globals__
    send = space["_send_once"]
    sent: list[str] = []

    def send_and_note(method: str, path: str, content: dict[str, Any]) -> Any:
        sent.append(path)
        return send(method, path, content)

    monkeypatch.setitem(space, "_send_once", send_and_note)

    assert "answer" in json.loads(local_tool(prompt="Good day."))
    assert ["/models", "/chat/completions", "/chat/completions"] == sent


def test_a_long_block_is_told(
    venice: LocalVenice, local_tool: Tool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A block that is longer than the call may take is not waited for; the agent reads when to come again."""
    monkeypatch.setitem(
        local_tool.__globals__, "_DEADLINE", local_tool.__globals__["time"].monotonic() + 20
    )
    venice.order_fault(fault="429-error-budget", path="/chat/completions", seconds=30)

    with pytest.raises(
        Exception, match=r"429: Too many failed attempts.* Try again in (30|29) s\.$"
    ):
        local_tool(prompt="Good day.")
