"""Raw sockets that speak WebSocket: cheap enough not to be what is measured.

Client frames are masked with zeros: allowed by RFC 6455 (section 5.3 asks
clients for randomness to protect proxies, and there are none here), and the
server's work is the same.
"""

from __future__ import annotations

import json
import select
import socket
import struct
import zlib
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

TEXT, BINARY = 0x1, 0x2
_KEY = "dGhlIHNhbXBsZSBub25jZQ=="
_OFFER = "permessage-deflate; server_no_context_takeover; client_no_context_takeover"
PATIENCE = 60.0


def client_frame(payload: bytes, opcode: int = TEXT) -> bytes:
    """A whole masked frame (RFC 6455 section 5.2)."""
    size = len(payload)
    if size < 126:
        head = bytes((0x80 | opcode, 0x80 | size))
    elif size < 65536:
        head = struct.pack("!BBH", 0x80 | opcode, 0x80 | 126, size)
    else:
        head = struct.pack("!BBQ", 0x80 | opcode, 0x80 | 127, size)
    return head + b"\0\0\0\0" + payload


def server_frames(buffer: bytearray) -> Iterator[bytes]:
    """Take the payloads of all whole frames out of a buffer; inflated where compressed."""
    start = 0
    view = bytes(buffer)
    while len(view) - start >= 2:
        first, size = view[start], view[start + 1] & 0x7F
        at = start + 2
        if size == 126:
            if len(view) - at < 2:
                break
            size = int.from_bytes(view[at : at + 2])
            at += 2
        elif size == 127:
            if len(view) - at < 8:
                break
            size = int.from_bytes(view[at : at + 8])
            at += 8
        if len(view) - at < size:
            break
        payload = view[at : at + size]
        start = at + size
        if first & 0x40:
            payload = zlib.decompressobj(-15).decompress(payload + b"\0\0\xff\xff")
        yield payload
    del buffer[:start]


