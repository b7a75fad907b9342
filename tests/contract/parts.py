"""Entities in parts, for tests of stores."""

from __future__ import annotations

from collections.abc import Callable, Collection

import msgspec

from rhtmx_server.access.parts import Part, Partitions
from rhtmx_server.model import Departure, PartRow, Record
from rhtmx_server.ports import BatchNeeds, Store
from tests.contract.builders import always, writing

TEAMS = Partitions([["team"]])
BOTH = Partitions([["team"], ["team", "open"]])
RED, BLUE, GREEN = (Part.of({"team": team}).key for team in ("red", "blue", "green"))

Event = tuple[str, str, int]
"""What happened, the record's id, the version."""


def keys_of(partitions: Partitions) -> Callable[[bytes | None], Collection[str]]:
    """What a store is given to divide an entity by these."""
    return lambda data: [part.key for part in partitions.parts_of(data)]


def of(team: str, **more: object) -> bytes:
    """The data of a record of a team."""
    return msgspec.json.encode({"team": team, **more})


class Noting:
    """Notes what parts records are in and have left, as a writer has to.

    Args:
        by: how their entity is divided.
    """

    def __init__(self, by: Partitions) -> None:
        self._parts_of = keys_of(by)
        self._now: dict[str, Record] = {}
        self._rows: dict[tuple[str, str], PartRow] = {}

    @property
    def rows(self) -> list[PartRow]:
        """The last state of each record in each part."""
        return list(self._rows.values())

    def note(self, record: Record, stored: Record | None) -> None:
        """Note one commit; `stored` is what the transaction found."""
        id_ = record.entity_id
        before = self._in(self._now.get(id_, stored))
        after = self._in(record)
        self._now[id_] = record
        for part in before | after:
            self._rows[part, id_] = PartRow(
                record.entity, part, id_, record.version, record.time, part not in after
            )

    def _in(self, record: Record | None) -> set[str]:
        return set(self._parts_of(record.data)) if record is not None and record.live else set()


async def write(
    store: Store, *records: Record, by: Partitions = TEAMS, entity: str = "tasks"
) -> None:
    """Commit in one transaction, parts included."""
    noting = Noting(by)
    for one in records:
        noting.note(one, await store.record(entity, one.entity_id))
    writes = writing(*records)
    writes.parts = noting.rows
    await store.commit(BatchNeeds(), always(writes))


async def each(store: Store, *records: Record, by: Partitions = TEAMS) -> None:
    """Commit these records one by one."""
    for one in records:
        await write(store, one, by=by)


async def told(
    store: Store, *parts: str, after: int = 0, upto: int = 1000, limit: int = 1000
) -> list[Event]:
    """What one page says."""
    page = await store.since_in("tasks", parts, after, upto, limit)
    return [(_word(one), one.entity_id, one.version) for one in page]


def _word(one: Record | Departure) -> str:
    if isinstance(one, Departure):
        return "left"
    return "is" if one.live else "deleted"
