"""The rooms of one server among several: what it tells the others, and hears of them.

Knows when something is said. Must not know how a bus carries it, nor what is shown: `replicas` says
what is new, and what is missing.

Each server knows all members of the cluster, whether or not anybody at it is in their rooms: so a
room that is entered shows everybody at once. What it costs the others is to read what they
are told. What a server says is collected for `BATCH` seconds, and followed by a beacon, by which
the others see whether they have got all of it.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from rhtmx_server.failures import place
from rhtmx_server.model import Key
from rhtmx_server.rooms.presence import Sighting
from rhtmx_server.rooms.replicas import MemberPlace, Replicas
from rhtmx_server.rooms.rooms import BATCH, Rooms
from rhtmx_server.rooms.wire import (
    Beacon,
    Dump,
    DumpRequest,
    MemberReport,
    Telling,
    in_pieces,
    pack,
    reports_of,
    unpack,
)
from rhtmx_server.sharing import Bus

__all__ = ["MOST_BYTES", "ClusterRooms"]

log = logging.getLogger("rhtmx_server")

MOST_BYTES = 64 * 1024
"""Bytes that a message carries at most."""

LOOK_EVERY = 0.25
"""Seconds between two looks at what is missing."""


class ClusterRooms:
    """What a server tells the others of its rooms; it is the `Elsewhere` of them.

    Args:
        rooms: those of this server.
        bus: to the others.
        node: the name of this server among them.
        heartbeat: seconds; a server that is silent for two of them is gone.
        now: seconds, of a clock that does not jump.
        later: calls a function after so many seconds.
    """

    def __init__(
        self,
        rooms: Rooms,
        bus: Bus,
        node: Callable[[], str],
        *,
        heartbeat: float,
        now: Callable[[], float],
        later: Callable[[float, Callable[[], None]], object],
    ) -> None:
        self._rooms = rooms
        self._bus = bus
        self._node = node
        self._heartbeat = heartbeat
        self._now = now
        self._later = later
        self._replicas = Replicas(rooms.seen)
        self._pending: dict[MemberPlace, Sighting | None] = {}
        self._number = 0
        self._told = 0
        self._beacon_at = 0.0
        self._asked = False
        rooms.elsewhere = self

    def say(self, room: Key, member_id: str, sighting: Sighting | None) -> None:
        """Tell the others what is to be seen of a member here."""
        if not self._pending:
            self._later(BATCH, self._flush)
        self._pending[room, member_id] = sighting

    def tell(self, room: Key, member_id: str | None, data: bytes | None) -> None:
        """Tell the others a message of a room."""
        self._told += 1
        self._bus.announce(pack(Telling(self._node(), self._told, *room, member_id, data)))

    def hear(self, message: bytes) -> None:
        """Take what another server says."""
        now = self._now()
        match unpack(message):
            case MemberReport(node, number, rows):
                self._replicas.report(node, number, reports_of(rows), now)
            case Beacon(node, newest):
                self._replicas.beacon(node, newest, now)
            case Dump(node, number, part, parts, rows):
                self._replicas.dump(node, number, (part, parts), reports_of(rows), now)
            case DumpRequest(_, of):
                self._asked = self._asked or of in ("", self._node())
            case Telling(node, number, entity, entity_id, member, data):
                if self._replicas.is_new(node, number, now):
                    self._rooms.heard((entity, entity_id), member, data)

    def look(self) -> None:
        """Say what is due, and ask for what is missing."""
        now, node = self._now(), self._node()
        if now >= self._beacon_at and self._number:
            self._beacon_at = now + self._heartbeat / 4
            self._bus.announce(pack(Beacon(node, self._number)))
        if self._asked:
            self._asked = False
            self._dump()
        for other in self._replicas.wanted(now):
            self._bus.announce(pack(DumpRequest(node, other)))
        self._replicas.forget_silent(now, 2 * self._heartbeat)

    async def run(self) -> None:
        """Look what is due, until cancelled."""
        self._bus.announce(pack(DumpRequest(self._node(), "")))
        while True:
            await asyncio.sleep(min(LOOK_EVERY, self._heartbeat / 8))
            try:
                self.look()
            except Exception as failure:
                log.error("telling other nodes of rooms failed: %s", place(failure))

    def _flush(self) -> None:
        pending, self._pending = self._pending, {}
        for rows in in_pieces(pending.items(), self._most_bytes):
            self._number += 1
            self._bus.announce(pack(MemberReport(self._node(), self._number, rows)))
        self._beacon_at = 0.0  # by which the others see what they have missed

    def _dump(self) -> None:
        """Tell all members that are here."""
        self._flush()  # so that what is told under one number is always the same
        reports = [((room, member), seen) for room, member, seen in self._rooms.local.everybody()]
        pieces = [*in_pieces(reports, self._most_bytes)] or [[]]
        for index, rows in enumerate(pieces):
            dump = Dump(self._node(), self._number, index, len(pieces), rows)
            self._bus.announce(pack(dump))

    @property
    def _most_bytes(self) -> int:
        return min(MOST_BYTES, self._bus.most_bytes)
