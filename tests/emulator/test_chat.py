import base64
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from sanctum_venice_tools.emulator.conversation import read
from sanctum_venice_tools.emulator.process import running_venice
from sanctum_venice_tools.emulator.script import Script, ScriptError, fill

Ask = Callable[..., Any]

SEARCH = {"enable_web_search": "on", "enable_web_citations": True}


def tool(name: str) -> dict[str, Any]:
    """A tool as Letta offers it."""
    parameters = {"type": "object", "properties": {"question": {"type": "string"}}, "required": []}
    return {
        "type": "function",
        "function": {"name": name, "description": "d", "parameters": parameters},
    }


def with_files(count: int) -> dict[str, Any]:
    """A message with so many documents."""
    file = {"file_data": "data:text/plain;base64,Rm94ZXM=", "filename": "foxes.txt"}
    return {"role": "user", "content": [{"type": "file", "file": file}] * count}


def test_stand_in_says_that_it_is_one(ask: Ask) -> None:
    """Where no line of the script fits, the answer says so."""
    choice = ask("Good morning")["choices"][0]

    assert "stand-in" in choice["message"]["content"]
    assert choice["finish_reason"] == "stop"


@pytest.mark.parametrize("name", ["default", "function_calling_default", "zai-org-glm-5-2"])
def test_model_by_trait_or_id(ask: Ask, name: str) -> None:
    """A model may be named by its trait."""
    assert ask(model=name)["model"] == "zai-org-glm-5-2"


def test_model_by_foreign_name(ask: Ask) -> None:
    """A model may be named as another maker calls its own."""
    assert ask(model="gpt-4o")["model"] == "zai-org-glm-5-1"


def test_settings_behind_the_model_name(ask: Ask) -> None:
    """A model's name can carry Venice's settings."""
    reply = ask(
        "How do foxes live in cities?",
        model="default:enable_web_search=on&character_slug=ada-lovelace",
    )

    assert reply["venice_parameters"]["web_search_citations"]
    assert reply["venice_parameters"]["character_slug"] == "ada-lovelace"


@pytest.mark.parametrize(
    ("body", "status", "said"),
    [
        ({"model": "nope"}, 404, "Specified model not found: nope"),
        ({"model": "zai-org-glm-52"}, 404, "Did you mean zai-org-glm-5-2?"),
        ({"model": "mistral-31-24b"}, 404, "has been deprecated. Please use zai-org-glm-5-2"),
        ({"model": "zai-org-glm-5"}, 503, "offline"),
        ({"venice_parameters": {"character_slug": "nobody"}}, 404, "Character not found: nobody"),
        ({"temprature": 1}, 400, "Unrecognized key(s) in object: 'temprature'"),
        (
            {"venice_parameters": {"enable_web_search": True}},
            400,
            "Invalid enum value. Expected 'auto' | 'off' | 'on'",
        ),
        ({"messages": []}, 400, "Array must contain at least 1 element(s)"),
        ({"messages": [{"role": "tool", "content": "x"}]}, 400, "tool_call_id"),
        ({"reasoning_effort": "medium"}, 400, "Expected 'none' | 'high' | 'max'"),
        ({"logprobs": True}, 400, "logprobs is not supported by this model"),
        (
            {"model": "e2ee-gemma-4-31b", "tools": [tool("x")]},
            400,
            "tools is not supported by this model",
        ),
        (
            {
                "model": "e2ee-gemma-4-31b",
                "response_format": {"type": "json_schema", "json_schema": {}},
            },
            400,
            "response_format is not supported",
        ),
        (
            {
                "messages": [
                    {
                        "role": "user",
                        "content": [{"type": "image_url", "image_url": {"url": "https://a.b/c"}}],
                    }
                ]
            },
            400,
            "image_url content is not supported",
        ),
        ({"messages": [with_files(6)]}, 400, "At most 5 file parts"),
        ({"max_completion_tokens": 131_073}, 400, "less than or equal to 131072"),
        ({"max_tokens": 131_073}, 400, "less than or equal to 131072"),
        (
            {"model": "llama-3.3-70b", "messages": [{"role": "user", "content": "x" * 600_000}]},
            400,
            "context_length",
        ),
    ],
)
def test_refusals(client: httpx.Client, body: dict[str, Any], status: int, said: str) -> None:
    """What Venice would refuse is refused, with the status and in the words of Venice."""
    whole = {"model": "default", "messages": [{"role": "user", "content": "x"}], **body}

    reply = client.post("/chat/completions", json=whole)

    assert (reply.status_code, said in reply.text) == (status, True), reply.text


