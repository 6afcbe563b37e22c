"""A Venice that is none: it drips, never ends, sends bombs, or JSON of any shape. A tool ends in time, and says so."""

import gzip
import itertools
import json
import subprocess
import sys
import time
import zlib
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import pytest

from sanctum_venice_tools.emulator.process import LocalVenice
from tests.conftest import space_of
from tests.runtime.raw_server import RawServer, Script, raw_server, reply, reply_json

pytestmark = pytest.mark.slow

SECONDS = 2
"""What a tool has here, VENICE_TOOL_SECONDS; it ends within two more."""
PLENTY = 30
"""What a tool has that must end long before, however busy the machine is: in a third of it."""

MODELS = reply_json(
    {
        "object": "list",
        "data": [{"id": "glm", "type": "text", "model_spec": {"traits": ["default"]}}],
    }
)


@pytest.fixture
def server() -> Iterator[RawServer]:
    """A server that lists one model, and plays what a test says."""
    with raw_server() as running:
        running.play["/models"] = [MODELS]
        yield running


def run_alone(
    server: RawServer | LocalVenice, text: str, call: str, **settings: str
) -> tuple[str, float, float]:
    """What a call of an emitted text says in a process of its own, how long it takes, and its MB at the peak."""
    program = f"""
import os
{text}
try:
    print({call})
except VeniceError as error:
    print(error)
print([line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM")][0])
"""
    environment = {
        "VENICE_API_KEY": "sk-1",
        "VENICE_BASE_URL": server.base_url,
        "VENICE_TOOL_SECONDS": str(SECONDS),
    }
    environment |= settings
    began = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-"],
        input=program,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert "" == done.stderr
    *said, peak = done.stdout.strip().split("\n")
    return "\n".join(said), time.monotonic() - began, int(peak) / 1024


HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"


def slowly(pieces: Iterator[bytes], pause: float = 0.2) -> Script:
    """Piece after piece, with pauses."""
    for piece in pieces:
        yield piece
        yield pause


def dripping() -> dict[str, Script]:
    """Ways to keep a client for ever, none of them silent."""
    empty = zlib.compressobj(wbits=31)
    return {
        "header lines": itertools.chain(
            [HEAD], slowly(b"X-%d: 1\r\n" % number for number in itertools.count())
        ),
        "103s": slowly(itertools.repeat(b"HTTP/1.1 103 Early Hints\r\n\r\n")),
        "a status line": slowly(bytes([byte]) for byte in b"HTTP/1.1 200 " + b"O" * 1000),
        "chunk sizes": itertools.chain([CHUNKED], slowly(itertools.repeat(b"0"))),
        "empty gzip blocks": itertools.chain(
            [HEAD + b"Content-Encoding: gzip\r\n\r\n"],
            slowly(empty.flush(zlib.Z_SYNC_FLUSH) for _ in itertools.count()),
        ),
        "bytes": itertools.chain([HEAD + b"\r\n"], slowly(itertools.repeat(b" "))),
    }


@pytest.mark.parametrize("way", dripping())
def test_a_call_ends_in_time(server: RawServer, texts: dict[str, str], way: str) -> None:
    """Whatever arrives and however slowly, the deadline is that of the whole call."""
    server.play["/augment/search"] = dripping()[way]

    said, seconds, _ = run_alone(
        server, texts["venice_search_web"], "venice_search_web(query='foxes')"
    )

    assert said.startswith("Venice took too long; it may be charged. Ask the person")
    assert seconds < SECONDS + 2
    assert ["/augment/search"] == server.requests


def test_what_the_deadline_cuts_is_not_whole(server: RawServer, texts: dict[str, str]) -> None:
    """A reply without a length that stops in the middle is told as late: the deadline is not its end."""
    begun = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n\r\n"
    whole_so_far = json.dumps({"results": [RESULT]}).encode()
    server.play["/augment/search"] = [begun + whole_so_far, SECONDS - 0.5, b" ", 30.0]

    said, seconds, _ = run_alone(
        server, texts["venice_search_web"], "venice_search_web(query='foxes')"
    )

    assert said.startswith("Venice took too long; it may be charged.")
    assert seconds < SECONDS + 2


