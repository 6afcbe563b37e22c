"""Read a web page."""

import re

from sanctum_venice_tools.runtime.arguments import _read_as_meant
from sanctum_venice_tools.runtime.media import _media_folder
from sanctum_venice_tools.runtime.public import _LOCAL_NAMES
from sanctum_venice_tools.runtime.publishing import _published
from sanctum_venice_tools.runtime.reading import _keep
from sanctum_venice_tools.runtime.replies import _object_of, _text_of
from sanctum_venice_tools.runtime.venice import VeniceError, _call

TOOLSET = "web"
COST = "cents"

# A web address: https://www.example.com:8080/page?q=fox. Whoever writes a public one down uses a
# name, which ends in letters.
_WEB_ADDRESS = re.compile(
    r"https?://"
    r"(?P<host>([\w-]+\.)+(?P<last_part>[^\W\d][\w-]*))\.?"
    r"(:\d{1,5})?"  # a port
    r"([/?#]\S*)?",
    re.IGNORECASE,
)

# Sites that Venice can't read, and all that is within them.
_CLOSED_SITES = (".x.com", ".twitter.com", ".reddit.com", ".redd.it")

# What Venice could not open or make out.
_UNREAD = {500: "Check the address, or try again once."}

# A picture inside of a page's own text: data:image/png;base64,iVBORw0...
_PICTURE_IN_TEXT = re.compile(r"(data:[\w/.+;=-]{1,99};base64,)[\w+/=%-]+")


def _host(url: str) -> str:
    """The host of a public web address."""
    found = _WEB_ADDRESS.fullmatch(url)
    if not found or found["last_part"].lower() in _LOCAL_NAMES:
        raise VeniceError(
            f"{url[:80]!r} is no public web address. Give one such as https://example.com/page."
        )
    return found["host"].lower()


@_published
@_read_as_meant
def venice_read_webpage(*, url: str) -> str:
    """Read a public web page as markdown, a long one in parts.

    Costs 1 cent; further parts are free. For PDF and Office files: venice_read_document.

    Args:
        url: The whole address; X and Reddit can't be read.

    Returns:
        JSON: text, part, parts, file (all of the text), cost_usd; next, when there is more.
    """
    url = url.strip()
    host = _host(url)
    if f".{host}".endswith(_CLOSED_SITES):
        raise VeniceError(
            f"Venice can't read {host}. Ask venice_ask_web, or look for it with venice_search_web."
        )
    folder = _media_folder()
    page, _ = _call("POST", "/augment/scrape", advice=_UNREAD, json={"url": url})

    content = _text_of(_object_of(page).get("content"))
    text = _PICTURE_IN_TEXT.sub(r"\1...", content)  # to a reader, it says nothing
    title = url.partition("//")[2]
    return _keep(folder, text, title, "md", cost_usd=0.01)
