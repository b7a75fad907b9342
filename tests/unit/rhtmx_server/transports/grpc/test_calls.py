"""Facts about `rhtmx_server.transports.grpc.calls`."""

from __future__ import annotations

from typing import Any

import pytest
from grpclib.const import Status
from h2.exceptions import StreamClosedError

from rhtmx.errors import ErrorCode, RhtmxError
from rhtmx.messages import Push
from rhtmx_server.transports.grpc.calls import answering, receive, receive_bytes, receive_one
from rhtmx_server.transports.grpc.door import Door
from tests.unit.rhtmx_server.connections import Side
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
