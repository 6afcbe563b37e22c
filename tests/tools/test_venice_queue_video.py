import base64
import io
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
import respx
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from sanctum_venice_tools.emulator import film as films
from sanctum_venice_tools.emulator import sound
from sanctum_venice_tools.emulator.facts import operations
from sanctum_venice_tools.emulator.process import LocalVenice
from tests.conftest import Clock
from tests.samples import whole_files
from tests.tools.conftest import balance, listings, refusal, sent

Tool = Callable[..., str]
CALL: dict[str, Any] = {"prompt": "A fox runs through snow.", "resolution": "480p"}
PICTURE = "https://example.com/fox.png"
FILM = "https://example.com/fox.mp4"


def model(name: str, made_of: str, **limits: Any) -> dict[str, Any]:
    """A film model as Venice lists it."""
    settings = {
        "durations": ["5s", "10s"],
        "resolutions": ["480p", "720p"],
        "aspect_ratios": [],
        "audio": True,
    }
    limits = {"model_type": made_of, "audio_configurable": True} | settings | limits
    return {"id": name, "type": "video", "model_spec": {"constraints": limits}}


LISTED = [
    model("gone-text-to-video", "text-to-video") | {"model_spec": {"offline": True}},
    model("veo-text", "text-to-video", durations=["8s"], resolutions=[], aspect_ratios="16:9"),
    model("wan-2.5-preview-text-to-video", "text-to-video", aspect_ratios=["16:9", "9:16", "1:1"]),
    model("wan-2.5-preview-image-to-video", "image-to-video", prompt_character_limit=100),
    model("loud-image-to-video", "image-to-video", audio_configurable=False),
    model("mute-image-to-video", "image-to-video", audio_configurable=False, audio=False),
    model("happyhorse-reference-to-video", "image-to-video"),
    model("kling-o3-pro-reference-to-video", "image-to-video"),
    model(
        "seedance-2-0-reference-to-video-basic", "image-to-video", aspect_ratios=["16:9", "9:16"]
    ),
    model("minimax-h3-reference-to-video", "image-to-video"),
    model("minimax-h3-max-multi-angle", "image-to-video", audio=False, audio_configurable=False),
    model("grok-imagine-1-5-reference-to-video-private", "image-to-video"),
    model("pixverse-c1-reference-to-video", "image-to-video"),
    model("wan-2-7-reference-to-video", "image-to-video", per_reference_audio=True),
    model("wan-3-0-reference-to-video", "image-to-video"),
    model("pixverse-c1-transition", "image-to-video"),
    model("wan-video-to-video", "video", durations=["Auto"], resolutions=["720p"]),
    model(
        "topaz-video-upscale",
        "video",
        durations=["Auto"],
        resolutions=["1x", "2x"],
        audio_configurable=False,
    ),
]


@pytest.fixture
def asked(api: respx.MockRouter) -> respx.Route:
    """Venice, which asks a quarter of a dollar for any film."""
    api.get("/models").respond(json={"object": "list", "data": LISTED})
    return api.post("/video/quote").respond(json={"quote": 0.25})


@pytest.fixture
def queued(api: respx.MockRouter, asked: respx.Route) -> respx.Route:
    """Venice, which takes any film."""
    assert not asked.called
    return api.post("/video/queue").respond(json={"model": "m", "queue_id": "17"})


@pytest.fixture
def queue(queued: respx.Route, tool: Tool) -> Callable[..., Any]:
    """Call the tool; its reply as an object."""
    assert not queued.called
    return lambda **arguments: json.loads(tool(**{"prompt": "A fox", **arguments}))


def test_a_film_is_quoted_and_then_bought_with_the_same_settings(
    queue: Callable[..., Any], asked: respx.Route, queued: respx.Route
) -> None:
    """What decides on the price is said outright, so that what is quoted is what is bought; the reply names it."""
    reply = queue()

    chosen = {"duration": "5s", "resolution": "720p", "aspect_ratio": "16:9", "audio": True}
    assert {"model": "wan-2.5-preview-text-to-video", **chosen} == sent(asked)
    assert {"model": "wan-2.5-preview-text-to-video", "prompt": "A fox", **chosen} == sent(queued)
    assert {
        "job": "venice-video|m|17",
        "cost_usd": 0.25,
        "next": "In a minute or two, call venice_retrieve_video with this job.",
        "model": "wan-2.5-preview-text-to-video",
        "notes": ["Chosen for you: duration: 5s, resolution: 720p, aspect_ratio: 16:9."],
    } == reply


def test_what_the_caller_chose_is_not_noted(queue: Callable[..., Any]) -> None:
    """Only what was chosen on the caller's behalf is told."""
    assert "notes" not in queue(duration="10s", resolution="480p", aspect_ratio="9:16")


@pytest.mark.parametrize(
    "duration", ["10s", "10", " 10 ", "10 s", "10.0", "10 seconds", "10 Seconds", "10sec", "10SECS"]
)
def test_a_duration_is_understood(
    queue: Callable[..., Any], queued: respx.Route, duration: str
) -> None:
    """Agents write seconds in many ways; Venice takes one."""
    queue(duration=duration)

    assert "10s" == sent(queued)["duration"]


@pytest.mark.parametrize(
    ("wanted", "ratio"),
    [
        ("16:9", "16:9"),
        ("1920x1080", "16:9"),
        ("1024x1024", "1:1"),
        ("4:5", "1:1"),
        ("9 : 21", "9:16"),
    ],
)
def test_a_shape_is_the_nearest_that_the_model_has(
    queue: Callable[..., Any], queued: respx.Route, wanted: str, ratio: str
) -> None:
    """A ratio or a size in pixels becomes one of the model's ratios, and a change is told."""
    reply = queue(aspect_ratio=wanted, duration="5s", resolution="720p")

    assert ratio == sent(queued)["aspect_ratio"]
    assert ([f"Chosen for you: aspect_ratio: {ratio}."] if ratio != wanted else None) == reply.get(
        "notes"
    )


