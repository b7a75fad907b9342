"""Whatever happens: every write takes effect once, in order, and shows until something is newer.

One client core with a store, and a server, live through a list of happenings:
writes here and there, refusals of every verdict, lost connections, restarts,
restored backups, forgotten deletions, a full disk. After each of them what is
shown must be what it should be; at the end, when everything has arrived, it must
be the server's state. `RHTMX_EXAMPLES=20000` runs a long campaign.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis import given

from rhtmx.core import build_message
from rhtmx.core.events import Answered, Refused
from rhtmx.core.granularity import Granularity
from rhtmx.core.overlay import Overlay
from rhtmx.errors import ErrorCode, RhtmxError
from rhtmx.messages import Authenticate
from rhtmx.stores.memory import MemoryStore
from rhtmx.values.field_operations import Increment
from rhtmx.wire import Message
from tests.support.stepped import Stepped
from tests.support.write_server import AT, ENTITY, ME, WriteServer

IDS = ("1", "2")
FIELDS = ("a", "b")
MOODS = (
    ErrorCode.FORBIDDEN,
    ErrorCode.STORAGE_FULL,
    ErrorCode.TOO_MANY_REQUESTS,
    ErrorCode.UNAUTHENTICATED,
    ErrorCode.RATE_LIMITED,
)


class Life:
    """A client and a server, and what is known about the client's writes."""

    def __init__(self, granularity: Granularity) -> None:
        self.granularity = granularity
        self.server = WriteServer()
        self.store = MemoryStore(ME)
        self.now = 0.0
        self.starts = 0
        self.epochs = 0
        self.count = 0
        self.connected = False
        self.upstream: list[Message] = []
        self.order: list[str] = []
        self.answered: dict[str, str] = {}
        self.rejected: set[str] = set()
        self.lost_by_restore: set[str] = set()
        self.stolen = False
        self.expected: dict[str, dict[str, Any] | None] = {}
        self.session = self.start()

    def start(self) -> Stepped:
        self.starts += 1
        numbers = iter([self.starts / 10_000])
        session = Stepped(ME, lambda: next(numbers, 0.5))
        session.local.load(self.store.load())
        session.open(ENTITY, self.granularity)
        return session

    # Happenings: each takes a number that says which, or how much.

    def write(self, n: int) -> None:
        """The application writes a record."""
        self.count += 1
        entity_id, data = IDS[n % 2], {"a": self.count, "me": self.count}
        self.note(self.session.push(build_message.push(ENTITY, entity_id, data, None)).id)
        self.expected[entity_id] = data

    def write_based(self, n: int) -> None:
        """It replaces a record only if that has not moved on."""
        self.count += 1
        entity_id, data = IDS[n % 2], {"b": self.count}
        base = self.session.local.base_version(ENTITY, entity_id) or 0
        self.note(self.session.push(build_message.push(ENTITY, entity_id, data, base)).id)
        self.expected.pop(entity_id, None)

    def patch(self, n: int) -> None:
        """It writes a field, or deletes one."""
        self.count += 1
        entity_id, name = IDS[n % 2], FIELDS[n // 2 % 2]
        gone = n % 5 == 0
        base = self.session.local.base_version(ENTITY, entity_id) if n % 3 else None
        fields, delete = ({}, [name]) if gone else ({name: self.count}, [])
        push = build_message.push_fields(ENTITY, entity_id, fields, delete, base, AT)
        self.note(self.session.push(push).id)
        if entity_id in self.expected:
            after = {**(self.expected[entity_id] or {}), **fields}
            self.expected[entity_id] = {k: v for k, v in after.items() if k not in delete}

    def increment(self, n: int) -> None:
        """It counts, whatever the number is by then."""
        entity_id = IDS[n % 2]
        fields = {"votes": Increment(n + 1)}
        push = build_message.push_fields(ENTITY, entity_id, fields, [], None, AT)
        self.note(self.session.push(push).id)
        if entity_id in self.expected:
            after = dict(self.expected[entity_id] or {})
            self.expected[entity_id] = {**after, "votes": after.get("votes", 0) + n + 1}

    def remove(self, n: int) -> None:
        """It deletes a record."""
        entity_id = IDS[n % 2]
        self.note(self.session.push(build_message.push_delete(ENTITY, entity_id, None)).id)
        self.expected[entity_id] = None

    def foreign(self, n: int) -> None:
        """Someone else writes or deletes a record."""
        self.count += 1
        entity_id = IDS[n % 2]
        data = None if n % 5 == 0 else {FIELDS[n // 2 % 2]: -self.count}
        self.server.write(entity_id, data)
        self.expected.pop(entity_id, None)

    def send(self, n: int) -> None:
        """Some of what the client says reaches the server."""
        if self.connected:
            self.upstream += self.session.take(self.now)
            for message in self.upstream[: n + 1]:
                self.server.receive(message)
            del self.upstream[: n + 1]

    def hear(self, n: int) -> None:
        """Some of what the server says reaches the client."""
        for message in self.server.outgoing[: n + 1]:
            self.session.receive(message, self.now)
        del self.server.outgoing[: n + 1]
        self.look()

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

    def choke(self, n: int) -> None:
        """Something in between finds a message too large, and ends the connection."""
        if self.session.is_open and self.session.local.writes.queue.sent():
            self.session.lost(self.now, 4502)
            self.server.cut()
            self.upstream.clear()
            self.connected = False

    def restart(self, n: int) -> None:
        """The program ends without a word, and starts again."""
        self.lose(n)
        kept = {row.id for row in self.store.load().rows}
        gone = [each for each in self.session.local.writes.queue if each.id not in kept]
        for row in gone:
            self.order.remove(row.id)
        if gone or self.session.local.pending_ops:
            self.expected.clear()  # what was not stored is not shown
        self.answered.clear()  # an answer that was not stored comes again
        self.rejected -= kept
        self.session = self.start()

    def elapse(self, n: int) -> None:
        """Time passes."""
        self.now += n
        self.session.local.writes.hold.tick(self.now)

    def refuse(self, n: int) -> None:
        """The server will refuse a write."""
        self.server.mood.append(MOODS[n % len(MOODS)])

    def authenticate(self, n: int) -> None:
        """There is a fresh token."""
        self.session.ask(Authenticate("t"))

    def collect(self, n: int) -> None:
        """The server forgets deletions; not while a first load may be going on."""
        view = self.session.local.get(ENTITY)
        assert view is not None
        stored = self.store.load().entities.get(ENTITY)
        if view.replica.position.version and stored is not None and stored.position.version:
            self.server.collect()

    def restore(self, n: int) -> None:
        """The server goes back to a backup."""
        self.lose(n)
        self.epochs += 1
        before = {request_id for _, request_id in self.server.effects}
        self.server.restore(self.server.version - n, f"e{self.epochs}")
        after = {request_id for _, request_id in self.server.effects}
        self.lost_by_restore |= before - after
        self.expected.clear()

    def steal(self, n: int) -> None:
        """Someone else uses the client's next number: what had it goes to the end."""
        self.server.steal()
        self.stolen = True

    def reorder(self, n: int) -> None:
        """From now on the server's answers come before the changes, or after them."""
        self.server.answers_first = n % 2 == 0

    def fall_behind(self, n: int) -> None:
        """The client does not keep up."""
        self.server.fall_behind()

    def catch_up(self, n: int) -> None:
        """It does again."""
        self.server.catch_up()

    def fill(self, n: int) -> None:
        """The disk is full, or has room again."""
        full = RhtmxError(ErrorCode.STORAGE_FULL, "full")
        self.store.failure = None if self.store.failure else full

    # What must be so.

    def note(self, request_id: str) -> None:
        self.order.append(request_id)

    def look(self) -> None:
        """Take what became of writes; what was refused or lost need not be shown."""
        for event in self.session.events():
            if isinstance(event, Answered):
                assert event.request_id not in self.answered, "answered twice"
                self.answered[event.request_id] = "durable"
                if event.conflicts:
                    self.expected.clear()
            elif isinstance(event, Refused):
                self.answered[event.request_id] = "refused"
                self.expected.clear()
                if event.error.code is ErrorCode.STORAGE_FULL:
                    self.order.remove(event.request_id)
                else:
                    self.rejected.add(event.request_id)

    def check(self) -> None:
        """What is shown is what is held with what waits on top, and no own write has vanished."""
        view = self.session.local.get(ENTITY)
        assert view is not None
        shown = {row.id: row.data for row in view.overlay.snapshot()}
        anew = Overlay(view.replica, self.session.local.writes.queue).snapshot()
        assert view.overlay.snapshot() == anew
        for entity_id, data in ({} if self.stolen else self.expected).items():
            if data is None or (self.granularity is Granularity.FIELDS and not data):
                assert entity_id not in shown, f"{entity_id} has come back"
            else:
                assert shown.get(entity_id) == data, f"{entity_id} flickers"
        refused = set(self.session.local.writes.rejected)
        assert refused <= self.rejected
        numbers = [row.seq for row in self.session.local.writes.queue if row.seq]
        assert numbers == sorted(numbers)

    def quiet(self) -> None:
        """Let everything arrive."""
        self.store.failure = None
        self.server.mood.clear()
        self.keep(0)
        self.connect(0)
        for _ in range(60):
            self.now += 31
            self.session.local.writes.hold.tick(self.now)
            self.authenticate(0)
            self.server.catch_up()
            self.keep(0)
            self.send(1000)
            self.hear(1000)
            self.check()
        self.keep(0)

    def settle(self) -> None:
        """After quiet, both sides agree, and every write is accounted for."""
        local, view = self.session.local, self.session.local.get(ENTITY)
        assert view is not None
        state = {i: r.data for i, r in self.server.records.items() if r.data is not None}
        if self.granularity is Granularity.FIELDS:
            state = {i: data for i, data in state.items() if data}
        assert {row.id: row.data for row in view.overlay.snapshot()} == state
        assert len(local.writes.queue) == 0
        assert not local.pending_ops
        kept = self.store.load()
        position = kept.entities[ENTITY].position
        assert position.epoch == self.server.epoch
        if (
            self.granularity is Granularity.RECORDS
        ):  # a commit without a field is not told to the other
            assert kept.rows == []
            assert position.version == self.server.version
        assert set(kept.entities[ENTITY].records) == set(state)
        self.account()

    def account(self) -> None:
        """Every accepted write took effect once, in order, or was refused."""
        effects = [request_id for _, request_id in self.server.effects]
        assert len(effects) == len(set(effects)), "a write took effect twice"
        for request_id in self.order:
            done = request_id in effects
            assert done or request_id in self.rejected | self.lost_by_restore, "a write was lost"
            assert not (done and request_id in self.rejected), "refused, and yet in effect"
        if not self.stolen:
            assert effects == [each for each in self.order if each in effects], "out of order"


HAPPENINGS: dict[str, Callable[[Life, int], None]] = {
    name: getattr(Life, name)
    for name in (
        *("write", "write_based", "patch", "remove", "foreign", "send", "hear", "keep", "connect"),
        *("lose", "restart", "elapse", "refuse", "authenticate", "collect", "restore", "steal"),
        *("fall_behind", "catch_up", "fill", "choke", "increment", "reorder"),
    )
}
OFTEN = [
    "write",
    "patch",
    "increment",
    "foreign",
    "send",
    "send",
    "hear",
    "hear",
    "keep",
    "keep",
    "connect",
]
STEPS = st.lists(
    st.tuples(st.sampled_from([*OFTEN, *HAPPENINGS]), st.integers(0, 9)), min_size=10, max_size=60
)


FOUND: list[tuple[Granularity, str]] = [
    # A number that was corrected while the next one was not.
    (
        Granularity.FIELDS,
        "remove:1 connect:0 write_based:0 send:0 hear:0 remove:1 keep:0 keep:0 steal:0 restart:0",
    ),
    (
        Granularity.RECORDS,
        "connect:0 write_based:0 send:0 patch:0 hear:0 keep:0 keep:0 restart:0 remove:1",
    ),
    # A final refusal that came while the write was to be sent again.
    (
        Granularity.FIELDS,
        "fill:0 refuse:1 connect:0 send:0 hear:0 write:0 write_based:0 write:0 fill:0 "
        "send:1 keep:0 send:0 hear:2",
    ),
    # A settled write that took another one's number along.
    (
        Granularity.FIELDS,
        "connect:0 patch:0 send:0 hear:0 keep:0 send:0 patch:0 fall_behind:0 send:1 "
        "hear:2 restore:1",
    ),
    # An answer that was confirmed before it was stored.
    (
        Granularity.RECORDS,
        "fill:0 fill:0 connect:0 send:0 write:0 hear:0 keep:0 send:2 hear:3 lose:0 "
        "connect:0 send:0 restart:0",
    ),
]
"""Lives that once went wrong: a happening and its number each."""


@given(st.sampled_from(Granularity), STEPS)
def test_no_write_is_lost_doubled_or_hidden(
    granularity: Granularity, steps: list[tuple[str, int]]
) -> None:
    live(granularity, steps)


@pytest.mark.parametrize(("granularity", "steps"), FOUND)
def test_what_once_went_wrong_does_not_again(granularity: Granularity, steps: str) -> None:
    pairs = [each.split(":") for each in steps.split()]
    live(granularity, [(name, int(number)) for name, number in pairs])


def live(granularity: Granularity, steps: list[tuple[str, int]]) -> None:
    """A whole life."""
    life = Life(granularity)
    for name, number in steps:
        HAPPENINGS[name](life, number)
        life.look()
        life.check()
    life.quiet()
    life.settle()
