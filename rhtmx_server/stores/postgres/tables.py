"""The tables, and how a database comes from one format to the next.

Knows SQL and what our schema is. Must not know what the rows mean.

`log` is where an entity's log ends, and its history: one row for what a batch wrote in an entity,
from after `base` to `upto`, inserted and never changed. Two writers that saw the same end both
insert the same key, and one of them fails: there is no lock, and no row that everybody changes. (A
counter that is a row, updated by each batch, gets slower by two orders of magnitude while an old
snapshot is open, such as that of a dump.) The newest row of an entity is always kept.

Every version is above 0, and two indexes say so only to be left out where nobody asks for versions:
of an empty table the planner has no idea, and may as well search all of an entity for one record.

Bytes are `bytea`: PostgreSQL's `text` refuses NUL, and its `jsonb` refuses what JSON may have.
Names are compared by their bytes (`COLLATE "C"`), as everywhere else.
"""

from __future__ import annotations

from collections.abc import Callable

from rhtmx_server.stores.postgres import outbox, writing
from rhtmx_server.stores.postgres.failures import failed
from rhtmx_server.stores.postgres.session import Session

__all__ = [
    "ANY_WRITER",
    "COPY_NOTE",
    "FORMAT",
    "WRITER",
    "forget",
    "migrate",
    "read_cluster",
    "read_copy_note",
    "read_former",
    "read_life",
    "read_meta",
    "write_epoch",
    "write_meta",
]

_STEPS = (
    """
    CREATE TABLE rhtmx.meta(
      key text COLLATE "C" PRIMARY KEY,
      value text NOT NULL
    );
    CREATE TABLE rhtmx.entities(
      entity text COLLATE "C" PRIMARY KEY,
      floor bigint NOT NULL DEFAULT 0,
      divided text
    );
    CREATE TABLE rhtmx.log(
      entity text COLLATE "C" NOT NULL,
      base bigint NOT NULL,
      upto bigint NOT NULL,
      batch uuid NOT NULL,
      time bigint NOT NULL,
      body bytea,
      PRIMARY KEY (entity, base)
    );
    CREATE INDEX log_by_time ON rhtmx.log(time) WHERE body IS NOT NULL;
    CREATE INDEX log_emptied ON rhtmx.log(entity) WHERE body IS NULL;

    CREATE TABLE rhtmx.lost(
      entity text COLLATE "C" NOT NULL,
      version bigint NOT NULL,
      id bigint GENERATED ALWAYS AS IDENTITY,
      batch uuid NOT NULL,
      place integer NOT NULL,
      entity_id text COLLATE "C" NOT NULL,
      time bigint NOT NULL,
      body bytea NOT NULL,
      PRIMARY KEY (entity, version, id),
      UNIQUE (batch, place)
    );
    CREATE INDEX lost_by_time ON rhtmx.lost(time);

    CREATE TABLE rhtmx.records(
      entity text COLLATE "C" NOT NULL,
      entity_id text COLLATE "C" NOT NULL,
      version bigint NOT NULL,
      action smallint NOT NULL,
      data bytea,
      client_id text COLLATE "C",
      time bigint NOT NULL,
      clocks bytea,
      entered bigint,
      hidden bytea,
      PRIMARY KEY (entity, entity_id)
    ) WITH (fillfactor = 80);
    CREATE UNIQUE INDEX records_by_version ON rhtmx.records(entity, version) WHERE version > 0;
    CREATE INDEX tombstones_by_time ON rhtmx.records(time) WHERE action = 3;

    CREATE TABLE rhtmx.members(
      entity text COLLATE "C" NOT NULL,
      part text COLLATE "C" NOT NULL,
      entity_id text COLLATE "C" NOT NULL,
      version bigint NOT NULL,
      time bigint NOT NULL,
      gone boolean NOT NULL,
      PRIMARY KEY (entity_id, entity, part)
    ) WITH (fillfactor = 80);
    CREATE INDEX members_by_version ON rhtmx.members(entity, part, version) WHERE version > 0;
    CREATE INDEX departures_by_time ON rhtmx.members(time) WHERE gone;

    CREATE TABLE rhtmx.clients(
      client_id text COLLATE "C" PRIMARY KEY,
      subject text COLLATE "C" NOT NULL,
      last_seq bigint NOT NULL,
      seen bigint NOT NULL,
      secret bytea
    ) WITH (fillfactor = 50);
    CREATE INDEX clients_by_seen ON rhtmx.clients(seen);

    CREATE TABLE rhtmx.outcomes(
      client_id text COLLATE "C" NOT NULL,
      seq bigint NOT NULL,
      digest bytea NOT NULL,
      reply bytea NOT NULL,
      rejected boolean NOT NULL,
      PRIMARY KEY (client_id, seq)
    );
    """,
    """
    CREATE TABLE rhtmx.epochs(
      epoch text COLLATE "C" NOT NULL,
      entity text COLLATE "C" NOT NULL,
      upto bigint NOT NULL,
      PRIMARY KEY (epoch, entity)
    );
    CREATE TABLE rhtmx.told(
      entity text COLLATE "C" PRIMARY KEY,
      upto bigint NOT NULL
    );
    CREATE TABLE rhtmx.notices(
      id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
      node text NOT NULL,
      subject text NOT NULL,
      ends boolean NOT NULL,
      time bigint NOT NULL
    );
    CREATE INDEX notices_by_time ON rhtmx.notices(time);
    CREATE TABLE rhtmx.nodes(
      node text PRIMARY KEY,
      seen bigint NOT NULL
    );
    """,
    """
    CREATE TABLE rhtmx.outbox(
      id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
      transaction xid8 NOT NULL DEFAULT pg_current_xact_id(),
      kind text NOT NULL,
      entity text COLLATE "C" NOT NULL,
      entity_id text COLLATE "C" NOT NULL,
      data text,
      removed text[] NOT NULL,
      author text COLLATE "C",
      time timestamptz NOT NULL DEFAULT clock_timestamp(),
      reason text CHECK (reason <> '')
    );
    CREATE INDEX outbox_waiting ON rhtmx.outbox(transaction, id) WHERE reason IS NULL;
    CREATE VIEW rhtmx.rejected AS SELECT * FROM rhtmx.outbox WHERE reason IS NOT NULL;
    """,
)
"""Step n turns format n into format n + 1. Add steps, never change one."""

