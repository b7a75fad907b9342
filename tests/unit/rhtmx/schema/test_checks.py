"""Facts about `rhtmx.schema.checks` that no vector of records has."""

from __future__ import annotations

import math
from typing import Any

import pytest

from rhtmx import schema as _s
from rhtmx.schema.checks import Check, unique

NAN = math.nan


@pytest.mark.parametrize(
    ("check", "bounds", "right", "wrong"),
    [
        (_s.gt, 1, [2], [1, 0, NAN]),
        (_s.gte, 1, [1, 2], [0, NAN]),
        (_s.lt, 1, [0], [1, 2, NAN]),
        (_s.lte, 1, [0, 1], [2, NAN]),
        (_s.gt_lt, (1, 3), [2], [1, 3, NAN]),
        (_s.gt_lte, (1, 3), [2, 3], [1, 4, NAN]),
        (_s.gte_lt, (1, 3), [1, 2], [0, 3, NAN]),
        (_s.gte_lte, (1, 3), [1, 3], [0, 4, NAN]),
        (_s.gt_lt, (3, 1), [0, 4], [1, 2, 3, NAN]),
        (_s.gt_lte, (3, 1), [1, 4], [2, 3, NAN]),
        (_s.gte_lt, (3, 1), [0, 3], [1, 2, NAN]),
        (_s.gte_lte, (3, 1), [1, 3], [2, NAN]),
        (_s.gt_lt, (1, 1), [], [0, 1, 2, NAN]),
        (_s.gte_lte, (1, 1), [1], [0, 2, NAN]),
    ],
)
def test_bounds(check: Check, bounds: Any, right: list[Any], wrong: list[Any]) -> None:
    assert [check(each, bounds) for each in right] == [None] * len(right)
    assert all(check(each, bounds) for each in wrong)


@pytest.mark.parametrize(
    ("check", "bounds", "code"),
    [
        (_s.gte_lte, (3, 1), "gte_lte_exclusive"),
        (_s.gt_lt, (1, 1), "gt_lt"),
        (_s.gt_lt, (1, 0), "gt_lt_exclusive"),
    ],
)
def test_a_rule_of_two_bounds_is_called_exclusive_if_they_are_swapped(
    check: Check, bounds: Any, code: str
) -> None:
    failure = check(0.5 if bounds == (1, 0) else 2, bounds)
    assert failure is not None
    assert failure.code == code


@pytest.mark.parametrize(
    ("items", "right"),
    [
        ([NAN, NAN], True),
        ([NAN, 1, 1], False),
        ([0.0, -0.0], False),
        (["a", "b"], True),
        ([b"a", b"a"], False),
        ([1, 2, 1], False),
        ([], True),
    ],
)
def test_unique(items: list[Any], right: bool) -> None:
    assert (unique(items) is None) is right


def test_numbers_of_things_are_said_in_singular_and_plural() -> None:
    rows = [(_s.min_len, "", 1), (_s.min_len, "", 2), (_s.min_len, b"", 1), (_s.min_pairs, {}, 1)]
    failures = [check(value, argument) for check, value, argument in rows]
    assert [each.words.removeprefix("must have at least ") for each in failures if each] == [
        "1 character",
        "2 characters",
        "1 byte",
        "1 entry",
    ]


def test_half_of_a_surrogate_pair_has_three_bytes() -> None:
    assert _s.max_bytes("\ud800", 3) is None
    assert _s.max_bytes("\ud800", 2) is not None


def test_bytes_that_are_no_text_match_no_pattern() -> None:
    failure = _s.pattern_bytes(b"\xff", "")
    assert failure is not None
    assert failure.words == "must be text in UTF-8"


@pytest.mark.parametrize("choices", [("a", "b"), tuple("abcdefghijklm")])
def test_a_few_choices_and_many_are_judged_alike(choices: tuple[str, ...]) -> None:
    table = _s.message("T", _s.field("x", _s.STRING, (_s.is_in, choices)))
    assert _s.judge(table, {"x": "b"}) == ()
    (found,) = _s.judge(table, {"x": "z"})
    assert found.message == f"must be one of: {', '.join(choices[:10])}" + (
        ", …" if len(choices) > 10 else ""
    )
