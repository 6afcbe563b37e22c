"""The way to a Letta server, and what a failure of it means, in one line."""

import contextlib
import functools
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

import httpx
from letta_client import (
    APIConnectionError,
    APIError,
    APIStatusError,
    APITimeoutError,
    DefaultHttpxClient,
    Letta,
)

from sanctum_venice_tools.letta.reading import ReplyError
from sanctum_venice_tools.network import make_client

# The largest tool is written in 0.2 s; a server that needs longer than this for an answer is stuck.
# The client tries a request three times, where that is safe, and everything that the pack writes
# may be written twice.
_SECONDS = 20.0
_CONNECT_SECONDS = 5.0

_NONE: Mapping[str, str] = {}


class _ClosingClient(DefaultHttpxClient):
    """Closes itself with its last user, as the client does that Letta's own would make."""

    def __del__(self) -> None:
        with contextlib.suppress(Exception):  # while Python ends, nothing is certain to be there
            self.close()


class _HttpClient(_ClosingClient):
    """Ends each request in its time, however slowly the answer drips.

    httpx counts only from one piece to the next.
    """

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self._time = threading.local()  # requests run side by side, each in a thread

    def send(self, request: httpx.Request, **settings: Any) -> httpx.Response:
        """Send a request; what comes of it is read in the same thread."""
        allowed = request.extensions["timeout"]["read"]
        self._time.is_up_at = time.monotonic() + allowed
        request.extensions["trace"] = self._hold_connection
        return super().send(request, **settings)

    def _hold_connection(self, event: str, info: dict[str, Any]) -> None:
        """Hold each read of a new connection to the time of the request at hand."""
        if event.endswith(("connect_tcp.complete", "start_tls.complete")):
            stream = info["return_value"]
            stream.read = functools.partial(self._read_in_time, stream.read)

    def _read_in_time(
        self, read: Callable[..., bytes], size: int, timeout: float | None = None
    ) -> bytes:
        left = self._time.is_up_at - time.monotonic()
        if left <= 0:
            raise httpx.ReadTimeout("the time of the request is up")
        return read(size, timeout=min(left, timeout or left))


class Client(Letta):
    """Letta's client; with "" for a key it sends none.

    By itself it would send a header that is none, and for None take LETTA_API_KEY, which may be
    another server's.

    Raises:
        NetworkSettingsError: The environment's proxies or certificates can't be used.
    """

    def __init__(self, **settings: Any) -> None:
        if "http_client" not in settings:
            settings["http_client"] = make_client(_ClosingClient)
        super().__init__(**settings)

    @property
    def auth_headers(self) -> dict[str, str]:
        """What tells the server who asks."""
        return super().auth_headers if self.api_key else {}


def connect(base_url: str, api_key: str = "") -> Letta:
    """A client of the server; nothing is sent yet.

    Raises:
        NetworkSettingsError: The environment's proxies or certificates can't be used.
    """
    timeout = httpx.Timeout(_SECONDS, connect=_CONNECT_SECONDS)
    hooks = [_refuse_moved_write, _refuse_web_page]
    http_client = make_client(_HttpClient, event_hooks={"response": hooks})
    return Client(base_url=base_url, api_key=api_key, timeout=timeout, http_client=http_client)


class _MovedError(httpx.RemoteProtocolError):
    """A server sends elsewhere what is to be written."""


def _refuse_moved_write(response: httpx.Response) -> None:
    """Follow no redirect that makes a reading of a writing.

    It would be answered well, and nothing would be written.
    """
    is_write = response.request.method not in {"GET", "HEAD"}
    if is_write and response.status_code in {301, 302, 303}:
        raise _MovedError("moved")


def _refuse_web_page(response: httpx.Response) -> None:
    """Take the page of a proxy or of another program for what it is: no answer.

    The client would take it as data.
    """
    if response.is_success and response.headers.get("content-type", "").startswith("text/html"):
        raise httpx.RemoteProtocolError("a web page")


def address_of(base_url: str) -> str:
    """A server's address for a person to read, without a password that may stand in it."""
    return str(httpx.URL(base_url).copy_with(username=None, password=None)).rstrip("/")


def is_refusal(error: APIError) -> bool:
    """Whether nothing was done for sure: other failures leave it open.

    It tells of one try only: of several, an earlier one may have been carried out.
    """
    match error:
        case APIStatusError(status_code=httpx.codes.REQUEST_TIMEOUT):
            return False  # a proxy says that, too, which gave up waiting for the server
        case APIStatusError():
            return error.status_code < httpx.codes.INTERNAL_SERVER_ERROR
        case APIConnectionError(__cause__=_MovedError()):
            return True
    return False


def explain(error: APIError, secrets: Mapping[str, str] = _NONE) -> str:
    """What went wrong, in one line.

    Of a refusal only its own words are shown, without the secrets and the key that the request
    carried: it may repeat what was sent.

    Args:
        error: The failure.
        secrets: What may not be shown, by the names that stand in its place.
    """
    match error:
        case ReplyError():
            return str(error)
        case APITimeoutError():
            return "the server did not answer in time"
        case APIConnectionError(__cause__=_MovedError()):
            return "it is at another address: set LETTA_BASE_URL to where this one redirects"
        case APIConnectionError():
            return "the server dropped the connection, or is not Letta"
        case APIStatusError():
            words = _words(error.body, {**secrets, "LETTA_API_KEY": _key_of(error)})
            told = f"the server answered {error.status_code}"
            return f"{told}: {words}" if words else told
    return type(error).__name__


def _key_of(error: APIError) -> str:
    """The key that a request carried; "", where it carried none."""
    carried: str = error.request.headers.get("authorization", "")
    return carried.removeprefix("Bearer ")


def _words(body: Any, secrets: Mapping[str, str]) -> str:
    """The reason that the body of a refusal states, without the secrets."""
    if not isinstance(body, dict):
        return ""
    if isinstance(body.get("error"), dict):
        # So Letta tells what went wrong at an agent's model.
        body = body["error"]
    for name in ("detail", "message", "error"):
        stated = body.get(name)
        if isinstance(stated, str):
            line = " ".join(stated.split())
            # Before it is cut: no part of a secret may be left.
            for secret, value in secrets.items():
                line = line.replace(value, f"[{secret}]") if value else line
            return line[:200]
    return ""
