"""When an app's server runs: made, started, stopped, and made anew.

Knows that there is one at a time, and that it belongs to one event loop. Must not know what it is
made of, nor what it serves.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from rhtmx.errors import ErrorCode, RhtmxError
from rhtmx_server.failures import WrongLoopError
from rhtmx_server.server import RunningServer
from rhtmx_server.threads import PoolSet
from rhtmx_server.transports.asgi import AsgiDoor

__all__ = ["Lifecycle"]

_ELSEWHERE = (
    "this app runs in another event loop: call it there, from a thread by "
    "asgiref.sync.async_to_sync (Django) or anyio.from_thread.run (Starlette, FastAPI)"
)


class Lifecycle:
    """The server of one app.

    Attributes:
        server: from before it starts until it begins to stop; `None` at other times.
        pools: make its threads.
    """

    def __init__(self) -> None:
        self.server: RunningServer | None = None
        self.pools = PoolSet()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stopping: asyncio.Future[None] | None = None

    async def start(self, make: Callable[[], RunningServer], *, listens: bool) -> str:
        """Make a server, and start it; one that is still stopping ends first.

        Args:
            make: makes it.
            listens: on its own port.

        Returns:
            The address of its WebSocket endpoint; empty if it does not listen.

        Raises:
            RuntimeError: there is one already.
        """
        loop = asyncio.get_running_loop()
        while self._stopping is not None and self._loop is loop:
            await asyncio.shield(self._stopping)
        if self.server is not None:
            raise RuntimeError("this app is running already")
        self._loop, self._stopping = loop, None
        # Before the first await: a second `start` must find it.
        server = self.server = make()
        try:
            return await server.start(listens=listens)
        except BaseException:
            self.server = None
            self.pools.shutdown()
            raise

    async def stop(self) -> None:
        """Finish what was accepted, tell every client to reconnect, and close."""
        if self.server is None:
            return
        self._require_own_loop()
        server, self.server = self.server, None
        stopping = self._stopping = asyncio.get_running_loop().create_future()
        try:
            await server.stop()
        finally:
            self.pools.shutdown()
            self._stopping = None
            stopping.set_result(None)

    @property
    def running(self) -> RunningServer:
        """The server.

        Raises:
            RhtmxError: `SHUTTING_DOWN`, there is none.
            WrongLoopError: it runs in another event loop than the one that asks.
        """
        if self.server is None:
            raise RhtmxError(
                ErrorCode.SHUTTING_DOWN, "the app is not running: use `async with app:` or serve()"
            )
        self._require_own_loop()
        return self.server

    def call(self, action: Callable[[RunningServer], None]) -> None:
        """Have something done with the server in its loop: at once there, soon from a thread.

        Args:
            action: what; it does not wait.

        Raises:
            RhtmxError: `SHUTTING_DOWN`, there is none.
        """
        server = self.server
        if server is None or self._loop is None or self._is_here():
            action(self.running)
        else:
            self._loop.call_soon_threadsafe(action, server)

    def door(self) -> AsgiDoor | None:
        """What serves an application that the server is mounted in, while it runs.

        Raises:
            WrongLoopError: it runs in another event loop than the one that asks.
        """
        if self.server is None or not self.server.started:
            return None
        self._require_own_loop()
        return self.server.asgi

    def _is_here(self) -> bool:
        try:
            return asyncio.get_running_loop() is self._loop
        except RuntimeError:  # a thread without one
            return False

    def _require_own_loop(self) -> None:
        """Refuse what would wait for ever, or write to a socket from two threads."""
        try:
            here = asyncio.get_running_loop()
        except RuntimeError:
            return  # what is asked for may be handed to the loop
        if here is not self._loop:
            raise WrongLoopError(_ELSEWHERE)
