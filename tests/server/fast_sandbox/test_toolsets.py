"""On a real Letta server, an agent calls tools of each toolset in mid-conversation; a person is asked where need be."""

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from letta_client import Letta
from PIL import Image

from sanctum_venice_tools.emulator.process import LocalVenice, running_venice
from sanctum_venice_tools.letta.registration import apply, plan
from sanctum_venice_tools.packing.bundle import tool_files
from sanctum_venice_tools.packing.record import TOOLSETS, read_record
from sanctum_venice_tools.packing.schema import typed_schema_of

pytestmark = pytest.mark.server

# What the agent's model calls when it is asked for a toolset, one call after the other, and what
# must come back. The arguments are near misses, as models send them, and null stands for each that
# is left out.
CALLS: dict[str, list[tuple[str, dict[str, Any], str]]] = {
    "core": [
        (
            "venice_generate_image",
            {"prompt": "A logo", "format": "PNG", "options": {"background": "transparent"}},
            "files",
        ),
        ("venice_quote_video", {"kind": "Text", "duration": 5, "audio": "TRUE"}, "price_usd"),
        ("venice_queue_video", {"prompt": "A fox", "resolution": "480P", "options": "{}"}, "job"),
        ("venice_retrieve_video", {"job": "{venice_queue_video.job}"}, "file"),
    ],
    "text": [
        (
            "venice_decide",
            {
                "state": {"ticket": "I need my refund, urgently!"},
                "questions": ["Is it urgent?", "Does it mention kittens?"],
            },
            "answers",
        )
    ],
    "image": [("venice_list_image_styles", {"words": ["film"]}, "styles")],
    "audio": [
        (
            "venice_queue_music",
            {"prompt": "A calm tune", "kind": "Sound Effect", "instrumental": "no"},
            "job",
        ),
        ("venice_retrieve_music", {"job": "{venice_queue_music.job}"}, "file"),
        ("venice_transcribe_audio", {"audio": "{venice_retrieve_music.file}"}, "text"),
    ],
    "video": [
        (
            "venice_make_video",
            {"prompt": "A fox", "resolution": "480P", "wait_seconds": "60"},
            "file",
        ),
        ("venice_transcribe_video", {"video": "{venice_make_video.file}", "times": "yes"}, "text"),
        (
            "venice_delete_video",
            {"job": "{venice_make_video.job}", "even_if_not_stored": "no"},
            "deleted",
        ),
    ],
    "web": [
        ("venice_read_webpage", {"url": "https://www.example.org/urban-wildlife/red-foxes"}, "text")
    ],
    "account": [("venice_check_account", {}, "balance_usd")],
    "admin": [
        (
            "venice_create_api_key",
            {"description": "for a test", "limit_usd": "5", "limit_period": "monthly"},
            "file",
        )
    ],
    "chain": [
        (
            "venice_call_blockchain",
            {"network": "base-mainnet", "method": "eth_blockNumber", "params": "[]"},
            "result",
        )
    ],
}


# A call of each toolset, and the argument of it that is no text: Python is sent in its place.
HOSTILE: dict[str, tuple[str, dict[str, Any], str]] = {
    "core": ("venice_generate_image", {"prompt": "A fox"}, "variants"),
    "text": ("venice_decide", {"state": "A refund, please!"}, "questions"),
    "image": ("venice_describe_image", {"question": "What is it?"}, "images"),
    "audio": ("venice_queue_music", {"prompt": "A calm tune"}, "duration_seconds"),
    "video": ("venice_make_video", {"prompt": "A fox"}, "wait_seconds"),
    "web": ("venice_search_web", {"query": "foxes"}, "limit"),
    "account": ("venice_report_usage", {}, "days"),
    "admin": ("venice_create_api_key", {"description": "for a test"}, "limit_usd"),
    "chain": (
        "venice_call_blockchain",
        {"network": "base-mainnet", "method": "eth_blockNumber"},
        "allow_write",
    ),
}


def with_nulls(name: str, arguments: dict[str, Any]) -> dict[str, Any]:
    """The arguments, and null for each that the tool has besides."""
    return dict.fromkeys(typed_schema_of(name)["parameters"]["properties"]) | arguments


def script(calls: list[tuple[str, dict[str, Any], str]]) -> Any:
    """What the local Venice's chat follows: each call after the one before, and then a word."""
    rest: Any = "Done."
    for name, arguments, _ in reversed(calls):
        rest = {"calls": [{"name": name, "arguments": with_nulls(name, arguments)}], "then": rest}
    return rest


def attack(toolset: str, canary: Path) -> Any:
    """A call in which one argument is Python that writes the key into a file."""
    name, arguments, argument = HOSTILE[toolset]
    code = f"[] if open({str(canary)!r}, 'w').write(__import__('os').environ['VENICE_API_KEY']) else []"
    return script([(name, {**arguments, argument: code}, "")])


