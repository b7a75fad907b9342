"""How a client for backends is made.

Knows what a user may say about where to connect, and as whom. Must not know what is read or
written.
"""

from __future__ import annotations

import secrets
import ssl

from rhtmx.core.traceparent import Traceparent, traceparent_source
from rhtmx.errors import ErrorCode, RhtmxError
from rhtmx.grpc.call_factory import CallFactory, Token
from rhtmx.grpc.client import Backend
from rhtmx.grpc.endpoint import Tls, target

__all__ = ["backend"]


def backend(
    address: str,
    *,
    client_id: str | None = None,
    client_secret: str | None = None,
    token: Token = None,
    tls: bool | ssl.SSLContext | Tls = False,
    open_timeout: float = 10.0,
    traceparent: Traceparent = None,
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
        traceparent: where in a trace each call is made, as W3C Trace Context writes it, or a
            function that says so: what the server traces of the call links to it.

    Raises:
        RhtmxError: `BAD_MESSAGE`, that is no address, a file for TLS cannot be used, there is a
            `client_secret` without `client_id`, or `traceparent` is none.

    Example:
        >>> async with rhtmx.backend("localhost:50051") as trackers:
        ...     result = await trackers.push("prices", "EURUSD", {"bid": 1.0853})
        >>> result.version
        1
    """
    if client_id is not None and client_secret is None:
        client_secret = secrets.token_urlsafe()
    elif client_id is None and client_secret is not None:
        words = "backend: client_secret is of a client_id: give both, or neither"
        raise RhtmxError(ErrorCode.BAD_MESSAGE, words)
    calls = CallFactory(
        target(address, tls),
        token=token,
        client_id=client_id,
        client_secret=client_secret,
        open_timeout=open_timeout,
        traceparent=traceparent_source(traceparent),
    )
    return Backend(calls)
