"""Facts about `rhtmx_server.conflict_log`."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rhtmx_server.conflict_log import RESERVED, base_of, field_of, is_conflict, log_of, number_of


@given(st.text())
def test_a_log_names_its_entity(entity: str) -> None:
    assert base_of(log_of(entity)) == entity
    assert log_of(entity).startswith(RESERVED)


@pytest.mark.parametrize("name", ["tasks", "$conflicts", "conflicts/tasks", "$other/tasks"])
def test_other_names_are_no_logs(name: str) -> None:
    assert base_of(name) is None


@given(st.integers(1, 2**53))
def test_a_field_names_its_conflict(number: int) -> None:
    assert is_conflict(field_of(number))
    assert number_of(field_of(number)) == number


@pytest.mark.parametrize(
    "name", ["", "$", "$0", "$01", "$-1", "$1 ", "$1\n", "$x", "12", "$\N{ARABIC-INDIC DIGIT ONE}"]
)
def test_other_fields_are_no_conflicts(name: str) -> None:
    assert not is_conflict(name)
