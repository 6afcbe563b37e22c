"""The whole path on a real Letta server: its sandbox runs the stored text, which calls the local Venice."""

import ast
import base64
import functools
import hashlib
import itertools
import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest
from letta_client import Letta

from sanctum_venice_tools.emulator.process import LocalVenice, running_venice
from sanctum_venice_tools.packing.bundle import tool_files
from sanctum_venice_tools.packing.record import read_record
from tests.conftest import meant_by, objects_needed, text_arguments

pytestmark = pytest.mark.server

TRICKY = [
    "1.10",
    "true",
    "null",
    '{"a": [1]}',
    '"q"',
    "🦊 Füchse",
    "'''\\n\"\"\"\n",
    "1_000",
    "x" * 100_000,
]

Run = Callable[..., dict[str, Any]]

record_of = functools.cache(read_record)


@pytest.fixture
def run(letta: Letta, venice: LocalVenice, tmp_path: Path) -> Run:
    """Run a text as a tool in the server's own sandbox."""

    def run_tool(
        name: str, arguments: dict[str, Any], *, source: str = "", **settings: str
    ) -> dict[str, Any]:
        record = record_of(name)
        environment = {"VENICE_API_KEY": venice.key, "VENICE_BASE_URL": venice.base_url}
        result: Any = letta.post(
            "/v1/tools/run",
            cast_to=object,
            body={
                "name": name,
                "source_code": source or record.source_code,
                "json_schema": record.json_schema,
                "args": arguments,
                "env_vars": environment | {"VENICE_MEDIA_DIR": str(tmp_path / "media")} | settings,
            },
        )
        return dict(result)

    return run_tool


