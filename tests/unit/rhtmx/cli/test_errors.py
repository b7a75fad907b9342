"""Facts about `rhtmx.cli.errors`."""

from __future__ import annotations

from rhtmx.cli.errors import NO_CONNECTION, REFUSED, explain
from rhtmx.core.error_policy import ConnectionClosed
from rhtmx.errors import ErrorCode, RhtmxError


def test_a_refusal_says_what_it_is_about() -> None:
    error = explain(RhtmxError(ErrorCode.UNKNOWN_FORM, "no such form"), "signup")
    assert (error.message, error.status) == ("signup: no such form", REFUSED)


def test_a_lost_connection_is_about_nothing_else() -> None:
    error = explain(ConnectionClosed("cannot connect to 'ws://x'"), "tasks/7")
    assert (error.message, error.status) == ("cannot connect to 'ws://x'", NO_CONNECTION)


def test_a_connection_that_was_closed_for_a_reason_was_refused() -> None:
    closed = ConnectionClosed("who are you?", code=ErrorCode.UNAUTHENTICATED, close_code=4001)
    error = explain(closed)
    assert error.status == REFUSED
    assert error.message == "who are you?: give a token with --token-file, --token or RHTMX_TOKEN"


def test_a_conflict_says_what_to_do() -> None:
    error = explain(RhtmxError(ErrorCode.CONFLICT, "moved on"), "tasks/7")
    assert error.message.startswith("tasks/7: moved on: read it again")


def test_what_to_do_about_a_conflict_depends_on_what_was_asked() -> None:
    error = RhtmxError(ErrorCode.CONFLICT, "moved on")
    assert explain(error, conflict="look first").message == "moved on: look first"
    assert explain(error, conflict="").message == "moved on"


def test_what_it_was_about_is_said_once() -> None:
    error = RhtmxError(ErrorCode.FORBIDDEN, "tasks/7: you may not write this")
    assert explain(error, "tasks/7").message == "tasks/7: you may not write this"
    assert explain(error, "line 3: tasks/7").message == "line 3: tasks/7: you may not write this"
