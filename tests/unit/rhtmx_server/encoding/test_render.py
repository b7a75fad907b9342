"""Rendering: a commit or a record, in the form that a subscriber reads."""

from __future__ import annotations

import pytest

from rhtmx.messages import Change, ChangeAction, FieldAction, FieldChange, FieldChangeLog
from rhtmx_server.encoding.render import (
    Passage,
    as_told,
    is_untold,
    latest_fields,
    latest_record,
    live_messages,
    state_messages,
)
from rhtmx_server.model import Clock, Commit, Granularity, Record
from rhtmx_server.times import to_datetime
from tests.unit.rhtmx_server.fakes import BOTH, FIELDS, NOW, RECORDS, record

CLOCKS = {
    "a": Clock(3, NOW, "ada"),
    "b": Clock(5, NOW + 1, "bob"),
    "gone": Clock(4, NOW, None, True),
}
RECORD = record("1", 5, b'{"a":1,"b":[2]}', clocks=CLOCKS)


def logs(messages: object) -> list[FieldChangeLog]:
    assert isinstance(messages, list)
    assert all(isinstance(message, FieldChange) for message in messages)
    return [message.change for message in messages]


def test_the_latest_is_the_record_and_each_field_with_its_own_version() -> None:
    assert (latest_record(RECORD).data, latest_record(RECORD).version) == (RECORD.data, 5)
    got = [(log.field, log.value, log.version) for log in latest_fields(RECORD)]
    assert got == [("a", b"1", 3), ("b", b"[2]", 5)]


def test_a_record_reader_gets_the_whole_record_whatever_was_written() -> None:
    for form in (RECORDS, FIELDS):
        (message,) = live_messages(Commit(RECORD, form, ["b"]), RECORDS)
        assert isinstance(message, Change)
        assert message.change is not None
        assert (message.change.data, message.change.version) == (b'{"a":1,"b":[2]}', 5)


def test_a_field_reader_gets_the_fields_that_changed() -> None:
    (log,) = logs(live_messages(Commit(RECORD, FIELDS, ["b"]), FIELDS))
    assert log == FieldChangeLog(
        entity="tasks",
        entity_id="1",
        field="b",
        value=b"[2]",
        action=FieldAction.UPDATE,
        version=5,
        client_id="bob",
        timestamp=to_datetime(NOW + 1),
    )


@pytest.mark.parametrize(("form", "kind"), [(RECORDS, Change), (FIELDS, FieldChange)])
def test_a_reader_of_both_gets_each_commit_once_as_it_was_written(
    form: Granularity, kind: type[Change] | type[FieldChange]
) -> None:
    (message,) = live_messages(Commit(RECORD, form, ["b"]), BOTH)
    assert isinstance(message, kind)


def test_of_the_fields_of_one_commit_only_the_last_says_that_it_is_the_last() -> None:
    sent = logs(live_messages(Commit(RECORD, FIELDS, ["a", "b", "gone"]), FIELDS))
    assert [log.more for log in sent] == [True, True, None]


def test_a_field_that_was_deleted_has_no_value() -> None:
    (log,) = logs(live_messages(Commit(RECORD, FIELDS, ["gone"]), FIELDS))
    assert (log.action, log.value) == (FieldAction.DELETE, None)


def test_a_null_is_an_update_to_null() -> None:
    written = record("1", 5, b'{"a":null}', clocks={"a": Clock(5, NOW)})
    (log,) = logs(live_messages(Commit(written, FIELDS, ["a"]), FIELDS))
    assert (log.action, log.value) == (FieldAction.UPDATE, None)


def test_a_push_that_changed_no_field_is_nothing_to_a_field_reader() -> None:
    assert live_messages(Commit(RECORD, RECORDS, []), FIELDS) == []


def test_a_deleted_record_is_a_delete_of_each_of_its_fields() -> None:
    clocks = {name: Clock(6, NOW, None, True) for name in ("a", "b")}
    tombstone = record("1", 6, None, clocks=clocks)
    sent = logs(live_messages(Commit(tombstone, RECORDS, ["a", "b"]), FIELDS))
    assert [(log.field, log.action) for log in sent] == [
        ("a", FieldAction.DELETE),
        ("b", FieldAction.DELETE),
    ]


