"""All subscriptions of one client: what goes over the wire so that every reader gets its changes.

Knows positions and the order of messages, and whose turn it is where the server takes only
so many. Must not know the connection, clocks, or what a reader does with what it gets.

Readers of one entity at one granularity share a stream, and a stream is one
subscription at the server. What any of them needs is turned into one rule: to
bring in a reader that is elsewhere, end the subscription and start it again
where the hindmost reader is; those further on skip what they have. A lost
connection, a second reader, a reader that paused and a full snapshot are all
the same.

Phase and event → phase; what is not named leaves it as it is:

=================  ===================  =====================  ==============  ================
phase              `settle`             `sync_complete`        a change        `pong` of a fence
=================  ===================  =====================  ==============  ================
`IDLE`             `CATCHING_UP`, if a                         passed over
                   reader has a
                   position; else
                   `LIVE`
`CATCHING_UP`                           `LIVE`                 delivered       it was taken
`LIVE`             `ENDING`, if nobody  `LIVE`, elsewhere      delivered; an   it was taken
                   reads, or a reader                          old one:
                   is elsewhere                                `CATCHING_UP`
`ENDING`                                                       passed over     `IDLE`
=================  ===================  =====================  ==============  ================

From every phase `lost` (the connection) and `refused` (the subscription) lead to `IDLE`;
an unsubscription that was refused, since the server was too busy, stays `ENDING` and is
said again.

Reads that end by themselves wait for one another where the server takes only so many.
What goes on does not wait: there may never be room, so the server refuses it, and that is
an error in words.
"""

from __future__ import annotations

import enum
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from rhtmx.core.cursor import Cursor, Log, together
from rhtmx.core.error_policy import busy
from rhtmx.core.events import Delivered, Event, Reset, Started, Stopped, Synced, WasReset
from rhtmx.core.granularity import Granularity
from rhtmx.core.liveness import Fence
from rhtmx.errors import ErrorCode, RhtmxError
from rhtmx.messages import (
    Position,
    Subscribe,
    SubscribeFields,
    SyncComplete,
    SyncFieldsComplete,
    Unsubscribe,
    UnsubscribeFields,
)
from rhtmx.wire import ClientMessage
from rhtmx.wire.check_outgoing import checked

__all__ = ["Outgoing", "Stream", "StreamPhase", "Streams"]

_Subscribe: TypeAlias = type[Subscribe] | type[SubscribeFields]
_Unsubscribe: TypeAlias = type[Unsubscribe] | type[UnsubscribeFields]


_MESSAGES: dict[Granularity, tuple[_Subscribe, _Unsubscribe]] = {
    Granularity.RECORDS: (Subscribe, Unsubscribe),
    Granularity.FIELDS: (SubscribeFields, UnsubscribeFields),
}


class StreamPhase(enum.Enum):
    """Where a subscription is; see the table above."""

    IDLE = enum.auto()
    CATCHING_UP = enum.auto()
    LIVE = enum.auto()
    ENDING = enum.auto()


