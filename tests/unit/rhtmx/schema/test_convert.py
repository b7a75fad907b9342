"""Facts about `rhtmx.schema.convert`."""

from __future__ import annotations

import json
import math
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from rhtmx.errors import ErrorCode, Invalid
from rhtmx.schema.codecs import Misfit
from rhtmx.schema.convert import Unreadable, from_json, record_of, to_json
from rhtmx.schema.declared import shape_of
from rhtmx.schema.kinds import UNREADABLE
from rhtmx.schema.message import normal_fields, normalizes
from rhtmx.schema.typed_edit import changed_of, edit_of
from tests.support.judged import tables
from tests.support.sample_schema import ROOT, loaded

S = loaded()
FULL: dict[str, Any] = {
    "title": "Write it down",
    "done": True,
    "team": "red",
    "owner": "ada",
    "votes": 3,
    "labels": ["home"],
    "start": "2026-01-31T00:00:00.123456789Z",
    "due": "2026-01-31T09:30:00Z",
    "priority": "on-fire",
    "internal_note": "",
    "estimate": "1.500s",
    "thumbnail": "YQ==",
    "foreign_id": "9007199254740993",
    "weight": 0.1,
    "progress": 0.5,
    "steps": [{"text": "a", "done": False, "priority": "low", "steps": [], "new": 1}],
    "notes": {"mon": "rain"},
    "ratings": {"7": "urgent"},
    "url": "https://example.com/",
    "cost": "10.50",
    "nickname": "",
    "settings": {"a": [1, None]},
    "anything": [1],
    "location": "Rome",
    "keys": ["YQ=="],
    "from": "x",
    "list": [0.5],
    "seen": [1],
    "tally": {"true": 2},
    "urgency": "high",
    "colour": {"of": "another schema"},
}


def test_a_record_is_what_its_json_says() -> None:
    task = from_json(S.Task, FULL)
    assert (task.title, task.votes, task.foreign_id) == ("Write it down", 3, 9007199254740993)
    assert task.due == datetime(2026, 1, 31, 9, 30, tzinfo=UTC)
    assert task.estimate == timedelta(seconds=1.5)
    assert task.priority is not None
    assert task.priority == S.Priority.ON_FIRE
    assert task.steps == [S.TaskStep(text="a", priority=S.Priority.LOW, extra={"new": 1})]
    assert task.ratings == {7: S.Priority("urgent")}
    assert (task.place, task.from_, task.tally) == ("Rome", "x", {True: 2})
    assert task.next is None
    assert task.extra == {"colour": {"of": "another schema"}}


def test_what_was_read_is_written_as_it_was() -> None:
    assert to_json(from_json(S.Task, FULL)) == FULL


def test_a_record_without_anything_is_one_with_zeros() -> None:
    task = from_json(S.Task, {})
    assert (task.title, task.votes, task.labels, task.thumbnail) == ("", 0, [], b"")
    assert task.priority == S.Priority.UNSPECIFIED
    assert (task.due, task.next, task.anything, task.extra) == (None, None, None, {})


def test_null_is_absent() -> None:
    assert from_json(S.Task, dict.fromkeys(FULL)).votes == 0
    assert from_json(S.Task, {"due": None, "labels": None}) == from_json(S.Task, {})


def test_fields_without_presence_are_written_zero_or_not() -> None:
    written = to_json(S.Task(title="x", team="red"))
    assert written["done"] is False
    assert (written["priority"], written["labels"], written["foreign_id"]) == (
        "unspecified",
        [],
        "0",
    )
    assert not {"due", "next", "url", "nickname", "anything"} & set(written)


def test_a_number_of_an_enum_is_its_word_and_an_unknown_one_stays_a_number() -> None:
    assert from_json(S.Task, {"priority": 3}).priority == S.Priority.ON_FIRE
    assert to_json(from_json(S.Task, {"priority": 9}))["priority"] == 9


