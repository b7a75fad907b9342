"""An application's tables by SQLAlchemy: see `host`.

Knows SQLAlchemy. Must not know what becomes of a row.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any, TypeVar

from sqlalchemy import (
    BigInteger,
    Column,
    Engine,
    Enum,
    MetaData,
    Table,
    Text,
    bindparam,
    cast,
    create_engine,
    delete,
    inspect,
    literal,
    select,
    tuple_,
)
from sqlalchemy.exc import (
    ArgumentError,
    DataError,
    NoInspectionAvailable,
    NoSuchTableError,
    OperationalError,
)
from sqlalchemy.pool import SingletonThreadPool, StaticPool

from rhtmx_server.mirror.files import FileWatch
from rhtmx_server.mirror.host import (
    HostRow,
    HostState,
    HostTrigger,
    KeyColumns,
    MirrorSetupError,
    Noted,
    TableName,
    UnreadableRowError,
    key_columns,
)
from rhtmx_server.mirror.keys import KeyKinds, key_text, parse_key
from rhtmx_server.mirror.triggers import state_query, triggers_query
from rhtmx_server.names import suggestion

__all__ = ["SqlAlchemyDatabase", "engine_of", "key_of", "outbox_table", "table_of"]

T = TypeVar("T")

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
        self._file = FileWatch(engine.dispose)

    @property
    def dialect(self) -> str:
        """See `HostDatabase`."""
        return str(self._engine.dialect.name)

    def table(
        self, table: object, key: KeyColumns | None, wanted: Collection[str] | None = None
    ) -> SqlAlchemyTable:
        """See `HostDatabase`."""
        if isinstance(self._engine.pool, StaticPool | SingletonThreadPool):
            raise MirrorSetupError(
                "a database in memory cannot be mirrored: the program and the mirror would share "
                "one connection, and one transaction with it: use a file, in a temporary folder"
            )
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

    def triggers(self, table: TableName) -> Sequence[HostTrigger]:
        """See `HostDatabase`."""
        asked = triggers_query(self.dialect, str(table))
        with self._engine.connect() as connection:
            found = connection.exec_driver_sql(asked, execution_options=_AS_IT_IS)
            return sorted(HostTrigger(*row) for row in found)

    def state(self, table: TableName, outbox: TableName) -> HostState:
        """See `HostDatabase`."""
        asked = state_query(self.dialect, str(table), str(outbox))

        def read() -> HostState:
            with self._engine.connect() as connection:
                found = connection.exec_driver_sql(asked, execution_options=_AS_IT_IS)
                return HostState(*found.one())

        return self._file.state(read)

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

    def strange(self, outbox: TableName, tables: Collection[str]) -> str | None:
        """See `HostDatabase`."""
        c = outbox_table(outbox).c
        asked = select(c.table_name).where(c.table_name.not_in(tables)).limit(1)
        with self._engine.connect() as connection:
            return connection.execute(asked).scalar()

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
        self, engine: Engine, table: Table, key: KeyColumns | None, wanted: Collection[str] | None
    ) -> None:
        self._engine = engine
        self._table = table
        self._key = key_of(table, key)
        self.kinds: KeyKinds = [_kind_of(each) for each in self._key]
        names = {each.name for each in self._key}
        self._read_columns = [
            each
            for each in table.columns
            if wanted is None or each.name in wanted or each.name in names
        ]

    @property
    def name(self) -> TableName:
        """See `HostTable`."""
        return TableName(self._table.name, self._table.schema or "")

    @property
    def key(self) -> Sequence[str]:
        """See `HostTable`."""
        return [str(each.name) for each in self._key]

    @property
    def columns(self) -> Collection[str]:
        """See `HostTable`."""
        return [each.name for each in self._table.columns]

    def rows(self, keys: Iterable[str]) -> Mapping[str, HostRow]:
        """See `HostTable`."""
        asked = select(*self._read_columns).where(self._is_one_of(keys))
        # By the columns' names, which a mapped class may call otherwise.
        names = [each.name for each in self._read_columns]
        read = _readable(lambda: self._asked(asked))
        rows = [dict(zip(names, row, strict=True)) for row in read]
        found: dict[str, HostRow] = {
            key_text([row[each] for each in self.key]): row for row in rows
        }
        if len(found) < len(rows):
            self._refuse_key()
        return found

    def known(self, keys: Iterable[str]) -> Collection[str]:
        """See `HostTable`."""
        found = self._asked(select(*self._key).where(self._is_one_of(keys)))
        return set(map(key_text, found))

    def page(self, after: object, most: int) -> tuple[Collection[str], object]:
        """See `HostTable`."""
        asked = select(*self._key).order_by(*self._key).limit(most)
        for each in self._key:
            asked = asked.where(each.is_not(None))
        if isinstance(after, tuple):
            ends = [literal(end, each.type) for end, each in zip(after, self._key, strict=True)]
            asked = asked.where(tuple_(*self._key) > tuple_(*ends))
        found = [tuple(row) for row in self._asked(asked)]
        keys = list(map(key_text, found))
        if len(set(keys)) < len(keys):
            self._refuse_key()
        return keys, found[-1] if found else None

    def _is_one_of(self, keys: Iterable[str]) -> Any:
        parsed = (parse_key(self.kinds, key) for key in keys)
        known = [each for each in parsed if each is not None]
        # What the column cannot have is no error: no row has it. So is a number that is too large,
        # and a label that an enum has no more.
        sought: list[Any] = [
            cast(each, Text) if isinstance(each.type, Enum) else each for each in self._key
        ]
        types = [
            BigInteger() if kind is int else each.type
            for kind, each in zip(self.kinds, sought, strict=True)
        ]
        if len(sought) > 1:
            return tuple_(*sought, types=types).in_(known)
        only = [each for (each,) in known]
        return sought[0].in_(bindparam("keys", only, types[0], unique=True, expanding=True))

    def _asked(self, asked: Any) -> Sequence[Any]:
        with self._engine.connect() as connection:
            return list(connection.execute(asked))

    def _refuse_key(self) -> None:
        raise MirrorSetupError(
            f"{str(self.name)!r}: two rows have the same {', '.join(self.key)!r}: choose a key "
            "that identifies a row"
        )


def key_of(table: Table, key: KeyColumns | None) -> Sequence[Column[Any]]:
    """The columns that identify a row.

    Args:
        table: their table.
        key: their names; `None` for the primary key.

    Raises:
        MirrorSetupError: there are none.
    """
    columns = {each.name: each for each in table.columns}
    primary = [each.name for each in table.primary_key.columns]
    names = primary if key is None else key_columns(key)
    for each in names:
        if each not in columns:
            raise MirrorSetupError(
                f"{table.name!r} has no column {each!r}{suggestion(each, list(columns))}"
            )
    if not names:
        raise MirrorSetupError(
            f"{table.name!r} has no primary key: say key=, the column that identifies a row, or a "
            "list of those that do it together"
        )
    return [columns[each] for each in names]


def _readable(read: Callable[[], T]) -> T:
    """Read something, of which a value may not be what its column says.

    Raises:
        UnreadableRowError: it is not.
    """
    try:
        return read()
    except (ValueError, TypeError, ArithmeticError, LookupError, DataError) as reason:
        # The driver's own words, and those of a type, have the value in them.
        raise UnreadableRowError(type(getattr(reason, "orig", reason)).__name__) from reason
    except OperationalError as reason:
        if "decode to UTF-8" in str(reason.orig):  # SQLite's
            raise UnreadableRowError("a text that is not UTF-8") from reason
        raise


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
