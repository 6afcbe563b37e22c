# venice_chat: a Letta tool, made from sanctum_venice_tools/tools/venice_chat.py.
# It needs httpx and VENICE_API_KEY. Read it from the end: the tool is the last function, and each
# part above it serves those below.
import gc
import sys

# Letta evaluates string arguments before a call ("1.10" would arrive as "1.1") and loads its whole
# server to do so. Hiding that module from this process keeps arguments as they were sent, and a
# call four times faster.
sys.modules.setdefault("letta.functions.ast_parsers", None)  # type: ignore[arg-type]

import ast
import base64
import difflib
import functools
import hashlib
import ipaddress
import json
import math
import mimetypes
import os
import re
import secrets
import socket
import time
import unicodedata
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial, wraps
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, BinaryIO, Literal, get_args, get_origin
from urllib.parse import quote
from urllib.request import getproxies

import httpx

# The process ends with this call, so what is loaded by now is never garbage. Not looking through it
# saves a fifth of the call's time in Letta's sandbox.
if __name__ == "__main__":
    gc.freeze()


# --- shared by several tools: sanctum_venice_tools/runtime/unpacking.py ---

# The most bytes that are unpacked at once.
_MOST_AT_ONCE = 1 << 20

# What zlib calls "wbits": with 32 added, it finds out by itself whether a gzip or a zlib header
# comes first.
_GZIP_OR_ZLIB = 32 + zlib.MAX_WBITS

# What codings are called that change nothing: the first is said by an empty header.
_UNCHANGED = ("", "identity", "none")

_ZIPPED = ("gzip", "x-gzip", "deflate")  # the first two are one, by RFC 9110, 8.4.1.3

# How each member of a body in gzip begins: RFC 1952, 2.2 and 2.3.1, lets several make one body.
_START_OF_MEMBER = b"\x1f\x8b"


def _unpacked(reply: httpx.Response) -> Iterator[bytes]:
    """The body of a reply, piece by piece; an error, if it is packed twice, or not in gzip.

    httpx would unpack whatever a server sends, in any number of layers, all at once.
    """
    told = reply.headers.get("content-encoding", "identity")
    codings = [coding.strip().lower() for coding in told.split(",")]
    layers = [coding for coding in codings if coding not in _UNCHANGED]
    if not layers:
        yield from reply.iter_bytes()
    elif len(layers) == 1 and layers[0] in _ZIPPED:
        yield from _unzipped(reply)
    else:
        raise httpx.DecodingError("it is packed in another way than gzip", request=reply.request)


def _unzipped(reply: httpx.Response) -> Iterator[bytes]:
    """The body of a reply in gzip or deflate; one that is cut is an error."""
    unzip = zlib.decompressobj(_GZIP_OR_ZLIB)
    try:
        for packed in reply.iter_raw():
            rest = packed
            while rest:
                if unzip.eof:
                    unzip = _next_member(reply, rest)
                yield unzip.decompress(rest, _MOST_AT_ONCE)
                rest = unzip.unused_data if unzip.eof else unzip.unconsumed_tail
        yield unzip.flush()
    except zlib.error as error:
        raise httpx.DecodingError(str(error), request=reply.request) from None
    if not unzip.eof:
        raise httpx.DecodingError("the end is missing", request=reply.request)


def _next_member(reply: httpx.Response, rest: bytes) -> Any:
    """What unpacks a further member of a body, which begins so; an error, if it is none."""
    if not _START_OF_MEMBER.startswith(rest[:2]):
        raise httpx.DecodingError("more comes after the end", request=reply.request)
    return zlib.decompressobj(_GZIP_OR_ZLIB)


# --- shared by several tools: sanctum_venice_tools/runtime/venice.py ---


class VeniceError(Exception):
    """What the agent reads when a call fails: one line that ends with what to do next."""

    status: int | None = None
    """That of Venice's answer: 0 where no whole one came, None where the fault is not Venice's."""


def _failed(told: str, status: int) -> VeniceError:
    """The error for an answer of a status, or for none that is whole (0)."""
    error = VeniceError(told)
    error.status = status
    return error


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


# --- shared by several tools: sanctum_venice_tools/runtime/arguments.py ---

# How models write that something is left out. In a text only these spellings count, for there
# "none" may be a word that is meant.
_NOTHING = ("", "null", "None")

# Rare settings that may be none, however that is written: without them, a model thinks as it likes.
_MAY_BE_NONE = ("reasoning_effort", "tool_choice")

_YES = ("true", "yes", "on", "1")

_NO = ("false", "no", "off", "0")

# -2
_WHOLE = re.compile(r"[+-]?\d{1,30}", re.ASCII)

# -2, 0.5, 3., 1e-3
_NUMBER = re.compile(r"[+-]?\d{1,30}(\.\d{0,30})?(e[+-]?\d{1,2})?", re.ASCII | re.IGNORECASE)

# The space around a number, and the only unit that arguments have: 30 s, 5seconds
_UNIT = re.compile(r"^\s+|\s*(s|secs?|seconds?)?\s*$", re.IGNORECASE)

# ["a", [1, {"b: a list that was begun. A text may begin with a bracket, too: "[1] says so".
_BEGUN_LIST = re.compile(r"\s*\[\s*[\"'{\[]")

# What stands between words: image-to video, image_to_video
_BETWEEN_WORDS = re.compile(r"[\s_-]+")

# Other words for values of closed sets, without spaces, hyphens, capitals and a plural's s.
_OTHER_WORDS = {
    "jpeg": ["jpg"],
    "mp3": ["mpeg"],
    "wav": ["wave"],
    "720p": ["hd"],
    "1080p": ["fullhd", "fhd"],
    "4k": ["uhd", "ultrahd"],
    "effect": ["soundeffect", "sound", "sfx"],
    "music": ["song"],
    "text": ["chat", "llm", "texttovideo"],
    "image": ["picture", "photo", "imagetovideo"],
    "video": ["film", "videotovideo"],
    "reference": ["referencetovideo"],
    "inpaint": ["edit"],
    "tts": ["speech", "texttospeech"],
    "asr": ["transcription", "speechtotext", "stt"],
    "epoch": ["day", "daily"],
    "month": ["monthly"],
    "lifetime": ["never"],
}

# The names of the arguments of the tool that is called.
_ARGUMENTS: list[str] = []

# How the line of Letta's script begins that has the names of the arguments. With one argument it
# goes on as 'prompt': prompt}
_NAMES_IN_SCRIPT = "\n__letta_raw_args = {"

# What a tool fails with that meets something else in Venice's reply than is documented.
_ODD_REPLY = (LookupError, TypeError, AttributeError, ValueError, ArithmeticError, RecursionError)

# What reading can fail with: a value of another form, or a text that is JSON or Python but for a
# fault.
_UNREADABLE = (ValueError, TypeError, SyntaxError, OverflowError, RecursionError, MemoryError)

# What is sent as Python is read no further than this, in characters.
_LONGEST_PYTHON = 100_000


def _read_as_meant(tool: Callable[..., str]) -> Callable[..., str]:
    """Give a tool its arguments in the form of their annotations, however a model sends them."""
    _check_names(tool)
    return wraps(tool)(partial(_call_as_meant, tool))


def _check_names(tool: Callable[..., str]) -> None:
    """Refuse a call by names that the tool does not know.

    Letta writes the names of the arguments, too, into the script that it runs, below this text, and
    as code. So they are looked at now, before Python comes to that line.
    """
    script = Path(sys.argv[0])
    if not script.is_file():
        return
    text = script.read_text(encoding="utf-8", errors="replace")
    _, is_there, rest = text.partition(_NAMES_IN_SCRIPT)
    if not is_there:
        return
    line = rest.partition("\n")[0]
    for entry in line.removesuffix("}").split(", "):
        name = entry.partition("': ")[0].removeprefix("'")
        is_as_letta_writes = entry == f"'{name}': {name}"
        if not is_as_letta_writes or name not in tool.__annotations__:
            raise VeniceError(_unknown(name, tool))


def _unknown(name: str, tool: Callable[..., str]) -> str:
    """What to say of an argument that a tool does not have."""
    known = ", ".join(_forms_of(tool)) or "none"
    return f"There is no argument {name!r:.40}. There are: {known}."


def _forms_of(tool: Callable[..., str]) -> dict[str, Any]:
    """The arguments of a tool, each with its form."""
    forms = dict(tool.__annotations__)
    forms.pop("return", None)
    return forms


def _call_as_meant(tool: Callable[..., str], /, **sent: Any) -> str:
    """Call a tool with what was sent; what is left out has its default."""
    forms = _forms_of(tool)
    _ARGUMENTS[:] = forms
    defaults = tool.__kwdefaults__ or {}
    arguments: dict[str, Any] = {}
    for name, value in sent.items():
        if name not in forms:
            raise VeniceError(_unknown(name, tool))
        may_be_left_out = name in defaults
        if value is None or (may_be_left_out and _is_left_out(value, forms[name])):
            continue
        arguments[name] = _read_argument(name, value, forms[name])

    for name in forms:
        if name not in defaults and name not in arguments:
            raise VeniceError(f"The argument '{name}' is missing. Call again with it.")

    try:
        return tool(**arguments)
    except _ODD_REPLY as error:
        raise _unreadable(error) from None


def _is_left_out(value: Any, form: Any = str) -> bool:
    """Whether a value says that there is none; so does a null where texts belong: [null]."""
    if isinstance(value, list) and _without_none(form) == list[str]:
        return value == [None]
    if not isinstance(value, str):
        return value is None
    text = value.strip()
    if text in _NOTHING:
        return True
    return form is not str and text.lower() == "none"


def _read_argument(name: str, value: Any, annotation: Any) -> Any:
    """The value of an argument in its annotated form."""
    form = _without_none(annotation)
    try:
        meant = _read_form(value, form)
        if isinstance(meant, dict | list):
            json.dumps(meant, allow_nan=False)  # NaN and Infinity are not JSON
    except _UNREADABLE:
        expected = _form_in_words(form)
        raise VeniceError(f"'{name}' must be {expected}, not {value!r:.60}. Correct it.") from None
    return _settings_in(meant) if get_origin(form) is dict else meant


