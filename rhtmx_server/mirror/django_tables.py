"""An application's tables by Django's models: see `host`.

Knows Django. Must not know what becomes of a row. Connections of Django belong to a thread: this
uses those of the thread in which it is called.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from functools import reduce
from operator import or_
from typing import Any, TypeVar

from django.core.exceptions import FieldDoesNotExist
from django.db import DataError, connections, models, router, transaction

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
        self._file = FileWatch(self.close)

    @property
    def dialect(self) -> str:
        """See `HostDatabase`."""
        return str(connections[self._alias].vendor)

    def table(
        self, table: object, key: KeyColumns | None, wanted: Collection[str] | None = None
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

    def triggers(self, table: TableName) -> Sequence[HostTrigger]:
        """See `HostDatabase`."""
        asked = triggers_query(self.dialect, str(table)).replace("%", "%%")
        return sorted(HostTrigger(*row) for row in self._rows(asked))

    def state(self, table: TableName, outbox: TableName) -> HostState:
        """See `HostDatabase`."""
        asked = state_query(self.dialect, str(table), str(outbox)).replace("%", "%%")
        return self._file.state(lambda: HostState(*self._rows(asked)[0]))

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

    def strange(self, outbox: TableName, tables: Collection[str]) -> str | None:
        """See `HostDatabase`."""
        found = self._rows(
            f"SELECT table_name FROM {self._name(outbox)} "  # noqa: S608 (quoted)
            f"WHERE NOT table_name IN {_places(tables)} LIMIT 1",
            *tables,
        )
        return found[0][0] if found else None

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
        self, alias: str, model: Any, key: KeyColumns | None, wanted: Collection[str] | None
    ) -> None:
        about = model._meta
        if about.parents:
            raise MirrorSetupError(
                f"{about.label}: a model with the fields of another one is in two tables: mirror "
                "one that has its own"
            )
        self._alias = alias
        self._name = TableName(about.db_table)
        self._columns = [each.attname for each in about.concrete_fields if each.column is not None]
        self._fields = _key_fields(about, key)
        self.kinds: KeyKinds = [_kind_of(each) for each in self._fields]
        self._names = [each.attname for each in self._fields]
        self._read_columns = [
            each for each in self._columns if wanted is None or each in {*wanted, *self._names}
        ]
        self._all: Any = models.QuerySet(model, using=alias)

    @property
    def name(self) -> TableName:
        """See `HostTable`."""
        return self._name

    @property
    def key(self) -> Sequence[str]:
        """See `HostTable`; the columns, which the model may call otherwise."""
        return [str(each.column) for each in self._fields]

    @property
    def columns(self) -> Collection[str]:
        """See `HostTable`; as the model calls them."""
        return self._columns

    def rows(self, keys: Iterable[str]) -> Mapping[str, HostRow]:
        """See `HostTable`."""
        asked = self._with(keys).values(*self._read_columns)
        try:
            rows = _asked(self._alias, lambda: list(asked))
        except (ValueError, TypeError, ArithmeticError, LookupError, DataError) as reason:
            raise UnreadableRowError(type(reason).__name__) from reason
        return {key_text([row[each] for each in self._names]): row for row in rows}

    def known(self, keys: Iterable[str]) -> Collection[str]:
        """See `HostTable`."""
        asked = self._with(keys).values_list(*self._names)
        return set(map(key_text, _asked(self._alias, lambda: list(asked))))

    def page(self, after: object, most: int) -> tuple[Collection[str], object]:
        """See `HostTable`."""
        asked = self._all.filter(**{f"{each}__isnull": False for each in self._names})
        if isinstance(after, tuple):
            asked = asked.filter(self._beyond(after))
        asked = asked.order_by(*self._names).values_list(*self._names)[:most]
        found = _asked(self._alias, lambda: list(asked))
        return list(map(key_text, found)), found[-1] if found else None

    def _with(self, keys: Iterable[str]) -> Any:
        parsed = (parse_key(self.kinds, key) for key in keys)
        known = [each for each in parsed if each is not None]
        if len(self._names) == 1:
            return self._all.filter(**{f"{self._names[0]}__in": [each for (each,) in known]})
        if not known:
            return self._all.none()
        each_of = (models.Q(**dict(zip(self._names, key, strict=True))) for key in known)
        return self._all.filter(reduce(or_, each_of))

    def _beyond(self, after: tuple[Any, ...]) -> models.Q:
        """Those that come after a key, by its first column that differs."""
        found = models.Q()
        for place, name in enumerate(self._names):
            same = dict(zip(self._names[:place], after, strict=False))
            found |= models.Q(**same, **{f"{name}__gt": after[place]})
        return found


def _key_fields(about: Any, key: KeyColumns | None) -> Sequence[Any]:
    """The fields of a model that identify a row.

    Raises:
        MirrorSetupError: there is no such field, or they do not.
    """
    if key is None:
        # `CompositePrimaryKey` has several, since Django 5.2.
        return list(getattr(about.pk, "fields", None) or [about.pk])
    fields = [_field(about, each) for each in key_columns(key)]
    only = fields[0] if len(fields) == 1 else None
    if (only is not None and only.unique) or {*_names(fields)} in _unique_together(about):
        return fields
    raise MirrorSetupError(
        f"{about.label}: {', '.join(_names(fields))!r} is not unique: choose a key that identifies "
        "a row"
    )


def _field(about: Any, name: str) -> Any:
    try:
        return about.get_field(name)
    except FieldDoesNotExist:
        known = [each.attname for each in about.concrete_fields]
        raise MirrorSetupError(
            f"{about.label} has no field {name!r}{suggestion(name, known)}"
        ) from None


def _names(fields: Iterable[Any]) -> Collection[str]:
    return [each.name for each in fields]


def _unique_together(about: Any) -> Collection[set[str]]:
    """The names of fields that together identify a row."""
    primary = _names(getattr(about.pk, "fields", ()))
    constraints = [each.fields for each in about.total_unique_constraints]
    return [{*each} for each in (primary, *about.unique_together, *constraints)]


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
