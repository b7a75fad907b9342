"""Shares of the loop's turns, for tasks: one after the other, and a few in each turn.

Knows tasks that have had their share and want another one. Must not know what they do with it.

It is for tasks what `connections.turns` is for callbacks. A task that always finds something to do
never gives way; with `asyncio.sleep(0)` it would be back in the very next turn, beside
all others that do the same, and a turn would take as many shares as there are busy peers.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable

__all__ = ["Shares"]


class Shares:
    """The queue of tasks that want another share.

    Args:
        call_soon: schedules a function for the next turn of the loop.
        at_a_time: how many go on in one turn.
    """

    def __init__(self, call_soon: Callable[[Callable[[], None]], object], at_a_time: int) -> None:
        self._call_soon = call_soon
        self._at_a_time = at_a_time
        self._waiting: deque[asyncio.Future[None]] = deque()

    async def another(self) -> None:
        """Wait for one's turn to go on, behind all who wait already."""
        place = asyncio.get_running_loop().create_future()
        self._waiting.append(place)
        # The first one books the turn, for all who come after it.
        if len(self._waiting) == 1:
            self._call_soon(self._turn)
        await place

    def _turn(self) -> None:
        left = self._at_a_time
        while self._waiting and left:
            place = self._waiting.popleft()
            if not place.done():  # it has been cancelled
                place.set_result(None)
                left -= 1
        if self._waiting:
            self._call_soon(self._turn)
