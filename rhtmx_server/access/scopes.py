"""Scopes: which parts of an entity one reader reads.

Knows parts, and how a function of the program names them. Must not know stores or
the wire.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from itertools import product
from typing import Any

from rhtmx_server.access.parts import WHOLE, Part, Partitions
from rhtmx_server.access.rules import MOST_PARTS
from rhtmx_server.access.where import partitions_with
from rhtmx_server.failures import MisuseError
from rhtmx_server.model import Scope

__all__ = ["given_parts", "scope_id"]


def scope_id(scope: Scope, declared: str) -> str | None:
    """The short name of a scope, which belongs to a position; `None` for a whole entity.

    Two scopes have one name only if they are equal and their entity is divided in the
    same way: a position in another one cannot be resumed.

    Args:
        scope: the parts.
        declared: how the entity is divided, as `Partitions.spelt` has it.

    Example:
        >>> scope_id(frozenset({'{"team":"red"}'}), "team")
        'ce763b77af441bfa'
    """
    if scope is None:
        return None
    text = "\n".join((declared, *sorted(scope)))
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def given_parts(entity: str, answer: object, partitions: Partitions | None) -> frozenset[Part]:
    """The parts that a function of the program says somebody may read.

    Args:
        entity: of which it was asked.
        answer: fields with a value or a list of values, one of these or a list of
            them; `True` for the whole entity, `None` or `False` for nothing.
        partitions: how the entity is divided; `None` for not at all.

    Raises:
        MisuseError: it is something else, or the entity is not divided so.

    Example:
        >>> parts = given_parts("docs", {"project": ["a", "b"]}, Partitions([["project"]]))
        >>> sorted(part.key for part in parts)
        ['{"project":"a"}', '{"project":"b"}']
    """
    if answer is True:
        return frozenset({WHOLE})
    if answer is None or answer is False:
        return frozenset()
    found = set[Part]()
    for mapping in answer if isinstance(answer, list | tuple) else [answer]:
        for part in _parts_of(mapping):
            if partitions is None or not partitions.reach(part):
                raise MisuseError(
                    f"returned parts by {', '.join(map(repr, part.fields))}, and '{entity}' is not "
                    f"divided so: declare {partitions_with(entity, part.fields, partitions)}"
                )
            found.add(part)
            if len(found) > MOST_PARTS:
                raise MisuseError(
                    f"returned more than {MOST_PARTS} parts: return True for those who may read "
                    "all of it, or partition it by something coarser"
                )
    return frozenset(found)


def _parts_of(mapping: object) -> Iterator[Part]:
    if not isinstance(mapping, Mapping) or not mapping:
        raise MisuseError(
            f"returned {type(mapping).__name__}: return fields with their values, such as "
            '{"project": ["a", "b"]}, or a list of these; True for all, None for nothing'
        )
    values: list[list[Any]] = [
        list(each) if isinstance(each, list | tuple | set | frozenset) else [each]
        for each in mapping.values()
    ]
    for chosen in product(*values):
        try:
            yield Part.of(dict(zip(mapping, chosen, strict=True)))
        except (ValueError, TypeError):
            raise MisuseError(
                "returned a value that no part has: texts, numbers and booleans expected"
            ) from None
