"""The outbox in an application's database, and the triggers that fill it. As SQL.

Pure. Knows SQLite's and PostgreSQL's SQL. Must not know who runs it: the server's command, or a
migration of the application.

A trigger writes in the transaction of whoever writes the table, by whatever way: so nothing is
missing that was committed, and nothing is there that was rolled back. It says which row changed.
A row whose key changes is two: one that is gone, and one that is new. One without a key is none.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence

from rhtmx_server.mirror.host import (
    OUTBOX,
    HostTrigger,
    KeyColumns,
    MirrorSetupError,
    TableName,
    key_columns,
)
from rhtmx_server.mirror.keys import COMMA, ESCAPES

__all__ = [
    "DIALECTS",
    "amiss",
    "drop_outbox_statements",
    "drop_statements",
    "outbox_statements",
    "state_query",
    "trigger_name",
    "trigger_statements",
    "triggers_query",
]

DIALECTS = ("sqlite", "postgresql")
"""The databases whose tables can be mirrored."""

_LONGEST_NAME = 45
"""PostgreSQL cuts a name after 63 bytes; 18 are for what stands behind it."""


def outbox_statements(dialect: str, outbox: str = OUTBOX) -> list[str]:
    """SQL that makes the outbox, where there is none.

    Args:
        dialect: `sqlite` or `postgresql`.
        outbox: its name, maybe with a schema.

    Raises:
        MirrorSetupError: another dialect.

    Example:
        >>> print(*outbox_statements("sqlite"))
        CREATE TABLE IF NOT EXISTS "rhtmx_outbox" (
          id INTEGER PRIMARY KEY AUTOINCREMENT, table_name TEXT NOT NULL, row_key TEXT
        )
    """
    _require(dialect)
    # A number is never given twice: whoever removes a row removes no other one.
    number = {
        "sqlite": "INTEGER PRIMARY KEY AUTOINCREMENT",
        "postgresql": "bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY",
    }[dialect]
    return [
        f"CREATE TABLE IF NOT EXISTS {_name(outbox)} (\n"
        f"  id {number}, table_name TEXT NOT NULL, row_key TEXT\n)"
    ]


def trigger_name(table: str, outbox: str = OUTBOX) -> str:
    """What the trigger of a table is called; on SQLite, the one that sees rows come.

    Example:
        >>> trigger_name("shop_orders")
        'rhtmx_outbox_shop_orders_insert'
    """
    return f"{_stem(table, outbox)}_insert"


def triggers_query(dialect: str, table: str) -> str:
    """SQL that lists the triggers of a table, except those that are switched off: `HostTrigger`.

    One for each row counts only if the partitions of the table, and tables that inherit from it,
    have it as well: their rows are rows of the table.

    Args:
        dialect: `sqlite` or `postgresql`.
        table: its name, maybe with a schema.

    Raises:
        MirrorSetupError: another dialect.
    """
    _require(dialect)
    if dialect == "sqlite":
        listed = "SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND tbl_name = "
        return f"{listed}{_text(TableName.of(table).name)} COLLATE NOCASE"
    return f"""{_family(table)}