def _without_none(annotation: Any) -> Any:
    """The form in an annotation such as `int | None`."""
    members = get_args(annotation)
    if NoneType not in members:
        return annotation
    others = [member for member in members if member is not NoneType]
    return others[0]


# What to call a form in an error, for whoever sent something else.
_IN_WORDS = {
    int: "a whole number",
    float: "a number",
    bool: "true or false",
    dict: 'a JSON object: {"a": 1}',
    UnionType: 'a JSON list or object: ["a", "b"] or {"name": "a"}',
}


def _form_in_words(form: Any) -> str:
    """A form in words, for whoever sent something else."""
    kind = get_origin(form) or form
    if kind is Literal:
        choices = ", ".join(get_args(form))
        return f"one of {choices}"
    if kind is list:
        (item,) = get_args(form)
        is_of_objects = get_origin(item) is dict
        return 'a JSON list of objects: [{"a": 1}]' if is_of_objects else 'a JSON list: ["a", "b"]'
    return _IN_WORDS.get(kind, "a text")


def _read_form(value: Any, form: Any) -> Any:
    """A value in a form; one of the errors of `_UNREADABLE` when it can't be read so."""
    kind = get_origin(form) or form
    if kind is Literal:
        return _read_choice(value, get_args(form))
    if kind is list:
        (item,) = get_args(form)
        return _read_list(value, item)
    return _READERS[kind](value)


def _read_text(value: Any) -> str:
    """A text stays as it is; anything else becomes JSON, but for one text in a list."""
    if isinstance(value, str):
        return value
    if value is None:
        raise ValueError("null")
    if isinstance(value, list) and len(value) == 1:
        return _read_text(value[0])
    return json.dumps(value, ensure_ascii=False)


def _read_whole(value: Any) -> int:
    """A whole number: 3, 3.0, "3"."""
    if isinstance(value, str):
        value = _UNIT.sub("", value)
        if _WHOLE.fullmatch(value):
            return int(value)
    number = _read_number(value)
    if number != int(number):
        raise ValueError("a fraction")
    return value if isinstance(value, int) else int(number)


def _read_number(value: Any) -> float:
    """A finite number: 0.5, "0.5"."""
    if isinstance(value, str):
        value = _UNIT.sub("", value)
        if _NUMBER.fullmatch(value):
            return float(value)
    if isinstance(value, bool | str) or not math.isfinite(value):
        raise ValueError("no number")
    return float(value)


def _read_switch(value: Any) -> bool:
    """True or False: true, "TRUE", "yes", 1."""
    if isinstance(value, float):
        value = _read_whole(value)
    word = str(value).strip().lower()
    if word not in _YES + _NO:
        raise ValueError("neither yes nor no")
    return word in _YES


def _read_choice(value: Any, choices: Iterable[str]) -> str:
    """That of the choices which is meant, in any case, with hyphens, or by another usual word."""
    word = _bare(_read_text(value)).removesuffix("s")
    for choice in choices:
        name = _bare(choice)
        others = _OTHER_WORDS.get(name, [])
        if word in (name, name.removesuffix("s"), *others):
            return choice
    raise ValueError("none of the choices")


def _as_listed(value: str, choices: Iterable[str]) -> str:
    """A value as it is listed among choices, however it is written; another stays as it is."""
    try:
        return _read_choice(value, choices)
    except ValueError:
        return value


def _bare(word: str) -> str:
    """A word without what people write in different ways."""
    unquoted = word.strip("\"'` \n")
    return _BETWEEN_WORDS.sub("", unquoted.lower())


def _read_list(value: Any, form: Any) -> list[Any]:
    """A list of items of a form: a real one, a text that holds one, or one bare item."""
    if isinstance(value, str) and value.lstrip().startswith("["):
        value = _parse_list(value)
    items = value if isinstance(value, list) else [value]
    return [_read_form(item, form) for item in items]


def _parse_list(text: str) -> Any:
    """The list that a text holds; the text itself, if it only begins with a bracket."""
    try:
        return _parse_value(text)
    except _UNREADABLE:
        if _BEGUN_LIST.match(text):
            raise
        return text


def _read_object(value: Any) -> dict[str, Any]:
    """An object: a real one, or a text that holds one."""
    if isinstance(value, str):
        value = _parse_value(value)
    if not isinstance(value, dict):
        raise TypeError("no object")
    return value


def _read_object_or_list(value: Any) -> dict[str, Any] | list[Any]:
    """An object or a list: a real one, a text that holds one, or one bare item."""
    is_object_as_text = isinstance(value, str) and value.lstrip().startswith("{")
    if is_object_as_text or isinstance(value, dict):
        return _read_object(value)
    return _read_list(value, Any)


def _read_anything(value: Any) -> Any:
    """A value as it is, but for a text that holds an object: that is one."""
    is_object_as_text = isinstance(value, str) and value.lstrip().startswith("{")
    if is_object_as_text:
        with suppress(*_UNREADABLE):
            return _read_object(value)
    return value


def _parse_value(text: str) -> Any:
    """What a text holds as JSON, or as Python would write the same."""
    try:
        return json.loads(text)
    except ValueError:
        written = ast.literal_eval(text.strip()[:_LONGEST_PYTHON])
        return json.loads(json.dumps(written))  # as JSON would have it: a tuple is a list


# What reads a value in a form. Choices and lists take more than a value.
_READERS: dict[Any, Callable[[Any], Any]] = {
    str: _read_text,
    int: _read_whole,
    float: _read_number,
    bool: _read_switch,
    dict: _read_object,
    Any: _read_anything,
    UnionType: _read_object_or_list,
}


def _settings_in(options: dict[str, Any]) -> dict[str, Any]:
    """Rare settings without those that say that they are left out.

    What is within one stays: a JSON Schema has nulls that are meant, and an answer may be told to
    stop at a line feed.
    """
    return {name: value for name, value in options.items() if _is_set(name, value)}


def _is_set(name: str, value: Any) -> bool:
    """Whether a rare setting says something."""
    if value == "None" and name in _MAY_BE_NONE:
        return True
    return value is not None and value not in _NOTHING


def _without_nothing(node: Any) -> Any:
    """The same without what says that it is left out, at any depth."""
    if isinstance(node, dict):
        return {
            name: _without_nothing(value) for name, value in node.items() if not _is_left_out(value)
        }
    if isinstance(node, list):
        return [_without_nothing(item) for item in node if not _is_left_out(item)]
    return node


# --- shared by several tools: sanctum_venice_tools/runtime/formats.py ---


@dataclass(frozen=True)
class Format:
    """A format of files."""

    name: str
    endings: tuple[str, ...]
    """The endings that its names have, the usual one first."""
    media_type: str
    start: bytes
    """How it begins: a regular expression, in which dots stand for any byte."""
    instead: str = ""
    """For a format that Venice does not take, what to turn it into."""


# The first that fits counts: a format stands before those that its beginning fits too.
_FORMATS = (
    Format("PNG", ("png",), "image/png", rb"\x89PNG\r\n\x1a\n"),
    Format("JPEG", ("jpeg", "jpg"), "image/jpeg", rb"\xff\xd8\xff"),
    Format("WebP", ("webp",), "image/webp", rb"RIFF....WEBP"),
    Format("GIF", ("gif",), "image/gif", rb"GIF8[79]a", "PNG"),
    Format("BMP", ("bmp",), "image/bmp", rb"BM....\0\0\0\0", "PNG"),
    Format("TIFF", ("tiff", "tif"), "image/tiff", rb"II\*\0|MM\0\*", "PNG"),
    Format("HEIC", ("heic", "heif"), "image/heic", rb"....ftyp(hei[cmsx]|hev[cmsx]|mif1|msf1)"),
    Format("AVIF", ("avif",), "image/avif", rb"....ftypavi[fs]"),
    Format("WAV", ("wav", "wave"), "audio/wav", rb"RIFF....WAVE"),
    Format("MP3", ("mp3",), "audio/mpeg", rb"ID3[\x02-\x04]|\xff[\xe2\xe3\xf2\xf3\xfa\xfb]"),
    Format("AAC", ("aac",), "audio/aac", rb"\xff[\xf0\xf1\xf8\xf9]"),
    Format("FLAC", ("flac",), "audio/flac", rb"fLaC"),
    Format("Opus", ("opus", "ogg", "oga"), "audio/ogg", rb"OggS.{24}OpusHead"),
    Format("Ogg", ("ogg", "oga"), "audio/ogg", rb"OggS"),
    Format("M4A", ("m4a", "mp4"), "audio/mp4", rb"....ftypM4A"),
    Format("QuickTime", ("mov", "m4a", "mp4"), "video/quicktime", rb"....ftypqt"),
    Format("MP4", ("mp4", "m4a"), "video/mp4", rb"....ftyp"),
    Format("WebM", ("webm",), "video/webm", rb"\x1aE\xdf\xa3.{,60}webm"),
    Format("Matroska", ("mkv",), "video/x-matroska", rb"\x1aE\xdf\xa3", "MP4"),
    Format("AVI", ("avi",), "video/x-msvideo", rb"RIFF....AVI ", "MP4"),
    Format("PDF", ("pdf",), "application/pdf", rb"%PDF-"),
    # A ZIP file's first entry tells its name after 26 bytes of numbers; these have their type
    # there.
    Format(
        "OpenDocument",
        ("odt", "odp", "ods"),
        "",
        rb"PK\x03\x04.{26}mimetypeapplication/vnd\.oasis",
        "PDF",
    ),
    Format("EPUB", ("epub",), "application/epub+zip", rb"PK\x03\x04.{26}mimetypeapplication/epub"),
    # The "compound file" of Office before 2007.
    Format(
        "old Office",
        ("doc", "ppt", "xls"),
        "",
        rb"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
        "DOCX, PPTX or PDF",
    ),
    Format("RTF", ("rtf",), "application/rtf", rb"\{\\rtf", "DOCX or PDF"),
)


def _format_of(content: bytes) -> Format | None:
    """The format of a file, of which the first hundred bytes will do."""
    for form in _FORMATS:
        if re.match(form.start, content, re.DOTALL):
            return form
    return None


