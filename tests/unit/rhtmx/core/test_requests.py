"""Facts about `rhtmx.core.requests`."""

from __future__ import annotations

import pytest

from rhtmx.core.events import Answered, Event, Refused
from rhtmx.core.requests import Requests
from rhtmx.errors import ErrorCode, RhtmxError
from rhtmx.messages import Authenticate, Authenticated, ValidateField, ValidationResult


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


def test_a_token_waits_for_no_answer_also_where_it_is_asked_again(requests: Requests) -> None:
    requests.begin(1)
    assert asked(requests) == ["a"]
    for name in ("older", "newer"):
        requests.add(Authenticate(name, name))
    assert requests.due(0) == []
    assert asked(requests) == ["older", "newer"]
    requests.begin(1)
    assert asked(requests) == ["older", "newer"]
    requests.answered(Authenticated(request_id="newer"))
    requests.refused(refusal(ErrorCode.RATE_LIMITED, "older", retry_after=1.0), 0.0)
    assert requests.due() == []
    requests.hold.tick(5.0)
    assert asked(requests) == ["older"]
    requests.answered(Authenticated(request_id="older"))
    assert asked(requests) == ["a"]


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


def test_a_thousand_wait_for_their_turn_and_are_asked_in_their_order(
    told: list[Event],
) -> None:
    requests = Requests(lambda: 0.5, told.append)
    requests.begin(64)
    names = [str(number) for number in range(1000)]
    for name in names:
        requests.add(question(name))
    seen: list[str | None] = asked(requests)
    for name in names:
        assert len(requests.asked) == min(64, 1000 - int(name))
        requests.answered(answer(name))
        seen += asked(requests)
    assert seen == names
    assert [each.request_id for each in told if isinstance(each, Answered)] == names


def test_what_nobody_waits_for_any_more_is_not_asked(requests: Requests, told: list[Event]) -> None:
    requests.cancel("a")
    assert asked(requests) == ["b"]
    requests.cancel("a")
    assert not requests.waits("a")


def test_what_was_asked_and_given_up_takes_its_place_until_the_answer(
    requests: Requests, told: list[Event]
) -> None:
    requests.add(question("c"))
    requests.begin(2)
    assert asked(requests) == ["a", "b"]
    requests.cancel("a")
    assert asked(requests) == []
    requests.answered(answer("a"))
    assert asked(requests) == ["c"]
    assert told == []


def test_what_was_given_up_is_not_asked_again_on_the_next_connection(requests: Requests) -> None:
    asked(requests)
    requests.cancel("a")
    requests.lost()
    requests.begin(64)
    assert asked(requests) == ["b"]


def test_the_limit_of_each_connection_is_its_own(requests: Requests) -> None:
    requests.begin(1)
    assert asked(requests) == ["a"]
    requests.lost()
    requests.begin(2)
    assert asked(requests) == ["a", "b"]


def test_what_the_server_was_too_busy_for_keeps_its_place(requests: Requests) -> None:
    requests.add(question("c"))
    requests.begin(2)
    assert asked(requests) == ["a", "b"]
    for name in ("b", "a"):
        requests.refused(refusal(ErrorCode.TOO_MANY_REQUESTS, name), 0)
    requests.hold.tick(1000)
    assert asked(requests) == ["a", "b"]


def test_a_refusal_of_what_was_never_asked_does_not_have_it_asked_twice(
    requests: Requests,
) -> None:
    requests.refused(refusal(ErrorCode.RATE_LIMITED, "a"), 0)
    requests.hold.tick(1000)
    assert asked(requests) == ["a", "b"]
