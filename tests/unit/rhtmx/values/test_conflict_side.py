"""Facts about `rhtmx.values.conflict_side`."""

from __future__ import annotations

import pytest

from rhtmx.errors import RhtmxError
from rhtmx.messages import FieldAction
from rhtmx.unknown_enum_values import unknown
from rhtmx.values.conflict_side import DELETED, ConflictSide, merged
from rhtmx.values.field_operations import Increment


def test_null_is_no_deletion() -> None:
    null = ConflictSide(None)
    assert (null.value, null.deleted, null.operation) == (None, False, None)
    assert (DELETED.value, DELETED.deleted, DELETED.operation) == (None, True, None)


def test_an_operation_is_one_as_an_application_writes_it() -> None:
    side = ConflictSide(b"2", FieldAction.INCREMENT)
    assert (side.value, side.operation, side.deleted) == (Increment(2), "increment", False)


def test_an_operation_of_a_newer_server_has_its_word_and_its_operand() -> None:
    side = ConflictSide(b"[2]", unknown(FieldAction, "splice"))
    assert (side.value, side.operation, side.deleted) == ([2], "splice", False)


def test_a_third_value_is_a_value_or_an_operation_that_json_can_hold() -> None:
    assert merged([1]) == ConflictSide(b"[1]")
    assert merged(Increment(2)) == ConflictSide(b"2", FieldAction.INCREMENT)
    with pytest.raises(RhtmxError, match=r"merge\.value"):
        merged(float("nan"))