def _format_named(name: str) -> Format | None:
    """The format that a file's name, or an ending alone, stands for."""
    ending = name.rpartition(".")[2].lower()
    fitting = [form for form in _FORMATS if ending in form.endings]
    for form in fitting:
        usual = form.endings[0]
        if ending == usual:
            return form
    return fitting[0] if fitting else None


def _untaken(content: bytes, name: str) -> str:
    """What a file is that Venice does not take, and what to turn it into; nothing, if it may do.

    The name counts only where the bytes tell nothing.
    """
    form = _format_of(content) or _format_named(name)
    is_old_table = name.lower().endswith(".xls")  # of what old Office made, Venice reads only these
    if not form or not form.instead or is_old_table:
        return ""
    what = f"It is of the format {form.name}, which Venice does not take"
    return f"{what}: turn it into {form.instead}, and give that."


# --- shared by several tools: sanctum_venice_tools/runtime/replies.py ---


def _parse_reply(content: bytes | str) -> Any:
    """What a JSON text stands for; None, if it is none."""
    try:
        return json.loads(content)
    except (ValueError, RecursionError):  # broken, or nested too deeply
        return None


def _object_of(value: Any) -> dict[str, Any]:
    """An object, or an empty one."""
    return value if isinstance(value, dict) else {}


def _text_of(value: Any) -> str:
    """A text, or an empty one."""
    return value if isinstance(value, str) else ""


def _number_of(value: Any) -> float | None:
    """A finite number; Python reads NaN and Infinity as JSON, too, and true is a kind of 1."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if math.isfinite(number) else None


def _list_of(value: Any) -> list[Any]:
    """A list, or an empty one."""
    return value if isinstance(value, list) else []


def _objects_in(value: Any) -> list[dict[str, Any]]:
    """The objects in a list."""
    return [item for item in _list_of(value) if isinstance(item, dict)]


# --- shared by several tools: sanctum_venice_tools/runtime/attached.py ---

# attached, attached:2
_ATTACHED = re.compile(r"\s*attached(?:\s*:\s*([1-9]\d?))?\s*", re.ASCII | re.IGNORECASE)

# After a person has approved a call, the model was asked in a run before.
_RUNS = 5

_MOST_OF_TRACE = 256 * _MEGABYTE

# Where the makers of models have the turns of a conversation: chat completions and Anthropic,
# OpenAI's responses, Google.
_TURNS = ("messages", "input", "contents")

_OR_ELSE = "Or give a stored file or a public URL."


def _is_attached(reference: str) -> bool:
    """Whether a reference means a picture that the person attached."""
    return _ATTACHED.fullmatch(reference) is not None


def _read_attached(reference: str) -> bytes:
    """The picture that the person attached last, or the one so many before it."""
    found = _ATTACHED.fullmatch(reference)
    wanted = int((found and found[1]) or 1)
    pictures = _pictures_of_person(_last_request())
    if wanted > len(pictures):
        told = f"Attached pictures that you see in this conversation: {len(pictures)}"
        raise VeniceError(f"{told}. Ask the person for the picture. {_OR_ELSE}")
    return base64.b64decode(pictures[-wanted], validate=True)


def _pictures_of_person(request: dict[str, Any]) -> list[str]:
    """The pictures in the person's messages, in base64, as a request to a model has them."""
    pictures: list[str] = []
    for name in _TURNS:
        for turn in _objects_in(request.get(name)):
            if turn.get("role") == "user":
                pictures += _pictures_in(turn)
    return pictures


def _pictures_in(node: Any) -> Iterator[str]:
    """The pictures in a message, in base64, in whatever form the maker of a model has them."""
    if isinstance(node, str):
        if node.startswith("data:image/"):
            yield node.partition(",")[2]
    elif isinstance(node, list):
        for part in node:
            yield from _pictures_in(part)
    elif isinstance(node, dict) and node.get("type") != "tool_result":
        kind = _text_of(node.get("media_type")) or _text_of(node.get("mime_type"))
        if kind.startswith("image/"):
            yield _text_of(node.get("data"))
        else:
            for part in node.values():
                yield from _pictures_in(part)


def _last_request() -> dict[str, Any]:
    """What the agent's model was sent last."""
    agent = os.environ.get("LETTA_AGENT_ID", "").strip()
    if not agent:
        raise VeniceError(f"There is no conversation here that could have a picture. {_OR_ELSE}")
    runs = _objects_in(_ask_letta("/v1/runs/", agent_id=agent, limit=_RUNS))
    for run in runs:  # the latest first, and their steps likewise
        for step in _objects_in(_ask_letta(f"/v1/runs/{run.get('id')}/steps", limit=1)):
            trace = _object_of(_ask_letta(f"/v1/steps/{step.get('id')}/trace"))
            request = _object_of(trace.get("request_json"))
            if request:
                return request
    why = "The Letta server does not record what it sends to models"
    told = f"{why}, so attached pictures can't be read"
    raise VeniceError(f"{told}. Ask the person for a URL. {_OR_ELSE}")


def _ask_letta(path: str, **query: Any) -> Any:
    """What the Letta server answers to a question."""
    address = os.environ.get("LETTA_BASE_URL", "").strip().rstrip("/").removesuffix("/v1")
    if not _http_url(address):
        needed = "LETTA_BASE_URL (and LETTA_API_KEY, if the server asks for one)"
        advice = f"Ask the operator to set {needed} as a secret of this agent"
        raise VeniceError(f"Attached pictures can't be read here. {advice}. {_OR_ELSE}")
    key = os.environ.get("LETTA_API_KEY", "").strip()
    if not (key.isascii() and key.isprintable()):
        told = "LETTA_API_KEY holds characters that no key has"
        raise VeniceError(f"{told}. Ask the operator to correct it. {_OR_ELSE}")
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    client = _open_client(headers={**headers, "Accept-Encoding": "gzip"}, timeout=30)
    extensions = {"trace": _guard_connection}
    try:
        with (
            client,
            client.stream("GET", address + path, params=query, extensions=extensions) as reply,
        ):
            content = _read_trace(reply)
    except (httpx.HTTPError, httpx.InvalidURL, *_BAD_PROXY):
        told = "The Letta server does not answer the tools at LETTA_BASE_URL"
        raise VeniceError(f"{told}. Ask the operator to check it. {_OR_ELSE}") from None
    if not reply.is_success:
        told = f"The Letta server refuses to show this conversation ({reply.status_code})"
        advice = "Ask the operator to check LETTA_BASE_URL and LETTA_API_KEY"
        raise VeniceError(f"{told}. {advice}. {_OR_ELSE}")
    return _parse_reply(content)


def _read_trace(reply: httpx.Response) -> bytes:
    """What the Letta server sends, if it comes in time and is not too large."""
    content = bytearray()
    for piece in _unpacked(reply):
        content += piece
        if len(content) > _MOST_OF_TRACE or time.monotonic() > _DEADLINE:
            raise VeniceError(f"This conversation is too large to be looked through. {_OR_ELSE}")
    return bytes(content)


# --- shared by several tools: sanctum_venice_tools/runtime/media_server.py ---


def _media_server() -> str:
    """The address of the media server; nothing, where files go into a folder."""
    place = os.environ.get("VENICE_MEDIA", "").strip().rstrip("/")
    if not place.lower().startswith(("http:", "https:")):
        return ""
    if not _http_url(place):
        raise VeniceError("VENICE_MEDIA is no http address. Ask the operator to correct it.")
    if "?" in place or "#" in place:
        told = "VENICE_MEDIA is the gallery's address: it must end after the host and port"
        raise VeniceError(f"{told}. Ask the operator to correct it.")
    return place


@functools.cache
def _check_media_server() -> str:
    """Ask the media server whether it would take a file; its address, for people's browsers."""
    told = _object_of(_ask_media_server("GET", "/room"))
    return _text_of(told.get("public_url")) or _media_server()


def _is_on_media_server(reference: str) -> bool:
    """Whether a reference is the address of a file on the media server."""
    server = _media_server()
    if not server or "/m/" not in reference:
        return False
    return reference.startswith((f"{server}/m/", f"{_check_media_server()}/m/"))


def _ask_media_server(method: str, place: Any, **content: Any) -> Any:
    """What the media server answers to a request, read as JSON."""
    address = _address_of(place)
    try:
        reply = _client_to(address).request(method, address, **_in_time(), **_sendable(content))
    except (httpx.HTTPError, *_BAD_PROXY) as error:
        raise _no_media_server(error) from None
    _check_accepted(reply)
    return _parse_reply(reply.content)


def _media_token() -> str:
    """What the operator gave this agent for the media server."""
    return os.environ.get("VENICE_MEDIA_TOKEN", "").strip()


@functools.cache
def _media_client() -> httpx.Client:
    """The way to the media server, with the operator's token."""
    token = _media_token()
    headers = {"Authorization": f"Bearer {token}"} if _SIGNS.fullmatch(token) else {}
    return _open_client(headers=headers)


@functools.cache
def _bucket_client() -> httpx.Client:
    """The way to a media server's bucket, which the token is not for."""
    return _open_client(headers={"Accept-Encoding": "gzip"})


def _address_of(place: Any) -> str:
    """The address of a place that the media server named: a path on itself, or all of it."""
    named = _text_of(place)
    address = f"{_media_server()}{named}" if named.startswith("/") else named
    if not _http_url(address):
        raise VeniceError("The media server named no place for the file. Tell the operator.")
    return address


def _client_to(address: str) -> httpx.Client:
    """The way to an address that the media server named: on itself, or in its bucket."""
    is_own = address.startswith(f"{_media_server()}/")
    return _media_client() if is_own else _bucket_client()


def _in_time() -> dict[str, Any]:
    """What holds a request to the deadline of the call."""
    return {"extensions": {"trace": _guard_connection}, "timeout": min(_seconds_left(), 60.0)}


def _no_media_server(error: Exception) -> VeniceError:
    """The error for a media server that sends no whole reply."""
    if isinstance(error, _BAD_PROXY):
        return _no_way()
    is_late = isinstance(error, httpx.TimeoutException)
    told = "took too long" if is_late else "does not answer at VENICE_MEDIA"
    return _failed(f"The media server {told}. Ask the operator to check it.", 0)


