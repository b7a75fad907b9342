"""Facts about `rhtmx.grpc.watch`."""

from __future__ import annotations

import asyncio
import gc
import logging
from collections.abc import AsyncIterator
from typing import Any

import pytest
from grpclib.const import Status
from grpclib.exceptions import GRPCError

from rhtmx.core.error_policy import ConnectionClosed
from rhtmx.core.events import Delivered, Reset, Synced
from rhtmx.errors import ErrorCode, RhtmxError
from rhtmx.grpc.client import Backend
from rhtmx.grpc.codec import GrpcCodec
from rhtmx.grpc.resuming_cursor import ResumingCursor
from rhtmx.grpc.watch import _news
from rhtmx.messages import Envelope, Pong, Position, WatchRequest
from tests.unit.rhtmx.grpc.fake import (
    FOREVER,
    Fake,
    backend_to,
    change,
    field_change,
    fields_synced,
    refusal,
    synced,
)

AWAY = GRPCError(Status.UNAVAILABLE, "restarting")


def at(version: int, epoch: str = "e1") -> Position:
    return Position(epoch=epoch, version=version)


async def take(changes: Any, count: int) -> list[int]:
    """The versions of the next changes."""
    versions = []
    async with asyncio.timeout(60):
        async for each in changes:
            versions.append(each.version)
            if len(versions) == count:
                break
    return versions


async def test_it_yields_what_changes_and_knows_where_it_is(fake: Fake, backend: Backend) -> None:
    fake.streams = [[synced(4), change(5, "7", b'{"a":1}'), change(6), FOREVER]]
    watch = backend.watch("tasks")
    assert watch.position is None
    async for each in watch:
        assert (each.entity, each.entity_id, each.data) == ("tasks", "7", {"a": 1})
        assert (each.version, each.action, each.client_id) == (5, "update", "cafe")
        break
    assert watch.position == at(5)
    assert fake.asked == [WatchRequest("tasks")]


async def test_leaving_the_loop_ends_the_stream(fake: Fake, backend: Backend) -> None:
    fake.streams = [[synced(4), change(5), FOREVER]]
    async for _ in backend.watch("tasks"):
        break
    gc.collect()
    await fake.closed()


async def test_cancelling_the_loop_ends_the_stream(fake: Fake, backend: Backend) -> None:
    fake.streams = [[synced(4), FOREVER]]

    async def read() -> None:
        async for _ in backend.watch("tasks"):
            pass

    task = asyncio.create_task(read())
    await fake.opened()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await fake.closed()


async def test_another_loop_goes_on_where_the_first_one_ended(fake: Fake, backend: Backend) -> None:
    fake.streams = [[synced(4), change(5), FOREVER], [change(6), synced(6), FOREVER]]
    watch = backend.watch("tasks")
    assert await take(watch, 1) == [5]
    assert await take(watch, 1) == [6]
    assert fake.asked[1] == WatchRequest("tasks", at(5))
    assert watch.position == at(5)  # only at the end it is known whether 5 could be resumed


async def test_it_goes_on_over_a_lost_stream(
    fake: Fake, backend: Backend, caplog: pytest.LogCaptureFixture
) -> None:
    fake.streams = [[synced(4), change(5), AWAY], [AWAY], [], [change(6), synced(6), FOREVER]]
    with caplog.at_level(logging.WARNING, "rhtmx"):
        assert await take(backend.watch("tasks"), 2) == [5, 6]
    assert fake.asked[1:] == [WatchRequest("tasks", at(5))] * 3
    assert "'tasks' again in 0.0 s: 'test:1' is not available: restarting" in caplog.text


async def test_what_interrupted_a_catching_up_delivered_does_not_come_twice(
    fake: Fake, backend: Backend
) -> None:
    fake.streams = [[change(5), change(6), AWAY], [change(5), change(6), change(7), FOREVER]]
    assert await take(backend.watch("tasks", since=at(4)), 3) == [5, 6, 7]
    assert fake.asked == [WatchRequest("tasks", at(4))] * 2


