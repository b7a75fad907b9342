"""Records of one entity, read from the store by the rights of whoever reads.

Knows the store's pages, scopes, and what never leaves the server. Must not know what is done
with the records.

Whoever has another right while something is read for them gets an error, and no mixture.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from msgspec.structs import replace

from rhtmx.errors import ErrorCode, RhtmxError
from rhtmx_server.access.reading import visible
from rhtmx_server.connections.services import Services
from rhtmx_server.connections.visits import Visit
from rhtmx_server.delivery.cursor import Reading
from rhtmx_server.model import Departure, Record
from rhtmx_server.ports import EVERY_VERSION
from rhtmx_server.program.author import Author
from rhtmx_server.program.record import StoredRecord
from rhtmx_server.trackers.hidden import whole
from rhtmx_server.trackers.state import live

__all__ = ["RecordReader", "read_page", "with_hidden"]

_PAGE = 128
"""Records that are read at a time."""


async def read_page(
    services: Services, reading: Reading, after: int
) -> Sequence[Record | Departure]:
    """The next of what somebody reads of an entity, in version order; empty at the end.

    Args:
        services: the server.
        reading: what is read.
        after: the last version that is not wanted.
    """
    await asyncio.sleep(0)  # a page is a share of a turn: the loop is everybody's
    store, entity, scope = services.store, reading.entity, reading.scope
    if scope is None:
        return await store.since(entity, after, EVERY_VERSION, _PAGE, clocks=False)
    if not scope:
        return ()
    return await store.since_in(entity, scope, after, EVERY_VERSION, _PAGE, clocks=False)


async def with_hidden(services: Services, record: Record) -> Record:
    """A record of a page with the fields that never leave the server: for the program itself."""
    guard = services.access.guards.get(record.entity)
    if guard is None or not guard.hidden or not record.live:
        return record
    newest = await services.store.record(record.entity, record.entity_id)
    if newest is None or not newest.live:
        return record  # it is gone by now, which comes next
    # What is hidden has no versions: it is told as it is now. A copy: others get the same page.
    return whole(replace(record, hidden=newest.hidden))


class RecordReader:
    """Reads an entity, or a part of it, for one author.

    Args:
        author: who reads.
        entity: the collection.
        where: the part, as JSON; `None` for all that may be read.
    """

    def __init__(self, author: Author, entity: str, where: bytes | None) -> None:
        self._author = author
        self._entity = entity
        self._where = where

    async def one(self, entity_id: str) -> Record | None:
        """One record; `None` if there is none, or none that may be read.

        Raises:
            RhtmxError: the entity may not be read, or the store failed.
        """
        services = self._author.services(self._entity)
        with self._author.visiting(services) as visit:
            reading = await self._reading(services, visit, self._where)
            record = live(await services.store.record(self._entity, entity_id))
            if visit is not None:
                await visit.require()
        if record is None:
            return None
        if not visible(services.access, self._entity, reading.scope, record.data):
            return None
        return whole(record) if self._author.who is None else record

    async def all(
        self,
        choose: Callable[[Record], StoredRecord | None],
        part: Callable[[Services], bytes | None] = lambda services: None,
    ) -> list[StoredRecord]:
        """The records that are wanted, by id.

        Args:
            choose: makes of a record what is wanted; `None` if it is not.
            part: the part of the entity in which all of them are, as JSON, if that is known.

        Raises:
            RhtmxError: the entity may not be read, or the store failed.
        """
        services = self._author.services(self._entity)
        with self._author.visiting(services) as visit:
            reading = await self._narrowed(services, visit, part)
            while (found := await self._pages(services, visit, reading, choose)) is None:
                pass
        return [found[entity_id] for entity_id in sorted(found)]

    async def _narrowed(
        self,
        services: Services,
        visit: Visit | None,
        part: Callable[[Services], bytes | None],
    ) -> Reading:
        narrow = part(services) if self._where is None else None
        if narrow is not None:
            try:
                return await self._reading(services, visit, narrow)
            except RhtmxError as error:
                # Their right is by other fields, and no part is by both: all of it is looked at.
                if error.code not in (ErrorCode.NOT_SUPPORTED, ErrorCode.BAD_MESSAGE):
                    raise
        return await self._reading(services, visit, self._where)

    async def _reading(
        self, services: Services, visit: Visit | None, where: bytes | None
    ) -> Reading:
        reading = await services.reading(self._entity, self._author.who, where)
        if visit is not None:
            visit.reading = reading
            visit.check()
        return reading

    async def _pages(
        self,
        services: Services,
        visit: Visit | None,
        reading: Reading,
        choose: Callable[[Record], StoredRecord | None],
    ) -> dict[str, StoredRecord] | None:
        """All that is wanted, by id; `None` if deletes were forgotten that had yet to be read."""
        found: dict[str, StoredRecord] = {}
        floor, after = (await services.store.head(self._entity)).floor, 0
        while page := await read_page(services, reading, after):
            for each in page:
                # Who was read before may have changed since, or gone.
                found.pop(each.entity_id, None)
                if isinstance(each, Record) and each.live:
                    record = each
                    if self._author.who is None:
                        record = await with_hidden(services, each)
                    if (row := choose(record)) is not None:
                        found[each.entity_id] = row
            after = page[-1].version
            if visit is not None:
                await visit.require()
        head = await services.store.head(self._entity)
        return None if floor < head.floor > 0 and after else found
