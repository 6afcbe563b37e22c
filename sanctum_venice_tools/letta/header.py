"""What a header of HTTP takes."""


def fits_header(text: str) -> bool:
    """Whether a key or a token can be sent: a line feed or a letter such as é can't."""
    return text.isascii() and text.isprintable()
