import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
import respx

from tests.tools.conftest import posts, refusal
from tests.tools.test_venice_read_webpage import follow

Tool = Callable[..., str]
URL = "https://www.youtube.com/watch?v=dQw4w9WgXcQ"
CALL: dict[str, Any] = {"url": URL}


@pytest.fixture
def hear(api: respx.MockRouter, tool: Tool) -> Callable[..., Any]:
    """Transcribe a video in which this is said; the tool's reply."""

    def run(transcript: str = "We're no strangers.", url: str = URL, **more: str) -> Any:
        api.post("/video/transcriptions").respond(json={"transcript": transcript, **more})
        reply = tool(url=url)
        assert len(reply) < 8000
        return json.loads(reply)

    return run


def test_tells_what_is_said(hear: Callable[..., Any], api: respx.MockRouter, tmp_path: Path) -> None:
    """The address goes out, nothing else; the words come back with their language, and lie in a file."""
    reply = hear(lang="en")

    assert [{"url": URL}] == posts(api)
    file = Path(reply.pop("file"))
    assert "We're no strangers." == file.read_text(encoding="utf-8")
    assert (tmp_path / "media", "youtube-dqw4w9wgxcq", ".txt") == (file.parent, file.stem[:-11], file.suffix)
    assert {"text": "We're no strangers.", "part": 1, "parts": 1, "language": "en"} == reply


def test_a_language_that_venice_does_not_tell_is_left_out(hear: Callable[..., Any]) -> None:
    """The language is optional in Venice's reply; whatever is told as one stays short."""
    assert "language" not in hear()
    assert "en" * 10 == hear(lang="en" * 9999)["language"]


def test_a_long_transcript_is_read_to_its_end_for_one_payment(
    hear: Callable[..., Any], api: respx.MockRouter, load_tool: Callable[[str], Tool]
) -> None:
    """`next` is the call that reads on, sentence by whole sentence; Venice is asked once."""
    said = "Never gonna give you up, she said. " * 1000
    reply = hear(said, lang="en")
    texts = [reply["text"]]
    read_document = load_tool("venice_read_document")
    while "next" in reply:
        reply = json.loads(read_document(**follow(reply["next"])))
        texts.append(reply["text"])

    assert (said, 6) == ("".join(texts), len(texts))
    assert all(text.endswith("said. ") for text in texts)
    assert 1 == len(api.calls)


def test_a_video_without_words_says_so(hear: Callable[..., Any]) -> None:
    """An empty transcript is told."""
    assert {"notes": ["There is no text in it. Reading it again would not help."]} == hear("")


@pytest.mark.parametrize(
    "url",
    [
        *(
            "https://youtu.be/dQw4w9WgXcQ",
            "https://youtu.be/dQw4w9WgXcQ?si=abc&t=43",
            "youtube.com/watch?v=dQw4w9WgXcQ",
        ),
        *("http://m.youtube.com/watch?v=dQw4w9WgXcQ&t=43s", "https://music.youtube.com/watch?v=dQw4w9WgXcQ&list=RD"),
        *("https://www.youtube.com/watch?list=PL1&v=dQw4w9WgXcQ#t=1", "HTTPS://WWW.YouTube.com/watch?v=dQw4w9WgXcQ"),
        *("https://youtube.com/shorts/dQw4w9WgXcQ", "https://www.youtube.com/live/dQw4w9WgXcQ?feature=share"),
        *("https://www.youtube-nocookie.com/embed/dQw4w9WgXcQ", f"  {URL}\n", "https://www.youtube.com/v/dQw4w9WgXcQ/"),
    ],
)
def test_every_way_to_write_a_videos_address_is_taken(
    hear: Callable[..., Any], api: respx.MockRouter, url: str
) -> None:
    """Each goes out as the one that Venice documents, the id as it was written."""
    hear(url=url)

    assert [{"url": URL}] == posts(api)


@pytest.mark.parametrize(
    "url",
    [
        *("", "dQw4w9WgXcQ", "https://vimeo.com/76979871", "https://www.youtube.com/", "https://youtu.be/"),
        *("https://www.youtube.com/playlist?list=PL1234567890A", "https://www.youtube.com/@venice"),
        *("https://www.youtube.com/watch?v=dQw4w9WgXc", "https://www.youtube.com/watch?v=dQw4w9WgXcQQ"),
        *("https://notyoutube.com/watch?v=dQw4w9WgXcQ", "https://youtube.com.example.org/watch?v=dQw4w9WgXcQ"),
        *("https://example.org/?u=https://youtu.be/dQw4w9WgXcQ", "ftp://youtu.be/dQw4w9WgXcQ", f"{URL} and {URL}"),
        *("https://youtu.be/dQw4w9WgXcé", "x" * 5000),
    ],
)
def test_what_is_no_youtube_video_costs_nothing(hear: Callable[..., Any], api: respx.MockRouter, url: str) -> None:
    """Other addresses are refused before anything is sent, with a good one as an example."""
    message = refusal(hear, url=url)

    assert f"{url[:80]!r} is no YouTube video. Give an address such as {URL}." == message
    assert 0 == len(api.calls)


def test_an_unusable_media_folder_costs_nothing(
    hear: Callable[..., Any], api: respx.MockRouter, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Where the text can't be kept, nothing is asked of Venice."""
    (tmp_path / "file").touch()
    monkeypatch.setenv("VENICE_MEDIA_DIR", str(tmp_path / "file" / "deep"))

    assert "VENICE_MEDIA_DIR" in refusal(hear)
    assert 0 == len(api.calls)


@pytest.mark.parametrize("failure", [500, 504, httpx.ReadTimeout, httpx.RemoteProtocolError])
def test_nothing_is_sent_twice(api: respx.MockRouter, tool: Tool, failure: int | type[Exception]) -> None:
    """After a failure that may have been paid, the request is not repeated."""
    failing = {"return_value": httpx.Response(failure)} if isinstance(failure, int) else {"side_effect": failure}
    api.post("/video/transcriptions").mock(**failing)

    assert re.search(r"charged|answered 50", refusal(tool, url=URL))
    assert 1 == len(api.calls)


def test_transcribes_at_the_local_venice(local_tool: Tool) -> None:
    """Over a real connection, words and language come."""
    reply = json.loads(local_tool(url="https://youtu.be/dQw4w9WgXcQ"))

    assert (f"This is the local Venice, which has not seen {URL}.", "en") == (reply["text"], reply["language"])
