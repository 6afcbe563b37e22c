"""A server that plays bytes as they are, with pauses: what no HTTP server would send."""

import json
import socket
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

Script = Iterable[bytes | float]
"""What is played after a request has come: bytes to send, seconds to wait."""


@dataclass
class RawServer:
    """A server on a free port; `play` by the path of a request or `otherwise`, `requests` as they came."""

    base_url: str = ""
    play: dict[str, Script] = field(default_factory=dict)
    otherwise: Script = ()
    requests: list[str] = field(default_factory=list)
    stopped: threading.Event = field(default_factory=threading.Event)


def reply(
    body: bytes, *, kind: str = "application/json", status: str = "200 OK", headers: str = ""
) -> bytes:
    """A whole reply of HTTP/1.1."""
    head = f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n{headers}"
    return f"{head}Connection: close\r\n\r\n".encode() + body


def reply_json(value: object) -> bytes:
    """A whole reply that is JSON."""
    return reply(json.dumps(value).encode())


def _serve(server: RawServer, connection: socket.socket) -> None:
    with connection, suppress(OSError):
        head = b""
        while b"\r\n\r\n" not in head:
            head += connection.recv(65536)
        start, _, rest = head.partition(b"\r\n\r\n")
        missing = [
            int(line[15:])
            for line in start.split(b"\r\n")
            if line.lower().startswith(b"content-length:")
        ]
        while missing and len(rest) < missing[0]:
            rest += connection.recv(65536)
        path = start.split(b" ")[1].decode().partition("?")[0].removeprefix("/api/v1")
        server.requests.append(path)
        for step in server.play.get(path, server.otherwise):
            if isinstance(step, bytes):
                connection.sendall(step)
            elif server.stopped.wait(step):
                return


@contextmanager
def raw_server() -> Iterator[RawServer]:
    """A server that runs as long as the block."""
    server = RawServer()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server.base_url = f"http://127.0.0.1:{listener.getsockname()[1]}/api/v1"

        def accept() -> None:
            with suppress(OSError):
                while True:
                    connection, _ = listener.accept()
                    threading.Thread(target=_serve, args=(server, connection), daemon=True).start()

        accepting = threading.Thread(target=accept, daemon=True)
        accepting.start()
        yield server
        server.stopped.set()
        listener.shutdown(socket.SHUT_RDWR)
        accepting.join()  # else it could take a connection of the next listener of that number
