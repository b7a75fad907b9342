"""Subscriptions to parts of an entity: what enters and leaves, together and one by one."""

from __future__ import annotations

import pytest

from rhtmx.messages import (
    Change,
    ChangeAction,
    FieldAction,
    FieldChange,
    FieldUpdate,
    Position,
    Push,
    Sync,
    SyncBegin,
    SyncComplete,
    SyncFieldsComplete,
)
from rhtmx_server.delivery.cursor import Reading
from rhtmx_server.model import Granularity
from tests.support.divided import part
from tests.unit.rhtmx_server.delivery.reading_world import run
from tests.unit.rhtmx_server.delivery.scoped_world import ANN, A, B, ScopedReader, ScopedWorld, task
from tests.unit.rhtmx_server.fakes import BOTH, FIELDS, NOW, RECORDS, push, push_fields, update


@pytest.fixture
def world() -> ScopedWorld:
    return ScopedWorld()


@pytest.fixture
def reader(world: ScopedWorld) -> ScopedReader:
    return world.person()


def told(reader: ScopedReader) -> list[str]:
    """What it was sent: `1@5`, with `-` for what is gone and `left` for what left.

    Of beginnings those of a reset, as `anew`.
    """
    lines = []
    for message in reader.take():
        if isinstance(message, Change | FieldChange):
            log = message.change
            assert log is not None
            field = getattr(log, "field", "")
            name = f".{field}" if field else ""
            kind = ChangeAction if isinstance(message, Change) else FieldAction
            gone = log.action is kind.DELETE
            end = " left" if log.left else "-" if gone else ""
            lines.append(f"{log.entity_id}{name}@{log.version}{end}")
        elif isinstance(message, SyncComplete | SyncFieldsComplete):
            where = "" if message.where is None else f" {message.where.decode()}"
            lines.append(f"{'reset' if message.reset else 'synced'} {message.version}{where}")
        elif isinstance(message, SyncBegin) and message.reset:
            lines.append("anew" if message.where is None else f"anew {message.where.decode()}")
    return lines


def settled(world: ScopedWorld, reader: ScopedReader) -> list[str]:
    world.settle()
    return told(reader)


def delete(entity_id: str) -> Push:
    return push(entity_id, None, action=ChangeAction.DELETE)


def moved(team: str) -> FieldUpdate:
    """Another team, later than what was pushed."""
    return update("team", b'"%s"' % team.encode(), NOW + 1)


# Live.


def test_only_what_is_in_the_part_comes(world: ScopedWorld, reader: ScopedReader) -> None:
    reader.read(RECORDS, A)
    world.write(task("1", '"team":"a"'), task("2", '"team":"b"'), task("3", '"n":1'))
    assert settled(world, reader) == ["1@1"]


@pytest.mark.parametrize(
    ("level", "entered", "left"),
    [
        (RECORDS, ["1@2"], ["1@3 left"]),
        (BOTH, ["1@2"], ["1@3 left"]),
        (FIELDS, ["1.n@2", "1.team@2"], ["1@3 left"]),
    ],
)
def test_a_record_that_enters_comes_whole_and_one_that_leaves_is_gone(
    world: ScopedWorld,
    reader: ScopedReader,
    level: Granularity,
    entered: list[str],
    left: list[str],
) -> None:
    for each in level:
        reader.read(each, A)
    world.write(task("1", '"n":1,"team":"b"'))
    world.write(push_fields(moved("a")))
    assert settled(world, reader) == entered
    world.write(task("1", '"n":1,"team":"b"'))
    assert settled(world, reader) == left


def test_what_enters_by_field_ends_without_more(world: ScopedWorld, reader: ScopedReader) -> None:
    reader.read(FIELDS, A)
    world.write(task("1", '"n":1,"team":"b"'), push_fields(moved("a")))
    world.settle()
    mores = [m.change.more for m in reader.take() if isinstance(m, FieldChange) and m.change]
    assert mores == [True, None]


def test_a_departure_says_neither_who_nor_what(world: ScopedWorld, reader: ScopedReader) -> None:
    reader.read(RECORDS, A)
    world.write(task("1", '"team":"a"'), task("1", '"team":"b","secret":1'))
    world.settle()
    (_, gone) = reader.take()
    assert isinstance(gone, Change)
    assert gone.change is not None
    assert (gone.change.data, gone.change.client_id, gone.change.left) == (None, None, True)


