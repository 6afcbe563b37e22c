"""The call to Venice: address, key, deadline, careful repeats, errors that a model can act on."""

import functools
import json
import math
import os
import re
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.request import getproxies

import httpx

from sanctum_venice_tools.runtime.unpacking import _unpacked


class VeniceError(Exception):
    """What the agent reads when a call fails: one line that ends with what to do next."""

    status: int | None = None
    """That of Venice's answer: 0 where no whole one came, None where the fault is not Venice's."""


def _failed(told: str, status: int) -> VeniceError:
    """The error for an answer of a status, or for none that is whole (0)."""
    error = VeniceError(told)
    error.status = status
    return error


# --- time ---

# Letta ends a tool after 180 s without a word; by ending earlier, a tool can still say how to go
# on.
_USUAL_SECONDS = 120
_WHOLE_SECONDS = re.compile(r"[1-9]\d{0,5}", re.ASCII)


def _allowed_seconds() -> int:
    """How long a call of a tool may take: VENICE_TOOL_SECONDS, if that is a whole number."""
    setting = os.environ.get("VENICE_TOOL_SECONDS", "").strip()
    if _WHOLE_SECONDS.fullmatch(setting):
        return int(setting)
    return _USUAL_SECONDS


_DEADLINE = time.monotonic() + _allowed_seconds()


def _seconds_left() -> float:
    """The time until the deadline; a second at least, to end in good order."""
    return max(_DEADLINE - time.monotonic(), 1.0)


def _guard_connection(event: str, info: dict[str, Any]) -> None:
    """Hold a new connection to the deadline; httpx calls this with each step that it has done.

    Its time-outs count from one piece to the next, and a server may drip for ever. A connection
    through a proxy is told of in the proxy's name, so only the ends of the steps' names count.
    """
    if event.endswith(("connect_tcp.complete", "start_tls.complete")):
        stream = info["return_value"]
        stream.read = functools.partial(_read_in_time, stream.read)
        stream.write = functools.partial(_write_in_time, stream.write)


def _read_in_time(read: Callable[..., bytes], size: int, timeout: float | None = None) -> bytes:
    """What comes over a connection next, if it comes before the deadline."""
    left = _DEADLINE - time.monotonic()
    if left <= 0:
        raise httpx.ReadTimeout("the time of the call is up")
    return read(size, timeout=min(left, timeout or left))


def _write_in_time(
    write: Callable[..., None], content: bytes, timeout: float | None = None
) -> None:
    """Send bytes over a connection, a few at a time, as long as there is time."""
    few = 65_536
    for start in range(0, len(content), few):
        left = _DEADLINE - time.monotonic()
        if left <= 0:
            raise httpx.WriteTimeout("the time of the call is up")
        write(content[start : start + few], timeout=min(left, timeout or left))


# --- the request ---

_MEGABYTE = 1 << 20
_MOST_TO_SEND = 35 * _MEGABYTE  # as JSON; a file of a form may have 25
_MOST_OF_ERROR = 1 * _MEGABYTE
_MOST_OF_JSON = 64 * _MEGABYTE
_MOST_OF_FILE = 2048 * _MEGABYTE

# What Venice reads, makes or changes for nothing.
_FREE_PATHS = ("/quote", "/retrieve", "/complete")

# What Venice charges only once it is done: a failure of its own costs nothing (its skills for the
# web and documents, and for transcription; github.com/veniceai/skills, 73c0bf7).
_PAID_WHEN_DONE = ("/augment/scrape", "/augment/search", "/augment/text-parser", "/transcriptions")

# Whether this call of a tool has sent what may be paid: a line for each.
_PAID: list[str] = []

# Copies of Venice's lists that this call goes by; if Venice refuses it, they may be too old.
_COPIES: list[Path] = []

_FREE = "nothing was charged. Try again."
_CHARGED = (
    "it may be charged. Ask the person, or look at venice_report_usage, before you try again."
)


# A key has signs of ASCII, and no space.
_SIGNS = re.compile("[!-~]+")