FORMAT = len(_STEPS)
"""The format that this version of the program reads and writes."""

COPY_NOTE = "copy"
"""Under this `meta` has how far a copy is."""

WRITER = "writer"
"""Under this `meta` has the name of the server that may write."""

CLUSTER = "cluster"
"""Under this `meta` has what the nodes that share the schema know each other by."""

ANY_WRITER = ""
"""The name of each server that is not alone."""

_OURS = "rhtmx-server: do not change by hand"
_IS_OURS = """
    SELECT obj_description(oid, 'pg_namespace'),
      EXISTS (SELECT FROM pg_class WHERE relnamespace = n.oid)
    FROM pg_namespace n WHERE nspname = $1"""
_TABLE = "SELECT 'rhtmx.meta'::regclass::oid::text"
_SHORTEN_FORMER = """
    UPDATE rhtmx.epochs SET upto = least(epochs.upto, newest.upto)
    FROM rhtmx.entities CROSS JOIN LATERAL (
      SELECT upto FROM rhtmx.log WHERE log.entity = entities.entity ORDER BY base DESC LIMIT 1
    ) AS newest
    WHERE entities.entity = epochs.entity"""
_SHORTEN_TOLD = _SHORTEN_FORMER.replace("epochs", "told")
_KEEP_FORMER = """
    INSERT INTO rhtmx.epochs
    SELECT $1, entities.entity, newest.upto FROM rhtmx.entities CROSS JOIN LATERAL (
      SELECT upto FROM rhtmx.log WHERE log.entity = entities.entity ORDER BY base DESC LIMIT 1
    ) AS newest
    ON CONFLICT DO NOTHING"""
_LIFE = """
    SELECT value, (SELECT split_part(value, ' ', 1) FROM rhtmx.meta WHERE key = 'lineage')
      = substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8),
      (extract(epoch FROM clock_timestamp()) * 1000000)::bigint
    FROM rhtmx.meta WHERE key = 'epoch'"""
_NOTE_ONCE = """
    INSERT INTO rhtmx.meta VALUES ($1, replace(gen_random_uuid()::text, '-', ''))
    ON CONFLICT DO NOTHING"""
_META = "SELECT value FROM rhtmx.meta WHERE key = $1"
_NOTE = """
    INSERT INTO rhtmx.meta VALUES ($1, $2)
    ON CONFLICT (key) DO UPDATE SET value = excluded.value"""


