from __future__ import annotations

from rhtmx.wire.limits import FORBIDDEN_KEYS, MAX_DEPTH, MAX_INTEGER, MIN_INTEGER


def test_the_largest_integer_is_exact_as_a_double_and_so_is_its_neighbour() -> None:
    assert int(float(MAX_INTEGER)) == MAX_INTEGER == -MIN_INTEGER
    assert int(float(MAX_INTEGER + 2)) != MAX_INTEGER + 2


def test_the_limits_are_those_of_the_reference() -> None:
    assert MAX_DEPTH == 32
    assert {"__proto__", "constructor", "prototype"} == FORBIDDEN_KEYS
