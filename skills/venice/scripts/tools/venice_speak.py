# venice_speak: a Letta tool, made from sanctum_venice_tools/tools/venice_speak.py.
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
import json
import math
import os
import re
import secrets
import struct
import tempfile
import time
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial, wraps
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, BinaryIO, Literal, get_args, get_origin
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


def _call_for_file(method: str, path: str, **content: Any) -> tuple[bytes, httpx.Headers]:
    """Send a request; return the bytes of Venice's reply, all of them, and its headers."""
    reply = _send(method, path, **content)
    return b"".join(_pieces(reply, _MOST_OF_JSON)), reply.headers


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


def _media_type(name: str) -> str:
    """The media type that a file's name, or an ending alone, stands for."""
    form = _format_named(name)
    return form.media_type if form else ""


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


# A program that streams a WAV file can't know its length: it writes 0, or more than any file of
# ours can have.
_LONGEST_WAV = 0x7FFF_0000


@dataclass
class Wav:
    """Where in a WAV file its samples are."""

    form: bytes
    """What its "fmt " chunk says of them."""
    start: int
    length: int
    bytes_a_second: int


def _find_samples(file: BinaryIO) -> Wav:
    """The samples of a WAV file. RIFF: chunks of a name, a length, and so many bytes."""
    end = _end_of(file)
    _riff, riff_length, _wave = _unpack(file, "<4sI4s")
    told_end = 8 + riff_length
    is_streamed = riff_length >= _LONGEST_WAV
    if not is_streamed and told_end > end + 1:  # some leave the last byte out that only fills
        raise ValueError("The WAV file is not whole.")

    form = b""
    name, length = _unpack(file, "<4sI")
    while name != b"data":
        start = file.tell()
        if name == b"fmt ":
            form = _take(file, min(length, 40))
        filled = length + length % 2  # each chunk is filled up to an even number
        file.seek(start + filled)
        name, length = _unpack(file, "<4sI")

    start = file.tell()
    if length == 0 or length >= _LONGEST_WAV:
        length = end - start
    if length == 0 or start + length > end:
        raise ValueError("The WAV file is not whole.")
    return Wav(form, start, length, _bytes_a_second(form))


def _bytes_a_second(form: bytes) -> int:
    """How much sound is a second, by the "fmt " chunk of a WAV file."""
    if len(form) < 16:
        raise ValueError("The WAV file is not whole.")
    fields: tuple[int, ...] = struct.unpack_from("<HHII", form)
    _form, _channels, _samples_a_second, bytes_a_second = fields
    if bytes_a_second == 0:
        raise ValueError("The WAV file has no rate.")
    return bytes_a_second


# By the index in an MP3 frame's header: kbit/s of version 1 (ISO 11172-3), and of versions 2 and
# 2.5 (ISO 13818-3). Indices 0 and 15 stand for nothing that can be read.
_BIT_RATES_1 = (32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320)

_BIT_RATES_2 = (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160)

_SAMPLE_RATES_1 = (44_100, 48_000, 32_000)

# As an MP3 frame's header writes its version. 1 is reserved.
_VERSION_1 = 3

_VERSION_2 = 2

_VERSION_2_5 = 0

_HALVINGS = {_VERSION_1: 0, _VERSION_2: 1, _VERSION_2_5: 2}  # of the sample rates of version 1

# How many frames there are, as some first frames tell: a name, flags of which the last says that
# the number is there, and the number.
_FRAMES_TOLD = re.compile(rb"(?:Xing|Info)...[\x01\x03\x05\x07\x09\x0b\x0d\x0f](....)", re.DOTALL)

# The names of tables of contents.
_TABLE = re.compile(rb"Xing|Info|VBRI")


@dataclass
class Frame:
    """A frame of an MP3 file."""

    start: int
    content: bytes
    seconds: float
    is_table: bool
    """Whether it is a table of contents: no sound, but players learn from it where to jump."""
    frames_told: int
    """How many frames it says there are."""


@dataclass
class FrameHeader:
    """The four bytes before a frame of an MP3 file, as numbers."""

    sync: int
    version: int
    layer: int
    bit_rate_index: int
    sample_rate_index: int
    padding: int


def _mp3_frames(file: BinaryIO) -> Iterator[Frame]:
    """The frames of an MP3 file. Tags may stand before and between them, and others at the end."""
    end = _mp3_end(file)
    place = 0
    frames = 0
    frames_told = 0
    while place < end:
        file.seek(place)
        head = _take(file, 4)
        if head.startswith(b"ID3"):
            place += _tag_length(file, place)
            continue
        frame = _read_frame(file, place, head)
        frames_told = max(frames_told, frame.frames_told)
        if not frame.is_table:
            frames += 1
        yield frame
        place += len(frame.content)

    frames_and_table = frames + 1  # some count the table among the frames
    is_whole = place == end and frames_and_table >= frames_told
    if not is_whole or not frames:
        raise ValueError("The MP3 file is not whole.")


