"""Facts about `rhtmx.core.write_queue` that hold after every step of any history.

A history is made from a seed: an application that writes, a connection that comes and
goes, a server that answers, refuses and forgets, and a store that takes its time, fails,
and is opened again after a crash. What the head of the module says is looked up after
each step, and the table in it is filled in: which event led from which state to which.
"""

from __future__ import annotations

import random
from collections import Counter

import pytest

from rhtmx.core.queued_write import QueuedWrite, WriteState
from rhtmx.core.storage_ops import AddWrite, BatchOutcome, OpBatch, PendingOps, Settled, keep
from rhtmx.core.write_queue import WriteQueue
from rhtmx.errors import ErrorCode, RhtmxError
from rhtmx.messages import ChangeAction, Push
from rhtmx.stores.memory import MemoryStore

NEW, UNSENT, SENT, SETTLED, GONE = WriteState
EVENTS = (
    *("add", "add", "store", "store", "fail", "due", "due", "settle", "change"),
    *("drop", "renew", "begin", "rewind", "renumber", "crash"),
)
STEPS = 120
SEEDS = range(60)

TABLE: dict[tuple[WriteState, str], set[WriteState]] = {
    (NEW, "number"): {UNSENT},
    (NEW, "due"): {NEW},
    (NEW, "begin"): {NEW},
    (NEW, "rewind"): {NEW},
    (NEW, "renumber"): {NEW},
    (NEW, "not_numbered"): {NEW},
    (NEW, "forget"): {GONE},
    (UNSENT, "due"): {UNSENT, SENT},
    (UNSENT, "begin"): {UNSENT},
    (UNSENT, "rewind"): {UNSENT},
    (UNSENT, "renumber"): {UNSENT},
    (UNSENT, "renew"): {NEW},
    (UNSENT, "settle"): {SETTLED},
    (UNSENT, "drop"): {GONE},
    (SENT, "due"): {SENT},
    (SENT, "begin"): {UNSENT},
    (SENT, "rewind"): {SENT, UNSENT},
    (SENT, "renumber"): {SENT, UNSENT},
    (SENT, "renew"): {NEW},
    (SENT, "settle"): {SETTLED},
    (SENT, "drop"): {GONE},
    (SETTLED, "due"): {SETTLED},
    (SETTLED, "begin"): {SETTLED},
    (SETTLED, "rewind"): {SETTLED},
    (SETTLED, "renumber"): {SETTLED},
    (SETTLED, "drop"): {GONE},
}
"""State and event → state, where there is a store. `renumber` is the end of a gap, after
which the first one that is numbered anew, and all after it, are sent again."""


