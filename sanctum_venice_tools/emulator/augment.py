"""The web and documents: POST /augment/search, /augment/scrape and /augment/text-parser."""

import re
from urllib.parse import urlsplit

from starlette.concurrency import run_in_threadpool
from starlette.responses import JSONResponse, PlainTextResponse, Response

from sanctum_venice_tools.emulator import documents, web
from sanctum_venice_tools.emulator.errors import ApiError, custom, standard
from sanctum_venice_tools.emulator.service import Call
from sanctum_venice_tools.emulator.uploads import LARGEST_FILE, Upload, check_address

PRICE_USD = 0.01
MOST_FOUND = {"brave": 10, "google": 5}
OLD_OFFICE = (".doc", ".ppt")
BLOCKED = re.compile(r"(^|\.)(x\.com|twitter\.com|reddit\.com)$")


async def search(call: Call) -> Response:
    """POST /augment/search."""
    most = MOST_FOUND[call.body.get("search_provider", "brave")]
    found = web.search(call.body["query"], min(call.body.get("limit", 10), most))
    call.charge(PRICE_USD, sku="augment-search")
    results = [{name: page[name] for name in ("title", "url", "content", "date")} for page in found]
    return JSONResponse({"query": call.body["query"], "results": results})


async def scrape(call: Call) -> Response:
    """POST /augment/scrape."""
    url = call.body.get("url")
    if url is None:
        raise custom("url", "Required")
    check_address("url", url)
    if BLOCKED.search(urlsplit(url).hostname or ""):
        raise standard(400, "Scraping X/Twitter and Reddit is not supported.")
    page = next((page for page in web.pages() if page["url"] == url.rstrip("/")), None)
    if page is None:
        raise standard(500, f"URL unreachable: the local Venice has no page {url}.")
    call.charge(PRICE_USD, sku="augment-scrape")
    sentences = re.split(r"(?<=[.!?])\s+", web.plain(page["content"]))
    content = f"# {web.plain(page['title'])}\n\n" + "\n\n".join(sentences) + "\n"
    return JSONResponse({"url": url, "content": content, "format": "markdown"})


async def parse_text(call: Call) -> Response:
    """POST /augment/text-parser."""
    file = call.body["file"]
    if not isinstance(file, Upload):
        raise custom("file", "Expected a file")
    if len(file.content) > LARGEST_FILE:
        raise custom("file", "File exceeds the maximum allowed size of 25 MB.")
    if file.lower().endswith(OLD_OFFICE):
        raise standard(400, "Unsupported file type")
    try:
        text = await run_in_threadpool(documents.extract, file.content)
    except ValueError:
        raise _no_text() from None
    call.charge(PRICE_USD, sku="augment-text-parser")
    if call.body.get("response_format") == "text":
        return PlainTextResponse(text)
    return JSONResponse({"text": text, "tokens": max(1, len(text) // 4)})


def _no_text() -> ApiError:
    return standard(400, "No text content could be extracted")