# http://127.0.0.1:8484/api/v1, https://[::1]/v1
_HTTP_ADDRESS = re.compile(
    r"""
    https?://
    ( [a-zA-Z0-9_.-]+ | \[[0-9a-fA-F:]+\] )  # a host; no name or password before it
    ( :[0-9]{1,5} )?                         # a port
    ( /[!-~]* )?                             # a path
    """,
    re.VERBOSE,
)

_HIGHEST_PORT = 65_535


@functools.cache
def _client() -> httpx.Client:
    """The way to Venice, with the operator's key."""
    key = os.environ.get("VENICE_API_KEY", "").strip()
    if not _SIGNS.fullmatch(key):
        fault = "VENICE_API_KEY is not set, or is no key"
        raise VeniceError(f"{fault}. Ask the operator to set this agent's secret.")
    # httpx would ask for every encoding that it knows.
    headers = {"Authorization": f"Bearer {key}", "Accept-Encoding": "gzip"}
    return _open_client(base_url=_base_url(), headers=headers)


def _open_client(**settings: Any) -> httpx.Client:
    """A way to somewhere; an error, if what it takes from the environment can't be used."""
    try:
        _check_proxies()
        return httpx.Client(**settings)
    except (httpx.InvalidURL, ImportError, OSError, ValueError):
        raise _no_way() from None


def _check_proxies() -> None:
    """A ValueError for a proxy at a port that can't be: httpx would take Venice for out of reach.

    The proxies are those that httpx takes from the environment.
    """
    proxies = getproxies()
    for scheme in ("http", "https", "all"):
        address = proxies.get(scheme, "")
        url = httpx.URL(address if "://" in address else f"http://{address}")
        if (url.port or 0) > _HIGHEST_PORT:
            raise ValueError("no port")


# What a request ends with, and nothing is sent, where a proxy's name or port is none.
_BAD_PROXY = (UnicodeError, OverflowError)


def _no_way() -> VeniceError:
    """The error for what a way takes from the environment and can't be used.

    httpx would show that, and a proxy may have a password.
    """
    told = "The proxy or certificate settings of this environment can't be used"
    names = "HTTPS_PROXY, HTTP_PROXY, ALL_PROXY, NO_PROXY, SSL_CERT_FILE"
    return VeniceError(f"{told} ({names}). Ask the operator to correct them.")


def _base_url() -> httpx.URL:
    """Where Venice is."""
    setting = os.environ.get("VENICE_BASE_URL", "").strip() or "https://api.venice.ai/api/v1"
    url = _http_url(setting)
    if not url:
        raise VeniceError("VENICE_BASE_URL is no http address. Ask the operator to correct it.")
    return url


def _http_url(address: str) -> httpx.URL | None:
    """An http address without a name or password in it; None, if it is none."""
    if _HTTP_ADDRESS.fullmatch(address):
        with suppress(httpx.InvalidURL, UnicodeError):
            url = httpx.URL(address)
            url.host.encode("idna")  # as a connection will: no part of a name is empty, or too long
            if (url.port or 0) <= _HIGHEST_PORT:
                return url
    return None


def _send(
    method: str, path: str, *, advice: dict[int, str] | None = None, also: int = 0, **content: Any
) -> httpx.Response:
    """Send a request; return Venice's good reply (or one of the status `also`), its body unread.

    Repeats only what surely started no work (429, 503), and at most twice: work is paid, and
    failures block keys. `advice` by status goes before the usual one.
    """
    for tries_left in (2, 1, 0):
        reply = _send_once(method, path, content)
        is_good = reply.is_success or reply.status_code == also
        is_page = "html" in reply.headers.get("content-type", "")
        if is_good and not is_page:
            _note_deprecation(reply.headers)
            return reply

        body = _read_what_comes(reply)
        refused = _refusal(reply, body, advice or {})
        pause = _pause(reply)
        time_for_another = _DEADLINE - time.monotonic() - 5
        if tries_left == 0 or pause > time_for_another:
            break
        time.sleep(pause)
    _forget_copies()
    raise refused


def _forget_copies() -> None:
    """Take away the copies of lists that this call went by: the next call asks Venice anew."""
    for copy in _COPIES:
        with suppress(OSError):
            copy.unlink()


