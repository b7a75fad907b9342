"""What the methods of the service share: the server, and how each of them is ended.

Knows which calls run and how each of them is asked to end. Must not know HTTP/2,
nor what a method does.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Iterator

from rhtmx.errors import ErrorCode, RhtmxError
from rhtmx_server.connections.connection import Connection
from rhtmx_server.connections.services import Services
from rhtmx_server.connections.visits import Visit
from rhtmx_server.failures import stopping

__all__ = ["Door"]


class Door:
    """The calls of one server.

    Args:
        services: the server.
        ready: whether it serves.

    Attributes:
        connections: the streams that live as connections do.
    """

    def __init__(self, services: Services, ready: Callable[[], bool]) -> None:
        self.services = services
        self.ready = ready
        self.connections: set[Connection] = set()
        self._calls: set[asyncio.Task[None]] = set()
        self._visits: dict[asyncio.Task[None], Visit] = {}
        self._enders: set[Callable[[], None]] = set()
        self._closed = False

    def enter(self, method: str) -> None:
        """Take note of a call, in the task that answers it.

        Raises:
            RhtmxError: `SHUTTING_DOWN`.
        """
        if self._closed:
            raise stopping()
        task = asyncio.current_task()
        assert task is not None
        self._calls.add(task)
        task.add_done_callback(self._calls.discard)
        self.services.metrics.called(method)

    def visited(self, visit: Visit) -> None:
        """Have the call of this task end with its caller's rights."""
        task = asyncio.current_task()
        assert task is not None
        self._visits[task] = visit
        visit.cut = task.cancel
        task.add_done_callback(self._left)

    def _left(self, task: asyncio.Task[None]) -> None:
        visit = self._visits.pop(task, None)
        if visit is not None:
            visit.leave()

    def cut(self) -> RhtmxError | None:
        """Why this task was cancelled, where that is for its caller's rights; it was not, then."""
        task = asyncio.current_task()
        visit = None if task is None else self._visits.get(task)
        if task is None or visit is None or visit.error is None:
            return None
        task.uncancel()
        return visit.error

    @contextlib.contextmanager
    def lasting(self, end: Callable[[], None]) -> Iterator[None]:
        """Mark a call that does not end by itself.

        Args:
            end: asks it to, when the server stops.
        """
        self._enders.add(end)
        try:
            yield
        finally:
            self._enders.discard(end)

    @contextlib.contextmanager
    def connected(self, connection: Connection) -> Iterator[None]:
        """Have a stream looked after as other connections are, while it lasts."""

        def end() -> None:
            connection.close(ErrorCode.SHUTTING_DOWN, stopping().message)

        task = asyncio.current_task()
        if task is not None:
            self._left(task)  # from here on it is told as a connection
        self.connections.add(connection)
        try:
            with self.lasting(end):
                yield
        finally:
            self.connections.discard(connection)
            connection.lost()
            self.services.ended(connection.session)

    def close(self) -> None:
        """Take no more calls, and no more messages on those that run."""
        self._closed = True
        for connection in self.connections:
            connection.stop_reading()

    async def end(self, deadline: float) -> None:
        """Ask every call to end, and wait until they have.

        Args:
            deadline: on the loop's clock; those that run on have to be dropped.
        """
        # A list: those who end leave it.
        for end in list(self._enders):
            end()
        if self._calls:
            left = max(0.0, deadline - asyncio.get_running_loop().time())
            await asyncio.wait(self._calls, timeout=left)
