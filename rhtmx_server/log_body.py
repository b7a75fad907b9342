"""What one batch wrote in one entity, as bytes: a row of the log, and what nodes tell each other.

Knows what of a commit is kept for those who read the log later, and what its live readers need
besides. Must not know SQL, nor who reads.

A body is one array in MessagePack, whose first item is the number of the format. It says nothing
of the entity, which stands beside it. Of the clocks of a record it has what its live readers are
told: those of the fields that were written, where they are not simply those of the commit; and
all of them where the record comes before somebody who could not see it before.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final, TypeAlias

import msgspec

from rhtmx.messages import ChangeAction
from rhtmx_server.model import NOWHERE, Clock, Commit, Granularity, HistoryEntry, Record

__all__ = ["pack", "pack_one", "unpack", "unpack_commits", "unpack_one"]

_FORMAT: Final = 1


class _Live(msgspec.Struct, array_like=True, gc=False):
    """What the live readers of a commit need besides its record."""

    changed: Sequence[str] = ()
    clocks: Mapping[str, Clock] = {}
    entered: int = 0
    before: Sequence[str] = ()
    after: Sequence[str] | None = None
    transaction: str = ""
    held: Sequence[str] = ()


_Entry: TypeAlias = tuple[
    str, int, int, bytes | None, str | None, int, int, bool, int | None, _Live | None
]

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(tuple[int, list[_Entry]]).decode
_ACTIONS = {int(action): action for action in ChangeAction}


def pack(entries: Iterable[HistoryEntry]) -> bytes:
    """Write down entries of one entity, in the order of their versions.

    Args:
        entries: commits; those that have just been made with what their live readers need.
    """
    return _encode((_FORMAT, [_row(each) for each in entries]))


def pack_one(entry: HistoryEntry) -> bytes:
    """Write down one entry."""
    return pack([entry])


def unpack(entity: str, body: bytes) -> list[HistoryEntry]:
    """Read what `pack` has written, as history.

    Args:
        entity: of which they are.
        body: what was written.
    """
    _, rows = _decode(body)
    return [_entry(entity, each) for each in rows]


def unpack_one(entity: str, body: bytes) -> HistoryEntry:
    """Read what `pack_one` has written."""
    return unpack(entity, body)[0]


def unpack_commits(entity: str, body: bytes) -> list[Commit] | None:
    """Read what `pack` has written, as it is handed to live readers.

    Args:
        entity: of which they are.
        body: what was written.

    Returns:
        The commits; `None` if it was packed without what live readers need, as a copy is.
    """
    _, rows = _decode(body)
    found: list[Commit] = []
    for each in rows:
        if each[9] is None:
            return None
        found.append(_commit(entity, each, each[9]))
    return found


def _row(entry: HistoryEntry) -> _Entry:
    record = entry.record
    return (
        record.entity_id,
        record.version,
        int(record.action),
        record.data,
        record.client_id,
        record.time,
        int(entry.granularity),
        entry.lost,
        entry.previous,
        None if entry.commit is None else _live(entry.commit),
    )


def _live(commit: Commit) -> _Live:
    record, before, after = commit.record, commit.before, commit.after
    clocks, entered = record.clocks, 0
    if after <= before:
        usual = (record.version, record.time, record.client_id)
        clocks = {name: clocks[name] for name in commit.changed if _key(clocks[name]) != usual}
    else:  # it is sent as a whole
        entered = record.entered
    return _Live(
        commit.changed,
        clocks,
        entered,
        list(before),
        None if after == before else list(after),
        commit.transaction,
        commit.held,
    )


def _key(clock: Clock) -> tuple[int, int, str | None]:
    return clock.version, clock.timestamp, clock.client_id


def _record(entity: str, row: _Entry) -> Record:
    entity_id, version, action, data, client_id, time = row[:6]
    return Record(entity, entity_id, version, _ACTIONS[action], data, client_id, time)


def _entry(entity: str, row: _Entry) -> HistoryEntry:
    return HistoryEntry(_record(entity, row), Granularity(row[6]), row[7], row[8])


def _commit(entity: str, row: _Entry, live: _Live) -> Commit:
    record = _record(entity, row)
    usual = Clock(record.version, record.time, record.client_id)
    record.clocks = {**dict.fromkeys(live.changed, usual), **live.clocks}
    record.entered = live.entered
    before = frozenset(live.before) if live.before else NOWHERE
    return Commit(
        record,
        Granularity(row[6]),
        live.changed,
        before,
        before if live.after is None else frozenset(live.after),
        live.transaction,
        live.held,
    )