def test_a_delete_of_what_was_in_the_part_is_a_delete(
    world: ScopedWorld, reader: ScopedReader
) -> None:
    reader.read(RECORDS, A)
    world.write(task("1", '"team":"a"'), task("2", '"team":"b"'))
    world.write(delete("1"), delete("2"))
    assert settled(world, reader) == ["1@1", "1@3-"]


def test_a_move_between_two_parts_of_one_reader_is_a_change(
    world: ScopedWorld, reader: ScopedReader
) -> None:
    reader.read(FIELDS, A)
    reader.read(FIELDS, B)
    world.write(task("1", '"n":1,"team":"a"'), push_fields(moved("b")))
    assert settled(world, reader) == ["1.n@1", "1.team@1", "1.team@2"]


def test_what_is_in_two_parts_comes_once(world: ScopedWorld, reader: ScopedReader) -> None:
    reader.read(RECORDS, A)
    reader.read(RECORDS, ANN)
    world.write(task("1", '"team":"a","owner":"ann"'))
    assert settled(world, reader) == ["1@1"]
    assert reader.subscriptions.count == 2


def test_whoever_reads_everything_gets_a_part_within_it_once(
    world: ScopedWorld, reader: ScopedReader
) -> None:
    reader.read(RECORDS)
    reader.read(RECORDS, A)
    world.write(task("1", '"team":"a"'), task("2", '"team":"b"'), task("1", '"team":"b"'))
    assert settled(world, reader) == ["1@1", "2@2", "1@3"]


def test_one_of_two_ends_and_the_other_goes_on(world: ScopedWorld, reader: ScopedReader) -> None:
    reader.read(RECORDS, A)
    reader.read(RECORDS, B)
    world.write(task("1", '"team":"a"'))
    reader.end(RECORDS, A)
    world.write(task("2", '"team":"a"'), task("3", '"team":"b"'))
    assert settled(world, reader) == ["1@1", "3@3"]


def test_joining_in_the_middle_of_a_turn_neither_loses_nor_doubles(
    world: ScopedWorld, reader: ScopedReader
) -> None:
    reader.read(RECORDS, A)
    world.write(task("1", '"team":"a"'), task("2", '"team":"b"'))
    reader.read(RECORDS, B)
    world.write(task("3", '"team":"a"'), task("4", '"team":"b"'))
    assert settled(world, reader) == ["1@1", "3@3", "4@4"]


def test_who_may_read_nothing_gets_nothing(world: ScopedWorld, reader: ScopedReader) -> None:
    world.may_read("ann")
    world.write(task("1", '"team":"a"'))
    reader.read(RECORDS, since=0)
    world.write(task("2", '"team":"a"'))
    assert settled(world, reader) == ["synced 2"]


# Catching up.


def test_a_first_load_has_what_is_there_and_no_departures(
    world: ScopedWorld, reader: ScopedReader
) -> None:
    world.write(task("1", '"team":"a"'), task("2", '"team":"a"'), task("1", '"team":"b"'))
    reader.read(RECORDS, A, since=0)
    assert settled(world, reader) == ["2@2", 'synced 3 {"team":"a"}']


def test_who_resumes_is_told_what_has_left_in_its_place(
    world: ScopedWorld, reader: ScopedReader
) -> None:
    world.write(task("1", '"team":"a"'), task("2", '"team":"a"'))
    world.write(task("3", '"team":"a"'), task("1", '"team":"b"'), task("4", '"team":"a"'))
    reader.read(RECORDS, A, since=2)
    assert settled(world, reader) == ["3@3", "1@4 left", "4@5", 'synced 5 {"team":"a"}']


def test_what_leaves_during_a_first_load_is_told(world: ScopedWorld, reader: ScopedReader) -> None:
    world.store.page = 1
    world.write(task("1", '"team":"a"'), task("2", '"team":"a"'))
    reader.read(RECORDS, A, since=0)
    world.step()
    world.write(task("1", '"team":"b"'))
    assert settled(world, reader) == ["1@1", "2@2", "1@3 left", 'synced 3 {"team":"a"}']


