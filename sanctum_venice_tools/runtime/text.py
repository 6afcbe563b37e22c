"""Texts of the web."""

import html
import re


def _plain(page: str) -> str:
    """The text of a piece of HTML, on one line."""
    return " ".join(html.unescape(re.sub(r"<[^>]+>", "", page)).split())
