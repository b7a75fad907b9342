"""What an operation makes of the value of a field."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from rhtmx.errors import RhtmxError
from rhtmx.messages import FieldAction
from rhtmx.messages.tables import FIELD_ACTION_VALUES
from rhtmx.values.operations import OPERATIONS, apply, decimals, elements

VECTORS = Path(__file__).parents[3] / "vectors" / "operations.json"
CASES: list[dict[str, Any]] = json.loads(VECTORS.read_text())


def _bytes(text: str | None) -> bytes | None:
    return None if text is None else text.encode()


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_the_vectors_say_what_comes_of_it(case: dict[str, Any]) -> None:
    action = FIELD_ACTION_VALUES[case["action"]]
    stored, operand = _bytes(case["stored"]), _bytes(case["operand"])
    if "error" in case:
        with pytest.raises(RhtmxError) as caught:
            apply(action, stored, operand, "votes")
        assert caught.value.code.name.lower() == case["error"]
    else:
        result = apply(action, stored, operand, "votes")
        assert result == _bytes(case["result"])


def test_every_action_that_is_no_plain_write_is_an_operation() -> None:
    plain = {FieldAction.UNSPECIFIED, FieldAction.UPDATE, FieldAction.DELETE}
    assert set(FieldAction) - plain == set(OPERATIONS)
    assert {case["action"] for case in CASES} == {
        name for name, action in FIELD_ACTION_VALUES.items() if action in OPERATIONS
    }


def test_an_error_says_what_was_there_and_what_is_needed() -> None:
    with pytest.raises(RhtmxError, match="'votes' is a string: increment needs an integer"):
        apply(FieldAction.INCREMENT, b'"three"', b"1", "votes")
    with pytest.raises(RhtmxError, match=r"add of 'labels': a list .* expected, got a string"):
        apply(FieldAction.ADD, b"[]", b'"urgent"', "labels")


def test_an_error_does_not_repeat_what_is_stored() -> None:
    with pytest.raises(RhtmxError) as caught:
        apply(FieldAction.INCREMENT, b'"a secret"', b"1", "votes")
    assert "secret" not in str(caught.value)


def test_adding_twice_and_removing_twice_is_adding_and_removing_once() -> None:
    once = apply(FieldAction.ADD, b'["a"]', b'["b"]', "labels")
    assert apply(FieldAction.ADD, once, b'["b"]', "labels") == once
    left = apply(FieldAction.REMOVE, once, b'["a"]', "labels")
    assert apply(FieldAction.REMOVE, left, b'["a"]', "labels") == left == b'["b"]'


def test_a_set_with_what_is_no_element_is_none() -> None:
    assert elements(b"[null]") is None
    assert elements(b"7") is None
    assert elements(None) == []


def test_a_number_is_no_decimal_text() -> None:
    assert decimals(1.5) is None