@pytest.mark.parametrize(
    "settings",
    [
        {"max_tokens": 131_072},
        {"max_tokens": -1},
        {"max_tokens": 131_073, "max_completion_tokens": 10},
        {"messages": [with_files(5), with_files(5)]},
        {"tools": [{"type": "web_search"}]},
    ],
    ids=str,
)
def test_what_is_within_the_limits(client: httpx.Client, settings: dict[str, Any]) -> None:
    """As much as a model writes, as many files as a message holds, max_tokens beside the field that replaced it."""
    whole = {"model": "default", "messages": [{"role": "user", "content": "x"}], **settings}

    assert client.post("/chat/completions", json=whole).status_code == 200


def test_unknown_key_names_itself_three_times(client: httpx.Client) -> None:
    """A DetailedError tells the fault in its details and among its issues."""
    body = client.post(
        "/chat/completions",
        json={"model": "x", "messages": [{"role": "user", "content": ""}], "n2": 1},
    ).json()

    message = "Unrecognized key(s) in object: 'n2'"
    assert body == {
        "error": "Invalid request parameters",
        "details": {"_errors": [message]},
        "issues": [{"code": "unrecognized_keys", "keys": ["n2"], "path": [], "message": message}],
    }


@pytest.mark.parametrize(
    ("content", "headers", "status"),
    [
        (b"{", {"Content-Type": "application/json"}, 400),
        (b'{"model": NaN}', {"Content-Type": "application/json"}, 400),
        (b"[" * 100_000, {"Content-Type": "application/json"}, 400),
        (b"model=x", {"Content-Type": "application/x-www-form-urlencoded"}, 400),
        (b"[]", {"Content-Type": "application/json; charset=utf-8"}, 400),
    ],
)
def test_bodies_that_are_none(
    client: httpx.Client, content: bytes, headers: dict[str, str], status: int
) -> None:
    """What is no JSON object is refused."""
    assert status == client.post("/chat/completions", content=content, headers=headers).status_code


def test_answers_end_where_they_are_told_to(ask: Ask) -> None:
    """Stop words and token limits cut an answer."""
    assert ask(stop=["stand-in"])["choices"][0]["message"]["content"].endswith(", a ")
    assert ask(max_completion_tokens=12)["choices"][0]["finish_reason"] == "length"


def test_several_choices(ask: Ask) -> None:
    """`n` choices come, and all are paid."""
    one, three = ask(n=1), ask(n=3)

    assert len(three["choices"]) == 3
    assert three["usage"]["completion_tokens"] == 3 * one["usage"]["completion_tokens"]


def test_thinking_can_be_left_out(ask: Ask) -> None:
    """A reasoning model shows thoughts unless it is told not to think."""
    assert ask()["choices"][0]["message"]["reasoning_content"]
    assert ask(reasoning_effort="none")["choices"][0]["message"]["reasoning_content"] is None


def test_answer_in_a_prescribed_form(ask: Ask) -> None:
    """With a JSON Schema, the answer is JSON that fits it."""
    schema = {
        "type": "object",
        "properties": {
            "city": {"type": "string"},
            "size": {"type": "integer"},
            "kind": {"enum": ["big"]},
        },
        "required": ["city", "size", "kind"],
        "additionalProperties": False,
    }
    wanted = {"type": "json_schema", "json_schema": {"name": "x", "strict": True, "schema": schema}}

    said = json.loads(ask(response_format=wanted)["choices"][0]["message"]["content"])

    assert (set(said), said["size"], said["kind"]) == ({"city", "size", "kind"}, 1, "big")


def test_pictures_are_looked_at(ask: Ask, encoded: Callable[..., str]) -> None:
    """A vision model says the size and colour of a picture."""
    url = f"data:image/png;base64,{encoded(320, 200)}"
    content = [
        {"type": "text", "text": "What is this?"},
        {"type": "image_url", "image_url": {"url": url}},
    ]

    assert (
        "320 by 200 pixels"
        in ask(content=[{"role": "user", "content": content}], model="qwen-3-8-27b")["choices"][0][
            "message"
        ]["content"]
    )


