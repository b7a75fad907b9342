"""A bare grpclib server on uvloop: answers what it gets, and hands it on to who watches.

It speaks the messages of the schema through the protobuf library and grpclib's
own codec. It stores nothing and promises nothing.
"""

from __future__ import annotations

import asyncio
import sys
from typing import Any

import uvloop
from grpclib.const import Cardinality, Handler
from grpclib.server import Server, Stream

from rhtmx.wire.engine import engine_class

Push, PushAck = engine_class("rhtmx.v1.Push"), engine_class("rhtmx.v1.PushAck")
Request, Envelope = engine_class("rhtmx.v1.WatchRequest"), engine_class("rhtmx.v1.Envelope")


class Echo:
    """The methods that are measured."""

    def __init__(self) -> None:
        self.version = 0
        self.watching: set[asyncio.Queue[Any]] = set()

    def __mapping__(self) -> dict[str, Handler]:
        service = "/rhtmx.v1.Trackers/"
        return {
            f"{service}Push": Handler(self.push, Cardinality.UNARY_UNARY, Push, PushAck),
            f"{service}PushMany": Handler(self.many, Cardinality.STREAM_STREAM, Push, PushAck),
            f"{service}Watch": Handler(self.watch, Cardinality.UNARY_STREAM, Request, Envelope),
        }

    def answer(self, push: Any) -> Any:
        self.version += 1
        for queue in self.watching:
            queue.put_nowait((push, self.version))
        return PushAck(entity=push.entity, entity_id=push.entity_id, version=self.version)

    async def push(self, stream: Stream[Any, Any]) -> None:
        await stream.send_message(self.answer(await stream.recv_message()))

    async def many(self, stream: Stream[Any, Any]) -> None:
        async for push in stream:
            await stream.send_message(self.answer(push))

    async def watch(self, stream: Stream[Any, Any]) -> None:
        await stream.recv_message()
        queue: asyncio.Queue[Any] = asyncio.Queue()
        self.watching.add(queue)
        try:
            first = Envelope()
            first.sync_complete.version = self.version
            await stream.send_message(first)
            while True:
                push, version = await queue.get()
                envelope = Envelope()
                change = envelope.change.change
                change.entity, change.entity_id = push.entity, push.entity_id
                change.action, change.data, change.version = push.action, push.data, version
                change.created_at.GetCurrentTime()
                await stream.send_message(envelope)
        finally:
            self.watching.discard(queue)


async def main() -> None:
    server = Server([Echo()])
    await server.start("127.0.0.1", int(sys.argv[1]))
    sys.stdout.write(f"ready grpc://127.0.0.1:{sys.argv[1]}/\n")
    sys.stdout.flush()
    await server.wait_closed()


uvloop.run(main())
