"""Runs a media server until it is told to stop."""

import logging
import os
import signal
import socket
import sys
import threading
from collections.abc import Callable, Sequence
from urllib.parse import urlsplit

import uvicorn
from starlette.middleware.trustedhost import TrustedHostMiddleware

from sanctum_venice_tools.host_names import OWN_NAMES
from sanctum_venice_tools.media_server.app import create_app
from sanctum_venice_tools.media_server.index import Index
from sanctum_venice_tools.media_server.service import Service
from sanctum_venice_tools.media_server.settings import Settings
from sanctum_venice_tools.media_server.shelf import Shelf
from sanctum_venice_tools.media_server.uploads import sweep
from sanctum_venice_tools.media_server.workbench import Workbench

_HOUR_SECONDS = 60 * 60

_LOG = logging.getLogger(__name__)


def listen(host: str, port: int) -> socket.socket:
    """A socket that listens.

    Raises:
        OSError: The address is not this machine's, or the port is taken.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((host, port))
        listening.listen(512)
    except OSError:
        listening.close()
        raise
    return listening


def serve(
    settings: Settings,
    listening: socket.socket,
    *,
    index: Index,
    shelf: Shelf,
    allowed_hosts: Sequence[str] = (),
    workbench: Workbench | None = None,
    until_stdin_closes: bool = False,
    announce: Callable[[], None],
) -> None:
    """Serve until a signal comes, or until the program that started this one is gone.

    It answers to its own names, to that of its public address, and to those that are allowed.
    """
    service = Service(settings, index, shelf)
    ended = threading.Event()
    threading.Thread(target=_sweep_hourly, args=(service, ended), daemon=True).start()
    names = [*OWN_NAMES, _host_in(settings.public_url), *allowed_hosts]
    app = TrustedHostMiddleware(
        create_app(service, workbench), allowed_hosts=names, www_redirect=False
    )
    config = uvicorn.Config(
        app,
        ws="none",
        lifespan="off",
        log_level="warning",
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=2,
    )
    if until_stdin_closes:
        threading.Thread(target=_watch_stdin, daemon=True).start()
    try:
        _Server(config, announce).run(sockets=[listening])
    finally:
        ended.set()


def _host_in(url: str) -> str:
    """The host of an address as a browser names it in Host: one of IPv6 stands in brackets."""
    name = urlsplit(url).hostname or ""
    return f"[{name}]" if ":" in name else name


class _Server(uvicorn.Server):
    """A server that says when it can be reached."""

    def __init__(self, config: uvicorn.Config, announce: Callable[[], None]) -> None:
        super().__init__(config)
        self._announce = announce

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listen, then say so."""
        await super().startup(sockets)
        if self.started:
            self._announce()


def _sweep_hourly(service: Service, ended: threading.Event) -> None:
    """Forget uploads that broke off, at the start and once an hour."""
    while not ended.is_set():
        try:
            sweep(service)
        except Exception:  # noqa: BLE001  # the database or the bucket may be away; the next hour may do
            _LOG.exception("What was never uploaded could not be forgotten")
        ended.wait(_HOUR_SECONDS)


def _watch_stdin() -> None:
    """End this process when the other end of its standard input is gone."""
    sys.stdin.buffer.read()
    os.kill(os.getpid(), signal.SIGTERM)
