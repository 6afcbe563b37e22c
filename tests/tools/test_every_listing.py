"""The copy of Venice's list of models: it spares a request, and is never believed for long."""

import json
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import httpx
import pytest
import respx
from hypothesis import given
from hypothesis import strategies as st

from tests.conftest import kept_in
from tests.tools.conftest import KEY, listings, refusal

Load = Callable[[str], Callable[..., str]]


def model(name: str, kind: str) -> dict[str, Any]:
    """A model as Venice lists it."""
    return {"id": name, "type": kind, "model_spec": {"traits": ["default"], "voices": ["af_sky"]}}


@pytest.fixture
def vectors(api: respx.MockRouter) -> respx.MockRouter:
    """A Venice that makes vectors, by one model."""
    api.get("/models").respond(json={"object": "list", "data": [model("bge", "embedding")]})
    reply = {"data": [{"index": 0, "embedding": [0.1, 0.2]}], "model": "bge", "usage": {}}
    api.post("/embeddings").respond(json={"object": "list", **reply})
    return api


@pytest.fixture
def embed(load_tool: Load) -> Callable[..., Any]:
    """Have a text made a vector, as in a fresh process."""

    def run(**arguments: Any) -> Any:
        return json.loads(load_tool("venice_embed_texts")(texts=["a fox"], **arguments))

    return run


def copies(media: Path) -> list[Path]:
    """The copies that lie in the media folder."""
    return list((media / ".models").glob("*"))


def test_the_second_call_asks_for_no_list(
    vectors: respx.MockRouter, embed: Callable[..., Any], media: Path
) -> None:
    """Within ten minutes a call goes by the list that an earlier one got."""
    before = embed()
    again = embed()

    assert (1, before["model"]) == (listings(vectors), again["model"])
    (copy,) = copies(media)
    assert 0o700 == copy.parent.stat().st_mode & 0o777
    assert KEY not in copy.name


def test_an_older_copy_is_not_believed(
    vectors: respx.MockRouter, embed: Callable[..., Any], media: Path
) -> None:
    """After ten minutes Venice is asked, and also where the copy comes from the future."""
    embed()
    (copy,) = copies(media)
    for moment in (time.time() - 601, time.time() + 60):
        os.utime(copy, (moment, moment))
        embed()

    assert 3 == listings(vectors)


def test_a_refused_call_takes_the_copy_away(
    vectors: respx.MockRouter, embed: Callable[..., Any], media: Path
) -> None:
    """A model that Venice no longer has would be taken again and again: the next call asks anew."""
    embed()
    gone = vectors.post("/embeddings").respond(404, json={"error": "Specified model not found"})
    told = refusal(embed)
    left = copies(media)
    vectors.get("/models").respond(json={"object": "list", "data": [model("new", "embedding")]})
    refusal(embed)

    assert "Specified model not found" in told
    assert [] == left
    assert "new" == json.loads(gone.calls.last.request.content)["model"]


@pytest.mark.usefixtures("vectors")
def test_a_call_that_breaks_takes_the_copy_away(load_tool: Load, media: Path) -> None:
    """What can't be read may be the list itself: the next call does not go by the same copy."""
    tool = load_tool("venice_embed_texts")
    tool(texts=["a fox"])
    kept = copies(media)
    tool.__globals__["_input_cost"] = Mock(side_effect=KeyError("price"))
    told = refusal(tool, texts=["a fox"])

    assert "Venice's reply could not be read (KeyError: 'price'); it may be charged." in told
    assert (1, []) == (len(kept), copies(media))


def test_what_may_cost_dollars_is_asked_for_each_time(
    api: respx.MockRouter, load_tool: Load, media: Path
) -> None:
    """No price of a film or of music comes from a copy."""
    resting = [
        {"id": kind, "type": kind, "model_spec": {"offline": True}} for kind in ("video", "music")
    ]
    api.get("/models").respond(json={"object": "list", "data": resting})
    for _ in range(2):
        refusal(load_tool("venice_quote_video"), kind="text", duration="5s")
        refusal(load_tool("venice_quote_music"), kind="song", duration_seconds=30)

    assert 4 == listings(api)
    assert [] == copies(media)


def test_the_tool_that_lists_asks_for_each_list(
    vectors: respx.MockRouter, load_tool: Load, embed: Callable[..., Any], media: Path
) -> None:
    """Who wants to see the models sees those of this moment, and the copy is theirs from then on."""
    vectors.get("/models/traits").respond(json={"data": {}})
    embed()
    load_tool("venice_list_models")(type="embedding")
    embed()

    assert 2 == listings(vectors)
    assert 1 == len(copies(media))


def test_another_key_has_another_copy(
    vectors: respx.MockRouter, embed: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What one key may use says nothing of another, and nothing of another Venice."""
    other = vectors.route(host="other.example").mock(side_effect=httpx.ConnectError("no"))
    embed()
    monkeypatch.setenv("VENICE_API_KEY", "sk-of-another-account")
    embed()
    with_another_key = listings(vectors)
    monkeypatch.setenv("VENICE_BASE_URL", "https://other.example/api/v1")
    refusal(embed)

    assert 2 == with_another_key
    assert ["/api/v1/models"] == [call.request.url.path for call in other.calls]


def test_an_empty_list_is_not_kept(
    api: respx.MockRouter, embed: Callable[..., Any], media: Path
) -> None:
    """A moment in which Venice lists nothing is over with the next call."""
    api.get("/models").respond(json={"object": "list", "data": []})
    refusal(embed)
    refusal(embed)

    assert (2, []) == (listings(api), copies(media))


def test_without_a_media_folder_none_is_made(
    vectors: respx.MockRouter, load_tool: Load, tmp_path: Path
) -> None:
    """A call that keeps no file makes no folder for the sake of a copy."""
    vectors.post("/embeddings").respond(
        json={"object": "list", "data": [{"index": i, "embedding": [1.0]} for i in range(2)]}
    )
    load_tool("venice_rank_texts")(query="a fox", texts=["a fox"])

    assert not (tmp_path / "media").exists()


def test_a_folder_that_takes_no_copy_does_no_harm(
    vectors: respx.MockRouter, embed: Callable[..., Any], media: Path
) -> None:
    """Where something else has the place of the copies, each call asks."""
    (media / ".models").write_text("mine")
    embed()
    embed()

    assert 2 == listings(vectors)
    assert "mine" == (media / ".models").read_text()


ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)  # fmt: skip


@given(content=st.binary(max_size=60) | ANY_JSON.map(lambda value: json.dumps(value).encode()))
def test_a_copy_that_is_none_is_not_used(
    vectors: respx.MockRouter, embed: Callable[..., Any], media: Path, content: bytes
) -> None:
    """Whatever lies in its place, the call goes by what Venice says."""
    embed()
    (copy,) = copies(media)
    copy.write_bytes(content)
    asked = listings(vectors)

    assert "bge" == embed()["model"]
    assert asked + 1 == listings(vectors)
    assert [] == [path for path in kept_in(media) if path.suffix == ".part"]