def _mp3_end(file: BinaryIO) -> int:
    """Where the frames of an MP3 file end: an APE tag may follow, and then an ID3v1 tag."""
    end = _end_of(file)
    id3v1_length = 128
    if end > id3v1_length:
        file.seek(end - id3v1_length)
        if _take(file, 3) == b"TAG":
            end -= id3v1_length
    return end - _ape_tag_length(file, end)


def _ape_tag_length(file: BinaryIO, end: int) -> int:
    """The length of the APE tag that ends at a place, by its footer. APEv2."""
    footer_length = 32
    if end <= footer_length:
        return 0
    file.seek(end - footer_length)
    name, _version, length, _items, flags = _unpack(file, "<8sIIII")
    if name != b"APETAGEX":
        return 0
    has_header = flags >> 31  # as long as the footer; the length tells all but this
    return int(length) + (footer_length if has_header else 0)


def _tag_length(file: BinaryIO, place: int) -> int:
    """The length of an ID3v2 tag, 3.1: a header, as many bytes as it tells, and maybe a footer."""
    file.seek(place)
    _name, _version, flags, *sevens = _unpack(file, ">3sHBBBBB")
    length = 0
    for seven in sevens:  # it is told in four times seven bits
        length = length << 7 | seven
    has_footer = flags >> 4 & 1
    around = 20 if has_footer else 10
    return length + around


def _read_frame(file: BinaryIO, place: int, head: bytes) -> Frame:
    """The frame of an MP3 file that begins with these four bytes."""
    header = _read_frame_header(head)
    if header.version == _VERSION_1:
        bit_rates = _BIT_RATES_1
        samples = 1152
    else:
        bit_rates = _BIT_RATES_2
        samples = 576
    bit_rate = bit_rates[header.bit_rate_index - 1] * 1000
    sample_rate = _SAMPLE_RATES_1[header.sample_rate_index] >> _HALVINGS[header.version]
    length = samples // 8 * bit_rate // sample_rate + header.padding

    file.seek(place)
    content = _take(file, length)
    told = _FRAMES_TOLD.search(content[:64])
    return Frame(
        start=place,
        content=content,
        seconds=samples / sample_rate,
        is_table=_TABLE.search(content[:60]) is not None,
        frames_told=int.from_bytes(told[1]) if told else 0,
    )


def _read_frame_header(head: bytes) -> FrameHeader:
    """The header in four bytes, ISO 11172-3, 2.4.1.3; an error, if it is none."""
    bits = int.from_bytes(head)
    header = FrameHeader(
        sync=bits >> 21,
        version=bits >> 19 & 3,
        layer=bits >> 17 & 3,
        bit_rate_index=bits >> 12 & 15,
        sample_rate_index=bits >> 10 & 3,
        padding=bits >> 9 & 1,
    )
    is_layer_3 = header.layer == 1
    has_rates = header.bit_rate_index not in (0, 15) and header.sample_rate_index != 3
    is_known = header.version in _HALVINGS and is_layer_3 and has_rates
    if header.sync != 0x7FF or not is_known:
        raise ValueError("There is something else between the frames of the MP3 file.")
    return header


def _check_adts(file: BinaryIO) -> None:
    """Go through all frames of an AAC file. ADTS, ISO 13818-7, 6.2: headers tell lengths."""
    end = _end_of(file)
    place = 0
    while place < end:
        file.seek(place)
        header = int.from_bytes(_take(file, 7))
        sync = header >> 44
        frame_length = header >> 13 & 0x1FFF
        if sync != 0xFFF or frame_length < 7:
            raise ValueError("There is something else between the frames of the AAC file.")
        place += frame_length
    if place != end or end == 0:
        raise ValueError("The AAC file is not whole.")


def _check_ogg(file: BinaryIO) -> None:
    """Go through all pages of an Ogg file. RFC 3533, 6: the last one is marked."""
    end = _end_of(file)
    place = 0
    flags = 0
    while place < end:
        file.seek(place)
        name, _version, flags, _numbers, segments = _unpack(file, "<4sBB20sB")
        if name != b"OggS":
            raise ValueError("There is something else between the pages of the Ogg file.")
        segment_lengths = _take(file, segments)  # a byte for each
        place = file.tell() + sum(segment_lengths)
    is_last = flags >> 2 & 1
    if place != end or not is_last:
        raise ValueError("The Ogg file is not whole.")


@dataclass
class StreamInfo:
    """What a FLAC file tells of itself. A number that it does not know is 0."""

    block_size: int
    """In samples."""
    largest_frame: int
    """In bytes."""
    samples: int
    """In all."""


# Where a frame of FLAC may start, RFC 9639, 9.1: 15 bits, and how its blocks go.
_FLAC_SYNC = re.compile(rb"\xff[\xf8\xf9]")

