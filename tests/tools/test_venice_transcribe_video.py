import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
import respx

from tests.samples import FILM
from tests.tools.conftest import let_fail, posts, refusal
from tests.tools.test_venice_read_webpage import follow

Tool = Callable[..., str]
URL = "https://www.youtube.com/watch?v=dQw4w9WgXcQ"
CALL: dict[str, Any] = {"video": URL}


def listed(name: str, *, watches: bool) -> dict[str, Any]:
    """A text model as Venice lists it, that takes films or does not."""
    spec = {"capabilities": {"supportsVideoInput": watches, "supportsVision": True}, "traits": []}
    return {"id": name, "type": "text", "model_spec": spec}


@pytest.fixture
def hear(api: respx.MockRouter, tool: Tool) -> Callable[..., Any]:
    """Transcribe a film in which this is said; the tool's reply."""
    models = [
        listed("blind", watches=False),
        listed("watcher", watches=True),
        listed("other", watches=True),
    ]
    api.get("/models").respond(json={"object": "list", "data": models})

    def run(said: str = "We're no strangers.", ending: str = "stop", **arguments: Any) -> Any:
        choice = {"index": 0, "message": {"content": said}, "finish_reason": ending}
        api.post("/chat/completions").respond(json={"choices": [choice], "cost": {"usd": 0.02}})
        reply = tool(**{"video": URL, **arguments})
        assert len(reply) < 8000
        return json.loads(reply)

    return run


def asked(api: respx.MockRouter) -> tuple[str, str]:
    """The film and the words that went to the model."""
    film, task = posts(api)[-1]["messages"][0]["content"]
    return film["video_url"]["url"], task["text"]


def test_tells_what_is_said(
    hear: Callable[..., Any], api: respx.MockRouter, tmp_path: Path
) -> None:
    """A model that takes films watches it; the words come back with who heard them, and lie in a file."""
    reply = hear()

    assert "watcher" == posts(api)[0]["model"]
    assert URL == asked(api)[0]
    file = Path(reply.pop("file"))
    assert "We're no strangers." == file.read_text(encoding="utf-8")
    assert (tmp_path / "media", "youtube-dqw4w9wgxcq", ".txt") == (
        file.parent,
        file.stem[:-11],
        file.suffix,
    )
    told = {
        "text": "We're no strangers.",
        "part": 1,
        "parts": 1,
        "heard_by": "watcher",
        "cost_usd": 0.02,
    }
    assert told == reply


@pytest.mark.parametrize("times", [True, False])
def test_times_are_asked_for(
    hear: Callable[..., Any], api: respx.MockRouter, *, times: bool
) -> None:
    """Only when they are wanted, the model is told to write the time before each line."""
    hear(times=times)

    assert times == ("Begin each line with its time" in asked(api)[1])


def test_a_model_that_only_thinks_leads_to_another(hear: Callable[..., Any]) -> None:
    """What to do about it names no settings that the tool does not have."""
    assert (
        "The model spent all on thinking and said nothing (length); it is charged. "
        "Use another model."
    ) == refusal(hear, said="<think>They sing.", ending="length")


def test_a_stored_film_goes_along(
    hear: Callable[..., Any], api: respx.MockRouter, tmp_path: Path
) -> None:
    """A film of the media folder is sent as data; the text is named as one of a film."""
    (tmp_path / "media").mkdir(exist_ok=True)
    (tmp_path / "media" / "fox.mp4").write_bytes(FILM)
    reply = hear(video="fox.mp4")

    assert asked(api)[0].startswith("data:video/mp4;base64,")
    assert Path(reply["file"]).name.startswith("film-")


def test_a_public_film_is_fetched_by_venice(
    hear: Callable[..., Any], api: respx.MockRouter
) -> None:
    """Its address goes out as it is."""
    hear(video="https://example.com/fox.mp4")

    assert "https://example.com/fox.mp4" == asked(api)[0]


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("fox.txt", b"A fox.", "'fox.txt' is no film. Give an MP4, MOV or WebM."),
        ("large.mp4", FILM + bytes(26 << 20), "25 MB"),
        (None, b"", "No stored file is called 'gone.mp4'."),
    ],
)
def test_what_is_no_film_costs_nothing(  # noqa: PLR0917  # the parameters of a table
    hear: Callable[..., Any],
    api: respx.MockRouter,
    tmp_path: Path,
    name: str | None,
    content: bytes,
    said: str,
) -> None:
    """Files of another kind, too large ones and missing ones are refused before anything is sent."""
    (tmp_path / "media").mkdir(exist_ok=True)
    if name:
        (tmp_path / "media" / name).write_bytes(content)

    assert said in refusal(hear, video=name or "gone.mp4")
    assert 0 == len(api.calls)


@pytest.mark.parametrize(
    "video", ["http://127.0.0.1/fox.mp4", "http://169.254.169.254/fox.mp4", "http://localhost/a"]
)
def test_private_addresses_are_not_passed_on(
    hear: Callable[..., Any], api: respx.MockRouter, video: str
) -> None:
    """What only this network can reach is not for Venice."""
    assert refusal(hear, video=video)
    assert 0 == len(api.calls)


