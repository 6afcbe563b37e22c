"""The command that starts the media server."""

import importlib
import ipaddress
import os
import socket
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

import click

from sanctum_venice_tools.emulator.process import running_venice
from sanctum_venice_tools.host_names import ALLOW_HOST
from sanctum_venice_tools.media_server.index import open_index
from sanctum_venice_tools.media_server.server import listen, serve
from sanctum_venice_tools.media_server.settings import (
    GIGABYTE,
    MEGABYTE,
    SettingError,
    Settings,
    read_token,
)
from sanctum_venice_tools.media_server.shelf import FolderShelf, Shelf
from sanctum_venice_tools.media_server.workbench import Workbench
from sanctum_venice_tools.network import is_here
from sanctum_venice_tools.runtime.venice import _http_url

# More than there are disks for.
_MOST_GIGABYTES = 1e9


def _check_host(_context: click.Context, _option: click.Parameter, given: str) -> str:
    """Refuse an empty one, which would listen everywhere: a script's variable may be empty."""
    if not given.strip():
        raise click.BadParameter("write an address such as 127.0.0.1")
    return given


def _check_public_url(
    _context: click.Context, _option: click.Parameter, given: str | None
) -> str | None:
    """Refuse what no browser could open; the rest is written as browsers write it in Origin."""
    if given is None:
        return None
    url = _http_url(given)
    if not url or url.port == 0 or "?" in given or "#" in given:
        raise click.BadParameter("write an address such as https://media.example.org")
    if url.path.strip("/"):
        raise click.BadParameter("write it without a path: the gallery's pages lie at the root")
    return str(url).rstrip("/")


def _check_quota(
    _context: click.Context, _option: click.Parameter, given: float | None
) -> float | None:
    """Refuse what is no quota; nan and inf are numbers to click, also within a range."""
    if given is not None and not 0 < given <= _MOST_GIGABYTES:
        raise click.BadParameter("write a number of gigabytes, such as 50 or 0.5")
    return given


@click.command()
@click.option(
    "--folder",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path(".local/media-server"),
    show_default=True,
    help="Where files and their index lie.",
)
@click.option(
    "--host",
    default="127.0.0.1",
    show_default=True,
    callback=_check_host,
    help="The address to listen at.",
)
@click.option(
    "--port",
    default=8490,
    show_default=True,
    type=click.IntRange(0, 65_535),
    help="The port to listen at; 0 takes a free one.",
)
@ALLOW_HOST
@click.option(
    "--public-url",
    callback=_check_public_url,
    help="How browsers reach the server, if not at the address where it listens.",
)
@click.option(
    "--database",
    default="",
    help="The index as a URL of SQLAlchemy's.  [default: SQLite in the folder]",
)
@click.option(
    "--bucket",
    metavar="NAME[/PREFIX]",
    default="",
    help="Keep files in a bucket of S3, or of what speaks its protocol, rather than in the folder.",
)
@click.option(
    "--max-mb",
    default=2048,
    show_default=True,
    type=click.IntRange(1),
    help="The most that one file may have, in megabytes.",
)
@click.option(
    "--quota-gb",
    type=float,
    callback=_check_quota,
    help="The most that all files may have, in gigabytes.  [default: no limit]",
)
@click.option(
    "--drop-oldest", is_flag=True, help="Let the oldest files go when the quota is reached."
)
@click.option(
    "--workbench",
    "with_workbench",
    is_flag=True,
    help="Offer a form for each tool, too: at the Venice of VENICE_API_KEY, else at a local one.",
)
@click.option("--until-stdin-closes", is_flag=True, hidden=True)
def media(
    folder: Path,
    host: str,
    port: int,
    *,
    allowed_hosts: tuple[str, ...],
    public_url: str | None,
    database: str,
    bucket: str,
    max_mb: int,
    quota_gb: float | None,
    drop_oldest: bool,
    with_workbench: bool,
    until_stdin_closes: bool,
) -> None:
    """Run the media server: tools put there what they make, and people see it in a gallery.

    Tools find it by VENICE_MEDIA, its address, and VENICE_MEDIA_TOKEN. The token is that of this
    command's own VENICE_MEDIA_TOKEN, else one that it makes at its first start and keeps in the
    folder. The gallery's address, which is printed, has the token in it.
    """
    if drop_oldest and quota_gb is None:
        raise click.UsageError("--drop-oldest goes with --quota-gb")
    if with_workbench and not is_here(host):
        raise click.UsageError(
            "--workbench spends money: it is for this machine alone, at 127.0.0.1"
        )
    with ExitStack() as opened:
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            token = read_token(folder)
            shelf = _open_bucket(bucket) if bucket else FolderShelf(folder)
            index = opened.enter_context(closing(open_index(database, folder)))
        except (OSError, SettingError) as error:
            raise click.ClickException(str(error)) from None
        try:
            listening = opened.enter_context(listen(host, port))
        except OSError as error:
            told = f"port {port} of {host} cannot be used: {error.strerror}"
            raise click.ClickException(f"{told}; name another --port or --host") from None
        if public_url is None and _is_everywhere(listening):
            raise click.UsageError(
                f"a server that listens at {host} needs --public-url: how do browsers reach it?"
            )

        address = _address_of(listening)
        settings = Settings(
            folder=folder,
            token=token,
            public_url=public_url or address,
            most_bytes=max_mb * MEGABYTE,
            quota_bytes=None if quota_gb is None else int(quota_gb * GIGABYTE),
            drop_oldest=drop_oldest,
        )

        def announce() -> None:
            click.echo(f"Media server at {address}")
            click.echo(f"Gallery: {settings.public_url}/?token={token}")
            if with_workbench:
                click.echo(f"Workbench: {settings.public_url}/workbench, once the gallery is open")

        try:
            workbench = None
            if with_workbench:
                workbench = opened.enter_context(_open_workbench(address, token))
            serve(
                settings,
                listening,
                index=index,
                shelf=shelf,
                allowed_hosts=allowed_hosts,
                workbench=workbench,
                until_stdin_closes=until_stdin_closes,
                announce=announce,
            )
        except KeyboardInterrupt:
            # Ctrl-C is how a person ends it; that is no failure.
            return