def test_documents_are_leafed_through(ask: Ask, client: httpx.Client) -> None:
    """Any model reads a document that comes along; one without text is refused."""

    def document(content: bytes) -> list[dict[str, Any]]:
        data = f"data:text/plain;base64,{base64.b64encode(content).decode()}"
        return [
            {
                "role": "user",
                "content": [{"type": "file", "file": {"file_data": data, "filename": "den.txt"}}],
            }
        ]

    said = ask(document(b"Foxes dig dens."))["choices"][0]["message"]["content"]
    refused = client.post(
        "/chat/completions", json={"model": "default", "messages": document(b"\xff\xfe\x00")}
    )

    assert said.endswith("den.txt has 3 words and begins: Foxes dig dens.")
    assert (refused.status_code, "No text content" in refused.text) == (400, True)


def test_web_search_cites_pages(ask: Ask) -> None:
    """A question is answered from pages that share its words, with markers for their numbers."""
    reply = ask("How do red foxes live in cities?", venice_parameters=SEARCH)

    pages = reply["venice_parameters"]["web_search_citations"]
    text = reply["choices"][0]["message"]["content"]
    assert all("fox" in page["title"].lower() for page in pages)
    assert "^1^" in text
    assert "^1,2^" in text
    assert "<strong>" in pages[0]["content"]
    assert "<strong>" not in text


def test_web_search_as_a_tool(ask: Ask) -> None:
    """A tool of type web_search is taken, but nothing is searched for it."""
    reply = ask("How do red foxes live in cities?", tools=[{"type": "web_search"}])

    assert reply["venice_parameters"]["enable_web_search"] == "off"
    assert reply["venice_parameters"]["web_search_citations"] == []


def test_web_search_without_citations(ask: Ask) -> None:
    """Without citations the text has no markers."""
    text = ask(
        "How does the aurora borealis arise?", venice_parameters={"enable_web_search": "auto"}
    )["choices"][0]

    assert "solar wind" in text["message"]["content"]
    assert "^" not in text["message"]["content"]


def test_web_search_finds_nothing(ask: Ask) -> None:
    """Where no page fits, the answer says so and cites none."""
    reply = ask("Quarterly earnings of Zorblax Ltd?", venice_parameters=SEARCH)

    assert reply["venice_parameters"]["web_search_citations"] == []
    assert "found nothing" in reply["choices"][0]["message"]["content"]


def test_pages_are_read_by_address(ask: Ask) -> None:
    """With scraping, the page of a link is read in place of a search, and nothing is cited."""
    question = "What does https://kitchen.example.com/tea say?"

    reply = ask(question, venice_parameters={**SEARCH, "enable_web_scraping": True})

    assert "tea" in reply["choices"][0]["message"]["content"]
    assert reply["venice_parameters"]["web_search_citations"] == []


def test_scraping_without_a_link_is_a_search(ask: Ask) -> None:
    """Where a question has no links, it is searched for as ever."""
    question = "How do red foxes live in cities?"

    reply = ask(question, venice_parameters={**SEARCH, "enable_web_scraping": True})

    assert reply["venice_parameters"]["web_search_citations"]


def test_search_results_as_documents(ask: Ask) -> None:
    """Venice can put the pages into a tool call that nobody offered."""
    parameters = {**SEARCH, "return_search_results_as_documents": True}

    calls = ask("How do red foxes live in cities?", venice_parameters=parameters)["choices"][0][
        "message"
    ]["tool_calls"]

    assert [call["function"]["name"] for call in calls] == ["venice_web_search_documents"]
    assert json.loads(calls[0]["function"]["arguments"])["documents"]


def test_stream_says_the_same(ask: Ask, events: Callable[..., list[Any]]) -> None:
    """A stream's pieces add up to the plain answer, then come its usage and, if asked for, the pages."""
    question = "How do red foxes live in cities?"
    asked = {**SEARCH, "include_search_results_in_stream": True}
    plain = ask(question, venice_parameters=asked)

    streamed = events(question, venice_parameters=asked, stream_options={"include_usage": True})

    deltas = [choice["delta"] for event in streamed for choice in event["choices"]]
    ended, usage, pages = streamed[-3:]
    assert (
        "".join(delta.get("content", "") for delta in deltas)
        == plain["choices"][0]["message"]["content"]
    )
    assert ended["choices"][0]["finish_reason"] == "stop"
    assert (usage["choices"], usage["usage"]) == ([], plain["usage"])
    assert (pages["choices"], pages["venice_parameters"]) == ([], plain["venice_parameters"])
    assert len(pages["venice_parameters"]["web_search_citations"]) > 1


