"""Facts about `rhtmx.schema.typed_edit`."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from rhtmx import Add, Append, DeleteKey, Increment, Max, Min, Remove, SetKey
from rhtmx.errors import ErrorCode, Invalid, RhtmxError
from rhtmx.schema.convert import to_json
from rhtmx.schema.declared import Shape, shape_of
from rhtmx.schema.typed_edit import created, edit_of, part_of, said_of
from tests.support.sample_schema import loaded

S = loaded()
TASK: Shape[Any] = shape_of(S.Task)
SEVEN: Any = {7: S.Priority.LOW}


def codes(error: Invalid) -> dict[str, str]:
    return {each.field: each.code for each in error.violations}


def test_only_the_fields_that_are_named_are_written() -> None:
    edit = edit_of(TASK, {"done": False, "place": "Rome", "from_": "x"})
    assert edit.values == {"done": False, "location": "Rome", "from": "x"}
    assert edit.deletes == ()
    assert edit.names == {"done", "place", "from"}


def test_none_takes_a_field_with_presence_away() -> None:
    edit = edit_of(TASK, {"due": None, "progress": None})
    assert (edit.values, edit.deletes) == ({}, ("due", "progress"))
    with pytest.raises(Invalid):
        edit_of(TASK, {"title": None})


def test_what_sets_a_field_of_a_oneof_takes_its_others_away() -> None:
    edit = edit_of(TASK, {"ticket": "7"})
    assert (edit.values, edit.deletes) == ({"ticket": "7"}, ("url", "person"))
    assert edit_of(TASK, {"ticket": None}).deletes == ("ticket",)


def test_values_are_written_as_json_has_them() -> None:
    fields: dict[str, Any] = {
        "due": datetime(2026, 1, 31, tzinfo=UTC),
        "foreign_id": 5,
        "thumbnail": b"a",
        "ratings": {7: S.Priority.LOW},
    }
    assert edit_of(TASK, fields).values == {
        "due": "2026-01-31T00:00:00Z",
        "foreign_id": "5",
        "thumbnail": "YQ==",
        "ratings": {"7": "low"},
    }


@pytest.mark.parametrize(
    ("field", "operation", "written"),
    [
        ("votes", Increment(2), Increment(2)),
        ("foreign_id", Increment(2), Increment("2")),
        ("cost", Increment("0.50"), Increment("0.50")),
        ("progress", Max(7), Max(7)),
        ("weight", Min(0.1), Min(0.1)),
        ("labels", Add("b", "a"), Add("b", "a")),
        ("labels", Remove("a"), Remove("a")),
        ("keys", Append(b"a"), Append("YQ==")),
        ("steps", Append(S.Person()), None),
        ("ratings", SetKey(SEVEN), SetKey({"7": "low"})),
        ("ratings", DeleteKey(7), DeleteKey("7")),  # type: ignore[arg-type]
        ("settings", SetKey({"a": [1]}), SetKey({"a": [1]})),
        ("cost", Increment("0.5"), None),
        ("cost", Increment("1"), None),
        ("cost", Increment(1), None),
        ("title", Increment(1), None),
        ("title", Add("a"), None),
        ("labels", Append("z"), None),
        ("votes", Max(7), None),
        ("labels", Increment(1), None),
        ("labels", Add(1), None),
        ("due", Max("2026-01-31T00:00:00Z"), None),
        ("next", SetKey({"text": "x"}), None),
        ("person", DeleteKey("name"), None),
        ("weight", Increment(1), None),
    ],
)
def test_operations_are_written_where_they_fit(
    field: str, operation: object, written: object
) -> None:
    if written is None:
        with pytest.raises(Invalid):
            edit_of(TASK, {field: operation})
    else:
        assert edit_of(TASK, {field: operation}).values[field] == written


def test_what_is_not_for_whoever_edits_is_refused() -> None:
    with pytest.raises(Invalid) as error:
        edit_of(TASK, {"team": "blue", "owner": "eve", "internal_note": "x", "votes": "many"})
    assert codes(error.value) == {
        "team": "immutable",
        "owner": "read_only",
        "internal_note": "server_only",
        "votes": "type",
    }


def test_there_has_to_be_such_a_field() -> None:
    with pytest.raises(TypeError, match="no field 'titel'"):
        edit_of(TASK, {"titel": "x"})
    with pytest.raises(TypeError, match="at least one"):
        edit_of(TASK, {})


def test_a_record_is_shown_as_it_would_be() -> None:
    edit = edit_of(TASK, {"votes": Increment(2), "labels": Add("a"), "due": None, "done": True})
    before = {"votes": 1, "due": "2026-01-31T00:00:00Z", "colour": "red"}
    assert edit.applied(before) == {"votes": 3, "labels": ["a"], "done": True, "colour": "red"}
    assert edit.operated(TASK) == {"votes", "labels"}


def test_an_operation_that_the_record_cannot_take_is_invalid() -> None:
    with pytest.raises(Invalid) as error:
        edit_of(TASK, {"votes": Increment(1)}).applied({"votes": "many"})
    assert codes(error.value) == {"votes": "operation.value"}


def test_what_the_server_fills_in_is_left_to_it() -> None:
    data = created(TASK, to_json(S.Task(title="x", team="red")))
    assert not {"owner", "internal_note"} & set(data)
    assert data["done"] is False
    assert said_of(TASK, data) >= {"title", "due", "votes"}
    assert not {"owner", "internal_note"} & said_of(TASK, data)


def test_what_only_the_server_writes_is_refused() -> None:
    with pytest.raises(Invalid) as error:
        created(TASK, to_json(S.Task(title="x", team="red", owner="eve", internal_note="x")))
    assert codes(error.value) == {"owner": "read_only", "internal_note": "server_only"}


def test_a_part_is_named_as_the_schema_does() -> None:
    assert part_of(TASK, {"place": ["Rome"], "done": True, "foreign_id": 7}) == {
        "location": ["Rome"],
        "done": True,
        "foreign_id": "7",
    }


@pytest.mark.parametrize("where", [{"teem": "x"}, {"done": "yes"}])
def test_what_is_no_part_is_refused(where: dict[str, Any]) -> None:
    with pytest.raises(RhtmxError) as error:
        part_of(TASK, where)
    assert error.value.code is ErrorCode.BAD_MESSAGE