_BLOCKS_OF_ONE_SIZE = 0xF8  # the second byte then

# Where the largest frame is not told, the last one is looked for in so many bytes; and never in
# more than that.
_USUAL_FRAME = 2**16

_LARGEST_FRAME = 2**17


def _check_flac(file: BinaryIO) -> None:
    """Look for the last frame of a FLAC file.

    Frames tell no length, but end with a checksum, RFC 9639, 9.
    """
    end = _end_of(file)
    info = _read_stream_info(file)
    metadata_end = file.tell()
    longest = min(info.largest_frame or _USUAL_FRAME, _LARGEST_FRAME)
    file.seek(max(end - longest, metadata_end))
    tail = file.read(longest)

    # Many places look like the start of a frame, but few like that of the last one.
    starts = [found.start() for found in _FLAC_SYNC.finditer(tail)]
    last = [start for start in starts if _may_be_last(tail[start : start + 16], info)]
    is_whole = any(_crc_16(tail[start:]) == 0 for start in last[-8:])
    if not is_whole:
        raise ValueError("The FLAC file is not whole.")


def _may_be_last(header: bytes, info: StreamInfo) -> bool:
    """Whether a FLAC frame goes up to the last sample; or may, where nothing tells their number."""
    samples = _samples_until(header, info)
    is_told = info.samples != 0
    return samples > 0 and (samples == info.samples or not is_told)


def _read_stream_info(file: BinaryIO) -> StreamInfo:
    """Go through the metadata of a FLAC file, RFC 9639, 8: blocks, STREAMINFO first."""
    _signature = _take(file, 4)
    info = b""
    is_last = False
    while not is_last:
        (header,) = _unpack(file, ">I")
        is_last = bool(header >> 31)
        length = header & 0xFF_FFFF
        content_start = file.tell()
        info = info or _take(file, 34)
        file.seek(content_start + length)

    # RFC 9639, 8.2: smallest and largest block, smallest and largest frame, then numbers in 64
    # bits, of which the last 36 are the samples.
    _, block_size, _, frame_high, frame_low, packed = struct.unpack_from(">HH3sBHQ", info)
    largest_frame = frame_high << 16 | frame_low
    samples = packed & 0xF_FFFF_FFFF
    return StreamInfo(block_size, largest_frame, samples)


# By the index in a FLAC frame's header, RFC 9639, 9.1.1: samples in a block. 6 and 7 tell of a
# number further on.
_BLOCK_SIZES = {
    1: 192,
    **{index: 144 << index for index in range(2, 6)},
    **{8 + more: 256 << more for more in range(8)},
}


def _samples_until(header: bytes, info: StreamInfo) -> int:
    """Up to which sample a FLAC frame goes, by its header, RFC 9639, 9.1."""
    header = header.ljust(16, b"\0")  # the last frame may be shorter
    _sync, blocking, indices, _channels = struct.unpack_from(">BBBB", header)
    number = _read_coded_number(header[4:])

    size_index = indices >> 4
    if size_index in (6, 7):  # it stands behind the number, less 1, in one byte or two
        size_start = 4 + number.length
        size_end = size_start + (1 if size_index == 6 else 2)
        block_size = int.from_bytes(header[size_start:size_end]) + 1
    else:
        block_size = _BLOCK_SIZES.get(size_index, 0)

    if blocking == _BLOCKS_OF_ONE_SIZE:  # but for the last one: the number counts them
        return number.value * info.block_size + block_size
    return number.value + block_size


@dataclass
class CodedNumber:
    """A number in the manner of UTF-8, and how many bytes it takes."""

    value: int
    length: int


def _read_coded_number(data: bytes) -> CodedNumber:
    """The number with which bytes begin, RFC 9639, 9.1.5: its leading ones tell its length."""
    first = data[0]
    leading_ones = 8 - (first ^ 0xFF).bit_length()
    more = max(leading_ones - 1, 0)
    value = first & (0x7F >> more)
    for byte in data[1 : 1 + more]:
        value = value << 6 | byte & 0x3F
    return CodedNumber(value, 1 + more)


def _crc_16(data: bytes) -> int:
    """The checksum of a FLAC frame, RFC 9639, 9.3; of a frame with its checksum, it is 0."""
    polynomial = 0x1_8005  # x^16 + x^15 + x^2 + 1
    remainder = 0
    for byte in data:
        remainder ^= byte << 8
        for _ in range(8):
            remainder <<= 1
            if remainder >> 16:
                remainder ^= polynomial
    return remainder


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


