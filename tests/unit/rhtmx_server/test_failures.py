"""Failures: what the client is told, and what only the log is told."""

from __future__ import annotations

import json
import logging

import pytest

from rhtmx.errors import ErrorCode, RhtmxError
from rhtmx.messages import Ping, Sync
from rhtmx.messages.tables import ERRORS
from rhtmx_server.failures import error_message, known, place, unexpected
from tests.unit.rhtmx_server.fakes import push


def test_an_error_answers_the_request_and_the_number_that_it_is_about() -> None:
    error = error_message(RhtmxError(ErrorCode.CONFLICT, "words"), push(seq=7, request_id="r"))
    assert (error.request_id, error.seq, error.message) == ("r", 7, "words")


def test_what_the_error_says_itself_comes_first() -> None:
    raised = RhtmxError(ErrorCode.CONFLICT, "words", request_id="mine", seq=1)
    error = error_message(raised, push(seq=7, request_id="r"))
    assert (error.request_id, error.seq) == ("mine", 1)


@pytest.mark.parametrize("request_", [None, Ping(), Sync(entity="tasks")])
def test_what_has_no_id_and_no_number_is_answered_without(request_: Ping | Sync | None) -> None:
    error = error_message(RhtmxError(ErrorCode.BAD_MESSAGE, "words"), request_)
    assert (error.request_id, error.seq) == (None, None)


@pytest.mark.parametrize("code", list(ERRORS), ids=lambda code: ERRORS[code].spelling)
def test_whether_to_try_again_is_what_the_table_says(code: ErrorCode) -> None:
    error = error_message(RhtmxError(code, "words", details=b"{}"))
    assert (error.code, error.details) == (code, b"{}")
    assert error.retryable is (True if ERRORS[code].retryable else None)


def test_an_unforeseen_failure_is_logged_and_told_only_by_an_id(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with caplog.at_level(logging.ERROR, "rhtmx_server"):
        error = unexpected(ZeroDivisionError("secret SQL"), "writing")
    assert error.code is ErrorCode.INTERNAL
    correlation = json.loads(error.details or b"")["correlation_id"]
    assert correlation in error.message
    assert correlation in caplog.text
    assert "ZeroDivisionError" in caplog.text
    assert "secret" not in error.message + caplog.text, "a failure's text may hold a payload"


def test_the_log_may_be_told_what_is_known_to_hold_no_payload(
    caplog: pytest.LogCaptureFixture,
) -> None:
    unexpected(ValueError(), "writing", told="the disk is slow", new_id=lambda: "id-1")
    assert "writing failed, correlation id id-1: the disk is slow" in caplog.text


def test_the_place_of_a_failure_is_its_type_and_where_it_was_raised() -> None:
    def raises() -> None:
        raise KeyError("secret")

    try:
        raises()
    except KeyError as failure:
        told = place(failure)
    assert told.startswith("KeyError at ")
    assert "test_failures.py" in told
    assert "raises" in told
    assert "secret" not in told


def test_no_two_failures_have_the_same_id() -> None:
    ids = {unexpected(ValueError(), "writing").message for _ in range(20)}
    assert len(ids) == 20


def test_an_error_of_ours_passes_as_it_is_and_anything_else_is_unexpected() -> None:
    ours = RhtmxError(ErrorCode.CONFLICT, "words")
    assert known(ours, "testing") is ours
    assert known(ValueError("secret"), "testing").code is ErrorCode.INTERNAL
