"""What is new in an entity, read from the store in pages, for a reader who takes their time.

Knows positions, scopes, and how the hub tells that there is news. Must not know who takes the
changes, nor when.

It is always the store that is read. The hub only rings: what has been committed waits in the
store, in no memory, however slow the reader is. What changed several times meanwhile comes once,
at its latest, as it does for any reader who was away.
"""

from __future__ import annotations

import asyncio
import contextlib
from typing import NamedTuple, Self

from rhtmx import messages
from rhtmx.errors import ErrorCode, RhtmxError
from rhtmx.messages import Position
from rhtmx.values.changes import Change
from rhtmx.wire import ServerMessage
from rhtmx_server.access.grant import Grant
from rhtmx_server.connections.services import Services
from rhtmx_server.connections.visits import Visit
from rhtmx_server.delivery.cursor import Reading, resume
from rhtmx_server.delivery.outbox import Outbox
from rhtmx_server.encoding.render import departure_message
from rhtmx_server.model import NOWHERE, Departure, Granularity, Head, Record
from rhtmx_server.program.author import Author
from rhtmx_server.program.record_reader import read_page, with_hidden
from rhtmx_server.trackers.values import change_of

__all__ = ["AppChangeReader", "ChangePage"]


class ChangePage(NamedTuple):
    """What has come.

    Args:
        changes: in version order.
        reset: what was read before is void: all of it follows anew.
    """

    changes: list[Change]
    reset: bool = False


class _Ringing:
    """An encoding that tells nothing but that there is something: one byte for each message."""

    def frame(self, message: ServerMessage) -> bytes:
        return b"."


_RINGING = _Ringing()


class _Bell:
    """A live reader of the hub that is woken by each commit, and given none."""

    encoding = _RINGING
    takes_ephemeral = False

    def __init__(self, services: Services, news: asyncio.Event) -> None:
        self.outbox = Outbox(lambda data: news.set(), services.tick)
        self._news = news

    def fell(self, entity: str, granularity: Granularity, sent: int) -> None:
        """Something is missing from the hub: it is in the store."""
        self._news.set()


