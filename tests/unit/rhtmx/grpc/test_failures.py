"""Facts about `rhtmx.grpc.failures`."""

from __future__ import annotations

import ssl
from collections import Counter

import pytest
from grpclib.const import Status
from grpclib.exceptions import GRPCError

from rhtmx.core.error_policy import ConnectionClosed
from rhtmx.errors import ErrorCode, RhtmxError
from rhtmx.grpc.failures import ConnectionLost, may_pass, refused, unreachable
from rhtmx.messages.tables import ERRORS


@pytest.mark.parametrize("code", ERRORS)
def test_the_trailers_say_the_code(code: ErrorCode) -> None:
    row = ERRORS[code]
    trailers: dict[str, str | bytes] = {"rhtmx-code": row.spelling, "rhtmx-details-bin": b"{}"}
    error = refused(GRPCError(Status(row.grpc_status), "no"), trailers, "a:1")
    assert type(error) is RhtmxError
    assert (error.code, error.message, error.details) == (code, "no", b"{}")


def test_without_trailers_the_status_says_it_where_only_one_code_has_it() -> None:
    shared = Counter(row.grpc_status for row in ERRORS.values())
    for code, row in ERRORS.items():
        error = refused(GRPCError(Status(row.grpc_status), "no"), {}, "a:1")
        if shared[row.grpc_status] == 1:
            assert error.code is code


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (Status.PERMISSION_DENIED, ErrorCode.FORBIDDEN),
        (Status.RESOURCE_EXHAUSTED, ErrorCode.TOO_MANY_REQUESTS),
        (Status.NOT_FOUND, ErrorCode.UNSPECIFIED),
        (Status.ABORTED, ErrorCode.UNSPECIFIED),
        (Status.UNKNOWN, ErrorCode.UNSPECIFIED),
    ],
)
def test_of_several_codes_the_general_one_is_meant_or_none(status: Status, code: ErrorCode) -> None:
    assert refused(GRPCError(status, "no"), {}, "a:1").code is code


def test_a_code_that_is_not_known_yet_is_its_word_whatever_the_status() -> None:
    trailers = {"rhtmx-code": "of_tomorrow"}
    error = refused(GRPCError(Status.INVALID_ARGUMENT), trailers, "a:1")
    assert (error.code, error.code.name) == (ErrorCode.UNSPECIFIED, "of_tomorrow")
    assert error.message == "the server answered INVALID_ARGUMENT"
    assert str(error) == "the server answered INVALID_ARGUMENT (of_tomorrow)"
    assert not may_pass(error)


def test_a_code_that_is_not_known_yet_may_pass_if_the_status_or_a_time_to_wait_says_so() -> None:
    new = {"rhtmx-code": "of_tomorrow"}
    for status in (Status.UNAVAILABLE, Status.CANCELLED):
        error = refused(GRPCError(status, "no"), new, "a:1")
        assert type(error) is RhtmxError
        assert may_pass(error)
    assert may_pass(refused(GRPCError(Status.ABORTED), {**new, "rhtmx-retry-after": "0"}, "a:1"))


@pytest.mark.parametrize("status", [Status.UNAVAILABLE, Status.CANCELLED])
def test_a_server_that_is_not_there_is_a_lost_connection(status: Status) -> None:
    error = refused(GRPCError(status), {}, "a:1")
    assert isinstance(error, ConnectionLost)
    assert error.message == "'a:1' is not available: is the server running?"
    assert may_pass(error)


def test_a_connection_that_cannot_be_made_may_be_made_later() -> None:
    error = unreachable(ConnectionRefusedError(111, "Connection refused"), "a:1")
    assert error.message == "cannot connect to 'a:1': Connection refused: is the server running?"
    assert may_pass(error)


def test_a_certificate_that_is_not_trusted_stays_so() -> None:
    problem = ssl.SSLCertVerificationError(1, "certificate verify failed")
    problem.verify_code, problem.verify_message = 18, "self-signed certificate"
    error = unreachable(problem, "a:1")
    assert error.message == (
        "cannot connect to 'a:1': its certificate is signed by itself: name the authority that "
        "signed it (tls=Tls(ca=…)), if you trust it"
    )
    assert not may_pass(error)


def test_what_answers_without_tls_is_told_from_who_is_not_there() -> None:
    problem = ssl.SSLError(1, "[SSL: WRONG_VERSION_NUMBER] wrong version number")
    problem.reason = "WRONG_VERSION_NUMBER"
    error = unreachable(problem, "a:1")
    assert error.message == (
        "cannot connect to 'a:1': what answers is no TLS: is it a port without TLS, for no tls=?"
    )
    assert may_pass(error)


def test_what_the_table_calls_retryable_may_pass() -> None:
    passing = {code for code in ERRORS if may_pass(RhtmxError(code, "no"))}
    assert {ErrorCode.SHUTTING_DOWN, ErrorCode.STALLED, ErrorCode.INTERNAL} <= passing
    assert not {ErrorCode.CONFLICT, ErrorCode.UNAUTHENTICATED, ErrorCode.BAD_MESSAGE} & passing
    assert not may_pass(ConnectionClosed("closed"))
    assert not may_pass(RhtmxError(ErrorCode.UNSPECIFIED, "no"))


def test_a_server_says_how_long_to_wait() -> None:
    for said, seconds in (("1500", 1.5), ("0", 0.0), ("soon", None), ("", None), ("-1", None)):
        error = refused(GRPCError(Status.RESOURCE_EXHAUSTED), {"rhtmx-retry-after": said}, "a:1")
        assert error.retry_after == seconds
    assert refused(GRPCError(Status.RESOURCE_EXHAUSTED), {}, "a:1").retry_after is None
