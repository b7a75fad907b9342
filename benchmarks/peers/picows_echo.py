"""A server on `picows` and uvloop that sends back what it gets, and does nothing else."""

from __future__ import annotations

import sys

import uvloop
from picows import WSFrame, WSListener, WSMsgType, WSTransport, ws_create_server


class Echo(WSListener):
    """One connection: messages are put together, as the library leaves that to its user."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        if frame.msg_type in (WSMsgType.TEXT, WSMsgType.BINARY, WSMsgType.CONTINUATION):
            if frame.fin and not self._parts:
                transport.send(WSMsgType.TEXT, frame.get_payload_as_bytes())
                return
            self._parts.append(frame.get_payload_as_bytes())
            if frame.fin:
                transport.send(WSMsgType.TEXT, b"".join(self._parts))
                self._parts.clear()
        elif frame.msg_type is WSMsgType.CLOSE:
            transport.send_close()
            transport.disconnect()


async def main() -> None:
    server = await ws_create_server(lambda request: Echo(), "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    sys.stdout.write(f"ready ws://127.0.0.1:{port}/\n")
    sys.stdout.flush()
    await server.serve_forever()


uvloop.run(main())
