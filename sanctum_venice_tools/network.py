"""The way that requests take from this machine: the environment's proxies and certificates."""

from typing import Any

import httpx


class NetworkSettingsError(Exception):
    """The environment's proxies or certificates can't be used; one line that says what to do.

    A library's own words are not passed on: they may hold a proxy's password.
    """

    def __init__(self) -> None:
        super().__init__(
            "The proxy or certificate settings of this environment (HTTPS_PROXY, ALL_PROXY, "
            "NO_PROXY, SSL_CERT_FILE) can't be used: correct them"
        )


def make_client(kind: type[httpx.Client] = httpx.Client, **settings: Any) -> httpx.Client:
    """A client that goes the way which the environment prescribes.

    Raises:
        NetworkSettingsError: There is no such way.
    """
    try:
        return kind(**settings)
    except (httpx.InvalidURL, ImportError, OSError, ValueError):
        raise NetworkSettingsError from None
