"""A thousand members over real sockets: what each of them is told is bounded."""

from __future__ import annotations

import asyncio
import contextlib
import json
from typing import Any

from websockets.asyncio.client import ClientConnection, connect

from rhtmx_server import App, Config
from tests.support.sockets import PATIENCE

COUNT = 1000
AT_A_TIME = 50
ROOM = {"entity": "orders", "entity_id": "7"}


class Counted:
    """A member that knows who is there, and counts what it was told."""

    def __init__(self, socket: ClientConnection, name: str) -> None:
        self._socket = socket
        self._name = name
        self.members: dict[str, Any] = {}
        self.messages = 0
        self.entries = 0
        self.bytes = 0

    async def join(self) -> None:
        said = {"type": "room_join", **ROOM, "state": {"name": self._name}}
        await self._socket.send(json.dumps(said))

    async def leave(self) -> None:
        await self._socket.send(json.dumps({"type": "room_leave", **ROOM}))

    async def see(self, count: int) -> None:
        """Wait until so many are there."""
        while len(self.members) != count:
            text = await self._socket.recv()
            told = json.loads(text)
            if told["type"] != "room_members":
                continue
            self.messages += 1
            self.bytes += len(text)
            self.entries += len(told.get("members", ())) + len(told.get("gone", ()))
            if told.get("reset"):
                self.members.clear()
            self.members |= {each["id"]: each["state"] for each in told.get("members", ())}
            for each in told.get("gone", ()):
                self.members.pop(each, None)


async def members(app: App, stack: contextlib.AsyncExitStack) -> list[Counted]:
    """So many connections, some at a time."""
    found: list[Counted] = []
    while len(found) < COUNT:
        opened = await asyncio.gather(
            *(
                stack.enter_async_context(connect(app.url, compression=None, close_timeout=0.1))
                for _ in range(AT_A_TIME)
            )
        )
        found += [Counted(each, f"member {len(found) + n}") for n, each in enumerate(opened)]
    return found


async def test_a_thousand_who_come_at_once_are_told_of_each_other_once_in_few_messages() -> None:
    async with (
        asyncio.timeout(PATIENCE),
        App(store="memory://", config=Config(port=0, stop_timeout=0.2), undeclared=True) as app,
        contextlib.AsyncExitStack() as stack,
    ):
        await app.changes.push("orders", "7", {"goods": "tea"})
        clients = await members(app, stack)
        await asyncio.gather(*(each.join() for each in clients))
        await asyncio.gather(*(each.see(COUNT) for each in clients))
        whole = [{"id": key, "state": state} for key, state in clients[0].members.items()]
        size = len(json.dumps(whole, separators=(",", ":")))
        for each in clients:
            assert each.entries == COUNT  # of each member once, however many came meanwhile
            assert each.messages <= COUNT / 10
            assert each.bytes <= 1.2 * size
        # And all but one leave: that one is told in few messages, too.
        last = clients[0]
        before = last.bytes
        await asyncio.gather(*(each.leave() for each in clients[1:]))
        await last.see(1)
        assert last.entries == 2 * COUNT - 1
        assert last.bytes - before <= size
