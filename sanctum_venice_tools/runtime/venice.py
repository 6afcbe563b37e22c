"""The call to Venice: address, key, deadline, careful repeats, and errors that a model can act on."""

import functools
import json
import os
import re
import time
from collections.abc import Iterator
from itertools import takewhile
from typing import Any

import httpx


class VeniceError(Exception):
    """What the agent reads when a call fails: one line that ends with what to do next."""


# Letta ends a tool after 180 s without a word; by ending earlier, a tool can still say how to go on.
_DEADLINE = time.monotonic() + int("".join(re.findall(r"^\d+$", os.environ.get("VENICE_TOOL_SECONDS", ""))) or 120)

_FRAME = ("error", "message", "details", "_errors", "issues")
_ADVICE = {
    400: "Correct the arguments and call again.",
    401: "Ask the operator to check VENICE_API_KEY: it is wrong, or its plan lacks this.",
    402: "Ask the operator to add credit at venice.ai or to raise this key's limit; do not repeat the call.",
    403: "This key or region may not do that; ask the operator.",
    410: "It is gone for good: choose another, or leave it out.",
    413: "Send something smaller.",
    422: "Venice refused the content: change it before you call again.",
}


@functools.cache
def _client() -> httpx.Client:
    """The way to Venice, with the operator's key."""
    key = os.environ.get("VENICE_API_KEY", "").strip()
    if not re.fullmatch(r"[!-~]+", key):
        raise VeniceError("VENICE_API_KEY is not set, or is no key. Ask the operator to set this agent's secret.")
    url = os.environ.get("VENICE_BASE_URL", "").strip() or "https://api.venice.ai/api/v1"
    if not re.fullmatch(r"https?://([\w.-]+|\[[\da-f:]+\])(:\d{1,5})?(/\S*)?", url):
        raise VeniceError("VENICE_BASE_URL is no http address. Ask the operator to correct it.")
    return httpx.Client(base_url=url, headers={"Authorization": f"Bearer {key}"})


def _send(method: str, path: str, *, advice: dict[int, str] = _ADVICE, also: int = 0, **content: Any) -> httpx.Response:
    """Send a request; return Venice's good reply (or one of the status `also`), its body unread.

    Repeats only what surely started no work (429, 503), and at most twice: work is paid, and failures block keys.
    `advice` by status goes before the usual one.
    """
    for tries_left in (2, 1, 0):
        left = max(_DEADLINE - time.monotonic(), 1.0)
        limits = {"connect": min(left, 10.0), "write": min(left, 60.0), "read": left}
        request = _client().build_request(method, path, extensions={"timeout": limits}, **content)
        try:
            reply = _client().send(request, stream=True)
            limits["read"] = min(max(_DEADLINE - time.monotonic(), 1.0), 50.0)  # a longer silence is a dead reply
            good = reply.is_success or reply.status_code == also
            if good and "html" not in reply.headers.get("content-type", ""):
                return reply
            refused = _refusal(reply, _read(reply), advice)
        except httpx.HTTPError as error:
            raise _lost(request, error) from None
        pause = _pause(reply)
        if not tries_left or pause > _DEADLINE - time.monotonic() - 5:
            break
        time.sleep(pause)
    raise refused


def _read(reply: httpx.Response) -> bytes:
    """The body of a reply, as far as it comes in time."""
    return b"".join(takewhile(lambda _: time.monotonic() < _DEADLINE, reply.iter_bytes()))


def _call(method: str, path: str, **content: Any) -> tuple[Any, httpx.Headers]:
    """Send a request; return the JSON of Venice's reply, and its headers."""
    reply = _send(method, path, **content)
    try:
        return json.loads(_read(reply)), reply.headers
    except (httpx.HTTPError, ValueError) as error:
        raise _lost(reply.request, error) from None


