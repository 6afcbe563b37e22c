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
CALL: dict[str, Any] = {"query": "a bee", "texts": ["A fox.", "A bee."]}

PLACES = {
    "north": [0.0, 2.0],
    "east": [3.0, 0.0],
    "north-east": [1.0, 1.0],
    "south": [0.0, -1.0],
    "nowhere": [0.0, 0.0],
}
"""Texts whose meanings are directions."""


@pytest.fixture
def posts(api: respx.MockRouter) -> respx.Route:
    """Venice, which knows directions."""
    listed = [
        {"id": name, "type": "embedding", "model_spec": {"pricing": {"input": {"usd": 1}}}}
        for name in ("a", "b")
    ]
    api.get("/models").respond(json={"object": "list", "data": listed})

    def embed(request: httpx.Request) -> httpx.Response:
        texts = json.loads(request.content)["input"]
        data = [
            {"index": place, "embedding": PLACES.get(text, [1.0, 1.0])}
            for place, text in enumerate(texts)
        ]
        return httpx.Response(200, json={"data": data, "usage": {"total_tokens": 7}})

    return api.post("/embeddings").mock(side_effect=embed)


@pytest.fixture
def rank(posts: respx.Route, tool: Tool) -> Callable[..., Any]:
    """Call the tool; its reply."""
    assert not posts.called

    def run(**arguments: Any) -> Any:
        reply = tool(**{"query": "north", **arguments})
        assert len(reply) < 8000
        return json.loads(reply)

    return run


@pytest.mark.parametrize("arguments", [{"texts": ["a", "b" * 27_595]}, {"query": "b" * 27_595}])
def test_a_text_that_is_too_long_costs_nothing(
    tool: Tool, posts: respx.Route, arguments: dict[str, Any]
) -> None:
    """It is named before anything is sent."""
    told = refusal(tool, **{"query": "north", "texts": ["a"], **arguments})

    assert f"The text '{'b' * 40}' has 27,595 characters" in told
    assert not posts.called


def keep(media: Path, **lines: Any) -> str:
    """Write a file of vectors as venice_embed_texts does; each text with its model and vector."""
    text = "".join(
        json.dumps({"text": one, "model": made[0], "vector": made[1]}) + "\n"
        for one, made in lines.items()
    )
    (media / "vectors.jsonl").write_text(text)
    return "vectors.jsonl"


def test_ranks_by_direction(rank: Callable[..., Any], posts: respx.Route) -> None:
    """Best first, with the place that each had in the list; one request; a text without direction is in between."""
    reply = rank(texts=["south", "nowhere", "east", "north-east", "north"])

    assert [(4, 1.0), (3, 0.7071), (1, 0.0), (2, 0.0), (0, -1.0)] == [
        (one["place"], one["score"]) for one in reply["results"]
    ]
    assert ["north", "north-east"] == [one["text"] for one in reply["results"]][:2]
    assert (5, "a", 7e-06) == (reply["ranked"], reply["model"], reply["cost_usd"])
    assert ["north", "south", "nowhere", "east", "north-east", "north"] == json.loads(
        posts.calls[0].request.content
    )["input"]


def test_top_k_is_how_many_are_shown(rank: Callable[..., Any]) -> None:
    """All are ranked, the best are shown."""
    reply = rank(texts=["south", "north", "east"], top_k=1)

    assert ([1], 3) == ([one["place"] for one in reply["results"]], reply["ranked"])


def test_a_file_of_vectors_costs_only_the_query(
    rank: Callable[..., Any], posts: respx.Route, media: Path
) -> None:
    """Stored vectors are not made again, and the query goes to the model that made them."""
    name = keep(media, south=["b", [0, -1]], north=["b", [0, 9]])
    reply = rank(file=name)

    assert ({"input": ["north"], "model": "b"}, "b") == (
        json.loads(posts.calls[0].request.content),
        reply["model"],
    )
    assert ["north", "south"] == [one["text"] for one in reply["results"]]


def test_space_around_a_file_is_none_of_its_name(rank: Callable[..., Any], media: Path) -> None:
    """What stands around the name of stored vectors says nothing."""
    name = keep(media, north=["b", [0, 9]])

    assert ["north"] == [one["text"] for one in rank(file=f" {name}\n")["results"]]


def test_a_query_of_another_model_is_not_compared(
    rank: Callable[..., Any], posts: respx.Route, media: Path
) -> None:
    """Where Venice takes another model for the one that made a file, nearness would mean nothing."""
    made = {"model": "a", "data": [{"index": 0, "embedding": [0, 1]}]}
    posts.mock(return_value=httpx.Response(200, json=made))
    name = keep(media, south=["b", [0, -1]], north=["b", [0, 9]])

    with pytest.raises(Exception, match=r"Venice has a now for b, which made these .* be charged"):
        rank(file=name)


@pytest.mark.parametrize("stand_in", ["a", ""])
def test_vectors_of_a_model_that_is_gone_are_not_ranked(
    rank: Callable[..., Any], posts: respx.Route, api: respx.MockRouter, media: Path, stand_in: str
) -> None:
    """Only their own model can make a query that is near them: not even one that Venice names in its place."""
    names = {"retired": stand_in} if stand_in else {}
    api.get("/models/compatibility_mapping").respond(json={"object": "list", "data": names})
    name = keep(media, south=["retired", [0, -1]], north=["retired", [0, 9]])

    assert (
        "Venice no longer has the model 'retired' of these vectors. "
        "Make them anew with venice_embed_texts."
    ) == refusal(rank, file=name)
    assert not posts.called