def _check_accepted(reply: httpx.Response) -> None:
    """Refuse a reply of the media server that is not a good one."""
    if reply.is_success:
        return
    status = reply.status_code
    is_own = reply.url.netloc == httpx.URL(_media_server()).netloc
    if is_own and status in _REDIRECTS:
        raise _redirected("The media server", "VENICE_MEDIA", reply)
    if status == 401:
        told = "The media server refuses this agent"
        raise _failed(f"{told}. Ask the operator to set VENICE_MEDIA_TOKEN.", status)
    error = _text_of(_object_of(_parse_reply(reply.read())).get("error"))
    said = " ".join(_whole(error).split())
    token = _media_token()
    safe = said.replace(token, "[token]") if token else said
    line = safe[:200].rstrip(".")
    told = f"The media server answered {status}: {line or 'no reason given'}"
    raise _failed(f"{told}. Tell the operator.", status)


# --- shared by several tools: sanctum_venice_tools/runtime/media.py ---

_DAY = 24 * 60 * 60


def _folder_setting() -> str:
    """The setting that names the folder: with a media server, the one of before."""
    is_folder = bool(os.environ.get("VENICE_MEDIA")) and not _media_server()
    return "VENICE_MEDIA" if is_folder else "VENICE_MEDIA_DIR"


def _media_path() -> Path:
    """Where the folder for files is, or will be."""
    named = os.environ.get(_folder_setting()) or "venice_media"
    try:
        return Path(named).expanduser().absolute()
    except (OSError, RuntimeError):  # ~ of nobody, or the folder that we are in is gone
        advice = f"Ask the operator to check {_folder_setting()}."
        raise VeniceError(f"Nothing was made: {named!r:.300} leads nowhere. {advice}") from None


def _media_place() -> Path:
    """The folder for files; if it is not there, it is made for its owner alone."""
    folder = _media_path()
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        advice = f"Ask the operator to check {_folder_setting()}."
        raise VeniceError(f"Nothing was made: {error}. {advice}") from None
    return folder


@contextmanager
def _part_file(folder: Path, *, advice: str) -> Iterator[BinaryIO]:
    """A new file, to be put in place when it is whole; else nothing of it stays.

    Its name is hidden, so that no tool takes it for a stored file, and random: several machines may
    share a folder. It is for those who may read and write the folder: by that the operator says who
    else may see what is made. The folder may have been removed while the file was made, and paid.
    """
    part = folder / f".{secrets.token_hex(8)}.part"
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        _sweep(folder)
        with part.open("x+b") as file:
            with suppress(OSError):  # CIFS and FUSE may refuse it: there the mount settles modes
                os.fchmod(file.fileno(), folder.stat().st_mode & 0o666)
            yield file
    except OSError as error:
        raise VeniceError(f"The file was made, but not kept: {error}. {advice}") from None
    finally:
        with suppress(OSError):  # it has its name by now, or the folder can't be got at
            part.unlink()


def _put_in_place(part: BinaryIO, path: Path) -> None:
    """Give a whole part file its name.

    A crash does no harm: its content is on the disk before that.
    """
    part.flush()
    os.fsync(part.fileno())
    Path(part.name).replace(path)
    _sync_folder(path.parent)


def _sync_folder(folder: Path) -> None:
    """Write through to the disk which files a folder has."""
    with suppress(OSError):  # not every file system can do this, and the files are there
        number = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(number)
        finally:
            os.close(number)


def _sweep(folder: Path) -> None:
    """Take away the part files of processes that were killed: those that are a day old."""
    a_day_ago = time.time() - _DAY
    for part in folder.glob(".*.part"):
        with suppress(OSError):  # another process may be faster
            if part.stat().st_mtime < a_day_ago:
                part.unlink()


# --- shared by several tools: sanctum_venice_tools/runtime/public.py ---

# Ranges that are not for everybody (IANA's registries of special addresses), and hosts of clouds
# that give out secrets. Python's own `is_global` differs from version to version.
_NOT_PUBLIC = [
    ipaddress.ip_network(network)
    for network in (
        "0.0.0.0/8",
        "10.0.0.0/8",
        "100.64.0.0/10",
        "127.0.0.0/8",
        "168.63.129.16/32",
        "169.254.0.0/16",
        "172.16.0.0/12",
        "192.0.0.0/24",
        "192.0.2.0/24",
        "192.88.99.0/24",
        "192.168.0.0/16",
        "198.18.0.0/15",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/4",
        "240.0.0.0/4",
        "2001::/23",
        "2001:db8::/32",
        "2002::/16",
        "3fff::/20",
    )
]

# Of version 6, only this holds addresses of the internet; other ranges can wrap a private one of
# version 4.
_INTERNET_V6 = ipaddress.ip_network("2000::/3")

# The last parts of names that mean something only within a network.
_LOCAL_NAMES = {"local", "localhost", "internal", "intranet", "lan", "home", "corp", "arpa"}

# https://example.com, but not https:///page
_WEB_ADDRESS = re.compile(r"https?://[^\s/]", re.IGNORECASE)

# What ends the host and port of an address.
_AFTER_AUTHORITY = re.compile("[/?#]")

# Browsers, and what reads as they do, end a host at a backslash and decode %31: there it would be
# another one.
_DOUBTFUL_IN_HOST = re.compile(r"[\\%\s]")

# 127.0.0.1, 0x7f000001, 2130706433
_WRITTEN_AS_NUMBER = re.compile("[0-9][0-9a-fx.]*")


def _is_public(address: str) -> bool:
    """Whether an address is one of the internet."""
    ip = ipaddress.ip_address(address)
    if ip.version == 6 and ip not in _INTERNET_V6:
        return False
    return not any(ip in network for network in _NOT_PUBLIC)


def _refuse_private(host: str) -> str:
    return f"{host[:80]!r} is in a private network; only public URLs are fetched."


def _is_for_venice(reference: str) -> bool:
    """Whether a reference is a web address, which Venice fetches; a private one is an error.

    Files of the media server are sent along: Venice may not reach it.
    """
    if not _WEB_ADDRESS.match(reference) or _is_on_media_server(reference):
        return False
    _check_public(reference)
    return True


def _check_public(url: str) -> None:
    """Refuse an address that Venice is to fetch for us, if we would not fetch it.

    A name is for Venice to look up.
    """
    after_scheme = url.strip().partition("//")[2]
    authority = _AFTER_AUTHORITY.split(after_scheme, maxsplit=1)[0]
    host = _host_of(url)
    if not host or _DOUBTFUL_IN_HOST.search(authority):
        fault = f"{url[:80]!r} is no web address"
        raise VeniceError(f"{fault}. Give one such as https://example.com/page.")

    address = _written_address(host)
    if address:
        is_public = _is_public(address)
    else:
        last_part = host.rpartition(".")[2]
        is_public = "." in host and last_part not in _LOCAL_NAMES
    if not is_public:
        raise VeniceError(_refuse_private(host))


def _host_of(url: str) -> str:
    """The host of an address; nothing, if it has none."""
    try:
        host = httpx.URL(url).host
    except (httpx.InvalidURL, UnicodeError):
        return ""
    return host.strip("[]").rstrip(".").lower()


def _written_address(host: str) -> str:
    """The address that a host is, however it is written; nothing, if it is a name."""
    if _WRITTEN_AS_NUMBER.fullmatch(host):
        try:
            return socket.inet_ntoa(socket.inet_aton(host))
        except OSError:
            return ""
    is_version_6 = ":" in host
    return host if is_version_6 else ""


# --- shared by several tools: sanctum_venice_tools/runtime/publishing.py ---

# A file's name, and no way to another folder.
_PLAIN_NAME = re.compile(r"[A-Za-z0-9][\w.-]{0,199}", re.ASCII)


def _take_published(folder: Path, **query: str) -> Path | None:
    """A file of the media server, now in the folder; None, if it has none of this name or stem."""
    if not _media_server():
        return None
    try:
        found = _object_of(_ask_media_server("GET", "/files", params=query))
    except VeniceError as error:
        if error.status == 404:
            return None
        raise
    name = _text_of(found.get("name"))
    if not _PLAIN_NAME.fullmatch(name):
        raise VeniceError("The media server sent no name of a file. Tell the operator.")
    path = folder / name
    with _part_file(folder, advice="Tell the operator.") as part:
        part.writelines(_published_bytes(found.get("content")))
        _check_whole(name, part.tell(), found.get("bytes"))
        _put_in_place(part, path)
    return path


def _published_bytes(place: Any) -> Iterator[bytes]:
    """The bytes of a file, from the place that the media server named."""
    address = _address_of(place)
    client = _client_to(address)
    try:
        reply = client.send(client.build_request("GET", address, **_in_time()), stream=True)
        _check_accepted(reply)
        yield from _unpacked(reply)
    except (httpx.HTTPError, *_BAD_PROXY) as error:
        raise _no_media_server(error) from None


def _check_whole(name: str, came: int, told: Any) -> None:
    """Refuse a file of which fewer bytes came than the media server told, or more."""
    length = _number_of(told)
    if length is not None and came != length:
        fault = f"The media server sent {came:,} bytes of {name}, which has {length:,.0f}"
        raise VeniceError(f"{fault}. Try again once, then tell the operator.")


# --- shared by several tools: sanctum_venice_tools/runtime/intake.py ---


def _is_data_url(reference: str) -> bool:
    """Whether a reference is itself the file: data:image/png;base64,iVBORw0..."""
    return reference[:5].lower() == "data:"


def _read_local(reference: str, *, most_mb: int) -> bytes:
    """The content of a data URL, of what was attached, or of a stored file: at most so many MB."""
    try:
        if _is_attached(reference):
            content = _read_attached(reference)
        elif _is_data_url(reference):
            _, _, encoded = reference.partition(",")
            content = base64.b64decode(encoded, validate=True)
        else:
            return _read_stored(reference, most_mb)
    except (OSError, ValueError):
        fault = f"{reference[:60]!r} cannot be read, or is not valid base64"
        raise VeniceError(f"{fault}. Give another.") from None
    _check_length(reference, len(content), most_mb)
    return content


