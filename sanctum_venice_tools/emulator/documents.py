"""The text of documents: PDF, Word, PowerPoint, Excel, and plain text."""

import io
import re
import zipfile
import zlib
from xml.etree import ElementTree as ET

# Where the words stand in the parts of an Office file.
OFFICE = re.compile(
    r"word/document\.xml|ppt/slides/slide\d+\.xml|xl/sharedStrings\.xml|xl/worksheets/sheet\d+\.xml"
)
LARGEST_TEXT = 20 * 2**20


def extract(content: bytes) -> str:
    """The text of a document; raise ValueError when it has none, or is of no known kind."""
    if content.startswith(b"%PDF"):
        text = _pdf(content)
    elif content.startswith(b"PK"):
        text = _office(content)
    else:
        text = content.decode("utf-8")
    if not text.strip():
        raise ValueError("no text")
    return text


def _office(content: bytes) -> str:
    """The text of a Word, PowerPoint or Excel file."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as office:
            parts = [entry for entry in office.infolist() if OFFICE.fullmatch(entry.filename)]
            if sum(entry.file_size for entry in parts) > LARGEST_TEXT:
                raise ValueError("too much text")
            return "\n".join(_paragraphs(office.read(entry)) for entry in parts)
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