SELECT t.tgname, p.prosrc
FROM pg_catalog.pg_trigger t JOIN pg_catalog.pg_proc p ON p.oid = t.tgfoid
WHERE t.tgrelid = {_oid(table)} AND NOT t.tgisinternal AND t.tgenabled IN ('O', 'A')
AND (t.tgtype & 1 = 0 OR NOT EXISTS (
  SELECT FROM family f JOIN pg_catalog.pg_class c ON c.oid = f.id
  WHERE c.relkind <> 'p' AND NOT EXISTS (
    SELECT FROM pg_catalog.pg_trigger o
    WHERE o.tgrelid = f.id AND o.tgfoid = t.tgfoid AND o.tgtype & 1 = 1
    AND o.tgenabled IN ('O', 'A'))))"""  # noqa: S608 (quoted)


def state_query(dialect: str, table: str, outbox: str = OUTBOX) -> str:
    """SQL for what differs once rows may have changed without a note: a `HostState`.

    Args:
        dialect: `sqlite` or `postgresql`.
        table: its name, maybe with a schema.
        outbox: the name of the outbox, maybe with a schema.

    Raises:
        MirrorSetupError: another dialect.
    """
    _require(dialect)
    if dialect == "sqlite":
        # Any definition of anything counts as one of the table: there is no other number.
        name = f"{_text(TableName.of(outbox).name)} COLLATE NOCASE"
        # Where there is no outbox, that is what is said to be missing, and not SQLite's own table.
        return f"""SELECT CAST(schema_version AS TEXT) || coalesce((SELECT '' FROM {_name(outbox)}
    WHERE false), ''),
  coalesce((SELECT seq FROM sqlite_sequence WHERE name = {name}), 0), '',
  (SELECT file FROM pragma_database_list WHERE name = 'main') FROM pragma_schema_version"""  # noqa: S608 (quoted)
    # A row of the catalog is another one (`xmin`) after ALTER, also if that was taken back again;
    # that of a table is after TRUNCATE, too. DROP COLUMN, or a column that is renamed, is seen by
    # the rows of the columns only. A standby that has been promoted was started at another time
    # than the server whose last commits it may lack.
    return f"""{_family(table)}
SELECT concat_ws(' ', extract(epoch FROM pg_catalog.pg_postmaster_start_time()),
  (SELECT concat_ws('/', c.oid, c.xmin) FROM pg_catalog.pg_class c WHERE c.oid = {_oid(outbox)}),
  (SELECT string_agg(concat_ws('/', c.oid, c.xmin, f.link), ',' ORDER BY c.oid, f.link)
    FROM family f JOIN pg_catalog.pg_class c ON c.oid = f.id), '|',
  (SELECT string_agg(concat_ws('/', t.oid, t.xmin, p.xmin), ',' ORDER BY t.oid)
    FROM pg_catalog.pg_trigger t JOIN pg_catalog.pg_proc p ON p.oid = t.tgfoid
    WHERE t.tgrelid IN (SELECT id FROM family) AND t.tgconstraint = 0), '|',
  (SELECT string_agg(a.xmin::text, ',' ORDER BY a.attnum)
    FROM pg_catalog.pg_attribute a WHERE a.attrelid = {_oid(table)} AND a.attnum > 0), '|',
  (SELECT string_agg(concat_ws('/', e.oid, e.xmin), ',' ORDER BY e.oid)
    FROM pg_catalog.pg_enum e WHERE e.enumtypid IN (
      SELECT unnest(ARRAY[y.oid, y.typelem, y.typbasetype])
      FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_type y ON y.oid = a.atttypid
      WHERE a.attrelid = {_oid(table)})), '|',
  (SELECT string_agg(concat_ws('/', y.oid, y.xmin), ',' ORDER BY y.oid)
    FROM pg_catalog.pg_policy y WHERE y.polrelid = {_oid(table)})),
