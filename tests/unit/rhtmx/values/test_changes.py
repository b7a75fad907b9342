"""Facts about `rhtmx.values.changes`."""

from __future__ import annotations

from datetime import UTC, datetime

from rhtmx.messages import ChangeAction, ChangeLog, FieldAction, FieldChangeLog
from rhtmx.values.changes import Change, FieldChange

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def test_a_change_has_python_values_and_the_wires_words() -> None:
    log = ChangeLog("tasks", "1", ChangeAction.CREATE, b'{"n":1}', 7, "c1", NOW)
    assert Change.of(log) == Change("tasks", "1", "create", {"n": 1}, 7, "c1", NOW)


def test_a_delete_has_no_data() -> None:
    log = ChangeLog("tasks", "1", ChangeAction.DELETE, None, 7, None, NOW)
    change = Change.of(log)
    assert (change.action, change.data) == ("delete", None)


def test_a_field_change_has_python_values_and_the_wires_words() -> None:
    log = FieldChangeLog("tasks", "1", "n", b"[1]", FieldAction.UPDATE, 7, "c1", NOW, True)
    expected = FieldChange("tasks", "1", "n", "update", [1], 7, "c1", NOW, more=True)
    assert FieldChange.of(log) == expected


def test_the_last_field_of_a_commit_says_so() -> None:
    log = FieldChangeLog("tasks", "1", "n", None, FieldAction.DELETE, 7, None, NOW)
    change = FieldChange.of(log)
    assert (change.action, change.value, change.more) == ("delete", None, False)
