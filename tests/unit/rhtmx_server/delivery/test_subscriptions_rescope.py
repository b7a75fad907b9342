"""Subscriptions of a connection whose rights change while it reads."""

from __future__ import annotations

import pytest

from rhtmx.messages import Change, SyncBegin
from rhtmx_server.delivery.cursor import Reading
from tests.unit.rhtmx_server.delivery.reading_world import World, run
from tests.unit.rhtmx_server.delivery.scoped_world import ANN, A, B, ScopedReader, ScopedWorld, task
from tests.unit.rhtmx_server.fakes import RECORDS, commit, version

PART = b'{"team":"a"}'


async def only_a(entity: str, where: bytes | None) -> Reading:
    return Reading(entity, where, frozenset({"a"}), "a")


def test_one_that_shrinks_to_the_scope_of_another_does_not_take_its_place_in_the_hub() -> None:
    world = World()
    reader = world.reader()
    mine = reader.subscriptions
    mine.subscribe("tasks", RECORDS, None, Reading("tasks", None, frozenset({"a", "b"}), "ab"))
    mine.subscribe("tasks", RECORDS, None, Reading("tasks", PART, frozenset({"a"}), "a"))
    run(mine.rescope(only_a))
    mine.unsubscribe("tasks", RECORDS)  # before it has caught up
    world.settle()
    reader.take()
    written = commit(1)
    written.after = frozenset({"a"})
    world.hub.deliver([written])
    world.soon.turn()
    assert [version(each) for each in reader.take() if isinstance(each, Change)] == [1]


def said(reader: ScopedReader) -> list[tuple[str, bytes | None]]:
    """What came: the records, by their ids, and of which parts a beginning."""
    lines: list[tuple[str, bytes | None]] = []
    for each in reader.take():
        if isinstance(each, SyncBegin):
            lines.append(("begin", each.where))
        elif isinstance(each, Change) and each.change is not None:
            lines.append((each.change.entity_id, None))
    return lines


@pytest.fixture
def world() -> ScopedWorld:
    return ScopedWorld()


def test_all_parts_begin_anew_at_one_time_however_long_their_rights_take_to_find(
    world: ScopedWorld,
) -> None:
    world.may_read("ann", {"team": "b"})
    reader = world.person()
    reader.read(RECORDS, A)
    reader.read(RECORDS, ANN)
    reader.take()
    world.may_read("ann", {"team": "a"})
    reader.rescope(pauses=1)
    world.write(task("1", '"team":"a","owner":"ann"'))
    world.write(task("2", '"team":"b","owner":"ann"'))
    world.soon.turn()
    world.step()  # the rights to the first part are known now
    world.write(task("3", '"team":"b","owner":"ann"'))
    world.soon.turn()
    world.settle()
    by_rights_of_before = [("2", None), ("3", None)]
    anew = [("begin", A), ("begin", ANN)]
    assert said(reader) == [*by_rights_of_before, *anew, ("1", None), ("1", None)]


def test_what_is_asked_for_while_rights_are_found_out_begins_anew_with_the_rest(
    world: ScopedWorld,
) -> None:
    world.may_read("ann", {"team": "b"})
    reader = world.person()
    reader.read(RECORDS, ANN)
    world.may_read("ann", {"team": "a"})
    reader.rescope(pauses=1)
    reader.read(RECORDS, A, since=0)
    world.settle()
    assert said(reader) == [("begin", A), ("begin", ANN), ("begin", A)]


def test_what_is_asked_for_meanwhile_goes_on_where_the_rights_are_what_they_were(
    world: ScopedWorld,
) -> None:
    reader = world.person()
    reader.read(RECORDS, A)
    reader.rescope(pauses=1)
    reader.read(RECORDS, B, since=0)
    world.settle()
    assert said(reader) == [("begin", B)]
