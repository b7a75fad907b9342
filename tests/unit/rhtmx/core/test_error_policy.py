"""Facts about `rhtmx.core.error_policy`."""

from __future__ import annotations

from typing import Any

import pytest

from rhtmx.core.error_policy import (
    ConnectionClosed,
    Reaction,
    busy,
    closed_for_good,
    names_type,
    reaction_to,
    reconnects,
    refusal,
    typed_error,
)
from rhtmx.errors import ErrorCode, RhtmxError
from rhtmx.messages import Error
from rhtmx.messages.tables import ERRORS
from rhtmx.unknown_enum_values import unknown


@pytest.mark.parametrize("code", [None, 1000, 1001, 1006, 1011, 1012, 4000, 4001, 4400, 4499])
def test_what_may_pass_reconnects(code: int | None) -> None:
    assert reconnects(code)


@pytest.mark.parametrize("code", [1002, 1003, 1007, 1008, 1009, 1010, 4500, 4501, 4999])
def test_what_would_only_fail_again_does_not(code: int) -> None:
    assert not reconnects(code)


def test_a_final_close_names_its_error_code() -> None:
    error = closed_for_good(4501, "taken", None)
    assert error.code is ErrorCode.CLIENT_ID_TAKEN
    assert error.close_code == 4501
    assert error.message == (
        "the server closed the connection for good (4501 client_id_taken): taken"
    )


def test_the_error_before_a_final_close_says_more_than_its_reason() -> None:
    last = RhtmxError(ErrorCode.TOO_LARGE, "a message of at most 10 bytes expected")
    assert "at most 10 bytes" in closed_for_good(4502, "", last).message


def test_an_unrelated_error_does_not_explain_a_close() -> None:
    last = RhtmxError(ErrorCode.CONFLICT, "moved on")
    assert closed_for_good(1008, "", last).message.endswith("(1008)")


def test_a_refused_hello_is_final_unless_it_may_succeed_later() -> None:
    for code, row in ERRORS.items():
        error = RhtmxError(code, "no")
        means = refusal(error)
        assert (means is error) == (row.retryable or code is ErrorCode.INTERNAL)
        assert means is error or isinstance(means, ConnectionClosed)


def test_a_hello_refused_in_a_word_of_a_newer_server_is_final_if_the_close_code_says_so() -> None:
    code = unknown(ErrorCode, "tenant_moved")
    assert refusal(RhtmxError(code, "no")) is None
    for may_pass in (RhtmxError(code, "no", retryable=True), RhtmxError(code, "", retry_after=1)):
        assert refusal(may_pass) is may_pass
    assert isinstance(refusal(RhtmxError(ErrorCode.UNSPECIFIED, "no")), ConnectionClosed)


def test_an_error_message_becomes_an_exception_with_everything_it_says() -> None:
    error = typed_error(
        Error("no", ErrorCode.CONFLICT, request_id="r", seq=7, details=b'{"version":1}')
    )
    assert (error.code, error.message, error.request_id, error.seq, error.details) == (
        ErrorCode.CONFLICT,
        "no",
        "r",
        7,
        b'{"version":1}',
    )


def test_an_error_without_a_code_is_unspecified() -> None:
    assert typed_error(Error("no")).code is ErrorCode.UNSPECIFIED


def test_every_code_has_one_verdict_about_a_write() -> None:
    def verdict_of(code: ErrorCode) -> Reaction:
        return reaction_to(RhtmxError(code, "no"))

    for code, row in ERRORS.items():
        assert (verdict_of(code) is Reaction.RETRY) == row.retryable
    special = {
        ErrorCode.UNAUTHENTICATED: Reaction.REAUTHENTICATE,
        ErrorCode.OUT_OF_ORDER: Reaction.REORDER,
        ErrorCode.SEQ_REUSED: Reaction.RENEW,
    }
    assert {code: verdict_of(code) for code in special} == special
    for code in (ErrorCode.FORBIDDEN, ErrorCode.CONFLICT, ErrorCode.UNSPECIFIED):
        assert verdict_of(code) is Reaction.REJECT


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ({}, Reaction.REJECT),
        ({"retryable": False, "retry_after": 5}, Reaction.REJECT),
        ({"retryable": True}, Reaction.RETRY),
        ({"retry_after": 0}, Reaction.RETRY),
    ],
)
def test_a_write_refused_in_a_word_of_a_newer_server_has_the_verdict_that_comes_with_it(
    said: dict[str, Any], expected: Reaction
) -> None:
    error = typed_error(Error("no", unknown(ErrorCode, "quota_exceeded"), **said))
    assert reaction_to(error) is expected
    assert error.retryable is busy(error) is (expected is Reaction.RETRY)
    assert (error.code.name, error.message) == ("quota_exceeded", "no")
    assert str(error) == "no (quota_exceeded)"


def test_the_server_may_say_of_a_known_code_that_it_passes() -> None:
    error = typed_error(Error("no", ErrorCode.FORBIDDEN, retryable=True))
    assert reaction_to(error) is Reaction.RETRY
    assert not busy(error)


@pytest.mark.parametrize(
    ("details", "named"),
    [
        (None, False),
        (b"null", False),
        (b"[]", False),
        (b'"type"', False),
        (b'{"entity":"type"}', False),
        (b'{"type":"whisper"}', True),
        (b'{"correlation_id":"1","type":"whisper"}', True),
    ],
)
def test_an_error_may_name_the_type_that_it_is_about(details: bytes | None, named: bool) -> None:
    assert names_type(RhtmxError(ErrorCode.INTERNAL, "words", details=details)) is named
