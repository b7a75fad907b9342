"""What a node tells the others of a batch that it has committed, as bytes.

Knows the format. Must not know the bus, nor what becomes of what is told.

One array in MessagePack: the number of the format, the epoch, and what was written in each entity:
its name, after which version it begins, its last version, and the commits as `log_body` packs them.
Without the commits where all of it were too large: whoever hears of it reads them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple, TypeAlias

import msgspec

from rhtmx_server.log_body import pack as pack_body
from rhtmx_server.model import Commit, CommittedBatch, HistoryEntry, LogRow

__all__ = ["Announcement", "pack", "rows_of", "unpack"]

_FORMAT: Final = 1
_Row: TypeAlias = tuple[str, int, int, bytes | None]

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(tuple[int, str, list[_Row]]).decode


class Announcement(NamedTuple):
    """What a node has committed.

    Args:
        epoch: the store's.
        batch: what was written.
    """

    epoch: str
    batch: CommittedBatch


def rows_of(commits: Sequence[Commit]) -> CommittedBatch:
    """What the commits of one batch are to each entity.

    Args:
        commits: those of an entity in the order of their versions.
    """
    by_entity: dict[str, list[Commit]] = {}
    for each in commits:
        by_entity.setdefault(each.record.entity, []).append(each)
    return [
        LogRow(entity, each[0].record.version - 1, each[-1].record.version, commits=each)
        for entity, each in by_entity.items()
    ]


def pack(epoch: str, batch: CommittedBatch, most_bytes: int) -> bytes:
    """Write down what was committed here.

    Args:
        epoch: the store's.
        batch: with its commits.
        most_bytes: beyond that, without them.
    """
    rows: list[_Row] = []
    for row in batch:
        entries = [
            HistoryEntry(each.record, each.granularity, commit=each) for each in row.commits or ()
        ]
        rows.append((row.entity, row.base, row.upto, pack_body(entries)))
    packed = _encode((_FORMAT, epoch, rows))
    if len(packed) <= most_bytes:
        return packed
    return _encode((_FORMAT, epoch, [(*row[:3], None) for row in rows]))


def unpack(message: bytes) -> Announcement | None:
    """Read what another node says; `None` if it is not to be understood.

    Args:
        message: what came: from a node of another version, maybe.
    """
    try:
        form, epoch, rows = _decode(message)
    except msgspec.DecodeError:
        return None
    if form != _FORMAT:
        return None
    return Announcement(epoch, [LogRow(*row) for row in rows])
