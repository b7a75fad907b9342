"""The gRPC door: pushes by ones and in a stream, and changes to those who watch.

For ours that is the whole road: decode strictly, group commit with fsync, hub,
streams. The peer is a bare grpclib server that answers and hands on, no more. As
the load is a Python client too, what counts is what the server's CPU does.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractContextManager
from typing import Any, TypeVar

import uvloop
from grpclib.client import Channel, Stream
from grpclib.const import Cardinality
from grpclib.encoding.base import CodecBase

from benchmarks.support.figures import Scale, Table
from benchmarks.support.processes import Server, free_port, peer, rhtmx
from rhtmx.messages import Change, ChangeAction, Push, PushAck, SyncComplete, WatchRequest
from rhtmx.wire import decode_message, decode_proto, encode_message

IN_FLIGHT = 64
DATA = b'{"name":"Ada Lovelace","done":false,"notes":"%s"}' % (b"x" * 80)

T = TypeVar("T")
Starter = Callable[[int], AbstractContextManager[Server]]

SUBJECTS: dict[str, Starter] = {
    "rhtmx": lambda port: rhtmx("--grpc-port", str(port)),
    "grpclib echo": lambda port: peer("grpclib_echo.py", str(port)),
}


class Bytes(CodecBase):
    """Leaves messages as they are: the load reads them when the time is taken."""

    __content_subtype__ = "proto"

    def encode(self, message: Any, message_type: Any) -> bytes:
        return bytes(message)

    def decode(self, data: bytes, message_type: Any) -> Any:
        return data


def pushes(count: int) -> list[bytes]:
    """Writes to a hundred records, ready to be sent."""
    return [
        encode_message(
            Push(
                entity="bench", entity_id=str(n % 100), action=ChangeAction.UPDATE, data=DATA
            )
        )
        for n in range(count)
    ]  # fmt: skip


def call(channel: Channel, method: str, kind: Cardinality) -> Stream[Any, Any]:
    """A call, not begun."""
    return channel.request(f"/rhtmx.v1.Trackers/{method}", kind, bytes, bytes)


async def unary(channel: Channel, messages: Sequence[bytes]) -> list[bytes]:
    """Make so many calls, so many at a time."""
    left = list(messages)
    answers: list[bytes] = []

    async def one_after_the_other() -> None:
        while left:
            async with call(channel, "Push", Cardinality.UNARY_UNARY) as stream:
                await stream.send_message(left.pop(), end=True)
                answers.append(await stream.recv_message() or b"")

    await asyncio.gather(*(one_after_the_other() for _ in range(IN_FLIGHT)))
    return answers


async def streamed(channel: Channel, messages: Sequence[bytes]) -> list[bytes]:
    """Push all of them in one stream, and read the answers meanwhile."""
    answers: list[bytes] = []
    async with call(channel, "PushMany", Cardinality.STREAM_STREAM) as stream:
        await stream.send_request()

        async def send() -> None:
            for message in messages:
                await stream.send_message(message)
            await stream.end()

        sending = asyncio.create_task(send())
        async for answer in stream:
            answers.append(answer)
        await sending
    return answers


def check_acks(answers: Sequence[bytes], count: int, *, ordered: bool) -> None:
    """Every push has its own version, and in a stream they are in order."""
    versions = [decode_message(PushAck, answer).version for answer in answers]
    if not ordered:
        versions.sort()
    if len(versions) != count or versions != list(range(versions[0], versions[0] + count)):
        raise AssertionError(f"{len(versions)} answers to {count} pushes, or not in order")


async def watching(port: int, watchers: int, burst: int, bursts: int, server: Server) -> float:
    """Deliveries per CPU second of the server, the pushing included."""
    channels = [Channel("127.0.0.1", port, codec=Bytes()) for _ in range(5)]
    pusher = Channel("127.0.0.1", port, codec=Bytes())
    got: list[list[bytes]] = [[] for _ in range(watchers)]
    began, ended = asyncio.Barrier(watchers + 1), asyncio.Barrier(watchers + 1)
    wanted = burst * bursts + 1

    async def watch(number: int) -> None:
        mine = got[number]
        channel = channels[number % len(channels)]
        async with call(channel, "Watch", Cardinality.UNARY_STREAM) as stream:
            request = encode_message(WatchRequest(entity="bench"))
            await stream.send_message(request, end=True)
            while len(mine) < wanted:
                message = await stream.recv_message()
                assert message is not None
                mine.append(message)
                if len(mine) == 1:
                    await began.wait()
            await ended.wait()
            await stream.cancel()

    tasks = [asyncio.create_task(watch(number)) for number in range(watchers)]
    await began.wait()
    before = server.cpu()
    messages = pushes(burst)
    for _ in range(bursts):
        check_acks(await streamed(pusher, messages), burst, ordered=True)
    await ended.wait()
    spent = server.cpu() - before
    await asyncio.gather(*tasks)
    for channel in (*channels, pusher):
        channel.close()
    for mine in got:
        check_stream(mine, burst * bursts)
    return watchers * burst * bursts / spent


def check_stream(messages: Sequence[bytes], count: int) -> None:
    """A watcher was told where it began, and then every change in order."""
    first, *changes = map(decode_proto, messages)
    assert isinstance(first, SyncComplete)
    versions = []
    for message in changes:
        assert isinstance(message, Change)
        assert message.change is not None
        assert message.change.data == DATA
        versions.append(message.change.version)
    if versions != list(range(first.version + 1, first.version + count + 1)):
        raise AssertionError("a watcher missed changes, or had them out of order")


async def pushing(
    port: int,
    server: Server,
    count: int,
    way: Callable[[Channel, Sequence[bytes]], Awaitable[list[bytes]]],
    *,
    ordered: bool,
) -> float:
    """Pushes per CPU second of the server."""
    channel = Channel("127.0.0.1", port, codec=Bytes())
    await way(channel, pushes(200))
    messages = pushes(count)
    before = server.cpu()
    answers = await way(channel, messages)
    spent = server.cpu() - before
    channel.close()
    check_acks(answers, count, ordered=ordered)
    return count / spent


def measured(start: Starter, measure: Callable[[int, Server], Awaitable[float]]) -> float:
    """One value from a new server."""
    port = free_port()
    with start(port) as server:

        async def run() -> float:
            return await measure(port, server)

        return uvloop.run(run())


def run(scale: Scale) -> list[Table]:
    """Measure every case in rounds, ours and the peer in turn."""
    calls = scale.pick(4_000, 200)
    stream = scale.pick(20_000, 400)
    watchers, bursts = scale.pick(100, 5), scale.pick(60, 3)
    cases: dict[str, Callable[[int, Server], Awaitable[float]]] = {
        f"unary pushes, {IN_FLIGHT} in flight": lambda port, server: pushing(
            port, server, calls, unary, ordered=False
        ),
        "pushes in one stream": lambda port, server: pushing(
            port, server, stream, streamed, ordered=True
        ),
        f"changes to {watchers} watchers, 1 a tick": lambda port, server: watching(
            port, watchers, 1, bursts, server
        ),
        f"changes to {watchers} watchers, 10 a tick": lambda port, server: watching(
            port, watchers, 10, bursts // 3, server
        ),
    }
    table = Table(
        "gRPC: what one core of the server does",
        "per CPU second",
        note="Ours commits each push to disk before it answers; the echo keeps nothing.",
    )
    for _ in range(scale.rounds):
        for case, measure in cases.items():
            for name, start in SUBJECTS.items():
                table.add(case, name, measured(start, measure))
    return [table]
