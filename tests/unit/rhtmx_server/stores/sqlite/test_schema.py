from __future__ import annotations

from collections.abc import Iterator

import apsw
import pytest

from rhtmx.errors import RhtmxError
from rhtmx_server.model import ClientRow
from rhtmx_server.ports import BatchNeeds
from rhtmx_server.stores.sqlite import schema
from rhtmx_server.stores.sqlite.queries import read_client, read_snapshot
from rhtmx_server.stores.sqlite.schema import APPLICATION_ID, FORMAT, check_identity, migrate


@pytest.fixture
def connection() -> Iterator[apsw.Connection]:
    made = apsw.Connection("")
    yield made
    made.close()


def test_a_new_file_gets_the_tables_the_mark_and_an_epoch(connection: apsw.Connection) -> None:
    check_identity(connection, "app.db")
    assert migrate(connection, lambda: "e1") == "e1"
    assert connection.pragma("application_id") == APPLICATION_ID
    assert connection.pragma("user_version") == FORMAT
    tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_schema")}
    assert {"meta", "entities", "records", "history", "clients", "outcomes"} <= tables


def test_a_file_of_ours_keeps_its_epoch(connection: apsw.Connection) -> None:
    migrate(connection, lambda: "e1")
    check_identity(connection, "app.db")
    assert migrate(connection, lambda: "e2") == "e1"


def test_an_older_format_takes_the_steps_that_it_lacks(
    connection: apsw.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    migrate(connection, lambda: "e1")
    later = (*schema._STEPS, "ALTER TABLE records ADD COLUMN note TEXT")
    monkeypatch.setattr(schema, "_STEPS", later)
    monkeypatch.setattr(schema, "FORMAT", len(later))
    migrate(connection, lambda: "e2")
    assert connection.pragma("user_version") == len(later)
    assert connection.execute("SELECT note FROM records").fetchall() == []


def test_a_file_of_before_the_secrets_keeps_its_clients_and_counts_them(
    connection: apsw.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as before:
        before.setattr(schema, "_STEPS", schema._STEPS[:1])
        before.setattr(schema, "FORMAT", 1)
        migrate(connection, lambda: "e1")
    for client_id in ("c", "d"):
        connection.execute(
            "INSERT INTO clients(client_id, subject, last_seq, seen) VALUES (?, '', 7, 5)",
            (client_id,),
        )
    assert migrate(connection, lambda: "e2") == "e1"
    assert read_client(connection.cursor(), "c") == ClientRow("c", "", 7, 5, None)
    seen = read_snapshot(connection.cursor(), BatchNeeds(clients=["c", "new"]))
    assert (seen.known, connection.pragma("user_version")) == (2, FORMAT)


def test_a_step_that_fails_leaves_the_file_as_it_was(
    connection: apsw.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(schema, "_STEPS", (*schema._STEPS, "NOT SQL"))
    with pytest.raises(apsw.SQLError):
        migrate(connection, lambda: "e1")
    assert connection.pragma("user_version") == 0
    assert connection.execute("SELECT count(*) FROM sqlite_schema").get == 0


def test_a_later_format_is_refused_in_words(connection: apsw.Connection) -> None:
    migrate(connection, lambda: "e1")
    connection.pragma("user_version", FORMAT + 1)
    with pytest.raises(RhtmxError, match=rf"app.db has format {FORMAT + 1}.*later version"):
        check_identity(connection, "app.db")


@pytest.mark.parametrize(
    "statement", ["CREATE TABLE theirs(a)", "PRAGMA application_id = 252006673"]
)
def test_the_database_of_another_program_is_refused(
    connection: apsw.Connection, statement: str
) -> None:
    connection.execute(statement)
    with pytest.raises(RhtmxError, match=r"app.db is the database of another program"):
        check_identity(connection, "app.db")


def test_a_page_of_records_is_one_walk_through_an_index(connection: apsw.Connection) -> None:
    migrate(connection, lambda: "e1")
    plan = connection.execute(
        "EXPLAIN QUERY PLAN SELECT * FROM records "
        "WHERE entity = ? AND version > ? AND version <= ? ORDER BY version LIMIT ?",
        ("tasks", 0, 1, 1),
    ).fetchall()
    steps = [str(step[3]) for step in plan]
    assert steps == [
        "SEARCH records USING INDEX records_by_version (entity=? AND version>? AND version<?)"
    ]
