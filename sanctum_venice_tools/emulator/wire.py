"""The connection under a request: what a fault does to it when plain HTTP will not do."""

import asyncio
import contextlib
import socket
import struct

from uvicorn.protocols.http.flow_control import FlowControl

# SO_LINGER switched on with a time of 0: closing then sends a reset instead of an end.
RESET_ON_CLOSE = struct.pack("ii", 1, 0)


class Wire:
    """A connection that a fault writes to itself.

    All ends with ConnectionResetError once the client is gone.
    """

    def __init__(self, transport: asyncio.Transport, flow: FlowControl) -> None:
        self.transport = transport
        self.flow = flow
        self.gone = asyncio.Event()
        self.has_fault = False

    def begin_fault(self) -> None:
        """Watch the client from now on.

        The server stops reading after a large request, and would not see it go.
        """
        self.has_fault = True
        self.flow.resume_reading()

    def end_fault(self) -> None:
        """Drop the connection if a fault is under way, for the server is stopping."""
        if self.has_fault:
            self.transport.abort()

    async def write(self, data: bytes) -> None:
        """Send these bytes as they are, and wait until there is room for more."""
        await self.take_turn()
        self.transport.write(data)
        await self.flow.drain()

    async def take_turn(self) -> None:
        """Let others go first.

        A client that reads fast leaves room at all times, and would keep all to itself.
        """
        await asyncio.sleep(0)
        self.check()

    async def pause(self, seconds: float) -> None:
        """Let so much time pass, but no more than the client stays for."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self.gone.wait(), seconds)
        self.check()

    def check(self) -> None:
        """Raise ConnectionResetError when the client is gone."""
        if self.gone.is_set():
            raise ConnectionResetError

    async def close(self) -> None:
        """End the connection in good order, after all that was written."""
        self.transport.close()
        await self.gone.wait()

    async def reset(self) -> None:
        """Tear the connection down so that the other side sees a reset, not an end."""
        connection: socket.socket = self.transport.get_extra_info("socket")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_ON_CLOSE)
        self.transport.abort()
        await self.gone.wait()
        raise ConnectionResetError
