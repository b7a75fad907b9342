"""Facts about `rhtmx.values.results`."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import assert_type

from rhtmx.messages import (
    FieldConflict,
    FieldError,
    FieldPushAck,
    FormValidationResult,
    MergeStrategy,
    Position,
    PushAck,
    ValidationResult,
    Winner,
)
from rhtmx.unknown_enum_values import unknown
from rhtmx.values.results import (
    Conflict,
    FieldPushResult,
    FormError,
    FormValidation,
    PushResult,
    SyncResult,
    Validation,
)

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def test_a_push_result_tells_the_version() -> None:
    assert PushResult.of(PushAck("tasks", "1", 7)) == PushResult("tasks", "1", 7, duplicate=False)
    assert PushResult.of(PushAck("tasks", "1", 7, duplicate=True)).duplicate


def test_a_result_tells_what_the_server_filled_in() -> None:
    prepared = b'{"owner":"ada","id":12345678901234567890}'
    told = {"owner": "ada", "id": 12345678901234567890}
    result = PushResult.of(PushAck("tasks", "1", 7, prepared=prepared))
    assert result.prepared == told
    assert FieldPushResult.of(FieldPushAck("tasks", "1", prepared=prepared), []).prepared == told
    assert PushResult.of(PushAck("tasks", "1", 7)).prepared == {}
    assert len({result, result}) == 1


def test_a_field_push_result_holds_its_conflicts() -> None:
    conflict = FieldConflict(
        entity="tasks",
        entity_id="1",
        field="title",
        server_value=b'"theirs"',
        server_timestamp=NOW,
        client_value=b'"mine"',
        client_timestamp=NOW,
        version=7,
        winner=Winner.SERVER,
        strategy=MergeStrategy.SERVER_WINS,
        seq=3,
    )
    ack = FieldPushAck("tasks", "1", 1, 1, version=7, clamped=2)
    expected = Conflict(
        "tasks", "1", "title", "theirs", NOW, "mine", NOW, 7, "server", "server_wins"
    )
    result = FieldPushResult.of(ack, [conflict])
    assert result == FieldPushResult("tasks", "1", 1, (expected,), 7, duplicate=False, clamped=2)


def test_a_conflict_may_leave_winner_and_rule_open() -> None:
    conflict = Conflict.of(FieldConflict(server_timestamp=NOW, client_timestamp=NOW))
    assert (conflict.winner, conflict.strategy, conflict.version) == (None, None, None)


def test_a_conflict_keeps_the_words_of_a_newer_server() -> None:
    message = FieldConflict(
        server_timestamp=NOW,
        client_timestamp=NOW,
        winner=unknown(Winner, "both"),
        strategy=unknown(MergeStrategy, "crdt_text"),
    )
    conflict = Conflict.of(message)
    assert_type(conflict.winner, str | None)
    assert (conflict.winner, conflict.strategy) == ("both", "crdt_text")


def test_an_invalid_value_is_false_in_a_condition() -> None:
    message = ValidationResult("r", "signup", "email", False, "is taken", b'{"hint":"sign in"}')
    validation = Validation.of(message)
    assert not validation
    assert validation == Validation(False, "is taken", {"hint": "sign in"})
    assert Validation.of(ValidationResult("r", "signup", "email", True))


def test_an_invalid_form_is_false_in_a_condition_and_tells_everything() -> None:
    message = FormValidationResult("r", "signup", False, [FieldError("email", "is taken")])
    validation = FormValidation.of(message)
    assert not validation
    assert validation.errors == (FormError("email", "is taken"),)
    assert FormValidation.of(FormValidationResult("r", "signup", True))


def test_a_sync_result_is_a_collection_of_its_changes() -> None:
    result = SyncResult((1, 2), Position(epoch="e", version=2), reset=False)
    assert list(result) == [1, 2]
    assert len(result) == 2
