"""Facts about `rhtmx.core.overlay`."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from rhtmx.core import build_message
from rhtmx.core.granularity import Granularity
from rhtmx.core.overlay import Overlay
from rhtmx.core.queued_write import QueuedWrite
from rhtmx.core.replica import Replica
from rhtmx.core.storage_ops import Mutation, PendingOps, Settled
from rhtmx.core.write_queue import WriteQueue
from rhtmx.messages import ChangeAction, ChangeLog
from rhtmx.values.record import Record

AT = datetime(2026, 1, 1, tzinfo=UTC)


class Side:
    """An overlay and what is beneath it."""

    def __init__(self, granularity: Granularity = Granularity.RECORDS) -> None:
        self.queue = WriteQueue(PendingOps())
        self.replica = Replica("tasks", granularity, PendingOps())
        self.overlay = Overlay(self.replica, self.queue)

    def hold(self, entity_id: str, data: bytes, version: int = 1) -> None:
        log = ChangeLog("tasks", entity_id, ChangeAction.UPDATE, data, version)
        self.overlay.touch(self.replica.deliver(log, None))

    def write(self, message: Mutation) -> QueuedWrite:
        row = QueuedWrite(str(len(self.queue)), message)
        self.queue.add(row)
        self.overlay.touch([row.writes[0].entity_id])
        return row

    def settle(self, row: QueuedWrite, settled: Settled) -> None:
        self.queue.settle(row, settled)
        self.overlay.touch([row.writes[0].entity_id])

    def shown(self) -> dict[str, Any]:
        return {each.id: each.data for each in self.overlay.snapshot()}


def patch(fields: dict[str, Any], delete: tuple[str, ...] = (), entity_id: str = "1") -> Mutation:
    return build_message.push_fields("tasks", entity_id, fields, delete, None, AT)


@pytest.fixture
def side() -> Side:
    return Side()


def test_writes_lie_on_top_in_their_order(side: Side) -> None:
    side.hold("1", b'{"a":1,"b":1}')
    side.write(patch({"b": 2}, ("a",)))
    side.write(patch({"c": 3}))
    assert side.shown() == {"1": {"b": 2, "c": 3}}
    side.write(build_message.push_delete("tasks", "1", None))
    assert side.shown() == {}
    side.write(patch({"d": 4}))
    assert side.shown() == {"1": {"d": 4}}
    side.write(build_message.push("tasks", "1", None, None))
    assert side.shown() == {"1": None}


def test_a_patch_of_what_is_no_object_begins_one(side: Side) -> None:
    side.hold("1", b"7")
    side.write(patch({"a": 1}))
    assert side.shown() == {"1": {"a": 1}}


def test_what_the_server_says_is_shown_beneath(side: Side) -> None:
    side.write(patch({"a": 1}))
    side.hold("1", b'{"a":0,"b":0}')
    assert side.shown() == {"1": {"a": 1, "b": 0}}


def test_fields_that_lost_show_the_winner(side: Side) -> None:
    row = side.write(patch({"a": 1, "b": 1, "c": 1}))
    side.settle(row, Settled(3, "e", {"a": b'"theirs"', "b": None}))
    assert side.shown() == {"1": {"a": "theirs", "c": 1}}


def test_a_record_says_whether_it_waits_and_how_new_it_is(side: Side) -> None:
    row = side.write(patch({"a": 1}))
    assert side.overlay.get("1") == Record("1", {"a": 1}, 0, pending=True)
    side.settle(row, Settled(3, "e"))
    assert side.overlay.get("1") == Record("1", {"a": 1}, 3, pending=False)
    assert side.overlay.get("2") is None


def test_snapshots_are_the_same_object_until_something_changes(side: Side) -> None:
    side.hold("2", b"2")
    side.hold("1", b"1")
    first = side.overlay.snapshot()
    assert [each.id for each in first] == ["1", "2"]
    side.overlay.touch(["1", "2", "3"])
    assert side.overlay.snapshot() is first
    side.hold("2", b"3", 2)
    second = side.overlay.snapshot()
    assert second is not first
    assert second[0] is first[0]
    assert second[1] is not first[1]


def test_true_and_one_are_two_values(side: Side) -> None:
    side.hold("1", b"1")
    first = side.overlay.snapshot()
    side.write(build_message.push("tasks", "1", True, None))
    assert side.overlay.snapshot() is not first
    assert side.shown()["1"] is True


def test_changing_what_was_shown_changes_nothing_beneath(side: Side) -> None:
    side.hold("1", b'{"a":[1]}')
    record = side.overlay.get("1")
    assert record is not None
    record.data["a"].append(2)
    side.write(patch({"b": 1}))
    assert side.shown() == {"1": {"a": [1], "b": 1}}


def test_field_by_field_a_record_without_fields_is_none() -> None:
    side = Side(Granularity.FIELDS)
    side.write(patch({}, ("a",)))
    assert side.shown() == {}
    side.write(patch({"b": 1}))
    assert side.shown() == {"1": {"b": 1}}


def test_what_waits_from_before_is_shown_from_the_start(side: Side) -> None:
    side.write(patch({"a": 1}))
    again = Overlay(side.replica, side.queue)
    assert again.snapshot() == side.overlay.snapshot()


def test_record_by_record_one_without_fields_is_there() -> None:
    side = Side(Granularity.RECORDS)
    side.write(patch({}, ("a",)))
    assert side.shown() == {"1": {}}


def test_a_record_is_as_new_as_the_newest_that_is_in_it(side: Side) -> None:
    side.hold("1", b"1", 4)
    assert side.overlay.get("1") == Record("1", 1, 4, pending=False)
    row = side.write(patch({"a": 1}))
    assert side.overlay.get("1") == Record("1", {"a": 1}, 4, pending=True)
    side.settle(row, Settled(6, "e"))
    assert side.overlay.get("1") == Record("1", {"a": 1}, 6, pending=False)


def test_a_value_that_only_looks_equal_is_another_one(side: Side) -> None:
    for number, one in enumerate((b"1", b"true", b"1.0", b"[1]", b"[true]")):
        before = side.overlay.snapshot()
        side.hold("1", one)
        assert side.overlay.snapshot() is not before, f"value {number}"
