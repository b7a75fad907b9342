"""Pages of records on their way to a reader that catches up.

Knows both granularities, and that the last field change is held back. Must not know
formats, stores, the hub, or how far the reader is.

What has left the scope of the reader is told between the records, in its place.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from typing import Protocol, cast

from rhtmx.messages import Change, FieldChange
from rhtmx.wire import ServerMessage
from rhtmx_server.delivery.cursor import Cursor, Reading
from rhtmx_server.delivery.groups import Subscriber
from rhtmx_server.delivery.link import Dialect
from rhtmx_server.delivery.page_reader import Page
from rhtmx_server.encoding.render import anew, as_told, departure_message
from rhtmx_server.model import Departure, Granularity, Record

__all__ = ["PageSender", "PageSink", "ReadingConnection"]


class PageSink(Protocol):
    """The connection, as far as it is sent something."""

    @property
    def encoding(self) -> Dialect:
        """Turns a page into frames."""

    def send(self, message: ServerMessage) -> None:
        """Encode a message and send it at the end of the tick."""

    def send_frames(self, kind: type[ServerMessage], count: int, frames: bytes) -> None:
        """Send so many messages of a kind, encoded, at the end of the tick."""


class ReadingConnection(PageSink, Subscriber, Hashable, Protocol):
    """The connection, as its subscriptions see it."""

    def hears_begin(self, *, asked: bool) -> bool:
        """Whether it is told at its beginning what is read.

        Args:
            asked: it answers a sync; otherwise a subscription is read.
        """

    def page(self) -> AbstractAsyncContextManager[None]:
        """Wait until it takes more; a page is read and sent inside."""


class PageSender:
    """Sends pages; field changes one late, as only the very last one may say that it is.

    Args:
        target: the connection.
    """

    __slots__ = ("_held", "_parted", "_target")

    def __init__(self, target: PageSink) -> None:
        self._target = target
        self._held: FieldChange | None = None
        self._parted: frozenset[str] = frozenset()

    def noting(self, reading: Reading) -> Reading:
        """Note what the connection is going to read; gives it back.

        Who reads a part is told what leaves it. A client by field drops that, and cannot know of
        which of its subscriptions it is told. Whatever else it reads of the entity may lack the
        record from then on, so for good it comes with all of its fields.
        """
        if reading.scope is not None:
            self._parted |= {reading.entity}
        return reading

    def send_page(self, page: Page, cursor: Cursor) -> None:
        """Send a page to the reader for which it was read."""
        level, base = cursor.catches_up_by, cursor.base
        if cursor.scope is None:
            base = 0 if cursor.entity in self._parted else base
            self.send(cast("Sequence[Record]", page), level, base)
        else:
            # By field, too, a record comes whole: it may have entered since.
            self.send_parts(page, level, base)

    def send(self, page: Sequence[Record], granularity: Granularity, base: int) -> None:
        """Send a page.

        Args:
            page: the records, in version order.
            granularity: that of the reader: `RECORDS` or `FIELDS`.
            base: fields that were written up to this version are left out.
        """
        if not page:
            return
        if granularity is Granularity.RECORDS:
            self.release(complete=False)
            self._target.send_frames(Change, len(page), self._target.encoding.changes(page))
            return
        changes = self._target.encoding.field_changes(page, base)
        # A page without a change to tell leaves the one that is held where it is.
        if changes.last is not None:
            self.release(complete=False)
            self._target.send_frames(FieldChange, changes.number, changes.frames)
            self._held = changes.last

    def send_parts(self, page: Page, granularity: Granularity, base: int) -> None:
        """Send a page of what happened to parts of an entity, each record whole.

        Args:
            page: records and departures, in version order.
            granularity: that of the reader: `RECORDS` or `FIELDS`.
            base: what had last come before somebody new by this version the reader knows.
        """
        run: list[Record] = []
        for each in page:
            told = None if isinstance(each, Departure) else as_told(each)
            if told is None or (told is not each and told.entered > base):
                self.send(run, granularity, 0)
                run = []
                self.release(complete=False)
                self._target.send(_taken_away(each, granularity))
            if told is not None:
                run.append(told)
        self.send(run, granularity, 0)

    def release(self, entity: str = "", *, complete: bool) -> None:
        """Send what is held back.

        Args:
            entity: the collection that is complete.
            complete: whether it is, so that its last change may say so.
        """
        held, self._held = self._held, None
        if held is not None:
            if complete and held.change is not None and held.change.entity == entity:
                # Not in place: others are sent the same page.
                held = replace(held, change=replace(held.change, more=None))
            self._target.send(held)


def _taken_away(entry: Record | Departure, granularity: Granularity) -> ServerMessage:
    return departure_message(entry, granularity) if isinstance(entry, Departure) else anew(entry)
