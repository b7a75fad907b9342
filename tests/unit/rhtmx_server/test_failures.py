"""Failures: what the client is told, and what only the log is told."""

from __future__ import annotations

import json
import logging
import sys
import traceback
from collections.abc import Callable, Sequence

import pytest

from rhtmx.errors import ErrorCode, RhtmxError
from rhtmx.messages import Error, Ping, Pong, Subscribe, SubscribeFields, Sync, Unsubscribe
from rhtmx.messages.tables import ERRORS
from rhtmx_server.failures import (
    MisuseError,
    error_message,
    known,
    listening,
    place,
    quiet,
    raise_if_error,
    report,
    unexpected,
)
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


@pytest.mark.parametrize("kind", [Subscribe, SubscribeFields])
def test_a_refused_subscription_is_told_by_the_name_of_its_entity(
    kind: type[Subscribe] | type[SubscribeFields],
) -> None:
    raised = RhtmxError(ErrorCode.UNKNOWN_ENTITY, "words")
    error = error_message(raised, kind(entities=['"täsks"']))
    assert error.details is not None
    assert json.loads(error.details) == {"entity": '"täsks"'}
    assert error_message(raised, kind(entities=["a", "b"])).details is None
    assert error_message(raised, Unsubscribe(entities=["a"])).details is None


def test_what_the_refusal_of_a_subscription_says_itself_comes_first() -> None:
    raised = RhtmxError(ErrorCode.INTERNAL, "words", details=b"{}")
    assert error_message(raised, Subscribe(entities=["a"])).details == b"{}"


def test_an_error_message_becomes_the_error_that_it_was() -> None:
    raise_if_error(Pong())
    with pytest.raises(RhtmxError) as caught:
        raise_if_error(
            Error(message="m", code=ErrorCode.CONFLICT, seq=3, details=b"1", retry_after=1500)
        )
    error = caught.value
    assert (error.code, error.message) == (ErrorCode.CONFLICT, "m")
    assert (error.seq, error.details, error.retry_after) == (3, b"1", 1.5)


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
    unexpected(MisuseError("returned a list"), "asking", new_id=lambda: "id-1")
    assert "asking failed, correlation id id-1: returned a list" in caplog.text


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


SECRET = "hunter2"


def fails(value: str) -> None:
    raise ValueError(f"{value} is no number")


def raised(work: Callable[[], None]) -> BaseException:
    try:
        work()
    except BaseException as failure:
        return failure
    raise AssertionError("nothing was raised")


def lines(failure: BaseException) -> str:
    """What a log prints of an exception."""
    return "".join(traceback.format_exception(failure))


def while_handling() -> None:
    try:
        fails(SECRET)
    except ValueError:
        raise KeyError(SECRET)  # noqa: B904


def because() -> None:
    try:
        fails(SECRET)
    except ValueError as reason:
        raise KeyError(SECRET) from reason


def instead() -> None:
    try:
        fails(SECRET)
    except ValueError:
        raise KeyError(SECRET) from None


def noted() -> None:
    failure = ValueError(SECRET)
    failure.add_note(SECRET)
    raise failure


def several() -> None:
    raise BaseExceptionGroup(SECRET, [raised(because), ValueError(SECRET)])


def misspelt() -> None:
    compile(f"{SECRET} is", SECRET, "exec")


class Named(Exception):  # noqa: N818
    """Of a module of its own."""


class Empty(Exception):  # noqa: N818
    """One that is false in a condition."""

    def __len__(self) -> int:
        return 0


def own() -> None:
    raise Named(SECRET)


def because_of_empty() -> None:
    raise KeyError(SECRET) from Empty(SECRET)


def deep() -> None:
    failure: Exception = ValueError(SECRET)
    for _ in range(50):
        failure = ExceptionGroup(SECRET, [failure])
    raise failure


@pytest.mark.parametrize(
    ("work", "seen"),
    [
        (lambda: fails(SECRET), ["ValueError", 'raise ValueError(f"{value} is no number")']),
        (while_handling, ["KeyError", "ValueError", "During handling of the above exception"]),
        (because, ["KeyError", "ValueError", "was the direct cause"]),
        (instead, ["KeyError", "raise KeyError(SECRET) from None"]),
        (noted, ["ValueError", "raise failure"]),
        (several, ["ExceptionGroup", "KeyError", "ValueError", "was the direct cause"]),
        (misspelt, ["SyntaxError", "in misspelt"]),
        (because_of_empty, ["KeyError", "Empty", "was the direct cause"]),
        (deep, ["ExceptionGroup"]),
        (own, [f"{__name__}.Named", "raise Named(SECRET)"]),
        (lambda: sys.exit(SECRET), ["SystemExit"]),
    ],
)
def test_the_traceback_is_whole_and_says_nothing_that_the_exceptions_say(
    work: Callable[[], None], seen: Sequence[str]
) -> None:
    failure = raised(work)
    told = lines(quiet(failure))
    assert [each for each in seen if each not in told] == []
    assert "in raised" in told
    assert SECRET not in told
    assert SECRET in lines(failure), "which is left as it is"


def test_no_class_is_made_twice_for_one_kind_of_failure() -> None:
    first, second = (type(quiet(raised(own))) for _ in range(2))
    assert first is second


def test_what_was_hidden_stays_hidden() -> None:
    assert "During handling" not in lines(quiet(raised(instead)))


def test_a_chain_of_failures_without_end_is_cut() -> None:
    failure = first = ValueError(SECRET)
    for _ in range(5000):
        failure.__context__ = ValueError(SECRET)
        failure = failure.__context__
    failure.__context__ = first
    assert lines(quiet(first)).count("ValueError") < 50


def test_the_words_are_in_the_log_where_its_level_is_debug(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with caplog.at_level(logging.DEBUG, "rhtmx_server"):
        unexpected(raised(because), "asking")
    assert f"ValueError: {SECRET} is no number" in caplog.text


def test_at_any_other_level_the_log_has_the_traceback_without_them(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with caplog.at_level(logging.INFO, "rhtmx_server"):
        unexpected(raised(because), "asking")
    assert 'raise ValueError(f"{value} is no number")' in caplog.text
    assert "log level debug shows it" in caplog.text
    assert SECRET not in caplog.text


def test_what_is_ephemeral_is_named_since_it_has_no_id(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rhtmx_server.failures.EPHEMERAL", frozenset({Ping}))
    refused = error_message(RhtmxError(ErrorCode.UNKNOWN_ENTITY, "words"), Ping())
    failed = error_message(RhtmxError(ErrorCode.INTERNAL, "words", details=b'{"id":"7"}'), Ping())
    assert json.loads(refused.details or b"") == {"type": "ping"}
    assert json.loads(failed.details or b"") == {"id": "7", "type": "ping"}


def test_whoever_listens_hears_of_a_failure_with_all_its_words() -> None:
    heard: list[tuple[BaseException, str]] = []
    failure = KeyError("ada@example.com")
    with listening(lambda error, what: heard.append((error, what))):
        report(failure, "hook mail failed")
    report(failure, "nobody listens any more")
    assert heard == [(failure, "hook mail failed")]
