"""The plain reads that the old browser clients do before they connect.

Knows the shape of the answers. Must not know paths or headers.

They read the state, like a sync on a socket: each record once, at its latest; one
that is written meanwhile comes again, after the others. The version is where the
log stood at the beginning: a client that goes on from there misses nothing.

These clients know no scopes. Who reads a part of an entity is sent all of it each time,
and what has left it as deletes: their version counts for nothing in particular.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice

from rhtmx.errors import ErrorCode, RhtmxError
from rhtmx.messages import Change, FieldChange
from rhtmx.wire import ServerMessage
from rhtmx_server.access.reading import visible
from rhtmx_server.connections.services import Services
from rhtmx_server.delivery.cursor import Reading, resume
from rhtmx_server.encoding.render import as_told, departure_message, state_messages
from rhtmx_server.model import Departure, Granularity, Record
from rhtmx_server.transports.bodies import PAGE_BYTES
from rhtmx_server.transports.shapes import join, log_entry, told

__all__ = ["ENTRIES", "Latest", "ReadSince"]

ENTRIES = 128
"""Changes of a page, at most: the time that making it takes is everybody's."""

_FIRST = 16
"""Records that are read for the first page; then twice as many as went into the last one."""


class ReadSince:
    """Everything that changed after a version, as the pages of one JSON text.

    The text is `{"entity": …, "version": …, "changes": […]}`. A version that
    cannot be resumed is answered with everything there is: the old protocol has
    no word for a reset.

    Args:
        services: the server.
        entity: the collection.
        since: the last version that the client has; 0 for everything.
        granularity: `RECORDS` or `FIELDS`.
        reading: what of it is read; by default the whole.

    Attributes:
        done: the last page was made.
    """

    def __init__(
        self,
        services: Services,
        entity: str,
        since: int,
        granularity: Granularity,
        reading: Reading | None = None,
    ) -> None:
        self._hub, self._store = services.hub, services.store
        self._entity = entity
        self._granularity = granularity
        self._scope = None if reading is None else reading.scope
        head = self._hub.head(entity)
        whole = self._scope is None
        self._start, _ = resume(since, None, head, 0, trusting=True, same_scope=whole)
        self._version = head.version
        # What left the scope before that is of no interest to one who has nothing.
        self._fresh = 0 if since else head.version
        self._read = self._start
        self._part = (0, 0)  # of a record that no page holds whole: its version, and how far
        self._limit = _FIRST
        self._old = self._new = 0
        self._text = b'{"entity":%b,"version":%d,"changes":[' % (join(entity), self._version)
        self._comma = b""
        self.done = False

    async def next(self) -> bytes:
        """Make the next page.

        Raises:
            RhtmxError: the store failed; `STORAGE_FAILED`, too, if deletes were
                forgotten meanwhile that the client had yet to read.
        """
        upto, begun = self._hub.position(self._entity), self._read
        page: Sequence[Record | Departure] = ()
        if not self._over(upto):
            page = await self._page(begun, upto)
        entries: list[bytes] = []
        used = self._take(page, entries)
        if not page:
            self._read = max(begun, upto)
        self._limit = min(ENTRIES, 2 * max(1, used))
        self.done = self._over(self._hub.position(self._entity))
        if self.done and self._start:
            await self._check_floor()
        text, self._text = self._text, b""
        if entries:
            text += self._comma + b",".join(entries)
            self._comma = b","
        return text + b"]}" if self.done else text

    async def _page(self, begun: int, upto: int) -> Sequence[Record | Departure]:
        clocks = self._granularity is Granularity.FIELDS
        read, entity, scope, limit = self._store, self._entity, self._scope, self._limit
        if scope is None:
            return await read.since(entity, begun, upto, limit, clocks=clocks)
        if not scope:
            return ()
        return await read.since_in(entity, scope, begun, upto, limit, clocks=clocks)

    def _messages(self, entry: Record | Departure) -> Sequence[ServerMessage]:
        if isinstance(entry, Departure):
            if entry.version <= self._fresh:
                return ()
            return [departure_message(entry, self._granularity)]
        told = entry if self._scope is None else as_told(entry)
        return state_messages(told, self._granularity, self._start)

    def _over(self, position: int) -> bool:
        """Whether all is read, or, of what is written meanwhile, as much as there was before."""
        return self._read >= position or self._new > max(self._old, ENTRIES)

    def _take(self, page: Sequence[Record | Departure], entries: list[bytes]) -> int:
        """Write down records until the page is full; how many were begun."""
        room = PAGE_BYTES
        for count, record in enumerate(page, 1):
            version, done = self._part
            done = done if version == record.version else 0
            for message in islice(self._messages(record), done, None):
                if room <= 0 or len(entries) >= ENTRIES:
                    # A record may be larger than a page by field: the next page goes on inside of
                    # it.
                    self._part = (record.version, done)
                    return count
                done += 1
                assert isinstance(message, Change | FieldChange)
                if told(message):
                    entries.append(join(log_entry(message)))
                    room -= len(entries[-1])
            self._read = record.version
            # Written since the reading began: a busy entity would else never be read to its end.
            if record.version > self._version:
                self._new += 1
            else:
                self._old += 1
        return len(page)

    async def _check_floor(self) -> None:
        if (await self._store.head(self._entity)).floor > self._start:
            raise RhtmxError(
                ErrorCode.STORAGE_FAILED,
                "deletes were forgotten while they were being read: read again",
            )


class Latest:
    """The fields of one record: a JSON object with the value of each by its name.

    `{}` if there is no such record, or none that may be read, or if its data is not
    made of fields.

    Args:
        services: the server.
        entity: the collection.
        entity_id: the record.
        reading: what of the entity is read; by default the whole.
    """

    def __init__(
        self, services: Services, entity: str, entity_id: str, reading: Reading | None = None
    ) -> None:
        self._store, self._access = services.store, services.access
        self._key = (entity, entity_id)
        self._scope = None if reading is None else reading.scope
        self.done = False

    async def next(self) -> bytes:
        """Make the one page that there is."""
        record = await self._store.record(*self._key)
        self.done = True
        data = None if record is None else record.data
        if data is None or not data.lstrip().startswith(b"{"):
            return b"{}"
        return data if visible(self._access, self._key[0], self._scope, data) else b"{}"