def _check_length(reference: str, length: int, most_mb: int) -> None:
    """Refuse what is empty, or has more than so many megabytes."""
    if not 0 < length <= most_mb * _MEGABYTE:
        raise VeniceError(
            f"{reference[:60]!r} is empty, or has more than {most_mb} MB. Give another."
        )


def _read_stored(name: str, most_mb: int) -> bytes:
    """The content of a stored file.

    Its size is asked first: a film may be larger than the memory.
    """
    path = _stored_file(name)
    _check_length(name, path.stat().st_size, most_mb)
    with path.open("rb") as file:
        return file.read(most_mb * _MEGABYTE)


def _stored_file(name: str) -> Path:
    """A file of the media store by its name or path, or by its address on the media server.

    Nothing outside of the store is ever opened, and nothing hidden.
    """
    folder = _media_place().resolve()
    path = _path_inside(folder, name) or _path_inside(folder, _as_spelled(name, folder))
    if path:
        return _without_second_name(path)
    taken = _take_published(folder, name=Path(name).name)
    if taken:
        return taken
    near = ", ".join(_names_near(name, folder)) or "none"
    raise VeniceError(f"No stored file is called {name[:80]!r}. Near it: {near}. URLs work too.")


def _path_inside(folder: Path, name: str) -> Path | None:
    """The file of that name or path in a folder, if it is there, and nothing of it is hidden."""
    # It may be outside, too long, have a null character, or be a circle of links.
    with suppress(OSError, ValueError, RuntimeError):
        path = (folder / name).resolve()
        inside = path.relative_to(folder).parts
        is_hidden = any(part.startswith(".") for part in inside)
        if path.is_file() and not is_hidden:
            return path
    return None


def _as_spelled(name: str, folder: Path) -> str:
    """A name as a file of the folder spells it: Macs write an ö as an o and two dots."""
    wanted = unicodedata.normalize("NFC", str(folder / name))
    for entry in folder.iterdir():
        if unicodedata.normalize("NFC", str(entry)) == wanted:
            return entry.name
    return name


def _names_near(name: str, folder: Path) -> list[str]:
    """The names of stored files that are most like one."""
    files = [entry for entry in folder.iterdir() if entry.is_file()]
    names = sorted(file.name for file in files)
    shown = [name for name in names if not name.startswith(".")]
    wanted = Path(name).name[:200]
    return difflib.get_close_matches(wanted, shown, n=3, cutoff=0.5)


def _without_second_name(path: Path) -> Path:
    """A stored file, if it has no other name: a hard link may lead to a key of the operator's."""
    if path.stat().st_nlink > 1:
        why = "It has a second name on the disk (a hard link), perhaps outside of the media store"
        raise VeniceError(f"{path.name[:80]!r} is not opened. {why}: ask the operator for a copy.")
    return path


# --- shared by several tools: sanctum_venice_tools/runtime/chat.py ---

_FILTERED = (
    "The model refused, or a filter of its maker stopped it (content_filter): "
    "put it otherwise, or use another model."
)

# What a model thinks, at the beginning of its answer: <think>They ask of foxes.</think>
# It may break off in the middle of that.
_THOUGHT = re.compile(r"\A\s*<think>.*?(</think>\s*|\Z)", re.DOTALL)


@dataclass
class _Said:
    """One answer of a model, as it grows."""

    text: str = ""
    ending: str = "cut"
    """Why it ended, in Venice's words; "cut" when it broke off, or time was up."""
    calls: dict[int, dict[str, Any]] = field(default_factory=dict)
    has_thought: bool = False


@dataclass
class _Chat:
    """What came of a chat: an answer or several, and what was said beside them."""

    answers: list[_Said]
    sources: list[dict[str, Any]] = field(default_factory=list)
    usage: dict[str, Any] = field(default_factory=dict)
    cost_usd: float | None = None
    fault: str = ""
    """Why Venice broke it off, in Venice's words; nothing, if it did not."""
    is_whole: bool = False
    """Whether all of it came; sources and costs come after the answers."""


def _chat(body: dict[str, Any], *, when_only_thought: str = "Use another model.") -> _Chat:
    """Stream one chat completion and gather it; when it breaks off, what was said is kept.

    `when_only_thought` is what to do about a model that spent all on thinking.
    """
    body = {**body, "stream": True, "stream_options": {"include_usage": True}}
    reply = _send("POST", "/chat/completions", json=body)
    chat = _Chat([_Said() for _ in range(body.get("n", 1))])
    with suppress(VeniceError):
        _gather_all(chat, reply)
    for answer in chat.answers:
        _take_thought_out(answer)

    has_tools = bool(body.get("tools"))
    if not any(_says_something(answer, has_tools) for answer in chat.answers):
        raise VeniceError(_silence(chat, when_only_thought))
    return chat


def _take_thought_out(answer: _Said) -> None:
    """Leave of an answer what is said after the thought that it begins with, if it does."""
    thought = _THOUGHT.match(answer.text)
    if thought:
        answer.has_thought = True
        answer.text = answer.text[thought.end() :]


def _says_something(answer: _Said, has_tools: bool) -> bool:
    """Whether an answer has words, or calls a tool where there are any."""
    return bool(answer.text.strip()) or (has_tools and bool(answer.calls))


def _tell_cut(ending: str, fault: str, advice: str) -> list[str]:
    """What to note of an answer that stopped before its end; nothing, if it did not.

    The advice is for one that was only too long, or whose connection broke.
    """
    if ending in ("stop", "tool_calls"):
        return []
    was_broken_off = ending == "cut" and bool(fault)
    if ending == "content_filter" or (was_broken_off and _is_filtered(fault)):
        return [_tell_filtered(fault)]
    if was_broken_off:
        what = f"The answer broke off, for Venice failed: {fault:.160}"
        return [f"{what}. What was said is paid: try again later, or use another model."]
    return [advice]


def _is_filtered(fault: str) -> bool:
    """Whether a fault in a stream is that of a filter."""
    return "content_filter" in fault or "content_blocked" in fault


def _tell_filtered(fault: str) -> str:
    """What to say of an answer that a filter stopped, with Venice's own words, if there are any."""
    return f"{_FILTERED} Venice says: {fault:.160}." if fault else _FILTERED


def _silence(chat: _Chat, when_only_thought: str) -> str:
    """What to say of a model that said nothing."""
    first = chat.answers[0]
    ending = first.ending
    if ending == "content_filter" or _is_filtered(chat.fault):
        return f"The model said nothing; it may be charged. {_tell_filtered(chat.fault)}"
    if first.has_thought and ending in ("stop", "length", "cut") and not chat.fault:
        return (
            f"The model spent all on thinking and said nothing ({ending}); it is charged. "
            f"{when_only_thought}"
        )
    return f"The model said nothing ({ending}, {chat.fault or 'no reason given'}); {_CHARGED}"


def _gather_all(chat: _Chat, reply: httpx.Response) -> None:
    """Add what a reply holds, event by event, until it ends or Venice breaks it off."""
    for event in _events(reply):
        if event.get("error"):
            chat.fault = _reason(event)
            return
        _gather(chat, event)
    chat.is_whole = True


def _gather(chat: _Chat, event: dict[str, Any]) -> None:
    """Add what a piece of a stream holds, or the whole of an answer that came in one piece."""
    parameters = _object_of(event.get("venice_parameters"))
    sources = _list_of(parameters.get("web_search_citations"))
    if sources:
        chat.sources = _objects_in(sources)

    usage = _object_of(event.get("usage"))
    if usage:
        chat.usage = usage

    cost = _object_of(event.get("cost"))
    usd = _number_of(cost.get("usd"))
    if usd is not None:
        chat.cost_usd = usd

    for choice in _objects_in(event.get("choices")):
        index = choice.get("index")
        place = index if isinstance(index, int) else 0
        answer = chat.answers[place % len(chat.answers)]
        _extend(answer, choice)


def _extend(answer: _Said, choice: dict[str, Any]) -> None:
    """Add a piece to its answer; a call of a tool comes in pieces too."""
    piece = _object_of(choice.get("delta")) or _object_of(choice.get("message"))
    answer.text += _content_of(piece)
    if piece.get("reasoning_content"):
        answer.has_thought = True
    answer.ending = _text_of(choice.get("finish_reason")) or answer.ending
    for part in _objects_in(piece.get("tool_calls")):
        _extend_call(answer, part)


def _extend_call(answer: _Said, part: dict[str, Any]) -> None:
    """Add a piece to the call of a tool that it belongs to."""
    index = part.get("index")
    place = index if isinstance(index, int) else len(answer.calls)
    empty = {"id": "", "type": "function", "function": {"name": "", "arguments": ""}}
    call = answer.calls.setdefault(place, empty)
    call["id"] = _text_of(part.get("id")) or call["id"]

    function = call["function"]
    for name, said in _object_of(part.get("function")).items():
        before = function.get(name, "")
        function[name] = before + _text_of(said)


def _content_of(piece: dict[str, Any]) -> str:
    """The text of a message: a text, or a list of parts of which some are texts."""
    content = piece.get("content")
    parts = content if isinstance(content, list) else [content]
    text = ""
    for part in parts:
        text += _text_of(part) or _text_of(_object_of(part).get("text"))
    return text


def _events(reply: httpx.Response) -> Iterator[dict[str, Any]]:
    """The events of a stream, or the one object that came in its place."""
    content_type = reply.headers.get("content-type", "").lower()
    is_stream = "application/json" not in content_type
    texts = _data_in(reply) if is_stream else [_read(reply)]
    for text in texts:
        event = _parse_reply(text)
        if isinstance(event, dict):
            yield event


def _data_in(reply: httpx.Response) -> Iterator[bytes]:
    """What stands behind "data:" in the lines of a stream; other lines only keep it awake."""
    for line in _lines(reply):
        if line.startswith(b"data:"):
            yield line.removeprefix(b"data:")


def _lines(reply: httpx.Response) -> Iterator[bytes]:
    """The lines of a stream; only a line feed ends one, not all that Unicode lists."""
    begun = bytearray()
    for piece in _pieces(reply, _MOST_OF_JSON):
        end, *others = piece.split(b"\n")
        begun += end
        for line in others:
            yield bytes(begun)
            begun = bytearray(line)
    yield bytes(begun)


