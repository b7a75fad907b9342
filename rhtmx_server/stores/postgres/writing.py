"""What a batch writes, by one call of a function in the database.

Knows the tables, and what must still be as the batch has seen it. Must not know connections.

The function is one statement, and so one transaction, that holds its locks for no round trip. It
fails as a whole where somebody else was quicker: an entity does not end where the batch saw it end
(40001, or 23505 where both were under way at once), or a client is at another number, or what an
application wrote from its own SQL was applied already, or the store has another epoch. It fails so
that nothing helps but to look who else is there (55000) where the database lives another life than
when the epoch was made, where a server has been started that is alone, and where an entity is
divided otherwise, by a later version of the program.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any
from uuid import UUID

from rhtmx_server.log_body import pack, pack_one
from rhtmx_server.model import HistoryEntry
from rhtmx_server.ports import BatchWrites
from rhtmx_server.stores.rows import row_of_client, row_of_outcome, row_of_record

__all__ = ["FUNCTIONS", "LIMIT", "LOCK", "PUT", "WRITER", "arguments"]

_COLUMNS = {
    "ends": "entity text, base bigint, upto bigint, time bigint, body bytea, divided text",
    "lost": "entity text, version bigint, place integer, entity_id text, time bigint, body bytea",
    "records": "entity text, entity_id text, version bigint, action smallint, data bytea, "
    "client_id text, time bigint, clocks bytea, entered bigint, hidden bytea",
    "members": "entity text, part text, entity_id text, version bigint, time bigint, gone boolean",
    "clients": "client_id text, subject text, last_seq bigint, seen bigint, secret bytea, "
    "expected bigint",
    "outcomes": "client_id text, seq bigint, digest bytea, reply bytea, rejected boolean",
    "confirmed": "client_id text, seq bigint",
    "applied": "id bigint",
}
"""What the function is given: a table of each kind, each column an array."""


def _parameters() -> str:
    columns = (
        f"{kind}_{column} {of}[]"
        for kind, each in _COLUMNS.items()
        for column, of in (words.strip().split() for words in each.split(","))
    )
    return ", ".join(["batch_id uuid", "server text", "in_epoch text", *columns])


def _table(kind: str) -> str:
    """One of the tables, as it stands in FROM."""
    names = [words.strip().split()[0] for words in _COLUMNS[kind].split(",")]
    arrays = ", ".join(f"{kind}_{name}" for name in names)
    return f"unnest({arrays}) AS n({', '.join(names)})"


PUT = "SELECT rhtmx.put_2({})".format(
    ", ".join(f"${number}" for number in range(1, _parameters().count(",") + 2))
)
"""Returns how many clients are new."""

# Who is frozen in the middle of a transaction does not hold an entity for ever.
LIMIT = """
    SELECT set_config('idle_in_transaction_session_timeout', '5s', true),
      set_config('lock_timeout', '8s', true)"""
"""Limits how long a transaction that locks may last; its first statement."""

# In one order for all: each waits for those before it, and never two for each other.
LOCK = """
    SELECT pg_advisory_xact_lock(key) FROM (
      SELECT hashtextextended($1 || ' ' || each.entity, 0) AS key
      FROM unnest($2::text[]) AS each(entity) ORDER BY 1
    ) AS keys"""
"""Waits for one's turn to write some entities, to the end of the transaction."""

WRITER = "SELECT batch FROM rhtmx.log WHERE entity = $1 AND upto = $2"
"""Which batch has made an entity end at a version."""

