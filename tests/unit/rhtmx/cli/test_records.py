"""Facts about `rhtmx.cli.records`."""

from __future__ import annotations

import json

from rhtmx.cli import records
from rhtmx.core.events import Reset
from rhtmx.messages import Position
from rhtmx.values.results import FormError, FormValidation, PushResult, Validation
from tests.unit.rhtmx.cli.values_of import change, conflict, field_change, merged

HERE = Position(epoch="e0", version=41)


def test_a_change_is_whole() -> None:
    assert records.change(change(), HERE) == {
        "type": "change",
        "entity": "tasks",
        "entity_id": "7",
        "action": "create",
        "data": {"title": "Write it down"},
        "version": 41,
        "epoch": "e0",
        "client_id": "cafe0123456789abcafe0123456789ab",
        "created_at": "2026-11-22T10:00:01Z",
    }


def test_a_field_change_is_whole_and_may_not_know_its_epoch() -> None:
    record = records.change(field_change(), None)
    assert record["type"] == "field_change"
    assert (record["field"], record["value"]) == ("title", "Write it down")
    assert (record["timestamp"], record["epoch"]) == ("2026-11-22T10:00:01Z", None)


def test_a_reset_says_how_far_it_had_been_read() -> None:
    assert records.reset(Reset("tasks", HERE)) == {
        "type": "reset",
        "entity": "tasks",
        "position": {"epoch": "e0", "version": 41},
    }
    assert records.reset(Reset("tasks", None))["position"] is None


def test_a_write_has_its_conflicts_with_it() -> None:
    assert records.pushed(PushResult("tasks", "7", 42, False)) == {
        "type": "push_ack",
        "entity": "tasks",
        "entity_id": "7",
        "version": 42,
        "duplicate": False,
    }
    prepared = PushResult("tasks", "7", 42, False, {"owner": "ada"})
    assert records.pushed(prepared)["prepared"] == {"owner": "ada"}
    record = json.loads(json.dumps(records.pushed(merged(conflict()))))
    assert record["type"] == "field_push_ack"
    assert record["conflicts"][0]["winner"] == "server"
    assert record["conflicts"][0]["server_timestamp"] == "2026-11-22T10:00:01Z"


def test_a_verdict_says_about_what() -> None:
    one = records.verdict("signup", Validation(False, "no", {"hint": "x"}), "email")
    assert one == {
        "type": "validation_result",
        "form": "signup",
        "field": "email",
        "valid": False,
        "error": "no",
        "metadata": {"hint": "x"},
    }
    whole = records.verdict("signup", FormValidation(False, (FormError("email", "no"),)))
    assert json.loads(json.dumps(whole)) == {
        "type": "form_validation_result",
        "form": "signup",
        "valid": False,
        "errors": [{"field": "email", "error": "no"}],
    }


def test_a_departure_says_so_and_a_position_of_a_part_has_its_scope() -> None:
    gone = change(action="delete", data=None, left=True)
    assert records.change(gone, None)["left"] is True
    assert "left" not in records.change(change(), None)
    at = Position(epoch="e0", version=41, scope="s7")
    assert records.position("tasks", at)["scope"] == "s7"
    assert "scope" not in records.position("tasks", Position(epoch="e0", version=41))
