"""For the program that writes mirrored tables by sessions of SQLAlchemy, without triggers.

Knows sessions, and the outbox. Must not know the server: it may run elsewhere.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import Column, Table, event, insert, inspect
from sqlalchemy.orm import ORMExecuteState, Session, sessionmaker

from rhtmx_server.mirror.host import OUTBOX, KeyColumns, TableName
from rhtmx_server.mirror.keys import key_text
from rhtmx_server.mirror.sqlalchemy_tables import key_of, outbox_table, table_of
from rhtmx_server.mirror.triggers import outbox_statements, trigger_statements

__all__ = ["note_writes", "outbox_statements", "outbox_table", "trigger_statements"]


def note_writes(
    sessions: type[Session] | sessionmaker[Any] | Session,
    *tables: Any,
    outbox: str = OUTBOX,
    keys: Mapping[str, KeyColumns] | None = None,
) -> None:
    """Have sessions note in the outbox which rows of some tables they write.

    In the transaction of the session. For a database where you may not make triggers; these see
    more: an outbox that sessions fill learns nothing of `session.bulk_insert_mappings`, of SQL as
    text, and of other programs. After an UPDATE, INSERT or DELETE of many rows
    (`session.execute(update(Order))`), the outbox says that any row may have changed, and the
    server compares all of them.

    Args:
        sessions: a `sessionmaker`, a class of sessions, or one session. Of asyncio's it is
            `sync_session_class=`.
        tables: mapped classes, or their `Table`.
        outbox: the name of the outbox.
        keys: the key of each table whose key is not its primary key, by the table's name.

    Raises:
        TypeError: a table is something else.
        MirrorSetupError: a table has no such key.

    For example `note_writes(sessionmaker(engine), Order)`.
    """
    noted: dict[Table, Sequence[Column[Any]]] = {}
    for each in tables:
        table = table_of(each)
        if table is None:
            raise TypeError(f"note_writes: a mapped class or a Table expected, got {each!r}")
        key = (keys or {}).get(str(TableName(table.name, table.schema or "")))
        noted[table] = key_of(table, key)
    writes = _Noting(noted, outbox_table(TableName.of(outbox)))
    event.listen(sessions, "after_flush", writes.after_flush)
    event.listen(sessions, "do_orm_execute", writes.before_execute)


class _Noting:
    """What is noted of a session."""

    def __init__(self, keys: Mapping[Table, Sequence[Column[Any]]], outbox: Table) -> None:
        self._keys = keys
        self._outbox = outbox

    def after_flush(self, session: Session, context: object) -> None:
        """Note the rows that were written, in the same transaction."""
        changed = set(session.dirty)
        for each in (*session.new, *changed, *session.deleted):
            about = inspect(each)
            for table in self._keys.keys() & set(about.mapper.tables):
                names = (
                    about.mapper.get_property_by_column(part).key for part in self._keys[table]
                )
                attributes = [about.attrs[name] for name in names]
                keys = _keys(attributes, was_there=each in changed)
                self._note(session, about.mapper, table, keys)

    def before_execute(self, state: ORMExecuteState) -> None:
        """Note that any row may change by a statement."""
        if state.is_insert or state.is_update or state.is_delete:
            table = getattr(state.statement, "table", None)
            if isinstance(table, Table) and table in self._keys:
                self._note(state.session, state.bind_mapper, table, [None])

    def _note(
        self, session: Session, mapper: Any, table: Table, keys: Collection[str | None]
    ) -> None:
        if keys:
            name = str(TableName(table.name, table.schema or ""))
            rows = [{"table_name": name, "row_key": key} for key in keys]
            where = {"mapper": mapper} if mapper is not None else {"clause": table}
            session.connection(bind_arguments=where).execute(insert(self._outbox), rows)


def _keys(attributes: Sequence[Any], *, was_there: bool) -> Collection[str | None]:
    """The key of a row, and the one that it had before; none of a row that has none.

    Args:
        attributes: of the columns of its key.
        was_there: whether it had one before.

    Returns:
        The keys; `None` if the one of before is not known, so that it may be that of any row.
    """
    if was_there and any(each.history.added and not each.history.deleted for each in attributes):
        return [None]  # set without having been read
    now = [each.value for each in attributes]
    before = [(each.history.deleted or [each.value])[0] for each in attributes]
    return {key_text(parts) for parts in (now, before) if None not in parts}
