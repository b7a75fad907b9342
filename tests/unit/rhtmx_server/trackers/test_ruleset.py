"""Facts about `rhtmx_server.trackers.ruleset`."""

from __future__ import annotations

import pytest

from rhtmx_server.trackers.ruleset import check_all


def test_a_required_value_may_not_be_missing() -> None:
    assert check_all({"required": True})("") == "is required"


def test_white_space_alone_is_an_empty_value() -> None:
    assert check_all({"required": True})(" \t\n") == "is required"


def test_an_empty_value_that_is_not_required_passes_every_rule() -> None:
    check = check_all({"min_length": 3, "email": True, "ge": 18, "one_of": ["a"], "url": True})
    assert check("") is None
    assert check("  ") is None


def test_a_value_passes_if_all_rules_do() -> None:
    assert check_all({"required": True, "type": int, "ge": 18, "le": 120})("36") is None


def test_the_first_failure_speaks() -> None:
    check = check_all({"max_length": 3, "email": True})
    assert check("nope") == "is too long: 4 characters, at most 3 allowed"
    assert check("no") == "is not an email address"


def test_the_length_is_checked_before_the_pattern() -> None:
    check = check_all({"pattern": "a*", "max_length": 3})
    assert check("aaaaaaaab") == "is too long: 9 characters, at most 3 allowed"


def test_a_bound_alone_makes_the_value_a_number() -> None:
    assert check_all({"ge": 18})("x") == "is not a number"
    assert check_all({"ge": 18})("18.5") is None


def test_a_message_takes_the_place_of_all_texts() -> None:
    check = check_all({"required": True, "ge": 18, "message": "adults only"})
    assert check("") == "adults only"
    assert check("17") == "adults only"
    assert check("18") is None


@pytest.mark.parametrize("rule", ["email", "url", "required"])
def test_a_rule_that_is_switched_off_is_not_checked(rule: str) -> None:
    assert check_all({rule: False})("x") is None  # type: ignore[misc]


def test_a_rule_that_does_not_exist_is_refused_with_those_that_do() -> None:
    with pytest.raises(TypeError, match="no ready-made rule 'minlength': there are required, min_"):
        check_all({"minlength": 3})  # type: ignore[typeddict-unknown-key]


def test_lengths_that_exclude_each_other_are_refused() -> None:
    with pytest.raises(ValueError, match="min_length 5 is above max_length 3"):
        check_all({"min_length": 5, "max_length": 3})