class AppChangeReader:
    """Reads what one author is told of an entity, or of a part of it.

    Made by `begin`; `leave` is to be called.

    Args:
        services: the server.
        author: who reads.
        reading: what of the entity is read.
        visit: by which the author's rights are looked after; `None` for the program itself.

    Attributes:
        position: up to where it has read.
    """

    def __init__(
        self, services: Services, author: Author, reading: Reading, visit: Visit | None
    ) -> None:
        self._services = services
        self._author = author
        self._reading = reading
        self._visit = visit
        self._news = asyncio.Event()
        self._fresh = self._floor = 0
        self._reset = self._over = False
        self.position = Position(services.store.epoch, 0, reading.scope_id)
        self._look_after()

    @classmethod
    async def begin(
        cls, author: Author, entity: str, where: bytes | None, since: Position | None
    ) -> Self:
        """Begin to read.

        Args:
            author: who reads.
            entity: the collection.
            where: the part, as JSON; `None` for all that may be read.
            since: after which position; `None` for what comes from now on.

        Raises:
            RhtmxError: the server does not run, or the entity may not be read.
        """
        services = author.services(entity)
        visit = author.enter(services)  # first: a question that is under way can be void
        try:
            reading = await services.reading(entity, author.who, where)
            reader = cls(services, author, reading, visit)
            await reader.resume(since)
        except BaseException:
            if visit is not None:
                visit.leave()
            raise
        return reader

    async def resume(self, since: Position | None) -> None:
        """Go on after a position; see `begin`. If that cannot be, a reset comes first."""
        services, reading = self._services, self._reading
        store, head = services.store, await services.store.head(reading.entity)
        if since is None:
            self._go_to(head, head.version)
            return
        epoch = since.epoch or None
        version, reset = resume(
            since.version,
            epoch,
            head,
            store.counts(epoch, reading.entity),
            trusting=False,
            same_scope=reading.continues(since.version, since.scope),
        )
        self._reset |= reset
        self._go_to(head, version)

    @property
    def void(self) -> bool:
        """Whether what was read before is void, and nobody has been told yet."""
        return self._reset

    def end(self) -> None:
        """The server stops: nothing more comes."""
        self._over = True
        self._news.set()

    def leave(self) -> None:
        """Read no longer."""
        self.end()
        if self._visit is not None:
            self._visit.leave()

    async def next(self) -> ChangePage | None:
        """Wait for something; `None`: nothing comes any more. To cancel it loses nothing.

        Raises:
            RhtmxError: the author was signed out, or the store failed.
        """
        while not self._over:
            self._news.clear()
            await self._check_rights()
            if self._services.store.epoch != self.position.epoch:
                await self.resume(self.position)
            if self._reset:
                self._reset = False
                return ChangePage([], reset=True)
            changes = await self._read()
            if changes:
                return ChangePage(changes)
            if not self._reset:
                await self._wait()
        return None

    # Inside.

    def _go_to(self, head: Head, version: int) -> None:
        """Read on after a version; from 0 on, of what had gone by now nothing is told."""
        self._fresh, self._floor = (0, 0) if version else (head.version, head.floor)
        self.position = Position(self._services.store.epoch, version, self._reading.scope_id)

    async def _read(self) -> list[Change]:
        services, reading, after = self._services, self._reading, self.position.version
        upto = services.hub.position(reading.entity)
        page = await read_page(services, reading, after)
        head = await services.store.head(reading.entity)
        if max(after, self._floor) < head.floor:
            # Deletes were forgotten that it had yet to read. One who has nothing misses nothing.
            self._reset |= after > 0
            self._go_to(head, 0)
            self._news.set()
            return []
        told = [each for each in page if reading.scope is None or _is_told(each, self._fresh)]
        changes = [await self._change(each) for each in told]
        # No await from here on: whoever is cancelled before has read nothing.
        version = page[-1].version if page else max(after, upto)
        self.position = Position(self.position.epoch, version, reading.scope_id)
        if page:
            self._news.set()  # only an empty page says that there are no more
        return changes

    async def _change(self, entry: Record | Departure) -> Change:
        if isinstance(entry, Departure):
            message = departure_message(entry, Granularity.RECORDS)
            assert isinstance(message, messages.Change)
            assert message.change is not None
            return Change.of(message.change)
        if self._author.who is None:
            entry = await with_hidden(self._services, entry)
        return change_of(entry)

    async def _wait(self) -> None:
        """Wait until the hub has something, the rights change, or the grant ends."""
        hub, reading = self._services.hub, self._reading
        bell = _Bell(self._services, self._news)
        place = reading.entity, Granularity.RECORDS, bell, reading.scope
        if reading.scope == NOWHERE:  # no commit is for this reader
            await self._rung()
            return
        hub.join(*place)
        try:
            # For what was handed out before this joined, and after it had read, nobody rings.
            if hub.position(reading.entity) <= self.position.version:
                await self._rung()
        finally:
            hub.leave(*place)

    async def _rung(self) -> None:
        who, services = self._author.who, self._services
        until = None if who is None else services.until(who)
        with contextlib.suppress(TimeoutError):  # then the rights are looked at
            async with asyncio.timeout(None if until is None else until - services.now()):
                await self._news.wait()

    async def _check_rights(self) -> None:
        """Go on with what may be read now; if that is something else, all of it comes anew.

        Raises:
            RhtmxError: the author was signed out, or it cannot be found out what they may read.
        """
        visit = self._visit
        if visit is None:
            return
        try:
            await visit.require()
        except RhtmxError as error:
            if error.code is not ErrorCode.FORBIDDEN:
                raise
            visit.leave()
            self._visit = self._author.enter(self._services)
            await self._rescope(visit.grant)

    async def _rescope(self, who: Grant) -> None:
        services, before = self._services, self._reading
        self._reading = await services.still_reading(before.entity, who, before.where)
        self._look_after()
        if self._reading != before:
            self._reset = True
            self._go_to(await services.store.head(before.entity), 0)

    def _look_after(self) -> None:
        """Have the visit tell when something else may be read."""
        if self._visit is not None:
            self._visit.reading, self._visit.cut = self._reading, self._news.set


def _is_told(entry: Record | Departure, fresh: int) -> bool:
    """Whether whoever reads parts is told: what had gone before they began was never theirs."""
    return entry.version > fresh or (isinstance(entry, Record) and entry.live)
