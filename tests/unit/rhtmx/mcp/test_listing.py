"""Facts about `rhtmx.mcp.listing`."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from rhtmx.mcp.listing import MOST_TEXT, KnownRecord, KnownRecords, page_of, part_in
from rhtmx.messages import Position
from rhtmx.values.changes import Change
from rhtmx.values.results import SyncResult
from tests.unit.rhtmx.mcp.declared import document

TASKS = document().entities["tasks"]


def change(name: str, version: int, data: Any) -> Change[Any]:
    action: Any = "delete" if data is None else "update"
    return Change("tasks", name, action, data, version, None, datetime(2026, 1, 1, tzinfo=UTC))


def read(*changes: Change[Any], version: int, reset: bool = False) -> SyncResult[Change[Any]]:
    return SyncResult(changes, Position(epoch="e", version=version), reset)


def test_changes_are_put_on_top_and_reading_goes_on_behind_them() -> None:
    known = KnownRecords()
    assert known.position == 0
    known.take(read(change("b", 1, {"n": 1}), change("a", 2, {"n": 2}), version=2))
    known.take(read(change("b", 3, None), change("c", 4, {"n": 4}), version=4))
    assert known.all() == [KnownRecord("a", 2, {"n": 2}), KnownRecord("c", 4, {"n": 4})]
    assert known.position == Position(epoch="e", version=4)


def test_after_a_reset_only_what_came_with_it_is_there() -> None:
    known = KnownRecords()
    known.take(read(change("a", 1, {}), version=1))
    known.take(read(change("b", 1, {}), version=1, reset=True))
    assert [each.id for each in known.all()] == ["b"]


def records(**data: Any) -> list[KnownRecord]:
    return [KnownRecord(name, 1, each) for name, each in data.items()]


def listed(where: dict[str, Any], **data: Any) -> list[str]:
    page = page_of(records(**data), TASKS, where, limit=100)
    return [each.id for each in page.records]


@pytest.mark.parametrize(
    ("where", "found"),
    [
        ({}, ["a", "b", "c", "d"]),
        ({"title": "x"}, ["a"]),
        ({"title": "x", "done": False}, []),
        ({"done": True}, ["a"]),
        ({"done": False}, ["b", "c"]),
        ({"done": None}, ["b"]),
        ({"votes": 1}, ["a"]),
        ({"votes": 1.0}, ["a"]),
        ({"votes": 0}, ["b", "c"]),
        ({"votes": True}, []),
        ({"priority": "high"}, ["a"]),
        ({"priority": "unspecified"}, ["b", "c"]),
        ({"title": ""}, ["b", "c"]),
    ],
)
def test_records_are_found_by_their_values_where_nothing_is_zero(
    where: dict[str, Any], found: list[str]
) -> None:
    a = {"title": "x", "done": True, "votes": 1, "priority": "high"}
    assert listed(where, a=a, b={}, c={"done": False}, d="of before") == found


def test_a_page_ends_after_so_many_and_the_next_begins_behind_it() -> None:
    every = records(a={}, b={}, c={})
    first = page_of(every, TASKS, {}, limit=2)
    assert ([each.id for each in first.records], first.total, first.next) == (["a", "b"], 3, "b")
    rest = page_of(every, TASKS, {}, limit=2, after="b")
    assert ([each.id for each in rest.records], rest.total, rest.next) == (["c"], 3, None)


def test_a_page_is_no_longer_than_a_model_can_read_but_has_a_record() -> None:
    long = {"title": "x" * MOST_TEXT}
    page = page_of(records(a=long, b=long), TASKS, {}, limit=10)
    assert ([each.id for each in page.records], page.next) == (["a"], "a")


@pytest.mark.parametrize(
    ("where", "part"),
    [
        ({}, None),
        ({"done": True}, None),
        ({"team": "red"}, {"team": "red"}),
        ({"team": "red", "title": "x"}, {"team": "red"}),
        ({"team": "red", "done": True}, {"team": "red", "done": True}),
        ({"team": "red", "done": False}, {"team": "red"}),
        ({"team": None}, None),
        ({"team": ""}, None),
    ],
)
def test_a_part_is_read_where_it_holds_all_that_is_looked_for(where: Any, part: Any) -> None:
    assert part_in(TASKS, where) == part
