import asyncio
import base64
import io
import json
import re
import resource
import socket
import time
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
import respx
from starlette.datastructures import Headers

from sanctum_venice_tools.emulator.process import LocalVenice
from sanctum_venice_tools.emulator.uploads import parse_form
from tests.conftest import kept_in
from tests.samples import whole_files
from tests.tools.conftest import let_fail, operation_of, refusal
from tests.tools.test_venice_read_webpage import follow

Tool = Callable[..., str]


def office(part: str, content: str) -> bytes:
    """An Office file of one part."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(part, content)
    return file.getvalue()


def word(*paragraphs: str) -> bytes:
    """A Word file."""
    body = "".join(f"<w:p><w:t>{paragraph}</w:t></w:p>" for paragraph in paragraphs)
    return office("word/document.xml", f'<w:document xmlns:w="w">{body}</w:document>')


# Its first entry, which is not packed, is its media type.
BOOK = b"PK\x03\x04" + bytes(26) + b"mimetypeapplication/epub+zip" + bytes(100)
RTF = b"{\\rtf1 A fox.}"
PDF = b"%PDF-1.4\nA page that only a fake reads.\n%%EOF\n"
CALL: dict[str, Any] = {
    "document": "data:;base64," + base64.b64encode(word("A fox sleeps.")).decode()
}


@pytest.fixture
def media(media: Path) -> Path:
    """The media store, in which two documents and a text lie."""
    (media / "foxes.pdf").write_bytes(PDF)
    (media / "foxes.md").write_bytes("# Füchse\r\n\r\nThey sleep.\n".encode())
    return media


@pytest.fixture
def read(api: respx.MockRouter, media: Path, tool: Tool) -> Callable[..., Any]:
    """Read the stored PDF, while Venice finds this text in it; the tool's reply."""
    assert media.exists()

    def run(text: str = "A fox sleeps.", **arguments: Any) -> Any:
        api.post("/augment/text-parser").respond(json={"text": text, "tokens": 4})
        reply = tool(**{"document": "foxes.pdf", **arguments})
        assert len(reply) < 8000
        return json.loads(reply)

    return run


def forms(api: respx.MockRouter) -> list[dict[str, Any]]:
    """The forms that were sent; the file in each as its name and content."""
    sent = []
    for call in api.calls:
        request = call.request
        schema = operation_of(request).requests["multipart/form-data"]
        form = asyncio.run(parse_form(request.content, Headers(request.headers), schema))
        sent.append({**form, "file": (str(form["file"]), form["file"].content)})
    return sent


def test_sends_the_file_and_shows_its_text(
    read: Callable[..., Any], api: respx.MockRouter, media: Path
) -> None:
    """The stored file goes out whole; its text comes back with the price, and lies in a file."""
    reply = read()

    assert [{"file": ("foxes.pdf", PDF), "response_format": "json"}] == forms(api)
    file = Path(reply.pop("file"))
    assert "A fox sleeps." == file.read_text(encoding="utf-8")
    assert (media, "foxes-pdf", ".txt") == (file.parent, file.stem[:-11], file.suffix)
    assert {"text": "A fox sleeps.", "part": 1, "parts": 1, "cost_usd": 0.01} == reply


def test_a_long_document_is_read_to_its_end_for_one_payment(
    read: Callable[..., Any], api: respx.MockRouter, tool: Tool
) -> None:
    """`next` is the call that reads on; the parts are the text, and Venice is asked once."""
    text = "".join(f'{number}. \\"A fox\\" sleeps\t\x0c at home.\n\n' for number in range(900))
    reply = read(text)
    texts = [reply["text"]]
    while "next" in reply:
        reply = json.loads(tool(**follow(reply["next"])))
        texts.append(reply["text"])
        assert "cost_usd" not in reply

    assert text == "".join(texts)
    assert reply["parts"] == reply["part"] == len(texts) > 3
    assert 1 == len(api.calls)


