"""What lies at public addresses of the internet; private networks are never asked, by us or on our behalf."""

import ipaddress
import re
import socket
from collections.abc import Iterator
from contextlib import contextmanager

import httpx

from sanctum_venice_tools.runtime.venice import VeniceError, _failed, _guard_connection

# Ranges that are not for everybody (IANA's registries of special addresses), and hosts of clouds that give out secrets.
# Python's own `is_global` differs from version to version.
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

# Of version 6, only this holds addresses of the internet; other ranges can wrap a private one of version 4.
_INTERNET_V6 = ipaddress.ip_network("2000::/3")

# The last parts of names that mean something only within a network.
_LOCAL_NAMES = {"local", "localhost", "internal", "intranet", "lan", "home", "corp", "arpa"}


@contextmanager
def _open_public(url: str, *, trusted: bytes | None = None, method: str = "GET") -> Iterator[httpx.Response]:
    """The good reply of a public URL, its body unread; the address that was checked is the one called.

    The host and port `trusted` are the operator's own, and may be in a private network.
    """
    try:
        for _ in range(4):  # three redirects at most, each checked anew
            target = httpx.URL(url)
            pinned = target.copy_with(host=target.host if target.netloc == trusted else _public_address(target.host))
            headers = {"Host": target.netloc.decode(), "Accept-Encoding": "gzip"}
            extensions = {"sni_hostname": target.host, "trace": _guard_connection}
            # No proxy of the environment: it would look the name up itself.
            client = httpx.Client(timeout=20, trust_env=False)
            with client, client.stream(method, pinned, headers=headers, extensions=extensions) as reply:
                # What is not read but changed is meant where it is: elsewhere it could be something else.
                if reply.has_redirect_location and method == "GET":
                    url = str(target.join(reply.headers["location"]))
                    continue
                if not reply.is_success:
                    raise _failed(f"{url[:80]!r} answered {reply.status_code}. Check the URL.", reply.status_code)
                yield reply
                return
    except (httpx.HTTPError, httpx.InvalidURL, OverflowError):
        raise VeniceError(f"{url[:80]!r} could not be fetched. Check the URL, or try again.") from None
    raise VeniceError(f"{url[:80]!r} redirects too often. Give the final URL.")


def _public_address(host: str) -> str:
    """An address of the host that anybody on the internet could call."""
    try:
        found = {str(entry[4][0]) for entry in socket.getaddrinfo(host, None, proto=socket.IPPROTO_TCP)}
    except (OSError, ValueError):
        raise VeniceError(f"There is no host {host[:80]!r}. Check the URL.") from None
    for address in sorted(found, key=len):
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
    """Whether a reference is a web address, which Venice fetches itself; one in a private network is an error."""
    if not re.match(r"(?i)https?://[^\s/]", reference):
        return False
    _check_public(reference)
    return True


def _check_public(url: str) -> None:
    """Refuse an address that Venice is to fetch for us, if we would not fetch it; names are for Venice to look up."""
    # Browsers, and what reads as they do, end a host at a backslash and decode %31: there it would be another one.
    authority = re.split("[/?#]", url.strip().partition("//")[2], maxsplit=1)[0]
    try:
        host = httpx.URL(url).host.strip("[]").rstrip(".").lower()
    except (httpx.InvalidURL, UnicodeError):
        host = ""
    if not host or re.search(r"[\\%\s]", authority):
        raise VeniceError(f"{url[:80]!r} is no web address. Give one such as https://example.com/page.")
    address = _written_address(host)
    is_local_name = not address and ("." not in host or host.rpartition(".")[2] in _LOCAL_NAMES)
    if is_local_name or (address and not _is_public(address)):
        raise VeniceError(_refuse_private(host))


def _written_address(host: str) -> str:
    """The address that a host is, in any form in which one may be written: 127.0.0.1, 0x7f000001, 2130706433."""
    if re.fullmatch(r"[0-9a-fx.]+", host) and re.match(r"\d", host):
        try:
            return socket.inet_ntoa(socket.inet_aton(host))
        except OSError:
            return ""
    return host if ":" in host else ""