def test_what_entered_meanwhile_comes_with_its_old_fields(
    world: ScopedWorld, reader: ScopedReader
) -> None:
    world.write(task("1", '"old":1,"team":"b"'), task("2", '"team":"a"'))
    world.write(push_fields(moved("a")))
    reader.read(FIELDS, A, since=2)
    assert settled(world, reader) == ["1.old@3", "1.team@3", 'synced 3 {"team":"a"}']


def test_a_slow_reader_falls_and_resumes_with_a_departure_in_between(
    world: ScopedWorld, reader: ScopedReader
) -> None:
    reader.read(RECORDS, A)
    reader.read(RECORDS, B)
    world.write(task("1", '"team":"a"'))
    assert settled(world, reader) == ["1@1"]
    reader.outbox.behind = True
    world.write(task("2", '"team":"b"'), task("1", '"team":"c"'))
    world.soon.turn()
    assert reader.subscriptions.lagging == 1, "both are one reader"
    reader.outbox.behind = False
    synced = ['synced 3 {"team":"a"}', 'synced 3 {"team":"b"}']
    assert settled(world, reader) == ["2@2", "1@3 left", *synced]


def test_one_who_falls_has_moved_on_past_what_was_not_for_it(
    world: ScopedWorld, reader: ScopedReader
) -> None:
    reader.read(RECORDS, A)
    for number in range(20):
        world.write(task(str(number), '"team":"b"'))
        world.soon.turn()
    reader.outbox.behind = True
    world.write(task("x", '"team":"a"'))
    world.soon.turn()
    (cursor,) = reader.subscriptions._waiting
    assert cursor.base == 20, "below that it would meet the floor for nothing"
    reader.outbox.behind = False
    assert settled(world, reader) == ["x@21", 'synced 21 {"team":"a"}']


def test_an_answer_waits_until_what_is_live_has_caught_up_too(
    world: ScopedWorld, reader: ScopedReader
) -> None:
    """It is taken for the position of all parts of the entity."""
    world.store.page = 1
    reader.read(RECORDS, A)
    reader.outbox.behind = True
    world.write(task("1", '"team":"a"'), task("2", '"team":"a"'))
    world.soon.turn()
    reader.read(RECORDS, B, since=2)
    reader.outbox.behind = False
    synced = ['synced 2 {"team":"a"}', 'synced 2 {"team":"b"}']
    assert settled(world, reader) == ["1@1", "2@2", *synced]


def test_what_was_handed_out_comes_before_a_page(world: ScopedWorld, reader: ScopedReader) -> None:
    reader.read(RECORDS, A)
    world.write(task("1", '"team":"a"'))
    world.settle()
    reader.take()
    reader.read(RECORDS, B, since=0)
    world.write(task("1", '"team":"b"'))
    world.step()
    assert told(reader) == ["1@2 left", "1@2"]


def test_a_page_that_was_overtaken_leaves_out_what_is_older(
    world: ScopedWorld, reader: ScopedReader
) -> None:
    world.store.after = 1
    reader.read(RECORDS, A)
    world.write(task("1", '"team":"a","owner":"ann"'), task("2", '"owner":"ann"'))
    world.settle()
    reader.take()
    reader.read(RECORDS, ANN, since=0)
    world.step()
    world.write(task("1", '"n":2,"team":"a","owner":"ann"'))
    world.soon.turn()
    assert settled(world, reader) == ["1@3", "2@2", "1@3", 'synced 3 {"owner":"ann"}']


def test_departures_that_were_forgotten_meanwhile_end_in_a_reset_of_each(
    world: ScopedWorld, reader: ScopedReader
) -> None:
    reader.read(RECORDS, A)
    reader.read(RECORDS, B)
    world.write(task("1", '"team":"a"'))
    world.settle()
    reader.take()
    reader.outbox.behind = True
    world.write(task("1", '"team":"c"'), task("2", '"team":"b"'))
    world.soon.turn()
    run(world.store.collect(history_before=0, tombstones_before=2**62))
    reader.outbox.behind = False
    got = settled(world, reader)
    resets = [each for each in got if each.startswith("reset")]
    assert sorted(resets) == ['reset 3 {"team":"a"}', 'reset 3 {"team":"b"}']


