import base64
import struct
from typing import Any

import httpx
import pytest

MODEL = "text-embedding-bge-m3"


def embed(client: httpx.Client, texts: Any, **settings: Any) -> httpx.Response:
    """Ask for vectors."""
    return client.post("/embeddings", json={"model": MODEL, "input": texts, **settings})


def nearness(one: list[float], other: list[float]) -> float:
    """The cosine of two unit vectors."""
    return sum(a * b for a, b in zip(one, other, strict=True))


def test_related_texts_are_nearer(client: httpx.Client) -> None:
    """Texts that share words lie nearer than texts that do not."""
    texts = [
        "Foxes live in many cities and eat mice.",
        "A city fox lives on mice and fruit.",
        "The stock market fell sharply on Tuesday.",
    ]

    fox, city_fox, market = (entry["embedding"] for entry in embed(client, texts).json()["data"])

    assert nearness(fox, city_fox) > nearness(fox, market) + 0.1
    assert nearness(fox, fox) == pytest.approx(1)


def test_base64_holds_the_same_floats(client: httpx.Client) -> None:
    """Both encodings tell the same vector."""
    plain = embed(client, "a fox").json()["data"][0]["embedding"]
    reply = embed(client, "a fox", encoding_format="base64")
    packed = base64.b64decode(reply.json()["data"][0]["embedding"])

    assert list(struct.unpack("<1024f", packed)) == pytest.approx(plain)


def test_custom_dimensions(client: httpx.Client) -> None:
    """A model that can, gives as many dimensions as are asked for."""
    vector = embed(client, "a", model="text-embedding-3-small", dimensions=256).json()["data"][0][
        "embedding"
    ]

    assert len(vector) == 256


@pytest.mark.parametrize(
    ("texts", "settings", "status"),
    [
        ([1, 2, 3], {}, 400),
        ([], {}, 400),
        ("", {}, 400),
        (["a"] * 2049, {}, 400),
        ("a", {"dimensions": 256}, 400),
        ("a", {"dimensions": 2000, "model": "text-embedding-3-small"}, 400),
        ("a" * 40_000, {}, 400),
        ("a", {"model": "text-embedding-unknown"}, 404),
        ("a", {"model": "zai-org-glm-5-2"}, 404),
    ],
)
def test_refusals(client: httpx.Client, texts: Any, settings: dict[str, Any], status: int) -> None:
    """Token arrays, too many or too long texts, and models of another type are refused."""
    assert status == embed(client, texts, **settings).status_code


def test_foreign_name(client: httpx.Client) -> None:
    """OpenAI's name leads to a model of Venice's."""
    assert embed(client, "a", model="text-embedding-ada-002").json()["model"] == MODEL