async def migrate(session: Session, schema: str, lineage: str, new_epoch: Callable[[], str]) -> str:
    """Bring the schema to `FORMAT`, and return its epoch. To be called in a transaction.

    Args:
        session: with the database.
        schema: the name of the schema.
        lineage: which history of the cluster this is. Another one than when the epoch was made
            (or another table): a standby was promoted, or a backup restored, and may lack what
            clients have seen.
        new_epoch: makes an epoch.

    Raises:
        RhtmxError: `STORAGE_FAILED`, the schema is somebody else's, or of a later version, or
            the database cannot hold every text.
    """
    encoding = await session.value("SHOW server_encoding")
    if encoding != "UTF8":
        raise failed(
            f"the database is in {encoding}, which cannot hold every text: create one with "
            "ENCODING 'UTF8' TEMPLATE template0"
        )
    # Two servers that start at once would else make the same tables.
    await session.run("SELECT pg_advisory_xact_lock(hashtext($1))", f"rhtmx tables {schema}")
    words, is_used = await session.row(_IS_OURS, schema) or (None, None)
    if is_used and words != _OURS:
        raise failed(
            f"the schema {schema} of the database has tables of another program: "
            "choose another one, with ?schema=… at the end of the URL"
        )
    if is_used is None:
        await session.run(f'CREATE SCHEMA "{schema}"')
    if words != _OURS:
        await session.run(f"COMMENT ON SCHEMA \"{schema}\" IS '{_OURS}'")
    found = int(await session.value(_META, "format")) if is_used else 0
    if found > FORMAT:
        raise failed(
            f"the schema {schema} has format {found}, written by a later version of rhtmx-server; "
            f"this one knows formats up to {FORMAT}: install the later version again"
        )
    for step in _STEPS[found:]:
        await session.run(step)
    await session.run(writing.FUNCTIONS)
    await session.run(outbox.FUNCTIONS)
    await session.run(_NOTE, "format", str(FORMAT))
    await session.run(_NOTE_ONCE, CLUSTER)
    return await _epoch(session, lineage, new_epoch)


async def _epoch(session: Session, lineage: str, new_epoch: Callable[[], str]) -> str:
    # A dump that was restored, into the same cluster too, has made the table anew.
    lineage += f" {await session.value(_TABLE)}"
    epoch: str | None = await session.value(_META, "epoch")
    if epoch is None or await session.value(_META, "lineage") != lineage:
        if epoch is not None:
            # What there is now, is what there was then, but for an end that may be lost: up to
            # here positions of before still count. Nobody writes before this is done.
            await session.run(_SHORTEN_FORMER)
            await session.run(_SHORTEN_TOLD)
            await session.run(_KEEP_FORMER, epoch)
        epoch = new_epoch()
        await session.run(_NOTE, "epoch", epoch)
        await session.run(_NOTE, "lineage", lineage)
    return epoch


async def write_epoch(session: Session, epoch: str) -> None:
    """Replace the store's epoch, and let no position of another one count."""
    await session.run(_NOTE, "epoch", epoch)
    await session.run("DELETE FROM rhtmx.epochs")
    await session.run(_SHORTEN_TOLD)


async def read_life(session: Session) -> tuple[str, bool, int]:
    """The epoch, whether the database lives the life in which it was made, and its clock."""
    epoch, is_same, now = await session.row(_LIFE) or ("", False, 0)
    return epoch, is_same, now


async def read_former(session: Session) -> dict[tuple[str, str], int]:
    """By epoch and entity, up to which version positions of former epochs still count."""
    rows = await session.rows("SELECT epoch, entity, upto FROM rhtmx.epochs")
    return {(epoch, entity): upto for epoch, entity, upto in rows}


async def read_meta(session: Session, key: str) -> str | None:
    """What is noted under a key."""
    value: str | None = await session.value(_META, key)
    return value


async def read_cluster(session: Session) -> str:
    """By what the nodes that share the schema know each other."""
    return str(await session.value(_META, CLUSTER))


async def read_copy_note(session: Session) -> str | None:
    """Read the note of a copy into this schema that is under way; `None` for none."""
    return await read_meta(session, COPY_NOTE)


async def write_meta(session: Session, key: str, value: str) -> None:
    """Note something under a key."""
    await session.run(_NOTE, key, value)


async def forget(session: Session, key: str) -> None:
    """Note nothing under a key any more."""
    await session.run("DELETE FROM rhtmx.meta WHERE key = $1", key)
