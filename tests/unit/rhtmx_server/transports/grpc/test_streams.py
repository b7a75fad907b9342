"""Facts about `rhtmx_server.transports.grpc.streams`."""

from __future__ import annotations

import asyncio
import gc
import weakref
from typing import Any

import pytest

from rhtmx import wire
from rhtmx.errors import ErrorCode, RhtmxError
from rhtmx.messages import (
    Change,
    Envelope,
    Ping,
    Pong,
    Position,
    RoomJoin,
    RoomJoined,
    Subscribe,
    SubscribeFields,
    Sync,
    SyncBegin,
    SyncComplete,
    SyncFields,
    WatchRequest,
)
from rhtmx_server.access.grant import Grant
from rhtmx_server.access.request import Request
from rhtmx_server.ports import BatchNeeds, BatchWrites, Snapshot
from rhtmx_server.transports.grpc import streams
from rhtmx_server.transports.grpc.door import Door
from rhtmx_server.transports.grpc.framing import prefixed
from tests.unit.rhtmx_server.connecting import Side
from tests.unit.rhtmx_server.fakes import NOW, commit, push
from tests.unit.rhtmx_server.transports.grpc.peers import Call, door


def heard(call: Call) -> list[Any]:
    """The messages that a stream was sent."""
    data, got = b"".join(call._stream.taken), []
    while data:
        size = int.from_bytes(data[1:5], "big")
        got.append(wire.decode_proto(data[5 : 5 + size]))
        data = data[5 + size :]
    return got


async def settle(side: Side) -> None:
    for _ in range(20):
        side.soon.turn()
        await asyncio.sleep(0)


async def stored(side: Side) -> None:
    """Have one record in the store, and handed out."""
    made = commit(1)

    def decide(snapshot: Snapshot) -> BatchWrites:
        return BatchWrites(records=[made.record], heads={"tasks": 1})

    await side.store.commit(BatchNeeds(records=[("tasks", "1")]), decide)
    side.hub.deliver([made])


def start(method: Any, opened: Door, call: Call) -> asyncio.Task[None]:
    return asyncio.create_task(method(opened, call.stream))


async def test_a_watch_is_told_where_it_begins_and_leaves_when_it_is_cancelled() -> None:
    side, call = Side(), Call(WatchRequest(entity="tasks"))
    opened = door(side)
    task = start(streams.watch(Subscribe), opened, call)
    await settle(side)
    assert [type(message) for message in heard(call)] == [SyncComplete]
    (connection,) = opened.connections
    assert connection.subscriptions.count == 1
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert opened.connections == set()
    assert side.hub._groups == {}


async def test_who_watches_is_told_at_the_beginning_that_all_comes_anew() -> None:
    side = Side()
    await stored(side)
    since = Position(epoch="another", version=7)
    call = Call(WatchRequest(entity="tasks", since=since))
    task = start(streams.watch(Subscribe), door(side), call)
    await settle(side)
    said = heard(call)
    assert [type(message) for message in said] == [SyncBegin, Change, SyncComplete]
    assert said[0] == SyncBegin("tasks", side.store.epoch, reset=True, fields=False)
    task.cancel()


async def test_a_sync_is_told_at_the_beginning_that_all_comes_anew() -> None:
    side = Side()
    await stored(side)
    call = Call(Sync(entity="tasks", since=7, epoch="another"))
    task = start(streams.sync(Sync), door(side), call)
    await settle(side)
    await task
    assert [type(message) for message in heard(call)] == [SyncBegin, Change, SyncComplete]


async def test_a_stream_that_has_ended_leaves_no_circle() -> None:
    side, call = Side(), Call(Sync(entity="tasks"))
    opened = door(side)
    task = start(streams.sync(Sync), opened, call)
    await asyncio.sleep(0)
    (connection,) = (weakref.ref(each) for each in opened.connections)
    gc.disable()
    try:
        await settle(side)
        await task
        del task
        await settle(side)
        assert connection() is None
    finally:
        gc.enable()


async def test_two_watches_share_one_encoding() -> None:
    side = Side()
    opened = door(side)
    tasks = [
        start(streams.watch(Subscribe), opened, Call(WatchRequest(entity="tasks")))
        for _ in range(2)
    ]
    await settle(side)
    assert len(side.hub._groups["tasks"]) == 1
    for task in tasks:
        task.cancel()


async def test_a_watch_that_is_refused_ends_before_it_begins() -> None:
    side, call = Side(entities=frozenset()), Call(WatchRequest(entity="tasks"))
    opened = door(side)
    with pytest.raises(RhtmxError, match="no entity 'tasks'"):
        await streams.watch(Subscribe)(opened, call.stream)
    assert not call.began
    assert opened.connections == set()


async def test_a_sync_ends_with_its_answer() -> None:
    side, call = Side(), Call(Sync(entity="tasks", request_id="r"))
    task = start(streams.sync(Sync), door(side), call)
    await settle(side)
    await task
    (last,) = heard(call)
    assert (type(last), last.request_id) == (SyncComplete, "r")


