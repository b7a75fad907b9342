"""A record, seen as fields.

Knows which fields a record has or had, and who wrote each of them when. Must
not know what anybody wants to write.
"""

from __future__ import annotations

from collections.abc import Mapping

from rhtmx.messages import ChangeAction
from rhtmx_server.model import DELETED, Clock, Record
from rhtmx_server.trackers import json_text as jsontext
from rhtmx_server.trackers.json_text import Fields
from rhtmx_server.trackers.merge import FieldWrite

__all__ = ["clocks_of", "fields_of", "gone_before", "live", "stored_write"]


def live(record: Record | None) -> Record | None:
    """Return the record if it exists; `None` for a tombstone."""
    if record is None or record.action is ChangeAction.DELETE:
        return None
    return record


def fields_of(record: Record | None) -> Fields:
    """Return the fields that a record has now, with their values. A new dict."""
    if record is None or record.action is ChangeAction.DELETE:
        return {}
    return jsontext.split(record.data)


def clocks_of(record: Record | None, fields: Fields) -> dict[str, Clock]:
    """Return the clocks of the fields that a record has or had. A new dict.

    A field without a clock is from a time when its entity was kept without
    fields: it was written with the record. So is a delete without one.

    Args:
        record: the record.
        fields: what `fields_of` says of it.
    """
    if record is None:
        return {}
    clocks = dict(record.clocks)
    if not fields.keys() <= clocks.keys():
        for name in fields.keys() - clocks.keys():
            clocks[name] = Clock(record.version, record.time, record.client_id)
    if record.action is ChangeAction.DELETE and DELETED not in clocks:
        clocks[DELETED] = Clock(record.version, record.time, record.client_id, True)
    return clocks


def gone_before(record: Record) -> dict[str, Clock]:
    """The clocks of what was gone when a record came before those who could not see it before."""
    entered = record.entered
    if not entered:
        return {}
    return {
        name: clock
        for name, clock in record.clocks.items()
        if clock.deleted and clock.version <= entered
    }


def stored_write(name: str, fields: Fields, clocks: Mapping[str, Clock]) -> FieldWrite | None:
    """Return the last write of one field; `None` if it was never written.

    The delete of a record is a write of each of its fields, and also of those
    that it never had: what is older than the delete must not bring it back.

    Args:
        name: the field.
        fields: what `fields_of` says of the record.
        clocks: what `clocks_of` says of it.
    """
    # A field that the record never had was deleted with it all the same; and so was what was
    # gone before.
    clock, delete = clocks.get(name), clocks.get(DELETED)
    if delete is not None and (clock is None or clock.version < delete.version):
        clock = delete
    if clock is None:
        return None
    return FieldWrite(jsontext.value(fields[name]) if name in fields else None, clock)
