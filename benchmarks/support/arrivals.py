"""Many sockets that read the same stream, and when each of them got what."""

from __future__ import annotations

import select
import time
from collections.abc import Sequence

from benchmarks.support.sockets import PATIENCE, Client


class Arrivals:
    """Reads many sockets, and tells how long each one had to wait.

    Args:
        clients: the sockets, nothing of the stream read from them yet.
        mark: stands once in each message, near its end.
    """

    def __init__(self, clients: Sequence[Client], mark: bytes) -> None:
        self._mark = mark
        self._sockets = {client.socket.fileno(): client.socket for client in clients}
        self._ends = dict.fromkeys(self._sockets, b"")
        self._epoll = select.epoll()
        for fd in self._sockets:
            self._epoll.register(fd, select.EPOLLIN)

    def wait(self, since: float) -> list[float]:
        """Wait until each socket has got one message more; seconds since `since` for each.

        Raises:
            RuntimeError: one has got more than that.
        """
        waited: dict[int, float] = {}
        mark, keep, ends = self._mark, len(self._mark) - 1, self._ends
        while len(waited) < len(ends):
            events = self._epoll.poll(PATIENCE)
            if not events:
                raise TimeoutError(f"{len(ends) - len(waited)} sockets still wait")
            for fd, _ in events:
                data = self._sockets[fd].recv(1 << 18)
                if not data:
                    raise ConnectionError("the server has closed the connection")
                seen = (ends[fd] + data).count(mark)  # it may come in two parts
                ends[fd] = data[-keep:]
                if seen > 1 or (seen and fd in waited):
                    raise RuntimeError("one message expected, more received")
                if seen:
                    waited[fd] = time.perf_counter() - since
        return list(waited.values())

    def close(self) -> None:
        self._epoll.close()
