"""uvicorn's WebSocket protocol, which takes frames that are made already.

Knows uvicorn. It is loaded only where uvicorn is told to use it:

    uvicorn web:web --ws rhtmx_server.transports.asgi.uvicorn:FrameProtocol

ASGI sends one message with each event, and the server makes a frame of it. A change that goes
to a thousand readers is a thousand equal frames then, and ten changes of one tick are ten times
that. Here a mounted server sends what it sends on its own port: frames that were made once for
all their readers, those of one tick together.
"""

from __future__ import annotations

from typing import Any

from uvicorn.protocols.utils import ClientDisconnected
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.protocol import State

from rhtmx_server.transports.asgi.events import FRAMES

__all__ = ["FrameProtocol"]


class FrameProtocol(WebSocketsSansIOProtocol):
    """A WebSocket of uvicorn, with one more extension; all else is uvicorn's."""

    async def run_asgi(self) -> None:
        """Say that there is the extension."""
        extensions: dict[str, Any] = self.scope["extensions"]
        extensions[FRAMES] = {}
        await super().run_asgi()

    async def send(self, message: Any) -> None:
        """Send what an application has for the peer."""
        if message["type"] != FRAMES:
            await super().send(message)
            return
        await self.writable.wait()
        if self.disconnected or self.close_sent or self.conn.state is not State.OPEN:
            raise ClientDisconnected
        self.transport.write(message["frames"])
