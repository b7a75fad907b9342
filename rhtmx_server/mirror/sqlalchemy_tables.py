"""An application's tables by SQLAlchemy: see `host`.

Knows SQLAlchemy. Must not know what becomes of a row.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    Engine,
    MetaData,
    Table,
    Text,
    bindparam,
    create_engine,
    delete,
    inspect,
    select,
)
from sqlalchemy.exc import ArgumentError, NoInspectionAvailable, NoSuchTableError

from rhtmx_server.mirror.host import HostRow, MirrorSetupError, Noted, TableName
from rhtmx_server.mirror.keys import parse_key, spelt
from rhtmx_server.mirror.triggers import triggers_query
from rhtmx_server.names import suggestion

__all__ = ["SqlAlchemyDatabase", "engine_of", "outbox_table", "table_of"]
_AS_IT_IS = {"no_parameters": True}
"""Run SQL without parameters: `%` stands for itself."""


def engine_of(source: object) -> Engine:
    """The engine that a program means.

    Args:
        source: an engine, or a URL of SQLAlchemy.

    Raises:
        TypeError: it is something else.
        ValueError: there is no such database.
    """
    if isinstance(source, Engine):
        return source
    if not isinstance(source, str):
        raise TypeError(
            "source: an Engine of SQLAlchemy or its URL expected (not of asyncio: rows are read "
            f"in a thread), got {type(source).__name__}"
        )
    try:
        return create_engine(source, pool_pre_ping=True)
    except ArgumentError as reason:
        raise ValueError(f"source: {reason}") from None


def table_of(declared: object) -> Table | None:
    """The table that something stands for: itself, or a mapped class; `None` for neither."""
    if isinstance(declared, Table):
        return declared
    try:
        table = inspect(declared).local_table
    except (AttributeError, NoInspectionAvailable):
        return None
    return table if isinstance(table, Table) else None


def outbox_table(outbox: TableName) -> Table:
    """The outbox, to write and read it."""
    return Table(
        outbox.name,
        MetaData(),
        Column("id", BigInteger, primary_key=True),
        Column("table_name", Text, nullable=False),
        Column("row_key", Text),
        schema=outbox.schema or None,
    )


class SqlAlchemyDatabase:
    """A `HostDatabase`.

    Args:
        engine: to the database.
        owned: nobody else uses the engine.
    """

    def __init__(self, engine: Engine, *, owned: bool = False) -> None:
        self._engine = engine
        self._owned = owned

    @property
    def dialect(self) -> str:
        """See `HostDatabase`."""
        return str(self._engine.dialect.name)

    def table(
        self, table: object, key: str | None, wanted: Collection[str] | None = None
    ) -> SqlAlchemyTable:
        """See `HostDatabase`."""
        found = table_of(table)
        if found is None:
            found = self._reflected(TableName.of(str(table)))
        return SqlAlchemyTable(self._engine, found, key, wanted)

    def _reflected(self, name: TableName) -> Table:
        try:
            return Table(
                name.name, MetaData(), schema=name.schema or None, autoload_with=self._engine
            )
        except NoSuchTableError:
            known = inspect(self._engine).get_table_names(name.schema or None)
            raise MirrorSetupError(
                f"there is no table {str(name)!r}{suggestion(name.name, known)}"
            ) from None

    def close(self) -> None:
        """See `HostDatabase`."""
        if self._owned:
            self._engine.dispose()

    def run(self, statements: Sequence[str]) -> None:
        """See `HostDatabase`."""
        with self._engine.begin() as connection:
            for each in statements:
                connection.exec_driver_sql(each, execution_options=_AS_IT_IS)

    def triggers(self, table: TableName) -> Collection[str]:
        """See `HostDatabase`."""
        asked = triggers_query(self.dialect, str(table))
        with self._engine.connect() as connection:
            return set(connection.exec_driver_sql(asked, execution_options=_AS_IT_IS).scalars())

    def noted(self, outbox: TableName, tables: Collection[str], most: int) -> Sequence[Noted]:
        """See `HostDatabase`."""
        c = outbox_table(outbox).c
        asked = select(c.id, c.table_name, c.row_key).where(c.table_name.in_(tables))
        with self._engine.connect() as connection:
            return [Noted(*row) for row in connection.execute(asked.order_by(c.id).limit(most))]

    def late(self, outbox: TableName, table: str, keys: Iterable[str]) -> Collection[str]:
        """See `HostDatabase`."""
        wanted = set(keys)
        c = outbox_table(outbox).c
        asked = select(c.row_key).where(c.table_name == table).where(c.row_key.in_(wanted))
        with self._engine.connect() as connection:
            return set(connection.execute(asked).scalars())

    def remove(self, outbox: TableName, ids: Iterable[int]) -> None:
        """See `HostDatabase`."""
        table = outbox_table(outbox)
        with self._engine.begin() as connection:
            connection.execute(delete(table).where(table.c.id.in_(list(ids))))


class SqlAlchemyTable:
    """A `HostTable`.

    Args:
        engine: to its database.
        table: what is known of it.
        key: see `HostDatabase.table`.
        wanted: likewise.

    Raises:
        MirrorSetupError: it has no such key.
    """

    def __init__(
        self, engine: Engine, table: Table, key: str | None, wanted: Collection[str] | None
    ) -> None:
        self._engine = engine
        self._table = table
        self._key = _key_column(table, key)
        self._kind = _kind_of(self._key)
        self._read_columns = [
            each
            for each in table.columns
            if wanted is None or each.name in wanted or each is self._key
        ]

    @property
    def name(self) -> TableName:
        """See `HostTable`."""
        return TableName(self._table.name, self._table.schema or "")

    @property
    def key(self) -> str:
        """See `HostTable`."""
        return str(self._key.name)

    @property
    def columns(self) -> Collection[str]:
        """See `HostTable`."""
        return [each.name for each in self._table.columns]

    def spelt(self, key: str) -> str:
        """See `HostTable`."""
        return spelt(self._kind, key)

    def rows(self, keys: Iterable[str]) -> Mapping[str, HostRow]:
        """See `HostTable`."""
        return self._read(select(*self._read_columns).where(self._is_one_of(keys)))

    def known(self, keys: Iterable[str]) -> Collection[str]:
        """See `HostTable`."""
        with self._engine.connect() as connection:
            found = connection.execute(select(self._key).where(self._is_one_of(keys)))
            return set(map(str, found.scalars()))

    def page(self, after: object, most: int) -> tuple[Mapping[str, HostRow], object]:
        """See `HostTable`."""
        asked = select(*self._read_columns).order_by(self._key).limit(most)
        beyond = self._key.is_not(None) if after is None else self._key > after
        rows = self._read(asked.where(beyond))
        last = next(reversed(rows.values()))[self.key] if rows else None
        return rows, last

    def _is_one_of(self, keys: Iterable[str]) -> Any:
        parsed = (parse_key(self._kind, key) for key in keys)
        # A number that is too large for the column is no error: no row has it.
        kind = BigInteger() if self._kind is int else self._key.type
        known = [each for each in parsed if each is not None]
        wanted = bindparam("keys", known, kind, unique=True, expanding=True)
        return self._key.in_(wanted)

    def _read(self, asked: Any) -> dict[str, HostRow]:
        with self._engine.connect() as connection:
            # By the columns' names, which a mapped class may call otherwise.
            names = [each.name for each in self._read_columns]
            rows = [dict(zip(names, row, strict=True)) for row in connection.execute(asked)]
        found: dict[str, HostRow] = {str(row[self.key]): row for row in rows}
        if len(found) < len(rows):
            raise MirrorSetupError(
                f"{str(self.name)!r}: two rows have the same {self.key!r}: choose a key that "
                "identifies a row"
            )
        return found


def _key_column(table: Table, key: str | None) -> Column[Any]:
    if key is not None:
        for each in table.columns:
            if each.name == key:
                return each
        raise MirrorSetupError(
            f"{table.name!r} has no column {key!r}"
            f"{suggestion(key, [each.name for each in table.columns])}"
        )
    primary = list(table.primary_key.columns)
    if len(primary) != 1:
        raise MirrorSetupError(
            f"{table.name!r} has no primary key of one column: say key=, a column that "
            "identifies a row"
        )
    return primary[0]


def _kind_of(column: Column[Any]) -> type:
    try:
        kind: type = column.type.python_type
    except NotImplementedError:
        kind = object
    if kind not in (int, str, uuid.UUID):
        raise MirrorSetupError(
            f"the key {column.name!r} is of {column.type!r}: integers, texts or UUIDs can be keys"
        )
    return kind
