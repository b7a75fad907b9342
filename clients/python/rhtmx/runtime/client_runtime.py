"""A session at work: its connection, its store, and who waits for what.

Knows these three, and the order in which they begin and end. Must not know what is read,
written or asked.

=======  =============================  =====================  =======================
state    `open`                         a write, a question    `close`
=======  =============================  =====================  =======================
made     loading, with a store: then    `ConnectionClosed`     made
         open, and it connects by and
         by. Without one open: it
         connects, or raises
loading  `ConnectionClosed`             `ConnectionClosed`     made; `open` raises
                                                               `ConnectionClosed`
open     `ConnectionClosed`             open                   closed: first the
                                                               connection, then the
                                                               store, with the rest
closed   `ConnectionClosed`             `ConnectionClosed`     closed
=======  =============================  =====================  =======================
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import datetime
from functools import partial
from typing import NamedTuple, TypeVar

from rhtmx.core.build_message import checked_token
from rhtmx.core.cursor import Cursor
from rhtmx.core.edit_base import EditBase
from rhtmx.core.error_policy import ConnectionClosed, too_large
from rhtmx.core.events import Answered, State
from rhtmx.core.queued_write import QueuedWrite
from rhtmx.core.requests import Question
from rhtmx.core.session import Session
from rhtmx.core.storage_ops import Mutation, Store
from rhtmx.errors import RhtmxError
from rhtmx.messages import Authenticate, Position, Push, Transaction
from rhtmx.runtime.connection import Connection
from rhtmx.runtime.endpoint import Endpoint
from rhtmx.runtime.event_router import EventRouter
from rhtmx.runtime.session_driver import SessionDriver
from rhtmx.runtime.store_writer import StoreWriter
from rhtmx.runtime.subscription import Subscription
from rhtmx.values.transaction_writes import writes_of
from rhtmx.wire import ClientMessage, encode
from rhtmx.wire.check_outgoing import checked

__all__ = ["ClientRuntime", "WriteCall", "at_most"]

log = logging.getLogger("rhtmx")

T = TypeVar("T")


class WriteCall(NamedTuple):
    """A write that was handed over, and what there is to wait for.

    Attributes:
        answer: what the server says of it, once that is there.
        stored: waits until it is in the store.
    """

    answer: asyncio.Future[Answered]
    stored: Callable[[], Awaitable[None]]


class ClientRuntime:
    """One client at work. It is the `Owner` of its subscriptions.

    Args:
        session: what decides.
        endpoint: where to connect to.
        token: gets the token for each connection.
        clock: the time, for field writes.
        store: where records and writes are kept; only in memory if left out.

    Attributes:
        session: what decides.
        router: hands what it tells to whoever waits for it.
        state: how the client stands with its server.
    """

    def __init__(
        self,
        session: Session,
        endpoint: Endpoint,
        *,
        clock: Callable[[], datetime],
        token: Callable[[], Awaitable[str]] | None = None,
        store: Store | None = None,
    ) -> None:
        self.session = session
        self.router = EventRouter(self._renew)
        self.state = State.CONNECTING
        self._driver = SessionDriver(session, self.router)
        self._endpoint = endpoint
        self._clock = clock
        self._token = token
        self._store = store
        session.renews = token is not None
        self._store_writer: StoreWriter | None = None
        self._renewing: asyncio.Task[None] | None = None
        self._connection: Connection | None = None
        self._watchers: set[asyncio.Queue[State]] = set()

    # Its life.

    async def open(self) -> None:
        """Connect; or, with a store, open that and connect as soon as it is possible.

        Raises:
            ConnectionClosed: there is no store, and connecting was not possible; or it was
                closed meanwhile.
            RhtmxError: `STORAGE_FAILED` or `STORAGE_FULL`, the store cannot be used.
        """
        if self._connection is not None or self._store_writer is not None:
            raise ConnectionClosed("a client connects once: make another one")
        connection = Connection(self._driver, self._endpoint, self._become, self._token)
        if self._store is None:
            self._connection = connection
            await connection.open()
            return
        await self._load(self._store)
        self._connection = connection
        connection.start()

    async def close(self) -> None:
        """End the connection for good; what is not in the store yet is stored first."""
        if self._renewing is not None and self._renewing is not asyncio.current_task():
            self._renewing.cancel()
        try:
            if self._connection is not None:
                await self._connection.close()
        finally:
            if self._connection is not None:
                self._become(State.CLOSED)
            if self._store_writer is not None:  # also while it is being opened
                await self._store_writer.close()

    def offline(self) -> None:
        """Let go of the connection, and make none until `online`."""
        self.check_open()
        if self._connection is not None:
            self._connection.offline()

    def online(self) -> None:
        """Connect at once; where there is a connection, it has to prove itself."""
        self.check_open()
        if self._connection is not None:
            self._connection.online()

    async def saved(self, row: QueuedWrite | None = None) -> None:
        """Wait until every write that was made so far is in the store; or only one of them."""
        if self._store_writer is not None:
            await self._store_writer.saved(row)

    @property
    def problem(self) -> RhtmxError | None:
        """Why there is no connection, in words; `None` while there is one."""
        if self.session.error is not None or self._connection is None:
            return self.session.error
        return self._connection.problem.last

    async def states(self) -> AsyncIterator[State]:
        """The state now, and each new one. Ends with `CLOSED`."""
        watcher: asyncio.Queue[State] = asyncio.Queue()
        watcher.put_nowait(self.state)
        self._watchers.add(watcher)
        try:
            state = None
            while state is not State.CLOSED:
                state = await watcher.get()
                yield state
        finally:
            self._watchers.discard(watcher)

    def check_open(self) -> None:
        """Raise `ConnectionClosed` if the client was not entered."""
        if self._connection is None:
            raise ConnectionClosed("the client is not connected: use `async with rhtmx.connect(…)`")

    # What is asked of it.

    def write(
        self, message: Mutation, now: datetime | None = None, base: EditBase | None = None
    ) -> WriteCall:
        """Queue a write, store and send it.

        Args:
            message: what to write.
            now: its time, if `now` was asked for it already.
            base: what its base version is of, where its author saw own writes, too.

        Raises:
            RhtmxError: `TOO_LARGE`, whatever its number.
            ConnectionClosed: there is no connection, and there will be none.
        """
        self._check(message, at_most(message))
        at = now or self.now()
        row = self.session.push(message, at.timestamp(), base)
        return WriteCall(self.answer(row.id), partial(self.saved, row))

    def answer(self, request_id: str) -> asyncio.Future[Answered]:
        """Send; returns the answer to a request, once it is there."""
        call = self.router.expect(request_id)
        self._driver.step()
        return call

    async def ask(self, question: Question) -> Answered:
        """Ask; returns the answer. Whoever is cancelled while it waits has asked nothing.

        Raises:
            RhtmxError: it is refused.
            ConnectionClosed: there is no connection, and there will be none.
        """
        self._check(question)
        return await self._ask(question)

    def tell(self, message: ClientMessage) -> bool:
        """Send an ephemeral message; returns whether there is a connection, else it is gone.

        Raises:
            RhtmxError: `BAD_MESSAGE` or `TOO_LARGE`, no server could take it.
            ConnectionClosed: there is no connection, and there will be none.
        """
        self._check(checked(message))
        sent = self.session.tell(message)
        self.changed()
        return sent

    def now(self) -> datetime:
        """The time of the next write."""
        return self.session.local.writes.time(self._clock())

    def changed(self) -> None:
        """Something was asked of the session: hand over, store and send what follows."""
        self._driver.step()

    # What subscriptions call.

    def start(self, subscription: Subscription[T], since: Position | None) -> Cursor:
        """Start reading."""
        entity, granularity = subscription.entity, subscription.granularity
        cursor = self.session.subscribe(
            entity, granularity, since, ends=subscription.ends, where=subscription.where
        )
        self.router.attach(cursor, subscription)
        self.changed()
        return cursor

    def stop(self, cursor: Cursor) -> None:
        """End reading."""
        self.router.detach(cursor)
        self.session.streams.remove(cursor)
        self.changed()

    def pause(self, cursor: Cursor) -> None:
        """Deliver nothing until `resume`."""
        self.session.streams.pause(cursor)
        self.changed()

    def resume(self, cursor: Cursor) -> None:
        """Deliver again, from the same place."""
        self.session.streams.resume(cursor)
        self.changed()

    # Inside.

    async def _load(self, store: Store) -> None:
        """Begin with what is in the store, and keep there what changes."""
        local = self.session.local
        self._store_writer = store_writer = StoreWriter(store, self._driver, self._end)
        try:
            local.load(await store_writer.load())
        except BaseException:
            self._store_writer = None
            await store_writer.close()
            raise
        for each in local.writes.rejected.values():
            self.router.rejections.put(each)
        store_writer.start()

    def _end(self, error: ConnectionClosed) -> None:
        """Nothing can be stored any more, so nothing would be sent: the client ends."""
        self.session.close(error)
        if self._connection is not None:
            self._connection.end()

    async def _ask(self, question: Question) -> Answered:
        request_id = self.session.ask(question)
        try:
            return await self.answer(request_id)
        finally:
            if self.router.dismiss(request_id):
                self.session.requests.cancel(request_id)

    def _check(self, message: ClientMessage, at_most: int | None = None) -> None:
        """Refuse at once what is too large whatever its id and number; see `Session.fits`.

        Args:
            message: what is to be sent.
            at_most: bytes that it surely does not exceed, if that is known.
        """
        self.check_open()
        limits = self.session.limits
        most = 0 if limits is None else limits.message_bytes
        if not most or (at_most is not None and at_most <= most):
            return  # nearly every write is small: it need not be encoded twice
        size = len(encode(message, self._endpoint.format))
        if size > most:
            raise too_large(size, most)

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
            await self._ask(Authenticate(token=token))
        except Exception as error:
            log.warning("no fresh token for '%s': %r", self._endpoint.shown, error)

    def _become(self, state: State) -> None:
        if state is self.state:
            return
        self.state = state
        for watcher in self._watchers:
            watcher.put_nowait(state)
        if state is State.CLOSED:
            self.router.fail(self.session.error or ConnectionClosed("the client was closed"))


_FRAME = 512
"""So many bytes hold a write without its names and values: words, numbers, times."""

_FIELD = 128
"""And so many a field without its name and value."""

_CHARACTER = 12
"""No character takes more bytes in JSON: one beyond U+FFFF, as two escapes."""


def at_most(message: Mutation) -> int:
    """A size that a write has in neither format, for it is smaller. Costs no encoding."""
    if isinstance(message, Transaction):
        return _FRAME + sum(map(at_most, writes_of(message)))
    names = len(message.entity) + len(message.entity_id)
    if isinstance(message, Push):
        return _FRAME + _CHARACTER * names + len(message.data or b"")
    fields = message.fields
    names += sum(len(each.field) for each in fields)
    values = sum(len(each.value or b"") for each in fields)
    return _FRAME + _FIELD * len(fields) + _CHARACTER * names + values