def test_a_later_part_can_be_asked_for_at_once(read: Callable[..., Any]) -> None:
    """The first call may ask for any part; beyond the end it gets the last, for it was paid."""
    text = "A fox sleeps. " * 1000

    assert (2, 3, 0.01) == tuple(read(text, part=2)[name] for name in ("part", "parts", "cost_usd"))
    last = read(text, part=9)
    assert (3, ["There is no part 9: this is the last."]) == (last["part"], last["notes"])


def test_a_stored_text_is_free_as_it_is(
    read: Callable[..., Any], api: respx.MockRouter, media: Path
) -> None:
    """A text in the store needs no Venice, loses nothing, and is not stored again."""
    before = set(kept_in(media))
    expected = {
        "text": "# Füchse\r\n\r\nThey sleep.\n",
        "part": 1,
        "parts": 1,
        "file": str(media / "foxes.md"),
    }

    assert expected == read(document="foxes.md")
    assert expected == read(document=str(media / "foxes.md"))
    assert expected == read(document=" foxes.md\n")
    assert (0, before) == (len(api.calls), set(kept_in(media)))


def test_a_text_in_a_folder_of_the_store_can_be_read_on(
    read: Callable[..., Any], media: Path, tool: Tool
) -> None:
    """`next` finds the file wherever in the store it lies."""
    (media / "den").mkdir()
    (media / "den" / "fox's.csv").write_text("a,b\n" * 3000, encoding="utf-8")
    reply = read(document="den/fox's.csv")

    assert 2 == json.loads(tool(**follow(reply["next"])))["part"]


PAGE = """<!DOCTYPE html>
<html><head><title>Foxes &amp; dens</title><style>p { color: red }</style></head>
<body><!-- a <b>secret</b> --><script>if (1 < 2) { alert("<p>") }</script>
<h1>A   fox</h1><p>It <!-- never <b> --><em>sleeps</em>
at <i>h</i>ome.<br/>It wakes.</p><ul><li>one<li>two</ul>
<table><tr><td>a<td>b</tr></table><pre>as
  it is</pre></body></html>"""
SEEN = "Foxes & dens\n\nA fox\n\nIt sleeps at home.\nIt wakes.\n\none\ntwo\n\n\ta\tb\n\nas\n  it is"


@pytest.mark.parametrize(
    ("name", "content", "text"),
    [
        ("fox.txt", "Füchse".encode("latin-1"), "Füchse"),
        ("fox.txt", "“Füchse” €".encode("cp1252"), "“Füchse” €"),
        ("fox.md", "Füchse".encode("utf-8-sig"), "Füchse"),
        ("fox.md", "Füchse".encode("utf-16"), "Füchse"),
        ("fox.csv", b"\xfe\xff" + "狐狸".encode("utf-16-be"), "狐狸"),
        ("fox.csv", "狐狸".encode("utf-32"), "狐狸"),
        ("fox.txt", b"a\x00b", "a\x00b"),
        ("fox.txt", b"%PDF-1.7 is a format.", "%PDF-1.7 is a format."),
        ("README", b"Read me.\n", "Read me.\n"),
        ("fox.py", b"print()", "print()"),
        ("letter.doc", b"It is a text.", "It is a text."),
        ("fox.html", PAGE.encode(), SEEN),
        ("fox", PAGE.encode("utf-16"), SEEN),
        ("part.htm", b"<p>A fox", "A fox"),
    ],
)
def test_a_text_is_read_here_whatever_its_encoding(
    read: Callable[..., Any],
    api: respx.MockRouter,
    media: Path,
    *,
    name: str,
    content: bytes,
    text: str,
) -> None:
    """A text needs no Venice: by its mark, as UTF-8 or as cp1252; a page as its reader sees it."""
    (media / name).write_bytes(content)
    reply = read(document=name)

    assert text == reply["text"]
    assert str(media / name) == reply["file"]
    assert 0 == len(api.calls)


def test_a_page_in_a_data_url_is_read(read: Callable[..., Any], api: respx.MockRouter) -> None:
    """What has no address is no matter of another tool."""
    assert (
        SEEN
        == read(document=f"data:text/html;base64,{base64.b64encode(PAGE.encode()).decode()}")[
            "text"
        ]
    )
    assert 0 == len(api.calls)


