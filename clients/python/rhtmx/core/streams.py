"""All subscriptions of one client, and which of them a message is for.

Knows entities and their parts, and whose turn it is where the server takes only so many.
Must not know how one of them works (`stream` does), the connection, or clocks.

Several parts of one entity can be read side by side, each with a stream of its own. The
server sends every change once, for whoever it concerns, and names no part. So with two or
more of them on the wire changes come in no order, and only readers that tolerate this
(replicas) can share an entity like that:

- while one of them catches up, or ends, changes move no position;
- while all of them are live, a change moves the position of each;
- `sync_begin` names its part: of that, and of no other, all comes anew;
- `sync_complete` names its part. It moves the others that are live, too: everything up to
  its version was sent before it.

Reads that end by themselves wait for one another where the server takes only so many.
What goes on does not wait: there may never be room, so the server refuses it, and that is
an error in words.
"""

from __future__ import annotations

from collections.abc import Callable

from rhtmx.core.cursor import Cursor, Log
from rhtmx.core.events import Delivered
from rhtmx.core.granularity import Granularity
from rhtmx.core.stream import Outgoing, Stream, StreamPhase
from rhtmx.core.where import Where, where_of
from rhtmx.errors import ErrorCode, RhtmxError
from rhtmx.messages import FieldChangeLog, Subscribe, SyncBegin, SyncComplete, SyncFieldsComplete
from rhtmx.values.json_value import from_json
from rhtmx.wire.check_outgoing import checked

__all__ = ["Outgoing", "Streams"]


