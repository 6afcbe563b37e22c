"""Films and music: quoted, queued, asked after, taken away, deleted."""

import base64
import io
import time
from collections.abc import Callable
from typing import Any

import av
import httpx
import pytest

from sanctum_venice_tools.emulator.process import LocalVenice, running_venice

FILM = {
    "model": "wan-2.5-preview-text-to-video",
    "prompt": "A fox",
    "duration": "5s",
    "aspect_ratio": "16:9",
}
PRIVATE = {
    "model": "grok-imagine-text-to-video-private",
    "prompt": "A fox",
    "duration": "5s",
    "aspect_ratio": "9:16",
}
CONSENT = (
    "confirmed_terms_and_privacy",
    "confirmed_legal_right",
    "confirmed_screening_acknowledged",
)
PICTURE = "https://example.com/fox.png"
MOVIE = "https://example.com/fox.mp4"
MUSIC = {"model": "elevenlabs-music", "prompt": "A calm tune", "duration_seconds": 10}


# The status with which an unknown job is refused.
UNKNOWN = {"video": 400, "audio": 404}


def queue(client: httpx.Client, kind: str, body: dict[str, Any]) -> dict[str, Any]:
    """Queue a job; what all later questions after it need."""
    reply = client.post(f"/{kind}/queue", json=body)
    assert reply.status_code == 200, reply.text
    return {"model": reply.json()["model"], "queue_id": reply.json()["queue_id"]}


def finished(client: httpx.Client, kind: str, job: dict[str, Any]) -> httpx.Response:
    """The reply once a job is done."""
    while True:
        reply = client.post(f"/{kind}/retrieve", json=job)
        if "PROCESSING" not in reply.text[:50]:
            return reply
        time.sleep(0.05)


def test_job_takes_a_while() -> None:
    """At first it is being made, and how long that takes is told in milliseconds."""
    with running_venice(job_seconds=30) as slow:
        headers = {"Authorization": f"Bearer {slow.key}"}
        with httpx.Client(base_url=slow.base_url, headers=headers) as client:
            job = queue(client, "video", FILM)
            first = client.post("/video/retrieve", json=job).json()

    assert (first["status"], first["average_execution_time"]) == ("PROCESSING", 30_000)


def test_kling_costs_what_venice_publishes(client: httpx.Client) -> None:
    """The one price of a film that Venice's pages tell is the one that is quoted."""
    body = {"model": "kling-v4-flash-text-to-video", "duration": "10s"}

    assert client.post("/video/quote", json=body).json() == {"quote": 1.174}


def test_film_comes_as_mp4(client: httpx.Client) -> None:
    """The finished film is as long and as large as asked for."""
    job = queue(client, "video", {**FILM, "resolution": "480p"})

    reply = finished(client, "video", job)

    assert reply.headers["content-type"] == "video/mp4"
    with av.open(io.BytesIO(reply.content), "r") as film:
        video, audio = film.streams.video[0], film.streams.audio[0]
        assert (video.width, video.height, video.codec_context.name) == (854, 480, "h264")
        assert audio.codec_context.name == "aac"
        assert float((video.duration or 0) * (video.time_base or 0)) == 5


def test_film_of_a_picture(client: httpx.Client, encoded: Callable[..., str]) -> None:
    """A film made from a picture has its shape, and no sound where none is wanted."""
    body = {
        "model": "wan-2.5-preview-image-to-video",
        "prompt": "It moves",
        "duration": "5s",
        "resolution": "480p",
        "audio": False,
        "image_url": f"data:image/png;base64,{encoded(400, 400)}",
    }

    reply = finished(client, "video", queue(client, "video", body))

    with av.open(io.BytesIO(reply.content), "r") as film:
        assert (film.streams.video[0].width, len(film.streams.audio)) == (480, 0)


