"""What the store keeps of a write besides its record: that it lost, and where the record is. Pure.

Knows rows. Must not know why a write lost, nor who reads a part.
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from rhtmx.messages import ChangeAction, Push, PushFields
from rhtmx_server.model import (
    Commit,
    Context,
    Granularity,
    HistoryEntry,
    LostWrite,
    PartRow,
    Record,
)

__all__ = ["lost_entry", "part_rows"]


def lost_entry(
    lost: LostWrite, message: Push | PushFields, version: int, context: Context
) -> HistoryEntry:
    """The entry of a write that lost.

    Args:
        lost: the write.
        message: what it was part of.
        version: of the record that it lost against.
        context: time and author.
    """
    value = b"null" if lost.value is None else lost.value
    record = Record(
        entity=message.entity,
        entity_id=message.entity_id,
        version=version,
        # Its value alone does not tell `null` from a delete.
        action=ChangeAction.DELETE if lost.deleted else ChangeAction.UPDATE,
        data=b"{%s:%s}" % (msgspec.json.encode(lost.field), value),
        client_id=context.client_id,
        time=context.now,
    )
    return HistoryEntry(record, Granularity.FIELDS, lost=True)


def part_rows(commit: Commit) -> Iterator[PartRow]:
    """That a record is in its parts, and that it has left the others that it was in.

    Args:
        commit: what wrote the record, of an entity that is divided.
    """
    record, after = commit.record, commit.after
    for part in commit.before | after:
        yield PartRow(
            record.entity,
            part,
            record.entity_id,
            record.version,
            record.time,
            left=part not in after,
        )