def _store(folder: Path, content: bytes | str, title: str, look: Any, *told: str) -> dict[str, Any]:
    """Write a file, whole or not at all, and tell of it.

    Args:
        folder: Where to.
        content: What is in it; a text is base64.
        title: What its name begins with.
        look: Tells the ending of its name, and some numbers; ValueError, if it is not whole.
        told: What these numbers are called.
    """
    try:
        if isinstance(content, str):
            padding = "=="  # more than enough does no harm
            content = base64.b64decode(content + padding)
        ending, *numbers = look(content)
    except ValueError:
        told_of = "Venice sent no whole file of this kind; it may be charged"
        raise VeniceError(f"{told_of}. Tell the person.") from None

    stem = _stem_of(title[:40]) or "file"
    mark = hashlib.sha256(content).hexdigest()[:10]
    path = folder / f"{stem}-{mark}.{ending}"
    with _part_file(folder, advice="Tell the operator.") as part:
        part.write(content)
        _put_in_place(part, path)
    file = {"file": str(path), "type": f"image/{ending}", "bytes": len(content)}
    return {**file, **dict(zip(told, numbers, strict=True))}


# What stands between the words of a title.
_NO_LETTERS = re.compile(r"[^a-z0-9]+")


def _stem_of(title: str) -> str:
    """A title in the letters and digits that a file's name may have anywhere."""
    return _NO_LETTERS.sub("-", title.lower()).strip("-")


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


def _input_cost(spec: dict[str, Any], amount: int, *, digits: int) -> float | None:
    """What a model takes to read so many tokens or characters, in USD; None, if not told."""
    price: float | None = spec.get("pricing", {}).get("input", {}).get("usd")
    if price is None:
        return None
    million = 1e6
    return round(price * amount / million, digits)


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


# --- shared by several tools: sanctum_venice_tools/runtime/money.py ---

# Approvals do not hold everywhere, so there is a limit also where the operator sets none.
_USUAL_LIMIT_USD = 5.0

# 12, 1.50
_AMOUNT = re.compile(r"[0-9]{1,6}(\.[0-9]+)?")


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


# --- shared by several tools: sanctum_venice_tools/runtime/publishing.py ---

# In bytes.
_PIECE = 1 << 16

# What a process has that runs in a container, or in a sandbox of a cloud.
_CONTAINER_FILES = ("/.dockerenv", "/run/.containerenv")

_SANDBOX_VARIABLES = ("E2B_SANDBOX", "MODAL_TASK_ID", "KUBERNETES_SERVICE_HOST")

# How far the arguments of a call are told, in characters and items.
_LONGEST_ARGUMENT = 2000

_MOST_ITEMS = 50


def _published(tool: Callable[..., str]) -> Callable[..., str]:
    """Put the files that a tool tells of on the media server, if any; tell their addresses."""
    return wraps(tool)(partial(_call_and_publish, tool))


def _call_and_publish(tool: Callable[..., str], /, **sent: Any) -> str:
    """A tool's reply, with an address for each file in it.

    What was made is paid: nothing here is an error.
    """
    reply = tool(**sent)
    answer = _object_of(_parse_reply(reply))
    parts = [answer, *_objects_in(answer.get("files"))]
    files = [part for part in parts if part.get("file")]
    if not files:
        return reply
    if not _media_server():
        return _tell_where(reply, answer)
    facts = _facts_of(tool.__name__, sent, answer, len(files))
    notes = []
    for file in files:
        path = Path(file["file"])
        try:
            url = _publish(path, facts)
        except (VeniceError, OSError) as error:
            notes.append(f"{path.name} lies only where the tools run: {error}")
        else:
            file |= {"file": path.name, "url": url, "markdown": _markdown(path.name, url)}
    return _to_json(_noted(answer, notes) if notes else answer)


def _tell_where(reply: str, answer: dict[str, Any]) -> str:
    """The reply, with a warning where a path means nothing to a person, and nobody chose it."""
    is_in_container = any(Path(file).exists() for file in _CONTAINER_FILES)
    is_in_sandbox = any(name in os.environ for name in _SANDBOX_VARIABLES)
    is_chosen = bool(os.environ.get(_folder_setting()))
    if is_chosen or not (is_in_container or is_in_sandbox):
        return reply
    note = (
        "The file lies inside of the container that runs the tools; a person may not find it there."
    )
    return _to_json(_noted(answer, [note]))


def _facts_of(
    tool: str, sent: dict[str, Any], answer: dict[str, Any], count: int
) -> dict[str, Any]:
    """What is told of each of so many files: how it was made, by whom, and for how much."""
    cost = _number_of(answer.get("cost_usd"))
    told = {name: value for name, value in answer.items() if isinstance(value, str | int | float)}
    told.pop("file", None)
    return _given(
        tool=tool,
        agent=os.environ.get("LETTA_AGENT_ID", ""),
        model=_text_of(answer.get("model"))[:200],
        cost_usd=None if cost is None else max(cost, 0) / count,
        arguments=_tidy(sent, _LONGEST_ARGUMENT, _MOST_ITEMS),
        answer=_tidy(told, _LONGEST_ARGUMENT, _MOST_ITEMS),
    )


