"""An ASGI scope as a request of ours. Pure.

Knows what ASGI servers and frameworks write into a scope, and where they differ. Must not know
which paths there are.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, unquote

from websockets.datastructures import Headers
from websockets.http11 import Request

from rhtmx_server.transports.requests import Remote

__all__ = ["from_elsewhere", "peer_of", "remote_of_scope", "request_of_scope"]

_SAFE = "/:@!$&'()*+,;=~-._"
"""What may stand in a path as it is (RFC 3986 section 3.3)."""


def request_of_scope(scope: Mapping[str, Any]) -> Request:
    """Make a request of a scope, its path as it is without the host's prefix.

    Frameworks differ in whether `path` begins with `root_path` (Starlette, uvicorn) or not
    (older ones); both are taken.

    Example:
        >>> scope = {"path": "/live/api/ws", "root_path": "/live", "headers": []}
        >>> request_of_scope(scope).path
        '/api/ws'
    """
    headers = Headers()
    for name, value in scope["headers"]:
        headers[name.decode("latin-1")] = value.decode("latin-1")
    query = scope.get("query_string") or b""
    path = _within(_written(scope), scope.get("root_path") or "")
    target = f"{path}?{query.decode('latin-1')}" if query else path
    return Request(target, headers, scope.get("method", "GET"))


def remote_of_scope(scope: Mapping[str, Any]) -> Remote:
    """Where the request of a scope came from."""
    prefix = (scope.get("root_path") or "").rstrip("/")
    return Remote(address=peer_of(scope), prefix=prefix, scope=scope)


def peer_of(scope: Mapping[str, Any]) -> str:
    """The peer's IP address; empty where the host's server tells none, as for unix sockets."""
    address = str((scope.get("client") or [""])[0])
    try:
        ipaddress.ip_address(address)
    except ValueError:
        return ""
    return address


def from_elsewhere(address: str) -> bool:
    """Whether a peer is on another machine, as far as its address tells.

    Example:
        >>> from_elsewhere("192.0.2.1"), from_elsewhere("::ffff:127.0.0.1"), from_elsewhere("")
        (True, False, False)
    """
    if not address:
        return False
    found = ipaddress.ip_address(address)
    mapped = found.ipv4_mapped if isinstance(found, ipaddress.IPv6Address) else None
    return not (mapped or found).is_loopback


def _written(scope: Mapping[str, Any]) -> str:
    """The path as it was sent: what is percent-encoded in it may be a slash of a name."""
    raw = (scope.get("raw_path") or b"").decode("latin-1").partition("?")[0]
    path: str = scope["path"]
    # Middleware that rewrites the path leaves the other one as it was, and means the new one.
    return raw if raw and path.endswith(unquote(raw)) else quote(path, safe=_SAFE)


def _within(path: str, prefix: str) -> str:
    """A path without the prefix, if it begins with it."""
    parts, leading = path.split("/"), prefix.rstrip("/").split("/")
    if [unquote(part) for part in parts[: len(leading)]] == leading:
        return "/" + "/".join(parts[len(leading) :])
    return path
