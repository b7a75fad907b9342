"""How two writes of one field become one value. Pure.

Knows values, clocks and the four strategies. Must not know records, messages,
or where a write comes from; time is an argument.

**Order.** Any two writes of a field are ordered by

1. the timestamp, in microseconds;
2. the client id, as UTF-8 bytes; an unknown one counts as empty;
3. the value, as the UTF-8 bytes of its canonical JSON (`json_text.canonical`);
   a deletion counts as empty and so comes before every value.

The order uses nothing but the two writes: it is the same on every node, in
every language and whichever of them arrives first.

**Own writes.** A client's writes arrive in the order in which it made them. So
of two writes of one client the one that arrives later is the later one, and has
seen the other, whatever the order above says: clocks may be equal, step back, or
be brought back to the present, and edits made offline share one base version.
It takes the other's time if its own is earlier. So what it is to the writes of
everybody else does not depend on when those arrive.
A write without a client id is nobody's own.

**Copies.** A write that arrives twice is one write: if the field's last one is by the
same author, or both are nobody's, says the same and was made at the same time, the
second one changes nothing. That time is the one that the author said. The timestamp
may be another: it is brought back to the present, or moved behind what was replaced.

**Concurrency.** The pushed write is concurrent with the stored one if that is
not its author's own and its author had not seen it: with a base version, if the
stored write is of a later version; without, if the stored write comes after the
pushed one in the order.
A write that is not concurrent is taken. A concurrent one is decided by the
strategy, and is in conflict; unless both say the same, then nothing is lost, and
the stored one stays the field's last write if it is the later one.

Only the field's last write counts. If somebody else has written since the
author's own last one, that stands between them: then the two rules above decide,
not the author's own older write, which is no longer there.

===================  =======================================================
`last_write_wins`    the one that comes later in the order
`keep_both`          the stored one; the pushed one is kept in the history
`server_wins`        the stored one
`client_wins`        the pushed one
`counter`            the one that comes later; in conflict also if both have the
                     same value: two who count to 7 have not counted the same
                     thing
`set`                the one that comes later
===================  =======================================================

What is written is a value here. Operations, which no other write stands against, are
decided in `operations`.

**Nothing silent.** A pushed write that loses is reported to its author and kept
in the history. A stored write that loses was acknowledged under a version of its
own: it is in the history too, and the author of the winner is told about it.
"""

from __future__ import annotations

import enum

import msgspec

from rhtmx.messages import MergeStrategy
from rhtmx_server.model import Clock
from rhtmx_server.trackers.json_text import canonical, same

__all__ = [
    "MAX_AHEAD",
    "FieldWrite",
    "MergeOutcome",
    "clamp",
    "follow",
    "is_later",
    "merge",
    "move",
]

MAX_AHEAD = 60_000_000
"""Microseconds that a client's clock may be ahead of the server's."""


_BY_TIME = frozenset({MergeStrategy.LAST_WRITE_WINS, MergeStrategy.COUNTER, MergeStrategy.SET})


class FieldWrite(msgspec.Struct, frozen=True):
    """One write of a field, stored or pushed.

    Args:
        value: the JSON text; `None` for `null` and for a deletion.
        clock: who wrote it when; of a pushed one, the version that it would get.
    """

    value: bytes | None
    clock: Clock


class MergeOutcome(enum.Enum):
    """What becomes of a pushed write."""

    TAKEN = "taken"
    """It is the field's value now; nothing stood against it."""
    SETTLED = "settled"
    """The field has this value already, by a write that is not older."""
    WON = "won"
    """It is the field's value now, over one that its author had not seen."""
    LOST = "lost"
    """The stored value stays."""

    @property
    def writes(self) -> bool:
        """Whether the pushed write has to be stored."""
        return self is MergeOutcome.TAKEN or self is MergeOutcome.WON

    @property
    def conflict(self) -> bool:
        """Whether its author has to be told."""
        return self is MergeOutcome.WON or self is MergeOutcome.LOST


def clamp(timestamp: int, now: int) -> int:
    """Bring a timestamp from the future back to `now` and a minute.

    Without this a client whose clock is years ahead would win for years.
    """
    return min(timestamp, now + MAX_AHEAD)