def _publish(path: Path, facts: dict[str, Any]) -> str:
    """Put a file on the media server; its address there.

    What is there already is not sent again.
    """
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    length = path.stat().st_size
    declared = {"name": path.name, "bytes": length, "sha256": digest, "facts": facts}
    told = _object_of(_ask_media_server("POST", "/files", json=declared))
    if "upload" in told:
        _send_file(path, told["upload"], _upload_headers(told, length))
        told = _object_of(_ask_media_server("POST", told.get("confirm")))
    url = _text_of(told.get("url"))
    if not url:
        raise VeniceError("The media server told no address of it. Tell the operator.")
    return url


def _upload_headers(told: dict[str, Any], length: int) -> dict[str, str]:
    """What to say with the bytes of a file: how many they are, and what the media server asks."""
    headers = {"Content-Length": str(length)}
    for name, value in _object_of(told.get("upload_headers")).items():
        text = _text_of(value)
        if text and f"{name}{text}".isascii():
            headers[name] = text
    return headers


def _send_file(path: Path, place: Any, headers: dict[str, str]) -> None:
    """Send a file to the place that the media server named."""
    address = _address_of(place)
    sent: dict[str, Any] = {"content": _pieces_of(path), "headers": headers}
    try:
        reply = _client_to(address).put(address, **sent, **_in_time())
    except (httpx.HTTPError, *_BAD_PROXY) as error:
        raise _no_media_server(error) from None
    _check_accepted(reply)


def _pieces_of(path: Path) -> Iterator[bytes]:
    """A file, piece by piece."""
    with path.open("rb") as file:
        while piece := file.read(_PIECE):
            yield piece


def _markdown(name: str, url: str) -> str:
    """What shows a file where markdown is shown: a picture itself, of anything else a link."""
    if not _media_type(name).startswith("image/"):
        return f"[{name}]({url})"
    words = name.rpartition("-")[0].replace("-", " ")  # without the mark of its content
    return f"![{words}]({url})"


# --- shared by several tools: sanctum_venice_tools/runtime/speech.py ---

# The end of a sentence ('A fox.', 'A fox?!"', '狐。'), or of a paragraph.
_SENTENCE_END = re.compile(r"[.!?…]+[\"'”’)\]]*(?=\s)|[。！？]|\n(?=\s*\n)")  # noqa: RUF001


def _parts(text: str, most: int) -> Iterator[str]:
    """The text in parts of at most so many characters, each to the end of a sentence or a word."""
    rest = text.strip()
    while rest:
        end = _end_of_part(rest, most)
        yield rest[:end].strip()
        rest = rest[end:].strip()


def _end_of_part(text: str, most: int) -> int:
    """Where the first part of a text ends."""
    head = _head(text, most)
    if len(head) == len(text):
        return len(text)
    sentence_ends = [found.end() for found in _SENTENCE_END.finditer(head)]
    if sentence_ends:
        return sentence_ends[-1]
    spaces = [found.start() for found in re.finditer(r"\s", head)]
    if spaces:
        return spaces[-1]
    return len(head)


def _head(text: str, most: int) -> str:
    """The first characters of a text, counted as Venice does: as in JavaScript, in UTF-16."""
    units = text[:most].encode("utf-16-le", "replace")
    bytes_a_unit = 2
    return units[: most * bytes_a_unit].decode("utf-16-le", "ignore")


@dataclass(frozen=True)
class _Spoken:
    """What came of speaking a text, as far as it came."""

    sound: bytes
    count: int
    """How many parts are in it."""
    fault: str
    """Why the others are not."""


def _speak(body: dict[str, Any], parts: list[str]) -> _Spoken:
    """Speak part after part into one file; what is paid is kept when a later part fails."""
    files: list[bytes] = []
    fault = ""
    for part in parts:
        began = time.monotonic()
        try:
            file, _ = _call_for_file("POST", "/audio/speech", json=body | {"input": part})
            _sound_length(file)
        except (VeniceError, ValueError) as error:
            if not files:
                raise VeniceError(str(error)) from None
            fault = str(error)
            break
        files.append(file)

        now = time.monotonic()
        time_for_another = 1.5 * (now - began) + 5
        if len(files) < len(parts) and _DEADLINE - now < time_for_another:
            fault = "The time for one call was up."
            break
    return _Spoken(_join(files), len(files), fault)


def _join(files: list[bytes]) -> bytes:
    """Sound files of one kind, MP3 or WAV, as one."""
    if len(files) == 1:
        return files[0]
    form = _format_of(files[0])
    if form and form.name == "WAV":
        return _join_wav(files)
    return _join_mp3(files)


def _join_mp3(files: list[bytes]) -> bytes:
    """The frames of several MP3 files, one after the other."""
    sound: list[bytes] = []
    for file in files:
        # The first part's table of contents would let players stop where that part ends.
        sound += [frame.content for frame in _mp3_frames(io.BytesIO(file)) if not frame.is_table]
    return b"".join(sound)