def _send_once(method: str, path: str, content: dict[str, Any]) -> httpx.Response:
    """Send a request, and return whatever reply begins to come."""
    content = _sendable(content)
    left = _seconds_left()
    limits = {"connect": min(left, 10.0), "write": min(left, 60.0), "read": left}
    extensions = {"timeout": limits, "trace": _guard_connection}
    try:
        request = _client().build_request(method, path, extensions=extensions, **content)
    except httpx.InvalidURL:
        told = "A name in this call is far too long to be one of Venice's"
        raise VeniceError(f"{told}. Nothing was sent: correct it.") from None
    if "json" in content and len(request.content) > _MOST_TO_SEND:
        fault = "That is more than 35 MB, which Venice does not take"
        raise VeniceError(f"{fault}. Send fewer files, or smaller ones.")
    if not _is_free(request):
        _PAID.append(path)
    try:
        reply = _client().send(request, stream=True)
    except httpx.HTTPError as error:
        raise _lost(request, error) from None
    except _BAD_PROXY:
        raise _no_way() from None
    limits["read"] = min(_seconds_left(), 50.0)  # a longer silence is a dead reply
    return reply


def _sendable(node: Any) -> Any:
    """The same with each text whole: what is torn into halves has no bytes to be sent."""
    if isinstance(node, dict):
        return {_sendable(name): _sendable(value) for name, value in node.items()}
    if isinstance(node, list):
        return [_sendable(value) for value in node]
    if isinstance(node, tuple):  # a file of a form: name, content, type
        return tuple(_sendable(value) for value in node)
    if isinstance(node, str) and not node.isascii():
        return _whole(node)
    return node


def _pieces(reply: httpx.Response, most: int = _MOST_OF_FILE) -> Iterator[bytes]:
    """The body of a reply, piece by piece; an error, if it is too long, too late or not whole."""
    length = 0
    try:
        for piece in _unpacked(reply):
            length += len(piece)
            if length > most:
                raise _too_long(reply.request, most)
            if time.monotonic() >= _DEADLINE:
                raise _lost(reply.request, TimeoutError())
            yield piece
    except httpx.HTTPError as error:
        raise _lost(reply.request, error) from None


def _read(reply: httpx.Response, pictures: int = 1) -> bytes:
    """The body of a reply that is no file; the more pictures are in it, the longer it may be."""
    return b"".join(_pieces(reply, pictures * _MOST_OF_JSON))


def _read_what_comes(reply: httpx.Response) -> bytes:
    """The body of a reply as far as it comes, and no further than a megabyte."""
    body = b""
    with suppress(VeniceError):
        for piece in _pieces(reply, _MOST_OF_ERROR):
            body += piece
    reply.close()
    return body


def _call(
    method: str, path: str, *, pictures: int = 1, **content: Any
) -> tuple[Any, httpx.Headers]:
    """Send a request; return the JSON of Venice's reply, and its headers.

    `pictures` is how many the JSON may hold: in base64, each may take as much as other JSON does.
    """
    reply = _send(method, path, **content)
    try:
        return json.loads(_read(reply, pictures)), reply.headers
    except (ValueError, RecursionError) as error:
        raise _lost(reply.request, error) from None


def _call_for_file(method: str, path: str, **content: Any) -> tuple[bytes, httpx.Headers]:
    """Send a request; return the bytes of Venice's reply, all of them, and its headers."""
    reply = _send(method, path, **content)
    return b"".join(_pieces(reply, _MOST_OF_JSON)), reply.headers


# --- errors ---

# What is looked at of an error's body, in characters.
_LONGEST_PAGE_OF_ERROR = 100_000

# <title>502 Bad Gateway
_TITLE = re.compile(r"<title>([^<]*)", re.IGNORECASE)

# <p>, </a>
_ANY_TAG = re.compile(r"<[^<>]*>")

# The parts of an error's body that only hold others.
_FRAME = ("error", "message", "details", "_errors", "issues")

# What a proxy answers that wants to be asked at another address: nothing was done yet.
_REDIRECTS = (301, 302, 307, 308)

