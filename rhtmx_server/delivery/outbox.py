"""Bytes on their way out: joined within one tick of the loop, written once.

Knows the tick and the write function it is given. Must not know messages,
formats or subscriptions.

A system call per message is what fan-out costs. So nothing is written when it
is produced: outboxes note what they hold, and at the end of the tick each one
writes all of it at once. One that holds much writes before that: a tick may
produce any amount, and the transport has to say when its peer does not read it.
Where more is certain to come in the next tick, `put_off` has what is held wait for it.

=========  ==========  ==================  ===========  ========  =========
state      `put`       `put` beyond FULL   `flush`      `close`   `drop`
=========  ==========  ==================  ===========  ========  =========
empty      holding     holding             empty        closed    closed
holding    holding     empty, written      empty,       closed    closed
                                           written
closed     closed      closed              closed       closed    closed
=========  ==========  ==================  ===========  ========  =========

The tick that a holding outbox has asked for flushes it; a write that raises is a
`drop`. What a closed one is given goes nowhere.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable

from rhtmx_server.delivery.direct import SendEach
from rhtmx_server.failures import place

__all__ = ["FULL", "Outbox", "Tick", "write_each"]

log = logging.getLogger("rhtmx_server")


FULL = 64 * 1024
"""Bytes that an outbox writes before the end of the tick."""


class Tick:
    """Runs what was put off to the end of the current tick.

    Args:
        call_soon: schedules a function for the next turn of the loop.
    """

    def __init__(self, call_soon: Callable[[Callable[[], None]], object]) -> None:
        self._call_soon = call_soon
        self._outboxes: list[Outbox] = []
        self._put_off: set[Outbox] = set()
        self._before: list[Callable[[], None]] = []
        self._scheduled = False

    def before_writing(self, function: Callable[[], None]) -> None:
        """Have `function` called once at the end of this tick, before the writes."""
        self._before.append(function)
        self._schedule()

    def add(self, outbox: Outbox) -> None:
        """Have `outbox` flushed at the end of this tick."""
        self._outboxes.append(outbox)
        self._schedule()

    def put_off(self, outbox: Outbox) -> None:
        """Have `outbox` flushed a tick later, if the end of this one would flush it."""
        if self._scheduled:
            self._put_off.add(outbox)

    def _schedule(self) -> None:
        if not self._scheduled:
            self._scheduled = True
            self._call_soon(self.run)

    def run(self) -> None:
        """End the tick now. What fails is logged and costs nobody else their turn."""
        functions, self._before = self._before, []
        for function in functions:
            _guarded(function)
        # Taken before the first write: what a write brings about belongs to the next tick.
        outboxes, self._outboxes = self._outboxes, []
        self._scheduled = False
        if self._put_off:
            outboxes = self._due(outboxes)
        for outbox in outboxes:
            outbox.flush()

    def _due(self, outboxes: list[Outbox]) -> list[Outbox]:
        """The outboxes of a tick that are not put off; the others are for the next one."""
        put_off, self._put_off = self._put_off, set()
        due: list[Outbox] = []
        for outbox in outboxes:
            if outbox in put_off:
                self.add(outbox)
            else:
                due.append(outbox)
        return due


def _guarded(function: Callable[[], None]) -> None:
    try:
        function()
    except Exception as failure:
        log.error("ending a tick failed: %s", place(failure))


class Outbox:
    """What one connection will be written at the end of the tick.

    Of all objects of a connection, fan-out touches this one only: with
    thousands of connections every further one is a cache miss each.

    Args:
        write: hands bytes to the connection; must not block. Where it raises the peer is
            gone, or as good as gone: it has missed something, and has to come back. Returns
            what is `direct` after that.
        tick: flushes this outbox.
        broken: drops the connection, once writing has failed.

    Attributes:
        behind: more is waiting to be read by the peer than it may keep waiting.
        direct: the descriptor of the connection's socket, while what comes next may be
            written there (`write_each`): it is open, and nothing waits, neither here nor
            after `write`. `None` at all other times.
    """

    __slots__ = ("_broken", "_chunks", "_size", "_tick", "_write", "behind", "direct")

    def __init__(
        self,
        write: Callable[[bytes], int | None],
        tick: Tick,
        broken: Callable[[], None] = lambda: None,
    ) -> None:
        self.behind = False
        self.direct: int | None = None
        self._write = write
        self._tick = tick
        self._broken = broken
        self._chunks: list[bytes] = []
        self._size = 0

    def put(self, frames: bytes) -> None:
        """Send these bytes after what is already here. Never raises."""
        chunks = self._chunks
        chunks.append(frames)
        if len(chunks) == 1:
            self.direct = None
            self._size = len(frames)
            self._tick.add(self)
        else:
            self._size += len(frames)
            if self._size > FULL:
                self.flush()

    def put_off(self) -> None:
        """Have what is here, and comes in this tick, written a tick later: more comes in that one.

        So both are one write. To be asked for in each tick anew; `FULL` is the bound as ever.
        """
        self._tick.put_off(self)

    def close(self) -> None:
        """Drop whatever else is put here: the peer takes nothing any more."""
        # A function in its place, not a flag: `flush` is what fan-out calls most.
        self._write = _drop
        self.direct = None

    def flush(self) -> None:
        """Write what is here. Never raises."""
        chunks = self._chunks
        if not chunks:
            return
        # A new list before the write: it may call back, and put something here.
        self._chunks = []
        # One chunk goes out as it is: the hub's joined frames are one object
        # for all connections, however many of them have to buffer it.
        self.write(chunks[0] if len(chunks) == 1 else b"".join(chunks))

    def write(self, frames: bytes) -> None:
        """Write these bytes now: nothing is here that has to come before. Never raises."""
        self.direct = None
        try:
            direct = self._write(frames)
            # Where that has closed it, never again: the descriptor may be another socket's soon.
            self.direct = None if self._write is _drop else direct
        except Exception as failure:
            log.debug("a connection is dropped, writing to it failed: %s", place(failure))
            self.drop()

    def drop(self) -> None:
        """Drop the connection: its peer has missed something, and comes back. Never raises."""
        self.close()
        try:
            self._broken()
        except Exception as failure:
            log.debug("dropping a connection failed: %s", place(failure))


def write_each(outboxes: Iterable[Outbox], frames: bytes, send_each: SendEach) -> list[Outbox]:
    """Write the same bytes now to each socket that may be written to directly. Never raises.

    What one of them does not take is handed to `write` at once, as if all had been: who
    reads too slowly is `behind` when this returns.

    Returns:
        The others. They were written nothing.
    """
    asked = list(outboxes)
    # Counted first, as there is mostly none: with thousands of them each look is a cache miss.
    descriptors = [outbox.direct for outbox in asked]
    others: list[Outbox] = []
    if None in descriptors:
        others = [outbox for outbox in asked if outbox.direct is None]
        asked = [outbox for outbox in asked if outbox.direct is not None]
    ready = [each for each in descriptors if each is not None]
    for number, taken in send_each(ready, frames):
        asked[number].write(frames[taken:])
    return others


def _drop(data: bytes) -> None:
    pass