def _join_wav(files: list[bytes]) -> bytes:
    """The samples of several WAV files, after a new header."""
    found = [_find_samples(io.BytesIO(file)) for file in files]
    samples = [
        file[wav.start : wav.start + wav.length] for file, wav in zip(files, found, strict=True)
    ]
    chunks = _chunk(b"fmt ", found[0].form) + _chunk(b"data", b"".join(samples))
    return _chunk(b"RIFF", b"WAVE" + chunks)


def _chunk(name: bytes, content: bytes) -> bytes:
    """A chunk of a RIFF file: its name, its length, its content."""
    return struct.pack("<4sI", name, len(content)) + content


# The kinds of sound whose length is not easily told, and what goes through all of their parts.
_SOUNDS = {"AAC": _check_adts, "FLAC": _check_flac, "Opus": _check_ogg, "Ogg": _check_ogg}


def _sound_length(data: bytes) -> tuple[str, str, float | None]:
    """Kind and type of a sound file that is whole, and how long it plays, where easily told."""
    try:
        return _measure(data)
    except ValueError:
        raise ValueError(
            "Venice sent no whole sound file; it may be charged. Tell the person."
        ) from None


def _measure(data: bytes) -> tuple[str, str, float | None]:
    """As `_sound_length`, but an error says what is wrong with the file."""
    form = _format_of(data)
    if not form:
        raise ValueError("This is no sound.")
    file = io.BytesIO(data)
    seconds = None
    if form.name == "WAV":
        wav = _find_samples(file)
        seconds = round(wav.length / wav.bytes_a_second, 1)
    elif form.name == "MP3":
        played = [frame.seconds for frame in _mp3_frames(file) if not frame.is_table]
        seconds = round(sum(played), 1)
    elif form.name in _SOUNDS:
        _SOUNDS[form.name](file)
    else:
        raise ValueError("This is no sound.")
    return form.endings[0], form.media_type, seconds


# --- shared by several tools: sanctum_venice_tools/runtime/voices.py ---

# Kokoro's voices begin with a letter for their language and one for their gender: bf_emma, jm_kumo.
_PREFIX = re.compile(r"([abefhijpz])([fm])_")

_LANGUAGES = {
    "a": "American English (en)",
    "b": "British English (en)",
    "e": "Spanish (es)",
    "f": "French (fr)",
    "h": "Hindi (hi)",
    "i": "Italian (it)",
    "j": "Japanese (ja)",
    "p": "Brazilian Portuguese (pt)",
    "z": "Mandarin Chinese (zh)",
}

_LANGUAGE_CODES = ("en", "es", "fr", "hi", "it", "ja", "pt", "zh")

_GENDERS = {"f": "female", "m": "male"}

# The parts of a name: Ono_Anna has Ono and Anna, CalmWoman has Calm and Woman, English_2 has
# English and 2.
_NAME_PART = re.compile(r"[^\W\d_][^\W\d_A-Z]*|\d+")

# What people say of a voice, in the words that are known here.
_SYNONYMS = {
    "woman": "female",
    "girl": "female",
    "man": "male",
    "boy": "male",
    "uk": "british",
    "us": "american",
}

_FILLERS = {"a", "an", "the", "voice", "speaker", "accent", "with"}


def _voices_of(spec: dict[str, Any]) -> list[str]:
    """The names of a model's voices."""
    voices: list[str] = spec.get("voices") or []
    return voices


def _default_voice(spec: dict[str, Any]) -> str:
    """The voice that a model names as its usual one, or Venice's default, if the model has it."""
    named: str = spec.get("default_voice") or ""
    if not named and "af_sky" in _voices_of(spec):
        return "af_sky"
    return named


def _kind_of_voice(voice: str) -> str:
    """The language and gender that a voice's name tells, if it does."""
    prefix = _PREFIX.match(voice)
    if not prefix:
        return ""
    language, gender = prefix.groups()
    return f"{_LANGUAGES[language]} {_GENDERS[gender]}"


def _fitting_voices(voices: Iterable[str], wish: str) -> list[str]:
    """The voices that each word of a wish fits, such as "British female", "ja" or "puck".

    All of them, if it has no word.
    """
    words = [word for word in re.findall(r"\w+", wish.lower()) if word not in _FILLERS]
    return [voice for voice in voices if all(_fits_voice(voice, word) for word in words)]


def _fits_voice(voice: str, word: str) -> bool:
    """Whether a word begins the voice's name, or a part of it, or its language or gender.

    A synonym or a code must be such a part: "man" begins "Mandarin", too, and "ja" a name.
    """
    found = _NAME_PART.findall(f"{voice} {_kind_of_voice(voice)}")
    parts = [part.lower() for part in (voice, *found)]
    if word in _SYNONYMS or word in _LANGUAGE_CODES:
        return word in parts or _SYNONYMS.get(word) in parts
    return any(part.startswith(word) for part in parts)


