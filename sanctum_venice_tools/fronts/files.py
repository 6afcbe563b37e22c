"""The files that a tool made, by its reply: all that a front may show, or link to."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from sanctum_venice_tools.fronts.run import Outcome
from sanctum_venice_tools.runtime.intake import _path_inside
from sanctum_venice_tools.runtime.replies import _object_of, _objects_in, _parse_reply, _text_of


@dataclass(frozen=True)
class MadeFile:
    """A file of the media folder, as a reply tells of it."""

    path: Path
    type: str
    """Its media type."""
    size: int | None
    """In bytes."""
    url: str
    """Its address on the media server, if there is one."""


def made_files(outcome: Outcome) -> Iterator[MadeFile]:
    """The files that the reply itself names, or its list `files`, and that the media folder has.

    What lies deeper was said by others: the JSON of another model may name any file of this
    machine. What has no media type is left out: a new API key lies in a file, too, and is not for
    a model.
    """
    if not outcome.folder:
        return
    folder = Path(outcome.folder).resolve()
    reply = _object_of(_parse_reply(outcome.reply))
    for told in (reply, *_objects_in(reply.get("files"))):
        path = _path_inside(folder, _text_of(told.get("file")))
        kind = _text_of(told.get("type"))
        size = told.get("bytes")
        if path and "/" in kind:
            told_size = size if isinstance(size, int) else None
            yield MadeFile(path, kind, told_size, _text_of(told.get("url")))