def test_vectors_of_a_model_that_is_away_wait_for_it(
    rank: Callable[..., Any], posts: respx.Route, api: respx.MockRouter, media: Path
) -> None:
    """A model that is only offline comes back: to make the vectors anew would be paid in vain."""
    away = {"id": "b", "type": "embedding", "model_spec": {"offline": True}}
    api.get("/models").respond(json={"object": "list", "data": [away]})
    name = keep(media, north=["b", [0, 9]])

    assert (
        "The model 'b' of these vectors is offline. Try again later, or make them anew with "
        "venice_embed_texts, with another model."
    ) == refusal(rank, file=name)
    assert not posts.called


def test_texts_and_a_file_are_not_mixed(
    rank: Callable[..., Any], posts: respx.Route, media: Path
) -> None:
    """One of them would be left out without a word: the agent chooses, before anything is sent."""
    name = keep(media, north=["b", [0, 9]])

    assert "Give texts or a file, not both." == refusal(rank, texts=["south"], file=name)
    assert ["north"] == [one["text"] for one in rank(texts=[], file=name)["results"]]
    assert 1 == posts.call_count


@pytest.mark.parametrize(
    ("wanted", "notes"),
    [
        ("", None),
        ("b", None),
        (" ", None),
        ("B ", None),
        ("venice/b", None),
        ("a", ["Took b, not a: the vectors of this file are of that model."]),
    ],
)
def test_a_file_decides_on_the_model(
    rank: Callable[..., Any], media: Path, wanted: str, notes: list[str] | None
) -> None:
    """Where the agent names another, the reply says that it was not taken."""
    reply = rank(file=keep(media, north=["b", [0, 9]]), model=wanted)

    assert ("b", notes) == (reply["model"], reply.get("notes"))


def test_long_texts_are_shortened(rank: Callable[..., Any]) -> None:
    """Fifty long texts, full of quotes, still make a short reply."""
    assert 50 == len(rank(texts=['"so" \n' * 500] * 60, top_k=50)["results"])
    assert len(rank(texts=['"so" \n' * 4500], top_k=1)["results"][0]["text"]) <= 2800


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({}, "The query or a text is empty, or there is none"),
        ({"texts": ["a", ""]}, "The query or a text is empty"),
        ({"texts": ["a"], "query": " "}, "The query or a text is empty"),
        ({"texts": ["a"], "top_k": 0}, r"'top_k' must be 1 to 50"),
        ({"texts": ["a"], "model": "c"}, "Leave it out, or use: "),
        ({"file": "../secret"}, "No stored file is called"),
        ({"file": "notes.txt"}, "This file holds no vectors"),
    ],
    ids=["nothing", "blank", "no-query", "top_k", "model", "outside", "no-vectors"],
)
def test_what_cannot_be_done_costs_nothing(
    rank: Callable[..., Any], posts: respx.Route, media: Path, arguments: dict[str, Any], said: str
) -> None:
    """An error of one line, before anything is sent."""
    (media / "notes.txt").write_text("only words\n")
    with pytest.raises(Exception, match=said) as failure:
        rank(**arguments)

    assert "VeniceError" == type(failure.value).__name__
    assert not posts.called


@pytest.mark.parametrize("other", [["a", [1, 2, 3]], ["b", [1, 2]]], ids=["length", "model"])
def test_vectors_of_several_models_are_refused(
    rank: Callable[..., Any], media: Path, other: list[Any]
) -> None:
    """Vectors that can't be compared are not."""
    name = keep(media, one=["a", [1, 2]], two=other)

    with pytest.raises(Exception, match=r"not all of one model"):
        rank(file=name)


@given(
    texts=st.lists(st.text(min_size=1).filter(str.strip), min_size=1, max_size=60),
    top_k=st.integers(1, 50),
)
def test_any_texts_are_ranked(rank: Callable[..., Any], texts: list[str], top_k: int) -> None:
    """Each place is shown once, best first."""
    reply = rank(texts=texts, top_k=top_k)

    scores = [one["score"] for one in reply["results"]]
    assert scores == sorted(scores, reverse=True)
    assert min(top_k, len(texts)) == len({one["place"] for one in reply["results"]})


def test_ranks_what_was_embedded(local_tool: Tool, load_tool: Callable[[str], Tool]) -> None:
    """Over a real connection: the file that venice_embed_texts makes is the one that is ranked, of any length."""
    texts = [
        "Foxes sleep under sheds.",
        "Bees dance for their sisters.",
        "Rain falls on the harbour.",
    ]
    embed = load_tool("venice_embed_texts")
    for dimensions in (None, 256):
        kept = json.loads(embed(texts=texts, dimensions=dimensions))
        reply = json.loads(local_tool(query="dancing bees", file=Path(kept["file"]).name))

        assert (1, 3) == (reply["results"][0]["place"], reply["ranked"])
    embed.__globals__["_client"]().close()
    assert 1 == json.loads(local_tool(query="dancing bees", texts=texts))["results"][0]["place"]
