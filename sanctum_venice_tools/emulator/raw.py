"""Replies that no HTTP library would write: cut, packed, dribbled, without end.

Each is a series of pieces. They go to the connection as they are, with a pause after each where the
fault is slow.
"""

import itertools
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from http.client import responses as REASON_PHRASES  # noqa: N812 - what HTTP calls them
from typing import TYPE_CHECKING

from starlette.responses import Response, StreamingResponse

from sanctum_venice_tools.emulator.wire import Wire

if TYPE_CHECKING:
    from sanctum_venice_tools.emulator.faults import Fault

PACE = 0.1
BLOCK = 65536
BOMB = 500_000_000
LARGE_ERROR = 100_000_000
CHUNK = 16

LAST_CHUNK = b"0\r\n\r\n"
CHUNKED = {"transfer-encoding": "chunked"}
PACKED = {"content-encoding": "gzip", "transfer-encoding": "chunked"}
# How the real reply was framed says nothing of how this one is.
FRAMING = {"content-length", "content-encoding", "transfer-encoding"}

# What zlib calls the window size, with 16 more for gzip's own header and end.
GZIP = 16 + zlib.MAX_WBITS
# Magic number, deflate, no flags, no time, no extra flags, unknown system.
GZIP_HEADER = b"\x1f\x8b\x08" + b"\0" + b"\0\0\0\0" + b"\0" + b"\xff"
# A stored block that is not the last one; its length is 0, and so is the complement of its second
# number.
EMPTY_BLOCK = b"\0" + b"\0\0" + b"\xff\xff"

EARLY_HINT = b"HTTP/1.1 103 Early Hints\r\nlink: </style.css>; rel=preload; as=style\r\n\r\n"


@dataclass(frozen=True)
class Answer:
    """A reply before it is written out."""

    status: int
    headers: dict[str, str]
    body: bytes

    def status_line(self, version: str = "1.1") -> bytes:
        """The first line."""
        phrase = REASON_PHRASES.get(self.status, "Unknown")
        return f"HTTP/{version} {self.status} {phrase}\r\n".encode()

    def header_lines(self, framing: dict[str, str]) -> bytes:
        """The headers, with those that tell how the body is framed, and an empty line."""
        lines = [f"{name}: {value}\r\n" for name, value in (self.headers | framing).items()]
        return "".join([*lines, "\r\n"]).encode("latin-1")

    def head(self, framing: dict[str, str]) -> bytes:
        """All that comes before the body."""
        return self.status_line() + self.header_lines(framing)


Pieces = Callable[[Answer, "Fault"], Iterator[bytes]]


@dataclass(frozen=True)
class Raw:
    """How a fault writes its reply, how long it pauses after each piece, and the status it has."""

    pieces: Pieces
    seconds: float = 0
    status: int = 0


async def send_raw(fault: "Fault", response: Response, wire: Wire) -> None:
    """Write a reply as the fault has it, then close the connection."""
    kind = RAW[fault.fault]
    seconds = fault.seconds or kind.seconds
    answer = await _answer(fault, response)
    for piece in kind.pieces(answer, fault):
        await wire.write(piece)
        if seconds:
            await wire.pause(seconds)
    await wire.close()


async def _answer(fault: "Fault", response: Response) -> Answer:
    """The real reply, with what the fault's order has in its place."""
    headers = {name: value for name, value in response.headers.items() if name not in FRAMING}
    if fault.content_type:
        headers["content-type"] = fault.content_type
    headers |= {name.lower(): value for name, value in fault.headers.items()}
    body = await whole_body(response)
    return Answer(response.status_code, headers, body if fault.own_body is None else fault.own_body)


def _without_length(answer: Answer, fault: "Fault") -> Iterator[bytes]:  # noqa: ARG001 - all are called alike
    """The body ends where the connection does."""
    yield answer.status_line("1.0") + answer.header_lines({})
    yield answer.body


def _without_length_cut(answer: Answer, fault: "Fault") -> Iterator[bytes]:
    """The same, but the connection ends too early, and nothing tells so."""
    yield answer.status_line("1.0") + answer.header_lines({})
    yield _beginning(answer.body, fault)


def _gzip(answer: Answer, fault: "Fault") -> Iterator[bytes]:  # noqa: ARG001 - as above
    """The body is packed."""
    yield answer.head(PACKED)
    yield _chunk(zlib.compress(answer.body, wbits=GZIP))
    yield LAST_CHUNK


def _gzip_cut(answer: Answer, fault: "Fault") -> Iterator[bytes]:
    """What is packed ends too early, though the chunks are whole."""
    yield answer.head(PACKED)
    yield _chunk(_beginning(zlib.compress(answer.body, wbits=GZIP), fault))
    yield LAST_CHUNK


def _gzip_bomb(answer: Answer, fault: "Fault") -> Iterator[bytes]:
    """A small body that unpacks to a huge one, packed while it is sent."""
    yield answer.head(PACKED)
    packer = zlib.compressobj(zlib.Z_BEST_COMPRESSION, wbits=GZIP)
    for block in fill(fault.filling(" "), fault.bytes or BOMB):
        packed = packer.compress(block)
        if packed:
            yield _chunk(packed)
    yield _chunk(packer.flush())
    yield LAST_CHUNK


