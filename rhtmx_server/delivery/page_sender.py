"""Pages of records on their way to a reader that catches up.

Knows both granularities, and that the last field change is held back. Must not know
formats, stores, the hub, or how far the reader is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Protocol

from rhtmx.messages import Change, FieldChange
from rhtmx.wire import ServerMessage
from rhtmx_server.delivery.link import Dialect
from rhtmx_server.model import Granularity, Record

__all__ = ["PageSender", "PageSink"]


class PageSink(Protocol):
    """The connection, as far as it is sent something."""

    @property
    def encoding(self) -> Dialect:
        """Turns a page into frames."""

    def send(self, message: ServerMessage) -> None:
        """Encode a message and send it at the end of the tick."""

    def send_frames(self, kind: type[ServerMessage], count: int, frames: bytes) -> None:
        """Send so many messages of a kind, encoded, at the end of the tick."""


class PageSender:
    """Sends pages; field changes one late, as only the very last one may say that it is.

    Args:
        target: the connection.
    """

    __slots__ = ("_held", "_target")

    def __init__(self, target: PageSink) -> None:
        self._target = target
        self._held: FieldChange | None = None

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
