"""Whatever is cut, restored, paused or forgotten: no reader misses or repeats anything in silence.

One session and one model server live through a random life: messages arrive in
part, connections are cut, the server is restored from a backup and forgets
deletions, readers come, pause, go and come back. Every change that a reader
gets is checked; whenever everything has arrived, its replica must be the
server's state. One seed replays a whole life.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field

import hypothesis.strategies as st
from hypothesis import given, settings

from rhtmx.core.cursor import Cursor, Log
from rhtmx.core.events import Answered, Delivered, Event, Refused, Started, Synced, WasReset
from rhtmx.core.granularity import Granularity
from rhtmx.messages import ChangeAction, ChangeLog, Position, Push
from rhtmx.wire import Message
from tests.support.stepped import Stepped
from tests.unit.rhtmx.model_server import ENTITY, ModelServer

BEGINNING = Position(epoch="", version=0)


@dataclass
class Reader:
    """Builds a replica from what it is given, and checks each step."""

    cursor: Cursor
    complete: bool
    replica: dict[tuple[str, str], str] = field(default_factory=dict)
    seen: set[tuple[int, str, str]] = field(default_factory=set)
    last: int = 0
    base: int | None = None

    def take(self, log: Log, head: int) -> None:
        records = isinstance(log, ChangeLog)
        name = "" if isinstance(log, ChangeLog) else log.field
        value = log.data if isinstance(log, ChangeLog) else log.value
        assert log.version >= self.last, "went back"
        assert not (records and log.version == self.last), "came twice"
        assert (log.version, log.entity_id, name) not in self.seen, "came twice"
        assert log.version <= head, "came before it was written"
        self.seen.add((log.version, log.entity_id, name))
        self.last = log.version
        if value is None:
            self.replica.pop((log.entity_id, name), None)
        else:
            self.replica[log.entity_id, name] = value.decode()

    def reset(self) -> None:
        self.replica.clear()
        self.seen.clear()
        self.last = self.base = 0
        self.complete = True


class Life:
    """One session, one server, and what happens to them."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.now = 0.0
        self.server = ModelServer(tells_head=self.random.random() < 0.7)
        self.session = Stepped("c1", random=lambda: 0.5)
        self.granularity = self.random.choice(list(Granularity))
        self.pushes = self.random.random() < 0.5
        self.readers: list[Reader] = []
        self.saved: list[tuple[Position | None, Reader]] = []
        self.pushed: dict[str, str] = {}
        self.answers: list[str] = []
        self.restores = 0
        self.upstream: list[Message] = []
        self.online = False
        self.connect()

    def step(self) -> None:
        """Let one thing happen."""
        what = self.random.choices(list(HAPPENINGS), list(HAPPENINGS.values()))[0]
        what(self)
        self.look()

    # The network.

    def connect(self) -> None:
        self.session.connected(self.now)
        self.online = True

    def send(self) -> None:
        if self.online:
            self.upstream.extend(self.session.take(self.now))

    def arrive(self, count: int | None = None) -> None:
        """Some of what the client has said reaches the server."""
        self.send()
        count = self.random.randint(1, 5) if count is None else count
        for message in self.upstream[:count]:
            self.server.receive(message)
        del self.upstream[:count]

    def come_back(self, count: int | None = None) -> None:
        """Some of what the server has said reaches the client."""
        count = self.random.randint(1, 5) if count is None else count
        for message in self.server.outgoing[:count]:
            self.session.receive(message, self.now)
            self.look()
        del self.server.outgoing[:count]

    def pump(self) -> None:
        """The server goes on with catching up."""
        self.server.pump()

    def cut(self) -> None:
        """The connection breaks; what was under way is lost."""
        if self.online:
            assert self.session.lost(self.now) is not None
            self.server.cut()
            self.upstream.clear()
            self.online = False

    def reconnect(self) -> None:
        """There is a connection again."""
        if not self.online:
            self.now += 1
            self.connect()

    # The data.

    def write(self) -> None:
        """Someone else writes or deletes a record."""
        names = self.random.sample(["x", "y", "z"], self.random.randint(0, 3))
        fields = {name: self.random.randint(0, 2) for name in names}
        self.server.write(self.random.choice("abc"), fields or None)

    def push(self) -> None:
        """The client writes a record, in every other life."""
        if not self.pushes:
            return
        name = f"p{len(self.pushed)}"
        push = Push(ENTITY, name, ChangeAction.UPDATE, b'{"pushed":1}')
        self.pushed[self.session.push(push).id] = name

    def collect(self) -> None:
        """The server forgets deletions; not in the middle of catching up, or of a first load."""
        self.send()
        quiet = not (self.online and (self.upstream or self.server.outgoing))
        live = not self.online or (self.server.cursor is not None and self.server.cursor.live)
        torn = [r for r in self.readers if r.cursor.position == self.beginning and r.replica]
        torn += [r for position, r in self.saved if position == self.beginning and r.replica]
        if quiet and live and not torn:
            self.server.collect()

    def absence(self) -> None:
        """The client is away for so long that the server forgets deletions meanwhile."""
        self.cut()
        for _ in range(self.random.randint(1, 8)):
            self.write()
        self.collect()

    @property
    def beginning(self) -> Position:
        """Before the first version."""
        return Position(epoch=self.server.epoch, version=0)

    def restore(self) -> None:
        """The server goes back to a backup."""
        self.cut()
        self.restores += 1
        self.server.restore(self.random.randint(0, self.server.version), f"e{self.restores}")

    # The readers.

    def read(self) -> None:
        """A reader comes."""
        if len(self.readers) < 3:
            everything = self.random.random() < 0.5
            since = BEGINNING if everything else None
            cursor = self.session.subscribe(ENTITY, self.granularity, since)
            self.readers.append(Reader(cursor, everything))

    def stop(self) -> None:
        """A reader goes."""
        if self.readers:
            reader = self.readers.pop(self.random.randrange(len(self.readers)))
            self.session.streams.remove(reader.cursor)
            self.saved.append((reader.cursor.position, reader))

    def go_on(self) -> None:
        """A reader of before comes back, as after a restart of its program."""
        if self.saved and len(self.readers) < 3:
            position, reader = self.saved.pop()
            reader.cursor = self.session.subscribe(ENTITY, self.granularity, position)
            reader.last = position.version if position else 0
            reader.seen = {each for each in reader.seen if each[0] <= reader.last}
            if position is None:
                reader.base = None
            self.readers.append(reader)

    def pause(self) -> None:
        """A reader becomes slow, or has caught up."""
        if self.readers:
            cursor = self.random.choice(self.readers).cursor
            (self.session.streams.resume if cursor.paused else self.session.streams.pause)(cursor)

    # What must hold.

    def look(self) -> None:
        for event in self.session.events():
            reader = next(
                (r for r in self.readers if r.cursor is getattr(event, "cursor", 0)), None
            )
            if reader is not None:
                self.tell(reader, event)
            elif isinstance(event, Answered):
                self.answers.append(event.request_id)
            assert not isinstance(event, Refused)

    def tell(self, reader: Reader, event: Event) -> None:
        if isinstance(event, Delivered):
            reader.take(event.log, self.server.version)
        elif isinstance(event, WasReset):
            reader.reset()
        elif isinstance(event, Started) and not reader.complete and reader.base is None:
            reader.base = self.server.version
        elif isinstance(event, Synced):
            assert event.position == reader.cursor.position

    def settle(self) -> None:
        """Let everything arrive."""
        if not self.online:
            self.reconnect()
        for reader in self.readers:
            if reader.cursor.paused:
                self.session.streams.resume(reader.cursor)
        while True:
            self.send()
            if not (self.upstream or self.server.outgoing or self.server.pump()):
                break
            self.arrive(len(self.upstream))
            self.come_back(len(self.server.outgoing))

    def check_all(self) -> None:
        """When everything has arrived, everyone holds the same."""
        self.settle()
        for reader in self.readers:
            self.check(reader)
        assert sorted(self.answers) == sorted(self.pushed), "each write is answered once"
        if not self.restores:
            assert sorted(self.server.effects) == sorted(self.pushed.values()), "each takes effect"

    def check(self, reader: Reader) -> None:
        state, new = self.state(reader.base or 0)
        if reader.complete:
            assert reader.replica == state
        else:
            assert {key: value for key, value in reader.replica.items() if key in new} == {
                key: value for key, value in state.items() if key in new
            }

    def state(self, base: int) -> tuple[dict[tuple[str, str], str], set[tuple[str, str]]]:
        """What the server holds, and which parts of it were written after `base`."""
        state: dict[tuple[str, str], str] = {}
        new: set[tuple[str, str]] = set()
        for entity_id, record in self.server.records.items():
            if self.granularity is Granularity.RECORDS:
                if record.version > base:
                    new.add((entity_id, ""))
                if record.live:
                    state[entity_id, ""] = repr(record.fields).replace("'", '"')
                continue
            new |= {(entity_id, name) for name, version in record.clocks.items() if version > base}
            state |= {(entity_id, name): str(value) for name, value in record.fields.items()}
        return state, new


HAPPENINGS: dict[Callable[[Life], None], float] = {
    Life.arrive: 10,
    Life.come_back: 10,
    Life.pump: 8,
    Life.write: 8,
    Life.push: 2,
    Life.cut: 2,
    Life.reconnect: 4,
    Life.collect: 1,
    Life.absence: 0.5,
    Life.restore: 0.3,
    Life.read: 2,
    Life.stop: 1,
    Life.go_on: 1,
    Life.pause: 1,
}


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_no_reader_misses_or_repeats_anything_in_silence(seed: int) -> None:
    life = Life(seed)
    for _ in range(10):
        for _ in range(40):
            life.step()
        life.check_all()
