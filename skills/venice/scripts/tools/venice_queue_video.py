# venice_queue_video: a Letta tool, made from sanctum_venice_tools/tools/venice_queue_video.py.
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
import io
import ipaddress
import itertools
import json
import math
import os
import re
import secrets
import socket
import struct
import tempfile
import time
import unicodedata
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
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


# --- shared by several tools: sanctum_venice_tools/runtime/camera.py ---

# Venice's limits (its skill for films, 2026-10-02): poses, and degrees in 32 turns.
_FEWEST_POSES = 2

_MOST_POSES = 12

_MOST_DEGREES = 32 * 360

_POSE = ("time", "azimuth", "elevation", "distance")


def _read_trajectory(value: Any) -> list[dict[str, float]]:
    """The poses of a camera, in the order of their times."""
    try:
        poses = [_read_pose(pose) for pose in _read_list(value, dict[str, Any])]
    except _UNREADABLE:
        poses = []
    if not _FEWEST_POSES <= len(poses) <= _MOST_POSES:
        form = "a list of 2 to 12 objects of time, azimuth, elevation, distance, each a number"
        raise VeniceError(f"The option 'camera_trajectory' is {form}. Correct it.")
    for pose in poses:
        _check_pose(pose)
    _check_order(poses)
    _check_travel(poses)
    return poses


def _read_pose(pose: dict[str, Any]) -> dict[str, float]:
    """One pose; one of the errors of `_UNREADABLE`, if it has other fields."""
    if set(pose) != set(_POSE):
        raise ValueError("other fields")
    return {field: _read_number(pose[field]) for field in _POSE}


def _check_pose(pose: dict[str, float]) -> None:
    """Refuse a pose that no camera can have."""
    if not 0 <= pose["time"] <= 1:
        raise _wrong("time", pose["time"], "is a share of the film, 0 to 1")
    if not -90 <= pose["elevation"] <= 90:
        raise _wrong("elevation", pose["elevation"], "is in degrees, -90 to 90")
    if pose["distance"] <= 0:
        raise _wrong("distance", pose["distance"], "is above 0; 1 leaves it as it is")


def _check_order(poses: list[dict[str, float]]) -> None:
    """Refuse poses whose times do not grow."""
    for earlier, later in itertools.pairwise(poses):
        if later["time"] <= earlier["time"]:
            raise _wrong("time", later["time"], f"must be after the {earlier['time']:g} before it")


def _check_travel(poses: list[dict[str, float]]) -> None:
    """Refuse a way of more turns than the camera makes."""
    steps = itertools.pairwise(poses)
    degrees = sum(abs(later["azimuth"] - earlier["azimuth"]) for earlier, later in steps)
    if degrees > _MOST_DEGREES:
        raise _wrong("azimuth", degrees, "may change by 32 turns in all, 11520 degrees")


def _wrong(field: str, value: float, rule: str) -> VeniceError:
    """The error for a number of a pose."""
    return VeniceError(f"In 'camera_trajectory', {field} {rule}, not {value:g}. Correct it.")


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


def _end_of(file: BinaryIO) -> int:
    """How long a file is. It is at its beginning afterwards."""
    end = file.seek(0, os.SEEK_END)
    file.seek(0)
    return end


def _take(file: BinaryIO, count: int) -> bytes:
    """The next bytes of a file, all of them."""
    taken = file.read(count)
    if len(taken) < count:
        raise ValueError("The file ends too early.")
    return taken


def _unpack(file: BinaryIO, fields: str) -> tuple[Any, ...]:
    """The next fields of a file, in the notation of `struct`."""
    return struct.unpack(fields, _take(file, struct.calcsize(fields)))


@dataclass(frozen=True)
class Box:
    """A part of an MP4 file: its type, and from where to where its content goes."""

    kind: bytes
    start: int
    end: int


def _boxes(file: BinaryIO, place: int, end: int) -> Iterator[Box]:
    """The boxes of an MP4 or MOV file between two places. ISO 14496-12, 4.2: length, then type."""
    while place < end:
        file.seek(place)
        length, kind = _unpack(file, ">I4s")
        if length == 1:  # it has more than 32 bits
            (length,) = _unpack(file, ">Q")
        if length == 0:  # it goes to the end
            length = end - place
        if length < 8:
            raise ValueError("There is something else between the boxes of the film.")
        start = file.tell()
        place += length
        yield Box(kind, start, place)


# The header of a film, ISO 14496-12, 8.2.2, by its version: flags, two moments, units a second, and
# its length in units.
_MOVIE_HEADERS = {0: ">3xIIII", 1: ">3xQQIQ"}

_UNKNOWN_LENGTHS = {0, 2**32 - 1, 2**64 - 1}


def _film_seconds(file: BinaryIO) -> float | None:
    """How long an MP4 or MOV film is, by its header; None, if that is not told."""
    try:
        film = _box_of(b"moov", file, 0, _end_of(file))
        header = _box_of(b"mvhd", file, film.start, film.end)
        file.seek(header.start)
        (version,) = _unpack(file, "B")
        _made, _changed, units, length = _unpack(file, _MOVIE_HEADERS[version])
    except (ValueError, KeyError):
        return None
    if units == 0 or length in _UNKNOWN_LENGTHS:
        return None
    return float(length / units)


def _box_of(kind: bytes, file: BinaryIO, start: int, end: int) -> Box:
    """The first box of a type between two places."""
    for box in _boxes(file, start, end):
        if box.kind == kind:
            return box
    raise ValueError("The film has no such box.")


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

_TRIAL_BYTES = 512 << 10

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


def _media_folder() -> Path:
    """The folder for files, with room for one: what can't be kept should fail before it is paid.

    A media server is asked whether it would take one.

    Half a megabyte is really written, for only that meets what stops a file: a full disk, but also
    a quota, which `os.statvfs` does not know. The bytes are random, for some file systems store
    zeros in no room at all.
    """
    if _media_server():
        _check_media_server()
    folder = _media_place()
    try:
        with tempfile.TemporaryFile(dir=folder) as trial:
            trial.write(os.urandom(_TRIAL_BYTES))
            trial.flush()
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


# --- shared by several tools: sanctum_venice_tools/runtime/film_media.py ---


@dataclass(frozen=True)
class _ListForm:
    """A list of media: how many it may hold, and the fields of items that are objects."""

    most: int
    required: tuple[str, ...] = ()
    optional: tuple[str, ...] = ()


# The lists that Venice takes; fewer with some models (references.py).
_LISTS = {
    "reference_image_urls": _ListForm(30),
    "reference_video_urls": _ListForm(10),
    "reference_audio_urls": _ListForm(10),
    "reference_document_urls": _ListForm(1),
    "scene_image_urls": _ListForm(4),
    "elements": _ListForm(4, optional=("frontal_image_url", "reference_image_urls", "video_url")),
    "keyframes": _ListForm(10, required=("image_url", "frame_index")),
    "image_references": _ListForm(30, required=("image_url",), optional=("type", "ref_name")),
    "video_references": _ListForm(10, required=("video_url",), optional=("ref_name", "audio_url")),
}

