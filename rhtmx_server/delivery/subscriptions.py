"""All that one connection reads: its cursors, and the task that feeds them.

Knows cursors, the hub and the store's reading side. Must not know how the
connection encodes or writes, or what it pushes.

There is one cursor for each entity that the connection is subscribed to, and one more
for each on-demand sync of an entity that it is not. Only those that are catching up cost
anything: one task reads the store for them in turn, and waits while they are behind.

A connection may subscribe to several parts of one entity, by `where`. Each catches up
with a cursor of its own; those that are live share one, which reads all their scopes
together, so that a record that is in two of them comes once. If that one falls behind,
the others wait with their answers until it is live again: a client takes an answer for
the position of everything that it reads of the entity.

What a connection reads of one entity by one `where`, at one granularity. With a position,
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
behind, or was reset while live, owes no answer: `unsubscribe` ends it at once, so that
nothing of it is taken for what is read next. One whose scope is changed (`rescope`) goes
on as after a position that cannot be resumed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from typing import Any, TypeAlias

from rhtmx.messages import Position, Sync, SyncFields
from rhtmx_server.delivery.cursor import Cursor, Mark, Reading, resume
from rhtmx_server.delivery.hub import Hub
from rhtmx_server.delivery.page_reader import Page, handed_out, is_void, read_page, unseen
from rhtmx_server.delivery.page_sender import PageSender, ReadingConnection
from rhtmx_server.model import Granularity, Scope
from rhtmx_server.ports import Store

__all__ = ["Subscriptions"]

SubscriptionKey: TypeAlias = tuple[str, bytes | None]
"""Entity and `where`: one subscription of a connection."""


class Subscriptions:
    """The reading side of one connection.

    Args:
        reader: the connection.
        store: where to catch up from.
        hub: where to go live.
        spawn: runs a coroutine as a task that ends with the connection.

    Attributes:
        rights: grows whenever rights may have changed: what was asked before is void.
        knows_parts: the client said that it knows what a departure is.
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
        self._cursors: dict[SubscriptionKey, Cursor] = {}
        self._waiting: list[Cursor] = []
        self._pumping = False
        self._sender = PageSender(reader)
        self.rights = 0
        self.knows_parts = False

    @property
    def count(self) -> int:
        """How many subscriptions there are."""
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

    def subscribed(self, entity: str, where: bytes | None = None) -> bool:
        """Whether the connection is subscribed to an entity, or to this part of it."""
        return (entity, where) in self._cursors

    def subscribe(
        self,
        entity: str,
        granularity: Granularity,
        since: Position | None,
        reading: Reading | None = None,
    ) -> None:
        """Start the live stream, or widen it to another granularity.

        Args:
            entity: the collection.
            granularity: `RECORDS` or `FIELDS`.
            since: where to resume; without it the stream starts at the head.
            reading: what of the entity is read; by default the whole.
        """
        reading = self._sender.noting(reading or Reading(entity))
        cursor = self._cursors.get((entity, reading.where))
        new = cursor is None
        if cursor is None:
            cursor = self._begin(reading, granularity, live=since is None)
        else:
            cursor = self._read_now(cursor, reading)
            if cursor.granularity | granularity is not cursor.granularity:
                cursor = self._regroup(cursor, reading, cursor.granularity | granularity)
        if since is not None:
            start, reset = self._resume(reading, since.version, since.epoch, since.scope)
            mark = Mark(granularity, reset, where=reading.where, since=since.version)
            self._rewind(cursor, start, mark, new=new)

    def announce(self, entity: str, granularity: Granularity, where: bytes | None = None) -> None:
        """Tell where the stream of a subscription stands, now or once it has caught up."""
        cursor = self._cursors[entity, where]
        mark = Mark(granularity, reset=False, where=where)
        if cursor.live:
            self._reader.send(cursor.complete(mark, self._store.epoch, self._hub.position(entity)))
        else:
            cursor.marks.append(mark)

    def unsubscribe(
        self, entity: str, granularity: Granularity, where: bytes | None = None
    ) -> None:
        """End the live stream at this granularity; unknown ones are no error."""
        cursor = self._cursors.get((entity, where))
        if cursor is None or not cursor.granularity & granularity:
            return
        self._is_live(cursor)  # it may turn out to be behind: of that, too, it is told no more
        cursor.forget(where, granularity)
        # It may read at both: what is left of it goes on, in another group of the hub.
        left = cursor.granularity & ~granularity
        if left:
            self._regroup(cursor, cursor.readings[where], left)
            return
        alone = self._part(cursor, where)
        del self._cursors[entity, where]
        alone.once = True  # what is due is still answered
        if alone.marks:
            self._catch_up(alone)
        elif alone in self._waiting:
            self._sender.release(complete=False)
            self._waiting.remove(alone)

    def sync(self, request: Sync | SyncFields, reading: Reading | None = None) -> None:
        """Send everything after `since` and then `sync_complete` or its like.

        A subscription that catches up in that granularity goes back to `since`, so that its stream
        stays in order; so does a sync that is under way. Without one, a new cursor reads once.

        Args:
            request: what was asked.
            reading: what of the entity is read; by default the whole.
        """
        entity = request.entity
        reading = self._sender.noting(reading or Reading(entity))
        granularity = Granularity.RECORDS if isinstance(request, Sync) else Granularity.FIELDS
        start, reset = self._resume(reading, request.since, request.epoch, request.scope)
        mark = Mark(granularity, reset, request.request_id, asked=True, where=reading.where)
        cursor = self._cursors.get((entity, reading.where))
        # A live subscription of the same granularity goes back and catches up: two streams of one
        # entity on one connection could overtake each other.
        if cursor is None or cursor.catches_up_by is not granularity:
            cursor = self._syncing(entity, granularity, reading.where)
        if cursor is not None:
            self._rewind(self._read_now(cursor, reading), start, mark)
            return
        cursor = Cursor(entity, granularity, start, {reading.where: reading}, once=True)
        # A client of the seed names no epoch, and cannot be told of a reset: of what has left its
        # scope it is told instead.
        self._rewind(cursor, start, mark, new=not request.since or request.epoch is not None)

    async def rescope(self, readable: Callable[[str, bytes | None], Awaitable[Reading]]) -> None:
        """Read anew what may be read now, where that is not what it was.

        Args:
            readable: says what may be read of an entity by a `where`, and may raise.
        """
        now = self.rights = self.rights + 1
        before = dict.fromkeys(it for each in self._all() for it in each.readings.values())
        found: dict[SubscriptionKey, Reading] = {}
        for it in before:
            found[it.entity, it.where] = await readable(it.entity, it.where)
            if self.rights != now:
                return  # a later one asks for all of them again, or nobody reads any more
        # All at one time, and what was asked for meanwhile, too: a client takes what it may read to
        # be the same in all parts of an entity.
        changed = {it.entity for it in found.values() if it not in before}
        for cursor in self._all():
            for where, mine in list(cursor.readings.items()):
                reading = found.get((cursor.entity, where), mine)
                is_new = cursor.entity in changed and reading not in before
                if is_new or reading != mine:
                    self._read_anew(cursor, reading)

    def tell_positions(self) -> None:
        """Tell live readers of parts where they stand, if that has moved since they were told.

        Of much that is committed they get nothing. One that resumes where it got something
        last would one day be below the floor.
        """
        for cursor in dict.fromkeys(self._cursors.values()):
            position = self._hub.position(cursor.entity)
            if cursor.scope is None or cursor.told == position or not self._is_live(cursor):
                continue
            for where in cursor.readings:
                for level in cursor.granularity:
                    mark = Mark(level, reset=False, where=where)
                    self._reader.send(cursor.complete(mark, self._store.epoch, position))

    def fell(self, entity: str, granularity: Granularity, sent: int) -> None:
        """The hub took this connection out of an entity's live stream."""
        for cursor in self._cursors.values():
            if cursor.live and cursor.entity == entity and cursor.granularity is granularity:
                # Who said hello shows transactions as one.
                behind = cursor.fall(sent, tells=self._reader.takes_ephemeral)
                self._tell_begin(cursor, behind)
                self._catch_up(cursor)
                return

    def close(self) -> None:
        """Leave everything, and let go of the reader: they hold each other."""
        for cursor in dict.fromkeys(self._cursors.values()):
            self._leave(cursor)
        self._cursors.clear()
        self._waiting.clear()
        self.rights += 1
        # A circle that is cut here needs no garbage collector.
        del self._reader, self._spawn, self._sender

    def _all(self) -> list[Cursor]:
        return list(dict.fromkeys((*self._cursors.values(), *self._waiting)))

    def _begin(self, reading: Reading, granularity: Granularity, *, live: bool) -> Cursor:
        entity, where = reading.entity, reading.where
        cursor = self._syncing(entity, granularity, where)
        if cursor is not None:
            cursor.once = False  # goes live where the sync ends: one stream, in order
            self._cursors[entity, where] = cursor
            return self._read_now(cursor, reading)
        position = self._hub.position(entity)
        cursor = Cursor(entity, granularity, position, {where: reading})
        self._cursors[entity, where] = cursor
        if live:
            self._enter(cursor)
        return cursor

    def _syncing(self, entity: str, granularity: Granularity, where: bytes | None) -> Cursor | None:
        """The cursor of a sync that is under way, and of no subscription."""
        for cursor in self._waiting:
            mine = cursor.once and cursor.entity == entity and where in cursor.readings
            if mine and cursor.granularity is granularity:
                return cursor
        return None

    def _beside(self, cursor: Cursor) -> Cursor | None:
        """What else is live of this entity at this granularity, as far as its client knows."""
        if len(self._cursors) == 1 and not cursor.once:
            return None  # the usual case: there is no other
        for other in self._cursors.values():
            same = other.entity == cursor.entity and other.granularity is cursor.granularity
            if same and other.settled and other is not cursor:
                return other
        return None

    def _is_live(self, cursor: Cursor) -> bool:
        """Whether it has been handed everything up to the hub's position; if it can, it is now."""
        if cursor.live:
            self._hub.flush(cursor.entity, cursor.granularity, self._reader, cursor.scope)
        return cursor.live

    def _enter(self, cursor: Cursor) -> None:
        """Go live where the hub is, or once those are that were live already."""
        beside = self._beside(cursor)
        if beside is None or self._is_live(beside):
            self._join(cursor, beside)
        else:
            self._catch_up(cursor)

    def _join(self, cursor: Cursor, beside: Cursor | None) -> None:
        """Go live where the hub is; `beside` is there, too, and reads for both from now on."""
        if beside is not None:
            self._leave(beside)
            for where, reading in cursor.readings.items():
                beside.take(reading)
                self._cursors[cursor.entity, where] = beside
            cursor = beside
        cursor.live = cursor.settled = True
        self._hub.join(cursor.entity, cursor.granularity, self._reader, cursor.scope)

    def _leave(self, cursor: Cursor) -> None:
        if cursor.live:
            self._hub.leave(cursor.entity, cursor.granularity, self._reader, cursor.scope)

    def _part(self, cursor: Cursor, where: bytes | None) -> Cursor:
        """Take one subscription out of the live stream, and out of what reads for others, too."""
        self._leave(cursor)
        if len(cursor.readings) == 1:
            return cursor
        alone = cursor.part(where)
        if self._cursors.get((cursor.entity, where)) is cursor:
            self._cursors[cursor.entity, where] = alone
        if cursor.live:  # still: leaving may show that the reader is behind
            self._hub.join(cursor.entity, cursor.granularity, self._reader, cursor.scope)
        elif cursor in self._waiting:
            self._catch_up(alone)
        return alone

    def _regroup(self, cursor: Cursor, reading: Reading, granularity: Granularity) -> Cursor:
        alone = self._part(cursor, reading.where)
        alone.granularity = granularity
        alone.settled = False
        if alone.live:
            alone.live = False
            alone.sent = alone.base = self._hub.position(alone.entity)
            self._enter(alone)
        return self._cursors[alone.entity, reading.where]

    def _read_now(self, cursor: Cursor, reading: Reading) -> Cursor:
        """Make sure that this is what one of its subscriptions reads; returns its cursor."""
        same = cursor.readings[reading.where] == reading
        return cursor if same else self._read_anew(cursor, reading)

    def _read_anew(self, cursor: Cursor, reading: Reading) -> Cursor:
        alone = self._part(cursor, reading.where)
        alone.take(self._sender.noting(reading))
        self._restart(alone)
        return alone

    def _restart(self, cursor: Cursor, floor: int = 0) -> None:
        """Read everything anew, each subscription for itself: each is told of its reset."""
        was_live, cursor.live = cursor.live, False  # to leave a group now were another cursor's
        self._sender.release(complete=False)
        for where in list(cursor.readings):
            alone = self._part(cursor, where)
            if alone.half_loaded and not was_live:
                self._reader.outbox.drop()  # it might not tell that from what follows
            position = self._hub.position(alone.entity)
            alone.restart(position, fresh=alone.never_sent(position, self._waiting))
            alone.floor = max(floor, self._hub.head(alone.entity).floor)
            self._tell_begin(alone, alone.marks)
            self._catch_up(alone)

    def _resume(
        self, reading: Reading, version: int, epoch: str | None, scope: str | None
    ) -> tuple[int, bool]:
        same, trusting = reading.continues(version, scope), epoch is None
        head, counts = self._hub.head(reading.entity), self._store.counts(epoch, reading.entity)
        return resume(version, epoch, head, counts, trusting=trusting, same_scope=same)

    def _rewind(self, cursor: Cursor, start: int, mark: Mark, *, new: bool = False) -> None:
        alone = self._part(cursor, mark.where)
        self._sender.release(complete=False)
        alone.rewind(start)
        alone.floor = self._hub.head(alone.entity).floor
        alone.began = self._hub.position(alone.entity)
        if new and not (start or alone.marks):  # it has nothing, or drops what does not come now
            alone.fresh = alone.never_sent(alone.began, self._waiting)
        alone.marks.append(mark)
        self._tell_begin(alone, [mark])
        self._catch_up(alone)

    def _tell_begin(self, cursor: Cursor, marks: Sequence[Mark]) -> None:
        """Say what comes now up to these answers, where the peer cannot know it.

        Before anything of it does: a peer that is cut off has to know what it has got.
        """
        hears = self._reader.hears_begin
        told = [each for each in marks if cursor.has_news(each) and hears(asked=each.asked)]
        for other in list(self._cursors.values()) if told else ():
            if other.entity == cursor.entity:
                self._is_live(other)  # what was handed out before it comes before it
        for mark in told:
            self._reader.send(cursor.begin(mark, self._store.epoch))

    def _catch_up(self, cursor: Cursor) -> None:
        if cursor not in self._waiting:
            self._waiting.append(cursor)
        if not self._pumping:
            self._pumping = True
            self._reader.outbox.put_off()
            self._spawn(self._pump())

    async def _pump(self) -> None:
        try:
            while self._waiting:
                async with self._reader.page():
                    if self._waiting:
                        await self._read_page(self._waiting[0])
                        if self._waiting:
                            self._reader.outbox.put_off()
                    await asyncio.sleep(0)  # the loop serves everyone else between two pages
        finally:
            self._pumping = False

    async def _read_page(self, cursor: Cursor) -> None:  # noqa: C901 (no await between the parts)
        """Send the next page; an empty one, with the hub where it was, is the end.

        Pages are read beyond the hub's position, though nothing of that is sent:
        a record with a commit that the hub has yet to hand out hides what was
        written to its other fields before.
        """
        upto, asked, scope = self._hub.position(cursor.entity), cursor.sent, cursor.scope
        page: Page = []
        noted: dict[str, int] = {}
        if asked < upto or asked > cursor.base:
            if self._beside(cursor) is None:
                page = await read_page(self._store, cursor)
            else:
                with self._hub.noting(cursor.entity) as noted:
                    page = await read_page(self._store, cursor)
            if self._moved(cursor, asked, scope):
                return  # unsubscribed or sent elsewhere meanwhile
        # Floors rise while it reads, and with them go deletes that it has not seen yet. Whoever is
        # cut off may resume where a page ends: each time. Where others raise them, the store knows.
        head = self._hub.head(cursor.entity)
        floor = head.floor if 0 < cursor.sent < head.floor else 0
        if (not page or self._store.shared) and cursor.sent:
            floor = (await self._store.head(cursor.entity)).floor
            if self._moved(cursor, asked, scope):
                return
        # No await from here on: what is at the head goes live at the head.
        if floor and max(cursor.base, cursor.floor) < floor:
            self._restart(cursor, floor)  # deletes that it had yet to read were forgotten meanwhile
            return
        position = self._hub.position(cursor.entity)
        fresh = handed_out(page, position)
        if scope is not None and is_void(fresh, cursor, knows_parts=self.knows_parts):
            self._restart(cursor)
            return
        self._send(cursor, fresh, noted)
        if fresh:
            cursor.reached(fresh[-1].version)
        if not page:
            cursor.reached(upto)
        if not page and upto == position:
            self._caught_up(cursor)
        # One page each, in turn: a large entity does not hold a small one up.
        elif len(self._waiting) > 1:
            self._take_turns()

    def _moved(self, cursor: Cursor, asked: int, scope: Scope) -> bool:
        return cursor not in self._waiting or cursor.sent != asked or cursor.scope is not scope

    def _take_turns(self) -> None:
        self._sender.release(complete=False)
        self._waiting.append(self._waiting.pop(0))

    def _send(self, cursor: Cursor, page: Page, noted: dict[str, int]) -> None:
        """Send a page; `noted` was handed out while it was read."""
        beside = self._beside(cursor) if page else None
        if beside is not None:
            self._is_live(beside)  # what was handed out before the page comes before it
        page = unseen(page, cursor, noted)
        self._sender.send_page(page, cursor)
        if beside is not None:
            self._sender.release(complete=False)  # before what those are handed next

    def _caught_up(self, cursor: Cursor) -> None:
        self._hub.finish_transactions()  # what this has of them, the others have, too
        beside = self._beside(cursor)
        if beside is not None and not self._is_live(beside):
            self._take_turns()  # the answer would be taken for the position of that one, too
            return
        self._sender.release(cursor.entity, complete=True)
        self._waiting.remove(cursor)
        marks, cursor.marks = cursor.marks, []  # first: to answer may bring the next question
        for mark in marks:
            self._reader.send(cursor.complete(mark, self._store.epoch, cursor.sent))
        if not cursor.once:
            self._join(cursor, beside)
