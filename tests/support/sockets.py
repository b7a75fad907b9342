"""A bare client: sends and receives messages as they stand on the wire.

Every one of them checks the history that it is sent.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections import defaultdict
from collections.abc import AsyncIterator, Callable
from typing import Any

from websockets.asyncio.client import ClientConnection, connect

from tests.support.history import Stream

_STREAMED = ("change", "field_change", "sync_complete", "sync_fields_complete")

PATIENCE = 60.0
"""Seconds after which a test that waits has failed. A busy machine is no failure."""


class Raw:
    """JSON over a socket, without any client library of ours."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket
        self.log: list[dict[str, Any]] = []
        self._streams: defaultdict[str, Stream] = defaultdict(lambda: Stream(""))

    def stream(self, entity: str) -> Stream:
        """What it was told of an entity."""
        return self._streams[entity]

    async def send(self, *messages: dict[str, Any]) -> None:
        for message in messages:
            self._asked(message)
            await self.socket.send(json.dumps(message))

    def _asked(self, message: dict[str, Any]) -> None:
        """A position that is asked for begins a stream of its own."""
        if message["type"] in ("sync", "sync_fields"):
            self._streams[str(message["entity"])] = Stream(str(message["entity"]))
        for entity in message.get("since") or () if "entities" in message else ():
            self._streams[entity] = Stream(entity)

    def _check(self, message: dict[str, Any]) -> None:
        """Hold every stream of this socket to its promise: ordered, and nothing twice."""
        entity = message.get("change", message).get("entity")
        if message["type"] in _STREAMED:
            stream = self._streams[entity]
            stream.entity = entity
            stream.saw(message)
        elif message["type"] == "sync_begin" and message["reset"]:
            self._streams[entity] = Stream(entity)

    async def receive(self) -> dict[str, Any]:
        """The next message that is no heartbeat."""
        while True:
            async with asyncio.timeout(PATIENCE):
                message: dict[str, Any] = json.loads(await self.socket.recv())
            if message["type"] != "ping":
                self._check(message)
                self.log.append(message)
                return message

    async def until(self, kind: str, **fields: Any) -> dict[str, Any]:
        """The next message of this type with these fields; others stay in `log`."""
        return await self.until_that(
            lambda m: m["type"] == kind and all(m.get(k) == v for k, v in fields.items())
        )

    async def until_that(self, wanted: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        async with asyncio.timeout(PATIENCE):  # heartbeats come for ever
            while not wanted(message := await self.receive()):
                pass
        return message

    async def ask(self, message: dict[str, Any], kind: str) -> dict[str, Any]:
        await self.send(message)
        return await self.until(kind)

    async def settle(self) -> list[dict[str, Any]]:
        """Everything that the server had to say before it answers a ping."""
        before = len(self.log)
        await self.ask({"type": "ping"}, "pong")
        return self.log[before:-1]

    async def push(self, entity: str, entity_id: str, data: Any, **more: Any) -> dict[str, Any]:
        action = "delete" if data is None else "update"
        push = {"type": "push", "entity": entity, "entity_id": entity_id, "action": action}
        return await self.ask({**push, "data": data, **more}, "push_ack")


@contextlib.asynccontextmanager
async def raw(url: str, **options: Any) -> AsyncIterator[Raw]:
    """Open a bare socket."""
    async with connect(url, **options) as socket:
        yield Raw(socket)