class Streams:
    """The streams of one client, by entity.

    Args:
        outgoing: where their messages and events go.
        ended: called when one of them has ended: there is room.
    """

    def __init__(self, outgoing: Outgoing, ended: Callable[[], None] = lambda: None) -> None:
        self._outgoing = outgoing
        outgoing.room, outgoing.moved = self._room, self._moved
        self._freed = ended
        self._limit = 0
        self._families: dict[str, list[Stream]] = {}
        self._owners: dict[Cursor, Stream] = {}

    def add(self, entity: str, granularity: Granularity, cursor: Cursor) -> None:
        """Bring in a reader.

        Raises:
            RhtmxError: `NOT_SUPPORTED`, someone reads this entity at the other
                granularity: the server would send each commit in one form only; or
                another part of it, and one of the two needs changes in order.
                `BAD_MESSAGE`, no server could read its name.
        """
        checked(Subscribe(entities=[entity]))
        for other in self._families.get(entity, ()):
            if other.cursors:
                _check_beside(cursor, other, granularity)
        stream = self._stream(entity, granularity, cursor.where)
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
        for stream in self._all():
            stream.lost()

    def hold(self) -> None:
        """The server is too busy: start nothing until `release`."""
        self._outgoing.held = True

    def release(self) -> None:
        """What the server was too busy for is said again; first what cannot wait."""
        self._outgoing.held = False
        for stream in sorted(self._all(), key=lambda each: each.passes):
            stream.settle()

    def refused(
        self,
        entity: str,
        granularity: Granularity,
        error: RhtmxError,
        where: bytes | None = None,
    ) -> None:
        """What a subscription has to say cannot be sent.

        Args:
            entity: the collection.
            granularity: records or fields.
            error: why.
            where: as the subscription has it.
        """
        part = None if where is None else from_json(where).get(entity)
        stream = self._find(entity, granularity, where_of(part, entity))
        if stream is not None:
            stream.refused(error)

    def receive(self, granularity: Granularity, log: Log | None) -> None:
        """A change arrived.

        Raises:
            RhtmxError: `BAD_MESSAGE`, it is out of order.
        """
        if log is None:
            return
        family = self._families.get(log.entity, ())
        if len(family) == 1 and family[0].granularity is granularity:
            family[0].receive(log)  # which is nearly always so
            return
        on_wire = self._on_wire(log.entity, granularity)
        if len(on_wire) == 1:
            on_wire[0].receive(log)
        elif on_wire:
            self._receive_beside(on_wire, log)

    def begin(self, message: SyncBegin) -> None:
        """A stream begins at the beginning; what comes next belongs to a scope."""
        granularity = Granularity.FIELDS if message.fields else Granularity.RECORDS
        stream = self._about(message, self._on_wire(message.entity, granularity))
        if stream is not None:
            stream.begin(message)

    def complete(
        self, granularity: Granularity, message: SyncComplete | SyncFieldsComplete
    ) -> None:
        """A stream has caught up."""
        on_wire = self._on_wire(message.entity, granularity)
        stream = self._about(message, on_wire)
        if stream is not None:
            counts = stream.phase is not StreamPhase.ENDING
            stream.complete(message)
            for other in on_wire:
                if counts and other is not stream:
                    other.passed(message.version, tell=True)
        elif message.where is None:
            # It passed over `where`, as over everything that only a newer client says.
            for each in on_wire:
                each.not_understood()

    # Inside.

    @staticmethod
    def _about(
        message: SyncBegin | SyncComplete | SyncFieldsComplete, on_wire: list[Stream]
    ) -> Stream | None:
        """The stream that a message names."""
        where = where_of(from_json(message.where), message.entity)
        return next((each for each in on_wire if each.where == where), None)

    def _receive_beside(self, on_wire: list[Stream], log: Log) -> None:
        """A change of an entity of which several parts are being read."""
        reading = [cursor for each in on_wire for cursor in each.cursors if cursor.reading]
        more = isinstance(log, FieldChangeLog) and log.more
        moves = not more and all(each.phase is StreamPhase.LIVE for each in on_wire)
        if moves:
            for stream in on_wire:
                stream.passed(log.version, tell=False)
        if reading:  # they have one replica
            first = reading[0]
            self._outgoing.tell(Delivered(first, log, first.position if moves else None))

    def _all(self) -> list[Stream]:
        return [stream for family in self._families.values() for stream in family]

    def _find(self, entity: str, granularity: Granularity, where: Where | None) -> Stream | None:
        for stream in self._families.get(entity, ()):
            if stream.granularity is granularity and stream.where == where:
                return stream
        return None

    def _on_wire(self, entity: str, granularity: Granularity) -> list[Stream]:
        """The streams of which something may come."""
        return [
            stream
            for stream in self._families.get(entity, ())
            if stream.granularity is granularity and stream.phase is not StreamPhase.IDLE
        ]

    def _room(self) -> bool:
        """Whether one that can wait may start; if nothing ends by itself, waiting is in vain."""
        taken = [each for each in self._all() if _takes_room(each)]
        full = 0 < self._limit <= len(taken)
        return not full or not any(each.passes for each in taken)

    def _moved(self, *, ended: bool) -> None:
        waiting = [each for each in self._all() if each.waits and each.passes]
        for stream in waiting:
            stream.settle()
            if stream.waits:
                return
        if ended:
            self._freed()

    def _stream(self, entity: str, granularity: Granularity, where: Where | None) -> Stream:
        stream = self._find(entity, granularity, where)
        if stream is None:
            self._clear()
            family = self._families.setdefault(entity, [])
            stream = Stream(entity, granularity, self._outgoing, where)
            family.append(stream)
            stream.family = family
        return stream

    def _clear(self) -> None:
        """Forget the streams that nobody reads, and of which nothing is under way."""
        for entity, family in list(self._families.items()):
            family[:] = [each for each in family if not _is_unused(each)]
            if not family:
                del self._families[entity]


def _check_beside(cursor: Cursor, other: Stream, granularity: Granularity) -> None:
    """Refuse a reader that cannot read beside those of another stream of its entity."""
    entity = other.entity
    if other.granularity is not granularity:
        fields = other.granularity is Granularity.FIELDS
        raise RhtmxError(
            ErrorCode.NOT_SUPPORTED,
            f"'{entity}' is being read as {'fields' if fields else 'whole records'} on this "
            "connection: end that first, or open a second client",
        )
    tolerant = cursor.tolerant and all(each.tolerant for each in other.cursors)
    if other.where != cursor.where and not tolerant:
        part = "as a whole" if other.where is None else f"where {other.where.text}"
        raise RhtmxError(
            ErrorCode.NOT_SUPPORTED,
            f"'{entity}' is being read {part} on this connection, and only collections can read "
            "several parts of an entity side by side: end that first, or open a second client",
        )


def _takes_room(stream: Stream) -> bool:
    """It is on the wire, or comes back: it is paused, or ends to start elsewhere."""
    on_the_wire = stream.phase in (StreamPhase.CATCHING_UP, StreamPhase.LIVE)
    return on_the_wire or (bool(stream.cursors) and not stream.waits)


def _is_unused(stream: Stream) -> bool:
    return not stream.cursors and stream.phase is StreamPhase.IDLE
