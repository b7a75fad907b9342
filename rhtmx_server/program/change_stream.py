"""The changes of an entity as the program of the server iterates over them.

Knows what was yielded, and who is told of a reset. Must not know how changes are found: a reader
does that, here it is begun and ended.
"""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncIterator, Callable
from types import TracebackType
from typing import Generic, Self

from rhtmx.errors import ErrorCode, RhtmxError
from rhtmx.messages import Position
from rhtmx.values.changes import Change
from rhtmx.values.json_value import Data
from rhtmx.values.reset import Reset
from rhtmx_server.program.author import Author
from rhtmx_server.program.change_reader import AppChangeReader
from rhtmx_server.program.life import AppLife

__all__ = ["AppChanges", "position_of"]


def position_of(since: Position | int | None) -> Position | None:
    """Where a reader wants to start: `None` for now, 0 for the beginning, or a position.

    Raises:
        RhtmxError: `BAD_MESSAGE`, it is a version without its epoch.
    """
    if since is None or isinstance(since, Position):
        return since
    if since != 0:
        raise RhtmxError(
            ErrorCode.BAD_MESSAGE,
            f"since: None, 0 or a Position expected, got {since!r:.40}: a version alone does not "
            "say of which log it is",
        )
    return Position(epoch="", version=0)


class AppChanges(Generic[Data]):
    """The changes of one entity, or of a part of it, in version order. Made by `changes`.

    `async for change in stream` reads until the loop is left, and going on with another loop
    resumes where the first one ended. `async with stream:` reads from its beginning to the end of
    the block, however many loops or `anext` there are in it; after `anext` alone, call `stop`. It
    ends when the app stops.

    What is behind is read from the store, so nothing is lost and nothing piles up, however slow
    its reader is; what changed several times meanwhile comes once, at its latest.

    Args:
        life: of the app.
        author: who reads.
        entity: the collection.
        where: the part, as JSON; `None` for all that may be read.
        since: where to start; `None` for what comes from now on.
        on_reset: is called when all that was yielded is void and comes anew. If left out, the
            `Reset` is raised.

    Example:
        >>> orders = app.collection("orders")
        >>> async for change in orders.changes(since=0):
        ...     print(change.action, change.entity_id, change.data)
        create 1 {'goods': 'tea', 'count': 2}
    """

    def __init__(
        self,
        life: AppLife,
        author: Author,
        entity: str,
        where: bytes | None,
        *,
        since: Position | None = None,
        on_reset: Callable[[Reset], None] | None = None,
    ) -> None:
        self.entity = entity
        self._life = life
        self._author = author
        self._where = where
        self._position = since
        self._on_reset = on_reset
        self._reader: AppChangeReader | None = None
        self._entered = False
        self._page: deque[Change[Data | None]] = deque()

    @property
    def position(self) -> Position | None:
        """Where to go on after what was yielded: pass it as `since`, also after a restart.

        `None` while that is not known.
        """
        reader = self._reader
        # It may be further: of much that is committed a reader of a part gets nothing.
        return self._position if reader is None or self._page or reader.void else reader.position

    async def start(self) -> None:
        """Start reading, if it does not read: what is written from here on is not missed.

        Raises:
            RhtmxError: the app does not run, or this may not be read.
        """
        await self._start()

    def stop(self) -> None:
        """End reading. Another iteration goes on from `position`."""
        reader, self._reader = self._reader, None
        self._page.clear()
        if reader is not None:
            self._life.readers.discard(reader.end)
            reader.leave()

    async def __aenter__(self) -> Self:
        """Start reading.

        Raises:
            RhtmxError: the app does not run, or this may not be read.
        """
        await self.start()
        self._entered = True
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

    def __aiter__(self) -> AsyncIterator[Change[Data | None]]:
        return self if self._entered else self._until_left()

    async def __anext__(self) -> Change[Data | None]:
        """The next change.

        Raises:
            Reset: all that was yielded is void, and nobody takes the news.
            RhtmxError: the author was signed out, or the store failed.
        """
        while (change := self.take()) is None:
            if not await self.fill():
                raise StopAsyncIteration
        return change

    def take(self) -> Change[Data | None] | None:
        """The next change, if one is here; `fill` waits for some."""
        if not self._page:
            return None
        change = self._page.popleft()
        if self._position is not None:
            at = self._position
            self._position = Position(at.epoch, change.version, at.scope)
        return change

    async def fill(self) -> bool:
        """Wait until a change is here to take; whether one ever will. To cancel it loses nothing.

        Raises:
            Reset: all that was yielded is void, and nobody takes the news.
            RhtmxError: the author was signed out, or the store failed.
        """
        if self._page:
            return True
        reader = await self._start()
        try:
            news = await reader.next()
        except RhtmxError:
            self.stop()
            raise
        if news is None or self._reader is not reader:
            self.stop()
            return False
        if news.reset:
            self._tell(Reset(self.entity, self._position))
        # Of this epoch and scope, before the first of what has come.
        at, before = reader.position, 0 if self._position is None else self._position.version
        self._page.extend(news.changes)
        self._position = Position(at.epoch, 0 if news.reset else before, at.scope)
        return True

    # Inside.

    def _tell(self, reset: Reset) -> None:
        if self._on_reset is None:
            self.stop()
            raise reset
        self._on_reset(reset)

    async def _start(self) -> AppChangeReader:
        if self._reader is None:
            server, since = self._life.running, self._position
            reader = await AppChangeReader.begin(self._author, self.entity, self._where, since)
            if since is None:
                self._position = reader.position
            self._reader = reader
            self._life.readers.add(reader.end)
            if self._life.server is not server:
                reader.end()  # it was stopped meanwhile, and told those who were there
        return self._reader

    async def _until_left(self) -> AsyncIterator[Change[Data | None]]:
        try:
            while True:
                try:
                    change = await self.__anext__()
                except StopAsyncIteration:
                    return
                yield change
        finally:
            self.stop()
