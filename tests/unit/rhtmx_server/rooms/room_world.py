"""Rooms without a loop's timers or sockets: a clock that a test moves, and peers that note."""

from __future__ import annotations

import asyncio
import heapq
import itertools
from collections.abc import Callable
from typing import Any

from rhtmx.messages import ChangeAction, RoomClosed, RoomMember, RoomMembers, RoomMessage
from rhtmx.wire import ServerMessage
from rhtmx_server.delivery.hub import Hub
from rhtmx_server.delivery.outbox import Outbox, Tick
from rhtmx_server.model import Commit, Granularity, Key, Record, Scope
from rhtmx_server.rooms.ports import RoomLimits
from rhtmx_server.rooms.presence import Sighting
from rhtmx_server.rooms.rooms import Rooms
from tests.unit.rhtmx_server.fakes import NOW, Lines, at_once, messages

ROOM: Key = ("orders", "7")
LINES = Lines()
USUAL = RoomLimits()


class RoomPeer:
    """A connection that notes what it gets, and knows the members by it."""

    def __init__(self) -> None:
        self.encoding: Any = LINES
        self.written: list[bytes] = []
        self.outbox = Outbox(self.written.append, Tick(at_once))
        self.rights: object = 1
        self.scope: Scope | Exception = None
        self.members: dict[str, RoomMember] = {}
        self.frames = 0

    def send(self, message: ServerMessage) -> None:
        self.outbox.put(LINES.frame(message))

    @property
    def got(self) -> list[Any]:
        """What it was sent since this was asked last."""
        written, self.written[:] = b"".join(self.written), []
        found = messages(written)
        for each in found:
            self.frames += 1
            if isinstance(each, RoomMembers):
                self._apply(each)
            elif isinstance(each, RoomClosed):
                self.members.clear()
        return found

    @property
    def here(self) -> dict[str, Any]:
        """The members by what it was told: their states by id."""
        assert self.got is not None
        return {each.id: each.state for each in self.members.values()}

    @property
    def told(self) -> list[bytes | None]:
        return [each.data for each in self.got if isinstance(each, RoomMessage)]

    def _apply(self, message: RoomMembers) -> None:
        if message.reset:
            self.members.clear()
        self.members |= {each.id: each for each in message.members}
        for each in message.gone:
            self.members.pop(each, None)


class RoomWorld:
    """Rooms, and all that is around them."""

    def __init__(self, limits: RoomLimits = USUAL, rate: float = 100) -> None:
        self.seconds = 1000.0
        self.clock_error = 0.0
        self.hub = Hub(Tick(at_once))
        self.records: dict[Key, Record] = {}
        self.dropped = 0
        self.refused: list[str] = []
        self.said: list[tuple[Key, str, Sighting | None]] = []
        self.relayed: list[bytes | None] = []
        self.reads = 0
        self.before_reading: Callable[[], None] = lambda: None
        self.read_failure: Exception | None = None
        self._timers: list[tuple[float, int, Callable[[], None]]] = []
        self._count = itertools.count()
        self._budget = rate
        self.rooms = Rooms(
            self.hub,
            self._record,
            lambda entity, data: frozenset() if data is None else frozenset({data.decode()}),
            now=lambda: self.seconds,
            clock=lambda: NOW + round((self.seconds + self.clock_error) * 1e6),
            later=self.later,
            allowance=lambda: self._allow,
            limits=limits,
            dropped=self._drop,
            refused=self.refused.append,
        )
        self.rooms.elsewhere = self
        self.write()

    # The other servers.

    def say(self, room: Key, member_id: str, sighting: Sighting | None) -> None:
        self.said.append((room, member_id, sighting))

    def tell(self, room: Key, member_id: str | None, data: bytes | None) -> None:
        self.relayed.append(data)

    # What a test does.

    def pass_time(self, seconds: float = 0.1) -> None:
        """Let time pass, and do what is to be done meanwhile."""
        end = self.seconds + seconds
        while self._timers and self._timers[0][0] <= end:
            self.seconds, _, do = heapq.heappop(self._timers)
            do()
        self.seconds = end

    def write(self, room: Key = ROOM, data: bytes = b'"red"', *, live: bool = True) -> Commit:
        """Have a record be in the store, and return its commit."""
        version = 1 + max((each.version for each in self.records.values()), default=0)
        action = ChangeAction.UPDATE if live else ChangeAction.DELETE
        record = Record(*room, version, action, data if live else None, None, NOW)
        after = frozenset({data.decode()}) if live else frozenset[str]()
        self.records[room] = record
        return Commit(record, Granularity.RECORDS, after=after)

    async def enter(
        self,
        name: str | None = None,
        peer: RoomPeer | None = None,
        room: Key = ROOM,
        state: bytes | None = None,
        subject: str | None = None,
    ) -> RoomPeer:
        """Have a peer enter as a member, or watch."""
        peer = peer or RoomPeer()
        await self.rooms.enter(
            peer,
            room,
            None if name is None else RoomMember(name, subject, state),
            lambda: self._readable(peer),
            lambda: peer.rights,
        )
        return peer

    async def rescope(self, peer: RoomPeer, scope: Scope | Exception) -> None:
        peer.scope = scope
        await self.rooms.rescope(peer, lambda entity: self._readable(peer), lambda: peer.rights)

    # Inside.

    async def _readable(self, peer: RoomPeer) -> Scope:
        if isinstance(peer.scope, Exception):
            raise peer.scope
        return peer.scope

    async def _record(self, entity: str, entity_id: str) -> Record | None:
        self.reads += 1
        found = self.records.get((entity, entity_id))
        self.before_reading()
        await asyncio.sleep(0)
        if self.read_failure is not None:
            failure, self.read_failure = self.read_failure, None
            raise failure
        return found

    def later(self, seconds: float, do: Callable[[], None]) -> None:
        heapq.heappush(self._timers, (self.seconds + seconds, next(self._count), do))

    def _allow(self) -> float:
        self._budget -= 1
        return 0.0 if self._budget >= 0 else 1.0

    def _drop(self, count: int) -> None:
        self.dropped += count
