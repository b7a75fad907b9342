"""The walks that are in Python: real servers and clients, in this process, one message each.

Knows how a message is sent and where it ends. Must not know how calls are counted.

A first message goes through everything before the one that is recorded, so that nothing is
loaded, opened or made for the first time meanwhile.
"""

from __future__ import annotations

import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import rhtmx
from rhtmx.messages import ChangeAction, Push
from rhtmx.wire import encode_message
from rhtmx_server import App, Config
from rhtmx_server.stores.sqlite import SqliteStore
from tests.house.source import SOURCES, within
from tests.house.walks.recorder import Recorder
from tests.house.walks.walk import Call
from tests.support.http2 import http2
from tests.support.sockets import Raw, raw

__all__ = ["WALKS", "record"]

Drive = Callable[[App, Recorder], Awaitable[None]]

_HELLO = {"type": "hello", "client_id": "walker"}


async def record(drive: Drive) -> list[Call]:
    """Record one of the walks."""
    client = {str(each.path): each.module for each in SOURCES if within(each.module, "rhtmx")}
    server = {
        str(each.path): each.module for each in SOURCES if within(each.module, "rhtmx_server")
    }
    written = {path: name for path, name in (client | server).items() if not _generated(name)}
    recorder = Recorder(written)
    if drive is write:
        only = {path: name for path, name in written.items() if path in client}
        recorder = Recorder(only, without=frozenset(server))
    with tempfile.TemporaryDirectory() as folder, recorder.attached():
        app = App(
            # On this clock no commit is slow, or another thread would take over at some time.
            store=SqliteStore(Path(folder) / "server.db", clock=lambda: 0.0),
            config=Config(port=0, grpc_port=0),
            undeclared=True,
        )
        app.form("signup").field("email", required=True, email=True)
        async with app:
            await drive(app, recorder)
    return recorder.calls


def _generated(module: str) -> bool:
    return any(each.module == module and each.generated for each in SOURCES)


@asynccontextmanager
async def _greeted(app: App, **hello: Any) -> AsyncIterator[Raw]:
    async with raw(app.url) as socket:
        await socket.ask({**_HELLO, **hello}, "welcome")
        yield socket


async def push(app: App, recorder: Recorder) -> None:
    """A push over a socket: until it is acknowledged, and who subscribed has the change."""
    message = {"type": "push", "entity": "tasks", "action": "update", "data": {"n": 1}}
    async with _greeted(app) as socket, _greeted(app, client_id="reader") as reader:
        await reader.ask({"type": "subscribe", "entities": ["tasks"]}, "sync_complete")

        async def walk(number: int) -> None:
            await socket.ask({**message, "entity_id": "1", "seq": number}, "push_ack")
            await reader.until("change")

        await recorder.second(walk)


async def validate_field(app: App, recorder: Recorder) -> None:
    """A question about a field, until it is answered."""
    message = {"type": "validate_field", "form": "signup", "field": "email", "value": "a@b.example"}
    async with _greeted(app) as socket:
        await recorder.second(
            lambda number: socket.ask({**message, "request_id": str(number)}, "validation_result")
        )


async def subscribe(app: App, recorder: Recorder) -> None:
    """A subscription from a position, until what was missed is there."""
    message = {"type": "subscribe", "entities": ["tasks"]}
    async with _greeted(app) as one, _greeted(app, client_id="two") as two:
        async with _greeted(app, client_id="three") as writer:
            for number in range(3):
                await writer.push("tasks", str(number), {"n": 1})
            there = await writer.ask(message, "sync_complete")
        since = {"tasks": {"epoch": there["epoch"], "version": 1}}

        async def walk(number: int) -> None:
            socket = (one, two)[number - 1]
            await socket.ask({**message, "since": since}, "sync_complete")

        await recorder.second(walk)


async def push_many(app: App, recorder: Recorder) -> None:
    """A push on an open gRPC stream, until it is acknowledged."""
    async with http2(app.grpc_address) as client:
        stream = client.request("/rhtmx.v1.Trackers/PushMany", end=False)
        data = encode_message(Push("tasks", "1", ChangeAction.UPDATE, b'{"n":1}'))

        async def walk(_: int) -> None:
            known = len(client.data.get(stream, b""))
            client.h2.send_data(stream, bytes(1) + len(data).to_bytes(4) + data)
            client.flush()
            await client.until(lambda: len(client.data.get(stream, b"")) > known)

        await recorder.second(walk)


async def write(app: App, recorder: Recorder) -> None:
    """A write in the Python client, with a store, until the server has it."""
    with tempfile.TemporaryDirectory() as folder:
        async with rhtmx.connect(app.url, store=Path(folder) / "client.db") as client:
            await recorder.second(lambda number: client.push("tasks", str(number), {"n": 1}))


WALKS: Mapping[str, Drive] = {
    "push": push,
    "validate_field": validate_field,
    "subscribe with a position": subscribe,
    "gRPC PushMany": push_many,
    "a write in Python": write,
}