# Positions.


def test_an_answer_names_the_part_as_it_was_asked_for_and_its_scope(
    world: ScopedWorld, reader: ScopedReader
) -> None:
    where = b'{ "team" : ["a"] }'
    reader.read(RECORDS, where, since=0)
    world.settle()
    begin, answer = reader.take()
    assert isinstance(begin, SyncBegin)
    assert (begin.where, begin.scope) == (where, reader.reading(where).scope_id)
    assert isinstance(answer, SyncComplete)
    assert (answer.where, answer.scope) == (where, reader.reading(where).scope_id)


@pytest.mark.parametrize("scope", [None, "another"])
def test_a_position_of_another_scope_is_reset(
    world: ScopedWorld, reader: ScopedReader, scope: str | None
) -> None:
    world.write(task("1", '"team":"a"'), task("2", '"team":"a"'))
    reader.read(RECORDS, A, since=Position(epoch="e", version=2, scope=scope))
    assert settled(world, reader) == ['anew {"team":"a"}', "1@1", "2@2", 'reset 2 {"team":"a"}']


def test_a_position_of_a_scope_is_reset_where_the_whole_is_read(
    world: ScopedWorld, reader: ScopedReader
) -> None:
    world.write(task("1", '"team":"a"'))
    reader.read(RECORDS, since=Position(epoch="e", version=1, scope="some"))
    assert settled(world, reader) == ["anew", "1@1", "reset 1"]


def test_one_who_has_nothing_and_names_no_scope_is_not_reset(
    world: ScopedWorld, reader: ScopedReader
) -> None:
    reader.read(RECORDS, A, since=Position(epoch="e", version=0))
    assert settled(world, reader) == ['synced 0 {"team":"a"}']


def test_a_client_of_the_seed_is_told_what_left_as_it_cannot_be_told_of_a_reset(
    world: ScopedWorld, reader: ScopedReader
) -> None:
    world.may_read("ann", {"team": "a"})
    world.write(task("1", '"team":"a"'), task("2", '"team":"a"'), task("1", '"team":"b"'))
    reader.subscriptions.sync(Sync(entity="tasks", since=2), reader.reading(None))
    assert settled(world, reader) == ["2@2", "1@3 left", "reset 3"]


def test_a_reader_of_which_nothing_came_is_told_its_position(
    world: ScopedWorld, reader: ScopedReader
) -> None:
    reader.read(RECORDS, A)
    reader.read(RECORDS, B)
    reader.subscriptions.tell_positions()
    assert settled(world, reader) == []
    world.write(task("1", '"team":"c"'))
    reader.subscriptions.tell_positions()
    assert settled(world, reader) == ['synced 1 {"team":"a"}', 'synced 1 {"team":"b"}']
    reader.subscriptions.tell_positions()
    assert settled(world, reader) == []


def test_whoever_reads_everything_is_told_no_position(
    world: ScopedWorld, reader: ScopedReader
) -> None:
    reader.read(RECORDS)
    world.write(task("1", '"team":"c"'))
    world.settle()
    reader.take()
    reader.subscriptions.tell_positions()
    assert told(reader) == []


def test_a_position_is_not_told_before_what_waits_in_the_tick(
    world: ScopedWorld, reader: ScopedReader
) -> None:
    reader.read(RECORDS, A)
    world.write(task("1", '"team":"a"'))
    reader.subscriptions.tell_positions()
    assert told(reader) == ["1@1", 'synced 1 {"team":"a"}']


# Other rights.


def test_other_rights_begin_and_end_with_a_reset(world: ScopedWorld, reader: ScopedReader) -> None:
    world.may_read("ann", {"team": "a"})
    world.write(task("1", '"team":"a"'), task("2", '"team":"b"'))
    reader.read(RECORDS, since=0)
    assert settled(world, reader) == ["1@1", "synced 2"]
    world.may_read("ann", {"team": "b"})
    reader.rescope()
    world.settle()
    begin, record, reset = reader.take()
    assert isinstance(begin, SyncBegin)
    assert isinstance(reset, SyncComplete)
    assert (begin.reset, reset.reset) == (True, True)
    assert begin.scope == reader.reading(None).scope_id
    assert isinstance(record, Change)
    assert record.change is not None
    assert record.change.entity_id == "2"
    assert reset.scope == reader.reading(None).scope_id