async def test_a_commit_of_several_fields_is_resumed_before_it_until_it_is_complete(
    fake: Fake, backend: Backend
) -> None:
    fake.streams = [
        [fields_synced(4), field_change(5, "a", more=True), AWAY],
        [field_change(5, "a", more=True), field_change(5, "b"), fields_synced(5), FOREVER],
    ]
    watch = backend.watch_fields("tasks")
    seen, positions = [], []
    async for each in watch:
        seen.append((each.version, each.field, each.more))
        positions.append(watch.position)
        if len(seen) == 2:
            break
    assert seen == [(5, "a", True), (5, "b", False)]
    assert positions[0] == at(4)
    assert fake.asked[1] == WatchRequest("tasks", at(4))


async def test_everything_is_read_in_a_log_of_a_known_epoch(fake: Fake, backend: Backend) -> None:
    fake.streams = [
        [synced(9), FOREVER],
        [change(1), change(2, "2"), AWAY],
        [change(3, "3"), synced(3), FOREVER],
    ]
    watch = backend.watch("tasks", since=0)
    assert await take(watch, 3) == [1, 2, 3]
    asked = [each.since for each in fake.asked]
    assert asked == [None, at(0), at(2)]
    assert fake.open <= 1  # the one that asked for the epoch is closed


async def test_a_reset_is_told_before_what_comes_anew(fake: Fake, backend: Backend) -> None:
    fake.streams = [[change(2), change(3), synced(9, "e2", reset=True), FOREVER]]
    resets: list[Reset] = []
    watch = backend.watch("tasks", since=at(5), on_reset=resets.append)
    assert await take(watch, 2) == [2, 3]
    [reset] = resets
    assert (reset.entity, reset.position) == ("tasks", at(5))


async def test_a_reset_that_shows_only_at_the_end_has_all_read_again(
    fake: Fake, backend: Backend
) -> None:
    fake.streams = [
        [change(7), synced(9, "e2", reset=True), FOREVER],
        [change(7), change(8), synced(9, "e2"), FOREVER],
    ]
    told: list[Any] = []
    watch = backend.watch("tasks", since=at(5), on_reset=told.append)
    async for each in watch:
        told.append(each.version)
        if each.version == 8:
            break
    assert [each if isinstance(each, int) else "reset" for each in told] == [7, "reset", 7, 8]
    assert fake.asked[1] == WatchRequest("tasks", at(0, "e2"))


async def test_a_reset_that_nobody_takes_is_raised(fake: Fake, backend: Backend) -> None:
    fake.streams = [[change(2), synced(9, "e2", reset=True), FOREVER]]
    watch = backend.watch("tasks", since=at(5))
    with pytest.raises(Reset, match="could not go on at version 5"):
        await take(watch, 1)
    assert watch.position == at(5)
    await fake.closed()


async def test_a_live_stream_that_starts_over_is_a_reset(fake: Fake, backend: Backend) -> None:
    fake.streams = [
        [synced(9), FOREVER],
        [change(1), synced(1), change(2), change(2), synced(3, reset=True), FOREVER],
        [change(3), synced(3), FOREVER],
    ]
    resets: list[Reset] = []
    watch = backend.watch("tasks", since=0, on_reset=resets.append)
    assert await take(watch, 3) == [1, 2, 3]
    assert [each.position for each in resets] == [at(2)]


async def test_a_refusal_is_raised(fake: Fake, backend: Backend) -> None:
    fake.streams = [[refusal(ErrorCode.UNKNOWN_ENTITY, "no entity 'tusks'")]]
    with pytest.raises(RhtmxError, match="no entity 'tusks'") as caught:
        await take(backend.watch("tusks"), 1)
    assert caught.value.code is ErrorCode.UNKNOWN_ENTITY
    with pytest.raises(RhtmxError):
        async with backend.watch("tusks"):
            pass


async def test_a_token_that_had_its_time_is_renewed() -> None:
    fake, tokens = Fake(), iter("abc")
    expired = refusal(ErrorCode.UNAUTHENTICATED, "expired")
    fake.streams = [[synced(4), change(5), expired], [change(6), synced(6), FOREVER]]

    async def token() -> str:
        return next(tokens)

    async with backend_to(fake, token=token) as backend:
        assert await take(backend.watch("tasks"), 2) == [5, 6]
    assert [each["authorization"] for each in fake.metadata] == ["Bearer a", "Bearer b"]


