"""Which of several nodes does what one does for all: calls hooks, and forgets what is old.

Knows the lease. Must not know what is done under it.

The lease is short, and renewed long before it ends. Who cannot renew it in time leads no more, by
its own clock: so two that take themselves for the leader are so only where a process was frozen.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable

from rhtmx.errors import RhtmxError
from rhtmx_server.sharing import SharedStore

__all__ = ["Leadership"]

log = logging.getLogger("rhtmx_server")

LEASE = 10.0
"""Seconds for which somebody leads."""

RENEW_EVERY = 2.0
"""Seconds between two questions."""


class Leadership:
    """Whether this node leads.

    Args:
        store: that all nodes share; `None` for a server that is alone, and always leads.
        now: seconds, of a clock that does not jump.

    Attributes:
        nodes: how many there are.
    """

    def __init__(self, store: SharedStore | None, now: Callable[[], float]) -> None:
        self._store = store
        self._now = now
        self._until = 0.0
        self.nodes = 1

    def __call__(self) -> bool:
        """Whether it leads now."""
        return self._store is None or self._now() < self._until

    async def run(self) -> None:
        """Lead whenever nobody else does, until cancelled."""
        store = self._store
        while store is not None:
            asked, led = self._now(), self()
            try:
                leads = await store.lead(LEASE)
                self._until = asked + LEASE if leads else 0.0
                self.nodes = await store.count_nodes(LEASE)
            except RhtmxError as error:
                log.debug("it cannot be found out who leads: %s", error)
            if self() is not led:
                log.info("this node %s", "leads" if self() else "leads no more")
            await asyncio.sleep(RENEW_EVERY)

    async def resign(self) -> None:
        """Have another node lead at once."""
        self._until = 0.0
        if self._store is not None:
            with contextlib.suppress(RhtmxError):
                await self._store.resign()
