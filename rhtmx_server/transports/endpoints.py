"""The paths on which WebSockets are taken.

Knows which dialect is spoken where.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from rhtmx.wire import SUBPROTOCOLS
from rhtmx_server.transports import legacy
from rhtmx_server.transports.handshakes import UNIFIED, SocketEndpoint, unified

__all__ = ["ENDPOINTS", "endpoints"]

ENDPOINTS: Mapping[str, SocketEndpoint] = {
    UNIFIED: SocketEndpoint("unified", unified, subprotocols=SUBPROTOCOLS),
    **legacy.ENDPOINTS,
}
"""All of them."""


def endpoints(without: Collection[str]) -> Mapping[str, SocketEndpoint]:
    """Those of a server.

    Args:
        without: what it does not serve (`Config.without`).

    Example:
        >>> list(endpoints(["legacy"]))
        ['/api/ws']
    """
    if "legacy" in without:
        return {UNIFIED: ENDPOINTS[UNIFIED]}
    return ENDPOINTS
