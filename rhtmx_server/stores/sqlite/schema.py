"""The tables, and how a file comes from one format to the next.

Knows SQL and the identity of our files. Must not know what the rows mean.

Measured for the layout, in batches of 64 pushes with fsync: what a commit costs
is the number of pages it touches. So what grows by every push (history,
outcomes) is appended in row-id order, and only narrow indexes are touched
elsewhere; a clustered `outcomes` made batches a third slower, and with a
client's row id instead of its name the index of `outcomes` takes half the
pages. A wider index on `records` that covers `since` reads twice as fast and
writes a third slower.

The parts of divided entities, in batches of 64 updates of 100,000 records in 1,000
parts: an undivided entity takes 139 pages and 2.0 ms; rows of texts (entity, part,
entity_id) with an index by version 311 pages and 4.0 ms, with row ids 301 and 4.1, with
a number for each part 279 and 3.7. Rows by (part, version), which find the record and
are found by what stands in it, 211 and 3.3: an update touches one page for each
part, and only departures have indexes.
"""

from __future__ import annotations

from collections.abc import Callable

import apsw

from rhtmx_server.stores.sqlite.failures import failed

__all__ = ["APPLICATION_ID", "FORMAT", "check_identity", "migrate"]

APPLICATION_ID = 0x7268746D
"""Marks a SQLite file as ours: "rhtm" in ASCII."""

_STEPS = (
    """
    CREATE TABLE meta(
      key TEXT PRIMARY KEY,
      value TEXT NOT NULL
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE entities(
      entity TEXT PRIMARY KEY,
      version INTEGER NOT NULL,
      floor INTEGER NOT NULL DEFAULT 0
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE records(
      id INTEGER PRIMARY KEY,
      entity TEXT NOT NULL,
      entity_id TEXT NOT NULL,
      version INTEGER NOT NULL,
      action INTEGER NOT NULL,
      data BLOB,
      client_id TEXT,
      time INTEGER NOT NULL,
      clocks BLOB,
      UNIQUE(entity, entity_id)
    ) STRICT;
    CREATE UNIQUE INDEX records_by_version ON records(entity, version);
    CREATE INDEX tombstones_by_time ON records(time) WHERE action = 3;

    CREATE TABLE history(
      id INTEGER PRIMARY KEY,
      entity TEXT NOT NULL,
      entity_id TEXT NOT NULL,
      version INTEGER NOT NULL,
      action INTEGER NOT NULL,
      data BLOB,
      client_id TEXT,
      time INTEGER NOT NULL,
      form INTEGER NOT NULL,
      lost INTEGER NOT NULL
    ) STRICT;
    CREATE INDEX history_by_version ON history(entity, version);
    CREATE INDEX history_by_time ON history(time);

    CREATE TABLE clients(
      id INTEGER PRIMARY KEY,
      client_id TEXT NOT NULL UNIQUE,
      subject TEXT NOT NULL,
      last_seq INTEGER NOT NULL,
      seen INTEGER NOT NULL
    ) STRICT;

    CREATE TABLE outcomes(
      id INTEGER PRIMARY KEY,
      client INTEGER NOT NULL,
      seq INTEGER NOT NULL,
      digest BLOB NOT NULL,
      reply BLOB NOT NULL,
      rejected INTEGER NOT NULL,
      UNIQUE(client, seq)
    ) STRICT;
    """,
    # To count a million clients takes milliseconds, so they are counted as they come and go.
    """
    ALTER TABLE clients ADD COLUMN secret BLOB;
    INSERT INTO meta SELECT 'clients', count(*) FROM clients;
    CREATE TRIGGER client_came AFTER INSERT ON clients BEGIN
      UPDATE meta SET value = value + 1 WHERE key = 'clients';
    END;
    CREATE TRIGGER client_went AFTER DELETE ON clients BEGIN
      UPDATE meta SET value = value - 1 WHERE key = 'clients';
    END;
    """,
    # `records.parts` may name a part that is gone: so no number is given out twice.
    """
    CREATE TABLE parts(
      id INTEGER PRIMARY KEY AUTOINCREMENT,
      entity TEXT NOT NULL,
      part TEXT NOT NULL,
      UNIQUE(entity, part)
    ) STRICT;

    CREATE TABLE members(
      part INTEGER NOT NULL,
      version INTEGER NOT NULL,
      record INTEGER,
      entity_id TEXT,
      time INTEGER,
      PRIMARY KEY(part, version)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX departures ON members(entity_id, part) WHERE entity_id IS NOT NULL;
    CREATE INDEX departures_by_time ON members(time) WHERE time IS NOT NULL;
    ALTER TABLE records ADD COLUMN parts BLOB;
    """,
    """
    ALTER TABLE records ADD COLUMN entered INTEGER;
    """,
    # The history of one record is a walk from commit to commit by `history_by_version`: an index
    # by record would be one more page for each commit.
    """
    ALTER TABLE history ADD COLUMN previous INTEGER;
    """,
    # Fields that never leave the server. Only here: the history is read by those who are told.
    """
    ALTER TABLE records ADD COLUMN hidden BLOB;
    """,
    # In the place of an index, whose rows would have to go at once: see `versions`.
    """
    CREATE TABLE versions(
      entity TEXT NOT NULL,
      version INTEGER NOT NULL,
      record INTEGER NOT NULL,
      PRIMARY KEY(entity, version)
    ) STRICT, WITHOUT ROWID;
    INSERT INTO versions SELECT entity, version, id FROM records ORDER BY entity, version;
    DROP INDEX records_by_version;
    """,
)
"""Step n turns format n into format n + 1. Add steps, never change one."""

FORMAT = len(_STEPS)
"""The format that this version of the program reads and writes."""


def check_identity(connection: apsw.Connection, name: str) -> None:
    """Refuse a database of another program, or of a later version of this one.

    Reads only: whatever the file is, it stays as it is.

    Args:
        connection: the opened file.
        name: what to call it.

    Raises:
        RhtmxError: `STORAGE_FAILED`, in words for whoever starts the server.
    """
    application_id = connection.pragma("application_id")
    # A new file has no id either; but neither have most databases of other programs.
    empty = connection.execute("SELECT count(*) = 0 FROM sqlite_schema").get
    if application_id != APPLICATION_ID and not (application_id == 0 and empty):
        raise failed(f"{name} is the database of another program: choose another file")
    found = connection.pragma("user_version")
    if found > FORMAT:
        raise failed(
            f"{name} has format {found}, written by a later version of rhtmx-server; "
            f"this one knows formats up to {FORMAT}: install the later version again"
        )


def migrate(connection: apsw.Connection, new_epoch: Callable[[], str]) -> str:
    """Bring the file to `FORMAT`, all or nothing, and return its epoch.

    Args:
        connection: the opened file, its identity checked.
        new_epoch: makes the epoch of a new file.
    """
    # One transaction for all steps: a server that dies here finds the old format again.
    with connection:
        for step in _STEPS[connection.pragma("user_version") :]:
            connection.execute(step)
        connection.pragma("application_id", APPLICATION_ID)
        connection.pragma("user_version", FORMAT)
        connection.execute(
            "INSERT INTO meta VALUES ('epoch', ?) ON CONFLICT DO NOTHING", (new_epoch(),)
        )
    return str(connection.execute("SELECT value FROM meta WHERE key = 'epoch'").get)