def test_film_by_download(client: httpx.Client) -> None:
    """A private model's film lies at an address that takes no key, until it is revoked."""
    reply = client.post("/video/queue", json=PRIVATE).json()
    url, job = reply["download_url"], {"model": reply["model"], "queue_id": reply["queue_id"]}

    early = httpx.get(url).status_code
    status = finished(client, "video", job).json()["status"]
    film = httpx.get(url)

    assert (early, status, film.headers["content-type"]) == (404, "COMPLETED", "video/mp4")
    assert client.get(url).status_code == 400
    assert httpx.delete(url).status_code == 204
    assert httpx.get(url).status_code == 410


def test_too_many_downloads(client: httpx.Client) -> None:
    """The address is good for a few downloads only."""
    reply = client.post("/video/queue", json=PRIVATE).json()
    finished(client, "video", {"model": reply["model"], "queue_id": reply["queue_id"]})

    statuses = [httpx.get(reply["download_url"]).status_code for _ in range(11)]

    assert statuses == [200] * 10 + [429]


def test_complete_deletes_sound(client: httpx.Client) -> None:
    """`complete` deletes what is finished, and nothing before; what is deleted is not found."""
    job = queue(client, "audio", MUSIC)

    early = client.post("/audio/complete", json=job).json()
    finished(client, "audio", job)
    late = client.post("/audio/complete", json=job).json()

    assert (early, late) == ({"success": False}, {"success": True})
    assert client.post("/audio/retrieve", json=job).status_code == 404
    assert client.post("/audio/complete", json=job).status_code == 400


def test_complete_knows_no_film(client: httpx.Client) -> None:
    """Films are not deleted by `complete`: it says of each that its id is invalid, and the film stays."""
    job = queue(client, "video", {**FILM, "resolution": "480p"})
    finished(client, "video", job)
    reply = client.post("/video/complete", json=job)

    assert (reply.status_code, reply.json()["error"]) == (400, "Request ID is invalid.")
    assert finished(client, "video", job).headers["content-type"] == "video/mp4"


@pytest.mark.parametrize(
    ("kind", "body"), [("video", {**FILM, "resolution": "480p"}), ("audio", MUSIC)]
)
def test_deleted_with_the_last_retrieval(
    client: httpx.Client, kind: str, body: dict[str, Any]
) -> None:
    """With delete_media_on_completion the file comes once."""
    job = queue(client, kind, body)
    finished(client, kind, job)

    assert (
        client.post(
            f"/{kind}/retrieve", json={**job, "delete_media_on_completion": True}
        ).status_code
        == 200
    )
    assert client.post(f"/{kind}/retrieve", json=job).status_code == UNKNOWN[kind]


ENLARGED = {"model": "topaz-video-upscale", "video_url": "https://example.org/fox.mp4"}
CHANGED = {
    "model": "wan-2-7-video-to-video",
    "video_url": "https://example.org/fox.mp4",
    "prompt": "It snows",
    "aspect_ratio": "16:9",
}


@pytest.mark.parametrize(
    "body",
    [ENLARGED, {**ENLARGED, "upscale_factor": 4}, CHANGED, {**CHANGED, "resolution": "720p"}],
)
def test_a_film_that_is_given_keeps_its_length(client: httpx.Client, body: dict[str, Any]) -> None:
    """Enlarging needs a film alone, changing a prompt too; both are priced by the film."""
    priced = client.post("/video/quote", json=body)

    assert priced.json()["quote"] > 0
    assert client.post("/video/queue", json=body).status_code == 200


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({**ENLARGED, "duration": "Auto"}, "duration"),
        ({**CHANGED, "duration": "Auto"}, "duration"),
        ({**ENLARGED, "resolution": "2x"}, "resolution"),
        ({"model": "topaz-video-upscale"}, "video_url"),
        ({name: value for name, value in CHANGED.items() if name != "prompt"}, "prompt"),
        ({name: value for name, value in FILM.items() if name != "duration"}, "duration"),
    ],
)
def test_what_such_a_model_does_not_take(
    client: httpx.Client, body: dict[str, Any], field: str
) -> None:
    """The catalogue's "Auto" and "2x" are no values of a request, and what a model needs is asked for by name."""
    reply = client.post("/video/queue", json=body)

    assert (reply.status_code, list(reply.json()["details"])) == (400, ["_errors", field])


