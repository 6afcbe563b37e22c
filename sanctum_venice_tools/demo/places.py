"""What a conversation needs, and how it is spoken of: a Venice, a media server, the tools."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from rich.console import Console

from sanctum_venice_tools.emulator.process import running_venice
from sanctum_venice_tools.letta.venice import PUBLIC_URL
from sanctum_venice_tools.media_server.process import RunningMediaServer, running_media_server
from sanctum_venice_tools.packing.record import Record, read_toolsets
from sanctum_venice_tools.terminal import Progress

# Where the media server of the demo keeps what the agent makes.
MEDIA = Path(".local/media-server")


class DemoError(Exception):
    """Why there is no conversation, in one line that says what to do."""


@dataclass(frozen=True)
class Place:
    """Where a service is, how one gets in, and how the demo speaks of it."""

    base_url: str
    key: str = field(repr=False)
    words: str
    is_own: bool
    """Whether it runs on this machine for the demo alone."""


def spending() -> str | None:
    """What a demo in this environment is about to spend, in words; None when it is nothing."""
    if not os.environ.get("VENICE_API_KEY", "").strip():
        return None
    place = os.environ.get("VENICE_BASE_URL") or PUBLIC_URL
    return f"This uses your VENICE_API_KEY at {place}: about 10 US cents."


@contextmanager
def venice_for(progress: Progress) -> Iterator[Place]:
    """The real Venice where the environment has a key for it, else a local one."""
    key = os.environ.get("VENICE_API_KEY", "").strip()
    if key:
        base_url = os.environ.get("VENICE_BASE_URL") or PUBLIC_URL
        yield Place(base_url, key, f"{base_url}, with your key", is_own=False)
        return

    progress("Starting the local Venice, a stand-in that costs nothing")
    with running_venice() as local:
        yield Place(
            local.base_url,
            local.key,
            f"a stand-in at {local.base_url}; nothing is spent",
            is_own=True,
        )


@contextmanager
def own_media_server() -> Iterator[RunningMediaServer]:
    """A media server, where people see what the agent makes."""
    MEDIA.mkdir(mode=0o700, parents=True, exist_ok=True)
    with running_media_server(MEDIA) as media:
        yield media


def keep_gallery(console: Console, media: RunningMediaServer) -> None:
    """Let people look at the gallery until they have seen enough."""
    with suppress(KeyboardInterrupt):
        console.print(f"The gallery: {media.gallery}", soft_wrap=True)
        console.print("Ctrl-C stops it, and all the rest.")
        signal.pause()
    console.print()


def tell_end(console: Console) -> None:
    """Say that nothing runs any more, and where to see what was made."""
    console.print(
        f"All of it is stopped. What the agent made is in {MEDIA}.\n"
        "To see it: `make gallery` in a clone, or `sanctum-venice demo --gallery`.",
        soft_wrap=True,
    )


def core_tools() -> list[Record]:
    """The tools that an operator gets without choosing."""
    return read_toolsets({"core"})
