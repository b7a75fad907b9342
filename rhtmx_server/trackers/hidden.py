"""Fields that never leave the server: apart from a record's data, and together with it. Pure.

Knows the two JSON objects of a record. Must not know who declares what is hidden, nor who may
write it.

Whoever is told of a record is told its `data`: that, its clocks, and the names of what changed
have nothing of the hidden fields. So nobody who renders, keeps or sends records can tell them.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

from msgspec.structs import replace

from rhtmx_server.model import Record
from rhtmx_server.trackers import json_text as jsontext
from rhtmx_server.trackers.json_text import Fields

__all__ = ["apart", "hidden_object", "mentions", "together", "whole"]


def together(data: bytes | None, hidden: bytes | None) -> bytes | None:
    """All fields of a record, as its own program sees them; `data` comes first.

    Example:
        >>> together(b'{"title":"Write"}', b'{"note":"late"}')
        b'{"title":"Write","note":"late"}'
    """
    if hidden is None or not jsontext.is_object(data):
        return data
    fields = jsontext.split(data)
    for name, text in jsontext.split(hidden).items():
        fields.setdefault(name, text)
    return jsontext.join(fields)


def whole(record: Record) -> Record:
    """A record with all of its fields in its `data`: for the program of the server alone."""
    if record.hidden is None:
        return record
    return replace(record, data=together(record.data, record.hidden), hidden=None)


def apart(record: Record, hides: Collection[str]) -> Record:
    """A record of which nothing that is hidden is told, also where it was told once.

    Args:
        record: maybe from a time when these fields were like all others.
        hides: the keys of its entity's hidden fields.

    Returns:
        The record itself, if it is so already.
    """
    clocks = record.clocks
    if not clocks.keys().isdisjoint(hides):
        clocks = {name: clock for name, clock in clocks.items() if name not in hides}
    if not mentions(record.data, hides):
        return record if clocks is record.clocks else replace(record, clocks=clocks)
    fields = jsontext.split(record.data)
    moved = {name: fields.pop(name) for name in hides if name in fields}
    hidden = hidden_object({**moved, **jsontext.split(record.hidden)})
    return replace(record, data=jsontext.join(fields), clocks=clocks, hidden=hidden)


def mentions(data: bytes | None, names: Iterable[str]) -> bool:
    """Whether an object has one of these keys."""
    if data is None:
        return False
    # A key that is not in the text as it is would have to be written with escapes.
    if b"\\" not in data and not any(name.encode() in data for name in names):
        return False
    fields = jsontext.split(data)
    return any(name in fields for name in names)


def hidden_object(fields: Fields) -> bytes | None:
    """What a record keeps of its hidden fields; `None` for none."""
    return jsontext.join(fields) if fields else None