_ADVICE = {
    400: "Correct the arguments and call again.",
    401: "Ask the operator to check VENICE_API_KEY: it is wrong, or its plan lacks this.",
    402: (
        "Ask the operator to add credit at venice.ai or to raise this key's limit; "
        "do not repeat the call."
    ),
    403: "This key or region may not do that; ask the operator.",
    404: "Check the names; where Venice names another, use that.",
    410: "It is gone for good: choose another, or leave it out.",
    413: "Send something smaller.",
    422: "Venice refused the content: change it before you call again.",
}

# What a 403 says that has a cause of its own, and what to do then.
_FORBIDDEN = {
    "restricted to configured IP addresses": (
        "This key works only from certain addresses (its ipAllowlist), "
        "and the tools run at another: ask the operator."
    ),
    "is an Anonymous model": (
        "This key may use private models only: "
        "take one (venice_list_models, needs private), or ask the operator."
    ),
}

# What tells when to come again, each with what is left until then. Models' limits and the error
# budget (it refuses all, after 50 failures in 30 s) tell milliseconds since 1970, a blockchain's
# limit seconds.
_RESETS = {
    "x-ratelimit-reset-requests": "x-ratelimit-remaining-requests",
    "x-ratelimit-reset-tokens": "x-ratelimit-remaining-tokens",
    "x-ratelimit-resets": "x-ratelimit-remaining",
    "x-ratelimit-reset": "x-ratelimit-remaining",
}


def _is_free(request: httpx.Request) -> bool:
    """Whether a request costs nothing, whatever becomes of it."""
    return request.method == "GET" or request.url.path.endswith(_FREE_PATHS)


def _may_be_charged(request: httpx.Request) -> str:
    """What to do after a request whose outcome is not known."""
    return _FREE if _is_free(request) else _CHARGED


def _lost(request: httpx.Request, error: Exception) -> VeniceError:
    """The error for a request that got no whole reply."""
    if isinstance(error, httpx.ConnectError | httpx.ConnectTimeout):
        told = f"Venice cannot be reached at '{request.url.host}'"
        return _failed(f"{told}; nothing was sent. Try again later.", 0)
    is_timeout = isinstance(error, httpx.TimeoutException | TimeoutError)
    is_late = is_timeout or time.monotonic() >= _DEADLINE
    told = "Venice took too long" if is_late else "Venice sent no whole reply"
    return _failed(f"{told}; {_may_be_charged(request)}", 0)


def _unreadable(error: Exception) -> VeniceError:
    """The error for a reply that is of another form than Venice's documents say.

    It may be that of a list: no later call goes by the copy of it.
    """
    _forget_copies()
    kind = error.__class__.__name__
    line = " ".join(str(error).split())
    then = _CHARGED if _PAID else _FREE
    return VeniceError(f"Venice's reply could not be read ({kind}: {line[:80]}); {then}")


def _too_long(request: httpx.Request, most: int) -> VeniceError:
    """The error for a reply that is longer than any that Venice sends."""
    told = f"Venice sent more than {most // _MEGABYTE} MB, so it was not read"
    return VeniceError(f"{told}; {_may_be_charged(request)}")


def _refusal(reply: httpx.Response, content: bytes, advice: dict[int, str]) -> VeniceError:
    """The error for a reply that is not a good one: Venice's own reason, then what to do."""
    status = reply.status_code
    if status in _REDIRECTS:
        return _redirected("Venice", "VENICE_BASE_URL", reply)
    body, is_venices = _error_body(content)
    known = {**_ADVICE, 429: f"Try again in {_pause(reply):.0f} s.", **advice}
    if status == 402 and "authOptions" in str(body):
        body = "no API key arrived"
        known[402] = advice.get(402) or _ADVICE[401]

    told = f"Venice answered {status}: {_reason(body)}"
    what_to_do = _own_advice(status, body) or known.get(status, "Try again later.")
    if _is_refused(status, is_venices=is_venices) or _is_free(reply.request):
        return _failed(f"{told}. {what_to_do}", status)
    if status >= 500 and is_venices and reply.request.url.path.endswith(_PAID_WHEN_DONE):
        return _failed(f"{told}; nothing was charged. {what_to_do}", status)
    return _failed(f"{told}; {_CHARGED}", status)