# --- the tool: sanctum_venice_tools/tools/venice_speak.py ---

# As many characters as Venice speaks at a time.
_MOST_AT_A_TIME = 4096

_JOINABLE = ("mp3", "wav")

# How slowly and fast models speak, by the beginnings of their names; the others know no speed
# (Venice's skill for speech, 2026-10-02). The catalogue does not say it.
_SPEEDS = {
    "tts-kokoro": (0.25, 4.0),
    "tts-xai": (0.7, 1.5),
    "tts-elevenlabs-turbo": (0.7, 1.2),
    "tts-minimax": (0.5, 2.0),
}

# Parts of the names of models that take a style (the same skill).
_TAKE_STYLE = ("qwen", "gemini")

# 21m00Tcm4TlvDq8ikWAM
_ELEVENLABS_ID = re.compile(r"[a-zA-Z0-9]{20}")

# Names that an agent may know from OpenAI: what Venice has in their place is its usual.
_OPENAI_MODELS = ("tts-1", "tts-1-hd", "gpt-4o-mini-tts")

_OPENAI_VOICES = (
    "alloy",
    "ash",
    "ballad",
    "cedar",
    "coral",
    "echo",
    "fable",
    "marin",
    "nova",
    "onyx",
    "sage",
    "shimmer",
    "verse",
)


def _choose(model: str, voice: str) -> tuple[_Model, str]:
    """The model and the voice for a wish: a name, or words such as "British female".

    Notes say what was chosen.
    """
    asked = "" if model in _OPENAI_MODELS else model
    chosen = _pick_model("tts", asked, setting="VENICE_SPEECH_MODEL", usual="tts-kokoro")
    if not voice:
        return chosen, _usual_voice(chosen.spec)
    named = _named_voice(chosen.spec, voice)
    if named:
        return chosen, named
    if not asked:
        other = _model_with(voice)
        if other:
            return other, _named_voice(other.spec, voice)
    if voice.lower() in _OPENAI_VOICES:
        return chosen, _usual_voice(chosen.spec)
    return _choose_by_words(chosen, voice)


def _choose_by_words(model: _Model, words: str) -> tuple[_Model, str]:
    """The voice of a model that words fit, and the model with a note that says so."""
    voices = _voices_of(model.spec)
    fitting = _fitting_voices(voices, words)
    if not fitting:
        near = ", ".join(difflib.get_close_matches(words, voices, n=5, cutoff=0.0))
        raise VeniceError(f"{model.id} has no voice {words!r:.40}. Leave it out, or use: {near}.")
    voice, *others = fitting
    note = f"Chose {voice} for {words!r:.40}."
    if others:
        note += f" {', '.join(others[:5])} would fit, too."
    return _Model(model.id, model.spec, [*model.notes, note]), voice


def _model_with(voice: str) -> _Model | None:
    """The first model that has a voice of that name."""
    ranked = sorted(_list_models("tts"), key=lambda model: _rank(model, "tts-chatterbox-hd"))
    for model in ranked:
        spec = model["model_spec"]
        if not spec.get("offline") and _named_voice(spec, voice):
            return _chosen(
                model, [f"Took the model {model['id']}, which has the voice {voice:.40}."]
            )
    return None


def _named_voice(spec: dict[str, Any], wanted: str) -> str:
    """The model's voice of that name, in any case, or "af_alloy" for "alloy"; nothing, if none.

    Cloned voices, and all that ElevenLabs has, are in no list.
    """
    name = wanted.lower()
    if name.startswith("vv_") and spec.get("voice_cloning"):
        return wanted
    if spec.get("supports_custom_voice_id") and _ELEVENLABS_ID.fullmatch(wanted):
        return wanted
    for voice in _voices_of(spec):
        if voice.lower() == name or voice.endswith(f"_{name}"):
            return voice
    return ""


def _usual_voice(spec: dict[str, Any]) -> str:
    """The voice that a model has when nobody asks for one."""
    voices = [*_voices_of(spec), ""]
    return _default_voice(spec) or voices[0]


def _check(text: str, speed: float, style: str, language: str) -> None:
    """Refuse what Venice would."""
    if not text.strip():
        raise VeniceError("Give a text: there is none to be spoken.")
    if not 0.25 <= speed <= 4:
        raise VeniceError(f"Give a speed of 0.25 to 4, not {speed:g}; 1 is the usual one.")
    if len(style) > 500:
        raise VeniceError(f"Give a style up to 500 characters; this one has {len(style):,}.")
    if language and not 2 <= len(language) <= 32:
        raise VeniceError(
            f"Give a language of 2 to 32 characters, such as 'en', not {language!r:.40}."
        )


def _format_for(spec: dict[str, Any], wanted: str) -> str:
    """The format that is wanted, if the model speaks in it; else the model's own."""
    offered = spec.get("supported_formats") or [wanted]
    if wanted in offered:
        return wanted
    usual: str = spec.get("default_format") or offered[0]
    return usual


