"""Clients that others wrote for Venice and OpenAI work with the local Venice as they are."""

import base64
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import openai
import pytest
import venice_ai
from venice_ai.exceptions import NotFoundError

from sanctum_venice_tools.emulator.process import LocalVenice

# Their imports alone take two seconds.
pytestmark = pytest.mark.slow

QUESTION = "How do red foxes live in cities?"
MODEL = "zai-org-glm-5-2"
TOOL: Any = {
    "type": "function",
    "function": {
        "name": "venice_ask_web",
        "description": "d",
        "parameters": {"type": "object", "properties": {}},
    },
}


@pytest.fixture(scope="module")
def openai_client(venice: LocalVenice) -> Iterator[openai.OpenAI]:
    """OpenAI's client."""
    with openai.OpenAI(base_url=venice.base_url, api_key=venice.key, max_retries=0) as client:
        yield client


@pytest.fixture(scope="module")
def venice_client(venice: LocalVenice) -> Iterator[Any]:
    """The community's client for Venice, venice-py."""
    with venice_ai.SyncVeniceClient(api_key=venice.key, base_url=venice.base_url) as client:
        yield client


def messages(text: str) -> Any:
    """A conversation of one message."""
    return [{"role": "user", "content": text}]


def test_openai_chat(openai_client: openai.OpenAI) -> None:
    """A plain answer with its usage."""
    reply = openai_client.chat.completions.create(model=MODEL, messages=messages("Hello"))

    assert "stand-in" in (reply.choices[0].message.content or "")
    assert reply.usage
    assert reply.usage.total_tokens > 0


def test_openai_stream(openai_client: openai.OpenAI) -> None:
    """A stream with Venice's own settings and usage at the end."""
    stream = openai_client.chat.completions.create(
        model=MODEL,
        messages=messages(QUESTION),
        stream=True,
        stream_options={"include_usage": True},
        extra_body={"venice_parameters": {"enable_web_search": "on"}},
    )
    chunks = list(stream)

    text = "".join(choice.delta.content or "" for chunk in chunks for choice in chunk.choices)
    assert "red fox" in text
    assert chunks[-1].usage


def test_openai_tools(openai_client: openai.OpenAI) -> None:
    """A tool call, plain and streamed."""
    asked = openai_client.chat.completions.create(
        model=MODEL, messages=messages("foxes"), tools=[TOOL]
    )
    calls = asked.choices[0].message.tool_calls or []

    with openai_client.chat.completions.stream(
        model=MODEL, messages=messages("foxes"), tools=[TOOL]
    ) as stream:
        streamed = stream.get_final_completion().choices[0].message.tool_calls or []

    assert [call.function.name for call in calls if call.type == "function"] == ["venice_ask_web"]
    assert [call.function.arguments for call in streamed] == [
        '{"question": "How do red foxes live in cities?"}'
    ]


def test_openai_embeddings(openai_client: openai.OpenAI) -> None:
    """Vectors, which this client asks for as base64."""
    reply = openai_client.embeddings.create(model="text-embedding-bge-m3", input=["a fox", "a den"])

    assert [len(entry.embedding) for entry in reply.data] == [1024, 1024]


def test_openai_speech(openai_client: openai.OpenAI) -> None:
    """Speech as bytes."""
    reply = openai_client.audio.speech.create(
        model="tts-kokoro", voice="af_sky", input="Hello", response_format="wav"
    )

    assert reply.content[:4] == b"RIFF"


def test_openai_transcription(openai_client: openai.OpenAI) -> None:
    """What was spoken, written down."""
    speech = openai_client.audio.speech.create(
        model="tts-kokoro", voice="af_sky", input="Hello there, fox"
    )

    reply = openai_client.audio.transcriptions.create(
        model="nvidia/parakeet-tdt-0.6b-v3", file=("speech.mp3", speech.content)
    )

    assert reply.text == "Hello there, fox"


def test_openai_models(openai_client: openai.OpenAI) -> None:
    """The list of models."""
    assert MODEL in {model.id for model in openai_client.models.list()}


