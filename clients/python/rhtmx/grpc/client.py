"""The client for backends: the same trackers, through gRPC.

Knows how it is made, entered and left. Must not know how calls are made. Each
call goes out at once and is not repeated; only who reads on, reads on over lost
connections.
"""

from __future__ import annotations

import secrets
import ssl
from collections.abc import Callable
from datetime import UTC, datetime
from types import TracebackType
from typing import Self

from rhtmx.errors import ErrorCode, RhtmxError
from rhtmx.grpc.calls import Calls, Token
from rhtmx.grpc.endpoint import Tls, target
from rhtmx.grpc.reads import Reads
from rhtmx.grpc.writes import Writes

__all__ = ["Backend", "backend"]


class Backend(Reads, Writes):
    """A client for backend services. Made by `backend`, used with `async with`.

    Entering connects, and fails at once if that is not possible. A call on a
    connection that was lost makes a new one; a call that loses it raises
    `ConnectionClosed`, and whether a write took effect is then not known: number
    it (`client_id` and `seq`) to be able to send it again, or read. `watch` and
    `sync` go on by themselves.

    Every call but `watch` takes a `timeout`, in seconds; after it the call is
    cancelled at the server, too, and raises `TimeoutError`.

    Args:
        calls: makes the calls.
        clock: the time, for field writes.
    """

    def __init__(
        self, calls: Calls, *, clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        Writes.__init__(self, calls, clock)

    async def __aenter__(self) -> Self:
        """Connect.

        Raises:
            ConnectionClosed: that was not possible.
        """
        await self._calls.open()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close."""
        await self.close()

    async def close(self) -> None:
        """End the connection for good. What still waits raises `ConnectionClosed`."""
        self._calls.close()

    @property
    def client_id(self) -> str | None:
        """The id of this client instance, as others see it in `Change.client_id`."""
        return self._calls.client_id


def backend(
    address: str,
    *,
    client_id: str | None = None,
    client_secret: str | None = None,
    token: Token = None,
    tls: bool | ssl.SSLContext | Tls = False,
    open_timeout: float = 10.0,
) -> Backend:
    """A client for backend services of the server at `address`. It connects when it is entered.

    Args:
        address: `host:port` of the server's door for gRPC.
        client_id: stable id of this client instance, for numbered writes.
        client_secret: what gives the right to number under it, where nobody is asked
            for a token; of your choice, and to be kept: the first numbered write
            binds the id to it. A random one if left out, which ends with this
            client: then nobody can number under that id after it.
        token: bearer token, or what gets one for each call.
        tls: whether to encrypt; with which files, or how. A context of your own has to
            offer HTTP/2 where the server insists: `set_alpn_protocols(["h2"])`.
        open_timeout: seconds for connecting.

    Raises:
        RhtmxError: `BAD_MESSAGE`, that is no address, a file for TLS cannot be used, or
            there is a `client_secret` without `client_id`.

    Example:
        >>> async with rhtmx.backend("localhost:50051") as trackers:
        ...     result = await trackers.push("prices", "EURUSD", {"bid": 1.0853})
        >>> result.version
        1
    """
    if client_id is not None and client_secret is None:
        client_secret = secrets.token_urlsafe()
    elif client_id is None and client_secret is not None:
        raise RhtmxError(
            ErrorCode.BAD_MESSAGE, "backend: client_secret is of a client_id: give both, or neither"
        )
    calls = Calls(
        target(address, tls),
        token=token,
        client_id=client_id,
        client_secret=client_secret,
        open_timeout=open_timeout,
    )
    return Backend(calls)
