"""Read a document."""

from sanctum_venice_tools.runtime.arguments import _read_as_meant
from sanctum_venice_tools.runtime.decoding import _TEXT_ENDINGS, _is_page, _text_of_file
from sanctum_venice_tools.runtime.formats import _format_of, _untaken
from sanctum_venice_tools.runtime.intake import (
    _is_data_url,
    _is_web_url,
    _read_upload,
    _stored_file,
)
from sanctum_venice_tools.runtime.media import _media_folder
from sanctum_venice_tools.runtime.publishing import _published
from sanctum_venice_tools.runtime.reading import _keep, _show
from sanctum_venice_tools.runtime.replies import _object_of
from sanctum_venice_tools.runtime.venice import _CHARGED, VeniceError, _call, _reason

TOOLSET = "web"
COST = "cents"

# A book, or a file of Office, is a ZIP file; what is in it tells its kind.
_ARCHIVES = {
    ".epub": b"mimetypeapplication/epub",
    ".docx": b"word/document.xml",
    ".pptx": b"ppt/presentation.xml",
    ".xlsx": b"xl/workbook.xml",
}
# How RTF begins. Venice's document does not list it, but its skill for documents does, for this tool
# alone (github.com/veniceai/skills, 73c0bf7). Should Venice refuse it, nothing is charged.
_RTF = b"{\\rtf"
_OTHER_TOOLS = {
    "image": "venice_describe_image",
    "audio": "venice_transcribe_audio",
    "video": "venice_transcribe_audio",
}


def _own_text(name: str, content: bytes) -> str | None:
    """The text that a file is without Venice's help; None, if it is none."""
    ends_as_text = name.lower().endswith(_TEXT_ENDINGS)
    if _format_of(content) and not ends_as_text:
        return None
    return _text_of_file(name, content)


def _refuse_unreadable(name: str, content: bytes) -> None:
    """Refuse a file that surely is no document that Venice reads, with what to do instead."""
    advice = _untaken(content, name)
    if advice and not content.startswith(_RTF):
        raise VeniceError(f"{name[:60]!r} can't be read. {advice}")
    form = _format_of(content)
    if not form:
        return
    kind = form.media_type.partition("/")[0]
    if kind in _OTHER_TOOLS:
        told = f"{name[:60]!r} is no document: its format is {form.name}"
        raise VeniceError(f"{told}. Give it to {_OTHER_TOOLS[kind]}.")


def _full_name(name: str, content: bytes) -> str:
    """The name with the ending that its content calls for: many addresses have none."""
    ending = _ending_for(content)
    if name.lower().endswith(ending):
        return name
    return name + ending


def _ending_for(content: bytes) -> str:
    """The ending that a document should have; nothing, where its content does not tell it."""
    if content.startswith(b"%PDF"):
        return ".pdf"
    if content.startswith(_RTF):
        return ".rtf"
    if content.startswith(b"PK"):
        for ending, mark in _ARCHIVES.items():
            if mark in content:
                return ending
    return ""


def _parse(name: str, content: bytes) -> str:
    """The text that Venice reads in a document."""
    file = {"file": (_full_name(name, content), content)}
    parsed, _ = _call(
        "POST", "/augment/text-parser", files=file, data={"response_format": "json"}, also=400
    )
    reply = _object_of(parsed)
    text = reply.get("text")
    if isinstance(text, str):
        return text
    if "error" in reply:
        told = f"Venice read nothing in {name[:60]!r}: {_reason(parsed)}; nothing was charged"
        for_scan = "If it is a scan, give pictures of its pages to venice_describe_image"
        raise VeniceError(f"{told}. {for_scan}; else give it as PDF or text.")
    raise VeniceError(f"Venice sent no text of {name[:60]!r}: {_reason(parsed)}; {_CHARGED}")


@_published
@_read_as_meant
def venice_read_document(*, document: str, part: int = 1) -> str:
    """Read a PDF, EPUB, Word, PowerPoint, Excel or text file, or read on in a stored text.

    Costs 1 cent; stored texts are free. For web pages: venice_read_webpage.

    Args:
        document: A stored file or a public URL, at most 25 MB.
        part: The part of a long text that "next" names; not a page number.

    Returns:
        JSON: text, part, parts, file (all of the text), cost_usd, notes; next, when there is more.
    """
    if part < 1:
        raise VeniceError("Parts are counted from 1: give 1 or more.")
    document = document.strip()
    name, content = _read_upload(document, most_mb=25)
    if _is_web_url(document) and _is_page(content[:1000].decode(errors="replace")):
        raise VeniceError(f"{document[:80]!r} is a web page. Read it with venice_read_webpage.")

    text = _own_text(name, content)
    is_stored = not _is_web_url(document) and not _is_data_url(document)
    if text is not None and is_stored:
        return _show(text, str(_stored_file(document)), part)
    if text is not None:
        return _keep(_media_folder(), text, name, "txt", part)

    _refuse_unreadable(name, content)
    folder = _media_folder()
    return _keep(folder, _parse(name, content), name, "txt", part, cost_usd=0.01)
