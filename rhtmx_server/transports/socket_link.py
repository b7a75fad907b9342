"""A socket as its connection sees it: nothing here waits for the peer.

Knows how a socket is written to, paused and closed. Must not know what is
written, nor how what arrives becomes messages.
"""

from __future__ import annotations

from websockets.protocol import State

from rhtmx_server.transports.socket import Socket

__all__ = ["SocketLink"]


class SocketLink:
    """The link of a socket.

    Args:
        socket: the socket.
    """

    __slots__ = ("_socket", "_transport", "write")

    def __init__(self, socket: Socket) -> None:
        self._socket = socket
        self._transport = socket.transport
        # Bound once: one attribute less to look up for each write.
        self.write = socket.write

    def pause(self) -> None:
        """Have the socket keep what arrives."""
        self._socket.stop()

    def resume(self) -> None:
        """Have the socket hand over what it has kept, and then what comes."""
        self._socket.resume()

    def ping(self) -> None:
        """Send a ping frame; whatever comes back is a sign of life."""
        if self._open():
            self._socket.protocol.send_ping(b"")
            self._socket.send_data()

    def close(self, code: int, reason: str) -> None:
        """Send a close frame, and drop the socket if the peer does not answer."""
        # After the peer's close frame, or its end, the library raises.
        if self._open():
            self._socket.protocol.send_close(code, reason[:120])
            self._socket.send_data()
            self._socket.end()
        # The peer's close frame has to be received; or, if it came first, the end of its socket.
        self.resume()

    def abort(self) -> None:
        """Drop the socket now."""
        self._transport.abort()

    def waiting(self) -> int:
        """Bytes that were written and not sent yet."""
        return self._transport.get_write_buffer_size()

    def _open(self) -> bool:
        return self._socket.protocol.state is State.OPEN and not self._transport.is_closing()
