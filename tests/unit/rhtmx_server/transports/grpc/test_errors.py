"""Facts about `rhtmx_server.transports.grpc.errors`."""

from __future__ import annotations

import json

from grpclib.const import Status

from rhtmx.errors import ErrorCode, RhtmxError
from rhtmx.messages.tables import ERRORS
from rhtmx_server.transports.grpc.errors import (
    MAX_DETAILS,
    ended_by,
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


def of(count: int, field: str = "a") -> RhtmxError:
    each = {"field": field, "code": "string.min_len", "message": "must have at least 1 character"}
    details = json.dumps({"violations": [each] * count}).encode()
    return RhtmxError(ErrorCode.INVALID, "no", details=details)


async def test_of_many_violations_the_first_travel_and_that_there_are_more() -> None:
    call = Call()
    await refuse(call.stream, of(100))
    assert call.ended is not None
    details = call.ended["metadata"]["rhtmx-details-bin"]
    assert len(details) <= MAX_DETAILS
    for told in (json.loads(details)["violations"], call.ended["status_details"]):
        codes = [each["code"] if isinstance(each, dict) else each.code for each in told]
        assert codes == ["string.min_len"] * (len(codes) - 1) + ["more"]
        assert len(codes) > 10
    assert "rhtmx-details-size" in trailers(of(2, "x" * 5000))


async def test_violations_travel_in_the_details_of_the_status_while_there_is_room() -> None:
    for words, told in (("no", True), ("x" * 2000, False)):
        details = json.dumps({"violations": [{"field": "a", "code": "b", "message": words}]})
        call = Call()
        await refuse(call.stream, RhtmxError(ErrorCode.INVALID, "no", details=details.encode()))
        assert call.ended is not None
        assert (call.ended["status_details"] is not None) is told
