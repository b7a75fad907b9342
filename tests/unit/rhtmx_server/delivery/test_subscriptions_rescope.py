"""Subscriptions of a connection whose rights change while it reads."""

from __future__ import annotations

from rhtmx.messages import Change
from rhtmx_server.delivery.cursor import Reading
from tests.unit.rhtmx_server.delivery.reading_world import World, run
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
