from __future__ import annotations

from collections.abc import Iterator

import apsw
import msgspec
import pytest

from rhtmx.errors import RhtmxError
from rhtmx.messages import ChangeAction
from rhtmx_server.model import ClientRow, Granularity, HistoryEntry, Record
from rhtmx_server.ports import BatchNeeds, BatchWrites
from rhtmx_server.stores.sqlite import schema
from rhtmx_server.stores.sqlite.queries import (
    read_client,
    read_commits,
    read_record,
    read_since,
    read_snapshot,
    write,
)
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


def test_a_file_of_before_the_chain_knows_of_no_commit_which_one_was_before_it(
    connection: apsw.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as before:
        before.setattr(schema, "_STEPS", schema._STEPS[:4])
        before.setattr(schema, "FORMAT", 4)
        migrate(connection, lambda: "e1")
    for version in (1, 2):
        connection.execute(
            "INSERT INTO history(entity, entity_id, version, action, data, time, form, lost) "
            "VALUES ('tasks', '1', ?, 2, x'7B7D', 5, 1, 0)",
            (version,),
        )
    migrate(connection, lambda: "e2")
    cursor = connection.cursor()
    old = Record("tasks", "1", 2, ChangeAction.UPDATE, b"{}", None, 5)
    page = read_commits(cursor, old, None, None, None, 10)
    assert ([each.record.version for each in page], page.next, page.whole) == ([2], None, False)
    newer = msgspec.structs.replace(old, version=3)
    entry = HistoryEntry(newer, Granularity.RECORDS, previous=2)
    write(cursor, BatchWrites(records=[newer], heads={"tasks": 3}, history=[entry]))
    page = read_commits(cursor, newer, None, None, None, 10)
    assert ([each.record.version for each in page], page.next, page.whole) == ([3, 2], None, False)


def test_a_record_of_before_hidden_fields_has_none_and_may_get_some(
    connection: apsw.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as before:
        before.setattr(schema, "_STEPS", schema._STEPS[:5])
        before.setattr(schema, "FORMAT", 5)
        migrate(connection, lambda: "e1")
    connection.execute(
        "INSERT INTO records(entity, entity_id, version, action, data, time, parts, entered) "
        "VALUES ('tasks', '1', 1, 2, x'7B7D', 5, x'5B5D', 1)"
    )
    migrate(connection, lambda: "e2")
    cursor = connection.cursor()
    old = Record("tasks", "1", 1, ChangeAction.UPDATE, b"{}", None, 5, entered=1)
    assert read_record(cursor, "tasks", "1") == old
    new = msgspec.structs.replace(old, version=2, hidden=b'{"note":1}')
    write(cursor, BatchWrites(records=[new], heads={"tasks": 2}))
    assert read_record(cursor, "tasks", "1") == new


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


def test_a_file_of_before_has_its_records_in_the_order_of_their_versions(
    connection: apsw.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as before:
        before.setattr(schema, "_STEPS", schema._STEPS[:6])
        before.setattr(schema, "FORMAT", 6)
        migrate(connection, lambda: "e1")
    for name, version in (("a", 3), ("b", 1), ("c", 2)):
        connection.execute(
            "INSERT INTO records(entity, entity_id, version, action, time) VALUES (?, ?, ?, 1, 0)",
            ("tasks", name, version),
        )
    migrate(connection, lambda: "e1")
    page = read_since(connection.cursor(), "tasks", 0, 9, 9)
    assert [(each.entity_id, each.version) for each in page] == [("b", 1), ("c", 2), ("a", 3)]
