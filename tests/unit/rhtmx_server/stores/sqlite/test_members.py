"""How parts lie in the file; tests/contract has what a store says of them."""

from __future__ import annotations

from collections.abc import Iterator

import apsw
import pytest

from rhtmx_server.model import PartRow
from rhtmx_server.ports import BatchNeeds
from rhtmx_server.stores.paging import BATCH_BYTES
from rhtmx_server.stores.sqlite import members, queries
from rhtmx_server.stores.sqlite.schema import migrate
from tests.contract.builders import record, writing


@pytest.fixture
def connection() -> Iterator[apsw.Connection]:
    made = apsw.Connection("")
    migrate(made, lambda: "e")
    yield made
    made.close()


def put_in(cursor: apsw.Cursor, entity_id: str, version: int, *parts: str) -> None:
    writes = writing(record(entity_id, version))
    writes.parts = [PartRow("tasks", part, entity_id, version, 0) for part in parts]
    queries.write(cursor, writes)


def statements(connection: apsw.Connection) -> list[str]:
    """What is run from now on."""
    run: list[str] = []

    def trace(_: apsw.Cursor, statement: str, bindings: object) -> bool:
        run.append(statement)
        return True

    connection.exec_trace = trace
    return run


def test_a_record_without_parts_costs_no_statement_more(connection: apsw.Connection) -> None:
    run = statements(connection)
    queries.write(connection.cursor(), writing(record("1", 1)))
    assert [statement for statement in run if "members" in statement or "parts" in statement] == []
    assert len(run) == 5  # head, last row, record, version, history


def test_a_record_that_stays_in_its_part_moves_one_row(connection: apsw.Connection) -> None:
    put_in(connection.cursor(), "1", 1, "red")
    run = statements(connection)
    put_in(connection.cursor(), "1", 2, "red")
    assert [one.split()[0] for one in run if "members" in one] == ["UPDATE"]
    assert connection.execute("SELECT * FROM members").fetchall() == [(1, 2, 1, None, None)]


def test_an_update_that_keeps_its_parts_reads_nothing_of_them(connection: apsw.Connection) -> None:
    cursor, known = connection.cursor(), members.Known()
    for version in (1, 2):
        run = statements(connection)
        queries.read_snapshot(cursor, BatchNeeds(records=[("tasks", "1")]), known)
        writes = writing(record("1", version))
        writes.parts = [PartRow("tasks", part, "1", version, 0) for part in ("red", "hot")]
        queries.write(cursor, writes, known)
    about_parts = [one for one in run if "members" in one or "parts " in one]
    assert about_parts == [members._STAY] * 2
    # The head and the record are read; these two, the version and the history are written.
    assert len(run) == 6 + 2


@pytest.mark.parametrize(
    ("statement", "bindings", "found_by"),
    [
        (members._ROWS, (1, 0, 9, 9), "PRIMARY KEY (part=? AND version>? AND version<?)"),
        (members._LEFT_LATER, ("1", 1), "INDEX departures (entity_id=?)"),
        (members._FORGET_LEFT, ("1", 1), "INDEX departures (entity_id=? AND part=?)"),
        (members._STAY, (2, 1, 1), "PRIMARY KEY (part=? AND version=?)"),
        (members._PART, ("tasks", "red"), "(entity=? AND part=?)"),
    ],
)
def test_a_row_is_found_without_a_walk(
    connection: apsw.Connection, statement: str, bindings: tuple[object, ...], found_by: str
) -> None:
    plan = connection.execute(f"EXPLAIN QUERY PLAN {statement}", bindings).fetchall()
    (step,) = [str(each[3]) for each in plan]
    assert step.startswith("SEARCH")
    assert step.endswith(found_by)


def test_a_page_of_many_parts_looks_once_at_each_for_a_few_rows(
    connection: apsw.Connection,
) -> None:
    cursor = connection.cursor()
    for n in range(1, 301):
        put_in(cursor, str(n), n, f"p{n % 100}")
    limits: list[int] = []

    def trace(_: apsw.Cursor, statement: str, bindings: tuple[int, ...]) -> bool:
        if "FROM members" in statement:
            limits.append(bindings[-1])
        return True

    connection.exec_trace = trace  # type: ignore[assignment]
    parts = [f"p{n}" for n in range(100)]
    page = members.read_in(cursor, "tasks", parts, 0, 999, 50, clocks=True)
    assert [one.version for one in page] == list(range(1, 51))
    assert len(limits) == 100
    assert sum(limits) <= 400


def test_the_number_of_a_part_that_is_gone_is_not_given_out_again(
    connection: apsw.Connection,
) -> None:
    cursor = connection.cursor()
    put_in(cursor, "1", 1, "red")
    members.begin_dividing(cursor, "tasks")
    members.forget_some(cursor, "tasks")
    put_in(cursor, "1", 2, "blue")  # while its row still says that it is in `red`
    assert [one.version for one in members.read_in(cursor, "tasks", ["blue"], 0, 9, 9, clocks=True)]


def test_dividing_goes_on_by_some_records_at_a_time(connection: apsw.Connection) -> None:
    cursor = connection.cursor()
    queries.write(cursor, writing(*(record(str(n), n) for n in range(1, 502))))
    ends = [0]
    while (end := members.divide_some(cursor, "tasks", ends[-1], lambda _: ["a", "b"])) is not None:
        ends.append(end)
    assert ends == [0, 250, 500, 501]
    assert members.forget_some(cursor, "tasks") == 500
    assert members.forget_some(cursor, "tasks") == 500
    assert members.forget_some(cursor, "tasks") == 4
    assert connection.execute("SELECT count(*) FROM members").get == 0
    assert connection.execute("SELECT count(*) FROM parts").get == 0


def test_dividing_takes_fewer_records_at_a_time_where_they_are_large(
    connection: apsw.Connection,
) -> None:
    cursor = connection.cursor()
    large = b'"' + bytes(BATCH_BYTES // 2) + b'"'
    queries.write(cursor, writing(*(record(str(n), n, large) for n in range(1, 5))))
    assert members.divide_some(cursor, "tasks", 0, lambda _: ["a"]) == 2
