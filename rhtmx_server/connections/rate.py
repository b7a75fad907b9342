"""How much a peer may send in a time. Pure: time is an argument.

Knows messages, bytes and seconds. Must not know what a message says.

Two buckets, one of messages and one of bytes, each kept as the moment at which
it would be full again (the "generic cell rate algorithm" of ITU-T I.371, which
needs neither a timer nor a refill). A bucket holds `BURST` seconds of its rate.

Whoever has emptied one is refused for `PAUSE` seconds at least, everything that
it sends, and not every second message: what it sent in order is then refused in
order, and can be sent again in order.
"""

from __future__ import annotations

import math

from rhtmx.errors import ErrorCode, RhtmxError

__all__ = ["BURST", "PAUSE", "Rate"]

BURST = 2.0
"""Seconds of its rate that a peer may send at once."""

PAUSE = 0.1
"""Seconds that a peer waits at least, once it has sent too much."""


class Rate:
    """What one connection may send.

    Args:
        messages: so many a second; 0 for no limit.
        size: so many bytes a second; 0 for no limit. A message of more than `BURST`
            seconds' worth can never be taken.

    Example:
        >>> rate = Rate(messages=1, size=0)
        >>> [rate.admit(0.0, 10) for _ in range(4)]
        [0.0, 0.0, 1.0, 1.0]
        >>> rate.admit(1.0, 10)
        0.0
    """

    __slots__ = ("_bytes_full", "_limits", "_message", "_messages_full", "_per_byte", "_until")

    def __init__(self, messages: float, size: float) -> None:
        self._limits = (messages, size)
        self._message = 1 / messages if messages else 0.0
        self._per_byte = 1 / size if size else 0.0
        self._messages_full = -math.inf
        self._bytes_full = -math.inf
        self._until = -math.inf

    def admit(self, now: float, size: int) -> float:
        """Take a message, or say how long to wait.

        Args:
            now: seconds, of a clock that does not jump.
            size: bytes of the message.

        Returns:
            0 if it may be handled; else the seconds until anything is again.
        """
        if now < self._until:
            return self._until - now
        # A bucket that is full again is full now: idle time is not saved up.
        one = self._messages_full if self._messages_full > now else now
        other = self._bytes_full if self._bytes_full > now else now
        one += self._message
        other += self._per_byte * size
        # Both or none: what is refused for its bytes has cost no message, and the reverse.
        if one <= now + BURST and other <= now + BURST:
            self._messages_full, self._bytes_full = one, other
            return 0.0
        wait = max(PAUSE, one - now - BURST, other - now - BURST)
        self._until = now + wait
        return wait

    def refusal(self, wait: float) -> RhtmxError:
        """What somebody is told who has to wait so many seconds."""
        messages, size = self._limits
        return RhtmxError(
            ErrorCode.RATE_LIMITED,
            f"too much at a time: at most {messages:.0f} messages and {size:.0f} bytes a second, "
            f"and {BURST:g} seconds' worth of them at once; send it again in {wait:.3f} s",
            retry_after=wait,
        )
