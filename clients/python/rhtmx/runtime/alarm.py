"""Looks at the clocks: for a session, when that wants it, and for sleep, all the time.

Knows the loop's timers. Must not know what becomes due: the session does.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable

from websockets.asyncio.client import ClientConnection

from rhtmx.core.liveness import Sleep
from rhtmx.core.session import Session

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
        session: what decides.
        name: the server, for the log.
        wake: is called when there may be something to send.
    """

    def __init__(self, session: Session, name: str, wake: Callable[[], None]) -> None:
        self._session = session
        self._name = name
        self._wake = wake
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = None

    def arm(self, socket: ClientConnection) -> None:
        """Look at the clock again when the session wants to."""
        deadline = self._session.deadline
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

    def _look(self, socket: ClientConnection) -> None:
        self._timer = None
        if self._session.tick(self._loop.time()):
            self._wake()
            self.arm(socket)
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
