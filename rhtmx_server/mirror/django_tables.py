"""An application's tables by Django's models: see `host`.

Knows Django. Must not know what becomes of a row. Connections of Django belong to a thread: this
uses those of the thread in which it is called.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any, TypeVar

from django.core.exceptions import FieldDoesNotExist
from django.db import connections, models, router, transaction

from rhtmx_server.mirror.host import HostRow, MirrorSetupError, Noted, TableName
from rhtmx_server.mirror.keys import parse_key, spelt
from rhtmx_server.mirror.triggers import triggers_query
from rhtmx_server.names import suggestion

__all__ = ["DjangoDatabase", "alias_of", "is_model"]

T = TypeVar("T")


def is_model(declared: object) -> bool:
    """Whether something is a model."""
    return isinstance(declared, type) and issubclass(declared, models.Model)


def alias_of(model: Any, source: object) -> str:
    """The name of the database in which a model is, as in `settings.DATABASES`.

    Args:
        model: the model.
        source: what the program said; `None` for where the model is written.

    Raises:
        TypeError: it is no name.
        ValueError: there is no such database.
    """
    alias = router.db_for_write(model) if source is None else source
    if not isinstance(alias, str):
        raise TypeError(f"source: with a model, the alias of a database expected, got {source!r}")
    if alias not in connections:
        raise ValueError(
            f"source: the settings have no database {alias!r}{suggestion(alias, connections)}"
        )
    return alias


class DjangoDatabase:
    """A `HostDatabase`.

    Args:
        alias: which one of `settings.DATABASES`.
    """

    def __init__(self, alias: str) -> None:
        self._alias = alias

    @property
    def dialect(self) -> str:
        """See `HostDatabase`."""
        return str(connections[self._alias].vendor)

    def table(
        self, table: object, key: str | None, wanted: Collection[str] | None = None
    ) -> DjangoTable:
        """See `HostDatabase`."""
        if not is_model(table):
            raise MirrorSetupError(f"a model expected, got {table!r}")
        return DjangoTable(self._alias, table, key, wanted)

    def close(self) -> None:
        """See `HostDatabase`; the connection of this thread."""
        connections[self._alias].close()

    def run(self, statements: Sequence[str]) -> None:
        """See `HostDatabase`."""
        _asked(self._alias, lambda: _run(self._alias, statements))

    def triggers(self, table: TableName) -> Collection[str]:
        """See `HostDatabase`."""
        asked = triggers_query(self.dialect, str(table)).replace("%", "%%")
        return {name for (name,) in self._rows(asked)}

    def noted(self, outbox: TableName, tables: Collection[str], most: int) -> Sequence[Noted]:
        """See `HostDatabase`."""
        found = self._rows(
            f"SELECT id, table_name, row_key FROM {self._name(outbox)} "  # noqa: S608 (quoted)
            f"WHERE table_name IN {_places(tables)} ORDER BY id LIMIT %s",
            *tables,
            most,
        )
        return [Noted(*row) for row in found]

    def late(self, outbox: TableName, table: str, keys: Iterable[str]) -> Collection[str]:
        """See `HostDatabase`."""
        wanted = set(keys)
        found = self._rows(
            f"SELECT row_key FROM {self._name(outbox)} "  # noqa: S608 (quoted)
            f"WHERE table_name = %s AND row_key IN {_places(wanted)}",
            table,
            *wanted,
        )
        return {key for (key,) in found}

    def remove(self, outbox: TableName, ids: Iterable[int]) -> None:
        """See `HostDatabase`."""
        done = list(ids)
        statement = f"DELETE FROM {self._name(outbox)} WHERE id IN {_places(done)}"  # noqa: S608
        _asked(self._alias, lambda: _run(self._alias, [statement], done))

    def _rows(self, statement: str, *values: str | int) -> list[tuple[Any, ...]]:
        def read() -> list[tuple[Any, ...]]:
            with connections[self._alias].cursor() as cursor:
                cursor.execute(statement, values)
                return list(cursor.fetchall())

        return _asked(self._alias, read)

    def _name(self, table: TableName) -> str:
        quoted = connections[self._alias].ops.quote_name
        return ".".join(quoted(each) for each in (table.schema, table.name) if each)


class DjangoTable:
    """A `HostTable`.

    Args:
        alias: of its database.
        model: its model.
        key: see `HostDatabase.table`.
        wanted: likewise.

    Raises:
        MirrorSetupError: it has no such key, or is spread over several tables.
    """

    def __init__(
        self, alias: str, model: Any, key: str | None, wanted: Collection[str] | None
    ) -> None:
        about = model._meta
        if about.parents:
            raise MirrorSetupError(
                f"{about.label}: a model with the fields of another one is in two tables: mirror "
                "one that has its own"
            )
        self._alias = alias
        self._name = TableName(about.db_table)
        self._columns = [each.attname for each in about.concrete_fields]
        try:
            self._field = about.pk if key is None else about.get_field(key)
        except FieldDoesNotExist:
            raise MirrorSetupError(
                f"{about.label} has no field {key!r}{suggestion(str(key), self._columns)}"
            ) from None
        if not self._field.unique:
            raise MirrorSetupError(
                f"{about.label}: {self._field.name!r} is not unique: choose a key that identifies "
                "a row"
            )
        self._kind = _kind_of(self._field)
        self._read_columns = [
            each
            for each in self._columns
            if wanted is None or each in wanted or each == self._field.attname
        ]
        self._all: Any = models.QuerySet(model, using=alias)

    @property
    def name(self) -> TableName:
        """See `HostTable`."""
        return self._name

    @property
    def key(self) -> str:
        """See `HostTable`; the column, which the model may call otherwise."""
        return str(self._field.column)

    @property
    def columns(self) -> Collection[str]:
        """See `HostTable`; as the model calls them."""
        return self._columns

    def spelt(self, key: str) -> str:
        """See `HostTable`."""
        return spelt(self._kind, key)

    def rows(self, keys: Iterable[str]) -> Mapping[str, HostRow]:
        """See `HostTable`."""
        wanted = self._parsed(keys)
        return self._read(self._all.filter(**{f"{self._field.attname}__in": wanted}))

    def known(self, keys: Iterable[str]) -> Collection[str]:
        """See `HostTable`."""
        name, wanted = self._field.attname, self._parsed(keys)
        asked = self._all.filter(**{f"{name}__in": wanted}).values_list(name, flat=True)
        return {str(each) for each in _asked(self._alias, lambda: list(asked))}

    def page(self, after: object, most: int) -> tuple[Mapping[str, HostRow], object]:
        """See `HostTable`."""
        name = self._field.attname
        beyond = {f"{name}__isnull": False} if after is None else {f"{name}__gt": after}
        rows = self._read(self._all.filter(**beyond).order_by(name)[:most])
        return rows, next(reversed(rows.values()))[name] if rows else None

    def _parsed(self, keys: Iterable[str]) -> list[Any]:
        return [each for each in (parse_key(self._kind, key) for key in keys) if each is not None]

    def _read(self, asked: Any) -> dict[str, HostRow]:
        rows = _asked(self._alias, lambda: list(asked.values(*self._read_columns)))
        return {str(row[self._field.attname]): row for row in rows}


def _kind_of(field: Any) -> type:
    while field.remote_field is not None:  # the key of another model
        field = field.target_field
    kinds = {models.IntegerField: int, models.UUIDField: uuid.UUID, models.CharField: str}
    for each, kind in {**kinds, models.TextField: str}.items():
        if isinstance(field, each):
            return kind
    raise MirrorSetupError(
        f"the key {field.name!r} is a {type(field).__name__}: integers, texts or UUIDs can be keys"
    )


def _places(values: Collection[object]) -> str:
    return f"({', '.join(['%s'] * len(values)) or 'NULL'})"


def _run(alias: str, statements: Sequence[str], values: Sequence[int] | None = None) -> None:
    with transaction.atomic(using=alias), connections[alias].cursor() as cursor:
        for each in statements:
            cursor.execute(each, values)


def _asked(alias: str, ask: Callable[[], T]) -> T:
    """Ask the database; if the connection is broken, the next question opens another one."""
    connection = connections[alias]
    try:
        return ask()
    except Exception:
        # Not after each question, as `CONN_MAX_AGE` would have it: there are many of them.
        if not connection.in_atomic_block:
            connection.close()
        raise
