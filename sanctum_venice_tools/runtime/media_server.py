"""The operator's media server, if there is one: tools put there what they make."""

import functools
import os
from typing import Any

import httpx

from sanctum_venice_tools.runtime.replies import _object_of, _parse_reply, _text_of
from sanctum_venice_tools.runtime.venice import (
    _BAD_PROXY,
    _REDIRECTS,
    _SIGNS,
    VeniceError,
    _failed,
    _guard_connection,
    _http_url,
    _no_way,
    _open_client,
    _redirected,
    _seconds_left,
    _sendable,
    _whole,
)


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
