"""How a client stands with its server, from its beginning to its end.

Knows the connection and the inbox. Must not know what is read, written or asked.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from types import TracebackType
from typing import Self

from rhtmx.connection import Connection
from rhtmx.dial import Endpoint
from rhtmx.events import State
from rhtmx.inbox import Inbox
from rhtmx.session import Session
from rhtmx.verdict import ConnectionClosed

__all__ = ["Lifeline"]


class Lifeline:
    """What a client is apart from its calls: something that connects, and closes.

    Args:
        session: the conversation.
        endpoint: where to connect to.
        token: gets the token for each connection.
    """

    def __init__(
        self,
        session: Session,
        endpoint: Endpoint,
        token: Callable[[], Awaitable[str]] | None = None,
    ) -> None:
        self._session = session
        self._endpoint = endpoint
        self._token = token
        self._inbox = Inbox(session, self._flush)
        self._connection: Connection | None = None
        self._state = State.CONNECTING
        self._watchers: set[asyncio.Queue[State]] = set()

    async def __aenter__(self) -> Self:
        """Connect.

        Raises:
            ConnectionClosed: that was not possible.
        """
        if self._connection is not None:
            raise ConnectionClosed("a client connects once: make another one")
        self._connection = Connection(
            self._session, self._endpoint, self._inbox.take, self._become, self._token
        )
        await self._connection.open()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close."""
        await self.close()

    async def close(self) -> None:
        """End the connection for good. What still waits raises `ConnectionClosed`."""
        if self._connection is not None:
            await self._connection.close()

    @property
    def client_id(self) -> str:
        """The id of this client instance, as others see it in `Change.client_id`."""
        return self._session.client_id

    @property
    def state(self) -> State:
        """How the client stands with its server."""
        return self._state

    async def states(self) -> AsyncIterator[State]:
        """The state now, and each new one. Ends with `CLOSED`."""
        watcher: asyncio.Queue[State] = asyncio.Queue()
        watcher.put_nowait(self._state)
        self._watchers.add(watcher)
        try:
            state = None
            while state is not State.CLOSED:
                state = await watcher.get()
                yield state
        finally:
            self._watchers.discard(watcher)

    def _check_connected(self) -> None:
        if self._connection is None:
            raise ConnectionClosed("the client is not connected: use `async with rhtmx.connect(…)`")

    def _flush(self) -> None:
        if self._connection is not None:
            self._connection.flush()

    def _become(self, state: State) -> None:
        if state is self._state:
            return
        self._state = state
        for watcher in self._watchers:
            watcher.put_nowait(state)
        if state is State.CLOSED:
            self._inbox.fail(self._session.error or ConnectionClosed("the client was closed"))
