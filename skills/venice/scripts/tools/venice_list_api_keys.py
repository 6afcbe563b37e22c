# venice_list_api_keys: a Letta tool, made from sanctum_venice_tools/tools/venice_list_api_keys.py.
# It needs httpx and VENICE_API_KEY. Read it from the end: the tool is the last function, and each
# part above it serves those below.
import gc
import sys

# Letta evaluates string arguments before a call ("1.10" would arrive as "1.1") and loads its whole
# server to do so. Hiding that module from this process keeps arguments as they were sent, and a
# call four times faster.
sys.modules.setdefault("letta.functions.ast_parsers", None)  # type: ignore[arg-type]

import ast
import functools
import json
import math
import os
import re
import time
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import partial, wraps
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Literal, get_args, get_origin
from urllib.request import getproxies

import httpx

# The process ends with this call, so what is loaded by now is never garbage. Not looking through it
# saves a fifth of the call's time in Letta's sandbox.
if __name__ == "__main__":
    gc.freeze()


# --- shared by several tools: sanctum_venice_tools/runtime/replies.py ---


def _list_of(value: Any) -> list[Any]:
    """A list, or an empty one."""
    return value if isinstance(value, list) else []


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


# --- shared by several tools: sanctum_venice_tools/runtime/keys.py ---

_ASK_FOR_ADMIN = (
    "Ask the operator whether VENICE_API_KEY is an ADMIN key, for only such a key may do this."
)

_NEEDS_ADMIN = {401: _ASK_FOR_ADMIN, 403: _ASK_FOR_ADMIN}

_UNKNOWN_KEY = "There is no key of that id. venice_list_api_keys without key_id shows the ids."

_IF_UNKNOWN = {400: _UNKNOWN_KEY, 404: _UNKNOWN_KEY}  # Venice says 400 where others say 404


# --- shared by several tools: sanctum_venice_tools/runtime/account.py ---

# Kinds of limits, as Venice writes them.
_LIMITS = {"RPM": "requests_per_minute", "RPD": "requests_per_day", "TPM": "tokens_per_minute"}


def _account_page(path: str, *, advice: dict[int, str] | None = None, **content: Any) -> Any:
    """A page of the account, as the JSON that it is; `advice` by status goes before the usual."""
    usual = {**_NEEDS_ADMIN, 404: "Check the names.", 504: "Ask for fewer days."}
    page, _ = _call("GET", path, advice={**usual, **(advice or {})}, **content)
    return page


def _trim(node: Any) -> Any:
    """The same with each text cut to what names, ids and moments have at most."""
    if isinstance(node, dict):
        return {name[:80]: _trim(value) for name, value in node.items()}
    if isinstance(node, list):
        return [_trim(value) for value in node]
    if isinstance(node, str):
        return node[:80]
    return node


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


# --- the tool: sanctum_venice_tools/tools/venice_list_api_keys.py ---

_MOST_ADDRESSES = 5  # of a key that is bound to them

_MOST = 12  # keys, and kinds of limit hits, in one answer

_ID_OF_KEY = re.compile(r"[\w-]{1,40}", re.ASCII)


def _describe(key: dict[str, Any], *, in_full: bool) -> dict[str, Any]:
    """What a person may know of a key; the secret itself is nowhere in it."""
    consumption = key["consumptionLimits"]
    limits = _given(limit_usd=consumption.get("usd"), limit_diem=consumption.get("diem"))
    spent = (key.get("usage") or {}).get("trailingSevenDays") or {}
    networks = _list_of(key.get("ipAllowlist"))
    told = _given(
        id=key["id"],
        description=key.get("description"),
        last_six=key["last6Chars"],
        key_type=key["apiKeyType"],
        **limits,
        limit_period=key["limitPeriod"] if limits else None,
        model_privacy=key["modelPrivacy"] if key["modelPrivacy"] != "ALL" else None,
        ip_allowlist=networks[:_MOST_ADDRESSES],
        last_used=key["lastUsedAt"] or "never",
        expires=key["expiresAt"],
        spent_7_days=_given(usd=spent.get("usd"), diem=spent.get("diem")),
    )
    if in_full:
        told |= _given(created=key["createdAt"], spent_this_period=key.get("currentPeriodUsage"))
    return told


