"""One text for one value."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from rhtmx_server.forms.canonical import canonical, packed

_parts = st.lists(st.binary(max_size=12), max_size=4)
_plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=4) | st.binary(max_size=4),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.tuples(inner, inner)
        | st.dictionaries(st.text(max_size=2), inner, max_size=3)
    ),
    max_leaves=6,
)


def spelt(value: object) -> str:
    """What tells values apart that Python takes for one: 1 and True."""
    if isinstance(value, dict):
        return repr(sorted((repr(key), spelt(each)) for key, each in value.items()))
    if isinstance(value, list | tuple):
        return f"{type(value).__name__}{[spelt(each) for each in value]}"
    return repr(value)


def by_type(value: object) -> bytes:
    return type(value).__name__.encode()


@given(_parts, _parts)
def test_parts_never_run_together(one: list[bytes], other: list[bytes]) -> None:
    assert (packed(*one) == packed(*other)) is (one == other)


@given(_plain, _plain)
def test_values_are_the_same_exactly_if_they_are_spelt_the_same(one: object, other: object) -> None:
    same = spelt(one) == spelt(other)
    assert (canonical(one, by_type) == canonical(other, by_type)) is same


def test_the_order_of_what_has_none_says_nothing() -> None:
    assert canonical({"a": 1, "b": 2}, by_type) == canonical({"b": 2, "a": 1}, by_type)
    assert canonical({"a", "b"}, by_type) == canonical(frozenset(["b", "a"]), by_type)


def test_half_of_a_surrogate_pair_is_a_text_like_any_other() -> None:
    assert canonical("\ud800", by_type) != canonical("\ud801", by_type)


def test_what_is_no_plain_value_is_told_by_whoever_asks() -> None:
    assert canonical(object(), by_type) == b"oobject"
