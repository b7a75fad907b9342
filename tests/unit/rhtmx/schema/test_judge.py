"""Facts about `rhtmx.schema.judge`: by the vectors, which TypeScript reads, too."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from rhtmx import schema as _s
from rhtmx.schema.judge import judge_selected, select
from tests.support.judged import TYPESCRIPT, tables, typescript

VECTORS = Path(__file__).parents[3] / "vectors" / "judged.json"
CASES = json.loads(VECTORS.read_text(encoding="utf-8"))


def told(table: _s.Message, data: Any, **options: Any) -> list[tuple[str, str]]:
    return [(each.field, each.code) for each in _s.judge(table, data, **options)]


@pytest.mark.parametrize("case", CASES, ids=lambda each: f"{each['message']}: {each['name']}")
def test_a_record_is_judged_as_the_vector_says(case: dict[str, Any]) -> None:
    found = _s.judge(
        tables()[case["message"]],
        json.loads(case["data"]),
        changed=case.get("changed"),
        now=case.get("now", 0),
    )
    assert [[each.field, each.code, each.message] for each in found] == case["found"]


def test_the_tables_that_typescript_reads_are_those_of_the_schema() -> None:
    """If not: `python -m tests.support.judged`."""
    assert TYPESCRIPT.read_text(encoding="utf-8") == typescript()


def test_what_is_selected_once_judges_one_record_after_the_other() -> None:
    table = _s.message(
        "Span",
        _s.field("start", _s.INT32, (_s.gte, 0)),
        _s.field("due", _s.INT32, (_s.gte, 0)),
        rules=(
            _s.cel_rule("order", "is late", ("start", "due"), lambda this, now: this["due"] >= now),
        ),
    )
    selection = select(table, {"due"})
    records = {"due": -1}, {"due": 5, "start": -1}, {"due": "soon"}
    found = [judge_selected(selection, each, now=2) for each in records]
    assert [[(each.field, each.code) for each in some] for some in found] == [
        [("due", "int32.gte"), ("", "order")],
        [],
        [("due", "type")],
    ]


def counting(calls: list[str], name: str) -> Callable[..., None]:
    def check(value: Any, argument: Any) -> None:
        calls.append(name)

    return check


def test_an_edit_evaluates_only_the_rules_that_read_it() -> None:
    calls: list[str] = []

    def holds(name: str) -> Callable[..., bool]:
        def rule(this: Any, now: int) -> bool:
            calls.append(name)
            return True

        return rule

    table = _s.message(
        "Task",
        _s.field("a", _s.STRING, (counting(calls, "a"),)),
        _s.field("b", _s.STRING, (counting(calls, "b"),)),
        _s.field("c", _s.list_of(_s.STRING, (counting(calls, "c"),))),
        rules=(
            _s.cel_rule("ab", "", ("a", "b"), holds("ab")),
            _s.cel_rule("bc", "", ("b", "c"), holds("bc")),
        ),
    )
    _s.judge(table, {"c": ["x"]}, changed={"a"})
    assert calls == ["a", "ab"]
    calls.clear()
    _s.judge(table, {"c": ["x"]}, changed={"b"})
    assert calls == ["b", "ab", "bc"]


def test_a_rule_that_an_edit_wakes_sees_fields_that_were_not_written() -> None:
    seen: list[dict[str, Any]] = []

    def see(this: dict[str, Any], now: int) -> bool:
        seen.append(dict(this))
        return True

    inner = _s.message("Inner", _s.field("x", _s.INT32, (_s.gt, 5)))
    table = _s.message(
        "Task",
        _s.field("a", _s.STRING),
        _s.field("b", _s.message_of(lambda: inner), presence=True),
        _s.field("c", _s.STRING),
        rules=(_s.cel_rule("r", "", ("a", "b"), see),),
    )
    assert told(table, {"a": "A", "b": {}, "c": "C"}, changed=["a"]) == []
    assert seen == [{"a": "A", "b": {"x": 0}}]


def test_a_rule_is_not_judged_where_a_field_that_was_not_written_cannot_be_read() -> None:
    table = _s.message(
        "Task",
        _s.field("a", _s.STRING),
        _s.field("b", _s.list_of(_s.INT32)),
        rules=(_s.cel_rule("r", "", ("a", "b"), lambda this, now: False),),
    )
    assert told(table, {"b": ["x"]}, changed=["a"]) == []
    assert told(table, {"b": ["x"]}) == [("b[0]", "type")]


def test_the_time_is_an_argument_of_rules_in_cel() -> None:
    table = _s.message(
        "Task",
        _s.field(
            "at", _s.TIMESTAMP, (_s.cel_check, "late", "is late", lambda this, now: this > now)
        ),
        rules=(_s.cel_rule("now", "says when", (), lambda this, now: now == 7),),
    )
    data = {"at": "1970-01-01T00:00:00.000000007Z"}
    assert told(table, data, now=7) == [("at", "late")]
    assert told(table, data, now=6) == [("", "now")]


def test_a_rule_about_an_unknown_word_cannot_be_judged() -> None:
    kind = _s.enum("Priority", {"low": 1})
    row = (_s.cel_check, "high", "must be high", lambda this, now: this > 1)
    (found,) = _s.judge(_s.message("Task", _s.field("priority", kind, row)), {"priority": "new"})
    assert (found.code, found.message) == ("high", "cannot be judged: unknown value")


def test_an_error_that_is_none_of_cels_is_not_hidden() -> None:
    def broken(this: Any, now: int) -> bool:
        raise KeyError("x")

    table = _s.message("Task", rules=(_s.cel_rule("r", "", (), broken),))
    with pytest.raises(KeyError):
        _s.judge(table, {})


def test_words_of_the_application_are_for_the_field_itself_and_its_items() -> None:
    inner = _s.message("Inner", _s.field("x", _s.STRING, required=True))
    words = {"required": "say it", "string.min_len": "more of it"}
    table = _s.message(
        "Task",
        _s.field("inner", _s.message_of(lambda: inner), presence=True, required=True, words=words),
        _s.field("tags", _s.list_of(_s.STRING, (_s.min_len, 1)), words=words),
    )
    assert [each.message for each in _s.judge(table, {"tags": [""]})] == ["say it", "more of it"]
    (found,) = _s.judge(table, {"inner": {}})
    assert (found.field, found.message) == ("inner.x", "is required")


def test_judging_changes_no_record() -> None:
    data = {"tags": ["a"], "part": {"name": "p"}}
    before = json.dumps(data)
    _s.judge(tables()["Known"], data)
    assert json.dumps(data) == before


LATE = (_s.cel_check, "late", "is late", lambda this, now: this <= now)
PAST = (_s.lt_now, None)


def within_a_message(field: _s.Field) -> _s.Kind:
    inner = _s.message("Inner", field)
    return _s.message_of(lambda: inner)


@pytest.mark.parametrize(
    ("kind", "path"),
    [
        (_s.list_of(_s.TIMESTAMP, PAST), "x[0]"),
        (_s.list_of(_s.TIMESTAMP, LATE), "x[0]"),
        (_s.list_of(_s.list_of(_s.TIMESTAMP, PAST, LATE)), "x[0][0]"),
        (within_a_message(_s.field("at", _s.TIMESTAMP, PAST)), "x.at"),
        (within_a_message(_s.field("at", _s.TIMESTAMP, LATE)), "x.at"),
        (within_a_message(_s.field("at", _s.list_of(_s.TIMESTAMP, LATE))), "x.at[0]"),
    ],
)
def test_rules_within_a_value_know_the_time_and_their_place(kind: _s.Kind, path: str) -> None:
    at: Any = "1970-01-01T00:00:00.000000007Z"
    for each in reversed(path[1:].replace("]", "").replace(".", "[").split("[")[1:]):
        at = [at] if each == "0" else {each: at}
    table = _s.message("Task", _s.field("x", kind))
    assert told(table, {"x": at}, now=7) == []
    found = told(table, {"x": at}, now=6)
    assert {each for each, _ in found} == {path}
    assert {code for _, code in found} <= {"timestamp.lt_now", "late"}


@pytest.mark.parametrize(("row", "code"), [(PAST, "timestamp.lt_now"), (LATE, "late")])
def test_rules_about_time_and_in_cel_have_words_of_the_application(row: Any, code: str) -> None:
    at, words = "1970-01-01T00:00:00.000000007Z", {code: "come back later"}
    for kind, rows, value in (
        (_s.TIMESTAMP, (row,), at),
        (_s.list_of(_s.TIMESTAMP, row), (), [at]),
    ):
        table = _s.message("Task", _s.field("x", kind, *rows, words=words))
        (found,) = _s.judge(table, {"x": value}, now=6)
        assert found.message == "come back later"


def test_words_of_the_application_are_for_what_cannot_be_read_too() -> None:
    words = {"type": "a number, please"}
    for kind, value in ((_s.INT32, "x"), (_s.list_of(_s.INT32), ["x"])):
        (found,) = _s.judge(_s.message("Task", _s.field("x", kind, words=words)), {"x": value})
        assert (found.code, found.message) == ("type", "a number, please")


RULES = (
    _s.cel_rule("ab", "no", ("a", "b"), lambda this, now: False),
    _s.cel_rule("c", "no", ("c",), lambda this, now: False),
)
ABC = [_s.field(name, _s.INT32) for name in "abc"]


@pytest.mark.parametrize("changed", [None, ["a", "c"], ["b", "c"]])
@pytest.mark.parametrize("unread", ["a", "b"])
def test_only_the_rules_that_read_what_cannot_be_read_are_not_judged(
    unread: str, changed: Any
) -> None:
    """Also where it is the field that was written, and the other one could be read."""
    table = _s.message("Task", *ABC, rules=RULES)
    found = told(table, {unread: "x"}, changed=changed)
    seen = [(unread, "type")] if changed is None or unread in changed else []
    assert found == [*seen, ("", "c")]
    inner = _s.message("Task", _s.field("x", _s.message_of(lambda: table), presence=True))
    if changed is None:
        assert told(inner, {"x": {unread: "x"}}) == [(f"x.{unread}", "type"), ("x", "c")]


def test_rules_of_a_message_within_a_value_know_the_time_and_its_place() -> None:
    table = _s.message(
        "Inner",
        *(_s.field(name, _s.INT32, presence=True) for name in "abc"),
        rules=(
            _s.cel_rule("now", "no", (), lambda this, now: now == 7),
            _s.one_of("one", ("a", "b")),
            _s.any_of(("b", "c")),
        ),
    )
    outer = _s.message("Task", _s.field("x", _s.message_of(lambda: table), presence=True))
    full = {"x": {"a": 1, "b": 1, "c": 1}}
    assert told(outer, full, now=7) == [("x.one", "oneof"), ("x", "message.oneof")]
    assert told(outer, {"x": {}}, now=6) == [("x", "now")]


def test_a_rule_about_a_message_that_cannot_be_read_is_not_judged() -> None:
    inner = _s.message("Inner", _s.field("x", _s.INT32), _s.field("y", _s.INT32))
    table = _s.message(
        "Task",
        _s.field("a", _s.STRING),
        _s.field("b", _s.message_of(lambda: inner), presence=True),
        rules=(_s.cel_rule("r", "no", ("a", "b"), lambda this, now: False),),
    )
    assert told(table, {"b": {"x": 1}}) == [("", "r")]
    for data in ({"x": "text"}, {"x": "text", "y": 1}):
        assert told(table, {"b": data}) == [("b.x", "type")]
        assert told(table, {"b": data}, changed=["a"]) == []


def test_without_a_time_it_is_the_beginning() -> None:
    table = _s.message("Task", rules=(_s.cel_rule("now", "no", (), lambda this, now: now == 0),))
    assert told(table, {}) == []


@pytest.mark.parametrize("ignore_zero", [False, True])
def test_an_absent_value_with_presence_is_not_judged_and_one_without_is(
    *, ignore_zero: bool
) -> None:
    kinds: list[list[tuple[str, str]]] = []
    for presence in (False, True):
        field = _s.field("x", _s.INT32, (_s.gt, 5), presence=presence, ignore_zero=ignore_zero)
        kinds.append(told(_s.message("Task", field), {}))
    assert kinds == [[] if ignore_zero else [("x", "int32.gt")], []]
    field = _s.field("x", _s.INT32, (_s.gt, 5), presence=True, ignore_zero=ignore_zero)
    assert told(_s.message("Task", field), {"x": 0}) == [("x", "int32.gt")]
    field = _s.field("x", _s.INT32, (_s.gt, 5), ignore_zero=ignore_zero)
    assert told(_s.message("Task", field), {"x": 1}) == [("x", "int32.gt")]


def test_minus_zero_is_not_zero() -> None:
    field = _s.field("x", _s.DOUBLE, required=True)
    assert told(_s.message("Task", field), {"x": 0.0}) == [("x", "required")]
    assert told(_s.message("Task", field), {"x": -0.0}) == []