# Content that has no argument of its own, and comes in the options.
_RARE_CONTENT = ("negative_prompt", "audio_url", "video_url", "camera_trajectory", *_LISTS)

# What the image of an image_reference shows.
_SHOWN = ("subject", "background")

_MOST_IMAGES_OF_AN_ELEMENT = 3

# The formats that Venice takes of each kind of media, by their names, and the most megabytes.
_TAKEN = {
    "image": ("PNG", "JPEG", "WebP"),
    "video": ("MP4", "QuickTime", "WebM"),
    "audio": ("WAV", "MP3"),
    "document": ("PDF",),
}

_MOST_MB = {"image": 25, "video": 50, "audio": 15, "document": 25}

# Of a whole request, in which four bytes stand for three.
_MOST_MB_TOGETHER = 35

_TOO_LARGE = (
    "Together, the media have more than the 35 MB that Venice takes. Give public URLs instead."
)

# The field of one or several media, such as frontal_image_url or reference_video_urls.
_MEDIA_FIELD = re.compile(r"(image|video|audio|document)_urls?$")


def _read_content(content: dict[str, Any]) -> dict[str, Any]:
    """The content of a film in the form that Venice takes; files are still named."""
    read = {}
    for name, value in content.items():
        field = _read_field(name, _without_nothing(value))
        read[name] = _without_space(name, field)
    return read


def _read_field(name: str, value: Any) -> Any:
    """One field of the content: a list of media, the camera's way, or a text."""
    if name in _LISTS:
        return _read_items(name, value)
    if name == "camera_trajectory":
        return _read_trajectory(value)
    return _read_text(value)


def _read_items(name: str, value: Any) -> list[Any]:
    """The items of a list: texts, or objects of certain fields."""
    form = _LISTS[name]
    fields = ", ".join([*form.required, *form.optional])
    try:
        items = _read_objects(value, form) if fields else _read_list(value, str)
    except _UNREADABLE:
        items = []
    if not 0 < len(items) <= form.most:
        told = f"objects of {fields}" if fields else "URLs or stored files"
        raise VeniceError(f"The option '{name}' is a list of 1 to {form.most} {told}. Correct it.")
    return items


def _read_objects(value: Any, form: _ListForm) -> list[dict[str, Any]]:
    """The items of a list that holds objects."""
    objects = _read_list(value, dict[str, Any])
    return [_read_item(item, form) for item in objects]


def _read_item(item: dict[str, Any], form: _ListForm) -> dict[str, Any]:
    """An object of a list; one of the errors of `_UNREADABLE`, if its fields are others."""
    unknown = item.keys() - {*form.required, *form.optional}
    missing = set(form.required) - item.keys()
    if unknown or missing or not item:
        raise ValueError("other fields")
    return {field: _read_part(field, value) for field, value in item.items()}


def _read_part(field: str, value: Any) -> Any:
    """One field of an object in a list."""
    if field == "frame_index":
        return _read_place(value)
    if field == "type":
        return _read_choice(value, _SHOWN)
    if field == "reference_image_urls":
        return _read_some(value)
    if not isinstance(value, str):
        raise TypeError("no text")
    return value


def _read_place(value: Any) -> int:
    """The number of a frame, counted from 0."""
    place = _read_whole(value)
    if place < 0:
        raise ValueError("before the first frame")
    return place


def _read_some(value: Any) -> list[str]:
    """The further images of an element."""
    images: list[str] = _read_list(value, str)
    if len(images) > _MOST_IMAGES_OF_AN_ELEMENT:
        raise ValueError("too many")
    return images


def _without_space(name: str, value: Any) -> Any:
    """A field with nothing around the names and addresses of its media."""
    if isinstance(value, dict):
        return {field: _without_space(field, part) for field, part in value.items()}
    if isinstance(value, list):
        return [_without_space(name, part) for part in value]
    return value.strip() if _kind_of_media(name) else value


def _with_media(name: str, value: Any) -> Any:
    """A field whose stored files and data URLs are proper data URLs; public URLs stay."""
    if isinstance(value, dict):
        return {field: _with_media(field, part) for field, part in value.items()}
    if isinstance(value, list):
        return [_with_media(name, part) for part in value]
    kind = _kind_of_media(name)
    if not kind or _is_for_venice(value):
        return value
    content = _read_local(value, most_mb=_MOST_MB[kind])
    form = _format_of(content[:100])
    if not form or form.name not in _TAKEN[kind]:
        advice = _untaken(content[:100], value) or f"Give {' or '.join(_TAKEN[kind])}."
        raise VeniceError(f"{value[:60]!r} is no {kind} that Venice takes. {advice}")
    return f"data:{form.media_type};base64,{base64.b64encode(content).decode()}"


def _kind_of_media(name: str) -> str:
    """The kind of media that a field has, such as "image"; nothing, if it has none."""
    found = _MEDIA_FIELD.search(name)
    return found[1] if found else ""


def _check_together(content: dict[str, Any]) -> None:
    """Refuse stored files that are too large together, before any of them is read."""
    size = 0
    for name, value in content.items():
        for file in _files_in(name, value):
            size += _stored_file(file).stat().st_size
    if size * 4 / 3 > _MOST_MB_TOGETHER << 20:
        raise VeniceError(_TOO_LARGE)


def _files_in(name: str, value: Any) -> Iterator[str]:
    """The stored files that a field names, at whatever depth."""
    if isinstance(value, dict):
        for field, part in value.items():
            yield from _files_in(field, part)
    elif isinstance(value, list):
        for part in value:
            yield from _files_in(name, part)
    elif _kind_of_media(name) and _is_stored(value):
        yield value


def _is_stored(reference: str) -> bool:
    """Whether a reference names a file of the media store."""
    is_elsewhere = _is_data_url(reference) or _is_attached(reference) or _is_for_venice(reference)
    return not is_elsewhere


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


# --- shared by several tools: sanctum_venice_tools/runtime/ratio.py ---

# What people call a shape.
_SHAPES = {
    "landscape": "16:9",
    "widescreen": "16:9",
    "wide": "16:9",
    "horizontal": "16:9",
    "portrait": "9:16",
    "vertical": "9:16",
    "tall": "9:16",
    "square": "1:1",
    "cinema": "21:9",
    "ultrawide": "21:9",
}