def test_a_quote_needs_the_film_that_is_changed(client: httpx.Client) -> None:
    """What depends on the film has no price without it; fields that no model knows are dropped."""
    assert client.post("/video/quote", json={"model": "topaz-video-upscale"}).status_code == 400
    assert client.post("/video/quote", json={**ENLARGED, "what": 1}).status_code == 200


@pytest.mark.parametrize("wrong", [{"queue_id": "x"}, {"model": "sora-2-text-to-video"}])
def test_unknown_job(client: httpx.Client, wrong: dict[str, Any]) -> None:
    """A job is found by its id and its model."""
    job = queue(client, "video", FILM)

    reply = client.post("/video/retrieve", json={**job, **wrong})

    assert (400, {"error": "Request ID is invalid."}) == (reply.status_code, reply.json())


def test_price_follows_the_settings(client: httpx.Client) -> None:
    """Length, resolution and sound set a film's price."""
    prices = [
        client.post("/video/quote", json={"model": FILM["model"], **settings}).json()["quote"]
        for settings in (
            {"duration": "5s", "resolution": "720p"},
            {"duration": "10s", "resolution": "720p"},
            {"duration": "5s", "resolution": "1080p"},
            {"duration": "5s", "resolution": "720p", "audio": False},
        )
    ]

    assert prices == [0.5, 1.0, 1.0, 0.4]


def test_quoted_price_is_paid(client: httpx.Client) -> None:
    """The same settings cost what was quoted."""
    quote = client.post("/video/quote", json={"model": FILM["model"], "duration": "5s"}).json()[
        "quote"
    ]
    before = client.get("/billing/balance").json()["balances"]["usd"]

    queue(client, "video", FILM)

    assert round(before - client.get("/billing/balance").json()["balances"]["usd"], 6) == quote


def test_quote_needs_no_key(venice: LocalVenice) -> None:
    """A price is told to anyone."""
    reply = httpx.post(
        venice.base_url + "/video/quote", json={"model": FILM["model"], "duration": "5s"}
    )

    assert reply.status_code == 200


def test_wrong_duration_can_be_mined(client: httpx.Client) -> None:
    """A wrong duration's issue lists the right ones."""
    issue = client.post("/video/quote", json={"model": FILM["model"], "duration": "7s"}).json()[
        "issues"
    ][0]

    assert (issue["path"], issue["expected"]) == (["duration"], "'5s' | '10s'")


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"duration": 5}, "Expected string, received number"),
        ({"duration": "7s"}, "'5s' | '10s'"),
        ({"resolution": "4k"}, "'480p' | '720p' | '1080p'"),
        ({"aspect_ratio": None}, "Expected string, received null"),
        ({"prompt": "x" * 1501}, "at most 1500"),
        ({"image_url": "https://example.com/a.png"}, "This model does not support image_url"),
        ({"upscale_factor": 2}, "This model does not support upscale_factor"),
        (
            {"model": "wan-2.5-preview-image-to-video", "image_url": PICTURE},
            "This model does not support aspect_ratio",
        ),
        (
            {"model": "sora-2-text-to-video", "duration": "4s", "audio": True},
            "This model does not support audio",
        ),
        ({"model": "nope"}, "not found"),
    ],
)
def test_refused_films(client: httpx.Client, settings: dict[str, Any], said: str) -> None:
    """What the model does not list is refused."""
    reply = client.post("/video/queue", json={**FILM, **settings})

    assert (reply.status_code in {400, 404}, said in reply.text) == (True, True), reply.text