@pytest.mark.parametrize(
    "step", ["connection.connect_tcp", "connection.start_tls", "proxy.start_tls", "socks.start_tls"]
)
def test_every_way_to_venice_is_held_to_the_deadline(texts: dict[str, str], step: str) -> None:
    """Through a proxy, too, nothing is read when the time is up."""
    space = space_of("venice_search_web", texts)
    stream = SimpleNamespace(read=lambda _size, **_: b"late", write=lambda _content, **_: None)
    space["_guard_connection"](f"{step}.complete", {"return_value": stream})
    space["_DEADLINE"] = 0.0

    with pytest.raises(httpx.ReadTimeout):
        stream.read(1, timeout=5.0)
    with pytest.raises(httpx.WriteTimeout):
        stream.write(b"late", timeout=5.0)


def endless(piece: bytes) -> Script:
    """The same bytes for ever."""
    return itertools.chain([HEAD + b"\r\n"], itertools.repeat(piece))


def gzip_bomb() -> Script:
    """A megabyte and a half that is a gigabyte and a half."""
    packer = zlib.compressobj(wbits=31)
    block = b" " * (1 << 25)
    start = packer.compress(block) + packer.flush(zlib.Z_FULL_FLUSH)
    # After a full flush a block packs to bytes that may follow one another, and the end never comes.
    again = packer.compress(block) + packer.flush(zlib.Z_FULL_FLUSH)
    return [HEAD + b"Content-Encoding: gzip\r\n\r\n", start + again * 47]


def packed_twice() -> Script:
    """A few thousand bytes that are 600 MB, for whoever unpacks as often as a server says."""
    packer = zlib.compressobj(zlib.Z_BEST_SPEED, wbits=31)
    inner = b"".join(packer.compress(bytes(1 << 20)) for _ in range(600)) + packer.flush()
    return [reply(gzip.compress(inner), headers="Content-Encoding: gzip, gzip\r\n")]


def many_members() -> Script:
    """A megabyte of bodies in gzip that hold nothing, one after the other, again and again."""
    return itertools.chain(
        [HEAD + b"Content-Encoding: gzip\r\n\r\n"], itertools.repeat(gzip.compress(b"") * 50_000)
    )


BOMBS: dict[str, Any] = {
    "packed twice": packed_twice,
    "gzip": gzip_bomb,
    "many members": many_members,
    "endless JSON": lambda: endless(b"[" * 65536),
    "a long error": lambda: [b"HTTP/1.1 500 Oh\r\n\r\n", *itertools.repeat(b"x" * 65536, 1600)],
    "brackets": lambda: [reply(b"<" * 400_000, status="500 Oh", kind="text/html")],
    "results of brackets": lambda: [
        reply_json({"results": [{"title": "<" * 400_000, "url": "https://a.example"}]})
    ],
}


@pytest.mark.parametrize("bomb", BOMBS)
def test_a_bomb_does_no_harm(server: RawServer, texts: dict[str, str], bomb: str) -> None:
    """Decoded sizes are bounded, and what is read is read in linear time."""
    server.play["/augment/search"] = BOMBS[bomb]()

    said, seconds, megabytes = run_alone(
        server, texts["venice_search_web"], "venice_search_web(query='foxes')"
    )

    assert 0 < len(said) < 8000
    assert 1 == len(said.splitlines())
    assert seconds < SECONDS + 2
    assert megabytes < 256


def test_a_packed_reply_is_read_up_to_the_limit_of_json(
    server: RawServer, texts: dict[str, str]
) -> None:
    """What a bomb unpacks to is too long at 64 MB, which is told long before the deadline."""
    server.play["/augment/search"] = gzip_bomb()

    said, seconds, _ = run_alone(
        server,
        texts["venice_search_web"],
        "venice_search_web(query='foxes')",
        VENICE_TOOL_SECONDS=str(PLENTY),
    )

    assert "64 MB" in said
    assert seconds < PLENTY / 3


