"""The steps; tests/contract has what becomes of a store in all of them."""

from __future__ import annotations

from collections.abc import Iterator

import apsw
import pytest

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
