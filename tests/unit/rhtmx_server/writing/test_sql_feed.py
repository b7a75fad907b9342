"""When it is looked for what an application wrote, and in which order it is applied."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence

import pytest

from rhtmx.errors import ErrorCode, RhtmxError
from rhtmx.messages import PushAck
from rhtmx.wire import ServerMessage, check_json
from rhtmx_server.failures import error_message
from rhtmx_server.model import Mutation
from rhtmx_server.sql_writes import EVERYTHING, SqlLook, SqlMark, SqlPage, SqlStore, SqlWrite
from rhtmx_server.writing.sql_feed import ANEW, SqlFeed
from tests.unit.rhtmx_server.fakes import NOW

MARK = SqlMark("99")


class Table:
    """What waits, and what became of it; a store, a committer and a meter in one.

    Args:
        writes: that wait, as (number, transaction).
    """

    def __init__(self, *writes: tuple[int, str]) -> None:
        self.waiting = {
            number: SqlWrite(number, transaction, "push", "tasks", str(number), b"1")
            for number, transaction in writes
        }
        self.since: list[SqlMark] = []
        self.applied: list[int] = []
        self.rejected: dict[int, str] = {}
        self.counted: dict[str, int] = {}
        self.answers: list[Callable[[Mutation], Sequence[ServerMessage] | None]] = []
        self.leads = True
        self.epoch = "e"
        self.feed = SqlFeed(
            self,
            self.submit,
            lambda: NOW,
            check_json,
            lambda: self.leads,
            self,
            lambda: self.epoch,
        )
        self._line: list[Mutation] = []

    async def sql_look(self, since: SqlMark) -> SqlLook:
        self.since.append(since)
        return SqlLook([*{each.transaction: None for each in self.waiting.values()}], MARK, True)

    async def sql_page(self, transactions: Sequence[str], most: int) -> SqlPage:
        found = [w for t in transactions for w in self.waiting.values() if w.transaction == t]
        return SqlPage(found[:most], len(found) <= most)

    async def sql_reject(self, reasons: Mapping[int, str]) -> None:
        self.rejected |= reasons
        for number in reasons:
            del self.waiting[number]

    def sql_writes(self, result: str, count: int) -> None:
        self.counted[result] = self.counted.get(result, 0) + count

    def submit(self, mutation: Mutation) -> None:
        if not self._line:
            asyncio.get_running_loop().call_soon(self._commit)
        self._line.append(mutation)

    def _commit(self) -> None:
        """One at a time, as a batch that has no time for more."""
        mutation = self._line.pop(0)
        if self._line:
            asyncio.get_running_loop().call_soon(self._commit)
        reply: Sequence[ServerMessage] | None = None
        if mutation.rejection is not None:
            reply = [error_message(mutation.rejection)]
        for answer in self.answers:
            reply = reply if reply is not None else answer(mutation)
        if reply is None:
            reply = [PushAck()]
            for number in mutation.sql_rows:
                self.applied.append(number)
                del self.waiting[number]
        mutation.answer(reply)


def test_a_store_of_this_kind_is_known_by_its_methods() -> None:
    assert isinstance(Table(), SqlStore)


async def test_all_that_waits_is_applied_in_order_whole_transactions_at_a_time() -> None:
    table = Table((1, "a"), (4, "a"), (2, "b"), (3, "c"))
    assert await table.feed.step()
    assert table.applied == [1, 4, 2, 3]
    assert table.counted == {"applied": 4, "rejected": 0}
    assert not await table.feed.step()


async def test_what_was_looked_at_is_not_looked_at_again() -> None:
    table = Table((1, "a"))
    for _ in range(3):
        await table.feed.step()
    assert table.since == [EVERYTHING, MARK, MARK]


async def test_now_and_then_everything_is_looked_at() -> None:
    table = Table()
    for _ in range(2 * ANEW):
        await table.feed.step()
    assert [number for number, each in enumerate(table.since, 1) if each == EVERYTHING] == [
        1,
        ANEW,
        2 * ANEW,
    ]


async def test_everything_is_looked_at_in_another_life_of_the_store() -> None:
    table = Table()
    await table.feed.step()
    table.epoch = "f"
    await table.feed.step()
    assert table.since == [EVERYTHING, EVERYTHING]


async def test_who_does_not_lead_does_not_look_and_begins_anew_afterwards() -> None:
    table = Table((1, "a"))
    await table.feed.step()
    table.leads = False
    assert not await table.feed.step()
    table.leads = True
    await table.feed.step()
    assert table.since == [EVERYTHING, EVERYTHING]


async def test_a_large_transaction_is_applied_in_steps() -> None:
    table = Table(*((number, "a") for number in range(1201)), (1201, "b"))
    assert await table.feed.step()
    assert table.applied == list(range(1202))


def failing(
    number: int, code: ErrorCode, once: bool = False
) -> Callable[[Mutation], Sequence[ServerMessage] | None]:
    """Answers a mutation that has a row with an error."""
    failed: list[bool] = []

    def answer(mutation: Mutation) -> Sequence[ServerMessage] | None:
        if number in mutation.sql_rows and not (once and failed):
            failed.append(True)
            return [error_message(RhtmxError(code, "why"))]
        return None

    return answer


async def test_what_cannot_be_applied_is_rejected_and_keeps_nobody_waiting() -> None:
    table = Table((1, "a"), (2, "b"), (3, "c"))
    table.answers = [failing(2, ErrorCode.UNKNOWN_ENTITY)]
    await table.feed.step()
    assert (table.applied, table.rejected) == ([1, 3], {2: "why"})
    assert table.counted == {"applied": 2, "rejected": 1}


async def test_what_cannot_be_written_now_keeps_all_that_follows_waiting() -> None:
    table = Table((1, "a"), (2, "b"), (3, "c"))
    table.answers = [failing(2, ErrorCode.STORAGE_FAILED, once=True)]
    with pytest.raises(RhtmxError, match="why"):
        await table.feed.step()
    assert (table.applied, table.rejected) == ([1], {})
    await table.feed.step()
    assert (table.applied, table.since) == ([1, 2, 3], [EVERYTHING, EVERYTHING])


async def test_what_is_too_large_together_is_applied_alone_before_all_that_follows() -> None:
    table = Table((1, "a"), (2, "b"), (3, "b"), (4, "c"))
    table.answers = [failing(3, ErrorCode.INVALID_DATA, once=True)]
    await table.feed.step()
    assert (table.applied, table.rejected) == ([1, 2, 3, 4], {})


async def test_of_what_another_server_has_applied_nothing_is_left_out() -> None:
    """Some of its rows may be there still: so everything is looked at again."""
    table = Table((1, "a"), (2, "b"))
    gone: list[ServerMessage] = []
    table.answers = [lambda mutation: gone if 1 in mutation.sql_rows else None]
    await table.feed.step()
    assert table.applied == [2]
    table.answers = []
    await table.feed.step()
    assert (table.applied, table.since) == ([2, 1], [EVERYTHING, EVERYTHING])


async def test_it_goes_on_after_a_failure(caplog: pytest.LogCaptureFixture) -> None:
    table = Table((1, "a"))
    look, failures = table.sql_look, iter([RhtmxError(ErrorCode.STORAGE_FAILED, ""), ValueError()])

    async def fails_twice(since: SqlMark) -> SqlLook:
        for failure in failures:
            raise failure
        return await look(since)

    table.sql_look = fails_twice  # type: ignore[method-assign]
    task = asyncio.create_task(table.feed.run())
    async with asyncio.timeout(30):
        while not table.applied:  # noqa: ASYNC110 (nothing announces it)
            await asyncio.sleep(0)
    task.cancel()
    assert [each.levelname for each in caplog.records if each.name == "rhtmx_server"] == ["ERROR"]