@pytest.mark.parametrize(
    ("data", "field", "kind"),
    [
        ({"votes": "many"}, "votes", "a whole number"),
        ({"location": 7}, "place", "a text"),
        ({"steps": [{}, {"done": 1}]}, "steps[1].done", "true or false"),
        ({"next": {"steps": [{"text": 1}]}}, "next.steps[0].text", "a text"),
        ({"notes": {"a b": 1}}, 'notes["a b"]', "a text"),
        ({"due": "tomorrow"}, "due", "a time such as 2026-01-31T09:30:00Z"),
        ([], "", "an object"),
    ],
)
def test_what_cannot_be_read_is_told_with_record_field_and_kind(
    data: object, field: str, kind: str
) -> None:
    with pytest.raises(Unreadable) as error:
        from_json(S.Task, data, record="tasks/7")
    assert (error.value.record, error.value.field) == ("tasks/7", field)
    assert error.value.code is ErrorCode.INVALID_DATA
    assert error.value.kind == kind
    assert str(error.value) == f"tasks/7: {field}{': ' if field else ''}{kind} expected"
    with pytest.raises(Unreadable) as error:
        from_json(S.Task, data)
    assert error.value.record == ""


def test_a_record_within_another_one_is_read_and_written_as_one() -> None:
    asked: list[int] = []

    def cls() -> Any:
        asked.append(1)
        return S.TaskStep

    codec = record_of(cls)
    assert not asked, "its class may not be there yet"
    assert codec.kind == "an object"
    assert codec.read({"text": "a", "new": 1}) == S.TaskStep(text="a", extra={"new": 1})
    assert codec.zero() == S.TaskStep()
    step = {"text": "a", "done": False, "priority": "unspecified", "steps": [], "new": 1}
    assert codec.write(S.TaskStep(text="a", extra={"new": 1})) == step
    with pytest.raises(Misfit) as wrong:
        codec.write(S.Person())
    assert wrong.value.kind == "a TaskStep"
    with pytest.raises(Misfit) as wrong:
        codec.write(S.TaskStep(text=1))
    assert wrong.value.path == ".text"


def test_what_nobody_declared_may_be_anything() -> None:
    assert from_json(S.Task, {"place": 7, "colour": 1}).extra == {"place": 7, "colour": 1}


def test_a_key_of_a_field_in_extra_is_not_written_over_the_field() -> None:
    written = to_json(S.Person(name="Ada", extra={"name": "Eve", "age": 1}))
    assert written == {"age": 1, "name": "Ada", "email": ""}


def test_all_that_cannot_be_written_is_told() -> None:
    naive = datetime(2026, 1, 31)
    task = S.Task(title=1, team="red", due=naive, steps=[S.TaskStep(done=1)], next=S.Person())
    with pytest.raises(Invalid) as error:
        to_json(task)
    assert {each.field: each.code for each in error.value.violations} == {
        "title": "type",
        "due": "type",
        "steps[0].done": "type",
        "next": "type",
    }
    assert "time zone" in str(error.value)


VECTORS = json.loads((ROOT / "tests" / "vectors" / "typed_records.json").read_text())


@pytest.mark.parametrize("case", VECTORS["records"], ids=lambda case: case["name"])
def test_both_languages_read_a_record_alike(case: dict[str, Any]) -> None:
    cls = getattr(S, case["record"])
    if "unreadable" in case:
        with pytest.raises(Unreadable) as error:
            from_json(cls, case["data"])
        assert error.value.field == case["unreadable"]
        return
    written = to_json(from_json(cls, case["data"]))
    assert written == case.get("written", written)
    assert not set(case.get("absent", ())) & set(written)


@pytest.mark.parametrize("case", VECTORS["edits"], ids=lambda case: str(case["fields"]))
def test_both_languages_write_an_edit_alike(case: dict[str, Any]) -> None:
    if "refused" in case:
        with pytest.raises(Invalid) as error:
            edit_of(shape_of(S.Task), case["fields"])
        assert {each.field: each.code for each in error.value.violations} == case["refused"]
        return
    edit = edit_of(shape_of(S.Task), case["fields"])
    assert (edit.values, list(edit.deletes)) == (case["values"], case["deletes"])