def echoing(source: str, name: str) -> str:
    """A tool's text as it ships, but that the tool itself only gives back a digest of each argument."""
    tool = ast.parse(source).body[-1]
    assert isinstance(tool, ast.FunctionDef)
    assert name == tool.name
    digests = "{name: __import__('hashlib').sha256(repr(value).encode()).hexdigest() for name, value in given.items()}"
    head = source.splitlines()[: tool.body[0].lineno - 1]
    return "\n".join([*head, "    given = locals()", f"    return json.dumps({digests})", ""])


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A folder for PYTHONPATH that hides what each script of the sandbox loads for two thirds of its time.

    Letta's scripts allow for that: not every sandbox has these packages. They have no part in how
    arguments arrive.
    """
    folder = tmp_path_factory.mktemp("bare")
    for package in ("letta_client", "pydantic"):
        (folder / f"{package}.py").write_text("raise ImportError")
    return str(folder)


@pytest.mark.parametrize("name", tool_files())
def test_arguments_arrive_as_sent(run: Run, name: str, bare: str) -> None:
    """Each text argument of each tool, alone or in a list, reaches the tool as the caller wrote it.

    Each gets another of the values, and each tool begins with another. All values for all arguments are in
    tests/test_emitted.py, in Letta's own script, but without its server.
    """
    first = list(tool_files()).index(name)
    values = itertools.islice(itertools.cycle(TRICKY), first % len(TRICKY), None)
    arguments = objects_needed(name) | text_arguments(name, values)

    result = run(
        name, arguments, source=echoing(record_of(name).source_code, name), PYTHONPATH=bare
    )

    received = json.loads(result["tool_return"])
    digests = {
        argument: hashlib.sha256(repr(value).encode()).hexdigest()
        for argument, value in meant_by(name, arguments).items()
    }
    assert digests == {argument: received[argument] for argument in arguments}


REFUSALS: dict[str, tuple[dict[str, Any], str]] = {
    "402": ({"fault": "status-402"}, "Ask the operator to add credit"),
    "429": (
        {"fault": "status-429", "times": 3, "headers": {"retry-after": "1000"}},
        "Try again in 1000 s.",
    ),
    "503": ({"fault": "status-503", "times": 3}, "Try again later."),
    "dropped": ({"fault": "reset"}, "sent no whole reply"),
    "a web page": ({"fault": "html"}, "Venice answered 502"),
    "blocked": ({"fault": "content-violation"}, "Venice held the picture back"),
}


@pytest.mark.parametrize("case", REFUSALS)
def test_refusals_reach_the_agent_in_one_line(run: Run, venice: LocalVenice, case: str) -> None:
    """Whatever goes wrong at Venice, the agent reads one useful line, and never the key."""
    fault, expected = REFUSALS[case]
    venice.clear_faults()
    venice.order_fault(path="/image/generate", **fault)

    result = run("venice_generate_image", {"prompt": "a fox"})

    assert "error" == result["status"]
    assert result["tool_return"].startswith(
        "Error executing function venice_generate_image: VeniceError: "
    )
    assert expected in result["tool_return"]
    assert 1 == len(result["tool_return"].splitlines())
    assert venice.key not in json.dumps(result)


@pytest.mark.parametrize(
    ("host", "status"), [("localhost:8283", 200), ("127.0.0.1", 200), ("evil.example", 400)]
)
def test_the_server_answers_to_its_own_names_only(letta: Letta, host: str, status: int) -> None:
    """A page in a browser, reached by a name that was made to point here, can have nothing run."""
    assert (
        status
        == httpx.get(
            f"{str(letta.base_url).rstrip('/')}/v1/health/", headers={"Host": host}
        ).status_code
    )


KEYS = {
    "missing": ("", "VENICE_API_KEY is not set"),
    "wrong": ("not-the-key-1234", "Venice answered 401"),
}


@pytest.mark.parametrize("case", KEYS)
@pytest.mark.parametrize("name", ["venice_find_characters"])
def test_a_bad_key_is_explained(run: Run, name: str, case: str) -> None:
    """A key that is missing or wrong gets a line that says whom to ask, without the key."""
    key, expected = KEYS[case]

    result = run(name, {"query": "fox"}, VENICE_API_KEY=key)

    assert expected in result["tool_return"]
    assert "not-the-key-1234" not in json.dumps(result)


def test_an_unknown_character_is_explained(run: Run) -> None:
    """A slug that Venice does not know gets the advice to search."""
    result = run("venice_find_characters", {"slug": "no/such one"})

    assert "search with query" in result["tool_return"]


def test_a_picture_is_stored_as_venice_sent_it(run: Run, venice: LocalVenice) -> None:
    """The file on disk is byte for byte what Venice sends for the same request."""
    result = json.loads(
        run("venice_generate_image", {"prompt": "a fox", "seed": 7, "format": "png"})["tool_return"]
    )

    body = {"model": result["model"], "prompt": "a fox", "seed": 7, "format": "png", "variants": 1}
    again = httpx.post(
        f"{venice.base_url}/image/generate",
        json=body,
        headers={"Authorization": f"Bearer {venice.key}"},
    )
    (picture,) = result["files"]
    assert base64.b64decode(again.json()["images"][0]) == Path(picture["file"]).read_bytes()


@pytest.fixture
def converse(
    letta: Letta, provider: str, registered: list[str]
) -> Iterator[Callable[..., list[dict[str, Any]]]]:
    """Say something to a fresh agent with all of the tools, and give all that follows."""
    with ExitStack() as stack:

        def say(text: str, venice: LocalVenice, **settings: str) -> list[dict[str, Any]]:
            agent = letta.agents.create(
                name="test",
                model=f"{provider}/zai-org-glm-5-2",
                include_base_tools=False,
                tools=registered,
                secrets={
                    "VENICE_API_KEY": venice.key,
                    "VENICE_BASE_URL": venice.base_url,
                    **settings,
                },
            )
            stack.callback(letta.agents.delete, agent.id)
            reply = letta.agents.messages.create(
                agent.id, messages=[{"role": "user", "content": text}]
            )
            return [message.model_dump() for message in reply.messages]

        yield say


@pytest.mark.parametrize(
    ("text", "name", "field"),
    [
        ("How do foxes live in cities?", "venice_ask_web", "sources"),
        ("Please draw a picture of a fox", "venice_generate_image", "files"),
        ("Which character knows philosophy?", "venice_find_characters", "characters"),
    ],
    ids=["venice_ask_web", "venice_generate_image", "venice_find_characters"],
)
def test_an_agent_uses_the_tool(  # noqa: PLR0917  # three fixtures and three parameters
    converse: Callable[..., list[dict[str, Any]]],
    venice: LocalVenice,
    tmp_path: Path,
    text: str,
    name: str,
    field: str,
) -> None:
    """In mid-conversation the agent calls the tool, gets its answer, and speaks about it."""
    messages = converse(text, venice, VENICE_MEDIA_DIR=str(tmp_path))

    (call,) = [
        message["tool_call"]
        for message in messages
        if message["message_type"] == "tool_call_message"
    ]
    (result,) = [
        message for message in messages if message["message_type"] == "tool_return_message"
    ]
    assert name == call["name"]
    assert "success" == result["status"]
    assert json.loads(result["tool_return"])[field]
    assert "assistant_message" == messages[-1]["message_type"]


Scripted = Callable[[dict[str, Any]], tuple[list[dict[str, Any]], list[dict[str, Any]]]]
"""Given a call of a tool: the messages of the agent, and the bodies of the chats that Venice was asked for."""


@pytest.fixture
def scripted(letta: Letta, registered: list[str], tmp_path: Path) -> Scripted:
    """Have an agent whose model makes just this call of a tool."""

    def hold(call: dict[str, Any]) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
        script = tmp_path / "script.json"
        script.write_text(json.dumps([{"when": "ask", "calls": [call], "then": "."}]))
        log = tmp_path / "log.jsonl"
        with running_venice(script=script, log=log) as venice, ExitStack() as stack:
            settings = {"api_key": venice.key, "base_url": venice.base_url}
            about = {"name": "venice-scripted", "provider_type": "openrouter", **settings}
            made: Any = letta.post("/v1/providers/", cast_to=object, body=about)
            stack.callback(letta.delete, f"/v1/providers/{made['id']}", cast_to=object)
            agent = letta.agents.create(
                model="venice-scripted/zai-org-glm-5-2",
                tools=registered,
                include_base_tools=False,
                secrets={"VENICE_API_KEY": venice.key, "VENICE_BASE_URL": venice.base_url},
            )
            stack.callback(letta.agents.delete, agent.id)
            reply = letta.agents.messages.create(
                agent.id, messages=[{"role": "user", "content": "ask"}]
            )
        chats = [
            json.loads(line)["body"]
            for line in log.read_text().splitlines()
            if '"/chat/completions"' in line
        ]
        ours = [body for body in chats if "venice_parameters" in body]
        return [message.model_dump() for message in reply.messages], ours

    return hold


def returned(messages: list[dict[str, Any]]) -> str:
    """What the one tool that was called gave back."""
    (result,) = [
        message for message in messages if message["message_type"] == "tool_return_message"
    ]
    return str(result["tool_return"])


def test_a_model_s_words_reach_venice_unchanged(scripted: Scripted) -> None:
    """What the agent's model writes as an argument is, to the letter, what the tool sends to Venice."""
    words = '1.10 🦊 {"a": [true, null]} "q" \\n'

    _, bodies = scripted({"name": "venice_ask_web", "arguments": {"question": words}})

    assert [words] == [body["messages"][-1]["content"] for body in bodies]


