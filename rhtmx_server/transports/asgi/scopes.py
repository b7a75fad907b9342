"""An ASGI scope as a request of ours. Pure.

Knows what ASGI servers and frameworks write into a scope, and where they differ. Must not know
which paths there are.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from typing import Any, NamedTuple
from urllib.parse import quote, unquote

from websockets.datastructures import Headers
from websockets.http11 import Request

from rhtmx_server.transports.requests import HostScope, Remote

__all__ = ["from_elsewhere", "peer_of", "remote_of_scope", "request_of_scope"]

_SAFE = "/:@!$&'()*+,;=~-._"
"""What may stand in a path as it is (RFC 3986 section 3.3)."""


class _Place(NamedTuple):
    """What is asked for, and where that is.

    Args:
        prefix: the path at which the host has this application; empty at its root.
        path: what is asked for below it, as it was sent: what is percent-encoded in it may be
            a slash of a name.
    """

    prefix: str
    path: str


def request_of_scope(scope: Mapping[str, Any]) -> Request:
    """Make a request of a scope, its path as it is without the host's prefix.

    Frameworks write differently where they have mounted an application: `path` begins with
    `root_path` (Starlette, uvicorn), or does not; what is left of it stands beside it (Django's
    Channels: `path_remaining`); or only `raw_path` tells (Litestar, which adds a slash, too).

    Example:
        >>> scope = {"path": "/live/api/ws", "root_path": "/live", "headers": []}
        >>> request_of_scope(scope).path
        '/api/ws'
        >>> scope = {"path": "/live/api/ws", "path_remaining": "api/ws", "headers": []}
        >>> request_of_scope(scope).path
        '/api/ws'
    """
    headers = Headers()
    for name, value in scope["headers"]:
        headers[name.decode("latin-1")] = value.decode("latin-1")
    query = scope.get("query_string") or b""
    path = _place(scope).path
    target = f"{path}?{query.decode('latin-1')}" if query else path
    return Request(target, headers, scope.get("method", "GET"))


def remote_of_scope(scope: Mapping[str, Any]) -> Remote:
    """Where the request of a scope came from."""
    return Remote(address=peer_of(scope), prefix=_place(scope).prefix, scope=HostScope(scope))


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


def _place(scope: Mapping[str, Any]) -> _Place:
    prefix, inner = _apart(scope)
    raw = (scope.get("raw_path") or b"").decode("latin-1").partition("?")[0]
    sent = unquote(raw)
    for tail in (inner, inner.removesuffix("/")):
        if raw and sent.endswith(tail):
            before = sent[: len(sent) - len(tail)]
            return _Place(max(prefix, before, key=len), _without(raw, before))
    # Middleware that rewrites the path leaves the other one as it was, and means the new one.
    return _Place(prefix, quote(inner, safe=_SAFE))


def _apart(scope: Mapping[str, Any]) -> tuple[str, str]:
    """The prefix and the rest, decoded, as far as `path` tells."""
    path: str = scope["path"]
    rest: str = (scope.get("path_remaining") or "").lstrip("/")
    if rest and path.endswith(f"/{rest}"):
        return path[: -len(rest) - 1], f"/{rest}"
    root: str = (scope.get("root_path") or "").rstrip("/")
    if path == root or path.startswith(f"{root}/"):
        return root, path[len(root) :] or "/"
    return root, path


def _without(path: str, prefix: str) -> str:
    """A path as it was sent without a prefix, which is decoded, that it begins with."""
    parts, leading = path.split("/"), prefix.split("/")
    return "/" + "/".join(parts[len(leading) :])
