"""Whatever happens, an operation shows once from its call on, and nobody's is ever taken back.

A client and a server live through a list of happenings, as in `test_model`: operations here
and there, the same records written as a whole, lost connections, restarts, answers before the
changes that come of them and after. Each increment has a digit of its own in a counter, and
each addition an element of its own in a set, so that what is shown says which operations are
in it, and how often. After each happening there is one of the server's versions of which this
holds: what is shown is what the server had then, with the operations that this client had made
and that were not in it on top; and that version never goes back.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis import given

from rhtmx.core import build_message
from rhtmx.core.granularity import Granularity
from rhtmx.errors import ErrorCode
from rhtmx.stores.memory import MemoryStore
from rhtmx.values.field_operations import Add, FieldOperation, Increment
from rhtmx.wire import Message
from tests.support.stepped import Stepped
from tests.support.write_server import AT, ENTITY, ME, WriteServer

ID = "1"
MOST = 14
"""Increments in one life: digits that an integer of JSON has for them."""


@dataclass
class Truth:
    """What the server had in one version, and which of this client's operations are in it."""

    data: dict[str, Any]
    effects: frozenset[str]


@dataclass
class Own:
    """One operation of this client."""

    field: str
    value: FieldOperation


@dataclass
class Counting:
    """A client and a server; see the head of the file."""

    granularity: Granularity
    server: WriteServer = field(default_factory=WriteServer)
    store: MemoryStore = field(default_factory=lambda: MemoryStore(ME))
    own: dict[str, Own] = field(default_factory=dict)
    truths: list[Truth] = field(default_factory=lambda: [Truth({}, frozenset())])
    least: int = 0
    counted: int = 0
    connected: bool = False
    starts: int = 0
    now: float = 0.0
    upstream: list[Message] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.session = self.start()

    def start(self) -> Stepped:
        self.starts += 1
        numbers = iter([self.starts / 10_000])
        session = Stepped(ME, lambda: next(numbers, 0.5))
        session.local.load(self.store.load())
        session.open(ENTITY, self.granularity)
        return session

    # What happens.

    def write(self, name: str, value: FieldOperation) -> None:
        push = build_message.push_fields(ENTITY, ID, {name: value}, [], None, AT)
        self.own[self.session.push(push).id] = Own(name, value)

    def count(self, n: int) -> None:
        """This client counts."""
        if self.counted < MOST:
            self.write("votes", Increment(10**self.counted))
            self.counted += 1

    def add(self, n: int) -> None:
        """This client adds an element that is its own."""
        self.write("labels", Add(f"own {len(self.own)}"))

    def others_count(self, n: int) -> None:
        """Somebody else counts."""
        if self.counted < MOST:
            self.server.operate(ID, "votes", Increment(10**self.counted))
            self.counted += 1
            self.record()

    def others_add(self, n: int) -> None:
        """Somebody else adds an element."""
        self.server.operate(ID, "labels", Add(f"theirs {self.server.version}"))
        self.record()

    def others_write(self, n: int) -> None:
        """Somebody else writes another field, of this record or of another one."""
        data = self.server.records[ID].data if ID in self.server.records else {}
        self.server.write(ID if n % 2 else "2", {**(data or {}), "title": self.server.version})
        self.record()

    def send(self, n: int) -> None:
        """Some of what the client says reaches the server."""
        if self.connected:
            self.upstream += self.session.take(self.now)
            for message in self.upstream[: n + 1]:
                self.server.receive(message)
                self.record()
            del self.upstream[: n + 1]

    def hear(self, n: int) -> None:
        """Some of what the server says reaches the client."""
        for message in self.server.outgoing[: n + 1]:
            self.session.receive(message, self.now)
        del self.server.outgoing[: n + 1]

    def keep(self, n: int) -> None:
        """The store works off what there is."""
        self.session.keep(self.store)

    def connect(self, n: int) -> None:
        """There is a connection."""
        if not self.connected:
            self.session.connected(self.now)
            self.connected = True

    def lose(self, n: int) -> None:
        """There is none any more."""
        if self.connected:
            self.session.lost(self.now, 1006)
            self.server.cut()
            self.upstream.clear()
            self.connected = False

    def restart(self, n: int) -> None:
        """The program ends, with everything stored, and starts again."""
        self.keep(0)
        self.keep(0)
        self.lose(n)
        self.session = self.start()

    def refuse(self, n: int) -> None:
        """The server has no room for a write at the moment."""
        self.server.mood.append(ErrorCode.STORAGE_FULL)

    def elapse(self, n: int) -> None:
        """Time passes."""
        self.now += 5 * n
        self.session.tick(self.now)

    def fall_behind(self, n: int) -> None:
        """The client does not keep up."""
        self.server.fall_behind()

    def catch_up(self, n: int) -> None:
        """It does again, and gets the latest of everything."""
        self.server.catch_up()

    def reorder(self, n: int) -> None:
        """From now on the server's answers come before the changes, or after them."""
        self.server.answers_first = n % 2 == 0

    def close(self, n: int) -> None:
        """The application closes the collection and opens it again."""
        view = self.session.local.get(ENTITY)
        assert view is not None
        self.session.shut(view)
        self.session.open(ENTITY, self.granularity)

    # What must be so.

    def record(self) -> None:
        """Put down what the server has now, under its version."""
        record = self.server.records.get(ID)
        data = dict((record.data or {}) if record else {})
        effects = frozenset(request_id for _, request_id in self.server.effects)
        while len(self.truths) <= self.server.version:
            self.truths.append(Truth(data, effects))

    def shown(self) -> dict[str, Any]:
        view = self.session.local.get(ENTITY)
        assert view is not None
        row = view.overlay.get(ID)
        return {} if row is None else row.data

    def check(self) -> None:
        shown = self.shown()
        for version in range(self.least, len(self.truths)):
            if shown == self.with_waiting(self.truths[version]):
                self.least = version
                return
        expected = [self.with_waiting(truth) for truth in self.truths[self.least :]]
        pytest.fail(f"{shown} is shown, and one of {expected} should be")

    def with_waiting(self, truth: Truth) -> dict[str, Any]:
        """A version with the own operations on top that are not in it."""
        data = dict(truth.data)
        for request_id, own in self.own.items():
            if request_id in truth.effects:
                continue
            if isinstance(own.value, Increment):
                data[own.field] = data.get(own.field, 0) + own.value.by
            else:
                data[own.field] = sorted({*data.get(own.field, []), *own.value.operand})
        return data

    def settle(self) -> None:
        """Let everything arrive: all of it is in effect once, and shown."""
        self.connect(0)
        for _ in range(20):
            self.elapse(2)
            self.server.catch_up()
            self.keep(0)
            self.send(100)
            self.hear(100)
            self.check()
        effects = [request_id for _, request_id in self.server.effects]
        assert effects == list(self.own)
        record = self.server.records.get(ID)
        assert self.shown() == ((record.data or {}) if record else {})
        assert len(self.session.local.writes.queue) == 0


