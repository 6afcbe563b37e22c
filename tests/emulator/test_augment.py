import io
import zipfile
from typing import Any

import httpx
import pytest

WORD = (
    '<w:document xmlns:w="w"><w:p><w:r><w:t>Red</w:t><w:t> fox</w:t></w:r></w:p>'
    "<w:p><w:t>Den</w:t></w:p></w:document>"
)

CHAPTER = (
    '<?xml version="1.0"?><!DOCTYPE html><html xmlns="http://www.w3.org/1999/xhtml"><head><title>1</title></head>'
    "<body><h1>Foxes &amp; dens</h1><p>A <i>red</i>\n fox.</p><p>It sleeps.</p></body></html>"
)


def office(name: str, part: str) -> bytes:
    """An Office file of one part."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr(name, part)
    return file.getvalue()


def pdf(text: str) -> bytes:
    """A PDF of one page that shows one line."""
    content = f"BT /F 12 Tf 72 720 Td ({text}) Tj ET"
    objects = [
        "<</Type /Catalog /Pages 2 0 R>>",
        "<</Type /Pages /Kids [3 0 R] /Count 1>>",
        "<</Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents 4 0 R /Resources <</Font <</F 5 0 R>>>>>>",
        f"<</Length {len(content)}>>\nstream\n{content}\nendstream",
        "<</Type /Font /Subtype /Type1 /BaseFont /Helvetica>>",
    ]
    file, places = "%PDF-1.4\n", []
    for number, entry in enumerate(objects, start=1):
        places.append(len(file))
        file += f"{number} 0 obj\n{entry}\nendobj\n"
    table = "".join(f"{place:010} 00000 n \n" for place in places)
    end = f"trailer\n<</Root 1 0 R /Size 6>>\nstartxref\n{len(file)}\n%%EOF\n"
    return f"{file}xref\n0 6\n0000000000 65535 f \n{table}{end}".encode()


def test_search_ranks_pages(client: httpx.Client) -> None:
    """The page that shares most words comes first, its content still with markup."""
    results = client.post(
        "/augment/search", json={"query": "red foxes in cities", "limit": 2}
    ).json()["results"]

    assert [result["title"][:9] for result in results] == ["Red foxes", "City foxe"]
    assert "<strong>" in results[0]["content"]


@pytest.mark.parametrize(
    "body",
    [
        {"query": ""},
        {"query": "x" * 401},
        {"query": "x", "limit": 21},
        {"query": "x", "search_provider": "bing"},
    ],
)
def test_refused_searches(client: httpx.Client, body: dict[str, Any]) -> None:
    """What is out of range is refused, not clamped."""
    assert client.post("/augment/search", json=body).status_code == 400


def test_scraped_page_is_markdown(client: httpx.Client) -> None:
    """A page comes as Markdown with its title."""
    page = client.post("/augment/scrape", json={"url": "https://kitchen.example.com/tea"}).json()

    assert page["format"] == "markdown"
    assert page["content"].startswith("# Tea: green, black and in between\n\n")


@pytest.mark.parametrize(
    "url", ["https://x.com/a", "https://www.reddit.com/r/a", "http://192.168.0.1/", "tea"]
)
def test_refused_pages(client: httpx.Client, url: str) -> None:
    """Blocked, private and broken addresses are refused."""
    assert client.post("/augment/scrape", json={"url": url}).status_code == 400


def test_a_page_that_is_not_there_is_a_failure(client: httpx.Client) -> None:
    """Venice answers 500 where it could not open a page."""
    reply = client.post("/augment/scrape", json={"url": "https://example.com/unknown"})

    assert reply.status_code == 500
    assert reply.json()["error"].startswith("URL unreachable: ")


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("a.txt", "Füchse".encode(), "Füchse"),
        ("a.pdf", pdf("Foxes"), "Foxes"),
        ("a.docx", office("word/document.xml", WORD), "Red fox\nDen"),
        (
            "a.xlsx",
            office("xl/sharedStrings.xml", "<sst><si><t>Fox</t></si><si><t>5</t></si></sst>"),
            "Fox\n5",
        ),
        ("a.epub", office("OEBPS/1.xhtml", CHAPTER), "Foxes & dens\nA red fox.\nIt sleeps."),
    ],
    ids=["text", "PDF", "Word", "Excel", "EPUB"],
)
def test_documents_become_text(
    client: httpx.Client, name: str, content: bytes, expected: str
) -> None:
    """The text of each kind of document comes out."""
    reply = client.post("/augment/text-parser", files={"file": (name, content)})

    assert reply.json()["text"] == expected


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("<ul><li><p>One</p></li><li>Two<p>Three</p></li></ul>", "One\nTwo\nThree"),
        ("<table><tr><td><p>cell</p></td><td>next</td></tr></table>", "cell\nnext"),
        ("<div>Loose <b>words</b>.<div>Inner</div> after</div>", "Loose words.\nInner\nafter"),
        ("<p>5&nbsp;foxes &amp; 3&#160;dens &lt; 9 caf&eacute;s</p>", "5 foxes & 3 dens < 9 cafés"),
        ("<p>One<br/>Two</p><script>no()</script>", "One\nTwo"),
    ],
    ids=["list", "table", "div", "entities", "break"],
)
def test_each_word_of_a_book_comes_once(client: httpx.Client, body: str, expected: str) -> None:
    """Blocks may stand in blocks, words in no paragraph, and characters by the names that EPUB 2 gives them."""
    chapter = f"<html xmlns='http://www.w3.org/1999/xhtml'><head/><body>{body}</body></html>"
    content = office("OEBPS/1.xhtml", chapter)
    reply = client.post("/augment/text-parser", files={"file": ("a.epub", content)})

    assert reply.json()["text"] == expected


def test_document_as_text(client: httpx.Client) -> None:
    """As text, the reply is the text alone."""
    reply = client.post(
        "/augment/text-parser", files={"file": ("a.txt", b"fox")}, data={"response_format": "text"}
    )

    assert reply.text == "fox"


@pytest.mark.parametrize(
    "content",
    [
        b"\xff\xfe\x00\x01",
        b"   ",
        b"PK broken",
        b"%PDF-1.4 broken",
        office("word/document.xml", "<!DOCTYPE a><a/>"),
    ],
    ids=["binary", "blank", "zip", "PDF", "entities"],
)
def test_documents_without_text(client: httpx.Client, content: bytes) -> None:
    """What has no text is refused in Venice's words."""
    reply = client.post("/augment/text-parser", files={"file": ("a.bin", content)})

    assert (reply.status_code, reply.json()) == (
        400,
        {"error": "No text content could be extracted"},
    )
