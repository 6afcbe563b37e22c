import ast
import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
import respx
from hypothesis import given
from hypothesis import strategies as st

from sanctum_venice_tools.emulator.process import LocalVenice
from tests.conftest import kept_in
from tests.tools.conftest import let_fail, posts, refusal

Tool = Callable[..., str]
URL = "https://www.example.org/urban-wildlife/red-foxes"
CALL: dict[str, Any] = {"url": URL}
NOT_PUBLIC = "Give one such as https://example.com/page."


@pytest.fixture
def read(api: respx.MockRouter, tool: Tool) -> Callable[..., Any]:
    """Read a page, while Venice sends this content; the tool's reply."""

    def run(content: str = "# Foxes\n\nThey sleep.\n", url: str = URL) -> Any:
        api.post("/augment/scrape").respond(
            json={"url": url, "content": content, "format": "markdown"}
        )
        reply = tool(url=url)
        assert len(reply) < 8000
        return json.loads(reply)

    return run


def follow(told: str) -> dict[str, Any]:
    """The arguments of the call of venice_read_document that a `next` tells."""
    call = re.fullmatch(r"To read on, free: (venice_read_document\(.*\))\.", told, re.DOTALL)
    assert call
    node = ast.parse(call[1], mode="eval").body
    assert isinstance(node, ast.Call)
    return {str(keyword.arg): ast.literal_eval(keyword.value) for keyword in node.keywords}


def test_shows_a_short_page_whole(
    read: Callable[..., Any], api: respx.MockRouter, tmp_path: Path
) -> None:
    """The address goes out, nothing else; the text comes back, and lies in a file; there is nothing to read on."""
    reply = read(url=f" {URL} ")

    assert [{"url": URL}] == posts(api)
    file = Path(reply.pop("file"))
    assert "# Foxes\n\nThey sleep.\n" == file.read_text(encoding="utf-8")
    assert (tmp_path / "media", "www-example-org-urban-wildlife-red-foxes") == (
        file.parent,
        file.stem[:-11],
    )
    assert ".md" == file.suffix
    assert {"text": "# Foxes\n\nThey sleep.\n", "part": 1, "parts": 1, "cost_usd": 0.01} == reply


def test_a_page_is_shown_though_its_folder_became_a_file(
    api: respx.MockRouter, tool: Tool, media: Path
) -> None:
    """Whatever happens to the folder while Venice reads, the page is paid, and reaches the agent."""

    def answer(_: httpx.Request) -> httpx.Response:
        shutil.rmtree(media)
        media.touch()
        return httpx.Response(200, json={"content": "# Foxes"})

    api.post("/augment/scrape").mock(side_effect=answer)
    reply = json.loads(tool(url=URL))

    assert ("# Foxes", 0.01) == (reply["text"], reply["cost_usd"])
    assert "Only this part can be shown. The file was made, but not kept: " in reply["notes"][0]


def test_a_long_page_is_read_to_its_end_for_one_payment(
    read: Callable[..., Any], api: respx.MockRouter, load_tool: Callable[[str], Tool]
) -> None:
    """Each reply's `next` is the call that reads on; the parts are the page, and Venice is asked once."""
    page = "".join(
        f'## Den {number}\n\nA fox said: "I\'m at home."\r\n\n' * 9 for number in range(99)
    )
    reply = read(page)
    texts = [reply["text"]]
    read_document = load_tool("venice_read_document")
    while "next" in reply:
        reply = json.loads(read_document(**follow(reply["next"])))
        texts.append(reply["text"])
        assert "cost_usd" not in reply

    assert page == "".join(texts)
    assert reply["parts"] == reply["part"] == len(texts) > 3
    assert all(text.startswith("## Den") for text in texts)
    assert 1 == len(api.calls)


@pytest.mark.parametrize(
    "content", ['"' * 9000, "\x00" * 9000, "\\\n" * 9000, "🦊" * 9000, "狐" * 9000]
)
def test_any_page_makes_a_short_reply(read: Callable[..., Any], content: str) -> None:
    """Whatever characters a page is made of, its first part fits."""
    assert content.startswith(read(content)["text"])


def test_pictures_inside_of_the_text_are_left_out(read: Callable[..., Any]) -> None:
    """Base64 tells a reader nothing; what it is stays to be seen."""
    picture = f"![fox](data:image/svg+xml;charset=utf-8;base64,{'QUJD' * 3000}==) sleeps"

    assert "![fox](data:image/svg+xml;charset=utf-8;base64,...) sleeps" == read(picture)["text"]


@pytest.mark.parametrize("content", ["", " \n"])
def test_a_page_without_text_says_so(
    read: Callable[..., Any], tmp_path: Path, content: str
) -> None:
    """An empty page was paid, is told, and is not kept."""
    notes = ["There is no text in it. Reading it again would not help."]

    assert {"cost_usd": 0.01, "notes": notes} == read(content)
    assert [] == kept_in(tmp_path / "media")


