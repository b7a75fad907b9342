"""The paths on which WebSockets are taken.

Knows which dialect is spoken where.
"""

from __future__ import annotations

from rhtmx.wire import SUBPROTOCOLS
from rhtmx_server.transports import legacy
from rhtmx_server.transports.handshakes import UNIFIED, SocketEndpoint, unified

__all__ = ["ENDPOINTS"]

ENDPOINTS = {
    UNIFIED: SocketEndpoint("unified", unified, subprotocols=SUBPROTOCOLS),
    **legacy.ENDPOINTS,
}
