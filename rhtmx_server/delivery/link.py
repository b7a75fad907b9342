"""What a connection needs of its transport, and of the language spoken on it.

Knows the two interfaces. A socket implements one, its endpoint chooses the other.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from rhtmx.wire import Message
from rhtmx_server.delivery.groups import Encoding
from rhtmx_server.model import Record
from rhtmx_server.record_page import FieldFrames

__all__ = ["Dialect", "Link"]


class Dialect(Encoding, Protocol):
    """What the peer speaks: how its frames become messages, and the reverse."""

    def decode(self, data: bytes, text: bool) -> Message:
        """The message in a frame.

        Raises:
            RhtmxError: `BAD_MESSAGE`, with what was expected instead.
        """

    def changes(self, records: Sequence[Record]) -> bytes:
        """Records as `change` messages, ready to be written: what `frame` makes of each.

        Empty if this kind never gets those.
        """

    def field_changes(self, records: Sequence[Record], base: int) -> FieldFrames:
        """Their fields that were written after `base` as `field_change` messages."""


class Link(Protocol):
    """The transport under a connection. None of this blocks or raises."""

    def write(self, data: bytes) -> int | None:
        """Send bytes that a dialect made.

        Returns:
            What is `Outbox.direct` from now on.
        """

    def pause(self) -> None:
        """Hand nothing more over until `resume`; what arrives is left to TCP."""

    def resume(self) -> None:
        """Hand over again, first what was refused last."""

    def ping(self) -> None:
        """Ask the peer's transport for a sign of life."""

    def close(self, code: int, reason: str) -> None:
        """End the connection in good order."""

    def abort(self) -> None:
        """Drop the connection, with all that waits to be sent."""

    def waiting(self) -> int:
        """Bytes that were written and not sent yet."""