def _redirected(who: str, setting: str, reply: httpx.Response) -> VeniceError:
    """The error for an address of the operator's that leads elsewhere.

    Only the host is told of where to: what else is in an address may be secret.
    """
    status = reply.status_code
    told = f"{who} answered {status}: {setting} leads"
    place = _origin_of(reply.next_request)
    if place == _origin_of(reply.request):
        advice = "Ask the operator to correct its path"
        return _failed(f"{told} to another path of the same host. {advice}.", status)
    to = f", to {place:.200}" if place else ""
    advice = "Ask the operator to set it to where it redirects"
    return _failed(f"{told} elsewhere{to}. {advice}.", status)


def _origin_of(request: httpx.Request | None) -> str:
    """Where a request goes, without what may be secret in its address; nothing for none."""
    return f"{request.url.scheme}://{request.url.netloc.decode()}" if request else ""


def _is_refused(status: int, *, is_venices: bool) -> bool:
    """Whether Venice itself refused, which it does not charge. Of all else nobody knows."""
    if status in (429, 503):
        return True
    is_fault_of_request = 400 <= status < 500 and status != 408
    return is_fault_of_request and is_venices


def _own_advice(status: int, body: Any) -> str:
    """What to do about a refusal that its own words explain; nothing, if its status says all."""
    if status != 403:
        return ""
    told = str(body)
    for words, advice in _FORBIDDEN.items():
        if words in told:
            return advice
    return ""


def _error_body(content: bytes) -> tuple[Any, bool]:
    """What an error's body holds: Venice's own JSON, or the words of somebody's page in between."""
    with suppress(ValueError, RecursionError):
        return json.loads(content), True
    page = content.decode(errors="replace")[:_LONGEST_PAGE_OF_ERROR]
    title = _TITLE.search(page)
    words = title[1] if title else _ANY_TAG.sub(" ", page)
    return words, False


def _reason(body: Any) -> str:
    """What one of Venice's many error bodies says, on one line and without the key."""
    told = "; ".join(_texts(body))[:_LONGEST_PAGE_OF_ERROR]
    printable = "".join(sign if sign.isprintable() else " " for sign in told)
    line = " ".join(printable.split()) or "no reason given"
    key = os.environ["VENICE_API_KEY"].strip()
    safe = line.replace(key, "[key]")
    return safe[:500].rstrip(" .")


def _texts(node: Any, field: str = "") -> list[str]:
    """Every text in one of Venice's many error bodies, each with the field that it speaks of."""
    if isinstance(node, list):
        texts = []
        for item in node:
            texts += _texts(item, field)
        return texts
    if isinstance(node, dict):
        texts = []
        for name, value in node.items():
            inner_field = field if name in _FRAME else name
            texts += _texts(value, inner_field)
        return texts
    return [f"{field}: {node}" if field else str(node)]


def _pause(reply: httpx.Response) -> float:
    """Seconds until Venice will take this request; infinite, if a repeat is useless or unsafe."""
    if reply.status_code not in (429, 503):
        return math.inf
    headers = reply.headers
    told = [reset for reset in _RESETS if reset in headers]
    used_up = [reset for reset in told if headers.get(_RESETS[reset]) == "0"]
    # Each reply tells of the limits that are kept, too. What is left of one may be too little for
    # this request, but not where Venice lacks room: that is 503, or 429 with Retry-After (its skill
    # for errors, 73c0bf7).
    lacks_room = reply.status_code == 503 or "retry-after" in headers
    decisive = used_up
    if not used_up and not lacks_room:
        decisive = told

    waits = [_wait_until(headers[reset]) for reset in decisive]
    retry_after = _wait_until(headers.get("retry-after", ""))
    return max(2.0, retry_after, *waits)


# 30, 1.5, 1767225600000
_STAMP = re.compile(r"\d{1,20}(\.\d{1,9})?", re.ASCII)

# In seconds: September 2001. No wait is as long.
_FIRST_MOMENT = 1e9


