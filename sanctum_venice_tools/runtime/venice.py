"""The call to Venice: address, key, deadline, careful repeats, and errors that a model can act on."""

import functools
import json
import os
import re
import time
from itertools import takewhile
from typing import Any

import httpx


class VeniceError(Exception):
    """What the agent reads when a call fails: one line that ends with what to do next."""


# Letta ends a tool after 180 s without a word; by ending earlier, a tool can still say how to go on.
_DEADLINE = time.monotonic() + float(os.environ.get("VENICE_TOOL_SECONDS") or 120)

_FRAME = ("error", "message", "details", "_errors", "issues")
_ADVICE = {
    400: "Correct the arguments and call again.",
    401: "Ask the operator to check VENICE_API_KEY: it is wrong, or its plan lacks this.",
    402: "Ask the operator to add credit at venice.ai or to raise this key's limit; do not repeat the call.",
    403: "This key or region may not do that; ask the operator.",
    413: "Send something smaller.",
    422: "Venice refused the content: change it before you call again.",
}


@functools.cache
def _client() -> httpx.Client:
    """The way to Venice, with the operator's key."""
    key = os.environ.get("VENICE_API_KEY", "").strip()
    if not re.fullmatch(r"[!-~]+", key):
        raise VeniceError("VENICE_API_KEY is not set, or is no key. Ask the operator to set this agent's secret.")
    url = os.environ.get("VENICE_BASE_URL") or "https://api.venice.ai/api/v1"
    return httpx.Client(base_url=url, headers={"Authorization": f"Bearer {key}"})


def _send(method: str, path: str, *, unknown: str = "", **content: Any) -> httpx.Response:
    """Send a request and return Venice's good reply, its body unread; `unknown` is the advice for a 404.

    Repeats only what surely started no work (429, 503), and at most twice: work is paid, and failures block keys.
    """
    for tries_left in (2, 1, 0):
        limits = {"connect": 10.0, "pool": 10.0, "write": 60.0, "read": max(_DEADLINE - time.monotonic(), 1.0)}
        request = _client().build_request(method, path, extensions={"timeout": limits}, **content)
        try:
            reply = _client().send(request, stream=True)
            limits["read"] = 50.0  # a reply that has begun and then is silent for so long is dead
            if reply.is_success and "html" not in reply.headers.get("content-type", ""):
                return reply
            reply.read()
        except httpx.HTTPError as error:
            raise _lost(request, error) from None
        pause = _pause(reply)
        if not tries_left or pause > _DEADLINE - time.monotonic() - 5:
            break
        time.sleep(pause)
    raise _refusal(reply, unknown)


def _call(method: str, path: str, **content: Any) -> tuple[Any, httpx.Headers]:
    """Send a request; return the JSON of Venice's reply, and its headers."""
    reply = _send(method, path, **content)
    try:
        in_time = takewhile(lambda _: time.monotonic() < _DEADLINE, reply.iter_bytes())
        return json.loads(b"".join(in_time)), reply.headers
    except httpx.HTTPError as error:
        raise _lost(reply.request, error) from None
    except ValueError:
        raise VeniceError(f"Venice's reply to {method} {path} is not whole JSON. Try again later.") from None


def _lost(request: httpx.Request, error: httpx.HTTPError) -> VeniceError:
    """The error for a request that got no whole reply."""
    if isinstance(error, httpx.ConnectError | httpx.ConnectTimeout | httpx.UnsupportedProtocol):
        return VeniceError(f"Venice cannot be reached at '{request.url.host}'; nothing was sent. Try again later.")
    what = "took too long" if isinstance(error, httpx.TimeoutException) else "dropped the connection"
    effect = (
        "nothing was charged. Try"
        if request.method == "GET"
        else "it may be carried out and charged. Ask before you try"
    )
    return VeniceError(f"Venice {what}; {effect} again.")


def _refusal(reply: httpx.Response, unknown: str) -> VeniceError:
    """The error for a reply that is not a good one: Venice's own reason, then what to do."""
    try:
        body = reply.json()
    except ValueError:
        body = re.findall(r"(?is)<title>(.*?)</title>", reply.text) or "no JSON"
    if reply.status_code == 402 and "authOptions" in body:
        body = "no API key arrived"
    status = reply.status_code
    advice = _ADVICE | {404: unknown or "Check the names.", 429: f"Try again in {_pause(reply):.0f} s."}
    return VeniceError(f"Venice answered {status}: {_reason(body)}. {advice.get(status, 'Try again later.')}")


def _reason(body: Any) -> str:
    """What one of Venice's many error bodies says, on one line and without the key."""
    line = " ".join("; ".join(_texts(body)).split()) or "no reason given"
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
    """The tool's reply: a JSON object of those fields that hold something."""
    return json.dumps(_given(**fields), ensure_ascii=False)