def _price_of(spec: dict[str, Any], parts: list[str]) -> float | None:
    """What a model takes to speak these parts, in USD; None, if it is not told."""
    characters = sum(len(part) for part in parts)
    return _input_cost(spec, characters, digits=6)


def _takes_style(name: str, spec: dict[str, Any]) -> bool:
    """Whether a model can be told how to speak."""
    is_known_to = any(part in name for part in _TAKE_STYLE)
    return is_known_to or bool(spec.get("supportsPromptParam"))


def _model_with_style() -> str:
    """The first model that can be told how to speak; nothing, if there is none now."""
    ranked = sorted(_list_models("tts"), key=lambda model: _rank(model, "tts-qwen3-1-7b"))
    for model in ranked:
        spec = model["model_spec"]
        if not spec.get("offline") and _takes_style(model["id"], spec):
            name: str = model["id"]
            return name
    return ""


def _check_style(style: str, model: _Model) -> None:
    """Refuse a style that a model would not heed."""
    if not style or _takes_style(model.id, model.spec):
        return
    other = _model_with_style()
    ways = f"leave it out, or use the model {other}" if other else "leave it out"
    raise VeniceError(f"{model.id} takes no style: {ways}.")


def _tell_speed(model: str, wanted: float) -> list[str]:
    """A note, if a model does not speak at the speed that is wanted."""
    if wanted == 1:
        return []
    speeds = _speeds_of(model)
    if not speeds:
        return [f"{model} knows no speed: it speaks at its own."]
    slowest, fastest = speeds
    if slowest <= wanted <= fastest:
        return []
    return [f"{model} speaks at speeds of {slowest:g} to {fastest:g}: it took the nearest."]


def _speeds_of(model: str) -> tuple[float, float] | None:
    """How slowly and how fast a model speaks; None, if it knows no speed."""
    for beginning, speeds in _SPEEDS.items():
        if model.startswith(beginning):
            return speeds
    return None


def _note_change(notes: list[str], name: str, wanted: str, used: str) -> None:
    """Note that something else was used than what was asked for, if nothing tells that yet."""
    is_told = any(used in note for note in notes)
    if wanted and wanted != used and not is_told:
        notes.append(f"Used {name} {used} for {wanted:.80}.")


@_published
@_read_as_meant
def venice_speak(
    *,
    text: str,
    voice: str = "",
    model: str = "",
    speed: float = 1.0,
    format: Literal["mp3", "wav", "flac", "opus", "aac"] = "mp3",  # noqa: A002 - Venice's own name
    style: str = "",
    language: str = "",
) -> str:
    """Speak a text of any length into one sound file.

    Costs about 1 cent for 3,000 characters, up to 60 with other models.

    Args:
        text: What to say, without markup.
        voice: Such as af_heart, am_adam, bf_emma, bm_george.
        model: Best left out.
        speed: 0.25 to 4.
        format: Only mp3 and wav hold over 4,096 characters.
        style: Such as "Sad and slow."; only Qwen, Gemini.
        language: If it gets it wrong: "en"; "English" for Qwen, MiniMax.

    Returns:
        JSON: file, url, seconds, voice, model, cost_usd, notes; next, if a part is left.
    """
    _check(text, speed, style, language)
    folder = _media_folder()
    chosen, speaker = _choose(model.strip(), voice.strip())
    spec = chosen.spec
    kind = _format_for(spec, format)
    parts = list(_parts(text, _MOST_AT_A_TIME))
    if len(parts) > 1 and kind not in _JOINABLE:
        raise VeniceError(
            f"Venice speaks 4,096 characters at a time; {kind} can't be joined: use mp3 or wav."
        )
    _check_style(style, chosen)

    price = _price_of(spec, parts)
    if price is not None:
        _check_price(price, is_least=False)

    body = _given(
        model=chosen.id,
        voice=speaker,
        response_format=kind,
        prompt=style,
        language=language,
        speed=speed,
    )
    spoken = _speak(body, parts)

    notes = [*chosen.notes]
    _note_change(notes, "model", model, chosen.id)
    _note_change(notes, "voice", voice, speaker)
    _note_change(notes, "format", format, kind)
    notes += _tell_speed(chosen.id, speed)
    next_step = ""
    if spoken.fault:
        notes.append(f"Only {spoken.count} of {len(parts)} parts are in the file: {spoken.fault}")
        rest = parts[spoken.count][:60]
        next_step = f"Call again with the text from {rest!r} on, for a second file."
    return _answer(
        **_store(folder, spoken.sound, text, _sound_length, "type", "seconds"),
        voice=speaker,
        model=chosen.id,
        cost_usd=_price_of(spec, parts[: spoken.count]),
        notes=notes,
        next=next_step,
    )