@pytest.mark.parametrize(
    ("arguments", "chosen"),
    [
        ({}, "wan-2.5-preview-text-to-video"),
        ({"image": PICTURE}, "wan-2.5-preview-image-to-video"),
        ({"image": PICTURE, "end_image": PICTURE}, "pixverse-c1-transition"),
        (
            {"options": {"keyframes": [{"image_url": PICTURE, "frame_index": 0}]}},
            "wan-2.5-preview-image-to-video",
        ),
        ({"reference_images": [PICTURE]}, "happyhorse-reference-to-video"),
        ({"reference_images": [""]}, "wan-2.5-preview-text-to-video"),
        ({"reference_images": [None]}, "wan-2.5-preview-text-to-video"),
        ({"image": PICTURE, "reference_images": [PICTURE]}, "happyhorse-reference-to-video"),
        (
            {"options": {"elements": [{"frontal_image_url": PICTURE}]}},
            "kling-o3-pro-reference-to-video",
        ),
        ({"options": {"scene_image_urls": [PICTURE]}}, "kling-o3-pro-reference-to-video"),
        (
            {"options": {"image_references": [{"image_url": PICTURE}]}},
            "pixverse-c1-reference-to-video",
        ),
        (
            {"options": {"reference_document_urls": ["https://example.com/a.pdf"]}},
            "wan-3-0-reference-to-video",
        ),
        (
            {"reference_images": [PICTURE], "options": {"voice_id": "eve"}},
            "grok-imagine-1-5-reference-to-video-private",
        ),
        (
            {
                "options": {
                    "video_references": [{"video_url": FILM}],
                    "reference_video_total_duration": 3,
                }
            },
            "wan-2-7-reference-to-video",
        ),
        (
            {"reference_images": [PICTURE], "options": {"bitrate_mode": "high"}},
            "seedance-2-0-reference-to-video-basic",
        ),
        (
            {"options": {"reference_video_urls": [FILM], "reference_video_total_duration": 5}},
            "seedance-2-0-reference-to-video-basic",
        ),
        (
            {
                "reference_images": [PICTURE],
                "options": {"reference_audio_urls": ["https://example.com/a.mp3"]},
            },
            "seedance-2-0-reference-to-video-basic",
        ),
        (
            {"options": {"reference_video_urls": [FILM] * 5, "reference_video_total_duration": 5}},
            "wan-3-0-reference-to-video",
        ),
        ({"options": {"reference_video_urls": ["one.mp4"]}}, "wan-3-0-reference-to-video"),
        ({"image": PICTURE, "options": {"image_strength": 0.4}}, "wan-2.5-preview-image-to-video"),
        ({"video": FILM, "options": {"grain": 0.05}}, "topaz-video-upscale"),
        ({"video": FILM}, "wan-video-to-video"),
        ({"video": FILM, "options": {"upscale_factor": 4}}, "topaz-video-upscale"),
        ({"model": "veo-text"}, "veo-text"),
    ],
)
def test_the_media_choose_the_model(
    queue: Callable[..., Any],
    queued: respx.Route,
    tmp_path: Path,
    arguments: dict[str, Any],
    chosen: str,
) -> None:
    """What a film is made of, and how many references it has, and how long, tells which models are fit for it."""
    (tmp_path / "media").mkdir(exist_ok=True)
    (tmp_path / "media" / "one.mp4").write_bytes(film_of(1))

    assert chosen == queue(**arguments)["model"] == sent(queued)["model"]


def test_the_operators_model_is_used(
    queue: Callable[..., Any], queued: respx.Route, monkeypatch: pytest.MonkeyPatch
) -> None:
    """There is a setting for each thing that films are made of; the agent's own choice goes before it."""
    monkeypatch.setenv("VENICE_TEXT_TO_VIDEO_MODEL", "veo-text")
    queue()
    assert "veo-text" == sent(queued)["model"]
    queue(image=PICTURE)
    assert "wan-2.5-preview-image-to-video" == sent(queued)["model"]
    queue(model="wan-2.5-preview-text-to-video")
    assert "wan-2.5-preview-text-to-video" == sent(queued)["model"]
    monkeypatch.setenv("VENICE_IMAGE_TO_VIDEO_MODEL", "mute-image-to-video")
    queue(image=PICTURE, end_image=PICTURE)
    assert "mute-image-to-video" == sent(queued)["model"]


@pytest.mark.parametrize("spelling", ["Mute-Image-to-Video", "venice/mute-image-to-video"])
def test_the_operators_model_is_believed_in_any_spelling(
    queue: Callable[..., Any], queued: respx.Route, monkeypatch: pytest.MonkeyPatch, spelling: str
) -> None:
    """For a film to a last frame, too, the setting may be in other letters, or with a provider before the name."""
    monkeypatch.setenv("VENICE_IMAGE_TO_VIDEO_MODEL", spelling)
    queue(image=PICTURE, end_image=PICTURE)

    assert "mute-image-to-video" == sent(queued)["model"]


def test_a_model_gets_only_what_it_takes(
    queue: Callable[..., Any], asked: respx.Route, queued: respx.Route
) -> None:
    """A setting that a model does not list is not sent; a bare text instead of a list is one choice."""
    queue(model="veo-text")
    assert {"model", "prompt", "duration", "aspect_ratio", "audio"} == sent(queued).keys()
    assert ("8s", "16:9") == (sent(queued)["duration"], sent(queued)["aspect_ratio"])
    queue(video=FILM, options={"upscale_factor": 4})
    assert {"model": "topaz-video-upscale", "upscale_factor": 4, "video_url": FILM} == sent(asked)
    assert sent(asked) | {"prompt": "A fox"} == sent(queued)


def test_what_is_enlarged_needs_no_prompt(
    queue: Callable[..., Any], asked: respx.Route, queued: respx.Route
) -> None:
    """A film to enlarge is all that is sent, and "Auto" and "2x" of the catalogue are no settings."""
    queue(prompt="", video=FILM, options={"upscale_factor": 2})

    assert (
        {"model": "topaz-video-upscale", "upscale_factor": 2, "video_url": FILM}
        == sent(queued)
        == sent(asked)
    )


def test_what_is_changed_keeps_its_length(
    queue: Callable[..., Any], asked: respx.Route, queued: respx.Route
) -> None:
    """A film to change goes out without a duration, and is priced by itself."""
    queue(video=FILM)

    assert "duration" not in sent(queued)
    assert FILM == sent(asked)["video_url"] == sent(queued)["video_url"]
    assert "takes no duration: leave it out" in refusal(queue, video=FILM, duration="5s")


def test_a_transition_needs_both_frames(queue: Callable[..., Any], queued: respx.Route) -> None:
    """A model that goes from one frame to another is not sent one alone."""
    assert "give end_image" in refusal(queue, image=PICTURE, model="pixverse-c1-transition")
    queue(image=PICTURE, end_image=PICTURE, model="pixverse-c1-transition")

    assert PICTURE == sent(queued)["end_image_url"]


def test_sound_is_sent_only_where_it_can_be_chosen(
    queue: Callable[..., Any], queued: respx.Route
) -> None:
    """Silence costs less where it is offered; where a film is silent anyway, nothing is said."""
    queue(audio=False)
    assert sent(queued)["audio"] is False
    queue(image=PICTURE, audio=False, model="mute-image-to-video")
    assert "audio" not in sent(queued)
    queue(image=PICTURE, model="loud-image-to-video")
    assert "audio" not in sent(queued)


def test_a_film_that_will_be_silent_is_told(queue: Callable[..., Any]) -> None:
    """Where sound is wanted and the model makes none, the reply says so before anybody waits for it."""
    silent = "mute-image-to-video makes no sound."

    assert silent in queue(image=PICTURE, model="mute-image-to-video")["notes"]
    assert silent not in queue(image=PICTURE, model="mute-image-to-video", audio=False)["notes"]
    assert "makes no sound" not in str(queue(image=PICTURE))


def test_sound_goes_only_to_a_model_that_takes_it(
    api: respx.MockRouter, queue: Callable[..., Any], asked: respx.Route, queued: respx.Route
) -> None:
    """Where Venice tells of some models that they take a sound, the others are passed over."""
    sound = {"audio_url": "https://example.com/a.mp3"}
    rows = [*LISTED, model("heard-text-to-video", "text-to-video", audio_input=True)]
    api.get("/models").respond(json={"object": "list", "data": rows})
    assert "heard-text-to-video" == queue(options=sound)["model"] == sent(queued)["model"]
    asked.calls.reset()
    queue(options=sound | {"choose": "cheapest"})

    assert {"heard-text-to-video"} == {
        json.loads(call.request.content)["model"] for call in asked.calls
    }


