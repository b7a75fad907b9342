"""The connection as the protocol sees it: its phase, signs of life both ways, and order.

Knows who may say what when, when the other side is gone, that a machine has slept, and
when to come back. Must not know what is said beyond that, nor sockets or clocks: times
are arguments, in seconds of any clock that does not jump.

What is empty cannot happen:

==========  ===================================  ============  ==========  ========  =======
phase       the server may say                   `connected`   `welcomed`  `lost`    `close`
==========  ===================================  ============  ==========  ========  =======
`OFFLINE`   nothing                              `GREETING`                `OFFLINE` `CLOSED`
`GREETING`  `welcome`, `error`, `ping`, `pong`                 `OPEN`      `OFFLINE` `CLOSED`
`OPEN`      anything but `welcome`                                         `OFFLINE` `CLOSED`
`CLOSED`    nothing
==========  ===================================  ============  ==========  ========  =======

A machine that sleeps stops the clock that does not jump, where Python has one
(CLOCK_MONOTONIC of Linux, `mach_absolute_time` of macOS), so that no silence is
counted while the other side, or something in between, gives the connection up. The
clock of the wall goes on, and so tells.
"""

from __future__ import annotations

import enum
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from rhtmx.core.backoff import Backoff
from rhtmx.errors import ErrorCode, RhtmxError
from rhtmx.messages import Error, Ping, Pong, Welcome
from rhtmx.messages.tables import NAMES, SERVER_MESSAGES
from rhtmx.wire import ClientMessage, Message

__all__ = ["PROOF", "ConnectionLifecycle", "ConnectionPhase", "Fence", "Heartbeat", "Sleep"]

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


class ConnectionPhase(enum.Enum):
    """Where a connection is; see the table above."""

    OFFLINE = enum.auto()
    GREETING = enum.auto()
    OPEN = enum.auto()
    CLOSED = enum.auto()


LEGAL: Mapping[ConnectionPhase, frozenset[type[Message]]] = {
    ConnectionPhase.OFFLINE: frozenset(),
    ConnectionPhase.GREETING: frozenset({Welcome, Error, Ping, Pong}),
    ConnectionPhase.OPEN: frozenset(SERVER_MESSAGES) - {Welcome},
    ConnectionPhase.CLOSED: frozenset(),
}


class ConnectionLifecycle:
    """One client's connections, one after the other.

    Args:
        random: gives a number from 0 to 1, 1 excluded, each time it is called.
    """

    def __init__(self, random: Callable[[], float]) -> None:
        self.phase = ConnectionPhase.OFFLINE
        self._backoff = Backoff(random)
        self._heartbeat = Heartbeat()
        self._fences: deque[Fence | None] = deque()
        self._outgoing: list[ClientMessage] = []

    def connected(self, now: float) -> None:
        """There is a connection."""
        self.phase = ConnectionPhase.GREETING
        self._heartbeat.start(now)

    def welcomed(self, interval: float, now: float) -> None:
        """The server knows the client, and wants a sign of life every `interval` seconds."""
        self.phase = ConnectionPhase.OPEN
        self._backoff.opened(now)
        self._heartbeat.every(interval)

    def received(self, message: Message | None, now: float) -> None:
        """Something came: a sign of life, also where it is not known (`None`).

        Raises:
            RhtmxError: `BAD_MESSAGE`, it does not belong here.
        """
        self._heartbeat.received(now)
        if message is not None and type(message) not in LEGAL[self.phase]:
            raise RhtmxError(
                ErrorCode.BAD_MESSAGE,
                f"the server sent '{NAMES[type(message)]}' where it does not belong",
            )

    def tick(self, now: float) -> bool:
        """Ask for a sign of life if it is time to; returns whether the peer is still there."""
        if self.phase is ConnectionPhase.OPEN and now >= self._heartbeat.ping_at:
            self.fence(None)
            self._heartbeat.sent(now)
        return (
            self.phase not in (ConnectionPhase.GREETING, ConnectionPhase.OPEN)
            or now < self._heartbeat.gone_at
        )

    def wake(self, now: float) -> None:
        """The connection may be dead and not know it: it has to prove itself, soon."""
        if self.phase in (ConnectionPhase.GREETING, ConnectionPhase.OPEN) and self._heartbeat.prove(
            now
        ):
            self.fence(Fence(self._heartbeat.proved))

    def lost(self, now: float) -> float:
        """The connection is gone; returns after how many seconds to connect again."""
        self.phase = ConnectionPhase.OFFLINE
        self._forget()
        return self._backoff.wait(now)

    def close(self) -> None:
        """There will be no connection any more."""
        self.phase = ConnectionPhase.CLOSED
        self._forget()

    @property
    def deadline(self) -> float | None:
        """When to call `tick` next; `None`: never."""
        if self.phase is ConnectionPhase.GREETING:
            return self._heartbeat.gone_at
        if self.phase is ConnectionPhase.OPEN:
            return min(self._heartbeat.ping_at, self._heartbeat.gone_at)
        return None

    def send(self, message: ClientMessage) -> None:
        """Put a message at the end of what is to be sent."""
        self._outgoing.append(message)

    def fence(self, fence: Fence | None) -> None:
        """Send a `ping`, the one of a fence or just for a sign of life."""
        self._fences.append(fence)
        self._outgoing.append(Ping())

    def pong(self) -> Fence | None:
        """Take the fence whose `pong` has come."""
        return self._fences.popleft() if self._fences else None

    @property
    def next_fence(self) -> Fence | None:
        """The fence whose `pong` comes next, if it is the next `pong` at all."""
        return self._fences[0] if self._fences else None

    @property
    def quiet(self) -> bool:
        """Everything that a `ping` was sent behind has been dealt with."""
        return not self._fences

    def take(self, now: float) -> list[ClientMessage]:
        """All that is to be sent, in order; it counts as sent."""
        messages = self._outgoing[:]
        self._outgoing.clear()
        if messages:
            self._heartbeat.sent(now)
        return messages

    def _forget(self) -> None:
        self._outgoing.clear()
        self._fences.clear()
