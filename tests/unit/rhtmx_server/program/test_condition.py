"""Facts about `rhtmx_server.program.condition`."""

from __future__ import annotations

from typing import Any

import pytest

from rhtmx.errors import ErrorCode, RhtmxError
from rhtmx_server.program.condition import Condition, where_text

RED = b'{"team": "red", "n": 1}'


@pytest.mark.parametrize(
    ("where", "data", "holds"),
    [
        ({"team": "red"}, RED, True),
        ({"team": "blue"}, RED, False),
        ({"team": ["blue", "red"]}, RED, True),
        ({"team": "red", "n": 1.0}, RED, True),
        ({"team": "red", "n": "1"}, RED, False),
        ({"n": True}, RED, False),
        ({"team": "red"}, b'{"team": null}', False),
        ({"team": "red"}, b'["red"]', False),
        ({"team": "red"}, None, False),
        ({}, RED, True),
        ({}, None, True),
    ],
)
def test_each_field_has_to_have_one_of_its_values(
    where: dict[str, Any], data: bytes | None, holds: bool
) -> None:
    assert Condition("tasks", where).holds(data) is holds


@pytest.mark.parametrize(
    ("partitions", "part"),
    [
        ([], None),
        ([["owner"]], None),
        ([["team"]], b'{"team":"red"}'),
        ([["team"], ["n", "team"]], b'{"n":1,"team":"red"}'),
        ([["owner", "team"]], None),
    ],
)
def test_the_smallest_part_that_has_all_of_them_is_looked_up(
    partitions: list[list[str]], part: bytes | None
) -> None:
    assert Condition("tasks", {"team": "red", "n": 1}).part(partitions) == part


@pytest.mark.parametrize(
    ("where", "words"),
    [
        ("red", "fields and their values expected"),
        ({1: "red"}, "fields and their values expected"),
        ({"team": None}, "a text, a number or a boolean"),
        ({"team": object()}, "where of 'tasks'"),
    ],
)
def test_what_can_hold_for_no_record_is_refused_in_words(where: Any, words: str) -> None:
    with pytest.raises(RhtmxError, match=words) as caught:
        Condition("tasks", where)
    assert caught.value.code is ErrorCode.BAD_MESSAGE


def test_two_parts_that_mean_the_same_are_spelt_the_same() -> None:
    assert where_text("tasks", {"b": 1, "a": 2}) == where_text("tasks", {"a": 2, "b": 1})
    assert where_text("tasks", None) is None