@dataclass(frozen=True)
class _Limit:
    """A limit of a model, as a key ran into it."""

    key_id: str
    model: str
    kind: str


def _sum_hits(log: list[dict[str, Any]], names: dict[str, str]) -> list[dict[str, Any]]:
    """How often each key hit which limit of a model, the latest first."""
    times: dict[_Limit, list[str]] = {}
    for hit in log:
        limit = _Limit(hit["apiKeyId"], hit["modelId"], hit["rateLimitType"])
        times.setdefault(limit, []).append(hit["timestamp"])

    summed: list[dict[str, Any]] = [
        {
            "key": names.get(limit.key_id) or limit.key_id,
            "model": limit.model,
            "limit": _LIMITS.get(limit.kind, limit.kind.lower()),
            "hits": len(found),
            "last": max(found),
        }
        for limit, found in times.items()
    ]
    summed.sort(key=lambda row: row["last"], reverse=True)
    return summed[:_MOST]


def _find_key(key_id: str) -> dict[str, Any]:
    """The key of an id."""
    # What is no id may be a key, or the way to another page: it must not get into an address, nor
    # into an error.
    if not _ID_OF_KEY.fullmatch(key_id):
        raise VeniceError(_UNKNOWN_KEY)
    page = _account_page(f"/api_keys/{key_id}", advice=_IF_UNKNOWN)
    found: dict[str, Any] = _trim(page["data"])
    if found.get("id") != key_id:
        raise VeniceError(_UNKNOWN_KEY)
    return found


def _search_keys(query: str) -> list[dict[str, Any]]:
    """The keys that have a text in one of their fields, last used first."""
    part = query.strip().lower()
    listed = _trim(_account_page("/api_keys")["data"])
    found = [key for key in listed if _has_part(key, part)]
    return sorted(found, key=lambda key: key["lastUsedAt"] or "", reverse=True)


def _has_part(key: dict[str, Any], part: str) -> bool:
    """Whether one of a key's fields has a text in it."""
    fields = ("description", "id", "apiKeyType", "last6Chars")
    return any(part in (key.get(field) or "").lower() for field in fields)


@_read_as_meant
def venice_list_api_keys(
    *, query: str = "", key_id: str = "", with_limit_hits: bool = False
) -> str:
    """See the account's API keys: their descriptions, limits, last use and spending; or one of them in full.

    Free; it needs an ADMIN key. A key itself is never shown, only its last six characters.

    Args:
        query: Only keys with this in their description, id, type or last six characters.
        key_id: The id of one key, from an earlier answer, to see all about it; query is then not
            used.
        with_limit_hits: True to see which of these keys lately ran into limits, and with which
            models.

    Returns:
        JSON: keys, last used first (id, description, last_six, key_type, limit_usd, limit_period
            (EPOCH is a day), ip_allowlist (the first of the only networks from which it works),
            last_used, expires, spent_7_days); limit_hits (key, model, limit, hits, last); notes.
    """
    found = [_find_key(key_id)] if key_id else _search_keys(query)
    notes = []
    if not found:
        notes.append("No key fits: give a shorter query, or none.")
    more = len(found) - _MOST
    if more > 0:
        notes.append(
            f"{more} more keys: give a part of a description, or last characters, as query."
        )

    hits = []
    if with_limit_hits:
        names = {key["id"]: key.get("description") or "" for key in found}
        log = _trim(_account_page("/api_keys/rate_limits/log")["data"])
        is_of_all = not query and not key_id
        theirs = [hit for hit in log if is_of_all or hit["apiKeyId"] in names]
        hits = _sum_hits(theirs, names)
        if not hits:
            notes.append("None of the last 50 limit hits is theirs.")

    keys = [_describe(key, in_full=bool(key_id)) for key in found[:_MOST]]
    return _answer(keys=keys, limit_hits=hits, notes=notes)
