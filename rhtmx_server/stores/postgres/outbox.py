"""What an application writes from its own SQL, until a server has applied it. As SQL.

Knows the table `outbox` and the functions that fill it. Must not know what becomes of a row: every
other function takes a session.

An application calls the functions in a transaction of its own, so a row is there if that commits,
and only then. They check what can be checked without the application's program, so that a mistake
fails where it is made. The server that leads reads the rows. What it makes of them is written in
one transaction with their removal (`writing`): so each takes effect once, whoever else reads it.

Rows are applied in the order of the last row of each transaction. An application that writes one
record in two transactions at once locks it: the second one goes on when the first has committed,
and all that it writes from then on comes after all that the first has written. So their last rows
are in the order of their commits; their first ones may not be.

A row that was there when somebody looked is not looked at again, as rows that are gone are slow to
skip while an old snapshot is open. What is new is of a transaction that was open at the last look
(there are few), or that began after it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rhtmx.wire.limits import FORBIDDEN_KEYS, MAX_DEPTH, MAX_ITEMS, MAX_NAME
from rhtmx_server.conflict_log import RESERVED
from rhtmx_server.sql_writes import SqlLook, SqlMark, SqlPage, SqlWrite
from rhtmx_server.stores.paging import BATCH_BYTES
from rhtmx_server.stores.postgres.session import Session

__all__ = ["FUNCTIONS", "look", "read_page", "reject", "still_there"]

MOST_TRANSACTIONS = 10_000
"""So many transactions are looked at together."""

MOST_BYTES = 1 << 20
"""The longest JSON text that a function takes."""

_WORST_NUMBER = "1.7976931348623157e308"
_FORBIDDEN = " || ".join(f'@.key == "{key}"' for key in sorted(FORBIDDEN_KEYS))
_FORBIDDEN_NAMES = ", ".join(f"'{key}'" for key in sorted(FORBIDDEN_KEYS))

# The text is that of jsonb: no key is there twice, nothing is no Unicode, and nothing is NUL.
_WRITE = f"""
    CREATE OR REPLACE FUNCTION rhtmx.write_1(
      kind text, entity text, entity_id text, given text, removed text[], author text
    ) RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    DECLARE
      data jsonb := given::jsonb;
      wrong text := CASE
        WHEN entity IS NULL OR octet_length(entity) NOT BETWEEN 1 AND {MAX_NAME} THEN
          format('entity: 1 to {MAX_NAME} bytes expected, got %s',
            coalesce(octet_length(entity)::text, 'NULL'))
        WHEN entity IN ({_FORBIDDEN_NAMES}) OR starts_with(entity, '{RESERVED}') THEN
          format('entity: %L may not be the name of an entity', entity)
        WHEN entity_id IS NULL OR octet_length(entity_id) NOT BETWEEN 1 AND {MAX_NAME} THEN
          format('entity_id: 1 to {MAX_NAME} bytes expected, got %s',
            coalesce(octet_length(entity_id)::text, 'NULL'))
        WHEN octet_length(author) NOT BETWEEN 1 AND {MAX_NAME} THEN
          format('author: 1 to {MAX_NAME} bytes expected, or NULL, got %s', octet_length(author))
        WHEN octet_length(data::text) > {MOST_BYTES} THEN
          format('data: at most {MOST_BYTES} bytes of JSON expected, got %s',
            octet_length(data::text))
        WHEN jsonb_path_exists(data,
          'strict $.**{{{MAX_DEPTH} to last}} ? (@.type() == "array" || @.type() == "object")') THEN
          'data: at most {MAX_DEPTH} lists and objects inside each other expected'
        WHEN data::text ~ '{"|".join(sorted(FORBIDDEN_KEYS))}' AND jsonb_path_exists(data,
          'strict $.** ? (@.type() == "object").keyvalue() ? ({_FORBIDDEN})') THEN
          'data: {", ".join(sorted(FORBIDDEN_KEYS))} may not be keys'
        WHEN jsonb_path_exists(data,
          'strict $.** ? (@ > {_WORST_NUMBER} || @ < -{_WORST_NUMBER})') THEN
          'data: a number is too large'
        END;
    BEGIN
      IF wrong IS NULL AND kind = 'push_fields' THEN
        wrong := CASE
          WHEN jsonb_typeof(data) IS DISTINCT FROM 'object' THEN
            format('fields: a JSON object expected, got %s', coalesce(jsonb_typeof(data), 'NULL'))
          WHEN removed IS NULL OR array_position(removed, NULL) IS NOT NULL THEN
            'removed: names expected, got NULL'
          WHEN data = '{{}}' AND cardinality(removed) = 0 THEN
            'fields: nothing to write: no value, and none to remove'
          WHEN (SELECT count(*) FROM jsonb_object_keys(data)) + cardinality(removed)
            > {MAX_ITEMS} THEN
            'fields: at most {MAX_ITEMS} expected'
          WHEN data ?| removed
            OR (SELECT count(DISTINCT name) FROM unnest(removed) AS name) < cardinality(removed)
          THEN
            'removed: a field is named twice'
          WHEN EXISTS (
            SELECT FROM (
              SELECT jsonb_object_keys(data) AS name UNION ALL SELECT unnest(removed)
            ) AS names
            WHERE octet_length(name) NOT BETWEEN 1 AND {MAX_NAME} OR name IN ({_FORBIDDEN_NAMES})
          ) THEN
            'fields: names of 1 to {MAX_NAME} bytes expected, and none of {
    ", ".join(sorted(FORBIDDEN_KEYS))
}'
          END;
      END IF;
      IF wrong IS NOT NULL THEN
        RAISE invalid_parameter_value USING MESSAGE = kind || ': ' || wrong,
          HINT = 'See "Written from your own SQL" in docs/operations.md';
      END IF;
      INSERT INTO rhtmx.outbox(kind, entity, entity_id, data, removed, author)
        VALUES (kind, entity, entity_id, data::text, coalesce(removed, '{{}}'), author);
    END $$;
