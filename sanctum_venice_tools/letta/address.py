"""The address of a Letta server, as people write it."""

import re

# What the address of the server's API ends with, but not a host of that name.
_API = re.compile(r"(?<!/)/v1/?$")


def server_url(given: str) -> str:
    """The address without /v1 at its end: the client adds that itself."""
    return _API.sub("", given.strip()).rstrip("/")
