"""Facts about `rhtmx.cli.batch`."""

from __future__ import annotations

import json

import pytest

from rhtmx.cli import records
from rhtmx.cli.batch import push
from rhtmx.cli.errors import USAGE, CommandError
from rhtmx.cli.requests import Push, PushMany
from rhtmx.messages import Position
from tests.unit.rhtmx.cli.values_of import change

WHOLE = PushMany("copies", "-", fields=False)
FIELDS = PushMany("copies", "-", fields=True)


def test_a_line_is_a_record() -> None:
    line = '{"entity_id": "7", "data": {"n": 1}, "base_version": 0}'
    assert push(WHOLE, line, "line 1") == Push("copies", "7", {"n": 1}, base_version=0)
    assert push(FIELDS, line, "line 1") == Push(
        "copies", "7", {"n": 1}, fields=True, base_version=0
    )


def test_null_is_data() -> None:
    assert push(WHOLE, '{"entity_id": "7", "data": null}', "line 1") == Push("copies", "7", None)


def test_a_line_may_delete() -> None:
    line = '{"entity_id": "7", "action": "delete"}'
    assert push(WHOLE, line, "line 1") == Push("copies", "7", None, delete=True)


def test_what_sync_prints_is_read() -> None:
    at = Position(epoch="e", version=41)
    line = json.dumps(records.change(change(), at))
    assert push(WHOLE, line, "line 1") == Push("copies", "7", {"title": "Write it down"})
    gone = json.dumps(records.change(change(action="delete", data=None), at))
    assert push(WHOLE, gone, "line 1") == Push("copies", "7", None, delete=True)
    left = json.dumps(records.change(change(action="delete", data=None, left=True), at))
    assert push(WHOLE, left, "line 1") == Push("copies", "7", None, delete=True)
    assert push(WHOLE, json.dumps(records.position("tasks", at)), "line 2") is None


@pytest.mark.parametrize("line", ["", "  \r", '{"type": "reset", "entity": "tasks"}'])
def test_what_is_no_record_is_left_out(line: str) -> None:
    assert push(WHOLE, line, "line 1") is None


@pytest.mark.parametrize(
    ("request_", "line", "words"),
    [
        (WHOLE, "[1]", "an object with entity_id and data expected"),
        (WHOLE, '{"data": 1}', "entity_id: a text expected"),
        (WHOLE, '{"entity_id": 7, "data": 1}', "entity_id: a text expected"),
        (WHOLE, '{"entity_id": "7"}', "data is missing"),
        (WHOLE, '{"entity_id": "7", "data": 1, "action": "upsert"}', "action: one of create"),
        (WHOLE, '{"entity_id": "7", "data": 1, "base_verison": 1}', "unknown key 'base_verison'"),
        (WHOLE, '{"entity_id": "7", "data": 1, "base_version": "1"}', "base_version: a whole"),
        (WHOLE, '{"entity_id": "7", "data": 1, "base_version": true}', "base_version: a whole"),
        (WHOLE, '{"type": "field_change"}', "a change of a whole record expected"),
        (FIELDS, '{"entity_id": "7", "data": 1}', "with --fields data has to be an object"),
        (FIELDS, '{"entity_id": "7", "action": "delete"}', "with --fields data has to be"),
        (WHOLE, "{", "not JSON at line 1, column 2"),
    ],
)
def test_a_line_that_makes_no_sense_is_told_with_its_place(
    request_: PushMany, line: str, words: str
) -> None:
    with pytest.raises(CommandError) as raised:
        push(request_, line, "data.jsonl, line 3")
    assert raised.value.message.startswith(f"data.jsonl, line 3: {words}")
    assert raised.value.status == USAGE
