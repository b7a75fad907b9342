"""Facts about `rhtmx.grpc.call`."""

from __future__ import annotations

import asyncio
from typing import Any, cast

import pytest
from grpclib.client import Channel
from grpclib.const import Status
from grpclib.exceptions import GRPCError, StreamTerminatedError

from rhtmx.core.error_policy import ConnectionClosed
from rhtmx.errors import ErrorCode, RhtmxError
from rhtmx.grpc.call import Call, Limit

NOWHERE = cast("Channel", None)


class Ended:
    """A stream that has ended, as far as a call looks at it."""

    def __init__(self, trailing_metadata: Any, trailers: Any) -> None:
        self.trailing_metadata = trailing_metadata
        self._stream = self
        self.trailers = trailers


class Once:
    """A channel that makes it."""

    def __init__(self, stream: Ended) -> None:
        self.stream = stream

    def request(self, *_: object, **__: object) -> Ended:
        return self.stream


def caught(call: Call, error: Exception) -> BaseException:
    """What an error becomes."""
    with pytest.raises(Exception) as info, call:  # noqa: PT011
        raise error
    return info.value


def test_no_timeout_is_no_limit() -> None:
    assert Limit.of(None) is None
    limit = Limit.of(60)
    assert limit is not None
    assert 59 < limit.left <= 60


def test_a_status_is_a_refusal() -> None:
    error = caught(Call(NOWHERE, "a:1", None, {}), GRPCError(Status.INVALID_ARGUMENT, "no"))
    assert isinstance(error, RhtmxError)
    assert error.code is ErrorCode.BAD_MESSAGE


@pytest.mark.parametrize(
    "ended",
    [
        Ended({"rhtmx-code": "conflict"}, None),
        Ended(None, [("rhtmx-code", "conflict"), ("grpc-status", "10")]),
    ],
    ids=["as it should", "after a reset"],
)
def test_the_trailers_say_the_code(ended: Ended) -> None:
    call = Call(cast("Channel", Once(ended)), "a:1", None, {})
    call.request()
    error = caught(call, GRPCError(Status.ABORTED, "moved on"))
    assert isinstance(error, RhtmxError)
    assert error.code is ErrorCode.CONFLICT


@pytest.mark.parametrize("error", [StreamTerminatedError("reset"), ConnectionResetError("reset")])
def test_a_stream_that_broke_is_a_lost_connection(error: Exception) -> None:
    lost = caught(Call(NOWHERE, "a:1", None, {}), error)
    assert isinstance(lost, ConnectionClosed)
    assert lost.message == "the connection to 'a:1' was lost: reset"


async def test_after_the_deadline_everything_is_late() -> None:
    limit = Limit.of(0.001)
    call = Call(NOWHERE, "a:1", limit, {})
    await asyncio.sleep(0.002)
    for error in (TimeoutError(), GRPCError(Status.DEADLINE_EXCEEDED), StreamTerminatedError("")):
        late = caught(call, error)
        assert isinstance(late, TimeoutError)
        assert str(late) == "no answer from 'a:1' within 0.001 s"


def test_a_server_may_see_the_deadline_first() -> None:
    call = Call(NOWHERE, "a:1", Limit.of(60), {})
    late = caught(call, GRPCError(Status.DEADLINE_EXCEEDED))
    assert isinstance(late, TimeoutError)


def test_a_timeout_of_the_server_is_its_own() -> None:
    channel = Once(Ended({"rhtmx-code": "timeout"}, None))
    call = Call(cast("Channel", channel), "a:1", Limit.of(60), {})
    call.request()
    error = caught(call, GRPCError(Status.DEADLINE_EXCEEDED, "the validator took too long"))
    assert isinstance(error, RhtmxError)
    assert error.code is ErrorCode.TIMEOUT


def test_other_errors_pass() -> None:
    own = RhtmxError(ErrorCode.BAD_MESSAGE, "no")
    assert caught(Call(NOWHERE, "a:1", None, {}), own) is own


@pytest.mark.parametrize("trailers", [[("grpc-status", "16"), ("grpc-message", "sign%20in")], None])
def test_a_stream_that_ends_within_a_message_ends_as_its_status_says(trailers: Any) -> None:
    call = Call(cast("Channel", Once(Ended(None, trailers))), "a:1", None, {})
    call.request()
    error = caught(call, AssertionError("Received less data than expected"))
    if trailers is None:
        assert isinstance(error, ConnectionClosed)
    else:
        assert isinstance(error, RhtmxError)
        assert (error.code, error.message) == (ErrorCode.UNAUTHENTICATED, "sign in")
