"""Facts about `rhtmx.core.conflict_log`."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from rhtmx.core import build_message
from rhtmx.core.conflict_log import answered_meanwhile, is_removal, log_of, removal
from rhtmx.core.storage_ops import Mutation
from rhtmx.errors import ErrorCode, RhtmxError
from rhtmx.messages import FieldAction
from rhtmx.values.transaction_writes import transaction_of

AT = datetime(2026, 1, 1, tzinfo=UTC)
WRITE = build_message.push_fields("tasks", "1", {"a": 1}, [], 7, AT)
GONE = removal("tasks", "1", 12, AT)
BOTH = transaction_of([WRITE, GONE])


def conflict(*places: int, code: str = "conflict") -> RhtmxError:
    faults = [{"index": each, "code": code} for each in places]
    details = json.dumps({"writes": faults}).encode()
    return RhtmxError(ErrorCode.CONFLICT, "no", request_id="r", details=details)


def test_a_conflict_is_answered_by_the_removal_of_its_field_unless_it_was() -> None:
    assert (GONE.entity, GONE.entity_id) == (log_of("tasks"), "1")
    assert (GONE.base_version, GONE.if_unchanged) == (12, True)
    assert [(each.field, each.action) for each in GONE.fields] == [("$12", FieldAction.DELETE)]
    assert (is_removal(GONE), is_removal(WRITE), is_removal(BOTH)) == (True, False, False)


@pytest.mark.parametrize(
    ("message", "error"), [(GONE, RhtmxError(ErrorCode.CONFLICT, "no")), (BOTH, conflict(1))]
)
def test_an_answer_that_came_second_is_told_so_in_words(
    message: Mutation, error: RhtmxError
) -> None:
    told = answered_meanwhile(message, error)
    assert told is not None
    assert (told.code, told.request_id) == (ErrorCode.CONFLICT, error.request_id)
    assert "it has been answered" in str(told)
    assert told.details == error.details


@pytest.mark.parametrize(
    ("message", "error"),
    [
        (WRITE, RhtmxError(ErrorCode.CONFLICT, "no")),
        (GONE, RhtmxError(ErrorCode.FORBIDDEN, "no")),
        (BOTH, conflict(0)),
        (BOTH, conflict(5)),
        (BOTH, conflict(1, code="forbidden")),
        (BOTH, RhtmxError(ErrorCode.CONFLICT, "no", details=b"[]")),
    ],
)
def test_another_reason_stays_as_it_is(message: Mutation, error: RhtmxError) -> None:
    assert answered_meanwhile(message, error) is None
