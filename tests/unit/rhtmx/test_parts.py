"""Whatever happens, every part of an entity that a client reads becomes what the server has."""

from __future__ import annotations

import random
from collections import deque

import pytest

from rhtmx.core.connection_lifecycle import Fence
from rhtmx.core.events import Event
from rhtmx.core.granularity import Granularity
from rhtmx.core.local_state import LocalState
from rhtmx.core.queued_write import QueuedWrite
from rhtmx.core.storage_ops import keep
from rhtmx.core.streams import Outgoing, Streams
from rhtmx.core.where import Where, where_of
from rhtmx.messages import (
    Change,
    ChangeAction,
    FieldChange,
    Ping,
    Pong,
    Push,
    PushAck,
    SyncBegin,
    SyncComplete,
    SyncFieldsComplete,
)
from rhtmx.stores.memory import MemoryStore
from rhtmx.values.json_value import to_json
from rhtmx.wire import Message
from tests.unit.rhtmx.model_server import ENTITY
from tests.unit.rhtmx.parts_server import EPOCH, Data, PartsServer

SEEDS = 300
STEPS = 150
CUSTOMERS = ("7", "8", "9")
PARTS = [
    where_of({"c": "7"}, ENTITY),
    where_of({"c": "8"}, ENTITY),
    where_of({"c": ["7", "8"]}, ENTITY),
    where_of({"c": ["8", "9"], "open": True}, ENTITY),
    None,
]


