"""The way that requests take from this machine: the environment's proxies and certificates."""

import os
from typing import Any

import httpx

from sanctum_venice_tools.host_names import OWN_NAMES

# What runs on this machine is not to be reached through somebody's proxy.
_WITHOUT_PROXY = [f"all://{name}" for name in OWN_NAMES]
_HERE = [name.strip("[]") for name in OWN_NAMES]


class NetworkSettingsError(Exception):
    """The environment's proxies or certificates can't be used; one line that says what to do.

    A library's own words are not passed on: they may hold a proxy's password.
    """

    def __init__(self) -> None:
        super().__init__(
            "The proxy or certificate settings of this environment (HTTPS_PROXY, HTTP_PROXY, "
            "ALL_PROXY, NO_PROXY, SSL_CERT_FILE) can't be used: correct them"
        )


def is_here(host: str | None) -> bool:
    """Whether a host is this machine, by the names that are asked without a proxy."""
    return host in _HERE


def past_proxies() -> dict[str, str]:
    """What keeps from a proxy what a program that we start asks of this machine.

    The operator's own list is kept. All stands under both names, for programs read either first.
    """
    kept = os.environ.get("no_proxy") or os.environ.get("NO_PROXY") or ""
    # Many programs take a star for every host only where it is all that the list has.
    names = kept if kept == "*" else ",".join(filter(None, [kept, *_HERE]))
    return {"NO_PROXY": names, "no_proxy": names}


def make_client(kind: type[httpx.Client] = httpx.Client, **settings: Any) -> httpx.Client:
    """A client that goes the way which the environment prescribes.

    Raises:
        NetworkSettingsError: There is no such way.
    """
    try:
        return kind(mounts=dict.fromkeys(_WITHOUT_PROXY), **settings)
    except (httpx.InvalidURL, ImportError, OSError, ValueError):
        raise NetworkSettingsError from None