# In the order of their keys: two batches that write the same rows then wait for each other, at
# most, and never each for the other.
FUNCTIONS = f"""
    CREATE OR REPLACE FUNCTION rhtmx.put_2({_parameters()}) RETURNS bigint
    LANGUAGE plpgsql AS $$
    DECLARE
      writer text;
      epoch text;
      lineage text;
      affected bigint;
      new_clients bigint := 0;
    BEGIN
      IF server IS NOT NULL THEN
        SELECT min(value) FILTER (WHERE key = 'writer'), min(value) FILTER (WHERE key = 'epoch'),
            min(value) FILTER (WHERE key = 'lineage')
          FROM rhtmx.meta WHERE key IN ('writer', 'epoch', 'lineage') INTO writer, epoch, lineage;
        IF split_part(lineage, ' ', 1) <> substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8) THEN
          RAISE object_not_in_prerequisite_state USING MESSAGE = 'another life';
        ELSIF server <> writer THEN
          RAISE object_not_in_prerequisite_state USING MESSAGE = 'another server';
        ELSIF in_epoch <> epoch THEN
          RAISE serialization_failure USING MESSAGE = 'another epoch';
        END IF;
      END IF;
      IF cardinality(applied_id) > 0 THEN
        DELETE FROM rhtmx.outbox WHERE id = ANY(applied_id) AND coalesce(reason, '') = '';
        GET DIAGNOSTICS affected = ROW_COUNT;
        -- What moves no entity may be written once more without harm, and then they are gone.
        IF affected <> cardinality(applied_id) AND cardinality(ends_entity) > 0 THEN
          RAISE serialization_failure USING MESSAGE = 'somebody else has applied it';
        END IF;
      END IF;
      IF cardinality(ends_entity) > 0 THEN
        INSERT INTO rhtmx.entities(entity)
          SELECT entity FROM {_table("ends")} WHERE coalesce(base, 0) = 0 ORDER BY entity
          ON CONFLICT DO NOTHING;
        IF EXISTS (
          SELECT FROM {_table("ends")} JOIN rhtmx.entities USING (entity)
          WHERE n.divided <> coalesce(substr(entities.divided, 2), '')
        ) THEN
          RAISE object_not_in_prerequisite_state USING MESSAGE = 'divided otherwise';
        END IF;
        INSERT INTO rhtmx.log(entity, base, upto, batch, time, body)
          SELECT n.entity, newest.upto, n.upto, batch_id, n.time, n.body
          FROM {_table("ends")} CROSS JOIN LATERAL (
            SELECT coalesce((
              SELECT log.upto FROM rhtmx.log WHERE log.entity = n.entity ORDER BY base DESC LIMIT 1
            ), 0) AS upto
          ) AS newest
          WHERE newest.upto = coalesce(n.base, newest.upto) ORDER BY n.entity;
        GET DIAGNOSTICS affected = ROW_COUNT;
        IF affected <> cardinality(ends_entity) THEN
          RAISE serialization_failure USING MESSAGE = 'an entity has moved';
        END IF;
      END IF;
      IF cardinality(records_entity) > 0 THEN
        INSERT INTO rhtmx.records AS r(
            entity, entity_id, version, action, data, client_id, time, clocks, entered, hidden)
          SELECT * FROM {_table("records")} ORDER BY entity, entity_id
          ON CONFLICT (entity, entity_id) DO UPDATE SET
            version = excluded.version, action = excluded.action, data = excluded.data,
            client_id = excluded.client_id, time = excluded.time, clocks = excluded.clocks,
            entered = excluded.entered, hidden = excluded.hidden;
      END IF;
      IF cardinality(lost_entity) > 0 THEN
        INSERT INTO rhtmx.lost(entity, version, batch, place, entity_id, time, body)
          SELECT entity, version, batch_id, place, entity_id, time, body
          FROM {_table("lost")} ORDER BY place
          ON CONFLICT (batch, place) DO NOTHING;
      END IF;
      IF cardinality(members_entity) > 0 THEN
        INSERT INTO rhtmx.members(entity, part, entity_id, version, time, gone)
          SELECT * FROM {_table("members")} ORDER BY entity_id, entity, part
          ON CONFLICT (entity_id, entity, part) DO UPDATE SET
            version = excluded.version, time = excluded.time, gone = excluded.gone;
      END IF;
      IF cardinality(clients_client_id) > 0 THEN
        PERFORM FROM rhtmx.clients WHERE client_id = ANY(clients_client_id)
          ORDER BY client_id FOR UPDATE;
        IF EXISTS (
          SELECT FROM {_table("clients")} LEFT JOIN rhtmx.clients c USING (client_id)
          WHERE n.expected <> coalesce(c.last_seq, -1)
        ) THEN
          RAISE serialization_failure USING MESSAGE = 'a client has moved';
        END IF;
        WITH written AS (
          INSERT INTO rhtmx.clients AS c(client_id, subject, last_seq, seen, secret)
            SELECT client_id, subject, last_seq, seen, secret
            FROM {_table("clients")} ORDER BY client_id
            ON CONFLICT (client_id) DO UPDATE SET
              subject = excluded.subject, last_seq = excluded.last_seq, seen = excluded.seen,
              secret = excluded.secret
            WHERE NOT EXISTS (
              SELECT FROM {_table("clients")}
              WHERE n.client_id = excluded.client_id AND n.expected = -1
            )
            RETURNING (c.xmax = 0) AS is_new
        )
        SELECT count(*), count(*) FILTER (WHERE is_new) FROM written INTO affected, new_clients;
        IF affected <> cardinality(clients_client_id) THEN
          RAISE serialization_failure USING MESSAGE = 'a client has come';
        END IF;
      END IF;
      IF cardinality(outcomes_client_id) > 0 THEN
        INSERT INTO rhtmx.outcomes(client_id, seq, digest, reply, rejected)
          SELECT * FROM {_table("outcomes")} ORDER BY client_id, seq
          ON CONFLICT (client_id, seq) DO UPDATE SET
            digest = excluded.digest, reply = excluded.reply, rejected = excluded.rejected;
      END IF;
      IF cardinality(confirmed_client_id) > 0 THEN
        DELETE FROM rhtmx.outcomes AS o USING {_table("confirmed")}
          WHERE o.client_id = n.client_id AND o.seq <= n.seq;
      END IF;
      RETURN new_clients;
    END $$;
"""  # noqa: S608 (of constants)