def test_everything_that_films_have_can_be_said(
    queue: Callable[..., Any], asked: respx.Route, queued: respx.Route
) -> None:
    """All of Venice's fields reach it; the price is asked with those that change it."""
    rare = {
        "audio_url": "https://example.com/a.mp3",
        "reference_video_urls": [FILM],
        "reference_audio_urls": ["https://example.com/b.mp3"],
        "reference_document_urls": ["https://example.com/b.pdf"],
        "elements": [
            {"frontal_image_url": PICTURE, "reference_image_urls": [PICTURE], "video_url": FILM}
        ],
        "scene_image_urls": [PICTURE],
        "image_references": [{"image_url": PICTURE, "type": "subject", "ref_name": "fox"}],
        "video_references": [
            {"video_url": FILM, "ref_name": "run", "audio_url": "https://example.com/c.mp3"}
        ],
        "image_strength": 0.5,
        "voice_id": "eve",
        "keyframes": [{"image_url": PICTURE, "frame_index": 24}],
        "omni_reference_task_type": "edit",
        "bitrate_mode": "high",
    }
    media = {"image": PICTURE, "end_image": PICTURE, "reference_images": [PICTURE], "video": FILM}
    more = {"negative_prompt": "No rain", "reference_video_total_duration": 12.5}
    queue(**media, model="happyhorse-reference-to-video", options=rare | more)

    body = sent(queued)
    assert rare == {name: body[name] for name in rare}
    assert (PICTURE, PICTURE, [PICTURE], FILM, "No rain") == tuple(
        body[name]
        for name in (
            "image_url",
            "end_image_url",
            "reference_image_urls",
            "video_url",
            "negative_prompt",
        )
    )
    assert 12.5 == sent(asked)["reference_video_total_duration"]
    assert "reference_video_total_duration" not in body


def test_stored_references_are_measured(
    queue: Callable[..., Any], asked: respx.Route, tmp_path: Path
) -> None:
    """What the price depends on is not the caller's word, where the videos are here."""
    (tmp_path / "media").mkdir(exist_ok=True)
    (tmp_path / "media" / "one.mp4").write_bytes(mp4())
    (tmp_path / "media" / "three.mov").write_bytes(whole_files()["mov"])
    reply = queue(
        options={
            "reference_video_urls": ["one.mp4", "three.mov"],
            "reference_video_total_duration": 0,
        }
    )

    assert 2 == pytest.approx(sent(asked)["reference_video_total_duration"], abs=0.1)
    assert [note for note in reply["notes"] if "s long together, as measured." in note]


@pytest.mark.parametrize("film", [FILM, "fox.webm", "fragments.mp4"])
def test_what_cannot_be_measured_is_the_callers_word(
    queue: Callable[..., Any], asked: respx.Route, tmp_path: Path, film: str
) -> None:
    """A video at a public URL may be longer than was said: the price is the least, and the caller reads that."""
    (tmp_path / "media").mkdir(exist_ok=True)
    (tmp_path / "media" / "one.mp4").write_bytes(mp4())
    (tmp_path / "media" / "fox.webm").write_bytes(whole_files()["webm"])
    (tmp_path / "media" / "fragments.mp4").write_bytes(whole_files()["mp4 in fragments"])
    reply = queue(
        options={"reference_video_urls": ["one.mp4", film], "reference_video_total_duration": 4}
    )

    assert 4 == sent(asked)["reference_video_total_duration"]
    assert (
        "The price is the least: it rests on the length that you gave for the reference videos."
        in reply["notes"]
    )
    queue(options={"reference_video_urls": ["one.mp4", film], "reference_video_total_duration": 0})
    assert 1 == pytest.approx(sent(asked)["reference_video_total_duration"], abs=0.1)