@pytest.mark.slow
def test_a_page_of_nothing_but_tags_takes_no_long_time(
    read: Callable[..., Any], media: Path
) -> None:
    """A page that is made to take long is read as soon as any."""
    (media / "odd.html").write_bytes(b"<" * 1_000_000 + b"<!--" * 100_000 + b"<script" * 100_000)
    began = time.monotonic()
    read(document="odd.html")

    assert time.monotonic() - began < 10


@pytest.mark.parametrize(
    ("name", "content"), [("fox.bin", b"a\x00b"), ("fox.txt", b"\x81\x00"), ("fox", b"\x81")]
)
def test_what_is_surely_no_text_goes_to_venice(
    read: Callable[..., Any], api: respx.MockRouter, media: Path, name: str, content: bytes
) -> None:
    """What can't be told here is Venice's to tell."""
    (media / name).write_bytes(content)

    assert 0.01 == read(document=name)["cost_usd"]
    assert [(name, content)] == [form["file"] for form in forms(api)]


OLD = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(500)


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        (
            "a.doc",
            OLD,
            "It is of the format old Office, which Venice does not take: turn it into DOCX, PPTX or PDF",
        ),
        ("slides", OLD, "turn it into DOCX, PPTX or PDF, and give that."),
        ("a.ppt", b"\0\1\2", "old Office"),
        ("a.docx", OLD, "old Office"),
        (
            "a.heic",
            b"\0\0\0\x18ftypheic" + bytes(50),
            "its format is HEIC. Give it to venice_describe_image.",
        ),
        ("a.gif", b"GIF89a" + bytes(50), "It is of the format GIF"),
        ("a.bmp", b"BM\x36\0\0\0\0\0\0\0" + bytes(50), "It is of the format BMP"),
        (
            "a.odt",
            b"PK\x03\x04" + bytes(26) + b"mimetypeapplication/vnd.oasis.opendocument.text",
            "OpenDocument",
        ),
        (
            "a.png",
            whole_files()["png"],
            "is no document: its format is PNG. Give it to venice_describe_image.",
        ),
        (
            "a.mp3",
            whole_files()["mp3"],
            "is no document: its format is MP3. Give it to venice_transcribe_audio.",
        ),
    ],
)
def test_what_venice_does_not_read_costs_nothing(
    read: Callable[..., Any],
    api: respx.MockRouter,
    media: Path,
    *,
    name: str,
    content: bytes,
    said: str,
) -> None:
    """A file of a format that Venice does not read is told as what it is, with what to do, before it is sent."""
    (media / name).write_bytes(content)

    assert said in refusal(read, document=name)
    assert 0 == len(api.calls)


@contextmanager
def small_disk(most: int) -> Iterator[None]:
    """Let no file grow larger than so many bytes: what a full disk does to a file, the system does then."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (most, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_full_disk_costs_nothing(
    read: Callable[..., Any], api: respx.MockRouter, media: Path
) -> None:
    """That a text could not be kept shows before it is paid; what is stored can be read all the same."""
    with small_disk(100_000):
        assert "Nothing was made: " in refusal(read)
        assert "# Füchse\r\n\r\nThey sleep.\n" == read(document="foxes.md")["text"]
    assert 0 == len(api.calls)
    assert {"foxes.pdf", "foxes.md"} == {path.name for path in kept_in(media)}


def test_what_was_paid_and_cannot_be_kept_is_shown(read: Callable[..., Any], media: Path) -> None:
    """When the disk is full only afterwards, the agent gets the text, and reads why it can't read on."""
    with small_disk(1_000_000):
        reply = read("A fox sleeps. " * 100_000, part=2)

    assert reply["text"].startswith("A fox sleeps.")
    assert (2, 0.01) == (reply["part"], reply["cost_usd"])
    assert "Only this part can be shown. The file was made, but not kept: " in reply["notes"][0]
    assert reply.keys().isdisjoint({"file", "next"})
    assert {"foxes.pdf", "foxes.md"} == {path.name for path in kept_in(media)}


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (PDF, ".pdf"),
        (word("A fox."), ".docx"),
        (office("ppt/presentation.xml", "<p/>"), ".pptx"),
        (office("xl/workbook.xml", "<x/>"), ".xlsx"),
        (BOOK, ".epub"),
        (RTF, ".rtf"),
        (office("content.opf", "<o/>"), ""),
        (b"PK, and then word/document.xml\0", ".docx"),
    ],
    ids=["PDF", "Word", "PowerPoint", "Excel", "EPUB", "RTF", "zip", "odd"],
)
def test_a_file_without_ending_gets_its_own(
    read: Callable[..., Any], api: respx.MockRouter, media: Path, content: bytes, kind: str
) -> None:
    """What a file is shows in its content, so its name tells it to Venice too; a right name stays as it is."""
    (media / "2401.12345").write_bytes(content)
    read(document="2401.12345")
    (media / f"FOX{kind.upper()}").write_bytes(content)
    read(document=f"FOX{kind.upper()}")

    assert [f"2401.12345{kind}", f"FOX{kind.upper()}"] == [form["file"][0] for form in forms(api)]


