"""A server that is mounted in a Starlette application, under uvicorn in this process."""

from __future__ import annotations

import socket
from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from typing import Any, Self

import uvicorn
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.routing import Mount

from rhtmx_server import App
from tests.support.waiting import eventually

__all__ = ["Host", "Mounted"]


class Host:
    """uvicorn in this process, on a free port; without its loop, which looks ten times a second.

    Args:
        application: what it serves.
        settings: of uvicorn.
    """

    def __init__(self, application: Any, **settings: Any) -> None:
        # Tests read a plain answer to the end of its connection.
        settings = {"log_config": None, "access_log": False, "timeout_keep_alive": 0, **settings}
        self.server = uvicorn.Server(uvicorn.Config(application, **settings))
        self._socket = socket.socket()
        self.port = 0

    async def start(self) -> None:
        """Listen, as `uvicorn.run` does before its loop."""
        self._socket.bind(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]
        self.server.config.load()
        self.server.lifespan = self.server.config.lifespan_class(self.server.config)
        await self.server.startup(sockets=[self._socket])

    async def stop(self) -> None:
        """Stop in the order of `uvicorn.Server.shutdown`, which waits by the tenth of a second."""
        state = self.server.server_state
        for each in self.server.servers:
            each.close()
        for connection in list(state.connections):
            connection.shutdown()
        await eventually(lambda: not state.connections and not state.tasks)
        for each in self.server.servers:
            await each.wait_closed()
        self._socket.close()
        await self.server.lifespan.shutdown()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *error: object) -> None:
        await self.stop()


class Mounted(App):
    """An app without a port of its own, which looks like one with it.

    Args:
        prefix: where it is mounted.
        middleware: of the application in which it is.
        passes_lifespan: whether that starts and stops it.
        uvicorn_settings: of the server.
        settings: of the app.
    """

    def __init__(
        self,
        *,
        prefix: str = "",
        middleware: tuple[Middleware, ...] = (),
        passes_lifespan: bool = True,
        uvicorn_settings: Mapping[str, Any] | None = None,
        **settings: Any,
    ) -> None:
        super().__init__(**settings)
        live = self.asgi()
        lifespan: Callable[[Any], AbstractAsyncContextManager[None]] | None = live.lifespan
        routes = [Mount(prefix, live)]
        self.host = Host(
            Starlette(
                routes=routes,
                middleware=middleware,
                lifespan=lifespan if passes_lifespan else None,
            ),
            **uvicorn_settings or {},
        )
        self._prefix = prefix

    @property
    def url(self) -> str:
        """The address of the WebSocket endpoint, in the host."""
        return f"ws://127.0.0.1:{self.host.port}{self._prefix}/api/ws"

    async def __aenter__(self) -> Self:
        await self.host.start()
        return self

    async def __aexit__(self, *error: object) -> None:
        await self.host.stop()
        await self.stop()