def test_a_price_that_may_be_more_needs_a_person(
    queue: Callable[..., Any],
    asked: respx.Route,
    queued: respx.Route,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    """Above half of the limit, a film with references that can't be measured is not bought; a measured one is."""
    monkeypatch.setenv("VENICE_MAX_USD", "0.4")
    (tmp_path / "media").mkdir(exist_ok=True)
    (tmp_path / "media" / "one.mp4").write_bytes(mp4())

    message = refusal(
        queue, options={"reference_video_urls": [FILM], "reference_video_total_duration": 4}
    )
    assert (
        "This costs 0.25 USD or more, for reference videos may be longer than you said." in message
    )
    assert (True, False) == (asked.called, queued.called)
    assert "job" in queue(options={"reference_video_urls": ["one.mp4"]})


def test_the_number_of_reference_images_is_quoted(
    queue: Callable[..., Any], asked: respx.Route, queued: respx.Route
) -> None:
    """Some models are priced by it; Venice's quote takes it, and its queue does not."""
    queue(
        reference_images=[PICTURE, PICTURE], options={"image_references": [{"image_url": PICTURE}]}
    )

    assert 3 == sent(asked)["reference_image_count"]
    assert "reference_image_count" not in sent(queued)


WAY: list[dict[str, float]] = [
    {"time": 0, "azimuth": 0, "elevation": 0, "distance": 1},
    {"time": 1, "azimuth": 45, "elevation": 10, "distance": 1.5},
]


def test_the_camera_goes_around_a_picture(
    queue: Callable[..., Any], asked: respx.Route, queued: respx.Route
) -> None:
    """A way of the camera chooses the model that takes one, which needs no prompt; numbers are read as meant."""
    way = json.dumps([{name: str(number) for name, number in pose.items()} for pose in WAY])
    reply = queue(prompt="", image=PICTURE, options={"camera_trajectory": way})

    assert "minimax-h3-max-multi-angle" == reply["model"]
    assert (WAY, PICTURE) == (sent(queued)["camera_trajectory"], sent(queued)["image_url"])
    assert "camera_trajectory" not in sent(asked)


def pose(time: float, azimuth: float = 0, elevation: float = 0, distance: float = 1) -> Any:
    """A pose of the camera."""
    return {"time": time, "azimuth": azimuth, "elevation": elevation, "distance": distance}


@pytest.mark.parametrize(
    "way",
    [
        [pose(0, elevation=-90), pose(1, elevation=90)],
        [pose(0, azimuth=-5760), pose(1, azimuth=5760)],
        [pose(0, azimuth=5760), pose(0.5), pose(1, azimuth=5760)],
        [pose(number / 11, distance=0.001) for number in range(12)],
    ],
    ids=["elevation", "turns", "turns and back", "many"],
)
def test_the_camera_goes_as_far_as_it_may(tool: Tool, way: list[dict[str, float]]) -> None:
    """A limit of a pose, or of the whole way, is within the limit."""
    assert way == tool.__globals__["_read_trajectory"](way)


@pytest.mark.parametrize(
    ("way", "said"),
    [
        ([pose(0, elevation=-90.5), pose(1)], "elevation is in degrees, -90 to 90, not -90.5"),
        ([pose(0), pose(1, elevation=90.5)], "elevation is in degrees, -90 to 90, not 90.5"),
        ([pose(0, azimuth=-5760), pose(1, azimuth=5760.5)], "32 turns in all"),
        ([pose(-0.5), pose(1)], "time is a share of the film, 0 to 1, not -0.5"),
        ([pose(0), pose(1.5)], "time is a share of the film, 0 to 1, not 1.5"),
        ([pose(0.5), pose(0.5)], "time must be after the 0.5 before it"),
        ([pose(0, distance=0), pose(1)], "distance is above 0"),
        ([pose(0)], "is a list of 2 to 12 objects"),
        ([pose(number / 12) for number in range(13)], "is a list of 2 to 12 objects"),
    ],
)
def test_the_camera_goes_no_further(tool: Tool, way: list[Any], said: str) -> None:
    """What no camera can do is named, with what it can."""
    assert said in refusal(tool.__globals__["_read_trajectory"], way)


def test_what_is_left_out_within_content_is_left_out(
    queue: Callable[..., Any], queued: respx.Route
) -> None:
    """Models fill lists and objects with null and empty texts; neither names a file."""
    element = {"frontal_image_url": PICTURE, "reference_image_urls": [PICTURE, ""]}
    filled = {**element, "video_url": ""}
    way = [{**one, "comment": None} for one in WAY]
    queue(options={"elements": [filled, None], "reference_video_urls": None})
    elements = sent(queued)["elements"]
    queue(image=PICTURE, options={"camera_trajectory": way})

    assert [{"frontal_image_url": PICTURE, "reference_image_urls": [PICTURE]}] == elements
    assert WAY == sent(queued)["camera_trajectory"]


def test_what_is_enhanced_has_its_own_settings(
    queue: Callable[..., Any], asked: respx.Route, queued: respx.Route
) -> None:
    """All of them reach the queue, and the quote has those that change the price."""
    priced = {"enhancement_model": "proteus", "target_fps": 60, "slowdown_factor": 2}
    free = {
        "compression": 0.5,
        "grain": 0.05,
        "softness": 2.0,
        "h264_output": True,
        "output_format": "mp4",
    }
    queue(prompt="", video=FILM, options=priced | free)

    assert {"model": "topaz-video-upscale", "video_url": FILM, **priced} == sent(asked)
    assert sent(asked) | free == sent(queued)


def test_options_are_what_venices_document_allows(tool: Tool) -> None:
    """Each has the limits, or the choices, that Venice's document gives to its queue."""
    documented = operations()["/video/queue", "post"].requests["application/json"].properties()
    known = tool.__globals__["_OPTIONS"].items()
    ranges = {name: allowed for name, allowed in known if isinstance(allowed, tuple)}
    choices = {name: allowed for name, allowed in known if isinstance(allowed, list)}

    # These are for the price alone, and there without limits.
    assert {
        "reference_video_total_duration",
        "reference_image_count",
    } == ranges.keys() - documented.keys()
    for name in ranges.keys() & documented.keys():
        assert (documented[name]["minimum"], documented[name]["maximum"]) == ranges[name]
    for name in choices.keys() & documented.keys():
        assert documented[name].get("enum", [True, False]) == choices[name]


def film_of(seconds: int) -> bytes:
    """A film that says of itself how long it is."""
    return films.make(
        Image.linear_gradient("L").convert("RGB"), (64, 48), seconds, "x", audio=False
    )


TOO_MUCH: dict[str, tuple[dict[str, Any], str]] = {
    "images": (
        {"model": "kling-o3-pro-reference-to-video", "reference_images": [PICTURE] * 6},
        "kling-o3-pro-reference-to-video takes at most 4 reference images, and 6 were given. Leave out 2.",
    ),
    "videos": (
        {
            "model": "minimax-h3-reference-to-video",
            "options": {"reference_video_urls": [FILM] * 4, "reference_video_total_duration": 8},
        },
        "takes at most 3 reference videos, and 4 were given. Leave out 1.",
    ),
    "no videos": (
        {
            "model": "kling-o3-pro-reference-to-video",
            "options": {"reference_video_urls": [FILM], "reference_video_total_duration": 2},
        },
        "takes no reference videos, and 1 were given.",
    ),
    "audios": (
        {
            "model": "seedance-2-0-reference-to-video-basic",
            "reference_images": [PICTURE],
            "options": {"reference_audio_urls": ["https://example.com/a.mp3"] * 4},
        },
        "takes at most 3 reference audios, and 4 were given.",
    ),
    "short": (
        {
            "model": "seedance-2-0-reference-to-video-basic",
            "options": {"reference_video_urls": ["one.mp4"]},
        },
        "takes reference videos of 2 to 15 s, and one has 1 s. Cut it.",
    ),
    "long together": (
        {
            "model": "seedance-2-0-reference-to-video-basic",
            "options": {"reference_video_urls": [FILM], "reference_video_total_duration": 16},
        },
        "takes reference videos of 15 s together, and these have 16 s. Leave some out, or cut them.",
    ),
}


@pytest.mark.parametrize("case", TOO_MUCH)
def test_more_references_than_a_model_takes_are_refused(
    queue: Callable[..., Any], asked: respx.Route, tmp_path: Path, case: str
) -> None:
    """Each family of models has limits of its own, which are checked before anything is sent."""
    (tmp_path / "media").mkdir(exist_ok=True)
    (tmp_path / "media" / "one.mp4").write_bytes(film_of(1))
    arguments, said = TOO_MUCH[case]

    assert said in refusal(queue, **arguments)
    assert not asked.called


# By family, as Venice's skill for films says: images, videos, sounds; then for videos, in seconds, the
# shortest, the longest, and all together.
FAMILIES: dict[str, tuple[int, int, int, int, int, int]] = {
    "seedance-2-0": (9, 3, 3, 2, 15, 15),
    "seedance-2-5": (30, 10, 10, 2, 30, 30),
    "wan-3-0": (10, 5, 5, 1, 15, 15),
    "minimax-h3-enhanced": (9, 0, 3, 0, 0, 0),
    "minimax-h3": (9, 3, 3, 2, 15, 15),
    "kling-o3-4k": (7, 0, 0, 0, 0, 0),
    "kling-o3": (4, 0, 0, 0, 0, 0),
    "kling-v3": (4, 0, 0, 0, 0, 0),
    "pixverse-c1": (7, 0, 0, 0, 0, 0),
    "grok-imagine": (7, 0, 0, 0, 0, 0),
    "gemini-omni-flash-1-1": (10, 0, 0, 0, 0, 0),
    "gemini-omni-flash": (3, 0, 0, 0, 0, 0),
}


@pytest.mark.parametrize("family", FAMILIES)
def test_each_family_of_models_has_its_own_limits(tool: Tool, family: str) -> None:
    """What a family takes at most is let through, and one more, or a moment more, is not."""
    images, videos, audios, shortest, longest, together = FAMILIES[family]

    def check(images: int = 0, videos: int = 0, audios: int = 0, *lengths: float) -> None:
        given = tool.__globals__["_References"](
            images, videos, audios, list(lengths), sum(lengths) if lengths else None, bool(lengths)
        )
        tool.__globals__["_check_references"](f"{family}-reference-to-video", given)

    check(images, videos, audios)
    for count in ((images + 1, 0, 0), (0, videos + 1, 0), (0, 0, audios + 1)):
        assert "Leave out 1." in refusal(check, *count)
    if videos:
        check(0, 1, 0, shortest)
        check(0, 1, 0, longest)
        check(0, 2, 0, together / 2, together / 2)
        assert "Cut it." in refusal(check, 0, 1, 0, shortest - 0.1)
        assert "Cut it." in refusal(check, 0, 1, 0, longest + 0.1)
        assert "Leave some out" in refusal(check, 0, 2, 0, together / 2, together / 2 + 0.1)


def test_as_many_references_as_a_model_takes_are_sent(
    queue: Callable[..., Any], queued: respx.Route
) -> None:
    """A limit itself is within the limit."""
    queue(model="kling-o3-pro-reference-to-video", reference_images=[PICTURE] * 4)

    assert 4 == len(sent(queued)["reference_image_urls"])


def test_seedance_keeps_the_shape_of_a_film(queue: Callable[..., Any], queued: respx.Route) -> None:
    """Where there is a film to go by, its shape may be asked for, which the catalogue does not list."""
    options = {"reference_video_urls": [FILM], "reference_video_total_duration": 5}
    model = "seedance-2-0-reference-to-video-basic"
    for shape in ("adaptive", "auto"):
        queue(model=model, aspect_ratio=shape, options=options)
        assert shape == sent(queued)["aspect_ratio"]
    assert "'adaptive' is not to be had" in refusal(
        queue, model=model, aspect_ratio="adaptive", reference_images=[PICTURE]
    )


@pytest.mark.parametrize(("version", "takes"), [("2-0", False), ("2-5", True)])
def test_only_the_later_seedance_keeps_the_length_of_a_film(
    api: respx.MockRouter,
    queue: Callable[..., Any],
    queued: respx.Route,
    version: str,
    *,
    takes: bool,
) -> None:
    """Of a film to go by, its length may be asked for, which the catalogue does not list; 2.0 would refuse it."""
    name = f"seedance-{version}-reference-to-video-basic"
    api.get("/models").respond(json={"object": "list", "data": [model(name, "image-to-video")]})
    options = {"reference_video_urls": [FILM], "reference_video_total_duration": 5}
    call: dict[str, Any] = {"model": name, "duration": "auto", "options": options}

    if takes:
        queue(**call)
        assert "auto" == sent(queued)["duration"]
    else:
        assert "has no duration 'auto'" in refusal(queue, **call)


def test_a_model_without_the_usual_settings_has_its_first(
    api: respx.MockRouter, queue: Callable[..., Any], queued: respx.Route
) -> None:
    """What a model lists first is taken where it lacks what is usual, and the reply says so."""
    lists = {
        "durations": ["8s", "4s"],
        "resolutions": ["1080p", "4K"],
        "aspect_ratios": ["1:1", "9:16"],
    }
    row = model("odd-text-to-video", "text-to-video", **lists)
    api.get("/models").respond(json={"object": "list", "data": [row]})
    reply = queue()

    chosen = {"duration": "8s", "resolution": "1080p", "aspect_ratio": "1:1"}
    assert chosen.items() <= sent(queued).items()
    assert "Chosen for you: duration: 8s, resolution: 1080p, aspect_ratio: 1:1." in reply["notes"]


# --- the cheapest ---

CHEAPEST = {"choose": "cheapest"}
PRICES = {
    "wan-2.5-preview-text-to-video": 0.25,
    "veo-text": 0.2,
    "wan-2.5-preview-image-to-video": 0.5,
    "loud-image-to-video": 0.1,
    "mute-image-to-video": 0.3,
}


@pytest.fixture
def prices(asked: respx.Route) -> dict[str, float | httpx.Response]:
    """What Venice asks for a film, by model; a response stands for a refusal."""
    known: dict[str, Any] = dict(PRICES)

    def answer(request: httpx.Request) -> httpx.Response:
        price = known[json.loads(request.content)["model"]]
        return (
            price
            if isinstance(price, httpx.Response)
            else httpx.Response(200, json={"quote": price})
        )

    asked.side_effect = answer
    return known


def test_the_cheapest_that_fits_is_bought(
    queue: Callable[..., Any], prices: dict[str, Any], asked: respx.Route, queued: respx.Route
) -> None:
    """Each model that makes such a film is asked for its price, and the reply tells the choice."""
    assert prices
    reply = queue(options=CHEAPEST)

    assert ("veo-text", 0.2) == (sent(queued)["model"], reply["cost_usd"])
    assert (
        "The cheapest of 2 models that fit, at 0.2 USD; then wan-2.5-preview-text-to-video at 0.25."
        in reply["notes"]
    )
    assert 3 == asked.call_count  # the two, and the one that is bought


def test_the_models_are_listed_once(
    queue: Callable[..., Any], prices: dict[str, Any], api: respx.MockRouter
) -> None:
    """The list from which the cheapest is chosen is also that from which it is known which one is usual."""
    assert prices
    queue(options=CHEAPEST)

    assert 1 == listings(api)


def test_the_cheapest_has_what_was_asked_for(
    queue: Callable[..., Any], prices: dict[str, Any], queued: respx.Route
) -> None:
    """A model that lacks a setting is not asked, however cheap it is."""
    assert prices
    queue(duration="10s", options=CHEAPEST)
    assert "wan-2.5-preview-text-to-video" == sent(queued)["model"]
    queue(image=PICTURE, audio=False, options=CHEAPEST)
    assert "mute-image-to-video" == sent(queued)["model"]


@pytest.mark.parametrize("status", [400, 403, 404, 500, 503])
def test_a_model_that_can_not_be_asked_is_passed_over(
    queue: Callable[..., Any], prices: dict[str, Any], queued: respx.Route, tool: Tool, status: int
) -> None:
    """What Venice refuses of one model says nothing of the others."""
    tool.__globals__["time"] = Clock()
    prices["veo-text"] = httpx.Response(status, json={"error": "not in your region"})
    queue(options=CHEAPEST)

    assert "wan-2.5-preview-text-to-video" == sent(queued)["model"]


@pytest.mark.parametrize("status", [401, 402])
def test_a_refusal_of_the_key_ends_the_search(
    queue: Callable[..., Any], prices: dict[str, Any], asked: respx.Route, status: int
) -> None:
    """What holds for every model is asked once."""
    for name in prices:
        prices[name] = httpx.Response(status, json={"error": "Authentication failed"})

    assert f"Venice answered {status}" in refusal(queue, options=CHEAPEST)
    assert 1 == asked.call_count


def test_where_nothing_fits_the_last_reason_is_told(
    queue: Callable[..., Any], asked: respx.Route
) -> None:
    """A film that no model makes is told so, with what one of them lacks."""
    message = refusal(queue, duration="7s", options=CHEAPEST)

    assert "Of Venice's models, none makes such a film. The last that was looked at: " in message
    assert "has no duration '7s'" in message
    assert not asked.called


def test_no_more_than_two_dozen_models_are_asked(
    api: respx.MockRouter, queue: Callable[..., Any], asked: respx.Route
) -> None:
    """However many models there are, the search ends."""
    many = [model(f"{number}-text-to-video", "text-to-video") for number in range(40)]
    api.get("/models").respond(json={"object": "list", "data": many})
    queue(options=CHEAPEST)

    assert 25 == asked.call_count


@pytest.mark.parametrize(("allowed", "count"), [(120, 3), (60, 2)])
def test_the_search_for_the_cheapest_ends_in_time(
    api: respx.MockRouter, queue: Callable[..., Any], tool: Tool, allowed: int, count: int
) -> None:
    """Where each price takes 16 s, it ends after 40 s, and after half of the time that is left."""
    tool.__globals__["time"] = clock = Clock()
    tool.__globals__["_DEADLINE"] = clock.monotonic() + allowed
    many = [model(f"{number}-text-to-video", "text-to-video") for number in range(9)]
    api.get("/models").respond(json={"object": "list", "data": many})

    def answer(_: httpx.Request) -> httpx.Response:
        clock.sleep(16)
        return httpx.Response(200, json={"quote": 0.1})

    api.post("/video/quote").mock(side_effect=answer)

    assert f"The cheapest of {count} models that fit" in str(queue(options=CHEAPEST)["notes"])


def test_where_the_usual_one_is_private_only_private_ones_are_asked(
    api: respx.MockRouter, queue: Callable[..., Any], asked: respx.Route
) -> None:
    """A price does not decide who may see a prompt."""
    rows = {
        "wan-2.5-preview-text-to-video": "private",
        "a-text-to-video": "anonymized",
        "b-text-to-video": "private",
    }
    models = [model(name, "text-to-video") for name in rows]
    for row in models:
        row["model_spec"]["privacy"] = rows[row["id"]]
    api.get("/models").respond(json={"object": "list", "data": models})
    queue(options=CHEAPEST)

    named = {json.loads(call.request.content)["model"] for call in asked.calls}
    assert {"wan-2.5-preview-text-to-video", "b-text-to-video"} == named


def test_a_model_and_a_choice_are_too_much(queue: Callable[..., Any], asked: respx.Route) -> None:
    """Either the caller decides or the price does."""
    assert "Give a model, or the option choose, and not both" in refusal(
        queue, model="veo-text", options=CHEAPEST
    )
    assert not asked.called


def test_openai_s_names_are_understood(queue: Callable[..., Any], queued: respx.Route) -> None:
    """Options that agents bring along from elsewhere are taken where their meaning is clear."""
    queue(options={"seconds": 10, "size": "1080x1920"})

    assert ("10s", "9:16") == (sent(queued)["duration"], sent(queued)["aspect_ratio"])


@pytest.mark.parametrize(
    ("arguments", "name"),
    [
        ({"duration": "5s", "options": {"seconds": 10}}, "duration"),
        ({"aspect_ratio": "16:9", "options": {"size": "1080x1920"}}, "aspect_ratio"),
        ({"video": FILM, "options": {"video_url": "https://example.com/a.mp4"}}, "video_url"),
        (
            {"reference_images": [PICTURE], "options": {"reference_image_urls": [FILM]}},
            "reference_image_urls",
        ),
    ],
)
def test_what_is_said_in_two_ways_is_not_bought(
    queue: Callable[..., Any], asked: respx.Route, arguments: dict[str, Any], name: str
) -> None:
    """An option that says otherwise than the argument for the same is refused: neither of them wins unseen."""
    assert f"The options say another {name} than the arguments. Say it once." in refusal(
        queue, **arguments
    )
    assert not asked.called


def test_the_same_may_be_said_twice(queue: Callable[..., Any], queued: respx.Route) -> None:
    """An option that says what the argument says does no harm."""
    queue(duration="10s", options={"seconds": 10})
    assert "10s" == sent(queued)["duration"]
    queue(reference_images=[PICTURE], options={"reference_image_urls": PICTURE})
    assert [PICTURE] == sent(queued)["reference_image_urls"]


@pytest.mark.parametrize(
    ("settings", "options", "bought"),
    [
        ({"duration": "10 seconds"}, {"seconds": 10}, {"duration": "10s"}),
        ({"duration": "10"}, {"seconds": 10.0}, {"duration": "10s"}),
        ({"duration": "10S"}, {"seconds": "10 sec"}, {"duration": "10s"}),
        ({"aspect_ratio": "16:9"}, {"size": "1280x720"}, {"aspect_ratio": "16:9"}),
        ({"aspect_ratio": "portrait"}, {"size": "1080 x 1920"}, {"aspect_ratio": "9:16"}),
    ],
    ids=str,
)
def test_the_same_may_be_written_in_two_ways(
    queue: Callable[..., Any],
    queued: respx.Route,
    settings: dict[str, Any],
    options: dict[str, Any],
    bought: dict[str, Any],
) -> None:
    """A length has many spellings, and a shape is the same in pixels: neither is a contradiction."""
    queue(**settings, options=options)

    assert bought.items() <= sent(queued).items()


def png(size: tuple[int, int] = (64, 48)) -> bytes:
    """A picture as a file."""
    file = io.BytesIO()
    Image.linear_gradient("L").resize(size).save(file, "PNG")
    return file.getvalue()


def mp4() -> bytes:
    """A film as a file."""
    return films.make(Image.linear_gradient("L").convert("RGB"), (64, 48), 1, "x", audio=False)


def speech(kind: str) -> bytes:
    """A sound as a file."""
    return sound.encode(sound.murmur("Fox", "af_sky", 1, 24_000), 24_000, kind)


STORED: dict[str, tuple[str, Callable[[], bytes], str]] = {
    "png": ("image", png, "image/png"),
    "mp4": ("video", mp4, "video/mp4"),
    "mov": ("video", lambda: mp4().replace(b"ftypisom", b"ftypqt  "), "video/quicktime"),
    "webm": ("video", lambda: whole_files()["webm"], "video/webm"),
    "mp3": ("audio", lambda: speech("mp3"), "audio/mpeg"),
    "wav": ("audio", lambda: speech("wav"), "audio/wav"),
    "pdf": ("document", lambda: b"%PDF-1.7", "application/pdf"),
}


@pytest.mark.parametrize("kind", STORED)
@pytest.mark.parametrize("as_data_url", [False, True], ids=["stored", "data URL"])
def test_stored_files_go_along_with_their_true_type(
    queue: Callable[..., Any], queued: respx.Route, tmp_path: Path, kind: str, *, as_data_url: bool
) -> None:
    """A file of the media store is sent as a data URL whose type comes from its bytes, whatever it is called."""
    group, make, expected = STORED[kind]
    content = make()
    (tmp_path / "media").mkdir(exist_ok=True)
    (tmp_path / "media" / "thing.bin").write_bytes(content)
    name = (
        f"data:text/plain;base64,{base64.b64encode(content).decode()}"
        if as_data_url
        else "thing.bin"
    )
    more = {"reference_video_total_duration": 1} if group == "video" else {}
    beside = [PICTURE] if group == "audio" else None
    options = {f"reference_{group}_urls": [name], **more}
    queue(model="happyhorse-reference-to-video", reference_images=beside, options=options)

    assert [f"data:{expected};base64,{base64.b64encode(content).decode()}"] == sent(queued)[
        f"reference_{group}_urls"
    ]


@pytest.mark.parametrize("space", ["", " ", "\n"], ids=repr)
def test_space_around_media_is_none_of_their_name(
    queue: Callable[..., Any], queued: respx.Route, tmp_path: Path, space: str
) -> None:
    """Addresses and stored files are taken with white space around them, in lists and in objects, too."""
    (tmp_path / "media").mkdir(exist_ok=True)
    (tmp_path / "media" / "fox.png").write_bytes(png())
    fox = f"data:image/png;base64,{base64.b64encode(png()).decode()}"
    written, stored = (f"{space}{one}{space}" for one in (PICTURE, "fox.png"))

    queue(image=written)
    assert PICTURE == sent(queued)["image_url"]
    queue(image=stored)
    assert fox == sent(queued)["image_url"]
    queue(reference_images=[written, stored])
    assert [PICTURE, fox] == sent(queued)["reference_image_urls"]
    queue(options={"elements": [{"frontal_image_url": stored, "reference_image_urls": [written]}]})
    assert [{"frontal_image_url": fox, "reference_image_urls": [PICTURE]}] == sent(queued)[
        "elements"
    ]


WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "no prompt": ({"prompt": ""}, "The prompt must have 1 to 2500 characters."),
    "size of what is enlarged": (
        {"video": FILM, "model": "topaz-video-upscale", "resolution": "2x"},
        "takes no resolution, but the option upscale_factor: 1, 2 or 4.",
    ),
    "an argument as an option": (
        {"options": {"duration": "5s"}},
        "'duration' is no option, but an argument: give it beside options, not among them.",
    ),
    "an argument in capitals as an option": (
        {"options": {"Duration": "5s"}},
        "'duration' is no option, but an argument: give it beside options, not among them.",
    ),
    "a frame as an option": (
        {"options": {"end_image": PICTURE}},
        "'end_image' is no option, but an argument: give it beside options, not among them.",
    ),
    "blank prompt": ({"prompt": " \n "}, "The prompt must have 1 to 2500 characters."),
    "long prompt": ({"prompt": "x" * 2501}, "The prompt must have 1 to 2500 characters."),
    "long for this model": (
        {"prompt": "x" * 101, "image": PICTURE},
        "The prompt must have 1 to 100 characters.",
    ),
    "long negative prompt": (
        {"options": {"negative_prompt": "x" * 2501}},
        "The negative_prompt must have 1 to 2500",
    ),
    "duration": ({"duration": "7s"}, "has no duration '7s': it has 5s, 10s."),
    "resolution": ({"resolution": "4k"}, "has no resolution '4k': it has 480p, 720p."),
    "ratio": (
        {"aspect_ratio": "round"},
        "The aspect ratio 'round' is not to be had; this model has: 16:9, 9:16, 1:1.",
    ),
    "ratio of a picture": (
        {"image": PICTURE, "aspect_ratio": "16:9"},
        "takes no aspect_ratio: leave it out, or choose another model.",
    ),
    "silence": (
        {"image": PICTURE, "model": "loud-image-to-video", "audio": False},
        "loud-image-to-video always makes sound. Leave audio out",
    ),
    "words only": (
        {"model": "veo-text", "image": PICTURE},
        "veo-text makes films of words alone: leave the media out, or leave model out.",
    ),
    "picture needed": ({"model": "loud-image-to-video"}, "makes films of a given image: give one"),
    "film needed": ({"model": "wan-video-to-video"}, "makes films of a given video: give one"),
    "model": ({"model": "sora-9"}, "There is no video model 'sora-9' fit for this."),
    "offline": (
        {"model": "gone-text-to-video"},
        "There is no video model 'gone-text-to-video' fit for this.",
    ),
    "seed": (
        {"options": {"seed": 7}},
        "The option 'seed' is not for films: Venice's films have no such thing.",
    ),
    "consents": (
        {"options": {"consents": {}}},
        "consent is for a person to give, at Venice itself",
    ),
    "typo": (
        {"options": {"upscale_factr": 2}},
        "There is no option 'upscale_factr'; the nearest is 'upscale_factor'.",
    ),
    "factor": (
        {"video": FILM, "options": {"upscale_factor": 3}},
        "'upscale_factor' must be one of 1, 2, 4, not 3.",
    ),
    "unmeasured": (
        {"options": {"reference_video_urls": [FILM]}},
        "Give the option reference_video_total_duration, in seconds",
    ),
    "strength without an image": (
        {"options": {"image_strength": 1}},
        "'image_strength' needs an image: give one",
    ),
    "strength": (
        {"image": PICTURE, "options": {"image_strength": 2}},
        "'image_strength' must be 0.0 to 1.0, not 2",
    ),
    "sound alone": (
        {"options": {"reference_audio_urls": ["https://example.com/a.mp3"]}},
        "Venice takes reference_audio_urls only beside a reference image or video: give one",
    ),
    "faceless element": (
        {"options": {"elements": [{"reference_image_urls": [PICTURE]}]}},
        "Each of the elements needs a frontal_image_url or a video_url.",
    ),
    "type of an image": (
        {"options": {"image_references": [{"image_url": PICTURE, "type": "sky"}]}},
        "'image_references' is a list of 1 to 30 objects of image_url, type, ref_name.",
    ),
    "frame with references": (
        {"model": "minimax-h3-reference-to-video", "image": PICTURE, "reference_images": [PICTURE]},
        "takes references alone: leave image and end_image out.",
    ),
    "last frame alone": (
        {"end_image": PICTURE},
        "A last frame needs a first one: give image, too, or leave end_image out.",
    ),
    "way without an image": (
        {"options": {"camera_trajectory": WAY}},
        "'camera_trajectory' needs an image: give one",
    ),
    "one pose": (
        {"image": PICTURE, "options": {"camera_trajectory": WAY[:1]}},
        "'camera_trajectory' is a list of 2 to 12 objects of time, azimuth, elevation, distance, each a number.",
    ),
    "late pose": (
        {"image": PICTURE, "options": {"camera_trajectory": [WAY[0], WAY[1] | {"time": 1.5}]}},
        "In 'camera_trajectory', time is a share of the film, 0 to 1, not 1.5.",
    ),
    "same time": (
        {"image": PICTURE, "options": {"camera_trajectory": [WAY[1], WAY[1]]}},
        "In 'camera_trajectory', time must be after the 1 before it, not 1.",
    ),
    "high pose": (
        {"image": PICTURE, "options": {"camera_trajectory": [WAY[0], WAY[1] | {"elevation": 91}]}},
        "elevation is in degrees, -90 to 90, not 91.",
    ),
    "near pose": (
        {"image": PICTURE, "options": {"camera_trajectory": [WAY[0], WAY[1] | {"distance": 0}]}},
        "distance is above 0; 1 leaves it as it is, not 0.",
    ),
    "many turns": (
        {
            "image": PICTURE,
            "options": {"camera_trajectory": [WAY[0], WAY[1] | {"azimuth": -11_521}]},
        },
        "azimuth may change by 32 turns in all, 11520 degrees, not 11521.",
    ),
    "many": (
        {"reference_images": [PICTURE] * 31},
        "'reference_image_urls' is a list of 1 to 30 URLs or stored files.",
    ),
    "no list": (
        {"options": {"scene_image_urls": '["a'}},
        "'scene_image_urls' is a list of 1 to 4 URLs",
    ),
    "empty element": (
        {"options": {"elements": ["x"]}},
        "'elements' is a list of 1 to 4 objects of frontal_image_url",
    ),
    "odd element": (
        {"options": {"elements": [{"face": PICTURE}]}},
        "'elements' is a list of 1 to 4 objects",
    ),
    "no frame": (
        {"options": {"keyframes": [{"image_url": PICTURE}]}},
        "objects of image_url, frame_index.",
    ),
    "frame -1": (
        {"options": {"keyframes": [{"image_url": PICTURE, "frame_index": -1}]}},
        "objects of image_url",
    ),
    "frame yes": (
        {"options": {"keyframes": [{"image_url": PICTURE, "frame_index": True}]}},
        "objects of image_url",
    ),
    "not stored": ({"image": "fox.png"}, "No stored file is called 'fox.png'."),
    "outside": ({"image": "/etc/passwd"}, "No stored file is called '/etc/passwd'."),
    "other kind": (
        {"image": f"data:image/png;base64,{base64.b64encode(b'%PDF-1.7').decode()}"},
        "is no image",
    ),
    "GIF": (
        {"image": f"data:image/png;base64,{base64.b64encode(b'GIF89a').decode()}"},
        "turn it into PNG, and give",
    ),
    "junk": (
        {"image": "data:image/png;base64,AAAA"},
        "is no image that Venice takes. Give PNG or JPEG or WebP.",
    ),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_can_not_work_costs_nothing(
    queue: Callable[..., Any], asked: respx.Route, queued: respx.Route, case: str
) -> None:
    """A wish that the model does not grant is refused with what it offers, before anything is sent."""
    arguments, said = WRONG[case]

    assert said in refusal(queue, **arguments)
    assert not asked.called
    assert not queued.called


def test_media_that_are_too_large_together_are_refused(
    queue: Callable[..., Any], queued: respx.Route, tmp_path: Path
) -> None:
    """Venice takes 35 MB in all, and base64 makes a third more of it."""
    (tmp_path / "media").mkdir(exist_ok=True)
    (tmp_path / "media" / "large.png").write_bytes(png() + bytes(14 << 20))
    in_url = f"data:image/png;base64,{base64.b64encode(png() + bytes(14 << 20)).decode()}"

    queue(image="large.png")
    for large in ("large.png", in_url):
        assert "have more than the 35 MB that Venice takes" in refusal(
            queue, image=large, end_image=large
        )
    assert 1 == queued.call_count


def test_a_media_store_that_takes_no_file_costs_nothing(
    queue: Callable[..., Any], queued: respx.Route, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A film that could not be kept is not bought."""
    (tmp_path / "file").write_text("no folder")
    monkeypatch.setenv("VENICE_MEDIA_DIR", str(tmp_path / "file" / "media"))

    assert "VENICE_MEDIA_DIR" in refusal(queue)
    assert not queued.called


@given(
    duration=st.one_of(st.text(max_size=6), st.from_regex(r"\d{1,3}s?", fullmatch=True)),
    resolution=st.one_of(st.text(max_size=6), st.sampled_from(["480p", "720p", "4k"])),
    aspect_ratio=st.one_of(
        st.text(max_size=8), st.from_regex(r"[0-9]{1,5}[:x][0-9]{1,5}", fullmatch=True)
    ),
)
def test_any_settings_are_the_models_or_refused(
    queue: Callable[..., Any],
    queued: respx.Route,
    duration: str,
    resolution: str,
    aspect_ratio: str,
) -> None:
    """Whatever is asked for, Venice gets only settings that the model lists."""
    before = queued.call_count
    try:
        queue(duration=duration, resolution=resolution, aspect_ratio=aspect_ratio)
    except Exception as error:  # noqa: BLE001 - the type is the emitted text's own
        assert "VeniceError" == type(error).__name__  # noqa: PT017 - either outcome is right
        assert before == queued.call_count
    else:
        body = sent(queued)
        assert (body["duration"], body["resolution"]) in [
            (a, b) for a in ("5s", "10s") for b in ("480p", "720p")
        ]
        assert body["aspect_ratio"] in ("16:9", "9:16", "1:1")


@pytest.mark.parametrize(
    "arguments",
    [
        {},
        {"duration": "10", "resolution": "1080p", "audio": False},
        {"image": PICTURE},
        {"image": PICTURE, "model": "seedance-2-0-image-to-video-basic", "duration": "15s"},
        {"video": FILM},
        {"video": FILM, "options": {"upscale_factor": 4}},
        {"model": "sora-2-text-to-video"},
        {"model": "grok-imagine-text-to-video-private"},
    ],
    ids=str,
)
def test_what_is_told_is_what_is_charged(
    venice: LocalVenice, local_tool: Tool, arguments: dict[str, Any]
) -> None:
    """For every kind of film, the local Venice takes the job and charges the price that the reply names."""
    before = balance(venice)
    reply = json.loads(local_tool(prompt="A fox", **arguments))

    assert reply["cost_usd"] == pytest.approx(before - balance(venice), abs=1e-6)
    assert re.fullmatch(r"venice-video\|[\w.-]+\|[\w-]+(\|http://\S+)?", reply["job"])


def test_consent_is_asked_of_the_person(venice: LocalVenice, local_tool: Tool) -> None:
    """Where the local Venice asks for consent, nothing is charged, and the person's policy is in the reply."""
    before = balance(venice)
    reply = json.loads(
        local_tool(prompt="A fox", image=f"{PICTURE}?consent", model="seedance-2-0-image-to-video")
    )

    assert "legal right to use this person's likeness" in reply["policy"]
    assert "job" not in reply
    assert before == balance(venice)


def test_a_lost_purchase_is_not_repeated(venice: LocalVenice, local_tool: Tool) -> None:
    """A reset after the request may have bought the film: it is said, and one film at most is paid."""
    before = balance(venice)
    venice.order_fault(fault="reset", path="/video/queue")

    assert "it may be charged. Ask the person" in refusal(local_tool, prompt="A fox")
    assert 0.5 == pytest.approx(before - balance(venice), abs=1e-6)


@pytest.mark.parametrize(
    ("field", "most_mb"),
    [
        ("end_image_url", 25),
        ("reference_video_urls", 50),
        ("audio_url", 15),
        ("reference_document_urls", 25),
    ],
)
def test_a_stored_file_may_be_as_large_as_venice_takes(
    tool: Tool, tmp_path: Path, field: str, most_mb: int
) -> None:
    """Of each kind, so many megabytes are looked into; with a byte more, a file is refused for its size."""
    (tmp_path / "media").mkdir(exist_ok=True)
    read = tool.__globals__["_with_media"]
    with (tmp_path / "media" / "large").open("wb") as file:
        file.truncate(most_mb << 20)
        assert "that Venice takes" in refusal(read, field, "large")
        file.truncate((most_mb << 20) + 1)
        assert f"has more than {most_mb} MB" in refusal(read, field, "large")


def test_stored_files_may_be_as_large_together_as_venice_takes(tool: Tool, tmp_path: Path) -> None:
    """In a request of 35 MB, three quarters are files; with a byte more, none of them is read."""
    (tmp_path / "media").mkdir(exist_ok=True)
    check = tool.__globals__["_check_together"]
    (tmp_path / "media" / "small").write_bytes(b"123")
    with (tmp_path / "media" / "large").open("wb") as file:
        file.truncate((35 << 20) * 3 // 4 - 3)
        check({"image_url": "small", "reference_video_urls": ["large"]})
        file.truncate((35 << 20) * 3 // 4 - 2)
        assert "more than the 35 MB" in refusal(
            check, {"image_url": "small", "reference_video_urls": ["large"]}
        )
