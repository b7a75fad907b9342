"""Facts about `rhtmx_server.transports.grpc.errors`."""

from __future__ import annotations

import pytest
from grpclib.const import Status

from rhtmx.errors import ErrorCode, RhtmxError
from rhtmx.messages import Error, Pong
from rhtmx.messages.tables import ERRORS
from rhtmx_server.transports.grpc.errors import (
    MAX_DETAILS,
    ended_by,
    raise_if_error,
    refuse,
    status_of,
    trailers,
)
from tests.unit.rhtmx_server.transports.grpc.peers import Call


def test_every_code_has_the_status_of_the_table() -> None:
    for code, row in ERRORS.items():
        assert status_of(code).value == row.grpc_status


def test_a_close_code_names_its_error() -> None:
    for code, row in ERRORS.items():
        if row.close_code:
            assert ended_by(row.close_code, "why").code is code
    assert ended_by(1234, "why").code is ErrorCode.INTERNAL


def test_small_details_travel_and_large_ones_leave_their_size() -> None:
    small = RhtmxError(ErrorCode.CONFLICT, "no", details=b"{}")
    assert trailers(small) == {"rhtmx-code": "conflict", "rhtmx-details-bin": b"{}"}
    large = RhtmxError(ErrorCode.CONFLICT, "no", details=b"x" * (MAX_DETAILS + 1))
    assert trailers(large) == {"rhtmx-code": "conflict", "rhtmx-details-size": "3073"}


def test_how_long_to_wait_travels_in_milliseconds() -> None:
    error = RhtmxError(ErrorCode.RATE_LIMITED, "no", retry_after=0.0101)
    assert trailers(error) == {"rhtmx-code": "rate_limited", "rhtmx-retry-after": "11"}


async def test_a_refusal_is_a_status_with_trailers() -> None:
    call = Call()
    await refuse(call.stream, RhtmxError(ErrorCode.UNKNOWN_FORM, "x" * 5000))
    assert call.ended is not None
    assert call.ended["status"] is Status.NOT_FOUND
    assert call.ended["status_message"] == "x" * 1024
    assert call.ended["metadata"] == {"rhtmx-code": "unknown_form"}


def test_an_error_message_becomes_the_error_that_it_was() -> None:
    raise_if_error(Pong())
    with pytest.raises(RhtmxError) as caught:
        raise_if_error(
            Error(message="m", code=ErrorCode.CONFLICT, seq=3, details=b"1", retry_after=1500)
        )
    error = caught.value
    assert (error.code, error.message) == (ErrorCode.CONFLICT, "m")
    assert (error.seq, error.details, error.retry_after) == (3, b"1", 1.5)
