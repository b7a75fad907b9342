"""What a client has itself: the entities that it reads, and its writes. Pure.

Knows how the two meet: when a write's change has come, and what is shown. Must
not know the connection, clocks, randomness or disks.

What arrives waits where it may not be shown yet (`early_news`); if the connection ends first,
it is as if it had never come, and it comes again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import takewhile

from rhtmx.core.cursor import Cursor
from rhtmx.core.early_news import EarlyNews, News
from rhtmx.core.edit_base import EditBase, edit_base
from rhtmx.core.events import Delivered, Ended, Event, FellBehind, Stopped, Synced, WasReset
from rhtmx.core.fold import Folds, fold
from rhtmx.core.granularity import Granularity
from rhtmx.core.identity import Identity
from rhtmx.core.overlay import Overlay
from rhtmx.core.queued_write import QueuedWrite
from rhtmx.core.record_writes import RecordWrites
from rhtmx.core.replica import Replica
from rhtmx.core.storage_ops import (
    BatchOutcome,
    DropRecord,
    HeldRecord,
    Image,
    PendingOps,
    PutRecord,
    SetLast,
    StoredEntity,
)
from rhtmx.core.where import Where
from rhtmx.core.write_outcomes import WriteOutcomes
from rhtmx.errors import ErrorCode, RhtmxError
from rhtmx.messages import FieldPushAck, PushAck, TransactionAck
from rhtmx.values.json_value import to_json

__all__ = ["EntityView", "LocalState"]


@dataclass(frozen=True, slots=True)
class EntityView:
    """An entity that is read, or a part of it: as the server has it, and as it is shown."""

    replica: Replica
    overlay: Overlay


class LocalState:
    """The entities that a client reads, and its writes.

    Args:
        random: gives a number from 0 to 1, 1 excluded, each time it is called.
        tell: reports an event that is not about one of these entities.

    Attributes:
        pending_ops: what is to be stored.
        identity: who this client is to the server.
        writes: the writes of this client.
        touched: the entities of which something has changed since this was cleared.
    """

    def __init__(self, random: Callable[[], float], tell: Callable[[Event], None]) -> None:
        self.pending_ops = PendingOps()
        self.identity = Identity(self.pending_ops)
        self.writes = WriteOutcomes(self.pending_ops, random, tell)
        self.touched = self.writes.queue.touched
        self._random = random
        self._tell = tell
        self._kept: dict[str, StoredEntity] = {}
        self._views: dict[str, dict[Where | None, EntityView]] = {}
        self._readers: dict[Cursor, EntityView] = {}
        self._early = EarlyNews(self.writes.queue)

    def load(self, image: Image) -> None:
        """Begin with what was kept; from now on changes are put down."""
        self.pending_ops.durable = True
        self.identity.load(image.client_id, image.secret)
        self._kept = image.entities
        self.writes.load(image)

    def kept(self, outcome: BatchOutcome) -> None:
        """Take note of what came of the last batch of the pending_ops."""
        self.identity.kept(outcome.stored)
        self.writes.stored(outcome.stored)
        for add, seq in outcome.added:
            self.writes.added(add, seq)
        for add, error in outcome.refused:
            self.writes.not_added(add, error)
        self.pending_ops.give_back(outcome.failed)

    def start_anew(self) -> bool:
        """Go on under another id: the secret of this one is lost.

        What was numbered under it may have taken effect, and cannot be asked: whether to
        write it again is for the application to decide.

        Returns:
            Whether that may be: an id that did not come with a store is the application's.
        """
        if not self.pending_ops.durable:
            return False
        for row in [row for row in self.writes.queue if row.seq]:
            self.writes.reject(row, RhtmxError(ErrorCode.CLIENT_ID_TAKEN, _UNKNOWN))
        self.identity.renew(self._random)
        self.writes.queue.last = 0
        self.pending_ops.put(SetLast(0))
        return True

    def __iter__(self) -> Iterator[EntityView]:
        """What is read."""
        return (view for views in self._views.values() for view in views.values())

    def get(self, entity: str, where: Where | None = None) -> EntityView | None:
        """An entity that is read, or a part of it."""
        return self._views.get(entity, {}).get(where)

    def parts(self, entity: str) -> list[EntityView]:
        """All that is read of an entity."""
        return list(self._views.get(entity, {}).values())

    def epoch(self, entity: str, otherwise: str | None) -> str | None:
        """That of the versions that are held of an entity; `otherwise`, if it is not read."""
        return next((view.replica.position.epoch for view in self.parts(entity)), otherwise)

    def date(self, write: QueuedWrite, epoch: str | None, base: EditBase | None) -> None:
        """Note what a new write is based on.

        Args:
            write: it.
            epoch: that of the connection.
            base: what its author saw, own writes included; else they have said a version of what
                is held.
        """
        if base is not None:
            write.epoch, write.builds_on = base.epoch or epoch, base.builds_on
        elif bases := write.bases:
            epochs = {self.epoch(entity, epoch) for entity in bases}
            write.epoch = epochs.pop()
            if epochs:
                write.rebase()  # one of them begins anew: what was seen of it counts no more

    def edit_base(self, entity: str, entity_id: str) -> EditBase | None:
        """A record as this client knows it, whether it reads the entity or not."""
        views, kept = self.parts(entity), self._kept.get(entity)
        rows = self.writes.queue.of(entity, entity_id)
        held, folds = None, Folds(entity, Granularity.RECORDS)
        if views:
            held, folds = views[0].replica.get(entity_id), views[0].overlay.folds
        elif kept is not None:
            held, folds = kept.records.get(entity_id), Folds(entity, kept.granularity)
        epoch = self.epoch(entity, kept.epoch if kept is not None else None)
        known = edit_base(entity, entity_id, held, rows, folds=folds, epoch=epoch)
        if known is None and not views and not rows:
            return self.writes.recent.get(entity, entity_id)
        return known

    def base_version(self, entity: str, entity_id: str) -> int | None:
        """The version that this client has seen of a record; `None` if it does not read it."""
        seen = [view.replica.base_version(entity_id) for view in self.parts(entity)]
        return max((each for each in seen if each is not None), default=None)

    def open(self, entity: str, granularity: Granularity, where: Where | None = None) -> EntityView:
        """Read an entity, or a part of it, from now on.

        Raises:
            RhtmxError: `NOT_SUPPORTED`, it is being read at the other granularity.
        """
        views = self._views.get(entity, {})
        for view in views.values():
            if view.replica.granularity is not granularity:
                raise RhtmxError(
                    ErrorCode.NOT_SUPPORTED,
                    f"collection '{entity}' is being read as {view.replica.granularity.value}: "
                    "one client reads an entity at one granularity",
                )
        if where in views:
            return views[where]
        records = next((view.replica.records for view in views.values()), None)
        kept = None if records is not None else self._kept.pop(entity, None)
        replica = Replica(entity, granularity, self.pending_ops, kept, where=where, records=records)
        view = EntityView(replica, Overlay(replica, self.writes.queue))
        self.writes.queue.watch(entity, view.overlay.dirty)
        self._views.setdefault(entity, {})[where] = self._readers[replica.cursor] = view
        return view

    def shut(self, view: EntityView) -> None:
        """Read an entity, or a part of it, no longer.

        With a store what is held of it stays there, and here as its text, as of every
        entity that nobody has opened yet. Without one it goes.
        """
        replica, queue = view.replica, self.writes.queue
        views = self._views[replica.entity]
        kept = self._early.end(replica.entity, replica.cursor)
        if len(views) > 1:  # it is for the others, too
            self._take_kept(kept)
        del views[replica.where]
        queue.unwatch(replica.entity, view.overlay.dirty)
        changed = replica.records.leave(replica)
        if not (replica.cursor.leaving and views):
            del self._readers[replica.cursor]
        if not views:
            del self._views[replica.entity]
            if self.pending_ops.durable:
                self._kept[replica.entity] = replica.records.kept()
        for other in views.values():
            other.overlay.touch(changed)
        for row in list(queue.settled(replica.entity)):
            if self._has_arrived(row):
                queue.drop(row)

    def there_is_room(self, add: Callable[[str, Granularity, Cursor], None]) -> None:
        """A subscription has ended: read one entity that the server had no room for."""
        for replica in (view.replica for view in self):
            if replica.error and replica.error.code is ErrorCode.TOO_MANY_SUBSCRIPTIONS:
                replica.error = None
                add(replica.entity, replica.granularity, replica.cursor)
                return

    def lost(self) -> None:
        """The connection is gone."""
        early = self._early.lost()
        for view in self:
            if view.replica.entity in early:
                view.replica.rewind()
            view.replica.lost()

    def answered(self, answer: PushAck | FieldPushAck | TransactionAck, epoch: str) -> None:
        """A write is durable; `epoch` is the connection's."""
        for row in self.writes.answered(answer, epoch):
            if self._has_arrived(row):
                self.writes.queue.drop(row)

    def resumed(self) -> None:
        """There is a connection, and what was read before is read on."""
        for view in self:
            replica = view.replica
            if replica.position.version and replica.cursor.reading and not replica.live:
                self._early.behind(replica.cursor)

    def completed(self, transaction: str) -> None:
        """All of a transaction has arrived."""
        self._early.completed(transaction)

    def tell(self, event: Event) -> None:
        """Take what a stream says to one of these readers; what is for others is told on."""
        view = self._readers.get(getattr(event, "cursor", None) or _NOBODY)
        if view is None:
            self._tell(event)
        elif isinstance(event, Delivered | Synced):
            if not self._early.keeps(view.replica.entity, event):
                self._take(view, event)
        elif isinstance(event, FellBehind):
            self._early.behind(event.cursor)
        else:
            if isinstance(event, WasReset):  # it comes anew: nobody waits for that
                self._take_kept(self._early.end(view.replica.entity, event.cursor))
            self._take(view, event)

    def release(self) -> None:
        """Take what has waited, as far as it may be shown by now."""
        if self._early:
            self._take_kept(self._early.release())

    # Inside.

    def _take_kept(self, kept: Iterable[News]) -> None:
        """Take what has waited until now, for those that still read."""
        for news in kept:
            view = self._readers.get(news.cursor)
            if view is not None:
                self._take(view, news)

    def _take(self, view: EntityView, event: Event) -> None:
        """A stream says something to one of these readers."""
        replica = view.replica
        match event:
            case Delivered(_, log, position):
                self._show(replica.entity, replica.deliver(log, position))
            case Synced(_, position):
                self._show(replica.entity, replica.synced(position))
            case WasReset(_, _, position):
                self._show(replica.entity, replica.start_over(position))
            case Stopped(cursor, error):
                replica.error = error
                self._early.caught_up(cursor)
            case Ended(cursor):
                del self._readers[cursor]
                self._show(replica.entity, replica.records.ended(replica))
            case _:
                return
        self.touched.add(replica.entity)

    def _has_arrived(self, row: QueuedWrite) -> bool:
        """Whether the change of an acknowledged write need not be waited for."""
        ((entity, entity_id),) = row.records
        if entity in self._views:
            return self._covers(entity, entity_id, row)
        kept, settled = self._kept.get(entity), row.settled
        if kept is not None:
            self._absorb(kept, row)
        if settled is not None:
            self.writes.recent.remember(row.writes[0], settled)
        return True

    def _covers(self, entity: str, entity_id: str, row: QueuedWrite) -> bool:
        """Whether a settled write is in what is held, whatever part its record was or is in.

        A part that the server does not let be read is waited for only where there is no other.
        """
        replicas = [view.replica for view in self.parts(entity)]
        replicas = [each for each in replicas if each.error is None] or replicas
        settled = row.settled
        return settled is not None and all(each.covers(entity_id, settled) for each in replicas)

    def _show(self, entity: str, changed: Iterable[str]) -> None:
        queue = self.writes.queue
        for view in self._views.get(entity, {}).values():
            view.overlay.touch(changed)
        arrived = [row for each in changed for row in _settled(queue.of(entity, each))]
        for row in [*arrived, *self._overtaken(entity)]:
            if self._covers(entity, row.writes[0].entity_id, row):
                queue.drop(row)

    def _overtaken(self, entity: str) -> list[QueuedWrite]:
        """The settled writes up to the position; they were answered in the order of versions."""
        rows: list[QueuedWrite] = []
        for row in self.writes.queue.settled(entity):
            if not self._covers(entity, "", row):
                break
            rows.append(row)
        return rows

    def _absorb(self, kept: StoredEntity, row: QueuedWrite) -> None:
        """Put an acknowledged write into what is held of an entity that nobody reads now.

        Its change comes once the entity is read again: the position stays.
        """
        settled, ((entity, entity_id),) = row.settled, row.records
        assert settled is not None
        places = [kept.position, *(place for place, _ in kept.parts.values())]
        behind = [
            each
            for each in places
            if each.epoch == settled.epoch and each.version < settled.version
        ]
        held = kept.records.get(entity_id)
        if not behind or (kept.parts and held is not None and held.version >= settled.version):
            return
        there, value = fold(
            kept.records.pop(entity_id, None), [(row.writes[0], settled)], kept.granularity
        )
        if there:
            held = HeldRecord(settled.version, to_json(value, entity))
            kept.records[entity_id] = held
            self.pending_ops.put(PutRecord(entity, entity_id, held))
        else:
            self.pending_ops.put(DropRecord(entity, entity_id))


def _settled(rows: RecordWrites) -> Iterator[QueuedWrite]:
    """Those of a record's writes that are settled: they come first."""
    return takewhile(lambda row: row.settled is not None, rows)


_NOBODY = Cursor()

_UNKNOWN = (
    "the server takes this client for another one, and it goes on under a new client_id: whether "
    "this write has taken effect is not known; look, and write it again if it has not"
)