# 16:9, 16/9, 1280x720, 1280 by 720
_SIDES = re.compile(
    r"(?P<width>[1-9]\d{0,4})"
    r"(?P<between>:|/|x|\u00d7|by)"  # \u00d7 is the sign of multiplication
    r"(?P<height>[1-9]\d{0,4})",
    re.ASCII,
)

# A model's own: 16:9, 1.85:1; not: auto
_RATIO = re.compile(r"[\d.]+:[\d.]+", re.ASCII)


@dataclass(frozen=True)
class _Shape:
    """A width and a height: of a ratio, or in pixels."""

    width: int
    height: int
    is_in_pixels: bool


def _read_shape(wanted: str) -> _Shape | None:
    """The shape that is meant by a ratio, a size in pixels, or a word."""
    word = wanted.replace(" ", "").lower()
    sides = _SIDES.fullmatch(_SHAPES.get(word, word))
    if not sides:
        return None
    is_ratio = sides["between"] in (":", "/")
    return _Shape(int(sides["width"]), int(sides["height"]), is_in_pixels=not is_ratio)


def _fit_ratio(wanted: str, ratios: list[str]) -> str:
    """That of a model's ratios which is nearest to what was asked."""
    named = wanted.strip().lower()
    if named in ratios:
        return named

    shape = _read_shape(wanted)
    numbers = [ratio for ratio in ratios if _RATIO.fullmatch(ratio)]
    if not shape or not numbers:
        known = ", ".join(ratios)
        raise VeniceError(
            f"The aspect ratio {wanted!r:.40} is not to be had; this model has: {known}."
        )
    quotient = shape.width / shape.height
    return min(numbers, key=lambda ratio: abs(_quotient(ratio) - quotient))


def _quotient(ratio: str) -> float:
    """Width by height of a model's ratio."""
    width, _, height = ratio.partition(":")
    return float(width) / float(height)


# --- shared by several tools: sanctum_venice_tools/runtime/references.py ---


@dataclass(frozen=True)
class _References:
    """What a film refers to."""

    images: int
    videos: int
    audios: int
    lengths: list[float]
    """Of the videos that could be measured, each in seconds."""

    seconds: float | None
    """Of all videos together; None, where there are none."""

    are_measured: bool
    """Whether that was measured, or rests on what the caller said."""


@dataclass(frozen=True)
class _Limits:
    """The most references that a family of models takes, and how long videos may be, in seconds."""

    images: int
    videos: int = 0
    audios: int = 0
    shortest: float = 0
    longest: float = 0
    together: float = 0


# By the beginning of a model's id, the longer first (Venice's skill for films, as of 2026-09-30).
_LIMITS = {
    "seedance-2-0": _Limits(9, 3, 3, shortest=2, longest=15, together=15),
    "seedance-2-5": _Limits(30, 10, 10, shortest=2, longest=30, together=30),
    "wan-3-0": _Limits(10, 5, 5, shortest=1, longest=15, together=15),
    "minimax-h3-enhanced": _Limits(9, 0, 3),
    "minimax-h3": _Limits(9, 3, 3, shortest=2, longest=15, together=15),
    "kling-o3-4k": _Limits(7),
    "kling-o3": _Limits(4),
    "kling-v3": _Limits(4),
    "pixverse-c1": _Limits(7),
    "grok-imagine": _Limits(7),
    "gemini-omni-flash-1-1": _Limits(10),
    "gemini-omni-flash": _Limits(3),
}


def _count_references(content: dict[str, Any], rare: dict[str, Any]) -> _References:
    """What a film refers to, measured where it can be.

    What the caller says of the videos' length counts only where one can't be measured, and never
    for less than the others have. A mere quote has no media: what it says is taken.
    """
    said_seconds = rare.pop("reference_video_total_duration", None)
    said_images = rare.pop("reference_image_count", 0)
    images = [*content.get("reference_image_urls", []), *content.get("image_references", [])]
    audios = content.get("reference_audio_urls", [])
    videos = _videos_in(content)

    found = [_seconds_of(video) for video in videos]
    lengths = [length for length in found if length is not None]
    together = round(sum(lengths), 3)
    are_measured = bool(videos) and len(lengths) == len(videos)
    if videos and not are_measured and said_seconds is None:
        option = "reference_video_total_duration"
        raise VeniceError(f"Give the option {option}, in seconds: the price depends on it.")

    seconds = None
    if are_measured:
        seconds = together
    elif said_seconds is not None:
        seconds = max(said_seconds, together)
    return _References(
        images=len(images) or said_images,
        videos=len(videos),
        audios=len(audios),
        lengths=lengths,
        seconds=seconds,
        are_measured=are_measured,
    )


def _videos_in(content: dict[str, Any]) -> list[str]:
    """The videos that a film refers to, by whichever of the two fields."""
    bare = content.get("reference_video_urls", [])
    described = content.get("video_references", [])
    return [*bare, *(reference["video_url"] for reference in described)]


def _seconds_of(video: str) -> float | None:
    """How long a stored film is; None for one at a public URL, or that is not MP4 or MOV."""
    if _is_for_venice(video):
        return None
    return _film_seconds(io.BytesIO(_read_local(video, most_mb=_MOST_MB["video"])))


def _tell_of(references: _References) -> str:
    """What the caller is told of the reference videos, which the price depends on."""
    if references.are_measured:
        return f"The reference videos are {references.seconds:g} s long together, as measured."
    return "The price is the least: it rests on the length that you gave for the reference videos."


def _check_references(model: str, references: _References) -> None:
    """Refuse more than a model takes, before anything is sent; of an unknown family, nothing."""
    lack = _too_many_references(model, references) or _misfit_of_length(model, references)
    if lack:
        raise VeniceError(f"{model} takes {lack}")


def _too_many_references(model: str, references: _References) -> str:
    """That there are more references than a model takes, and what to do; nothing, if not."""
    limits = _limits_of_family(model)
    if limits is None:
        return ""
    return (
        _too_many_of("image", references.images, limits.images)
        or _too_many_of("video", references.videos, limits.videos)
        or _too_many_of("audio", references.audios, limits.audios)
    )


def _misfit_of_length(model: str, references: _References) -> str:
    """That a model takes shorter or longer videos, and what to do; nothing, if not."""
    limits = _limits_of_family(model)
    if limits is None:
        return ""
    for seconds in references.lengths:
        if not limits.shortest <= seconds <= limits.longest:
            span = f"{limits.shortest:g} to {limits.longest:g} s"
            return f"reference videos of {span}, and one has {seconds:g} s. Cut it."
    if references.seconds is not None and limits.videos and references.seconds > limits.together:
        told = f"reference videos of {limits.together:g} s together"
        return f"{told}, and these have {references.seconds:g} s. Leave some out, or cut them."
    return ""


def _takes_references(model: str, kind: str) -> bool:
    """Whether a model is known to take references of a kind: "videos" or "audios"."""
    limits = _limits_of_family(model)
    return limits is not None and getattr(limits, kind) > 0