def _wait_until(stamp: str) -> float:
    """Seconds from now on: a small number is a wait, a large one a moment, since 1970."""
    if not _STAMP.fullmatch(stamp):
        return 0
    number = float(stamp)
    if number < _FIRST_MOMENT:
        return number
    is_in_milliseconds = number > 100 * _FIRST_MOMENT
    moment = number / 1000 if is_in_milliseconds else number
    return moment - time.time()


# --- the reply to the agent ---

# What a reply may have at most, in characters.
_MOST_OF_REPLY = 8000

# What Venice said beside its replies, once for each call of a tool.
_REMARKS: list[str] = []

# Fields of which a part is worth nothing.
_ONLY_WHOLE = ("job", "file")

# How far texts are cut, and lists, until a reply fits: (characters, items).
_CUTS = ((4000, 200), (1500, 100), (500, 50), (200, 30), (80, 15), (30, 5))


def _note_deprecation(headers: httpx.Headers) -> None:
    """Remember that a model is about to go, as the headers of a reply say.

    Where its own row has said so, that is enough.
    """
    warning = headers.get("x-venice-model-deprecation-warning", "")
    date = headers.get("x-venice-model-deprecation-date", "")
    replacement = headers.get("x-venice-deprecated-replacement", "")
    is_deprecated = headers.get("x-venice-deprecated") == "true"
    is_about_to_go = is_deprecated or bool(warning or date)
    if _REMARKS or not is_about_to_go:
        return

    said = warning.rstrip(".") or "it is about to go"
    remark = f"Venice says of this model: {said}"
    if date:
        remark += f" ({date[:40]})"
    if replacement:
        remark += f". Then take {replacement[:80]}"
    line = " ".join(remark.split())
    _REMARKS.append(f"{line[:400]}.")


def _given(**fields: Any) -> dict[str, Any]:
    """Those fields that hold something."""
    return {name: value for name, value in fields.items() if value not in (None, "", [], {})}


def _answer(*, _most: int = _MOST_OF_REPLY, **fields: Any) -> str:
    """The tool's reply: a JSON object of those fields that hold something.

    Where it has more than so many characters, it is cut.
    """
    told = _noted(fields, _REMARKS)
    reply = _to_json(_given(**_tidy(told)))
    for longest, items in _CUTS:
        if len(reply) <= _most:
            break
        short = _tidy(told, longest, items)
        cut = _noted(short, ["This reply was too long: texts and lists in it are cut."])
        reply = _to_json(_given(**cut))
    return reply


def _noted(fields: dict[str, Any], remarks: list[str]) -> dict[str, Any]:
    """The fields with more notes."""
    notes = fields.get("notes") or []
    if remarks:
        first = [notes] if isinstance(notes, str) else notes
        notes = [*first, *remarks]
    return {**fields, "notes": notes}


def _to_json(fields: dict[str, Any]) -> str:
    """The fields as JSON that any reader takes."""
    text = json.dumps(fields, ensure_ascii=False, allow_nan=False)
    return _whole(text)


def _tidy(node: Any, longest: int = 10**9, items: int = 10**9) -> Any:
    """The same without numbers that JSON has not, and with texts and lists cut."""
    if isinstance(node, float) and not math.isfinite(node):
        return None
    if isinstance(node, str) and len(node) > longest:
        return node[:longest] + " ..."
    if isinstance(node, list):
        return [_tidy(item, longest, items) for item in node[:items]]
    if isinstance(node, dict):
        return _tidy_object(node, longest, items)
    return node


def _tidy_object(node: dict[str, Any], longest: int, items: int) -> dict[str, Any]:
    """An object likewise; what only counts whole is never cut, and never left out."""
    tidied = {}
    for place, (name, value) in enumerate(node.items()):
        if name in _ONLY_WHOLE and isinstance(value, str):
            tidied[name] = value
        elif place < items or name == "notes":
            tidied[name[:200]] = _tidy(value, longest, items)
    return tidied


def _whole(text: str) -> str:
    """The text with torn characters whole again; a half without the other is replaced."""
    halves = text.encode("utf-16", "surrogatepass")
    return halves.decode("utf-16", "replace")
