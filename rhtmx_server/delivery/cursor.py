"""Where one subscriber stands in the log of one entity.

Knows positions. Must not know connections, stores, clocks or the loop: it is
told what was read and what was committed, and says what follows from it.

A cursor is in one of two modes. *Live*: the hub hands the subscriber every
commit. *Catching up*: one task reads the store from `sent` in pages until it
reaches the hub's position. First load, resume, on-demand sync, the gap between
snapshot and stream, and a reader that fell behind are all the second mode. What
moves it from one to the other: the table in `subscriptions`.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from rhtmx.messages import Position
from rhtmx_server.model import Granularity, Head

__all__ = ["Cursor", "Mark", "resume"]


@dataclass(slots=True)
class Mark:
    """An answer that is due when the cursor has caught up.

    Args:
        granularity: `RECORDS` for `sync_complete`, `FIELDS` for `sync_fields_complete`.
        reset: the asked position could not be resumed.
        request_id: the request that waits, where it had an id.
        asked: it answers a sync; otherwise it tells a subscription that it has
            caught up.
    """

    granularity: Granularity
    reset: bool
    request_id: str | None = None
    asked: bool = False


@dataclass(slots=True, eq=False)
class Cursor:
    """One subscriber's place in one entity's log.

    Args:
        entity: the collection.
        granularity: what the subscriber wants to see.
        sent: everything up to this version was sent.
        base: where this catching up began: fields older than that are known.
        once: ends when it has caught up, instead of going live.
        live: the hub delivers to it.
        marks: the answers that are due.
    """

    entity: str
    granularity: Granularity
    sent: int
    base: int = 0
    once: bool = False
    live: bool = False
    marks: list[Mark] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.base = self.sent

    @property
    def catches_up_by(self) -> Granularity:
        """The granularity at which it catches up: whole records if it reads those at all."""
        return self.granularity & Granularity.RECORDS or Granularity.FIELDS

    def rewind(self, start: int) -> None:
        """Read again from `start`, or go on reading from where that is earlier."""
        # While it reads it may have to go back, and never forward: what lies between was not sent.
        self.sent = start if self.live else min(self.sent, start)
        self.base = start if self.live else min(self.base, start)
        self.live = False

    def fall(self, sent: int) -> None:
        """Leave the live stream, in which everything up to `sent` was delivered."""
        self.sent = self.base = sent
        self.live = False

    def restart(self) -> None:
        """Read everything anew, and say so: what it had cannot be resumed any more."""
        self.sent = self.base = 0
        # Somebody has to be told of the reset, even if nobody asked.
        self.marks = self.marks or [Mark(self.catches_up_by, reset=True)]
        for mark in self.marks:
            mark.reset = True

    def reached(self, version: int) -> None:
        """Everything up to `version` was sent."""
        self.sent = version


def resume(
    version: int, epoch: str | None, head: Head, current_epoch: str, *, trusting: bool
) -> tuple[int, bool]:
    """Decide where a reader that was at `version` goes on.

    Args:
        version: the last version that it has, 0 for none.
        epoch: the epoch of that version, if it said so.
        head: the entity's log.
        current_epoch: the store's epoch.
        trusting: take a missing epoch for the current one. Only for the seed's
            `sync`, which has no epoch to send.

    Returns:
        The version to read from, and whether the position was reset: unknown
        epoch, above the head, or below the floor. Then everything is read.
    """
    known = trusting if not epoch else epoch == current_epoch
    if version == 0:
        # From the beginning anyway; but whoever names another epoch holds records that are void.
        return 0, bool(epoch) and not known
    if known and head.floor <= version <= head.version:
        return version, False
    return 0, True


def at(position: Position | None) -> tuple[int, str | None]:
    """Version and epoch of a position as it came over the wire."""
    if position is None:
        return 0, None
    return position.version, position.epoch
