"""Texts out of bytes: whatever their encoding, and a page of HTML as its reader sees it."""

import codecs
import html
import re
from collections.abc import Iterator
from contextlib import suppress

# Byte order marks, with which a text says how it is encoded. That of UTF-32 begins with that of
# UTF-16.
_ORDER_MARKS = {
    codecs.BOM_UTF8: "utf-8",
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
_TEXT_ENDINGS = (
    ".txt",
    ".md",
    ".markdown",
    ".csv",
    ".tsv",
    ".json",
    ".jsonl",
    ".srt",
    ".vtt",
    ".log",
)
_PAGE_ENDINGS = (".html", ".htm", ".xhtml")

# <!doctype html>, <html, <?xml version="1.0"?> <html
_PAGE_START = re.compile(r"\s*(<\?xml[^<>]*>\s*)?<(!doctype )?html", re.IGNORECASE)

# A longer one is read with its tags, for to take it apart takes too much memory.
_LONGEST_PAGE = 4_000_000

# What texts have none of: control characters, but for those of layout (tab, line and page feeds)
# and of colour.
_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1a\x1c-\x1f]")


def _text_of_file(name: str, content: bytes) -> str | None:
    """The text that a file is; None if it is none. A name with a known ending is believed."""
    text = _decode(content)
    if text is None or name.lower().endswith(_TEXT_ENDINGS):
        return text
    if _CONTROL.search(text):
        return None
    is_page = name.lower().endswith(_PAGE_ENDINGS) or _is_page(text)
    if is_page and len(text) <= _LONGEST_PAGE:
        return _page_text(text)
    return text


def _decode(content: bytes) -> str | None:
    """The text in bytes, without its byte order mark; None if its encoding is not known here."""
    for encoding in _encodings_of(content):
        with suppress(UnicodeDecodeError):
            return content.decode(encoding).lstrip("\ufeff")
    return None


def _encodings_of(content: bytes) -> list[str]:
    """What the encoding of a text may be, the most likely first."""
    for mark, encoding in _ORDER_MARKS.items():
        if content.startswith(mark):
            return [encoding]
    # Nearly any bytes are a text in cp1252, the encoding of old Windows; but few in UTF-8.
    return ["utf-8", "cp1252"]


def _is_page(text: str) -> bool:
    """Whether a text is a page of HTML."""
    return _PAGE_START.match(text) is not None


# Elements whose content no reader sees, those that begin a line, and those that keep their spaces.
_HIDDEN = ("script", "style", "template", "noscript", "svg")
_BLOCKS = {
    *("h1", "h2", "h3", "h4", "h5", "h6", "p", "pre", "br", "hr", "title", "address", "blockquote"),
    *("ul", "ol", "li", "dl", "dd", "dt", "table", "tr", "form", "option", "figure"),
    *("main", "header", "footer", "nav", "section", "article", "aside", "div"),
}
_CELLS = {"td", "th"}

# A tag, or what looks like the beginning of one: <p>, <p; else text.
_TAG_OR_TEXT = re.compile(r"<[^<>]*>?|[^<]+")

# How a tag begins, and its name: <td, </td
_TAG_NAME = re.compile(r"<(/?[a-z][a-z0-9]*)", re.IGNORECASE)

_SPACES = re.compile(r"\s+")
_EMPTY_LINES = re.compile(r"\n{3,}")


def _page_text(page: str) -> str:
    """What a reader sees of a page of HTML: its text, in lines."""
    seen: list[str] = []
    is_kept_as_is = False
    for piece in _pieces_in_view(page):
        name = _element(piece)
        if name in ("pre", "/pre"):
            is_kept_as_is = name == "pre"
        if name:
            seen += _space_for(name)
        elif not piece.startswith("<!"):
            text = piece if is_kept_as_is else _in_one_line(piece, seen)
            seen.append(html.unescape(text))
    return _tidy_lines("".join(seen))


def _pieces_in_view(page: str) -> Iterator[str]:
    """The tags and texts of a page that do not stand within a hidden element."""
    hidden_until = ""
    for found in _TAG_OR_TEXT.finditer(_without_comments(page)):
        piece = found[0]
        name = _element(piece)
        if hidden_until:
            if name == hidden_until:
                hidden_until = ""
        elif name in _HIDDEN and not piece.endswith("/>"):
            hidden_until = f"/{name}"
        else:
            yield piece


def _tidy_lines(text: str) -> str:
    """A text without spaces at the ends of lines, and with one empty line where there were more."""
    lines = [line.rstrip(" ") for line in text.split("\n")]
    return _EMPTY_LINES.sub("\n\n", "\n".join(lines)).strip()


def _without_comments(page: str) -> str:
    """A page without its comments."""
    text, *commented = page.split("<!--")
    after_comments = [piece.partition("-->")[2] for piece in commented]
    return text + "".join(after_comments)


def _in_one_line(piece: str, before: list[str]) -> str:
    """A piece of text with single spaces, and none where a line begins."""
    text = _SPACES.sub(" ", piece)
    begins_line = not before or before[-1] in ("\n", "\t")
    return text.lstrip(" ") if begins_line else text


def _element(piece: str) -> str:
    """The name of a tag's element, with "/" before it at an end; nothing, if this is no tag."""
    found = _TAG_NAME.match(piece)
    if not found or not piece.endswith(">"):
        return ""
    return found[1].lower()


def _space_for(tag: str) -> list[str]:
    """What stands in a text for a tag, if anything."""
    name = tag.removeprefix("/")
    if name in _BLOCKS:
        return ["\n"]
    if tag in _CELLS:
        return ["\t"]
    return []
