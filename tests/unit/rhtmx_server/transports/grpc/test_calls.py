"""Facts about `rhtmx_server.transports.grpc.calls`."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from grpclib.const import Status
from h2.exceptions import StreamClosedError

from rhtmx.errors import ErrorCode, RhtmxError
from rhtmx.messages import Push
from rhtmx_server.config import Config
from rhtmx_server.transports.grpc.calls import (
    answer,
    answering,
    opened,
    patience,
    receive,
    receive_bytes,
    receive_one,
    send,
)
from rhtmx_server.transports.grpc.door import Door
from rhtmx_server.transports.grpc.guards import GrpcLimits
from tests.unit.rhtmx_server.connecting import Clock, Side
from tests.unit.rhtmx_server.fakes import push
from tests.unit.rhtmx_server.transports.grpc.peers import Call, door


async def ended(failure: Exception | None) -> dict[str, Any] | None:
    async def method(door: Door, stream: Any) -> None:
        if failure is not None:
            raise failure

    call = Call()
    await answering(door(Side()), "Push", method)(call.stream)
    return call.ended


async def test_an_error_becomes_a_status() -> None:
    told = await ended(RhtmxError(ErrorCode.UNKNOWN_ENTITY, "no"))
    assert told is not None
    assert (told["status"], told["status_message"]) == (Status.NOT_FOUND, "no")


async def test_a_call_that_ends_well_is_left_alone() -> None:
    assert await ended(None) is None


async def test_a_failure_is_told_as_an_id_only(caplog: pytest.LogCaptureFixture) -> None:
    told = await ended(ValueError("secret"))
    assert told is not None
    assert told["status"] is Status.INTERNAL
    assert "secret" not in str(told) + caplog.text
    assert "answering Push failed" in caplog.text


async def test_a_peer_that_is_gone_is_told_nothing() -> None:
    assert await ended(StreamClosedError(1)) is None


async def test_a_peer_has_its_time_to_take_what_it_is_sent() -> None:
    side = Side(Config(stall_timeout=0.05))
    async with patience(door(side)):
        pass
    with pytest.raises(RhtmxError) as caught:
        async with patience(door(side)):
            await asyncio.Event().wait()
    assert caught.value.code is ErrorCode.STALLED
    assert side.services.metrics.registry.get_sample_value("rhtmx_stalled_total") == 1


async def test_messages_come_one_after_the_other_and_then_none() -> None:
    call = Call(push("1"), push("2"))
    assert (await receive_one(call.stream, Push)).entity_id == "1"
    last = await receive(call.stream, Push)
    assert last is not None
    assert last.entity_id == "2"
    assert await receive(call.stream, Push) is None
    with pytest.raises(RhtmxError, match="one Push expected, got nothing"):
        await receive_one(call.stream, Push)


async def test_a_compressed_message_is_not_taken() -> None:
    call = Call()
    call._stream.say(b"\x01\x00\x00\x00\x01x")
    with pytest.raises(RhtmxError) as caught:
        await receive_bytes(call.stream)
    assert caught.value.code is ErrorCode.NOT_SUPPORTED


async def test_a_message_that_ends_before_its_beginning_is_none() -> None:
    call = Call()
    call._stream.say(b"\x00\x00\x00\x00\x05")  # five bytes announced, and none sent
    with pytest.raises(RhtmxError, match="in the middle") as caught:
        await receive_bytes(call.stream)
    assert caught.value.code is ErrorCode.BAD_MESSAGE


async def test_more_calls_than_allowed_are_told_how_long_to_wait() -> None:
    calls: list[str] = []

    async def method(door: Door, stream: Any) -> None:
        calls.append("made")

    call, clock = Call(), Clock()
    call._stream.connection.limits = GrpcLimits(10, 1000, 2, clock)
    for _ in range(3):
        await answering(door(Side()), "Push", method)(call.stream)
    assert calls == ["made"] * 2
    assert call.ended is not None
    assert call.ended["status"] is Status.RESOURCE_EXHAUSTED
    assert call.ended["metadata"] == {"rhtmx-code": "rate_limited", "rhtmx-retry-after": "500"}
    clock.seconds += 0.5
    await answering(door(Side()), "Push", method)(call.stream)
    assert calls == ["made"] * 3


async def test_an_answer_counts_while_it_waits() -> None:
    call = Call()
    room = call._stream.connection.answers
    call._stream.takes.clear()
    task = asyncio.create_task(answer(door(Side()), call.stream, push()))
    await asyncio.sleep(0)
    assert room.kept > 0
    call._stream.takes.set()
    await task
    assert (room.kept, call.heard(Push)) == (0, [push()])
    assert call._send_message_done


async def test_an_answer_that_is_not_taken_is_dropped_in_time() -> None:
    call, side = Call(), Side(Config(stall_timeout=0.05))
    call._stream.takes.clear()
    with pytest.raises(RhtmxError) as caught:
        await answer(door(side), call.stream, push())
    assert caught.value.code is ErrorCode.STALLED
    assert call._stream.connection.answers.kept == 0


@pytest.mark.parametrize("window", [0, 10, 1000])
async def test_where_too_many_answers_wait_one_that_does_not_fit_is_dropped(window: int) -> None:
    call = Call()
    room = call._stream.connection.answers
    room.keep(room.limit + 1)
    call._stream._h2_connection.window = window
    sending = answer(door(Side()), call.stream, push())
    if window == 1000:
        await sending
        assert call.heard(Push) == [push()]
    else:
        with pytest.raises(RhtmxError) as caught:
            await sending
        assert caught.value.code is ErrorCode.STALLED
    assert room.kept == room.limit + 1


async def test_what_is_large_goes_out_in_pieces_each_with_its_time() -> None:
    call = Call()
    room = call._stream.connection.pages
    room.keep(40_000)
    await send(door(Side()), call.stream, bytes(40_000), room)
    assert [len(each) for each in call._stream.taken] == [16_384, 16_384, 7_232]
    assert room.kept == 0


async def test_who_takes_nothing_is_waited_for_but_not_for_ever() -> None:
    call, side = Call(), Side(Config(stall_timeout=0.05))
    await opened(door(side), call.stream)
    call._stream._h2_connection.window = 0
    with pytest.raises(RhtmxError) as caught:
        await opened(door(side), call.stream)
    assert caught.value.code is ErrorCode.STALLED
