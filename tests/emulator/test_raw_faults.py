"""Faults that are written to the connection byte by byte, seen from a plain socket."""

import json
import re
import signal
import socket
import subprocess
import sys
import time
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from http.client import HTTPResponse
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import psutil
import pytest

from sanctum_venice_tools.emulator.process import LocalVenice

pytestmark = pytest.mark.slow

PATH = "/image/styles"
MEGABYTE = 2**20
# zlib's window size, with 16 more for gzip's own header.
GZIP = 31
SOON = 3.0

Connect = Callable[..., socket.socket]

# What never comes to an end by itself, as it is ordered in these tests.
ENDLESS: list[dict[str, Any]] = [
    {"fault": "gzip-empty-blocks", "seconds": 0.05},
    {"fault": "slow-headers", "seconds": 0.05},
    {"fault": "endless-hints", "seconds": 0.05},
    {"fault": "endless-json"},
    {"fault": "endless-file"},
]
# What takes longer than anybody waits.
LONG: list[dict[str, Any]] = [
    {"fault": "slow-status", "seconds": 60},
    {"fault": "slow-chunk-sizes", "seconds": 60},
    {"fault": "raw", "content": b"HTTP/1.1 200 OK\r\n\r\n", "bytes": 1, "seconds": 60},
    {"fault": "stall", "seconds": 60},
    {"fault": "stall", "seconds": 60, "bytes": 50},
    {"fault": "drip", "seconds": 60},
    {"fault": "gzip-bomb", "bytes": 10**12},
    {"fault": "large-error", "bytes": 10**12},
    {"fault": "bytes", "bytes": 10**12},
]


@dataclass
class Piece:
    """What one look at the socket gave, and when."""

    at: float
    data: bytes


@pytest.fixture
def connect(venice: LocalVenice) -> Iterator[Connect]:
    """Opens connections to the local Venice, with a request sent on each; no fault outlives the test."""
    opened: list[socket.socket] = []

    def connect(path: str = PATH, body: Any = None) -> socket.socket:
        opened.append(ask(venice, path, body))
        return opened[-1]

    yield connect
    for connection in opened:
        connection.close()
    venice.clear_faults()


@pytest.fixture
def styles(venice: LocalVenice) -> bytes:
    """The body of the real reply."""
    return httpx.get(venice.base_url + PATH).content


def ask(venice: LocalVenice, path: str, body: Any = None) -> socket.socket:
    """A connection on which a request was sent: a GET, or a POST if there is a body."""
    address = urlsplit(venice.base_url)
    connection = socket.create_connection((address.hostname, address.port), timeout=10)
    content = b"" if body is None else json.dumps(body).encode()
    lines = [
        f"{'GET' if body is None else 'POST'} {address.path}{path} HTTP/1.1",
        f"Host: {address.netloc}",
        f"Authorization: Bearer {venice.key}",
        "Content-Type: application/json",
        f"Content-Length: {len(content)}",
    ]
    connection.sendall("\r\n".join([*lines, "", ""]).encode())
    if content:
        send_at_once(venice, connection, content)
    return connection


def send_at_once(venice: LocalVenice, connection: socket.socket, content: bytes) -> None:
    """Send a body so that the local Venice, which waits for it already, gets it in one piece."""
    time.sleep(0.1)
    process = psutil.Process(venice.pid)
    process.suspend()
    connection.sendall(content)
    process.resume()


def everything(connection: socket.socket) -> bytes:
    """All bytes up to the end of the connection."""
    parts = iter(lambda: connection.recv(MEGABYTE), b"")
    return b"".join(parts)


def pieces(connection: socket.socket, count: int) -> list[Piece]:
    """The first pieces that arrive."""
    return [Piece(time.monotonic(), connection.recv(MEGABYTE)) for _ in range(count)]


def span(found: list[Piece]) -> float:
    """How long the pieces took."""
    return found[-1].at - found[0].at


def parse(connection: socket.socket) -> HTTPResponse:
    """The reply as HTTP, with nothing unpacked."""
    reply = HTTPResponse(connection)
    reply.begin()
    return reply


