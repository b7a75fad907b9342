"""Between the streams of a client and its connection.

Knows what a stream may ask for. Must not know streams, nor what becomes of it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from rhtmx.core.events import Event
from rhtmx.errors import RhtmxError
from rhtmx.wire import ClientMessage

__all__ = ["Fence", "Outgoing"]


@dataclass(frozen=True, slots=True, eq=False)
class Fence:
    """A `ping` sent behind another message.

    The server answers in order, so when the `pong` is there, that message has
    been dealt with; and an error that names no request and comes before the
    `pong` is about that message.

    Args:
        passed: called with the `pong`.
        refused: called with such an error, where the message can be refused.
    """

    passed: Callable[[], None]
    refused: Callable[[RhtmxError], None] | None = None


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
