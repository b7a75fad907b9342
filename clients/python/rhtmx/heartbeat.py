"""Signs of life, both ways.

Knows when one is due and when the other side is gone. Must not know clocks or
sockets: times are arguments, in seconds.
"""

from __future__ import annotations

__all__ = ["Heartbeat"]

_DEFAULT = 20.0
"""The interval until the server names its own."""

_PATIENCE = 2
"""So many intervals of silence, and the other side is gone."""


class Heartbeat:
    """Watches one connection."""

    def __init__(self) -> None:
        self._interval = _DEFAULT
        self._sent = 0.0
        self._received = 0.0

    def start(self, now: float) -> None:
        """A connection begins."""
        self._interval = _DEFAULT
        self._sent = self._received = now

    def every(self, interval: float) -> None:
        """The server wants something at least this often."""
        if interval > 0:
            self._interval = interval

    def sent(self, now: float) -> None:
        """Something was sent."""
        self._sent = now

    def received(self, now: float) -> None:
        """Something was received."""
        self._received = now

    @property
    def ping_at(self) -> float:
        """When to send a ping, if nothing else is sent until then."""
        return self._sent + self._interval

    @property
    def gone_at(self) -> float:
        """When the other side is gone, if nothing is received until then."""
        return self._received + _PATIENCE * self._interval
