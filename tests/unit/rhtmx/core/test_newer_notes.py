"""Facts about `rhtmx.core.newer_notes`."""

from __future__ import annotations

import pytest

from rhtmx.core.newer_notes import NewerNotes


def test_each_thing_is_told_once(caplog: pytest.LogCaptureFixture) -> None:
    notes = NewerNotes()
    for where, what in [("a", "x"), ("a", "y"), ("b", "x"), ("a", "x"), ("b", "x")]:
        notes(where, what)
    said = "the server is newer than this client: "
    assert [each.getMessage() for each in caplog.records] == [
        f"{said}a: x",
        f"{said}a: y",
        f"{said}b: x",
    ]
    assert {(each.name, each.levelname) for each in caplog.records} == {("rhtmx", "WARNING")}


def test_another_client_is_told_too(caplog: pytest.LogCaptureFixture) -> None:
    for _ in range(2):
        NewerNotes()("a", "x")
    assert len(caplog.records) == 2


def test_a_server_that_says_something_new_each_time_fills_no_log(
    caplog: pytest.LogCaptureFixture,
) -> None:
    notes = NewerNotes()
    for number in range(1000):
        notes("type", f"message {number}")
    assert len(caplog.records) == 100
