"""Files that people see, and that tools elsewhere use: by way of the media server."""

import hashlib
import os
import re
from collections.abc import Callable, Iterator
from functools import partial, wraps
from pathlib import Path
from typing import Any

import httpx

from sanctum_venice_tools.runtime.formats import _media_type
from sanctum_venice_tools.runtime.media import _folder_setting, _part_file, _put_in_place
from sanctum_venice_tools.runtime.media_server import (
    _address_of,
    _ask_media_server,
    _check_accepted,
    _client_to,
    _in_time,
    _media_server,
    _no_media_server,
)
from sanctum_venice_tools.runtime.replies import (
    _number_of,
    _object_of,
    _objects_in,
    _parse_reply,
    _text_of,
)
from sanctum_venice_tools.runtime.unpacking import _unpacked
from sanctum_venice_tools.runtime.venice import (
    _BAD_PROXY,
    VeniceError,
    _given,
    _noted,
    _tidy,
    _to_json,
)

# In bytes.
_PIECE = 1 << 16

# What a process has that runs in a container, or in a sandbox of a cloud.
_CONTAINER_FILES = ("/.dockerenv", "/run/.containerenv")
_SANDBOX_VARIABLES = ("E2B_SANDBOX", "MODAL_TASK_ID", "KUBERNETES_SERVICE_HOST")

# A file's name, and no way to another folder.
_PLAIN_NAME = re.compile(r"[A-Za-z0-9][\w.-]{0,199}", re.ASCII)

# How far the arguments of a call are told, in characters and items.
_LONGEST_ARGUMENT = 2000
_MOST_ITEMS = 50


# --- what a tool has made ---


def _published(tool: Callable[..., str]) -> Callable[..., str]:
    """Put the files that a tool tells of on the media server, if any; tell their addresses."""
    return wraps(tool)(partial(_call_and_publish, tool))


def _call_and_publish(tool: Callable[..., str], /, **sent: Any) -> str:
    """A tool's reply, with an address for each file in it.

    What was made is paid: nothing here is an error.
    """
    reply = tool(**sent)
    answer = _object_of(_parse_reply(reply))
    parts = [answer, *_objects_in(answer.get("files"))]
    files = [part for part in parts if part.get("file")]
    if not files:
        return reply
    if not _media_server():
        return _tell_where(reply, answer)
    facts = _facts_of(tool.__name__, sent, answer, len(files))
    notes = []
    for file in files:
        path = Path(file["file"])
        try:
            url = _publish(path, facts)
        except (VeniceError, OSError) as error:
            notes.append(f"{path.name} lies only where the tools run: {error}")
        else:
            file |= {"file": path.name, "url": url, "markdown": _markdown(path.name, url)}
    return _to_json(_noted(answer, notes) if notes else answer)


def _tell_where(reply: str, answer: dict[str, Any]) -> str:
    """The reply, with a warning where a path means nothing to a person, and nobody chose it."""
    is_in_container = any(Path(file).exists() for file in _CONTAINER_FILES)
    is_in_sandbox = any(name in os.environ for name in _SANDBOX_VARIABLES)
    is_chosen = bool(os.environ.get(_folder_setting()))
    if is_chosen or not (is_in_container or is_in_sandbox):
        return reply
    note = (
        "The file lies inside of the container that runs the tools; a person may not find it there."
    )
    return _to_json(_noted(answer, [note]))


def _facts_of(
    tool: str, sent: dict[str, Any], answer: dict[str, Any], count: int
) -> dict[str, Any]:
    """What is told of each of so many files: how it was made, by whom, and for how much."""
    cost = _number_of(answer.get("cost_usd"))
    told = {name: value for name, value in answer.items() if isinstance(value, str | int | float)}
    told.pop("file", None)
    return _given(
        tool=tool,
        agent=os.environ.get("LETTA_AGENT_ID", ""),
        model=_text_of(answer.get("model"))[:200],
        cost_usd=None if cost is None else max(cost, 0) / count,
        arguments=_tidy(sent, _LONGEST_ARGUMENT, _MOST_ITEMS),
        answer=_tidy(told, _LONGEST_ARGUMENT, _MOST_ITEMS),
    )


def _publish(path: Path, facts: dict[str, Any]) -> str:
    """Put a file on the media server; its address there.

    What is there already is not sent again.
    """
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    length = path.stat().st_size
    declared = {"name": path.name, "bytes": length, "sha256": digest, "facts": facts}
    told = _object_of(_ask_media_server("POST", "/files", json=declared))
    if "upload" in told:
        _send_file(path, told["upload"], _upload_headers(told, length))
        told = _object_of(_ask_media_server("POST", told.get("confirm")))
    url = _text_of(told.get("url"))
    if not url:
        raise VeniceError("The media server told no address of it. Tell the operator.")
    return url


def _upload_headers(told: dict[str, Any], length: int) -> dict[str, str]:
    """What to say with the bytes of a file: how many they are, and what the media server asks."""
    headers = {"Content-Length": str(length)}
    for name, value in _object_of(told.get("upload_headers")).items():
        text = _text_of(value)
        if text and f"{name}{text}".isascii():
            headers[name] = text
    return headers


def _send_file(path: Path, place: Any, headers: dict[str, str]) -> None:
    """Send a file to the place that the media server named."""
    address = _address_of(place)
    sent: dict[str, Any] = {"content": _pieces_of(path), "headers": headers}
    try:
        reply = _client_to(address).put(address, **sent, **_in_time())
    except (httpx.HTTPError, *_BAD_PROXY) as error:
        raise _no_media_server(error) from None
    _check_accepted(reply)


def _pieces_of(path: Path) -> Iterator[bytes]:
    """A file, piece by piece."""
    with path.open("rb") as file:
        while piece := file.read(_PIECE):
            yield piece


def _markdown(name: str, url: str) -> str:
    """What shows a file where markdown is shown: a picture itself, of anything else a link."""
    if not _media_type(name).startswith("image/"):
        return f"[{name}]({url})"
    words = name.rpartition("-")[0].replace("-", " ")  # without the mark of its content
    return f"![{words}]({url})"


# --- what another tool has made, wherever that ran ---


def _take_published(folder: Path, **query: str) -> Path | None:
    """A file of the media server, now in the folder; None, if it has none of this name or stem."""
    if not _media_server():
        return None
    try:
        found = _object_of(_ask_media_server("GET", "/files", params=query))
    except VeniceError as error:
        if error.status == 404:
            return None
        raise
    name = _text_of(found.get("name"))
    if not _PLAIN_NAME.fullmatch(name):
        raise VeniceError("The media server sent no name of a file. Tell the operator.")
    path = folder / name
    with _part_file(folder, advice="Tell the operator.") as part:
        part.writelines(_published_bytes(found.get("content")))
        _check_whole(name, part.tell(), found.get("bytes"))
        _put_in_place(part, path)
    return path


def _published_bytes(place: Any) -> Iterator[bytes]:
    """The bytes of a file, from the place that the media server named."""
    address = _address_of(place)
    client = _client_to(address)
    try:
        reply = client.send(client.build_request("GET", address, **_in_time()), stream=True)
        _check_accepted(reply)
        yield from _unpacked(reply)
    except (httpx.HTTPError, *_BAD_PROXY) as error:
        raise _no_media_server(error) from None


def _check_whole(name: str, came: int, told: Any) -> None:
    """Refuse a file of which fewer bytes came than the media server told, or more."""
    length = _number_of(told)
    if length is not None and came != length:
        fault = f"The media server sent {came:,} bytes of {name}, which has {length:,.0f}"
        raise VeniceError(f"{fault}. Try again once, then tell the operator.")