0, CASE WHEN row_security_active({_oid(outbox)}) THEN 'hidden'
  WHEN EXISTS (
    SELECT FROM family f JOIN pg_catalog.pg_subscription_rel s ON s.srrelid = f.id
    WHERE NOT EXISTS (SELECT FROM pg_catalog.pg_trigger t WHERE t.tgrelid = f.id
      AND t.tgname = {_text(trigger_name(table, outbox))} AND t.tgenabled = 'A'))
  AND NOT EXISTS (SELECT FROM pg_catalog.pg_subscription_rel WHERE srrelid = {_oid(outbox)})
  THEN 'subscribed' ELSE '' END, ''"""  # noqa: S608 (quoted)


def amiss(
    dialect: str, table: str, key: KeyColumns, there: Sequence[HostTrigger], outbox: str = OUTBOX
) -> str:
    """What is wrong with the triggers of a table, in words; empty if they fill the outbox.

    Args:
        dialect: `sqlite` or `postgresql`.
        table: its name, maybe with a schema.
        key: the columns that identify a row.
        there: the triggers that it has.
        outbox: the name of the outbox.

    Example:
        >>> amiss("sqlite", "shop_orders", "id", [])
        'its triggers, or those of a table that inherits from it, are missing, or switched off'
    """
    bodies = {each.name: each.body for each in there}
    events = ("insert", "update", "delete") if dialect == "sqlite" else ("insert", "truncate")
    keys = [_key_text(dialect, row, key) for row in ("OLD", "NEW")]
    for event in events:
        body = bodies.get(f"{_stem(table, outbox)}_{event}")
        if body is None:
            return (
                "its triggers, or those of a table that inherits from it, are missing, or switched "
                "off"
            )
        if _text(table) not in body or not any(each in body for each in keys):
            return (
                "its triggers are for another key, or for another name of it (one table has one "
                "name in all mirrors)"
            )
    return ""


def trigger_statements(
    dialect: str, table: str, key: KeyColumns, outbox: str = OUTBOX
) -> list[str]:
    """SQL that makes the triggers of a table, or makes them anew.

    Args:
        dialect: `sqlite` or `postgresql`.
        table: its name, maybe with a schema.
        key: the column that identifies a row, or the columns.
        outbox: the name of the outbox, maybe with a schema.

    Raises:
        MirrorSetupError: another dialect; or a schema, on SQLite.

    Example:
        >>> for each in trigger_statements("sqlite", "shop_orders", "id"):
        ...     print(each[:34])  # in a migration of Alembic: op.execute(each)
        DROP TRIGGER IF EXISTS "rhtmx_outb
        CREATE TRIGGER "rhtmx_outbox_shop_
        DROP TRIGGER IF EXISTS "rhtmx_outb
        CREATE TRIGGER "rhtmx_outbox_shop_
        DROP TRIGGER IF EXISTS "rhtmx_outb
        CREATE TRIGGER "rhtmx_outbox_shop_
    """
    _require(dialect)
    make = _sqlite if dialect == "sqlite" else _postgresql
    return make(table, key, outbox)


def drop_statements(dialect: str, table: str, outbox: str = OUTBOX) -> list[str]:
    """SQL that takes the triggers of a table away again.

    Args:
        dialect: `sqlite` or `postgresql`.
        table: its name, maybe with a schema.
        outbox: the name of the outbox, maybe with a schema.

    Raises:
        MirrorSetupError: another dialect.

    Example:
        >>> drop_statements("sqlite", "tea")[0]
        'DROP TRIGGER IF EXISTS "rhtmx_outbox_tea_insert"'
    """
    _require(dialect)
    stem = _stem(table, outbox)
    if dialect == "sqlite":
        events = ("insert", "update", "delete")
        return [f"DROP TRIGGER IF EXISTS {_quoted(f'{stem}_{each}')}" for each in events]
    return [f"DROP FUNCTION IF EXISTS {_function(table, outbox)}() CASCADE"]


def drop_outbox_statements(outbox: str = OUTBOX) -> list[str]:
    """SQL that takes the outbox away again: after the triggers."""
    return [f"DROP TABLE IF EXISTS {_name(outbox)}"]


def _sqlite(table: str, key: KeyColumns, outbox: str) -> list[str]:
    for name in (table, outbox):
        if TableName.of(name).schema:
            raise MirrorSetupError(
                f"{name!r}: on SQLite a trigger sees its own file only: name the table without "
                "its schema, and as the source the file in which it is"
            )
    stem = _stem(table, outbox)
    old, new = (_key_text("sqlite", row, key) for row in ("OLD", "NEW"))
    note = f"INSERT INTO {_name(outbox)} (table_name, row_key) SELECT {_text(table)}, "
    note_old, note_new = (f"{note}{each} WHERE {each} IS NOT NULL;" for each in (old, new))
    moved = f"{note}{new} WHERE {new} IS NOT NULL AND {new} IS NOT {old};"
    bodies = {"insert": note_new, "update": f"{note_old} {moved}", "delete": note_old}
    statements: list[str] = []
    for event, body in bodies.items():
        name = _quoted(f"{stem}_{event}")
        statements += [
            f"DROP TRIGGER IF EXISTS {name}",
            f"CREATE TRIGGER {name} AFTER {event.upper()} ON {_name(table)}\nBEGIN {body} END",
        ]
    return statements


def _postgresql(table: str, key: KeyColumns, outbox: str) -> list[str]:
    stem = _stem(table, outbox)
    function = _function(table, outbox)
    old, new = (_key_text("postgresql", row, key) for row in ("OLD", "NEW"))
    into = f"INSERT INTO {_name(outbox)} (table_name, row_key)"
    body = f"""BEGIN
  IF TG_OP = 'TRUNCATE' THEN
    {into} VALUES ({_text(table)}, NULL);
    RETURN NULL;
  END IF;
  IF TG_OP IN ('UPDATE', 'DELETE') THEN
    {into} VALUES ({_text(table)}, {old});
  END IF;
  IF TG_OP = 'INSERT' OR TG_OP = 'UPDATE' AND {new} <> {old} THEN
    {into} VALUES ({_text(table)}, {new});
  END IF;
  RETURN NULL;