# Beyond this, a file in base64 has more than 25 MB.
_LONGEST_DATA_URL = 35_000_000

# A file within its address, such as data:image/png;base64,iVBOR
_DATA_URL = re.compile(r"data:[^,]+;base64,.", re.IGNORECASE)


@dataclass(frozen=True)
class _Sight:
    """Something that a model looks at, rather than reads."""

    media_type: str
    """How its media types begin."""
    name: str
    advice: str
    """What to give when it is something else."""


# By the kind of its part in a message.
_LOOKED_AT = {
    "image_url": _Sight("image/", "picture", "Give a PNG, JPEG or WebP."),
    "video_url": _Sight("video/", "film", "Give an MP4, MOV or WebM."),
}


def _attach(reference: str, kind: str) -> dict[str, Any]:
    """A picture ("image_url"), film ("video_url") or document ("file") as a part of a message.

    A stored one goes along as base64.
    """
    url = reference.strip()
    name = _name_in(url)
    if not _is_for_venice(url) and not _DATA_URL.match(url):
        content = _read_local(url, most_mb=25)
        media_type = _type_to_attach(name, content[:100], kind)
        encoded = base64.b64encode(content).decode()
        url = f"data:{media_type};base64,{encoded}"
    if len(url) > _LONGEST_DATA_URL:
        raise VeniceError(f"{name!r} has more than 25 MB, which is the limit. Give another.")

    if kind in _LOOKED_AT:
        return {"type": kind, kind: {"url": url}}
    return {"type": kind, kind: {"file_data": url, "filename": name}}


def _name_in(reference: str) -> str:
    """The name at the end of a file's address, before any question mark; "file" for a data URL."""
    if _is_data_url(reference):
        return "file"
    address = reference[:999].partition("?")[0]
    return Path(address).name[-100:]


def _type_to_attach(name: str, start: bytes, kind: str) -> str:
    """The media type of a file, by its first bytes, else its name; an error, if none takes it."""
    form = _format_of(start)
    if form:
        media_type = form.media_type
    else:
        guessed, _ = mimetypes.guess_type(name, strict=False)
        media_type = guessed or "application/octet-stream"

    advice = _untaken(start, name)
    sight = _LOOKED_AT.get(kind)
    if sight and (advice or not media_type.startswith(sight.media_type)):
        raise VeniceError(f"{name[:60]!r} is no {sight.name}. {advice or sight.advice}")
    if advice:
        raise VeniceError(f"{name[:60]!r} can't be read. {advice}")
    return media_type


# --- shared by several tools: sanctum_venice_tools/runtime/listing.py ---

# A model as Venice lists it, with an id, a type, and a model_spec.
_Listed = dict[str, Any]

# So old a copy may be. Models come and go by the week, and a call that Venice refuses takes the
# copies away.
_FRESH_SECONDS = 600

# What these models make may cost dollars: they and their prices are asked for each time.
_DEAR_KINDS = ("video", "music")

# The form of what tools read in a row without looking at its type; float stands for any number.
_USD = {"usd": float}

_FORM_OF_ROW = {
    "id": str,
    "type": str,
    "created": float,
    "model_spec": {
        "traits": [str],
        "pricing": {
            "input": _USD,
            "per_audio_second": _USD,
            "upscale": {"2x": _USD, "4x": _USD},
            "inputImages": {"included": float, "additional": _USD},
        },
        "capabilities": {"maxImages": float, "reasoningEffortOptions": [str]},
        "constraints": {
            "resolutions": [str],
            "qualities": [str],
            "aspectRatios": [str],
            "aspect_ratios": [str],
            "durations": [str],
            "defaultResolution": str,
            "defaultQuality": str,
            "maxInputImages": float,
            "widthHeightDivisor": float,
            "promptCharacterLimit": float,
            "prompt_character_limit": float,
        },
        "embeddingDimensions": float,
        "voices": [str],
        "default_voice": str,
        "supported_formats": [str],
        "default_format": str,
        "voice_cloning": {"accepted_formats": [str], "retention_days": float},
        "duration_options": [float],
        "default_duration": float,
        "min_duration": float,
        "max_duration": float,
        "min_speed": float,
        "max_speed": float,
        "min_prompt_length": float,
        "prompt_character_limit": float,
        "lyrics_character_limit": float,
    },
}


def _list_models(kind: str, *, anew: bool = False) -> list[_Listed]:
    """The models that Venice lists of a type: from a fresh copy, unless they are asked for anew."""
    copy = _copy_of(kind)
    is_cheap = kind not in _DEAR_KINDS
    if is_cheap and not anew:
        kept = _read_rows(_read_copy(copy), kind)
        if kept:
            _COPIES.append(copy)
            return kept

    told, _ = _call("GET", "/models", params={"type": kind})
    models = _read_rows(told, kind)
    if models and is_cheap:
        _keep_copy(copy, told)
    return models


def _read_rows(told: Any, kind: str) -> list[_Listed]:
    """The models in what Venice told, those that have an id and a model_spec."""
    models = []
    for told_row in _list_of(_object_of(told).get("data")):
        row = _object_of(_in_form(told_row, _FORM_OF_ROW))
        if row.get("id") and "model_spec" in row:
            models.append({**row, "type": row.get("type") or kind})
    return models


def _in_form(told: Any, form: Any) -> Any:
    """What is told, without whatever in it is of another form; None, if nothing is left.

    A field that one model has in another form would else break each call that looks for a model,
    or that is paid and then told with its price.
    """
    if isinstance(form, dict):
        return _object_in_form(told, form)
    if isinstance(form, list):
        return _list_in_form(told, form)
    if form is float:
        return None if _number_of(told) is None else told
    return told if isinstance(told, str) else None


def _object_in_form(told: Any, form: dict[str, Any]) -> dict[str, Any] | None:
    """An object likewise; fields that the form does not name stay as they are."""
    if not isinstance(told, dict):
        return None
    fields = {}
    for name, value in told.items():
        read = _in_form(value, form[name]) if name in form else value
        if read is not None:
            fields[name] = read
    return fields


def _list_in_form(told: Any, form: list[Any]) -> list[Any] | None:
    """A list likewise; where there is one choice, it may be bare."""
    (inner,) = form
    items = told if isinstance(told, list) else [told]
    fitting = [item for item in items if _in_form(item, inner) is not None]
    return fitting or None


def _copy_of(kind: str) -> Path:
    """Where the copy of a list lies: in the media folder, hidden, for this Venice and this key."""
    key = os.environ.get("VENICE_API_KEY", "")
    whose = hashlib.sha256(f"{_base_url()} {key}".encode()).hexdigest()
    return _media_path() / ".models" / f"{kind}-{whose[:16]}.json"


def _read_copy(copy: Path) -> Any:
    """What is in a fresh copy; None, if there is none that can be read."""
    with suppress(OSError, ValueError, RecursionError):
        age = time.time() - copy.stat().st_mtime
        if 0 <= age < _FRESH_SECONDS:
            return json.loads(copy.read_bytes())
    return None


def _keep_copy(copy: Path, told: Any) -> None:
    """Keep what Venice told, whole or not at all, where there is a media folder already.

    It is a help, and nothing that a call depends on.
    """
    with suppress(OSError, VeniceError):
        copy.parent.mkdir(mode=0o700, exist_ok=True)
        with _part_file(copy.parent, advice="") as part:
            part.write(json.dumps(told).encode())
            part.flush()
            Path(part.name).replace(copy)


# --- shared by several tools: sanctum_venice_tools/runtime/models.py ---


@dataclass(frozen=True)
class _Model:
    """The model that was chosen for a call."""

    id: str
    spec: dict[str, Any]
    notes: list[str]


@dataclass(frozen=True)
class _End:
    """That a model is about to go, as Venice tells it."""

    day: str
    replacement: str
    """The model that Venice names in its place, if it names one."""


def _pick_model(
    kind: str,
    wanted: str,
    *,
    setting: str,
    needs: str = "",
    usual: str = "",
    fits: Callable[[_Listed], Any] = bool,
    listed: list[_Listed] | None = None,
) -> _Model:
    """The model `wanted`, else the operator's, else the `usual`, else Venice's.

    Args:
        kind: The type of models that are looked through, in Venice's words.
        wanted: The id or trait that the caller names, if any.
        setting: The environment variable in which the operator may name one.
        needs: Capabilities that the model must have, with spaces between them.
        usual: The id or trait that is taken before others when nobody names one.
        fits: What else must hold of a model, of which it gets Venice's row.
        listed: The models of this type, where Venice has been asked for them already.
    """
    if listed is None:
        listed = _list_models(kind)
    able = [model for model in listed if _is_able(model, needs.split()) and fits(model)]
    able.sort(key=lambda model: _rank(model, usual))
    called_for = wanted.strip()
    named = called_for or os.environ.get(setting, "").strip()
    if able and not named:
        return _chosen(able[0])
    if not named:
        told = f"Venice has no {kind} model now that can do this, or none that this key may use"
        raise VeniceError(f"{told}. Ask for something else.")

    found = _find_able(kind, named, able)
    if found and found["id"] == named:
        return _chosen(found)
    if found:
        return _chosen(found, [f"Took the model {found['id']:.80} for {named!r:.80}."])
    if able and not called_for:
        return _go_on_without(setting, named, able, listed)

    use = _near(named, able)
    if not use:
        use = "none, for Venice has no such model now, or none that this key may use"
    raise VeniceError(
        f"There is no {kind} model {named!r:.80} fit for this. Leave it out, or use: {use}."
    )


def _is_able(model: _Listed, needs: list[str]) -> bool:
    """Whether a model can be used now, and has all of some capabilities."""
    spec = model["model_spec"]
    if spec.get("offline"):
        return False
    capabilities = spec.get("capabilities", {})
    return all(capabilities.get(need) for need in needs)


def _find_able(kind: str, named: str, able: list[_Listed]) -> _Listed | None:
    """The model of a name: its own, or another maker's for which Venice has a stand-in."""
    found = _find_model(named, able)
    if not found and kind == "text":
        found = _find_with_features(named, able)
    if not found:
        found = _find_model(_stand_in(kind, named), able)
    return found