def _open_bucket(place: str) -> Shelf:
    """The bucket of a name, with what all names in it are to begin with.

    Raises:
        SettingError: It is not there, or does not let us in; or its library is not.
    """
    name, _, prefix = place.partition("/")
    try:
        library = importlib.import_module("sanctum_venice_tools.media_server.bucket")
    except ModuleNotFoundError as missing:
        told = f"A bucket needs the package {missing.name}: install sanctum-venice-tools[cluster]"
        raise SettingError(told) from None
    try:
        shelf: Shelf = library.BucketShelf(name, prefix)
    except (library.BotoCoreError, library.ClientError) as error:
        line = " ".join(str(error).split())
        raise SettingError(f"The bucket {name} can't be used: {line}") from None
    return shelf


@contextmanager
def _open_workbench(address: str, token: str) -> Iterator[Workbench]:
    """A workbench at the Venice that the environment names, else at a local one."""
    settings = {"VENICE_MEDIA": address, "VENICE_MEDIA_TOKEN": token}
    if os.environ.get("VENICE_API_KEY"):
        place = os.environ.get("VENICE_BASE_URL") or "https://api.venice.ai/api/v1"
        yield Workbench(settings, f"At {place}, with your key: calls are paid", is_local=False)
        return
    with running_venice() as venice:
        settings |= {"VENICE_API_KEY": venice.key, "VENICE_BASE_URL": venice.base_url}
        yield Workbench(settings, "At a local stand-in for Venice: nothing is spent", is_local=True)


def _is_everywhere(listening: socket.socket) -> bool:
    """Whether a socket listens at every address of this machine, which no browser can open.

    The socket knows: there are many ways to write that.
    """
    address = ipaddress.ip_address(listening.getsockname()[0])
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped:
        address = address.ipv4_mapped
    return address.is_unspecified


def _address_of(listening: socket.socket) -> str:
    """Where a socket listens, as a URL."""
    host, port = listening.getsockname()[:2]
    return f"http://{f'[{host}]' if ':' in host else host}:{port}"