@pytest.mark.parametrize("case", VECTORS["replaced"], ids=str)
def test_both_languages_replace_a_record_alike(case: dict[str, Any]) -> None:
    shape = shape_of(S.Task)
    if "refused" not in case:
        assert changed_of(shape, case["before"], case["after"]) == set(case["changed"])
        return
    with pytest.raises(Invalid) as error:
        changed_of(shape, case["before"], case["after"])
    assert {each.field: each.code for each in error.value.violations} == case["refused"]


VALUES: list[Any] = [
    *(True, 0, 1, 1.0, -0.0, 1.5, 2**53, 2**63, -(2**63) - 1, 1e39, 10**400, math.inf, [], {}),
    *("", "a", "7", "07", "-0", "1e3", "٣", "9" * 5000, "NaN", "-Infinity", "high", "urgent"),
    *("YQ==", "YQ", "YQ=", "YQ===", "Y", "YR==", "a b", "YQ==\n", "_-8", "=", "YQ==YQ=="),
    *("2026-01-31T10:00:00+01:00", "2026-01-31T00:00:00.123456789Z", "2026-02-30T00:00:00Z"),
    *("0001-01-01T00:00:00+01:00", "1.5s", "-0s", "1.5", "315576000000.999999999s", "9" * 13 + "s"),
    *([None], ["YQ=="], ["YQ="], [1.0], [1.5], [{}], [{"done": 1}], [{"steps": [{"text": 1}]}]),
    *({"7": "high"}, {"07": "high"}, {"true": 1}, {"True": 1}, {"a": None}, {"text": 1}),
    *({"steps": [{"done_at": "1"}]}, {"99999999999": "low"}, {"": 1}, {"name": "a", "email": None}),
]


@pytest.mark.parametrize("name", [each.name for each in shape_of(S.Task).members])
def test_what_is_read_is_what_the_judge_reads(name: str) -> None:
    member = next(each for each in shape_of(S.Task).members if each.name == name)
    for value in VALUES:
        data = {member.rules.key: value}
        if member.rules.read(value, "", None, 0, {}) is UNREADABLE:
            with pytest.raises(Unreadable) as error:
                from_json(S.Task, data)
            assert error.value.field.startswith(name)
            continue
        written = to_json(from_json(S.Task, data))
        assert to_json(from_json(S.Task, written)) == written


def test_what_is_within_a_record_is_looked_at_once() -> None:
    deep: dict[str, Any] = {"text": "a"}
    for _ in range(40):
        deep = {"steps": [deep]}
    looked = 0
    kinds = [each.rules for each in shape_of(S.TaskStep).members if each.name == "steps"]

    def counted(*asked: Any) -> Any:
        nonlocal looked
        looked += 1
        return read(*asked)

    (steps,) = kinds
    read, steps.read = steps.read, counted
    try:
        from_json(S.TaskStep, deep)
    finally:
        steps.read = read
    assert looked == 40


NORMALIZED = json.loads((ROOT / "tests" / "vectors" / "normalized.json").read_text())


@pytest.mark.parametrize("case", NORMALIZED, ids=[each["name"] for each in NORMALIZED])
def test_texts_are_kept_as_their_fields_ask(case: dict[str, Any]) -> None:
    data, kept = case["data"], case["kept"]
    changed = normal_fields(tables()["Kept"], data)
    assert {**data, **changed} == kept
    assert all(data[key] != value for key, value in changed.items())
    assert normal_fields(tables()["Kept"], kept) == {}
    assert normal_fields(tables()["Kept"], data, ()) == {}


def test_it_is_known_which_records_have_something_to_normalise() -> None:
    assert normalizes(tables()["Kept"])
    assert not normalizes(tables()["SignUp"])
