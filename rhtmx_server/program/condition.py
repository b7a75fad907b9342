"""Which records a program wants, by the values of their fields. Pure.

Knows equality of JSON values, and which of it a store can look up by the parts of an entity. Must
not know stores, nor who reads.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import msgspec

from rhtmx.errors import ErrorCode, RhtmxError
from rhtmx_server.access.guard import Right
from rhtmx_server.access.parts import Partitions
from rhtmx_server.access.where import parse_where

__all__ = ["Condition", "where_text"]


def where_text(entity: str, where: Mapping[str, object] | None) -> bytes | None:
    """A part of an entity, or a condition, as JSON; `None` for all of it.

    Args:
        entity: its name, for the error.
        where: a value, or a list of them, by field.

    Raises:
        RhtmxError: `BAD_MESSAGE`, it is no mapping of names to values.
    """
    if where is None:
        return None
    given: object = where
    if not isinstance(given, Mapping) or not all(isinstance(each, str) for each in given):
        raise RhtmxError(
            ErrorCode.BAD_MESSAGE,
            f"where of '{entity[:40]}': fields and their values expected, such as "
            f'{{"team": "red"}}, got {where!r:.40}',
        )
    try:
        # In the order of the names: two that mean the same are spelt the same.
        return msgspec.json.encode({name: given[name] for name in sorted(given)})
    except (TypeError, ValueError) as error:
        raise RhtmxError(ErrorCode.BAD_MESSAGE, f"where of '{entity[:40]}': {error}") from error


class Condition:
    """Fields, and the values one of which each of them has to have.

    Two values are equal if they are as JSON: `1` and `1.0`, but neither is `"1"` nor `true`. A
    field that is missing, `null`, a list or an object has no value.

    Args:
        entity: the collection, for errors.
        where: a value, or a list of them, by field.

    Raises:
        RhtmxError: `BAD_MESSAGE`, it can hold for no record.

    Example:
        >>> red = Condition("tasks", {"team": ["red", "blue"], "open": True})
        >>> red.holds(b'{"team": "red", "open": true, "title": "Write"}'), red.holds(b'{}')
        (True, False)
    """

    def __init__(self, entity: str, where: Mapping[str, object]) -> None:
        text = where_text(entity, where)
        self._where = where
        self._entity = entity
        partitions = Partitions([sorted(where)] if where else [])
        self._parts = Right(parse_where(entity, text, partitions))
        self._values_of = partitions.values_of

    def holds(self, data: bytes | None) -> bool:
        """Whether a record with this data is wanted."""
        return self._parts.has(self._values_of(data))

    def part(self, partitions: Iterable[Sequence[str]]) -> bytes | None:
        """The smallest part of the entity that has all records for which it holds, as JSON.

        Args:
            partitions: the fields of each partition of the entity.

        Returns:
            The part; `None` if it is the whole entity, as far as is known.
        """
        usable = [fields for fields in partitions if all(each in self._where for each in fields)]
        if not usable:
            return None
        fields = max(usable, key=len)
        return where_text(self._entity, {name: self._where[name] for name in fields})
