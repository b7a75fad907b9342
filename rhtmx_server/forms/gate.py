"""How many validators of one owner are under way at a time, on the event loop or off it.

Knows owners and how many of each are inside. Must not know what they do there.

A form may have hundreds of validators, and a connection may ask about many forms
at a time: all of them at once would be a turn of the loop that belongs to one.
"""

from __future__ import annotations

import asyncio
from collections.abc import Hashable

from rhtmx_server.round_robin import RoundRobin

__all__ = ["Gate"]


class Gate:
    """Lets so many of each owner's in; the others wait, in the order in which they came.

    Args:
        most: how many of one owner's are inside at a time.
    """

    def __init__(self, most: int) -> None:
        self._rotation = RoundRobin[asyncio.Future[None]](most)

    @property
    def empty(self) -> bool:
        """Whether nobody is inside or waits."""
        return self._rotation.empty

    async def enter(self, owner: Hashable) -> None:
        """Wait for room. Whoever is in has to `leave`."""
        if self._rotation.begin(owner):
            return
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._rotation.put(owner, waiter)
        try:
            await waiter
        except asyncio.CancelledError:
            if not self._rotation.withdraw(owner, waiter):
                self.leave(owner)  # was let in, and does not know
            raise

    def leave(self, owner: Hashable) -> None:
        """Make room for the next one."""
        self._rotation.done(owner)
        self._let_in()

    def _let_in(self) -> None:
        # A waiter that was cancelled meanwhile takes a place, too, and gives it back in `enter`.
        while (taken := self._rotation.next()) is not None:
            _, waiter = taken
            if not waiter.done():
                waiter.set_result(None)
