"""The steps; tests/contract has what becomes of a store in all of them."""

from __future__ import annotations

from collections.abc import Iterator

import apsw
import pytest

from rhtmx_server.model import PartRow
from rhtmx_server.stores.sqlite import queries, retention
from rhtmx_server.stores.sqlite.retention import CHUNK
from rhtmx_server.stores.sqlite.schema import migrate
from tests.contract.builders import record, writing


@pytest.fixture
def cursor() -> Iterator[apsw.Cursor]:
    connection = apsw.Connection("")
    migrate(connection, lambda: "e")
    yield connection.cursor()
    connection.close()


@pytest.mark.parametrize("step", [retention.forget_history, retention.forget_tombstones])
def test_a_step_takes_a_chunk_at_most_and_says_how_much(
    cursor: apsw.Cursor, step: retention.CollectStep
) -> None:
    many = [record(str(n), n, deleted=True, time=0) for n in range(1, CHUNK + 3)]
    queries.write(cursor, writing(*many))
    assert [step(cursor, 1) for _ in range(3)] == [CHUNK, 2, 0]


def test_the_floor_rises_in_the_step_that_takes_the_tombstone(cursor: apsw.Cursor) -> None:
    many = [record(str(n), n, deleted=True, time=n) for n in range(1, CHUNK + 3)]
    queries.write(cursor, writing(*many))
    floors = []
    for _ in range(2):
        retention.forget_tombstones(cursor, 1_000_000)
        floors.append(queries.read_heads(cursor)["tasks"].floor)
    assert floors == [CHUNK, CHUNK + 2]


def leave(cursor: apsw.Cursor, count: int) -> None:
    """Put records into a part, and take them out again at version `count` + n, time n."""
    for left in (False, True):
        many = [record(str(n), n + left * count, time=n) for n in range(1, count + 1)]
        writes = writing(*many)
        writes.parts = [
            PartRow("tasks", "red", one.entity_id, one.version, one.time, left) for one in many
        ]
        queries.write(cursor, writes)


def test_the_floor_rises_in_the_step_that_takes_the_departure(cursor: apsw.Cursor) -> None:
    leave(cursor, CHUNK + 2)
    floors, steps = [], []
    for _ in range(3):
        steps.append(retention.forget_departures(cursor, 1_000_000))
        floors.append(queries.read_heads(cursor)["tasks"].floor)
    assert steps == [CHUNK, 2, 0]
    assert floors == [2 * CHUNK + 2, 2 * CHUNK + 4, 2 * CHUNK + 4]


def test_a_part_is_forgotten_with_its_last_departure(cursor: apsw.Cursor) -> None:
    leave(cursor, 2)
    parts = []
    for before in (1, 2, 3):
        retention.forget_departures(cursor, before)
        parts.append(cursor.execute("SELECT count(*) FROM parts").get)
    assert parts == [1, 1, 0]


def test_a_part_that_has_a_record_is_kept(cursor: apsw.Cursor) -> None:
    leave(cursor, 1)
    writes = writing(record("2", 3))
    writes.parts = [PartRow("tasks", "red", "2", 3, 3)]
    queries.write(cursor, writes)
    assert retention.forget_departures(cursor, 100) == 1
    assert cursor.execute("SELECT part FROM parts").get == "red"


def test_old_departures_are_found_through_an_index(cursor: apsw.Cursor) -> None:
    explained = f"EXPLAIN QUERY PLAN {retention._OLD_DEPARTURES}"
    first, second = (str(step[3]) for step in cursor.execute(explained, (1, 1)).fetchall())
    assert first == "SEARCH members USING COVERING INDEX departures_by_time (time<?)"
    assert second == "SEARCH parts USING INTEGER PRIMARY KEY (rowid=?)"


def test_the_time_of_the_oldest_departure_is_found_through_an_index(cursor: apsw.Cursor) -> None:
    explained = f"EXPLAIN QUERY PLAN {retention._KEPT}"
    steps = [str(step[3]) for step in cursor.execute(explained).fetchall()]
    assert [step for step in steps if "members" in step] == [
        "SEARCH members USING COVERING INDEX departures_by_time (time>?)"
    ]


@pytest.mark.parametrize(
    ("statement", "index"),
    [
        ("SELECT id FROM history WHERE time < ? ORDER BY time", "history_by_time"),
        (
            "SELECT id FROM records WHERE action = 3 AND time < ? ORDER BY time",
            "tombstones_by_time",
        ),
    ],
)
def test_what_is_old_is_found_through_an_index(
    cursor: apsw.Cursor, statement: str, index: str
) -> None:
    plan = cursor.execute(f"EXPLAIN QUERY PLAN {statement}", (1,)).fetchall()
    assert [index in str(step[3]) for step in plan] == [True]
