"""What a client has itself: the entities that it reads, and its writes. Pure.

Knows how the two meet: when a write's change has come, and what is shown. Must
not know the connection, clocks, randomness or disks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace

from rhtmx.cursor import Cursor
from rhtmx.errors import ErrorCode, RhtmxError
from rhtmx.events import Delivered, Event, Stopped, Synced, WasReset
from rhtmx.grain import Grain
from rhtmx.identity import Identity
from rhtmx.journal import Journal
from rhtmx.jsonvalue import to_json
from rhtmx.keeping import Outcome
from rhtmx.ops import DropRecord, Held, Image, Kept, PutRecord, SetLast, Settled
from rhtmx.overlay import Overlay, fold
from rhtmx.queue import Row
from rhtmx.replica import Replica
from rhtmx.writes import Writes

__all__ = ["Local", "Shelf"]


@dataclass(frozen=True, slots=True)
class Shelf:
    """One entity that is read: as the server has it, and as it is shown."""

    replica: Replica
    overlay: Overlay


class Local:
    """See the head of the file.

    Args:
        random: gives a number from 0 to 1, 1 excluded, each time it is called.
        tell: reports an event.

    Attributes:
        journal: what is to be stored.
        identity: who this client is to the server.
        writes: the writes of this client.
        touched: the entities of which something has changed since this was cleared.
    """

    def __init__(self, random: Callable[[], float], tell: Callable[[Event], None]) -> None:
        self.journal = Journal()
        self.identity = Identity(self.journal)
        self.writes = Writes(self.journal, random, tell, self)
        self._random = random
        self.touched: set[str] = set()
        self._kept: dict[str, Kept] = {}
        self._shelves: dict[str, Shelf] = {}
        self._readers: dict[Cursor, Shelf] = {}

    def load(self, image: Image) -> None:
        """Begin with what was kept; from now on changes are put down."""
        self.journal.durable = True
        self.identity.load(image.client_id, image.secret)
        self._kept = image.entities
        self.writes.load(image)

    def kept(self, outcome: Outcome) -> None:
        """Take note of what came of the last batch of the journal."""
        self.identity.kept(outcome.stored)
        self.writes.stored(outcome.stored)
        for add, seq in outcome.added:
            self.writes.added(add, seq)
        for add, error in outcome.refused:
            self.writes.not_added(add, error)
        self.journal.give_back(outcome.failed)

    def start_anew(self) -> bool:
        """Go on under another id: the secret of this one is lost.

        What was numbered under it may have taken effect, and cannot be asked: whether to
        write it again is for the application to decide.

        Returns:
            Whether that may be: an id that did not come with a store is the application's.
        """
        if not self.journal.durable:
            return False
        for row in [row for row in self.writes.queue if row.seq]:
            self.writes.reject(row, RhtmxError(ErrorCode.CLIENT_ID_TAKEN, _UNKNOWN))
        self.identity.renew(self._random)
        self.writes.queue.last = 0
        self.journal.put(SetLast(0))
        return True

    def __iter__(self) -> Iterator[Shelf]:
        """The entities that are read."""
        return iter(self._shelves.values())

    def get(self, entity: str) -> Shelf | None:
        """An entity that is read."""
        return self._shelves.get(entity)

    def open(self, entity: str, grain: Grain) -> Shelf:
        """Read an entity from now on.

        Raises:
            RhtmxError: `NOT_SUPPORTED`, it is being read at the other grain.
        """
        shelf = self._shelves.get(entity)
        if shelf is not None:
            if shelf.replica.grain is not grain:
                raise RhtmxError(
                    ErrorCode.NOT_SUPPORTED,
                    f"collection '{entity}' is being read as {shelf.replica.grain.value}: "
                    "one client reads an entity at one granularity",
                )
            return shelf
        replica = Replica(entity, grain, self.journal, self._kept.pop(entity, None))
        shelf = Shelf(replica, Overlay(replica, self.writes.queue))
        self._shelves[entity] = self._readers[replica.cursor] = shelf
        return shelf

    def shut(self, shelf: Shelf) -> None:
        """Read an entity no longer.

        With a store what is held of it stays there, and here as its text, as of every
        entity that nobody has opened yet. Without one it goes.
        """
        replica, queue = shelf.replica, self.writes.queue
        del self._shelves[replica.entity], self._readers[replica.cursor]
        if self.journal.durable:
            self._kept[replica.entity] = replica.kept()
        for row in list(queue.settled(replica.entity)):
            if row.settled is not None and self.settles(row, row.settled):
                queue.drop(row)

    def there_is_room(self, add: Callable[[str, Grain, Cursor], None]) -> None:
        """A subscription has ended: read one entity that the server had no room for."""
        for replica in (shelf.replica for shelf in self):
            if replica.error and replica.error.code is ErrorCode.TOO_MANY_SUBSCRIPTIONS:
                replica.error = None
                add(replica.entity, replica.grain, replica.cursor)
                return

    def lost(self) -> None:
        """The connection is gone."""
        for shelf in self:
            shelf.replica.lost()

    def tell(self, event: Event) -> bool:
        """Take what a stream says to one of these readers; returns whether it was."""
        shelf = self._readers.get(getattr(event, "cursor", None) or _NOBODY)
        if shelf is None:
            return False
        replica = shelf.replica
        match event:
            case Delivered(_, log, position):
                self._show(shelf, replica.deliver(log, position))
            case Synced(_, position):
                self._show(shelf, replica.synced(position))
            case WasReset(_, _, position):
                replica.start_over(position.epoch)
            case Stopped(_, error):
                replica.error = error
            case _:
                return True
        self.touched.add(replica.entity)
        return True

    # What the writes ask.

    def settles(self, row: Row, settled: Settled) -> bool:
        """Whether the change of an acknowledged write need not be waited for."""
        shelf = self._shelves.get(row.message.entity)
        if shelf is not None:
            return shelf.replica.covers(row.message.entity_id, settled)
        kept = self._kept.get(row.message.entity)
        if kept is not None:
            self._absorb(kept, replace(row, settled=settled))
        return True

    def touch(self, entity: str, entity_id: str) -> None:
        """Something about the writes of a record has changed."""
        shelf = self._shelves.get(entity)
        if shelf is not None:
            shelf.overlay.touch([entity_id])
            self.touched.add(entity)

    # Inside.

    def _show(self, shelf: Shelf, changed: Iterable[str]) -> None:
        replica, queue = shelf.replica, self.writes.queue
        shelf.overlay.touch(changed)
        arrived = [row for each in changed for row in queue.of(replica.entity, each)]
        for row in [*arrived, *self._overtaken(replica)]:
            if row.settled is not None and replica.covers(row.message.entity_id, row.settled):
                queue.drop(row)
                shelf.overlay.touch([row.message.entity_id])

    def _overtaken(self, replica: Replica) -> list[Row]:
        """The settled writes up to the position; they were answered in the order of versions."""
        rows: list[Row] = []
        if replica.live:
            for row in self.writes.queue.settled(replica.entity):
                if row.settled is None or not replica.covers("", row.settled):
                    break
                rows.append(row)
        return rows

    def _absorb(self, kept: Kept, row: Row) -> None:
        """Put an acknowledged write into what is held of an entity that nobody reads now.

        Its change comes once the entity is read again: the position stays.
        """
        settled, (entity, entity_id) = row.settled, row.record
        assert settled is not None
        if settled.epoch != kept.position.epoch or settled.version <= kept.position.version:
            return
        there, value = fold(kept.records.pop(entity_id, None), [row], kept.grain)
        if there:
            held = Held(settled.version, to_json(value, entity))
            kept.records[entity_id] = held
            self.journal.put(PutRecord(entity, entity_id, held))
        else:
            self.journal.put(DropRecord(entity, entity_id))


_NOBODY = Cursor()

_UNKNOWN = (
    "the server takes this client for another one, and it goes on under a new client_id: whether "
    "this write has taken effect is not known; look, and write it again if it has not"
)
