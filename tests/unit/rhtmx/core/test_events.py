"""Facts about `rhtmx.core.events`."""

from __future__ import annotations

from rhtmx.errors import ErrorCode, RhtmxError
from rhtmx.messages import Position
from rhtmx.values.reset import Reset


def test_a_reset_says_what_it_means_and_what_to_do() -> None:
    reset = Reset("tasks", Position(epoch="e", version=7))
    assert isinstance(reset, RhtmxError)
    assert reset.code is ErrorCode.UNSPECIFIED
    assert "'tasks' could not go on at version 7" in reset.message
    assert "on_reset" in reset.message
    assert "since=0" in reset.message


def test_a_reset_of_a_stream_that_had_none_yet_names_no_version() -> None:
    reset = Reset("tasks", None)
    assert reset.position is None
    assert "at its beginning" in reset.message
