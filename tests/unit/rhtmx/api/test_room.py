"""Facts about `rhtmx.api.room` that need no server."""

from __future__ import annotations

import pytest

import rhtmx
from rhtmx.api.room import room_key


@pytest.mark.parametrize("name", ["", "orders", "orders/", "/7", "/"])
def test_a_name_without_both_parts_is_none(name: str) -> None:
    with pytest.raises(rhtmx.RhtmxError, match="such as orders/7"):
        room_key(name)


def test_the_id_of_a_record_may_hold_a_slash() -> None:
    assert room_key("files/a/b") == ("files", "a/b")


async def test_a_room_of_a_client_that_was_not_entered_cannot_be_joined() -> None:
    room = rhtmx.connect("ws://localhost:1/api/ws").room("orders/7")
    assert (room.members, room.me) == ((), None)
    with pytest.raises(rhtmx.ConnectionClosed):
        await room.join()
