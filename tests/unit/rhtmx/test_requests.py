"""Facts about `rhtmx.requests`."""

from __future__ import annotations

from rhtmx.messages import ValidateField
from rhtmx.requests import Requests


def question(name: str) -> ValidateField:
    return ValidateField(name, "signup", "email", "x")


def asked(requests: Requests) -> list[str | None]:
    return [each.request_id for each in requests.due()]


def test_a_question_is_asked_once_on_a_connection() -> None:
    requests = Requests()
    requests.begin(64)
    requests.add(question("a"))
    assert asked(requests) == ["a"]
    assert asked(requests) == []


def test_what_was_not_answered_is_asked_again_on_the_next_connection() -> None:
    requests = Requests()
    requests.begin(64)
    requests.add(question("a"))
    requests.add(question("b"))
    asked(requests)
    assert requests.settle("a")
    requests.begin(64)
    assert asked(requests) == ["b"]


def test_no_more_wait_at_a_time_than_the_server_allows() -> None:
    requests = Requests()
    requests.begin(2)
    for name in "abcd":
        requests.add(question(name))
    assert asked(requests) == ["a", "b"]
    requests.settle("a")
    assert asked(requests) == ["c"]


def test_an_answer_that_nobody_waits_for_is_told_apart() -> None:
    requests = Requests()
    requests.begin(64)
    requests.add(question("a"))
    assert requests.settle("a")
    assert not requests.settle("a")
    assert not requests.settle(None)
