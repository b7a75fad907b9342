"""What a batch gives to the database."""

from __future__ import annotations

from uuid import UUID

from rhtmx_server.model import ClientRow, Outcome, PartRow
from rhtmx_server.ports import BatchWrites
from rhtmx_server.stores.postgres.writing import _COLUMNS, arguments
from tests.contract.builders import record, writing

BATCH = UUID(int=1)


def test_whole_numbers_are_given_as_such() -> None:
    """The driver takes 1.9 for 1 where a whole number is expected, and says nothing."""
    writes = writing(
        record("1", 1),
        record("2", 2, deleted=True),
        clients=[ClientRow("ada", "", 1, 2)],
        outcomes=[Outcome("ada", 1, b"", b"")],
    )
    writes.parts = [PartRow("tasks", "red", "1", 1, 2)]
    writes.confirmed = {"ada": 1}
    columns = [
        of for each in _COLUMNS.values() for words in each.split(",") for of in [words.split()[1]]
    ]
    given = arguments(BATCH, ("one", "e"), writes, {"tasks": 0}, {"ada": 0})[3:]
    for of, values in zip(columns, given, strict=True):
        if of in ("bigint", "integer", "smallint"):
            assert all(each is None or type(each) is int for each in values), of


def test_a_copy_is_of_nobody_who_might_not_write() -> None:
    assert arguments(BATCH, None, BatchWrites(), {}, {})[:3] == [BATCH, None, None]


def test_an_entity_is_divided_as_whoever_decided_assumes() -> None:
    writes = writing(record("1", 1), record("1", 1, entity="carts"))
    asked = arguments(BATCH, ("one", "e"), writes, {}, {}, {"tasks": "team"})
    entities, divided = asked[3], asked[8]
    assert dict(zip(entities, divided, strict=True)) == {"tasks": "team", "carts": None}
