"""Facts about `rhtmx.values.transaction_writes`."""

from __future__ import annotations

import pytest

from rhtmx.errors import ErrorCode, RhtmxError
from rhtmx.messages import ChangeAction, FieldConflict, FieldUpdate, Push, PushFields
from rhtmx.values.transaction_writes import MOST_WRITES, conflicts_of, transaction_of, writes_of

PUT = Push("orders", "7", ChangeAction.UPDATE, b"1", base_version=3)
DROP = Push("carts", "7", ChangeAction.DELETE)
PATCH = PushFields("stock", "tea", [FieldUpdate("left", b"1")], base_version=4, if_unchanged=True)


def test_what_was_put_together_comes_apart_again() -> None:
    message = transaction_of([PUT, DROP, PATCH], 5)
    assert message.seq == 5
    assert writes_of(message) == (PUT, DROP, PATCH)


def test_a_write_alone_is_all_that_is_written() -> None:
    assert writes_of(PUT) == (PUT,)


@pytest.mark.parametrize("count", [0, MOST_WRITES + 1])
def test_no_write_and_more_than_a_server_takes_are_refused(count: int) -> None:
    with pytest.raises(RhtmxError, match=f"1 to 500 writes expected, got {count}") as caught:
        transaction_of([PUT] * count)
    assert caught.value.code is ErrorCode.BAD_MESSAGE


def test_a_conflict_is_of_the_writes_of_its_field() -> None:
    mine = FieldConflict("stock", "tea", "left")
    others = [FieldConflict("stock", "tea", "price"), FieldConflict("stock", "milk", "left")]
    assert conflicts_of(PATCH, [mine, *others]) == [mine]
    assert conflicts_of(PUT, [FieldConflict("orders", "7", "lines")]) == []
