"""All subscriptions of one client.

Knows which stream a change belongs to. Must not know the connection, nor how a
stream gets its readers what they want.
"""

from __future__ import annotations

from rhtmx.cursor import Cursor, Log
from rhtmx.errors import ErrorCode, RhtmxError
from rhtmx.grain import Grain
from rhtmx.messages import SyncComplete, SyncFieldsComplete
from rhtmx.outlet import Outlet
from rhtmx.stream import Stream

__all__ = ["Streams"]


class Streams:
    """The streams of one client, by entity and grain.

    Args:
        outlet: where their messages and events go.
    """

    def __init__(self, outlet: Outlet) -> None:
        self._outlet = outlet
        self._streams: dict[tuple[str, Grain], Stream] = {}
        self._owners: dict[Cursor, Stream] = {}

    def add(self, entity: str, grain: Grain, cursor: Cursor) -> None:
        """Bring in a reader.

        Raises:
            RhtmxError: `NOT_SUPPORTED`, someone reads this entity at the other
                grain: the server would send each commit in one form only.
        """
        stream = self._stream(entity, grain)
        if stream.sibling is not None and stream.sibling.cursors:
            other = "fields" if grain is Grain.RECORDS else "whole records"
            raise RhtmxError(
                ErrorCode.NOT_SUPPORTED,
                f"'{entity}' is being read as {other} on this connection: end that first, "
                "or open a second client",
            )
        self._owners[cursor] = stream
        stream.add(cursor)

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

    def opened(self, epoch: str) -> None:
        """There is a connection, to a store of this epoch."""
        self._outlet.epoch = epoch
        self._outlet.held = False
        for stream in self._streams.values():
            stream.settle()

    def lost(self) -> None:
        """The connection is gone."""
        self._outlet.epoch = None
        for stream in self._streams.values():
            stream.lost()

    def hold(self) -> None:
        """The server is too busy: start nothing until `release`."""
        self._outlet.held = True

    def release(self) -> None:
        """What the server was too busy for is said again."""
        self._outlet.held = False
        for stream in self._streams.values():
            stream.settle()

    def refused(self, entity: str, grain: Grain, error: RhtmxError) -> None:
        """What a subscription has to say cannot be sent."""
        stream = self._streams.get((entity, grain))
        if stream is not None:
            stream.refused(error)

    def receive(self, grain: Grain, log: Log | None) -> None:
        """A change arrived.

        Raises:
            RhtmxError: `BAD_MESSAGE`, it is out of order.
        """
        stream = self._streams.get((log.entity, grain)) if log is not None else None
        if stream is not None and log is not None:
            stream.receive(log)

    def complete(self, grain: Grain, message: SyncComplete | SyncFieldsComplete) -> None:
        """A stream has caught up."""
        stream = self._streams.get((message.entity, grain))
        if stream is not None:
            stream.complete(message)

    def _stream(self, entity: str, grain: Grain) -> Stream:
        if (entity, grain) not in self._streams:
            records = Stream(entity, Grain.RECORDS, self._outlet)
            fields = Stream(entity, Grain.FIELDS, self._outlet)
            records.sibling, fields.sibling = fields, records
            self._streams[entity, Grain.RECORDS] = records
            self._streams[entity, Grain.FIELDS] = fields
        return self._streams[entity, grain]