def _limits_of_family(model: str) -> _Limits | None:
    """The limits of a model's family; None, if it is not known to take references."""
    if "reference" not in model:
        return None
    for beginning, limits in _LIMITS.items():
        if model.startswith(beginning):
            return limits
    return None


def _too_many_of(kind: str, given: int, most: int) -> str:
    """That there are more references of a kind than a model takes; nothing, if there are not."""
    if given <= most:
        return ""
    taken = f"at most {most} reference {kind}s" if most else f"no reference {kind}s"
    return f"{taken}, and {given} were given. Leave out {given - most}."


# --- shared by several tools: sanctum_venice_tools/runtime/film_wish.py ---

# What changes a film that is enlarged (venice-py 2.9.0, 2026-10-25).
_ENHANCING: dict[str, Any] = {
    "enhancement_model": str,
    "compression": (0.0, 1.0),
    "creativity": (0.0, 1.0),
    "grain": (0.0, 0.1),
    "halo": (0.0, 1.0),
    "noise": (0.0, 1.0),
    "realism": (0.0, 1.0),
    "recover_detail": (0.0, 1.0),
    "sharp": (0.0, 1.0),
    "softness": (1.0, 5.0),
    "target_fps": (16, 120),
    "slowdown_factor": [1, 2, 4, 8],
    "h264_output": [True, False],
    "output_format": ["mp4", "prores"],
}

_OPTIONS: dict[str, Any] = {
    "choose": ["cheapest"],
    "upscale_factor": [1, 2, 4],
    "image_strength": (0.0, 1.0),
    "voice_id": str,
    "bitrate_mode": ["standard", "high"],
    "omni_reference_task_type": ["auto", "reference", "edit", "extend"],
    "reference_video_total_duration": (0.0, 36_000.0),
    "reference_image_count": (0, 30),
    **_ENHANCING,
}

_REFUSED = {
    "seed": "Venice's films have no such thing",
    "fps": "Venice's films have no such thing",
    "guidance_scale": "Venice's films have no such thing",
    "motion_bucket_id": "Venice's films have no such thing",
    "n": "Venice's films have no such thing",
    "consents": "consent is for a person to give, at Venice itself",
}

# Fields that make a film one with references, beside those that are called so.
_REFERRING = {"elements", "scene_image_urls", "image_references", "video_references"}

_FRAMES = {"image_url", "end_image_url", "keyframes"}

# A length in seconds, as people write it: 5, 5.0, 5 s, 5sec, 5 Seconds.
_SECONDS = re.compile(r"(\d+)(\.0)? ?(s|secs?|seconds?)?", re.IGNORECASE)


@dataclass(frozen=True)
class _Wish:
    """A film that is wanted."""

    made_of: str
    """What its model begins with: "text", "image", "video", "reference", "transition" (from a first
    frame to a last), "upscale" or "camera".
    """

    settings: dict[str, Any]
    """The duration, resolution and aspect_ratio as they were written, and whether it has sound."""

    content: dict[str, Any]
    """The prompt and the media, by Venice's fields; stored files are data URLs."""

    rare: dict[str, Any]
    """Further settings, by Venice's fields."""

    references: _References
    is_quote: bool
    """Whether only the price is asked for, for which there may be no content."""

    is_cheapest: bool
    """Whether the cheapest model that fits is to make it."""


def _read_wish(
    settings: dict[str, Any], options: dict[str, Any] | None, kind: str, content: dict[str, Any]
) -> _Wish:
    """A film that is wanted, by a tool's arguments.

    A mere quote says by `kind` what the film is made of.
    """
    rare = dict(options or {})
    for name in rare.keys() & _REFUSED:
        raise VeniceError(f"The option '{name}' is not for films: {_REFUSED[name]}. Leave it out.")

    # Others call the duration seconds, and the shape size.
    seconds = rare.pop("seconds", None)
    size = rare.pop("size", None)
    settings = _with_options(settings, _given(duration=seconds, aspect_ratio=size))

    rare_content = {}
    for name in _RARE_CONTENT:
        if name in rare:
            rare_content[name] = rare.pop(name)
    rare = _read_options(rare, _OPTIONS)
    is_cheapest = rare.pop("choose", "") == "cheapest"
    said = _read_content(_given(**content))
    content = _with_options(said, _read_content(rare_content))

    _check_company(content, rare)
    _check_together(content)
    references = _count_references(content, rare)
    return _Wish(
        made_of=kind or _made_of(content, rare),
        settings=settings,
        content={name: _with_media(name, value) for name, value in content.items()},
        rare=rare,
        references=references,
        is_quote=bool(kind),
        is_cheapest=is_cheapest,
    )


def _with_options(said: dict[str, Any], options: dict[str, Any]) -> dict[str, Any]:
    """What the arguments and the options say; refused where they contradict each other.

    One of them would be bought, and the other missed only when the film is there.
    """
    for name in said.keys() & options.keys():
        if said[name] and _plain(name, said[name]) != _plain(name, options[name]):
            raise VeniceError(f"The options say another {name} than the arguments. Say it once.")
    return said | options


def _plain(name: str, value: Any) -> str:
    """A value in one spelling: 5 and "5 seconds" are the same, and so are 16:9 and 1280x720."""
    text = str(value).strip()
    if name == "duration":
        seconds = _SECONDS.fullmatch(text)
        return seconds[1] if seconds else text
    if name == "aspect_ratio":
        shape = _read_shape(text)
        return str(shape.width / shape.height) if shape else text
    return text


def _made_of(content: dict[str, Any], rare: dict[str, Any]) -> str:
    """What a film with such content begins with."""
    if rare.keys() & {"upscale_factor", *_ENHANCING}:
        return "upscale"
    if "camera_trajectory" in content:
        return "camera"
    has_reference = any(name.startswith("reference") for name in content)
    if has_reference or content.keys() & _REFERRING or "voice_id" in rare:
        return "reference"
    if "video_url" in content:
        return "video"
    if content.keys() >= {"image_url", "end_image_url"} and "keyframes" not in content:
        return "transition"
    if content.keys() & _FRAMES:
        return "image"
    return "text"


