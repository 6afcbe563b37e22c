# venice_ask_web: a Letta tool, made from sanctum_venice_tools/tools/venice_ask_web.py.
# It needs httpx and VENICE_API_KEY. Read it from the end: the tool is the last function, and each
# part above it serves those below.
import gc
import sys

# Letta evaluates string arguments before a call ("1.10" would arrive as "1.1") and loads its whole
# server to do so. Hiding that module from this process keeps arguments as they were sent, and a
# call four times faster.
sys.modules.setdefault("letta.functions.ast_parsers", None)  # type: ignore[arg-type]

import ast
import difflib
import functools
import hashlib
import html
import json
import math
import os
import re
import secrets
import time
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
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


def _sweep(folder: Path) -> None:
    """Take away the part files of processes that were killed: those that are a day old."""
    a_day_ago = time.time() - _DAY
    for part in folder.glob(".*.part"):
        with suppress(OSError):  # another process may be faster
            if part.stat().st_mtime < a_day_ago:
                part.unlink()


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


# --- shared by several tools: sanctum_venice_tools/runtime/text.py ---

# A tag of HTML: <p>, </a>, <br/>
_TAG = re.compile(r"<[^<>]+>")

# &#12345678; stands for nothing: no character has such a number, and Python reads none so long.
_ENDLESS_NUMBER = re.compile(r"&#[0-9]{8,};?")


@dataclass(frozen=True)
class _Page:
    """A page of the web, as Venice tells of it; its title and content are plain text."""

    title: str
    url: str
    date: str
    content: str


def _read_page(told: dict[str, Any]) -> _Page:
    """A page out of Venice's reply."""
    return _Page(
        title=_plain(_text_of(told.get("title"))),
        url=_text_of(told.get("url")),
        date=_text_of(told.get("date")),
        content=_plain(_text_of(told.get("content"))),
    )


def _name_page(page: _Page) -> dict[str, Any]:
    """What a reply tells of a page beside its content."""
    return {"title": page.title[:80], "url": page.url[:1000], "date": page.date[:40] or None}


def _plain(page: str) -> str:
    """The text of a piece of HTML, on one line."""
    text = _TAG.sub("", page)
    text = _ENDLESS_NUMBER.sub("", text)
    text = html.unescape(text)
    return " ".join(text.split())


def _room_of(value: Any) -> int:
    """How many characters a value takes in a reply."""
    return len(json.dumps(value, ensure_ascii=False))


# --- the tool: sanctum_venice_tools/tools/venice_ask_web.py ---

_MOST_SOURCES = 10

_LONGEST_EXCERPT = 300

# What the answer alone, and the answer with its sources, may take of the reply, in characters.
_ROOM_FOR_ANSWER = 6000

_ROOM = 7500

# https://example.com/foxes in "Read https://example.com/foxes.", and its parentheses if both are
# there: https://example.com/fox_(animal) in "(as in https://example.com/fox_(animal))". An
# apostrophe is within a link only where the word goes on.
_LINK = re.compile(
    r"""
    https?://
    ( [^\s<>"'()\[\]] | '(?=\w) | \([^\s<>"()\[\]]*\) )*
    ( [^\s<>"()\[\].,;:!?'] | \([^\s<>"()\[\]]*\) )
    """,
    re.IGNORECASE | re.VERBOSE,
)

_MOST_LINKS = 5

# Venice's two kinds of citation marker: ^1,2^ counts from 1, [REF]0[/REF] from 0.
_CARETS = re.compile(r"\^(\d+(?:\s*,\s*\d+)*)\^")

_REF = re.compile(r"\[REF\](\d+)\[/REF\]")

# A marker in brackets; a year is none.
_MARKER = re.compile(r"\[\d{1,2}\]")

# The space before a marker: "Foxes dig [1]."
_SPACE_BEFORE_MARKER = re.compile(r"\s+(?=\[\d)")

# The space after a sentence, and after a sentence with its markers: "Foxes dig.[1] They hunt."
_AFTER_SENTENCE = re.compile(r"(?<=[.!?])\s+")

_AFTER_CLAIM = re.compile(r"(?<=[.!?\]])\s+")

# What counts in a comparison of two texts: words of some length, and numbers.
_WORD = re.compile(r"\w{4,}|\d+")


def _bracket_markers(text: str) -> str:
    """The text with all citation markers written as [1][2]."""
    text = _REF.sub(_bracket_ref, text)
    return _CARETS.sub(_bracket_carets, text)


def _bracket_ref(marker: re.Match[str]) -> str:
    """[1] for [REF]0[/REF]."""
    number = int(marker[1]) + 1
    return f"[{number}]"


def _bracket_carets(marker: re.Match[str]) -> str:
    """[1][2] for ^1, 2^."""
    numbers = marker[1].split(",")
    return "".join(f"[{number.strip()}]" for number in numbers)