def test_no_argument_runs_as_code(scripted: Scripted, tmp_path: Path) -> None:
    """Python in the place of a list is a text to the tool, whatever the page that a model has read tells it to send."""
    canary = tmp_path / "canary"
    hostile = f"[] if open({str(canary)!r}, 'w').write(__import__('os').environ['VENICE_API_KEY']) else []"

    messages, bodies = scripted(
        {"name": "venice_chat", "arguments": {"prompt": "hi", "images": hostile}}
    )

    assert not canary.exists()
    assert "No stored file is called" in returned(messages)
    assert [] == bodies


def test_no_name_of_an_argument_runs_as_code(scripted: Scripted, tmp_path: Path) -> None:
    """Letta writes the names of arguments into its script, too: one that is Python ends the call before it runs."""
    canary = tmp_path / "canary"
    hostile = f"[open({str(canary)!r}, 'w').write(__import__('os').environ['VENICE_API_KEY'])][0]"

    messages, bodies = scripted(
        {"name": "venice_chat", "arguments": {"prompt": "hi", hostile: "x"}}
    )

    assert not canary.exists()
    assert "There is no argument" in returned(messages)
    assert [] == bodies


def test_null_and_near_misses_are_read_as_meant(scripted: Scripted) -> None:
    """A model that sends null for all that is optional, and texts for the rest, gets what it means."""
    arguments = {
        "prompt": "hi",
        "history": '[{"role": "user", "content": "Good day."}]',
        "system": None,
        "images": None,
        "max_tokens": "200",
        "options": '{"temperature": "0.5", "seed": null}',
        "model": "venice/ZAI-org-glm-5-2",
    }

    messages, (body,) = scripted({"name": "venice_chat", "arguments": arguments})

    assert json.loads(returned(messages))["answer"]
    assert ("zai-org-glm-5-2", 0.5, 200) == (
        body["model"],
        body["temperature"],
        body["max_completion_tokens"],
    )
    assert ["Good day.", "hi"] == [message["content"] for message in body["messages"]]
    assert "seed" not in body
