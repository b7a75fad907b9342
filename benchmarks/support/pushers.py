"""Many sockets that ask, wait for the answers, and ask again: a closed loop.

Each lane keeps so many requests under way. The loop does nothing but cut what
arrives into answers and count them; what they say is looked at afterwards.
"""

from __future__ import annotations

import select
import socket
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from benchmarks.support.sockets import PATIENCE

Cut = Callable[[bytes, int], int]
"""Where the answer that begins at this place ends; -1 if it has not arrived whole."""


@dataclass(frozen=True, slots=True)
class Load:
    """What came of it.

    Args:
        seconds: from the first request to the last answer.
        waited: of each request, from the write that sent it to the read that
            brought its answer; seconds, sorted.
    """

    seconds: float
    waited: Sequence[float]

    def percentile(self, part: float) -> float:
        """What this part of all requests did not wait longer than; seconds."""
        return self.waited[min(len(self.waited) - 1, int(len(self.waited) * part))]


class Lane:
    """One socket with its requests.

    Args:
        connection: open and greeted.
        requests: each as the bytes to send.
        cut: finds the end of an answer.
    """

    def __init__(self, connection: socket.socket, requests: Sequence[bytes], cut: Cut) -> None:
        self.connection = connection
        self.answers: list[bytes] = []
        self._requests = requests
        self._cut = cut
        self._next = 0
        self._sent: deque[float] = deque()
        self._rest = b""

    @property
    def size(self) -> int:
        """How many requests it has."""
        return len(self._requests)

    def send(self, most: int) -> None:
        """Send the next requests, in one write."""
        some = self._requests[self._next : self._next + most]
        if some:
            self._next += len(some)
            now = time.perf_counter()
            self._sent.extend([now] * len(some))
            self.connection.sendall(b"".join(some))

    def take(self, waited: list[float]) -> int:
        """Read what has arrived; returns how many answers that were."""
        data = self.connection.recv(1 << 16)
        if not data:
            raise ConnectionError("the server has closed the connection")
        now = time.perf_counter()
        if self._rest:
            data = self._rest + data
        start = count = 0
        while (end := self._cut(data, start)) >= 0:
            self.answers.append(data[start:end])
            waited.append(now - self._sent.popleft())
            start = end
            count += 1
        self._rest = data[start:]
        return count


def drive(lanes: Sequence[Lane], window: int) -> Load:
    """Keep `window` requests under way on each lane until all are answered."""
    by_fd = {lane.connection.fileno(): lane for lane in lanes}
    waited: list[float] = []
    with select.epoll() as epoll:
        for fd in by_fd:
            epoll.register(fd, select.EPOLLIN)
        began = time.perf_counter()
        for lane in lanes:
            lane.send(window)
        left = sum(lane.size for lane in lanes)
        while left:
            events = epoll.poll(PATIENCE)
            if not events:
                raise TimeoutError(f"{left} requests still wait for their answer")
            for fd, _ in events:
                lane = by_fd[fd]
                count = lane.take(waited)
                left -= count
                lane.send(count)
        seconds = time.perf_counter() - began
    return Load(seconds, sorted(waited))


def websocket_frame(data: bytes, start: int) -> int:
    """Cut WebSocket frames of a server, none longer than 64 KiB."""
    if len(data) - start < 4:
        return -1
    size = data[start + 1]
    head = 2
    if size == 126:
        size = data[start + 2] << 8 | data[start + 3]
        head = 4
    end = start + head + size
    return end if end <= len(data) else -1
