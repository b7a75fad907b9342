"""All rooms of one server: who enters, who leaves, and what they tell one another.

Knows members and readers, and when what has happened goes out. Must not know how it is found out
what somebody may read, nor how servers tell one another: it asks, and is told.

A connection is in a room as a member, which the others see, or only watches. What happens to it:

============  ==========  ==========  =========  =====================  ======  ==============
state         `enter`     `leave`     `evict`    `committed`, and the   `lost`  `lost`, and it
              with a                             record is gone, or             may come back
              member                             not its to read
============  ==========  ==========  =========  =====================  ======  ==============
outside       member      outside     outside    outside                -       -
watching      member      outside     outside    outside, told so       gone    gone
member        member      outside     outside    outside, told so       gone    missing: shown
                                                                                for a while
missing       member      -           -          gone                   -       -
============  ==========  ==========  =========  =====================  ======  ==============

`enter` without a member watches. Whether somebody may be in a room is asked when they enter, and
again whenever the record or the rights of its reader change: `committed`, `missed`, `rescope`;
`give_up` for those who are missing.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TypeAlias

from rhtmx.errors import ErrorCode, RhtmxError
from rhtmx.messages import RoomClosed, RoomMember
from rhtmx.wire import ServerMessage
from rhtmx_server.delivery.hub import Hub
from rhtmx_server.failures import place
from rhtmx_server.model import NOWHERE, Commit, Key, Record, Scope
from rhtmx_server.rooms.local_members import LocalMembers
from rhtmx_server.rooms.open_room import OpenRoom, RoomReader
from rhtmx_server.rooms.places import RoomPlaces
from rhtmx_server.rooms.ports import Elsewhere, Nowhere, RoomLimits, RoomPeer
from rhtmx_server.rooms.presence import Presence, Sighting

__all__ = ["BATCH", "HERE", "Rooms"]

log = logging.getLogger("rhtmx_server")

BATCH = 0.05
"""Seconds in which what happens in a room is told together."""

HERE = ""
"""The name of this server among the nodes; the others are called as in the cluster."""

_AGAIN = 1.0
"""Seconds after which the store is asked again, if it was not there."""

_Read: TypeAlias = Callable[[], Awaitable[Scope]]


class Rooms:
    """The rooms of one server.

    Args:
        hub: tells what is committed.
        record: reads a record; `None` if there is none.
        parts: the parts that a record is in, by its entity and data.
        now: seconds, of a clock that does not jump.
        clock: the time; microseconds since 1970.
        later: calls a function after so many seconds.
        allowance: makes what counts the messages of one member: it returns how long to wait.
        limits: how much there may be.
        sent: is told how many messages of a kind have gone out.
        dropped: is told how many messages readers have missed.
        refused: is told who finds no place, by one of a few fixed reasons.

    Attributes:
        elsewhere: the other servers.
        local: the members that this server has.
        presence: all members that it knows of.
    """

    def __init__(
        self,
        hub: Hub,
        record: Callable[[str, str], Awaitable[Record | None]],
        parts: Callable[[str, bytes | None], frozenset[str]],
        *,
        now: Callable[[], float],
        clock: Callable[[], int],
        later: Callable[[float, Callable[[], None]], object],
        allowance: Callable[[], Callable[[], float]],
        limits: RoomLimits,
        sent: Callable[[type[ServerMessage], int], None] = lambda kind, count: None,
        dropped: Callable[[int], None] = lambda count: None,
        refused: Callable[[str], None] = lambda reason: None,
    ) -> None:
        self._hub = hub
        self._record = record
        self._parts = parts
        self._now = now
        self._clock = clock
        self._later = later
        self._allowance = allowance
        self._limits = limits
        self._sent = sent
        self._dropped = dropped
        self.elsewhere: Elsewhere = Nowhere()
        self.local = LocalMembers[RoomReader]()
        self.presence = Presence()
        self._places = RoomPlaces(self.local, self.presence, limits, self._make_way, refused)
        self._open: dict[str, dict[str, OpenRoom]] = {}
        self._of: dict[RoomPeer, dict[Key, OpenRoom]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._sweeps = float("inf")

    # Coming and going.

    def known(self, peer: RoomPeer, room: Key) -> bool:
        """Whether a connection is in a room: then it may be there."""
        return room in self._of.get(peer, ())

    async def enter(
        self,
        peer: RoomPeer,
        room: Key,
        member: RoomMember | None,
        read: _Read,
        still: Callable[[], object],
    ) -> None:
        """Let a connection into a room, if it may read the record.

        Args:
            peer: the connection.
            room: which.
            member: as whom; `None` to watch.
            read: tells what of the entity it may read now, or raises.
            still: another value when its rights have changed, `None` when it is gone.

        Raises:
            RhtmxError: `NOT_FOUND`, there is no such record for it; `TOO_MANY_SUBSCRIPTIONS`;
                what `read` raises.
        """
        self._check_rooms(peer, room)
        with self._held(room) as open_room:
            while True:
                before = still()
                scope = await read()
                await self._look_up(open_room)
                if still() == before:
                    break
            if before is None:
                return
            if not open_room.may_read(scope):
                raise _gone(room)
            self._put(peer, open_room, member, RoomReader(peer, scope, self._allowance()))

    def say(self, peer: RoomPeer, room: Key, member: RoomMember | None) -> None:
        """Have a connection that is in a room be there as somebody else, or say something else.

        Args:
            peer: the connection.
            room: which.
            member: as whom; `None` to watch.

        Raises:
            RhtmxError: `TOO_MANY_SUBSCRIPTIONS`, there are too many members.
        """
        open_room = self._of[peer][room]
        self._put(peer, open_room, member, open_room.readers[peer])

    def leave(self, peer: RoomPeer, room: Key) -> None:
        """Let a connection out of a room; it need not be there."""
        open_room = self._of.get(peer, {}).get(room)
        if open_room is not None:
            self._out(peer, open_room)

    def lost(self, peer: RoomPeer, until: float | None) -> None:
        """A connection is gone.

        Args:
            peer: the connection.
            until: how long its client is waited for; seconds; `None` if it will not come back.
        """
        for open_room in list(self._of.get(peer, {}).values()):
            self._out(peer, open_room, until)

    # What they tell one another.

    def tell(self, room: Key, member_id: str | None, data: bytes | None) -> None:
        """Tell all in a room something, at all servers.

        Args:
            room: which.
            member_id: who tells it, and is not told; `None` for the program of the server.
            data: what, as JSON.

        Raises:
            RhtmxError: `RATE_LIMITED`, more is told in the room than its readers could take.
        """
        open_room = self._find(room)
        if open_room is not None:
            if not open_room.tell(member_id, data):
                raise RhtmxError(
                    ErrorCode.RATE_LIMITED,
                    "too much is told in this room at a time: tell it again, or less",
                    retry_after=BATCH,
                )
            self._flush_later(open_room)
        self.elsewhere.tell(room, member_id, data)

    def tell_as(self, peer: RoomPeer, room: Key, data: bytes | None) -> None:
        """Tell all others in a room what one of its members says.

        Raises:
            RhtmxError: `FORBIDDEN`, the connection is no member there; `RATE_LIMITED`, it tells
                more than it may; what `tell` raises.
        """
        reader = self._of[peer][room].readers[peer] if self.known(peer, room) else None
        if reader is None or reader.member is None:
            raise RhtmxError(ErrorCode.FORBIDDEN, "only a member of a room may tell it something")
        if wait := reader.may_tell():
            words = "too many messages in a room at a time: only the latest are worth telling"
            raise RhtmxError(ErrorCode.RATE_LIMITED, words, retry_after=wait)
        self.tell(room, reader.member, data)

    # What other servers tell.

    def seen(self, node: str, room: Key, member_id: str, sighting: Sighting | None) -> None:
        """Another server has a member, or has it no more."""
        if sighting is None:
            self.presence.drop(room, member_id, node)
        else:
            self.presence.put(room, member_id, node, sighting)
        self._show(room, member_id)

    def heard(self, room: Key, member_id: str | None, data: bytes | None) -> None:
        """A message of a room was told at another server."""
        open_room = self._find(room)
        if open_room is None:
            return
        if not open_room.tell(member_id, data):
            open_room.miss()
        self._flush_later(open_room)

    # Rights.

    def committed(self, commit: Commit) -> None:
        """The record of a room was written: who may not read it any more is out."""
        record = commit.record
        room = self._open.get(record.entity, {}).get(record.entity_id)
        # It may come late: what was read of the record was newer.
        if room is not None and record.version > room.version:
            room.version = record.version
            room.parts = commit.after if record.live else None
            self._judge(room)

    def missed(self, entity: str) -> None:
        """Something was committed in an entity that is not known here: look at its records."""
        for room in list(self._open.get(entity, {}).values()):
            room.gaps += 1
            self._spawn(self._look(room))

    async def rescope(
        self, peer: RoomPeer, read: Callable[[str], Awaitable[Scope]], still: Callable[[], object]
    ) -> None:
        """Find out anew in which rooms a connection may be.

        Args:
            peer: the connection.
            read: tells what of an entity it may read now, or raises.
            still: another value when its rights have changed again: then that is looked at.
        """
        before = still()
        for key, room in list(self._of.get(peer, {}).items()):
            error: RhtmxError | None = None
            scope: Scope = NOWHERE
            try:
                scope = await read(key[0])
                await self._look_up(room)
                error = None if room.may_read(scope) else _gone(key)
            except RhtmxError as refusal:
                if refusal.code is not ErrorCode.FORBIDDEN:
                    raise
                error = refusal
            if still() != before:
                return
            if error is None and peer in room.readers:
                room.readers[peer].scope = scope
            elif error is not None and peer in room.readers:
                self._evict(peer, room, error)

    def give_up(self, subject: str) -> None:
        """Wait no more for those of a subject that are missing: their rights have changed.

        Who comes back enters anew, if it may.
        """
        for room, member_id, reader in self.local.missing_of(subject):
            self._gone_for_good(room, member_id, reader)

    # Looked up by others.

    @property
    def open_rooms(self) -> int:
        """How many rooms somebody at this server is in."""
        return sum(bool(room.readers) for rooms in self._open.values() for room in rooms.values())

    def members(self, room: Key) -> Iterable[RoomMember]:
        """Who is in a room, at any server."""
        return self.presence.members(room)

    async def stop(self) -> None:
        """Look at nothing any more."""
        for task in list(self._tasks):
            task.cancel()

    # Inside.

    def _check_rooms(self, peer: RoomPeer, room: Key) -> None:
        rooms = self._of.get(peer, ())
        if len(rooms) >= self._limits.rooms and room not in rooms:
            raise RhtmxError(
                ErrorCode.TOO_MANY_SUBSCRIPTIONS,
                f"at most {self._limits.rooms} rooms at a time: leave one of them",
            )

    def _put(
        self, peer: RoomPeer, room: OpenRoom, member: RoomMember | None, reader: RoomReader
    ) -> None:
        self._check_rooms(peer, room.key)  # others may have been entered while this one waited
        if member is not None and not self.presence.has(room.key, member.id):
            self._places.make(room.key, member.subject or "")
        before = reader.member
        reader.member = None if member is None else member.id
        room.readers[peer] = reader
        self._of.setdefault(peer, {})[room.key] = room
        if before is not None and before != reader.member:
            self.local.leave(room.key, before, reader)
            self._changed(room.key, before)
        if member is not None:
            # Clocks differ: what it says here is later than what is known of it from elsewhere.
            at = max(self._clock(), self.presence.newest(room.key, member.id) + 1)
            sighting = Sighting(at, member.subject or "", member.state)
            self.local.say(room.key, member.id, reader, sighting)
            self._changed(room.key, member.id)
        self._flush_later(room)

    def _out(self, peer: RoomPeer, room: OpenRoom, until: float | None = None) -> None:
        reader = room.readers.pop(peer)
        rooms = self._of[peer]
        del rooms[room.key]
        if not rooms:
            del self._of[peer]
        if reader.member is not None:
            if until is not None and until > self._now():
                self.local.lose(room.key, reader.member, reader, until)
                self._sweep_later()
            else:
                self.local.leave(room.key, reader.member, reader)
                self._changed(room.key, reader.member)
        self._forget(room)

    def _gone_for_good(self, key: Key, member_id: str, reader: RoomReader) -> None:
        self.local.leave(key, member_id, reader)
        self._not_missing(key, member_id)

    def _make_way(self, key: Key, member_id: str) -> None:
        self.local.give_up(key, member_id)
        self._not_missing(key, member_id)

    def _not_missing(self, key: Key, member_id: str) -> None:
        self._changed(key, member_id)
        room = self._find(key)
        if room is not None:
            self._forget(room)

    def _evict(self, peer: RoomPeer, room: OpenRoom, error: RhtmxError) -> None:
        self._out(peer, room)
        peer.send(RoomClosed(*room.key, error.message, error.code))

    def _judge(self, room: OpenRoom) -> None:
        for reader in [each for each in room.readers.values() if not room.may_read(each.scope)]:
            self._evict(reader.peer, room, _gone(room.key))
        for member_id, reader in self.local.missing(room.key):
            if not room.may_read(reader.scope):
                self._gone_for_good(room.key, member_id, reader)

    async def _look(self, room: OpenRoom) -> None:
        while self._find(room.key) is room:
            try:
                await self._look_up(room)
            except RhtmxError as error:
                log.debug("the record of a room cannot be read for now: %s", error)
                await asyncio.sleep(_AGAIN)
                continue
            self._judge(room)
            return

    async def _look_up(self, room: OpenRoom) -> None:
        """Read in which parts the record is. A commit that is heard meanwhile may be newer."""
        while True:
            gaps, heard = room.gaps, room.version
            record = await self._record(*room.key)
            if room.gaps == gaps:
                break
        version = 0 if record is None else record.version
        if version >= room.version or room.version == heard:
            live = record is not None and record.live
            room.parts = self._parts(room.key[0], record.data) if record and live else None
            if version > room.version:
                room.version = version
                self._judge(room)  # now: that commit will not be news any more when it is heard

    def _changed(self, room: Key, member_id: str) -> None:
        """What this server has of a member is not what it was."""
        sighting = self.local.sighting(room, member_id)
        self.elsewhere.say(room, member_id, sighting)
        self.seen(HERE, room, member_id, sighting)

    def _show(self, key: Key, member_id: str) -> None:
        room = self._find(key)
        if room is None:
            return
        member = self.presence.member(key, member_id)
        if room.roster.hide(member_id) if member is None else room.roster.show(member):
            self._flush_later(room)

    def _find(self, room: Key) -> OpenRoom | None:
        return self._open.get(room[0], {}).get(room[1])

    @contextmanager
    def _held(self, key: Key) -> Iterator[OpenRoom]:
        """A room that does not close meanwhile, so that it is told what is committed."""
        room = self._find(key)
        if room is None:
            entity, entity_id = key
            rooms = self._open.setdefault(entity, {})
            if not rooms:
                self._hub.watch(entity, self)
            room = rooms[entity_id] = OpenRoom(key, self._sent, self._dropped)
            for member in self.presence.members(key):
                room.roster.show(member)
        room.held += 1
        try:
            yield room
        finally:
            room.held -= 1
            self._forget(room)

    def _forget(self, room: OpenRoom) -> None:
        entity, entity_id = room.key
        held = room.readers or room.held or self.local.missing(room.key)
        if held or self._find(room.key) is not room:
            return
        rooms = self._open[entity]
        del rooms[entity_id]
        if not rooms:
            del self._open[entity]
            self._hub.unwatch(entity)

    def _flush_later(self, room: OpenRoom) -> None:
        if not room.waits:
            room.waits = True
            self._later(max(0.0, room.flushed + BATCH - self._now()), lambda: self._flush(room))

    def _flush(self, room: OpenRoom) -> None:
        room.waits, room.flushed = False, self._now()
        if room.flush():
            self._flush_later(room)

    def _sweep_later(self) -> None:
        due = self.local.due
        if due is not None and due < self._sweeps:
            self._sweeps = due
            self._later(max(self._limits.sweep, due - self._now()), self._sweep)

    def _sweep(self) -> None:
        self._sweeps = float("inf")
        for key, member_id in self.local.overdue(self._now()):
            self._not_missing(key, member_id)
        self._sweep_later()

    def _spawn(self, coroutine: Awaitable[None]) -> None:
        task = asyncio.ensure_future(self._guard(coroutine))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _guard(self, coroutine: Awaitable[None]) -> None:
        try:
            await coroutine
        except Exception as failure:
            log.error("looking at the record of a room failed: %s", place(failure))


def _gone(room: Key) -> RhtmxError:
    """What everybody is told who may not be in a room, whether or not there is a record."""
    entity, entity_id = room
    words = f"there is no '{entity_id[:40]}' in '{entity[:40]}', or you may not read it"
    return RhtmxError(ErrorCode.NOT_FOUND, words)
