"""Letta itself: loaded without what it does unasked, given its tables, and served."""

import asyncio
import importlib
import socket
import sys
import threading
import types
import warnings
from collections.abc import Callable, Sequence
from typing import Any

from sanctum_venice_tools.letta.server_process.done_once import (
    make_schemas_once,
    parse_texts_once,
    read_dependencies_once,
)
from sanctum_venice_tools.letta.server_process.log_lines import STEP_MARK, say
from sanctum_venice_tools.loading import quick_loading

_REQUESTS_STOP_SECONDS = 2  # what a request in flight gets when the server is told to stop


# The names by which this server may be called. A page in a browser could be reached by another name
# that points here, and so reach a server that runs code as it is told.
_OWN_NAMES = ["127.0.0.1", "localhost"]


class Loading:
    """Letta's import, in a thread of its own: PostgreSQL starts meanwhile."""

    def __init__(self) -> None:
        self._error: BaseException | None = None
        self._application: Any = None
        self._thread = threading.Thread(target=self._load, daemon=True)
        self._thread.start()

    def _load(self) -> None:
        try:
            with quick_loading():
                self._application = _load_application()
        except BaseException as error:  # noqa: BLE001  # kept for the main thread, which raises it
            self._error = error

    def result(self) -> Any:
        """The FastAPI module of Letta."""
        self._thread.join()
        if self._error is not None:
            raise self._error
        return self._application


def _load_application() -> Any:
    # Without this word Letta writes an OpenAPI file into the current folder, which takes seconds.
    sys.argv = [sys.argv[0], "--no-generation"]
    _skip_download()
    read_dependencies_once()
    application: Any = importlib.import_module("letta.server.rest_api.app")
    make_schemas_once()
    parse_texts_once()
    # Letta deprecates what it uses itself, thirty lines for each message.
    warnings.simplefilter("ignore")
    # The provider "letta" sends prompts to a public server of Letta's makers, if somebody picks its
    # model.
    providers = application.server._enabled_providers  # noqa: SLF001  # there is no setting for it
    providers[:] = [provider for provider in providers if provider.name != "letta"]
    # The watchdog only writes to the log when requests hang, and its end holds the server's end up
    # for 2 seconds.
    watchdog: Any = importlib.import_module("letta.monitoring.event_loop_watchdog")
    watchdog.start_watchdog = lambda *_, **__: None
    return application


def _skip_download() -> None:
    """Stand in for nltk once.

    Letta's start downloads with it, and nothing may leave the machine unasked.
    """
    stand_in: Any = types.ModuleType("nltk")
    stand_in.download = _download_nothing
    sys.modules["nltk"] = stand_in


def _download_nothing(*_: Any, **__: Any) -> None:
    """Leave everything where it is, and let the real nltk be found from now on."""
    sys.modules.pop("nltk", None)


def serve(application: Any, listener: socket.socket, allowed_hosts: Sequence[str]) -> None:
    """Serve until told to stop, by our own names and by those that the operator allows."""
    uvicorn: Any = importlib.import_module("uvicorn")
    trusted: Any = importlib.import_module("starlette.middleware.trustedhost")
    guarded = trusted.TrustedHostMiddleware(
        application.app, allowed_hosts=[*_OWN_NAMES, *allowed_hosts], www_redirect=False
    )
    configuration = uvicorn.Config(
        guarded,
        access_log=False,
        log_level="warning",
        timeout_graceful_shutdown=_REQUESTS_STOP_SECONDS,
    )
    server = uvicorn.Server(configuration)
    # Not asyncio.run: it would wait for the threads of running requests when the server is told to
    # stop.
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    say(f"{STEP_MARK}Preparing the database")
    providers = application.server._enabled_providers  # noqa: SLF001  # as above
    loop.run_until_complete(_prepare_database(providers))
    say(f"{STEP_MARK}Starting the API")
    loop.run_until_complete(server.serve(sockets=[listener]))
    if not server.started:
        raise RuntimeError("Letta's startup failed; the reason is further up in the log")


async def _prepare_database(providers: list[Any]) -> None:
    """Make the tables where they are missing, and let the providers be where this start says."""
    database: Any = importlib.import_module("letta.server.db")
    text: Any = importlib.import_module("sqlalchemy").text
    # One transaction: the tables are there as a whole, or the next start makes them.
    async with database.engine.begin() as connection:
        if not await connection.scalar(text("SELECT to_regclass('message_seq_id')")):
            await _make_tables(connection, text)
        # Letta keeps the address that a provider of its environment had when it was first seen, and
        # a local Venice has another port each time.
        address = text(
            "UPDATE providers SET base_url = :url WHERE name = :name AND provider_category = 'base'"
        )
        for provider in providers:
            await connection.execute(address, {"name": provider.name, "url": provider.base_url})


async def _make_tables(connection: Any, text: Callable[[str], Any]) -> None:
    tables: Any = importlib.import_module("letta.orm").Base.metadata
    await connection.execute(text("CREATE EXTENSION IF NOT EXISTS vector"))
    await connection.run_sync(tables.create_all, checkfirst=False)
    # The tables alone lack this default, which Letta's migrations make; without it no agent can be
    # created.
    await connection.execute(text("CREATE SEQUENCE message_seq_id OWNED BY messages.sequence_id"))
    await connection.execute(
        text("ALTER TABLE messages ALTER COLUMN sequence_id SET DEFAULT nextval('message_seq_id')")
    )
