"""What subscriptions say at the beginning of a stream: of which rights it is, and if all is new."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from rhtmx.messages import Change, FieldChange, Position, SyncBegin, SyncComplete
from rhtmx_server.delivery import cursor
from rhtmx_server.model import Granularity
from tests.unit.rhtmx_server.delivery.scoped_world import A, B, ScopedReader, ScopedWorld, task
from tests.unit.rhtmx_server.fakes import BOTH, FIELDS, RECORDS, push


@pytest.fixture
def world() -> ScopedWorld:
    return ScopedWorld()


@pytest.fixture
def reader(world: ScopedWorld) -> Iterator[ScopedReader]:
    reader = world.person()
    yield reader
    reader.close()


def begins(reader: ScopedReader) -> list[SyncBegin]:
    """What it was told at beginnings since the last time."""
    return [each for each in reader.take() if isinstance(each, SyncBegin)]


def kinds(reader: ScopedReader) -> list[str]:
    """What it was sent since the last time: `begin`, `complete`, or the version of a change."""
    said = []
    for message in reader.take():
        if isinstance(message, Change | FieldChange):
            assert message.change is not None
            said.append(str(message.change.version))
        else:
            said.append("begin" if isinstance(message, SyncBegin) else "complete")
    return said


@pytest.mark.parametrize("level", [RECORDS, FIELDS])
def test_a_first_load_of_a_part_says_first_of_which_scope_it_is(
    world: ScopedWorld, reader: ScopedReader, level: Granularity
) -> None:
    world.write(task("1", '"team":"a"'))
    reader.read(level, A, since=0)
    (begin,) = begins(reader)
    scope = reader.reading(A).scope_id
    assert scope is not None
    assert begin == SyncBegin("tasks", "e", False, level is FIELDS, A, scope)


def test_a_first_load_of_a_whole_entity_and_a_resume_say_nothing(
    world: ScopedWorld, reader: ScopedReader
) -> None:
    world.write(task("1", '"team":"a"'), task("2", '"team":"a"'))
    reader.subscribe(RECORDS, 0)
    reader.read(RECORDS, A, since=1)
    reader.read(RECORDS, B)
    world.settle()
    assert begins(reader) == []


def test_a_long_load_says_how_much_there_is(
    world: ScopedWorld, reader: ScopedReader, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cursor, "LONG", 2)
    world.write(task("1", '"team":"a"'), task("2", '"team":"a"'), task("1", '"team":"a","n":1'))
    reader.subscribe(RECORDS, 0)
    world.settle()
    assert kinds(reader) == ["begin", "2", "3", "complete"]
    reader.read(RECORDS, A, since=0)
    (begin,) = begins(reader)
    assert (begin.head, begin.since, begin.reset) == (3, None, False)


@pytest.mark.parametrize("version", [0, 1, 9])
def test_a_position_that_cannot_be_resumed_is_told_first(
    world: ScopedWorld, reader: ScopedReader, version: int
) -> None:
    world.write(push("1", b"1"))
    reader.read(RECORDS, since=Position(epoch="another", version=version))
    world.settle()
    begin, _, end = reader.take()
    assert begin == SyncBegin("tasks", "e", reset=True, fields=False)
    assert isinstance(end, SyncComplete)
    assert end.reset


def test_who_never_said_hello_is_told_nothing(world: ScopedWorld, reader: ScopedReader) -> None:
    reader.greeted = False
    world.write(task("1", '"team":"a"'))
    reader.read(RECORDS, A, since=0)
    reader.read(RECORDS, since=Position(epoch="another", version=1))
    world.may_read("ann")
    reader.rescope()
    world.settle()
    assert begins(reader) == []


def test_the_answer_to_a_sync_has_no_beginning(world: ScopedWorld, reader: ScopedReader) -> None:
    world.write(task("1", '"team":"a"'))
    reader.sync_part(RECORDS, A, 0, epoch="e")
    world.settle()
    assert begins(reader) == []


def test_each_granularity_and_each_part_has_its_own(
    world: ScopedWorld, reader: ScopedReader
) -> None:
    world.may_read("ann", {"team": "a"}, {"team": "b"})
    for level in BOTH:
        reader.read(level, A)
    reader.read(FIELDS, B)
    world.may_read("ann")
    reader.rescope()
    world.settle()
    said = reader.take()
    told = [(each.where, each.fields) for each in said if isinstance(each, SyncBegin)]
    assert told == [(A, False), (A, True), (B, True)]
    ends = [each for each in said if not isinstance(each, SyncBegin)]
    assert sorted(type(each).__name__ for each in ends) == [
        "SyncComplete",
        "SyncFieldsComplete",
        "SyncFieldsComplete",
    ], "each that has begun has its end"


def test_what_was_handed_out_before_comes_before_it(
    world: ScopedWorld, reader: ScopedReader
) -> None:
    reader.read(RECORDS, A)
    reader.read(RECORDS, B)
    world.write(task("1", '"team":"a"'), task("2", '"team":"b"'))  # waits for the end of the tick
    world.may_read("ann", {"team": "a"})
    reader.rescope()
    assert kinds(reader) == ["1", "2", "begin"]


def test_what_is_live_beside_a_first_load_comes_before_its_beginning(
    world: ScopedWorld, reader: ScopedReader
) -> None:
    reader.read(RECORDS, A)
    world.write(task("1", '"team":"a"'))
    reader.read(RECORDS, B, since=0)
    assert kinds(reader) == ["1", "begin"]


def test_a_field_that_was_held_back_comes_before_it(
    world: ScopedWorld, reader: ScopedReader
) -> None:
    world.store.page = 1
    world.write(task("1", '"team":"a"'), task("2", '"team":"a"'), task("3", '"team":"a"'))
    reader.read(FIELDS, A, since=1)
    world.step()
    world.step()
    sent = kinds(reader)
    world.may_read("ann")
    reader.rescope()
    assert [*sent, *kinds(reader)] == ["2", "3", "begin"]


def test_a_restart_in_the_middle_of_a_reset_begins_once_more(
    world: ScopedWorld, reader: ScopedReader
) -> None:
    world.store.page = 1
    world.write(*(task(str(n), '"team":"a"') for n in range(1, 4)))
    reader.read(RECORDS, since=3)
    world.settle()
    reader.take()
    world.may_read("ann", {"team": "a"})
    reader.rescope()
    world.step()
    world.may_read("ann")
    reader.rescope()
    assert kinds(reader) == ["begin", "1", "begin"]
    world.settle()
    assert not reader.gone
    assert kinds(reader) == ["complete"], "one reset has one end"


def test_one_that_falls_below_the_floor_begins_each_of_its_parts_anew(
    world: ScopedWorld, reader: ScopedReader
) -> None:
    reader.read(RECORDS, A)
    reader.read(RECORDS, B)
    world.write(task("1", '"team":"a"'))
    world.settle()
    reader.take()
    reader.outbox.behind = True
    world.write(task("2", '"team":"b"'), task("1", '"team":"c"'))
    world.soon.turn()
    world.store._heads["tasks"].floor = 3
    reader.outbox.behind = False
    world.settle()
    said = reader.take()
    begins = [each for each in said if isinstance(each, SyncBegin) and each.since is None]
    assert [each.where for each in begins] == [A, B]
    first = said.index(begins[0])
    assert isinstance(said[first + 1], SyncBegin), "before anything of either comes anew"


def test_what_another_one_has_read_and_has_left_since_is_told(
    world: ScopedWorld, reader: ScopedReader
) -> None:
    world.store.after = 1
    reader.read(RECORDS, A)
    reader.outbox.behind = True
    world.write(task("1", '"team":"a"'))
    world.soon.turn()  # it falls behind
    reader.outbox.behind = False
    world.step()  # the page is read, and not sent yet
    world.write(task("1", '"team":"c"'))
    reader.read(RECORDS, b'{"team":["a","b"]}', since=0)
    world.step()
    reader.end(RECORDS, A)  # owes nothing, so that is all that comes of it
    world.settle()
    assert kinds(reader) == ["begin", "begin", "1", "2", "complete"]