WAY = [{"time": t, "azimuth": 90 * t, "elevation": 0, "distance": 1} for t in (0, 1)]
REFERENCE = {
    "prompt": "A fox",
    "duration": "5s",
    "aspect_ratio": "16:9",
    "reference_image_urls": [PICTURE],
}
# By model, a body that it takes; the film is as small as the model makes one.
TAKEN: dict[str, dict[str, Any]] = {
    "seedance-2-0-reference-to-video-basic": {
        **REFERENCE,
        "reference_video_urls": [MOVIE],
        "reference_audio_urls": ["https://example.com/a.mp3"],
        "aspect_ratio": "adaptive",
        "resolution": "480p",
        "bitrate_mode": "high",
    },
    "seedance-2-5-reference-to-video-basic": {
        **REFERENCE,
        "reference_video_urls": [MOVIE],
        "duration": "auto",
        "resolution": "480p",
        "omni_reference_task_type": "edit",
        "bitrate_mode": "standard",
    },
    "minimax-h3-reference-to-video": {**REFERENCE, "resolution": "768P"},
    "minimax-h3-max-multi-angle": {
        "image_url": PICTURE,
        "duration": "6s",
        "resolution": "480P",
        "camera_trajectory": WAY,
    },
    "kling-o3-pro-reference-to-video": {**REFERENCE, "elements": [{"frontal_image_url": PICTURE}]},
    "grok-imagine-1-5-reference-to-video-private": {
        **REFERENCE,
        "resolution": "480p",
        "voice_id": "eve",
    },
    "pixverse-c1-reference-to-video": {
        **REFERENCE,
        "resolution": "540p",
        "image_references": [{"image_url": PICTURE, "ref_name": "fox"}],
    },
    "pixverse-c1-transition": {
        "prompt": "A fox",
        "duration": "5s",
        "resolution": "540p",
        "image_url": PICTURE,
        "end_image_url": PICTURE,
    },
    "wan-2-7-reference-to-video": {
        **REFERENCE,
        "resolution": "720p",
        "video_references": [{"video_url": MOVIE}],
    },
    "wan-3-0-reference-to-video": {
        **REFERENCE,
        "resolution": "720p",
        "reference_document_urls": ["https://example.com/a.pdf"],
    },
    "topaz-video-upscale": {
        "video_url": MOVIE,
        "upscale_factor": 4,
        "target_fps": 60,
        "grain": 0.1,
    },
    "wan-2.5-preview-image-to-video": {
        "prompt": "A fox",
        "duration": "5s",
        "image_url": PICTURE,
        "resolution": "480p",
        "image_strength": 0.5,
    },
}

# Fields that few models take.
SPECIAL = {
    "bitrate_mode",
    "camera_trajectory",
    "elements",
    "grain",
    "image_references",
    "image_strength",
    "omni_reference_task_type",
    "reference_document_urls",
    "upscale_factor",
    "video_references",
    "video_url",
    "voice_id",
}


@pytest.mark.slow
@pytest.mark.parametrize("name", TAKEN)
def test_each_model_has_fields_of_its_own(rich_client: httpx.Client, name: str) -> None:
    """What one model takes it makes a film of; of the others' fields it takes none."""
    body = {"model": name, **TAKEN[name]}
    film = finished(rich_client, "video", queue(rich_client, "video", body))
    others = {
        field: value
        for taken in TAKEN.values()
        for field, value in taken.items()
        if field in SPECIAL
    }
    refused = {
        field
        for field, value in others.items()
        if f"This model does not support {field}"
        in rich_client.post("/video/queue", json=body | {field: value}).text
    }

    # A private one has an address.
    assert film.headers["content-type"] in ("video/mp4", "application/json")
    assert SPECIAL - TAKEN[name].keys() == refused


