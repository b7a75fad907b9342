"""The changes of one entity as an asynchronous iterator, over gRPC.

Knows streams, and when to make another one. Must not know what a position means:
`resuming_cursor` does. What is not taken is not read: it waits at the server, and a reader
that lags gets the latest once it goes on.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing
from types import TracebackType
from typing import Any, Generic, Self, TypeVar

from rhtmx.core.backoff import Backoff
from rhtmx.core.events import Delivered, Reset, Synced, WasReset
from rhtmx.errors import ErrorCode, RhtmxError
from rhtmx.grpc.failures import may_pass
from rhtmx.grpc.resuming_cursor import News, ResumingCursor
from rhtmx.grpc.stream_opener import StreamOpener
from rhtmx.messages import Envelope, Position

__all__ = ["Watch"]

T = TypeVar("T")
Item = tuple[T, Position | None]

log = logging.getLogger("rhtmx")


class Watch(Generic[T]):
    """The changes of one entity, in version order.

    `async for change in watch` reads until the loop is left, and going on with
    another loop resumes where the first one ended. `async with watch:` reads
    from the moment in which the server has taken it, until the end of the block,
    however many loops or `anext` there are in it.

    It goes on over lost connections by itself. Cancelling a wait for the next
    change loses none.

    Args:
        source: makes its streams.
        convert: makes what is yielded.
        since: where to start; without it, at the next change.
        on_reset: called when all that was yielded is void and comes anew. If
            left out, the `Reset` is raised.
    """

    def __init__(
        self,
        source: StreamOpener,
        convert: Callable[[Any], T],
        *,
        since: Position | None = None,
        on_reset: Callable[[Reset], None] | None = None,
    ) -> None:
        self.entity = source.entity
        self._source = source
        self._convert = convert
        self._position = since
        self._on_reset = on_reset
        self._taken = asyncio.Event()
        self._taken_at = 0.0
        self._items: AsyncGenerator[Item[T], None] | None = None
        self._next: asyncio.Task[Item[T]] | None = None

    @property
    def progress(self) -> None:
        """Not known: a call does not say how far its log reaches."""

    @property
    def position(self) -> Position | None:
        """Where to resume after what was yielded: pass it as `since`, also after a restart.

        `None` while that is not known. In a commit of several fields it stays
        before the commit until the last of them was yielded; while catching up,
        where that began.
        """
        return self._position

    def __aiter__(self) -> AsyncIterator[T]:
        return self if self._items is not None else self._until_left()

    async def _until_left(self) -> AsyncIterator[T]:
        async with aclosing(self._read()) as items:
            async for change, self._position in items:
                yield change

    async def __aenter__(self) -> Self:
        """Start reading, and wait until the server has taken it.

        Raises:
            RhtmxError: it has not.
        """
        self._taken.clear()
        self._items = self._read()
        taken = asyncio.ensure_future(self._taken.wait())
        try:
            await asyncio.wait({taken, self._ahead()}, return_when=asyncio.FIRST_COMPLETED)
            if not taken.done() and self._next is not None:
                self._next.result()
        except BaseException:
            await self._leave()
            raise
        finally:
            taken.cancel()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End reading."""
        await self._leave()

    async def __anext__(self) -> T:
        """The next change, inside `async with`.

        Raises:
            Reset: all that was yielded is void, and nobody takes the news.
            RhtmxError: the server does not take it.
            ConnectionClosed: the client was closed.
        """
        ahead = self._ahead()
        # Shielded: who stops waiting leaves the change to who asks next.
        await asyncio.wait({ahead})
        self._next = None
        change, self._position = ahead.result()
        return change

    def _ahead(self) -> asyncio.Task[Item[T]]:
        """The wait for the next change."""
        if self._items is None:
            raise RuntimeError("use `async with watch:` or `async for change in watch:`")
        if self._next is None:
            self._next = asyncio.create_task(_step(self._items))
        return self._next

    async def _leave(self) -> None:
        ahead, items = self._next, self._items
        self._next = self._items = None
        if ahead is not None:
            ahead.cancel()
            await asyncio.gather(ahead, return_exceptions=True)
        if items is not None:
            await items.aclose()

    async def _read(self) -> AsyncGenerator[Item[T], None]:
        """Read stream after stream, each from where the one before it ended."""
        loop = asyncio.get_running_loop()
        backoff = Backoff(random.random)
        place = ResumingCursor(self.entity, self._position)
        self._source.begin()
        while True:
            self._taken.clear()
            try:
                async with aclosing(self._stream(place)) as stream:
                    async for news in stream:
                        if isinstance(news, Delivered):
                            yield self._convert(news.log), news.position
                        elif self._ended(news):
                            return
                if place.stale:
                    continue
                words = "the server ended the stream"
                asked = 0.0
            except RhtmxError as error:
                if not self._again(error):
                    raise
                words, asked = error.message, error.retry_after or 0.0
            if self._taken.is_set():
                backoff.opened(self._taken_at)
            wait = self._source.patience(max(asked, backoff.wait(loop.time())))
            log.warning("reading '%s' again in %.1f s: %s", self.entity, wait, words)
            await asyncio.sleep(wait)

    async def _stream(self, place: ResumingCursor) -> AsyncGenerator[News, None]:
        """One stream, as news."""
        for news in place.begin():
            yield news
        if place.unknown:
            place.learned(await self._source.epoch())
        async with aclosing(self._source.open(place.position)) as envelopes:
            async for envelope in envelopes:
                if not self._taken.is_set():
                    self._taken_at = asyncio.get_running_loop().time()
                    self._taken.set()
                for news in _news(place, envelope):
                    yield news
                if place.stale:
                    return

    def _ended(self, news: Synced | WasReset) -> bool:
        """Take note of news; returns whether there is nothing left to read."""
        if isinstance(news, Synced):
            self._position = news.position
            return self._source.ends
        if self._on_reset is None:
            raise news.reset
        self._position = news.position
        self._on_reset(news.reset)
        return False

    def _again(self, error: RhtmxError) -> bool:
        """Whether to make another attempt after a failure."""
        if isinstance(error, Reset):
            return False
        if error.code is ErrorCode.UNAUTHENTICATED:
            # Taken before, and refused now: the token had its time.
            return self._taken.is_set() and self._source.renews
        return may_pass(error)


async def _step(items: AsyncGenerator[Item[T], None]) -> Item[T]:
    return await anext(items)


def _news(place: ResumingCursor, envelope: Envelope) -> list[News]:
    """What a message means to a reader. What it does not know means nothing to it.

    betterproto2 0.10 lets an envelope hold several, and `which_one_of` raises then.
    """
    news: list[News] = []
    if envelope.sync_begin is not None:
        news += place.restarted(envelope.sync_begin)
    for change in (envelope.change, envelope.field_change):
        if change is not None and change.change is not None:
            news += place.change(change.change)
    for complete in (envelope.sync_complete, envelope.sync_fields_complete):
        if complete is not None:
            news += place.complete(complete)
    return news
