"""The SQL of the outbox and its triggers does in SQLite what it says; of PostgreSQL, its shape."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator

import pytest

from rhtmx_server.mirror.host import HostTrigger, MirrorSetupError
from rhtmx_server.mirror.triggers import (
    amiss,
    drop_outbox_statements,
    drop_statements,
    outbox_statements,
    trigger_name,
    trigger_statements,
    triggers_query,
)

TABLE = 'the "orders"'
QUOTED = '"the ""orders"""'


@pytest.fixture
def database() -> Iterator[sqlite3.Connection]:
    made = sqlite3.connect(":memory:", isolation_level=None)
    made.execute('CREATE TABLE "the ""orders""" ("no\'" INTEGER PRIMARY KEY, title TEXT UNIQUE)')
    for each in (*outbox_statements("sqlite"), *trigger_statements("sqlite", TABLE, "no'")):
        made.execute(each)
    yield made
    made.close()


def noted(database: sqlite3.Connection) -> list[str]:
    """The keys that the outbox has; then it has none."""
    found = database.execute("SELECT table_name, row_key FROM rhtmx_outbox ORDER BY id").fetchall()
    database.execute("DELETE FROM rhtmx_outbox")
    assert {table for table, _ in found} <= {TABLE}
    return [key for _, key in found]


def write(database: sqlite3.Connection, statement: str) -> list[str]:
    """Run a statement about the table, `{}`; returns what is noted."""
    database.execute(statement.replace("{}", QUOTED).replace("no", '"no\'"'))
    return noted(database)


def test_each_row_that_is_written_is_noted(database: sqlite3.Connection) -> None:
    assert write(database, "INSERT INTO {} VALUES (1, 'a'), (2, 'b')") == ["1", "2"]
    assert write(database, "UPDATE {} SET title = 'c' WHERE no = 1") == ["1"]
    assert write(database, "DELETE FROM {}") == ["1", "2"]


def test_a_row_that_gets_another_key_is_noted_under_both(database: sqlite3.Connection) -> None:
    write(database, "INSERT INTO {} VALUES (1, 'a')")
    assert write(database, "UPDATE {} SET no = 7") == ["1", "7"]


def test_what_is_rolled_back_is_not_noted(database: sqlite3.Connection) -> None:
    database.execute("BEGIN")
    database.execute('INSERT INTO "the ""orders""" VALUES (1, \'a\')')
    database.execute("ROLLBACK")
    assert noted(database) == []


def test_the_program_is_told_the_number_of_its_own_row(database: sqlite3.Connection) -> None:
    for number in (40, 50):
        done = database.execute('INSERT INTO "the ""orders""" VALUES (?, ?)', (number, str(number)))
        assert done.lastrowid == number


def test_a_number_of_the_outbox_is_never_given_twice(database: sqlite3.Connection) -> None:
    write(database, "INSERT INTO {} VALUES (1, 'a')")
    database.execute('UPDATE "the ""orders""" SET title = \'b\'')
    assert database.execute("SELECT id FROM rhtmx_outbox").fetchall() == [(2,)]


def test_they_may_be_made_again_and_taken_away(database: sqlite3.Connection) -> None:
    query = triggers_query("sqlite", TABLE)
    for each in (*outbox_statements("sqlite"), *trigger_statements("sqlite", TABLE, "no'")):
        database.execute(each)
    there = [HostTrigger(*row) for row in database.execute(query)]
    assert trigger_name(TABLE) in {each.name for each in there}
    assert amiss("sqlite", TABLE, "no'", there) == ""
    assert "for another key" in amiss("sqlite", TABLE, "title", there)
    assert "missing" in amiss("sqlite", TABLE, "no'", there[1:])
    for each in drop_statements("sqlite", TABLE):
        database.execute(each)
    assert database.execute(query).fetchall() == []
    for each in drop_outbox_statements():
        database.execute(each)


def test_a_row_without_a_key_is_none(database: sqlite3.Connection) -> None:
    for each in trigger_statements("sqlite", TABLE, "title"):
        database.execute(each)
    assert write(database, "INSERT INTO {} VALUES (1, NULL)") == []
    assert write(database, "UPDATE {} SET title = 'a'") == ["a"]
    assert write(database, "UPDATE {} SET title = NULL") == ["a"]


def test_a_key_of_several_columns_has_one_text(database: sqlite3.Connection) -> None:
    for each in trigger_statements("sqlite", TABLE, ["title", "no'"]):
        database.execute(each)
    assert write(database, "INSERT INTO {} VALUES (1, 'a,b%')") == ["a%2Cb%25,1"]
    assert write(database, "UPDATE {} SET no = 2") == ["a%2Cb%25,1", "a%2Cb%25,2"]


def test_triggers_follow_a_table_and_a_column_that_are_renamed(
    database: sqlite3.Connection,
) -> None:
    database.execute('ALTER TABLE "the ""orders""" RENAME COLUMN "no\'" TO "number"')
    there = [HostTrigger(*row) for row in database.execute(triggers_query("sqlite", TABLE))]
    assert amiss("sqlite", TABLE, "number", there) == ""
    assert amiss("sqlite", TABLE, "no'", there) != ""


def test_on_sqlite_a_table_of_another_file_is_refused() -> None:
    with pytest.raises(MirrorSetupError, match="a trigger sees its own file only"):
        trigger_statements("sqlite", "main.orders", "id")


def test_names_that_postgresql_would_cut_stay_apart() -> None:
    long = "a" * 70
    names = {trigger_name(long + end) for end in ("b", "c")}
    assert len(names) == 2
    assert all(len(each) <= 63 for each in names)


def test_in_postgresql_the_function_is_in_the_schema_of_the_table() -> None:
    made = "\n".join(trigger_statements("postgresql", "shop.orders", "id", "shop.out"))
    assert 'FUNCTION "shop"."out_orders"()' in made
    assert 'INSERT INTO "shop"."out" (table_name, row_key) VALUES (\'shop.orders\'' in made


def test_other_databases_are_refused() -> None:
    with pytest.raises(MirrorSetupError, match="'mysql' cannot be mirrored"):
        outbox_statements("mysql")
