"""The records of an entity, kept from one question to the next, and a page of them. Pure.

Knows how changes are put on top, and which records have certain values. Must not know how they are
read.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from rhtmx.mcp.document import DeclaredField, DeclaredMessage
from rhtmx.messages import Position
from rhtmx.values.changes import Change
from rhtmx.values.json_value import Json
from rhtmx.values.results import SyncResult

__all__ = ["MOST_TEXT", "KnownRecord", "KnownRecords", "ListedRecords", "page_of", "part_in"]

MOST_TEXT = 100_000
"""Characters of JSON on a page that has more than one record: a model has to read them."""

_ZEROS: tuple[Json, ...] = ("", "0", 0, False)


@dataclass(frozen=True, slots=True)
class KnownRecord:
    """A record as it was read last.

    Attributes:
        id: of it.
        version: of it.
        data: all of it.
    """

    id: str
    version: int
    data: Json


class KnownRecords:
    """The records of an entity as they were read last.

    Attributes:
        position: where to go on reading; 0: from the beginning.
    """

    def __init__(self) -> None:
        self.position: Position | int = 0
        self._records: dict[str, KnownRecord] = {}

    def take(self, result: SyncResult[Change[Any]]) -> None:
        """Put on top what was read since."""
        if result.reset:
            self._records.clear()
        for change in result.changes:
            if change.action == "delete":
                self._records.pop(change.entity_id, None)
            else:
                known = KnownRecord(change.entity_id, change.version, change.data)
                self._records[change.entity_id] = known
        self.position = result.position

    def all(self) -> list[KnownRecord]:
        """All of them, by id."""
        return [self._records[key] for key in sorted(self._records)]


@dataclass(frozen=True, slots=True)
class ListedRecords:
    """Some of the records that were asked for.

    Attributes:
        records: these.
        total: how many there are on all pages.
        next: the id behind which the next page begins; `None`: this is the last one.
    """

    records: tuple[KnownRecord, ...]
    total: int
    next: str | None


def page_of(
    records: Iterable[KnownRecord],
    entity: DeclaredMessage,
    where: Mapping[str, Json],
    *,
    limit: int,
    after: str = "",
) -> ListedRecords:
    """The records with some values, a page of them.

    Args:
        records: all of them, by id.
        entity: what is declared of it.
        where: the values, by field.
        limit: at most so many.
        after: only those behind this id.
    """
    found = [each for each in records if _matches(each.data, entity, where)]
    page: list[KnownRecord] = []
    room = MOST_TEXT
    rest = [each for each in found if each.id > after]
    for each in rest[:limit]:
        room -= len(json.dumps(each.data, ensure_ascii=False))
        if page and room < 0:
            break
        page.append(each)
    more = len(page) < len(rest)
    return ListedRecords(tuple(page), len(found), page[-1].id if more else None)


def part_in(entity: DeclaredMessage, where: Mapping[str, Json]) -> dict[str, Json] | None:
    """The part of an entity that holds all records with some values, if there is such a part.

    Args:
        entity: what is declared of it.
        where: the values, by field.
    """
    # A record that has nothing in a field is in no part of it.
    fit = {
        key
        for key, value in where.items()
        if value is not None and not _is_zero(value, entity.fields[key])
    }
    found = [fields for fields in entity.partitions if fit.issuperset(fields)]
    return {key: where[key] for key in max(found, key=len)} if found else None


def _matches(data: Json, entity: DeclaredMessage, where: Mapping[str, Json]) -> bool:
    if not where:
        return True
    return isinstance(data, Mapping) and all(
        _equals(data.get(key), wanted, entity.fields[key]) for key, wanted in where.items()
    )


def _equals(value: Json, wanted: Json, field: DeclaredField) -> bool:
    if value is None:
        return wanted is None or _is_zero(wanted, field)
    return bool(value == wanted) and isinstance(value, bool) == isinstance(wanted, bool)


def _is_zero(value: Json, field: DeclaredField) -> bool:
    """Whether a field that is not there may be meant: nothing and the zero value are one."""
    return value in _ZEROS or (field.extra.get("kind") == "enum" and value == _first(field))


def _first(field: DeclaredField) -> Json:
    """The first word of an enum, which is its zero."""
    branches = field.schema.get("anyOf", [field.schema])
    return next((each["enum"][0] for each in branches if "enum" in each), None)
