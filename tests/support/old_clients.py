"""The two browser clients of before `/api/ws`, as far as a server can tell.

They load over plain HTTP, open a socket, subscribe, and then send what was
written meanwhile. What is long they send as gzip. They know no message that
was not there when they were written.
"""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import json
from collections.abc import AsyncIterator
from typing import Any, ClassVar
from urllib.parse import quote

from websockets.asyncio.client import ClientConnection, connect

from tests.support.plain_http import ask
from tests.support.sockets import PATIENCE

LONG = 1024
"""Characters from which on the old clients try gzip."""

PONG_WITHIN = 5.0
"""Seconds that the old clients wait for a `pong` before they give up."""


class OldClient:
    """What the two have in common.

    Attributes:
        version: the last version that it has.
        pending: what it wrote and nobody has acknowledged.
        log: every message that came.
        binary: how many of them came as gzip.
    """

    reads: ClassVar[str]
    path: ClassVar[str]
    knows: ClassVar[frozenset[str]]

    def __init__(self, url: str, entity: str) -> None:
        self.url = url
        self.entity = entity
        self.version = 0
        self.pending: dict[str, dict[str, Any]] = {}
        self.log: list[dict[str, Any]] = []
        self.binary = 0
        self.socket: ClientConnection | None = None

    @contextlib.asynccontextmanager
    async def open(self) -> AsyncIterator[None]:
        """Load, connect, subscribe, and send what waits; until the block ends."""
        await self.load()
        address = self.url.replace("/api/ws", self.path)
        origin: Any = self.url.replace("ws:", "http:").removesuffix("/api/ws")
        async with connect(address, origin=origin) as self.socket:
            await self.send({"type": "subscribe", "entities": [self.entity]})
            for message in list(self.pending.values()):
                await self.send(message)
            await self.alive()
            yield
        self.socket = None

    async def load(self) -> None:
        """Read what changed since the last version."""
        path = f"/api/{self.reads}/{quote(self.entity, safe='')}?since={self.version}"
        answer = await ask(self.url, path)
        assert answer.status == 200
        for change in answer.json["changes"]:
            self.apply(change)
        self.version = answer.json["version"]

    def apply(self, change: dict[str, Any]) -> None:
        raise NotImplementedError

    async def send(self, message: dict[str, Any]) -> None:
        assert self.socket is not None
        text = json.dumps(message)
        small = gzip.compress(text.encode()) if len(text) >= LONG else b""
        await self.socket.send(small if 0 < len(small) < len(text) else text)

    async def receive(self) -> dict[str, Any]:
        """The next message, handled."""
        assert self.socket is not None
        async with asyncio.timeout(PATIENCE):
            frame = await self.socket.recv()
        if isinstance(frame, bytes):
            self.binary += 1
            frame = gzip.decompress(frame).decode()
        message: dict[str, Any] = json.loads(frame)
        assert message["type"] in self.knows, f"an old client does not know {message}"
        self.log.append(message)
        if "change" in message:
            self.apply(message["change"])
            self.version = max(self.version, message["change"]["version"])
        elif message["type"] == "push_ack" and message.get("applied", 1) > 0:
            self.pending.pop(message["entity_id"], None)
        return message

    async def until(self, kind: str, **fields: Any) -> dict[str, Any]:
        """The next message of this type with these fields."""
        while True:
            message = await self.receive()
            if message["type"] == kind and all(message.get(k) == v for k, v in fields.items()):
                return message

    async def seen(self, version: int) -> None:
        """Wait until everything up to a version has come."""
        while self.version < version:
            await self.receive()

    async def alive(self) -> None:
        """Ping, and wait for the answer."""
        await self.send({"type": "ping"})
        async with asyncio.timeout(PONG_WITHIN):
            await self.until("pong")

    async def write(self, message: dict[str, Any]) -> None:
        """Send a push, or keep it for when there is a socket."""
        self.pending[message["entity_id"]] = message
        if self.socket is not None:
            await self.send(message)


class OldRecords(OldClient):
    """The client of `/api/sync/ws`."""

    reads = "sync"
    path = "/api/sync/ws"
    knows = frozenset({"change", "push_ack", "error", "pong"})

    def __init__(self, url: str, entity: str) -> None:
        super().__init__(url, entity)
        self.records: dict[str, Any] = {}

    def apply(self, change: dict[str, Any]) -> None:
        assert change["entity"] == self.entity
        if change["action"] == "delete":
            self.records.pop(change["entity_id"], None)
        else:
            self.records[change["entity_id"]] = change["data"]

    async def push(self, entity_id: str, data: Any) -> None:
        message = {"type": "push", "entity": self.entity, "entity_id": entity_id}
        if data is None:
            await self.write({**message, "action": "delete"})
        else:
            await self.write({**message, "action": "update", "data": data, "pending": True})


class OldFields(OldClient):
    """The client of `/api/field-sync/ws`."""

    reads = "field-sync"
    path = "/api/field-sync/ws"
    knows = frozenset({"field_change", "push_ack", "conflict", "error", "pong"})

    def __init__(self, url: str, entity: str) -> None:
        super().__init__(url, entity)
        self.fields: dict[str, dict[str, Any]] = {}

    def apply(self, change: dict[str, Any]) -> None:
        assert change["timestamp"].endswith("Z")
        record = self.fields.setdefault(change["entity_id"], {})
        if change["action"] == "delete":
            record.pop(change["field"], None)
        else:
            record[change["field"]] = change["value"]

    async def push(self, entity_id: str, timestamp: str, **values: Any) -> None:
        fields = [
            {"field": name, "action": "delete", "timestamp": timestamp}
            if value is None
            else {"field": name, "value": value, "action": "update", "timestamp": timestamp}
            for name, value in values.items()
        ]
        await self.write(
            {
                "type": "push_fields",
                "entity": self.entity,
                "entity_id": entity_id,
                "fields": fields,
            }
        )

    async def latest(self, entity_id: str) -> Any:
        path = f"/api/field-sync/{quote(self.entity)}/{quote(entity_id, safe='')}/latest"
        return (await ask(self.url, path)).json
