"""Streams of envelopes: `Watch`, `Sync` and the whole conversation, `Connect`.

Knows the server's connections: each stream is one. Must not know cursors, nor
what a message means: questions enter at dispatch, answers leave by the hub.
"""

from __future__ import annotations

import asyncio
import contextlib
import math
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, TypeVar

import msgspec
from grpclib.server import Stream

from rhtmx.errors import RhtmxError
from rhtmx.messages import (
    Subscribe,
    SubscribeFields,
    Sync,
    SyncComplete,
    SyncFields,
    SyncFieldsComplete,
    WatchRequest,
)
from rhtmx.wire import Message, ServerMessage
from rhtmx_server.connections import dispatch
from rhtmx_server.connections.checks import check
from rhtmx_server.connections.connection import Connection
from rhtmx_server.connections.wheres import check_where
from rhtmx_server.failures import unexpected
from rhtmx_server.transports.grpc.caller import Caller, caller_of
from rhtmx_server.transports.grpc.calls import GrpcMethod, connection_of, receive_bytes, receive_one
from rhtmx_server.transports.grpc.door import Door
from rhtmx_server.transports.grpc.framing import DIALECT
from rhtmx_server.transports.grpc.headroom import StalledError
from rhtmx_server.transports.grpc.link import StreamLink

__all__ = ["GrpcConversation", "StreamConnection", "SyncConnection", "connect", "sync", "watch"]

_GOODBYE = 1000
"""What a peer that closes its side of a stream would say on a socket: it has no close codes."""

C = TypeVar("C", bound="StreamConnection")


class StreamConnection(Connection):
    """A connection that reads as the window of its stream takes."""

    flow: StreamLink

    @contextlib.asynccontextmanager
    async def page(self) -> AsyncIterator[None]:
        """Wait until the peer takes more, and there is room among its streams."""
        try:
            async with super().page(), self.flow.page():
                yield
                self.outbox.flush()  # inside: room is counted by what is written
        except StalledError:
            self.services.metrics.stalled.inc()
            self.flow.abort()
            raise asyncio.CancelledError from None  # nothing is read for it any more


class WatchConnection(StreamConnection):
    """A connection that reads one thing."""

    def hears_begin(self, *, asked: bool) -> bool:
        """It is told at its beginning what that is, without `hello`."""
        return True


class SyncConnection(WatchConnection):
    """A connection that ends with the answer to one `sync`."""

    ended_well: Callable[[], None]

    def send(self, message: ServerMessage) -> None:
        """Send a message; the last one ends the stream."""
        super().send(message)
        if isinstance(message, SyncComplete | SyncFieldsComplete):
            self.outbox.flush()
            self.ended_well()


class GrpcConversation(StreamConnection):
    """A connection whose peer may say that it has said all, and hear the rest."""

    ended_well: Callable[[], None]
    said_all = False

    def send(self, message: ServerMessage) -> None:
        """Send a message; if it was the last one that is due the stream ends."""
        super().send(message)
        if self.said_all:
            asyncio.get_running_loop().call_soon(self.end_if_done)

    def hung_up(self) -> None:
        """The peer has said all. That is its goodbye, and it hears the rest."""
        self.session.hung_up(_GOODBYE)
        self.said_all = True
        self.end_if_done()

    def answered(self) -> None:
        """What had to wait is answered: it may have been the last."""
        self.end_if_done()

    def end_if_done(self) -> None:
        """End the stream if all is said and answered."""
        due = self.pushes or self.requests or self.subscriptions.lagging
        if self.said_all and not due:
            self.outbox.flush()
            self.ended_well()


def watch(kind: type[Subscribe | SubscribeFields]) -> GrpcMethod:
    """`Watch` or `WatchFields`: a subscription to one entity."""

    async def method(door: Door, stream: Stream[Any, Any]) -> None:
        caller = await caller_of(door, stream)
        request = await receive_one(stream, WatchRequest)
        caller.present()
        since = {} if request.since is None else {request.entity: request.since}
        connection, link = _open(WatchConnection, caller, stream, heartbeat=math.inf)
        connection.session.introduce(caller.client_id)  # it is told where it begins
        with door.connected(connection):
            where = None
            if request.where is not None:
                check_where("watch.where", request.where)
                where = msgspec.json.encode({request.entity: msgspec.Raw(request.where)})
            await _ask(connection, kind(entities=[request.entity], since=since, where=where))
            await link.run()

    return method


def sync(kind: type[Sync | SyncFields]) -> GrpcMethod:
    """`Sync` or `SyncFields`: what changed since a position, and no more."""

    async def method(door: Door, stream: Stream[Any, Any]) -> None:
        caller = await caller_of(door, stream)
        request = await receive_one(stream, kind)
        caller.present()
        connection, link = _open(SyncConnection, caller, stream, heartbeat=math.inf)
        connection.ended_well = link.end
        with door.connected(connection):
            await _ask(connection, request)
            await link.run()

    return method


async def connect(door: Door, stream: Stream[Any, Any]) -> None:
    """The conversation of a socket. A peer that half-closes is told the rest."""
    caller = await caller_of(door, stream, later=True)
    heartbeat = door.services.config.heartbeat
    connection, link = _open(GrpcConversation, caller, stream, heartbeat=heartbeat)
    # Not `introduce`: a peer that has not said hello is asked by HTTP/2, not by `ping`.
    connection.session.client_id, connection.session.secret = caller.client_id, caller.secret
    connection.ended_well = link.end
    with door.connected(connection):
        listening = asyncio.create_task(_listen(connection, link, stream))
        try:
            await link.run()
        finally:
            listening.cancel()


def _open(
    kind: type[C], caller: Caller, stream: Stream[Any, Any], *, heartbeat: float
) -> tuple[C, StreamLink]:
    """A connection on a stream.

    Args:
        kind: its class.
        caller: who is there.
        stream: the call.
        heartbeat: seconds between signs of life; infinite for a peer that has
            nothing to say: HTTP/2's own pings look after it.
    """
    services, config = caller.services, caller.services.config
    request = caller.request
    session = services.session(lambda: request, locked=not caller.known, heartbeat=heartbeat)
    session.traceparent = caller.traceparent
    if caller.known and services.authenticate is not None:
        services.unlock(session, caller.grant, caller.until)  # until `Door.connected` ends
    link = StreamLink(stream, config.outbox, config.stop_timeout / 2)
    connection = kind(services, session, DIALECT, link)
    connection.share = connection_of(stream)  # all streams of a peer are one
    connection.flow = link
    link.attach(connection)
    return connection, link


async def _ask(connection: Connection, question: Message) -> None:
    """Put the one question of a stream where a socket's would arrive.

    Raises:
        RhtmxError: it is refused.
    """
    connection.services.metrics.received(type(question))
    connection.session.receive(question)
    check(question)
    answer = dispatch.HANDLERS[type(question)](connection, question)
    if isinstance(answer, Awaitable):
        await answer


async def _listen(connection: GrpcConversation, link: StreamLink, stream: Stream[Any, Any]) -> None:
    try:
        while (data := await receive_bytes(stream)) is not None:
            await link.readable()
            connection.alive()
            while not connection.receive(data, False):
                await link.readable()
                connection.alive()
    except RhtmxError as error:
        connection.services.metrics.refused(error.code)
        connection.outbox.flush()
        link.end(error)
    except Exception as failure:
        link.end(unexpected(failure, "receiving on a stream"))
    else:
        connection.hung_up()