def test_catching_up_in_records_is_the_whole_record_at_any_base() -> None:
    for granularity in (RECORDS, BOTH):
        (message,) = state_messages(RECORD, granularity, 4)
        assert isinstance(message, Change)


def test_a_tombstone_is_a_delete_to_whoever_catches_up() -> None:
    (message,) = state_messages(record("1", 6, None), RECORDS, 0)
    assert isinstance(message, Change)
    assert message.change is not None
    assert (message.change.action, message.change.data) == (ChangeAction.DELETE, None)


def test_catching_up_in_fields_leaves_out_what_was_known_at_the_base() -> None:
    assert [log.field for log in logs(state_messages(RECORD, FIELDS, 3))] == ["b", "gone"]
    assert [log.field for log in logs(state_messages(RECORD, FIELDS, 0))] == ["a", "b", "gone"]
    assert state_messages(RECORD, FIELDS, 5) == []


def test_catching_up_in_fields_no_message_moves_the_position_on_its_own() -> None:
    assert [log.more for log in logs(state_messages(RECORD, FIELDS, 0))] == [True, True, True]


def test_catching_up_in_fields_is_at_the_version_of_the_record() -> None:
    sent = logs(state_messages(RECORD, FIELDS, 0))
    assert {log.version for log in sent} == {5}
    assert [log.client_id for log in sent] == ["ada", "bob", None]


def test_a_record_from_before_its_entity_had_fields_is_read_by_field_all_the_same() -> None:
    old = record("1", 5, b'{"a":1,"b":2}', clocks={})
    sent = logs(state_messages(old, FIELDS, 4))
    assert [(log.field, log.value) for log in sent] == [("a", b"1"), ("b", b"2")]
    assert state_messages(old, FIELDS, 5) == []


def test_data_that_is_no_object_has_no_fields() -> None:
    assert state_messages(record("1", 5, b"[1,2]"), FIELDS, 0) == []


# Parts, by field.

HERE, ELSEWHERE = frozenset({"here"}), frozenset({"elsewhere"})
PAST = {
    "a": Clock(3, NOW, "ada"),
    "old": Clock(4, NOW, "ada", True),
    "new": Clock(6, NOW, "ada", True),
}
"""The clocks of a record that came before somebody new by version 5."""


def past(version: int = 6) -> Record:
    came = record("1", version, b'{"a":1}', clocks=PAST)
    came.entered = 5
    return came


def lines(messages: object) -> list[str]:
    return [
        f"{log.field}{'-' if log.action is FieldAction.DELETE else ''}"
        f"{' left' if log.left else ''}{' more' if log.more else ''}"
        for log in logs(messages)
    ]


def test_the_names_of_what_was_gone_when_a_record_came_are_not_told() -> None:
    assert set(as_told(past()).clocks) == {"a", "new"}
    assert as_told(RECORD) is RECORD


def test_a_record_that_enters_comes_anew_and_without_the_names_of_its_past() -> None:
    commit = Commit(past(), RECORDS, ["a"], ELSEWHERE, HERE)
    assert lines(live_messages(commit, FIELDS, Passage.ENTERS)) == ["- left more", "a more", "new-"]
    (whole,) = live_messages(commit, RECORDS, Passage.ENTERS)
    assert isinstance(whole, Change)


def test_one_that_enters_and_lost_nothing_out_of_sight_comes_as_it_is() -> None:
    commit = Commit(RECORD, RECORDS, ["a"], ELSEWHERE, HERE)
    assert lines(live_messages(commit, FIELDS, Passage.ENTERS)) == ["a more", "b more", "gone-"]


def test_fields_that_leave_with_a_record_are_named_to_those_who_had_them() -> None:
    commit = Commit(RECORD, FIELDS, ["b"], HERE, ELSEWHERE, held=["a", "b"])
    left = live_messages(commit, FIELDS, Passage.LEAVES)
    assert lines(left) == ["a- left more", "b- left more", "- left"]
    assert {log.version for log in logs(left)} == {5}
    assert {log.value for log in logs(left)} == {None}
    (gone,) = live_messages(commit, RECORDS, Passage.LEAVES)
    assert isinstance(gone, Change)


@pytest.mark.parametrize(("had", "untold"), [(3, True), (4, False), (5, False), (6, False)])
def test_who_had_a_field_that_went_before_the_record_came_is_not_told_so(
    had: int, untold: bool
) -> None:
    assert is_untold(past(), had) is untold