def _gzip_empty_blocks(answer: Answer, fault: "Fault") -> Iterator[bytes]:  # noqa: ARG001 - as above
    """Packed blocks that are empty, one after another: bytes arrive, and nothing comes out."""
    yield answer.head(PACKED)
    yield _chunk(GZIP_HEADER)
    while True:
        yield _chunk(EMPTY_BLOCK)


def _slow_status(answer: Answer, fault: "Fault") -> Iterator[bytes]:  # noqa: ARG001 - as above
    """The status line comes byte by byte, then the rest at once."""
    yield from _single_bytes(answer.status_line())
    yield answer.header_lines({"content-length": str(len(answer.body))}) + answer.body


def _slow_headers(answer: Answer, fault: "Fault") -> Iterator[bytes]:  # noqa: ARG001 - as above
    """One header after another, without end."""
    yield answer.status_line()
    for number in itertools.count():
        yield f"x-slow-{number}: 0\r\n".encode()


def _endless_hints(answer: Answer, fault: "Fault") -> Iterator[bytes]:  # noqa: ARG001 - as above
    """One informational response after another, and never the one that counts."""
    while True:
        yield EARLY_HINT


def _slow_chunk_sizes(answer: Answer, fault: "Fault") -> Iterator[bytes]:
    """The lines that tell the size of each chunk come byte by byte; zeros make them long."""
    yield answer.head(CHUNKED)
    for part in split(answer.body, fault.bytes or CHUNK):
        yield from _single_bytes(f"{len(part):016x}\r\n".encode())
        yield part + b"\r\n"
    yield LAST_CHUNK


def _endless_json(answer: Answer, fault: "Fault") -> Iterator[bytes]:
    """A list of JSON that goes on and on."""
    yield answer.head(CHUNKED | {"content-type": "application/json"})
    yield _chunk(b'{"object": "list", "data": [')
    block = _block(fault.filling('{"id": "a"}, '))
    while True:
        yield _chunk(block)


def _endless_file(answer: Answer, fault: "Fault") -> Iterator[bytes]:  # noqa: ARG001 - as above
    """The real file, and then zeros that go on and on."""
    yield answer.head(CHUNKED)
    if answer.body:
        yield _chunk(answer.body)
    while True:
        yield _chunk(bytes(BLOCK))


def _large_error(answer: Answer, fault: "Fault") -> Iterator[bytes]:
    """An error in Venice's form, whose message is huge."""
    yield answer.head(CHUNKED | {"content-type": "application/json"})
    yield _chunk(b'{"error": "')
    for block in fill(fault.filling("<"), fault.bytes or LARGE_ERROR):
        yield _chunk(block)
    yield _chunk(b'"}')
    yield LAST_CHUNK


def _as_ordered(answer: Answer, fault: "Fault") -> Iterator[bytes]:
    """The bytes of the order, from the status line on, whole or so many at a time."""
    yield from split(answer.body, fault.bytes or len(answer.body) or 1)


RAW = {
    "no-length": Raw(_without_length),
    "no-length-cut": Raw(_without_length_cut),
    "gzip": Raw(_gzip),
    "gzip-cut": Raw(_gzip_cut),
    "gzip-bomb": Raw(_gzip_bomb),
    "gzip-empty-blocks": Raw(_gzip_empty_blocks, PACE),
    "slow-status": Raw(_slow_status, PACE),
    "slow-headers": Raw(_slow_headers, PACE),
    "slow-chunk-sizes": Raw(_slow_chunk_sizes, PACE),
    "endless-hints": Raw(_endless_hints, PACE),
    "endless-json": Raw(_endless_json),
    "endless-file": Raw(_endless_file),
    "large-error": Raw(_large_error, status=500),
    "raw": Raw(_as_ordered),
}


async def whole_body(response: Response) -> bytes:
    """All bytes of a reply's body."""
    if not isinstance(response, StreamingResponse):
        return bytes(response.body)
    parts = [part async for part in response.body_iterator]
    return b"".join(part.encode() if isinstance(part, str) else bytes(part) for part in parts)


def fill(filling: bytes, count: int) -> Iterator[bytes]:
    """That many bytes of a filling, never many of them at once in memory."""
    block = _block(filling)
    for place in range(0, count, len(block)):
        yield block[: count - place]


def split(body: bytes, size: int) -> Iterator[bytes]:
    """A body in parts of a size."""
    for place in range(0, len(body), size):
        yield body[place : place + size]


def _block(filling: bytes) -> bytes:
    """A filling as often as it goes into one block, at least once."""
    return filling * max(1, BLOCK // len(filling))


def _beginning(body: bytes, fault: "Fault") -> bytes:
    """What is sent of a body that is cut: so many bytes of it, or half."""
    return body[: fault.bytes or len(body) // 2]


def _chunk(data: bytes) -> bytes:
    """A part of a body with its size before it."""
    return f"{len(data):x}\r\n".encode() + data + b"\r\n"


def _single_bytes(data: bytes) -> Iterator[bytes]:
    """Each byte by itself."""
    return split(data, 1)
