"""Pages of records on their way to a reader that catches up.

Knows both grains, and that the last field change is held back. Must not know
stores, the hub, or how far the reader is.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from rhtmx.messages import FieldChange
from rhtmx.wire import ServerMessage
from rhtmx_server.model import Granularity, Record
from rhtmx_server.render import state_messages

__all__ = ["Replay", "Target"]


class Target(Protocol):
    """The connection, as far as it is sent something."""

    def send(self, message: ServerMessage) -> None:
        """Encode a message and send it at the end of the tick."""

    def send_changes(self, records: Sequence[Record]) -> None:
        """Send records as changes at the end of the tick: as `send` would, but faster."""


class Replay:
    """Sends pages; field changes one late, as only the very last one may say that it is.

    Args:
        target: the connection.
    """

    __slots__ = ("_held", "_target")

    def __init__(self, target: Target) -> None:
        self._target = target
        self._held: FieldChange | None = None

    def send(self, page: Sequence[Record], form: Granularity, base: int) -> None:
        """Send a page.

        Args:
            page: the records, in version order.
            form: the grain of the reader: `RECORDS` or `FIELDS`.
            base: fields that were written up to this version are left out.
        """
        if not page:
            return
        if form is Granularity.RECORDS:
            self.release(complete=False)
            self._target.send_changes(page)
            return
        for record in page:
            for message in state_messages(record, form, base):
                self.release(complete=False)
                if isinstance(message, FieldChange):
                    self._held = message

    def release(self, entity: str = "", *, complete: bool) -> None:
        """Send what is held back.

        Args:
            entity: the collection that is complete.
            complete: whether it is, so that its last change may say so.
        """
        held, self._held = self._held, None
        if held is not None:
            if complete and held.change is not None and held.change.entity == entity:
                held.change.more = None
            self._target.send(held)
