import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
import respx
from hypothesis import given
from hypothesis import strategies as st

from tests.tools.conftest import refusal

Tool = Callable[..., str]
CALL: dict[str, Any] = {"texts": ["A fox.", "A bee."]}


def model(name: str, **spec: Any) -> dict[str, Any]:
    """An embedding model as Venice lists it."""
    return {
        "id": name,
        "type": "embedding",
        "model_spec": {"pricing": {"input": {"usd": 0.15}}} | spec,
    }


MODELS = [
    model("bge", embeddingDimensions=4),
    model("qwen", embeddingDimensions=8, supportsCustomDimensions=True),
]


@pytest.fixture
def posts(api: respx.MockRouter) -> respx.Route:
    """Venice, which sends vectors of the right length in the wrong order: the length of a text is its first number."""
    api.get("/models").respond(json={"object": "list", "data": MODELS})

    def embed(request: httpx.Request) -> httpx.Response:
        body = json.loads(request.content)
        rest = [0.123456789] * ((body.get("dimensions") or 4) - 1)
        data = [
            {"index": place, "embedding": [len(text), *rest]}
            for place, text in enumerate(body["input"])
        ]
        return httpx.Response(
            200, json={"data": data[::-1], "usage": {"total_tokens": 10 * len(data)}}
        )

    return api.post("/embeddings").mock(side_effect=embed)


@pytest.fixture
def embed(posts: respx.Route, tool: Tool) -> Callable[..., Any]:
    """Call the tool; its reply."""
    assert not posts.called

    def run(**arguments: Any) -> Any:
        reply = tool(**arguments)
        assert len(reply) < 8000
        return json.loads(reply)

    return run


def lines(reply: Any) -> list[Any]:
    """What the file of a reply holds."""
    return [json.loads(line) for line in Path(reply["file"]).read_text().splitlines()]


def test_keeps_vectors_in_a_file(embed: Callable[..., Any]) -> None:
    """Each line holds a text, the model and the vector, in the order of the texts; the reply holds no vector."""
    reply = embed(texts=["a", "bcd"])

    vectors = [[1, *[0.123456789] * 3], [3, *[0.123456789] * 3]]
    texts = zip(["a", "bcd"], vectors, strict=True)
    assert [{"text": text, "model": "bge", "vector": vector} for text, vector in texts] == lines(
        reply
    )
    assert (2, 4, "bge", 20, 3e-06) == tuple(
        reply[name] for name in ("count", "dimensions", "model", "tokens", "cost_usd")
    )
    assert "application/jsonl" == reply["type"]
    assert "vectors" not in reply


@pytest.mark.parametrize("place", [0, 600])
def test_a_text_that_is_too_long_costs_nothing(tool: Tool, posts: respx.Route, place: int) -> None:
    """Venice refuses all texts for one that is too long, and does not say which: that is told before any is sent."""
    texts = ["a"] * 700
    texts[place] = "Long ago " * 3100
    told = refusal(tool, texts=texts)

    assert told == (
        "The text 'Long ago Long ago Long ago Long ago Long' has 27,900 characters, "
        "and Venice takes 27,594 in one. Cut it into parts."
    )
    assert not posts.called


def test_a_text_may_be_as_long_as_venice_takes(embed: Callable[..., Any]) -> None:
    """That is 8,192 tokens, as Venice estimates them."""
    assert 1 == embed(texts=["a" * 27_594])["count"]


def test_three_texts_fit_600_characters(embed: Callable[..., Any]) -> None:
    """A usual reply is short; the folder of the tests, which is long, is not counted."""
    reply = embed(texts=["The first text.", "The second text.", "The third text."])
    reply["file"] = f"/home/letta/venice_media/{Path(reply['file']).name}"

    assert len(json.dumps(reply)) < 600


def test_vectors_are_shown_when_asked_for_and_few(embed: Callable[..., Any]) -> None:
    """Three short vectors are shown, rounded; more than three are not, and the reply says where they are."""
    assert [[1, 0.12346, 0.12346, 0.12346]] == embed(texts=["a"], show_vectors=True)["vectors"]
    reply = embed(texts=["a"] * 4, show_vectors=True)

    assert "vectors" not in reply
    assert ["The vectors are too many or too long to be shown: read the file."] == reply["notes"]


def test_many_texts_go_in_batches(embed: Callable[..., Any], posts: respx.Route) -> None:
    """At most 512 texts go at once, and all vectors come back in order."""
    reply = embed(texts=["x" * (number % 7 + 1) for number in range(4100)])

    assert [*[512] * 8, 4] == [
        len(json.loads(call.request.content)["input"]) for call in posts.calls
    ]
    assert (4100, 41_000) == (reply["count"], reply["tokens"])
    assert [number % 7 + 1 for number in range(4100)] == [
        line["vector"][0] for line in lines(reply)
    ]


