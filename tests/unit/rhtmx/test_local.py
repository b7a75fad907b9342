"""Facts about `rhtmx.local`."""

from __future__ import annotations

from typing import Any

import pytest

from rhtmx import calls
from rhtmx.cursor import Cursor
from rhtmx.errors import ErrorCode, RhtmxError
from rhtmx.events import Delivered, Event, Started, Stopped, Synced, WasReset
from rhtmx.events import Reset as ResetNews
from rhtmx.grain import Grain
from rhtmx.local import Local, Shelf
from rhtmx.messages import ChangeAction, ChangeLog, Position
from rhtmx.ops import Held, Image, Kept, KeptRow, PutRecord, Settled
from rhtmx.queue import Row


def at(version: int, epoch: str = "e") -> Position:
    return Position(epoch=epoch, version=version)


def change(shelf: Shelf, entity_id: str, version: int, data: bytes = b"1") -> Delivered:
    log = ChangeLog("tasks", entity_id, ChangeAction.UPDATE, data, version)
    return Delivered(shelf.replica.cursor, log, at(version))


def shown(shelf: Shelf) -> dict[str, Any]:
    return {each.id: each.data for each in shelf.overlay.snapshot()}


def row(name: str, data: object = 2) -> Row:
    return Row(name, calls.push("tasks", name, data, None))


@pytest.fixture
def events() -> list[Event]:
    return []


@pytest.fixture
def local(events: list[Event]) -> Local:
    return Local(lambda: 0.5, events.append)


def opened(local: Local) -> Shelf:
    shelf = local.open("tasks", Grain.RECORDS)
    shelf.replica.begin("e")
    return shelf


def test_what_a_stream_tells_a_replica_is_shown(local: Local) -> None:
    shelf = opened(local)
    assert local.tell(change(shelf, "1", 1))
    assert local.touched == {"tasks"}
    assert shown(shelf) == {"1": 1}
    assert local.tell(Synced(shelf.replica.cursor, at(1)))
    assert shelf.replica.live
    assert local.tell(WasReset(shelf.replica.cursor, ResetNews("tasks", None), at(0)))
    assert not shelf.replica.live
    assert local.tell(Started(shelf.replica.cursor))


def test_what_is_told_to_others_is_not_taken(local: Local) -> None:
    opened(local)
    assert not local.tell(Synced(Cursor(), at(1)))


def test_a_refused_subscription_is_the_replicas_error(local: Local) -> None:
    shelf = opened(local)
    error = RhtmxError(ErrorCode.UNKNOWN_ENTITY, "no entity 'tasks'")
    local.tell(Stopped(shelf.replica.cursor, error))
    assert shelf.replica.error is error
    assert local.touched == {"tasks"}


def test_the_same_entity_is_the_same_shelf(local: Local) -> None:
    shelf = opened(local)
    assert local.open("tasks", Grain.RECORDS) is shelf
    with pytest.raises(RhtmxError, match="is being read as records"):
        local.open("tasks", Grain.FIELDS)


def test_a_settled_write_goes_with_its_change(local: Local) -> None:
    shelf = opened(local)
    waiting = row("1")
    local.writes.add(waiting)
    local.writes.queue.settle(waiting, Settled(4, "e"))
    local.tell(change(shelf, "1", 3))
    assert shown(shelf) == {"1": 2}
    local.tell(change(shelf, "1", 5))
    assert shown(shelf) == {"1": 1}
    assert not local.writes.queue.settled("tasks")


def kept(local: Local) -> None:
    entity = Kept(at(5), Grain.RECORDS, {"1": Held(4, b"1"), "2": Held(5, b"1")})
    rows = [KeptRow("r", 1, calls.push("tasks", "1", 7, None))]
    local.load(Image("c", 1, rows, [], {"tasks": entity}))


def test_what_was_kept_is_shown_at_once(local: Local) -> None:
    kept(local)
    assert shown(local.open("tasks", Grain.RECORDS)) == {"1": 7, "2": 1}


def test_an_answer_about_what_is_held_but_not_read_now_is_put_into_it(local: Local) -> None:
    kept(local)
    assert local.settles(row("1", 8), Settled(6, "e"))
    delete = Row("d", calls.push_delete("tasks", "2", None))
    assert local.settles(delete, Settled(7, "e"))
    puts = [op for op in local.journal.take().ops.values() if isinstance(op, PutRecord)]
    assert puts == [PutRecord("tasks", "1", Held(6, b"8"))]
    replica = local.open("tasks", Grain.RECORDS).replica
    assert (replica.ids(), replica.position) == ({"1"}, at(5))


def test_what_is_shut_is_kept_where_there_is_a_store(local: Local) -> None:
    kept(local)
    shelf = local.open("tasks", Grain.RECORDS)
    local.tell(change(shelf, "2", 6, b"9"))
    local.shut(shelf)
    assert list(local) == []
    assert not local.tell(change(shelf, "2", 7))
    again = local.open("tasks", Grain.RECORDS)
    assert again is not shelf
    assert (shown(again), again.replica.position) == ({"1": 7, "2": 9}, at(6))


def test_what_is_shut_goes_where_there_is_no_store(local: Local) -> None:
    shelf = opened(local)
    local.tell(change(shelf, "1", 1))
    local.shut(shelf)
    assert shown(opened(local)) == {}


def test_room_is_for_one_that_there_was_none_for(local: Local) -> None:
    codes = {"a": ErrorCode.UNKNOWN_ENTITY, "b": ErrorCode.TOO_MANY_SUBSCRIPTIONS}
    for entity in ("a", "b", "c"):
        replica = local.open(entity, Grain.RECORDS).replica
        code = codes.get(entity, ErrorCode.TOO_MANY_SUBSCRIPTIONS)
        local.tell(Stopped(replica.cursor, RhtmxError(code, "no")))
    added: list[str] = []
    for _ in range(3):
        local.there_is_room(lambda entity, grain, cursor: added.append(entity))
    assert added == ["b", "c"]
    assert [shelf.replica.entity for shelf in local if shelf.replica.error] == ["a"]


def test_a_settled_write_of_what_is_shut_need_not_wait_for_its_change(local: Local) -> None:
    kept(local)
    shelf = local.open("tasks", Grain.RECORDS)
    (waiting,) = local.writes.queue
    local.writes.queue.settle(waiting, Settled(6, "e"))
    local.shut(shelf)
    assert not local.writes.queue.settled("tasks")
    again = local.open("tasks", Grain.RECORDS)
    assert again.replica.get("1") == Held(6, b"7")
    assert again.replica.position == at(5), "its change comes from there"


@pytest.mark.parametrize("settled", [Settled(5, "e"), Settled(9, "other")])
def test_an_answer_that_is_in_it_already_or_of_another_epoch_is_not(
    local: Local, settled: Settled
) -> None:
    kept(local)
    assert local.settles(row("1", 8), settled)
    assert local.open("tasks", Grain.RECORDS).replica.get("1") == Held(4, b"1")


def test_an_answer_about_what_was_never_read_settles_everything(local: Local) -> None:
    assert local.settles(row("1"), Settled(6, "e"))