def test_an_answer_that_broke_off_says_so(hear: Callable[..., Any]) -> None:
    """A long film may have more words than a model can write."""
    assert "It broke off before its end (length)." == hear(ending="length")["ended"]


def test_why_venice_broke_off_is_told(
    hear: Callable[..., Any], api: respx.MockRouter, tool: Tool
) -> None:
    """What was heard is kept, with Venice's reason for the rest."""
    hear()
    said = {"choices": [{"index": 0, "delta": {"content": "We're no strangers"}}]}
    fault = {"error": {"message": "Overloaded", "code": "model_overloaded"}}
    events = "".join(f"data: {json.dumps(event)}\n\n" for event in (said, fault))
    api.post("/chat/completions").respond(text=events, content_type="text/event-stream")
    reply = json.loads(tool(video=URL))

    assert "We're no strangers" == reply["text"]
    assert "for Venice failed: Overloaded; code: model_overloaded. " in reply["ended"]


def test_a_model_that_takes_no_films_is_refused(
    hear: Callable[..., Any], api: respx.MockRouter
) -> None:
    """The agent's model has to take films; the error names those that do."""
    assert "use: watcher, other" in refusal(hear, model="blind").replace(
        "other, watcher", "watcher, other"
    )
    assert [] == posts(api)


def test_the_operator_chooses_a_model(
    hear: Callable[..., Any], api: respx.MockRouter, monkeypatch: pytest.MonkeyPatch
) -> None:
    """VENICE_VIDEO_INPUT_MODEL names the one that watches, where the agent names none."""
    monkeypatch.setenv("VENICE_VIDEO_INPUT_MODEL", "other")
    hear()

    assert "other" == posts(api)[0]["model"]


def test_a_long_transcript_is_read_to_its_end_for_one_payment(
    hear: Callable[..., Any], api: respx.MockRouter, load_tool: Callable[[str], Tool]
) -> None:
    """`next` is the call that reads on, sentence by whole sentence; Venice is asked once."""
    said = ("Never gonna give you up, she said. " * 1000).strip()
    reply = hear(said)
    texts = [reply["text"]]
    read_document = load_tool("venice_read_document")
    while "next" in reply:
        reply = json.loads(read_document(**follow(reply["next"])))
        texts.append(reply["text"])

    assert (said, 6) == ("".join(texts), len(texts))
    assert 1 == len(posts(api))


@pytest.mark.parametrize(
    "video",
    [
        *(
            "https://youtu.be/dQw4w9WgXcQ",
            "https://youtu.be/dQw4w9WgXcQ?si=abc&t=43",
            "youtube.com/watch?v=dQw4w9WgXcQ",
        ),
        *(
            "http://m.youtube.com/watch?v=dQw4w9WgXcQ&t=43s",
            "https://music.youtube.com/watch?v=dQw4w9WgXcQ&list=RD",
        ),
        *(
            "https://www.youtube.com/watch?list=PL1&v=dQw4w9WgXcQ#t=1",
            "HTTPS://WWW.YouTube.com/watch?v=dQw4w9WgXcQ",
        ),
        *(
            "https://youtube.com/shorts/dQw4w9WgXcQ",
            "https://www.youtube.com/live/dQw4w9WgXcQ?feature=share",
        ),
        *(
            "https://www.youtube-nocookie.com/embed/dQw4w9WgXcQ",
            f"  {URL}\n",
            "https://www.youtube.com/v/dQw4w9WgXcQ/",
        ),
    ],
)
def test_every_way_to_write_a_youtube_address_is_taken(
    hear: Callable[..., Any], api: respx.MockRouter, video: str
) -> None:
    """Each goes out as the usual one, the id as it was written."""
    hear(video=video)

    assert URL == asked(api)[0]


def test_an_unusable_media_folder_costs_nothing(
    hear: Callable[..., Any], api: respx.MockRouter, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Where the text can't be kept, nothing is asked of Venice."""
    (tmp_path / "file").touch()
    monkeypatch.setenv("VENICE_MEDIA_DIR", str(tmp_path / "file" / "deep"))

    assert "VENICE_MEDIA_DIR" in refusal(hear)
    assert 0 == len(api.calls)


@pytest.mark.parametrize("failure", [500, 504, httpx.ReadTimeout, httpx.RemoteProtocolError])
def test_nothing_is_sent_twice(
    hear: Callable[..., Any], api: respx.MockRouter, tool: Tool, failure: int | type[Exception]
) -> None:
    """After a failure that may have been paid, the request is not repeated."""
    hear()
    let_fail(api.post("/chat/completions"), failure)

    assert re.search(r"charged|answered 50", refusal(tool, video=URL))
    assert 2 == len(posts(api))


def test_transcribes_at_the_local_venice(local_tool: Tool) -> None:
    """Over a real connection, a model that takes films answers, with its price."""
    reply = json.loads(local_tool(video="https://youtu.be/dQw4w9WgXcQ"))

    assert URL in reply["text"]
    assert 0 < reply["cost_usd"] < 0.1
