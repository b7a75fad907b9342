"""What the server does by the clock: signs of life, and old rows.

Knows intervals. Must not know what a connection or a store does when asked.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Iterable

from rhtmx.errors import RhtmxError
from rhtmx_server.config import Config
from rhtmx_server.connections.connection import Connection
from rhtmx_server.delivery.hub import Hub
from rhtmx_server.failures import place
from rhtmx_server.horizon import DOUBT, HOUR, PACE, ServerClock, advance
from rhtmx_server.ports import Store

__all__ = ["collect", "watch", "watch_readiness"]

log = logging.getLogger("rhtmx_server")

WATCH_SECONDS = 1.0
COLLECT_SECONDS = 3600.0
AWAIT_LEAD_SECONDS = 10.0
AT_A_TIME = 64
"""Connections that are looked at before the loop serves everyone else: all of them may
have to be ended, which takes 0.1 ms each."""

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
        # A list: looking may end some of them.
        for number, connection in enumerate(list(connections()), 1):
            try:
                connection.look(moment)
            except Exception as failure:
                log.error("looking at a connection failed: %s", place(failure))
            if number % AT_A_TIME == 0:
                await asyncio.sleep(0)


async def watch_readiness(ready: Callable[[], bool], changed: Callable[[], None]) -> None:
    """Tell whenever the server becomes ready or not ready, until cancelled.

    Args:
        ready: whether it is.
        changed: is called when that is not what it was.
    """
    before = ready()
    while True:
        await asyncio.sleep(WATCH_SECONDS)
        before, was = ready(), before
        if before is not was:
            changed()


async def collect(
    store: Store,
    hub: Hub,
    config: Config,
    clock: ServerClock,
    now: Callable[[], float],
    leads: Callable[[], bool] = lambda: True,
) -> None:
    """Delete history and tombstones that are old enough, once an hour, until cancelled.

    Args:
        store: what to clean.
        hub: learns of the floors that rise.
        config: how old is old enough.
        clock: the time; learns of the horizon.
        now: seconds, of a clock that does not jump.
        leads: whether this server is the one that does it.
    """
    last = now()
    try:
        while True:
            if not leads():
                last = now()
                await asyncio.sleep(AWAIT_LEAD_SECONDS)
                continue
            moment = now()
            pause = COLLECT_SECONDS
            try:
                pause = await _collect(store, hub, config, clock, round((moment - last) * 1e6))
                last = moment
            except RhtmxError as error:
                log.warning("old rows stay for now: %s", error)
            except Exception as failure:
                log.error("old rows stay for now: %s", place(failure))
            await asyncio.sleep(pause)
    finally:
        # A server that never runs for a whole hour would not get any further otherwise.
        with contextlib.suppress(RhtmxError):
            if leads():
                ran = round((now() - last) * 1e6)
                await store.note_horizon(advance(await store.kept(), clock.wall(), ran))


async def _collect(store: Store, hub: Hub, config: Config, clock: ServerClock, ran: int) -> float:
    """Collect once; returns the seconds until the next time."""
    wall = clock.wall()
    horizon = advance(await store.kept(), wall, ran)
    clock.not_before(horizon)
    history, tombstones = round(config.history_days * _DAY), round(config.tombstone_days * _DAY)
    await store.collect(history_before=horizon - history, tombstones_before=horizon - tombstones)
    await store.note_horizon(horizon)
    hub.raise_floors(await store.heads())
    if wall < horizon:
        log.warning(
            "the clock is %s behind what the store has seen: what is written gets the time that "
            "the store has seen, until the clock is there or stays behind for %d minutes",
            _span(horizon - wall),
            DOUBT * 60 // HOUR,
        )
        return DOUBT / 1e6 + 1
    kept = await store.kept()
    held = _older(kept.history, wall - history) or _older(kept.others, wall - tombstones)
    if held and wall - horizon > HOUR:  # less is any restart
        log.warning(
            "old rows are held back: the clock is %s ahead of what the store has seen, and may be "
            "wrong. They go while the server runs, %d hours' worth in each hour. If the clock is "
            "wrong, put it right before they are gone",
            _span(wall - horizon),
            PACE,
        )
    return COLLECT_SECONDS


def _older(time: int | None, before: int) -> bool:
    return time is not None and time < before


def _span(micros: int) -> str:
    hours = micros / HOUR
    return f"{hours / 24:.1f} days" if hours >= 48 else f"{hours:.1f} hours"