def test_stream_has_no_pages_unless_they_are_asked_for(events: Callable[..., list[Any]]) -> None:
    """Whoever searches and streams does not see what was found, if the request does not say so."""
    streamed = events("How do red foxes live in cities?", venice_parameters=SEARCH)

    assert not any("venice_parameters" in event for event in streamed)


def test_stream_without_usage(events: Callable[..., list[Any]]) -> None:
    """No event tells usage unless it is asked for."""
    assert not any(event.get("usage") for event in events("Hello"))


def test_streamed_tool_calls(events: Callable[..., list[Any]]) -> None:
    """A tool call's arguments come in pieces that add up to JSON."""
    streamed = events("Tell me of foxes", tools=[tool("venice_ask_web")])

    pieces = [
        call
        for event in streamed
        for choice in event["choices"]
        for call in choice["delta"].get("tool_calls", [])
    ]
    arguments = "".join(piece["function"].get("arguments", "") for piece in pieces)
    assert json.loads(arguments) == {"question": "How do red foxes live in cities?"}
    assert [piece["id"][:5] for piece in pieces if "id" in piece] == ["call_"]
    assert streamed[-1]["choices"][0]["finish_reason"] == "tool_calls"


def letta(content: str) -> str:
    """A message or result in the wrapping that Letta gives it."""
    return json.dumps(
        {"type": "user_message", "message": content, "time": "2026-11-23 10:00:00 PM UTC+0000"}
    )


def result(status: str, message: Any) -> str:
    """A tool's result as Letta sends it."""
    return json.dumps(
        {"status": status, "message": message, "time": "2026-11-23 10:00:00 PM UTC+0000"}
    )


def test_agent_is_driven_by_the_script(ask: Ask) -> None:
    """All that Letta sends is valid, the script's tool is called, and its result is spoken."""
    messages: list[dict[str, Any]] = [
        {"role": "system", "content": "You are an agent."},
        {"role": "user", "content": letta("Tell me about foxes in cities, please.")},
    ]
    settings = {
        "tools": [tool("venice_ask_web"), tool("conversation_search")],
        "tool_choice": "auto",
        "parallel_tool_calls": False,
        "max_completion_tokens": 16384,
        "temperature": 1.0,
        "user": "user-00000000-0000-4000-8000-000000000000",
    }

    first = ask(messages, **settings)["choices"][0]
    message = first["message"]
    call = message["tool_calls"][0]
    sources = [{"number": 1, "url": "https://a.example"}, {"number": 2, "url": "https://b.example"}]
    answer = result("OK", json.dumps({"answer": "They do [1].", "sources": sources}))
    messages += [
        {"role": "assistant", "content": None, "tool_calls": [call], "reasoning_content": "hm"},
        {"role": "tool", "tool_call_id": call["id"], "content": answer},
    ]
    second = ask(messages, **settings)["choices"][0]

    assert (first["finish_reason"], call["function"]["name"]) == ("tool_calls", "venice_ask_web")
    assert message["content"] is None
    assert (
        second["message"]["content"]
        == "They do [1].\n\nSources: https://a.example, https://b.example"
    )
    assert second["finish_reason"] == "stop"


def test_tool_calls_have_ids_of_their_own(ask: Ask) -> None:
    """No two calls share an id: Letta would drop the later result."""
    asked = [
        ask("Foxes", tools=[tool("venice_ask_web")])["choices"][0]["message"]["tool_calls"]
        for _ in range(20)
    ]

    assert len({call["id"] for calls in asked for call in calls}) == 20


def test_a_result_whose_picture_was_left_out_is_read(ask: Ask) -> None:
    """Letta Code adds a line to a result where the model sees no pictures; the result is read all the same."""
    call = {
        "id": "call_1",
        "type": "function",
        "function": {"name": "venice_generate_image", "arguments": "{}"},
    }
    made = {"files": [{"file": "a-fox.png", "width": 1280, "height": 720}]}
    remark = "(tool image omitted: model does not support images)"
    messages = [
        {"role": "user", "content": "Please draw a picture of such a fox, on a roof at dusk."},
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "call_1", "content": f"{json.dumps(made)}\n{remark}"},
    ]

    answer = ask(messages, tools=[tool("venice_generate_image")])["choices"][0]["message"]

    assert "Here is the fox: a-fox.png, 1280 by 720 pixels." == answer["content"]


