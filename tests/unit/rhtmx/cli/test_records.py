"""Facts about `rhtmx.cli.records`."""

from __future__ import annotations

import json

from rhtmx.cli import records
from rhtmx.messages import FieldAction, Position
from rhtmx.values.conflict_side import ConflictSide
from rhtmx.values.history import FieldAuthor
from rhtmx.values.reset import Reset
from rhtmx.values.results import FormError, FormValidation, PushResult, Validation
from tests.unit.rhtmx.cli.values_of import (
    AT,
    change,
    commit,
    conflict,
    field_change,
    merged,
    open_conflict,
)

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


def test_a_write_says_of_its_conflicts_what_is_known() -> None:
    told = conflict(server_deleted=False, server_client_id="c2", number=12)
    (record,) = records.pushed(merged(told))["conflicts"]
    assert (record["server_deleted"], record["server_client_id"], record["number"]) == (
        False,
        "c2",
        12,
    )
    assert not {"client_deleted", "key"} & set(record)


def test_a_commit_is_whole() -> None:
    assert json.loads(json.dumps(records.commit(commit()))) == {
        "type": "commit",
        "entity": "tasks",
        "entity_id": "7",
        "action": "update",
        "data": {"title": "Write it up"},
        "version": 42,
        "changed": ["title", "note"],
        "client_id": "cafe0123456789ab",
        "subject": "ada",
        "created_at": "2026-11-22T10:00:01Z",
    }
    assert records.commit(commit(left=True))["left"]


def test_an_author_is_told_with_the_record() -> None:
    author = FieldAuthor("title", 42, AT, None, "ada")
    assert records.author("tasks", "7", author) == {
        "type": "field_author",
        "entity": "tasks",
        "entity_id": "7",
        "field": "title",
        "version": 42,
        "timestamp": "2026-11-22T10:00:01Z",
        "client_id": None,
        "subject": "ada",
    }


def test_an_open_conflict_has_its_two_sides_and_what_is_known() -> None:
    told = open_conflict(
        stored=ConflictSide(None, FieldAction.DELETE, "c2", "ada", AT),
        pushed=ConflictSide(b"2", FieldAction.INCREMENT),
    )
    assert json.loads(json.dumps(records.conflict(told))) == {
        "type": "conflict",
        "entity": "tasks",
        "entity_id": "7",
        "number": 12,
        "field": "title",
        "winner": "server",
        "strategy": "last_write_wins",
        "version": 43,
        "stored": {
            "value": None,
            "action": "delete",
            "timestamp": "2026-11-22T10:00:01Z",
            "client_id": "c2",
            "subject": "ada",
        },
        "pushed": {"value": 2, "action": "increment"},
    }
    assert records.answered(told) == {
        "type": "conflict_answered",
        "entity": "tasks",
        "entity_id": "7",
        "number": 12,
    }


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
