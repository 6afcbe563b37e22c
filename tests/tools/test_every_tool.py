"""Whatever an agent asks and Venice may answer, each tool keeps to Venice's document, and to a small reply or one line.

The tools are found by the folder's listing, and the arguments by their schemas: a new tool is
tested as it is.
"""

import ipaddress
import json
import re
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import respx
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from sanctum_venice_tools.emulator.catalogue import catalogue
from sanctum_venice_tools.emulator.facts import Schema, operations
from sanctum_venice_tools.emulator.process import LocalVenice
from sanctum_venice_tools.packing.bundle import tool_files
from sanctum_venice_tools.packing.schema import typed_schema_of
from tests.conftest import Clock
from tests.tools.conftest import KEY, PICTURE
from tests.tools.drawn_replies import JSON, AnyVenice, small_file, values
from tests.tools.recorded import Call, Tool, record

pytestmark = pytest.mark.slow

# A failing example is told as it was drawn: making it smaller would take minutes.
SETTINGS = settings(phases=[Phase.generate], suppress_health_check=list(HealthCheck))
LONGEST_REPLY = 8000
LONGEST_ASKED = 18_000
"""A reply may be longer only when the agent itself said how long the answer is to be."""

SECRET = "what lies outside of the media folder"
STORED = {
    "fox.png": "image/png",
    "fox.wav": "audio/wav",
    "fox.mp4": "video/mp4",
    "fox.txt": "text/plain",
}
MEDIA = [
    *(
        PICTURE,
        *STORED,
        "fox.jsonl",
        "data:audio/wav;base64,Zm94",
        "data:,",
        "gone.png",
        "../outside.txt",
        ".",
    ),
    *(
        "https://www.example.org/fox.png",
        "http://127.0.0.1/fox.png",
        "http://nowhere/fox.wav",
        "https://",
        "ftp://a.org/",
    ),
]
MODELS = [
    *(model["id"] for model in catalogue().models),
    "default",
    "fastest",
    "gpt-4o",
    "no-such-model",
]
# What an agent may write, by words of an argument's name.
PLAUSIBLE: dict[str, list[str]] = {
    "image|picture|audio|video|file|sample|document|media": MEDIA,
    "model|name": MODELS,
    "duration|seconds|time": ["5", "5s", "10s", "8 seconds", "Auto", "-1"],
    "ratio|size|resolution": [
        "16:9",
        "1:1",
        "auto",
        "1024x1024",
        "0:0",
        "1K",
        "4K",
        "720p",
        "1080p",
    ],
    "voice|style|language": ["af_sky", "alloy", "en", "English", "Watercolor", "vv_1"],
    "character|slug|id": ["alan-watts", "..", "a/b?c", "naïve 🦊"],
    "url|link|page": [
        "https://www.example.org/urban-wildlife/red-foxes",
        "https://youtu.be/dQw4w9WgXcQ",
        "fox",
    ],
    "schema|params|history|transaction": ["{}", '{"type": "object"}', "[]", "0x1", "[[[["],
    "network|method": [
        "ethereum-mainnet",
        "base-mainnet",
        "eth_blockNumber",
        "eth_sendRawTransaction",
    ],
    "date|day|since|until|start|end|period|lookback": [
        "2026-08-01",
        "7d",
        "2026-08-01T00:00:00Z",
        "yesterday",
    ],
}
# Objects of a form that only Venice knows are handed on as they are: its own refusal names what is
# wrong.
TURNS: list[dict[str, Any]] = [
    {"role": "user", "content": "Hi"},
    {
        "role": "assistant",
        "content": None,
        "tool_calls": [{"id": "1", "function": {"name": "look", "arguments": "{}"}}],
    },
    {"role": "tool", "content": "Dark.", "tool_call_id": "1"},
]
TEXTS = ["", " ", "A red fox.", "one\ntwo", "null", "\U0001f98a" * 300, "word " * 4000]
NUMBERS = [-1, 0, 1, 2, 3, 4, 5, 10, 20, 50, 100, 1000, 2**31, 10**20]


def arguments_of(name: str, call: dict[str, Any]) -> st.SearchStrategy[dict[str, Any]]:
    """A call that ends well, with some of its arguments left out or given other values that the schema allows."""
    schema = typed_schema_of(name)["parameters"]
    words = {
        parameter: re.findall(r"\w+", part["description"])
        for parameter, part in schema["properties"].items()
    }
    given_ones = {
        parameter: _arguments(part, parameter, words[parameter])
        for parameter, part in schema["properties"].items()
    }
    left_out = st.sets(st.sampled_from([*call, ""]), max_size=2).map(
        lambda names: names - {*schema["required"]}
    )
    few = st.sets(st.sampled_from([*given_ones]), max_size=3) if given_ones else st.just(set())
    changes = few.flatmap(
        lambda names: st.fixed_dictionaries({one: given_ones[one] for one in sorted(names)})
    )
    return st.builds(
        lambda gone, changed: (
            {one: value for one, value in call.items() if one not in gone} | changed
        ),
        left_out,
        changes,
    )


