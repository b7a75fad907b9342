"""Facts about `rhtmx.requests`."""

from __future__ import annotations

import pytest

from rhtmx.errors import ErrorCode, RhtmxError
from rhtmx.events import Answered, Event, Refused
from rhtmx.messages import ValidateField, ValidationResult
from rhtmx.requests import Requests


def question(name: str) -> ValidateField:
    return ValidateField(name, "signup", "email", "x")


def answer(name: str) -> ValidationResult:
    return ValidationResult(name, "signup", "email", valid=True)


def refusal(code: ErrorCode, name: str | None, **more: float) -> RhtmxError:
    return RhtmxError(code, "no", request_id=name, **more)  # type: ignore[arg-type]


def asked(requests: Requests) -> list[str | None]:
    return [each.request_id for each in requests.due()]


@pytest.fixture
def told() -> list[Event]:
    return []


@pytest.fixture
def requests(told: list[Event]) -> Requests:
    """Two questions, on a connection that takes many."""
    requests = Requests(lambda: 0.5, told.append)
    requests.begin(64)
    for name in "ab":
        requests.add(question(name))
    return requests


def test_a_question_is_asked_once_on_a_connection(requests: Requests) -> None:
    assert asked(requests) == ["a", "b"]
    assert asked(requests) == []
    assert set(requests.asked) == {"a", "b"}


def test_what_was_not_answered_is_asked_again_on_the_next_connection(
    requests: Requests, told: list[Event]
) -> None:
    asked(requests)
    requests.answered(answer("a"))
    assert told == [Answered("a", answer("a"))]
    requests.lost()
    assert not requests.asked
    requests.begin(64)
    assert asked(requests) == ["b"]


def test_no_more_wait_at_a_time_than_the_server_allows(requests: Requests) -> None:
    for name in "cd":
        requests.add(question(name))
    requests.begin(2)
    assert asked(requests) == ["a", "b"]
    requests.answered(answer("a"))
    assert asked(requests) == ["c"]


def test_no_more_are_asked_than_there_is_room_for(requests: Requests) -> None:
    assert requests.due(0) == []
    assert [each.request_id for each in requests.due(1)] == ["a"]
    assert [each.request_id for each in requests.due(1)] == ["b"]


def test_an_answer_that_nobody_waits_for_is_nobodys(requests: Requests, told: list[Event]) -> None:
    for name in ("a", "a", "x"):
        requests.answered(answer(name))
        requests.refuse(refusal(ErrorCode.TIMEOUT, name))
    requests.refuse(refusal(ErrorCode.TIMEOUT, None))
    assert len(told) == 1
    assert not requests.waits("a")
    assert requests.waits("b")


@pytest.mark.parametrize(
    "code", [ErrorCode.RATE_LIMITED, ErrorCode.TOO_MANY_REQUESTS, ErrorCode.SHUTTING_DOWN]
)
def test_what_the_server_was_too_busy_for_is_asked_again_after_a_while(
    requests: Requests, told: list[Event], code: ErrorCode
) -> None:
    asked(requests)
    assert requests.refused(refusal(code, "a", retry_after=2.0), 10)
    assert asked(requests) == []
    assert requests.hold.until == 12.5
    assert requests.hold.tick(12.5)
    assert asked(requests) == ["a"]
    assert told == []


@pytest.mark.parametrize("code", [ErrorCode.TIMEOUT, ErrorCode.UNKNOWN_FORM, ErrorCode.SUPERSEDED])
def test_what_is_about_the_question_is_its_answer(
    requests: Requests, told: list[Event], code: ErrorCode
) -> None:
    asked(requests)
    error = refusal(code, "a")
    assert not requests.refused(error, 10)
    assert told == [Refused("a", error)]
    assert requests.hold.until is None


def test_a_busy_server_that_means_nothing_of_these_holds_them_up_only_if_it_names_nothing(
    requests: Requests,
) -> None:
    assert not requests.refused(refusal(ErrorCode.RATE_LIMITED, "x"), 10)
    assert asked(requests) == ["a", "b"]
    assert requests.refused(refusal(ErrorCode.RATE_LIMITED, None), 10)
    requests.add(question("c"))
    assert asked(requests) == []


def test_a_new_connection_is_not_held_up(requests: Requests) -> None:
    requests.refused(refusal(ErrorCode.RATE_LIMITED, None, retry_after=60.0), 10)
    requests.begin(64)
    assert asked(requests) == ["a", "b"]