def test_what_comes_after_the_end_of_gzip_is_refused_at_once(
    server: RawServer, texts: dict[str, str]
) -> None:
    """A large packed reply with more behind it ends the call, and does not keep it busy until its deadline."""
    packed = gzip.compress(b" " * (1 << 22))
    more = b"more" * len(packed)
    server.play["/augment/search"] = [reply(packed + more, headers="Content-Encoding: gzip\r\n")]

    said, seconds, _ = run_alone(
        server,
        texts["venice_search_web"],
        "venice_search_web(query='foxes')",
        VENICE_TOOL_SECONDS=str(PLENTY),
    )

    assert "it may be charged" in said
    assert not said.startswith("Venice took too long")
    assert seconds < PLENTY / 3


def test_a_line_without_end_is_read_in_linear_time(texts: dict[str, str]) -> None:
    """A stream that never ends its line costs no more by each piece than that piece."""
    space = space_of("venice_chat", texts)
    flood = httpx.Response(200, content=itertools.repeat(b"x" * 1000, 30_000))
    began = time.monotonic()

    (line,) = space["_lines"](flood)

    assert 30_000_000 == len(line)
    assert time.monotonic() - began < PLENTY / 3


def test_a_number_of_no_character_is_left_out(server: RawServer, texts: dict[str, str]) -> None:
    """A page may name a character by more digits than Python reads as a number; what was found is told all the same."""
    server.play["/augment/search"] = [
        reply_json({"results": [RESULT | {"title": "A &#" + "9" * 5000 + ";fox"}]})
    ]

    said, _, _ = run_alone(server, texts["venice_search_web"], "venice_search_web(query='foxes')")

    assert "A fox" == json.loads(said)["results"][0]["title"]


# --- replies of another shape ---

ANYTHING: list[Any] = [
    None,
    True,
    3,
    "text",
    [],
    {},
    [None],
    {"data": None},
    {"data": {}},
    {"error": "Oh"},
]


def chat_reply(*choices: Any, **more: Any) -> bytes:
    """A chat completion in one piece, where a stream was asked for."""
    return reply_json({"object": "chat.completion", "choices": list(choices), **more})


def stream(*events: Any) -> bytes:
    """A stream of these events."""
    lines = [b"data: " + json.dumps(event).encode() + b"\n\n" for event in events]
    return reply(b"".join(lines) + b"data: [DONE]\n\n", kind="text/event-stream")


def delta(**fields: Any) -> dict[str, Any]:
    """An event of a stream that holds one piece."""
    return {"choices": [{"index": 0, "delta": fields}]}


SPOKEN = {
    "one JSON body": chat_reply(
        {"index": 0, "message": {"content": "Foxes."}, "finish_reason": "stop"}
    ),
    "messages in a stream": stream({"choices": [{"index": 0, "message": {"content": "Foxes."}}]}),
    "a list of parts": stream(
        delta(content=[{"type": "text", "text": "Fox"}, {"type": "text", "text": "es."}])
    ),
    "thoughts before it": stream(
        delta(content="<think>Hm. "), delta(content="Yes.</think>\n"), delta(content="Foxes.")
    ),
    "odd pieces": stream(
        None, 3, {"choices": None}, {"choices": [None, {"delta": None}]}, delta(content="Foxes.")
    ),
    "no last line feed": reply(
        b'data: {"choices": [{"delta": {"content": "Foxes."}}]}', kind="text/event-stream"
    ),
}


@pytest.mark.parametrize("form", SPOKEN)
def test_a_paid_answer_is_never_thrown_away(
    server: RawServer, texts: dict[str, str], form: str
) -> None:
    """Whatever the form in which a model's words come, they reach the agent, and its thoughts do not."""
    server.play["/chat/completions"] = [SPOKEN[form]]

    said, _, _ = run_alone(server, texts["venice_chat"], "venice_chat(prompt='hi')")

    assert "Foxes." == json.loads(said)["answer"]


def test_the_reason_in_a_json_body_is_told(server: RawServer, texts: dict[str, str]) -> None:
    """An error that comes in place of a stream, with a good status, is told in Venice's own words."""
    server.play["/chat/completions"] = [reply_json({"error": {"message": "Inference failed"}})]

    said, _, _ = run_alone(server, texts["venice_chat"], "venice_chat(prompt='hi')")

    assert "Inference failed" in said
    assert "it may be charged" in said


