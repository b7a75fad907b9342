"""A server on `picows` and uvloop: what one client sends, all others get."""

from __future__ import annotations

import sys

import uvloop
from picows import WSFrame, WSListener, WSMsgType, WSTransport, ws_create_server

_connections: dict[WSTransport, None] = {}


class Member(WSListener):
    """One connection: it is told what the others send."""

    def on_ws_connected(self, transport: WSTransport) -> None:
        _connections[transport] = None

    def on_ws_disconnected(self, transport: WSTransport) -> None:
        _connections.pop(transport, None)

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        if frame.msg_type in (WSMsgType.TEXT, WSMsgType.BINARY):
            data = frame.get_payload_as_bytes()
            for each in _connections:
                if each is not transport:
                    each.send(WSMsgType.TEXT, data)
        elif frame.msg_type is WSMsgType.CLOSE:
            transport.send_close()
            transport.disconnect()


async def main() -> None:
    server = await ws_create_server(lambda request: Member(), "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    sys.stdout.write(f"ready ws://127.0.0.1:{port}/\n")
    sys.stdout.flush()
    await server.serve_forever()


uvloop.run(main())
