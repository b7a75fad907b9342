"""Facts about `rhtmx.core.replica`."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from rhtmx.core.granularity import Granularity
from rhtmx.core.replica import Replica
from rhtmx.core.storage_ops import (
    DropRecord,
    HeldRecord,
    PendingOps,
    PutRecord,
    SetPosition,
    Settled,
    StoredEntity,
)
from rhtmx.errors import ErrorCode, RhtmxError
from rhtmx.messages import ChangeAction, ChangeLog, FieldAction, FieldChangeLog, Position


def at(version: int, epoch: str = "e") -> Position:
    return Position(epoch=epoch, version=version)


def record(entity_id: str, version: int, data: bytes | None = b"1") -> ChangeLog:
    action = ChangeAction.DELETE if data is None else ChangeAction.UPDATE
    return ChangeLog("tasks", entity_id, action, data, version)


def part(
    name: str, version: int, value: bytes | None = b"1", *, more: bool = False
) -> FieldChangeLog:
    action = FieldAction.DELETE if value is None else FieldAction.UPDATE
    return FieldChangeLog("tasks", "1", name, value, action, version, more=more or None)


@pytest.fixture
def pending_ops() -> PendingOps:
    pending_ops = PendingOps()
    pending_ops.durable = True
    return pending_ops


@pytest.fixture
def replica(pending_ops: PendingOps) -> Replica:
    replica = Replica("tasks", Granularity.RECORDS, pending_ops)
    replica.begin("e")
    return replica


@pytest.fixture
def fields(pending_ops: PendingOps) -> Replica:
    replica = Replica("tasks", Granularity.FIELDS, pending_ops)
    replica.begin("e")
    return replica


def live(replica: Replica, version: int) -> None:
    replica.synced(at(version))


def test_a_record_and_its_position_are_put_down_together(
    replica: Replica, pending_ops: PendingOps
) -> None:
    pending_ops.take()
    assert replica.deliver(record("1", 3), at(3)) == {"1"}
    assert replica.get("1") == HeldRecord(3, b"1")
    assert list(pending_ops.take().ops.values()) == [
        PutRecord("tasks", "1", HeldRecord(3, b"1")),
        SetPosition("tasks", at(3), Granularity.RECORDS),
    ]


def test_a_deletion_is_put_down_only_if_there_was_something(
    replica: Replica, pending_ops: PendingOps
) -> None:
    replica.deliver(record("1", 3), at(3))
    pending_ops.take()
    replica.deliver(record("1", 4, None), None)
    replica.deliver(record("2", 5, None), None)
    assert list(pending_ops.take().ops.values()) == [DropRecord("tasks", "1")]


def test_what_is_stale_at_the_end_is_no_more(replica: Replica) -> None:
    for number in (1, 2):
        replica.deliver(record(str(number), number), at(number))
    live(replica, 2)
    replica.start_over(at(0, "f"))
    assert replica.position == at(0, "f")
    replica.deliver(record("2", 1), at(1, "f"))
    assert replica.position == at(0, "f")
    assert replica.ids() == {"1", "2"}
    assert replica.synced(at(1, "f")) == {"1"}
    assert replica.ids() == {"2"}


def test_what_was_read_of_a_load_that_began_with_something_stale_does_not_count(
    pending_ops: PendingOps,
) -> None:
    kept = StoredEntity(at(5, "old"), Granularity.RECORDS, {"1": HeldRecord(5, b"1")})
    replica = Replica("tasks", Granularity.RECORDS, pending_ops, kept)
    replica.begin("new")
    replica.deliver(record("2", 3), at(3, "new"))
    replica.cursor.position = at(3, "new")
    replica.lost()
    assert replica.cursor.position == at(0, "new")


def test_another_granularity_reads_everything_anew(pending_ops: PendingOps) -> None:
    kept = StoredEntity(at(5), Granularity.FIELDS, {"1": HeldRecord(5, b'{"a":1}')})
    replica = Replica("tasks", Granularity.RECORDS, pending_ops, kept)
    assert replica.position == at(0)
    assert replica.ids() == {"1"}
    replica.begin("e")
    assert replica.synced(at(5)) == {"1"}


def test_a_base_version_is_what_was_seen(replica: Replica) -> None:
    assert replica.base_version("1") is None
    replica.deliver(record("1", 3), None)
    assert (replica.base_version("1"), replica.base_version("2")) == (3, None)
    live(replica, 7)
    assert (replica.base_version("1"), replica.base_version("2")) == (7, 7)
    replica.start_over(at(0, "f"))
    assert replica.base_version("1") is None


def test_an_acknowledged_write_is_covered_once_its_record_has_come(replica: Replica) -> None:
    replica.deliver(record("1", 3), None)
    assert replica.covers("1", Settled(3, "e"))
    assert not replica.covers("1", Settled(4, "e"))
    replica.deliver(record("1", 5, None), None)
    assert replica.covers("1", Settled(4, "e")), "it was deleted after that"
    assert not replica.covers("2", Settled(5, "e"))
    live(replica, 5)
    assert replica.covers("2", Settled(5, "e"))


def test_a_write_to_a_store_that_is_no_more_is_covered_by_the_new_one(replica: Replica) -> None:
    live(replica, 5)
    replica.start_over(at(0, "f"))
    assert not replica.covers("1", Settled(3, "e"))
    live(replica, 0)
    replica.synced(at(0, "f"))
    assert replica.covers("1", Settled(3, "e"))


# Field by field.


def test_fields_of_one_commit_show_together(fields: Replica) -> None:
    assert fields.deliver(part("a", 1, more=True), None) == set()
    assert fields.get("1") is None
    assert fields.deliver(part("b", 1, b"2"), at(1)) == {"1"}
    assert fields.get("1") == HeldRecord(1, b'{"a":1,"b":2}')
    assert fields.position == at(1)


def test_a_commit_is_complete_when_the_next_one_begins(fields: Replica) -> None:
    fields.deliver(part("a", 1, more=True), None)
    assert fields.deliver(part("a", 2, b"2", more=True), None) == {"1"}
    assert fields.get("1") == HeldRecord(1, b'{"a":1}')
    assert fields.synced(at(2)) == {"1"}
    assert fields.get("1") == HeldRecord(2, b'{"a":2}')


def test_without_a_field_there_is_no_record(fields: Replica) -> None:
    fields.deliver(part("a", 1), at(1))
    assert fields.deliver(part("a", 2, None), at(2)) == {"1"}
    assert fields.ids() == set()


def test_a_field_that_is_stale_at_the_end_is_no_more(fields: Replica) -> None:
    fields.deliver(part("a", 1, more=True), None)
    fields.deliver(part("b", 1), at(1))
    fields.start_over(at(0, "e"))
    fields.deliver(part("b", 4, b"9007199254740993"), None)
    assert fields.synced(at(4)) == {"1"}
    assert fields.get("1") == HeldRecord(4, b'{"b":9007199254740993}')


def test_what_was_kept_is_taken_apart_again(pending_ops: PendingOps) -> None:
    kept = StoredEntity(at(5), Granularity.FIELDS, {"1": HeldRecord(5, b'{"a":1.50,"b":{"c":[]}}')})
    replica = Replica("tasks", Granularity.FIELDS, pending_ops, kept)
    replica.begin("e")
    replica.deliver(part("d", 6, b"null"), at(6))
    assert replica.get("1") == HeldRecord(6, b'{"a":1.50,"b":{"c":[]},"d":null}')


def test_a_record_that_is_no_object_has_no_fields(pending_ops: PendingOps) -> None:
    kept = StoredEntity(
        at(5), Granularity.RECORDS, {"1": HeldRecord(5, b"7"), "2": HeldRecord(5, None)}
    )
    replica = Replica("tasks", Granularity.FIELDS, pending_ops, kept)
    replica.begin("e")
    assert replica.synced(at(5)) == {"1", "2"}
    assert replica.ids() == set()


# What it begins with.


def test_a_new_one_has_nothing_and_is_nowhere(pending_ops: PendingOps) -> None:
    replica = Replica("tasks", Granularity.RECORDS, pending_ops)
    assert (replica.live, replica.caught_up, replica.error) == (False, False, None)
    assert (replica.ids(), replica.position) == (set(), at(0, ""))
    assert replica.cursor.position is replica.position


@pytest.mark.parametrize("granularity", Granularity)
def test_what_was_kept_goes_on_where_it_was(
    pending_ops: PendingOps, granularity: Granularity
) -> None:
    kept = StoredEntity(at(5), granularity, {"1": HeldRecord(5, b'{"a":1}')})
    replica = Replica("tasks", granularity, pending_ops, kept)
    replica.begin("e")
    assert replica.position == at(5)
    assert replica.cursor.position == at(5)
    assert replica.base_version("1") == 5
    assert replica.synced(at(5)) == set(), "nothing of it is stale"
    assert replica.ids() == {"1"}


@pytest.mark.parametrize("data", [b'{"a":1}', b"{}", b"7"])
@pytest.mark.parametrize("granularity", Granularity)
def test_what_was_kept_without_a_position_is_read_anew(
    pending_ops: PendingOps, granularity: Granularity, data: bytes
) -> None:
    replica = Replica(
        "tasks",
        granularity,
        pending_ops,
        StoredEntity(at(0), granularity, {"1": HeldRecord(5, data)}),
    )
    replica.begin("e")
    assert replica.synced(at(9)) == {"1"}
    assert replica.ids() == set()


def test_what_was_kept_without_a_position_was_not_seen(pending_ops: PendingOps) -> None:
    kept = StoredEntity(at(0), Granularity.RECORDS, {"1": HeldRecord(5, b"7")})
    replica = Replica("tasks", Granularity.RECORDS, pending_ops, kept)
    assert replica.base_version("1") is None


@pytest.mark.parametrize("data", [b'{"a":1,"b":2}', b"{}"])
def test_a_version_of_another_store_is_no_base_and_covers_nothing(
    pending_ops: PendingOps, data: bytes
) -> None:
    kept = StoredEntity(
        at(50, "old"), Granularity.FIELDS, {"1": HeldRecord(50, data), "2": HeldRecord(9, data)}
    )
    replica = Replica("tasks", Granularity.FIELDS, pending_ops, kept)
    replica.begin("new")
    assert replica.base_version("1") is None, "nothing of this store has come"
    assert not replica.covers("1", Settled(3, "new"))
    replica.deliver(part("a", 2), None)
    assert replica.base_version("1") == 2
    assert not replica.covers("1", Settled(3, "new"))
    assert replica.synced(at(4, "new")) >= {"2"}
    assert replica.get("1") == HeldRecord(2, b'{"a":1}')
    assert replica.ids() == {"1"}


@pytest.mark.parametrize("granularity", list(Granularity))
def test_what_a_new_store_lacks_is_not_taken_for_gone_by_the_version_of_the_old_one(
    pending_ops: PendingOps, granularity: Granularity
) -> None:
    ids = [str(number) for number in range(8)]  # what is stale is in no order
    records = {entity_id: HeldRecord(50, b'{"a":1,"b":2}') for entity_id in ids}
    replica = Replica("tasks", granularity, pending_ops, StoredEntity(at(50), granularity, records))
    replica.begin("new")
    assert replica.synced(at(0, "new")) == set(ids)
    assert {replica.base_version(entity_id) for entity_id in ids} == {None}
    fields = granularity is Granularity.FIELDS
    replica.deliver(part("a", 1) if fields else record("1", 1), at(1, "new"))
    assert replica.ids() == {"1"}, "an older version than that of the old store counts"


def test_a_record_without_fields_that_comes_anew_stays(pending_ops: PendingOps) -> None:
    kept = StoredEntity(at(0), Granularity.FIELDS, {"1": HeldRecord(5, b"{}")})
    replica = Replica("tasks", Granularity.FIELDS, pending_ops, kept)
    replica.begin("e")
    replica.deliver(part("a", 6), None)
    assert replica.synced(at(6)) == set()
    assert replica.get("1") == HeldRecord(6, b'{"a":1}')


# Connections that come and go.


def test_a_connection_ends_what_was_wrong(replica: Replica) -> None:
    replica.error = RhtmxError(ErrorCode.FORBIDDEN, "no")
    replica.begin("e")
    assert replica.error is None


def test_a_connection_to_the_same_store_goes_on(replica: Replica) -> None:
    live(replica, 5)
    replica.lost()
    replica.begin("e")
    assert replica.position == at(5)


def test_without_a_connection_it_is_not_live_though_it_was(replica: Replica) -> None:
    live(replica, 5)
    assert (replica.live, replica.caught_up) == (True, True)
    replica.lost()
    assert (replica.live, replica.caught_up) == (False, True)
    live(replica, 5)
    replica.start_over(at(0, "e"))
    assert (replica.live, replica.caught_up) == (False, True)


def test_one_that_has_nothing_stale_goes_on_reading_where_it_was(replica: Replica) -> None:
    replica.cursor.position = at(3)
    replica.lost()
    assert replica.cursor.position == at(3)


def test_what_has_not_come_is_not_covered_by_a_position(replica: Replica) -> None:
    live(replica, 5)
    assert not replica.covers("1", Settled(6, "e"))
    replica.lost()
    assert not replica.covers("1", Settled(5, "e"))


# Fields that are gone.


def test_a_field_that_was_never_there_can_be_deleted(fields: Replica) -> None:
    fields.deliver(part("a", 1), None)
    fields.deliver(part("b", 2, None), None)
    assert fields.get("1") == HeldRecord(2, b'{"a":1}')


def test_a_field_that_came_without_a_value_is_null(fields: Replica) -> None:
    fields.deliver(FieldChangeLog("tasks", "1", "a", None, FieldAction.UPDATE, 1), None)
    assert fields.get("1") == HeldRecord(1, b'{"a":null}')


def test_a_record_that_was_deleted_keeps_none_of_its_fields(fields: Replica) -> None:
    fields.deliver(part("a", 1), None)
    fields.deliver(record("1", 2, None), None)
    fields.deliver(part("b", 3), None)
    assert fields.get("1") == HeldRecord(3, b'{"b":1}')


def test_a_record_whose_last_field_goes_was_seen_going(fields: Replica) -> None:
    fields.deliver(part("a", 1), None)
    fields.deliver(part("a", 2, None), None)
    assert fields.base_version("1") == 2


def test_what_was_kept_with_space_around_it_is_an_object(pending_ops: PendingOps) -> None:
    kept = StoredEntity(at(5), Granularity.FIELDS, {"1": HeldRecord(5, b' {"a":1} ')})
    replica = Replica("tasks", Granularity.FIELDS, pending_ops, kept)
    replica.deliver(part("b", 6), None)
    assert replica.get("1") == HeldRecord(6, b'{"a":1,"b":1}')


ROADS: dict[str, list[str]] = {
    "behind": ["begin", "synced", "lost"],
    "stale": ["begin"],
    "live": ["begin", "synced"],
}
STEPS: dict[str, Callable[[Replica], object]] = {
    "begin": lambda replica: replica.begin("e"),
    "begin elsewhere": lambda replica: replica.begin("f"),
    "start_over": lambda replica: replica.start_over(at(0, "e")),
    "synced": lambda replica: replica.synced(Position(epoch=replica.position.epoch, version=7)),
    "lost": Replica.lost,
}


@pytest.mark.parametrize(
    ("state", "step", "after"),
    [
        ("behind", "begin", "behind"),
        ("behind", "begin elsewhere", "stale"),
        ("behind", "start_over", "stale"),
        ("behind", "synced", "live"),
        ("behind", "lost", "behind"),
        ("stale", "begin", "stale"),
        ("stale", "begin elsewhere", "stale"),
        ("stale", "start_over", "stale"),
        ("stale", "synced", "live"),
        ("stale", "lost", "stale"),
        ("live", "start_over", "stale"),
        ("live", "synced", "live"),
        ("live", "lost", "behind"),
    ],
)
def test_a_step_leads_where_the_table_says(state: str, step: str, after: str) -> None:
    replica = Replica("tasks", Granularity.RECORDS, PendingOps())
    for each in [*ROADS[state], step]:
        STEPS[each](replica)
    behind = "behind" if replica.position.version else "stale"
    assert ("live" if replica.live else behind) == after