def _linked_pages(question: str) -> list[_Page]:
    """The pages that a question links to.

    Venice reads them in place of a search, and cites nothing when it did not search (its skill for
    chats, 73c0bf7): nobody tells what it read.
    """
    links = dict.fromkeys(found[0] for found in _LINK.finditer(question))
    return [_Page(title="", url=link, date="", content="") for link in [*links][:_MOST_LINKS]]


def _tell_no_pages(answer: str, *, all_came: bool) -> str:
    """What to note of an answer without pages: that there are none, or did not come."""
    if all_came and not _MARKER.search(answer):
        return "No page was found or needed: this is the model's own knowledge."
    return "The sources of this answer, if it has any, did not come: say so, or ask once more."


def _fitting(answer: str) -> str:
    """As much of an answer as can be shown: 5,000 characters, fewer where some take more room."""
    length = 5000
    while _room_of(answer[:length]) >= _ROOM_FOR_ANSWER:
        length -= 100
    return answer[:length]


def _list_sources(answer: str, pages: list[_Page]) -> list[dict[str, Any]]:
    """The pages that the answer cites, each with its number and text; all, if it cites none."""
    numbers = range(1, len(pages) + 1)
    cited = [number for number in numbers if f"[{number}]" in answer]
    listed = [*(cited or numbers)][:_MOST_SOURCES]
    sources = [{"number": number, **_name_page(pages[number - 1])} for number in listed]
    while sources and _room_of([answer, sources]) > _ROOM:
        sources.pop()

    left = _ROOM - _room_of([answer, sources])
    for source in sources:
        around = 20  # what the excerpt's name and quotes take
        share = left // len(sources) - around
        longest = min(max(share, 0), _LONGEST_EXCERPT)
        number = source["number"]
        excerpt = _excerpt(pages[number - 1].content, _claim(answer, number))
        source["excerpt"] = excerpt[:longest]
    return sources


def _claim(answer: str, number: int) -> str:
    """The sentences of an answer that a source is to support; all of it, if it is not cited."""
    # A marker belongs to the words before it.
    closed_up = _SPACE_BEFORE_MARKER.sub("", answer)
    sentences = _AFTER_CLAIM.split(closed_up)
    cited = [sentence for sentence in sentences if f"[{number}]" in sentence]
    return " ".join(cited) or answer


def _excerpt(page: str, claim: str) -> str:
    """The two sentences of a page that share most words and numbers with the claim they support."""
    words = _words_of(claim)
    sentences = _AFTER_SENTENCE.split(page)
    shared = [len(words & _words_of(sentence)) for sentence in sentences]
    best = shared.index(max(shared))
    return " ".join(sentences[best : best + 2])


def _words_of(text: str) -> set[str]:
    """The words and numbers of a text."""
    return set(_WORD.findall(text.lower()))


@_read_as_meant
def venice_ask_web(
    *, question: str, search: Literal["on", "auto"] = "on", read_urls: bool = False, model: str = ""
) -> str:
    """Ask the web, and get an answer with its sources.

    For what memory may get wrong: news, prices, people. Costs 2 cents.

    Args:
        question: All of it, with names and dates: nothing else is seen.
        search: "auto" lets the model decide.
        read_urls: True reads the question's links instead, at most 5, 1 cent each.
        model: Best left out.

    Returns:
        JSON: answer, in which [1] marks what source 1 supports; sources (number, title, url, date,
            excerpt).
    """
    if not question.strip():
        raise VeniceError("The question is empty. Say what is to be found out.")
    chosen = _pick_model("text", model, setting="VENICE_CHAT_MODEL", needs="supportsWebSearch")
    body: dict[str, Any] = {
        "model": chosen.id,
        "messages": [{"role": "user", "content": question}],
        "venice_parameters": {
            "enable_web_search": search,
            "enable_web_citations": True,
            "enable_web_scraping": read_urls,
            # Else a stream has none.
            "include_search_results_in_stream": True,
        },
    }
    # Some models think hard by default; putting search results into words needs little of that.
    efforts = chosen.spec.get("capabilities", {}).get("reasoningEffortOptions") or []
    if "low" in efforts:
        body["reasoning_effort"] = "low"
    chat = _chat(body)

    notes = [*chosen.notes]
    said = chat.answers[0]
    notes += _tell_cut(
        said.ending,
        chat.fault,
        "The answer broke off before its end; ask something narrower for the rest.",
    )
    pages = [_read_page(told) for told in chat.sources]
    answer = _bracket_markers(said.text)
    if read_urls and not pages:
        pages = _linked_pages(question)
        if pages:
            notes.append("Venice read these links in place of a search, as far as it could.")
    if not pages:
        all_came = said.ending == "stop" and chat.is_whole
        notes.append(_tell_no_pages(answer, all_came=all_came))
    shown = _fitting(answer)
    if shown != answer:
        answer = shown.rsplit(" ", 1)[0] + " ..."
        notes.append(
            "The answer was shortened to 5,000 characters; ask something narrower for the rest."
        )
    return _answer(
        answer=answer,
        sources=_list_sources(answer, pages),
        model=chosen.id,
        cost_usd=chat.cost_usd,
        notes=notes,
    )