def _find_with_features(named: str, able: list[_Listed]) -> _Listed | None:
    """The model of a name with features behind it: zai-org-glm-5-2:enable_web_search=on."""
    name, colon, features = named.partition(":")
    found = _find_model(name, able)
    if not found:
        return None
    return {**found, "id": found["id"] + colon + features}


def _near(named: str, models: list[_Listed]) -> str:
    """The names that are nearest to one."""
    ids = [model["id"] for model in models]
    nearest = difflib.get_close_matches(named, ids, n=5, cutoff=0.0)
    return ", ".join(nearest)


def _chosen(model: _Listed, notes: Sequence[str] = ()) -> _Model:
    """A model as the choice for this call; that it is about to go, the reply tells once."""
    _REMARKS[:] = _remarks_on(model)
    return _Model(model["id"], model["model_spec"], [*notes])


def _remarks_on(model: _Listed) -> list[str]:
    """What to say of a model that is about to go: its last day, and what to take then."""
    end = _read_end(model["model_spec"])
    if not end.day:
        return []
    remark = f"Venice lists the model {model['id']:.80} until {end.day}."
    if end.replacement:
        remark += f" Then take {end.replacement}."
    return [remark]


def _read_end(spec: dict[str, Any]) -> _End:
    """When a model will be gone; empty, if nothing is said of that."""
    told = _object_of(spec.get("deprecation"))
    moment = _text_of(told.get("removesAt")) or _text_of(told.get("date"))
    replacement = _text_of(told.get("replacementModelId"))
    return _End(day=moment[:10], replacement=replacement[:80])


def _find_model(wanted: str, models: list[_Listed]) -> _Listed | None:
    """The first model of an id or trait, in any case."""
    for spelling in _spellings(wanted):
        for model in models:
            names = [name.lower() for name in _names_of(model)]
            if spelling in names:
                return model
    return None


def _spellings(wanted: str) -> list[str]:
    """A name as it is, and without the provider before it, as in venice/zai-org-glm-5-2."""
    name = wanted.lower()
    _, _, without_provider = name.partition("/")
    return [name, without_provider]


def _names_of(model: _Listed) -> list[str]:
    """The id and the traits of a model."""
    traits = model["model_spec"].get("traits") or []
    return [model["id"], *traits]


def _stand_in(kind: str, foreign: str) -> str:
    """What Venice's list names in place of another maker's model; nothing, if it names none."""
    listed, _ = _call("GET", "/models/compatibility_mapping", params={"type": kind})
    stand_ins = _object_of(_object_of(listed).get("data"))
    known = {name.lower(): _text_of(model) for name, model in stand_ins.items()}
    for spelling in _spellings(foreign):
        if known.get(spelling):
            return known[spelling]
    return ""


def _rank(model: _Listed, usual: str = "") -> tuple[bool, ...]:
    """Where a model stands among others; lower goes first.

    The default, then the `usual` (an id or a trait), settled ones, beta, and those about to go.
    """
    names = _names_of(model)
    spec = model["model_spec"]
    is_ending = bool(spec.get("deprecation"))
    is_beta = bool(spec.get("betaModel"))
    return "default" not in names, usual not in names, is_ending, is_beta


# Of a model's prices, those that say nothing of the price of a plain call.
_SIDE_PRICES = ("cache", "extended", "upscale")


def _go_on_without(setting: str, named: str, able: list[_Listed], listed: list[_Listed]) -> _Model:
    """The model in place of the operator's, which can't be had; an error, if it may be dear."""
    taken = able[0]
    known = _find_model(named, listed)
    if known:  # it is offline, or can't do what is asked for
        why = "can't be used for this now"
        basis = _prices(known)
        price = "at most twice its price"
    else:  # what a model cost that is gone, nobody tells: then the usual price is what counts
        why = "Venice does not have"
        basis = _usual_prices(able)
        price = "its price is not known; at most twice the usual one"

    only_operator = "only the operator can change that setting"
    fault = f"{setting} names the model {named!r:.80}, which {why}; {only_operator}"
    is_as_private = known is None or not _tells_more(taken, known)
    if is_as_private and _is_at_most_twice(_prices(taken), basis):
        return _chosen(taken, [f"{fault}. Took {taken['id']:.80} ({price})."])

    doubt = "which may cost more than twice as much, or be less private"
    ways = f"name a model in this call ({_near(named, able)}), or ask the operator"
    raise VeniceError(f"{fault}. Without it {taken['id']:.80} would be taken, {doubt}: {ways}.")


def _tells_more(taken: _Listed, known: _Listed) -> bool:
    """Whether one model is private and the other, which is taken, is not."""
    return _is_private(known["model_spec"]) and not _is_private(taken["model_spec"])


def _is_private(spec: dict[str, Any]) -> bool:
    """Whether Venice keeps nothing of what a model is asked."""
    return spec.get("privacy") == "private"


def _is_at_most_twice(prices: dict[str, float], basis: dict[str, float]) -> bool:
    """Whether prices are at most twice others, by each unit that both have.

    Where they have no unit in common, nobody knows, which counts as no.
    """
    units = prices.keys() & basis.keys()
    if not units:
        return False
    return all(prices[unit] <= 2 * basis[unit] for unit in units)


def _usual_prices(models: list[_Listed]) -> dict[str, float]:
    """By unit, the price in the middle of those that models have, the lower of two."""
    found: dict[str, list[float]] = {}
    for model in models:
        for unit, usd in _prices(model).items():
            found.setdefault(unit, []).append(usd)
    return {unit: _middle(prices) for unit, prices in found.items()}


def _middle(numbers: list[float]) -> float:
    """The number in the middle, the lower of two."""
    place = (len(numbers) - 1) // 2
    return sorted(numbers)[place]


def _prices(model: _Listed) -> dict[str, float]:
    """The highest price of a model in USD, by its unit, such as "input" or "generation"."""
    pricing = _object_of(model["model_spec"].get("pricing"))
    highest = {}
    for unit, price in pricing.items():
        amounts = list(_amounts(price))
        if amounts and not unit.startswith(_SIDE_PRICES):
            highest[unit] = max(amounts)
    return highest


def _amounts(node: Any) -> Iterator[float]:
    """Every price in USD within a part of a model's pricing."""
    for name, value in _object_of(node).items():
        usd = _number_of(value)
        if name == "usd" and usd is not None:
            yield usd
        else:
            yield from _amounts(value)


# --- shared by several tools: sanctum_venice_tools/runtime/options.py ---


def _read_options(options: dict[str, Any], known: dict[str, Any]) -> dict[str, Any]:
    """The options by their known names, checked.

    Args:
        options: What was sent.
        known: What each option may be: (lowest, highest), [choices], or any text (str).
    """
    read = {}
    for written, value in options.items():
        name = _read_name(written, known)
        allowed = known[name]
        try:
            read[name] = _read_within(value, allowed)
        except _UNREADABLE:
            fitting = _range(allowed)
            raise VeniceError(
                f"The option '{name}' must be {fitting}, not {value!r:.40}."
            ) from None
    return read


def _read_name(written: str, known: dict[str, Any]) -> str:
    """The known option of that name."""
    name = _as_listed(written, [*known, *_ARGUMENTS])
    if name in known:
        return name
    if name in _ARGUMENTS:
        told = f"'{name}' is no option, but an argument"
        raise VeniceError(f"{told}: give it beside options, not among them.")
    (nearest,) = difflib.get_close_matches(written, known, n=1, cutoff=0)
    raise VeniceError(f"There is no option {written!r:.40}; the nearest is '{nearest}'.")


def _range(allowed: Any) -> str:
    """What an option may be, in words."""
    if allowed is str:
        return "a text"
    if isinstance(allowed, tuple):
        lowest, highest = allowed
        return f"{lowest} to {highest}"
    if not allowed:
        return "left out with this model"
    choices = ", ".join(str(choice) for choice in allowed)
    return f"one of {choices}"


def _read_within(value: Any, allowed: Any) -> Any:
    """A value, if it is what is allowed; one of the errors of `_UNREADABLE` when it is not."""
    if allowed is str:
        return _read_text(value)
    if isinstance(allowed, list):
        return _read_one_of(value, allowed)
    lowest, highest = allowed
    is_whole = isinstance(lowest, int) and isinstance(highest, int)
    number = _read_whole(value) if is_whole else _read_number(value)
    if not lowest <= number <= highest:
        raise ValueError("out of range")
    return number


def _read_one_of(value: Any, choices: list[Any]) -> Any:
    """That of the choices which is meant: switches, whole numbers, texts, or objects."""
    if choices == [True, False]:
        return _read_switch(value)
    if all(isinstance(choice, int) for choice in choices):
        value = _read_whole(value)
    if value in choices:
        return value
    words = [choice for choice in choices if isinstance(choice, str)]
    return _read_choice(value, words)


# --- shared by several tools: sanctum_venice_tools/runtime/text.py ---


def _in_path(name: str) -> str:
    """A name as one part of an address: nothing in it leads elsewhere, not even a dot alone."""
    return quote(name, safe="", errors="replace").replace(".", "%2E")


def _room_of(value: Any) -> int:
    """How many characters a value takes in a reply."""
    return len(json.dumps(value, ensure_ascii=False))


# --- the tool: sanctum_venice_tools/tools/venice_chat.py ---

# Each option with its lowest and highest value, or its choices.
_OPTIONS: dict[str, Any] = {
    "temperature": (0.0, 2.0),
    "min_temp": (0.0, 2.0),
    "max_temp": (0.0, 2.0),
    "top_p": (0.0, 1.0),
    "min_p": (0.0, 1.0),
    "top_k": (0, 10**6),
    "repetition_penalty": (0.0, 2.0),
    "frequency_penalty": (-2.0, 2.0),
    "presence_penalty": (-2.0, 2.0),
    "n": (1, 8),
    "seed": (1, 2**53),
    "max_completion_tokens": (1, 10**7),
    "include_venice_system_prompt": [True, False],
}

# Venice takes no more in one message, whatever a model takes (its skill for chats, 73c0bf7).
_MOST_IMAGES = 10

_MOST_FILES = 5