def arguments(
    batch: UUID,
    writer: tuple[str, str] | None,
    writes: BatchWrites,
    heads: Mapping[str, int],
    last_seqs: Mapping[str, int],
    divided: Mapping[str, str] = MappingProxyType({}),
) -> list[Any]:
    """The arguments of `PUT`.

    Args:
        batch: names the batch: by it one finds out later whether it was written.
        writer: the name of the server, which has to be the one that may write, and the epoch in
            which the batch was decided; `None` for a copy.
        writes: what the batch writes.
        heads: where the batch saw its entities end. Of others it is not looked at.
        last_seqs: the numbers at which it saw its clients. Of others it is not looked at.
        divided: how entities are divided, as it assumes. Of others it is not looked at.
    """
    tables: tuple[Sequence[tuple[Any, ...]], ...] = (
        _ends(writes, heads, divided),
        [
            (
                each.record.entity,
                each.record.version,
                place,
                each.record.entity_id,
                each.record.time,
                pack_one(each),
            )
            for place, each in enumerate(writes.history)
            if each.lost
        ],
        [row_of_record(each) for each in writes.records],
        [(p.entity, p.part, p.entity_id, p.version, p.time, p.left) for p in writes.parts],
        [(*row_of_client(each), last_seqs.get(each.client_id)) for each in writes.clients],
        [(*row_of_outcome(each)[:4], each.rejected) for each in writes.outcomes],
        list(writes.confirmed.items()),
        [(each,) for each in writes.sql_rows],
    )
    arrays: list[Any] = [batch, *(writer or (None, None))]
    for rows, names in zip(tables, _COLUMNS.values(), strict=True):
        width = names.count(",") + 1
        arrays += list(zip(*rows, strict=True)) if rows else [()] * width
    return arrays


def _ends(
    writes: BatchWrites, heads: Mapping[str, int], divided: Mapping[str, str]
) -> list[tuple[Any, ...]]:
    """The rows of `log`."""
    entries: defaultdict[str, list[HistoryEntry]] = defaultdict(list)
    for each in writes.history:
        if not each.lost:
            entries[each.record.entity].append(each)
    times: defaultdict[str, int] = defaultdict(int)
    for record in (*writes.records, *(each.record for each in writes.history)):
        times[record.entity] = max(times[record.entity], record.time)
    return [
        (
            entity,
            heads.get(entity),
            upto,
            times[entity],
            pack(entries[entity]) if entity in entries else None,
            divided.get(entity),
        )
        for entity, upto in writes.heads.items()
    ]