def test_failed_tool_is_told(ask: Ask) -> None:
    """When a tool failed, its own words are passed on."""
    call = {
        "id": "call_1",
        "type": "function",
        "function": {"name": "venice_ask_web", "arguments": "{}"},
    }
    messages = [
        {"role": "user", "content": "foxes"},
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {
            "role": "tool",
            "tool_call_id": "call_1",
            "content": result("Failed", "Error executing function"),
        },
    ]

    text = ask(messages, tools=[tool("venice_ask_web")])["choices"][0]["message"]["content"]

    assert text == "The tool venice_ask_web failed: Error executing function"


def test_missing_tool_is_told(ask: Ask) -> None:
    """When the script's tool was not offered, the answer says so."""
    text = ask("foxes", tools=[tool("other")])["choices"][0]["message"]["content"]

    assert text == "The script wants me to call venice_ask_web, but I was not offered it."


def test_tool_choice_none(ask: Ask) -> None:
    """With tool_choice none, no tool is called."""
    assert (
        ask("foxes", tools=[tool("venice_ask_web")], tool_choice="none")["choices"][0][
            "finish_reason"
        ]
        == "stop"
    )


def test_script_of_several_steps(tmp_path: Path) -> None:
    """A script can call several tools at once, use their results as arguments of the next, and then speak."""
    script = tmp_path / "script.json"
    script.write_text(
        json.dumps(
            [
                {
                    "when": "/film.*otter/",
                    "calls": [
                        {"name": "quote", "arguments": {"what": "{message}"}},
                        {"name": "list"},
                    ],
                    "then": {
                        "calls": [
                            {
                                "name": "queue",
                                "arguments": {
                                    "price": "{quote.price}",
                                    "note": "for {quote.price}",
                                },
                            }
                        ],
                        "then": "Queued {queue.job}: {list.names.*.name} {nothing.at.all|-}",
                    },
                }
            ]
        )
    )
    tools = [tool("quote"), tool("list"), tool("queue")]
    messages: list[dict[str, Any]] = [{"role": "user", "content": "A FILM of an otter"}]
    results = {
        "quote": {"price": 0.5},
        "list": {"names": [{"name": "a"}, {"name": "b"}]},
        "queue": {"job": "j1"},
    }
    spoken, seen = "", []
    with running_venice(script=script) as venice:
        while not spoken:
            body = {"model": "default", "messages": messages, "tools": tools}
            reply = httpx.post(
                venice.base_url + "/chat/completions",
                json=body,
                headers={"Authorization": f"Bearer {venice.key}"},
            )
            message = reply.json()["choices"][0]["message"]
            spoken = message["content"] or ""
            messages.append(message)
            for call in message["tool_calls"]:
                name = call["function"]["name"]
                seen.append((name, json.loads(call["function"]["arguments"])))
                content = json.dumps(results[name])
                messages.append({"role": "tool", "tool_call_id": call["id"], "content": content})

    assert seen == [
        ("quote", {"what": "A FILM of an otter"}),
        ("list", {}),
        ("queue", {"price": 0.5, "note": "for 0.5"}),
    ]
    assert spoken == "Queued j1: a, b -"


@pytest.mark.parametrize("text", ["{", "[{}]", '[{"when": "/(/", "then": "x"}]', '{"when": "x"}'])
def test_bad_script_is_named(tmp_path: Path, text: str) -> None:
    """A script that cannot be followed is refused when it is read."""
    script = tmp_path / "script.json"
    script.write_text(text)

    with pytest.raises(ScriptError, match=r"script\.json is no script"):
        Script.load(script)


def test_lettas_own_messages_are_skipped() -> None:
    """A heartbeat is no message of the person's."""
    heartbeat = json.dumps({"type": "heartbeat", "reason": "x", "time": "now"})
    messages = [
        {"role": "user", "content": letta("Foxes?")},
        {"role": "user", "content": heartbeat},
    ]

    assert read(messages).message == "Foxes?"


def test_placeholders_dig_into_lists() -> None:
    """Numbers take one of a list, a star all of it; what is missing is replaced by what stands after the bar."""
    results = {"t": {"list": [{"a": 1}, {"a": 2}], "text": "x"}}

    assert (
        fill("{t.list.1.a} {t.list.*.a} {t.list.7.a|none} {t.text}{t.gone}", results)
        == "2 1, 2 none x"
    )
    assert fill({"whole": "{t.list}"}, results) == {"whole": [{"a": 1}, {"a": 2}]}
    assert fill('{"json": 1}', results) == '{"json": 1}'
