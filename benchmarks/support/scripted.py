"""A Python client on a line in memory, on which is said what a server would say.

No socket and no server: what is measured is the client alone, from the bytes of a message to
whoever watches a collection.
"""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any, Literal

from rhtmx.api.client import Client
from rhtmx.core.session import Session
from rhtmx.core.storage_ops import Store
from rhtmx.messages import (
    Change,
    ChangeAction,
    ChangeLog,
    Limits,
    Pong,
    PushAck,
    SyncComplete,
    Welcome,
)
from rhtmx.wire import Format, Message, encode

ENTITY = "bench"
EPOCH = "0123456789abcdef"
_AT = datetime(2026, 1, 1, 10, 0, 1, 123456, tzinfo=UTC)


def record(number: int, done: bool = False) -> bytes:
    """The data of a record, about 130 bytes."""
    title = f"Task {number:06d}: write down what there is to be done, and by whom"
    data = {"title": title, "done": done, "assignee": "ada", "rank": number, "votes": 3}
    return json.dumps(data, separators=(",", ":")).encode()


def change(number: int, version: int, data: bytes) -> Message:
    """A record as the server says it."""
    action = ChangeAction.UPDATE
    return Change(ChangeLog(ENTITY, f"task-{number:06d}", action, data, version, "cafe", _AT))


class Line:
    """Both ends of the line: the client's, and ours.

    Args:
        size: how many records there are when the client begins to read.

    Attributes:
        format: how messages are written.
        version: the newest one.
    """

    shown = "memory"
    open_timeout = 60.0

    def __init__(self, size: int = 0) -> None:
        self.format = Format.JSON
        self.version = size
        self._size = size
        self._done: set[int] = set()
        self._to_client: asyncio.Queue[Iterator[Message]] = asyncio.Queue()
        self._saying: Iterator[Message] = iter(())

    @property
    def transport(self) -> Line:
        return self

    def abort(self) -> None:
        """There is nothing to cut."""

    async def dial(self) -> Line:
        return self

    async def recv(self, decode: Literal[False]) -> bytes:
        """Wait for the next message."""
        while (message := next(self._saying, None)) is None:
            self._saying = await self._to_client.get()
        return encode(message, self.format)

    async def send(self, message: bytes, *, text: bool) -> None:
        """Answer as a server would; only what a benchmark makes clients say."""
        said: dict[str, Any] = json.loads(message)
        if (answer := getattr(self, f"_on_{said['type']}", None)) is not None:
            self.say(answer(said))

    async def close(self) -> None:
        """There is nothing to close."""

    def say(self, messages: Iterable[Message]) -> None:
        """Say something; it is made when it is read."""
        self._to_client.put_nowait(iter(messages))

    def change(self, number: int) -> None:
        """Somebody else writes a record: it is done, or to do again."""
        self.version += 1
        self._done ^= {number}
        self.say([change(number, self.version, record(number, number in self._done))])

    def _on_hello(self, said: dict[str, Any]) -> Iterator[Message]:
        yield Welcome(
            session_id="1", server_time=_AT, epoch=EPOCH, heartbeat=600_000, limits=Limits()
        )

    def _on_ping(self, said: dict[str, Any]) -> Iterator[Message]:
        yield Pong()

    def _on_subscribe(self, said: dict[str, Any]) -> Iterator[Message]:
        for number in range(self._size):
            yield change(number, number + 1, record(number))
        yield SyncComplete(entity=ENTITY, version=self.version, epoch=EPOCH)

    def _on_push(self, said: dict[str, Any]) -> Iterator[Message]:
        self.version += 1
        yield PushAck(ENTITY, said["entity_id"], self.version, seq=said["seq"])
        data = json.dumps(said["data"]).encode()
        log = ChangeLog(
            ENTITY, said["entity_id"], ChangeAction.UPDATE, data, self.version, "1", _AT
        )
        yield Change(log)


@asynccontextmanager
async def client_on(line: Line, store: Store | None = None) -> AsyncIterator[Client]:
    """A client on this line."""
    chance = random.Random(1)
    async with Client(Session("bench", chance.random), line, store=store) as client:
        yield client
