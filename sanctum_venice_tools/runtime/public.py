"""What lies at public addresses; private networks are never asked, by us or on our behalf."""

import ipaddress
import re
import socket
from collections.abc import Iterator
from contextlib import contextmanager

import httpx

from sanctum_venice_tools.runtime.media_server import _is_on_media_server
from sanctum_venice_tools.runtime.venice import VeniceError, _failed, _guard_connection

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


@contextmanager
def _open_public(
    url: str, *, trusted: bytes | None = None, method: str = "GET"
) -> Iterator[httpx.Response]:
    """The good reply of a public URL, its body unread.

    The host and port `trusted` are the operator's own, and may be in a private network.
    """
    try:
        for _ in range(4):  # three redirects at most, each checked anew
            with _ask_public(url, trusted, method) as reply:
                # What is not read but changed is meant where it is: elsewhere it could be something
                # else.
                if reply.has_redirect_location and method == "GET":
                    url = str(httpx.URL(url).join(reply.headers["location"]))
                    continue
                _check_found(url, reply)
                yield reply
                return
    except (httpx.HTTPError, httpx.InvalidURL, OverflowError):
        told = f"{url[:80]!r} could not be fetched. Check the URL, or try again."
        raise _failed(told, 0) from None
    raise VeniceError(f"{url[:80]!r} redirects too often. Give the final URL.")


@contextmanager
def _ask_public(url: str, trusted: bytes | None, method: str) -> Iterator[httpx.Response]:
    """Whatever a public URL replies; the address that was checked is the one called."""
    target = httpx.URL(url)
    is_trusted = target.netloc == trusted
    address = target.host if is_trusted else _public_address(target.host)
    pinned = target.copy_with(host=address)
    headers = {"Host": target.netloc.decode(), "Accept-Encoding": "gzip"}
    extensions = {"sni_hostname": target.host, "trace": _guard_connection}
    # No proxy of the environment: it would look the name up itself.
    client = httpx.Client(timeout=20, trust_env=False)
    with client, client.stream(method, pinned, headers=headers, extensions=extensions) as reply:
        yield reply


def _check_found(url: str, reply: httpx.Response) -> None:
    """Refuse a reply of a public URL that is not a good one."""
    if reply.is_success:
        return
    status = reply.status_code
    may_pass = status in (408, 429) or status >= 500
    advice = "Try again later" if may_pass else "Check the URL"
    raise _failed(f"{url[:80]!r} answered {status}. {advice}.", status)


def _public_address(host: str) -> str:
    """An address of the host that anybody on the internet could call."""
    try:
        entries = socket.getaddrinfo(host, None, proto=socket.IPPROTO_TCP)
    except (OSError, ValueError) as error:
        if isinstance(error, socket.gaierror) and error.errno == socket.EAI_AGAIN:
            told = f"{host[:80]!r} could not be looked up. Try again later."
            raise _failed(told, 0) from None
        raise VeniceError(f"There is no host {host[:80]!r}. Check the URL.") from None
    addresses = {str(place[0]) for _family, _type, _protocol, _name, place in entries}
    for address in sorted(addresses, key=len):
        if _is_public(address):
            return address
    raise VeniceError(_refuse_private(host))


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