@pytest.mark.parametrize(
    ("name", "changes", "said"),
    [
        (
            "kling-o3-pro-reference-to-video",
            {"reference_image_urls": [PICTURE] * 5},
            "at most 4 element(s)",
        ),
        (
            "seedance-2-0-reference-to-video-basic",
            {"reference_video_urls": [MOVIE] * 4},
            "at most 3 element(s)",
        ),
        (
            "pixverse-c1-transition",
            {"end_image_url": None},
            "end_image_url is required by this model",
        ),
        ("minimax-h3-max-multi-angle", {"image_url": None}, "image_url is required by this model"),
        ("minimax-h3-max-multi-angle", {"camera_trajectory": WAY[:1]}, "camera_trajectory"),
        (
            "minimax-h3-max-multi-angle",
            {"camera_trajectory": [WAY[1], WAY[1]]},
            "time must be strictly increasing",
        ),
        (
            "minimax-h3-max-multi-angle",
            {"camera_trajectory": [WAY[0], WAY[1] | {"azimuth": 11_521}]},
            "at most 32 turns",
        ),
        (
            "seedance-2-0-reference-to-video-basic",
            {"reference_image_urls": None, "reference_video_urls": None, "aspect_ratio": "16:9"},
            "Reference audio needs an image or video beside it",
        ),
        ("topaz-video-upscale", {"grain": 0.2}, "grain"),
        ("topaz-video-upscale", {"nonsense": 1}, "nonsense"),
    ],
)
def test_limits_of_models(
    client: httpx.Client, name: str, changes: dict[str, Any], said: str
) -> None:
    """More than a model takes, or less than it needs, is refused; None leaves a field out."""
    body = {"model": name, **TAKEN[name], **changes}
    reply = client.post(
        "/video/queue", json={field: value for field, value in body.items() if value is not None}
    )

    assert (400, True) == (reply.status_code, said in reply.text), reply.text


def test_quotes_know_the_limits_of_references(client: httpx.Client) -> None:
    """A quote of more images or seconds than a model takes is refused; images are billed where they cost."""
    body = {"model": "grok-imagine-1-5-reference-to-video-private", "duration": "5s"}
    prices = [
        client.post("/video/quote", json={**body, "reference_image_count": count}).json()["quote"]
        for count in (1, 4)
    ]
    refused = client.post("/video/quote", json={**body, "reference_image_count": 8})
    seedance = {"model": "seedance-2-0-reference-to-video-basic", "duration": "5s"}
    long = client.post("/video/quote", json={**seedance, "reference_video_total_duration": 16})

    assert 0.03 == pytest.approx(prices[1] - prices[0])
    assert "less than or equal to 7" in refused.text
    assert "less than or equal to 15" in long.text


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("iVBORw0KGgo=", "Must be an http(s) URL or a data:image/... URL"),
        ("http://10.0.0.1/a", "could not be fetched"),
    ],
)
def test_refused_addresses(client: httpx.Client, address: str, said: str) -> None:
    """Bare base64 and private addresses are refused."""
    body = {
        "model": "wan-2.5-preview-image-to-video",
        "prompt": "x",
        "duration": "5s",
        "image_url": address,
    }

    assert said in client.post("/video/queue", json=body).text


def test_too_long_a_sound(client: httpx.Client) -> None:
    """A sound that goes with a film may have 15 MB."""
    sound = f"data:audio/wav;base64,{base64.b64encode(bytes(16 * 2**20)).decode()}"

    assert (
        "maximum allowed size of 15 MB"
        in client.post("/video/queue", json={**FILM, "audio_url": sound}).text
    )


def test_a_sound_needs_a_model_that_takes_one(client: httpx.Client) -> None:
    """Whether a model takes a sound stands in the list of models; others refuse it."""
    models = client.get("/models", params={"type": "video"}).json()["data"]
    taking = [one["id"] for one in models if one["model_spec"]["constraints"].get("audio_input")]
    body = {**FILM, "audio_url": "https://example.com/a.mp3"}
    grok = {**body, "model": "grok-imagine-text-to-video-private"}

    assert FILM["model"] in taking
    assert grok["model"] not in taking
    assert 200 == client.post("/video/queue", json=body).status_code
    refused = client.post("/video/queue", json=grok)
    assert 400 == refused.status_code
    assert "This model does not support audio_url" in refused.text