@pytest.mark.parametrize(
    "url",
    [
        *(
            "",
            "example.com/page",
            "ftp://example.com/",
            "file:///etc/passwd",
            "javascript:alert(1)",
            "https://",
        ),
        *(
            "http://localhost/",
            "http://localhost:8283/v1",
            "http://router/",
            "http://127.0.0.1/",
            "http://127.1/",
        ),
        *(
            "http://2130706433/",
            "http://0x7f.1/",
            "http://10.0.0.1./",
            "http://[::1]/",
            "http://192.168.1.1:80/a.b",
        ),
        *(
            "http://printer.local/",
            "http://wiki.corp",
            "http://metadata.google.internal/",
            "http://nas.LAN./",
        ),
        *(
            "http://user:secret@example.com/",
            "https://example.com:123456/",
            "https://a b.com/",
            "https://a.com/b c",
        ),
        *(
            "https://.com/",
            "https://example..com/",
            "https://example.com\\@127.0.0.1/",
            "https://e.com/\n/b",
        ),
    ],
)
def test_what_is_no_public_page_costs_nothing(
    read: Callable[..., Any], api: respx.MockRouter, url: str
) -> None:
    """Private hosts, other schemes and broken addresses are refused before anything is sent."""
    assert NOT_PUBLIC in refusal(read, url=url)
    assert 0 == len(api.calls)


@pytest.mark.parametrize(
    "url",
    [
        *(
            "http://example.com",
            "HTTPS://Example.COM:8443/a?b=c#d",
            "https://example.com./",
            "https://münchen.de/ß",
        ),
        *(
            "https://xn--p1ai.xn--p1ai/",
            "https://a-b.c_d.example.co.uk?x",
            "https://netflix.com/",
            "https://localhost.com",
        ),
    ],
)
def test_public_pages_are_asked_for_as_they_are_written(
    read: Callable[..., Any], api: respx.MockRouter, url: str
) -> None:
    """An address reaches Venice unchanged."""
    read(url=url)

    assert [{"url": url}] == posts(api)


@pytest.mark.parametrize(
    "host",
    [
        "x.com",
        "twitter.com",
        "mobile.twitter.com",
        "www.reddit.com",
        "old.Reddit.com",
        "redd.it",
        "reddit.com:443",
    ],
)
def test_what_venice_does_not_read_costs_nothing(
    read: Callable[..., Any], api: respx.MockRouter, host: str
) -> None:
    """For X and Reddit, the error names the tools to use in its place."""
    name = host.lower().partition(":")[0]

    assert (
        f"Venice can't read {name}. Ask venice_ask_web, or look for it with venice_search_web."
        == refusal(read, url=f"https://{host}/a")
    )
    assert 0 == len(api.calls)


def test_an_unusable_media_folder_costs_nothing(
    read: Callable[..., Any], api: respx.MockRouter, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Where the text can't be kept, nothing is asked of Venice."""
    (tmp_path / "file").touch()
    monkeypatch.setenv("VENICE_MEDIA_DIR", str(tmp_path / "file" / "deep"))

    assert "VENICE_MEDIA_DIR" in refusal(read)
    assert 0 == len(api.calls)


@given(
    host=st.from_regex(r"fox[a-z0-9-]{0,20}\.(com|org|museum)", fullmatch=True),
    path=st.text(max_size=30),
)
def test_any_path_is_one_that_venice_allows(
    read: Callable[..., Any], api: respx.MockRouter, host: str, path: str
) -> None:
    """Whatever follows a public host is sent in a request that Venice allows, or refused on one line."""
    url = f"https://{host}/{path}".strip()
    if re.search(r"\s", url):
        assert NOT_PUBLIC in refusal(read, url=url)
    else:
        read(url=url)
        assert {"url": url} == posts(api)[-1]


@pytest.mark.parametrize("failure", [500, 504, httpx.ReadTimeout, httpx.RemoteProtocolError])
def test_nothing_is_sent_twice(
    api: respx.MockRouter, tool: Tool, failure: int | type[Exception]
) -> None:
    """After a failure that may have been paid, the request is not repeated."""
    let_fail(api.post("/augment/scrape"), failure)

    assert re.search(r"charged|answered 50", refusal(tool, url=URL))
    assert 1 == len(api.calls)


def test_reads_a_page_of_the_local_venice(local_tool: Tool) -> None:
    """Over a real connection, the markdown of a page comes."""
    reply = json.loads(local_tool(url="https://kitchen.example.com/tea"))

    assert reply["text"].startswith("# Tea: green, black and in between\n\n")
    assert Path(reply["file"]).read_text(encoding="utf-8") == reply["text"]


def test_venices_reason_is_kept(local_tool: Tool) -> None:
    """A page that Venice can't read ends in one line with Venice's reason."""
    message = refusal(local_tool, url="https://kitchen.example.com/coffee")

    assert message.startswith("Venice answered 500: URL unreachable: ")
    assert message.endswith(
        "page https://kitchen.example.com/coffee; nothing was charged. Check the address, or try again once."
    )


@pytest.mark.parametrize("fault", ["reset-midway", "empty", "html", "broken-json"])
def test_the_local_venices_failures_are_one_line(
    venice: LocalVenice, local_tool: Tool, tmp_path: Path, fault: str
) -> None:
    """Half a reply and none end in one line, and nothing is kept."""
    venice.order_fault(fault=fault, path="/augment/scrape")

    assert (
        "ask" in refusal(local_tool, url="https://kitchen.example.com/tea").lower()
        or fault == "html"
    )
    assert [] == kept_in(tmp_path / "media")
