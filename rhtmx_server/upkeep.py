"""What the server does by the clock: signs of life, and old rows.

Knows intervals. Must not know what a connection or a store does when asked.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable

from rhtmx.errors import RhtmxError
from rhtmx_server.config import Config
from rhtmx_server.connection import Connection
from rhtmx_server.failures import place
from rhtmx_server.hub import Hub
from rhtmx_server.ports import Store

__all__ = ["collect", "watch"]

log = logging.getLogger("rhtmx_server")

WATCH_SECONDS = 1.0
COLLECT_SECONDS = 3600.0
_DAY = 86_400_000_000


async def watch(
    connections: Callable[[], Iterable[Connection]], now: Callable[[], float], config: Config
) -> None:
    """Look at every connection now and then, until cancelled.

    A server that was kept from running itself (a busy machine, a stopped process)
    judges nobody at once: what peers said meanwhile lies in their sockets, and is
    read before the next look.

    Args:
        connections: those that are open.
        now: seconds, of a clock that does not jump.
        config: the times that have to be kept; a look comes late by a quarter
            of the shortest at most, and once a second at least.
    """
    pause = min(WATCH_SECONDS, config.heartbeat / 4, config.stall_timeout / 4)
    last, late = now(), False
    while True:
        await asyncio.sleep(pause)
        moment = now()
        late = moment - last > 2 * pause and not late  # never twice: it may always be busy
        last = moment
        if late:
            continue
        for connection in list(connections()):
            try:
                connection.look(moment)
            except Exception as failure:
                log.error("looking at a connection failed: %s", place(failure))


async def collect(store: Store, hub: Hub, config: Config, clock: Callable[[], int]) -> None:
    """Delete history and tombstones that are old enough, once an hour, until cancelled.

    Args:
        store: what to clean.
        hub: learns of the floors that rise.
        config: how old is old enough.
        clock: the time; microseconds.
    """
    while True:
        now = clock()
        try:
            await store.collect(
                history_before=now - round(config.history_days * _DAY),
                tombstones_before=now - round(config.tombstone_days * _DAY),
            )
            hub.raise_floors(await store.heads())
        except RhtmxError as error:
            log.warning("old rows stay for now: %s", error)
        except Exception as failure:
            log.error("old rows stay for now: %s", place(failure))
        await asyncio.sleep(COLLECT_SECONDS)