def is_later(one: FieldWrite, other: FieldWrite) -> bool:
    """Whether `one` comes after `other` in the order of writes."""
    if one.clock.timestamp != other.clock.timestamp:
        return one.clock.timestamp > other.clock.timestamp
    author, rival = one.clock.client_id or "", other.clock.client_id or ""
    if author != rival:
        return author > rival  # code points sort as UTF-8 bytes do
    return _rank(one) > _rank(other)


def _rank(write: FieldWrite) -> bytes:
    # Two writes of one moment by one author: any order will do, if it is the same everywhere.
    return b"" if write.clock.deleted else canonical(write.value)


def _agree(one: FieldWrite, other: FieldWrite) -> bool:
    return one.clock.deleted == other.clock.deleted and same(one.value, other.value)


def _is_copy(one: FieldWrite, other: FieldWrite) -> bool:
    """Whether two writes are one that has arrived twice."""
    return (
        (one.clock.client_id or None) == (other.clock.client_id or None)
        and _claimed(one.clock) == _claimed(other.clock)
        and _agree(one, other)
    )


def _claimed(clock: Clock) -> int:
    return clock.timestamp if clock.claimed is None else clock.claimed


def move(clock: Clock, timestamp: int) -> Clock:
    """Return a clock with another time, which remembers the one that its author said.

    Example:
        >>> move(Clock(2, 10), 11)
        Clock(version=2, timestamp=11, client_id=None, deleted=False, items=None, claimed=10)
    """
    if timestamp == clock.timestamp:
        return clock
    return msgspec.structs.replace(clock, timestamp=timestamp, claimed=_claimed(clock))


def follow(clock: Clock, replaced: Clock | None) -> Clock:
    """Return the clock of a write that comes after the one it replaces.

    A client whose time runs behind must not make its write look older than the
    one that it had seen: a copy of that one, arriving late, would win.
    """
    if replaced is None or clock.timestamp > replaced.timestamp:
        return clock
    return move(clock, replaced.timestamp + 1)


def merge(
    stored: FieldWrite | None, pushed: FieldWrite, strategy: MergeStrategy, base_version: int | None
) -> tuple[MergeOutcome, Clock]:
    """Decide between the stored and the pushed write of one field.

    Args:
        stored: the field as it is, a deletion included; `None` if it was never
            written.
        pushed: the new write, already clamped.
        strategy: what decides if they are concurrent.
        base_version: the version that the author of `pushed` had seen.

    Returns:
        The verdict, and the clock under which `pushed` is stored if it is.
    """
    clock = pushed.clock
    if stored is None:
        return MergeOutcome.TAKEN, clock
    # First of all: what was written with a moved clock looks like another write by now.
    if _is_copy(stored, pushed):
        return MergeOutcome.SETTLED, clock
    # Before the order is asked: a client's clock may step back, its writes still come in order.
    if clock.client_id and clock.client_id == stored.clock.client_id:
        return _after_own(stored, pushed)
    later = is_later(pushed, stored)
    # Without a base version nobody says what the author had seen: the time has to do.
    concurrent = not later if base_version is None else stored.clock.version > base_version
    if later and not concurrent:
        return MergeOutcome.TAKEN, clock
    counts = concurrent and strategy is MergeStrategy.COUNTER
    if not counts and _agree(pushed, stored):
        return (MergeOutcome.TAKEN if later else MergeOutcome.SETTLED), clock
    # If it is taken all the same it has to look later than what it replaces: a copy of that,
    # arriving late, would win.
    if not later:
        clock = follow(clock, stored.clock)
    if not concurrent:
        return MergeOutcome.TAKEN, clock
    wins = strategy is MergeStrategy.CLIENT_WINS or (strategy in _BY_TIME and later)
    return (MergeOutcome.WON if wins else MergeOutcome.LOST), clock


def _after_own(stored: FieldWrite, pushed: FieldWrite) -> tuple[MergeOutcome, Clock]:
    """Let a write follow one of the same client."""
    clock, before = pushed.clock, stored.clock
    if clock.timestamp <= before.timestamp:
        if _agree(pushed, stored):
            return MergeOutcome.SETTLED, clock
        # The same time, and not one more: to the writes of others it is as late as its author's
        # last.
        clock = move(clock, before.timestamp)
    return MergeOutcome.TAKEN, clock
