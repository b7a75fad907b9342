"""Places in rooms: who is there comes before who is only waited for."""

from __future__ import annotations

import pytest

from rhtmx.errors import ErrorCode, RhtmxError
from rhtmx_server.rooms.ports import RoomLimits
from tests.unit.rhtmx_server.rooms.room_world import ROOM, RoomWorld

OTHER = ("orders", "8")


def there(world: RoomWorld) -> list[str]:
    return [each.id for each in world.rooms.members(ROOM)]


async def test_who_joins_and_vanishes_again_and_again_does_not_fill_a_room() -> None:
    world = RoomWorld(RoomLimits(members=4, members_of_subject=2))
    bob = await world.enter("bob", subject="bob")
    for number in range(10):
        ghost = await world.enter(f"ada-{number}", subject="ada")
        world.rooms.lost(ghost, world.seconds + 40)
    assert there(world) == ["bob", "ada-8", "ada-9"]
    await world.enter("cleo", subject="cleo")
    world.pass_time()
    assert {*bob.here} == {"bob", "ada-8", "ada-9", "cleo"}
    assert world.refused == []


async def test_a_subject_has_so_many_members_in_a_room_and_may_still_watch() -> None:
    world = RoomWorld(RoomLimits(members_of_subject=2))
    world.write(OTHER)
    await world.enter("1", subject="ada")
    second = await world.enter("2", subject="ada")
    with pytest.raises(RhtmxError, match="with 2 clients already") as refused:
        await world.enter("3", subject="ada")
    assert refused.value.code is ErrorCode.TOO_MANY_SUBSCRIPTIONS
    assert world.refused == ["subject_in_room"]
    await world.enter(subject="ada")
    await world.enter("2", subject="ada")
    await world.enter("3", subject="ada", room=OTHER)
    await world.enter("bob", subject="bob")
    world.rooms.leave(second, ROOM)
    assert there(world) == ["1", "2", "bob"], "it is there on another connection"


async def test_a_subject_has_so_many_members_in_all_rooms() -> None:
    world = RoomWorld(RoomLimits(memberships=2))
    world.write(OTHER)
    await world.enter("1", subject="ada")
    second = await world.enter("2", subject="ada", room=OTHER)
    with pytest.raises(RhtmxError, match="members of 2 rooms already"):
        await world.enter("3", subject="ada")
    assert world.refused == ["subject"]
    world.rooms.lost(second, world.seconds + 40)
    await world.enter("3", subject="ada")
    assert there(world) == ["1", "3"]
    assert [*world.rooms.members(OTHER)] == []


async def test_in_a_full_room_who_was_lost_first_makes_way_and_nobody_who_is_there() -> None:
    world = RoomWorld(RoomLimits(members=3))
    for name in ("ada", "bob", "cleo"):
        peer = await world.enter(name)
        if name != "cleo":
            world.rooms.lost(peer, world.seconds + 40)
    await world.enter("dan")
    assert there(world) == ["bob", "cleo", "dan"]
    await world.enter("bob")
    with pytest.raises(RhtmxError, match="its 3 members"):
        await world.enter("ada")
    assert world.refused == ["room"]


async def test_who_is_there_on_one_of_two_connections_does_not_make_way() -> None:
    world = RoomWorld(RoomLimits(members=1))
    await world.enter("ada")
    world.rooms.lost(await world.enter("ada"), world.seconds + 40)
    with pytest.raises(RhtmxError, match="its 1 members"):
        await world.enter("bob")


async def test_guests_are_not_one_subject() -> None:
    world = RoomWorld(RoomLimits(members_of_subject=1, memberships=1))
    for name in ("ada", "bob", "cleo"):
        await world.enter(name)
    assert there(world) == ["ada", "bob", "cleo"]
