"""Facts about `rhtmx_server.transports.grpc.pushes`."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from rhtmx import wire
from rhtmx.errors import ErrorCode, RhtmxError
from rhtmx.messages import (
    Error,
    FieldConflict,
    FieldPushAck,
    Push,
    PushAck,
    PushFieldsResponse,
    PushOutcome,
)
from rhtmx_server.access.grant import Grant
from rhtmx_server.access.request import Request
from rhtmx_server.config import Config
from rhtmx_server.times import to_datetime
from rhtmx_server.transports.grpc import pushes
from rhtmx_server.transports.grpc.caller import Caller
from rhtmx_server.transports.grpc.framing import prefixed
from tests.unit.rhtmx_server.connecting import Side
from tests.unit.rhtmx_server.fakes import NOW, push, push_fields
from tests.unit.rhtmx_server.transports.grpc.peers import Call, door

NAME = {"x-rhtmx-client-id": "ada"}


def ack(message: Push, version: int = 1) -> PushAck:
    return PushAck(entity=message.entity, entity_id=message.entity_id, version=version)


async def settle() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


async def test_a_push_is_answered_when_it_is_durable() -> None:
    side, call = Side(), Call(push(), metadata=NAME)
    task = asyncio.create_task(pushes.push(door(side), call.stream))
    await settle()
    (mutation,) = side.committer.mutations
    assert (mutation.client_id, call.heard(PushAck)) == ("ada", [])
    side.answer(ack(push(), 7))
    await task
    assert [each.version for each in call.heard(PushAck)] == [7]


async def test_a_refusal_comes_back_as_it_was() -> None:
    side, call = Side(), Call(push())
    task = asyncio.create_task(pushes.push(door(side), call.stream))
    await settle()
    side.answer(Error(message="moved on", code=ErrorCode.CONFLICT, details=b"{}"))
    with pytest.raises(RhtmxError, match="moved on") as caught:
        await task
    assert (caught.value.code, caught.value.details) == (ErrorCode.CONFLICT, b"{}")


async def test_a_push_whose_caller_is_gone_is_still_written() -> None:
    side, call = Side(), Call(push())
    task = asyncio.create_task(pushes.push(door(side), call.stream))
    await settle()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert side.committer.pushed == [push()]
    side.answer(ack(push()))  # nobody is there, and nothing breaks


async def test_conflicts_come_with_the_acknowledgement() -> None:
    side, call = Side(), Call(push_fields())
    task = asyncio.create_task(pushes.push_fields(door(side), call.stream))
    await settle()
    time = to_datetime(NOW)
    conflict = FieldConflict(field="a", server_timestamp=time, client_timestamp=time)
    side.answer(conflict, FieldPushAck(applied=1, conflicts=1))
    await task
    (response,) = call.heard(PushFieldsResponse)
    assert response.ack is not None
    assert (response.ack.applied, response.conflicts) == (1, [conflict])


def test_what_is_refused_for_its_content_takes_its_place_in_the_order() -> None:
    side = Side(entities=frozenset({"tasks"}))
    caller = Caller(side.services, client_id="ada")
    for message in (push(entity="no", seq=1), push(entity_id="", seq=2)):
        pushes.submit(caller, message, lambda reply: None)
    refused = [mutation.rejection for mutation in side.committer.mutations]
    assert [error.code for error in refused if error] == [
        ErrorCode.UNKNOWN_ENTITY,
        ErrorCode.BAD_MESSAGE,
    ]


def test_what_gives_the_right_to_the_id_goes_along_with_each_push() -> None:
    side = Side()
    caller = Caller(side.services, client_id="ada", secret=b"hash")
    for message in (push(seq=1), push(), push_fields(seq=2)):
        pushes.submit(caller, message, lambda reply: None)
    assert [mutation.secret for mutation in side.committer.mutations] == 3 * [b"hash"]


def test_a_number_without_a_client_is_refused_in_its_turn() -> None:
    side = Side()
    pushes.submit(Caller(side.services), push(seq=1), lambda reply: None)
    (mutation,) = side.committer.mutations
    assert mutation.rejection is not None
    assert "numbers belong to a client_id" in mutation.rejection.message


def test_a_token_that_has_expired_meanwhile_writes_nothing() -> None:
    side = Side()
    caller = Caller(side.services, until=side.now() + 1)
    pushes.submit(caller, push("1"), lambda reply: None)
    side.now.seconds += 1
    with pytest.raises(RhtmxError, match="expired") as caught:
        pushes.submit(caller, push("2"), lambda reply: None)
    assert caught.value.code is ErrorCode.UNAUTHENTICATED
    assert side.committer.pushed == [push("1")]


class Many:
    """A `PushMany` under way."""

    def __init__(
        self, *said: Push, most: int = 100, config: Config | None = None, each: bool = False
    ) -> None:
        self.side = Side(config or Config(pushes_in_flight=most))
        self.call = Call(*said)
        self.call._stream.over = False
        method: Any = pushes.pushes(each=each)
        self.task = asyncio.create_task(method(door(self.side), self.call.stream))

    def say(self, *said: Push) -> None:
        for each in said:
            self.call._stream.say(prefixed(wire.encode_message(each)))

    def end(self) -> None:
        self.call._stream.over = True
        self.call._stream.more.set()

    @property
    def answered(self) -> list[int]:
        return [ack.version for ack in self.call.heard(PushAck)]

    @property
    def outcomes(self) -> list[int | str]:
        """The version of each push, or the words of its refusal."""
        heard = self.call.heard(PushOutcome)
        assert all((each.ack is None) != (each.error is None) for each in heard)
        return [each.ack.version if each.ack else each.error.message for each in heard]  # type: ignore[union-attr]

    def reply(self, count: int, first: int = 1) -> None:
        for version in range(first, first + count):
            self.side.answer(ack(push(), version))


async def test_many_pushes_are_under_way_before_the_first_is_answered() -> None:
    many = Many(*(push(str(n)) for n in range(50)))
    await settle()
    assert len(many.side.committer.mutations) == 50
    assert many.call.began
    many.reply(50)
    await settle()
    assert many.answered == list(range(1, 51))
    assert len(many.call._stream.taken) == 1  # in one piece
    many.end()
    await many.task


async def test_reading_waits_when_as_many_as_allowed_are_under_way() -> None:
    many = Many(*(push(str(n)) for n in range(10)), most=4)
    await settle()
    assert len(many.side.committer.mutations) == 4
    many.reply(2)
    await settle()
    assert len(many.side.committer.mutations) == 4
    many.reply(4, 3)
    await settle()
    many.reply(4, 7)
    many.end()
    await many.task
    assert many.answered == list(range(1, 11))


async def test_a_peer_that_takes_no_answers_is_not_read_either() -> None:
    many = Many(*(push(str(n)) for n in range(10)), most=4)
    many.call._stream.takes.clear()
    await settle()
    for _ in range(3):
        many.reply(len(many.side.committer.mutations))
        await settle()
    assert many.side.committer.mutations == []
    many.call._stream.takes.set()
    await settle()
    assert len(many.side.committer.mutations) == 4
    many.task.cancel()


async def test_a_peer_that_never_takes_them_is_cut_off() -> None:
    many = Many(push("1"), config=Config(stall_timeout=0.05))
    many.call._stream.takes.clear()
    await settle()
    many.reply(1)
    with pytest.raises(RhtmxError) as caught:
        await many.task
    assert caught.value.code is ErrorCode.STALLED


async def test_the_first_error_ends_it_after_the_answers_to_all_before() -> None:
    many = Many(*(push(str(n)) for n in range(4)))
    await settle()
    many.reply(2)
    many.side.answer(Error(message="no", code=ErrorCode.CONFLICT))
    many.reply(1, 4)
    with pytest.raises(RhtmxError) as caught:
        await many.task
    assert caught.value.code is ErrorCode.CONFLICT
    assert many.answered == [1, 2]


async def test_after_an_error_nothing_more_is_submitted() -> None:
    many = Many(push("1"))
    await settle()
    many.side.answer(Error(message="no", code=ErrorCode.CONFLICT))
    many.say(push("2"))
    with pytest.raises(RhtmxError):
        await many.task
    await settle()
    assert many.side.committer.mutations == []


async def test_what_cannot_be_read_ends_it_when_the_rest_is_answered() -> None:
    many = Many(push("1"))
    many.call._stream.say(prefixed(b"\xff"))
    await settle()
    assert not many.task.done()
    many.reply(1)
    with pytest.raises(RhtmxError) as caught:
        await many.task
    assert caught.value.code is ErrorCode.BAD_MESSAGE
    assert many.answered == [1]


async def test_a_stopping_server_answers_what_is_under_way() -> None:
    side, call = Side(), Call(push("1"))
    call._stream.over = False
    opened: Any = door(side)
    method: Any = pushes.pushes(each=False)
    task = asyncio.create_task(method(opened, call.stream))
    await settle()
    await opened.end(0.0)
    await settle()
    assert not task.done()
    side.answer(ack(push("1")))
    with pytest.raises(RhtmxError) as caught:
        await task
    assert caught.value.code is ErrorCode.SHUTTING_DOWN
    assert len(call._stream.taken) == 1


async def test_with_outcomes_a_refusal_keeps_nothing_behind_it_from_being_written() -> None:
    many = Many(*(push(str(n)) for n in range(4)), each=True)
    await settle()
    many.reply(1)
    many.side.answer(Error(message="moved on", code=ErrorCode.CONFLICT, details=b"{}"))
    many.reply(1, 3)
    many.side.answer(Error(message="no", code=ErrorCode.UNKNOWN_ENTITY))
    await settle()
    many.say(push("5"))
    await settle()
    many.reply(1, 5)
    many.end()
    await many.task
    assert many.outcomes == [1, "moved on", 3, "no", 5]
    error = many.call.heard(PushOutcome)[1].error
    assert error is not None
    assert (error.code, error.details) == (ErrorCode.CONFLICT, b"{}")
    figure = many.side.services.metrics.registry.get_sample_value
    assert figure("rhtmx_rejected_total", {"code": "conflict"}) == 1


async def test_with_outcomes_what_cannot_be_read_is_refused_in_its_turn() -> None:
    many = Many(push("1"), each=True)
    many.call._stream.say(prefixed(b"\xff"))
    many.say(push("3"))
    await settle()
    refusals = [mutation.rejection for mutation in many.side.committer.mutations]
    assert [error and error.code for error in refusals] == [None, ErrorCode.BAD_MESSAGE, None]
    many.task.cancel()


async def test_an_expired_token_ends_a_stream_of_pushes_after_the_answers_before_it() -> None:
    async def grants(request: Request) -> Grant:
        return Grant("ada", NOW + 1_000_000)

    side, call = Side(authenticate=grants), Call(metadata={"authorization": "Bearer t"})
    call._stream.over = False
    method: Any = pushes.pushes(each=True)
    task = asyncio.create_task(method(door(side), call.stream))
    call._stream.say(prefixed(wire.encode_message(push("1"))))
    await settle()
    side.now.seconds += 1
    call._stream.say(prefixed(wire.encode_message(push("2"))))
    await settle()
    side.answer(ack(push("1")))
    with pytest.raises(RhtmxError) as caught:
        await task
    assert caught.value.code is ErrorCode.UNAUTHENTICATED
    assert side.committer.mutations == []
    assert len(call.heard(PushOutcome)) == 1


async def test_nothing_is_read_while_as_much_as_may_waits_in_other_answers() -> None:
    many = Many(push("1"))
    room = many.call._stream.connection.answers
    room.keep(room.limit + 1)
    await settle()
    assert many.side.committer.mutations == []
    room.free(room.limit + 1)
    await settle()
    assert len(many.side.committer.mutations) == 1
    many.task.cancel()
