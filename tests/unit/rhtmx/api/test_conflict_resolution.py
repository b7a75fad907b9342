"""Facts about `rhtmx.api.conflict_resolution`."""

from __future__ import annotations

from datetime import UTC, datetime
from types import SimpleNamespace
from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rhtmx.api import conflict_resolution
from rhtmx.api.conflict_resolution import Pending, RejectedWrite
from rhtmx.core import altered_writes, build_message
from rhtmx.core.queued_write import QueuedWrite
from rhtmx.core.storage_ops import Mutation, PendingOps, Settled, StoredRejection
from rhtmx.core.write_queue import WriteQueue
from rhtmx.errors import ErrorCode
from rhtmx.runtime.client_runtime import ClientRuntime
from rhtmx.values.results import FieldPushResult, PushResult

AT = datetime(2026, 1, 1, tzinfo=UTC)
PATCH = build_message.push_fields("tasks", "1", {"a": 1}, ["b"], None, AT)


class Decisions:
    """Writes down what is decided."""

    def __init__(self) -> None:
        self.made: list[object] = []

    async def retry(self, request_id: str) -> PushResult | FieldPushResult | None:
        self.made.append(("retry", request_id))
        return None

    def discard(self, request_id: str) -> None:
        self.made.append(("discard", request_id))


def pending(message: Mutation) -> Pending:
    return Pending.of(QueuedWrite("r", message, seq=3, since=AT.timestamp(), stored=True))


def test_a_pending_write_says_what_it_writes() -> None:
    assert pending(PATCH) == Pending("r", 3, "tasks", "1", "patch", {"a": 1}, ("b",), AT, True)
    push = pending(build_message.push("tasks", "1", [1], None))
    assert (push.action, push.data, push.deleted) == ("update", [1], ())
    assert pending(build_message.push_delete("tasks", "1", None)).action == "delete"


async def test_a_rejected_write_says_why_and_what_may_be_done() -> None:
    made = Decisions()
    kept = StoredRejection("r", PATCH, ErrorCode.INVALID_DATA, "too short", b"{}", AT.timestamp())
    rejected = RejectedWrite.of(kept, made)
    assert (rejected.error.code, str(rejected.error)) == (ErrorCode.INVALID_DATA, "too short")
    assert (rejected.data, rejected.deleted, rejected.since) == ({"a": 1}, ("b",), AT)
    await rejected.retry()
    rejected.discard()
    assert made.made == [("retry", "r"), ("discard", "r")]


# The queue as it is shown.


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["add", "number", "send", "settle", "drop", "renew", "renumber", "look"]),
        st.integers(0, 5),
    ),
    max_size=40,
)


class Waiting:
    """Writes that come and go, and the queue as an application sees it."""

    def __init__(self) -> None:
        self.pending_ops = PendingOps()
        self.pending_ops.durable = True
        self.queue = WriteQueue(self.pending_ops)
        self.writes = SimpleNamespace(revision=0, queue=self.queue)
        local = SimpleNamespace(writes=self.writes)
        runtime = SimpleNamespace(session=SimpleNamespace(local=local))
        self.decisions = conflict_resolution.Decisions(cast("ClientRuntime", runtime))

    def step(self, what: str, which: int) -> None:
        self.writes.revision += 1
        rows = [row for row in self.queue if row.seq]
        match what:
            case "add":
                self.queue.add(QueuedWrite(str(self.writes.revision), PATCH))
            case "number":
                self.number()
            case "send":
                self.queue.due(which)
            case "settle" if rows:
                self.queue.settle(rows[0], Settled(self.writes.revision, "e"))
            case "drop" if rows:
                self.queue.drop(rows[which % len(rows)])
            case "renew" if rows:
                self.queue.renew(rows[-1])
            case "renumber":
                self.queue.begin(which, "e")

    def number(self) -> None:
        for add in self.pending_ops.take().adds:
            row = self.queue.get(add.row.id)
            if row is not None and not row.seq:
                self.queue.number(row, add.row, self.queue.last + 1)

    def shown(self) -> dict[str, Pending]:
        return {each.id: each for each in self.decisions.queue}

    def expected(self) -> list[Pending]:
        return [Pending.of(row) for row in self.queue]


@given(STEPS, st.integers(0, 20))
def test_however_writes_come_and_go_the_queue_shows_those_that_wait(
    steps: list[tuple[str, int]], most: int
) -> None:
    waiting = Waiting()
    seen = waiting.decisions.queue
    with pytest.MonkeyPatch.context() as patching:
        patching.setattr(altered_writes, "MOST", most)
        for what, which in steps:
            waiting.step(what, which)
            if what == "look":
                before = seen
                seen = waiting.decisions.queue
                assert list(seen) == waiting.expected()
                if seen.holds_same(before):
                    assert seen is before
    assert list(waiting.shown().values()) == waiting.expected()
    assert waiting.decisions.queue is waiting.decisions.queue


def test_what_has_not_changed_stays_the_same_object(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(altered_writes, "MOST", 1)
    waiting = Waiting()
    for what in ("add", "add", "number"):
        waiting.step(what, 0)
    before = waiting.shown()
    waiting.step("add", 0)
    assert [waiting.shown()[each] is before[each] for each in before] == [True, True]
    for _ in range(3):  # too many to have been noted one by one
        waiting.step("add", 0)
    assert [waiting.shown()[each] is before[each] for each in before] == [True, True]


def test_what_came_and_went_unseen_leaves_the_queue_the_same_object(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(altered_writes, "MOST", 1)
    waiting = Waiting()
    for what in ("add", "number"):
        waiting.step(what, 0)
    before = waiting.decisions.queue
    for what, which in (("add", 0), ("add", 0), ("number", 0), ("drop", 2), ("drop", 1)):
        waiting.step(what, which)
    assert len(waiting.queue) == len(before) == 1
    assert waiting.decisions.queue is before