@pytest.mark.parametrize("ending", ["stop", "length"])
def test_a_model_that_only_thinks_is_explained(
    server: RawServer, texts: dict[str, str], ending: str
) -> None:
    """Nobody is told to try again what was spent on thinking."""
    end = {"choices": [{"index": 0, "delta": {}, "finish_reason": ending}]}
    server.play["/chat/completions"] = [stream(delta(reasoning_content="Hm."), end)]

    said, _, _ = run_alone(server, texts["venice_chat"], "venice_chat(prompt='hi')")

    assert said.startswith(
        f"The model spent all on thinking and said nothing ({ending}); it is charged."
    )
    assert "max_tokens" in said


# --- what is said of it ---

RESULT = {"title": "Foxes", "url": "https://a.example/foxes", "content": "They sleep."}


def test_a_model_that_goes_is_told_once(server: RawServer, texts: dict[str, str]) -> None:
    """What Venice's headers say of a model's end stands in the notes, once, with its day."""
    warning = (
        "x-venice-model-deprecation-warning: glm is about to go\r\nx-venice-model-deprecation-date: 2027-01-31\r\n"
        "x-venice-deprecated-replacement: glm-5\r\n"
    )
    answer = json.dumps(
        {"choices": [{"message": {"content": "Foxes."}, "finish_reason": "stop"}]}
    ).encode()
    server.play["/chat/completions"] = [reply(answer, headers=warning)]

    said, _, _ = run_alone(server, texts["venice_chat"], "venice_chat(prompt='hi')")

    assert [
        "Venice says of this model: glm is about to go (2027-01-31). Then take glm-5."
    ] == json.loads(said)["notes"]


def test_what_is_good_of_a_result_is_given(server: RawServer, texts: dict[str, str]) -> None:
    """A hit with an endless address, or none, costs only itself, and is counted."""
    odd = [RESULT | {"url": "https://a.example/" + "x" * 50_000}, {"title": None}, None]
    server.play["/augment/search"] = [reply_json({"results": [*odd, RESULT]})]

    said, _, _ = run_alone(server, texts["venice_search_web"], "venice_search_web(query='foxes')")

    told = json.loads(said)
    assert ["https://a.example/foxes"] == [result["url"] for result in told["results"]]
    assert "2 more were found, without a usable address." == told["notes"]


@pytest.mark.parametrize(
    ("name", "path", "call", "body"),
    [
        (
            "venice_find_characters",
            "/characters",
            "venice_find_characters(limit=20)",
            {
                "data": [
                    {
                        "slug": "x" * 100_000,
                        "name": "n",
                        "description": "d",
                        "tags": [],
                        "modelId": "m",
                        "adult": False,
                        "stats": {"averageRating": 1, "ratingCount": 1},
                    }
                ]
                * 20
            },
        ),
        (
            "venice_list_image_styles",
            "/image/styles",
            "venice_list_image_styles()",
            {"object": "list", "data": ["style " * 200] * 400},
        ),
    ],
    ids=["slugs", "styles"],
)
def test_no_reply_is_long(  # noqa: PLR0917 - the parameters of a table
    server: RawServer, texts: dict[str, str], name: str, path: str, call: str, body: Any
) -> None:
    """However long the texts that Venice sends, an agent gets 8,000 characters at most, and reads that they are cut."""
    server.play[path] = [reply_json(body)]

    said, _, _ = run_alone(server, texts[name], call)

    assert len(said) <= 8000
    assert "This reply was too long: texts and lists in it are cut." in json.loads(said)["notes"]


def test_half_a_character_is_sent_as_a_whole_one(server: RawServer, texts: dict[str, str]) -> None:
    """A lone half of a surrogate pair, in any text, is replaced; codecs are never heard of."""
    server.play["/augment/search"] = [reply_json({"results": [RESULT]})]

    said, _, _ = run_alone(
        server, texts["venice_search_web"], "venice_search_web(query='a \\ud800 fox')"
    )

    assert json.loads(said)["results"]


