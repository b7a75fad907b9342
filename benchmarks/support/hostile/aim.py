"""At whom a pattern aims, and what came of it."""

from __future__ import annotations

import contextlib
import select
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from benchmarks.support.sockets import Client

CHUNK = 1 << 18
"""Bytes of one write or read."""

REST = 0.05
"""Seconds until a connection that was cut comes again."""


@dataclass(slots=True)
class Tally:
    """What the hostile side has done so far.

    Args:
        sent: bytes that the server's kernel has taken.
        opened: connections.
        cut: how many of them the server ended.
    """

    sent: int = 0
    opened: int = 0
    cut: int = 0


@dataclass(frozen=True, slots=True)
class Aim:
    """A server on this machine.

    Args:
        port: of its WebSocket.
        path: of the endpoint.
        grpc: port of its gRPC door; 0 where there is none.
        start: called before the first connection: what a pattern sends is made by then.
        tally: kept by the patterns.
    """

    port: int
    path: str = "/api/ws"
    grpc: int = 0
    start: Callable[[], None] = lambda: None
    tally: Tally = field(default_factory=Tally)

    def websocket(self, **options: Any) -> Client:
        """Open a WebSocket."""
        self._open()
        return Client(self.port, self.path, **options)

    def tcp(self, port: int = 0) -> socket.socket:
        """Open a TCP connection."""
        self._open()
        connection = socket.create_connection(("127.0.0.1", port or self.port))
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return connection

    def _open(self) -> None:
        if not self.tally.opened:
            self.start()
        self.tally.opened += 1

    def send(self, connection: socket.socket, data: bytes) -> None:
        """Send all of it, waiting for the server if need be."""
        connection.sendall(data)
        self.tally.sent += len(data)

    def again(self, once: Callable[[], None]) -> None:
        """Do something that ends when the server ends it, for ever."""
        while True:
            # A handshake that is refused raises a RuntimeError.
            with contextlib.suppress(OSError, RuntimeError):
                once()
            self.tally.cut += 1
            time.sleep(REST)

    def flood(self, connection: socket.socket, data: bytes, *, read: bool = True) -> None:
        """Write the same again and again, as fast as the server takes it.

        Args:
            connection: open and greeted.
            data: what is written.
            read: take what comes back, and drop it. Otherwise it is left there.

        Raises:
            ConnectionError: the server has ended it.
        """
        connection.setblocking(False)
        ready = select.poll()
        ready.register(connection, select.POLLOUT | (select.POLLIN if read else 0))
        buffer = memoryview(bytearray(CHUNK))
        view, at = memoryview(data), 0
        while True:
            for _, event in ready.poll():
                if event & select.POLLIN and not connection.recv_into(buffer):
                    raise ConnectionError("the server has closed the connection")
                if event & select.POLLOUT:
                    count = connection.send(view[at : at + CHUNK])
                    self.tally.sent += count
                    at = (at + count) % len(data)
                elif event & (select.POLLERR | select.POLLHUP):
                    raise ConnectionError("the server has dropped the connection")


Pattern: TypeAlias = Callable[[Aim], None]
"""Goes on until the process is ended."""
