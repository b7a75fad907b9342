"""Signs of life, both ways.

Knows when one is due and when the other side is gone, and that a machine has slept.
Must not know clocks or sockets: times are arguments, in seconds.

A machine that sleeps stops the clock that does not jump, where Python has one
(CLOCK_MONOTONIC of Linux, `mach_absolute_time` of macOS), so that no silence is
counted while the other side, or something in between, gives the connection up. The
clock of the wall goes on, and so tells.
"""

from __future__ import annotations

__all__ = ["PROOF", "Heartbeat", "Sleep"]

_DEFAULT = 20.0
"""The interval until the server names its own."""

_PATIENCE = 2
"""So many intervals of silence, and the other side is gone."""

PROOF = 3.0
"""For so long silence is no sign of its end, once it was asked to prove itself."""

_JUMP = 2.0
"""So far the clock of the wall may run ahead of the other one before that is sleep: it is
set right by a second now and then, and a wrong guess costs no more than a `ping`."""


class Heartbeat:
    """Watches one connection."""

    def __init__(self) -> None:
        self._interval = _DEFAULT
        self._sent = 0.0
        self._received = 0.0
        self._proof: float | None = None

    def start(self, now: float) -> None:
        """A connection begins."""
        self._interval = _DEFAULT
        self._sent = self._received = now
        self._proof = None

    def every(self, interval: float) -> None:
        """The server wants something at least this often."""
        if interval > 0:
            self._interval = interval

    def sent(self, now: float) -> None:
        """Something was sent."""
        self._sent = now

    def received(self, now: float) -> None:
        """Something was received.

        It is no proof yet: it may have lain in this machine since before it slept.
        """
        self._received = now
        if self._proof is not None:
            self._proof = now + PROOF

    def prove(self, now: float) -> bool:
        """Whatever is received from now on has to come soon; returns whether that is news."""
        if self._proof is not None:
            return False  # or whoever asks again and again would never learn of the end
        self._proof = now + PROOF
        return True

    def proved(self) -> None:
        """What was asked since then is answered: it is there."""
        self._proof = None

    @property
    def ping_at(self) -> float:
        """When to send a ping, if nothing else is sent until then."""
        return self._sent + self._interval

    @property
    def gone_at(self) -> float:
        """When the other side is gone, if nothing is received until then."""
        silent = self._received + _PATIENCE * self._interval
        return silent if self._proof is None else min(silent, self._proof)


class Sleep:
    """Notices that the machine has slept."""

    def __init__(self) -> None:
        self._ahead: float | None = None

    def look(self, now: float, wall: float) -> bool:
        """Whether it has slept since the last look.

        Args:
            now: the clock that does not jump.
            wall: the clock of the wall.
        """
        before, self._ahead = self._ahead, wall - now
        return before is not None and self._ahead - before > _JUMP
