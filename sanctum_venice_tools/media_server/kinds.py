"""What a file is, by its own first bytes: only what a browser shows without running it is shown."""

from sanctum_venice_tools.runtime.formats import _format_of

# How much of a file is looked at.
START = 4096

# What a browser shows and never runs. A picture in SVG can hold a program, so it is not here.
_SHOWN = ("image/", "audio/", "video/")
_UNSHOWN_PICTURES = ("image/heic", "image/tiff")

UNKNOWN = "application/octet-stream"
TEXT = "text/plain"


def media_type_of(start: bytes) -> str:
    """The media type of a file that begins so: of a picture, sound, film, PDF or text.

    Of all else it is that of any bytes.
    """
    form = _format_of(start[:100])
    if form and form.media_type:
        return form.media_type
    return TEXT if _is_text(start) else UNKNOWN


def is_shown(media_type: str) -> bool:
    """Whether a browser may show a file of this type, rather than save it."""
    return media_type == TEXT or (
        media_type.startswith(_SHOWN) and media_type not in _UNSHOWN_PICTURES
    )


def shown_as(media_type: str) -> str:
    """The media type as a browser is told it: with how letters are written, where there are any."""
    return f"{TEXT}; charset=utf-8" if media_type == TEXT else media_type


def kind_of(media_type: str) -> str:
    """What people call it: image, audio, video, text, or other."""
    kind = media_type.partition("/")[0]
    return kind if kind in ("image", "audio", "video", "text") else "other"


def _is_text(start: bytes) -> bool:
    """Whether bytes are text in UTF-8, which may be cut within its last character."""
    if b"\0" in start:
        return False
    try:
        start.decode()
    except UnicodeDecodeError as error:
        return len(start) == START and error.start >= START - 3
    return bool(start)
