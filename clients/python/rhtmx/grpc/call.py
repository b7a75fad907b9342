"""One call, and what it means if it fails.

Knows grpclib's streams, deadlines and failures. Must not know what is read,
written or asked, nor how the channel came about.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self, cast

from grpclib.client import Channel, Stream
from grpclib.const import Status
from grpclib.exceptions import GRPCError, StreamTerminatedError
from grpclib.metadata import Deadline, decode_metadata

from rhtmx.grpc.failures import CODE, Lost, refused
from rhtmx.messages.rhtmx.v1 import TrackersStub

__all__ = ["Call", "Limit"]


@dataclass(frozen=True, slots=True)
class Limit:
    """Until when a call has to be answered.

    Args:
        seconds: as the user said it.
        deadline: the moment that this means.
    """

    seconds: float
    deadline: Deadline

    @classmethod
    def of(cls, timeout: float | None) -> Self | None:
        """The limit that begins now; `None` for none."""
        return None if timeout is None else cls(timeout, Deadline.from_timeout(timeout))

    @property
    def left(self) -> float:
        """Seconds until it is reached."""
        return self.deadline.time_remaining()

    def passed(self, address: str) -> TimeoutError:
        """The exception for whoever waited that long."""
        return TimeoutError(f"no answer from '{address}' within {self.seconds:g} s")


class Call:
    """See the head of the file. As a context, it turns grpclib's failures into our own.

    The stub takes it for its channel, so that the stream, and with it the
    trailers of a failure, is at hand.

    Args:
        channel: the real one.
        address: whom it is for.
        limit: until when.
        metadata: sent with it.
    """

    def __init__(
        self, channel: Channel, address: str, limit: Limit | None, metadata: Mapping[str, str]
    ) -> None:
        self._channel = channel
        self._address = address
        self._limit = limit
        self._stream: Stream[Any, Any] | None = None
        self.deadline = None if limit is None else limit.deadline
        self.metadata = metadata
        self.stub = TrackersStub(
            cast("Channel", self), deadline=self.deadline, metadata=self.metadata
        )

    def request(self, *args: Any, **options: Any) -> Stream[Any, Any]:
        """Make the stream, as a channel does."""
        self._stream = self._channel.request(*args, **options)
        return self._stream

    def __enter__(self) -> None:
        pass

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if isinstance(error, GRPCError | StreamTerminatedError | OSError):
            raise self._meaning(error) from error

    def _meaning(self, error: GRPCError | StreamTerminatedError | OSError) -> Exception:
        trailers = self._trailers()
        if self._limit is not None and (self._late(error, trailers) or not self._limit.left):
            return self._limit.passed(self._address)
        if isinstance(error, GRPCError):
            return refused(error, trailers, self._address)
        return Lost(f"the connection to '{self._address}' was lost: {error}")

    def _late(self, error: Exception, trailers: Mapping[str, str | bytes]) -> bool:
        """Whether it is about the deadline: the server's clock may see it first."""
        if isinstance(error, GRPCError):
            return error.status is Status.DEADLINE_EXCEEDED and CODE not in trailers
        return isinstance(error, TimeoutError)

    def _trailers(self) -> Mapping[str, str | bytes]:
        if self._stream is None:
            return {}
        if self._stream.trailing_metadata is not None:
            return self._stream.trailing_metadata
        # After a reset grpclib takes the status from the trailers, and nothing else.
        inner = getattr(self._stream, "_stream", None)
        return decode_metadata(getattr(inner, "trailers", None) or ())
