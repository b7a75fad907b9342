"""Where one subscriber stands in the log of one entity.

Knows positions, and of which parts. Must not know connections, stores, clocks or the
loop: it is told what was read and what was committed, and says what follows from it.

A cursor is in one of two modes. *Live*: the hub hands the subscriber every
commit. *Catching up*: one task reads the store from `sent` in pages until it
reaches the hub's position. First load, resume, on-demand sync, the gap between
snapshot and stream, and a reader that fell behind are all the second mode. What
moves it from one to the other: the table in `subscriptions`.

A cursor may read for several subscriptions to parts of one entity: those that are
live together are one reader of the hub, and one that falls behind, so that each
record comes once, and in the order of the log.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from rhtmx.messages import SyncBegin, SyncComplete, SyncFieldsComplete
from rhtmx_server.model import NOWHERE, Granularity, Head, Scope

__all__ = ["LONG", "Cursor", "Mark", "Reading", "resume"]

LONG = 1000
"""From so many versions on, a peer that reads from the beginning is told where the log ends."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What of an entity is read by one subscription, or one sync.

    Args:
        entity: the collection.
        where: the part that was asked for, as it came over the wire; `None` for no
            part in particular.
        scope: what of that may be read.
        scope_id: its name, which belongs to a position; `None` for a whole entity.
    """

    entity: str
    where: bytes | None = None
    scope: Scope = None
    scope_id: str | None = None

    def continues(self, version: int, scope_id: str | None) -> bool:
        """Whether a position with this scope counts here; one who has nothing names none."""
        return scope_id == self.scope_id or not (version or scope_id)


@dataclass(slots=True)
class Mark:
    """An answer that is due when the cursor has caught up.

    Args:
        granularity: `RECORDS` for `sync_complete`, `FIELDS` for `sync_fields_complete`.
        reset: the asked position could not be resumed.
        request_id: the request that waits, where it had an id.
        asked: it answers a sync; otherwise it tells a subscription that it has
            caught up.
        where: the part of the entity that was asked for.
        since: the version from which a subscription was to be resumed, if somebody asked.
        behind: it was live, and too slow.
    """

    granularity: Granularity
    reset: bool
    request_id: str | None = None
    asked: bool = False
    where: bytes | None = None
    since: int | None = None
    behind: bool = False

    @property
    def owed(self) -> bool:
        """Whether somebody asked for it; or it only says that the server had to start over."""
        return self.asked or self.since is not None or not (self.reset or self.behind)


@dataclass(slots=True, eq=False)
class Cursor:
    """One subscriber's place in one entity's log.

    Args:
        entity: the collection.
        granularity: what the subscriber wants to see.
        sent: everything up to this version was sent.
        readings: what it reads of the entity, by what was asked for; by default the whole.
        base: where this catching up began: fields older than that are known.
        fresh: what left the scope up to this version was never sent, so nobody need be
            told.
        began: where the log stood when it was last told where to read from.
        floor: deletes up to this version were forgotten before it began, and so concern
            nothing that it was sent since.
        once: ends when it has caught up, instead of going live.
        live: the hub delivers to it.
        settled: it is or was live, and nobody has been told that it is not any more.
        told: the position that its peer was told last.
        resumed: its peer has gone on from a position in a scope.
        marks: the answers that are due.
    """

    entity: str
    granularity: Granularity
    sent: int
    readings: dict[bytes | None, Reading] = field(default_factory=dict)
    base: int = 0
    fresh: int = 0
    began: int = 0
    floor: int = 0
    once: bool = False
    live: bool = False
    settled: bool = False
    told: int = 0
    resumed: bool = False
    marks: list[Mark] = field(default_factory=list)
    scope: Scope = field(init=False)

    def __post_init__(self) -> None:
        self.base = self.sent
        if not self.readings:
            self.readings[None] = Reading(self.entity)
        self._unite()

    @property
    def catches_up_by(self) -> Granularity:
        """The granularity at which it catches up: whole records if it reads those at all."""
        # Asked several times for each page: `&` of the enum takes 1 µs.
        fields = self.granularity is Granularity.FIELDS
        return Granularity.FIELDS if fields else Granularity.RECORDS

    @property
    def knows_parts(self) -> bool:
        """Its peer has shown that it knows of parts: it named one, or a scope."""
        return self.resumed or any(where is not None for where in self.readings)

    @property
    def half_loaded(self) -> bool:
        """Some of a first load was sent to a peer that waits for its end.

        If all comes anew it may not be able to tell that from what it has: a client of an older
        schema passes over what it is told at the beginning. One that had a position reads
        everything anew when it hears of a reset, sooner or later.
        """
        due = any(mark.since == 0 for mark in self.marks)
        return due and not self.live and not self.base and self.sent > 0

    def rewind(self, start: int) -> None:
        """Read again from `start`, or go on reading from where that is earlier."""
        # While it reads it may have to go back, and never forward: what lies between was not sent.
        self.sent = start if self.live else min(self.sent, start)
        self.base = start if self.live else min(self.base, start)
        self.fresh = 0
        self.live = self.settled = False
        self.resumed |= start > 0 and self.scope is not None

    def fall(self, sent: int, *, tells: bool = False) -> list[Mark]:
        """Leave the live stream, in which everything up to `sent` was delivered.

        Args:
            sent: the version.
            tells: its peer is told that what follows has been, until it is live again.

        Returns:
            The answers that are due for that.
        """
        self.sent = self.base = sent
        self.fresh = 0
        self.live = False
        levels = self.granularity if tells else ()
        told = [Mark(each, False, where=it, behind=True) for it in self.readings for each in levels]
        self.marks += told
        return told

    def restart(self, position: int = 0, *, fresh: int = 0) -> None:
        """Read everything anew, and say so: what it had cannot be resumed any more.

        Args:
            position: everything up to this version has been handed out.
            fresh: what left its scope up to this version was never sent.
        """
        self.sent = self.base = 0
        self.began, self.fresh = position, fresh
        self.live = self.settled = False
        for mark in self.marks:
            mark.reset, mark.behind = True, False
        # Somebody has to be told of the reset, even if nobody asked.
        due = {(mark.where, mark.granularity) for mark in self.marks}
        for where in self.readings:
            for level in self.granularity:
                if (where, level) not in due:
                    self.marks.append(Mark(level, reset=True, where=where))

    def never_sent(self, position: int, behind: Iterable[Cursor]) -> int:
        """What has left its scope up to this version was sent to its peer by nobody.

        Who catches up may have sent, or read, what has left since, and may be ended before it
        tells that.

        Args:
            position: everything up to this version has been handed out.
            behind: those of its connection that catch up.
        """
        others = (each for each in behind if each is not self and each.entity == self.entity)
        return min((position, *(max(each.sent, each.fresh) for each in others)))

    def reached(self, version: int) -> None:
        """Everything up to `version` was sent."""
        self.sent = version

    def take(self, reading: Reading) -> None:
        """Read for one more subscription, or another scope for the same one."""
        self.readings[reading.where] = reading
        self._unite()

    def forget(self, where: bytes | None, granularity: Granularity) -> None:
        """Tell a subscription that has ended nothing for which nobody asked."""
        self.marks = [
            mark
            for mark in self.marks
            if mark.owed or mark.where != where or not mark.granularity & granularity
        ]

    def part(self, where: bytes | None) -> Cursor:
        """Give one subscription a cursor of its own, at the same place.

        Args:
            where: what it asked for.
        """
        if len(self.readings) == 1:
            return self
        reading = self.readings.pop(where)
        self._unite()
        mine = [mark for mark in self.marks if mark.where == where]
        self.marks = [mark for mark in self.marks if mark.where != where]
        alone = Cursor(self.entity, self.granularity, self.sent, {where: reading}, marks=mine)
        alone.base, alone.fresh, alone.live = self.base, self.fresh, self.live
        alone.began, alone.resumed = self.began, self.resumed
        return alone

    # What its peer is told beside the changes.

    def has_news(self, mark: Mark) -> bool:
        """Whether its peer cannot know what follows up to this answer."""
        return (
            mark.reset
            or mark.behind
            or (not self.sent and self.readings[mark.where].scope_id is not None)
            or self._far_head(mark) is not None
        )

    def begin(self, mark: Mark, epoch: str) -> SyncBegin:
        """What follows up to this answer, and of which scope that is; `epoch`: the store's."""
        fields = mark.granularity is Granularity.FIELDS
        scope = self.readings[mark.where].scope_id
        since, head = self.base if mark.behind else None, self._far_head(mark)
        return SyncBegin(self.entity, epoch, mark.reset, fields, mark.where, scope, since, head)

    def _far_head(self, mark: Mark) -> int | None:
        """Where the log stood, if all of it is read and somebody may watch how far it is."""
        from_beginning = not (self.sent or mark.behind)
        return self.began if from_beginning and self.began >= LONG else None

    def complete(self, mark: Mark, epoch: str, version: int) -> SyncComplete | SyncFieldsComplete:
        """The answer: everything up to `version` was sent; `epoch`: the store's."""
        self.told = version  # nothing else counts: who fell behind is live again without a word
        kind = SyncComplete if mark.granularity is Granularity.RECORDS else SyncFieldsComplete
        return kind(
            entity=self.entity,
            version=version,
            epoch=epoch,
            reset=mark.reset,
            request_id=mark.request_id,
            where=mark.where,
            scope=self.readings[mark.where].scope_id,
        )

    def _unite(self) -> None:
        united = NOWHERE
        for reading in self.readings.values():
            if reading.scope is None:
                self.scope = None
                return
            united |= reading.scope
        self.scope = united


def resume(
    version: int,
    epoch: str | None,
    head: Head,
    counts: int,
    *,
    trusting: bool,
    same_scope: bool = True,
) -> tuple[int, bool]:
    """Decide where a reader that was at `version` goes on.

    Args:
        version: the last version that it has, 0 for none.
        epoch: the epoch of that version, if it said so.
        head: the entity's log.
        counts: up to which version a position of that epoch counts; see `Store.counts`.
        trusting: take a missing epoch for the current one. Only for the seed's
            `sync`, which has no epoch to send.
        same_scope: the version counts for what is read now, and not for another scope.

    Returns:
        The version to read from, and whether the position was reset: unknown
        epoch, another scope, above the head, or below the floor. Then everything
        is read.
    """
    known = same_scope and (version <= counts if epoch else trusting)
    if version == 0:
        # From the beginning anyway, in whatever scope; but whoever names another epoch holds
        # records that are void.
        return 0, bool(epoch) and not known
    if known and same_scope and head.floor <= version <= head.version:
        return version, False
    return 0, True