# What the answers may take of the reply, in characters.
_ROOM = 6500

# The same for a caller who sets max_tokens, and so asks for more; and what the reply may have then.
_ROOM_FOR_LONG = 16_000

_MOST_OF_LONG_REPLY = 18_000

_WHEN_ONLY_THOUGHT = "Raise max_tokens, lower reasoning_effort in options, or use another model."


def _check_attached(images: list[str], files: list[str]) -> None:
    """Refuse more than Venice takes in one message."""
    if len(images) > _MOST_IMAGES:
        raise VeniceError(f"Give up to {_MOST_IMAGES} pictures at a time, not {len(images)}.")
    if len(files) > _MOST_FILES:
        raise VeniceError(f"Give up to {_MOST_FILES} documents at a time, not {len(files)}.")


def _name_needs(*, pictures: int, has_tools: bool, has_schema: bool) -> str:
    """What the model must be able to do, in Venice's words."""
    needs = []
    if pictures:
        needs.append("supportsVision")
    if pictures > 1:
        needs.append("supportsMultipleImages")
    if has_tools:
        needs.append("supportsFunctionCalling")
    if has_schema:
        needs.append("supportsResponseSchema")
    return " ".join(needs)


def _read_settings(rare: dict[str, Any], able: dict[str, Any]) -> dict[str, Any]:
    """The options, checked, in the form that Venice takes."""
    tools = [_read_offer(offer) for offer in _listed(rare.pop("tools", None))]
    stops = _read_stops(rare.pop("stop", None))
    if "tool_choice" in rare:
        rare["tool_choice"] = _read_tool_choice(rare["tool_choice"], tools)
    known = {
        **_OPTIONS,
        "reasoning_effort": able.get("reasoningEffortOptions") or [],
        "tool_choice": ["auto", "none", "required", *(_form_of_choice(tool) for tool in tools)],
    }
    read = _read_options(rare, known)
    return {**read, **_given(tools=tools, stop=stops)}


def _listed(value: Any) -> list[Any]:
    """A list as it is, or out of its text, and one thing as a list of one; empty items are none."""
    meant = _parse_reply(value) if isinstance(value, str) else value
    items = meant if isinstance(meant, list) else [value]
    return [item for item in items if item not in (None, "")]


def _read_offer(offer: Any) -> dict[str, Any]:
    """A tool that the model may call, as Venice takes it.

    Its function may be given bare, with its type beside its name, or in Anthropic's form.
    """
    function = offer.get("function", offer) if isinstance(offer, dict) else None
    if not isinstance(function, dict) or not function.get("name"):
        raise VeniceError('Write "tools" as [{"name", "description", "parameters"}].')
    told = {name: value for name, value in function.items() if value is not None}
    told.pop("type", None)
    if "input_schema" in told:
        told["parameters"] = told.pop("input_schema")
    return {"type": "function", "function": told}


def _form_of_choice(tool: dict[str, Any]) -> dict[str, Any]:
    """How Venice is told that the model must call this tool."""
    return {"type": "function", "function": {"name": tool["function"]["name"]}}


def _read_tool_choice(wanted: Any, tools: list[dict[str, Any]]) -> Any:
    """The choice of a tool by its mere name, as Venice is told it; another stays as it is."""
    for tool in tools:
        if wanted == tool["function"]["name"]:
            return _form_of_choice(tool)
    return wanted


def _read_stops(value: Any) -> list[str]:
    """The texts at which an answer is to stop."""
    stops = _listed(value)
    if len(stops) > 4 or not all(isinstance(stop, str) for stop in stops):
        raise VeniceError('Write "stop" as one to four texts.')
    return stops


def _lower_tokens(body: dict[str, Any], spec: dict[str, Any]) -> list[str]:
    """Hold a wish for tokens to the most that the model writes, above which Venice refuses.

    What was done about it comes back as a note.
    """
    most = _number_of(spec.get("maxCompletionTokens"))
    wanted = body.get("max_completion_tokens", 0)
    if not most or wanted <= most:
        return []
    body["max_completion_tokens"] = int(most)
    return [f"max_tokens was lowered to {most:.0f}, the most that {body['model']:.80} writes."]


def _model_of(character: str, needs: str) -> tuple[str, list[str]]:
    """The model that a character was made for; if it can't be had for this, none, and a note.

    Some are made for a model that only Venice's app has, and any other may speak for them (Venice's
    skill for characters, github.com/veniceai/skills, 73c0bf7).
    """
    reply, _ = _call("GET", f"/characters/{_in_path(character)}")
    model: str = reply["data"]["modelId"]
    able = [one for one in _list_models("text") if _is_able(one, needs.split())]
    if not able or _find_able("text", model, able):
        return model, []
    told = f"The character was made for the model {model:.80}, which can't be had for this."
    return "", [told]


def _system_turn(system: str) -> list[dict[str, Any]]:
    """What the model is told before all else, if anything."""
    return [{"role": "system", "content": system}] if system else []


def _own_turn(prompt: str, images: list[str], files: list[str]) -> list[dict[str, Any]]:
    """What is to be looked at or read, then the prompt; nothing, if there is neither."""
    parts = [_attach(image, "image_url") for image in images]
    parts += [_attach(file, "file") for file in files]
    if not parts:
        return [{"role": "user", "content": prompt}] if prompt else []
    if prompt:
        parts.append({"type": "text", "text": prompt})
    return [{"role": "user", "content": parts}]


def _show(answer: _Said, room: int, *, fault: str, is_json: bool, offered: bool) -> dict[str, Any]:
    """One answer in so many characters, with a note of what is missing, and of the chat's fault.

    Calls of tools are in it only if any tools were offered.
    """
    text = answer.text
    calls = list(answer.calls.values()) if offered else []
    parsed = _parse_reply(text) if is_json else None
    is_shortened = False
    while _room_of([text, calls]) > room:
        is_shortened = True
        parsed = None
        if text:
            text = text[: len(text) * 9 // 10]
        else:
            calls.pop()

    ending = answer.ending
    advice = f"It broke off ({ending:.40}): ask to go on, or raise max_tokens."
    notes = _tell_cut(ending, fault, advice)
    if is_shortened:
        notes.append("It was shortened. Set max_tokens to get more.")
    if is_json and parsed is None and not calls:
        notes.append("It is not the JSON that was asked for.")
    # A field that holds nothing is left out of the reply: an empty object is shown as it was said.
    shown = text if parsed in (None, "", [], {}) else parsed
    return _given(answer=shown, tool_calls=calls, finish_reason=ending, notes=notes)


@_read_as_meant
def venice_chat(
    *,
    prompt: str,
    history: list[dict[str, Any]] | None = None,
    system: str = "",
    model: str = "",
    character: str = "",
    images: list[str] | None = None,
    files: list[str] | None = None,
    answer_schema: str = "",
    max_tokens: int | None = None,
    options: dict[str, Any] | None = None,
) -> str:
    """Ask another model, or talk with a Venice character: a second opinion, a draft, pictures or documents read.

    Costs 0.1 to 10 cents. It knows only what this call holds. For news: venice_ask_web.

    Args:
        prompt: What to say.
        history: Earlier turns: {"role": "user" or "assistant", "content": "text"}.
        system: Who it is, how it answers.
        model: Best left out.
        character: A slug from venice_find_characters.
        images: Pictures: stored files, public URLs or "attached".
        files: Documents to read, likewise: PDF, Office, text.
        answer_schema: JSON Schema, as text, of the answer: a closed object, each field required.
        max_tokens: The most to think and write. Without it, answers are cut at 6,500 characters.
        options: temperature, reasoning_effort (none to max; few models have all), n, seed, stop,
            top_p, top_k, min_p, frequency_penalty, presence_penalty, repetition_penalty, min_temp,
            max_temp, tools, tool_choice, include_venice_system_prompt.

    Returns:
        JSON: answer (or answers), finish_reason, tool_calls, cost_usd, notes.
    """
    if not (prompt.strip() or history):
        raise VeniceError("There is no prompt: say something.")
    schema = _parse_reply(answer_schema) if answer_schema else None
    if answer_schema and not isinstance(schema, dict):
        raise VeniceError('answer_schema is no JSON Schema as text: {"type": "object", ...}.')
    images = _without_nothing(images or [])
    files = _without_nothing(files or [])
    _check_attached(images, files)
    rare = {**(options or {}), **_given(max_completion_tokens=max_tokens)}
    is_json = schema is not None
    has_tools = bool(rare.get("tools"))
    needs = _name_needs(pictures=len(images), has_tools=has_tools, has_schema=is_json)
    missed: list[str] = []
    if character and not model:
        model, missed = _model_of(character, needs)
    chosen = _pick_model(
        "text",
        model,
        setting="VENICE_CHAT_MODEL",
        needs=needs,
        usual="default_vision" if images else "",
    )

    settings = _read_settings(rare, chosen.spec.get("capabilities", {}))
    body: dict[str, Any] = {"model": chosen.id, **settings}
    lowered = _lower_tokens(body, chosen.spec)
    asked = _own_turn(prompt, images, files)
    body["messages"] = [*_system_turn(system), *(history or []), *asked]
    if is_json:
        form = {"name": "answer", "strict": True, "schema": schema}
        body["response_format"] = {"type": "json_schema", "json_schema": form}
    own = body.pop("include_venice_system_prompt", None)
    body["venice_parameters"] = _given(character_slug=character, include_venice_system_prompt=own)
    chat = _chat(body, when_only_thought=_WHEN_ONLY_THOUGHT)

    room_for_all = _ROOM_FOR_LONG if max_tokens else _ROOM
    room = room_for_all // len(chat.answers)
    offered = "tools" in body
    answers = [
        _show(said, room, fault=chat.fault, is_json=is_json, offered=offered)
        for said in chat.answers
    ]
    shown = answers[0] if len(answers) == 1 else {"answers": answers}
    notes = [*missed, *chosen.notes, *lowered, *shown.pop("notes", [])]
    return _answer(
        _most=_MOST_OF_LONG_REPLY if max_tokens else _MOST_OF_REPLY,
        **shown,
        model=chosen.id,
        usage=chat.usage,
        cost_usd=chat.cost_usd,
        notes=notes,
    )
