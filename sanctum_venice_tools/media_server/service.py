"""What every part of a media server works with."""

from dataclasses import dataclass
from urllib.parse import quote

from starlette.requests import Request

from sanctum_venice_tools.media_server.index import Index, StoredFile
from sanctum_venice_tools.media_server.settings import Settings
from sanctum_venice_tools.media_server.shelf import Shelf


@dataclass(frozen=True)
class Service:
    """A media server's settings, its index, and its shelf."""

    settings: Settings
    index: Index
    shelf: Shelf

    def link_to(self, file: StoredFile) -> str:
        """Where people see a file: an address that nobody can guess."""
        return f"{self.settings.public_url}/m/{file.id}/{quote(file.name)}"

    def remove(self, file: StoredFile) -> None:
        """Take a file away, first out of the index: nothing may lead to bytes that are gone."""
        self.index.forget(file.id)
        self.shelf.remove(file.id)


def service_of(request: Request) -> Service:
    """The service that a request came to."""
    service: Service = request.app.state.service
    return service