async def test_a_conversation_ends_when_all_is_said_and_answered() -> None:
    side = Side()
    call = Call(Envelope(ping=Ping()), Envelope(push=push()))
    task = start(streams.connect, door(side), call)
    await settle(side)
    assert [type(message) for message in heard(call)] == [Pong]
    assert not task.done()
    side.answer(Pong())
    await settle(side)
    await task


@pytest.mark.parametrize(("is_closed", "left"), [(True, 0), (False, 1)])
async def test_who_closes_its_side_of_a_conversation_leaves_and_who_is_lost_is_waited_for(
    is_closed: bool, left: int
) -> None:
    side = Side()
    await stored(side)
    call = Call(Envelope(room_join=RoomJoin("tasks", "1")))
    call._stream.over = is_closed
    opened = door(side)
    task = start(streams.connect, opened, call)
    await settle(side)
    assert RoomJoined in map(type, heard(call))
    if not is_closed:
        assert len(opened.connections) == 1
        task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert opened.connections == set()
    assert len(side.services.rooms.local) == left


async def test_a_large_message_ends_a_conversation_with_its_error() -> None:
    side, call = Side(), Call()
    call._stream.say(b"\x01\x00\x00\x00\x00")
    with pytest.raises(RhtmxError, match="compressed"):
        await streams.connect(door(side), call.stream)


async def test_who_has_nothing_to_say_is_never_taken_for_gone() -> None:
    side, call = Side(), Call(WatchRequest(entity="tasks"))
    opened = door(side)
    task = start(streams.watch(Subscribe), opened, call)
    await settle(side)
    (connection,) = opened.connections
    connection.look(side.now() + 1_000_000)
    await settle(side)
    assert not task.done()
    task.cancel()


async def test_a_stream_uses_the_share_of_its_connection() -> None:
    side, call = Side(), Call(WatchRequest(entity="tasks"))
    opened = door(side)
    task = start(streams.watch(Subscribe), opened, call)
    await settle(side)
    (connection,) = opened.connections
    assert connection.share is call._stream.connection
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


@pytest.mark.parametrize(
    ("method", "question"),
    [
        (streams.sync(Sync), Sync(entity="tasks")),
        (streams.sync(SyncFields), SyncFields(entity="tasks")),
        (streams.watch(Subscribe), WatchRequest(entity="tasks", since=Position(version=0))),
        (streams.watch(SubscribeFields), WatchRequest(entity="tasks", since=Position(version=0))),
    ],
)
async def test_nothing_is_read_for_a_peer_whose_window_is_shut_and_it_is_cut(
    method: Any, question: Any
) -> None:
    side, call = Side(), Call(question)
    reads: list[str] = []
    since = side.store.since

    async def noted(*args: Any, **more: Any) -> Any:
        reads.append("since")
        return await since(*args, **more)

    side.store.since = noted  # type: ignore[method-assign]
    await stored(side)
    call._stream._h2_connection.window = 0
    opened = door(side)
    task = start(method, opened, call)
    await settle(side)
    assert reads == []
    (connection,) = opened.connections
    side.now.seconds += side.config.stall_timeout + 1
    connection.look(side.now())
    await settle(side)
    with pytest.raises(RhtmxError) as caught:
        await task
    assert caught.value.code is ErrorCode.STALLED
    assert opened.connections == set()


async def test_a_window_that_opens_in_time_is_served() -> None:
    side, call = Side(), Call(Sync(entity="tasks"))
    await stored(side)
    h2 = call._stream._h2_connection
    h2.window = 0
    task = start(streams.sync(Sync), door(side), call)
    await settle(side)
    assert heard(call) == []
    h2.window = 100_000
    call._stream.window_updated.set()
    await settle(side)
    await task
    assert [type(message) for message in heard(call)] == [Change, SyncComplete]


async def test_a_stream_that_waits_in_vain_for_others_is_cut(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def wait(futures: object, **how: object) -> None:
        await asyncio.sleep(0)  # the time is over

    monkeypatch.setattr("rhtmx_server.transports.grpc.headroom.asyncio.wait", wait)
    side, call = Side(), Call(Sync(entity="tasks"))
    room = call._stream.connection.pages
    room.keep(room.limit + 1)
    task = start(streams.sync(Sync), door(side), call)
    await settle(side)
    with pytest.raises(RhtmxError) as caught:
        await task
    assert caught.value.code is ErrorCode.STALLED
    assert side.services.metrics.registry.get_sample_value("rhtmx_stalled_total") == 1


async def test_who_asks_with_a_token_that_has_expired_meanwhile_is_refused() -> None:
    async def grants(request: Request) -> Grant:
        return Grant("ada", NOW + 1_000_000)

    for method, question in (
        (streams.watch(Subscribe), WatchRequest(entity="tasks")),
        (streams.sync(Sync), Sync(entity="tasks")),
    ):
        side, call = Side(authenticate=grants), Call(metadata={"authorization": "Bearer t"})
        call._stream.over = False
        task = start(method, door(side), call)
        await settle(side)
        side.now.seconds += 1
        call._stream.say(prefixed(wire.encode_message(question)))
        with pytest.raises(RhtmxError, match="expired"):
            await task
