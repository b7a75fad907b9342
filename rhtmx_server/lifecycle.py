"""When an app's server runs: made, started, stopped, and made anew.

Knows that there is one at a time. Must not know what it is made of, nor what it serves.
"""

from __future__ import annotations

from collections.abc import Callable

from rhtmx.errors import ErrorCode, RhtmxError
from rhtmx_server.connections.connection import Connection
from rhtmx_server.horizon import wall_clock
from rhtmx_server.server import RunningServer
from rhtmx_server.threads import PoolSet
from rhtmx_server.transports.asgi import AsgiDoor

__all__ = ["Lifecycle"]


class Lifecycle:
    """The server of one app.

    Attributes:
        server: from before it starts until it begins to stop; `None` at other times.
        pools: make its threads.
    """

    def __init__(self) -> None:
        self.server: RunningServer | None = None
        self.pools = PoolSet()

    async def start(self, make: Callable[[], RunningServer], *, listens: bool) -> str:
        """Make a server, and start it.

        Args:
            make: makes it.
            listens: on its own port.

        Returns:
            The address of its WebSocket endpoint; empty if it does not listen.

        Raises:
            RuntimeError: there is one already.
        """
        if self.server is not None:
            raise RuntimeError("this app is running already")
        # Before the first await: a second `start` must find it.
        server = self.server = make()
        try:
            return await server.start(listens=listens)
        except BaseException:
            self.server = None
            self.pools.shutdown()
            raise

    def abandon(self) -> None:
        """Forget a server whose event loop has ended: nothing of it can be stopped any more."""
        self.server = None
        self.pools.shutdown()

    async def stop(self) -> None:
        """Finish what was accepted, tell every client to reconnect, and close."""
        server, self.server = self.server, None
        if server is not None:
            try:
                await server.stop()
            finally:
                self.pools.shutdown()

    @property
    def running(self) -> RunningServer:
        """The server.

        Raises:
            RhtmxError: `SHUTTING_DOWN`, there is none.
        """
        if self.server is None:
            raise RhtmxError(
                ErrorCode.SHUTTING_DOWN, "the app is not running: use `async with app:` or serve()"
            )
        return self.server

    def time_ns(self) -> int:
        """The time by the server's clock, or the machine's; nanoseconds since 1970."""
        return 1000 * (wall_clock() if self.server is None else self.server.services.clock())

    def connections(self) -> list[Connection]:
        """All that there are."""
        return [] if self.server is None else self.server.connections()

    def door(self) -> AsgiDoor | None:
        """What serves an application that the server is mounted in, while it runs."""
        return self.server.asgi if self.server is not None and self.server.started else None
