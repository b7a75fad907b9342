"""What a request says of its peer, for whoever is asked who that is.

Knows HTTP requests and transports. Must not know tokens' meaning.

Cookies need no check here: `origin` refuses requests that bring one from a page
whose origin is not allowed, before anything asks who the peer is.
"""

from __future__ import annotations

import asyncio
from urllib.parse import parse_qs

from websockets.http11 import Request as HttpRequest

from rhtmx_server.access.request import Request, Transport, cookies_of, headers_of

__all__ = ["address_of", "request_of_http"]


def request_of_http(
    request: HttpRequest, transport: asyncio.BaseTransport | None, kind: Transport, token: str = ""
) -> Request:
    """Read who asks over HTTP, or opens a WebSocket with it.

    Args:
        request: the request.
        transport: on which it came, where that is known.
        kind: what it becomes.
        token: that it presented.
    """
    path, _, query = request.path.partition("?")
    return Request(
        token=token,
        transport=kind,
        path=path,
        query={name: values[0] for name, values in parse_qs(query).items()},
        headers=headers_of(request.headers.raw_items()),
        cookies=cookies_of(request.headers.get_all("Cookie")),
        address=address_of(transport),
        certificate=None if transport is None else transport.get_extra_info("peercert") or None,
    )


def address_of(transport: asyncio.BaseTransport | None) -> str:
    """The peer's address, without its port; empty where it has none."""
    peer = None if transport is None else transport.get_extra_info("peername")
    return str(peer[0]) if isinstance(peer, tuple) else ""
