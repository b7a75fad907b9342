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
    HostState,
    HostTable,
    KeyColumns,
    MirrorSetupError,
    TableName,
    UnreadableRowError,
)
from rhtmx_server.mirror.keys import spellings, spelt
from rhtmx_server.mirror.row_records import (
    Normalize,
    RowFields,
    RowToRecord,
    columns_of,
    made_of,
    require_columns,
)
from rhtmx_server.mirror.triggers import amiss, outbox_statements, trigger_name, trigger_statements
from rhtmx_server.trackers.calls import CheckJson

__all__ = ["HostReader", "Made", "MirrorPlan", "OutboxLook"]

Made: TypeAlias = Mapping[str, bytes | str | None]
"""What was made of rows, by the ids of their records: JSON; `None` where no record is to be; or
words that say why none could be made."""

_INSTALL = "run `rhtmx-server mirror --install --app …`, or have a migration do what `--sql` prints"

_WRONG = {
    "hidden": (
        "row-level security may hide rows of '{outbox}' from the server's role: switch it off "
        "(ALTER TABLE {outbox} DISABLE ROW LEVEL SECURITY), or give the role BYPASSRLS"
    ),
    "subscribed": (
        "nothing says what a logical replication changes in '{table}': have its triggers run for "
        "that, too: ALTER TABLE {table} ENABLE ALWAYS TRIGGER {trigger}, and the same for TRUNCATE"
    ),
}
"""What keeps the outbox from saying what changes, in words: see `HostState`."""

_NO_KEY = "it is not found by the text of its key, which is not of the type of the column"
"""Of a row of SQLite: a column may have any value there."""