class World:
    """A client and its server, with what is under way between them."""

    def __init__(self, seed: int, granularity: Granularity) -> None:
        self.random = random.Random(seed)
        self.granularity = granularity
        self.server = PartsServer(granularity)
        self.store = MemoryStore("c")
        self.durable = self.random.random() < 0.7
        self.reads: set[Where | None] = set()
        self.writes = 0
        self.connected = False
        self.begin()

    def begin(self) -> None:
        """The program starts, with what was stored."""
        self.said: deque[Message] = deque()
        self.fences: deque[Fence] = deque()
        self.events: list[Event] = []
        self.local = LocalState(lambda: 0.5, self.events.append)
        if self.durable:
            self.local.load(self.store.load())
        outgoing = Outgoing(self.said.append, self.fence, self.local.tell)
        self.streams = Streams(outgoing)

    def fence(self, fence: Fence) -> None:
        self.fences.append(fence)
        self.said.append(Ping())

    # What happens.

    def step(self) -> None:
        """Anything."""
        choices = [self.write] * 5 + [self.hear] * 12 + [self.serve] * 8 + [self.listen] * 6
        choices += (
            [self.own] * 3 + [self.open] * 2 + [self.close, self.cut, self.connect, self.keep]
        )
        choices += [self.server.beat]
        if self.random.random() < 0.1:
            choices = [self.restart, self.server.forget, self.rescope]
        self.random.choice(choices)()
        self.check()

    def data(self) -> Data:
        data: Data = {"c": self.random.choice(CUSTOMERS), "note": self.random.randrange(5)}
        for name in ("open", "x", "y"):
            if self.random.random() < 0.5:
                data[name] = True
        return data

    def write(self) -> None:
        data = self.data() if self.random.random() < 0.8 else None
        self.server.write(f"r{self.random.randrange(6)}", data)

    def own(self) -> None:
        self.writes += 1
        entity_id = f"r{self.random.randrange(6)}"
        data = self.data() if self.random.random() < 0.8 else None
        action = ChangeAction.DELETE if data is None else ChangeAction.UPDATE
        text = None if data is None else to_json(data, "data")
        push = Push(ENTITY, entity_id, action, text)
        self.local.writes.add(QueuedWrite(f"w{self.writes}", push))
        for where in self.reads:
            view = self.local.get(ENTITY, where)
            assert view is not None
            shown = view.overlay.get(entity_id)
            within = data is not None and (where is None or where.has(data))
            assert (shown is not None) == within, "an own write shows at once, or vanishes"

    def open(self) -> None:
        where = self.random.choice(PARTS)
        if where in self.reads:
            return
        self.reads.add(where)
        view = self.local.open(ENTITY, self.granularity, where)
        if self.connected:
            view.replica.begin(EPOCH)
        self.streams.add(ENTITY, self.granularity, view.replica.cursor)

    def close(self) -> None:
        if self.reads:
            where = self.random.choice(sorted(self.reads, key=str))
            self.reads.remove(where)
            view = self.local.get(ENTITY, where)
            assert view is not None
            self.streams.remove(view.replica.cursor)
            self.local.shut(view)

    def connect(self) -> None:
        if not self.connected:
            self.connected = True
            self.local.writes.begin(len(self.server.acks), EPOCH)
            for view in self.local:
                view.replica.begin(EPOCH)
            self.streams.opened(EPOCH)

    def cut(self) -> None:
        if self.connected:
            self.connected = False
            self.server.cut()
            self.said.clear()
            self.fences.clear()
            self.streams.lost()
            self.local.lost()

    def restart(self) -> None:
        if self.durable:
            self.keep()
            self.cut()
            reads, self.reads = sorted(self.reads, key=str), set()
            self.begin()
            for where in reads:
                if self.random.random() < 0.7:
                    self.reads.add(where)
                    view = self.local.open(ENTITY, self.granularity, where)
                    self.streams.add(ENTITY, self.granularity, view.replica.cursor)

    def keep(self) -> None:
        if self.durable:
            self.local.kept(keep(self.store, self.local.pending_ops.take()))

    def rescope(self) -> None:
        rights = [None, frozenset(("7", "8")), frozenset(("7", "9")), frozenset(("8",))]
        self.server.rescope(self.random.choice(rights))

    def serve(self) -> None:
        """The server goes on with catching up."""
        if self.connected:
            self.server.pump(self.random.randrange(5))

    def listen(self) -> None:
        """The server hears what was said first."""
        if self.connected:
            for row in self.local.writes.due():
                self.said.append(row.numbered())
            if self.said:
                self.server.hear(self.said.popleft())

    def hear(self) -> None:
        """The client hears what was said first."""
        if not self.connected or not self.server.outgoing:
            return
        message = self.server.outgoing.pop(0)
        if isinstance(message, Pong):
            self.fences.popleft().passed()
        elif isinstance(message, PushAck):
            self.local.answered(message, EPOCH)
        elif isinstance(message, Change | FieldChange):
            self.streams.receive(self.granularity, message.change)
        elif isinstance(message, SyncBegin):
            self.streams.begin(message)
        elif isinstance(message, SyncComplete | SyncFieldsComplete):
            self.streams.complete(self.granularity, message)

    # What is seen.

    def shown(self, where: Where | None) -> dict[str, Data]:
        view = self.local.get(ENTITY, where)
        assert view is not None
        return {row.id: row.data for row in view.overlay.snapshot()}

    def check(self) -> None:
        """What a part shows is in it, at any time."""
        for where in self.reads - {None}:
            assert where is not None
            assert all(where.has(data) for data in self.shown(where).values())

    def quiet(self) -> None:
        """Nothing more is written: everything comes to its end."""
        for _ in range(3):
            for _ in range(2000):
                self.connect()
                self.keep()
                self.listen()
                moved = self.server.pump(0)
                if not (moved or self.server.outgoing or self.said):
                    break
                self.hear()
            self.server.beat()


@pytest.mark.parametrize("granularity", Granularity)
def test_every_part_that_is_read_becomes_what_the_server_has(granularity: Granularity) -> None:
    for seed in range(SEEDS):
        world = World(seed, granularity)
        try:
            for _ in range(STEPS):
                world.step()
            world.quiet()
            for where in world.reads:
                assert world.shown(where) == world.server.shown(where), where
            assert len(world.local.writes.queue) == 0
            if world.reads:
                assert not world.local.writes.queue.settled(ENTITY), "each write was let go of"
            places = [view.replica.position for view in world.local]
            assert {each.version for each in places} <= {world.server.version}
            assert all(view.replica.live for view in world.local)
        except BaseException as error:
            error.add_note(f"seed {seed}")
            raise


def test_what_is_held_is_there_after_a_restart() -> None:
    for seed in range(SEEDS // 3):
        world = World(seed, Granularity.RECORDS)
        world.durable = True
        world.begin()
        world.reads = set()
        for _ in range(STEPS):
            world.step()
        world.quiet()
        world.keep()
        held = {where: world.shown(where) for where in world.reads}
        world.cut()
        world.begin()
        for where, shown in held.items():
            view = world.local.open(ENTITY, world.granularity, where)
            assert {row.id: row.data for row in view.overlay.snapshot()} == shown, seed
            assert view.replica.position.scope == world.server.scope(where)
