"""Looks at the clocks: for a session, when that wants it, and for sleep, all the time.

Knows the loop's timers. Must not know what becomes due: the session does.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable

from rhtmx.core.connection_lifecycle import Sleep
from rhtmx.runtime.endpoint import ClientSocket
from rhtmx.runtime.session_driver import SessionDriver

__all__ = ["Alarm", "mind_sleep"]

log = logging.getLogger("rhtmx")

_TICK = 0.001
"""The shortest timer, in seconds. uvloop 0.23 rounds to milliseconds (`Loop.call_later`
in its loop.pyx): one of less than half of that is due at once, and again, and again."""


_LOOK = 1.0
"""Seconds between two looks at the clocks: so late a sleep is noticed."""


_wall = time.time


class Alarm:
    """One session's timer. One socket has it at a time.

    Args:
        driver: is told that the time has come.
        name: the server, for the log.
    """

    def __init__(self, driver: SessionDriver, name: str) -> None:
        self._driver = driver
        self._name = name
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = None

    def arm(self, socket: ClientSocket, deadline: float | None) -> None:
        """Look at the clock again when the session wants to."""
        if deadline is None or (self._timer is not None and self._timer.when() <= deadline):
            return
        self.disarm()
        at = max(deadline, self._loop.time() + _TICK)
        self._timer = self._loop.call_at(at, self._look, socket)

    def disarm(self) -> None:
        """There is no socket any more."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    @property
    def armed(self) -> bool:
        """Whether there is a time at which it looks."""
        return self._timer is not None

    def _look(self, socket: ClientSocket) -> None:
        self._timer = None
        result = self._driver.look()
        if result.alive:
            self.arm(socket, result.deadline)
        else:
            log.warning("'%s' gives no sign of life: connecting again", self._name)
            socket.transport.abort()


async def mind_sleep(slept: Callable[[], None]) -> None:
    """Look now and then whether the machine has slept, until this is cancelled."""
    loop, sleep = asyncio.get_running_loop(), Sleep()
    while True:
        if sleep.look(loop.time(), _wall()):
            log.info("this machine has slept: looking after the connection")
            slept()
        await asyncio.sleep(_LOOK)
