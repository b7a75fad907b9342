"""Who may do what with the records of an entity, as its schema says it.

Knows the words of a schema and the rules of access. Must not know the rules of values.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import reduce
from operator import or_
from typing import Any

from rhtmx.schema.declared import Access, Entity
from rhtmx_server.access.entity import ACTIONS
from rhtmx_server.access.rules import (
    Rule,
    anyone,
    backend,
    claim,
    equals,
    nobody,
    owner,
    role,
    signed_in,
)

__all__ = ["partitions_of", "rules_of"]

_PLAIN: Mapping[str, Rule] = {"anyone": anyone, "signed_in": signed_in, "backend": backend}


def rules_of(entity: Entity[Any]) -> dict[str, Rule]:
    """The rule of each action, as arguments of `Entity.access`; none, if everybody may everything.

    Of several that are said of an action, one is enough.

    Args:
        entity: what the schema says of it.
    """
    if not entity.access:
        return {}
    keys = {each.name: each.rules.key for each in entity.members}
    found: dict[str, list[Rule]] = {action: [] for action in ACTIONS}
    for each in entity.access:
        for action in each.actions or ACTIONS:
            found[action].append(_rule(each, keys))
    return {action: reduce(or_, rules) if rules else nobody for action, rules in found.items()}


def partitions_of(entity: Entity[Any]) -> list[list[str]] | None:
    """By which keys the records of an entity are divided; `None` for not at all."""
    keys = {each.name: each.rules.key for each in entity.members}
    return [[keys[name] for name in each] for each in entity.partition] or None


def _rule(access: Access, keys: Mapping[str, str]) -> Rule:
    key = keys.get(access.field, access.field)
    if access.who == "owner":
        return owner(key)
    if access.who == "tenant":
        return claim(access.value or key, field=key)
    if access.who == "equal":
        return equals(key, access.value)
    if access.who == "role":
        return role(access.value)
    return _PLAIN[access.who]