class Stream:
    """The subscription to one entity at one granularity, and its readers.

    Args:
        entity: the collection.
        granularity: records or fields.
        outgoing: where messages and events go.
    """

    def __init__(self, entity: str, granularity: Granularity, outgoing: Outgoing) -> None:
        self.entity = entity
        self.phase = StreamPhase.IDLE
        self.sibling: Stream | None = None
        self.cursors: list[Cursor] = []
        self._subscribe, self._unsubscribe = _MESSAGES[granularity]
        self._outgoing = outgoing
        self._since = 0
        self._newest: int | None = None
        self._accepted = False
        self._unannounced: list[Cursor] = []
        self._unended = False

    @property
    def waits(self) -> bool:
        """It could be started."""
        return self.phase is StreamPhase.IDLE and any(not each.paused for each in self.cursors)

    @property
    def passes(self) -> bool:
        """It ends by itself, and soon."""
        return all(each.ends for each in self.cursors)

    # What the session calls.

    def add(self, cursor: Cursor) -> None:
        """Bring in a reader."""
        self.cursors.append(cursor)
        self._unannounced.append(cursor)
        if self.phase is StreamPhase.LIVE and cursor.wants_head:
            self._join_at_head(cursor)
        self.settle()

    def remove(self, cursor: Cursor) -> None:
        """Let a reader go."""
        if cursor in self.cursors:
            self._forget(cursor)
            self.settle()

    def pause(self, cursor: Cursor) -> None:
        """Deliver nothing to a reader until it resumes; it goes on where it was."""
        cursor.paused = True
        cursor.leave()
        self.settle()

    def resume(self, cursor: Cursor) -> None:
        """Deliver to a reader again."""
        cursor.paused = False
        self.settle()

    def lost(self) -> None:
        """The connection is gone."""
        self.phase = StreamPhase.IDLE
        self._newest = None
        self._unended = False
        for cursor in self.cursors:
            cursor.leave()

    def refused(self, error: RhtmxError) -> None:
        """The subscription was refused: for good, or until `again`."""
        self.phase = StreamPhase.IDLE
        for cursor in [each for each in self.cursors if each.reading]:
            if busy(error):
                cursor.leave()
                # One that waits for the next change has missed none: it was never taken.
                cursor.begun = cursor.begun and cursor not in self._unannounced
            else:
                self._forget(cursor)
                self._outgoing.tell(Stopped(cursor, error))
        self.settle()
        self._outgoing.moved(ended=False)

    def settle(self) -> None:
        """Do what the readers need next; nothing that is under way is disturbed."""
        active = [cursor for cursor in self.cursors if not cursor.paused]
        if self._unended and self._outgoing.ready:
            self._end()  # the server was too busy to hear it
        elif self.phase is StreamPhase.LIVE and not (
            active and all(each.reading for each in active)
        ):
            self._end()
        elif self._may_start:
            self._start(active, self._outgoing.epoch or "")

    def receive(self, log: Log) -> None:
        """A change arrived.

        Raises:
            RhtmxError: `BAD_MESSAGE`, it is out of order.
        """
        if self.phase not in (StreamPhase.CATCHING_UP, StreamPhase.LIVE):
            return  # the last ones of a subscription that was ended
        version, epoch = log.version, self._outgoing.epoch or ""
        if self.phase is StreamPhase.CATCHING_UP:
            if self._newest is not None and version < self._newest:
                raise RhtmxError(
                    ErrorCode.BAD_MESSAGE,
                    f"'{self.entity}': version {version} came after version {self._newest}",
                )
            if version <= self._since:
                # What was there before `since` is sent only in a full snapshot.
                self._start_over(epoch)
        elif self._newest is not None and version < self._newest:
            # So is, while live, what was there before the newest: this reader fell
            # so far behind that the server no longer remembers all deletions since.
            self._start_over(epoch)
            self.phase = StreamPhase.CATCHING_UP
        self._newest = max(version, self._newest or 0)
        for cursor in self.cursors:
            if cursor.reading and cursor.accept(log, epoch):
                self._outgoing.tell(Delivered(cursor, log, cursor.position))

    def complete(self, message: SyncComplete | SyncFieldsComplete) -> None:
        """The past has been sent; or, where there was none to send, this is the head."""
        if self.phase not in (StreamPhase.CATCHING_UP, StreamPhase.LIVE):
            return
        reading = [cursor for cursor in self.cursors if cursor.reading]
        went_back = any(cursor.delivered > message.version for cursor in reading)
        if went_back or (message.reset and (self._since or self.phase is StreamPhase.LIVE)):
            # The log ends before what was read of it; or it was a snapshot, and
            # nothing in it told so before its end. Read it as what it is.
            self._start_over(message.epoch)
            for cursor in reading:
                cursor.reading = False
        position = Position(epoch=message.epoch, version=message.version)
        self._newest = message.version
        self.phase = StreamPhase.LIVE
        for cursor in self.cursors:
            if cursor.reading:
                cursor.synced(position)
                self._outgoing.tell(Synced(cursor, position))
            elif cursor.wants_head:
                self._join_at_head(cursor)
        self.settle()

    # Inside.

    @property
    def _may_start(self) -> bool:
        """It could be started, and the other granularity does not occupy the entity."""
        other = StreamPhase.IDLE if self.sibling is None else self.sibling.phase
        free = self._outgoing.ready and other in (StreamPhase.IDLE, StreamPhase.ENDING)
        return free and self.waits and (not self.passes or self._outgoing.room())

    def _start(self, active: list[Cursor], epoch: str) -> None:
        for cursor in active:
            self._place(cursor, epoch)
        readers = together(active)
        versions = [each.position.version for each in readers if each.position is not None]
        self._since = min(versions, default=0)
        self._newest = None
        self._accepted = False
        self.phase = StreamPhase.CATCHING_UP if versions else StreamPhase.LIVE
        for cursor in readers:
            cursor.begin(holding=self._since > 0)
        since = {self.entity: Position(epoch=epoch, version=self._since)} if versions else {}
        self._outgoing.send(self._subscribe(entities=[self.entity], since=since))
        self._outgoing.fence(Fence(self._taken, self.refused))

    def _taken(self) -> None:
        self._accepted = True
        for cursor in [each for each in self._unannounced if each.reading]:
            self._announce(cursor)

    def _end(self) -> None:
        self.phase = StreamPhase.ENDING
        self._unended = False
        for cursor in self.cursors:
            cursor.reading = False
        self._outgoing.send(self._unsubscribe(entities=[self.entity]))
        self._outgoing.fence(Fence(self._ended, self._not_ended))
        if self.sibling is not None:
            self.sibling.settle()
        self._outgoing.moved(ended=not self.cursors)

    def _ended(self) -> None:
        if not self._unended:
            self.phase = StreamPhase.IDLE
            self.settle()

    def _not_ended(self, error: RhtmxError) -> None:
        self._unended = busy(error)

    def _place(self, cursor: Cursor, epoch: str) -> None:
        """Bring a reader's position into the log of this epoch."""
        position = cursor.position
        if position is None:
            if cursor.begun:  # it waited for the next change, and that may have been missed
                self._reset(cursor, epoch)
        elif not position.epoch and not position.version:
            cursor.position = Position(epoch=epoch, version=0)
        elif position.epoch != epoch:
            self._reset(cursor, epoch)

    def _start_over(self, epoch: str) -> None:
        """Everything comes from the beginning: void what the readers have."""
        self._since = 0
        self._newest = None
        for cursor in self.cursors:
            if cursor.reading and cursor.delivered:
                self._reset(cursor, epoch)

    def _reset(self, cursor: Cursor, epoch: str) -> None:
        reset = Reset(self.entity, cursor.position)
        position = cursor.restart(epoch)
        self._outgoing.tell(WasReset(cursor, reset, position))

    def _join_at_head(self, cursor: Cursor) -> None:
        """Bring in a reader where the stream is now."""
        if self._newest is None:
            cursor.begin(holding=False)
        else:
            cursor.synced(Position(epoch=self._outgoing.epoch or "", version=self._newest))
        if self._accepted:
            self._announce(cursor)

    def _announce(self, cursor: Cursor) -> None:
        if cursor in self._unannounced:
            self._unannounced.remove(cursor)
            self._outgoing.tell(Started(cursor))

    def _forget(self, cursor: Cursor) -> None:
        self.cursors.remove(cursor)
        cursor.leave()
        if cursor in self._unannounced:
            self._unannounced.remove(cursor)


