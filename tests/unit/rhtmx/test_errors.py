"""Facts about `rhtmx.errors`."""

from __future__ import annotations

import pytest

from rhtmx.errors import ErrorCode, RhtmxError
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
