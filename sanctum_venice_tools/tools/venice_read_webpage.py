"""Read a web page."""

import re

from sanctum_venice_tools.runtime.arguments import _read_as_meant
from sanctum_venice_tools.runtime.media import _media_folder
from sanctum_venice_tools.runtime.public import _LOCAL_NAMES
from sanctum_venice_tools.runtime.reading import _keep
from sanctum_venice_tools.runtime.replies import _object_of, _text_of
from sanctum_venice_tools.runtime.venice import VeniceError, _call

TOOLSET = "web"
COST = "cents"


def _host(url: str) -> str:
    """The host of a public web address. Whoever writes one down uses its name, which ends in letters."""
    found = re.fullmatch(r"(?i)https?://((?:[\w-]+\.)+([^\W\d][\w-]*))\.?(?::\d{1,5})?(?:[/?#]\S*)?", url)
    if not found or found[2].lower() in _LOCAL_NAMES:
        raise VeniceError(f"{url[:80]!r} is no public web address. Give one such as https://example.com/page.")
    return found[1].lower()


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
    if re.search(r"(^|\.)(x\.com|twitter\.com|reddit\.com|redd\.it)$", host):
        raise VeniceError(f"Venice can't read {host}. Ask venice_ask_web, or look for it with venice_search_web.")
    folder = _media_folder()
    page, _ = _call("POST", "/augment/scrape", json={"url": url})
    # Pictures inside of a page's own text say nothing to a reader.
    text = re.sub(r"(data:[\w/.+;=-]{1,99};base64,)[\w+/=%-]+", r"\1...", _text_of(_object_of(page).get("content")))
    return _keep(folder, text, url.partition("//")[2], "md", cost_usd=0.01)
