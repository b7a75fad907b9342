"""Facts about `rhtmx_server.trackers.views`."""

from __future__ import annotations

import json

from rhtmx.messages import ChangeAction, ChangeLog, FieldAction, FieldChangeLog
from rhtmx_server.model import Clock
from rhtmx_server.times import to_datetime
from rhtmx_server.trackers.views import change_log, field_logs, record_json, title
from tests.unit.rhtmx_server.trackers.builders import NOW, record, tombstone


def test_a_log_entry_says_all_that_the_record_holds() -> None:
    assert change_log(record(b'{"a": 1}', version=7, client_id="c")) == ChangeLog(
        entity="users",
        entity_id="1",
        action=ChangeAction.UPDATE,
        data=b'{"a": 1}',
        version=7,
        client_id="c",
        created_at=to_datetime(NOW),
    )


def test_each_field_says_who_wrote_it_when() -> None:
    current = record(
        b'{"b":null,"a":1}',
        version=7,
        clocks={"a": Clock(3, 30, "x"), "b": Clock(7, 70), "c": Clock(6, 60, None, True)},
    )
    assert field_logs(current) == [
        FieldChangeLog(
            entity="users",
            entity_id="1",
            field="a",
            value=b"1",
            action=FieldAction.UPDATE,
            version=3,
            client_id="x",
            timestamp=to_datetime(30),
        ),
        FieldChangeLog(
            entity="users",
            entity_id="1",
            field="b",
            action=FieldAction.UPDATE,
            version=7,
            timestamp=to_datetime(70),
        ),
    ]


def test_a_record_in_json_is_a_change_log_with_its_data_untouched() -> None:
    text = record_json(record(b'{"n": 12345678901234567890.0}', version=7, client_id="c"))
    assert b'"data":{"n": 12345678901234567890.0}' in text
    assert json.loads(text) | {"data": None} == {
        "entity": "users",
        "entity_id": "1",
        "action": "update",
        "data": None,
        "version": 7,
        "client_id": "c",
        "created_at": to_datetime(NOW).isoformat().replace("+00:00", "Z"),
    }


def test_a_tombstone_in_json_has_null_data_and_no_client_that_is_not_known() -> None:
    view = json.loads(record_json(tombstone()))
    assert view["action"] == "delete"
    assert view["data"] is None
    assert "client_id" not in view


def test_a_title_is_short_enough_for_an_error_message() -> None:
    assert title("users", "1") == "users/1"
    assert len(title("e" * 255, "i" * 255)) == 81
