"""Facts about `rhtmx.core.local_state`."""

from __future__ import annotations

from typing import Any

import pytest

from rhtmx.core import build_message
from rhtmx.core.cursor import Cursor
from rhtmx.core.events import Delivered, Ended, Event, Started, Stopped, Synced, WasReset
from rhtmx.core.events import Reset as ResetNews
from rhtmx.core.granularity import Granularity
from rhtmx.core.local_state import EntityView, LocalState
from rhtmx.core.queued_write import QueuedWrite
from rhtmx.core.storage_ops import HeldRecord, Image, PutRecord, Settled, StoredEntity, StoredWrite
from rhtmx.core.where import where_of
from rhtmx.errors import ErrorCode, RhtmxError
from rhtmx.messages import (
    ChangeAction,
    ChangeLog,
    FieldAction,
    FieldChangeLog,
    Position,
    PushAck,
)


def at(version: int, epoch: str = "e") -> Position:
    return Position(epoch=epoch, version=version)


def change(view: EntityView, entity_id: str, version: int, data: bytes = b"1") -> Delivered:
    log = ChangeLog("tasks", entity_id, ChangeAction.UPDATE, data, version)
    return Delivered(view.replica.cursor, log, at(version))


def shown(view: EntityView) -> dict[str, Any]:
    return {each.id: each.data for each in view.overlay.snapshot()}


def row(name: str, data: object = 2) -> QueuedWrite:
    return QueuedWrite(name, build_message.push("tasks", name, data, None))


@pytest.fixture
def events() -> list[Event]:
    return []


@pytest.fixture
def local(events: list[Event]) -> LocalState:
    return LocalState(lambda: 0.5, events.append)


def opened(local: LocalState) -> EntityView:
    view = local.open("tasks", Granularity.RECORDS)
    view.replica.begin("e")
    return view


def test_what_a_stream_tells_a_replica_is_shown(local: LocalState) -> None:
    view = opened(local)
    local.tell(change(view, "1", 1))
    assert local.touched == {"tasks"}
    assert shown(view) == {"1": 1}
    local.tell(Synced(view.replica.cursor, at(1)))
    assert view.replica.live
    local.tell(WasReset(view.replica.cursor, ResetNews("tasks", None), at(0)))
    assert not view.replica.live
    local.tell(Started(view.replica.cursor))


def test_what_is_for_others_is_told_on(local: LocalState, events: list[Event]) -> None:
    view = opened(local)
    local.tell(Synced(view.replica.cursor, at(1)))
    others = Synced(Cursor(), at(1))
    local.tell(others)
    assert events == [others]


def test_a_refused_subscription_is_the_replicas_error(local: LocalState) -> None:
    view = opened(local)
    error = RhtmxError(ErrorCode.UNKNOWN_ENTITY, "no entity 'tasks'")
    local.tell(Stopped(view.replica.cursor, error))
    assert view.replica.error is error
    assert local.touched == {"tasks"}


def test_the_same_entity_is_the_same_view(local: LocalState) -> None:
    view = opened(local)
    assert local.open("tasks", Granularity.RECORDS) is view
    with pytest.raises(RhtmxError, match="is being read as records"):
        local.open("tasks", Granularity.FIELDS)


def test_a_settled_write_goes_with_its_change(local: LocalState) -> None:
    view = opened(local)
    waiting = row("1")
    local.writes.add(waiting)
    local.writes.queue.settle(waiting, Settled(4, "e"))
    local.tell(change(view, "1", 3))
    assert shown(view) == {"1": 2}
    local.tell(change(view, "1", 5))
    assert shown(view) == {"1": 1}
    assert not local.writes.queue.settled("tasks")


def kept(local: LocalState) -> None:
    entity = StoredEntity(
        at(5), Granularity.RECORDS, {"1": HeldRecord(4, b"1"), "2": HeldRecord(5, b"1")}
    )
    rows = [StoredWrite("r", 1, build_message.push("tasks", "1", 7, None))]
    local.load(Image("c", 1, rows, [], {"tasks": entity}))


def test_what_was_kept_is_shown_at_once(local: LocalState) -> None:
    kept(local)
    assert shown(local.open("tasks", Granularity.RECORDS)) == {"1": 7, "2": 1}


def test_an_answer_about_what_is_held_but_not_read_now_is_put_into_it(local: LocalState) -> None:
    kept(local)
    local.pending_ops.durable = False  # so that numbers come at once
    waiting = row("1", 8)
    delete = QueuedWrite("d", build_message.push_delete("tasks", "2", None))
    local.writes.add(waiting)
    local.writes.add(delete)
    local.pending_ops.durable = True
    for write, version in ((waiting, 6), (delete, 7)):
        local.answered(PushAck("tasks", write.id, version=version, seq=write.seq), "e")
    assert not local.writes.queue.settled("tasks")
    puts = [op for op in local.pending_ops.take().ops.values() if isinstance(op, PutRecord)]
    assert puts == [PutRecord("tasks", "1", HeldRecord(6, b"8"))]
    replica = local.open("tasks", Granularity.RECORDS).replica
    assert (replica.ids(), replica.position) == ({"1"}, at(5))


def test_what_is_shut_is_kept_where_there_is_a_store(local: LocalState) -> None:
    kept(local)
    view = local.open("tasks", Granularity.RECORDS)
    local.tell(change(view, "2", 6, b"9"))
    local.shut(view)
    assert list(local) == []
    local.tell(change(view, "2", 7))
    again = local.open("tasks", Granularity.RECORDS)
    assert again is not view
    assert (shown(again), again.replica.position) == ({"1": 7, "2": 9}, at(6))


