"""A foreign client that holds a whole conversation over gRPC, in a room."""

from __future__ import annotations

import queue
from typing import Any

from rhtmx_server import App
from tests.support.grpcio_client import Backend
from tests.support.waiting import eventually


async def test_who_closes_its_side_of_a_conversation_has_left_the_room(
    app: App, client: Backend, messages: Any
) -> None:
    await app.changes.push("orders", "7", 1)
    room = app.room("orders/7")
    said: queue.SimpleQueue[Any] = queue.SimpleQueue()
    stream = client.stub.Connect(iter(said.get, None))
    said.put(messages.Envelope(room_join=messages.RoomJoin(entity="orders", entity_id="7")))
    await eventually(lambda: len(room.members) == 1)
    said.put(None)
    await client.run(lambda: list(stream))
    assert room.members == ()
