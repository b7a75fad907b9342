"""All subscriptions of one client.

Knows which stream a change belongs to, and whose turn it is where the server takes only
so many. Must not know the connection, nor how a stream gets its readers what they want.

Reads that end by themselves wait for one another. What goes on does not wait: there may
never be room, so the server refuses it, and that is an error in words.
"""

from __future__ import annotations

from collections.abc import Callable

from rhtmx.core.cursor import Cursor, Log
from rhtmx.core.granularity import Granularity
from rhtmx.core.outgoing import Outgoing
from rhtmx.core.stream import Stream, StreamPhase
from rhtmx.errors import ErrorCode, RhtmxError
from rhtmx.messages import Subscribe, SyncComplete, SyncFieldsComplete
from rhtmx.wire.check_outgoing import checked

__all__ = ["Streams"]


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
