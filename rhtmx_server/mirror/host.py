"""The interfaces of an application's database: its tables, and the outbox that says what changed.

Knows what is asked of it. Must not know who answers (SQLAlchemy, Django), nor what becomes of a
row. All calls block, and are made in one thread.

A row of the outbox says which row of which table has changed, and not how: whoever reads it looks
at the table afterwards. So it does not matter in which order such rows are read, nor how often, as
long as each is read, and removed only after what was seen is written. A row of the outbox is there
if the transaction that wrote it commits, and only then; one of an older transaction may come to
light after one with a higher number, and is read then.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol, TypeAlias

from rhtmx_server.mirror.keys import KeyKinds

__all__ = [
    "OUTBOX",
    "HostDatabase",
    "HostRow",
    "HostState",
    "HostTable",
    "HostTrigger",
    "KeyColumns",
    "MirrorSetupError",
    "Noted",
    "TableName",
    "UnreadableRowError",
    "key_columns",
]

OUTBOX = "rhtmx_outbox"
"""The name of the table that says what changed, where no other is given."""

HostRow: TypeAlias = Mapping[str, Any]
"""A row of a table: its values by the names of their columns."""

KeyColumns: TypeAlias = str | Sequence[str]
"""The column that identifies a row, or the columns that do it together."""


def key_columns(key: KeyColumns) -> Sequence[str]:
    """The columns of a key, as a list."""
    return [key] if isinstance(key, str) else list(key)


class MirrorSetupError(Exception):
    """What is wrong with a table or its outbox, in words that say what to do."""


class UnreadableRowError(Exception):
    """A value of a row cannot be read: a date that is none, for example. The rest can."""


@dataclass(frozen=True, slots=True)
class TableName:
    """What a table is called.

    Args:
        name: in its schema.
        schema: of the database; empty for the one where the database looks first.
    """

    name: str
    schema: str = ""

    @classmethod
    def of(cls, text: str) -> TableName:
        """Read `name`, or `schema.name`.

        Example:
            >>> TableName.of("shop.orders")
            TableName(name='orders', schema='shop')
        """
        schema, _, name = text.rpartition(".")
        return cls(name, schema)

    def __str__(self) -> str:
        return f"{self.schema}.{self.name}" if self.schema else self.name


class Noted(NamedTuple):
    """A row of the outbox.

    Args:
        id: its number.
        table: in which table something changed, as `str` of its `TableName`.
        key: of the row that changed, as text; `None` if any of them may have.
    """

    id: int
    table: str
    key: str | None


class HostTrigger(NamedTuple):
    """A trigger of a table, which runs when the table is written.

    Args:
        name: of the trigger.
        body: what it does, as SQL.
    """

    name: str
    body: str


class HostState(NamedTuple):
    """What differs once rows of a table may have changed without a note in the outbox.

    Args:
        mark: another one after the table, its triggers, a type of its columns or the outbox has
            been defined anew or emptied, or the database has become another one.
        number: the last one that the outbox has given, where it is given in the order of commits;
            it is smaller after an older copy of the database has taken the place of this one.
        wrong: why the outbox cannot say what changes: `hidden`, row-level security may hide it from
            this role; `subscribed`, a logical replication writes the table, and no trigger runs for
            that; empty if it can.
        file: in which the database is; empty where it is in none that could be replaced.
    """

    mark: str
    number: int
    wrong: str = ""
    file: str = ""

    def anew(self, now: HostState) -> bool:
        """Whether rows may have changed without a note between this state and a later one."""
        return self.mark != now.mark or now.number < self.number


class HostTable(Protocol):
    """One table. A record's id is the text of its row's key."""

    @property
    def name(self) -> TableName:
        """What it is called."""

    @property
    def key(self) -> Sequence[str]:
        """The columns that identify a row."""

    @property
    def kinds(self) -> KeyKinds:
        """What these columns are: integers, texts or UUIDs."""

    @property
    def columns(self) -> Collection[str]:
        """The names of all columns, as rows have them."""

    def rows(self, keys: Iterable[str]) -> Mapping[str, HostRow]:
        """The rows with these keys, by their keys; those that there are.

        Raises:
            UnreadableRowError: a value of one of them cannot be read.
        """

    def known(self, keys: Iterable[str]) -> Collection[str]:
        """Those of these keys that a row has."""

    def page(self, after: object, most: int) -> tuple[Collection[str], object]:
        """The keys of the next rows, in the order of the database.

        Args:
            after: the end of the page before; `None` to begin.
            most: so many at most.

        Returns:
            The keys, and where the page ends; none, if there are no more.
        """


class HostDatabase(Protocol):
    """A database of the application."""

    @property
    def dialect(self) -> str:
        """Which SQL it speaks: `sqlite` or `postgresql`."""

    def table(
        self, table: object, key: KeyColumns | None, wanted: Collection[str] | None = None
    ) -> HostTable:
        """Look up a table, as it is declared.

        Args:
            table: its name, or what stands for it in a program.
            key: the columns that identify a row; `None` for its primary key.
            wanted: the columns that rows are read with, besides the key; `None` for all.

        Raises:
            MirrorSetupError: there is no such table or column, or it cannot be mirrored.
        """

    def close(self) -> None:
        """Close the connections that were opened for this; another call opens them again."""

    def run(self, statements: Sequence[str]) -> None:
        """Run statements that define something, in one transaction."""

    def triggers(self, table: TableName) -> Sequence[HostTrigger]:
        """The triggers of a table; none that are switched off."""

    def state(self, table: TableName, outbox: TableName) -> HostState:
        """What differs once rows of a table may have changed without a note in the outbox.

        Raises:
            FileNotFoundError: the file of the database is gone.
        """

    def noted(self, outbox: TableName, tables: Collection[str], most: int) -> Sequence[Noted]:
        """The first rows of the outbox for these tables.

        Raises:
            MirrorSetupError: there is no outbox.
        """

    def late(self, outbox: TableName, table: str, keys: Iterable[str]) -> Collection[str]:
        """Those of these keys of a table that the outbox has rows for."""

    def strange(self, outbox: TableName, tables: Collection[str]) -> str | None:
        """The name of a table that the outbox has rows for, and that is none of these."""

    def remove(self, outbox: TableName, ids: Iterable[int]) -> None:
        """Remove rows of the outbox, which are done."""