class World:
    """A queue, its store, and a history that a seed makes."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.store = MemoryStore("c")
        self.reached: Counter[tuple[WriteState, str, WriteState]] = Counter()
        self.rows: list[QueuedWrite] = []
        self.under_way: OpBatch | None = None
        self.count = self.known = 0
        self.open()

    def open(self) -> None:
        """Begin, with what the store has: also after a crash."""
        self.pending = PendingOps()
        self.pending.durable = True
        self.queue = WriteQueue(self.pending)
        image = self.store.load()
        self.queue.load(image.rows, image.last)
        self.rows = [*self.queue, *self.queue.settled("a"), *self.queue.settled("b")]
        self.under_way = None

    def step(self) -> None:
        """Do one thing, and look at everything."""
        event = self.random.choice(EVENTS)
        before = [(row, row.state) for row in self.rows]
        confirmed = self.queue.confirmed
        events = getattr(self, f"do_{event}")()
        check(self.queue)
        if event not in ("crash", "begin", "renumber"):
            assert self.queue.confirmed >= confirmed, event
        for row, state in before:
            name = events.get(row.id) if isinstance(events, dict) else events
            if name is not None and event != "crash" and state is not GONE:
                self.reached[state, name, row.state] += 1
        self.rows = [row for row in self.rows if row.state is not GONE]

    def one_of(self, *states: WriteState) -> QueuedWrite | None:
        """A write in one of these states."""
        found = [row for row in self.rows if row.state in states]
        return self.random.choice(found) if found else None

    def do_add(self) -> None:
        """The application writes."""
        self.count += 1
        entity, record = self.random.choice("ab"), self.random.choice("xyz")
        based = self.random.choice((None, 3))
        push = Push(entity, record, ChangeAction.UPDATE, b"1", base_version=based)
        row = QueuedWrite(f"r{self.count}", push, epoch=self.random.choice((None, "e", "f")))
        self.queue.add(row)
        self.rows.append(row)

    def do_store(self, fails: bool = False) -> dict[str, str]:
        """The store takes a batch, or says what came of the one before."""
        if self.under_way is None:
            self.under_way = self.pending.take()
            return {}
        batch, self.under_way = self.under_way, None
        if fails:
            # The disk is as good as full: what matters still fits, and some of the new writes.
            outcome = BatchOutcome(stored=list(batch.ops.values()))
            self.store.add([], outcome.stored)
            for each in batch.adds:
                if self.random.random() < 0.5:
                    (seq,) = self.store.add([each])
                    outcome.added.append((each, seq))
                else:
                    outcome.refused.append((each, RhtmxError(ErrorCode.STORAGE_FULL, "full")))
        else:
            outcome = keep(self.store, batch)
        return self.told(outcome)

    def do_fail(self) -> dict[str, str]:
        return self.do_store(fails=True)

    def told(self, outcome: BatchOutcome) -> dict[str, str]:
        """As `WriteOutcomes` does it."""
        events: dict[str, str] = {}
        self.queue.stored(outcome.stored)
        for add, seq in outcome.added:
            if (row := self.waiting(add)) is not None:
                events[row.id] = "number"
                self.queue.number(row, add.row, seq)
        for add, _ in outcome.refused:
            if (row := self.waiting(add)) is not None:
                events[row.id] = "not_numbered" if row.renewed else "forget"
                (self.queue.not_numbered if row.renewed else self.queue.forget)(row)
        return events

    def waiting(self, add: AddWrite) -> QueuedWrite | None:
        return self.queue.get(add.row.id)

    def do_due(self) -> str:
        most = self.random.choice((None, 1, 2))
        before = [row.seq for row in self.queue.sent()]
        due = self.queue.due(most)
        assert all(row.stored and row.seq for row in due)
        assert most is None or len(due) <= most
        self.known = max([self.known, *(row.seq for row in due)])
        assert before + [row.seq for row in due] == [row.seq for row in self.queue.sent()]
        return "due"

    def do_begin(self) -> str:
        """Another connection: the server may have taken some, or forgotten some."""
        self.known = self.random.randint(max(0, self.known - 3), self.known)
        self.queue.begin(self.known, "e")
        assert self.queue.sent() == []
        return "begin"

    def do_rewind(self) -> str | None:
        row = self.one_of(UNSENT, SENT)
        if row is None:
            return None
        self.queue.rewind(row)
        return "rewind"

    def do_renumber(self) -> str | None:
        """The server says that numbers are missing."""
        row = self.one_of(UNSENT, SENT)
        if row is None:
            return None
        self.queue.close_gap(max(0, row.seq - self.random.choice((1, 2))))
        return "renumber"

    def do_settle(self) -> dict[str, str]:
        row = self.one_of(SENT, SENT, UNSENT)
        if row is None:
            return {}
        self.queue.settle(row, Settled(1, "e"))
        return {row.id: "settle"}

    def do_renew(self) -> dict[str, str]:
        row = self.one_of(SENT, UNSENT)
        if row is None:
            return {}
        self.queue.renew(row)
        return {row.id: "renew"}

    def do_drop(self, *states: WriteState) -> dict[str, str]:
        """A write is rejected for good."""
        row = self.one_of(*(states or (SENT, UNSENT)))
        if row is None:
            return {}
        self.queue.drop(row)
        return {row.id: "drop"}

    def do_change(self) -> dict[str, str]:
        """The change of a settled write has come."""
        return self.do_drop(SETTLED)

    def do_crash(self) -> None:
        if self.random.random() < 0.3:
            confirmed = self.queue.confirmed
            self.open()
            check(self.queue)
            first = next(iter(self.queue), None)
            seq = first.seq if first is not None else 0
            assert not seq or seq > confirmed, "its answer may be forgotten"


def check(queue: WriteQueue) -> None:
    """What the head of the module says of the collections."""
    sent, unsent = list(queue._sent.values()), list(queue._unsent.values())
    settled = [row for rows in queue._settled.values() for row in rows.values()]
    assert {row.state for row in sent} <= {SENT}
    assert {row.state for row in unsent} <= {NEW, UNSENT}
    assert {row.state for row in settled} <= {SETTLED}
    ids = [row.id for row in (*sent, *unsent, *settled)]
    assert len(ids) == len(set(ids))
    assert list(queue) == sent + unsent

    seqs = [row.seq for row in queue]
    numbered = [seq for seq in seqs if seq]
    assert numbered == sorted(set(numbered)), "numbers rise along the queue"
    assert seqs == numbered + [0] * (len(seqs) - len(numbered)), "those without are last"
    assert all((row.seq == 0) == (row.state is NEW) for row in queue)
    assert queue._numbers == {row.seq: row for row in queue if row.seq}
    assert not numbered or numbered[-1] <= queue.last

    records: dict[tuple[str, str], set[str]] = {}
    for row in (*queue, *settled):
        records.setdefault(row.records[0], set()).add(row.id)
    assert {name: {row.id for row in rows} for name, rows in queue._records.items()} == records
    assert all(row.settled is not None for row in settled)
    assert all(row.settled is None for row in queue)
    assert queue.confirmed < min([queue.last + 2, *numbered, *queue._leaving.values()])


@pytest.mark.parametrize("seed", SEEDS)
def test_what_the_head_of_the_module_says_holds_after_every_step(seed: int) -> None:
    world = World(seed)
    for _ in range(STEPS):
        world.step()


def test_the_table_is_what_happens_and_all_of_it_happens() -> None:
    reached: Counter[tuple[WriteState, str, WriteState]] = Counter()
    for seed in SEEDS:
        world = World(seed)
        for _ in range(STEPS):
            world.step()
        reached += world.reached
    found: dict[tuple[WriteState, str], set[WriteState]] = {}
    for state, event, after in reached:
        found.setdefault((state, event), set()).add(after)
    assert found == TABLE