def test_a_data_url_is_taken(read: Callable[..., Any], api: respx.MockRouter, media: Path) -> None:
    """A document may come in a data URL; a plain text in one is free, and kept to be read on."""
    read(document=f"data:application/pdf;base64,{base64.b64encode(PDF).decode()}")
    assert [("file.pdf", PDF)] == [form["file"] for form in forms(api)]

    reply = read(document=f"data:text/plain;base64,{base64.b64encode(b'Foxes. ' * 1000).decode()}")
    assert (1, 2) == (reply["part"], reply["parts"])
    assert "cost_usd" not in reply
    assert media == Path(follow(reply["next"])["document"]).parent
    assert 1 == len(api.calls)


@pytest.fixture
def site(monkeypatch: pytest.MonkeyPatch) -> Iterator[respx.MockRouter]:
    """A public site, to be filled by a test."""
    entry = (socket.AF_INET, 1, 6, "", ("93.184.216.34", 0))
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: [entry])
    with respx.mock(base_url="https://93.184.216.34", assert_all_called=False) as router:
        yield router


def test_a_public_url_is_fetched(
    read: Callable[..., Any], api: respx.MockRouter, site: respx.MockRouter
) -> None:
    """What lies at a URL is sent under its name, without what follows the path."""
    site.get("/pdf/2401.12345").respond(content=PDF)
    read(document=" https://arxiv.example/pdf/2401.12345?download=1\n")

    assert [("2401.12345.pdf", PDF)] == [form["file"] for form in forms(api)]


@pytest.mark.parametrize(
    "content",
    [b"<!DOCTYPE html><p>Foxes", b"\n <HTML lang=en>", b'<?xml version="1.0"?>\n<!doctype HTML>'],
)
@pytest.mark.parametrize("name", ["paper", "README.md"])
def test_a_web_page_costs_nothing(
    read: Callable[..., Any],
    api: respx.MockRouter,
    site: respx.MockRouter,
    name: str,
    content: bytes,
) -> None:
    """A page where a document was to be is for another tool, whatever its name says."""
    site.get(f"/{name}").respond(content=content)
    url = f"https://example.com/{name}"

    assert f"'{url}' is a web page. Read it with venice_read_webpage." == refusal(
        read, document=url
    )
    assert 0 == len(api.calls)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"part": 0}, "Parts are counted from 1: give 1 or more."),
        ({"part": -1}, "Parts are counted from 1: give 1 or more."),
        (
            {"document": "fixes.pdf"},
            "No stored file is called 'fixes.pdf'. Near it: foxes.pdf, foxes.md. URLs work too.",
        ),
        (
            {"document": "../../key"},
            "No stored file is called '../../key'. Near it: none. URLs work too.",
        ),
        (
            {"document": "data:;base64,%"},
            "'data:;base64,%' cannot be read, or is not valid base64. Give another.",
        ),
        (
            {"document": "http://127.0.0.1/a"},
            "'127.0.0.1' is in a private network; only public URLs are fetched.",
        ),
        ({"document": "a-book"}, "'a-book' is empty, or has more than 25 MB. Give another."),
        ({"document": "none.txt"}, "'none.txt' is empty, or has more than 25 MB. Give another."),
    ],
    ids=str,
)
def test_a_wrong_argument_costs_nothing(
    read: Callable[..., Any],
    api: respx.MockRouter,
    media: Path,
    arguments: dict[str, Any],
    message: str,
) -> None:
    """What can't work is refused before anything is asked of Venice."""
    (media.parent.parent / "key").write_text("secret", encoding="utf-8")
    with (media / "a-book").open("wb") as large:
        large.truncate((25 << 20) + 1)
    (media / "none.txt").touch()

    assert message == refusal(read, **arguments)
    assert 0 == len(api.calls)


