"""Facts about `rhtmx.runtime.connection_problem`."""

from __future__ import annotations

import logging

import pytest

from rhtmx.errors import ErrorCode
from rhtmx.runtime.connection_problem import ConnectionProblem


def test_each_reason_is_logged_once_until_there_is_a_connection(
    caplog: pytest.LogCaptureFixture,
) -> None:
    problem = ConnectionProblem()
    for words in ("a", "b", "a", "b"):
        problem.note(ErrorCode.FORBIDDEN, words, logging.WARNING)
    assert problem.last is not None
    assert (problem.last.code, problem.last.message) == (ErrorCode.FORBIDDEN, "b")
    assert caplog.messages == ["a: trying again", "b: trying again"]
    problem.over()
    assert problem.last is None
    problem.note(ErrorCode.UNSPECIFIED, "a", logging.WARNING)
    assert len(caplog.messages) == 3


def test_what_somebody_is_told_anyway_is_kept_and_not_logged(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    problem = ConnectionProblem()
    problem.note(ErrorCode.UNSPECIFIED, "a", None)
    assert problem.last is not None
    assert caplog.messages == []
