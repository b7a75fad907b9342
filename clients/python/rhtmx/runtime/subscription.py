"""The changes of one entity as an asynchronous iterator.

Knows the loop, and how much may wait for a slow reader. Must not know sockets
or the protocol: a session decides what is delivered, this hands it over.

A subscription keeps at most `CAPACITY` changes. When they are not taken, the
socket is not read for a moment, which is enough for a reader that keeps up.
After that the subscription is paused: the socket is read on, so that answers
and other subscriptions do not wait, what comes for this one is left out, and
once the reader has caught up, reading goes on from the same place. It costs no
memory and loses nothing: what changed several times meanwhile comes once, at
its latest.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable
from types import TracebackType
from typing import Generic, Protocol, TypeAlias, TypeVar

from rhtmx.core.cursor import Cursor, Log
from rhtmx.core.events import Delivered, Reset, Synced, WasReset
from rhtmx.core.granularity import Granularity
from rhtmx.core.where import Where
from rhtmx.errors import RhtmxError
from rhtmx.messages import Position
from rhtmx.values.progress import Progress

__all__ = ["CAPACITY", "PATIENCE", "Owner", "Subscription"]

CAPACITY = 1000
"""How many changes may wait for their reader."""

PATIENCE = 0.05
"""For how long, in seconds, a reader may hold up the socket."""

T = TypeVar("T")

News: TypeAlias = Delivered | Synced | WasReset


class Owner(Protocol):
    """The client, as its subscriptions see it."""

    def start(self, subscription: Subscription[T], since: Position | None) -> Cursor:
        """Start reading."""

    def stop(self, cursor: Cursor) -> None:
        """End reading."""

    def pause(self, cursor: Cursor) -> None:
        """Deliver nothing until `resume`."""

    def resume(self, cursor: Cursor) -> None:
        """Deliver again, from the same place."""


class Subscription(Generic[T]):
    """The changes of one entity, in version order.

    `async for change in subscription` reads until the loop is left, and going
    on with another loop resumes where the first one ended. `async with
    subscription:` reads from the moment in which the server has taken it, until
    the end of the block, however many loops or `anext` there are in it.

    It goes on over lost connections by itself. Cancelling a wait for the next
    change loses none.

    Args:
        owner: the client.
        entity: the collection.
        granularity: records or fields.
        convert: makes what is yielded.
        since: where to start; without it, at the next change.
        on_reset: called when all that was yielded is void and comes anew. If
            left out, the `Reset` is raised.
        ends: whether to end when it has caught up.
        where: the part of the entity; all of it, if left out.
    """

    def __init__(
        self,
        owner: Owner,
        entity: str,
        granularity: Granularity,
        convert: Callable[[Log], T],
        *,
        since: Position | None = None,
        on_reset: Callable[[Reset], None] | None = None,
        ends: bool = False,
        where: Where | None = None,
    ) -> None:
        self.entity = entity
        self.granularity = granularity
        self.where = where
        self._owner = owner
        self._convert = convert
        self._position = since
        self._on_reset = on_reset
        self.ends = ends
        self._cursor: Cursor | None = None
        self._entered = False
        self._paused = False
        self._over = False
        self._error: RhtmxError | None = None
        self._waiting: deque[News] = deque()
        self._news = asyncio.Event()
        self._room = asyncio.Event()
        self._started = asyncio.Event()

    @property
    def position(self) -> Position | None:
        """Where to resume after what was yielded: pass it as `since`, also after a restart.

        `None` while that is not known. In a commit of several fields it stays
        before the commit until the last of them was yielded.
        """
        return self._position

    @property
    def progress(self) -> Progress | None:
        """How far a long load is; `None`: none is under way, as far as the server has said.

        Of what has arrived: some of it may still wait to be yielded.
        """
        return None if self._cursor is None else self._cursor.progress

    def stop(self) -> None:
        """End reading, and with it an iteration that waits. Another one goes on from `position`."""
        if self._cursor is not None:
            self._owner.stop(self._cursor)
            self._cursor = None
            self._paused = False
            self._waiting.clear()
            self._room.set()
            self._started.clear()
            self._news.set()

    def end(self) -> None:
        """End reading for good: every iteration of it ends, now and later."""
        self._over = True
        self.stop()
        self._started.set()

    async def __aenter__(self) -> Subscription[T]:
        """Start reading, and wait until the server has taken the subscription.

        Raises:
            RhtmxError: it has not.
        """
        if not self._over:
            self._start()
        self._entered = True
        try:
            await self._started.wait()
            self._check()
        except BaseException:
            self._entered = False
            self.stop()
            raise
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End reading."""
        self._entered = False
        self.stop()

    def __aiter__(self) -> AsyncIterator[T]:
        return self if self._entered else self._until_left()

    async def __anext__(self) -> T:
        """The next change.

        Raises:
            Reset: all that was yielded is void, and nobody takes the news.
            RhtmxError: the server does not take the subscription.
            ConnectionClosed: there is no connection, and there will be none.
        """
        if self._over:
            raise StopAsyncIteration
        self._start()
        while True:
            while self._waiting:
                news = self._waiting.popleft()
                self._made_room()
                if isinstance(news, Delivered):
                    self._position = news.position
                    return self._convert(news.log)
                self._note(news)
            self._check()
            if self._cursor is None:
                raise StopAsyncIteration  # somebody else has ended it
            self._news.clear()
            await self._news.wait()

    # What the client calls.

    def started(self) -> None:
        """The server has taken it."""
        self._started.set()

    def put(self, news: News) -> bool:
        """Put news at the end; returns whether there is room for more."""
        self._waiting.append(news)
        self._news.set()
        return len(self._waiting) < CAPACITY

    async def make_room(self) -> None:
        """Wait for the reader, but not for long: then pause."""
        if len(self._waiting) < CAPACITY:
            return  # it has taken some meanwhile
        self._room.clear()
        try:
            async with asyncio.timeout(PATIENCE):
                await self._room.wait()
        except TimeoutError:
            # It may have begun to take in the very moment in which time was up.
            if self._cursor is not None and len(self._waiting) > CAPACITY // 2:
                self._paused = True
                self._owner.pause(self._cursor)

    def fail(self, error: RhtmxError) -> None:
        """Nothing more will come. What waits is still yielded."""
        self._error = error
        self._news.set()
        self._started.set()

    # Inside.

    def _start(self) -> None:
        if self._cursor is None:
            self._error = None
            self._cursor = self._owner.start(self, self._position)

    def _check(self) -> None:
        if self._error is not None:
            error = self._error
            self.stop()
            raise error.with_traceback(None)

    def _note(self, news: Synced | WasReset) -> None:
        if isinstance(news, Synced):
            self._position = news.position
            if self.ends:
                self.stop()
                raise StopAsyncIteration
        elif self._on_reset is None:
            self.stop()
            raise news.reset
        else:
            self._position = news.position
            self._on_reset(news.reset)

    def _made_room(self) -> None:
        if len(self._waiting) <= CAPACITY // 2:
            self._room.set()
        if self._paused and self._cursor is not None and len(self._waiting) <= CAPACITY // 4:
            self._paused = False
            self._owner.resume(self._cursor)

    async def _until_left(self) -> AsyncIterator[T]:
        try:
            while True:
                try:
                    change = await self.__anext__()
                except StopAsyncIteration:
                    return
                yield change
        finally:
            self.stop()
