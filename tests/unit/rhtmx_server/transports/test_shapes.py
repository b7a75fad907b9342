"""The JSON of the old protocols."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import msgspec

from rhtmx.messages import (
    Change,
    ChangeAction,
    ChangeLog,
    FieldAction,
    FieldChange,
    FieldChangeLog,
)
from rhtmx_server.transports.shapes import join, log_entry, pick, split

TIME = datetime(2026, 11, 22, 10, 0, 1, tzinfo=UTC)


def test_a_record_entry_has_exactly_the_members_that_the_old_clients_know() -> None:
    change = ChangeLog("users", "1", ChangeAction.CREATE, b'{"a":1}', 7, None, TIME)
    assert json.loads(join(log_entry(Change(change)))) == {
        "entity": "users",
        "entity_id": "1",
        "action": "create",
        "data": {"a": 1},
        "version": 7,
        "client_id": None,
        "created_at": "2026-11-22T10:00:01Z",
    }


def test_a_field_entry_does_not_say_that_more_follows() -> None:
    change = FieldChangeLog(
        "users", "1", "a", None, FieldAction.DELETE, 7, "client", TIME, more=True
    )
    assert json.loads(join(log_entry(FieldChange(change)))) == {
        "entity": "users",
        "entity_id": "1",
        "field": "a",
        "value": None,
        "action": "delete",
        "version": 7,
        "client_id": "client",
        "timestamp": "2026-11-22T10:00:01Z",
    }
    assert change.more is True


def test_values_pass_to_the_digit() -> None:
    text = b'{"big":12345678901234567890123,"frac":0.1000}'
    assert join(split(text)) == text


def test_what_is_not_there_is_null() -> None:
    assert pick({"a": msgspec.Raw(b"1"), "b": msgspec.Raw(b"2")}, ["a", "c"]) == {
        "a": msgspec.Raw(b"1"),
        "c": msgspec.Raw(b"null"),
    }