END"""
    return [
        # Whoever writes may look up names elsewhere, and would write into another outbox, or none.
        f"CREATE OR REPLACE FUNCTION {function}() RETURNS trigger LANGUAGE plpgsql\n"
        f"SET search_path FROM CURRENT AS $rhtmx$\n{body}\n$rhtmx$",
        f"CREATE OR REPLACE TRIGGER {_quoted(trigger_name(table, outbox))}\n"
        f"AFTER INSERT OR UPDATE OR DELETE ON {_name(table)}\n"
        f"FOR EACH ROW EXECUTE FUNCTION {function}()",
        f"CREATE OR REPLACE TRIGGER {_quoted(f'{stem}_truncate')} AFTER TRUNCATE ON "
        f"{_name(table)}\nFOR EACH STATEMENT EXECUTE FUNCTION {function}()",
    ]


def _key_text(dialect: str, row: str, key: KeyColumns) -> str:
    """SQL for the key of a row, as `keys.key_text` has it."""
    # Not a cast on PostgreSQL: of a `char(n)` it would cut off the spaces, which belong to the key.
    form = "CAST({}.{} AS TEXT)" if dialect == "sqlite" else "format('%s', {}.{})"
    parts = [form.format(row, _quoted(each)) for each in key_columns(key)]
    if len(parts) == 1:
        return parts[0]
    return f" || {_text(COMMA)} || ".join(map(_escaped, parts))


def _escaped(text: str) -> str:
    for plain, written in ESCAPES:
        text = f"replace({text}, {_text(plain)}, {_text(written)})"
    return text


def _require(dialect: str) -> None:
    if dialect not in DIALECTS:
        raise MirrorSetupError(
            f"tables of {dialect!r} cannot be mirrored: {' or '.join(DIALECTS)} expected"
        )


def _stem(table: str, outbox: str) -> str:
    stem = f"{TableName.of(outbox).name}_{TableName.of(table).name}"
    if len(stem.encode()) <= _LONGEST_NAME:
        return stem
    mark = f"{zlib.crc32(stem.encode()):08x}"
    return f"{stem.encode()[:_LONGEST_NAME].decode(errors='ignore')}_{mark}"


def _function(table: str, outbox: str) -> str:
    """The function of a table's triggers, in the schema of the table."""
    schema = TableName.of(table).schema
    stem = _quoted(_stem(table, outbox))
    return f"{_quoted(schema)}.{stem}" if schema else stem


def _family(table: str) -> str:
    """SQL for a table of PostgreSQL and all that inherit from it, which partitions do."""
    return f"""WITH RECURSIVE family (id, link) AS (
  SELECT {_oid(table)}, '' UNION SELECT i.inhrelid, i.xmin::text
  FROM pg_catalog.pg_inherits i JOIN family ON i.inhparent = family.id
)"""  # noqa: S608 (quoted)


def _oid(table: str) -> str:
    """SQL for what PostgreSQL knows a table by."""
    return f"{_text(_name(table))}::regclass::oid"


def _name(table: str) -> str:
    name = TableName.of(table)
    return f"{_quoted(name.schema)}.{_quoted(name.name)}" if name.schema else _quoted(name.name)


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _text(words: str) -> str:
    return "'" + words.replace("'", "''") + "'"