"""  # noqa: S608 (of constants)

_DEFINER = "LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp"

# A text that is written as such, 'in quotes', could as well be json or jsonb: so one takes texts.
_OF_EACH_TYPE = "".join(
    f"""
    CREATE OR REPLACE FUNCTION rhtmx.push(
      entity text, entity_id text, data {kind}, author text DEFAULT NULL
    ) RETURNS void {_DEFINER} AS $$
      SELECT rhtmx.write_1('push', entity, entity_id, data::text, '{{}}', author)
    $$;
    CREATE OR REPLACE FUNCTION rhtmx.push_fields(
      entity text, entity_id text, fields {kind}, removed text[] DEFAULT '{{}}',
      author text DEFAULT NULL
    ) RETURNS void {_DEFINER} AS $$
      SELECT rhtmx.write_1('push_fields', entity, entity_id, fields::text, removed, author)
    $$;
    REVOKE ALL ON FUNCTION rhtmx.push(text, text, {kind}, text),
      rhtmx.push_fields(text, text, {kind}, text[], text) FROM PUBLIC;
    """  # noqa: S608 (of constants)
    for kind in ("text", "json", "jsonb")
)

FUNCTIONS = f"""
    {_WRITE}
    {_OF_EACH_TYPE}
    CREATE OR REPLACE FUNCTION rhtmx.delete(
      entity text, entity_id text, author text DEFAULT NULL
    ) RETURNS void {_DEFINER} AS $$
      SELECT rhtmx.write_1('delete', entity, entity_id, NULL, '{{}}', author)
    $$;
    CREATE OR REPLACE FUNCTION rhtmx.retry(id bigint) RETURNS boolean
    LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
      WITH again AS (
        UPDATE rhtmx.outbox AS o SET reason = NULL, transaction = pg_current_xact_id()
        WHERE o.id = retry.id AND reason IS NOT NULL RETURNING 1
      )
      SELECT EXISTS (SELECT FROM again)
    $$;
    REVOKE ALL ON FUNCTION rhtmx.write_1(text, text, text, text, text[], text),
      rhtmx.delete(text, text, text), rhtmx.retry(bigint) FROM PUBLIC;