def test_rights_that_are_the_same_change_nothing(world: ScopedWorld, reader: ScopedReader) -> None:
    reader.read(RECORDS, A)
    reader.rescope(2)
    assert settled(world, reader) == []
    assert reader.subscriptions.lagging == 0


def test_only_what_has_changed_is_read_anew(world: ScopedWorld, reader: ScopedReader) -> None:
    world.may_read("ann", {"team": "a"}, {"team": "b"})
    reader.read(RECORDS, A)
    reader.read(RECORDS, B)
    world.may_read("ann", {"team": "a"})
    reader.rescope()
    assert settled(world, reader) == ['anew {"team":"b"}', 'reset 0 {"team":"b"}']
    world.write(task("1", '"team":"a"'), task("2", '"team":"b"'))
    assert settled(world, reader) == ["1@1"]


def test_other_rights_in_the_middle_of_a_first_load_begin_another_connection(
    world: ScopedWorld, reader: ScopedReader
) -> None:
    world.store.page = 1
    world.write(*(task(str(n), '"team":"a"') for n in range(5)), task("b", '"team":"b"'))
    reader.read(RECORDS, since=0)
    world.step()
    world.may_read("ann", {"team": "b"})
    reader.rescope()
    assert reader.gone  # by an older schema it cannot tell what it was sent from what follows


def test_a_page_that_was_read_by_other_rights_is_not_sent(
    world: ScopedWorld, reader: ScopedReader
) -> None:
    world.store.after = 1
    world.write(task("1", '"team":"a"'))
    reader.read(RECORDS, since=0)
    world.step()
    world.may_read("ann")
    reader.rescope()
    assert settled(world, reader) == ["anew", "reset 1"]


def test_a_sync_under_way_goes_by_the_new_rights(world: ScopedWorld, reader: ScopedReader) -> None:
    world.store.page = 1
    world.write(task("1", '"team":"a"'), task("2", '"team":"a"'), task("3", '"team":"b"'))
    reader.sync_part(RECORDS, None, 0, epoch="e")
    world.step()
    world.may_read("ann", {"team": "b"})
    reader.rescope()
    assert settled(world, reader) == ["1@1", "3@3", "reset 3"]


def test_the_last_of_two_changes_of_rights_counts(world: ScopedWorld, reader: ScopedReader) -> None:
    reader.read(RECORDS)
    world.may_read("ann", {"team": "a"})
    reader.rescope(5)
    world.may_read("ann", {"team": "b"})
    reader.rescope()
    world.settle()
    assert reader.subscriptions._cursors["tasks", None].scope == frozenset({part(team="b")})


def test_other_rights_of_a_connection_that_is_gone_are_nobodys(
    world: ScopedWorld, reader: ScopedReader
) -> None:
    reader.read(RECORDS)
    world.may_read("ann")
    reader.rescope(1)
    reader.subscriptions.close()
    world.settle()
    assert reader.take() == []


def test_to_subscribe_again_by_other_rights_reads_anew(
    world: ScopedWorld, reader: ScopedReader
) -> None:
    world.write(task("1", '"team":"a"'))
    reader.read(RECORDS)
    world.may_read("ann", {"team": "a"})
    reader.read(RECORDS)
    assert settled(world, reader) == ["anew", "1@1", "reset 1"]


# Clients that know nothing of parts, and take fields away by their names.


def behind_by_field(world: ScopedWorld, reader: ScopedReader, where: bytes | None) -> None:
    """It has two records, and then reads no more; one of them leaves all that it may read."""
    world.may_read("ann", {"team": "a"})
    world.write(task("1", '"team":"a"'), task("2", '"team":"a"'))
    reader.read(FIELDS, where, since=0)
    assert settled(world, reader)[:2] == ["1.team@1", "2.team@2"]
    reader.subscriptions.fell("tasks", FIELDS, 2)
    world.hub.leave("tasks", FIELDS, reader, reader.reading(where).scope)
    world.write(task("1", '"team":"b"'))


