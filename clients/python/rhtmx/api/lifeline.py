"""How a client stands with its server, from its beginning to its end.

Knows the connection and the router. Must not know what is read, written or asked.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from types import TracebackType
from typing import Self

from rhtmx.core.build_message import checked_token
from rhtmx.core.error_policy import ConnectionClosed
from rhtmx.core.events import State
from rhtmx.core.session import Session
from rhtmx.core.storage_ops import Store
from rhtmx.errors import RhtmxError
from rhtmx.messages import Authenticate
from rhtmx.runtime.connection import Connection
from rhtmx.runtime.event_router import EventRouter
from rhtmx.runtime.handshake import Endpoint
from rhtmx.runtime.store_writer import StoreWriter
from rhtmx.runtime.subscription import Subscription

__all__ = ["Lifeline"]

log = logging.getLogger("rhtmx")


class Lifeline:
    """What a client is apart from its calls: something that connects, and closes.

    Args:
        session: what decides.
        endpoint: where to connect to.
        token: gets the token for each connection.
        store: where records and writes are kept; only in memory if left out.
    """

    def __init__(
        self,
        session: Session,
        endpoint: Endpoint,
        token: Callable[[], Awaitable[str]] | None = None,
        store: Store | None = None,
    ) -> None:
        self._session = session
        self._endpoint = endpoint
        self._token = token
        self._store = store
        self._session.renews = token is not None
        self._router = EventRouter(session, self._flush, self._renew)
        self._store_writer: StoreWriter | None = None
        self._renewing: asyncio.Task[None] | None = None
        self._connection: Connection | None = None
        self._state = State.CONNECTING
        self._watchers: set[asyncio.Queue[State]] = set()

    async def __aenter__(self) -> Self:
        """Connect; or, with a store, open that and connect as soon as it is possible.

        Raises:
            ConnectionClosed: there is no store, and connecting was not possible.
            RhtmxError: `STORAGE_FAILED` or `STORAGE_FULL`, the store cannot be used.
        """
        if self._connection is not None:
            raise ConnectionClosed("a client connects once: make another one")
        connection = Connection(
            self._session, self._endpoint, self._hand_over, self._become, self._token
        )
        if self._store is None:
            self._connection = connection
            await connection.open()
            return self
        store_writer = StoreWriter(self._store, self._session.local, self._stored)
        self._session.local.load(await store_writer.load())
        for each in self._session.local.writes.refused.values():
            self._router.rejections.put(each)
        self._store_writer, self._connection = store_writer, connection
        connection.start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close; with a store, what is not in it yet is stored first."""
        await self.close()

    async def close(self) -> None:
        """End the connection for good. What still waits raises `ConnectionClosed`.

        To close twice is no error, nor to close inside of `async with`. Writes that wait
        for their answer stay in the store, if there is one, and are sent when it is opened
        the next time.
        """
        if self._renewing is not None:
            self._renewing.cancel()
        if self._connection is not None:
            try:
                await self._connection.close()
            finally:
                self._become(State.CLOSED)
                if self._store_writer is not None:
                    await self._store_writer.close()

    def offline(self) -> None:
        """Let go of the connection, and make none until `online`. Writes wait."""
        self._check_connected()
        if self._connection is not None:
            self._connection.offline()

    def online(self) -> None:
        """Connect at once, after `offline` or while the next attempt has its time.

        Where there is a connection, it has to prove itself: one that is dead is found
        within 3 seconds and made again. Call it when the network is another one. A
        sleep of the machine the client notices itself, a second after its end.
        """
        self._check_connected()
        if self._connection is not None:
            self._connection.online()

    async def saved(self) -> None:
        """Wait until every write that was made so far is in the store.

        From then on it survives the end of this process, and is sent sooner or
        later. Without a store there is nothing to wait for.

        Raises:
            RhtmxError: `STORAGE_FULL` or `STORAGE_FAILED`, it cannot be stored.
        """
        if self._store_writer is not None:
            await self._store_writer.saved()

    @property
    def client_id(self) -> str:
        """The id of this client instance, as others see it in `Change.client_id`."""
        return self._session.local.identity.client_id

    @property
    def state(self) -> State:
        """How the client stands with its server."""
        return self._state

    @property
    def problem(self) -> RhtmxError | None:
        """Why there is no connection, in words; `None` while there is one.

        In the states `WAITING` and `CONNECTING` it is what became of the last attempt, in
        `CLOSED` the end. What a person has to see to is in the log of `rhtmx`, too: a warning
        when it begins.

        Example:
            >>> async for state in client.states():
            ...     print(state.value, client.problem or "")
        """
        if self._session.error is not None or self._connection is None:
            return self._session.error
        return self._connection.trouble.last

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

    def _hand_over(self) -> list[Subscription[object]]:
        """Something arrived: tell whoever waits for it, and store it."""
        if self._store_writer is not None:
            self._store_writer.wake()
        return self._router.take()

    def _flush(self) -> None:
        if self._store_writer is not None:
            self._store_writer.wake()
        if self._connection is not None:
            self._connection.flush()

    def _stored(self) -> None:
        self._router.take()
        self._flush()

    def _renew(self) -> None:
        """Writes wait for a fresh token: present one, if there is someone to ask."""
        if self._token is None:
            log.warning(
                "writes to '%s' wait for a fresh token: call authenticate, or connect with a "
                "function as token",
                self._endpoint.shown,
            )
        elif self._renewing is None or self._renewing.done():
            self._renewing = asyncio.get_running_loop().create_task(self._present())

    async def _present(self) -> None:
        try:
            assert self._token is not None
            token = checked_token(await self._token())
            await self._router.ask(Authenticate(token=token))
        except Exception as error:
            log.warning("no fresh token for '%s': %r", self._endpoint.shown, error)

    def _become(self, state: State) -> None:
        if state is self._state:
            return
        self._state = state
        for watcher in self._watchers:
            watcher.put_nowait(state)
        if state is State.CLOSED:
            self._router.fail(self._session.error or ConnectionClosed("the client was closed"))
