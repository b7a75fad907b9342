"""All that one connection reads: its cursors, and the task that feeds them.

Knows cursors, the hub and the store's reading side. Must not know how the
connection encodes or writes, or what it pushes.

There is one cursor for each entity that the connection is subscribed to, and
one more for each on-demand sync of an entity that it is not. Only those that
are catching up cost anything: one task reads the store for them in turn, a
page at a time, and waits while the connection is behind.

What a connection reads of one entity, at one granularity. With a position,
`subscribe` and `sync` go back to where that is; `read` is what the task does:

===========  ===========  ===============  ===========  ===========  ===========  =============
state        subscribe    subscribe since  sync         read to end  fell behind  unsubscribe
===========  ===========  ===============  ===========  ===========  ===========  =============
none         live         catching up      syncing      -            -            none
live         live         catching up      catching up  -            catching up  none
catching up  catching up  catching up      catching up  live         -            syncing, what
                                                                                  is due is still
                                                                                  answered
syncing      catching up  catching up      syncing      none         -            syncing
===========  ===========  ===============  ===========  ===========  ===========  =============

`live` is a member of the hub's group and waits in no list; `catching up` and
`syncing` (`Cursor.once`) are in `_waiting`, and only those. A cursor that fell
behind owes no answer: `unsubscribe` ends it at once.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any, Protocol

from rhtmx.messages import Position, Sync, SyncComplete, SyncFields, SyncFieldsComplete
from rhtmx.wire import ServerMessage
from rhtmx_server.delivery.cursor import Cursor, Mark, at, resume
from rhtmx_server.delivery.hub import Hub, Subscriber
from rhtmx_server.delivery.page_sender import PageSender, PageSink
from rhtmx_server.model import Granularity, Record
from rhtmx_server.ports import Store

__all__ = ["ReadingConnection", "Subscriptions"]

PAGE = 128
"""Records that are read at a time."""

_END = 2**63 - 1


class ReadingConnection(PageSink, Subscriber, Protocol):
    """The connection, as its subscriptions see it."""

    def page(self) -> AbstractAsyncContextManager[None]:
        """Wait until it takes more; a page is read and sent inside."""


class Subscriptions:
    """The reading side of one connection.

    Args:
        reader: the connection.
        store: where to catch up from.
        hub: where to go live.
        spawn: runs a coroutine as a task that ends with the connection.
    """

    def __init__(
        self,
        reader: ReadingConnection,
        store: Store,
        hub: Hub,
        spawn: Callable[[Coroutine[Any, Any, None]], asyncio.Task[None]],
    ) -> None:
        self._reader = reader
        self._store = store
        self._hub = hub
        self._spawn = spawn
        self._cursors: dict[str, Cursor] = {}
        self._waiting: list[Cursor] = []
        self._pumping = False
        self._sender = PageSender(reader)

    @property
    def count(self) -> int:
        """How many entities are subscribed to."""
        return len(self._cursors)

    @property
    def lagging(self) -> int:
        """How many cursors are not live."""
        return len(self._waiting)

    @property
    def syncs(self) -> int:
        """How many answers to a sync are due."""
        return sum(mark.asked for cursor in self._waiting for mark in cursor.marks)

    @property
    def resumes(self) -> int:
        """How many subscriptions have yet to be told that they have caught up."""
        return sum(not mark.asked for cursor in self._waiting for mark in cursor.marks)

    def subscribed(self, entity: str) -> bool:
        """Whether the connection is subscribed to an entity."""
        return entity in self._cursors

    def subscribe(self, entity: str, granularity: Granularity, since: Position | None) -> None:
        """Start the live stream, or widen it to another granularity.

        Args:
            entity: the collection.
            granularity: `RECORDS` or `FIELDS`.
            since: where to resume; without it the stream starts at the head.
        """
        cursor = self._cursors.get(entity)
        if cursor is None:
            cursor = self._cursors[entity] = self._begin(entity, granularity, live=since is None)
        elif cursor.granularity | granularity is not cursor.granularity:
            self._regroup(cursor, cursor.granularity | granularity)
        if since is not None:
            version, epoch = at(since)
            head = self._hub.head(entity)
            start, reset = resume(version, epoch, head, self._store.epoch, trusting=False)
            self._rewind(cursor, start, Mark(granularity, reset))

    def announce(self, entity: str, granularity: Granularity) -> None:
        """Tell where the stream of a subscription stands, now or once it has caught up."""
        cursor, mark = self._cursors[entity], Mark(granularity, reset=False)
        if cursor.live:
            self._reader.send(self._answer(entity, self._hub.position(entity), mark))
        else:
            cursor.marks.append(mark)

    def unsubscribe(self, entity: str, granularity: Granularity) -> None:
        """End the live stream at this granularity; unknown ones are no error."""
        cursor = self._cursors.get(entity)
        if cursor is None or not cursor.granularity & granularity:
            return
        # It may read at both: what is left of it goes on, in another group of the hub.
        left = cursor.granularity & ~granularity
        if left:
            self._regroup(cursor, left)
            return
        if cursor.live:
            self._hub.leave(entity, cursor.granularity, self._reader)
        del self._cursors[entity]
        cursor.once = True  # what is due is still answered
        if not cursor.marks and cursor in self._waiting:
            self._sender.release(complete=False)
            self._waiting.remove(cursor)

    def sync(self, request: Sync | SyncFields) -> None:
        """Send everything after `since` and then `sync_complete` or its like.

        A subscription that catches up in that granularity goes back to `since`,
        so that its stream stays in order; so does a sync that is under way.
        Without one, a cursor of its own reads once.
        """
        entity = request.entity
        granularity = Granularity.RECORDS if isinstance(request, Sync) else Granularity.FIELDS
        start, reset = resume(
            request.since,
            request.epoch,
            self._hub.head(entity),
            self._store.epoch,
            trusting=request.epoch is None,
        )
        mark = Mark(granularity, reset, request.request_id, asked=True)
        cursor = self._cursors.get(entity)
        # A live subscription of the same granularity goes back and catches up: two streams of one
        # entity on one connection could overtake each other.
        if cursor is None or cursor.catches_up_by is not granularity:
            cursor = self._syncing(entity, granularity)
        if cursor is not None:
            self._rewind(cursor, start, mark)
        else:
            self._catch_up(Cursor(entity, granularity, start, once=True, marks=[mark]))

    def fell(self, entity: str, sent: int) -> None:
        """The hub took this connection out of an entity's live stream."""
        cursor = self._cursors.get(entity)
        if cursor is not None and cursor.live:
            cursor.fall(sent)
            self._catch_up(cursor)

    def close(self) -> None:
        """Leave everything, and let go of the reader: they hold each other."""
        for cursor in self._cursors.values():
            if cursor.live:
                self._hub.leave(cursor.entity, cursor.granularity, self._reader)
        self._cursors.clear()
        self._waiting.clear()
        # A circle that is cut here needs no garbage collector.
        del self._reader, self._spawn, self._sender

    def _begin(self, entity: str, granularity: Granularity, *, live: bool) -> Cursor:
        cursor = self._syncing(entity, granularity)
        if cursor is not None:
            cursor.once = False  # goes live where the sync ends: one stream, in order
            return cursor
        cursor = Cursor(entity, granularity, self._hub.position(entity), live=live)
        if live:
            self._hub.join(entity, granularity, self._reader)
        return cursor

    def _syncing(self, entity: str, granularity: Granularity) -> Cursor | None:
        """The cursor of a sync that is under way, and of no subscription."""
        for cursor in self._waiting:
            if cursor.once and cursor.entity == entity and cursor.granularity is granularity:
                return cursor
        return None

    def _regroup(self, cursor: Cursor, granularity: Granularity) -> None:
        if cursor.live:
            self._hub.leave(cursor.entity, cursor.granularity, self._reader)
        if cursor.live:  # still: leaving may show that the reader is behind
            self._hub.join(cursor.entity, granularity, self._reader)
        cursor.granularity = granularity

    def _rewind(self, cursor: Cursor, start: int, mark: Mark) -> None:
        if cursor.live:
            self._hub.leave(cursor.entity, cursor.granularity, self._reader)
        self._sender.release(complete=False)
        cursor.rewind(start)
        cursor.marks.append(mark)
        self._catch_up(cursor)

    def _catch_up(self, cursor: Cursor) -> None:
        if cursor not in self._waiting:
            self._waiting.append(cursor)
        if not self._pumping:
            self._pumping = True
            self._spawn(self._pump())

    async def _pump(self) -> None:
        try:
            while self._waiting:
                async with self._reader.page():
                    if self._waiting:
                        await self._read_page(self._waiting[0])
                    # The loop serves everyone else between two pages, and this one is written.
                    await asyncio.sleep(0)
        finally:
            self._pumping = False

    async def _read_page(self, cursor: Cursor) -> None:  # noqa: C901 (no await between the parts)
        """Send the next page; an empty one, with the hub where it was, is the end.

        Pages are read beyond the hub's position, though nothing of that is sent:
        a record with a commit that the hub has yet to hand out hides what was
        written to its other fields before.
        """
        upto, asked = self._hub.position(cursor.entity), cursor.sent
        page: list[Record] = []
        if asked < upto or asked > cursor.base:
            # Whole records are sent without their clocks, so those are not even read.
            clocks = cursor.catches_up_by is Granularity.FIELDS
            page = await self._store.since(cursor.entity, asked, _END, PAGE, clocks=clocks)
            if cursor not in self._waiting or cursor.sent != asked:
                return  # unsubscribed or sent elsewhere meanwhile
        # Floors rise while it reads, and with them go deletes that it has not seen yet.
        floor = 0
        if not page and cursor.base:
            floor = (await self._store.head(cursor.entity)).floor
            if cursor not in self._waiting or cursor.sent != asked:
                return
        # No await from here on: what is at the head goes live at the head.
        position = self._hub.position(cursor.entity)
        fresh: Sequence[Record] = page
        if page and page[-1].version > position:
            fresh = [record for record in page if record.version <= position]
        self._sender.send(fresh, cursor.catches_up_by, cursor.base)
        if fresh:
            cursor.reached(fresh[-1].version)
        if not page:
            cursor.reached(upto)
        if not page and cursor.base < floor:
            self._sender.release(complete=False)
            cursor.restart()  # deletes that it had yet to read were forgotten meanwhile
        elif not page and upto == position:
            self._caught_up(cursor)
        # One page each, in turn: a large entity does not hold a small one up.
        elif len(self._waiting) > 1:
            self._sender.release(complete=False)
            self._waiting.append(self._waiting.pop(0))

    def _caught_up(self, cursor: Cursor) -> None:
        self._sender.release(cursor.entity, complete=True)
        self._waiting.remove(cursor)
        # Taken first: to answer may bring the next question.
        marks, cursor.marks = cursor.marks, []
        for mark in marks:
            self._reader.send(self._answer(cursor.entity, cursor.sent, mark))
        if not cursor.once:
            cursor.live = True
            self._hub.join(cursor.entity, cursor.granularity, self._reader)

    def _answer(self, entity: str, version: int, mark: Mark) -> ServerMessage:
        kind = SyncComplete if mark.granularity is Granularity.RECORDS else SyncFieldsComplete
        return kind(
            entity=entity,
            version=version,
            epoch=self._store.epoch,
            reset=mark.reset,
            request_id=mark.request_id,
        )