@pytest.fixture(scope="module")
def canary(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file that is there only if an argument ran as code."""
    return tmp_path_factory.mktemp("canary") / "canary"


@pytest.fixture(scope="module")
def scripted(tmp_path_factory: pytest.TempPathFactory, canary: Path) -> Iterator[LocalVenice]:
    """A local Venice whose chat makes an agent call the tools of a toolset that is named, or attack by one."""
    path = tmp_path_factory.mktemp("script") / "script.json"
    tried = [{"when": f"try {toolset}", **script(calls)} for toolset, calls in CALLS.items()]
    attacked = [{"when": f"attack {toolset}", **attack(toolset, canary)} for toolset in HOSTILE]
    path.write_text(json.dumps(tried + attacked))
    with running_venice(script=path, job_seconds=0) as venice:
        yield venice


@pytest.fixture(scope="module")
def agent(
    letta: Letta, scripted: LocalVenice, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[[str], str]]:
    """Make an agent with all of the tools of a toolset, whose model is at the local Venice."""
    records = {name: read_record(name) for name in tool_files()}
    done = apply(letta, plan(letta, list(records.values()), "local"), "local")
    assert [None] * len(records) == [change.problem for change in done]
    provider = {"name": "venice-toolsets", "provider_type": "openrouter", "api_key": scripted.key}
    with ExitStack() as stack:
        made: Any = letta.post(
            "/v1/providers/", cast_to=object, body={**provider, "base_url": scripted.base_url}
        )
        stack.callback(letta.delete, f"/v1/providers/{made['id']}", cast_to=object)

        def make(toolset: str) -> str:
            agent = letta.agents.create(
                name=toolset,
                model="venice-toolsets/zai-org-glm-5-2",
                include_base_tools=False,
                tools=[name for name, record in records.items() if record.toolset == toolset],
                secrets={
                    "VENICE_API_KEY": scripted.key,
                    "VENICE_BASE_URL": scripted.base_url,
                    "VENICE_MEDIA_DIR": str(tmp_path_factory.mktemp("media")),
                },
            )
            stack.callback(letta.agents.delete, agent.id)
            return agent.id

        yield make


def converse(letta: Letta, agent: str, wish: str) -> tuple[list[Any], set[str]]:
    """All messages that follow, and the names of the calls that a person was asked about; each is approved."""
    said: list[Any] = []
    approved: set[str] = set()
    turn: Any = {"role": "user", "content": f"Please {wish}."}
    while True:
        reply: Any = letta.agents.messages.create(agent, messages=[turn])
        said += reply.messages
        if "requires_approval" != reply.stop_reason.stop_reason:
            return said, approved
        call = reply.messages[-1].tool_call
        approved.add(call.name)
        yes = {"type": "approval", "approve": True, "tool_call_id": call.tool_call_id}
        turn = {"type": "approval", "approvals": [yes]}


def test_every_toolset_is_tried() -> None:
    """No toolset is left out."""
    assert list(TOOLSETS) == list(CALLS) == list(HOSTILE)


@pytest.mark.parametrize("toolset", CALLS)
def test_an_agent_uses_each_toolset(
    letta: Letta, agent: Callable[[str], str], toolset: str
) -> None:
    """Each call comes back with what it was made for; what costs dollars or changes the account asks a person first."""
    said, approved = converse(letta, agent(toolset), f"try {toolset}")

    results = [message for message in said if message.message_type == "tool_return_message"]
    assert ["success"] * len(CALLS[toolset]) == [result.status for result in results], results
    for (name, _, field), result in zip(CALLS[toolset], results, strict=True):
        assert field in json.loads(result.tool_return), (name, result.tool_return)
    assert {name for name, _, _ in CALLS[toolset] if read_record(name).needs_approval} == approved
    assert "Done." == said[-1].content
    assert Path(json.loads(results[-1].tool_return).get("file", __file__)).is_file()


def test_an_agent_makes_a_transparent_logo(letta: Letta, agent: Callable[[str], str]) -> None:
    """What it stored in the middle of a conversation has transparent corners, and a logo in the middle."""
    said, _ = converse(letta, agent("core"), "try core")

    made = next(message for message in said if message.message_type == "tool_return_message")
    (file,) = json.loads(made.tool_return)["files"]
    assert file["transparent"]
    with Image.open(file["file"]) as picture:
        middle = (picture.width // 2, picture.height // 2)
        assert [0, 255] == [picture.getpixel(place)[3] for place in ((0, 0), middle)]  # type: ignore[index]


def test_an_agent_decides(letta: Letta, agent: Callable[[str], str]) -> None:
    """In the middle of a conversation, yes-or-no questions about JSON are answered, for next to nothing."""
    said, _ = converse(letta, agent("text"), "try text")

    decided = json.loads(
        next(
            message for message in said if message.message_type == "tool_return_message"
        ).tool_return
    )
    assert {"Is it urgent?": "yes", "Does it mention kittens?": "no"} == {
        one["question"]: one["answer"] for one in decided["answers"]
    }
    assert 0 < decided["cost_usd"] < 0.001


def test_an_agent_hears_a_film_and_deletes_it(letta: Letta, agent: Callable[[str], str]) -> None:
    """A stored film is heard by a model that takes films, which is named; then Venice's copy goes, and ours stays."""
    said, _ = converse(letta, agent("video"), "try video")

    results = [
        message.tool_return for message in said if message.message_type == "tool_return_message"
    ]
    made, heard, deleted = map(json.loads, results)
    assert heard["heard_by"]
    assert deleted["deleted"]
    assert made["file"] == deleted["file"]
    assert Path(made["file"]).is_file()


@pytest.mark.parametrize("toolset", HOSTILE)
def test_no_toolset_runs_an_argument_as_code(
    letta: Letta, agent: Callable[[str], str], canary: Path, toolset: str
) -> None:
    """Python in the place of a number, a switch or a list is read as a text, and refused in a line of ours.

    A question may be any text, and so it is asked.
    """
    _, _, argument = HOSTILE[toolset]
    said, _ = converse(letta, agent(toolset), f"attack {toolset}")

    (result,) = [message for message in said if message.message_type == "tool_return_message"]
    assert not canary.exists()
    outcomes = (
        f"VeniceError: '{argument}' must be ",
        "No stored file is called",
        '"question": "[] if open(',
    )
    assert any(outcome in result.tool_return for outcome in outcomes)
    assert ("success" if toolset == "text" else "error") == result.status
