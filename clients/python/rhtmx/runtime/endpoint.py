"""What a client needs of the way to its server.

Knows the interfaces. A WebSocket implements them (`handshake`), and in tests what is no socket at
all.
"""

from __future__ import annotations

from typing import Literal, Protocol

from rhtmx.wire import Format

__all__ = ["Abortable", "ClientSocket", "Endpoint"]


class Abortable(Protocol):
    """What is under a connection."""

    def abort(self) -> None:
        """Drop it now, with all that waits to be sent."""


class ClientSocket(Protocol):
    """One connection to a server.

    Once it has ended, `recv` and `send` raise `websockets.exceptions.ConnectionClosed`.
    """

    @property
    def transport(self) -> Abortable:
        """What is under it."""

    async def recv(self, decode: Literal[False]) -> bytes:
        """Wait for the next message."""

    async def send(self, message: bytes, *, text: bool) -> None:
        """Send a message; returns once there is room for the next."""

    async def close(self) -> None:
        """End it in good order."""


class Endpoint(Protocol):
    """Where to connect to, and how."""

    @property
    def format(self) -> Format:
        """How messages are written."""

    @property
    def shown(self) -> str:
        """Its address as it may be printed and logged."""

    @property
    def open_timeout(self) -> float:
        """Seconds for connecting."""

    async def dial(self) -> ClientSocket:
        """Make one attempt.

        Raises:
            DialError: it failed.
        """