def test_one_that_was_behind_reads_everything_anew_where_a_record_has_left(
    world: ScopedWorld, reader: ScopedReader
) -> None:
    behind_by_field(world, reader, None)
    assert settled(world, reader) == ["anew", "2.team@2", "reset 3"]


@pytest.mark.parametrize("by", ["where", "hello", "position"])
def test_one_that_has_shown_that_it_knows_of_parts_is_told_of_the_departure(
    world: ScopedWorld, reader: ScopedReader, by: str
) -> None:
    reader.subscriptions.knows_parts = by == "hello"
    behind_by_field(world, reader, A if by == "where" else None)
    if by == "position":
        reader.read(FIELDS, since=2)
    gone, *_ = settled(world, reader)
    assert gone == "1@3 left"


def test_a_record_that_leaves_while_such_a_client_loads_has_it_load_anew(
    world: ScopedWorld, reader: ScopedReader
) -> None:
    world.may_read("ann", {"team": "a"})
    world.store.page = 1
    world.write(task("1", '"team":"a"'), task("2", '"team":"a"'), task("3", '"team":"a"'))
    reader.read(FIELDS, since=0)
    world.step()
    assert told(reader) == []  # the first one is held back
    world.step()
    world.write(task("1", '"team":"b"'))
    world.settle()
    assert reader.gone, "what it was sent it could not tell from what follows"


def test_what_had_gone_before_a_load_began_is_no_reason(
    world: ScopedWorld, reader: ScopedReader
) -> None:
    world.may_read("ann", {"team": "a"})
    world.write(task("1", '"team":"a"'), task("2", '"team":"a"'), task("1", '"team":"b"'))
    reader.read(FIELDS, since=0)
    assert settled(world, reader) == ["2.team@2", "synced 3"]


def test_a_client_of_the_seed_that_asks_for_everything_is_not_begun_with_anew(
    world: ScopedWorld, reader: ScopedReader
) -> None:
    world.may_read("ann", {"team": "a"})
    world.write(task("1", '"team":"a"'), task("2", '"team":"a"'), task("1", '"team":"b"'))
    reader.sync_part(FIELDS, None, since=1)
    assert settled(world, reader) == ["2.team@2", "1@3 left", "reset 3"]


@pytest.mark.parametrize("steps", range(8))
def test_what_leaves_a_part_comes_whole_to_a_reader_of_all_that_fell_behind(steps: int) -> None:
    """A client drops a record that has left, be it in what is told of another part."""
    world = ScopedWorld()
    reader = world.person()
    reader.subscriptions.subscribe("tasks", FIELDS, None, Reading("tasks"))
    world.write(task("1", '"kept":1,"team":"a"'))
    world.settle()
    reader.outbox.behind = True
    world.write(push_fields(update("n", b"1", NOW + 1)))
    world.soon.turn()  # it falls behind
    reader.outbox.behind = False
    reader.read(FIELDS, A, since=0)
    for _ in range(steps):
        world.step()
    world.write(push_fields(moved("c")))
    world.settle()
    held, newest = set[str](), 0
    for log in (each.change for each in reader.take() if isinstance(each, FieldChange)):
        assert log is not None
        if not log.left:
            held, newest = held | {log.field}, log.version
        elif newest < log.version:  # or it is held by what all of it was told since
            held = set()
    assert held == {"kept", "n", "team"}


@pytest.mark.parametrize("asked", [0, 1, 2])
@pytest.mark.parametrize("steps", range(6))
def test_what_has_left_a_part_comes_whole_to_whoever_asks_for_all_after_that(
    asked: int, steps: int
) -> None:
    """From a position of before: it cannot know, as it asks, that it will have dropped a record."""
    world = ScopedWorld()
    world.write(task("1", '"kept":1,"team":"a"'))
    world.write(push_fields(moved("c")))
    world.store.before = asked
    reader = world.person()
    reader.read(FIELDS, A, since=1)
    if asked:
        reader.read(FIELDS, None, since=1)
    for _ in range(steps):
        world.step()
    if asked == 2:
        reader.sync_part(FIELDS, None, since=1, epoch="e")
    elif not asked:
        reader.read(FIELDS, None, since=1)
    assert "1.kept@2" in settled(world, reader)