def test_what_is_shut_goes_where_there_is_no_store(local: LocalState) -> None:
    view = opened(local)
    local.tell(change(view, "1", 1))
    local.shut(view)
    assert shown(opened(local)) == {}


def test_room_is_for_one_that_there_was_none_for(local: LocalState) -> None:
    codes = {"a": ErrorCode.UNKNOWN_ENTITY, "b": ErrorCode.TOO_MANY_SUBSCRIPTIONS}
    for entity in ("a", "b", "c"):
        replica = local.open(entity, Granularity.RECORDS).replica
        code = codes.get(entity, ErrorCode.TOO_MANY_SUBSCRIPTIONS)
        local.tell(Stopped(replica.cursor, RhtmxError(code, "no")))
    added: list[str] = []
    for _ in range(3):
        local.there_is_room(lambda entity, granularity, cursor: added.append(entity))
    assert added == ["b", "c"]
    assert [view.replica.entity for view in local if view.replica.error] == ["a"]


def test_a_settled_write_of_what_is_shut_need_not_wait_for_its_change(local: LocalState) -> None:
    kept(local)
    view = local.open("tasks", Granularity.RECORDS)
    (waiting,) = local.writes.queue
    local.writes.queue.settle(waiting, Settled(6, "e"))
    local.shut(view)
    assert not local.writes.queue.settled("tasks")
    again = local.open("tasks", Granularity.RECORDS)
    assert again.replica.get("1") == HeldRecord(6, b"7")
    assert again.replica.position == at(5), "its change comes from there"


@pytest.mark.parametrize("settled", [Settled(5, "e"), Settled(9, "other")])
def test_an_answer_that_is_in_it_already_or_of_another_epoch_is_not(
    local: LocalState, settled: Settled
) -> None:
    kept(local)
    (waiting,) = local.writes.queue
    local.answered(PushAck("tasks", "1", version=settled.version, seq=waiting.seq), settled.epoch)
    assert not local.writes.queue.settled("tasks")
    assert local.open("tasks", Granularity.RECORDS).replica.get("1") == HeldRecord(4, b"1")


def test_the_write_of_what_was_never_read_goes_with_its_answer(local: LocalState) -> None:
    local.writes.add(row("1"))
    local.answered(PushAck("tasks", "1", version=6, seq=1), "e")
    assert not local.writes.queue.settled("tasks")
    assert list(local.writes.queue) == []


def test_a_write_whose_change_came_before_its_answer_goes_with_it(local: LocalState) -> None:
    view = opened(local)
    local.writes.add(row("1"))
    local.tell(change(view, "1", 6, b"2"))
    local.answered(PushAck("tasks", "1", version=6, seq=1), "e")
    assert not local.writes.queue.settled("tasks")


def test_an_own_write_shows_and_wakes_those_who_look_at_its_entity(local: LocalState) -> None:
    view = opened(local)
    assert shown(view) == {}
    local.writes.add(row("1"))
    assert local.touched == {"tasks"}
    assert shown(view) == {"1": 2}
    local.writes.reject(next(iter(local.writes.queue)), RhtmxError(ErrorCode.FORBIDDEN, "no"))
    assert shown(view) == {}


def test_what_is_shut_is_not_looked_after_any_more(local: LocalState) -> None:
    view = opened(local)
    shown(view)
    local.shut(view)
    local.writes.add(row("1"))
    assert view.overlay.dirty == set()


def parts(local: LocalState) -> tuple[EntityView, EntityView]:
    """Two parts side by side by field; record 1 is in the first."""
    wheres = [where_of({"c": each}, "tasks") for each in "78"]
    seven, eight = (local.open("tasks", Granularity.FIELDS, each) for each in wheres)
    for view in (seven, eight):
        view.replica.begin("e")
    log = FieldChangeLog("tasks", "1", "c", b'"7"', FieldAction.UPDATE, 1)
    local.tell(Delivered(seven.replica.cursor, log, None))
    return seven, eight


def test_what_is_shut_goes_once_nothing_of_it_comes_any_more(
    local: LocalState, events: list[Event]
) -> None:
    seven, eight = parts(local)
    seven.replica.cursor.leaving = True
    local.shut(seven)
    assert eight.replica.ids() == {"1"}
    local.tell(Ended(seven.replica.cursor))
    assert eight.replica.ids() == set()
    assert events == []
    local.tell(Ended(seven.replica.cursor))
    assert events == [Ended(seven.replica.cursor)], "it is not looked after any more"


def test_the_last_part_that_is_shut_is_not_waited_for(local: LocalState) -> None:
    for view in parts(local):
        view.replica.cursor.leaving = True
        local.shut(view)
    assert len(local._readers) == 1
    local.tell(Ended(next(iter(local._readers))))
    assert local._readers == {}


def test_what_a_reset_shows_is_shown(local: LocalState) -> None:
    seven, eight = parts(local)
    for view in (seven, eight):
        view.replica.cursor.begin(holding=False)
    log = FieldChangeLog("tasks", "2", "c", b'"8"', FieldAction.UPDATE, 2, more=True)
    local.tell(Delivered(seven.replica.cursor, log, None))
    assert shown(eight) == {}
    local.tell(WasReset(eight.replica.cursor, ResetNews("tasks", None), at(0)))
    assert shown(eight) == {"2": {"c": "8"}}