def test_a_slug_of_half_a_character_is_sent(server: RawServer, texts: dict[str, str]) -> None:
    """In an address and in a query, too, half of a character is replaced."""
    server.play["/characters/%3F"] = server.play["/characters"] = [reply_json({"data": []})]
    name = "venice_find_characters"

    run_alone(server, texts[name], f"{name}(slug='\\ud800')")
    said, _, _ = run_alone(server, texts[name], f"{name}(query='\\ud800')")

    assert said.startswith('{"notes": ["No character fits.')
    assert ["/characters/%3F", "/characters"] == server.requests


def test_a_long_reply_keeps_what_only_counts_whole(texts: dict[str, str]) -> None:
    """However much is cut, a job and the path of a file are told, and whole."""
    space = space_of("venice_make_video", texts)
    large = {str(place): ["x" * 300] * 300 for place in range(300)}
    before = dict.fromkeys(("a", "b", "c", "d", "e"), large)
    job, file = "venice-video|m|" + "q" * 90, "/media/" + "f" * 90 + ".mp4"

    told = json.loads(space["_answer"](**before, job=job, file=file))

    assert (job, file) == (told["job"], told["file"])


PRIVATE = [
    "http://0x7f000001/x.png",
    "http://2130706433/x.png",
    "http://[::1]/x.png",
    "http://localhost/x.png",
]
PRIVATE += [
    "http://192.0.0.192/x.png",
    "http://168.63.129.16/x.png",
    "http://10.0.0.1:80/x.png",
    "http://fox.local/x.png",
]
# Hosts that are read in two ways: as a public one by some, as a private one by browsers and their
# like.
AMBIGUOUS = ["http://127.0.0.1\\@example.com/x.png", "http://%31%32%37.0.0.1/x.png"]
FETCHED_BY_VENICE = {
    "venice_edit_image": "venice_edit_image(images={url!r}, instruction='Red')",
    "venice_remove_background": "venice_remove_background(image={url!r})",
    "venice_chat": "venice_chat(prompt='hi', images=[{url!r}])",
    "venice_describe_image": "venice_describe_image(images={url!r})",
}


@pytest.mark.parametrize("name", FETCHED_BY_VENICE)
def test_venice_is_sent_into_no_private_network(
    server: RawServer, texts: dict[str, str], name: str
) -> None:
    """An address that we would not fetch is not handed to Venice either, however it is written."""
    seeing = {"id": "glm", "model_spec": {"capabilities": {"supportsVision": True}}}
    server.play["/models"] = [reply_json({"data": [seeing]})]
    calls = [FETCHED_BY_VENICE[name].format(url=url) for url in PRIVATE + AMBIGUOUS]
    program = "\n".join(
        f"    try: {call}\n    except VeniceError as error: print(error)" for call in calls
    )

    said, _, _ = run_alone(
        server, f"{texts[name]}\ndef all_of_them():\n{program}\n    return ''", "all_of_them()"
    )

    assert len(PRIVATE) == said.count("is in a private network; only public URLs are fetched.")
    assert len(AMBIGUOUS) == said.count("is no web address.")
    assert {"/models"} >= set(server.requests)


def test_many_vectors_take_little_memory(
    venice: LocalVenice, texts: dict[str, str], tmp_path: Path
) -> None:
    """Ten thousand texts are embedded, and ranked out of their file, with at most 120 MB."""
    settings = {
        "VENICE_API_KEY": venice.key,
        "VENICE_TOOL_SECONDS": "120",
        "VENICE_MEDIA_DIR": str(tmp_path),
    }
    many = "venice_embed_texts(texts=[f'text {number}' for number in range(10_000)])"

    made, _, to_embed = run_alone(venice, texts["venice_embed_texts"], many, **settings)
    file = json.loads(made)["file"]
    ranked, _, to_rank = run_alone(
        venice,
        texts["venice_rank_texts"],
        f"venice_rank_texts(query='text 7', file={file!r})",
        **settings,
    )

    assert 10_000 == json.loads(made)["count"] == json.loads(ranked)["ranked"]
    assert max(to_embed, to_rank) < 120