def _check_company(content: dict[str, Any], rare: dict[str, Any]) -> None:
    """Refuse what goes only together with something else that is missing."""
    for name in ("camera_trajectory", "image_strength"):
        is_given = name in content or name in rare
        if is_given and "image_url" not in content:
            raise VeniceError(f"The option '{name}' needs an image: give one, or leave it out.")
    has_start = bool(content.keys() & {"image_url", "keyframes"})
    if _made_of(content, rare) == "image" and not has_start:
        raise VeniceError(
            "A last frame needs a first one: give image, too, or leave end_image out."
        )
    has_visible = content.keys() & {"reference_image_urls", "reference_video_urls", *_REFERRING}
    if "reference_audio_urls" in content and not has_visible:
        told = "Venice takes reference_audio_urls only beside a reference image or video"
        raise VeniceError(f"{told}: give one, or leave the sound out.")
    for element in content.get("elements", []):
        if not element.keys() & {"frontal_image_url", "video_url"}:
            told = "Each of the elements needs a frontal_image_url or a video_url"
            raise VeniceError(f"{told}. Correct it.")


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


# --- shared by several tools: sanctum_venice_tools/runtime/film_models.py ---

# The type, in Venice's catalogue, of models that change or enlarge a film.
_CHANGES_FILMS = "video"

# What a model's name tells of its films, and the catalogue does not: some models begin with more
# than their type says.
_BY_NAME = {
    "upscale": "upscale",
    "reference": "reference",
    "transition": "transition",
    "first-last-frame": "transition",
    "multi-angle": "camera",
}

# Fields that only some models take, and a part of the names of these (Venice's skill for films,
# 2026-10-02).
_TAKEN_BY = {
    "camera_trajectory": "multi-angle",
    "elements": "kling",
    "scene_image_urls": "kling",
    "image_references": "pixverse-c1",
    "reference_document_urls": "wan-3-0",
    "voice_id": "grok-imagine-1-5",
    "omni_reference_task_type": "seedance-2-5",
    "bitrate_mode": "seedance-2-",
}

# Fields of which the catalogue does not say who takes them, and how their limits are called.
_REFERRED_TO = {"reference_video_urls": "videos", "reference_audio_urls": "audios"}

# What is taken of each setting, where the caller says nothing and the model has it.
_USUAL = {"duration": "5s", "resolution": "720p", "aspect_ratio": "16:9"}

# What a price depends on, together with the film. The rest is for the queue alone.
_QUOTED = (
    "model",
    "duration",
    "resolution",
    "aspect_ratio",
    "audio",
    "upscale_factor",
    "enhancement_model",
    "target_fps",
    "slowdown_factor",
)

_USUAL_LONGEST_PROMPT = 2500


@dataclass(frozen=True)
class _Fitted:
    """A film as a model takes it."""

    model: _Model
    settings: dict[str, Any]
    quoted: dict[str, Any]
    """What its price is asked with."""
    notes: list[str]
    """What was chosen for the caller."""
    limits: dict[str, Any]
    """What else the model's films may be like."""


def _pick_film_model(named: str, wish: _Wish, listed: list[_Listed] | None = None) -> _Model:
    """The caller's model, else the operator's for such films, else one of Venice's that fits.

    Of these its own example goes first. Where Venice has been asked for its film models already,
    they are `listed`.
    """
    usual = f"wan-2.5-preview-{wish.made_of}-to-video"
    setting = _setting_of(wish)
    if named:
        # It is taken at its word: what it lacks is told by its own limits.
        return _pick_model("video", named, setting=setting, usual=usual)
    if listed is None:
        listed = _list_models("video")
    fits = functools.partial(_makes, wish, listed)
    # Of models that are alike, one that takes reference videos of such a length goes first.
    listed = sorted(listed, key=lambda model: bool(_misfit_of_length(model["id"], wish.references)))
    return _pick_model("video", "", setting=setting, usual=usual, fits=fits, listed=listed)


def _setting_of(wish: _Wish) -> str:
    """The operator's setting for such films."""
    begins_with = "image" if wish.made_of in ("camera", "transition") else wish.made_of
    return f"VENICE_{begins_with.upper()}_TO_VIDEO_MODEL"


def _makes(wish: _Wish, listed: list[_Listed], model: dict[str, Any]) -> bool:
    """Whether a model of those listed makes films like the one that is wanted."""
    if not _begins_with(model, wish) or _too_many_references(model["id"], wish.references):
        return False
    if "audio_url" in wish.content and not _takes_sound(model, listed):
        return False
    return all(_takes(model, field) for field in _fields_of(wish))


def _begins_with(model: dict[str, Any], wish: _Wish) -> bool:
    """Whether a model begins with what is given.

    Of the models that begin with a picture, Venice refuses a last frame to those that know none,
    and does not list which do; the operator's is believed.
    """
    basis = _basis_of(model)
    if wish.made_of == "transition" and basis == "image":
        operators = os.environ.get(_setting_of(wish), "").strip()
        return model["id"].lower() in _spellings(operators)
    return basis == wish.made_of


def _basis_of(model: dict[str, Any]) -> str:
    """What a model's films begin with."""
    told = _told_by_name(model["id"])
    if told:
        return told
    limits = _limits_in(model["model_spec"])
    model_type = str(limits.get("model_type", ""))  # such as text-to-video
    basis, _, _ = model_type.partition("-")
    return basis


def _told_by_name(model: str) -> str:
    """What a model's films begin with, where its name tells; else nothing."""
    name = model.lower()
    for word, basis in _BY_NAME.items():
        if word in name:
            return basis
    return ""


def _fields_of(wish: _Wish) -> list[str]:
    """The fields of a film beside those that every model has."""
    fields = [*wish.content, *wish.rare]
    if wish.made_of == "reference" and wish.references.seconds and not wish.references.videos:
        fields.append("reference_video_urls")  # a quote tells only how long they are
    return fields


def _takes(model: dict[str, Any], field: str) -> bool:
    """Whether a model takes a field, as far as that is known."""
    if field == "video_references":
        return bool(_limits_in(model["model_spec"]).get("per_reference_audio"))
    if field in _REFERRED_TO:
        return _takes_references(model["id"], _REFERRED_TO[field])
    return _TAKEN_BY.get(field, "") in model["id"]


def _takes_sound(model: dict[str, Any], listed: list[_Listed]) -> bool:
    """Whether a model takes a sound for its film (Venice's skill for films, 2026-10-02).

    Where the list tells it of no model, any may.
    """
    taking = [one["id"] for one in listed if _limits_in(one["model_spec"]).get("audio_input")]
    return not taking or model["id"] in taking


def _fit(chosen: _Model, wish: _Wish) -> _Fitted:
    """The film that is wanted as this model takes it; an error that says what it lacks."""
    limits = _limits_of(chosen, wish)
    if not wish.is_quote:
        _check_content(chosen.id, limits, wish.content)
    _check_references(chosen.id, wish.references)
    _check_enhancement(chosen.id, limits, wish.rare)
    settled = _settle(chosen.id, limits, wish.settings)

    settings = settled.film | wish.rare
    notes = [*chosen.notes, *settled.notes]

    quoted = {name: value for name, value in settings.items() if name in _QUOTED}
    if wish.references.images:
        quoted["reference_image_count"] = wish.references.images
    if wish.references.seconds is not None:
        quoted["reference_video_total_duration"] = wish.references.seconds
        notes.append(_tell_of(wish.references))
    if limits.get("model_type") == _CHANGES_FILMS:
        quoted["video_url"] = _film_to_change(wish.content)
    return _Fitted(chosen, settings, quoted, notes, limits)