def test_missing_ratio_and_picture(client: httpx.Client) -> None:
    """A ratio is required where the model lists ratios, a picture where it starts from one."""
    no_ratio = {name: value for name, value in FILM.items() if name != "aspect_ratio"}

    assert (
        '"aspect_ratio":{"_errors":["aspect_ratio is required by this model"]}'
        in client.post("/video/queue", json=no_ratio).text
    )
    picture = {**no_ratio, "model": "wan-2.5-preview-image-to-video"}
    assert "image_url is required by this model" in client.post("/video/queue", json=picture).text


def test_consent_is_asked_for_once(client: httpx.Client, encoded: Callable[..., str]) -> None:
    """Seedance asks for consent before it takes a picture, costs nothing until then, and remembers the picture."""
    body = {
        "model": "seedance-2-0-image-to-video",
        "prompt": "x",
        "duration": "5s",
        "image_url": f"data:image/png;base64,{encoded(321, 240)}",
    }
    consents = {"seedance": dict.fromkeys(CONSENT, True)}
    before = client.get("/billing/balance").json()

    asked = client.post("/video/queue", json=body)
    after = client.get("/billing/balance").json()

    assert (asked.status_code, asked.json()["face_media_roles"]) == (409, ["image"])
    assert before == after
    wrong = {"seedance": {**consents["seedance"], "consent_version": "1"}}
    assert "'consent_version'" in client.post("/video/queue", json={**body, "consents": wrong}).text
    assert client.post("/video/queue", json={**body, "consents": consents}).status_code == 200
    assert client.post("/video/queue", json=body).status_code == 200


def test_too_large_a_body(client: httpx.Client) -> None:
    """Over 35 MB of JSON are too much for a film."""
    reply = client.post(
        "/video/queue", json={**FILM, "negative_prompt": "", "x": "y" * (36 * 2**20)}
    )

    assert (reply.status_code, reply.json()["code"]) == (413, "PAYLOAD_TOO_LARGE")


def test_music_is_a_real_file(client: httpx.Client) -> None:
    """Music comes as MP3, as long as asked for."""
    reply = finished(client, "audio", queue(client, "audio", MUSIC))

    assert reply.headers["content-type"] == "audio/mpeg"
    with av.open(io.BytesIO(reply.content), "r") as file:
        seconds = sum(frame.samples / frame.sample_rate for frame in file.decode(audio=0))
    assert seconds == pytest.approx(10, abs=0.2)


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"model": "elevenlabs-music", "duration_seconds": 100}, 1.38),
        ({"model": "elevenlabs-music", "duration_seconds": "100"}, 1.38),
        ({"model": "elevenlabs-sound-effects-v2", "duration_seconds": 10}, 0.023),
        ({"model": "elevenlabs-tts-v3", "character_count": 2000}, 0.23),
        ({"model": "stable-audio-25"}, 0.19),
    ],
)
def test_music_prices(client: httpx.Client, body: dict[str, Any], expected: float) -> None:
    """Each model is priced in its own way."""
    assert {"quote": expected} == client.post("/audio/quote", json=body).json()


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"loop": True}, "loop is not supported"),
        ({"duration_seconds": 601}, "Number must be from 3 to 600"),
        ({"model": "ace-step-15", "duration_seconds": 61}, "Expected 60 | 90"),
        ({"model": "minimax-music-v26", "duration_seconds": 60}, "lyrics_prompt is required"),
        ({"model": "elevenlabs-tts-v3", "voice": "Nobody"}, "'Aria'"),
        ({"model": "elevenlabs-tts-v3", "speed": 4}, "Number must be from 0.7 to 1.2"),
        ({"lyrics": "x"}, "Unrecognized key(s)"),
    ],
)
def test_refused_music(client: httpx.Client, settings: dict[str, Any], said: str) -> None:
    """What the model does not advertise is refused."""
    reply = client.post(
        "/audio/queue", json={"model": "elevenlabs-music", "prompt": "A calm tune", **settings}
    )

    assert (reply.status_code, said in reply.text) == (400, True), reply.text
