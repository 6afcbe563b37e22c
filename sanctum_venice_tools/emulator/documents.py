"""The text of documents: PDF, Word, PowerPoint, Excel, EPUB, and plain text."""

import io
import re
import zipfile
import zlib
from html.entities import name2codepoint
from xml.etree import ElementTree as ET

# Where the words stand in the parts of an Office file.
OFFICE = re.compile(
    r"word/document\.xml|ppt/slides/slide\d+\.xml|xl/sharedStrings\.xml|xl/worksheets/sheet\d+\.xml"
)
# The chapters of a book, what stands on lines of its own in them, and what is not read.
CHAPTER = re.compile(r".+\.x?html?")
BLOCKS = {"h1", "h2", "h3", "h4", "h5", "h6", "p", "li", "td", "th", "pre", "div", "br"}
UNREAD = {"head", "script", "style"}

# &nbsp;, &eacute;
NAMED_CHARACTER = re.compile(rb"&(\w+);")
LARGEST_TEXT = 20 * 2**20


def extract(content: bytes) -> str:
    """The text of a document; raise ValueError when it has none, or is of no known kind."""
    if content.startswith(b"%PDF"):
        text = _pdf(content)
    elif content.startswith(b"PK"):
        text = _packed(content)
    else:
        text = content.decode("utf-8")
    if not text.strip():
        raise ValueError("no text")
    return text


def _packed(content: bytes) -> str:
    """The text of a Word, PowerPoint, Excel or EPUB file, which all are ZIP files."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            parts = [entry for entry in archive.infolist() if _has_words(entry.filename)]
            if sum(entry.file_size for entry in parts) > LARGEST_TEXT:
                raise ValueError("too much text")
            return "\n".join(_words(entry.filename, archive.read(entry)) for entry in parts)
    except (
        zipfile.BadZipFile,
        zlib.error,
        NotImplementedError,
        RuntimeError,
        EOFError,
        ET.ParseError,
    ) as error:
        raise ValueError(str(error)) from None


def _pdf(content: bytes) -> str:
    from pypdf import PdfReader  # noqa: PLC0415 - only needed when a PDF comes

    try:
        return "\n\n".join(page.extract_text() for page in PdfReader(io.BytesIO(content)).pages)
    except Exception as error:  # noqa: BLE001 - over damaged files pypdf trips in many ways
        raise ValueError(str(error)) from None


def _has_words(name: str) -> bool:
    """Whether a part of a file has words of its text."""
    return OFFICE.fullmatch(name) is not None or CHAPTER.fullmatch(name) is not None


def _words(name: str, part: bytes) -> str:
    """The words of one part of a file."""
    return _chapter(part) if CHAPTER.fullmatch(name) else _paragraphs(part)


def _chapter(part: bytes) -> str:
    """The words of a chapter, a line for each heading or paragraph."""
    if b"<!ENTITY" in part:
        raise ValueError("chapters define no entities")
    numbered = NAMED_CHARACTER.sub(_by_number, part)
    words = _words_within(ET.fromstring(numbered))  # noqa: S314 - entities are refused above
    lines = [" ".join(line.split()) for line in words.split("\n")]
    return "\n".join(line for line in lines if line)


def _by_number(character: re.Match[bytes]) -> bytes:
    """A named character by its number.

    The names of EPUB 2 are declared in a document type that lies elsewhere, and is not fetched.
    """
    number = name2codepoint.get(character[1].decode())
    return b"&#%d;" % number if number else character[0]


def _words_within(element: ET.Element) -> str:
    """The words of an element in their order, each block between line feeds."""
    name = element.tag.rpartition("}")[2]
    if name in UNREAD:
        return ""
    words = _on_one_line(element.text)
    for part in element:
        words += _words_within(part) + _on_one_line(part.tail)
    return f"\n{words}\n" if name in BLOCKS else words


def _on_one_line(text: str | None) -> str:
    """A text whose line feeds are spaces, as they are for a reader."""
    return (text or "").replace("\n", " ")


def _paragraphs(part: bytes) -> str:
    """The words of one part of an Office file, a line for each paragraph or cell."""
    if b"<!DOCTYPE" in part or b"<!ENTITY" in part:
        raise ValueError("Office files have no entities")
    lines: list[str] = []
    for element in ET.fromstring(part).iter():  # noqa: S314 - entities are refused above
        tag = element.tag.rpartition("}")[2]
        if tag in {"p", "si", "c"}:
            lines.append("")
        elif tag == "t" and element.text:
            lines[-1:] = [(lines[-1] if lines else "") + element.text]
    return "\n".join(line for line in lines if line)
