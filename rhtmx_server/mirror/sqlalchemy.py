"""For the program that writes mirrored tables by sessions of SQLAlchemy, without triggers.

Knows sessions, and the outbox. Must not know the server: it may run elsewhere.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import Table, event, insert, inspect
from sqlalchemy.orm import ORMExecuteState, Session, sessionmaker

from rhtmx_server.mirror.host import OUTBOX, TableName
from rhtmx_server.mirror.sqlalchemy_tables import outbox_table, table_of
from rhtmx_server.mirror.triggers import outbox_statements, trigger_statements

__all__ = ["note_writes", "outbox_statements", "outbox_table", "trigger_statements"]


def note_writes(
    sessions: type[Session] | sessionmaker[Any] | Session,
    *tables: Any,
    outbox: str = OUTBOX,
    keys: Mapping[str, str] | None = None,
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

    For example `note_writes(sessionmaker(engine), Order)`.
    """
    noted: dict[Table, str] = {}
    for each in tables:
        table = table_of(each)
        if table is None:
            raise TypeError(f"note_writes: a mapped class or a Table expected, got {each!r}")
        key = (keys or {}).get(str(TableName(table.name, table.schema or "")))
        noted[table] = key or next(iter(table.primary_key.columns)).name
    writes = _Noting(noted, outbox_table(TableName.of(outbox)))
    event.listen(sessions, "after_flush", writes.after_flush)
    event.listen(sessions, "do_orm_execute", writes.before_execute)


class _Noting:
    """What is noted of a session."""

    def __init__(self, keys: Mapping[Table, str], outbox: Table) -> None:
        self._keys = keys
        self._outbox = outbox

    def after_flush(self, session: Session, context: object) -> None:
        """Note the rows that were written, in the same transaction."""
        for each in (*session.new, *session.dirty, *session.deleted):
            about = inspect(each)
            for table in self._keys.keys() & set(about.mapper.tables):
                column = table.columns[self._keys[table]]
                name = about.mapper.get_property_by_column(column).key
                self._note(session, about.mapper, table, _values(about.attrs[name]))

    def before_execute(self, state: ORMExecuteState) -> None:
        """Note that any row may change by a statement."""
        if state.is_insert or state.is_update or state.is_delete:
            table = getattr(state.statement, "table", None)
            if isinstance(table, Table) and table in self._keys:
                self._note(state.session, state.bind_mapper, table, [None])

    def _note(self, session: Session, mapper: Any, table: Table, keys: Iterable[Any]) -> None:
        name = str(TableName(table.name, table.schema or ""))
        rows = [{"table_name": name, "row_key": None if key is None else str(key)} for key in keys]
        where = {"mapper": mapper} if mapper is not None else {"clause": table}
        session.connection(bind_arguments=where).execute(insert(self._outbox), rows)


def _values(attribute: Any) -> list[Any]:
    """The key of a row, and the one that it had before."""
    history = attribute.history
    return [each for each in {attribute.value, *(history.deleted or ())} if each is not None]
