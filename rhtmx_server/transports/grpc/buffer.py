"""What a peer has sent on one stream and nobody has read yet.

Knows bytes, and the credit that the peer gets back for them. Must not know
frames or messages.

grpclib 0.4.9 keeps an entry of 170 bytes for each frame of data, also if it is
one byte, or padding alone: 4 MiB of window were 700 MB. Here bytes are bytes.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

__all__ = ["Buffer"]

_OWED = 8 * 1024
"""Bytes that were read before their credit is given back: each time costs some µs."""


class Buffer:
    """Takes bytes as they come, gives them as they are asked for.

    Args:
        credit: tells the peer that it may send so many bytes more.
    """

    def __init__(self, credit: Callable[[int], None]) -> None:
        self._credit = credit
        self._data = bytearray()
        self._given = 0
        self._owed = 0
        self._eof = False
        self._news = asyncio.Event()

    def add(self, data: bytes, size: int) -> None:
        """Keep data that has arrived.

        Args:
            data: without padding.
            size: what the peer's windows have shrunk by, padding included.
        """
        self._data += data
        # Padding is nothing that anybody will read: its credit goes back at once.
        if size > len(data):
            self._credit(size - len(data))
        self._news.set()

    def eof(self) -> None:
        """The peer has said all."""
        self._eof = True
        self._news.set()

    async def read(self, size: int) -> bytes:
        """So many bytes, once they are here; fewer where the peer has said all."""
        while len(self._data) < size and not self._eof:
            # Who reads needs what is here, and more: let the peer send that.
            waiting = len(self._data)
            self._give(self._owed + waiting - self._given)
            self._owed, self._given = 0, waiting
            self._news.clear()
            await self._news.wait()
        data = bytes(self._data[:size])
        del self._data[: len(data)]
        # What was credited in advance is not credited a second time.
        before = min(self._given, len(data))
        self._given -= before
        self._owed += len(data) - before
        if self._owed >= _OWED:
            self._give(self._owed)
            self._owed = 0
        return data

    def unacked_size(self) -> int:
        """Bytes whose credit is still due, when nobody reads any more."""
        due = self._owed + len(self._data) - self._given
        self._owed, self._given = 0, len(self._data)
        return due

    def _give(self, size: int) -> None:
        if size:
            self._credit(size)
