"""Facts about `rhtmx_server.trackers.calls`."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime

import pytest

from rhtmx.errors import ErrorCode, RhtmxError
from rhtmx.messages import Error, PushAck
from rhtmx.wire import check_json
from rhtmx_server.model import THE_APP, Mutation
from rhtmx_server.trackers.calls import call, encode_value
from tests.unit.rhtmx_server.trackers.builders import push


@dataclass
class Point:
    x: int
    y: int


def encode(value: object) -> bytes | None:
    return encode_value(value, "data", check_json)


async def test_a_call_returns_the_reply_when_it_comes() -> None:
    submitted: asyncio.Queue[Mutation] = asyncio.Queue()
    calling = asyncio.ensure_future(call(submitted.put_nowait, push(b"1", seq=3), "c"))
    mutation = await submitted.get()
    assert mutation.client_id == "c"
    assert mutation.message.seq == 3
    assert mutation.secret == THE_APP
    assert not calling.done()
    ack = PushAck(entity="users", entity_id="1", version=1)
    mutation.answer([ack])
    assert await calling == [ack]


async def test_a_refusal_is_raised_with_all_that_it_says() -> None:
    error = Error(
        message="no", code=ErrorCode.CONFLICT, seq=3, details=b'{"a":1}', retry_after=1500
    )
    with pytest.raises(RhtmxError) as refused:
        await call(lambda mutation: mutation.answer([error]), push(b"1", seq=3), "c")
    assert refused.value.code is ErrorCode.CONFLICT
    assert refused.value.message == "no"
    assert refused.value.seq == 3
    assert refused.value.details == b'{"a":1}'
    assert refused.value.retry_after == 1.5


async def test_a_mutation_that_is_not_taken_raises_at_once() -> None:
    def refuse(mutation: Mutation) -> None:
        raise RhtmxError(ErrorCode.SHUTTING_DOWN, "too late")

    with pytest.raises(RhtmxError, match="too late"):
        await call(refuse, push(b"1"), None)


async def test_an_answer_to_a_cancelled_call_is_dropped() -> None:
    submitted: asyncio.Queue[Mutation] = asyncio.Queue()
    calling = asyncio.ensure_future(call(submitted.put_nowait, push(b"1"), None))
    mutation = await submitted.get()
    calling.cancel()
    with pytest.raises(asyncio.CancelledError):
        await calling
    mutation.answer([PushAck()])


def test_python_values_become_json() -> None:
    assert encode({"a": [1, 2.5, None, True]}) == b'{"a":[1,2.5,null,true]}'
    assert encode(Point(1, 2)) == b'{"x":1,"y":2}'
    assert encode(datetime(2026, 11, 22, tzinfo=UTC)) == b'"2026-11-22T00:00:00Z"'
    assert encode(2**70) == str(2**70).encode()


def test_none_is_null() -> None:
    assert encode(None) is None


def test_bytes_are_json_already_and_pass_untouched() -> None:
    assert encode(b'{ "a": 1.50 }') == b'{ "a": 1.50 }'
    assert encode(b"null") is None


@pytest.mark.parametrize(
    "value",
    [
        float("nan"),
        [float("inf")],
        {"a": {"b": (1.0, float("-inf"))}},
        object(),
        {"a": object()},
        b"{",
        b"NaN",
        "\ud800",
        {"__proto__": 1},
        {"a": "\0"},
    ],
)
def test_what_is_not_safe_json_is_refused_by_name(value: object) -> None:
    with pytest.raises(RhtmxError, match=r"^data: ") as refused:
        encode(value)
    assert refused.value.code is ErrorCode.BAD_MESSAGE


def test_a_value_that_holds_itself_is_refused() -> None:
    endless: list[object] = []
    endless.append(endless)
    with pytest.raises(RhtmxError, match=r"^data: "):
        encode(endless)
