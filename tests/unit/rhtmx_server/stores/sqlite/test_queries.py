"""The parts of SQL that speed depends on; tests/contract has what is read and written."""

from __future__ import annotations

from collections.abc import Iterator

import apsw
import pytest

from rhtmx_server.model import ClientRow, Outcome
from rhtmx_server.ports import BatchNeeds
from rhtmx_server.stores.sqlite import queries
from rhtmx_server.stores.sqlite.schema import migrate
from tests.contract.builders import record, writing


@pytest.fixture
def connection() -> Iterator[apsw.Connection]:
    made = apsw.Connection("")
    migrate(made, lambda: "e")
    yield made
    made.close()


def looked_up(connection: apsw.Connection, wanted: BatchNeeds) -> list[str]:
    """The tables that a snapshot asks, one name for each statement that runs."""
    tables: list[str] = []

    def trace(_: apsw.Cursor, statement: str, bindings: object) -> bool:
        tables.append(statement.split("FROM")[1].split()[0])
        return True

    connection.exec_trace = trace
    queries.read_snapshot(connection.cursor(), wanted)
    return tables


def test_a_number_that_is_new_is_not_looked_up(connection: apsw.Connection) -> None:
    queries.write(
        connection.cursor(),
        writing(clients=[ClientRow("c", "", 4, 0)], outcomes=[Outcome("c", 4, b"", b"")]),
    )
    new = BatchNeeds(clients=["c", "d"], outcomes=[("c", 5), ("c", 6), ("d", 1)])
    assert looked_up(connection, new) == ["clients", "clients", "meta"]  # d is new: how many are?
    seen = BatchNeeds(clients=["c"], outcomes=[("c", 5)])
    assert looked_up(connection, seen) == ["clients"]
    again = BatchNeeds(clients=["c"], outcomes=[("c", 4), ("c", 5)])
    assert looked_up(connection, again) == ["clients", "outcomes"]


def test_each_entity_is_asked_for_its_head_once(connection: apsw.Connection) -> None:
    wanted = BatchNeeds(records=[("tasks", str(number)) for number in range(3)])
    assert looked_up(connection, wanted) == ["entities", "records", "records", "records"]


def test_a_record_keeps_its_row_when_it_is_written_again(connection: apsw.Connection) -> None:
    cursor = connection.cursor()
    queries.write(cursor, writing(record("1", 1)))
    queries.write(cursor, writing(record("1", 2)))
    assert cursor.execute("SELECT id, version FROM records").fetchall() == [(1, 2)]


def test_the_epoch_is_replaced(connection: apsw.Connection) -> None:
    queries.write_epoch(connection.cursor(), "f")
    assert migrate(connection, lambda: "g") == "f"
