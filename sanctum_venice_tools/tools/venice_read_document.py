"""Read a document."""

import re

from sanctum_venice_tools.runtime.arguments import _read_as_meant
from sanctum_venice_tools.runtime.decoding import _TEXT_ENDINGS, _is_page, _text_of_file
from sanctum_venice_tools.runtime.formats import _format_of, _untaken
from sanctum_venice_tools.runtime.intake import _read_upload, _stored_file
from sanctum_venice_tools.runtime.media import _media_folder
from sanctum_venice_tools.runtime.reading import _keep, _show
from sanctum_venice_tools.runtime.replies import _object_of
from sanctum_venice_tools.runtime.venice import _CHARGED, VeniceError, _call, _reason

TOOLSET = "web"
COST = "cents"

_OFFICE = {".docx": b"word/document.xml", ".pptx": b"ppt/presentation.xml", ".xlsx": b"xl/workbook.xml"}
_OTHER_TOOLS = {
    "image": "venice_describe_image",
    "audio": "venice_transcribe_audio",
    "video": "venice_transcribe_audio",
}


def _own_text(name: str, content: bytes) -> str | None:
    """The text that a file is without Venice's help; None, if it is none."""
    form = _format_of(content[:100])
    ends_as_text = name.lower().endswith(_TEXT_ENDINGS)
    return None if form and not ends_as_text else _text_of_file(name, content)


def _refuse_unreadable(name: str, content: bytes) -> None:
    """Refuse a file that surely is no document that Venice reads, with what to do instead."""
    form = _format_of(content[:100])
    kind = form.media_type.partition("/")[0] if form else ""
    if advice := _untaken(content[:100], name):
        raise VeniceError(f"{name[:60]!r} can't be read. {advice}")
    if form and kind in _OTHER_TOOLS:
        raise VeniceError(f"{name[:60]!r} is no document: its format is {form.name}. Give it to {_OTHER_TOOLS[kind]}.")


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
    name, content = _read_upload(document, most_mb=25)
    is_url = re.match(r"(?i)https?://", document)
    is_stored = not re.match(r"(?i)https?://|data:", document)
    if is_url and _is_page(content[:1000].decode(errors="replace")):
        raise VeniceError(f"{document[:80]!r} is a web page. Read it with venice_read_webpage.")

    text = _own_text(name, content)
    if text is not None and is_stored:
        return _show(text, str(_stored_file(document)), part)
    if text is not None:
        return _keep(_media_folder(), text, name, "txt", part)
    _refuse_unreadable(name, content)
    folder = _media_folder()
    file = {"file": (_full_name(name, content), content)}
    parsed, _ = _call("POST", "/augment/text-parser", files=file, data={"response_format": "json"}, also=400)
    text = _object_of(parsed).get("text")
    if not isinstance(text, str) and "error" not in _object_of(parsed):
        raise VeniceError(f"Venice sent no text of {name[:60]!r}: {_reason(parsed)}; {_CHARGED}")
    if not isinstance(text, str):
        advice = "If it is a scan, give pictures of its pages to venice_describe_image; else give it as PDF or text."
        raise VeniceError(f"Venice read nothing in {name[:60]!r}: {_reason(parsed)}; nothing was charged. {advice}")
    return _keep(folder, text, name, "txt", part, cost_usd=0.01)