def test_what_is_paid_is_kept(embed: Callable[..., Any], posts: respx.Route) -> None:
    """When a later batch fails, the earlier ones are in the file, the reason is told, and nothing is sent again."""
    first = [{"index": place, "embedding": [1.0]} for place in range(512)]
    good = httpx.Response(200, json={"data": first, "usage": {"total_tokens": 5}})
    posts.mock(side_effect=[good, httpx.Response(500, json={"error": "Inference failed"})])
    reply = embed(texts=["x"] * 514)

    assert (512, 512, 2) == (reply["count"], len(lines(reply)), posts.call_count)
    assert (
        "Only the first 512 of 514 texts: Venice answered 500: Inference failed; "
        in reply["notes"][0]
    )


def vectors_by(model: str, count: int = 1) -> httpx.Response:
    """Vectors, and the model that made them."""
    data = [{"index": place, "embedding": [1.0]} for place in range(count)]
    return httpx.Response(200, json={"data": data, "model": model, "usage": {"total_tokens": 5}})


TOLD_OF_ANOTHER = (
    "Venice took qwen for bge: the vectors are of that model, "
    "and cost_usd goes by the price of the one that was asked for."
)
TOLD_OF_UNLISTED = (
    "Venice says that 'some-other' made the vectors, which it does not list; "
    "they count as those of bge."
)


@pytest.mark.parametrize(
    ("named", "maker", "note"),
    [
        ("bge", "bge", None),
        ("BGE", "bge", None),
        ("venice/bge", "bge", None),
        ("", "bge", None),
        ("Qwen", "qwen", TOLD_OF_ANOTHER),
        ("some-other", "bge", TOLD_OF_UNLISTED),
    ],
    ids=["the-same", "case", "provider", "untold", "another", "unlisted"],
)
def test_vectors_are_of_the_model_that_made_them(
    embed: Callable[..., Any], posts: respx.Route, named: str, maker: str, note: str | None
) -> None:
    """The file names what made its vectors, by a name that can be asked for again; a difference is told."""
    posts.mock(return_value=vectors_by(named))

    reply = embed(texts=["a"])

    assert maker == reply["model"] == lines(reply)[0]["model"]
    assert reply.get("notes") == (note and [note])


def test_vectors_of_two_models_are_not_mixed(embed: Callable[..., Any], posts: respx.Route) -> None:
    """When Venice takes another model in between, what came before is kept, and the reason is told."""
    posts.mock(side_effect=[vectors_by("bge", 512), vectors_by("qwen", 2)])

    reply = embed(texts=["x"] * 514)

    assert {"bge"} == {line["model"] for line in lines(reply)}
    assert 512 == reply["count"]
    (note,) = reply["notes"]
    assert note.startswith(
        "Only the first 512 of 514 texts: Venice took another model for them, qwen;"
    )


@pytest.mark.parametrize(
    ("content", "held"),
    [
        ("one\n\n two \n", ["one", "two"]),
        ('{"text": "one", "id": 1}\n{"text": "two"}\n', ["one", "two"]),
        ('"one"\n"two\\nlines"\n', ["one", "two\nlines"]),
        ("one\u2028still one", ["one\u2028still one"]),
    ],
    ids=["lines", "objects", "strings", "separator"],
)
def test_reads_a_file_of_texts(
    embed: Callable[..., Any], tmp_path: Path, content: str, held: list[str]
) -> None:
    """Plain lines, or JSON Lines of objects or texts."""
    (tmp_path / "media").mkdir()
    (tmp_path / "media" / "in.txt").write_text(content)

    assert held == [line["text"] for line in lines(embed(file="in.txt"))]


@pytest.mark.parametrize("file", [" in.jsonl ", "in.jsonl\n"])
def test_space_around_a_file_is_none_of_its_name(
    embed: Callable[..., Any], tmp_path: Path, file: str
) -> None:
    """What stands around the name says nothing, neither of the file nor of its kind."""
    (tmp_path / "media").mkdir()
    (tmp_path / "media" / "in.jsonl").write_text('{"text": "a"}\n"b"\n')

    assert ["a", "b"] == [line["text"] for line in lines(embed(file=file))]


