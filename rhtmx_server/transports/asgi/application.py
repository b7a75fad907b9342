"""The server as an ASGI application, and when it starts and stops.

Knows ASGI's lifespan, and hosts that do not pass it on. Must not know what a request asks for,
nor how a server is made: it is given what starts and stops one.

===========  ==================  ================  =================  ====================
state        a request           `lifespan` /      its end            the loop ends
                                 `async with`
===========  ==================  ================  =================  ====================
at rest      starts it: running  starts it: held   -                  -
             by itself
running by   served              held              -                  stops it: at rest
itself
held         served              held once more    the last one       -
                                                   stops it: stopped
stopped      refused             starts it: held   -                  -
===========  ==================  ================  =================  ====================

Where the app runs on its own port, too, that server is used, and neither started nor stopped. It
belongs to the event loop that has started it: a request that comes in another one is refused.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Self

from rhtmx.errors import ErrorCode, RhtmxError
from rhtmx_server.failures import WrongLoopError, stopping, unexpected
from rhtmx_server.transports.asgi.door import AsgiDoor, refuse_request, refuse_socket
from rhtmx_server.transports.asgi.events import AsgiScope, Receive, Send

__all__ = ["AsgiApp"]

log = logging.getLogger("rhtmx_server")


class AsgiApp:
    """An ASGI 3 application: `App.asgi` makes it.

    Mount it under any path. It is started and stopped by the host's lifespan, if the host passes
    that on or is given `lifespan`; `async with` does the same. Else the first request starts
    it, and it stops when the event loop ends.

    Args:
        door: what serves requests, while the server runs.
        start: starts the server.
        stop: stops it.
    """

    def __init__(
        self,
        door: Callable[[], AsgiDoor | None],
        start: Callable[[], Awaitable[object]],
        stop: Callable[[], Awaitable[None]],
    ) -> None:
        self._door = door
        self._start = start
        self._stop = stop
        self._holders = 0
        self._own = False
        self._stopped = False
        self._starting: asyncio.Task[None] | None = None
        self._guard: asyncio.Task[None] | None = None

    async def __call__(self, scope: AsgiScope, receive: Receive, send: Send) -> None:
        """Serve one scope of ASGI: `http`, `websocket` or `lifespan`."""
        kind = scope["type"]
        if kind == "lifespan":
            await self._live(receive, send)
            return
        if kind not in ("http", "websocket"):
            raise ValueError(f"ASGI scope {kind!r}: http, websocket or lifespan expected")
        try:
            door = await self._serving()
        except RhtmxError as error:
            if kind == "http":
                await refuse_request(send, error, str(scope.get("http_version", "1.1")))
            elif (await receive())["type"] == "websocket.connect":
                await refuse_socket(scope, send, error)
            return
        await (door.http if kind == "http" else door.websocket)(scope, receive, send)

    @contextlib.asynccontextmanager
    async def lifespan(self, host: object = None) -> AsyncIterator[None]:
        """Start with the host and stop with it: `Starlette(lifespan=live.lifespan)`.

        Args:
            host: the application, as Starlette and FastAPI give it; it is not needed.

        Raises:
            RhtmxError: the server cannot start; the message says why.
        """
        async with self:
            yield

    async def __aenter__(self) -> Self:
        """Start the server, unless it runs."""
        await self._begin()
        self._holders += 1
        return self

    async def __aexit__(self, *error: object) -> None:
        """Stop the server, if nothing else holds it."""
        self._holders -= 1
        if not self._holders and self._own:
            self._stopped = True
            await self._end()

    async def _live(self, receive: Receive, send: Send) -> None:
        """Start and stop when the host says so."""
        await receive()
        try:
            await self.__aenter__()
        except Exception as failure:
            words = failure.message if isinstance(failure, RhtmxError) else str(failure)
            await send({"type": "lifespan.startup.failed", "message": words})
            return
        await send({"type": "lifespan.startup.complete"})
        try:
            await receive()
        finally:
            await self.__aexit__()
        await send({"type": "lifespan.shutdown.complete"})

    async def _serving(self) -> AsgiDoor:
        """What serves a request."""
        try:
            # Mostly it runs, and there is nothing to wait for.
            return self._door() or await self._by_request()
        except WrongLoopError as misuse:
            words = (
                "the server runs in another event loop: have one host serve all requests (in "
                "tests: `with TestClient(…) as client`)"
            )
            log.error("a request was refused: %s", words)
            raise RhtmxError(ErrorCode.INTERNAL, words) from misuse

    async def _by_request(self) -> AsgiDoor:
        """Start the server because somebody wants something of it."""
        if self._stopped:
            raise stopping()
        try:
            await self._begin()
        except WrongLoopError:
            raise
        except RhtmxError as error:
            log.error("a request came, and the server cannot start: %s", error.message)
            words = "the server cannot start: its log says why"
            raise RhtmxError(ErrorCode.SHUTTING_DOWN, words) from None
        except Exception as failure:
            raise unexpected(failure, "starting the server by a request") from None
        if not self._holders and self._guard is None:
            self._guard = asyncio.create_task(self._until_the_end())
        door = self._door()
        if door is None:
            raise stopping()
        return door

    async def _begin(self) -> None:
        """Start the server unless it runs; all who want that at a time wait for the same."""
        self._stopped = False
        with contextlib.suppress(WrongLoopError):  # whoever starts it says that it runs elsewhere
            if self._door() is not None:
                return
        if self._starting is None:
            self._starting = asyncio.create_task(self._start_once())
        # Whoever goes away meanwhile does not take the start with them.
        await asyncio.shield(self._starting)

    async def _start_once(self) -> None:
        try:
            await self._start()
            self._own = True
        finally:
            self._starting = None

    async def _until_the_end(self) -> None:
        """Stop when all tasks are cancelled: nobody tells that the host has ended."""
        try:
            await asyncio.get_running_loop().create_future()
        finally:
            self._guard = None
            if not self._holders:
                await self._end()

    async def _end(self) -> None:
        self._own = False
        await self._stop()