def _call_for_file(method: str, path: str, **content: Any) -> tuple[bytes, httpx.Headers]:
    """Send a request; return the bytes of Venice's reply, all of them, and its headers."""
    reply = _send(method, path, **content)
    return b"".join(_pieces(reply)), reply.headers


def _pieces(reply: httpx.Response) -> Iterator[bytes]:
    """The file that a reply is, piece by piece; one that does not come whole, or not in time, is an error."""
    try:
        for piece in reply.iter_bytes():
            if time.monotonic() >= _DEADLINE:
                raise _lost(reply.request, TimeoutError())
            yield piece
    except httpx.HTTPError as error:
        raise _lost(reply.request, error) from None


def _lost(request: httpx.Request, error: Exception) -> VeniceError:
    """The error for a request that got no whole reply."""
    if isinstance(error, httpx.ConnectError | httpx.ConnectTimeout):
        return VeniceError(f"Venice cannot be reached at '{request.url.host}'; nothing was sent. Try again later.")
    is_late = isinstance(error, httpx.TimeoutException) or time.monotonic() >= _DEADLINE
    effect = "it may be charged. Ask the person, or look at venice_report_usage, before you try"
    if request.method == "GET" or request.url.path.endswith(("/quote", "/retrieve", "/complete")):
        effect = "nothing was charged. Try"
    return VeniceError(f"Venice {'took too long' if is_late else 'sent no whole reply'}; {effect} again.")


def _refusal(reply: httpx.Response, content: bytes, advice: dict[int, str]) -> VeniceError:
    """The error for a reply that is not a good one: Venice's own reason, then what to do."""
    status = reply.status_code
    advice = _ADVICE | {404: "Check the names.", 429: f"Try again in {_pause(reply):.0f} s."} | advice
    try:
        body = json.loads(content)
    except ValueError:
        body = content.decode(errors="replace")
        body = re.findall(r"(?is)<title>(.*?)</title>", body) or re.sub(r"<[^>]*>", " ", body)
    if status == 402 and "authOptions" in str(body):
        body, advice[402] = "no API key arrived", advice[401]
    return VeniceError(f"Venice answered {status}: {_reason(body)}. {advice.get(status, 'Try again later.')}")


def _reason(body: Any) -> str:
    """What one of Venice's many error bodies says, on one line and without the key."""
    line = " ".join(re.findall(r"[^\s\x00-\x1f\x7f-\x9f]+", "; ".join(_texts(body)))) or "no reason given"
    return line.replace(os.environ["VENICE_API_KEY"].strip(), "[key]")[:500].rstrip(" .")


def _texts(node: Any, field: str = "") -> list[str]:
    """Every text in one of Venice's many error bodies, each with the field that it speaks of."""
    if isinstance(node, list):
        return [text for item in node for text in _texts(item, field)]
    if isinstance(node, dict):
        return [text for name in node for text in _texts(node[name], field if name in _FRAME else name)]
    return [f"{field}: {node}" if field else str(node)]


def _pause(reply: httpx.Response) -> float:
    """Seconds until Venice will take this request; infinite when repeating it is useless or unsafe."""
    if reply.status_code not in (429, 503):
        return float("inf")
    waits = [2.0]
    for name in ("retry-after", "x-ratelimit-reset-requests", "x-ratelimit-reset-tokens"):
        if re.fullmatch(r"\d+(\.\d+)?", stamp := reply.headers.get(name, "")):
            # A large number is a moment, in seconds or milliseconds since 1970; a small one is a wait.
            moment = float(stamp) / (1000 if float(stamp) > 1e11 else 1)
            waits.append(moment - time.time() if moment > 1e9 else moment)
    return max(waits)


def _given(**fields: Any) -> dict[str, Any]:
    """Those fields that hold something."""
    return {name: value for name, value in fields.items() if value not in (None, "", [], {})}


def _answer(**fields: Any) -> str:
    """The tool's reply: a JSON object of those fields that hold something; emoji that a stream tore are whole again."""
    text = json.dumps(_given(**fields), ensure_ascii=False)
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