def test_dimensions_choose_a_model_that_has_them(
    embed: Callable[..., Any], posts: respx.Route
) -> None:
    """Only some models let one choose how long a vector is."""
    reply = embed(texts=["a"], dimensions=2)

    assert ("qwen", 2) == (reply["model"], reply["dimensions"])
    assert 2 == json.loads(posts.calls.last.request.content)["dimensions"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({}, "There is no text"),
        ({"texts": ["a", " "]}, "one of them is empty"),
        ({"file": "../secret"}, "No stored file is called '../secret'"),
        ({"texts": ["a"], "dimensions": 9}, r"'dimensions' must be 1 to 8"),
        ({"texts": ["a"], "dimensions": 0}, r"'dimensions' must be 1 to"),
        ({"texts": ["a"], "dimensions": 2, "model": "bge"}, "Leave it out, or use: qwen"),
    ],
    ids=["nothing", "blank", "outside", "long", "zero", "unfit"],
)
def test_what_cannot_be_done_costs_nothing(
    embed: Callable[..., Any], posts: respx.Route, arguments: dict[str, Any], said: str
) -> None:
    """An error of one line, before anything is sent."""
    with pytest.raises(Exception, match=said) as failure:
        embed(**arguments)

    assert "VeniceError" == type(failure.value).__name__
    assert not posts.called


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "latin-1", "cp1252", "utf-16", "utf-32"]
)
def test_a_file_is_read_whatever_its_encoding(
    embed: Callable[..., Any], posts: respx.Route, tmp_path: Path, encoding: str
) -> None:
    """As venice_read_document reads a text: by its mark, as UTF-8, or as cp1252."""
    (tmp_path / "media").mkdir()
    (tmp_path / "media" / "in.txt").write_bytes("café au lait\r\n\r\nthé".encode(encoding))
    embed(file="in.txt")

    assert ["café au lait", "thé"] == json.loads(posts.calls[0].request.content)["input"]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("in.txt", b"\x81"),
        ("in.txt", b"\xff\xfe\0"),
        ("in.txt", b"\xe9\0"),
        ("in.jsonl", b'{"text": '),
        ("in.jsonl", '{"text": "é"}'.encode("latin-1")),
    ],
    ids=["bytes", "half", "control", "broken", "latin"],
)
def test_a_file_of_no_texts_is_refused(
    embed: Callable[..., Any], tmp_path: Path, name: str, content: bytes
) -> None:
    """What is no text, or half a line in JSON Lines, is an error of one line."""
    (tmp_path / "media").mkdir()
    (tmp_path / "media" / name).write_bytes(content)

    with pytest.raises(Exception, match=r"no text file, or no JSON Lines"):
        embed(file=name)


def test_a_text_may_begin_as_json_does(
    embed: Callable[..., Any], posts: respx.Route, tmp_path: Path
) -> None:
    """In a file that does not call itself JSON Lines, a line that is no JSON is a text."""
    lines = ['"Foxes dig," she said.', "{braces} are rare.", '{"text": "Bees hum."}', "Owls hoot."]
    (tmp_path / "media").mkdir()
    (tmp_path / "media" / "in.txt").write_text("\n".join(lines))

    embed(file="in.txt")

    texts = [*lines[:2], "Bees hum.", "Owls hoot."]
    assert [texts] == [json.loads(call.request.content)["input"] for call in posts.calls]


def test_too_few_vectors_are_an_error(embed: Callable[..., Any], posts: respx.Route) -> None:
    """A vector is never given to the wrong text."""
    posts.mock(return_value=httpx.Response(200, json={"data": [], "usage": {"total_tokens": 0}}))

    with pytest.raises(Exception, match=r"too few vectors, or none that are; it may be charged"):
        embed(texts=["a"])


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999", "null", '"1"'])
def test_what_is_no_number_is_no_part_of_a_vector(
    embed: Callable[..., Any], posts: respx.Route, number: str
) -> None:
    """Nothing is near such a vector, and JSON has no word for it: no file is made of it."""
    row = f'{{"index": 0, "embedding": [0.5, {number}]}}'
    posts.mock(return_value=httpx.Response(200, text=f'{{"data": [{row}]}}'))

    assert "none that are; it may be charged" in refusal(embed, texts=["a"])


@given(texts=st.lists(st.text(min_size=1).filter(str.strip), min_size=1, max_size=5))
def test_any_texts_come_back(embed: Callable[..., Any], texts: list[str]) -> None:
    """Whatever a text holds, its line in the file holds it too."""
    reply = embed(texts=texts)

    assert texts == [
        json.loads(line)["text"] for line in Path(reply["file"]).read_text().split("\n") if line
    ]


def test_embeds_with_the_local_venice(local_tool: Tool) -> None:
    """Over a real connection: vectors of the model's length, and of another that is chosen."""
    reply = json.loads(local_tool(texts=["A fox.", "A bee."]))

    assert ([1024, 1024], 2) == ([len(line["vector"]) for line in lines(reply)], reply["count"])
    assert 64 == json.loads(local_tool(texts=["A fox."], dimensions=64))["dimensions"]