"""  # noqa: S608 (of constants)
"""What an application calls, and nobody may who was not granted it."""

# Two questions, and no OR nor a join: planned when nothing waits, either would read what is gone.
_LOOK = """
    SELECT pg_snapshot_xmax(pg_current_snapshot())::text,
      ARRAY(SELECT pg_snapshot_xip(pg_current_snapshot())::text),
      ARRAY(
        SELECT transaction::text FROM (
          SELECT transaction, id FROM rhtmx.outbox
          WHERE reason IS NULL AND transaction >= $1::text::xid8
          UNION ALL
          SELECT transaction, id FROM rhtmx.outbox
          WHERE reason IS NULL AND transaction = ANY($2::text[]::xid8[])
        ) AS waiting
        GROUP BY transaction ORDER BY max(id) LIMIT $3
      )"""
_PAGE = """
    SELECT id, transaction::text, kind, entity, entity_id, data, removed, author, found
    FROM (
      SELECT *, count(*) OVER () AS found, sum(weight) OVER (ORDER BY place, id) - weight AS before
      FROM (
        SELECT each.place, o.*, coalesce(octet_length(o.data), 0) AS weight
        FROM unnest($1::text[]::xid8[]) WITH ORDINALITY AS each(transaction, place)
        CROSS JOIN LATERAL (
          SELECT * FROM rhtmx.outbox
          WHERE outbox.transaction = each.transaction AND reason IS NULL ORDER BY id LIMIT $2
        ) AS o
        ORDER BY each.place, o.id LIMIT $2
      ) AS page
    ) AS weighed
    WHERE before <= $3 ORDER BY place, id"""
# By their ids: in the words of the index of all that wait, it would be read as a whole.
_STILL_THERE = """
    SELECT id FROM rhtmx.outbox WHERE id = ANY($1::bigint[]) AND coalesce(reason, '') = ''"""
_REJECT = """
    UPDATE rhtmx.outbox AS o SET reason = n.reason
    FROM unnest($1::bigint[], $2::text[]) AS n(id, reason)
    WHERE o.id = n.id AND o.reason IS NULL"""


async def look(session: Session, since: SqlMark) -> SqlLook:
    """Which transactions have rows that wait, of those that were not there at another look."""
    row = await session.row(_LOOK, since.begins, list(since.open), MOST_TRANSACTIONS)
    assert row is not None
    begins, still_open, found = row
    return SqlLook(found, SqlMark(begins, still_open), whole=len(found) < MOST_TRANSACTIONS)


async def read_page(session: Session, transactions: Sequence[str], most: int) -> SqlPage:
    """The first rows of some transactions, those of one after those of the other.

    Args:
        session: with the database.
        transactions: in the order in which they are applied.
        most: so many rows at most; and no more than about 1 MiB.
    """
    # One more, to see whether there is one.
    rows = await session.rows(_PAGE, transactions[: most + 1], most + 1, BATCH_BYTES)
    writes = [
        SqlWrite(row[0], row[1], row[2], row[3], row[4], _bytes(row[5]), row[6], row[7])
        for row in rows[:most]
    ]
    return SqlPage(writes, whole=not rows or len(writes) == rows[0][8])


async def still_there(session: Session, ids: Sequence[int]) -> frozenset[int]:
    """Those of these rows that wait still."""
    return frozenset(row[0] for row in await session.rows(_STILL_THERE, ids))


async def reject(session: Session, reasons: Mapping[int, str]) -> None:
    """Keep rows aside, each with the reason why it cannot be applied."""
    words = [reason.replace("\0", " ") or "?" for reason in reasons.values()]
    await session.run(_REJECT, list(reasons), words)


def _bytes(text: str | None) -> bytes | None:
    return None if text is None else text.encode()
