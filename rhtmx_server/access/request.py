"""What is known of a peer before it is known who it is.

Knows what a door has of its peer: headers, cookies, address. Must not know doors,
nor what an application makes of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

__all__ = ["NOBODY", "Request", "Transport", "cookies_of", "headers_of"]

Transport = Literal["websocket", "http", "grpc"]


@dataclass(frozen=True, slots=True, eq=False)
class Request:
    """What an application is told when it is asked who a peer is.

    What may hold a secret is left out of its `repr`, so that no log has it.

    Args:
        token: what the peer presented as its token; empty if it has none.
        transport: how it came: `websocket`, `http` or `grpc`.
        path: that it asked for, without the query, and with the path under which this
            server is mounted (`App.asgi`); of gRPC the method.
        query: the parameters of the query, each with its first value.
        headers: by their names in lower case; several of one name are joined by
            `, ` (RFC 9110 section 5.3). Of gRPC: the metadata.
        cookies: by their names. Of a page whose origin is not allowed there are none.
        address: of the peer, without its port; empty where there is none.
        certificate: that the peer showed over TLS, as `ssl.SSLSocket.getpeercert`
            gives it; `None` if none was asked for.
        scope: the ASGI scope of the application that this server is mounted in
            (`App.asgi`), with what its middleware has put there: `scope["session"]`,
            `scope["user"]`. Empty on the server's own port, and where the cookies of a
            request are left out.

    Example:
        >>> Request("t0ken", path="/api/ws", headers={"user-agent": "curl"})
        Request(transport='websocket', path='/api/ws', address='')
    """

    token: str = field(default="", repr=False)
    transport: Transport = "websocket"
    path: str = ""
    query: Mapping[str, str] = field(default_factory=dict, repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    cookies: Mapping[str, str] = field(default_factory=dict, repr=False)
    address: str = ""
    certificate: Mapping[str, Any] | None = field(default=None, repr=False)
    scope: Mapping[str, Any] = field(default_factory=dict, repr=False)


NOBODY = Request()
"""A peer of which nothing is known."""


def headers_of(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Headers by their names in lower case, several of one name joined.

    Example:
        >>> headers_of([("Accept", "text/html"), ("accept", "*/*")])
        {'accept': 'text/html, */*'}
    """
    found: dict[str, str] = {}
    for name, value in pairs:
        name = name.lower()
        found[name] = f"{found[name]}, {value}" if name in found else value
    return found


def cookies_of(headers: Iterable[str]) -> dict[str, str]:
    """The cookies of `Cookie` headers (RFC 6265 section 5.4).

    Of several with one name the first one counts: browsers send that with the
    longest path first. What is no pair is left out.

    Example:
        >>> cookies_of(["session=abc; theme=dark"])
        {'session': 'abc', 'theme': 'dark'}
    """
    found: dict[str, str] = {}
    for header in headers:
        for pair in header.split(";"):
            name, equals, value = pair.strip().partition("=")
            if equals and name:
                quoted = len(value) > 1 and value[0] == value[-1] == '"'
                found.setdefault(name, value[1:-1] if quoted else value)
    return found
