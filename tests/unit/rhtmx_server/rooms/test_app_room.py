"""A room, as the program of the server sees it."""

from __future__ import annotations

import pytest

from rhtmx.errors import RhtmxError
from rhtmx.values.members import Member
from rhtmx_server.rooms.app_room import AppRoom
from tests.unit.rhtmx_server.rooms.room_world import RoomWorld


async def test_the_program_sees_who_is_there_and_tells_them_something() -> None:
    world = RoomWorld()
    ada = await world.enter("ada", state=b'{"name":"Ada"}')
    room = AppRoom(world.rooms, "orders/7")
    assert room.members == (Member("ada", None, {"name": "Ada"}),)
    room.send({"state": "paid"})
    world.pass_time()
    assert ada.told == [b'{"state":"paid"}']


def test_a_room_where_nobody_is_has_no_members() -> None:
    assert AppRoom(RoomWorld().rooms, "orders/8").members == ()


@pytest.mark.parametrize("name", ["", "orders", "/7", "orders/"])
def test_a_name_without_both_parts_is_none(name: str) -> None:
    with pytest.raises(RhtmxError, match="such as orders/7"):
        AppRoom(RoomWorld().rooms, name)


def test_what_is_too_large_is_refused() -> None:
    with pytest.raises(RhtmxError, match="at most 4096 bytes"):
        AppRoom(RoomWorld().rooms, "orders/7").send("x" * 4095)