HAPPENINGS: dict[str, Callable[[Counting, int], None]] = {
    name: getattr(Counting, name)
    for name in (
        *("count", "add", "others_count", "others_add", "others_write", "send", "hear", "keep"),
        *("connect", "lose", "restart", "refuse", "elapse", "fall_behind", "catch_up", "reorder"),
        "close",
    )
}
OFTEN = [*["count", "add"] * 2, *["send", "hear", "keep"] * 4, "connect"]
STEPS = st.lists(
    st.tuples(st.sampled_from([*OFTEN, *HAPPENINGS]), st.integers(0, 5)), min_size=10, max_size=60
)

BEGIN = "connect:0 send:0 hear:0 keep:0 send:5 hear:5 count:0 keep:0 "
KNOWN = {
    "a change before its answer": BEGIN + "send:5 hear:0 hear:0",
    "an answer before its change": BEGIN + "reorder:0 send:5 hear:0 hear:0",
    "a change, and then a cut": BEGIN + "send:5 hear:0 lose:0 connect:0 send:0 hear:0 keep:0 "
    "send:5 hear:0 hear:0 hear:0 hear:0 hear:0",
    "a change, and then a restart": BEGIN + "send:5 hear:0 keep:0 restart:0 connect:0 send:0 "
    "hear:0 keep:0 send:5 hear:0 hear:0 hear:0 hear:0",
    "a cut before both": BEGIN + "send:5 lose:0 connect:0 send:0 hear:0 keep:0 send:5 "
    "hear:0 hear:0 hear:0 hear:0 hear:0",
    "one more while the change of the first waits": BEGIN + "send:5 hear:0 count:0 keep:0 send:5 "
    "hear:0 hear:0 hear:0",
    "refused for now, and then a change of somebody else": "refuse:0 " + BEGIN + "others_count:0 "
    "send:5 hear:0 others_count:0 hear:0 hear:0 elapse:5 send:5 hear:0",
}
"""The orders that matter, in the words of the happenings."""


@pytest.mark.parametrize("granularity", Granularity)
@pytest.mark.parametrize("steps", KNOWN.values(), ids=KNOWN)
def test_an_operation_shows_once_in_every_order_that_matters(
    granularity: Granularity, steps: str
) -> None:
    live(granularity, words(steps))


@given(st.sampled_from(Granularity), STEPS)
def test_an_operation_shows_once_and_is_never_taken_back(
    granularity: Granularity, steps: list[tuple[str, int]]
) -> None:
    live(granularity, [*words(BEGIN), *steps])


def words(steps: str) -> list[tuple[str, int]]:
    pairs = [each.split(":") for each in steps.split()]
    return [(name, int(number)) for name, number in pairs]


def live(granularity: Granularity, steps: list[tuple[str, int]]) -> None:
    """A whole life."""
    life = Counting(granularity)
    for name, number in steps:
        HAPPENINGS[name](life, number)
        life.check()
    life.settle()
