"""What GET /models and GET /characters list."""

from typing import Any

import httpx
import pytest

from sanctum_venice_tools.emulator.process import LocalVenice


@pytest.mark.parametrize(
    ("kind", "expected"), [(None, {"text"}), ("image", {"image"}), ("code", {"text"})]
)
def test_models_by_type(client: httpx.Client, kind: str | None, expected: set[str]) -> None:
    """A bare call lists text models, a type its own."""
    models = client.get("/models", params={"type": kind} if kind else {}).json()["data"]

    assert {model["type"] for model in models} == expected


@pytest.mark.parametrize(
    ("privacy", "text", "image"),
    [("ALL", {"private", "anonymized"}, {"private", "anonymized"}),
     ("PRIVATE_TEXT", {"private"}, {"private", "anonymized"}),
     ("PRIVATE_ONLY", {"private"}, {"private"})],
)  # fmt: skip
def test_models_for_a_key(
    client: httpx.Client, privacy: str, text: set[str], image: set[str]
) -> None:
    """A key lists what its setting for privacy lets it use; a wrong key lists all."""
    wish = {"apiKeyType": "INFERENCE", "description": "x", "modelPrivacy": privacy}
    key = client.post("/api_keys", json=wish).json()["data"]["apiKey"]

    def listed(kind: str, sent: str) -> list[Any]:
        headers = {"Authorization": f"Bearer {sent}"}
        found: list[Any] = client.get("/models", params={"type": kind}, headers=headers).json()[
            "data"
        ]
        return found

    assert text == {model["model_spec"]["privacy"] for model in listed("text", key)}
    assert image == {model["model_spec"]["privacy"] for model in listed("image", key)}
    assert len(listed("image", key)) <= len(listed("image", "no key"))


def test_all_models(client: httpx.Client) -> None:
    """`all` lists every type."""
    assert len({model["type"] for model in client.get("/models?type=all").json()["data"]}) == 10


@pytest.mark.parametrize("path", ["/models", "/models/traits", "/models/compatibility_mapping"])
def test_unknown_type(venice: LocalVenice, path: str) -> None:
    """There is no type `audio`; the document lists no 400 for it, but nothing else fits."""
    reply = httpx.get(venice.base_url + path, params={"type": "audio"})

    assert reply.status_code == 400


def test_unknown_query_keys_are_dropped(client: httpx.Client) -> None:
    """Letta sends supported_parameters; nothing says that queries are closed."""
    assert client.get("/models", params={"supported_parameters": "tools"}).status_code == 200


def test_traits_lead_to_ids(client: httpx.Client) -> None:
    """A trait is the key, a model's id the value."""
    assert client.get("/models/traits").json()["data"]["default"] == "zai-org-glm-5-2"
    assert client.get("/models/traits?type=image").json()["data"]["default"] == "z-image-turbo"


def test_foreign_names_lead_to_ids(client: httpx.Client) -> None:
    """A foreign name is the key."""
    assert client.get("/models/compatibility_mapping").json()["data"]["gpt-4o"] == "zai-org-glm-5-1"


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"search": "philosophy stoic"}, ["marcus-aurelius"]),
        ({"isAdult": "true"}, ["night-confidante"]),
        ({"tags": ["Greek", "Cooking"]}, ["socrates", "chef-amelie"]),
        ({"tags": "Greek,Cooking"}, ["socrates", "chef-amelie"]),
        ({"modelId": "kimi-k3"}, ["socrates"]),
        ({"search": "night"}, []),
        ({"search": "night", "isAdult": "false"}, []),
        ({"isPro": "true"}, ["captain-mira"]),
        ({"isPro": "true", "isAdult": "true"}, ["night-confidante"]),
        ({"isPro": "false", "search": "mira"}, ["captain-mira"]),
        ({"sortBy": "featured"}, ["ada-lovelace", "alan-watts", "socrates"]),
        ({"sortBy": "featured", "tags": "helpful"}, ["ada-lovelace"]),
        ({"tags": "helpful", "limit": "2"}, ["ada-lovelace", "marcus-aurelius"]),
        ({"sortBy": "imports", "sortOrder": "asc", "limit": "1"}, ["gardener-tom"]),
        ({"sortBy": "highestRating", "limit": "1"}, ["ada-lovelace"]),
        ({"sortBy": "mostRecent", "limit": "1", "offset": "1"}, ["captain-mira"]),
        ({"categories": "education", "isWebEnabled": "true"}, ["ada-lovelace"]),
        ({"search": "nobody at all"}, []),
    ],
)
def test_characters_are_filtered(
    client: httpx.Client, query: dict[str, Any], expected: list[str]
) -> None:
    """Each filter and order does what it says."""
    assert expected == [
        entry["slug"] for entry in client.get("/characters", params=query).json()["data"]
    ]


@pytest.mark.parametrize(
    "query", [{"limit": "0"}, {"limit": "101"}, {"limit": "x"}, {"isAdult": "yes"}]
)
def test_refused_filters(venice: LocalVenice, query: dict[str, str]) -> None:
    """What is out of range is refused, not clamped; here too the document lists no 400."""
    headers = {"Authorization": f"Bearer {venice.key}"}
    reply = httpx.get(venice.base_url + "/characters", params=query, headers=headers)

    assert reply.status_code == 400


def test_character_shows_no_prompt(client: httpx.Client) -> None:
    """A character comes in an envelope, without its system prompt or reviews."""
    body = client.get("/characters/alan-watts").json()

    assert (body["object"], body["data"]["name"]) == ("character", "Alan Watts")
    assert {"system_prompt", "reviews", "pro"}.isdisjoint(body["data"])


def test_reviews_come_in_pages(client: httpx.Client) -> None:
    """Reviews are paged, in the body and in headers."""
    reply = client.get("/characters/alan-watts/reviews", params={"page": 2, "pageSize": 3})

    assert len(reply.json()["data"]) == 1
    assert reply.json()["pagination"] == {"page": 2, "pageSize": 3, "total": 4, "totalPages": 2}
    assert reply.headers["x-pagination-total-pages"] == "2"


@pytest.mark.parametrize("path", ["/characters/nobody", "/characters/nobody/reviews"])
def test_unknown_character(client: httpx.Client, path: str) -> None:
    """An unknown slug is 404 with a sentence."""
    assert client.get(path).json() == {"error": "Character not found: nobody"}
