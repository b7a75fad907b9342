"""How long a handshake may take: less once the machine woke, or the network is another.

Knows the loop's timeouts. Must not know what is said in a handshake.

One that was begun before may have nobody at the other end any more, like a connection
that stands: it has three seconds left. The next one has its full time, however often
somebody is in a hurry: on a slow line none would ever succeed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import TypeVar

from rhtmx.core import connection_lifecycle
from rhtmx.runtime.handshake import DialError

__all__ = ["HandshakeDeadline"]

T = TypeVar("T")

_BURST = 0.1
"""A handshake that is younger, in seconds, was begun by this very waking."""


class HandshakeDeadline:
    """Ends an attempt to connect that was begun before the machine slept."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._left: asyncio.Timeout | None = None
        self._began = 0.0
        self._patient = False

    async def limit(self, handshake: Awaitable[T]) -> T:
        """Make a handshake.

        Raises:
            DialError: there was haste, and it took too long.
        """
        self._began = self._loop.time()
        try:
            async with asyncio.timeout(None) as self._left:
                made = await handshake
        except TimeoutError as error:
            self._patient = True
            words = f"no handshake within {connection_lifecycle.PROOF:g} s since this machine woke"
            raise DialError(words, final=False, usual=True) from error
        finally:
            self._left = None
        self._patient = False
        return made

    def hurry(self) -> None:
        """Somebody woke: the handshake that is under way has to come about soon."""
        now, left = self._loop.time(), self._left
        if left is None or left.when() is not None or self._patient:
            return
        if now - self._began >= _BURST:
            left.reschedule(now + connection_lifecycle.PROOF)