def test_openai_images(openai_client: openai.OpenAI) -> None:
    """A picture in OpenAI's form."""
    reply = openai_client.images.generate(model="z-image-turbo", prompt="A fox", size="256x256")

    assert reply.data
    assert base64.b64decode(reply.data[0].b64_json or "")[:4] == b"\x89PNG"


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"model": "nope"}, openai.NotFoundError),
        ({"temperature": 7}, openai.BadRequestError),
        ({"extra_body": {"unknown": 1}}, openai.BadRequestError),
        ({"extra_headers": {"Authorization": "Bearer wrong"}}, openai.AuthenticationError),
    ],
)
def test_openai_errors(
    openai_client: openai.OpenAI, settings: Any, expected: type[Exception]
) -> None:
    """Each refusal is the error that the client knows it as."""
    with pytest.raises(expected):
        openai_client.chat.completions.create(
            **{"model": MODEL, "messages": messages("x"), **settings}
        )


CALLS: dict[str, Callable[[Any], Any]] = {
    "chat": lambda client: client.chat.completions.create(model=MODEL, messages=messages("Hello")),
    "stream": lambda client: list(
        client.chat.completions.create(model=MODEL, messages=messages("Hi"), stream=True)
    ),
    "tools": lambda client: client.chat.completions.create(
        model=MODEL, messages=messages("foxes"), tools=[TOOL]
    ),
    "models": lambda client: client.models.list(type="all").data,
    "traits": lambda client: client.models.list_traits(),
    "foreign names": lambda client: client.models.list_compatibility(),
    "embeddings": lambda client: client.embeddings.create(
        model="text-embedding-bge-m3", input=["a", "b"]
    ),
    "picture": lambda client: client.image.create(
        model="z-image-turbo", prompt="fox", width=64, height=64
    ),
    "OpenAI picture": lambda client: client.image.simple_generate(prompt="fox", size="256x256"),
    "styles": lambda client: client.image.list_styles(),
    "speech": lambda client: client.audio.create_speech(
        input="Hi", model="tts-kokoro", voice="af_sky"
    ),
    "voices": lambda client: client.audio.get_voices(model_id="tts-kokoro"),
    "film price": lambda client: client.video.quote(
        model="wan-2.5-preview-text-to-video", duration_seconds=5
    ),
    "film": lambda client: client.video.run(
        model="wan-2.5-preview-text-to-video",
        prompt="x",
        duration_seconds=5,
        aspect_ratio="16:9",
        resolution="480p",
    ),
    "music": lambda client: client.music.run(
        model="elevenlabs-music", prompt="x", duration_seconds=5
    ),
    "web search": lambda client: client.augment.search(query="red fox city"),
    "page": lambda client: client.augment.scrape(url="https://kitchen.example.com/tea"),
    "document": lambda client: client.augment.parse_text(file=b"hello", filename="a.txt"),
    "balance": lambda client: client.billing.get_balance(),
    "history": lambda client: client.billing.get_usage_history(),
    "characters": lambda client: client.characters.list(limit=2, is_adult=False),
    "character": lambda client: client.characters.get("alan-watts"),
    "reviews": lambda client: client.characters.reviews("alan-watts"),
    "networks": lambda client: client.crypto.networks(),
    "chain": lambda client: client.crypto.rpc(
        network="base-mainnet", method="eth_chainId", params=[]
    ),
    "keys": lambda client: client.api_keys.list(),
    "limits": lambda client: client.api_keys.get_rate_limits(),
    "limit hits": lambda client: client.api_keys.get_rate_limit_logs(),
    "token": lambda client: client.api_keys.get_web3_token(),
}


@pytest.mark.parametrize("name", CALLS)
def test_venice_py(venice_client: Any, name: str) -> None:
    """Every call of that client gets an answer that it can read."""
    assert CALLS[name](venice_client)


@pytest.mark.parametrize("method", ["edit", "upscale", "multi_edit", "background_remove"])
def test_venice_py_pictures(venice_client: Any, png: Callable[..., bytes], method: str) -> None:
    """Pictures go in and come back."""
    settings = {"prompt": "at night"} if "edit" in method else {}

    assert getattr(venice_client.image, method)(image=png(400, 300), **settings)[:4] == b"\x89PNG"


def test_venice_py_analytics(venice_client: Any) -> None:
    """The report on spending is readable; the client warns that it may change."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        assert venice_client.billing.get_usage_analytics()


def test_venice_py_errors(venice_client: Any) -> None:
    """A refusal is the error that the client knows it as, with the reason."""
    with pytest.raises(NotFoundError, match="Specified model not found: nope"):
        venice_client.chat.completions.create(model="nope", messages=messages("x"))
