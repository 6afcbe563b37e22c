import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import respx

from tests.tools.conftest import posts, refusal
from tests.tools.test_venice_queue_video import FILM, LISTED, film_of

Tool = Callable[..., str]
CALL: dict[str, Any] = {"duration": "5s"}


@pytest.fixture
def quote(api: respx.MockRouter, tool: Tool) -> Callable[..., Any]:
    """Call the tool, where every film costs a quarter of a dollar; its reply as an object."""
    api.get("/models").respond(json={"object": "list", "data": LISTED})
    api.post("/video/quote").respond(json={"quote": 0.25})
    return lambda **arguments: json.loads(tool(**arguments))


def test_tells_the_price_and_what_there_is_to_choose(quote: Callable[..., Any]) -> None:
    """With nothing said, it tells what a film of words costs, with which settings, and what else its model has."""
    assert {
        "price_usd": 0.25,
        "model": "wan-2.5-preview-text-to-video",
        "settings": {"duration": "5s", "resolution": "720p", "aspect_ratio": "16:9", "audio": True},
        "durations": ["5s", "10s"],
        "resolutions": ["480p", "720p"],
        "aspect_ratios": ["16:9", "9:16", "1:1"],
        "notes": ["Chosen for you: duration: 5s, resolution: 720p, aspect_ratio: 16:9."],
        "next": "Call venice_queue_video with the same settings.",
    } == quote()


@pytest.mark.parametrize(
    ("kind", "chosen"),
    [
        ("text", "wan-2.5-preview-text-to-video"),
        ("image", "wan-2.5-preview-image-to-video"),
        ("transition", "pixverse-c1-transition"),
        ("video", "wan-video-to-video"),
        ("reference", "happyhorse-reference-to-video"),
        ("upscale", "topaz-video-upscale"),
    ],
)
def test_the_kind_chooses_the_model(quote: Callable[..., Any], kind: str, chosen: str) -> None:
    """No media are needed to ask for the price of a film that is made of them, but for one that is changed."""
    options = {"video_url": FILM} if kind in ("video", "upscale") else None

    assert chosen == quote(kind=kind, options=options)["model"]


@pytest.mark.parametrize("kind", ["video", "upscale"])
def test_what_is_changed_is_needed_for_its_price(
    quote: Callable[..., Any], api: respx.MockRouter, kind: str
) -> None:
    """The length of the film decides, so that nothing is asked without it."""
    assert "for a quote in options as video_url" in refusal(quote, kind=kind)
    assert [] == posts(api)


def test_all_that_changes_the_price_is_sent(
    quote: Callable[..., Any], api: respx.MockRouter
) -> None:
    """The settings and the options that cost something reach Venice, and nothing else does."""
    rare = {"upscale_factor": 4, "reference_video_total_duration": 7, "reference_image_count": 2}
    quote(
        duration="10",
        resolution="480p",
        aspect_ratio="1:1",
        audio=False,
        options=rare | {"negative_prompt": "No rain"},
    )

    assert [
        {
            "model": "wan-2.5-preview-text-to-video",
            "duration": "10s",
            "resolution": "480p",
            "aspect_ratio": "1:1",
            "audio": False,
            "upscale_factor": 4,
            "reference_video_total_duration": 7,
            "reference_image_count": 2,
        }
    ] == posts(api)


def test_a_price_with_reference_videos_is_of_a_model_that_takes_them(
    quote: Callable[..., Any], api: respx.MockRouter
) -> None:
    """Others would tell the price without them."""
    quote(kind="reference", options={"reference_video_total_duration": 7})

    assert "seedance-2-0-reference-to-video-basic" == posts(api)[-1]["model"]


def test_what_the_model_lacks_is_refused(quote: Callable[..., Any], api: respx.MockRouter) -> None:
    """A price of what can't be made is none; Venice would tell one all the same."""
    assert "has no duration '7s': it has 5s, 10s." in refusal(quote, duration=7)
    assert [] == posts(api)


def test_offers_only_what_may_be_asked_for(quote: Callable[..., Any]) -> None:
    """What is enlarged has no length or resolution to choose: "Auto" and "2x" of the catalogue are not told."""
    reply = quote(kind="upscale", options={"video_url": FILM})

    assert {"price_usd", "model", "next"} == reply.keys()


def test_the_film_itself_is_not_told(
    quote: Callable[..., Any], api: respx.MockRouter, media: Path
) -> None:
    """A stored film goes to Venice as a data URL, and not into the reply."""
    (media / "one.mp4").write_bytes(film_of(1))
    reply = quote(kind="upscale", options={"video_url": "one.mp4", "upscale_factor": 4})

    assert posts(api)[-1]["video_url"].startswith("data:video/mp4;base64,")
    assert {"upscale_factor": 4} == reply["settings"]


def test_the_cheapest_is_found_for_nothing(quote: Callable[..., Any]) -> None:
    """A quote tells which model would be the cheapest."""
    reply = quote(kind="image", options={"choose": "cheapest"})

    assert "The cheapest of 3 models that fit, at 0.25 USD; then " in reply["notes"][-1]


def test_a_limit_does_not_hide_a_price(
    quote: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A price may be told that is more than the operator allows to spend."""
    monkeypatch.setenv("VENICE_MAX_USD", "0.01")

    assert 0.25 == quote()["price_usd"]


def test_the_local_venices_prices(local_tool: Tool) -> None:
    """Length, resolution and silence change the price."""
    prices = [
        json.loads(local_tool(**settings))["price_usd"]
        for settings in (
            {},
            {"duration": "10s"},
            {"resolution": "1080p"},
            {"audio": False},
            {"kind": "upscale", "options": {"upscale_factor": 4, "video_url": FILM}},
        )
    ]

    assert [0.5, 1.0, 1.0, 0.4, 0.4] == prices
