"""Facts about `rhtmx.cli.lines`."""

from __future__ import annotations

from datetime import UTC

from rhtmx.cli.lines import form_verdict, place, pushed, verdict
from rhtmx.cli.paint import Paint
from rhtmx.cli.values import since
from rhtmx.messages import Position
from rhtmx.values.results import FormError, FormValidation, PushResult, Validation
from tests.unit.rhtmx.cli.values_of import conflict, merged

PLAIN = Paint(False)


def test_a_position_is_written_as_it_is_read() -> None:
    for position in (
        Position(epoch="3f9c", version=41),
        Position(epoch="3f9c", version=41, scope="ce763b77"),
    ):
        assert since(place(position)) == position
    assert place(Position(epoch="3f9c", version=41)) == "3f9c:41"
    assert place(Position(epoch="3f9c", version=41, scope="ce76")) == "3f9c:41@ce76"


def test_a_write_is_its_version() -> None:
    assert list(pushed(PushResult("tasks", "7", 42, False), PLAIN)) == ["✓ tasks/7  version 42"]
    assert list(pushed(PushResult("tasks", "7", 42, True), PLAIN)) == [
        "✓ tasks/7  version 42  (had arrived before)"
    ]
    prepared = PushResult("tasks", "7", 42, False, {"owner": "ada", "at": 1})
    assert list(pushed(prepared, PLAIN)) == [
        "✓ tasks/7  version 42  (the server filled in owner, at)"
    ]


def test_each_conflict_is_a_line() -> None:
    result = merged(
        conflict(),
        conflict(field="done", client_value=None, server_value=True),
        conflict(field="note", winner="client", strategy=None),
        clamped=2,
    )
    assert list(pushed(result, PLAIN, UTC)) == [
        "✓ tasks/7  version 43  (2 from the future, corrected)",
        '✗ title  "mine" lost against "theirs" of 2026-11-22 10:00:01 (last_write_wins)',
        "✗ done  nothing lost against true of 2026-11-22 10:00:01 (last_write_wins)",
        '! note  "mine" won over "theirs" of 2026-11-22 10:00:01',
    ]


def test_null_is_told_from_nothing_where_the_server_can() -> None:
    null = conflict(client_value=None, client_deleted=False, server_value=None, server_deleted=True)
    assert list(pushed(merged(null), PLAIN, UTC))[1] == (
        "✗ title  null lost against nothing of 2026-11-22 10:00:01 (last_write_wins)"
    )


def test_a_merge_without_a_version_says_none() -> None:
    assert list(pushed(merged(version=None), PLAIN)) == ["✓ tasks/7"]


def test_a_field_is_valid_or_says_why_not() -> None:
    assert verdict("age", Validation(True, None, None), PLAIN) == "✓ age"
    assert verdict("age", Validation(False, "is required", None), PLAIN) == "✗ age  is required"
    assert verdict("age", Validation(False, None, None), PLAIN) == "✗ age  is not valid"
    told = verdict("age", Validation(False, "no", {"hint": "sign in"}), PLAIN)
    assert told == '✗ age  no  {"hint": "sign in"}'


def test_a_form_is_told_field_by_field_in_the_order_they_were_given() -> None:
    errors = (FormError("email", "is bad"), FormError("age", "is required"), FormError("", "no"))
    lines = list(form_verdict(["name", "email"], FormValidation(False, errors), PLAIN))
    assert lines == ["✓ name", "✗ email   is bad", "✗ age     is required", "✗ (form)  no"]


def test_every_reason_of_a_field_is_told() -> None:
    errors = (FormError("email", "is bad"), FormError("email", "is taken"))
    lines = list(form_verdict(["email"], FormValidation(False, errors), PLAIN))
    assert lines == ["✗ email  is bad", "✗ email  is taken"]


def test_a_form_without_fields_has_a_verdict_too() -> None:
    assert list(form_verdict([], FormValidation(True, ()), PLAIN)) == ["✓ (form)"]
    assert list(form_verdict([], FormValidation(False, ()), PLAIN)) == ["✗ (form)"]


def test_what_others_wrote_cannot_steer_the_terminal() -> None:
    evil = "a\x1b[2J"
    assert "\x1b" not in verdict(evil, Validation(False, evil, evil), PLAIN)
    told = "".join(pushed(merged(conflict(field=evil, server_value=evil)), PLAIN))
    assert "\x1b" not in told