def test_25_mb_are_sent(read: Callable[..., Any], api: respx.MockRouter, media: Path) -> None:
    """The limit itself is within it."""
    with (media / "large.pdf").open("wb") as large:
        large.truncate(25 << 20)
    read(document="large.pdf")

    assert 25 << 20 == len(forms(api)[0]["file"][1])


@pytest.mark.usefixtures("media")
@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ({"error": "No text content could be extracted"}, "No text content could be extracted"),
        (
            {"error": "Bad file", "details": {"file": {"_errors": ["Unknown kind."]}}},
            "Bad file; file: Unknown kind",
        ),
    ],
)
def test_a_scan_comes_with_advice(
    api: respx.MockRouter, tool: Tool, body: dict[str, Any], reason: str
) -> None:
    """When Venice finds no text, its reason is told, and how a scan can be read; it is not tried again."""
    api.post("/augment/text-parser").respond(400, json=body)

    assert (
        f"Venice read nothing in 'foxes.pdf': {reason}; nothing was charged. "
        "If it is a scan, give pictures of its pages to venice_describe_image; else give it as PDF or text."
    ) == refusal(tool, document="foxes.pdf")
    assert 1 == len(api.calls)


def test_a_document_without_text_says_so(read: Callable[..., Any]) -> None:
    """A text of nothing but space was paid, and is told."""
    notes = ["There is no text in it. Reading it again would not help."]

    assert {"cost_usd": 0.01, "notes": notes} == read(" \n")


@pytest.mark.parametrize(
    "failure", [413, 500, 504, httpx.ReadTimeout, httpx.WriteError, httpx.RemoteProtocolError]
)
def test_nothing_is_sent_twice(
    api: respx.MockRouter, media: Path, tool: Tool, failure: int | type[Exception]
) -> None:
    """After a failure that may have been paid, the request is not repeated."""
    let_fail(api.post("/augment/text-parser"), failure)

    assert re.search(r"charged|answered (50|413)", refusal(tool, document="foxes.pdf"))
    assert (1, 2) == (len(api.calls), len(kept_in(media)))


def test_the_local_venice_reads_a_long_word_file(local_tool: Tool, media: Path) -> None:
    """Over a real connection, the text of a Word file comes in parts that are all of it."""
    paragraphs = [f"Den {number}: a fox sleeps, “quietly”." for number in range(500)]
    (media / "dens.docx").write_bytes(word(*paragraphs))
    reply = json.loads(local_tool(document="dens.docx"))
    texts = [reply["text"]]
    while "next" in reply:
        reply = json.loads(local_tool(**follow(reply["next"])))
        texts.append(reply["text"])

    assert "\n".join(paragraphs) == "".join(texts)


@pytest.mark.slow
def test_the_local_venice_waits_and_reads(
    local_tool: Tool, venice: LocalVenice, media: Path
) -> None:
    """After a 429 the same form is sent again, whole."""
    (media / "den.docx").write_bytes(word("A den."))
    venice.order_fault(fault="429-retry-after", path="/augment/text-parser", seconds=1)

    assert "A den." == json.loads(local_tool(document="den.docx"))["text"]


@pytest.mark.usefixtures("media")
def test_the_local_venice_finds_nothing_in_a_scan(local_tool: Tool) -> None:
    """Over a real connection, a PDF that can't be read comes with advice."""
    assert "venice_describe_image" in refusal(local_tool, document="foxes.pdf")
