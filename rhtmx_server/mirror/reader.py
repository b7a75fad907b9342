"""Reads an application's tables and its outbox, and makes records of the rows.

Knows the interfaces of the database, and what becomes of a row. Must not know records that are
written already, nor the loop: all of it blocks, and runs in one thread.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

from rhtmx_server.mirror.host import (
    HostDatabase,
    HostRow,
    HostTable,
    MirrorSetupError,
    TableName,
)
from rhtmx_server.mirror.row_records import (
    Normalize,
    RowFields,
    RowToRecord,
    columns_of,
    made_of,
    require_columns,
)
from rhtmx_server.mirror.triggers import outbox_statements, trigger_name, trigger_statements
from rhtmx_server.trackers.calls import CheckJson

__all__ = ["HostReader", "Made", "MirrorPlan", "OutboxLook"]

Made: TypeAlias = Mapping[str, bytes | str | None]
"""What was made of rows, by the ids of their records: JSON; `None` where no record is to be; or
words that say why none could be made."""

_INSTALL = "run `rhtmx-server mirror --install --app …`, or have a migration do what `--sql` prints"


@dataclass(frozen=True, slots=True)
class MirrorPlan:
    """What a program said of one mirror.

    Args:
        entity: where the records are.
        table: where the rows are: see `opening`.
        key: the column that identifies a row; `None` for the primary key.
        fields: what becomes of a row.
        make: does it.
        triggers: whether triggers fill the outbox; otherwise the application does.
    """

    entity: str
    table: object
    key: str | None
    fields: RowFields
    make: RowToRecord
    triggers: bool = True


class OutboxLook(NamedTuple):
    """What the outbox had, and what the rows are now.

    Args:
        ids: the rows of the outbox.
        made: for each entity, what is to be written.
        whole: the entities of which any row may have changed.
    """

    ids: Sequence[int]
    made: Mapping[str, Made]
    whole: Collection[str]


class HostReader:
    """Reads one database.

    Args:
        database: the database.
        outbox: what its outbox is called.
        plans: what is mirrored of it.
        check: the wire's check of JSON texts.
        normalizes: for some entities, what is kept in the place of texts that are not normalised.
    """

    def __init__(
        self,
        database: HostDatabase,
        outbox: str,
        plans: Sequence[MirrorPlan],
        check: CheckJson,
        normalizes: Mapping[str, Normalize] | None = None,
    ) -> None:
        self.database = database
        self.outbox = outbox
        self.plans = plans
        self.normalizes = normalizes or {}
        self._check = check
        self._outbox = TableName.of(outbox)
        self._tables: dict[str, HostTable] = {}

    def open(self) -> None:
        """Look up the tables, if that is not done yet.

        Raises:
            MirrorSetupError: one is not as it has to be, or nothing fills the outbox.
        """
        if not self._tables:
            tables = self._looked_up()
            for name in (tables[plan.entity].name for plan in self.plans if plan.triggers):
                if trigger_name(str(name), self.outbox) not in self.database.triggers(name):
                    raise MirrorSetupError(
                        f"nothing says what changes in '{name}': its triggers are missing: "
                        f"{_INSTALL}"
                    )
            self._tables = tables

    def statements(self) -> list[str]:
        """SQL that makes the outbox, and the triggers of those tables that have them.

        Raises:
            MirrorSetupError: a table is not as it has to be.
        """
        dialect, tables = self.database.dialect, self._looked_up()
        made = {
            str(table.name): trigger_statements(dialect, str(table.name), table.key, self.outbox)
            for table in (tables[plan.entity] for plan in self.plans if plan.triggers)
        }
        triggers = [each for statements in made.values() for each in statements]
        return [*outbox_statements(dialect, self.outbox), *triggers]

    def look(self, most: int) -> OutboxLook:
        """What the outbox has, and then the rows that it names.

        Args:
            most: so many rows of the outbox at most.
        """
        names = {str(table.name) for table in self._tables.values()}
        noted = self.database.noted(self._outbox, names, most)
        keys: defaultdict[str, list[str]] = defaultdict(list)
        for each in noted:
            if each.key is not None:
                keys[each.table].append(each.key)
        whole = {each.table for each in noted if each.key is None}
        made, due = {}, set()
        for entity, table in self._tables.items():
            name = str(table.name)
            ids: dict[str, None] = dict.fromkeys(map(table.spelt, keys[name]))
            if ids:
                made[entity] = {**ids, **self._made(entity, table.rows(ids))}
            if name in whole:
                due.add(entity)
        return OutboxLook([each.id for each in noted], made, due)

    def remove(self, ids: Iterable[int]) -> None:
        """Remove rows of the outbox, which are done."""
        self.database.remove(self._outbox, ids)

    def page(self, entity: str, after: object, most: int) -> tuple[Made, object]:
        """The next rows of a table, and where they end: see `HostTable.page`."""
        rows, end = self._tables[entity].page(after, most)
        return self._made(entity, rows), end

    def missing(self, entity: str, ids: Collection[str]) -> Collection[str]:
        """Those of these records of which there is no row."""
        return set(ids) - set(self._tables[entity].known(ids))

    def late(self, entity: str, ids: Collection[str]) -> Collection[str]:
        """Those of these records whose rows the outbox still names."""
        table = self._tables[entity]
        spellings = {*ids, *(each.replace("-", "") for each in ids)}
        return {
            table.spelt(each)
            for each in self.database.late(self._outbox, str(table.name), spellings)
        }

    def _looked_up(self) -> dict[str, HostTable]:
        tables: dict[str, HostTable] = {}
        for plan in self.plans:
            wanted = columns_of(plan.fields)
            table = tables[plan.entity] = self.database.table(plan.table, plan.key, wanted)
            require_columns(plan.entity, plan.fields, table.columns)
        return tables

    def _made(self, entity: str, rows: Mapping[str, HostRow]) -> Made:
        make = next(plan.make for plan in self.plans if plan.entity == entity)
        normalize = self.normalizes.get(entity)
        return {key: made_of(row, make, self._check, normalize) for key, row in rows.items()}
