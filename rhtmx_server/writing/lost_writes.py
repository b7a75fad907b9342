"""What the history keeps of a field write that lost. Pure.

Knows the entry. Must not know why a write lost.
"""

from __future__ import annotations

import msgspec

from rhtmx.messages import ChangeAction, Push, PushFields
from rhtmx_server.model import Context, Granularity, HistoryEntry, LostWrite, Record

__all__ = ["lost_entry"]


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
