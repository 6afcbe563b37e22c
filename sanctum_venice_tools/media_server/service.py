"""What every part of a media server works with."""

import logging
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from urllib.parse import quote

from starlette.requests import Request

from sanctum_venice_tools.media_server.index import Index, StoredFile
from sanctum_venice_tools.media_server.settings import Settings
from sanctum_venice_tools.media_server.shelf import Shelf

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class Service:
    """A media server's settings, its index, and its shelf."""

    settings: Settings
    index: Index
    shelf: Shelf
    room: threading.Lock = field(default_factory=threading.Lock, repr=False)
    """Held while the quota is looked at and room is taken, so that no two take the same room.

    Servers that share an index do not share this. What each of them lets in at the same moment may
    go over the quota together, by those few files; the next that comes is held to it.
    """

    def link_to(self, file: StoredFile) -> str:
        """Where people see a file: an address that nobody can guess."""
        return f"{self.settings.public_url}/m/{file.id}/{quote(file.name)}"

    def remove(self, file: StoredFile) -> bool:
        """Take a file away, after which nothing may lead to it; whether its bytes are gone, too."""
        self.index.set_aside(file.id)
        return self.take_away([file.id])

    def take_away(self, file_ids: Sequence[str]) -> bool:
        """Take away files that are set aside; whether all of them are gone.

        What can't be taken away now is no trouble of who asks: it stays set aside, and the sweep
        tries again.
        """
        try:
            self._let_go(file_ids)
        except Exception as error:  # noqa: BLE001  # a bucket has errors of its own
            _LOG.warning("A file could not be taken away, which is tried again hourly: %s", error)
            return False
        return True

    def _let_go(self, file_ids: Sequence[str]) -> None:
        """Take away files as far as that can be done, and only then forget them."""
        gone = []
        try:
            for one in file_ids:
                self.shelf.remove(one)
                gone.append(one)
        finally:
            self.index.forget(*gone)


def service_of(request: Request) -> Service:
    """The service that a request came to."""
    service: Service = request.app.state.service
    return service