class Client:
    """One blocking WebSocket.

    Args:
        port: on this machine.
        path: of the endpoint, with its query.
        subprotocol: offered, if any.
        deflate: offer permessage-deflate, without context; or the offer itself.
        narrow: a small receive buffer, and segments as on a real network: loopback
            has such large ones that the kernel takes megabytes for a peer that
            does not read.
        finish: do the handshake now; otherwise `handshake` is still to be called.
    """

    def __init__(
        self,
        port: int,
        path: str = "/api/ws",
        *,
        subprotocol: str = "",
        deflate: bool | str = False,
        narrow: bool = False,
        finish: bool = True,
    ) -> None:
        self.socket = socket.socket()
        self.socket.settimeout(PATIENCE)
        if narrow:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, 1400)
        self.socket.connect(("127.0.0.1", port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.buffer = bytearray()
        self.last_read = 0
        self.socket.sendall(self.request(port, path, subprotocol=subprotocol, deflate=deflate))
        if finish:
            self.handshake()

    @staticmethod
    def request(
        port: int, path: str = "/api/ws", *, subprotocol: str = "", deflate: bool | str = False
    ) -> bytes:
        """The request that asks for a WebSocket."""
        extra = f"Sec-WebSocket-Protocol: {subprotocol}\r\n" if subprotocol else ""
        if deflate:
            offer = _OFFER if deflate is True else deflate
            extra += f"Sec-WebSocket-Extensions: {offer}\r\n"
        return (
            f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUpgrade: websocket\r\n"
            f"Connection: Upgrade\r\nSec-WebSocket-Key: {_KEY}\r\n"
            f"Sec-WebSocket-Version: 13\r\n{extra}\r\n"
        ).encode()

    def handshake(self) -> None:
        """Read the answer to the request that is already sent."""
        while b"\r\n\r\n" not in self.buffer:
            self._read()
        head, _, rest = bytes(self.buffer).partition(b"\r\n\r\n")
        if b" 101 " not in head.partition(b"\r\n")[0]:
            raise RuntimeError(head.decode(errors="replace"))
        self.buffer = bytearray(rest)

    def send(self, *payloads: bytes, opcode: int = TEXT) -> None:
        """Send messages in one write."""
        self.socket.sendall(b"".join([client_frame(each, opcode) for each in payloads]))

    def say(self, **message: Any) -> None:
        """Send a message in its JSON form."""
        self.send(json.dumps(message).encode())

    def some(self) -> list[bytes]:
        """Wait for something, and take what has arrived; may be part of a message."""
        self._read()
        return list(server_frames(self.buffer))

    def take(self, count: int) -> list[bytes]:
        """Wait for so many messages."""
        messages = list(server_frames(self.buffer))
        while len(messages) < count:
            messages += self.some()
        return messages

    def until(self, text: bytes) -> bytes:
        """Wait for a message that contains this; the ones before it are dropped."""
        messages = list(server_frames(self.buffer))
        while True:
            for message in messages:
                if text in message:
                    return message
            messages = self.some()

    def close(self) -> None:
        self.socket.close()

    def _read(self) -> None:
        data = self.socket.recv(1 << 18)
        if not data:
            raise ConnectionError("the server has closed the connection")
        self.last_read = len(data)
        self.buffer += data


def crowd(count: int, port: int, path: str = "/api/ws", **options: Any) -> list[Client]:
    """Open many sockets; a hundred handshakes are under way at a time."""
    clients: list[Client] = []
    while len(clients) < count:
        some = [
            Client(port, path, finish=False, **options)
            for _ in range(min(100, count - len(clients)))
        ]
        for client in some:
            client.handshake()
        clients += some
    return clients


class Counter:
    """Many sockets whose bytes are counted, and looked at no further.

    Args:
        clients: the sockets.
        payload: count what is inside the frames: for servers that cut the same
            stream into frames in different ways.
    """

    def __init__(self, clients: Sequence[Client], *, payload: bool = False) -> None:
        self.received = {client.socket.fileno(): 0 for client in clients}
        self._sockets = {client.socket.fileno(): client for client in clients}
        self._payload = payload
        self._epoll = select.epoll()
        for fd in self._sockets:
            self._epoll.register(fd, select.EPOLLIN)
        self._buffer = memoryview(bytearray(1 << 20))

    def wait(self, total: int) -> None:
        """Read until every socket has got `total` bytes more than at the start.

        Raises:
            RuntimeError: one has got more.
        """
        received = self.received
        left = sum(1 for count in received.values() if count < total)
        while left:
            events = self._epoll.poll(PATIENCE)
            if not events:
                raise TimeoutError(f"{left} sockets still wait for what was sent")
            for fd, _ in events:
                before = received[fd]
                after = before + self._take(self._sockets[fd])
                received[fd] = after
                if after >= total > before:
                    left -= 1
        if max(received.values()) > total:
            raise RuntimeError(f"{total} bytes expected, {max(received.values())} received")

    def _take(self, client: Client) -> int:
        if not self._payload:
            count = client.socket.recv_into(self._buffer)
            if not count:
                raise ConnectionError("the server has closed the connection")
            return count
        return payload_size(client.some())

    def close(self) -> None:
        self._epoll.close()
        for client in self._sockets.values():
            client.close()


class MarkCounter:
    """Many sockets on which something is counted that stands once in each message.

    Args:
        clients: the sockets.
        mark: what is counted.

    Attributes:
        least: how often the socket has got it that got it least.
    """

    def __init__(self, clients: Sequence[Client], mark: bytes) -> None:
        self._clients = {client.socket.fileno(): client for client in clients}
        self._mark = mark
        self._counts = dict.fromkeys(self._clients, 0)
        self._epoll = select.epoll()
        for fd in self._clients:
            self._epoll.register(fd, select.EPOLLIN)

    @property
    def least(self) -> int:
        return min(self._counts.values())

    def take(self, patience: float) -> None:
        """Read once where something has arrived; waits so many seconds at most for that.

        Raises:
            TimeoutError: nothing came, though it was to wait as long as anything may take.
        """
        events = self._epoll.poll(patience)
        if not events and patience >= PATIENCE:
            raise TimeoutError("nothing comes any more, and something is missing")
        for fd, _ in events:
            client = self._clients[fd]
            data = bytes(client.buffer) + client.socket.recv(1 << 18)
            self._counts[fd] += data.count(self._mark)
            # A mark that is cut is seen with what comes next, and no mark twice.
            kept = max(data.rfind(self._mark) + 1, len(data) - len(self._mark) + 1)
            client.buffer[:] = data[max(0, kept) :]

    def close(self) -> None:
        self._epoll.close()
        for client in self._clients.values():
            client.close()


def payload_size(messages: Iterable[bytes]) -> int:
    """Bytes in messages, but for what servers put among and between them.

    A NATS server sends `PING`; Centrifugo `{}`, and one line feed less the more it cuts.
    """
    return sum(
        len(message) - 5 * message.count(b"PING\r\n") - message.count(b"\n")
        for message in messages
        if message != b"{}"
    )


def joined(messages: Iterable[bytes], opcode: int = TEXT) -> bytes:
    """Messages as one run of client frames."""
    return b"".join([client_frame(each, opcode) for each in messages])
