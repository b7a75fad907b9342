"""How the fields of an entity are merged, as its schema says it.

Knows the words of a schema, and the strategies of the server. Must not know what they do.
"""

from __future__ import annotations

from typing import Any

from rhtmx.schema.declared import Entity
from rhtmx.schema.message import Field
from rhtmx_server.trackers.policy import Counter, Strategy

__all__ = ["merge_of"]

_USUAL = "last_write_wins"


def merge_of(entity: Entity[Any]) -> str | dict[str, Strategy]:
    """The strategy of each field that has one of its own, by its key; or one for all of them.

    Args:
        entity: what the schema says of it.
    """
    usual = entity.merge or _USUAL
    own = {each.rules.key: _strategy(each.rules) for each in entity.members if each.rules.merge}
    if not own:
        return usual
    if usual == _USUAL:
        return own
    return {each.rules.key: own.get(each.rules.key, usual) for each in entity.members}


def _strategy(field: Field) -> Strategy:
    return Counter(field.scale) if field.merge == "counter" and field.scale else field.merge
