"""Makes the calls of one client: one channel, and what is the same for every call on it.

Knows connecting, closing and metadata. Must not know what is read, written or
asked.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import aclosing
from typing import TypeVar

from grpclib.client import Channel

from rhtmx.core.error_policy import ConnectionClosed
from rhtmx.errors import ErrorCode, RhtmxError
from rhtmx.grpc.call import Call, Limit, answer_of, messages_of
from rhtmx.grpc.channel import open_channel, silence
from rhtmx.grpc.endpoint import GrpcEndpoint
from rhtmx.grpc.failures import ConnectionLost, unreachable
from rhtmx.messages.rhtmx.v1 import TrackersStub
from rhtmx.wire.limits import MAX_TOKEN

__all__ = ["CallFactory", "Token"]

T = TypeVar("T")

Token = str | Callable[[], Awaitable[str]] | None
"""A bearer token, or what gets one for each call."""


class CallFactory:
    """Makes calls on one channel, which it opens and closes.

    Args:
        target: where to connect to.
        token: for `authorization`.
        client_id: the id of this client instance.
        client_secret: what gives it the right to number under that id.
        open_timeout: seconds for connecting.
        traceparent: says where in a trace each call is made.
        make: makes the channel.
    """

    def __init__(
        self,
        target: GrpcEndpoint,
        *,
        token: Token = None,
        client_id: str | None = None,
        client_secret: str | None = None,
        open_timeout: float = 10.0,
        traceparent: Callable[[], str | None] | None = None,
        make: Callable[[GrpcEndpoint], Channel] = open_channel,
    ) -> None:
        self._target = target
        self._token = token
        self._open_timeout = open_timeout
        self._traceparent = traceparent
        self._make = make
        self._channel: Channel | None = None
        self._closed = False
        self.client_id = client_id
        self._client_secret = client_secret

    @property
    def renews(self) -> bool:
        """Whether another call may have another token."""
        return callable(self._token)

    async def open(self) -> None:
        """Connect. It is not tried again if it fails.

        Raises:
            ConnectionClosed: it failed.
        """
        if self._channel is not None:
            raise ConnectionClosed("a backend connects once: make another one")
        self._channel = self._make(self._target)
        try:
            await self._connect(self._channel, None)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """End the connection for good. What still waits raises `ConnectionClosed`."""
        self._closed = True
        if self._channel is not None:
            self._channel.close()

    async def ask(
        self, send: Callable[[TrackersStub], Awaitable[T]], timeout: float | None = None
    ) -> T:
        """Make a call with one answer.

        Args:
            send: makes it on a stub.
            timeout: seconds until it fails.
        """
        try:
            call = await self._begin(Limit.of(timeout))
            return await answer_of(call, send)
        except ConnectionLost as error:
            raise self._final(error) from error

    async def stream(
        self, send: Callable[[Call], AsyncIterator[T]], limit: Limit | None = None
    ) -> AsyncGenerator[T, None]:
        """Make a call with many answers. To close the generator is to end the call.

        Args:
            send: makes it.
            limit: until when it may go on.
        """
        try:
            call = await self._begin(limit)
            async with aclosing(messages_of(call, send(call))) as messages:
                async for message in messages:
                    yield message
        except ConnectionLost as error:
            raise self._final(error) from error

    async def _begin(self, limit: Limit | None) -> Call:
        if self._channel is None:
            raise ConnectionClosed("the client is not connected: use `async with rhtmx.backend(…)`")
        if self._closed:
            raise ConnectionClosed("the client was closed")
        metadata = await self._metadata()
        await self._connect(self._channel, limit)
        return Call(self._channel, self._target.address, limit, metadata)

    async def _connect(self, channel: Channel, limit: Limit | None) -> None:
        patience, address = self._open_timeout, self._target.address
        if limit is not None:
            patience = min(patience, limit.left)
        try:
            async with asyncio.timeout(patience):
                await channel.__connect__()
        except TimeoutError as error:
            if limit is not None and not limit.left:
                raise limit.passed(address) from error
            words = ": ".join(filter(None, (f"no answer within {patience:g} s", silence(channel))))
            raise ConnectionLost(f"cannot connect to '{address}': {words}") from error
        except OSError as error:
            raise unreachable(error, address) from error

    async def _metadata(self) -> dict[str, str]:
        metadata = {}
        # Before anything is awaited: it is of whoever makes the call.
        span = self._traceparent and self._traceparent()
        if span:
            metadata["traceparent"] = span
        if self.client_id is not None:
            metadata["x-rhtmx-client-id"] = _printable(self.client_id, "client_id")
        if self._client_secret is not None:
            secret = _printable(self._client_secret, "client_secret")
            metadata["x-rhtmx-client-secret"] = secret
        token = self._token
        if token is not None and not isinstance(token, str):
            try:
                token = await token()
            except Exception as error:
                raise ConnectionLost(f"no token to call with: {error!r}") from error
        if token is not None:
            metadata["authorization"] = f"Bearer {_short(_printable(token, 'token'))}"
        return metadata

    def _final(self, error: ConnectionLost) -> ConnectionClosed:
        return ConnectionClosed("the client was closed") if self._closed else error


def _printable(value: str, what: str) -> str:
    """A value that metadata can hold. It is not repeated in the error: it may be secret."""
    if not (value and value.isascii() and value.isprintable()):
        raise RhtmxError(ErrorCode.BAD_MESSAGE, f"{what}: printable ASCII expected")
    return value


def _short(token: str) -> str:
    """A token that no server or proxy on the way refuses for its length, without a word."""
    if len(token) > MAX_TOKEN:
        raise RhtmxError(
            ErrorCode.BAD_MESSAGE,
            f"token: at most {MAX_TOKEN} bytes expected, got {len(token)}",
        )
    return token
