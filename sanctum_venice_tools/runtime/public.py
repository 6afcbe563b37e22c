"""What lies at public addresses of the internet; private networks are never asked."""

import ipaddress
import socket
from collections.abc import Iterator
from contextlib import contextmanager

import httpx

from sanctum_venice_tools.runtime.venice import VeniceError


@contextmanager
def _open_public(url: str, *, trusted: bytes | None = None, method: str = "GET") -> Iterator[httpx.Response]:
    """The good reply of a public URL, its body unread; the address that was checked is the one called.

    The host and port `trusted` are the operator's own, and may be in a private network.
    """
    try:
        for _ in range(4):  # three redirects at most, each checked anew
            target = httpx.URL(url)
            pinned = target.copy_with(host=target.host if target.netloc == trusted else _public_address(target.host))
            headers, names = {"Host": target.netloc.decode()}, {"sni_hostname": target.host}
            # No proxy of the environment: it would look the name up itself.
            client = httpx.Client(timeout=20, trust_env=False)
            with client, client.stream(method, pinned, headers=headers, extensions=names) as reply:
                if reply.has_redirect_location:
                    url = str(target.join(reply.headers["location"]))
                    continue
                if not reply.is_success:
                    raise VeniceError(f"{url[:80]!r} answered {reply.status_code}. Check the URL.")
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
        ip = ipaddress.ip_address(address)
        # Version 6 has ways to wrap a private version 4 address; only its plain range is taken.
        wrapped = isinstance(ip, ipaddress.IPv6Address) and (int(ip) >> 125 != 1 or ip.sixtofour or ip.teredo)
        if ip.is_global and not ip.is_multicast and not wrapped:
            return address
    raise VeniceError(f"{host[:80]!r} is in a private network; only public URLs are fetched.")