def _limits_of(chosen: _Model, wish: _Wish) -> dict[str, Any]:
    """What a model's films may be like, by the catalogue, as far as /video/queue takes it.

    A film that is changed or enlarged keeps its length: its durations are "Auto". One that is
    enlarged has a factor, and its resolutions are "2x" and the like. Seedance may keep the shape,
    and 2.5 the length, of a reference video; the catalogue does not say so.
    """
    limits = dict(_limits_in(chosen.spec))
    durations = _list_of(limits.get("durations"))
    limits["durations"] = [one for one in durations if str(one).lower() != "auto"]
    if _told_by_name(chosen.id) == "upscale":
        limits["resolutions"] = []

    has_reference_video = wish.references.seconds is not None
    if has_reference_video and chosen.id.endswith("reference-to-video-basic"):
        limits["aspect_ratios"] = [*_listed(limits, "aspect_ratio"), "adaptive", "auto"]
        if chosen.id.startswith("seedance-2-5"):
            limits["durations"].append("auto")
    return limits


def _limits_in(spec: dict[str, Any]) -> dict[str, Any]:
    """What the catalogue says of a model's films."""
    return _object_of(spec.get("constraints"))


def _film_to_change(content: dict[str, Any]) -> str:
    """The film that is changed or enlarged, on whose length the price depends."""
    if "video_url" not in content:
        ways = "give it, as video, or for a quote in options as video_url"
        raise VeniceError(f"The price depends on the film: {ways}.")
    return str(content["video_url"])


def _check_content(name: str, limits: dict[str, Any], content: dict[str, Any]) -> None:
    """Refuse a prompt that is too long for a model, and media that it does not begin with."""
    _check_prompt(name, limits, content)
    if _told_by_name(name) == "transition" and "end_image_url" not in content:
        told = f"{name} makes films from a first frame to a last"
        raise VeniceError(f"{told}: give end_image, or leave model out.")
    has_frame = "image_url" in content or "end_image_url" in content
    if name.startswith("minimax-h3") and "reference" in name and has_frame:
        raise VeniceError(f"{name} takes references alone: leave image and end_image out.")
    if name.startswith("kling-v3-4k-reference") and "image_url" not in content:
        raise VeniceError(f"{name} needs a first frame: give image, or leave model out.")

    basis = str(limits.get("model_type", "")).removesuffix("-to-video")
    has_media = any(_is_visible(field) for field in content)
    if basis == "text" and has_media:
        told = f"{name} makes films of words alone"
        raise VeniceError(f"{told}: leave the media out, or leave model out.")
    if basis in ("image", "video") and not has_media:
        raise VeniceError(f"{name} makes films of a given {basis}: give one, or leave model out.")


def _check_prompt(name: str, limits: dict[str, Any], content: dict[str, Any]) -> None:
    """Refuse a prompt that is missing or too long.

    Who enlarges a film or moves the camera needs none.
    """
    most = limits.get("prompt_character_limit") or _USUAL_LONGEST_PROMPT
    needs_none = _told_by_name(name) in ("upscale", "camera")
    if "prompt" not in content and not needs_none:
        raise VeniceError(f"The prompt must have 1 to {most} characters. Say what is to be seen.")
    for field in ("prompt", "negative_prompt"):
        if len(content.get(field, "")) > most:
            raise VeniceError(f"The {field} must have 1 to {most} characters. Shorten it.")


def _is_visible(field: str) -> bool:
    """Whether a field of the content is a picture or film, or a list of such."""
    return field != "audio_url" and ("_url" in field or field in _LISTS)


def _check_enhancement(name: str, limits: dict[str, Any], rare: dict[str, Any]) -> None:
    """Refuse a way of enhancing that a model does not list."""
    topaz = _object_of(limits.get("topaz"))
    listed = [str(one) for one in _list_of(topaz.get("models"))]
    wanted = rare.get("enhancement_model")
    if wanted and listed and wanted not in listed:
        told = f"{name} has no enhancement_model {wanted!r:.40}"
        raise VeniceError(f"{told}: it has {', '.join(listed)}. Choose so, or leave it out.")


@dataclass(frozen=True)
class _Settled:
    """The settings that decide on a price, each said outright."""

    film: dict[str, Any]
    notes: list[str]
    """What was chosen for the caller."""


def _settle(name: str, limits: dict[str, Any], wanted: dict[str, Any]) -> _Settled:
    """The settings of a film, so that what is quoted is what is queued."""
    film: dict[str, Any] = {"model": name}
    chosen = []
    for field, usual in _USUAL.items():
        choices = _listed(limits, field)
        asked = wanted.get(field) or ""
        value = _read_setting(name, field, str(asked).strip(), choices)
        if not value and choices:
            value = usual if usual in choices else choices[0]
        if value:
            film[field] = value
        if choices and value != asked:
            chosen.append(f"{field}: {value}")

    notes = [f"Chosen for you: {', '.join(chosen)}."] if chosen else []
    is_loud = wanted.get("audio", True)
    if limits.get("audio_configurable"):
        film["audio"] = is_loud
    elif not is_loud:
        _check_silence(name, limits)
    if is_loud:
        notes += _tell_silence(name, limits)
    return _Settled(film, notes)


def _check_silence(name: str, limits: dict[str, Any]) -> None:
    """Refuse a film without sound, if a model makes none such."""
    if limits.get("audio"):
        raise VeniceError(f"{name} always makes sound. Leave audio out, or choose another model.")


def _tell_silence(name: str, limits: dict[str, Any]) -> list[str]:
    """A note, if a model makes no sound.

    Whether a film that is changed keeps its own, the catalogue does not tell.
    """
    is_new = limits.get("model_type") != _CHANGES_FILMS
    if limits.get("audio") is False and is_new:
        return [f"{name} makes no sound."]
    return []


def _listed(limits: dict[str, Any], field: str) -> list[str]:
    """What a model lists of a setting; where it has one choice, it may be a bare text."""
    listed = limits.get(f"{field}s") or []
    return [listed] if isinstance(listed, str) else listed


def _read_setting(name: str, field: str, asked: str, choices: list[str]) -> str:
    """The choice that is meant, if it is one of the model's; nothing, if none was asked for."""
    if not asked:
        return ""
    value = _as_choice_of(field, asked, choices)
    if not choices and field == "resolution" and _told_by_name(name) == "upscale":
        raise VeniceError(f"{name} takes no {field}, but the option upscale_factor: 1, 2 or 4.")
    if not choices:
        raise VeniceError(f"{name} takes no {field}: leave it out, or choose another model.")
    if value not in choices:
        told = f"{name} has no {field} {value!r:.40}: it has {', '.join(choices)}"
        raise VeniceError(f"{told}. Choose so, or another model.")
    return value


