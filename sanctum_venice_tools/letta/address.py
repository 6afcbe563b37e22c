"""The address of a Letta server, as people write it."""

import re

import httpx

# What the address of the server's API ends with, but not a host of that name.
_API = re.compile(r"(?<!/)/v1/?$")


def server_url(given: str) -> str:
    """The address without /v1 at its end: the client adds that itself."""
    return _API.sub("", given.strip()).rstrip("/")


def is_address(url: str) -> bool:
    """Whether a server can be asked at an address."""
    try:
        parts = httpx.URL(url)
    except httpx.InvalidURL:
        return False
    has_port = parts.port is None or 0 < parts.port < 65_536
    return parts.scheme in {"http", "https"} and bool(parts.host) and has_port
