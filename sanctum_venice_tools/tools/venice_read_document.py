"""Read a document."""

import re
from contextlib import suppress

from sanctum_venice_tools.runtime.arguments import _read_as_meant
from sanctum_venice_tools.runtime.intake import _read_upload, _stored_file
from sanctum_venice_tools.runtime.media import _media_folder
from sanctum_venice_tools.runtime.reading import _keep, _show
from sanctum_venice_tools.runtime.venice import VeniceError, _call, _reason

TOOLSET = "web"
COST = "cents"

_TEXTS = (".txt", ".md", ".markdown", ".csv", ".tsv", ".json", ".jsonl", ".srt", ".vtt", ".log")
_OFFICE = {".docx": b"word/document.xml", ".pptx": b"ppt/presentation.xml", ".xlsx": b"xl/workbook.xml"}


def _plain_text(name: str, content: bytes) -> str:
    """What a text file holds; nothing, if it is none."""
    with suppress(UnicodeDecodeError):
        return content.decode() if name.lower().endswith(_TEXTS) else ""
    return ""


def _full_name(name: str, content: bytes) -> str:
    """The name with the ending that its content calls for: many addresses have none."""
    kinds = [kind for kind, mark in _OFFICE.items() if content.startswith(b"PK") and mark in content]
    kind = ".pdf" if content.startswith(b"%PDF") else "".join(kinds[:1])
    return name if name.lower().endswith(kind) else name + kind


@_read_as_meant
def venice_read_document(*, document: str, part: int = 1) -> str:
    """Read a PDF, Word, PowerPoint, Excel or text file, or read on in a stored text.

    Costs 1 cent; stored texts are free. For web pages: venice_read_webpage.

    Args:
        document: A stored file or a public URL, at most 25 MB.
        part: The part of a long text that "next" names; not a page number.

    Returns:
        JSON: text, part, parts, file (all of the text), cost_usd, notes; next, when there is more.
    """
    if part < 1:
        raise VeniceError("Parts are counted from 1: give 1 or more.")
    folder = _media_folder()
    name, content = _read_upload(document, most_mb=25)
    is_stored = not re.match(r"(?i)https?://|data:", document)
    if not is_stored and re.match(rb"(?i)\s*(<\?xml[^>]*>\s*)?<(!doctype )?html", content):
        raise VeniceError(f"{document[:80]!r} is a web page. Read it with venice_read_webpage.")

    if text := _plain_text(name, content):
        return _show(text, str(_stored_file(document)), part) if is_stored else _keep(folder, text, name, "txt", part)
    file = {"file": (_full_name(name, content), content)}
    parsed, _ = _call("POST", "/augment/text-parser", files=file, data={"response_format": "json"}, also=400)
    if "text" not in parsed:
        advice = "If it is a scan, give pictures of its pages to venice_describe_image; else give it as PDF or text."
        raise VeniceError(f"Venice read nothing in {name[:60]!r}: {_reason(parsed)}. {advice}")
    return _keep(folder, parsed["text"], name, "txt", part, cost_usd=0.01)