def _as_choice_of(field: str, asked: str, choices: list[str]) -> str:
    """What was asked for, as a model's choices are written."""
    if field == "aspect_ratio" and choices:
        return _fit_ratio(asked, choices)
    seconds = _SECONDS.fullmatch(asked)
    if field == "duration" and seconds:
        return _as_listed(f"{seconds[1]}s", choices)
    return _as_listed(asked, choices)


# --- shared by several tools: sanctum_venice_tools/runtime/money.py ---

# Approvals do not hold everywhere, so there is a limit also where the operator sets none.
_USUAL_LIMIT_USD = 5.0

# 12, 1.50
_AMOUNT = re.compile(r"[0-9]{1,6}(\.[0-9]+)?")


def _read_price(quote: Any) -> float:
    """The price in Venice's answer to a question for it, in USD."""
    quoted = _object_of(quote).get("quote")
    price = _number_of(quoted)
    if isinstance(quoted, str) and _AMOUNT.fullmatch(quoted):
        price = float(quoted)
    if price is None or price < 0:
        raise VeniceError(
            "Venice named no price, so nothing was bought. Try again once, then tell the person."
        )
    return price


def _limit_usd() -> float | None:
    """The most that one call may cost, in USD; None, if the operator wants no limit."""
    setting = os.environ.get("VENICE_MAX_USD", "").strip()
    if not setting:
        return _USUAL_LIMIT_USD
    if setting.lower() == "none":
        return None
    if not _AMOUNT.fullmatch(setting):
        fault = "VENICE_MAX_USD is no number of dollars"
        form = "It must be written as 1.50, with a point and no sign; or as none, for no limit"
        raise VeniceError(f"{fault}. {form}. Ask the operator; nothing was spent.")
    return float(setting)


def _check_price(usd: float, *, is_least: bool) -> None:
    """Refuse what costs more than the operator allows (VENICE_MAX_USD).

    Of a price that is only the least, twice as much must be allowed: else a person has to decide.
    """
    limit = _limit_usd()
    if limit is None:
        return
    if usd > limit:
        price = f"This costs {usd:g} USD, and the operator allows {limit:g} a call (VENICE_MAX_USD)"
        ways = "choose something shorter or cheaper, or ask the operator"
        raise VeniceError(f"{price}. Nothing was spent: {ways}.")
    if is_least and usd > limit / 2:
        price = f"This costs {usd:g} USD or more, for reference videos may be longer than you said"
        limits = f"That is above half of the {limit:g} USD that are allowed a call (VENICE_MAX_USD)"
        ways = "to store the videos as MP4 files, which are measured, or to raise that limit"
        raise VeniceError(f"{price}. {limits}, so nothing was spent: ask the person {ways}.")


# --- shared by several tools: sanctum_venice_tools/runtime/jobs.py ---

_MADE = {"video": "video", "audio": "music"}

_CONFLICT = 409  # Venice's question whether a person consents

# What is longer than this is none of Venice's ids, and no address of its films.
_LONGEST_ID = 300

_LONGEST_ADDRESS = 6000

_LONGEST_POLICY = 3000

# How an address begins.
_BEGINS_AS_ADDRESS = re.compile("https?://.")


@dataclass(frozen=True)
class _Job:
    """A film or sound that was bought."""

    kind: str
    """"video" or "audio"."""
    model: str
    queue_id: str
    url: str = ""
    """Its download address, if it has one of its own."""


def _quote(kind: str, body: dict[str, Any]) -> float:
    """What Venice asks for such a film ("video") or sound ("audio"), in USD; free to ask."""
    told, _ = _call("POST", f"/{kind}/quote", json=body)
    return _read_price(told)


def _queue(
    kind: str, body: dict[str, Any], price: float, *, is_least: bool = False
) -> dict[str, Any]:
    """Buy a job, unless it is too dear: its string and price, or what a person must consent to.

    From the request on it may be paid: whatever Venice answers, the caller gets the job or all that
    was said.
    """
    _check_price(price, is_least=is_least)
    _media_folder()
    reply = _send("POST", f"/{kind}/queue", json=body, also=_CONFLICT)
    content = _read_what_comes(reply)
    answer = _object_of(_parse_reply(content))
    if reply.status_code == _CONFLICT:
        return _ask_for_consent(answer)

    asked_model = _text_of(body.get("model"))
    job = _read_sold(answer, kind, asked_model)
    if not job:
        said = _reason(content.decode(errors="replace"))
        raise VeniceError(f"Venice's answer leads to no job. It said: {said}; {_CHARGED}")
    after = f"In a minute or two, call venice_retrieve_{_MADE[kind]} with this job."
    return {"job": _job_string(job), "cost_usd": price, "next": after}


def _read_sold(answer: dict[str, Any], kind: str, asked_model: str) -> _Job | None:
    """The job in Venice's answer to a purchase, or one level down in it; None, if it has none."""
    one_level_down = _object_of(answer.get("data"))
    for told in (answer, one_level_down):
        queue_id = _read_id(told.get("queue_id"))
        if queue_id:
            model = _read_id(told.get("model")) or asked_model
            url = _read_address(told.get("download_url"))
            return _Job(kind, model, queue_id, url)
    return None


def _read_id(value: Any) -> str:
    """An id of Venice's; a number is taken as its text."""
    is_number = _number_of(value) is not None
    told = str(value) if is_number else _text_of(value)
    if len(told) > _LONGEST_ID:
        return ""
    return told


def _read_address(value: Any) -> str:
    """The address of a film, in signs that can stand in a job string; nothing, if it is none."""
    address = quote(_text_of(value), safe=":/?#[]@!$&*+,;=%", errors="replace")
    if len(address) > _LONGEST_ADDRESS or not _BEGINS_AS_ADDRESS.match(address):
        return ""
    return address


def _ask_for_consent(told: dict[str, Any]) -> dict[str, Any]:
    """What to show to a person, whose consent Venice wants.

    It is theirs to give: no tool has a way to send it.
    """
    error = told.get("error")
    reason = _text_of(error) or _text_of(_object_of(error).get("message"))
    policy = _text_of(_object_of(told.get("consent")).get("policy_text"))
    faces = _list_of(told.get("face_media_roles"))
    how = _text_of(told.get("docs_url"))
    return _given(
        status="needs_consent: nothing was queued, nothing was spent",
        reason=reason[:500],
        policy=policy[:_LONGEST_POLICY],
        faces_in=[_text_of(role)[:40] for role in faces[:40]],
        how=how[:500],
        next=(
            "Show the policy to the person, word for word. Only they can consent, at Venice, "
            "as the page under how says; then the same call works. "
            "Or use media without a face, or another model."
        ),
    )


