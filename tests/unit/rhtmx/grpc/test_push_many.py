"""Facts about `rhtmx.grpc.push_many`."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from grpclib.exceptions import GRPCError

from rhtmx import messages
from rhtmx.errors import ErrorCode, RhtmxError
from rhtmx.grpc.client import Backend
from rhtmx.grpc.push_many import ROUTE, Delete, PushOutcome, Write
from rhtmx.messages import ChangeAction, Error, Push
from tests.unit.rhtmx.grpc.fake import Fake, drain, refusal


def writes(count: int) -> Iterator[Write]:
    return (Write("prices", str(n), {"bid": n}, seq=n + 1) for n in range(count))


def test_the_route_is_one_of_the_service() -> None:
    assert ROUTE in Fake().__mapping__()


async def test_results_come_in_order(fake: Fake, backend: Backend) -> None:
    results = [each async for each in backend.push_many(writes(500))]
    assert [each.entity_id for each in results] == [str(n) for n in range(500)]
    assert [each.version for each in results] == list(range(1, 501))
    assert [each.seq for each in fake.asked] == list(range(1, 501))


async def test_writes_may_come_over_time_and_be_deletes(fake: Fake, backend: Backend) -> None:
    async def source() -> AsyncIterator[Write | Delete]:
        yield Write("tasks", "1", {"a": 1}, base_version=0)
        await asyncio.sleep(0)
        yield Delete("tasks", "2", base_version=4, seq=7)

    results = [each async for each in backend.push_many(source())]
    assert [each.entity_id for each in results] == ["1", "2"]
    assert [(each.action, each.data, each.base_version, each.seq) for each in fake.asked] == [
        (ChangeAction.UPDATE, b'{"a":1}', 0, None),
        (ChangeAction.DELETE, None, 4, 7),
    ]


async def test_a_result_may_decide_what_is_written_next(fake: Fake, backend: Backend) -> None:
    """Many are in flight, but none waits for another to be sent."""
    answered = asyncio.Event()

    async def source() -> AsyncIterator[Write]:
        yield Write("tasks", "1", {})
        await answered.wait()
        yield Write("tasks", "2", {})

    async for each in backend.push_many(source()):
        assert each.entity_id in ("1", "2")
        answered.set()
    assert len(fake.asked) == 2


async def test_nothing_to_write_is_no_error(backend: Backend) -> None:
    assert [each async for each in backend.push_many([])] == []


async def test_a_refusal_is_one_outcome_of_many(fake: Fake, backend: Backend) -> None:
    def refuses(push: Push) -> Error | None:
        if push.entity_id not in ("3", "7"):
            return None
        return Error("moved on", ErrorCode.CONFLICT, seq=push.seq, details=b"{}", retry_after=1500)

    fake.refuses_push = refuses
    outcomes = [each async for each in backend.push_many(writes(500))]
    assert [each.entity_id for each in outcomes] == [str(n) for n in range(500)]
    assert [each.entity_id for each in outcomes if each.error] == ["3", "7"]
    assert [each.write.seq for each in outcomes if each.version is None] == [4, 8]
    assert [each.version for each in outcomes if each.version] == list(range(1, 499))
    error = outcomes[3].error
    assert error is not None
    assert (error.code, error.message, error.seq) == (ErrorCode.CONFLICT, "moved on", 4)
    assert (error.details, error.retry_after) == (b"{}", 1.5)


async def test_an_outcome_of_a_newer_server_is_no_success(fake: Fake, backend: Backend) -> None:
    fake.refuses_push = lambda push: Error("x")
    (outcome,) = [each async for each in backend.push_many([Delete("tasks", "1")])]
    assert outcome.error is not None
    assert outcome.error.code is ErrorCode.UNSPECIFIED
    unknown = PushOutcome.of(outcome.write, messages.PushOutcome())
    assert (unknown.version, unknown.entity) == (None, "tasks")
    assert unknown.error is not None
    assert "does not understand" in unknown.error.message


@pytest.mark.parametrize("count", [5, 5000])
async def test_the_end_comes_after_the_outcomes_before_it(
    fake: Fake, backend: Backend, count: int
) -> None:
    def ends(push: Push) -> GRPCError | None:
        stopping = refusal(ErrorCode.SHUTTING_DOWN, "stopping", b"{}")
        return stopping if push.entity_id == "3" else None

    fake.refuses_push = ends
    outcomes: list[PushOutcome] = []
    with pytest.raises(RhtmxError, match="stopping") as caught:
        await drain(backend.push_many(writes(count)), outcomes)
    assert (caught.value.code, caught.value.details) == (ErrorCode.SHUTTING_DOWN, b"{}")
    assert [each.entity_id for each in outcomes] == ["0", "1", "2"]
    await fake.closed()


async def test_what_was_given_before_a_failure_is_still_written(
    fake: Fake, backend: Backend
) -> None:
    def source() -> Iterator[Write]:
        yield from writes(2)
        raise OSError("the file ends here")

    results: list[PushOutcome] = []
    with pytest.raises(OSError, match="the file ends here"):
        await drain(backend.push_many(source()), results)
    assert [each.entity_id for each in results] == ["0", "1"]


@pytest.mark.parametrize(
    ("wrong", "path"),
    [
        (Write("t", "2", object(), seq=2), "push.data"),
        (Write("t", "2", {"__proto__": 1}, seq=2), "push.data"),
        (Write("t", "2", float("nan"), seq=2), "push.data"),
        (Delete("t", "x" * 256, seq=2), "push.entity_id"),
        (Write("", "2", {}, seq=2), "push.entity"),
        (Write("t", "\ud800", {}, seq=2), "push.entity_id"),
        (Delete("t", "2", base_version=-1, seq=2), "push.base_version"),
    ],
)
async def test_one_that_cannot_be_sent_has_its_outcome_in_its_turn_and_uses_up_its_number(
    fake: Fake, backend: Backend, wrong: Write | Delete, path: str
) -> None:
    fake.refuses_push = lambda push: None if push.entity else Error("no", ErrorCode.BAD_MESSAGE)
    given = [Write("t", "1", {}, seq=1), wrong, Write("t", "3", {}, seq=3)]
    outcomes = [each async for each in backend.push_many(given)]
    assert [each.write for each in outcomes] == given
    assert [each.version for each in outcomes] == [1, None, 2]
    error = outcomes[1].error
    assert error is not None
    assert (error.code, error.message.partition(":")[0]) == (ErrorCode.BAD_MESSAGE, path)
    assert [each.seq for each in fake.asked] == [1, 2, 3]


@pytest.mark.parametrize("seq", [-1, 2**53, "1", True])
async def test_a_number_that_is_none_is_refused_and_not_sent(
    fake: Fake, backend: Backend, seq: Any
) -> None:
    fake.refuses_push = lambda push: Error("no", ErrorCode.BAD_MESSAGE)
    (outcome,) = [each async for each in backend.push_many([Delete("t", "1", seq=seq)])]
    assert outcome.error is not None
    assert outcome.error.message.startswith("push.seq: ")
    assert [each.seq for each in fake.asked] == [None]


async def test_what_is_no_write_ends_it_after_those_before(fake: Fake, backend: Backend) -> None:
    results: list[PushOutcome] = []
    given: Any = [*writes(2), ("prices", "2", {}), *writes(1)]
    with pytest.raises(AttributeError):
        await drain(backend.push_many(given), results)
    assert [each.entity_id for each in results] == ["0", "1"]


async def test_one_that_cannot_be_sent_may_decide_what_is_written_next(
    fake: Fake, backend: Backend
) -> None:
    fake.refuses_push = lambda push: None if push.entity else Error("no", ErrorCode.BAD_MESSAGE)
    told = asyncio.Event()

    async def source() -> AsyncIterator[Write]:
        yield Write("tasks", "", {})
        await told.wait()
        yield Write("tasks", "2", {})

    seen = []
    async for each in backend.push_many(source()):
        seen.append(each.version)
        told.set()
    assert seen == [None, 1]


async def test_leaving_the_loop_ends_the_stream(fake: Fake, backend: Backend) -> None:
    ended = asyncio.Event()

    async def endless() -> AsyncIterator[Write]:
        try:
            while True:
                yield Write("tasks", "1", {})
                await asyncio.sleep(0)
        finally:
            ended.set()

    async for _ in backend.push_many(endless()):
        break
    gc.collect()
    await fake.closed()
    await asyncio.wait_for(ended.wait(), 60)


async def test_it_has_a_time_for_all_of_it(fake: Fake, backend: Backend) -> None:
    async def hanging() -> AsyncIterator[Write]:
        yield Write("tasks", "1", {})
        await asyncio.Event().wait()

    with pytest.raises(TimeoutError, match=r"within 0\.02 s"):
        await drain(backend.push_many(hanging(), timeout=0.02), [])
    await fake.closed()