def _arguments(part: dict[str, Any], name: str, words: list[str]) -> st.SearchStrategy[Any]:
    """Values for an argument: anything of its type, and what its name and its description suggest."""
    if "enum" in part:
        return st.sampled_from(part["enum"])
    numbers = st.sampled_from([*NUMBERS, *(int(word) for word in words if word.isdecimal())])
    match part["type"]:
        case "string":
            likely = [
                text
                for pattern, texts in PLAUSIBLE.items()
                if re.search(pattern, name)
                for text in texts
            ]
            usual = st.sampled_from([*likely, *words])
            return usual | usual | st.sampled_from(TEXTS) | st.text(max_size=30)
        case "integer":
            return numbers | st.integers()
        case "number":
            return numbers | st.floats(allow_nan=False, allow_infinity=False)
        case "boolean":
            return st.booleans()
        case "array" if not part["items"]:
            return st.lists(JSON | st.sampled_from(["0x1", "latest"]), max_size=3)
        case "array" if part["items"]["type"] == "object":
            return st.lists(st.sampled_from(TURNS), max_size=3)
        case "array":
            return st.lists(_arguments(part["items"], name, words), max_size=4)
    within = st.sampled_from([*words, *NUMBERS, True, False, None, PICTURE]) | JSON
    return st.dictionaries(
        st.sampled_from([*words, "no_such_option"]),
        within | st.lists(within, max_size=2),
        max_size=3,
    )


def resolve(host: str, port: object = None, *_: object, **__: object) -> list[tuple[Any, ...]]:
    """An address as the network would find it: any host with a dot in its name is a public one."""
    try:
        address = str(ipaddress.ip_address(host))
    except ValueError:
        if "." not in host.strip("."):
            raise OSError from None
        address = "93.184.215.14"
    return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))]


@pytest.fixture
def call(
    name: str,
    venice: LocalVenice,
    load_tool: Callable[[str], Tool],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> Call:
    """The call of a tool's own tests, and files for others: some in the media folder, one beside it."""
    folder = tmp_path / "media"
    folder.mkdir()
    for file, kind in STORED.items():
        (folder / file).write_bytes(small_file(kind))
    line = json.dumps({"text": "A fox.", "model": "text-embedding-bge-m3", "vector": [1.0, 0.0]})
    (folder / "fox.jsonl").write_text(f"{line}\n", encoding="utf-8")
    (tmp_path / "outside.txt").write_text(SECRET, encoding="utf-8")
    return record(name, venice, load_tool, monkeypatch, tmp_path)


@pytest.fixture
def any_arguments(name: str, call: Call) -> st.SearchStrategy[dict[str, Any]]:
    """Arguments to draw, made once for all examples: Hypothesis takes long to check what it is to draw."""
    return arguments_of(name, call.arguments)


@pytest.fixture
def tool(name: str, load_tool: Callable[[str], Tool], monkeypatch: pytest.MonkeyPatch) -> Tool:
    """The tool, out of its emitted text, for an operator who has set a key and nothing else."""
    monkeypatch.setenv("VENICE_API_KEY", KEY)
    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    return load_tool(name)


def check_reply(said: str, arguments: dict[str, Any]) -> None:
    """A tool's reply is a JSON object, small, and without the key."""
    reply = json.loads(said, parse_constant=pytest.fail)
    assert isinstance(reply, dict)
    assert len(said) <= (LONGEST_ASKED if arguments.get("max_tokens") else LONGEST_REPLY)
    assert KEY not in said
    assert SECRET not in said


def check_error(line: str) -> None:
    """A tool's error is one line in full sentences, and without the key."""
    assert not re.search(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]", line)
    assert 0 < len(line) < 1000
    assert line.endswith(".")
    assert KEY not in line


@pytest.mark.parametrize("name", tool_files())
@SETTINGS
@given(data=st.data())
def test_any_call_and_any_reply_end_well(
    data: st.DataObject,
    any_arguments: st.SearchStrategy[dict[str, Any]],
    call: Call,
    tool: Tool,
    venice: LocalVenice,
) -> None:
    """Whatever is asked and answered: requests are documented ones, and what comes back is small, plain and keyless."""
    arguments = data.draw(any_arguments, label="arguments")
    call.restore_media()
    tool.__globals__["time"] = Clock()
    with respx.mock(assert_all_called=False) as router:
        router.route().mock(side_effect=AnyVenice(data.draw, venice.base_url, call))
        try:
            said = tool(**arguments)
        except tool.__globals__["VeniceError"] as error:
            check_error(str(error))
        else:
            check_reply(said, arguments)


# Each schema of a documented reply once, however many replies have it.
REPLIES = {
    json.dumps(replies["application/json"].schema): f"{method} {path} {status}"
    for (path, method), operation in operations().items()
    for status, replies in operation.responses.items()
    if "application/json" in replies
}


@pytest.mark.parametrize("schema", REPLIES, ids=REPLIES.values())
@settings(SETTINGS, max_examples=5)
@given(data=st.data())
def test_drawn_replies_are_documented_ones(schema: str, data: st.DataObject) -> None:
    """What stands in for Venice here says nothing that Venice's document does not allow."""
    known = Schema(json.loads(schema))

    assert [] == known.issues(data.draw(values(known.schema)))