def _job_string(job: _Job) -> str:
    """All that leads to the file of a job, on one line."""
    parts = [f"venice-{job.kind}", _as_part(job.model), _as_part(job.queue_id)]
    if job.url:
        parts.append(job.url)
    return "|".join(parts)


def _as_part(name: str) -> str:
    """A name as it stands in a job string."""
    quoted = quote(name, safe="/:", errors="replace")
    # A full stop or colon at the end would be taken for one of the sentence around.
    if quoted.endswith((".", ":")):
        code = ord(quoted[-1])
        return f"{quoted[:-1]}%{code:X}"
    return quoted


# --- shared by several tools: sanctum_venice_tools/runtime/offers.py ---

_MOST_QUOTES = 24

_MOST_SECONDS = 40

# Of Venice's answers, those that say something of one model, and nothing of the next. A model that
# does not fit is found out here, before anything is sent: its error has no status.
_OF_ONE_MODEL = (None, 400, 403, 404, 500, 503)


@dataclass(frozen=True)
class _Offer:
    """A film as one model would make it, for a price in USD."""

    fitted: _Fitted
    price: float


def _cheapest(wish: _Wish) -> _Fitted:
    """The film that is wanted, as the model makes it that asks least for it."""
    offers = _ask_for_offers(wish)
    first, *others = sorted(offers, key=lambda offer: offer.price)
    note = f"The cheapest of {len(offers)} models that fit, at {first.price:g} USD"
    if others:
        note += f"; then {others[0].fitted.model.id:.80} at {others[0].price:g}"
    model = _chosen({"id": first.fitted.model.id, "model_spec": first.fitted.model.spec})
    return replace(first.fitted, model=model, notes=[*first.fitted.notes, f"{note}."])


def _ask_for_offers(wish: _Wish) -> list[_Offer]:
    """What the models that fit ask for such a film; an error, if none of them makes it."""
    until = time.monotonic() + min(_MOST_SECONDS, _seconds_left() / 2)
    offers: list[_Offer] = []
    told = "none of them begins with what was given"
    for model in _candidates(wish):
        if len(offers) == _MOST_QUOTES or time.monotonic() > until:
            break
        try:
            fitted = _fit(model, wish)
            offers.append(_Offer(fitted, _quote("video", fitted.quoted)))
        except VeniceError as error:
            if error.status not in _OF_ONE_MODEL:
                raise
            told = str(error)
    if not offers:
        raise VeniceError(
            f"Of Venice's models, none makes such a film. The last that was looked at: {told}"
        )
    return offers


def _candidates(wish: _Wish) -> list[_Model]:
    """The models that make such films and can be had, those that Venice recommends first.

    Where the one that would be taken without this wish is private, only private ones are asked.
    """
    listed = _list_models("video")
    usual = _pick_film_model("", wish, listed)
    must_be_private = _is_private(usual.spec)
    found = []
    for model in sorted(listed, key=_rank):
        spec = model["model_spec"]
        is_open = must_be_private and not _is_private(spec)
        if _makes(wish, listed, model) and not spec.get("offline") and not is_open:
            found.append(_Model(model["id"], spec, []))
    return found


# --- shared by several tools: sanctum_venice_tools/runtime/film.py ---


@dataclass(frozen=True)
class _FilmPlan:
    """A film that is settled: what to queue, what to ask the price of, and what to say of it."""

    model: _Model
    body: dict[str, Any]
    quoted: dict[str, Any]
    notes: list[str]
    limits: dict[str, Any]
    """What else its model's films may be like."""
    price_is_least: bool


def _plan_film(
    model: str,
    settings: dict[str, Any],
    options: dict[str, Any] | None,
    *,
    kind: str = "",
    **content: Any,
) -> _FilmPlan:
    """Settle a film, and say what was chosen on the caller's behalf.

    Content is the prompt and the media. A mere quote has none, and says by `kind` of what the film
    is to be made, as `made_of` of a wish does.
    """
    wish = _read_wish(settings, options, kind, content)
    if wish.is_cheapest and model:
        raise VeniceError("Give a model, or the option choose, and not both: one of them decides.")
    fitted = _cheapest(wish) if wish.is_cheapest else _fit(_pick_film_model(model, wish), wish)

    body = fitted.settings | wish.content
    if len(json.dumps(body)) > _MOST_MB_TOGETHER << 20:
        raise VeniceError(_TOO_LARGE)
    references = wish.references
    price_is_least = references.seconds is not None and not references.are_measured
    return _FilmPlan(fitted.model, body, fitted.quoted, fitted.notes, fitted.limits, price_is_least)


# --- the tool: sanctum_venice_tools/tools/venice_queue_video.py ---


@_read_as_meant
def venice_queue_video(
    *,
    prompt: str,
    image: str = "",
    end_image: str = "",
    reference_images: list[str] | None = None,
    video: str = "",
    duration: str = "",
    resolution: str = "",
    aspect_ratio: str = "",
    audio: bool = True,
    model: str = "",
    options: dict[str, Any] | None = None,
) -> str:
    """Have a film made from words, a picture or a film. Takes minutes.

    Costs 0.1 to 10 dollars: see venice_quote_video. Then call venice_retrieve_video.

    Args:
        prompt: What is to be seen, how it moves, what is heard.
        image: First frame: a stored file, public URL or "attached".
        end_image: Last frame.
        reference_images: People or things to appear.
        video: A film to change.
        duration: Such as "5s".
        resolution: Such as "720p".
        aspect_ratio: Such as "16:9".
        audio: False: silent, for less.
        model: Best left out.
        options: choose ("cheapest"), negative_prompt, upscale_factor (enlarges video), target_fps,
            grain, image_strength, camera_trajectory, keyframes, elements, scene_image_urls,
            image_references, video_references, reference_video_urls (_audio_, _document_),
            audio_url, voice_id, bitrate_mode, omni_reference_task_type.

    Returns:
        JSON: job (keep it: only it leads to the film), cost_usd, model, notes.
    """
    settings = {
        "duration": duration,
        "resolution": resolution,
        "aspect_ratio": aspect_ratio,
        "audio": audio,
    }
    plan = _plan_film(
        model,
        settings,
        options,
        prompt=prompt.strip(),
        image_url=image,
        end_image_url=end_image,
        reference_image_urls=_without_nothing(reference_images),
        video_url=video,
    )
    queued = _queue("video", plan.body, _quote("video", plan.quoted), is_least=plan.price_is_least)
    return _answer(**queued, model=plan.model.id, notes=plan.notes)
