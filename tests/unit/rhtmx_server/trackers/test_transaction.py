"""Facts about `rhtmx_server.trackers.transaction`."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

import rhtmx
from rhtmx.errors import ErrorCode, RhtmxError
from rhtmx.messages import (
    ChangeAction,
    Error,
    FieldAction,
    FieldConflict,
    Transaction,
    TransactionAck,
    WriteResult,
)
from rhtmx.wire import check_json
from rhtmx_server.model import THE_APP, Mutation
from rhtmx_server.times import to_micros
from rhtmx_server.trackers.transaction import AppTransaction

NOW = datetime(2026, 11, 29, 10, 0, tzinfo=UTC)
PAST = datetime(2026, 11, 28, tzinfo=UTC)


class Committer:
    """Takes mutations, and answers them as if they were written."""

    def __init__(self) -> None:
        self.mutations: list[Mutation] = []
        self.error: Error | None = None

    def submit(self, mutation: Mutation) -> None:
        self.mutations.append(mutation)
        if self.error is not None:
            mutation.answer([self.error])
            return
        message = mutation.message
        assert isinstance(message, Transaction)
        results = [WriteResult(each.entity, each.entity_id, 1) for each in message.writes]
        conflict = FieldConflict("stock", "tea", "left", server_timestamp=NOW, client_timestamp=NOW)
        mutation.answer([conflict, TransactionAck("t", results)])

    @property
    def message(self) -> Transaction:
        (mutation,) = self.mutations
        assert isinstance(mutation.message, Transaction)
        return mutation.message


def begin(
    committer: Committer, seq: int | None = None, at: datetime | None = None
) -> AppTransaction:
    return AppTransaction(
        committer.submit, check_json, lambda: to_micros(NOW), client_id="me", seq=seq, timestamp=at
    )


async def test_all_that_is_written_in_the_block_is_one_mutation_at_its_end() -> None:
    committer = Committer()
    async with begin(committer, seq=3) as both:
        both.set("orders", "7", {"goods": ["tea"]}, base_version=0)
        both.patch("stock", "tea", {"left": rhtmx.Increment(-1)}, delete=["note"], base_version=4)
        both.delete("carts", "7", base_version=2)
        both.patch("stock", "mug", {"left": 3}, base_version=5, if_unchanged=True)
        assert committer.mutations == []
    order, stock, cart, mug = committer.message.writes
    assert (order.action, order.data, order.base_version) == (
        ChangeAction.UPDATE, b'{"goods":["tea"]}', 0,
    )  # fmt: skip
    assert (stock.action, stock.base_version) == (None, 4)
    assert [(each.field, each.action, each.value, each.timestamp) for each in stock.fields] == [
        ("left", FieldAction.INCREMENT, b"-1", NOW),
        ("note", FieldAction.DELETE, None, NOW),
    ]
    assert (cart.action, cart.base_version) == (ChangeAction.DELETE, 2)
    assert (mug.base_version, mug.if_unchanged, stock.if_unchanged) == (5, True, None)
    (mutation,) = committer.mutations
    assert (mutation.client_id, mutation.message.seq, mutation.secret) == ("me", 3, THE_APP)
    assert [each.entity for each in both.result.results] == ["orders", "stock", "carts", "stock"]
    assert [each.field for each in both.result.conflicts] == ["left"]


async def test_its_time_is_the_one_that_it_was_given() -> None:
    committer = Committer()
    async with begin(committer, at=PAST) as one:
        one.patch("stock", "tea", {"left": 1})
    assert committer.message.writes[0].fields[0].timestamp == PAST


async def test_a_block_that_raises_writes_nothing() -> None:
    committer = Committer()
    one = begin(committer)
    one.set("orders", "7", 1)
    with pytest.raises(ZeroDivisionError):
        async with one:
            raise ZeroDivisionError
    assert committer.mutations == []


async def test_its_result_is_there_after_the_block_only() -> None:
    committer = Committer()
    async with begin(committer) as one:
        one.set("orders", "7", 1)
        with pytest.raises(RhtmxError, match="there after `async with`"):
            one.result  # noqa: B018
    assert one.result.transaction == "t"


async def test_one_that_was_rejected_is_raised_and_has_no_result() -> None:
    committer = Committer()
    committer.error = Error("moved on", ErrorCode.CONFLICT, details=b'{"writes":[]}')
    one = begin(committer)
    one.set("orders", "7", 1)
    with pytest.raises(RhtmxError, match="moved on") as caught:
        async with one:
            pass
    assert caught.value.details == b'{"writes":[]}'
    with pytest.raises(RhtmxError, match="there after"):
        one.result  # noqa: B018


async def test_what_cannot_be_written_is_refused_where_it_is_said() -> None:
    one = begin(Committer())
    with pytest.raises(RhtmxError, match="data: cannot be written as JSON"):
        one.set("orders", "7", object())
    with pytest.raises(RhtmxError, match=r"fields\['a'\]: holds NaN"):
        one.patch("orders", "7", {"a": float("nan")})
    with pytest.raises(RhtmxError, match="nothing to write"):
        one.patch("orders", "7", {})


async def test_one_without_a_write_does_nothing_unless_its_number_would_be_missing() -> None:
    committer = Committer()
    async with begin(committer) as one:
        pass
    assert one.result == rhtmx.TransactionResult("", (), duplicate=False)
    with pytest.raises(RhtmxError, match="1 to 500 writes expected, got 0"):
        async with begin(committer, seq=3):
            pass
    assert committer.mutations == []
