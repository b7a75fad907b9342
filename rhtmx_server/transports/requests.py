"""What a request says of its peer, for whoever is asked who that is.

Knows HTTP requests, and where they come from. Must not know tokens' meaning.

Cookies need no check here: `origin` refuses requests that bring one from a page
whose origin is not allowed, before anything asks who the peer is.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs

from websockets.http11 import Request as HttpRequest

from rhtmx.errors import ErrorCode, RhtmxError
from rhtmx_server.access.request import Request, Transport, cookies_of, headers_of
from rhtmx_server.failures import MisuseError
from rhtmx_server.transports.heads import HeaderValues, RequestHead

__all__ = [
    "FOREIGN_SCOPE",
    "UNKNOWN",
    "HostScope",
    "Remote",
    "address_of",
    "request_of_head",
    "request_of_http",
]


class HostScope(dict[str, Any]):
    """What a host application knows of a request: its ASGI scope.

    What is missing in it was forgotten, and the log says what to do.
    """

    def __missing__(self, key: str) -> Any:
        raise _ForgottenError(
            f"the host has put no {key!r} into the scope: its middleware has to be around the "
            "mount, and to run for WebSockets, too"
        )


class _ForeignScope(dict[str, Any]):
    """What a host application knows of a request that a page of another site has begun."""

    def __missing__(self, key: str) -> Any:
        raise _NobodyError(
            ErrorCode.UNAUTHENTICATED,
            "the cookies of a page of another site do not count: name its origin in "
            "Config(origins=...), or send a token",
        )


class _ForgottenError(MisuseError, KeyError):
    """As for any mapping, a `KeyError`."""

    __str__ = Exception.__str__


class _NobodyError(RhtmxError, KeyError):
    """As for any mapping, a `KeyError`."""

    __str__ = Exception.__str__


FOREIGN_SCOPE = _ForeignScope()
"""Stands for the scope of a request whose cookies do not count."""


@dataclass(frozen=True, slots=True)
class Remote:
    """Where a request came from, and by what way: what does not stand in it.

    Args:
        address: of the peer, without its port; empty where it has none.
        certificate: that it showed over TLS, if it was asked for one.
        prefix: the path under which an application has this server, as `/live`.
        scope: what that application knows of the request; empty on the own port.
    """

    address: str = ""
    certificate: Mapping[str, Any] | None = None
    prefix: str = ""
    scope: Mapping[str, Any] = field(default_factory=dict)


UNKNOWN = Remote()
"""Nobody knows where."""


def address_of(transport: asyncio.BaseTransport) -> str:
    """The address of a peer, without its port; empty where it has none."""
    peer = transport.get_extra_info("peername")
    return str(peer[0]) if isinstance(peer, tuple) else ""


def request_of_http(request: HttpRequest, remote: Remote, kind: Transport) -> Request:
    """Read who asks over HTTP, or opens a WebSocket with it.

    Args:
        request: the request.
        remote: where it came from.
        kind: what it becomes.
    """
    return _request(
        request.path, headers_of(request.headers.raw_items()), request.headers, remote, kind
    )


def request_of_head(head: RequestHead, address: str) -> Request:
    """Read who opens a WebSocket on the server's own port.

    Args:
        head: of the handshake.
        address: of the peer.
    """
    return _request(head.path, headers_of(head.pairs()), head, Remote(address), "websocket")


def _request(
    target: str, headers: Mapping[str, str], values: HeaderValues, remote: Remote, kind: Transport
) -> Request:
    path, _, query = target.partition("?")
    return Request(
        transport=kind,
        path=remote.prefix + path,
        query={name: values[0] for name, values in parse_qs(query).items()},
        headers=headers,
        cookies=cookies_of(values.get_all("Cookie")),
        address=remote.address,
        certificate=remote.certificate,
        scope=remote.scope,
    )
