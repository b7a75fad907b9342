"""The commits of one batch in one entity, as bytes: the body of a row of `log`.

Knows what of a commit is kept. Must not know SQL.

A body is one array in MessagePack, whose first item is the number of the format. It says nothing
of the entity, which stands beside it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, TypeAlias

import msgspec

from rhtmx.messages import ChangeAction
from rhtmx_server.model import Granularity, HistoryEntry, Record

__all__ = ["pack", "pack_one", "unpack", "unpack_one"]

_FORMAT: Final = 1

_Entry: TypeAlias = tuple[str, int, int, bytes | None, str | None, int, int, bool, int | None]

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(tuple[int, list[_Entry]]).decode
_ACTIONS = {int(action): action for action in ChangeAction}


def pack(entries: Iterable[HistoryEntry]) -> bytes:
    """Write down entries of one entity, in the order of their versions.

    Args:
        entries: commits.
    """
    return _encode((_FORMAT, [_row(each) for each in entries]))


def pack_one(entry: HistoryEntry) -> bytes:
    """Write down one entry."""
    return pack([entry])


def unpack(entity: str, body: bytes) -> list[HistoryEntry]:
    """Read what `pack` has written.

    Args:
        entity: of which they are.
        body: what was written.
    """
    _, rows = _decode(body)
    return [_entry(entity, *each) for each in rows]


def unpack_one(entity: str, body: bytes) -> HistoryEntry:
    """Read what `pack_one` has written."""
    return unpack(entity, body)[0]


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
    )


def _entry(
    entity: str,
    entity_id: str,
    version: int,
    action: int,
    data: bytes | None,
    client_id: str | None,
    time: int,
    form: int,
    lost: bool,
    previous: int | None,
) -> HistoryEntry:
    record = Record(entity, entity_id, version, _ACTIONS[action], data, client_id, time)
    return HistoryEntry(record, Granularity(form), lost, previous)
