"""Runs the local Venice on this machine until it is told to stop."""

import asyncio
import os
import signal
import socket
import sys
import threading
from collections.abc import Sequence

import click
import uvicorn
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

from sanctum_venice_tools.emulator.app import create_app
from sanctum_venice_tools.emulator.service import Settings
from sanctum_venice_tools.emulator.wire import Wire
from sanctum_venice_tools.host_names import OWN_NAMES

_LOOPBACK = ("127.0.0.1", "localhost", "::1")


class Protocol(H11Protocol):
    """HTTP that hands each request its connection, so that a fault can write to it or cut it."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as uvicorn has it
        """Put the connection into the scope of every request on it."""
        super().connection_made(transport)
        self.wire = wire = Wire(transport, self.flow)
        app = self.app

        async def with_wire(scope: Scope, receive: Receive, send: Send) -> None:
            scope["emulator.wire"] = wire
            await app(scope, receive, send)

        self.app = with_wire

    def connection_lost(self, exc: Exception | None) -> None:
        """Let a fault know that nobody is there any more."""
        super().connection_lost(exc)
        self.wire.gone.set()

    def shutdown(self) -> None:
        """End this connection; a fault would go on."""
        super().shutdown()
        self.wire.end_fault()


class Server(uvicorn.Server):
    """A server that says where it can be reached as soon as it can."""

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listen, then print the address."""
        await super().startup(sockets)
        if self.started:
            host, port = self.servers[0].sockets[0].getsockname()[:2]
            click.echo(f"http://{f'[{host}]' if ':' in host else host}:{port}/api/v1")
            sys.stdout.flush()


def serve(
    settings: Settings,
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    allowed_hosts: Sequence[str] = (),
    until_stdin_closes: bool = False,
) -> None:
    """Serve until a signal comes, or until the program that started this one is gone.

    On the loopback address it answers to its own names and to those that are allowed; elsewhere to
    any name, unless some are allowed.
    """
    app: ASGIApp = create_app(settings)
    if host in _LOOPBACK or allowed_hosts:
        app = TrustedHostMiddleware(
            app, allowed_hosts=[*OWN_NAMES, *allowed_hosts], www_redirect=False
        )
    config = uvicorn.Config(
        app,
        host,
        port,
        http=Protocol,
        loop="asyncio",
        ws="none",
        lifespan="off",
        log_level="warning",
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=1,
    )
    if until_stdin_closes:
        threading.Thread(target=_watch_stdin, daemon=True).start()
    Server(config).run()


def _watch_stdin() -> None:
    """End this process when the other end of its standard input is gone."""
    sys.stdin.buffer.read()
    os.kill(os.getpid(), signal.SIGTERM)
