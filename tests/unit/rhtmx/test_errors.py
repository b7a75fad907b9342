"""Facts about `rhtmx.errors`."""

from __future__ import annotations

import json

import pytest

from rhtmx.errors import ErrorCode, RhtmxError, Violation, violation_details
from rhtmx.messages.tables import ERRORS
from rhtmx.unknown_enum_values import unknown


@pytest.mark.parametrize("code", ERRORS)
def test_an_error_may_pass_if_its_code_does_or_somebody_says_so(code: ErrorCode) -> None:
    assert RhtmxError(code, "no", retry_after=1).retryable is ERRORS[code].retryable
    for said in (True, False):
        assert RhtmxError(code, "no", retryable=said).retryable is said


def test_an_error_that_only_a_newer_server_knows_shows_its_word() -> None:
    error = RhtmxError(unknown(ErrorCode, "quota_exceeded"), "no more today")
    assert str(error) == "no more today (quota_exceeded)"
    assert error.message == "no more today"
    assert str(RhtmxError(ErrorCode.UNSPECIFIED, "no")) == "no"


def test_an_error_that_only_a_newer_server_knows_may_pass_if_there_is_a_time_to_wait() -> None:
    code = unknown(ErrorCode, "quota_exceeded")
    assert not RhtmxError(code, "no").retryable
    assert RhtmxError(code, "no", retry_after=0).retryable
    assert not RhtmxError(code, "no", retry_after=0, retryable=False).retryable


def test_an_error_lists_the_fields_that_are_wrong() -> None:
    wrong = [Violation("end", "early", "too early", {"min": 3}), Violation("", "", "not today")]
    details = json.dumps(violation_details(wrong)).encode()
    error = RhtmxError(ErrorCode.INVALID_DATA, "no", details=details)
    assert error.violations == tuple(wrong)
    # What was told of one field before there were several.
    assert json.loads(details)["field"] == "end"
    assert json.loads(details)["metadata"] == {"min": 3}


def test_of_a_transaction_the_fields_of_each_write_are_listed() -> None:
    one = violation_details([Violation("n", "low", "too low")])
    writes = [{"index": 2, "details": one}, {"index": 3}, {"index": 4, "details": one}, 7]
    details = json.dumps({"writes": writes}).encode()
    error = RhtmxError(ErrorCode.INVALID_DATA, "no", details=details)
    assert error.violations == tuple(Violation("n", "low", "too low", None, at) for at in (2, 4))


@pytest.mark.parametrize(
    ("details", "found"),
    [
        (None, ()),
        (b"7", ()),
        (b"{", ()),
        (b'{"field":"a"}', ()),
        (b'{"violations":7}', ()),
        (b'{"violations":[7,{}]}', (Violation("", "", ""),)),
        (b'{"violations":[{"field":"a","hint":1}]}', (Violation("a", "", ""),)),
    ],
)
def test_what_another_server_says_there_is_taken_as_far_as_it_goes(
    details: bytes | None, found: tuple[Violation, ...]
) -> None:
    assert RhtmxError(ErrorCode.INVALID_DATA, "no", details=details).violations == found
