"""Many clients that connect, ask and read at the same time, on one epoll.

Each one does what a client does: it waits for the handshake's answer before it
speaks, and is done when the last bytes that came hold what it waits for.
What they got is kept, to be looked at when the clock has stopped.
"""

from __future__ import annotations

import errno
import select
import socket
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from benchmarks.support.sockets import PATIENCE, Client, client_frame, server_frames

_TAIL = 256


class _Guest:
    """One client of the storm."""

    __slots__ = ("buffer", "done", "shaken", "socket")

    def __init__(self, address: tuple[str, int]) -> None:
        self.socket = socket.socket()
        self.socket.setblocking(False)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if self.socket.connect_ex(address) not in (0, errno.EINPROGRESS):
            raise ConnectionError("the server does not let it connect")
        self.buffer = bytearray()
        self.shaken = self.done = False


@contextmanager
def storm(
    count: int, port: int, path: str, say: Sequence[bytes], end: bytes
) -> Iterator[list[list[bytes]]]:
    """Connect `count` clients at once; each says the same, and reads until it sees `end`.

    Args:
        count: how many.
        port: on this machine.
        path: of the endpoint.
        say: text messages, sent once the handshake is through.
        end: found near the end of what a client has got when that is all.

    Yields:
        An empty list when all are through. It is filled afterwards: the messages
        that each client got.
    """
    greeting = Client.request(port, path)
    asking = b"".join(map(client_frame, say))
    guests: dict[int, _Guest] = {}
    with select.epoll() as epoll:
        for _ in range(count):
            guest = _Guest(("127.0.0.1", port))
            guests[guest.socket.fileno()] = guest
            epoll.register(guest.socket, select.EPOLLOUT)
        left = count
        buffer = memoryview(bytearray(1 << 18))
        while left:
            events = epoll.poll(PATIENCE)
            if not events:
                raise TimeoutError(f"{left} of {count} clients still wait")
            for fd, event in events:
                guest = guests[fd]
                if event & select.EPOLLOUT:
                    guest.socket.sendall(greeting)
                    epoll.modify(fd, select.EPOLLIN)
                else:
                    left -= _read(guest, buffer, asking, end)
    received: list[list[bytes]] = []
    yield received
    for guest in guests.values():
        received.append(list(server_frames(guest.buffer)))
        guest.socket.close()


def _read(guest: _Guest, buffer: memoryview, asking: bytes, end: bytes) -> bool:
    """Take what came; whether this client is done with it."""
    size = guest.socket.recv_into(buffer)
    if not size:
        raise ConnectionError("the server has closed the connection")
    guest.buffer += buffer[:size]
    if not guest.shaken:
        head, found, rest = bytes(guest.buffer).partition(b"\r\n\r\n")
        if not found:
            return False
        if b" 101 " not in head.partition(b"\r\n")[0]:
            raise RuntimeError(head.decode(errors="replace"))
        guest.buffer = bytearray(rest)
        guest.shaken = True
        guest.socket.sendall(asking)
    done = end in guest.buffer[-_TAIL:]
    news, guest.done = done and not guest.done, done or guest.done
    return news
