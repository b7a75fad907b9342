"""Who may connect: how many at a time, in all, from one address, for one subject.

Knows counts and limits. Must not know sockets or the loop: the time is an
argument, and a ticket stands for a connection.

==================  ==========================  ==================================
what                counts                      beyond the limit
==================  ==========================  ==================================
a connection        from its arrival until it   turned away: `connections`,
                    is gone, in all and for     `connections_per_address`
                    its address
a handshake         until the peer has said     the oldest makes room if it has
                    what it wants; for          had `FAIR` seconds, else the new
                    `handshake_timeout`         one is turned away: `handshakes`
one turned away     until it has said what it   the oldest is dropped without a
                    wants, and is told; for     word: `TURNED_AWAY`
                    `FAIR` seconds
a subject           for each connection that    refused: `connections_per_subject`
                    speaks for it
==================  ==========================  ==================================

Nothing is kept of an address or a subject that has no connection.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable

from rhtmx.errors import ErrorCode, RhtmxError
from rhtmx_server.config import Config

__all__ = ["FAIR", "TURNED_AWAY", "Admission", "Ticket", "source"]

FAIR = 1.0
"""Seconds in which an honest peer has said what it wants, even over a slow network."""

TURNED_AWAY = 256
"""Peers that wait to be told at a time that there is no room for them."""

_SOON = 1.0
_LATER = 5.0
"""Seconds after which a peer may try again: handshakes pass soon, connections stay."""

_SITE = 64
"""Bits of an IPv6 address that name a site: within them each machine has any address it likes."""


def source(peername: object) -> str | None:
    """Return under what a peer is counted; `None` if its address says nothing.

    Args:
        peername: as the socket module has it: a tuple that begins with the IP
            address, or the path of a unix socket.

    Returns:
        An IPv4 address, or the /64 network of an IPv6 address. Peers on this
        machine (loopback, unix sockets) are not counted: most are proxies.

    Example:
        >>> source(("2001:db8:1:2:3::4", 40000, 0, 0))
        '2001:db8:1:2::'
        >>> source(("127.0.0.1", 40000)) is None
        True
    """
    if not isinstance(peername, tuple) or not peername:
        return None
    host = str(peername[0])
    if host.startswith("127."):
        return None
    if ":" not in host:
        return host  # the system writes IPv4 addresses in one way only
    address = ipaddress.IPv6Address(host)
    if address.ipv4_mapped is not None:  # an IPv4 peer of a socket that takes both
        return source((str(address.ipv4_mapped),))
    if address.is_loopback:
        return None
    # `strict=False`: the bits of the machine are cut off, not complained about.
    return str(ipaddress.IPv6Network((address, _SITE), strict=False).network_address)


class Ticket:
    """One connection, from its arrival until it is gone.

    Attributes:
        source: the address under which it counts, if it counts under one.
        arrived: when, in seconds.
        refusal: why it was turned away, if it was.
    """

    __slots__ = ("arrived", "refusal", "source")

    def __init__(self) -> None:
        self.source: str | None = None
        self.arrived = 0.0
        self.refusal: RhtmxError | None = None

    def drop(self) -> None:
        """End it: it has to make room."""


class Admission:
    """The counts of one server.

    Args:
        config: the limits.
        refused: is told of each refusal, by one of a few fixed reasons.

    Example:
        >>> admission = Admission(Config(connections=1))
        >>> ticket = Ticket()
        >>> admission.enter(ticket, "192.0.2.1")
        >>> admission.enter(Ticket(), "192.0.2.2")
        Traceback (most recent call last):
        ...
        rhtmx.errors.RhtmxError: the server has its 1 connections (--connections): try again later
        >>> admission.leave(ticket)
    """

    def __init__(
        self, config: Config | None = None, refused: Callable[[str], None] = lambda reason: None
    ) -> None:
        self._limits = config or Config()
        self._refused = refused
        self._connections = 0
        self._sources: dict[str, int] = {}
        self._subjects: dict[str, int] = {}
        # In the order of arrival: the first one has waited longest.
        self._waiting: dict[Ticket, None] = {}
        self._turned_away: dict[Ticket, None] = {}

    # A connection.

    def enter(self, ticket: Ticket, source: str | None) -> None:
        """Count a connection that has nothing to say first.

        Raises:
            RhtmxError: `TOO_MANY_REQUESTS` or `RATE_LIMITED`: there is no room.
        """
        error = self._no_room(source)
        if error is not None:
            raise error
        self._count(ticket, source)

    def arrive(self, ticket: Ticket, source: str | None, now: float) -> None:
        """Count a connection that has to say what it wants: `greeted`.

        Args:
            ticket: the connection. It may get a refusal, to be told then.
            source: the address, as `source` has it.
            now: seconds, of a clock that does not jump.
        """
        ticket.arrived = now
        ticket.refusal = self._no_room(source) or self._make_room(now)
        if ticket.refusal is None:
            self._count(ticket, source)
            self._waiting[ticket] = None
            return
        if len(self._turned_away) >= TURNED_AWAY:
            _drop_oldest(self._turned_away)
        self._turned_away[ticket] = None

    def greeted(self, ticket: Ticket) -> None:
        """Its peer has said what it wants: the handshake waits no more."""
        self._waiting.pop(ticket, None)

    def leave(self, ticket: Ticket) -> None:
        """Count it no more, whatever it was: admitted, or waiting to be told that it is not."""
        self._waiting.pop(ticket, None)
        # It was never counted: it waits only to be told that there is no room.
        if ticket.refusal is not None:
            self._turned_away.pop(ticket, None)
            return
        self._connections -= 1
        if ticket.source is not None:
            _less(self._sources, ticket.source)

    def overdue(self, now: float) -> list[Ticket]:
        """Return those that have waited too long; they have to be dropped."""
        late = [*_before(self._waiting, now - self._limits.handshake_timeout)]
        for ticket in late:
            del self._waiting[ticket]
            self._refused("timeout")
        return late + _before(self._turned_away, now - FAIR)

    # A subject.

    def speak(self, subject: str) -> None:
        """Count a connection that speaks for a subject from now on: `hush`.

        Raises:
            RhtmxError: `TOO_MANY_REQUESTS`.
        """
        most = self._limits.connections_per_subject
        if self._subjects.get(subject, 0) >= most:
            self._refused("subject")
            raise RhtmxError(
                ErrorCode.TOO_MANY_REQUESTS,
                f"this user has {most} connections already (--connections-per-subject): "
                "close one of them",
                retry_after=_LATER,
            )
        self._subjects[subject] = self._subjects.get(subject, 0) + 1

    def hush(self, subject: str) -> None:
        """One of the subject's connections is gone."""
        _less(self._subjects, subject)

    # Inside.

    def _count(self, ticket: Ticket, source: str | None) -> None:
        self._connections += 1
        ticket.source = source
        if source is not None:
            self._sources[source] = self._sources.get(source, 0) + 1

    def _no_room(self, source: str | None) -> RhtmxError | None:
        limits = self._limits
        if self._connections >= limits.connections:
            self._refused("connections")
            return RhtmxError(
                ErrorCode.TOO_MANY_REQUESTS,
                f"the server has its {limits.connections} connections (--connections): "
                "try again later",
                retry_after=_LATER,
            )
        if source is not None and self._sources.get(source, 0) >= limits.connections_per_address:
            self._refused("address")
            return RhtmxError(
                ErrorCode.RATE_LIMITED,
                f"there are {limits.connections_per_address} connections from your address "
                "already (--connections-per-address): close one of them",
                retry_after=_LATER,
            )
        return None

    def _make_room(self, now: float) -> RhtmxError | None:
        """Let the handshake that has waited longest make room for a new one."""
        most = self._limits.handshakes
        if len(self._waiting) < most:
            return None
        self._refused("handshakes")
        # The oldest one is most likely the one that will never say anything: a flood of silent
        # peers pushes out its own, and an honest one has had its second.
        if now - next(iter(self._waiting)).arrived >= FAIR:
            _drop_oldest(self._waiting)
            return None
        return RhtmxError(
            ErrorCode.TOO_MANY_REQUESTS,
            f"{most} handshakes are under way already (--handshakes): try again",
            retry_after=_SOON,
        )


def _before(tickets: dict[Ticket, None], moment: float) -> list[Ticket]:
    """Those that arrived by then; the others came after them."""
    found = []
    for ticket in tickets:
        # Dicts keep the order of arrival, and time goes one way: nobody behind this one is older.
        if ticket.arrived > moment:
            break
        found.append(ticket)
    return found


def _drop_oldest(tickets: dict[Ticket, None]) -> None:
    oldest = next(iter(tickets))
    del tickets[oldest]
    oldest.drop()


def _less(counts: dict[str, int], name: str) -> None:
    # Popped, not set to 0: nothing is kept of an address or a subject without connections.
    left = counts.pop(name) - 1
    if left:
        counts[name] = left
