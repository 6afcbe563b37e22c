import json
from collections.abc import Callable
from typing import Any

import pytest
import respx

from tests.tools.conftest import posts, refusal
from tests.tools.test_venice_queue_music import LISTED

Tool = Callable[..., str]
CALL: dict[str, Any] = {"duration_seconds": 30}


@pytest.fixture
def quote(api: respx.MockRouter, tool: Tool) -> Callable[..., Any]:
    """Call the tool, where every sound costs a quarter of a dollar; its reply as an object."""
    api.get("/models").respond(json={"object": "list", "data": LISTED})
    api.post("/audio/quote").respond(json={"quote": 0.25})
    return lambda **arguments: json.loads(tool(**arguments))


def test_tells_the_price_and_what_there_is_to_choose(quote: Callable[..., Any]) -> None:
    """With nothing said, it tells what music costs, with which length, and what its model lets one choose."""
    assert {
        "price_usd": 0.25,
        "model": "elevenlabs-music",
        "settings": {"duration_seconds": 60},
        "offers": {
            "duration_seconds": "3 to 600",
            "takes": ["instrumental"],
            "prompt_characters": 400,
        },
        "notes": ["Chosen for you: 60 seconds."],
        "next": "Call venice_queue_music with the same model and settings; venice_list_models (music) shows others.",
    } == quote()


def test_tells_the_voices_of_speech(quote: Callable[..., Any]) -> None:
    """For speech, the voices are what one has to know."""
    assert {
        "takes": ["voice", "language_code", "speed"],
        "voices": ["Aria", "Roger"],
        "prompt_characters": 300,
    } == quote(kind="speech", character_count=100)["offers"]


@pytest.mark.parametrize(
    ("arguments", "quoted"),
    [
        ({}, {"model": "elevenlabs-music", "duration_seconds": 60}),
        ({"duration_seconds": "30s"}, {"model": "elevenlabs-music", "duration_seconds": 30}),
        ({"sung": True}, {"model": "poet-music"}),
        (
            {"sung": True, "duration_seconds": 120},
            {"model": "ace-step-15", "duration_seconds": 120},
        ),
        ({"model": "poet-music"}, {"model": "poet-music"}),
        ({"kind": "effect"}, {"model": "elevenlabs-sound-effects-v2", "duration_seconds": 5}),
        (
            {"kind": "speech", "character_count": 300},
            {"model": "elevenlabs-tts-v3", "character_count": 300},
        ),
        ({"character_count": 300}, {"model": "elevenlabs-music", "duration_seconds": 60}),
        ({"model": "stable-audio-25"}, {"model": "stable-audio-25"}),
    ],
    ids=str,
)
def test_all_that_changes_the_price_is_sent(
    quote: Callable[..., Any],
    api: respx.MockRouter,
    arguments: dict[str, Any],
    quoted: dict[str, Any],
) -> None:
    """The model that would be queued is asked about, with what its price depends on, and nothing else."""
    quote(**arguments)

    assert [quoted] == posts(api)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (
            {"kind": "speech"},
            "elevenlabs-tts-v3 is priced by the character. Give character_count, the text's length.",
        ),
        ({"kind": "speech", "character_count": -1}, "takes a prompt of 1 to 300 characters."),
        (
            {"model": "elevenlabs-tts-v3", "character_count": 301},
            "takes a prompt of 1 to 300 characters.",
        ),
        ({"duration_seconds": 601}, "elevenlabs-music makes 3 to 600 seconds."),
        ({"duration_seconds": "long"}, "'duration_seconds' must be a whole number, not 'long'."),
        (
            {"sung": True, "model": "elevenlabs-music"},
            "takes no lyrics. Change that, or use the model poet-music.",
        ),
        ({"model": "sora-9"}, "There is no music model 'sora-9' fit for this."),
    ],
    ids=str,
)
def test_what_the_model_lacks_is_refused(
    quote: Callable[..., Any], api: respx.MockRouter, arguments: dict[str, Any], said: str
) -> None:
    """A price of what can't be made is none."""
    assert said in refusal(quote, **arguments)
    assert [] == posts(api)


def test_a_limit_does_not_hide_a_price(
    quote: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A price may be told that is more than the operator allows to spend."""
    monkeypatch.setenv("VENICE_MAX_USD", "0.01")

    assert 0.25 == quote()["price_usd"]


def test_many_voices_stay_short(quote: Callable[..., Any], api: respx.MockRouter) -> None:
    """A model with hundreds of voices of long names makes no long reply."""
    spec = {"voices": [f"{number} " * 50 for number in range(500)]}
    api.get("/models").respond(
        json={"object": "list", "data": [{"id": "choir", "model_spec": spec}]}
    )

    assert len(json.dumps(quote())) < 2500


def test_the_local_venices_prices(local_tool: Tool) -> None:
    """Kind, length, singing and characters change the price."""
    prices = [
        json.loads(local_tool(**settings))["price_usd"]
        for settings in (
            {},
            {"duration_seconds": 100},
            {"sung": True},
            {"kind": "effect", "duration_seconds": 10},
            {"kind": "speech", "character_count": 2000},
        )
    ]

    assert [0.69, 1.38, 0.03, 0.023, 0.23] == prices