def test_body_without_length(venice: LocalVenice, connect: Connect, styles: bytes) -> None:
    """A reply can leave out its length: its body ends where the connection does."""
    venice.order_fault(fault="no-length")

    head, _, body = everything(connect()).partition(b"\r\n\r\n")

    assert head.startswith(b"HTTP/1.0 200 OK\r\n")
    assert b"connection: close" in head
    assert [b"content-type"] == re.findall(rb"content-type|content-length|transfer-encoding", head)
    assert styles == body


@pytest.mark.parametrize(("order", "expected"), [({}, 0.5), ({"bytes": 10}, 10)])
def test_body_without_length_that_is_cut(
    venice: LocalVenice, connect: Connect, styles: bytes, order: dict[str, int], expected: float
) -> None:
    """Such a body can be cut, by half or after so many bytes, and the connection ends in good order."""
    venice.order_fault(fault="no-length-cut", **order)

    _, _, body = everything(connect()).partition(b"\r\n\r\n")

    assert styles[: order.get("bytes", len(styles) // 2)] == body
    assert expected in {len(body), round(len(body) / len(styles), 2)}


def test_gzip(venice: LocalVenice, connect: Connect, styles: bytes) -> None:
    """A reply can be packed, whether or not that was asked for."""
    venice.order_fault(fault="gzip")
    reply = parse(connect())

    assert "gzip" == reply.headers["content-encoding"]
    assert styles == zlib.decompress(reply.read(), GZIP)


def test_gzip_that_is_cut(venice: LocalVenice, connect: Connect, styles: bytes) -> None:
    """What is packed can be cut although the reply is whole as HTTP."""
    venice.order_fault(fault="gzip-cut")
    unpacker = zlib.decompressobj(GZIP)

    body = unpacker.decompress(parse(connect()).read())

    assert styles.startswith(body)
    assert 0 < len(body) < len(styles)
    assert not unpacker.eof


def test_gzip_bomb(venice: LocalVenice, connect: Connect) -> None:
    """A small body unpacks to a huge one, and costs the local Venice no memory."""
    venice.order_fault(fault="gzip-bomb", bytes=300_000_000)
    before = memory(venice)

    packed = parse(connect()).read()

    unpacker = zlib.decompressobj(GZIP)
    start = unpacker.decompress(packed, 1000)
    size = len(start)
    while not unpacker.eof:
        size += len(unpacker.decompress(unpacker.unconsumed_tail, MEGABYTE))
    assert 300_000_000 == size
    assert b" " * 1000 == start
    assert len(packed) < 400_000
    assert memory(venice) - before < 20 * MEGABYTE


def test_gzip_bomb_of_ones_own(venice: LocalVenice, connect: Connect) -> None:
    """What the bomb is filled with can be ordered."""
    venice.order_fault(fault="gzip-bomb", bytes=7, body="ab")

    assert b"abababa" == zlib.decompress(parse(connect()).read(), GZIP)


def test_empty_gzip_blocks(venice: LocalVenice, connect: Connect) -> None:
    """Packed blocks arrive one by one, and nothing comes out of them."""
    venice.order_fault(fault="gzip-empty-blocks", seconds=0.05)
    reply = parse(connect())
    unpacker = zlib.decompressobj(GZIP)

    started = time.monotonic()
    unpacked = [unpacker.decompress(reply.read1()) for _ in range(10)]

    assert [b""] * 10 == unpacked
    assert time.monotonic() - started > 0.3


def test_slow_status_line(venice: LocalVenice, connect: Connect, styles: bytes) -> None:
    """The status line arrives byte by byte, then the rest."""
    venice.order_fault(fault="slow-status", seconds=0.03)
    connection = connect()

    line = pieces(connection, len(b"HTTP/1.1 200 OK\r\n"))
    rest = everything(connection)

    assert {1} == {len(piece.data) for piece in line}
    assert b"HTTP/1.1 200 OK\r\n" == b"".join(piece.data for piece in line)
    assert span(line) > 0.3
    assert rest.endswith(b"\r\n\r\n" + styles)


def test_slow_headers(venice: LocalVenice, connect: Connect) -> None:
    """One header line arrives after another."""
    venice.order_fault(fault="slow-headers", seconds=0.05)

    found = pieces(connect(), 8)

    assert b"HTTP/1.1 200 OK\r\n" == found[0].data
    assert [b"x-slow-%d: 0\r\n" % number for number in range(7)] == [
        piece.data for piece in found[1:]
    ]
    assert span(found) > 0.3


def test_endless_hints(venice: LocalVenice, connect: Connect) -> None:
    """One informational response arrives after another."""
    venice.order_fault(fault="endless-hints", seconds=0.05)

    found = pieces(connect(), 8)

    assert {b"HTTP/1.1 103 Early Hints"} == {piece.data.partition(b"\r\n")[0] for piece in found}
    assert {b"\r\n\r\n"} == {piece.data[-4:] for piece in found}
    assert span(found) > 0.3


def test_slow_chunk_sizes(venice: LocalVenice, connect: Connect, styles: bytes) -> None:
    """The size of each chunk arrives byte by byte; the reply is whole in the end."""
    venice.order_fault(fault="slow-chunk-sizes", seconds=0.02, bytes=len(styles) - 1)
    connection = connect()

    head, *size = pieces(connection, 1 + len("0000000000000000\r\n"))
    data = everything(connection)

    assert b"transfer-encoding: chunked\r\n\r\n" in head.data
    assert f"{len(styles) - 1:016x}\r\n".encode() == b"".join(piece.data for piece in size)
    assert {1} == {len(piece.data) for piece in size}
    assert span(size) > 0.2
    assert styles[:-1] + b"\r\n" + b"0000000000000001\r\n" + styles[-1:] + b"\r\n0\r\n\r\n" == data


def test_chunks_of_16_bytes_are_usual(venice: LocalVenice, styles: bytes) -> None:
    """Such a reply can be read by any client that has the time."""
    venice.order_fault(fault="slow-chunk-sizes", seconds=0.0001)

    assert styles == httpx.get(venice.base_url + PATH, timeout=20).content


def test_body_byte_by_byte(venice: LocalVenice, connect: Connect) -> None:
    """A body drips byte by byte."""
    venice.order_fault(fault="drip", bytes=1, seconds=0.02)
    connection = connect()
    parse(connection)

    found = pieces(connection, 20)

    assert {1} == {len(piece.data) for piece in found}
    assert span(found) > 0.2


def test_endless_json(venice: LocalVenice, connect: Connect) -> None:
    """A list of JSON goes on, and costs the local Venice no memory."""
    venice.order_fault(fault="endless-json", body="[1], ")
    before = memory(venice)
    reply = parse(connect())

    body = reply.read(50 * MEGABYTE)

    assert (200, "application/json") == (reply.status, reply.headers["content-type"])
    assert 50 * MEGABYTE == len(body)
    assert body.startswith(b'{"object": "list", "data": [[1], [1], ')
    assert memory(venice) - before < 20 * MEGABYTE


def test_endless_file(venice: LocalVenice, connect: Connect) -> None:
    """A file begins as the real one and goes on, and costs the local Venice no memory."""
    picture = {"model": "z-image-turbo", "prompt": "A fox", "return_binary": True, "format": "png"}
    real = parse(connect("/image/generate", picture)).read()
    venice.order_fault(fault="endless-file", path="/image/generate")
    before = memory(venice)
    reply = parse(connect("/image/generate", picture))

    body = reply.read(50 * MEGABYTE)

    assert (200, "image/png") == (reply.status, reply.headers["content-type"])
    assert b"\x89PNG" == body[:4] == real[:4]
    assert b"IEND" in body
    assert bytes(MEGABYTE) == body[-MEGABYTE:]
    assert memory(venice) - before < 20 * MEGABYTE


def test_large_error(venice: LocalVenice, connect: Connect) -> None:
    """An error whose message has 100 MB arrives, and costs the local Venice no memory."""
    venice.order_fault(fault="large-error")
    before = memory(venice)
    reply = parse(connect())

    size = sum(len(part) for part in iter(lambda: reply.read(MEGABYTE), b""))

    assert (500, "application/json") == (reply.status, reply.headers["content-type"])
    assert 100_000_000 + len('{"error": ""}') == size
    assert memory(venice) - before < 20 * MEGABYTE


def test_error_full_of_tags(venice: LocalVenice) -> None:
    """An error of any size and status can be full of any text, within JSON or as it is."""
    venice.order_fault(fault="large-error", bytes=400_000, status=400)
    venice.order_fault(fault="bytes", bytes=400_000, status=502, body="<", content_type="text/html")

    told, page = (httpx.get(venice.base_url + PATH) for _ in range(2))

    assert (400, {"error": "<" * 400_000}) == (told.status_code, told.json())
    assert (502, "<" * 400_000) == (page.status_code, page.text)


def test_any_bytes_at_all(venice: LocalVenice, connect: Connect) -> None:
    """The whole reply can be ordered, from its status line on, and so many bytes of it at a time."""
    venice.order_fault(fault="raw", content=b"HTTP/9.9 \xff\r\n\r\n", bytes=5, seconds=0.05)
    venice.order_fault(fault="raw", content=b"")

    found = pieces(connect(), 3)
    nothing = everything(connect())

    assert [b"HTTP/", b"9.9 \xff", b"\r\n\r\n"] == [piece.data for piece in found]
    assert b"" == nothing


def test_reply_of_ones_own(venice: LocalVenice, connect: Connect) -> None:
    """Status, body, content type and headers can be put in place of the real ones."""
    order = {"status": 402, "content_type": "audio/mpeg", "headers": {"X-Mark": "1"}}
    venice.order_fault(fault="no-length", content=b"ID3\xff", **order)

    head, _, body = everything(connect()).partition(b"\r\n\r\n")

    assert head.startswith(b"HTTP/1.0 402 Payment Required\r\n")
    assert {b"content-type: audio/mpeg", b"x-mark: 1"} <= set(head.split(b"\r\n"))
    assert b"ID3\xff" == body


@pytest.mark.parametrize("order", [*ENDLESS, *LONG], ids=lambda order: order["fault"])
def test_fault_ends_with_its_client(
    venice: LocalVenice, connect: Connect, log: Path, order: dict[str, Any]
) -> None:
    """When the client goes away, so does the fault; the log says that no whole reply came."""
    venice.order_fault(**order)
    before = len(log.read_text().splitlines())
    connection = connect()
    time.sleep(0.1)
    connection.close()

    wait_for_line(log, before)

    last = json.loads(log.read_text().splitlines()[-1])
    assert (PATH, 0) == (last["path"], last["status"])


def test_fault_after_a_large_request_ends_with_its_client(
    venice: LocalVenice, connect: Connect, log: Path
) -> None:
    """The server stops reading after a body of 64 kB or more that came at once; that the client went is seen still."""
    venice.order_fault(fault="stall", path="/embeddings", seconds=60)
    before = len(log.read_text().splitlines())
    connection = connect("/embeddings", {"model": "text-embedding-bge-m3", "input": "f" * 80_000})
    time.sleep(0.3)
    connection.close()

    wait_for_line(log, before)


def test_faults_end_with_the_local_venice() -> None:
    """When the local Venice is stopped, no fault keeps it, and it ends without a word."""
    command = [sys.executable, "-m", "sanctum_venice_tools.emulator", "--allow-faults"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout
        running = LocalVenice(
            process.stdout.readline().strip(), "venice-local-key", process.pid, allow_faults=True
        )
        for order in [*ENDLESS, *LONG]:
            running.order_fault(**order)
        connections = [ask(running, PATH) for _ in [*ENDLESS, *LONG]]
        time.sleep(0.5)
        started = time.monotonic()
        process.send_signal(signal.SIGTERM)
        _, errors = process.communicate(timeout=10)

    assert time.monotonic() - started < SOON
    assert "" == errors
    for connection in connections:
        connection.close()


def wait_for_line(log: Path, before: int) -> None:
    """Wait until the log has a further line."""
    deadline = time.monotonic() + SOON
    while len(log.read_text().splitlines()) == before:
        assert time.monotonic() < deadline
        time.sleep(0.02)


def memory(venice: LocalVenice) -> int:
    """The memory of the local Venice, in bytes."""
    return int(psutil.Process(venice.pid).memory_info().rss)