async def test_a_token_that_is_refused_at_once_is_not() -> None:
    fake = Fake()
    fake.streams = [[refusal(ErrorCode.UNAUTHENTICATED, "who?")]]

    async def token() -> str:
        return "a"

    async with backend_to(fake, token=token) as backend:
        with pytest.raises(RhtmxError, match="who\\?"):
            await take(backend.watch("tasks"), 1)


async def test_a_token_that_never_changes_is_not_tried_again(fake: Fake, backend: Backend) -> None:
    fake.streams = [[synced(4), refusal(ErrorCode.UNAUTHENTICATED, "expired")]]
    with pytest.raises(RhtmxError, match="expired"):
        await take(backend.watch("tasks"), 1)


async def test_closing_the_client_ends_the_loop(fake: Fake) -> None:
    fake.streams = [[synced(4), FOREVER]]
    async with backend_to(fake) as backend:
        task = asyncio.create_task(take(backend.watch("tasks"), 1))
        await fake.opened()
    with pytest.raises(ConnectionClosed, match="the client was closed"):
        await task


async def test_a_block_begins_when_the_server_has_taken_it(fake: Fake, backend: Backend) -> None:
    fake.streams = [[synced(4), change(5), change(6), FOREVER]]
    async with backend.watch("tasks") as watch:
        assert fake.open == 1
        assert (await anext(watch)).version == 5
        assert watch.position == at(5)
        assert await take(watch, 1) == [6]
        assert fake.open == 1
    await fake.closed()
    with pytest.raises(RuntimeError, match="async with watch"):
        await anext(watch)


async def test_cancelling_a_wait_loses_no_change(fake: Fake, backend: Backend) -> None:
    sent = asyncio.Event()

    async def later(_: object) -> AsyncIterator[Any]:
        yield synced(4)
        await sent.wait()
        yield change(5)
        await asyncio.Event().wait()

    fake.watch = later  # type: ignore[method-assign, assignment]
    async with backend.watch("tasks") as watch:
        for _ in range(3):
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(anext(watch), 0.005)
        sent.set()
        await asyncio.sleep(0.01)
        assert watch.position == at(4)
        assert (await anext(watch)).version == 5


async def test_an_order_that_cannot_be_is_refused(fake: Fake, backend: Backend) -> None:
    fake.streams = [[change(7), change(6), FOREVER]]
    with pytest.raises(RhtmxError, match="version 6 came after version 7"):
        await take(backend.watch("tasks", since=at(5)), 2)


async def test_a_message_of_a_newer_server_means_nothing_to_a_watch(
    fake: Fake, backend: Backend, monkeypatch: pytest.MonkeyPatch
) -> None:
    encode = GrpcCodec.encode

    def of_tomorrow(codec: GrpcCodec, message: Any, kind: Any) -> bytes:
        unknown = isinstance(message, Envelope) and message.pong is not None
        return b"\xe2\x12\x03abc" if unknown else encode(codec, message, kind)

    monkeypatch.setattr(GrpcCodec, "encode", of_tomorrow)
    new = Envelope(pong=Pong())
    fake.streams = [[new, synced(4), new, change(5), new, change(6), FOREVER]]
    assert await take(backend.watch("tasks"), 2) == [5, 6]
    assert len(fake.asked) == 1


def test_an_envelope_that_holds_several_messages_loses_none() -> None:
    both = change(5)
    both.sync_complete = synced(5).sync_complete
    news = _news(ResumingCursor("tasks", None), both)
    assert [type(each) for each in news] == [Delivered, Synced]


async def test_it_waits_as_long_as_a_server_says_that_is_too_busy(
    fake: Fake, backend: Backend, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits: list[float] = []

    async def sleep(seconds: float) -> None:
        waits.append(seconds)

    monkeypatch.setattr("rhtmx.grpc.watch.asyncio.sleep", sleep)
    busy = refusal(ErrorCode.RATE_LIMITED, wait="7500")
    fake.streams = [[busy], [synced(4), change(5), FOREVER]]
    assert await take(backend.watch("tasks", since=at(4)), 1) == [5]
    assert waits == [7.5]
