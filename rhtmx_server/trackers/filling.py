"""Fields that the program fills in where a record is created. Pure.

Knows how a field becomes part of a commit that is decided already. Must not know the
program, nor who writes.
"""

from __future__ import annotations

from rhtmx_server.model import Clock, Commit, Context
from rhtmx_server.trackers import json_text as jsontext
from rhtmx_server.trackers.json_text import Fields
from rhtmx_server.trackers.merge import follow

__all__ = ["differing", "fill_in"]


def differing(fields: Fields, given: Fields) -> Fields:
    """Those of some fields that a record does not have, or has with another value.

    Args:
        fields: of the record.
        given: what it is to have.
    """
    return {
        name: text
        for name, text in given.items()
        if name not in fields or not jsontext.same(fields[name], text)
    }


def fill_in(commit: Commit, filled: Fields, context: Context) -> None:
    """Set fields of a record in the commit that creates it, as if its author had.

    Args:
        commit: the commit; it is changed.
        filled: the fields, with values that the record does not have.
        context: version, time and author of the commit.
    """
    record = commit.record
    record.data = jsontext.join({**jsontext.split(record.data), **filled})
    # In an entity that is kept without fields nobody looks at the clocks, nor at what changed.
    clocks = dict(record.clocks)
    stamp = Clock(context.version, context.now, context.client_id)
    for name in filled:
        clocks[name] = follow(stamp, clocks.get(name))
    record.clocks = clocks
    commit.changed = sorted({*commit.changed, *filled})