@dataclass(frozen=True, slots=True)
class MirrorPlan:
    """What a program said of one mirror.

    Args:
        entity: where the records are.
        table: where the rows are: see `opening`.
        key: the columns that identify a row; `None` for the primary key.
        fields: what becomes of a row.
        make: does it.
        triggers: whether triggers fill the outbox; otherwise the application does.
    """

    entity: str
    table: object
    key: KeyColumns | None
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
        self._states: dict[str, HostState] = {}
        self._anew: set[str] = set()
        self._stale = True
        self.strange: str | None = None
        """The name of a table that the outbox has rows for, and nobody reads them."""

    def open(self) -> Collection[str]:
        """Look up the tables, and whether what fills the outbox is there.

        Returns:
            The entities whose tables, or what fills their outbox, have become others since: any
            row may have changed meanwhile, without a note. They are told again until `begun`.

        Raises:
            MirrorSetupError: one is not as it has to be, or nothing fills the outbox.
        """
        tables = self._looked_up() if self._stale else self._tables
        self._require_triggers(tables)
        states = {each: self._state_of(table) for each, table in tables.items()}
        anew = {each for each, state in self._states.items() if state.anew(states[each])}
        # After the states: what is defined anew in between has another state at the next look.
        self._tables = self._looked_up() if anew or self._stale else tables
        self._states, self._stale = states, False
        self._anew |= anew
        self.strange = self.database.strange(self._outbox, self._names())
        return self._anew

    def begun(self) -> None:
        """What `open` has returned is compared from now on."""
        self._anew = set()

    def forget(self) -> None:
        """Have the tables be looked up again: something has failed, and they may be others."""
        self._stale = True

    def statements(self) -> list[str]:
        """SQL that makes the outbox, and the triggers of those tables that have them.

        Raises:
            MirrorSetupError: a table is not as it has to be.
        """
        dialect, tables = self.database.dialect, self._looked_up()
        made = {
            str(table.name): trigger_statements(dialect, str(table.name), table.key, self.outbox)
            for table in self._noted_by_triggers(tables).values()
        }
        triggers = [each for statements in made.values() for each in statements]
        return [*outbox_statements(dialect, self.outbox), *triggers]

    def look(self, most: int) -> OutboxLook:
        """What the outbox has, and then the rows that it names.

        Args:
            most: so many rows of the outbox at most.
        """
        noted = self.database.noted(self._outbox, self._names(), most)
        keys: defaultdict[str, list[str]] = defaultdict(list)
        for each in noted:
            if each.key is not None:
                keys[each.table].append(each.key)
        whole = {each.table for each in noted if each.key is None}
        made, due = {}, set()
        for entity, table in self._tables.items():
            name = str(table.name)
            ids = {spelt(table.kinds, key): None for key in keys[name]}
            if ids:
                made[entity] = self._made(entity, table, list(ids))
            if name in whole:
                due.add(entity)
        return OutboxLook([each.id for each in noted], made, due)

    def remove(self, ids: Iterable[int]) -> None:
        """Remove rows of the outbox, which are done."""
        self.database.remove(self._outbox, ids)

    def page(self, entity: str, after: object, most: int) -> tuple[Made, object]:
        """The next rows of a table, and where they end: see `HostTable.page`."""
        table = self._tables[entity]
        keys, end = table.page(after, most)
        made = self._made(entity, table, list(keys))
        if lost := self._not_found(table, [each for each in keys if made[each] is None]):
            # Those that are there all the same, and have not been deleted in between.
            lost &= set(table.page(after, most)[0])
        return {**made, **dict.fromkeys(lost, _NO_KEY)}, end

    def rows(self, entity: str, ids: Collection[str]) -> Made:
        """Some rows of a table, by the ids of their records."""
        return self._made(entity, self._tables[entity], [*ids])

    def missing(self, entity: str, ids: Collection[str]) -> Collection[str]:
        """Those of these records of which there is no row."""
        return self._not_found(self._tables[entity], ids)

    def late(self, entity: str, ids: Collection[str]) -> Collection[str]:
        """Those of these records whose rows the outbox still names."""
        table = self._tables[entity]
        wanted = {spelling for each in ids for spelling in spellings(table.kinds, each)}
        found = self.database.late(self._outbox, str(table.name), wanted)
        return {spelt(table.kinds, each) for each in found}

    def _names(self) -> Collection[str]:
        """What the outbox calls the tables."""
        return {str(table.name) for table in self._tables.values()}

    def _not_found(self, table: HostTable, ids: Collection[str]) -> set[str]:
        return set(ids) - set(table.known(ids)) if ids else set()

    def _looked_up(self) -> dict[str, HostTable]:
        tables: dict[str, HostTable] = {}
        for plan in self.plans:
            wanted = columns_of(plan.fields)
            table = tables[plan.entity] = self.database.table(plan.table, plan.key, wanted)
            require_columns(plan.entity, plan.fields, table.columns)
        return tables

    def _require_triggers(self, tables: Mapping[str, HostTable]) -> None:
        for table in self._noted_by_triggers(tables).values():
            name, there = str(table.name), self.database.triggers(table.name)
            wrong = amiss(self.database.dialect, name, table.key, there, self.outbox)
            if wrong:
                raise MirrorSetupError(
                    f"nothing says what changes in '{name}': {wrong}: {_INSTALL}"
                )

    def _state_of(self, table: HostTable) -> HostState:
        state = self.database.state(table.name, self._outbox)
        if state.wrong:
            raise MirrorSetupError(
                _WRONG[state.wrong].format(
                    table=table.name,
                    outbox=self.outbox,
                    trigger=trigger_name(str(table.name), self.outbox),
                )
            )
        return state

    def _noted_by_triggers(self, tables: Mapping[str, HostTable]) -> dict[str, HostTable]:
        """The tables whose triggers fill the outbox, by entity."""
        noted: dict[str, HostTable] = {}
        keys: dict[str, Sequence[str]] = {}
        for plan in self.plans:
            table = tables[plan.entity]
            name = str(table.name)
            if keys.setdefault(name, table.key) != table.key:
                raise MirrorSetupError(
                    f"'{name}' is mirrored twice, with the keys {', '.join(keys[name])!r} and "
                    f"{', '.join(table.key)!r}: an outbox has notes of one key: give the mirror "
                    f"of {plan.entity!r} an outbox of its own, with outbox="
                )
            if plan.triggers:
                noted[plan.entity] = table
        return noted

    def _made(self, entity: str, table: HostTable, keys: Sequence[str]) -> Made:
        """What becomes of some rows; `None` where there is no such row any more."""
        make = next(plan.make for plan in self.plans if plan.entity == entity)
        normalize = self.normalizes.get(entity)
        made: dict[str, bytes | str | None] = dict.fromkeys(keys)
        for key, row in _read(table, keys).items():
            if isinstance(row, str):
                made[key] = row
            else:
                made[key] = made_of(row, make, self._check, normalize)
        return made


def _read(table: HostTable, keys: Sequence[str]) -> Mapping[str, HostRow | str]:
    """Rows; for one of which a value cannot be read, words that say so."""
    try:
        return table.rows(keys)
    except UnreadableRowError as reason:
        if len(keys) == 1:
            return {keys[0]: f"a value of it cannot be read: {reason}"}
    middle = len(keys) // 2
    return {**_read(table, keys[:middle]), **_read(table, keys[middle:])}