@dataclass(slots=True)
class Outgoing:
    """Where a stream sends and reports to, and the connection's epoch.

    Args:
        send: sends a message.
        fence: sends the `ping` of a fence.
        tell: reports an event.
        epoch: the epoch of the server's store; `None` without a connection.
        held: nothing is to be started: the server is too busy.
        room: whether something that can wait may be started.
        moved: called when there may be room: something has ended, or was refused.
    """

    send: Callable[[ClientMessage], None]
    fence: Callable[[Fence], None]
    tell: Callable[[Event], None]
    epoch: str | None = None
    held: bool = False
    room: Callable[[], bool] = lambda: True
    moved: Callable[..., None] = lambda **_: None

    @property
    def ready(self) -> bool:
        """Whether something can be started."""
        return self.epoch is not None and not self.held


class Streams:
    """The streams of one client, by entity and granularity.

    Args:
        outgoing: where their messages and events go.
        ended: called when one of them has ended: there is room.
    """

    def __init__(self, outgoing: Outgoing, ended: Callable[[], None] = lambda: None) -> None:
        self._outgoing = outgoing
        outgoing.room, outgoing.moved = self._room, self._moved
        self._freed = ended
        self._limit = 0
        self._streams: dict[tuple[str, Granularity], Stream] = {}
        self._owners: dict[Cursor, Stream] = {}

    def add(self, entity: str, granularity: Granularity, cursor: Cursor) -> None:
        """Bring in a reader.

        Raises:
            RhtmxError: `NOT_SUPPORTED`, someone reads this entity at the other
                granularity: the server would send each commit in one form only.
                `BAD_MESSAGE`, no server could read its name.
        """
        checked(Subscribe(entities=[entity]))
        stream = self._stream(entity, granularity)
        if stream.sibling is not None and stream.sibling.cursors:
            other = "fields" if granularity is Granularity.RECORDS else "whole records"
            raise RhtmxError(
                ErrorCode.NOT_SUPPORTED,
                f"'{entity}' is being read as {other} on this connection: end that first, "
                "or open a second client",
            )
        self._owners[cursor] = stream
        stream.add(cursor)
        if not cursor.ends:
            self._moved(ended=False)  # whom others waited for may no longer end by itself

    def remove(self, cursor: Cursor) -> None:
        """Let a reader go; unknown ones are no error."""
        stream = self._owners.pop(cursor, None)
        if stream is not None:
            stream.remove(cursor)

    def pause(self, cursor: Cursor) -> None:
        """Deliver nothing to a reader until it resumes."""
        if cursor in self._owners:
            self._owners[cursor].pause(cursor)

    def resume(self, cursor: Cursor) -> None:
        """Deliver to a reader again, from where it was."""
        if cursor in self._owners:
            self._owners[cursor].resume(cursor)

    def opened(self, epoch: str, limit: int = 0) -> None:
        """There is a connection, to a store of this epoch; `limit` streams, 0: any number."""
        self._limit = limit
        self._outgoing.epoch = epoch
        self.release()

    def lost(self) -> None:
        """The connection is gone."""
        self._outgoing.epoch = None
        for stream in self._streams.values():
            stream.lost()

    def hold(self) -> None:
        """The server is too busy: start nothing until `release`."""
        self._outgoing.held = True

    def release(self) -> None:
        """What the server was too busy for is said again; first what cannot wait."""
        self._outgoing.held = False
        for stream in sorted(self._streams.values(), key=lambda each: each.passes):
            stream.settle()

    def refused(self, entity: str, granularity: Granularity, error: RhtmxError) -> None:
        """What a subscription has to say cannot be sent."""
        stream = self._streams.get((entity, granularity))
        if stream is not None:
            stream.refused(error)

    def receive(self, granularity: Granularity, log: Log | None) -> None:
        """A change arrived.

        Raises:
            RhtmxError: `BAD_MESSAGE`, it is out of order.
        """
        stream = self._streams.get((log.entity, granularity)) if log is not None else None
        if stream is not None and log is not None:
            stream.receive(log)

    def complete(
        self, granularity: Granularity, message: SyncComplete | SyncFieldsComplete
    ) -> None:
        """A stream has caught up."""
        stream = self._streams.get((message.entity, granularity))
        if stream is not None:
            stream.complete(message)

    def _room(self) -> bool:
        """Whether one that can wait may start; if nothing ends by itself, waiting is in vain."""
        taken = [each for each in self._streams.values() if _takes_room(each)]
        full = 0 < self._limit <= len(taken)
        return not full or not any(each.passes for each in taken)

    def _moved(self, *, ended: bool) -> None:
        waiting = [each for each in self._streams.values() if each.waits and each.passes]
        for stream in waiting:
            stream.settle()
            if stream.waits:
                return
        if ended:
            self._freed()

    def _stream(self, entity: str, granularity: Granularity) -> Stream:
        if (entity, granularity) not in self._streams:
            for key in [key for key, each in self._streams.items() if _is_unused(each)]:
                del self._streams[key]
            records = Stream(entity, Granularity.RECORDS, self._outgoing)
            fields = Stream(entity, Granularity.FIELDS, self._outgoing)
            records.sibling, fields.sibling = fields, records
            self._streams[entity, Granularity.RECORDS] = records
            self._streams[entity, Granularity.FIELDS] = fields
        return self._streams[entity, granularity]


def _takes_room(stream: Stream) -> bool:
    """It is on the wire, or comes back: it is paused, or ends to start elsewhere."""
    on_the_wire = stream.phase in (StreamPhase.CATCHING_UP, StreamPhase.LIVE)
    return on_the_wire or (bool(stream.cursors) and not stream.waits)


def _is_unused(stream: Stream) -> bool:
    """Nobody reads here, nor at the other granularity, and nothing is under way."""
    both = (stream, stream.sibling or stream)
    return not any(each.cursors or each.phase is not StreamPhase.IDLE for each in both)
